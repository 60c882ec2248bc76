# SPDX-License-Identifier: Apache-2.0
"""The lesson kind "network-property": a property put to any network of the same signature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.codec import from_plain
from safetyboard.terms.domain import Cell, Domain, Variable
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.network import Network
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Say whether a lesson can be put to a network: the domain in the network's own order, or why not.

    Args:    note: what was taken for granted, for instance that inputs were matched by position.
    """

    domain: Domain | None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkProperty:
    """Put a lesson's property to a network whose inputs and outputs are the same, by name and unit where declared."""

    name: str = field(default="network-property", init=False)
    version: str = field(default="1", init=False)

    def fit(self, lesson: Lesson, network: Network, declared: Sequence[Variable] | None) -> Fit:
        """Match the lesson's signature with a network's.

        Args:    declared: names and units of the network's inputs, where somebody declared them.
        Raises:  UnreadableInput: the lesson's parameters hold no domain.
        """
        plain = lesson.parameters.get("domain")
        if not isinstance(plain, Mapping):
            raise UnreadableInput("The lesson's parameters hold no domain.", hint="Ask its author for a whole file.")
        domain = from_plain(Domain, plain)
        twin = domain.lift.get("kind") == "twin"
        wanted = len(domain.inputs) - 1 if twin else len(domain.inputs)
        given = len(domain.outputs) // 2 if twin else len(domain.outputs)
        if (wanted, given) != (network.inputs, network.outputs):
            return Fit(
                domain=None,
                reason=f"the lesson speaks of {wanted} inputs and {given} outputs, the network has {network.inputs} "
                f"and {network.outputs}",
            )
        if declared is None:
            named = any(v.name != f"X_{i}" for i, v in enumerate(domain.inputs))
            return Fit(domain=domain, note="inputs matched by position; the network declares no names" if named else "")
        return _by_name(domain, declared, wanted, twin=twin)

    def replayed(self, lesson: Lesson, settings: Sequence[NetworkSetting], seed: int) -> Witness | None:
        """Try the points that failed elsewhere; the first that fails here too is a witness."""
        points: Any = lesson.parameters.get("points", ())
        spent = 0
        for texts in points:
            point = np.array([float.fromhex(str(text)) for text in texts])
            for setting in settings:
                if point.size != len(setting.lower):
                    continue
                spent += 1
                recipe = self._recipe(setting, seed, spent, len(points) * len(settings))
                witness = replay(setting, point, recipe=recipe, note="this point failed on another network")
                if witness is not None:
                    return witness
        return None

    def _recipe(self, setting: NetworkSetting, seed: int, spent: int, allotted: int) -> Recipe:
        return Recipe(
            instrument=self.name,
            version=self.version,
            seed=seed,
            unit="evaluations",
            allotted=allotted,
            spent=spent,
            subject=setting.network.content,
        )


def _by_name(domain: Domain, declared: Sequence[Variable], wanted: int, *, twin: bool) -> Fit:
    """Bring the cells into the order of the declared inputs; names and units must agree."""
    mine = list(domain.inputs[:wanted])
    theirs = {variable.name: index for index, variable in enumerate(declared)}
    if all(variable.name == f"X_{i}" for i, variable in enumerate(mine)):
        return Fit(domain=domain, note="inputs matched by position; the lesson names none")
    missing = [variable.name for variable in mine if variable.name not in theirs]
    if missing:
        return Fit(domain=None, reason=f"the network has no input called {missing[0]!r}")
    wrong = [v for v in mine if v.unit and declared[theirs[v.name]].unit and declared[theirs[v.name]].unit != v.unit]
    if wrong:
        unit = declared[theirs[wrong[0].name]].unit
        return Fit(domain=None, reason=f"{wrong[0].name!r} is in {unit!r} here and in {wrong[0].unit!r} in the lesson")
    place = {variable.name: index for index, variable in enumerate(mine)}
    order = [place[variable.name] for variable in declared] + ([wanted] if twin else [])
    lift = domain.lift
    if twin:
        lift = {**lift, "feature": order.index(int(str(lift["feature"])))}
    moved = replace(
        domain,
        inputs=tuple(domain.inputs[i] for i in order),
        cells=tuple(_moved(cell, order) for cell in domain.cells),
        lift=lift,
    )
    return Fit(domain=moved)


def _moved(cell: Cell, order: Sequence[int]) -> Cell:
    return replace(
        cell,
        lower=tuple(cell.lower[i] for i in order),
        upper=tuple(cell.upper[i] for i in order),
        centre=tuple(cell.centre[i] for i in order) if len(cell.centre) == len(order) else cell.centre,
    )
