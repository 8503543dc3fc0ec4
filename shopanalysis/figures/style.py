"""The one style of all figures, what several shapes share, and Axes as SVG in the page's colours."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from shopanalysis.tables import leaf
from shopanalysis.words import Words, shorten, width

# name of the colour on the page -> the colour drawn, which is also what is seen outside a report
COLOURS = {
    "ink": "#1b1f24",
    "muted": "#5b6471",
    "grid": "#dfe3e8",
    "band": "#d5e3f7",
    "accent": "#1f5fbf",
    "good": "#0a7866",
    "watch": "#936500",
    "bad": "#b0123b",
    "paper": "#fdfdfe",
}
INK, MUTED, GRID, BAND, ACCENT, GOOD, WATCH, BAD, PAPER = COLOURS.values()
# the same colours in JupyterLab's light and dark themes, in its names for them
IN_JUPYTER = {
    "ink": "var(--jp-ui-font-color1,{})",
    "muted": "var(--jp-ui-font-color2,{})",
    "grid": "var(--jp-border-color2,{})",
    "band": "color-mix(in srgb,var(--jp-brand-color1,#1f5fbf) 25%,transparent)",
    "accent": "var(--jp-brand-color1,{})",
    "good": "var(--jp-success-color1,{})",
    "watch": "var(--jp-warn-color1,{})",
    "bad": "var(--jp-error-color1,{})",
    "paper": "var(--jp-layout-color0,{})",
}
# the colours of a figure: the page's; without a page JupyterLab's; without either those drawn
PAGE_COLOURS = "".join(
    f"--f-{name}:var(--{name},{IN_JUPYTER[name].format(colour)});"
    for name, colour in COLOURS.items()
)
STYLE = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": GRID,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.bottom": False,
    "ytick.left": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "shopanalysis",
    "lines.linewidth": 2,
}
WIDE, NARROW = 640, 420
PHONE = 350


def svg(draw: Callable[..., Axes], *args, pixels: int, height: int, **kwargs) -> str:
    """`draw(*args, ax=…, **kwargs)` as one <svg> element, `pixels` wide, its colours those of the page."""
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(pixels / 72, height / 72), dpi=72)
        draw(*args, ax=figure.add_axes((0, 0, 1, 1)), **kwargs)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _as_part_of_a_page(file.getvalue(), pixels, height)


def _as_part_of_a_page(drawing: str, pixels: int, height: int) -> str:
    body = drawing[drawing.index("<defs>") : drawing.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r' id="[a-zA-Z.]+[a-zA-Z0-9]*_\d+"', "", body)
    body = re.sub(r" ?font-family: [^;]*;", "", body)
    body = re.sub(r"(\d\.\d\d)\d+", r"\1", body)
    for name, colour in COLOURS.items():
        body = body.replace(colour, f"var(--f-{name})")
    body = re.sub(r"\s*\n\s*", "\n", body)
    return f'<svg viewBox="0 0 {pixels} {height}" aria-hidden="true">\n{body}</svg>'


def narrow_axes(ax: Axes) -> bool:
    """Whether `ax` is drawn for a phone."""
    return 72 * ax.figure.get_figwidth() < NARROW


def place(ax: Axes, left=8.0, right=8.0, top=10.0, bottom=26.0) -> bool:
    """Set the margins, in pixels; True when the figure is for a phone."""
    across, up = (72 * size for size in ax.figure.get_size_inches())
    ax.set_position(
        (left / across, bottom / up, (across - left - right) / across, (up - top - bottom) / up)
    )
    return across < NARROW


def money_axis(ax: Axes, words: Words, metric: str) -> None:
    """At most four values upward, written as `metric` is: ¥1.2万 or ¥12k, 2%."""
    formats = {"sales": words.short_money, "conversion": words.axis_percent}
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: formats.get(metric, words.short)(y)))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.tick_params(axis="y", pad=2)


def day_axis(ax: Axes, words: Words, days: pd.Series, narrow: bool) -> None:
    """The last day and some before it, as the language writes days."""
    marked = pd.DatetimeIndex(days)[:: -max(1, len(days) // (3 if narrow else 6))]
    ax.set_xticks(marked, [words.day(day) for day in marked])


def end_labels(ax: Axes, x, labels: dict[str, tuple[float, str]]) -> None:
    """Names at the right end of lines, moved apart where they would touch."""
    low, high = ax.get_ylim()
    step = (high - low) * 18 / (72 * ax.figure.get_figheight())
    at = -np.inf
    for text, (y, colour) in sorted(labels.items(), key=lambda label: label[1][0]):
        if pd.isna(y):
            continue
        at = max(y, at + step)
        ax.annotate(text, (x, at), (8, 0), textcoords="offset points", color=colour, va="center")


def names_beside(ax: Axes, names, *, right: float, top=20.0, bottom=26.0) -> bool:
    """Rows with their names on the left, in a margin as wide as the longest."""
    longest = 9 if narrow_axes(ax) else 18
    shown = [shorten(leaf(str(name)), longest) for name in names]
    left = 12.5 * max(map(width, shown), default=1) + 14
    narrow = place(ax, left=left, right=right, top=top, bottom=bottom)
    ax.set_yticks(np.arange(len(shown))[::-1], shown)
    ax.yaxis.set_tick_params(labelcolor=INK, pad=6)
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    ax.spines["bottom"].set_visible(False)
    return narrow


def shared_start(titles: list[str]) -> int:
    """How many characters all titles begin with alike; 0 for a single title."""
    alike = 0
    while len(titles) > 1 and len({title[: alike + 1] for title in titles}) == 1:
        if alike == min(map(len, titles)):
            break
        alike += 1
    return alike
