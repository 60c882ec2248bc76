# SPDX-License-Identifier: Apache-2.0
"""Draw the next act of a model many times, and tell what each draw was from the act alone."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from safetyboard.laboratory.endpoint.exchange import Answerer, Called, ChatRequest, Reply, Turn
from safetyboard.surfaces.authority.resample.comparing import Count
from safetyboard.surfaces.authority.resample.concern import Concern
from safetyboard.surfaces.authority.resample.conversation import Conversation
from safetyboard.surfaces.authority.resample.variants import Variant, shown
from safetyboard.terms.canonical import Plain, content_id, digest_of, plain_of
from safetyboard.terms.errors import BudgetSpent, SafetyboardError
from safetyboard.terms.progress import Progress

Kind = Literal["concern", "other act", "no act", "refused", "errored", "unusable"]
ANSWERED: tuple[Kind, ...] = ("concern", "other act", "no act")


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Hold one draw: of which kind, why it is of no use where it is not, and which replies it rests on."""

    kind: Kind
    why: str = ""
    model: str = ""
    requests: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """Hold every draw of one variant of the conversation."""

    variant: Variant
    draws: tuple[Draw, ...]

    def __add__(self, other: "Row") -> "Row":
        return Row(variant=self.variant, draws=self.draws + other.draws)

    @property
    def values(self) -> list[bool]:
        """List, for every draw that answered, whether its act was of concern."""
        return [each.kind == "concern" for each in self.draws if each.kind in ANSWERED]

    @property
    def events(self) -> int:
        """Count the draws of concern."""
        return sum(self.values)

    @property
    def count(self) -> Count:
        """Give (of concern, answered)."""
        return self.events, len(self.values)

    @property
    def acting(self) -> Count:
        """Give (of concern, answered with an act)."""
        return self.events, sum(each.kind in ("concern", "other act") for each in self.draws)

    @property
    def least(self) -> Count:
        """Give the count with every missing draw taken as not of concern."""
        return self.events, len(self.draws)

    @property
    def most(self) -> Count:
        """Give the count with every missing draw taken as of concern."""
        return self.events + len(self.draws) - len(self.values), len(self.draws)

    @property
    def kinds(self) -> dict[str, Plain]:
        """Account for every draw."""
        counted = Counter(each.kind for each in self.draws)
        return {"asked": len(self.draws), **{name: counted[name] for name in get_args(Kind)}}

    def plain(self) -> dict[str, Plain]:
        """Give its plain form: kinds, and the digests that find the replies in the ledger."""
        draws: list[Plain] = [
            {"kind": each.kind, "why": each.why, "model": each.model, "requests": list(each.requests),
             "replies": list(each.replies)} for each in self.draws
        ]  # fmt: skip
        return {"variant": self.variant.name, "draws": draws}


@dataclass(kw_only=True)
class Drawer:
    """Ask the model about variants of one conversation, within a budget of questions.

    Args:    tree: the files as they were at that step; a call that only reads one of them can be answered. depth: acts
             at most in a draw; the second and later ones only where what came before was read from the tree.
    """

    answerer: Answerer
    model: str
    conversation: Conversation
    concern: Concern
    seed: int
    units: int
    progress: Progress
    temperature: float
    longest: int
    depth: int
    at_once: int
    tree: Mapping[str, bytes] = field(default_factory=dict)
    readers: frozenset[str] = frozenset()
    root: str = ""
    redact: Callable[[str], str] = str
    spent: int = 0
    rows: list[Row] = field(default_factory=list)

    def draw(self, variant: Variant, times: int) -> Row:
        """Draw so many next acts; nothing that was drawn before is taken again.

        Raises:  BudgetSpent where the questions allotted do not suffice, or a stop was asked for.
        """
        if self.spent + times * self.depth > self.units or self.progress.stopped():
            raise BudgetSpent(f"{self.units} questions were allotted, {self.spent} are spent.", hint="Allot more.")
        first = sum(len(row.draws) for row in self.rows if row.variant == variant)
        numbers = range(first, first + times)
        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            draws = tuple(pool.map(lambda number: self._one(variant, number), numbers))
        asked = sum(len(each.requests) for each in draws)
        self.spent += asked
        self.progress.advance(asked)
        row = Row(variant=variant, draws=draws)
        self.rows.append(row)
        return row

    def _one(self, variant: Variant, number: int) -> Draw:
        turns, tools = shown(self.conversation, variant)
        # A seed of its own for each draw: servers that honour it would else give one answer again and again.
        mixed = digest_of(f"{self.seed} {variant.name} {sorted(variant.without)} {number}".encode())
        seed = int(mixed[7:15], 16) & 0x7FFFFFFF
        requests, replies = list[str](), list[str]()
        model = ""
        for _ in range(self.depth):
            request = ChatRequest(
                model=self.model, turns=turns, temperature=self.temperature, seed=seed, longest=self.longest,
                sample=number, tools=tools,
            )  # fmt: skip
            reply = self.answerer.ask(request)
            requests.append(request.digest)
            replies.append(content_id({"text": reply.text, "calls": reply.extra.get("tool_calls")}))
            model = model or reply.model
            kind, why = self._kind(reply, {str(tool["name"]) for tool in tools})
            more = self._answered(reply) if kind == "other act" else None
            if more is None:
                break
            turns = (*turns, *more)
        return Draw(kind=kind, why=why, model=model, requests=tuple(requests), replies=tuple(replies))

    def _kind(self, reply: Reply, offered: set[str]) -> tuple[Kind, str]:
        """Tell what a reply was; its words have no say, only its calls."""
        if reply.ending != "ANSWER":
            return ("refused" if reply.ending == "REFUSED" else "errored"), reply.reason
        if not reply.calls:
            return "no act", ""
        said: list[bool | None] = []
        why = ""
        for called in reply.calls:
            arguments = _arguments(called)
            if arguments is None or called.name not in offered:
                why = "arguments that are no JSON object" if arguments is None else "a tool that was not offered"
                said.append(None)
                continue
            said.append(self.concern.holds(self.conversation.names.get(called.name, called.name), arguments))
        if any(said):
            return "concern", ""
        return ("unusable", why or "an act whose effect is not known") if None in said else ("other act", "")

    def _answered(self, reply: Reply) -> tuple[Turn, ...] | None:
        """Answer calls that read files of the tree; None where one of them is anything else."""
        results = []
        for called in reply.calls:
            text = self._read(called)
            if text is None:
                return None
            results.append(Turn(role="tool", content=text, answers=called.call))
        if not all(called.call for called in reply.calls):
            return None
        return (Turn(role="assistant", content=reply.text, calls=reply.calls), *results)

    def _read(self, called: Called) -> str | None:
        arguments = _arguments(called)
        if called.name not in self.readers or arguments is None:
            return None
        texts = [value for value in arguments.values() if isinstance(value, str)]
        if len(arguments) != 1 or len(texts) != 1:
            return None
        content = self.tree.get(texts[0].removeprefix(self.root) if self.root else texts[0])
        return None if content is None else self.redact(content.decode("utf-8", "replace"))


def _arguments(called: Called) -> dict[str, Plain] | None:
    try:
        parsed: Any = json.loads(called.arguments or "{}")
        plain = plain_of(parsed)
    except (ValueError, RecursionError, SafetyboardError):
        return None
    return plain if isinstance(plain, dict) else None


def account(rows: Sequence[Row]) -> dict[str, Plain]:
    """Add up what became of every draw."""
    counted = Counter(each.kind for row in rows for each in row.draws)
    total = sum(counted.values())
    answered = sum(counted[name] for name in ANSWERED)
    return {
        "asked": total, "answered": answered, "refused": counted["refused"], "errored": counted["errored"],
        "unusable": counted["unusable"],
    }  # fmt: skip


def unvaried(rows: Sequence[Row]) -> bool:
    """Tell whether the model gave the same reply to the same words each time, so that draws are not independent."""
    return all(len({each.replies for each in row.draws if each.kind in ANSWERED}) <= 1 for row in rows)
