# SPDX-License-Identifier: Apache-2.0
"""Which inputs the failures hang on: how often each stands in a minimal set, and how far it moved."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    QUIET,
    SAFE,
    beside,
    canvas,
    legend,
    number,
    shortened,
    styled,
    svg,
)

MOST = 16


@dataclass(frozen=True, kw_only=True)
class Change:
    """Say how far one input of a minimal set moved: failing value minus observed value, in the input's unit."""

    name: str
    change: float
    observed: float | None = None
    unit: str = ""

    @property
    def percent(self) -> float | None:
        """Give the change as a percentage of the observed value."""
        return 100.0 * self.change / abs(self.observed) if self.observed else None


@dataclass(frozen=True, kw_only=True)
class Flip:
    """Hold the minimal set of one witness; `label` names its row."""

    label: str
    changes: tuple[Change, ...]


@styled
def feature_flips(flips: Sequence[Flip], *, name: str = "flips-per-feature") -> str:
    """Draw for each input how many witnesses need it, and beside it how far it moved in each of them.

    Movement is drawn in percent of the observed value, so that inputs of different units share an axis, and its range
    is written in the input's own unit. Inputs without an observed value have no dots.
    """
    counts = Counter(change.name for flip in flips for change in flip.changes)
    names = [entry for entry, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]]
    figure, axes = canvas(1.35 + 0.27 * max(3, len(names)), columns=2, sharey=True, width_ratios=[1, 1.5])
    bars, dots = axes[0]
    for place, entry in enumerate(names):
        moves = [change for flip in flips for change in flip.changes if change.name == entry]
        bars.barh(place, counts[entry], height=0.62, color=FAINT, linewidth=0)
        beside(bars, str(counts[entry]), (counts[entry], place), fontsize=9)
        for move in moves:
            if move.percent is not None:
                colour = FAILING if move.change > 0 else SAFE
                marker = ">" if move.change > 0 else "<"
                dots.plot(move.percent, place, marker, color=colour, markeredgecolor=CARD, markersize=6.5)
        dots.text(
            1.02, place, _range(moves), va="center", fontsize=8, color=QUIET, transform=dots.get_yaxis_transform()
        )
    bars.set_yticks(range(len(names)), [shortened(entry, 26) for entry in names])
    bars.tick_params(axis="y", length=0)
    bars.set_ylim(max(len(names), 1) - 0.4, -0.6)
    bars.set_xlim(0, max([*counts.values(), 1]) * 1.18)
    bars.xaxis.get_major_locator().set_params(integer=True, nbins=4)
    bars.set_xlabel(f"minimal sets with it\n(of {len(flips)} witnesses)")
    dots.axvline(0.0, color=FAINT, linewidth=1)
    dots.grid(axis="x")
    dots.set_xlabel("change against the observed value (%)\nat right: the same in the input's unit")
    legend(figure, {"raised": _key(">", FAILING), "lowered": _key("<", SAFE)})
    words = "; ".join(f"{entry}: in {counts[entry]} of {len(flips)} minimal sets" for entry in names)
    return svg(figure, name, "Inputs the failures hang on", words)


def _key(marker: str, colour: str) -> Line2D:
    return Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=6.5)


def _range(moves: Sequence[Change]) -> str:
    """Write the smallest and the largest move in the input's unit."""
    values = sorted(move.change for move in moves)
    unit = f" {moves[0].unit}" if moves[0].unit else ""
    signed = [("+" if value > 0 else "") + number(value) for value in (values[0], values[-1])]
    return (signed[0] if signed[0] == signed[1] else f"{signed[0]} to {signed[1]}") + unit
