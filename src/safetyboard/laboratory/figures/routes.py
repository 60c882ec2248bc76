# SPDX-License-Identifier: Apache-2.0
"""Ways round a remedy: which got through as things were, and which under each remedy."""

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.patches import Rectangle

from safetyboard.laboratory.figures.canvas import (
    CARD,
    EXCLUDED,
    FAILING,
    FAINT,
    ON_FAILING,
    ON_OPEN,
    ON_SAFE,
    OPEN,
    SAFE,
    canvas,
    legend,
    shortened,
    styled,
    svg,
)

STATES = {
    "through": (FAILING, ON_FAILING, "✕", "got through (executed)"),
    "outside": (EXCLUDED, ON_OPEN, "✕", "got through, outside what is promised"),
    "held": (SAFE, ON_SAFE, "✓", "held (executed, came to nothing)"),
    "closed": (FAINT, ON_SAFE, "·", "the rules leave no call for it"),
    "untried": (OPEN, ON_OPEN, "–", "does not apply, or not tried"),
}


@styled
def routes_and_remedies(
    routes: Sequence[str], columns: Mapping[str, Mapping[int, str]], *, name: str = "routes"
) -> str:
    """Draw a table of routes against remedies.

    Args:    routes: their names, by index. columns: remedy (or "as given") -> index of the route -> key of STATES.
    """
    figure, axes = canvas(1.5 + 0.27 * max(3, len(routes)))
    axis = axes[0][0]
    told = []
    for across, (remedy, found) in enumerate(columns.items()):
        for down in range(len(routes)):
            state = found.get(down, "untried")
            colour, ink, sign, _ = STATES[state]
            axis.add_patch(Rectangle((across, down), 1, 1, facecolor=colour, edgecolor=CARD, linewidth=1.5))
            axis.text(across + 0.5, down + 0.52, sign, ha="center", va="center", color=ink, fontsize=9)
        through = [routes[down] for down, state in sorted(found.items()) if state == "through"]
        told.append(f"{remedy}: {', '.join(through) or 'nothing'} got through")
    axis.set_xlim(0, max(1, len(columns)))
    axis.set_ylim(max(1, len(routes)), 0)
    wide, small = max(9, 66 // max(1, len(columns))), 9 if len(columns) < 5 else 7
    axis.set_xticks(
        [across + 0.5 for across in range(len(columns))],
        [textwrap.fill(shortened(each, 60), wide) for each in columns],
        fontsize=small,
    )
    axis.set_yticks([down + 0.5 for down in range(len(routes))], [shortened(each, 44) for each in routes])
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    shown = {found.get(down, "untried") for found in columns.values() for down in range(len(routes))}
    legend(figure, {words: colour for state, (colour, _, _, words) in STATES.items() if state in shown}, columns=2)
    return svg(figure, name, "Ways round each remedy", "; ".join(told))
