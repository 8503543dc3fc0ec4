"""Marks: rates with their intervals, items by visitors and conversion."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from shopanalysis.figures.style import (
    ACCENT,
    GOOD,
    INK,
    MUTED,
    WATCH,
    names_beside,
    place,
    shared_start,
)
from shopanalysis.words import Words, shorten, width

VERDICT_COLOURS = {"confirmed": GOOD, "watch": WATCH, "no": MUTED}
VERDICT_MARKERS = {"confirmed": "o", "watch": "D", "no": "x"}
# where a title may stand beside its mark: on the left of it, pixels up; the best first
PLACES = [(left, up) for up in (0, 13, -13, 26, -26, 39, -39) for left in (False, True)]
LEAST_DRAWN = 1 / 50  # of the bar: items with fewer visitors are left out of the scatter


def rate_intervals(
    rates: pd.DataFrame,
    words: Words,
    *,
    metric: str,
    reference: float,
    ax: Axes,
    named: str = "shop_average",
) -> Axes:
    """One row per name: the rate now with its interval, the rate before as a ring.

    rates   source, `metric`, low, high, `metric`_before (shares); drawn in the order given, first on top
    reference   a rate drawn as a line through all rows, such as the shop's own
    named       what the line is, of the texts' [figure]
    """
    narrow = names_beside(ax, rates["source"], right=64)
    rows = np.arange(len(rates))[::-1]
    ax.axvline(reference, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.hlines(rows, rates["low"], rates["high"], color=ACCENT, lw=5, alpha=0.3)
    ax.hlines(rows, rates[f"{metric}_before"], rates[metric], color=MUTED, lw=1)
    ax.plot(rates[f"{metric}_before"], rows, "o", mfc="none", mec=MUTED, ms=6, mew=1.4)
    ax.plot(rates[metric], rows, "o", color=ACCENT, ms=7)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: words.axis_percent(x)))
    ax.xaxis.set_major_locator(MaxNLocator(3 if narrow else 5))
    ax.set_xlim(left=0)
    offset = {"textcoords": "offset points", "annotation_clip": False}
    beside = {"xycoords": ("axes fraction", "data"), "va": "center", "fontweight": "bold"} | offset
    for row, value in zip(rows, rates[metric], strict=True):
        ax.annotate(words.format_field(value, "percent"), (1, row), (6, 0), color=INK, **beside)
    above = {"xycoords": ("data", "axes fraction"), "ha": "center", "fontsize": 10.5} | offset
    ax.annotate(words.say(f"figure.{named}"), (reference, 1), (0, 3), color=MUTED, **above)
    return ax


def item_scatter(
    items: pd.DataFrame, words: Words, *, visitors_bar: float, rate_bar: float, ax: Axes
) -> Axes:
    """Visitors across (log), conversion upward, one mark per item, the two bars drawn.

    items   title, visitors_by_day, conversion, verdict (confirmed, watch, no)
    """
    narrow = place(ax, left=46, right=12, top=10, bottom=44)
    items = items[items["visitors_by_day"] >= visitors_bar * LEAST_DRAWN]
    for verdict, group in items.groupby("verdict"):
        ax.plot(
            group["visitors_by_day"],
            group["conversion"],
            VERDICT_MARKERS[verdict],
            ls="none",
            ms=6,
            color=VERDICT_COLOURS[verdict],
            alpha=0.85,
        )
    ax.axvline(visitors_bar, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.axhline(rate_bar, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: words.short(x)))
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: words.axis_percent(y)))
    ax.set_ylim(0, max([rate_bar, *items["conversion"]]) * 1.12)
    seen = [visitors_bar, *items["visitors_by_day"]]
    ax.set_xlim(min(seen) * 0.8, max(seen) * (1.5 if narrow else 2.5))
    ax.set_xlabel(words.label("visitors_by_day"), labelpad=4)
    _titles(ax, items[items["verdict"] != "no"], 6 if narrow else 11)
    return ax


def _titles(ax: Axes, items: pd.DataFrame, ems: float) -> None:
    """Titles beside their marks, on the side and at the height where they cover no other and no mark,
    and the bars only where there is no other place.

    What all titles start with, such as the brand, is left out; so is a title that has no free place.
    """
    shared = shared_start(list(items["title"]))
    within = ax.get_window_extent()
    at = ax.transData.transform(items[["visitors_by_day", "conversion"]].to_numpy())
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in at]
    bars = [_line_box(line, ax) for line in ax.lines[-2:]]
    order = np.argsort(-items["visitors_by_day"].to_numpy(), kind="stable")
    for number in order:
        item, mark = items.iloc[number], at[number]
        text = shorten(item["title"][shared:] or item["title"], ems)
        size = (11 * width(text), 13)
        others = taken[:number] + taken[number + 1 :]
        for avoided, (left, up) in product((bars + others, others), PLACES):
            box = _label_box(mark, size, left, up)
            inside = box.x0 > within.x0 and box.x1 < within.x1 + 8
            if inside and not box.count_overlaps(avoided):
                taken.append(box)
                _title(ax, item, text, left, up)
                break


def _line_box(line: Line2D, ax: Axes) -> Bbox:
    (x0, y0), (x1, y1) = line.get_transform().transform(line.get_xydata())
    return Bbox.from_extents(min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1)


def _label_box(mark: np.ndarray, size: tuple[float, float], left: bool, up: float) -> Bbox:
    start = mark[0] - 8 - size[0] if left else mark[0] + 8
    return Bbox.from_bounds(start, mark[1] + up - size[1] / 2, *size)


def _title(ax: Axes, item: pd.Series, text: str, left: bool, up: float) -> None:
    ax.annotate(
        text,
        (item["visitors_by_day"], item["conversion"]),
        (-8 if left else 8, up),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=11,
        color=VERDICT_COLOURS[item["verdict"]],
        arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.7} if up else None,
    )
