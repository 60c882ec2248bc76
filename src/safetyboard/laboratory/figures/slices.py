# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional slices through a witness: safe where proved, failing where run, open elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import CARD, FAILING, INK, OPEN, SAFE, canvas, legend, svg

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


def slice_plot(slices: Sequence[Slice], *, name: str = "slices") -> str:
    """Draw slices side by side; the inputs that are not on the axes keep their failing values.

    Args:    slices: one or two read well.
    """
    figure, axes = canvas(3.9 if len(slices) > 1 else 4.6, columns=max(1, len(slices)))
    for axis, one in zip(axes[0], slices, strict=False):
        for state, colour in COLOURS.items():
            boxes = _runs(one, state)
            axis.add_collection(PolyCollection(boxes, facecolor=colour, edgecolor=colour, linewidth=0.35))
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


def _runs(one: Slice, state: int) -> list[list[tuple[float, float]]]:
    """Merge neighbouring patches of a row into one rectangle, which keeps the file small and free of seams."""
    rows, columns = one.states.shape
    left, right, bottom, top = one.extent
    wide, high = (right - left) / columns, (top - bottom) / rows
    boxes = []
    for row in range(rows):
        start = None
        for column in range(columns + 1):
            inside = column < columns and one.states[row, column] == state
            if inside and start is None:
                start = column
            elif not inside and start is not None:
                low, near, far = bottom + row * high, left + start * wide, left + column * wide
                boxes.append([(near, low), (far, low), (far, low + high), (near, low + high)])
                start = None
    return boxes


def _point(axis: Any, place: tuple[float, float], marker: str, size: float) -> None:
    axis.plot(*place, marker, color=CARD, markeredgecolor=INK, markersize=size, markeredgewidth=1.2, clip_on=False)


def _key(marker: str, size: float) -> Line2D:
    return Line2D(
        [], [], marker=marker, color=CARD, markeredgecolor=INK, markersize=size, markeredgewidth=1.2, linestyle="none"
    )
