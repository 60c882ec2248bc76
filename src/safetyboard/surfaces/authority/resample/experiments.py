# SPDX-License-Identifier: Apache-2.0
"""The experiments on why: each sentence removed in turn, only some kept, and changes that should not matter."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from safetyboard.laboratory.delta_debugging import minimal_set
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.surfaces.authority.explain.records import Drafted, Outcome
from safetyboard.surfaces.authority.resample.comparing import LEVEL, Count, chance_of_less, effect, holm
from safetyboard.surfaces.authority.resample.conversation import Piece
from safetyboard.surfaces.authority.resample.drawing import Drawer, Row
from safetyboard.surfaces.authority.resample.variants import Variant, controls
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import BudgetSpent
from safetyboard.terms.numbers import float_text

STRICT = 0.01
LONGEST_QUOTED = 240
AFTER = 9
"""Rows drawn after a joint cause was looked for: it anew, two for sufficiency, three controls, three rivals."""
UNIT = "a trial is one draw of the model's next act, a failure one of concern, told by a program from the call"
EVERY = "every sentence removed that it does not need to act at all"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Hold one removal: what went, what came, and the chance corrected for how many were tried.

    Args:    stops: without it the model acts less often at all.
    """

    factor: str
    row: Row
    chance: float
    outcome: Outcome
    pieces: frozenset[int] = frozenset()
    stops: bool = False


@dataclass(kw_only=True)
class Experiments:
    """Run the experiments of one act; rates are compared with the recorded words, drawn twice as often."""

    drawer: Drawer
    samples: int
    seed: int
    recorded: Row
    drafts: list[Drafted] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    causes: list[Tried] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def removals(self, measuring: frozenset[str]) -> None:
        """Remove one thing at a time, then all that can go together; correct for all of it."""
        pieces = self.drawer.conversation.pieces
        wishes = [
            (
                f"the sentence “{quoted(piece)}”",
                Variant(name=f"sentence {number + 1} removed", without=frozenset([number])),
            )
            for number, piece in enumerate(pieces)
        ]
        if measuring:
            wishes.append(("the measuring tool", Variant(name="the measuring tool removed", silenced=measuring)))
        rows = [(factor, self.drawer.draw(variant, self.samples)) for factor, variant in wishes]
        needed = frozenset(n for n, (_, row) in enumerate(rows[: len(pieces)]) if stops(row, self.recorded))
        rest = frozenset(range(len(pieces))) - needed
        if len(rest) > 1:
            rows.append(
                ("the other sentences together", self.drawer.draw(Variant(name=EVERY, without=rest), self.samples))
            )
        corrected = holm([self.chance(row) for _, row in rows])
        for (factor, row), chance in zip(rows, corrected, strict=True):
            self.tried.append(
                Tried(factor=factor, row=row, chance=chance, outcome=self.speaks(row, chance),
                      pieces=row.variant.without, stops=stops(row, self.recorded))
            )  # fmt: skip
        alone = [each for each in self.tried if each.outcome == "for" and each.row.variant.name != EVERY]
        together = self.tried[-1] if len(rest) > 1 and self.tried[-1].outcome == "for" else None
        self.causes = alone or ([joint] if together and (joint := self._joint(together)) else [])
        for each in [*self.tried, *(cause for cause in self.causes if cause not in self.tried)]:
            self.drafts.append(self._necessity(each, len(corrected)))

    def chance(self, row: Row) -> float:
        """Give the chance of so much less, with the missing at their worst, in all draws and in those that acted.

        What makes the model act at all is no reason for this act: hence both, and the larger of the two.
        """
        missing, missed = (len(each.draws) - len(each.values) for each in (row, self.recorded))
        low, high = row.acting, self.recorded.acting
        acting = chance_of_less((low[0] + missing, low[1] + missing), (high[0], high[1] + missed))
        return max(chance_of_less(row.most, self.recorded.least), acting)

    def speaks(self, row: Row, chance: float) -> Outcome:
        """Say for where the rate surely falls, against where it surely keeps more than half, else unclear."""
        return "for" if chance <= LEVEL else "against" if self.keeps(row) else "unclear"

    def keeps(self, row: Row) -> bool:
        """Tell whether the rate surely stays above half of what it was, with the missing at their worst."""
        return bool(row.draws) and ends(row.least)[0] > ends(self.recorded.most)[1] / 2

    def _joint(self, together: Tried) -> Tried | None:
        """Shrink what only makes a difference together; the result is drawn anew, since it was picked among many."""
        pieces = self.drawer.conversation.pieces

        def fails(some: frozenset[int]) -> bool:
            self._spare()
            return self.chance(self.drawer.draw(_without(some), self.samples)) <= STRICT

        try:
            kept, _ = minimal_set(sorted(together.pieces), fails)
            row = self.drawer.draw(_without(kept, "drawn anew: "), self.samples)
        except BudgetSpent as error:
            self.unfinished.append(f"which sentences together make the difference ({error.message})")
            return None
        except ValueError:
            self.unfinished.append("which sentences together make the difference: a second draw of all did not show it")
            return None
        chance = self.chance(row)
        words = " and ".join(f"“{quoted(pieces[number])}”" for number in sorted(kept))
        tried = Tried(factor=f"the sentences {words} together", row=row, chance=chance, pieces=kept,
                      outcome=self.speaks(row, chance))  # fmt: skip
        return tried if tried.outcome == "for" else None

    def _spare(self) -> None:
        """Keep back what the experiments after this one need."""
        if self.drawer.spent + (AFTER + 1) * self.samples * self.drawer.depth > self.drawer.units:
            raise BudgetSpent(f"{self.drawer.units} questions were allotted.", hint="Allot more.")

    def _necessity(self, each: Tried, family: int) -> Drafted:
        return self.drafted(
            each.factor, "necessity", {"as recorded": self.recorded, each.row.variant.name: each.row}, each.outcome,
            f"removed alone; compared by Fisher's exact test in all draws and in those that acted, corrected for "
            f"{family} removals (Holm)", chance=float_text(each.chance), stops_acting=each.stops,
        )  # fmt: skip

    def drafted(  # noqa: PLR0913 - what an experiment consists of
        self, factor: str, role: str, rows: dict[str, Row], outcome: Outcome, design: str, **more: Plain
    ) -> Drafted:
        """Write an experiment down, with the account of its draws and the effect with the missing at their worst."""
        kept = list(rows.values())
        extra: dict[str, Plain] = {"draws": {name: dict(row.kinds) for name, row in rows.items()}, **more}
        if len(kept) >= 2:
            extra["effect"] = [float_text(end) for end in effect(kept[0].count, kept[1].count)]
            worst = effect(kept[0].least, kept[1].most)[0], effect(kept[0].most, kept[1].least)[1]
            extra["effect_worst_case"] = [float_text(end) for end in worst]
        table = {name: row.values for name, row in rows.items() if row.values}
        return Drafted(factor=factor, role=role, design=f"{design}; {UNIT}", table=table, outcome=outcome, extra=extra)  # type: ignore[arg-type]

    def sufficiency(self) -> None:
        """Keep only the words in question, and what the model needs to act at all; beside it, not even those."""
        named = frozenset(number for cause in self.causes for number in cause.pieces)
        if not named:
            return
        every = frozenset(range(len(self.drawer.conversation.pieces)))
        needed = frozenset(n for each in self.tried if each.stops and len(each.pieces) == 1 for n in each.pieces)
        wishes = {"only these words": every - named - needed, "none of them": every - needed | named}
        rows = {name: self.drawer.draw(Variant(name=name, without=gone), self.samples) for name, gone in wishes.items()}
        only, none = rows.values()
        less = chance_of_less(none.most, only.least) <= LEVEL
        against = ends(only.most)[1] < ends(self.recorded.least)[0] / 2
        self.drafts.append(
            self.drafted("only the words in question", "sufficiency", rows,
                         "for" if less else "against" if against else "unclear",
                         "all other sentences removed but those without which it does not act at all")
        )  # fmt: skip

    def specificity(self) -> None:
        """Make changes of like size that should not matter."""
        if not self.causes:
            return
        named = frozenset(number for cause in self.causes for number in cause.pieces)
        drawn = [
            self.drawer.draw(variant, self.samples) for variant in controls(self.drawer.conversation, named, self.seed)
        ]
        pooled = _pooled(drawn)
        quiet = all(self.chance(row) > LEVEL / len(drawn) for row in drawn)
        apart = all(chance_of_less(cause.row.most, pooled.least) <= LEVEL for cause in self.causes)
        outcome: Outcome = "for" if quiet and apart else "against" if not quiet else "unclear"
        rows = {"as recorded": self.recorded, **{row.variant.name: row for row in drawn}}
        self.drafts.append(
            self.drafted("changes that should not matter", "specificity", rows, outcome,
                         "each change made alone; for means that none of them lowers the rate, and each cause does")
        )  # fmt: skip


def quoted(piece: Piece) -> str:
    """Give the words of a piece, cut where they are long."""
    return piece.words if len(piece.words) <= LONGEST_QUOTED else piece.words[: LONGEST_QUOTED - 1] + "…"


def stops(row: Row, recorded: Row) -> bool:
    """Tell whether the model hardly acts at all any more: surely less often, and less than half as often."""
    low, high = ((each.acting[1], len(each.values)) for each in (row, recorded))
    return chance_of_less(low, high) <= LEVEL and 2 * low[0] * high[1] < high[0] * low[1]


def ends(count: Count) -> tuple[float, float]:
    """Bound a rate; nothing is known of one without trials."""
    return clopper_pearson(*count) if count[1] else (0.0, 1.0)


def _without(pieces: frozenset[int], prefix: str = "") -> Variant:
    numbers = ", ".join(str(number + 1) for number in sorted(pieces))
    return Variant(name=f"{prefix}sentences {numbers} removed", without=pieces)


def _pooled(rows: Sequence[Row]) -> Row:
    return Row(variant=rows[0].variant, draws=tuple(draw for row in rows for draw in row.draws))
