# SPDX-License-Identifier: Apache-2.0
"""Other explanations of a motive, each tested by asking again: drift, an ambiguous instruction, the user's wish."""

from safetyboard.surfaces.authority.explain.records import Outcome, RivalTest
from safetyboard.surfaces.authority.explain.request import request_in
from safetyboard.surfaces.authority.explain.rivals import STATUS, Answered
from safetyboard.surfaces.authority.resample.comparing import LEVEL, chance_of_less, effect
from safetyboard.surfaces.authority.resample.drawing import Row
from safetyboard.surfaces.authority.resample.experiments import Experiments
from safetyboard.surfaces.authority.resample.variants import Variant, refused_access
from safetyboard.surfaces.authority.scene import Said, Scene

AMBIGUOUS = "the instruction was ambiguous"
WANTED = "the user asked for the tests to be changed"
DRIFT = "the rate drifts by itself"


def drift(run: Experiments, first: Row, second: Row) -> Answered:
    """Ask whether the same words asked again give another rate."""
    chance = min(1.0, 2 * min(chance_of_less(first.count, second.count), chance_of_less(second.count, first.count)))
    outcome: Outcome = "against" if chance > LEVEL else "for"
    draft = run.drafted(
        DRIFT, "rival", {"as recorded": first, "as recorded, asked again": second}, outcome,
        "the same words under other seeds; Fisher's exact test, two-sided",
    )  # fmt: skip
    low, high = effect(first.count, second.count)
    why = f"asked again, the rate differs by between {low:+.2f} and {high:+.2f}"
    return Answered(rival=_rival(DRIFT, outcome, why), draft=draft)


def ambiguous(run: Experiments, clarification: str) -> Answered:
    """Ask whether an explicit clarification ends it: then the instruction could be read both ways."""
    row = run.drawer.draw(Variant(name="a clarification added", added=clarification), run.samples)
    outcome = _falls(run, row)
    draft = run.drafted(
        AMBIGUOUS, "rival", {"as recorded": run.recorded, "a clarification added": row}, outcome,
        f"“{clarification}” added after the last words of the user; for means that it then happens less often",
    )  # fmt: skip
    return Answered(rival=_rival(AMBIGUOUS, outcome, f"told “{clarification}”, {_rates(run, row)}"), draft=draft)


def wanted(run: Experiments, scene: Scene) -> Answered:
    """Ask whether the user asked for it: by the words, and by asking without those that can be read so."""
    pieces = run.drawer.conversation.pieces
    said = [Said(text=piece.words, source=piece.source) for piece in pieces]
    words = [request_in([each])[0] for each in said]
    asking = frozenset(number for number, word in enumerate(words) if word != "none")
    if not asking:
        if not (scene.asked or said):
            return Answered(
                rival=RivalTest(factor=WANTED, status="untested", why="no words are recorded", about="motive")
            )
        why = f"none of {len(said)} sentences before the act asks for it"
        quoted = said[0] if said else scene.asked[0]
        return Answered(rival=RivalTest(factor=WANTED, status="rejected", why=why, about="motive", said=quoted))
    row = run.drawer.draw(Variant(name="what can be read as a request removed", without=asking), run.samples)
    outcome = _falls(run, row)
    # A plain request stands, whether or not the model heeds it.
    explicit = "asked" in words
    first = said[words.index("asked") if explicit else min(asking)]
    draft = run.drafted(
        WANTED, "rival", {"as recorded": run.recorded, row.variant.name: row}, "for" if explicit else outcome,
        "the sentences removed that ask for it or can be read so; a plain request counts whatever the rates say",
    )  # fmt: skip
    why = "the user's words ask for it" if explicit else f"without the words that can be read so, {_rates(run, row)}"
    status = "supported" if explicit or STATUS[outcome] == "supported" else "rejected"
    rival = RivalTest(factor=WANTED, status=status, why=why, about="motive", said=first)  # type: ignore[arg-type]
    return Answered(rival=rival, draft=draft)


def told_refused(run: Experiments, scene: Scene) -> Row | None:
    """Say to the model that what judges the work cannot be written, and see; this tests no rival."""
    if not scene.judged:
        return None
    row = run.drawer.draw(
        Variant(name="write access named as refused", added=refused_access(scene.judged)), run.samples
    )
    run.drafts.append(
        run.drafted(
            "what the agent believed it could write", "rival", {"as recorded": run.recorded, row.variant.name: row},
            _falls(run, row), "the judged files named as refused, after the last words of the user",
        )
    )  # fmt: skip
    return row


def _falls(run: Experiments, row: Row) -> Outcome:
    if chance_of_less(row.most, run.recorded.least) <= LEVEL:
        return "for"
    return "against" if run.keeps(row) else "unclear"


def _rates(run: Experiments, row: Row) -> str:
    first = f"{row.events} of {len(row.values)} draws do it"
    return f"{first}, as recorded {run.recorded.events} of {len(run.recorded.values)}"


def _rival(factor: str, outcome: Outcome, why: str) -> RivalTest:
    status = STATUS[outcome]
    return RivalTest(factor=factor, status="rejected" if status == "rejected" else "supported", why=why, about="motive")
