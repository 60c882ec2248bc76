# SPDX-License-Identifier: Apache-2.0
"""Thresholds with a bound on what falls below them, in the mean and with high probability."""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Guarantee = Literal["marginal", "high-probability"]
ROUNDING = 1e-9
SMALLEST, FINEST = Fraction(1, 1000), 10**6


@dataclass(frozen=True, kw_only=True)
class Control:
    """Hold a threshold and the bound on the miss rate that it keeps, or say why there is none.

    A case is passed to people where its score is at or above the threshold; a positive below it is missed.

    Args:    alpha: bound on the miss rate among positives. confidence: None for the marginal guarantee. positives:
             scores given. clusters: independent groups they come in. needed: fewest clusters for any claim.
             threshold: None where it abstains. missed: positives below the threshold.
    """

    guarantee: Guarantee
    alpha: Fraction
    confidence: Fraction | None
    positives: int
    clusters: int
    needed: int
    threshold: float | None
    missed: int = 0

    @property
    def abstains(self) -> bool:
        """Tell whether there are too few positives for a claim."""
        return self.threshold is None


def fewest(alpha: Fraction, confidence: Fraction | None = None) -> int:
    """Count the independent positives without which no threshold but "everything" keeps the bound.

    Args:    alpha: in [1/1000, 1). confidence: in (0, 999/1000], or None for the marginal guarantee.
    Raises:  ValueError: alpha or confidence outside that.
    Source:  marginal: (0 + 1) / (n + 1) <= alpha; with confidence: (1 - alpha)^n <= 1 - confidence.
    """
    _refuse(alpha, confidence)
    if confidence is None:
        return math.ceil(1 / alpha) - 1
    count = max(1, math.ceil(math.log(1 - confidence) / math.log(1 - alpha)) - 1)
    while (1 - alpha) ** count > 1 - confidence:
        count += 1
    return count


def marginal(clusters: Sequence[Sequence[float]], alpha: Fraction) -> Control:
    """Choose the highest threshold whose expected miss rate is at most `alpha`.

    Expected over the draw of these positives and of the next one together; a given draw may do worse.

    Args:    clusters: scores of the positives, those that are not independent of one another together; the miss rate is
             the mean over clusters of the share missed in each.
    Source:  conformal risk control, Angelopoulos et al. 2022, arXiv:2208.02814, equation 4 with B = 1.
    """
    held, needed = _sorted(clusters), fewest(alpha)
    count = len(held)
    chosen = _highest(held, lambda loss: loss + 1 <= alpha * (count + 1)) if count >= needed else None
    return _control("marginal", alpha, None, held, chosen)


def high_probability(clusters: Sequence[Sequence[float]], alpha: Fraction, confidence: Fraction) -> Control:
    """Choose the highest threshold whose miss rate is at most `alpha`, with this confidence over the draw of positives.

    Where every cluster holds one positive the test is the exact binomial one, else that of Hoeffding and Bentkus, which
    holds for any loss between 0 and 1. Losses grow with the threshold, so testing many needs no correction.

    Source:  learn then test, Angelopoulos et al. 2021, arXiv:2110.01052, fixed sequence; for monotone losses Bates et
             al. 2021, arXiv:2101.02703, theorem 1 and proposition 5.
    """
    held, needed = _sorted(clusters), fewest(alpha, confidence)
    count, single = len(held), all(len(cluster) == 1 for cluster in held)
    test = binomial_tail if single else hoeffding_bentkus
    enough = count >= needed
    chosen = _highest(held, lambda loss: test(loss, count, alpha) <= 1 - confidence) if enough else None
    return _control("high-probability", alpha, confidence, held, chosen)


def binomial_tail(events: Fraction | int, trials: int, rate: Fraction) -> Fraction:
    """Give, exactly, the chance of at most so many events in independent trials at this rate."""
    above, whole = rate.numerator, rate.denominator
    below, total = whole - above, 0
    for each in range(math.floor(events) + 1):
        total += math.comb(trials, each) * above**each * below ** (trials - each)
    return Fraction(total, whole**trials)


def hoeffding_bentkus(loss: Fraction, trials: int, rate: Fraction) -> Fraction:
    """Give a p-value for "the mean loss is over `rate`", for independent losses in [0, 1] that sum to `loss`.

    Source:  Bates et al. 2021, arXiv:2101.02703, proposition 5.
    """
    mean, limit = float(loss / trials), float(rate)
    if mean >= limit:
        return Fraction(1)
    first = mean * math.log(mean / limit) if mean else 0.0
    hoeffding = math.exp(-trials * (first + (1 - mean) * math.log((1 - mean) / (1 - limit))))
    bentkus = math.e * float(binomial_tail(math.ceil(loss), trials, rate))
    # At no loss at all the first is (1 - rate)^trials, which is known without rounding.
    return (1 - rate) ** trials if not loss else min(Fraction(1), Fraction(min(hoeffding, bentkus) * (1 + ROUNDING)))


def _refuse(alpha: Fraction, confidence: Fraction | None) -> None:
    asked = [alpha] if confidence is None else [alpha, 1 - confidence]
    # Exact arithmetic takes time with the size of these numbers, and they may come out of a file.
    if any(not SMALLEST <= each < 1 or each.denominator > FINEST for each in asked):
        raise ValueError("alpha and 1 - confidence must lie between 1/1000 and 1, with at most six decimals")


def _sorted(clusters: Sequence[Sequence[float]]) -> list[list[float]]:
    held = [sorted(cluster) for cluster in clusters if len(cluster)]
    if any(not math.isfinite(score) for cluster in held for score in cluster):
        raise ValueError("a score is not finite")
    return held


def _highest(held: Sequence[Sequence[float]], kept: Callable[[Fraction], bool]) -> float | None:
    """Find the highest score that, as threshold, keeps the bound; the loss grows with it, so halving finds it."""
    candidates = sorted({score for cluster in held for score in cluster})
    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        if kept(loss_at(held, candidates[middle])):
            low = middle + 1
        else:
            high = middle
    return candidates[low - 1] if low else None


def loss_at(held: Sequence[Sequence[float]], threshold: float) -> Fraction:
    """Sum over clusters the share of positives below a threshold; each cluster in rising order."""
    return sum((Fraction(bisect.bisect_left(cluster, threshold), len(cluster)) for cluster in held), Fraction(0))


def _control(
    guarantee: Guarantee,
    alpha: Fraction,
    confidence: Fraction | None,
    held: Sequence[Sequence[float]],
    threshold: float | None,
) -> Control:
    missed = 0 if threshold is None else sum(bisect.bisect_left(cluster, threshold) for cluster in held)
    return Control(
        guarantee=guarantee,
        alpha=alpha,
        confidence=confidence,
        positives=sum(map(len, held)),
        clusters=len(held),
        needed=fewest(alpha, confidence),
        threshold=threshold,
        missed=missed,
    )
