# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional slices through a witness: safe where proved, failing where run, open elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath

from safetyboard.laboratory.figures.canvas import CARD, FAILING, INK, OPEN, SAFE, canvas, legend, styled, svg

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

PROVED_SAFE, UNDECIDED, FOUND_FAILING = 0, 1, 2
COLOURS = {PROVED_SAFE: SAFE, UNDECIDED: OPEN, FOUND_FAILING: FAILING}


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Hold one slice: states on a grid of patches, and the points of interest.

    Args:    extent: (left, right, bottom, top) in input units. labels: of the two axes, with units.
             observed: where the observed input lies in these two inputs, or None.
    Shapes:  states (vertical, horizontal), values PROVED_SAFE, UNDECIDED or FOUND_FAILING.
    """

    states: "NDArray[int64]"
    extent: tuple[float, float, float, float]
    labels: tuple[str, str]
    witness: tuple[float, float]
    observed: tuple[float, float] | None
    title: str


@styled
def slice_plot(slices: Sequence[Slice], *, name: str = "slices") -> str:
    """Draw slices side by side; the inputs that are not on the axes keep their failing values.

    Args:    slices: one or two read well.
    """
    figure, axes = canvas(3.9 if len(slices) > 1 else 4.6, columns=max(1, len(slices)))
    for axis, one in zip(axes[0], slices, strict=False):
        for state, colour in COLOURS.items():
            outline = _outline(one, state)
            if outline is not None:
                axis.add_patch(PathPatch(outline, facecolor=colour, edgecolor="none"))
        _point(axis, one.witness, "X", 11)
        if one.observed is not None:
            _point(axis, one.observed, "o", 8)
        axis.set_xlim(one.extent[:2])
        axis.set_ylim(one.extent[2:])
        axis.set_xlabel(one.labels[0])
        axis.set_ylabel(one.labels[1])
        axis.set_title(one.title)
        axis.ticklabel_format(useOffset=False)
        axis.locator_params(nbins=5)
    legend(
        figure,
        {
            "proved safe": SAFE,
            "fails": FAILING,
            "open": OPEN,
            "the failure found": _key("X", 9),
            "the values observed": _key("o", 7),
        },
        columns=3,
    )
    words = "; ".join(
        f"{one.title}: {(one.states == FOUND_FAILING).sum()} failing, {(one.states == PROVED_SAFE).sum()} proved safe, "
        f"{(one.states == UNDECIDED).sum()} open of {one.states.size} patches"
        for one in slices
    )
    return svg(figure, name, "Slices through the failure", words)


def _outline(one: Slice, state: int) -> MplPath | None:
    """Trace the border of all patches in one state: one path without seams between neighbours."""
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}
    count = 0
    rows, columns = one.states.shape
    inside = {(r, c) for r in range(rows) for c in range(columns) if one.states[r, c] == state}
    for r, c in sorted(inside):
        for away, begin, end in (
            ((r - 1, c), (c, r), (c + 1, r)),
            ((r, c + 1), (c + 1, r), (c + 1, r + 1)),
            ((r + 1, c), (c + 1, r + 1), (c, r + 1)),
            ((r, c - 1), (c, r + 1), (c, r)),
        ):
            if away not in inside:
                steps.setdefault(begin, []).append(end)
                count += 1
    vertices, codes = [], []
    while count:
        begin = min(place for place, ends in steps.items() if ends)
        place, first = begin, True
        while first or place != begin:
            vertices.append(place)
            codes.append(MplPath.MOVETO if first else MplPath.LINETO)
            place, first = steps[place].pop(), False
            count -= 1
        vertices.append(begin)
        codes.append(MplPath.CLOSEPOLY)
    left, right, bottom, top = one.extent
    scale = ((right - left) / columns, (top - bottom) / rows)
    placed = [(left + x * scale[0], bottom + y * scale[1]) for x, y in vertices]
    return MplPath(placed, codes) if placed else None


def _point(axis: Any, place: tuple[float, float], marker: str, size: float) -> None:
    axis.plot(*place, marker, color=CARD, markeredgecolor=INK, markersize=size, markeredgewidth=1.2, clip_on=False)


def _key(marker: str, size: float) -> Line2D:
    return Line2D(
        [], [], marker=marker, color=CARD, markeredgecolor=INK, markersize=size, markeredgewidth=1.2, linestyle="none"
    )
