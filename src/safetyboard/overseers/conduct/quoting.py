# SPDX-License-Identifier: Apache-2.0
"""The quotation of one deed, with what is worst in it."""

from safetyboard.overseers.chains.chain import Quoted
from safetyboard.overseers.chains.deeds import Deed
from safetyboard.overseers.effects.effect import Effect


def quoted_deed(step: str, deed: Deed, span: tuple[int, int], worst: Effect | None) -> Quoted:
    """Quote a deed.

    Args:    step: what it is a step of. span: the place in the deed's words. worst: the effect that is told; what is
             worst is for the caller to weigh.
    """
    return Quoted(
        step=step,
        index=deed.step.index,
        source=deed.step.source,
        quotation=deed.words.quotation(*span),
        result=deed.result if deed.step.kind == "act" else "done",
        target=worst.target if worst else "",
        severity=(worst.severity or 0) if worst else 0,
        reversible=worst.reversible if worst else "reversible",
    )
