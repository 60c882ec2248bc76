# SPDX-License-Identifier: Apache-2.0
"""The certified curve: at each radius, how many cells were proved safe, found failing, or left open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.lines import Line2D

from safetyboard.laboratory.figures.canvas import (
    EXCLUDED,
    FAILING,
    ON_FAILING,
    ON_OPEN,
    ON_SAFE,
    OPEN,
    QUIET,
    SAFE,
    canvas,
    legend,
    styled,
    svg,
)
from safetyboard.stats.binomial import clopper_pearson


@dataclass(frozen=True, kw_only=True)
class Share:
    """Count the cells of one claim; `label` names its radius. `excluded` were wrong before any change."""

    label: str
    proved: int
    refuted: int
    open: int
    excluded: int = 0

    @property
    def judged(self) -> int:
        """Count the cells the claim speaks of; those excluded are not among them."""
        return self.proved + self.refuted + self.open


@styled
def certified_curve(
    before: Sequence[Share], after: Sequence[Share], *, xlabel: str, name: str = "certified-curve"
) -> str:
    """Draw for each radius the share proved safe, open and failing: as given, and repaired where there is one.

    Whiskers are 95 % Clopper-Pearson intervals of the proved and of the failing share, as if cells were drawn
    independently from a population; they say nothing about cells that were not drawn from it.
    """
    panels = [("As given", before)] + ([("Repaired", after)] if after else [])
    figure, axes = canvas(3.5 if after else 3.2, columns=len(panels), sharey=True)
    for place, (title, shares) in enumerate(panels):
        _panel(axes[0][place], title, shares)
    axes[0][0].set_ylabel("share of the rows judged")
    figure.supxlabel(xlabel, fontsize=9.5)
    entries: dict[str, Any] = {"proved safe": SAFE, "open": OPEN, "failing, with a witness": FAILING}
    if any(share.excluded for _, shares in panels for share in shares):
        entries["wrong before any change"] = EXCLUDED
    entries["95 % interval of a share"] = Line2D([], [], color=QUIET, linewidth=1.2)
    legend(figure, entries, columns=3 if len(entries) > 4 else None)
    words = " ".join(f"{title}: " + "; ".join(_words(share) for share in shares) + "." for title, shares in panels)
    return svg(figure, name, "Certified curve", words)


def _panel(axis: Any, title: str, shares: Sequence[Share]) -> None:
    """Stack the three shares; the counts are written in, so that no reader has to measure."""
    for place, share in enumerate(shares):
        if not share.judged:
            axis.text(place, 0.5, "no row\njudged", ha="center", va="center", color=QUIET, fontsize=8.5)
            continue
        base = 0.0
        groups = (
            (share.proved, SAFE, ON_SAFE),
            (share.open, OPEN, ON_OPEN),
            (share.refuted, FAILING, ON_FAILING),
        )
        for count, colour, ink in groups:
            part = count / share.judged
            axis.bar(place, part, bottom=base, width=0.66, color=colour, linewidth=0)
            if part >= 0.055:
                axis.text(place, base + part / 2, str(count), ha="center", va="center", color=ink, fontweight="bold")
            base += part
        _whisker(axis, place - 0.41, share.proved, share.judged, SAFE)
        _whisker(axis, place + 0.41, share.refuted, share.judged, FAILING)
        if share.excluded:
            axis.bar(place, 0.045, bottom=1.02, width=0.66, color=EXCLUDED, linewidth=0)
            axis.text(place, 1.0425, f"+{share.excluded}", ha="center", va="center", fontsize=7.5, color=ON_OPEN)
    judged = sorted({share.judged for share in shares})
    counted = f"{judged[0]}" if len(judged) == 1 else f"{judged[0]}–{judged[-1]}" if judged else "0"
    axis.set_title(f"{title} ({counted} rows judged)")
    axis.set_xticks(range(len(shares)), [share.label for share in shares])
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.6, max(len(shares), 1) - 0.4)
    axis.set_ylim(0, 1.08)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axis.grid(axis="y")
    axis.spines["left"].set_visible(False)


def _whisker(axis: Any, place: float, count: int, judged: int, colour: str) -> None:
    if count > 0:
        lower, upper = clopper_pearson(count, judged)
        ends = [1.0 - upper, 1.0 - lower] if colour == FAILING else [lower, upper]
        axis.plot([place, place], ends, color=colour, linewidth=1.2, solid_capstyle="round")
        axis.plot([place] * 2, ends, "_", color=colour, markersize=4, markeredgewidth=1.2)


def _words(share: Share) -> str:
    said = f"{share.label}: {share.proved} of {share.judged} proved safe, {share.refuted} failing, {share.open} open"
    return said + (f", {share.excluded} more wrong before any change" if share.excluded else "")
