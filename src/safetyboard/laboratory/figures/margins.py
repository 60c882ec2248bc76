# SPDX-License-Identifier: Apache-2.0
"""Margins: how far each observed input is from failing, and at which radius it fell."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import (
    CARD,
    FAILING,
    FAINT,
    INK,
    OPEN,
    QUIET,
    SAFE,
    canvas,
    legend,
    styled,
    svg,
)

MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Place one observed input.

    Args:    value: how far it is from failing before any change, output units. fails_at: label of the smallest
             radius with a witness, or empty. proved_to: label of the largest radius with a proof, or empty.
             rank: place of `fails_at` among the radii, from 0.
    """

    label: str
    value: float
    fails_at: str = ""
    proved_to: str = ""
    rank: int = 0


@styled
def margin_plot(margins: Sequence[Margin], radii: Sequence[str], *, unit: str, name: str = "margins") -> str:
    """Draw every observed input by its margin, sorted; filled where a failure was found, by the radius it needs.

    Args:    radii: labels from the smallest; each gets a column of its own, and a last one for inputs that never fell.
             unit: of the network's output, for the axis.
    """
    figure, axes = canvas(3.3)
    axis = axes[0][0]
    columns = [*radii, "none found"]
    placed: dict[int, list[Margin]] = {k: [] for k in range(len(columns))}
    for margin in sorted(margins, key=lambda m: (m.value, m.label)):
        placed[margin.rank if margin.fails_at else len(radii)].append(margin)
    for column, held in placed.items():
        for margin, shift in zip(held, _spread(len(held)), strict=True):
            whole = not margin.fails_at and margin.proved_to == (radii[-1] if radii else "")
            colour = FAILING if margin.fails_at else SAFE if whole else OPEN
            axis.plot(
                column + shift, margin.value, "o" if margin.fails_at or whole else "D", color=colour,
                markeredgecolor=INK if colour == OPEN else CARD, markersize=6.5, markeredgewidth=0.6,
            )  # fmt: skip
        for margin in held[:1] if column < len(radii) else []:
            axis.annotate(
                margin.label, (column, margin.value), xytext=(0, -11), textcoords="offset points", ha="center",
                fontsize=7.5, color=QUIET, annotation_clip=False,
            )  # fmt: skip
        axis.text(column, 1.0, f"{len(held)}", ha="center", va="bottom", transform=axis.get_xaxis_transform())
    axis.axhline(0.0, color=FAINT, linewidth=1)
    axis.set_xticks(range(len(columns)), [*(f"±{r}" if not r.startswith("±") else r for r in radii), "none found"])
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.6, len(columns) - 0.4)
    axis.margins(y=0.14)
    axis.grid(axis="y")
    axis.set_xlabel("smallest radius at which a failure was found")
    axis.set_ylabel(f"margin before any change\n({unit}; 0 = decision flips)")
    legend(
        figure,
        {
            "fails, with a witness": _dot("o", FAILING),
            "proved safe at every radius": _dot("o", SAFE),
            "neither at the largest radius": _dot("D", OPEN),
        },
    )
    words = "; ".join(f"{columns[k]}: {len(held)} rows" for k, held in placed.items())
    return svg(figure, name, "Margins of the observed inputs", words)


def _dot(marker: str, colour: str) -> Line2D:
    return Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=6.5)


def _spread(count: int) -> list[float]:
    """Give sideways shifts that keep dots apart, the same every time."""
    return [0.3 * (((7 * k) % 11) / 5.0 - 1.0) if count > 1 else 0.0 for k in range(count)]
