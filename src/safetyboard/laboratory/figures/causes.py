# SPDX-License-Identifier: Apache-2.0
"""A finding as a picture: cause, mechanism, failure, and the experiments that carry the arrow between them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    INK,
    OTHER,
    QUIET,
    SAFE,
    canvas,
    shortened,
    svg,
)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Hold one arm of an experiment: failures of trials, with an exact interval. `role` as in an ablation."""

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
}


def causal_diagram(
    cause: str, mechanism: str, failure: str, rates: Sequence[Rate], *, grade: str, name: str = "cause"
) -> str:
    """Draw cause → mechanism → failure above the failure rate in every arm of the experiments.

    Args:    cause, mechanism, failure: short texts. rates: in the order to be drawn. grade: how sure the cause is.
    """
    figure, axes = canvas(
        2.35 + 0.3 * max(2, len(rates)), rows=2, height_ratios=[1.25, 0.26 * max(2, len(rates)) + 0.2]
    )
    _chain(axes[0][0], (("Cause", cause, OTHER), ("Mechanism", mechanism, FAINT), ("Failure", failure, FAILING)), grade)
    axis = axes[1][0]
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


def _chain(axis: Any, boxes: Sequence[tuple[str, str, str]], grade: str) -> None:
    axis.set_axis_off()
    axis.set_xlim(0, 3.3)
    axis.set_ylim(0, 1)
    for place, (head, text, colour) in enumerate(boxes):
        left = place * 1.15
        axis.add_patch(
            FancyBboxPatch(
                (left + 0.03, 0.06), 0.9, 0.84, boxstyle="round,pad=0.02,rounding_size=0.05", facecolor=CARD,
                edgecolor=colour, linewidth=1.6, mutation_aspect=1.0,
            )
        )  # fmt: skip
        axis.text(left + 0.48, 0.8, head, ha="center", va="center", fontweight="bold", fontsize=9.5, color=INK)
        lines = textwrap.wrap(text, 25)
        shown = lines if len(lines) <= 5 else [*lines[:4], f"{lines[4][:22]}…"]
        axis.text(left + 0.48, 0.39, "\n".join(shown), ha="center", va="center", fontsize=8.2, linespacing=1.25)
        if place:
            axis.add_patch(
                FancyArrowPatch(
                    (left - 0.17, 0.48),
                    (left + 0.0, 0.48),
                    arrowstyle="-|>",
                    mutation_scale=13,
                    color=INK,
                    linewidth=1.4,
                )
            )
    axis.text(1.055, 0.97, grade, ha="center", va="bottom", fontsize=8.2, color=QUIET, style="italic")
