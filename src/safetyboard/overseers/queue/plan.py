# SPDX-License-Identifier: Apache-2.0
"""Which runs people are asked about, in which order: fixed by a key and by content before anybody answers."""

import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from safetyboard.terms.canonical import Plain, content_id
from safetyboard.terms.errors import WrongUse

Lane = Literal["flagged", "audit"]
TWICE = Fraction(1, 10)
"""Share of the items that are read a second time, by another reviewer where there is one; none of fewer than five."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Hold one distinct run and what the screens made of it; never shown to a reviewer.

    Args:    item: its digest. gravity: compared place by place, the greater the graver. why: what flagged it; empty
             where it was passed.
    """

    item: str
    gravity: tuple[float, ...] = ()
    why: str = ""

    @property
    def flagged(self) -> bool:
        """Tell whether some screen sends it to people."""
        return bool(self.why)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Hold one place in the queue; `turn` 2 is the second reading of an item."""

    item: str
    lane: Lane
    turn: int = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Hold the whole queue.

    Args:    audit: the drawn ones in the order of the draw, so that each beginning of it is a random part as well.
             passed: how many there are of those that no screen flagged; distinct runs.
    """

    slots: tuple[Slot, ...]
    flagged: tuple[str, ...]
    audit: tuple[str, ...]
    passed: int

    @property
    def digest(self) -> str:
        """Name the plan."""
        slots: list[Plain] = [[slot.item, slot.lane, slot.turn] for slot in self.slots]
        return content_id({"slots": slots, "passed": self.passed, "audit": list(self.audit)})

    @property
    def items(self) -> tuple[str, ...]:
        """Name every item once."""
        return (*self.flagged, *self.audit)


def planned(candidates: Iterable[Candidate], *, key: bytes, rate: Fraction, twice: Fraction = TWICE) -> Plan:
    """Plan a queue: what is flagged by gravity, and mixed into it a random part of what was passed.

    The part is the lowest of keyed digests of content, so neither names nor order nor reviewers can steer it; who
    knows the key before the runs are made could. Where a flagged and an audited item stand tells nothing of which is
    which, but for gravity: the gravest come early.

    Args:    rate: share of the passed that is audited, rounded up.
    Raises:  WrongUse: a share outside 0 to 1, or an item given twice.
    """
    held = list(candidates)
    if not (0 <= rate <= 1 and 0 <= twice <= 1):
        raise WrongUse("The shares of an audit and of second readings lie from 0 to 1.")
    if len({each.item for each in held}) != len(held):
        raise WrongUse("An item was given twice.", hint="Runs that read the same are one item.")
    grave = [each for each in held if each.flagged]
    grave.sort(key=lambda each: keyed(key, "tie", each.item))
    grave.sort(key=lambda each: each.gravity, reverse=True)
    passed = sorted((each.item for each in held if not each.flagged), key=lambda item: keyed(key, "audit", item))
    audit = passed[: math.ceil(rate * len(passed))]
    mixed = _mixed([each.item for each in grave], audit, key)
    return Plan(
        slots=tuple(_with_second_readings(mixed, key, twice)),
        flagged=tuple(each.item for each in grave),
        audit=tuple(audit),
        passed=len(passed),
    )


def keyed(key: bytes, purpose: str, text: str) -> bytes:
    """Digest a text under the key, for one purpose (HMAC-SHA256)."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()


def gravest(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Join the candidates of runs that read the same: the gravest of them stands for all."""
    kept: dict[str, Candidate] = {}
    for each in found:
        held = kept.get(each.item)
        if held is None or (each.flagged, each.gravity) > (held.flagged, held.gravity):
            kept[each.item] = each
    return tuple(kept[item] for item in sorted(kept))


def shares(plan: Plan) -> Mapping[str, str]:
    """Give, for each lane, with what chance a run of it came into the queue, as a fraction in text."""
    return {"flagged": "1/1", "audit": f"{len(plan.audit)}/{plan.passed}" if plan.passed else "0/1"}


def _mixed(grave: Sequence[str], audit: Sequence[str], key: bytes) -> list[Slot]:
    """Merge two rows, each in its order, every merging as likely as any other."""
    made: list[Slot] = []
    first, second = 0, 0
    while first < len(grave) or second < len(audit):
        left, right = len(grave) - first, len(audit) - second
        if int.from_bytes(keyed(key, "mix", str(len(made)))) % (left + right) < left:
            made.append(Slot(item=grave[first], lane="flagged"))
            first += 1
        else:
            made.append(Slot(item=audit[second], lane="audit"))
            second += 1
    return made


def _with_second_readings(mixed: Sequence[Slot], key: bytes, twice: Fraction) -> list[Slot]:
    """Put second readings well after the first: of items of the first half, and past half of what then remains."""
    half = sorted(range(math.ceil(len(mixed) / 2)), key=lambda at: keyed(key, "twice", mixed[at].item))
    placed: list[tuple[float, bytes, Slot]] = [(float(at), b"", slot) for at, slot in enumerate(mixed)]
    for at in half[: math.floor(twice * len(mixed) + Fraction(1, 2))]:
        again = Slot(item=mixed[at].item, lane=mixed[at].lane, turn=2)
        drawn = keyed(key, "again", again.item)
        part = int.from_bytes(drawn[:4]) / 2**32
        placed.append((at + (len(mixed) - at) * (0.5 + 0.5 * part), drawn, again))
    return [slot for _, _, slot in sorted(placed, key=lambda each: each[:2])]
