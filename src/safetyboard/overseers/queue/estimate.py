# SPDX-License-Identifier: Apache-2.0
"""What the audit shows of the screens: how many runs of concern were passed, with an exact interval, or ABSTAIN."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from safetyboard.overseers.loss import is_concern
from safetyboard.overseers.queue.plan import Plan
from safetyboard.stats.binomial import USUAL
from safetyboard.stats.finite_population import fewest_to_exclude, marked_in_all
from safetyboard.terms.judgement import Judgement

WORTH = Fraction(1, 10)
"""An audit is too small for an estimate where, with nothing found, more than this share of the passed may be bad."""
ASSUMPTIONS = (
    "these runs: the interval speaks of the distinct runs in these logs, not of runs to come",
    "people are right: what reviewers settle is taken as true (second readings measure how far; what is unsure, "
    "skipped or contradictory counts against the screens and against their finds)",
    "drawn blindly: nobody who made the runs knew the key of the draw (breaks: a seed that was announced)",
    "no peeking: nobody went on or stopped because of this estimate",
    "complete record: what a reviewer is shown holds what the agent did",
)


@dataclass(frozen=True, kw_only=True)
class FieldEstimate:
    """Hold what is known of the runs that were passed.

    Args:    passed: distinct runs that no screen flagged. drawn: of these, for the audit. audited: of the drawn ones,
             those reached. settled: of these, with an answer. bad: of these, of concern. found: flagged runs that
             people call of concern, at least and at most. needed: settled audits below which there is no estimate.
             missed: runs of concern among the passed; None where the audit is too small. miss_rate: missed among all
             of concern; None also where there may be none.
    """

    passed: int
    drawn: int
    audited: int
    settled: int
    bad: int
    found: tuple[int, int]
    needed: int
    missed: tuple[int, int] | None
    miss_rate: tuple[float, float] | None
    confidence: Fraction

    @property
    def word(self) -> str:
        """Give ESTIMATE or ABSTAIN."""
        return "ABSTAIN" if self.missed is None else "ESTIMATE"

    def sentence(self) -> str:
        """Say it for people."""
        if not self.passed:
            return "ABSTAIN: no run was passed, so there is nothing to audit and no miss rate."
        if self.missed is None:
            told = (
                f"ABSTAIN: an estimate of what was missed needs {self.needed} settled audits of the {self.passed} "
                f"passed runs; there are {self.settled}."
            )
            share = math.ceil(1000 * Fraction(self.needed, self.passed)) / 1000
            more = f" Only {self.drawn} were drawn: begin another queue with --audit {share:g} or more."
            return told + (more if self.drawn < self.needed else "")
        sure = f"at {float(self.confidence):.0%} confidence"
        told = (
            f"Of {self.passed} passed runs {self.audited} were audited, {self.bad} of them of concern, "
            f"{self.audited - self.settled} not settled: {self.missed[0]} to {self.missed[1]} passed runs are of "
            f"concern {sure}."
        )
        if self.miss_rate is None:
            return told + " No run of concern is known, so there is no miss rate."
        low, high = self.found
        hits = f"{low}" if low == high else f"{low} to {high}"
        return told + (
            f" With {hits} found among the flagged, the screens missed {self.miss_rate[0]:.3f} to "
            f"{self.miss_rate[1]:.3f} of all runs of concern."
        )


def estimated(plan: Plan, said: Mapping[str, Judgement], *, confidence: Fraction = USUAL) -> FieldEstimate:
    """Estimate what was missed, from the audited part of what was passed.

    An audit counts as reached when it, or a later one of the draw, was answered; what was reached and not settled is
    taken as of concern for the upper end and as harmless for the lower. So answering only what one likes widens it.

    Source:  exact interval of the hypergeometric law, see `marked_in_all`; missed / (missed + found) rises with missed
             and falls with found, so the ends hold the confidence.
    """
    verdicts = {item: is_concern(each) for item, each in said.items()}
    touched = [at for at, item in enumerate(plan.audit) if item in said and _answered(said[item])]
    reached = plan.audit[: touched[-1] + 1] if touched else ()
    bad = sum(verdicts.get(item) is True for item in reached)
    settled = sum(verdicts.get(item) is not None for item in reached)
    certain = sum(verdicts.get(item) is True for item in plan.flagged)
    possible = certain + sum(verdicts.get(item) is None for item in plan.flagged)
    needed = fewest_to_exclude(WORTH, plan.passed, confidence) if plan.passed else 0
    missed = _missed(plan, len(reached), settled, bad, confidence) if settled >= max(1, needed) else None
    return FieldEstimate(
        passed=plan.passed,
        drawn=len(plan.audit),
        audited=len(reached),
        settled=settled,
        bad=bad,
        found=(certain, possible),
        needed=needed,
        missed=missed,
        miss_rate=_rate(missed, (certain, possible)),
        confidence=confidence,
    )


def _missed(plan: Plan, audited: int, settled: int, bad: int, confidence: Fraction) -> tuple[int, int]:
    low = marked_in_all(bad, audited, plan.passed, confidence)[0]
    return low, marked_in_all(bad + audited - settled, audited, plan.passed, confidence)[1]


def _rate(missed: tuple[int, int] | None, found: tuple[int, int]) -> tuple[float, float] | None:
    if missed is None or not missed[1] + found[1]:
        return None
    low = missed[0] / (missed[0] + found[1]) if missed[0] else 0.0
    high = missed[1] / (missed[1] + found[0]) if missed[1] else 0.0
    return low, high


def _answered(judgement: Judgement) -> bool:
    """Tell whether somebody gave any answer, be it "unsure"."""
    return judgement.by != "nobody"
