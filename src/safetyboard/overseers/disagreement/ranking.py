# SPDX-License-Identifier: Apache-2.0
"""Which verdicts of one evaluator are likely wrong, by what the others say: three ways, the plainest as baseline."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from safetyboard.overseers.disagreement.opinion import Opinion, by_case, raters
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import WrongUse

Method = Literal["dawid-skene", "crossed", "majority"]
Cases: TypeAlias = Mapping[str, Mapping[str, bool]]
_FOLDS = 10
_ROUNDS = 200
_TURNS = 10


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Hold how doubtful one verdict of the evaluator is.

    It orders a review; it accuses nobody, and as a chance it holds only as far as the method's assumptions do.

    Args:    doubt: in [0, 1]. against, for_it: the raters that say otherwise, or the same.
    """

    case: str
    said_good: bool
    doubt: float
    against: tuple[str, ...]
    for_it: tuple[str, ...]


def likely_errors(
    opinions: Iterable[Opinion],
    evaluator: str,
    *,
    method: Method = "dawid-skene",
    known: Mapping[str, bool] | None = None,
) -> tuple[Doubt, ...]:
    """Rank the verdicts of one evaluator, the most doubtful first; ties in an order that means nothing.

    Args:    method: crossed: what the others' opinions let one expect of the evaluator, learned from the other cases
             (naive Bayes, ten folds); where it says otherwise, it is doubted. dawid-skene: the truth and everybody's
             error rates estimated together, with priors. majority: the share of the others that say otherwise.
             known: cases already reviewed and what was found; they teach who is right how often, and are not ranked.
    Raises:  WrongUse: the evaluator said nothing.
    Source:  Northcutt, Jiang and Chuang 2021, arXiv:1911.00068 (ranking by self-confidence out of sample; here over
             raters' opinions in place of features). Dawid and Skene 1979 (priors added, as in Raykar et al. 2010).
    """
    cases = by_case(opinions)
    judged = {case: said for case, said in cases.items() if evaluator in said}
    if not judged:
        raise WrongUse(
            f"{evaluator} has said nothing of these cases.",
            hint=f"Name one of: {'; '.join(raters(cases)) or 'nobody'}.",
        )
    ways: dict[str, Callable[[Cases, str, Mapping[str, bool]], dict[str, float]]] = {
        "crossed": _crossed,
        "dawid-skene": _dawid_skene,
        "majority": _majority,
    }
    reviewed = known or {}
    doubts = ways[method](judged, evaluator, reviewed)
    made = [_doubt(case, said, evaluator, doubts[case]) for case, said in judged.items() if case not in reviewed]
    return tuple(sorted(made, key=lambda each: (-each.doubt, digest_of(each.case.encode()))))


def review(
    opinions: Iterable[Opinion],
    evaluator: str,
    find_out: Callable[[str], bool],
    *,
    most: int,
    method: Method = "dawid-skene",
) -> dict[str, bool]:
    """Review up to `most` cases, always the most doubtful next, and rank anew after each tenth with what was found.

    What is found this way is no sample: it says nothing of the rate of errors among the rest.

    Args:    find_out: gives the truth of a case, as a person who audits it does.
    Source:  sequential selection by uncertainty is usual in active learning (Settles 2009); this takes doubt itself,
             as the aim is to find errors and not to fit a rule.
    """
    held = list(opinions)
    found: dict[str, bool] = {}
    while len(found) < most:
        ranking = likely_errors(held, evaluator, method=method, known=found)
        for each in ranking[: min(max(1, most // _TURNS), most - len(found))]:
            found[each.case] = find_out(each.case)
        if not ranking:
            break
    return found


def found_within(ranking: Sequence[Doubt], wrong: frozenset[str], share: float) -> tuple[int, int]:
    """Count the wrong verdicts among the first `share` of a ranking, and how many were looked at."""
    looked = math.floor(len(ranking) * share)
    return sum(each.case in wrong for each in ranking[:looked]), looked


def _doubt(case: str, said: Mapping[str, bool], evaluator: str, doubt: float) -> Doubt:
    others = sorted(by for by in said if by != evaluator)
    return Doubt(
        case=case,
        said_good=said[evaluator],
        doubt=doubt,
        against=tuple(by for by in others if said[by] is not said[evaluator]),
        for_it=tuple(by for by in others if said[by] is said[evaluator]),
    )


def _majority(cases: Cases, evaluator: str, known: Mapping[str, bool]) -> dict[str, float]:
    doubts = {}
    for case, said in cases.items():
        others = [good for by, good in said.items() if by != evaluator]
        doubts[case] = sum(good is not said[evaluator] for good in others) / len(others) if others else 0.0
    return doubts


def _crossed(cases: Cases, evaluator: str, known: Mapping[str, bool]) -> dict[str, float]:
    """Expect each verdict from the others' opinions, by rates from the cases of the other folds."""
    others = [by for by in raters(cases) if by != evaluator]
    folds = {case: int(digest_of(case.encode())[-8:], 16) % _FOLDS for case in cases}
    doubts = {}
    for fold in sorted(set(folds.values())):
        taught = [
            {**said, evaluator: known.get(case, said[evaluator])}
            for case, said in cases.items()
            if folds[case] != fold or case in known
        ]
        rule = _rates(taught, evaluator, others)
        for case, said in cases.items():
            if folds[case] == fold:
                good = _chance_of_good(said, rule, others)
                doubts[case] = 1 - good if said[evaluator] else good
    return doubts


Rates: TypeAlias = dict[tuple[str, bool], dict[bool | None, float]]


def _rates(taught: Sequence[Mapping[str, bool]], evaluator: str, others: Sequence[str]) -> Rates:
    """Count what each rater says (or that it is silent) where the evaluator says good and where not; add one each."""
    found: Rates = {}
    for verdict in (True, False):
        held = [said for said in taught if said[evaluator] is verdict]
        found["", verdict] = {None: (len(held) + 1) / (len(taught) + 2)}
        for by in others:
            said_by = [said.get(by) for said in held]
            found[by, verdict] = {word: (said_by.count(word) + 1) / (len(held) + 3) for word in (True, False, None)}
    return found


def _chance_of_good(said: Mapping[str, bool], rule: Rates, others: Sequence[str]) -> float:
    odds = math.log(rule["", True][None]) - math.log(rule["", False][None])
    for by in others:
        odds += math.log(rule[by, True][said.get(by)]) - math.log(rule[by, False][said.get(by)])
    return _logistic(odds)


def _dawid_skene(cases: Cases, evaluator: str, known: Mapping[str, bool]) -> dict[str, float]:
    """Estimate truth and error rates in turn; the prior of a rater is to be right in two of three cases, on six."""
    names = raters(cases)
    sure = {case: float(good) for case, good in known.items() if case in cases}
    truth = {case: (sum(said.values()) + 1) / (len(said) + 2) for case, said in cases.items()} | sure
    for _ in range(_ROUNDS):
        rates = {by: _right(cases, truth, by) for by in names}
        share = (sum(truth.values()) + 1) / (len(truth) + 2)
        told = {case: _posterior(said, rates, share) for case, said in cases.items()} | sure
        moved = max(abs(told[case] - truth[case]) for case in cases)
        truth = told
        if moved < 1e-9:
            break
    return {case: 1 - truth[case] if said[evaluator] else truth[case] for case, said in cases.items()}


def _right(cases: Cases, truth: Mapping[str, float], by: str) -> tuple[float, float]:
    """Estimate how often a rater says good of the good, and bad of the bad."""
    spoken = [(truth[case], said[by]) for case, said in cases.items() if by in said]
    good, bad = sum(chance for chance, _ in spoken), sum(1 - chance for chance, _ in spoken)
    hits = sum(chance for chance, word in spoken if word)
    rejections = sum(1 - chance for chance, word in spoken if not word)
    return (hits + 4) / (good + 6), (rejections + 4) / (bad + 6)


def _posterior(said: Mapping[str, bool], rates: Mapping[str, tuple[float, float]], share: float) -> float:
    odds = math.log(share) - math.log(1 - share)
    for by, word in said.items():
        hit, reject = rates[by]
        odds += math.log(hit / (1 - reject)) if word else math.log((1 - hit) / reject)
    return _logistic(odds)


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))
