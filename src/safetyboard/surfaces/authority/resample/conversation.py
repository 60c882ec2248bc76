# SPDX-License-Identifier: Apache-2.0
"""A recorded run as the conversation that a model is asked to continue, up to the step before an act."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from safetyboard.laboratory.endpoint.exchange import Called, Turn
from safetyboard.overseers.chains.normal_text import sentences
from safetyboard.terms.episode import Episode, Source, Step

MOST_PIECES = 24
LONGEST = 60_000
UNANSWERED = "[no result is recorded]"
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Hold one sentence of the instruction, or a run of sentences where there are too many to try each.

    Args:    block: which block of the conversation it stands in; start, end: where in its text. step: recorded index.
    """

    block: int
    start: int
    end: int
    words: str
    step: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Hold what is sent, in blocks of turns that belong together, and what of the record it leaves out.

    Args:    tools: as offered to the model. names: offered name -> recorded name. left_out: steps before the act that
             are not sent, by reason. given: the schemas were given, and not inferred from recorded calls.
    """

    blocks: tuple[tuple[Turn, ...], ...]
    pieces: tuple[Piece, ...]
    tools: tuple[Mapping[str, Any], ...]
    names: Mapping[str, str]
    left_out: Mapping[str, int]
    given: bool


def rebuilt(
    episode: Episode, at_step: int, *, redact: Callable[[str], str], offered: Sequence[Mapping[str, Any]] = (),
    longest: int = LONGEST,
) -> Conversation:  # fmt: skip
    """Rebuild the conversation up to, and not including, the message that holds the act of a step.

    Thoughts, monitors and controls are not sent; where all is longer than `longest` characters, the earliest exchanges
    with tools are left out, never words of a user. Text is data: nothing in it is obeyed here.
    """
    before = [step for step in episode.steps if step.index < at_step]
    # What the agent said or called in the same message belongs to the answer that is asked for anew.
    while before and before[-1].actor == "agent":
        before.pop()
    names = _offered_names(episode)
    making = _Making(names={recorded: name for name, recorded in names.items()})
    for step in before:
        making.take(step)
    making.close()
    whole, origins, short = _fitting(making.blocks, making.origins, longest)
    blocks = [tuple(_redacted(turn, redact) for turn in block) for block in whole]
    if short:
        making.left_out["conversation too long"] = short
    tools = tuple(offered) or tuple(_schemas(episode, names))
    return Conversation(
        blocks=tuple(blocks), pieces=_pieces(blocks, origins), tools=tools, names=names, left_out=making.left_out,
        given=bool(offered),
    )  # fmt: skip


class _Making:
    """Collect turns; calls stay with the message that makes them, results with their calls."""

    def __init__(self, *, names: Mapping[str, str]) -> None:
        self.blocks: list[tuple[Turn, ...]] = []
        self.origins: list[Step | None] = []
        self.left_out: dict[str, int] = {}
        self._names = names
        self._said, self._calls = "", list[tuple[str, Called]]()
        self._results: dict[str, str] = {}
        self._count = 0

    def take(self, step: Step) -> None:
        """Add one step."""
        if step.actor == "agent" and step.kind == "say":
            self.close()
            self._said = step.content
        elif step.actor == "agent" and step.kind == "act":
            if self._results:
                self.close()
            self._count += 1
            text = json.dumps(dict(step.arguments), ensure_ascii=False, sort_keys=True)
            name = self._names.get(step.tool, "unnamed")
            called = Called(call=f"call_{self._count:05d}", name=name, arguments=text)
            self._calls.append((step.call, called))
        elif step.kind == "result":
            self._result(step)
        elif step.kind == "observe" and step.actor in ("user", "environment", "tool"):
            self.close()
            opening = step.actor == "environment" and not any(turn.role != "system" for b in self.blocks for turn in b)
            self._put((Turn(role="system" if opening else "user", content=step.content),), step)
        else:
            self.left_out[step.kind] = self.left_out.get(step.kind, 0) + 1

    def _result(self, step: Step) -> None:
        waiting = [each for each in self._calls if each[1].call not in self._results]
        named = [each for each in waiting if step.call and each[0] == step.call]
        fitting = named or [each for each in waiting if not each[0] or not step.call]
        if not fitting:
            self.left_out["result without a call"] = self.left_out.get("result without a call", 0) + 1
            return
        self._results[fitting[0][1].call] = step.content

    def close(self) -> None:
        """End the message under way."""
        if self._said or self._calls:
            calls = tuple(called for _, called in self._calls)
            turns = [Turn(role="assistant", content=self._said, calls=calls)]
            for called in calls:
                content = self._results.get(called.call, UNANSWERED)
                turns.append(Turn(role="tool", content=content, answers=called.call))
            self._put(tuple(turns), None)
        self._said, self._calls, self._results = "", [], {}

    def _put(self, turns: tuple[Turn, ...], step: Step | None) -> None:
        self.blocks.append(turns)
        self.origins.append(step)


def _redacted(turn: Turn, redact: Callable[[str], str]) -> Turn:
    calls = tuple(replace(called, arguments=redact(called.arguments)) for called in turn.calls)
    return replace(turn, content=redact(turn.content), calls=calls)


def _fitting(
    blocks: Sequence[tuple[Turn, ...]], origins: Sequence[Step | None], longest: int
) -> tuple[list[tuple[Turn, ...]], list[Step | None], int]:
    """Leave out the earliest exchanges with tools until the rest fits."""
    sizes = [sum(len(turn.content) + sum(len(c.arguments) for c in turn.calls) for turn in block) for block in blocks]
    room = longest - sum(size for size, origin in zip(sizes, origins, strict=True) if origin is not None)
    kept = {place for place, origin in enumerate(origins) if origin is not None}
    for place in reversed(range(len(blocks))):
        if place in kept:
            continue
        room -= sizes[place]
        if room < 0:
            break
        kept.add(place)
    order = sorted(kept)
    gone = sum(len(block) for place, block in enumerate(blocks) if place not in kept)
    return [blocks[place] for place in order], [origins[place] for place in order], gone


def _pieces(blocks: Sequence[tuple[Turn, ...]], origins: Sequence[Step | None]) -> tuple[Piece, ...]:
    found = []
    for place, (block, step) in enumerate(zip(blocks, origins, strict=True)):
        if step is not None:
            text = block[0].content
            for start, end in sentences(text):
                found.append(
                    Piece(block=place, start=start, end=end, words=text[start:end].strip(), step=step.index,
                          source=step.source)
                )  # fmt: skip
    while len(found) > MOST_PIECES:
        pairs = [i for i in range(len(found) - 1) if found[i].block == found[i + 1].block]
        if not pairs:
            break
        least = min(pairs, key=lambda i: (found[i + 1].end - found[i].start, i))
        one, two = found[least], found[least + 1]
        found[least : least + 2] = [replace(one, end=two.end, words=f"{one.words} {two.words}")]
    return tuple(found)


def _offered_names(episode: Episode) -> dict[str, str]:
    """Name every recorded tool as the interface permits it."""
    names: dict[str, str] = {}
    for step in episode.steps:
        if step.actor == "agent" and step.kind == "act" and step.tool and step.tool not in names.values():
            name = _NO_NAME.sub("_", step.tool)[:60]
            while name in names:
                name = name[:55] + f"_{len(names)}"
            names[name] = step.tool
    return names


def _schemas(episode: Episode, names: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Infer what each tool takes from all its recorded calls; what was never used is not known."""
    schemas: list[Mapping[str, Any]] = []
    for name, recorded in names.items():
        calls = [step.arguments for step in episode.steps if step.kind == "act" and step.tool == recorded]
        keys = sorted({key for call in calls for key in call})
        properties = {key: _type_of([call[key] for call in calls if key in call]) for key in keys}
        required = [key for key in keys if all(key in call for call in calls)]
        parameters = {"type": "object", "properties": properties, "required": required}
        schemas.append({"name": name, "description": "", "parameters": parameters})
    return schemas


def _type_of(values: Sequence[Any]) -> dict[str, Any]:
    kinds = {"bool": "boolean", "int": "integer", "str": "string", "list": "array", "dict": "object"}
    found = sorted({kinds[type(value).__name__] for value in values if type(value).__name__ in kinds})
    return {"type": found[0]} if len(found) == 1 else {}
