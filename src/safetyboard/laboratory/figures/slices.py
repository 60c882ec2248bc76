# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional slices through a witness: safe where proved, failing where run, open elsewhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from safetyboard.laboratory.figures.canvas import FAILING, OPEN, SAFE, canvas, svg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROVED_SAFE, UNDECIDED, FOUND_FAILING = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Hold one slice: states on a grid of patches, and the points of interest.

    Shapes:  states (vertical, horizontal). extent: (left, right, bottom, top) in input units.
    """

    states: "NDArray[np.int64]"
    extent: tuple[float, float, float, float]
    labels: tuple[str, str]
    witness: tuple[float, float]
    observed: tuple[float, float] | None
    title: str


def slice_plot(slices: "list[Slice]") -> str:
    """Draw slices side by side; the other inputs keep their failing values."""
    figure, axes = canvas(8.2, 4.0, columns=max(1, len(slices)))
    colours = ListedColormap([SAFE, OPEN, FAILING])
    norm = BoundaryNorm([-0.5, 0.5, 1.5, 2.5], 3)
    for axis, one in zip(axes[0], slices, strict=False):
        axis.imshow(
            one.states, origin="lower", extent=one.extent, aspect="auto", cmap=colours, norm=norm,
            interpolation="nearest",
        )  # fmt: skip
        axis.plot(*one.witness, "X", color="white", markeredgecolor="#1f2937", markersize=11, clip_on=False, zorder=5)
        if one.observed is not None:
            axis.plot(
                *one.observed, "o", color="white", markeredgecolor="#1f2937", markersize=8, clip_on=False, zorder=5
            )
        axis.set_xlabel(one.labels[0])
        axis.set_ylabel(one.labels[1])
        axis.set_title(one.title)
        axis.ticklabel_format(useOffset=False)
    handles = [
        Patch(color=SAFE, label="proved safe"),
        Patch(color=FAILING, label="fails"),
        Patch(color=OPEN, label="open"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    words = "; ".join(
        f"{one.title}: {(one.states == FOUND_FAILING).sum()} failing, {(one.states == PROVED_SAFE).sum()} proved safe, "
        f"{(one.states == UNDECIDED).sum()} open of {one.states.size} patches"
        for one in slices
    )
    return svg(figure, "Slices through the failure", words)
