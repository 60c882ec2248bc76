# SPDX-License-Identifier: Apache-2.0
"""Recorded runs as they went: at which step each came nearer to a catastrophe, and how far it got."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    OTHER,
    QUIET,
    canvas,
    legend,
    shortened,
    styled,
    svg,
)

MOST = 14
KINDS = {
    "precursor": ("o", FAINT, "precursor"),
    "attempt": ("D", OTHER, "attempt, or a step of concern"),
    "failure": ("X", FAILING, "the chain is complete"),
}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Place one quotation: the step it stands at, and what it shows (a key of KINDS)."""

    step: int
    shows: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """Hold one recorded run under one chain; `steps` is how many it has, 0 where that is not known."""

    label: str
    chain: str
    marks: tuple[Mark, ...]
    steps: int = 0


@styled
def course_of_runs(runs: Sequence[Run], *, name: str = "runs") -> str:
    """Draw a line for each run, from its first step to its last, with the quoted steps on it.

    Args:    runs: in the order to be drawn, gravest first; the first MOST are drawn.
    """
    drawn = list(runs)[:MOST]
    figure, axes = canvas(1.15 + 0.4 * max(2, len(drawn)))
    axis = axes[0][0]
    for place, run in enumerate(drawn):
        last = max([run.steps - 1, *(mark.step for mark in run.marks), 1])
        axis.hlines(place, 0, last, color=FAINT, linewidth=1.2, zorder=1)
        for mark in sorted(run.marks, key=lambda each: list(KINDS).index(each.shows)):
            marker, colour, _ = KINDS[mark.shows]
            axis.plot(mark.step, place, marker, color=colour, markeredgecolor=CARD, markersize=8, zorder=3)
        axis.annotate(
            run.chain, (0, place), xytext=(0, 7), textcoords="offset points", fontsize=8, color=QUIET,
            annotation_clip=False,
        )  # fmt: skip
    axis.set_yticks(range(len(drawn)), [shortened(run.label, 30) for run in drawn])
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(max(len(drawn), 1) - 0.4, -0.7)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel("step of the run", loc="left")
    axis.grid(axis="x")
    axis.spines["left"].set_visible(False)
    shown = {mark.shows for run in drawn for mark in run.marks}
    keys = {words: _key(marker, colour) for kind, (marker, colour, words) in KINDS.items() if kind in shown}
    if keys:
        legend(figure, keys)
    told = "; ".join(
        f"{run.label}, {run.chain}: " + ", ".join(f"{mark.shows} at step {mark.step}" for mark in run.marks)
        for run in drawn
    )
    return svg(figure, name, "How far each run came", told)


def _key(marker: str, colour: str) -> Line2D:
    return Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=7)
