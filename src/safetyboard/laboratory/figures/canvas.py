# SPDX-License-Identifier: Apache-2.0
"""One look for every figure: colours that colour-blind readers can tell apart, no dates, no random ids."""

import functools
import html
import io
import re
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

Drawn = ParamSpec("Drawn")

# Light values stand for themselves in what matplotlib writes and are then turned into CSS variables, so each is
# used for one role only. Blue and vermilion are those of Okabe and Ito 2008, darkened for white text on them.
SAFE, FAILING, OPEN, EXCLUDED, OTHER = "#0067a5", "#c44f00", "#c9d0d9", "#e9d083", "#7a4b94"
INK, QUIET, FAINT, GRID, CARD = "#1a2330", "#566172", "#8b95a4", "#e1e6ec", "#fefefe"
ON_SAFE, ON_FAILING, ON_OPEN = "#fffffe", "#fffefe", "#1a2331"
PALETTE: Mapping[str, tuple[str, str]] = {
    SAFE: ("safe", "#5fb3e8"),
    FAILING: ("failing", "#ff9a5c"),
    OPEN: ("open", "#4b5766"),
    EXCLUDED: ("excluded", "#a58c3f"),
    OTHER: ("other", "#c7a0dd"),
    INK: ("ink", "#e9edf2"),
    QUIET: ("quiet", "#aab4c1"),
    FAINT: ("faint", "#76828f"),
    GRID: ("grid", "#2a323d"),
    CARD: ("card", "#161b22"),
    ON_SAFE: ("on-safe", "#0c1116"),
    ON_FAILING: ("on-failing", "#0c1117"),
    ON_OPEN: ("on-open", "#e9edf3"),
}
WIDTH = 6.9
"""Inches; at this width ten points read well in a column of text."""
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


def styled(draw: Callable[Drawn, str]) -> Callable[Drawn, str]:
    """Make a drawing function draw in the house's style, whatever matplotlib was told elsewhere."""

    @functools.wraps(draw)
    def drawn(*args: Drawn.args, **kwargs: Drawn.kwargs) -> str:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return drawn


def canvas(height: float, *, rows: int = 1, columns: int = 1, **layout: Any) -> tuple[Figure, Any]:
    """Open a figure of the usual width with a grid of axes.

    Args:    height: inches. layout: further keywords of ``Figure.subplots``.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **layout)


def legend(figure: Figure, entries: Mapping[str, str | Any], *, columns: int | None = None) -> None:
    """Put one line of keys above the plot; an entry is a colour or a matplotlib artist."""
    handles = [
        Patch(facecolor=entry, edgecolor="none", label=label) if isinstance(entry, str) else entry
        for label, entry in entries.items()
    ]
    figure.legend(
        handles=handles, labels=list(entries), loc="outside upper left", ncols=columns or len(handles),
        handlelength=1.1, columnspacing=1.4, borderpad=0.1,
    )  # fmt: skip


def beside(axis: Any, text: str, place: tuple[float, float], **how: Any) -> None:
    """Write a text a little to the right of a point of the plot."""
    axis.annotate(text, place, xytext=(5, 0), textcoords="offset points", va="center", annotation_clip=False, **how)


def plain_ticks(axis: Any) -> None:
    """Write the ticks of a logarithmic axis as a person would."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value) if abs(value) < 1e4 else f"{value:,.0f}"))


def svg(figure: Figure, name: str, title: str, description: str) -> str:
    """Write the figure as an ``<svg>`` element that stands alone or inside a page.

    Colours are CSS variables with a light and a dark value; every id begins with `name`, so that many figures fit on
    one page; title and description serve readers who do not see it.

    Args:    name: letters, digits and hyphens; also salts the ids, which makes the bytes repeatable.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(url\(|xlink:href=")#', rf"\1#{name}-", text)
    text = text.replace("'DejaVu Sans'", FONTS).replace("*{stroke", ".sb-figure *{stroke")
    for light, (role, _) in PALETTE.items():
        text = text.replace(light, f"var(--sb-{role}, {light})")
    head, _, rest = text.partition(">")
    head = re.sub(r'\b(width|height)="[^"]*"\s*', "", head)
    words = (
        f'<title id="{name}-title">{html.escape(title)}</title>'
        f'<desc id="{name}-desc">{html.escape(description)}</desc><style>{_sheet()}</style>'
    )
    labels = f'class="sb-figure" role="img" aria-labelledby="{name}-title {name}-desc"'
    return f"{head} {labels}>{words}{rest.strip()}"


def _sheet() -> str:
    light = "".join(f"--sb-{role}:{value};" for value, (role, _) in PALETTE.items())
    dark = "".join(f"--sb-{role}:{value};" for role, value in PALETTE.values())
    return f".sb-figure{{{light}}}@media screen and (prefers-color-scheme:dark){{.sb-figure{{{dark}}}}}"


def name_of(title: str) -> str:
    """Make a name for ids out of a title."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "figure"


def number(value: float) -> str:
    """Write a number the way a person reads it: three significant digits, a true minus sign."""
    return f"{value:.3g}".replace("-", "\u2212")


def shortened(text: str, limit: int = 34) -> str:
    """Cut a long label in the middle, so that its beginning and end stay readable."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"
