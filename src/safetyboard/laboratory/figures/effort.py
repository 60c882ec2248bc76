# SPDX-License-Identifier: Apache-2.0
"""The course of the investigation: work units spent, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from safetyboard.laboratory.figures.canvas import (
    FAILING,
    OTHER,
    QUIET,
    SAFE,
    beside,
    canvas,
    legend,
    plain_ticks,
    styled,
    svg,
)

KINDS = {"attack": FAILING, "proof": SAFE, "experiment or repair": OTHER}


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Count what one stage spent; `kind` is attack, proof, or experiment or repair."""

    stage: str
    kind: str
    spent: int
    unit: str
    gave: str = ""


@styled
def effort_timeline(efforts: Sequence[Effort], *, name: str = "effort") -> str:
    """Draw the stages from top to bottom in the order they ran, with the work units each spent (log scale).

    Work units are what the instrument counts (evaluations, boxes, nodes, trials): bars of different units compare in
    order of magnitude only.
    """
    figure, axes = canvas(1.1 + 0.36 * max(2, len(efforts)))
    axis = axes[0][0]
    most = max([effort.spent for effort in efforts] + [10])
    for place, effort in enumerate(efforts):
        axis.barh(place, max(effort.spent, 1), height=0.6, color=KINDS[effort.kind], linewidth=0)
        said = (
            f"{effort.spent:,}".replace(",", "\u2009")
            + f" {effort.unit}"
            + (f" → {effort.gave}" if effort.gave else "")
        )
        beside(axis, said, (max(effort.spent, 1), place), fontsize=8.5, color=QUIET)
    axis.set_xscale("log")
    axis.minorticks_off()
    plain_ticks(axis.xaxis)
    axis.set_xlim(1, float(most) ** 2.3)
    axis.set_xticks([10.0**k for k in range(0, len(str(most)) + 1, 2)])
    axis.set_yticks(range(len(efforts)), [f"{k + 1}  {effort.stage}" for k, effort in enumerate(efforts)])
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(max(len(efforts), 1) - 0.4, -0.6)
    axis.spines["bottom"].set_bounds(1, 10.0 ** len(str(most)))
    axis.set_xlabel("work units spent (log scale)", loc="left")
    legend(figure, {kind: colour for kind, colour in KINDS.items() if any(e.kind == kind for e in efforts)})
    words = "; ".join(f"{effort.stage}: {effort.spent} {effort.unit} {effort.gave}".strip() for effort in efforts)
    return svg(figure, name, "Effort, stage by stage", words)
