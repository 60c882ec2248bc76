# SPDX-License-Identifier: Apache-2.0
"""Why it happened: factors by surface, and the links between them drawn by what their tests showed."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    INK,
    OPEN,
    OTHER,
    QUIET,
    WIDTH,
    canvas,
    legend,
    styled,
    svg,
)

LINES: Mapping[str, tuple[str, Any, float]] = {
    "necessary": (FAILING, "-", 2.2),
    "contributes": (OTHER, "-", 1.8),
    "undetermined": (FAINT, "--", 1.3),
    "not testable": (FAINT, ":", 1.3),
    "refuted": (OPEN, ":", 1.0),
}
BOX, GAP = 2.6, 0.7
"""Width of a box and of the room between two columns; a page is as wide as all of them."""
LETTERS = 94
"""Letters that fit beside one another over all boxes of a row."""
LONGEST = 110


@dataclass(frozen=True, kw_only=True)
class Node:
    """Name one factor, its surface and what it says."""

    name: str
    surface: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """Draw one link; `result` is a key of LINES."""

    cause: str
    effect: str
    result: str


@styled
def causal_graph(nodes: Sequence[Node], arrows: Sequence[Arrow], *, top: str, name: str = "graph") -> str:
    """Draw causes to the left of their effects, each factor as far right as its longest way allows.

    Args:    arrows: without circles. top: the failure everything leads to.
    """
    columns = _columns(nodes, arrows, top)
    count = max(columns.values(), default=0) + 1
    across = count * (BOX + GAP) - GAP
    letters = max(14, LETTERS // count)
    # A line of text has a size in points, a box in units of the axis: the box grows with the lines it must hold.
    high = 0.35 + (LONGEST // letters + 1) * 8.9 * across / (WIDTH * 72)
    places: dict[str, tuple[float, float]] = {}
    for column in range(count):
        mine = [node.name for node in nodes if columns[node.name] == column]
        for row, each in enumerate(mine):
            places[each] = (column * (BOX + GAP), (row - (len(mine) - 1) / 2) * -(high + 0.35))
    heights = [y for _, y in places.values()] or [0.0]
    low, top_edge = min(heights) - high / 2 - 0.2, max(heights) + high / 2 + 0.2
    figure, axes = canvas(0.5 + WIDTH * (top_edge - low) / (across + 0.4))
    axis = axes[0][0]
    axis.set_axis_off()
    axis.set_xlim(-0.2, across + 0.2)
    axis.set_ylim(low, top_edge)
    for arrow in arrows:
        _arrow(axis, places, arrow)
    for node in nodes:
        _box(axis, places[node.name], node, (high, letters), failing=node.name == top)
    shown = {arrow.result for arrow in arrows}
    keys = {
        result: Line2D([], [], color=colour, linestyle=line, linewidth=width)
        for result, (colour, line, width) in LINES.items()
        if result in shown
    }
    if keys:
        legend(figure, keys)
    told = "; ".join(f"{arrow.cause} leads to {arrow.effect} ({arrow.result})" for arrow in arrows)
    return svg(figure, name, "Why it happened", told)


def _columns(nodes: Sequence[Node], arrows: Sequence[Arrow], top: str) -> Mapping[str, int]:
    """Place every factor by the longest way from it to the top."""
    distance = {node.name: 0 for node in nodes}
    for _ in nodes:
        for arrow in arrows:
            distance[arrow.cause] = max(distance[arrow.cause], distance[arrow.effect] + 1)
    furthest = max(distance.values(), default=0)
    return {each: furthest - far for each, far in distance.items()} | {top: furthest}


def _box(axis: Any, place: tuple[float, float], node: Node, size: tuple[float, int], *, failing: bool) -> None:
    (x, y), (high, letters) = place, size
    box = FancyBboxPatch(
        (x, y - high / 2), BOX, high, boxstyle="round,pad=0.02,rounding_size=0.08", facecolor=CARD,
        edgecolor=FAILING if failing else FAINT, linewidth=1.4,
    )  # fmt: skip
    axis.add_patch(box)
    axis.text(x + 0.1, y + high / 2 - 0.08, node.surface, fontsize=7, color=QUIET, va="top")
    words = textwrap.fill(textwrap.shorten(node.text, LONGEST, placeholder=" …"), letters)
    axis.text(x + 0.1, y - 0.1, words, fontsize=7.4, color=INK, va="center", linespacing=1.15)


def _arrow(axis: Any, places: Mapping[str, tuple[float, float]], arrow: Arrow) -> None:
    (x, y), (u, v) = places[arrow.cause], places[arrow.effect]
    colour, line, width = LINES[arrow.result]
    patch = FancyArrowPatch(
        (x + BOX + 0.03, y), (u - 0.04, v), arrowstyle="-|>", mutation_scale=11, color=colour, linestyle=line,
        linewidth=width, shrinkA=0, shrinkB=0,
    )  # fmt: skip
    axis.add_patch(patch)
