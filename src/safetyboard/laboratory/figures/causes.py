# SPDX-License-Identifier: Apache-2.0
"""A finding as a picture: cause, mechanism, failure, and the experiments that carry the arrow between them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    INK,
    OTHER,
    QUIET,
    SAFE,
    WIDTH,
    shortened,
    styled,
    svg,
)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Hold one arm of an experiment, with an exact interval; `role` as in an ablation, or baseline."""

    role: str
    arm: str
    failures: int
    trials: int
    lower: float
    upper: float


ROLES = {
    "necessity": ("Remove the cause", SAFE),
    "sufficiency": ("Keep the cause alone", FAILING),
    "specificity": ("Control", OTHER),
    "rival": ("Rival", FAINT),
    "baseline": ("Baseline", FAINT),
}


@styled
def causal_diagram(
    cause: str, mechanism: str, failure: str, rates: Sequence[Rate], *, grade: str, name: str = "cause"
) -> str:
    """Draw cause → mechanism → failure above the failure rate in every arm of the experiments.

    Args:    cause, mechanism, failure: short texts. rates: in the order to be drawn. grade: how sure the cause is.
    """
    heights = [1.3, 0.75 + 0.29 * max(2, len(rates))]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)  # type: ignore[misc]
    _chain(above, (("Cause", cause, OTHER), ("Mechanism", mechanism, FAINT), ("Failure", failure, FAILING)), grade)
    axis = below.subplots()
    for place, rate in enumerate(rates):
        share = rate.failures / rate.trials if rate.trials else 0.0
        colour = ROLES[rate.role][1]
        axis.plot([rate.lower, rate.upper], [place, place], color=colour, linewidth=3, solid_capstyle="butt", alpha=0.6)
        axis.plot(share, place, "o", color=colour, markersize=7.5, markeredgecolor=CARD)
        axis.text(
            1.03, place, f"{rate.failures} of {rate.trials}", va="center", fontsize=8.5, color=QUIET,
            transform=axis.get_yaxis_transform(),
        )  # fmt: skip
    axis.set_yticks(range(len(rates)), [f"{ROLES[r.role][0]}: {shortened(r.arm, 40)}" for r in rates])
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(max(len(rates), 1) - 0.4, -0.6)
    axis.set_xlim(-0.02, 1.02)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axis.grid(axis="x")
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("share of trials that still fail (bar: exact interval)")
    words = f"{cause} leads to {mechanism} leads to {failure}. " + "; ".join(
        f"{ROLES[r.role][0]}, {r.arm}: {r.failures} of {r.trials} fail" for r in rates
    )
    return svg(figure, name, f"Cause of the failure ({grade})", words)


def _chain(figure: SubFigure, boxes: Sequence[tuple[str, str, str]], grade: str) -> None:
    axis = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axis.set_axis_off()
    axis.set_xlim(0, 3.2)
    axis.set_ylim(0, 1)
    for place, (head, text, colour) in enumerate(boxes):
        left = 0.03 + place * 1.12
        axis.add_patch(
            FancyBboxPatch(
                (left, 0.06), 0.9, 0.76, boxstyle="round,pad=0,rounding_size=0.05", facecolor=CARD,
                edgecolor=colour, linewidth=1.6,
            )
        )  # fmt: skip
        axis.text(left + 0.45, 0.72, head, ha="center", va="center", fontweight="bold")
        lines = textwrap.wrap(text, 29)
        shown = lines if len(lines) <= 5 else [*lines[:4], f"{lines[4][:26]}…"]
        axis.text(left + 0.45, 0.35, "\n".join(shown), ha="center", va="center", fontsize=8, linespacing=1.2)
        if place:
            ends = ((left - 0.21, 0.44), (left - 0.01, 0.44))
            axis.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=13, color=INK, linewidth=1.4))
    axis.text(0.03, 0.97, f"Cause {grade}", ha="left", va="top", fontsize=8.5, color=QUIET)
