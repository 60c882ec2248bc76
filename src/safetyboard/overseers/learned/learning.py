# SPDX-License-Identifier: Apache-2.0
"""From labelled runs to a screen: what is trained on is never what the bound is made on."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from safetyboard.overseers.learned.fitting import Example, Fitted, fit
from safetyboard.overseers.learned.pieces import LONGEST_EPISODE, OWN, Channel, length, pieces_of
from safetyboard.overseers.learned.screen import LEVEL, Screen, representatives, sentence
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.stats.risk_control import Control, fewest, high_probability, marginal
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.episode import Episode

KEPT = 5
"""Clusters with a run of concern that training keeps where calibration asks for more than half."""
ASSUMPTIONS = (
    "drawn alike: the labelled runs of concern and those to come are exchangeable (breaks: labels given only to what a "
    "rule flagged; another model, tool or task; tested on new material, by how runs look only)",
    "independent: runs of different clusters are; a cluster is named in the labels, else runs of one task make one",
    "right labels: the bound speaks of runs like those labelled yes; unsure and contradictory ones are set aside",
    "complete record: the agent's acts and words stand in the record",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Hold one labelled run. Runs that share `cluster` are never parted between training and calibration."""

    name: str
    episode: Episode
    concern: bool
    cluster: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Say what is wanted of a screen.

    Args:    alpha: bound on the share of runs of concern that may be missed. channels: what of a run is read.
    """

    axis: str
    alpha: Fraction = Fraction(1, 10)
    confidence: Fraction = Fraction(19, 20)
    seed: int = 0
    channels: tuple[Channel, ...] = OWN


def learn(
    cases: Sequence[Case],
    aim: Aim,
    *,
    rule: Callable[[Episode], bool],
    fitter: Callable[[Sequence[Example]], Fitted] = fit,
) -> Screen:
    """Train on one part of the clusters and calibrate on the other; the parting depends on the seed and on counts only.

    Args:    rule: plain rules to stand beside the screen as baseline. fitter: what learns the weights.
    Raises:  WrongUse: no text of one class is left to train on. EnvironmentFault: scikit-learn is missing.
    Source:  split conformal; cross-fitting would reuse labels, but has no bound of this strength.
    """
    training, held = parted(cases, aim)
    fitted = fitter([Example(pieces=_pieces(each, aim), concern=each.concern, weight=each.weight) for each in training])
    empty = tuple(bound([], aim) for bound in (_marginal, _high))
    bare = Screen(
        axis=aim.axis,
        channels=aim.channels,
        weights=fitted.weights,
        intercept=fitted.intercept,
        seed=aim.seed,
        bounds=(empty[0], empty[1]),
        reference=(),
        by_task=_by_task(cases),
    )
    scored = [bare.score(each.episode) for each in held]
    positives: dict[str, list[float]] = {}
    groups: dict[str, list[tuple[float, ...]]] = {}
    for each, found in zip(held, scored, strict=True):
        if found.score is not None:
            groups.setdefault(each.cluster, []).append(found.summary)
            if each.concern:
                positives.setdefault(each.cluster, []).append(found.score)
    bounds = tuple(bound(list(positives.values()), aim) for bound in (_marginal, _high))
    screen = replace(bare, bounds=(bounds[0], bounds[1]), reference=representatives(groups, aim.seed))
    card = _card(training, held, [found.score for found in scored], bounds, [rule(each.episode) for each in held])
    plain = plain_of(card)
    return replace(screen, card=plain if isinstance(plain, dict) else {})


def _marginal(clusters: Sequence[Sequence[float]], aim: Aim) -> Control:
    return marginal(clusters, aim.alpha)


def _high(clusters: Sequence[Sequence[float]], aim: Aim) -> Control:
    return high_probability(clusters, aim.alpha, aim.confidence)


def _pieces(case: Case, aim: Aim) -> list[Any]:
    whole = length(case.episode, aim.channels) <= LONGEST_EPISODE
    return list(pieces_of(case.episode, aim.channels)) if whole else []


def parted(cases: Sequence[Case], aim: Aim) -> tuple[list[Case], list[Case]]:
    """Part the cases into those to train on and those to calibrate on, whole clusters together.

    Calibration takes half of the clusters with a run of concern, or as many as the stronger bound that is in reach
    needs, if training keeps `KEPT`; and half of the others.
    """
    concern = {each.cluster for each in cases if each.concern}
    ranked = sorted({each.cluster for each in cases}, key=lambda name: _rank(name, aim.seed))
    with_concern = [name for name in ranked if name in concern]
    others = [name for name in ranked if name not in concern]
    wanted = (fewest(aim.alpha, aim.confidence), fewest(aim.alpha))
    reach = next((count for count in wanted if len(with_concern) - KEPT >= count), 0)
    share = max(len(with_concern) // 2, reach)
    held = {*with_concern[:share], *others[: len(others) // 2]}
    return [each for each in cases if each.cluster not in held], [each for each in cases if each.cluster in held]


def _by_task(cases: Sequence[Case]) -> bool:
    """Tell whether runs of one task stand in one cluster, as they do unless the labels part them."""
    clusters: dict[str, set[str]] = {}
    for each in cases:
        if each.episode.task:
            clusters.setdefault(each.episode.task, set()).add(each.cluster)
    return all(len(found) == 1 for found in clusters.values())


def _rank(cluster: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{cluster}".encode("utf-8", "surrogatepass")).digest()


def _card(
    training: Sequence[Case],
    held: Sequence[Case],
    scores: Sequence[float | None],
    bounds: Sequence[Control],
    ruled: Sequence[bool],
) -> dict[str, Any]:
    """Say what the screen was made of and what it costs, beside what people could do without it."""
    concern = [each.concern for each in held]
    return {
        "training": _counts(training),
        "calibration": {**_counts(held), "without words of the agent": scores.count(None)},
        "bounds": [_told(control, scores, concern) for control in bounds],
        "baselines": {
            "everything": {"load": 1.0, "missed": 0},
            "chains": {
                "review": rate(sum(ruled), len(ruled)),
                "missed": rate(sum(not said for said, yes in zip(ruled, concern) if yes), sum(concern)),
            },
        },
        "shift": f"tested on new material at level {float(LEVEL):g}",
        "assumptions": list(ASSUMPTIONS),
    }


def _counts(cases: Sequence[Case]) -> dict[str, int]:
    return {
        "runs": len(cases),
        "of concern": sum(each.concern for each in cases),
        "clusters": len({each.cluster for each in cases}),
    }


def _told(control: Control, scores: Sequence[float | None], concern: Sequence[bool]) -> dict[str, Any]:
    told: dict[str, Any] = {"guarantee": control.guarantee, "sentence": sentence(control), "needed": control.needed}
    limit = control.threshold
    if limit is None:
        return {**told, "answer": "ABSTAIN"}
    sent = [score is None or score >= limit for score in scores]
    calm = [said for said, yes in zip(sent, concern) if not yes]
    return {
        **told,
        "answer": "BOUNDED",
        "review": rate(sum(sent), len(sent)),
        "review of runs without concern": rate(sum(calm), len(calm)),
        "random review for the same expected misses": 1 - (control.missed + 1) / (control.positives + 1),
    }


def rate(events: int, trials: int) -> Mapping[str, Any]:
    """Put a count with its exact 95 % interval, which takes runs as independent."""
    low, high = clopper_pearson(events, trials) if trials else (0.0, 1.0)
    return {"events": events, "of": trials, "low": low, "high": high}
