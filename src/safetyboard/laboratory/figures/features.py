# SPDX-License-Identifier: Apache-2.0
"""Which inputs the failures hang on: how often each stands in a minimal set, and which way it moved."""

from collections import Counter
from collections.abc import Sequence

from safetyboard.laboratory.figures.canvas import FAILING, SAFE, canvas, svg

MOST = 18


def feature_bars(sets: Sequence[Sequence[tuple[str, float]]]) -> str:
    """Draw one bar an input: in how many witnesses' minimal sets it stands, raised or lowered.

    Args:    sets: for each witness its minimal set, as (input name, failing minus observed value).
    """
    raised = Counter(name for chosen in sets for name, change in chosen if change > 0)
    lowered = Counter(name for chosen in sets for name, change in chosen if change <= 0)
    totals = raised + lowered
    names = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:MOST]][::-1]
    figure, axes = canvas(8.2, 1.1 + 0.27 * max(3, len(names)))
    axis = axes[0][0]
    axis.barh(names, [lowered[n] for n in names], color=SAFE, label="lowered", height=0.7)
    axis.barh(
        names, [raised[n] for n in names], left=[lowered[n] for n in names], color=FAILING, label="raised", height=0.7
    )
    axis.set_xlabel(f"witnesses whose minimal set needs the input (of {len(sets)})")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(loc="lower right", fontsize=9, frameon=False)
    words = "; ".join(f"{name}: {totals[name]}" for name in reversed(names))
    return svg(figure, "Inputs the failures hang on", words)
