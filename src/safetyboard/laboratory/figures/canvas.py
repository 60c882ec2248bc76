# SPDX-License-Identifier: Apache-2.0
"""One look for every figure: colours that colour-blind readers can tell apart, no dates, no random ids."""

import html
import io
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402 - the backend is chosen first

SAFE, FAILING, OPEN, EXCLUDED = "#0072b2", "#d55e00", "#b8bec7", "#e6d9a8"
INK, FAINT = "#1f2937", "#9ca3af"
_STYLE: dict[str, Any] = {
    "svg.hashsalt": "safetyboard",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial", "sans-serif"],
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
}


def canvas(width: float, height: float, *, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """Open a figure of so many inches with its axes."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes


def svg(figure: Figure, title: str, description: str) -> str:
    """Write the figure as an SVG element with a title and a description for readers who cannot see it."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    head, _, rest = text.partition(">")
    words = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    return f'{head} role="img">{words}{rest}'
