# SPDX-License-Identifier: Apache-2.0
"""Engines that answer nothing, or always the same: what every test of a row must be able to tell from the real ones."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from safetyboard.investigation.lint import Lint
from safetyboard.surfaces.model.attack.outcome import recipe_of
from safetyboard.surfaces.model.explain.minimal_inputs import Explained
from safetyboard.surfaces.model.prove.input_split import InputSplit
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from safetyboard.surfaces.model.repair.repaired import RepairedNetwork, recipe_for
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Silent:
    """Answer every question of every verb with a null."""

    name: str = field(default="silent", init=False)
    version: str = field(default="0", init=False)

    def _null(self, setting: NetworkSetting, budget: Budget, seed: int) -> Null:
        recipe = recipe_of(self, setting, budget, seed, 0)
        return Null(claim=setting.claim_id, cells=(setting.cell,), recipe=recipe, obstruction="Nothing was tried.")

    def attack(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Null:
        return self._null(setting, budget, seed)

    def prove(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Null:
        return self._null(setting, budget, seed)

    def explain(self, setting: Any, witness: Any, *, budget: Budget, seed: int, progress: Any) -> Null:
        return self._null(setting, budget, seed)

    def repair(self, settings: Any, witnesses: Any, content: bytes, *, budget: Any, seed: int, progress: Any) -> Null:
        return self._null(settings[0], budget, seed)


@dataclass(frozen=True, kw_only=True)
class AlwaysFound:
    """An attack that calls the middle of every box a failure."""

    name: str = field(default="always-found", init=False)
    version: str = field(default="0", init=False)

    def attack(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Witness:
        point = setting.centre
        outputs = setting.deployed(point.astype(np.float32)[None, :])[0]
        return Witness(
            claim=setting.claim_id,
            cell=setting.cell,
            point=tuple(float_text(float(value)) for value in point),
            outputs_exact=tuple(str(Fraction(float(value))) for value in outputs),
            outputs_deployed=tuple(float_text(float(value)) for value in outputs),
            harm_exact="1",
            harm_deployed=float_text(1.0),
            error="1/1000",
            runtime=setting.deployed.runtime,
            recipe=recipe_of(self, setting, budget, seed, 1),
        )


def harmless(setting: NetworkSetting) -> NetworkSetting:
    """Ask another question than was asked: one whose answer is always yes."""
    rows = tuple((np.zeros_like(rows), np.ones_like(constants)) for rows, constants in setting.conjunctions)
    exact = tuple(tuple(((), Fraction(1)) for _ in conjunction) for conjunction in setting.exact_rows)
    return replace(setting, conjunctions=rows, exact_rows=exact)


@dataclass(frozen=True, kw_only=True)
class AlwaysProved:
    """A proof by splitting inputs that proves something else than was asked, whatever was asked."""

    version: str = field(default="1", init=False)

    def prove(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Any:
        return InputSplit().prove(harmless(setting), budget=budget, seed=seed, progress=progress)


@dataclass(frozen=True, kw_only=True)
class AlwaysProvedByNeurons:
    """The same by splitting neurons."""

    version: str = field(default="1", init=False)

    def prove(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Any:
        return ReluSplit().prove(harmless(setting), budget=budget, seed=seed, progress=progress)


@dataclass(frozen=True, kw_only=True)
class AlmostProved:
    """A proof that proves something else, and claims too much slack as well."""

    version: str = field(default="1", init=False)

    def prove(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Any:
        found = AlwaysProved().prove(setting, budget=budget, seed=seed, progress=progress)
        return replace(found, slack=-1e6) if isinstance(found, CellProof) else found


@dataclass(frozen=True, kw_only=True)
class BlamesTheFirst:
    """An explanation that names the first inputs and made no experiment."""

    def explain(self, setting: Any, witness: Any, *, budget: Any, seed: int, progress: Any) -> Explained:
        return Explained(ablations=(), blobs={}, inputs=(0, 1), changes=(1.0, 1.0), tests=0)


@dataclass(frozen=True, kw_only=True)
class ChangesNothing:
    """A repair that hands back what it was given."""

    name: str = field(default="changes-nothing", init=False)
    version: str = field(default="0", init=False)

    def repair(
        self, settings: Any, witnesses: Any, content: bytes, *, budget: Budget, seed: int, progress: Any
    ) -> RepairedNetwork:
        recipe = recipe_for(self, settings, budget, seed, 0)
        return RepairedNetwork(content=content, recipe=recipe, cost={}, rounds=0, diff="nothing")


def no_lint(*_: Any, **__: Any) -> Lint:
    """A linter without a remark."""
    return Lint()
