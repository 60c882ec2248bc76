# SPDX-License-Identifier: Apache-2.0
"""Which inputs make a failure: the smallest set that must keep its failing values, tested by paired resets."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from safetyboard.laboratory.delta_debugging import minimal_set
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.surfaces.model.attack.outcome import settings_of
from safetyboard.surfaces.model.setting import NetworkSetting, as_single
from safetyboard.terms.ablation import Ablation, Arm
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

Outcome = Literal["for", "against", "unclear"]
Trials = Mapping[str, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]


DRAWS, ARMS = 20, 5
"""Batches of inputs drawn at most to find a batch of passing ones; arms of the experiments."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Hold the experiments on one witness.

    Args:    inputs: the 1-minimal set. changes: failing value minus base value of those inputs, input units.
             blobs: per-trial outcomes by digest. tests: runs of delta debugging.
    """

    ablations: tuple[Ablation, ...]
    blobs: Mapping[str, bytes]
    inputs: tuple[int, ...]
    changes: tuple[float, ...]
    tests: int


@dataclass(frozen=True, kw_only=True)
class MinimalInputs:
    """Find a 1-minimal set of inputs that keeps the failure, then test it against passing donors and controls.

    Donors are passing inputs drawn from the cell's box; a reset gives an input its donor's value. What is shown
    holds inside the box and for these donors, not for the world.

    Args:    donors: passing inputs a replicate (at least 200 for the intervals to say something).
             replicates: independent draws of donors; an outcome counts only when every replicate agrees.
    Units:   work units are network evaluations.
    Source:  Zeller and Hildebrandt 2002 (delta debugging); paired resets as in interchange interventions,
             Geiger et al. 2021, arXiv:2106.02997.
    """

    donors: int = 200
    replicates: int = 2
    name: str = field(default="minimal-inputs", init=False)
    version: str = field(default="1", init=False)

    def explain(
        self, setting: NetworkSetting, witness: Witness, *, budget: Budget, seed: int, progress: Progress
    ) -> Explained | Null:
        """Return the experiments, or a null: no passing point to compare with, or too small a budget."""
        point = np.array([float.fromhex(text) for text in witness.point])
        generator = np.random.default_rng([seed, setting.cell, 5])
        recipe = self._recipe(setting, budget, seed, 0)
        need = (DRAWS + ARMS) * self.donors * self.replicates
        if budget.units < need:
            return self._null(setting, recipe, f"a budget of {budget.units} evaluations is below the {need} needed")
        batches = [self._donors(setting, generator) for _ in range(self.replicates)]
        drawn = sum(count for _, count in batches)
        if any(batch is None for batch, _ in batches):
            recipe = self._recipe(setting, budget, seed, drawn)
            return self._null(setting, recipe, "no passing inputs were found in the box to compare with")
        donors = [batch for batch, _ in batches if batch is not None]
        base = self._base(setting, donors)
        found = _minimal(setting, point, base, budget.units - need)
        if found is None:
            recipe = self._recipe(setting, budget, seed, drawn + budget.units - need)
            return self._null(setting, recipe, f"more than {budget.units} evaluations are needed to shrink the set")
        chosen, tests = found
        spent = tests + drawn + ARMS * self.donors * self.replicates
        progress.advance(spent)
        recipe = self._recipe(setting, budget, seed, spent)
        trials = [_experiments(setting, point, batch, chosen, generator) for batch in donors]
        changes = tuple(float(point[i] - base[i]) for i in sorted(chosen))
        records = _records(setting, chosen, changes, trials, recipe)
        return Explained(
            ablations=tuple(record for record, _ in records),
            blobs={digest_of(content): content for _, content in records},
            inputs=tuple(sorted(chosen)),
            changes=changes,
            tests=tests,
        )

    def _base(self, setting: NetworkSetting, donors: "list[Matrix]") -> "Vector":
        """Prefer the observed input of the cell when it passes; else the first donor."""
        centre = setting.centre
        passes = setting.harm(setting.forward(centre[None, :]))[0] < 0.0
        return centre if passes else donors[0][0]

    def _donors(self, setting: NetworkSetting, generator: np.random.Generator) -> "tuple[Matrix | None, int]":
        """Draw passing inputs from the box; returns them, or None, and how many draws were run."""
        lower, upper = setting.inner_lower, setting.inner_upper
        found: list[Matrix] = []
        for turn in range(1, DRAWS + 1):
            draws = as_single(lower + generator.random((self.donors, lower.size)) * (upper - lower), lower, upper)
            found.append(draws[setting.harm(setting.forward(draws)) < 0.0])
            if sum(map(len, found)) >= self.donors:
                return np.concatenate(found)[: self.donors], turn * self.donors
        return None, DRAWS * self.donors

    def _recipe(self, setting: NetworkSetting, budget: Budget, seed: int, spent: int) -> Recipe:
        return Recipe(
            instrument=self.name,
            version=self.version,
            seed=seed,
            unit="evaluations",
            allotted=budget.units,
            spent=spent,
            subject=setting.network.content,
            settings=settings_of(self),
        )

    def _null(self, setting: NetworkSetting, recipe: Recipe, why: str) -> Null:
        return Null(claim=setting.claim_id, cells=(setting.cell,), recipe=recipe, obstruction=f"Cause: {why}.")


def _fails(setting: NetworkSetting, points: "Matrix") -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray(setting.harm(setting.forward(points)) > 0.0)


class _Spent(Exception):
    """Leave the shrinking: the budget is spent."""


def _minimal(setting: NetworkSetting, point: "Vector", base: "Vector", most: int) -> tuple[frozenset[int], int] | None:
    """Shrink the set of differing inputs; those that matter least by gradient are tried away first.

    Args:    most: tests allowed; None is returned where they do not suffice.
    """
    tested = itertools.count(1)
    _, slope = setting.gradient(point[None, :])
    differing = np.flatnonzero(point != base)
    order = differing[np.argsort(np.abs(slope[0] * (point - base))[differing])]

    def keeps(kept: frozenset[int]) -> bool:
        if next(tested) > most:
            raise _Spent
        mixed = base.copy()
        index = list(kept)
        mixed[index] = point[index]
        return bool(_fails(setting, mixed[None, :])[0])

    try:
        return minimal_set([int(i) for i in order], keeps)
    except _Spent:
        return None


def _reset(point: "Vector", donors: "Matrix", index: "list[int]") -> "Matrix":
    mixed = np.repeat(point[None, :], donors.shape[0], axis=0)
    mixed[:, index] = donors[:, index]
    return mixed


def _experiments(
    setting: NetworkSetting, point: "Vector", donors: "Matrix", chosen: frozenset[int], generator: np.random.Generator
) -> Trials:
    """Run every arm on the same donors: paired, so that arms differ in the factor only."""
    inputs = point.size
    held, others = sorted(chosen), [i for i in range(inputs) if i not in chosen]
    random_sets = [sorted(generator.choice(inputs, len(held), replace=False).tolist()) for _ in range(len(donors))]
    matched = np.stack([_reset(point, donors[k : k + 1], random_sets[k])[0] for k in range(len(donors))])
    trials = {
        "set reset": _fails(setting, _reset(point, donors, held)),
        "only the set kept": _fails(setting, _reset(point, donors, others)),
        "nothing kept": _fails(setting, donors),
        "random set of the same size reset": _fails(setting, matched),
    }
    if others:
        width = np.where(setting.inner_upper > setting.inner_lower, setting.inner_upper - setting.inner_lower, 1.0)
        moved = np.abs(point - setting.centre) / width
        decoy = max(others, key=lambda i: (moved[i], -i))
        trials[f"most changed other input reset ({setting.domain.inputs[decoy].name})"] = _fails(
            setting, _reset(point, donors, [decoy])
        )
    return trials


def _arm(name: str, outcomes: "list[bool]") -> Arm:
    lower, upper = clopper_pearson(sum(outcomes), len(outcomes))
    return Arm(
        name=name, failures=sum(outcomes), trials=len(outcomes), lower=float_text(lower), upper=float_text(upper)
    )


def _less(trials: Trials, low: str, high: str) -> bool:
    """Tell whether one arm fails surely less often than another: their intervals do not touch."""
    ends = [clopper_pearson(int(trials[name].sum()), trials[name].size) for name in (low, high)]
    return ends[0][1] < ends[1][0]


def _agreed(votes: list[tuple[bool, bool]]) -> Outcome:
    """Judge (speaks for, speaks against) of every replicate; without agreement it is unclear."""
    if all(good for good, _ in votes):
        return "for"
    return "against" if all(bad for _, bad in votes) else "unclear"


def _records(
    setting: NetworkSetting,
    chosen: frozenset[int],
    changes: tuple[float, ...],
    trials: list[Trials],
    recipe: Recipe,
) -> list[tuple[Ablation, bytes]]:
    names = ", ".join(setting.domain.inputs[i].name for i in sorted(chosen))
    factor = f"inputs {{{names}}} at their failing values"
    reset, kept, none, matched = list(trials[0])[:4]
    plans: list[tuple[Literal["necessity", "sufficiency", "specificity", "rival"], str, list[str], Outcome]] = [
        ("necessity", factor, [reset, kept], _agreed([(_less(t, reset, kept), bool(t[reset].all())) for t in trials])),
        (
            "sufficiency",
            factor,
            [kept, none],
            _agreed([(_less(t, none, kept), not bool(t[kept].any())) for t in trials]),
        ),
        (
            "specificity",
            factor,
            [reset, matched],
            _agreed([(_less(t, reset, matched), bool(t[reset].all())) for t in trials]),
        ),
    ]
    for decoy in list(trials[0])[4:]:
        # A rival explains the failure if resetting it alone takes the failure away about as often as the set does.
        vote = [(not _less(t, reset, decoy), _less(t, reset, decoy)) for t in trials]
        plans.append(("rival", decoy, [decoy, reset], _agreed(vote)))
    about: dict[str, Plain] = {
        "cell": setting.cell,
        "inputs": [setting.domain.inputs[i].name for i in sorted(chosen)],
        "changes": [float_text(change) for change in changes],
    }
    return [_record(setting, plan, trials, recipe, about) for plan in plans]


def _record(
    setting: NetworkSetting,
    plan: tuple[Literal["necessity", "sufficiency", "specificity", "rival"], str, list[str], Outcome],
    trials: list[Trials],
    recipe: Recipe,
    about: Mapping[str, Plain],
) -> tuple[Ablation, bytes]:
    role, factor, arms, outcome = plan
    pooled = {name: [bool(v) for t in trials for v in t[name]] for name in arms}
    content = canonical_json(
        {
            "schema": "safetyboard.trials/1",
            "arms": {name: {"failures": [int(v) for v in values]} for name, values in pooled.items()},
        }
    )
    design = (
        f"{len(trials)} replicates of {trials[0][arms[0]].size} paired resets to passing inputs drawn uniformly from "
        "the cell's box; an outcome needs disjoint 95 % intervals in every replicate"
    )
    record = Ablation(
        claim=setting.claim_id,
        factor=factor,
        role=role,
        design=design,
        arms=tuple(_arm(name, values) for name, values in pooled.items()),
        outcome=outcome,
        recipe=recipe,
        confidence=str(Fraction(19, 20)),
        data=digest_of(content),
        extra=about,
    )
    return record, content
