# SPDX-License-Identifier: Apache-2.0
"""Repair: make a network that no longer fails, one method after another until one gives an answer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetyboard.investigation.examination import Question
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.codec import from_plain, to_plain
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Repairing:
    """Allot evaluations to the repair of one subject, and name the methods in order."""

    units: int
    seed: int
    methods: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Hold a repaired network, or why there is none.

    Args:    content: None where no method gave a network. cost: as the method measured it. diff: in words.
    """

    content: bytes | None
    recipe: Recipe | None
    cost: Mapping[str, Plain]
    diff: str
    nulls: tuple[Null, ...]


def methods_for(question: Question) -> tuple[str, ...]:
    """Prefer retraining where data say what to keep, the small edit where only the boxes do."""
    return ("retraining", "last-layer") if question.reference is not None else ("last-layer", "retraining")


def repair(argument: tuple[Question, Repairing, tuple[Witness, ...]], progress: Progress) -> dict[str, Plain]:
    """Repair the network for one claim; plain data, so that a journal can keep it."""
    question, allotted, witnesses = argument
    settings = question.settings()
    nulls: list[Plain] = []
    for name in allotted.methods:
        method = instrument("repair", name)
        found = method.repair(
            settings,
            witnesses,
            question.content,
            budget=Budget(units=allotted.units // len(allotted.methods)),
            seed=allotted.seed,
            progress=progress,
        )
        if not isinstance(found, Null):
            return {
                "content": base64.b64encode(found.content).decode("ascii"),
                "recipe": to_plain(found.recipe),
                "cost": {**found.cost, "rounds": found.rounds},
                "diff": found.diff,
                "nulls": nulls,
                "word": "repaired",
            }
        nulls.append(to_plain(found))
    return {"nulls": nulls, "cost": {}, "diff": "", "word": "no repair"}


def repair_of(result: Mapping[str, Any]) -> Repair:
    """Turn the plain result of :func:`repair` back into records."""
    return Repair(
        content=base64.b64decode(result["content"]) if "content" in result else None,
        recipe=from_plain(Recipe, result["recipe"]) if "recipe" in result else None,
        cost=result["cost"],
        diff=result["diff"],
        nulls=tuple(from_plain(Null, plain) for plain in result["nulls"]),
    )
