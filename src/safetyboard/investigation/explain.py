# SPDX-License-Identifier: Apache-2.0
"""Explain: find by experiment which inputs make the failures of a claim, and how near to failing the others are."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from safetyboard.investigation.examination import Question
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.codec import from_plain, record_id, to_plain
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

MOST_EXPLAINED = 12


@dataclass(frozen=True, kw_only=True)
class Explaining:
    """Allot evaluations to the explanation of each witness."""

    units: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Hold what makes one witness fail.

    Args:    inputs: names of the minimal set. changes: failing value minus passing value, input units.
             ablations: the experiments.
    """

    witness: Witness
    inputs: tuple[str, ...]
    changes: tuple[float, ...]
    ablations: tuple[Ablation, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Hold what was established of one claim's failures.

    Args:    margins: for each cell with an observed input, how far that input is from failing (output units).
             unexplained: witnesses that were not looked at, as only so many are.
    """

    patterns: tuple[Pattern, ...]
    nulls: tuple[Null, ...]
    blobs: Mapping[str, bytes]
    margins: Mapping[int, float]
    unexplained: int


def explain(argument: tuple[Question, Explaining, tuple[Witness, ...]], progress: Progress) -> dict[str, Plain]:
    """Explain the most harmful witnesses of a claim, one a cell; plain data, so that a journal can keep it."""
    question, allotted, witnesses = argument
    settings = question.settings()
    method = instrument("explain", "minimal-inputs")
    chosen = sorted(witnesses, key=lambda w: (-float.fromhex(w.harm_deployed), w.cell))[:MOST_EXPLAINED]
    patterns: list[Plain] = []
    nulls: list[Plain] = []
    blobs: dict[str, Plain] = {}
    for witness in sorted(chosen, key=lambda w: w.cell):
        found = method.explain(
            settings[witness.cell],
            witness,
            budget=Budget(units=allotted.units),
            seed=allotted.seed,
            progress=progress,
        )
        if isinstance(found, Null):
            nulls.append(to_plain(found))
            continue
        blobs.update({name: base64.b64encode(content).decode("ascii") for name, content in found.blobs.items()})
        names = [question.domain.inputs[i].name for i in found.inputs]
        patterns.append(
            {
                "witness": record_id(witness),
                "inputs": list(names),
                "changes": [float_text(value) for value in found.changes],
                "ablations": [to_plain(ablation) for ablation in found.ablations],
            }
        )
    observed = [s for s in settings if question.domain.cells[s.cell].centre and s.conjunctions]
    margins: dict[str, Plain] = {
        str(s.cell): float_text(-float(s.harm(s.forward(np.array([s.centre])))[0])) for s in observed
    }
    return {
        "patterns": patterns,
        "nulls": nulls,
        "blobs": blobs,
        "margins": margins,
        "unexplained": len(witnesses) - len(chosen),
        "word": "explained" if patterns else "open",
    }


def explanation_of(result: Mapping[str, Any], witnesses: tuple[Witness, ...]) -> Explanation:
    """Turn the plain result of :func:`explain` back into records."""
    by_id = {record_id(witness): witness for witness in witnesses}
    return Explanation(
        patterns=tuple(
            Pattern(
                witness=by_id[entry["witness"]],
                inputs=tuple(entry["inputs"]),
                changes=tuple(float.fromhex(text) for text in entry["changes"]),
                ablations=tuple(from_plain(Ablation, plain) for plain in entry["ablations"]),
            )
            for entry in result["patterns"]
        ),
        nulls=tuple(from_plain(Null, plain) for plain in result["nulls"]),
        blobs={name: base64.b64decode(text) for name, text in result["blobs"].items()},
        margins={int(cell): float.fromhex(text) for cell, text in result["margins"].items()},
        unexplained=result["unexplained"],
    )
