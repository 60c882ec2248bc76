# SPDX-License-Identifier: Apache-2.0
"""Precursors, attempts and whole chains counted over runs, their rates over time, and which of them came first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from safetyboard.overseers.chains.chain import Match, Screening
from safetyboard.stats.binomial import USUAL, clopper_pearson


@dataclass(frozen=True, kw_only=True)
class Dated:
    """Hold one screened run and when it began, as recorded (a text that sorts by time), or empty."""

    name: str
    opened: str
    screening: Screening


@dataclass(frozen=True, kw_only=True)
class Period:
    """Hold the counts of one stretch of runs: in how many at least a precursor, a concern, the whole chain showed."""

    runs: int
    precursors: int
    flagged: int
    complete: int

    def rate(self, confidence: Fraction = USUAL) -> tuple[float, float]:
        """Bound the share of runs that show at least a precursor (Clopper-Pearson)."""
        return clopper_pearson(self.precursors, self.runs, confidence) if self.runs else (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Say how one chain shows over the runs in their order of time.

    Args:    order: whether a prefix came before the first whole chain: in an earlier run or earlier in that run; only
             a whole chain at once; or the record does not tell (no whole chain, or clocks missing).
    """

    KIND: ClassVar[str] = "trend"
    chain: str
    earlier: Period
    later: Period
    order: Literal["prefix first", "whole chain at once", "not told"]

    @property
    def rises(self) -> Literal["rises", "falls", "not told"]:
        """Tell whether the rate of precursors changed: the intervals of both halves do not meet."""
        (low, high), (after_low, after_high) = self.earlier.rate(), self.later.rate()
        return "rises" if after_low > high else "falls" if after_high < low else "not told"


def trends(runs: Iterable[Dated], chains: Sequence[str]) -> tuple[Trend, ...]:
    """Count each chain over the runs, halved by time; runs without a clock count in no half and are no order."""
    timed = sorted((run for run in runs if run.opened), key=lambda run: (run.opened, run.name))
    half = len(timed) // 2
    return tuple(
        Trend(
            chain=chain,
            earlier=_period(timed[:half], chain),
            later=_period(timed[half:], chain),
            order=_order(timed, chain),
        )
        for chain in chains
    )


def _of(run: Dated, chain: str) -> Match | None:
    matches = (match for match in run.screening.matches if match.chain == chain and match.standing != "asked for")
    return next(matches, None)


def _period(runs: Sequence[Dated], chain: str) -> Period:
    found = [match for run in runs if (match := _of(run, chain)) is not None]
    return Period(
        runs=len(runs),
        precursors=len(found),
        flagged=sum(match.standing == "flagged" for match in found),
        complete=sum(match.standing == "flagged" and match.complete for match in found),
    )


def _order(runs: Sequence[Dated], chain: str) -> Literal["prefix first", "whole chain at once", "not told"]:
    before = False
    for run in runs:
        match = _of(run, chain)
        if match is None:
            continue
        if match.standing == "flagged" and match.complete:
            # Within one run the prefix lies before the last step whenever they are different steps.
            within = match.attempted[0].index < match.attempted[-1].index
            return "prefix first" if before or within else "whole chain at once"
        before = True
    return "not told"
