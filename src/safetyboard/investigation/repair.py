# SPDX-License-Identifier: Apache-2.0
"""Repair: make a network that no longer fails, one method after another until one gives an answer."""

import base64
from collections.abc import Mapping, Sequence
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
class Failure:
    """Hold one refuted claim and what refuted it."""

    question: Question
    witnesses: tuple[Witness, ...]


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Hold a repaired network, or why there is none.

    Args:    content: None where no method gave a network. aim: the claim it was made for. cost: as the method
             measured it. diff: in words.
    """

    content: bytes | None
    aim: str
    recipe: Recipe | None
    cost: Mapping[str, Plain]
    diff: str
    nulls: tuple[Null, ...]


def methods_for(question: Question) -> tuple[str, ...]:
    """Prefer retraining where data say what to keep, the small edit where only the boxes do."""
    return ("retraining", "last-layer") if question.reference is not None else ("last-layer", "retraining")


def repair(argument: tuple[Question, Repairing, Sequence[Failure]], progress: Progress) -> dict[str, Plain]:
    """Repair one network: aim at its gravest failure first, at the next where no method succeeds.

    The result is plain data, so that a journal can keep it.
    """
    _, allotted, failures = argument
    nulls: list[Plain] = []
    share = Budget(units=max(1, allotted.units // (len(allotted.methods) * len(failures))))
    for failure in failures:
        settings = failure.question.settings()
        for name in allotted.methods:
            found = instrument("repair", name).repair(
                settings,
                failure.witnesses,
                failure.question.content,
                budget=share,
                seed=allotted.seed,
                progress=progress,
            )
            if not isinstance(found, Null):
                return {
                    "content": base64.b64encode(found.content).decode("ascii"),
                    "recipe": to_plain(found.recipe),
                    "cost": {**found.cost, "rounds": found.rounds},
                    "diff": found.diff,
                    "aim": failure.question.claim_id,
                    "nulls": nulls,
                    "word": "repaired",
                }
            nulls.append(to_plain(found))
    return {"nulls": nulls, "cost": {}, "diff": "", "word": "no repair"}


def repair_of(result: Mapping[str, Any]) -> Repair:
    """Turn the plain result of :func:`repair` back into records."""
    return Repair(
        content=base64.b64decode(result["content"]) if "content" in result else None,
        aim=result.get("aim", ""),
        recipe=from_plain(Recipe, result["recipe"]) if "recipe" in result else None,
        cost=result["cost"],
        diff=result["diff"],
        nulls=tuple(from_plain(Null, plain) for plain in result["nulls"]),
    )
