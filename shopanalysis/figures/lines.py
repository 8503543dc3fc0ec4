"""Lines over days: one metric against its usual, a forecast with its ranges, chances that grow."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from shopanalysis.figures.style import (
    ACCENT,
    BAND,
    INK,
    MUTED,
    day_axis,
    end_labels,
    money_axis,
    narrow_axes,
    place,
    shared_start,
)
from shopanalysis.words import Words, shorten

# how lines differ that stand for no verdict
LOOKS = (
    {"color": ACCENT},
    {"color": INK},
    {"color": MUTED},
    {"color": ACCENT, "ls": (0, (4, 2))},
    {"color": INK, "ls": (0, (4, 2))},
)


def daily_line(daily: pd.DataFrame, words: Words, *, metric: str, ax: Axes) -> Axes:
    """One metric by day, with what is usual for the weekday.

    daily   date, `metric`, usual, and usual_low and usual_high where the usual range is known
    """
    narrow = place(ax, left=52, right=14 if narrow_axes(ax) else 74)
    if "usual_low" in daily:
        ax.fill_between(daily["date"], daily["usual_low"], daily["usual_high"], color=BAND, lw=0)
    ax.plot(daily["date"], daily["usual"], color=MUTED, lw=1.2, ls=(0, (4, 3)))
    ax.plot(daily["date"], daily[metric], color=ACCENT)
    last = daily.iloc[-1]
    ax.plot(last["date"], last[metric], "o", color=ACCENT, ms=6)
    ax.set_ylim(bottom=0)
    if not narrow:
        end_labels(
            ax,
            last["date"],
            {
                words.say("figure.this_day"): (last[metric], ACCENT),
                words.say("figure.usual"): (last["usual"], MUTED),
            },
        )
    money_axis(ax, words, metric)
    day_axis(ax, words, daily["date"], narrow)
    return ax


def forecast_fan(
    ahead: pd.DataFrame, words: Words, *, past: pd.DataFrame, metric: str, ax: Axes
) -> Axes:
    """The last days as they were, the days ahead with their 80 % and 95 % ranges.

    ahead   date, expected, low_80, high_80, low_95, high_95
    past    date, `metric`
    """
    narrow = place(ax, left=52, right=14)
    ax.fill_between(ahead["date"], ahead["low_95"], ahead["high_95"], color=BAND, lw=0, alpha=0.55)
    ax.fill_between(ahead["date"], ahead["low_80"], ahead["high_80"], color=BAND, lw=0)
    ax.plot(past["date"], past[metric], color=MUTED, lw=1.6)
    ax.plot(ahead["date"], ahead["expected"], color=ACCENT)
    ax.axvline(past["date"].iloc[-1], color=MUTED, lw=1)
    ax.set_ylim(0, 1.05 * max(past[metric].max(), ahead["high_95"].max()))
    money_axis(ax, words, metric)
    day_axis(ax, words, pd.concat([past["date"], ahead["date"]]), narrow)
    return ax


def chance_lines(chances: pd.DataFrame, words: Words, *, metric: str, ax: Axes) -> Axes:
    """A chance that grows by day, one line per item, its name where the lines are apart.

    chances   date, title, `metric` (0 to 1)
    """
    narrow = place(ax, left=46, right=14, top=12)
    titles = list(dict.fromkeys(chances["title"]))
    shared = shared_start(titles)
    for number, title in enumerate(titles):
        line = chances[chances["title"] == title]
        look = LOOKS[number % len(LOOKS)]
        label = shorten(title[shared:] or title, 9 if narrow else 16)
        ax.plot(line["date"], line[metric], label=label, **look)
    ax.axhline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: words.axis_percent(y)))
    ax.legend(loc="upper left", frameon=False, fontsize=11, handlelength=1.2)
    day_axis(ax, words, chances["date"].drop_duplicates(), narrow)
    return ax
