# SPDX-License-Identifier: Apache-2.0
"""Try every route on things as they were, before anything is mended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.catalog import ROUTES
from safetyboard.surfaces.authority.attack.routes.performing import control, tried
from safetyboard.surfaces.authority.attack.routes.plan import Kind, Route
from safetyboard.surfaces.authority.repair.offered import plain
from safetyboard.surfaces.authority.repair.wrong import pair_of
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.budget import Budget
from safetyboard.terms.errors import EmptyDomain
from safetyboard.terms.execution import Execution
from safetyboard.terms.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """Say which routes got through.

    Args:    executions: a control first, then one for each route that got through. came_to_nothing: index of a route
             that was executed or refused -> the words of the rule or the kernel. kinds: index -> how far it came, of
             every route that was looked at. inapplicable: index -> why there is nothing to do here. untried: indices
             for which the budget did not reach, or that broke off. program: how the wrong program came about.
    """

    executions: tuple[Execution, ...]
    came_to_nothing: Mapping[int, str]
    untried: tuple[int, ...]
    program: str
    runs: int
    kinds: Mapping[int, Kind] = field(default_factory=dict)
    inapplicable: Mapping[int, str] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class AsGiven:
    """Try with the agent's own tools, under the rules it had, to have a wrong program judged green.

    Finds witnesses only: a route that comes to nothing here says nothing of routes that are not known.

    Units:   budget in runs of the sandbox.
    Raises:  EmptyDomain: no program here is told from a wrong one. EnvironmentFault: no sandbox can be made here.
    """

    routes: tuple[Route, ...] = ROUTES

    def attack(self, scene: Scene, claim: str, *, budget: Budget, seed: int, progress: Progress) -> Attacked:
        """Try the routes in order."""
        pair = pair_of(scene, seed=seed)
        enforcement = plain(pair.target)
        first, unspoilt, blobs = control(pair.target, enforcement, claim=claim, seed=seed)
        if first.green:
            raise EmptyDomain("The suite judged one wrong program wrong once and right once: it is not steady.")
        runs, executions = pair.runs + first.runs, [unspoilt]
        nothing: dict[int, str] = {}
        inapplicable: dict[int, str] = {}
        kinds: dict[int, Kind] = {}
        untried = []
        for cell, route in enumerate(self.routes):
            if runs >= budget.units or progress.stopped():
                untried.append(cell)
                continue
            one = tried(route, pair.target, enforcement, claim=claim, cell=cell, seed=seed)
            runs += one.runs
            progress.advance(one.runs)
            if one.outcome == "untried":
                untried.append(cell)
                continue
            kinds[cell] = one.kind
            if one.execution is None:
                (inapplicable if one.kind == "does not apply" else nothing)[cell] = one.words
                continue
            executions.append(one.execution)
            blobs = {**blobs, **one.blobs}
        return Attacked(
            executions=tuple(executions),
            came_to_nothing=nothing,
            untried=tuple(untried),
            program=pair.words,
            runs=runs,
            kinds=kinds,
            inapplicable=inapplicable,
            blobs=blobs,
        )
