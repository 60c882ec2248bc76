# SPDX-License-Identifier: Apache-2.0
"""Attack: search every cell of a claim for a failure, one instrument after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safetyboard.surfaces.model.catalog import instrument
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import Unsound
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

FIRST = ("sampling", "projected-gradient")
FRESH = ("coordinate-search", "projected-gradient")
LEAST_EFFORT = 256


@dataclass(frozen=True, kw_only=True)
class Search:
    """Hold what a search over cells gave: witnesses, merged nulls, and contradictions it ran into."""

    witnesses: tuple[Witness, ...]
    nulls: tuple[Null, ...]
    contradictions: tuple[str, ...] = ()


def search(
    settings: Sequence[NetworkSetting], *, effort: int, seed: int, progress: Progress, methods: Sequence[str] = FIRST
) -> Search:
    """Attack each cell until it falls; the effort is split evenly among cells and methods before anything runs.

    Args:    effort: network evaluations for all cells together. methods: names in the wing's catalogue.
    """
    share = Budget(units=max(LEAST_EFFORT, effort // max(1, len(settings) * len(methods))))
    attacks = [instrument("attack", name) for name in methods]
    witnesses: list[Witness] = []
    nulls: list[Null] = []
    contradictions: list[str] = []
    for setting in settings:
        for attack in attacks:
            try:
                found = attack.attack(setting, budget=share, seed=seed, progress=progress)
            except Unsound as error:
                contradictions.append(str(error))
                break
            if isinstance(found, Witness):
                witnesses.append(found)
                break
            nulls.append(found)
    return Search(witnesses=tuple(witnesses), nulls=merged(nulls), contradictions=tuple(contradictions))


def merged(nulls: Sequence[Null]) -> tuple[Null, ...]:
    """Join the nulls of one instrument into one: cells listed, effort added up, the highest harm kept."""
    groups: dict[tuple[str, int], list[Null]] = {}
    for null in nulls:
        groups.setdefault((null.recipe.instrument, null.recipe.seed), []).append(null)
    return tuple(_joined(group) for group in groups.values())


def _joined(group: Sequence[Null]) -> Null:
    if len(group) == 1:
        return group[0]
    best = [null.best for null in group if null.best is not None]
    reasons = list(dict.fromkeys(null.obstruction for null in group if null.obstruction))
    return replace(
        group[0],
        cells=tuple(sorted({cell for null in group for cell in null.cells})),
        best=max(best, key=float.fromhex) if best else None,
        obstruction=" ".join(reasons[:2]),
        recipe=replace(
            group[0].recipe,
            allotted=sum(null.recipe.allotted for null in group),
            spent=sum(null.recipe.spent for null in group),
        ),
        detail=_joined_detail([null.detail for null in group]),
    )


def _joined_detail(details: Sequence[Mapping[str, Plain]]) -> dict[str, Plain]:
    """Add counts up; of bounds and of numbers of unstable neurons keep the largest."""
    joined: dict[str, Plain] = {}
    for name in dict.fromkeys(name for detail in details for name in detail):
        values = [detail[name] for detail in details if name in detail]
        if all(isinstance(value, int) for value in values):
            numbers = [int(value) for value in values]  # type: ignore[arg-type]
            joined[name] = max(numbers) if name.startswith("unstable") else sum(numbers)
        elif name == "harm_at_most" and len(values) == len(details):
            joined[name] = max(map(str, values), key=float.fromhex)
    return joined
