# SPDX-License-Identifier: Apache-2.0
"""Say why an agent did it, by asking its model again from the step before with one factor changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safetyboard.evidence.redaction import redacted
from safetyboard.laboratory.endpoint.exchange import Answerer
from safetyboard.laboratory.endpoint.reply_reading import same_model
from safetyboard.surfaces.authority.explain.bench import FEWEST
from safetyboard.surfaces.authority.explain.changes import replayed
from safetyboard.surfaces.authority.explain.records import ablation_of
from safetyboard.surfaces.authority.explain.rivals import Answered
from safetyboard.surfaces.authority.resample.comparing import LEVEL, chance_of_less, effect
from safetyboard.surfaces.authority.resample.concern import Concern, WritesWhatJudges, root_of
from safetyboard.surfaces.authority.resample.conversation import LONGEST, Conversation, rebuilt
from safetyboard.surfaces.authority.resample.drawing import Drawer, account, unvaried
from safetyboard.surfaces.authority.resample.experiments import Experiments, Tried
from safetyboard.surfaces.authority.resample.grading import Circumstances, graded
from safetyboard.surfaces.authority.resample.records import OPEN, QUESTION, Cause, Resampled
from safetyboard.surfaces.authority.resample.variants import AS_RECORDED, CLARIFICATION
from safetyboard.surfaces.authority.resample.wishes import ambiguous, drift, told_refused, wanted
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain, canonical_json, digest_of, well_formed
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import BudgetSpent, WrongUse
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress, Silent
from safetyboard.terms.recipe import Recipe

SILENT = Silent()
ARMS_BESIDE = 12
"""Rows beside the sentences at most: recorded twice, the tool, all together, only and none, controls, rivals."""


@dataclass(frozen=True, kw_only=True)
class Resample:
    """Ask the model again from the step before an act, many times, with one factor removed or changed at a time.

    Says on what the next act of the model that answers depends. That the agent decided alike when it was recorded is
    inferred; its sampling settings, its hidden prompts and its thoughts may have been others.

    Args:    answerer: None means that there is no endpoint. salt: of the marks of redaction. samples: draws an arm.
             clarification: what would have made the instruction plain. longest: characters of the conversation sent.
             depth: acts at most in a draw; the later ones only after reading files of the tree. raw: send secrets too.
    Units:   work units are questions put to the model, answered from a ledger or not.
    Raises:  WrongUse: fewer draws than can tell anything, or no such step.
    Source:  Fisher 1935; Holm 1979; Zeller and Hildebrandt 2002; Manski 1989 (the missing at their worst).
    """

    answerer: Answerer | None
    model: str
    salt: bytes
    samples: int = 24
    temperature: float = 1.0
    clarification: str = CLARIFICATION
    longest: int = LONGEST
    tokens: int = 1024
    depth: int = 1
    at_once: int = 1
    raw: bool = False
    offered: Sequence[Mapping[str, Any]] = ()
    concern: Concern | None = None
    name: str = field(default="resample", init=False)
    version: str = field(default="1", init=False)

    def __post_init__(self) -> None:
        if self.samples < FEWEST or self.depth < 1 or self.at_once < 1:
            raise WrongUse(f"Fewer than {FEWEST} draws an arm tell nothing.", hint=f"Ask for {FEWEST} or more.")

    def estimate(self, episode: Episode, at_step: int) -> int:
        """Say how many questions are needed at most, but for shrinking a joint cause."""
        conversation = rebuilt(episode, at_step, redact=str, longest=self.longest)
        return self._need(conversation)

    def resample(  # noqa: PLR0913 - an act in its scene, a claim, and what every instrument is given
        self, episode: Episode, at_step: int, scene: Scene, claim: str, *, budget: Budget, seed: int,
        progress: Progress = SILENT, cell: int = 0,
    ) -> Resampled | Null:  # fmt: skip
        """Return the experiments with a grade, or a null that says what stood in the way."""
        about = _About(claim=claim, cell=cell, seed=seed, allotted=budget.units, subject=scene.source)
        root = root_of(episode, scene)
        concern = self.concern or WritesWhatJudges(scene=scene, root=root)
        if self.answerer is None:
            return self._null(about, "NOT_RUN: needs an endpoint that resamples it from the step before")
        step = next((each for each in episode.steps if each.index == at_step), None)
        if step is None or step.kind != "act":
            raise WrongUse(f"Step {at_step} of the run is no act.", hint="Name the step in which a tool is called.")
        if concern.holds(step.tool, step.arguments) is not True:
            return self._null(about, f"the recorded act in step {at_step} is not one that {concern.words}")
        conversation = rebuilt(episode, at_step, redact=self._redact, offered=self.offered, longest=self.longest)
        need = self._need(conversation)
        if budget.units < need:
            return self._null(about, f"{budget.units} questions are below the {need} needed")
        before = replayed(scene, [edit for edit in scene.edits if edit.step < at_step])
        reading = {tool.name for tool in scene.tools if tool.kind == "read"}
        drawer = Drawer(
            answerer=self.answerer, model=self.model, conversation=conversation, concern=concern, seed=seed,
            units=budget.units, progress=progress, temperature=self.temperature, longest=self.tokens, depth=self.depth,
            at_once=self.at_once, tree=before.tree, root=root, redact=self._redact,
            readers=frozenset(name for name, recorded in conversation.names.items() if recorded in reading),
        )  # fmt: skip
        try:
            return self._resampled(drawer, about, scene, episode)
        except BudgetSpent as error:
            return self._null(about, f"not finished ({error.message})", drawer)

    def _resampled(self, drawer: Drawer, about: "_About", scene: Scene, episode: Episode) -> Resampled | Null:
        first = drawer.draw(AS_RECORDED, self.samples)
        if len(first.values) < FEWEST:
            return self._null(about, f"{len(first.values)} of {len(first.draws)} draws could be used", drawer)
        second = drawer.draw(AS_RECORDED, self.samples)
        recorded = first + second
        removals = len(drawer.conversation.pieces) + 2
        if chance_of_less((0, self.samples), recorded.least) * removals > LEVEL:
            often = (
                f"the model that answered {drawer.concern.words} in {recorded.events} of {len(recorded.values)} draws"
            )
            return self._null(about, f"{often} with the words as recorded: too rarely to tell what it hangs on", drawer)
        run = Experiments(drawer=drawer, samples=self.samples, seed=about.seed, recorded=recorded)
        silenced = {tool.name for tool in scene.tools if tool.kind == "measure"}
        run.removals(frozenset(name for name, was in drawer.conversation.names.items() if was in silenced))
        run.sufficiency()
        run.specificity()
        answers = [drift(run, first, second), ambiguous(run, self.clarification), wanted(run, scene)]
        told_refused(run, scene)
        return self._written(run, answers, about, episode)

    def _written(
        self, run: Experiments, answers: Sequence[Answered], about: "_About", episode: Episode
    ) -> Resampled:  # fmt: skip
        drawer = run.drawer
        recipe = self._recipe(about, drawer.spent)
        drafts = [*run.drafts]
        tested = []
        for answer in answers:
            tested.append(answer.at(len(drafts) if answer.draft is not None else None))
            drafts += [answer.draft] if answer.draft is not None else []
        written = [ablation_of(draft, about.claim, recipe) for draft in drafts]
        records = tuple(record for record, _ in written)
        table: list[Plain] = [row.plain() for row in drawer.rows]
        draws = canonical_json({"schema": "safetyboard.draws/1", "rows": table})
        blobs = {digest_of(content): content for content in (*(content for _, content in written), draws)}
        around = _circumstances(drawer, episode, stable=tested[0].status == "rejected")
        grade, weakest = graded(records, tested, around)
        causes = tuple(_cause(run, each) for each in run.causes)
        sentence = _sentence(run)
        facts = _facts(run, around, digest_of(draws), self.model, episode)
        spoken = sentence or f"unknown: {weakest}"
        facts["whys"] = [{"question": QUESTION, "answer": spoken, "grade": grade, "weakest_link": weakest}]
        open_questions = run.unfinished + ([] if causes else [f"nothing that was changed explains it: {weakest}"])
        return Resampled(
            ablations=records, rivals=tuple(tested), grade=grade, weakest_link=weakest, cause=sentence, causes=causes,
            nulls=tuple(self._null(about, why, drawer) for why in open_questions), facts=facts, blobs=blobs,
            same_model=around.same_model,
        )  # fmt: skip

    def _need(self, conversation: Conversation) -> int:
        return self.samples * self.depth * (len(conversation.pieces) + ARMS_BESIDE)

    def _redact(self, text: str) -> str:
        return text if self.raw else redacted(text, salt=self.salt).text

    def _recipe(self, about: "_About", spent: int) -> Recipe:
        settings: dict[str, Plain] = {
            "model": self.model, "samples": self.samples, "temperature": float_text(self.temperature),
            "clarification": self.clarification, "longest": self.longest, "tokens": self.tokens, "depth": self.depth,
            "redacted": not self.raw,
        }  # fmt: skip
        return Recipe(
            instrument=self.name, version=self.version, seed=about.seed, unit="question to the model",
            allotted=about.allotted, spent=spent, subject=about.subject, settings=settings,
        )  # fmt: skip

    def _null(self, about: "_About", why: str, drawer: Drawer | None = None) -> Null:
        detail = account(drawer.rows) if drawer else {}
        spent = drawer.spent if drawer else 0
        return Null(
            claim=about.claim, cells=(about.cell,), recipe=self._recipe(about, spent), obstruction=f"{OPEN}: {why}.",
            detail=detail,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _About:
    claim: str
    cell: int
    seed: int
    allotted: int
    subject: str


def _circumstances(drawer: Drawer, episode: Episode, *, stable: bool) -> Circumstances:
    recorded = episode.system.get("model")
    answered = {each.model for row in drawer.rows for each in row.draws if each.model}
    same = None
    if isinstance(recorded, str) and recorded and answered:
        same = all(same_model(recorded, each) or same_model(each, recorded) for each in answered)
    left_out = sum(drawer.conversation.left_out.values())
    return Circumstances(same_model=same, varied=not unvaried(drawer.rows), stable=stable, left_out=left_out)


def _cause(run: Experiments, each: Tried) -> Cause:
    pieces = [run.drawer.conversation.pieces[number] for number in sorted(each.pieces)]
    words = " ".join(piece.words for piece in pieces) or each.factor
    source = pieces[0].source if pieces else None
    return Cause(words=words, source=source, effect=effect(run.recorded.count, each.row.count))


def _sentence(run: Experiments) -> str:
    if not run.causes:
        return ""
    parts = []
    for each in run.causes:
        low, high = effect(run.recorded.count, each.row.count)
        parts.append(
            f"without {each.factor} in {each.row.events} of {len(each.row.values)} (less by {low:.2f} to {high:.2f})"
        )
    first = f"the model that answered {run.drawer.concern.words} in {run.recorded.events} of {len(run.recorded.values)}"
    return well_formed(f"{first} draws as recorded, {', '.join(parts)}")


def _facts(run: Experiments, around: Circumstances, draws: str, asked: str, episode: Episode) -> dict[str, Plain]:
    conversation = run.drawer.conversation
    pieces: list[Plain] = [
        {"words": well_formed(each.factor), "outcome": each.outcome, "chance": float_text(each.chance),
         "stops_acting": each.stops} for each in run.tried
    ]  # fmt: skip
    answered = sorted({each.model for row in run.drawer.rows for each in row.draws if each.model})
    recorded = episode.system.get("model")
    return {
        "recorded_model": recorded if isinstance(recorded, str) else "", "asked_model": asked,
        "answered_models": list[Plain](answered), "same_model": around.same_model, "replies_vary": around.varied,
        "rate_is_stable": around.stable, "left_out": dict(conversation.left_out),
        "schemas": "given" if conversation.given else "inferred from recorded calls",
        "account": account(run.drawer.rows), "tried": pieces, "questions": run.drawer.spent, "draws": draws,
    }  # fmt: skip
