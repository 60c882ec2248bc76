# SPDX-License-Identifier: Apache-2.0
"""Neighbourhood: cut slices through a failure, for the report's pictures; no verdict rests on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from safetyboard.investigation.examination import Question
from safetyboard.surfaces.model.explain.landscape import slices
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.laboratory.figures.slices import Slice


def neighbourhood(question: Question, witness: Witness, inputs: Sequence[str]) -> "list[Slice]":
    """Cut up to two slices through a witness.

    Args:    inputs: names of the inputs that the failure hangs on; the two or three that move the harm most are drawn.
    """
    names = [variable.name for variable in question.domain.inputs]
    chosen = tuple(names.index(name) for name in inputs if name in names)
    return slices(question.settings()[witness.cell], witness, chosen)
