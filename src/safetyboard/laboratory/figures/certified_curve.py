# SPDX-License-Identifier: Apache-2.0
"""The certified curve: at each radius, how many cells were proved safe, found failing, or left open."""

from collections.abc import Sequence
from dataclasses import dataclass

from safetyboard.laboratory.figures.canvas import EXCLUDED, FAILING, OPEN, SAFE, canvas, svg
from safetyboard.stats.binomial import clopper_pearson


@dataclass(frozen=True, kw_only=True)
class Share:
    """Count the cells of one claim; `label` names its radius."""

    label: str
    proved: int
    refuted: int
    open: int
    excluded: int = 0

    @property
    def judged(self) -> int:
        """Count all rows, those wrong before any change included."""
        return self.proved + self.refuted + self.open + self.excluded


def certified_curve(before: Sequence[Share], after: Sequence[Share], *, xlabel: str) -> str:
    """Draw stacked counts a radius, the original above and the repaired network below where there is one."""
    panels = [("as given", before)] + ([("repaired", after)] if after else [])
    figure, axes = canvas(8.2, 1.5 + 1.75 * len(panels), rows=len(panels))
    for number, (name, shares) in enumerate(panels):
        axis, left = axes[number][0], [0.0] * len(shares)
        groups = (
            ("proved safe", SAFE, [s.proved for s in shares]),
            ("open", OPEN, [s.open for s in shares]),
            ("failing, with witness", FAILING, [s.refuted for s in shares]),
            ("wrong before any change", EXCLUDED, [s.excluded for s in shares]),
        )
        places = list(range(len(shares)))
        for label, colour, counts in groups:
            axis.bar(places, counts, bottom=left, color=colour, width=0.72, label=label)
            for place, count, base in zip(places, counts, left, strict=True):
                if count >= 0.06 * max(1, shares[place].judged):
                    dark = colour in (SAFE, FAILING)
                    axis.text(
                        place, base + count / 2, str(count), ha="center", va="center",
                        fontsize=9, color="white" if dark else "#1f2937",
                    )  # fmt: skip
            left = [a + b for a, b in zip(left, counts, strict=True)]
        _intervals(axis, shares)
        axis.set_xticks(places, [s.label for s in shares])
        axis.set_ylabel("rows")
        axis.set_title(f"Network {name}")
    axes[-1][0].set_xlabel(xlabel)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    words = "; ".join(f"{s.label}: {s.proved} proved, {s.refuted} failing, {s.open} open" for s in before)
    return svg(figure, "Certified curve", words)


def _intervals(axis: "object", shares: Sequence[Share]) -> None:
    """Add 95 % Clopper-Pearson intervals of the proved share, as if rows were drawn from a population."""
    for place, share in enumerate(shares):
        if share.judged:
            lower, upper = clopper_pearson(share.proved, share.judged)
            middle = share.proved
            axis.errorbar(  # type: ignore[attr-defined]
                [place + 0.42], [middle],
                yerr=[[middle - lower * share.judged], [upper * share.judged - middle]],
                color="#1f2937", capsize=3, linewidth=1.2,
                label="95 % interval of the proved share" if place == 0 else None,
            )  # fmt: skip
