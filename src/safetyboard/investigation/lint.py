# SPDX-License-Identifier: Apache-2.0
"""Lint: name what is vacuous, contradictory, always true or untestable in a claim before any effort is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.setting import NetworkSetting, as_single, harm_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Domain, Row
from safetyboard.terms.numbers import parse_rational
from safetyboard.terms.observation import Observation

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

SAMPLES = 512
MOST_CELLS_LOOKED_AT = 4


@dataclass(frozen=True, kw_only=True)
class Lint:
    """Hold what is odd about a claim; `vacuous` says why nothing can be shown of it, when nothing can."""

    vacuous: str = ""
    remarks: tuple[Observation, ...] = ()


def vacuity(domain: Domain) -> str:
    """Say why a claim is vacuous, or nothing when it is not."""
    if not domain.cells:
        reasons = sorted({entry.reason for entry in domain.excluded})
        return f"vacuous: {', '.join(reasons)}" if reasons else "vacuous: the claim has no inputs at all"
    if not any(domain.unsafe_sets):
        return "vacuous: nothing is called unsafe"
    return ""


def lint(claim: Claim, domain: Domain, source: str, settings: Sequence[NetworkSetting], *, seed: int) -> Lint:
    """Look at the property alone, then at a few samples of what the network does.

    Args:    source: digest of the property's bytes. settings: may be empty where the claim is vacuous.
    """
    empty = vacuity(domain)
    remarks = [_remark(claim, source, where, quote, meaning) for where, quote, meaning in _of_property(domain)]
    if not empty:
        remarks += [_remark(claim, source, *entry) for entry in _of_samples(domain, settings, seed)]
    return Lint(vacuous=empty, remarks=tuple(remarks))


def _remark(claim: Claim, source: str, pointer: str, quotation: str, meaning: str) -> Observation:
    return Observation(
        claim=record_id(claim), source=source, pointer=pointer, quotation=quotation[:2000], meaning=meaning
    )


def _of_property(domain: Domain) -> list[tuple[str, str, str]]:
    found = []
    for excluded in domain.excluded:
        if excluded.reason == "empty box":
            found.append((excluded.label, excluded.label, "contradictory: no input meets its bounds"))
    for number, unsafe in enumerate(domain.unsafe_sets):
        where = f"unsafe set {number}"
        if not unsafe:
            found.append((where, "(empty)", "vacuous: nothing is called unsafe here"))
        for index, conjunction in enumerate(unsafe):
            quote = " and ".join(_text(row, domain) for row in conjunction) or "(no condition)"
            place = f"{where}, conjunction {index}"
            if not conjunction:
                found.append((place, quote, "always unsafe: it sets no condition on the outputs"))
            elif contradictory(conjunction, len(domain.outputs)):
                found.append((place, quote, "contradictory: no output meets all its conditions, so it cannot happen"))
            for row in conjunction:
                if always_true(row):
                    found.append((place, _text(row, domain), "always true: every output meets this condition"))
    return found


def always_true(row: Row) -> bool:
    """Tell whether a condition asks nothing: its coefficients cancel out, and its constant meets it."""
    totals: dict[int, Fraction] = {}
    for index, text in row.coefficients:
        totals[index] = totals.get(index, Fraction(0)) + parse_rational(text)
    return not any(totals.values()) and parse_rational(row.constant) <= 0


def contradictory(conjunction: Sequence[Row], outputs: int) -> bool:
    """Tell whether no output at all meets every row of a conjunction (a linear program, margin 1e-9).

    Source:  linear feasibility by HiGHS; its word is a remark for people and carries no verdict.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - scipy is wanted here only

    size = max(outputs, 1 + max((index for row in conjunction for index, _ in row.coefficients), default=0))
    matrix, limit = np.zeros((len(conjunction), size)), np.zeros(len(conjunction))
    for number, row in enumerate(conjunction):
        for index, text in row.coefficients:
            matrix[number, index] += _number(text)
        limit[number] = -_number(row.constant)
    outcome = linprog(np.zeros(size), A_ub=matrix, b_ub=limit, bounds=(None, None), method="highs")
    return bool(outcome.status == 2)


def _of_samples(domain: Domain, settings: Sequence[NetworkSetting], seed: int) -> list[tuple[str, str, str]]:
    found = []
    for setting in settings[:MOST_CELLS_LOOKED_AT]:
        outputs = setting.forward(samples(setting, seed))
        label = domain.cells[setting.cell].label
        spread = np.ptp(outputs, axis=0)
        if setting.conjunctions and (spread == 0.0).all() and (setting.outer_upper > setting.outer_lower).any():
            found.append(
                (label, f"{SAMPLES} samples", "the network gives the same output for every sample of this box")
            )
        elif survives(setting.conjunctions, outputs):
            meaning = (
                "no mutation of the unsafe set (each condition turned round, or all of them) ever fails on samples"
            )
            found.append((label, f"{SAMPLES} samples", meaning))
        elif insensitive(setting.conjunctions, outputs):
            meaning = (
                "no mutation of the network (its outputs negated, exchanged, made ten times as large) ever fails on "
                "samples: a network far from this one would keep the property too"
            )
            found.append((label, f"{SAMPLES} samples", meaning))
    return found


def samples(setting: NetworkSetting, seed: int) -> "Matrix":
    """Draw inputs uniformly from a cell's box."""
    generator = np.random.default_rng([seed, setting.cell, 11])
    lower, upper = setting.inner_lower, setting.inner_upper
    return as_single(lower + generator.random((SAMPLES, lower.size)) * (upper - lower), lower, upper)


def survives(conjunctions: "Sequence[tuple[Matrix, Vector]]", outputs: "Matrix") -> bool:
    """Tell whether the unsafe set and every mutation of it stay without a failure on these outputs.

    A property of which no mutation can fail says nothing about the network.
    """
    if not conjunctions or (harm_of(tuple(conjunctions), outputs) > 0.0).any():
        return False
    for rows, constants in conjunctions:
        turned = [np.full(rows.shape[0], -1.0)]
        turned += [np.where(np.arange(rows.shape[0]) == number, -1.0, 1.0) for number in range(rows.shape[0])]
        for sign in turned:
            mutant = ((rows * sign[:, None], constants * sign),)
            if (harm_of(mutant, outputs) > 0.0).any():
                return False
    return True


def insensitive(conjunctions: "Sequence[tuple[Matrix, Vector]]", outputs: "Matrix") -> bool:
    """Tell whether plainly broken networks would keep the property on these samples as well.

    A property that no mutation of the network breaks can hardly fail, so that keeping it says little.
    """
    turned = (np.roll(outputs, shift, axis=1) for shift in range(outputs.shape[1]))
    mutants = (sign * size * each for each in turned for sign in (1.0, -1.0) for size in (1.0, 10.0))
    return bool(conjunctions) and not any((harm_of(tuple(conjunctions), mutant) > 0.0).any() for mutant in mutants)


def _text(row: Row, domain: Domain) -> str:
    names = [variable.name for variable in domain.outputs]
    terms = [f"{text} {names[i] if i < len(names) else f'Y_{i}'}" for i, text in row.coefficients]
    return " + ".join([*terms, *([row.constant] if row.constant != "0" else [])]) + " <= 0"


def _number(text: str) -> float:
    return float(parse_rational(text))
