# SPDX-License-Identifier: Apache-2.0
"""Worst case from both sides: the highest harm found and the lowest bound proved, claim by claim."""

from collections.abc import Sequence

from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import (
    FAILING,
    FAINT,
    INK,
    QUIET,
    SAFE,
    canvas,
    legend,
    number,
    plain_ticks,
    shortened,
    styled,
    svg,
)

MOST = 30


@styled
def gap_plot(rows: Sequence[tuple[str, float | None, float | None]], *, name: str = "gap") -> str:
    """Draw best attack (primal) and best bound (dual) for each claim; the true worst case lies between them.

    Args:    rows: (label, highest harm found, lowest upper bound proved); None where there is none. The first 30 are
             drawn; the caption must say so where there are more.
    """
    shown = list(rows)[:MOST]
    figure, axes = canvas(1.25 + 0.32 * max(3, len(shown)))
    axis = axes[0][0]
    for place, (_, found, bound) in enumerate(shown):
        if found is not None and bound is not None:
            axis.plot([found, bound], [place, place], color=FAINT, linewidth=4, alpha=0.55, solid_capstyle="butt")
        if found is not None:
            axis.plot(found, place, "o", color=FAILING, markersize=7.5, zorder=3)
        if bound is not None:
            axis.plot(bound, place, "|", color=SAFE, markersize=14, markeredgewidth=3, zorder=4)
        axis.text(
            1.01, place, _gap(found, bound), transform=axis.get_yaxis_transform(), va="center", fontsize=8, color=QUIET
        )
    axis.axvline(0.0, color=INK, linewidth=1)
    axis.set_yticks(range(len(shown)), [shortened(label) for label, _, _ in shown])
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    sizes = sorted(abs(value) for _, *pair in shown for value in pair if value)
    if sizes and sizes[-1] > 50 * sizes[0]:
        axis.set_xscale("symlog", linthresh=max(sizes[len(sizes) // 4], 1e-9))
        axis.minorticks_off()
        plain_ticks(axis.xaxis)
    axis.margins(x=0.06)
    axis.grid(axis="x")
    axis.set_xlabel("harm (output units; right of 0 is catastrophic)")
    legend(
        figure,
        {
            "highest harm found (attack)": Line2D([], [], marker="o", color=FAILING, linestyle="none", markersize=7.5),
            "no harm above this (bound)": Line2D(
                [], [], marker="|", color=SAFE, linestyle="none", markersize=12, markeredgewidth=3
            ),
        },
    )
    words = "; ".join(f"{label}: found {_said(found)}, bound {_said(bound)}" for label, found, bound in shown)
    return svg(figure, name, "Worst case from both sides", words)


def _said(value: float | None) -> str:
    return "none" if value is None else number(value)


def _gap(found: float | None, bound: float | None) -> str:
    if found is None or bound is None:
        return "one side only"
    return f"gap {number(bound - found)}"
