# SPDX-License-Identifier: Apache-2.0
"""Worst case from both sides: the highest harm found and the lowest bound proved, claim by claim."""

from collections.abc import Sequence

from safetyboard.laboratory.figures.canvas import FAILING, FAINT, SAFE, canvas, svg

MOST = 40


def gap_plot(rows: Sequence[tuple[str, float | None, float | None]]) -> str:
    """Draw best attack (primal) and best bound (dual) for each claim; the gap between them is what is unknown.

    Args:    rows: (label, highest harm found, lowest upper bound proved); None where there is none.
    """
    shown = list(rows)[:MOST][::-1]
    figure, axes = canvas(8.2, 1.2 + 0.34 * max(3, len(shown)))
    axis = axes[0][0]
    for place, (_, found, bound) in enumerate(shown):
        if found is not None and bound is not None:
            axis.plot([found, bound], [place, place], color=FAINT, linewidth=3, solid_capstyle="butt", zorder=1)
        if found is not None:
            axis.plot([found], [place], "o", color=FAILING, zorder=2)
        if bound is not None:
            axis.plot([bound], [place], "|", color=SAFE, markersize=14, markeredgewidth=3, zorder=3)
    axis.plot([], [], "o", color=FAILING, label="highest harm found (attack)")
    axis.plot([], [], "|", color=SAFE, markersize=12, markeredgewidth=3, label="no harm above this (bound)")
    axis.axvline(0.0, color="#1f2937", linewidth=1)
    axis.set_yticks(range(len(shown)), [label for label, _, _ in shown])
    axis.set_ylim(-0.6, len(shown) - 0.4)
    axis.set_xscale("symlog", linthresh=_linear(shown))
    axis.set_xlabel("harm (output units; above 0 is catastrophic)")
    figure.legend(loc="outside upper center", ncols=2, fontsize=9, frameon=False)
    words = "; ".join(f"{label}: found {found}, bound {bound}" for label, found, bound in reversed(shown))
    return svg(figure, "Worst case from both sides", words)


def _linear(rows: Sequence[tuple[str, float | None, float | None]]) -> float:
    sizes = sorted(abs(v) for _, a, b in rows for v in (a, b) if v)
    return max(sizes[len(sizes) // 4], 1e-9) if sizes else 1.0
