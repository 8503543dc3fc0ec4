"""Grids: the same small line for several metrics, days of a calendar by colour."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from shopanalysis.calendars import DAY
from shopanalysis.figures.style import ACCENT, BAND, INK, MUTED, narrow_axes, place
from shopanalysis.words import Words

SHADES = (0.1, 0.28, 0.5, 0.75, 1.0)  # of the accent's colour, least to most
HEAD = 47  # pixels above a small panel, for its name and last value


def small_multiples(panels: pd.DataFrame, words: Words, *, ax: Axes) -> Axes:
    """One small line per metric, all over the same days, each with its own scale and last value.

    panels   date, metric, value, and usual_low and usual_high where the usual range is known
    """
    metrics = list(dict.fromkeys(panels["metric"]))
    place(ax, left=0, right=0, top=0, bottom=0)
    ax.set_axis_off()
    columns = 1 if narrow_axes(ax) else 2
    rows = -(-len(metrics) // columns)
    above = min(HEAD / (72 * ax.figure.get_figheight()), 0.34 / rows)
    for number, metric in enumerate(metrics):
        row, column = divmod(number, columns)
        box = (column / columns, 1 - (row + 1) / rows, 0.94 / columns, 1 / rows - above)
        _panel(ax.inset_axes(box), panels[panels["metric"] == metric], words, metric)
    return ax


def _panel(ax: Axes, panel: pd.DataFrame, words: Words, metric: str) -> None:
    if "usual_low" in panel:
        ax.fill_between(panel["date"], panel["usual_low"], panel["usual_high"], color=BAND, lw=0)
    ax.plot(panel["date"], panel["value"], color=ACCENT, lw=1.6)
    last = panel.iloc[-1]
    ax.plot(last["date"], last["value"], "o", color=ACCENT, ms=5, clip_on=False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    above = {"textcoords": "offset points", "xycoords": "axes fraction", "annotation_clip": False}
    ax.annotate(words.label(metric), (0, 1), (0, 8), color=MUTED, **above)
    value = words.cell(metric, last["value"])
    ax.annotate(value, (1, 1), (0, 8), ha="right", color=INK, fontweight="bold", **above)


def calendar_heat_map(daily: pd.DataFrame, words: Words, *, metric: str, ax: Axes) -> Axes:
    """Days as cells, a column for each week and a row for each weekday; the stronger, the more.

    daily   date, `metric`; in five shades, each with as many days
    """
    known = daily.dropna(subset=[metric])
    days = pd.DatetimeIndex(known["date"])
    mondays = days - pd.to_timedelta(days.day_of_week, unit="D")
    weeks = (mondays - mondays.min()).days // 7
    place(ax, left=44, right=4, top=22, bottom=28)
    rank = known[metric].rank(method="first").to_numpy(int) - 1
    shades = rank * len(SHADES) // len(known)
    _cells(ax, weeks, 6 - days.day_of_week, shades)
    ax.set_xlim(-0.5, weeks.max() + 0.5)
    ax.set_ylim(-0.5, 6.5)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([6, 4, 2, 0], [words.short_weekday(mondays[0] + d * DAY) for d in (0, 2, 4, 6)])
    _months_above(ax, weeks, days, words)
    _key(
        ax, [words.format_field(end, "short") for end in (known[metric].min(), known[metric].max())]
    )
    return ax


def _cells(ax: Axes, across: pd.Index, up: pd.Index, shades: np.ndarray, size: float = 0.9) -> None:
    corners = np.column_stack([across, up]) - size / 2
    for shade, alpha in enumerate(SHADES):
        cells = [Rectangle(corner, size, size) for corner in corners[shades == shade]]
        ax.add_collection(PatchCollection(cells, color=ACCENT, alpha=alpha, lw=0))


def _months_above(ax: Axes, weeks: pd.Index, days: pd.DatetimeIndex, words: Words) -> None:
    """Each month's name above the week it begins in, where there is room for it."""
    last = -np.inf
    room = 0.06 * (weeks.max() + 1) * (2 if narrow_axes(ax) else 1)
    for week, day in zip(weeks, days, strict=True):
        if day.day <= 7 and week - last > room:
            at = {"xycoords": "data", "textcoords": "offset points", "annotation_clip": False}
            ax.annotate(words.short_month(day), (week - 0.45, 6.5), (0, 5), color=MUTED, **at)
            last = week


def _key(ax: Axes, ends: list[str]) -> None:
    """The shades from least to most, with the two values they lie between."""
    offsets = {"textcoords": "offset points", "xycoords": "axes fraction", "annotation_clip": False}
    start = 12 + 6.6 * len(ends[0])
    for number, shade in enumerate(SHADES):
        ax.annotate("■", (0, 0), (start + 15 * number, -20), color=ACCENT, alpha=shade, **offsets)
    ax.annotate(ends[0], (0, 0), (0, -20), color=MUTED, **offsets)
    ax.annotate(ends[1], (0, 0), (start + 15 * len(SHADES) + 4, -20), color=MUTED, **offsets)
