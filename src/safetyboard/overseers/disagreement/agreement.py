# SPDX-License-Identifier: Apache-2.0
"""How far raters agree beyond chance, with an interval: Krippendorff's alpha for all, Cohen's kappa for two."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from safetyboard.overseers.disagreement.opinion import Opinion, by_case, raters
from safetyboard.stats.binomial import USUAL
from safetyboard.terms.errors import WrongUse

Pattern: TypeAlias = tuple[int, int]
"""Of one case (for alpha): how many said good, how many bad. Of a pair (for kappa): both verdicts as 0 or 1."""
_DRAWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Hold one measure of agreement; 1 is full, 0 is chance, below is worse than chance.

    Args:    value: None where nobody varies, so that chance alone would agree. low, high: percentiles of redrawn cases;
             draws in which nobody varied are left out, and `undefined` counts them.
    """

    between: tuple[str, ...]
    value: float | None
    low: float | None
    high: float | None
    cases: int
    undefined: int
    confidence: Fraction

    def sentence(self) -> str:
        """Say it for people."""
        who = " and ".join(self.between) if len(self.between) == 2 else f"{len(self.between)} raters"
        if self.value is None or self.low is None or self.high is None:
            return f"{who}: agreement beyond chance is not defined on {self.cases} cases, as nobody varies"
        name = "kappa" if len(self.between) == 2 else "alpha"
        sure = f"{float(self.confidence):.0%}"
        return f"{who}: {name} {self.value:.2f} ({self.low:.2f} to {self.high:.2f} at {sure}, {self.cases} cases)"


def agreement(opinions: Iterable[Opinion], *, seed: int = 0, confidence: Fraction = USUAL) -> Agreement:
    """Measure how far all raters agree, on the cases that at least two of them judged.

    Raises:  WrongUse: there is no such case.
    Source:  Krippendorff 2004, "Content Analysis", chapter 11, nominal data with missing values; the interval is the
             percentile bootstrap over cases (Efron 1979), not Krippendorff's own.
    """
    cases = by_case(opinions)
    patterns = [(sum(said.values()), len(said) - sum(said.values())) for said in cases.values() if len(said) >= 2]
    return _measured(tuple(raters(cases)), patterns, _alpha, seed, confidence)


def pairwise(opinions: Iterable[Opinion], *, seed: int = 0, confidence: Fraction = USUAL) -> list[Agreement]:
    """Measure how far each two raters agree on the cases that both judged, the least first; undefined ones last.

    Source:  Cohen 1960; percentile bootstrap over cases.
    """
    cases = by_case(opinions)
    found = []
    for pair in combinations(raters(cases), 2):
        both = [(int(said[pair[0]]), int(said[pair[1]])) for said in cases.values() if set(pair) <= said.keys()]
        if both:
            found.append(_measured(pair, both, _kappa, seed, confidence))
    return sorted(found, key=lambda each: (each.value is None, each.value or 0.0, each.between))


def _measured(
    between: tuple[str, ...],
    patterns: Sequence[Pattern],
    measure: Callable[[Counter[Pattern]], float | None],
    seed: int,
    confidence: Fraction,
) -> Agreement:
    if not patterns:
        raise WrongUse("No case was judged by two raters, so there is no agreement to measure.")
    chance = random.Random(seed)
    drawn = [measure(Counter(chance.choices(patterns, k=len(patterns)))) for _ in range(_DRAWS)]
    values = sorted(each for each in drawn if each is not None)
    spare = (1 - float(confidence)) / 2
    return Agreement(
        between=between,
        value=measure(Counter(patterns)),
        low=values[int(spare * (len(values) - 1))] if values else None,
        high=values[-1 - int(spare * (len(values) - 1))] if values else None,
        cases=len(patterns),
        undefined=_DRAWS - len(values),
        confidence=confidence,
    )


def _alpha(patterns: Counter[Pattern]) -> float | None:
    good = sum(count * pattern[0] for pattern, count in patterns.items())
    bad = sum(count * pattern[1] for pattern, count in patterns.items())
    if not good or not bad:
        return None
    # Pairs of unlike verdicts within cases, each case weighted by one over its verdicts but one.
    unlike = sum(count * 2 * plus * minus / (plus + minus - 1) for (plus, minus), count in patterns.items())
    return 1 - (good + bad - 1) * unlike / (2 * good * bad)


def _kappa(patterns: Counter[Pattern]) -> float | None:
    total = sum(patterns.values())
    first = sum(count for pattern, count in patterns.items() if pattern[0]) / total
    second = sum(count for pattern, count in patterns.items() if pattern[1]) / total
    expected = first * second + (1 - first) * (1 - second)
    if expected >= 1:
        return None
    observed = sum(count for pattern, count in patterns.items() if pattern[0] == pattern[1]) / total
    return (observed - expected) / (1 - expected)
