"""Figures: table in, Axes out, one style; and Axes as SVG that follows the page's colours and fonts.

Every function draws on the `ax` it is given and reads its width from it: below NARROW it is for a phone.
"""

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
    "watch": "#8a6100",
    "bad": "#bf3d12",
    "paper": "#fdfdfe",
}
INK, MUTED, GRID, BAND, ACCENT, GOOD, WATCH, BAD, PAPER = COLOURS.values()
VERDICT_COLOURS = {"confirmed": GOOD, "watch": WATCH, "no": MUTED}
VERDICT_MARKERS = {"confirmed": "o", "watch": "D", "no": "x"}
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
WIDE, NARROW = 720, 420
PHONE = 350
LEAST_DRAWN = 1 / 50  # of the bar: items with fewer visitors are left out of the scatter


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
    body = re.sub(r' id="(?:[a-z]+[a-zA-Z0-9]*_\d+)"', "", body)
    body = re.sub(r" ?font-family: [^;]*;", "", body)
    body = re.sub(r"(\d\.\d\d)\d+", r"\1", body)
    for name, colour in COLOURS.items():
        body = body.replace(colour, f"var(--{name}, {colour})")
    body = re.sub(r"\s*\n\s*", "\n", body)
    return f'<svg viewBox="0 0 {pixels} {height}" aria-hidden="true">\n{body}</svg>'


def _place(ax: Axes, left=8.0, right=8.0, top=10.0, bottom=26.0) -> bool:
    """Set the margins, in pixels; True when the figure is for a phone."""
    across, up = (72 * size for size in ax.figure.get_size_inches())
    ax.set_position(
        (left / across, bottom / up, (across - left - right) / across, (up - top - bottom) / up)
    )
    return across < NARROW


def _money_axis(ax: Axes, words: Words, metric: str) -> None:
    formats = {"sales": words.short_money, "conversion": words.axis_percent}
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: formats.get(metric, words.short)(y)))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.tick_params(axis="y", pad=2)


def _day_axis(ax: Axes, words: Words, days: pd.Series, narrow: bool) -> None:
    marked = pd.DatetimeIndex(days)[:: -max(1, len(days) // (3 if narrow else 6))]
    ax.set_xticks(marked, [words.day(day) for day in marked])


def daily_line(daily: pd.DataFrame, words: Words, *, metric: str, ax: Axes) -> Axes:
    """One metric by day, with what is usual for the weekday.

    daily   date, `metric`, usual, and usual_low and usual_high where the usual range is known
    """
    narrow = _place(ax, left=52, right=14 if narrow_axes(ax) else 74)
    if "usual_low" in daily:
        ax.fill_between(daily["date"], daily["usual_low"], daily["usual_high"], color=BAND, lw=0)
    ax.plot(daily["date"], daily["usual"], color=MUTED, lw=1.2, ls=(0, (4, 3)))
    ax.plot(daily["date"], daily[metric], color=ACCENT)
    last = daily.iloc[-1]
    ax.plot(last["date"], last[metric], "o", color=ACCENT, ms=6)
    ax.set_ylim(bottom=0)
    if not narrow:
        _end_labels(
            ax,
            last["date"],
            {
                words.say("figure.this_day"): (last[metric], ACCENT),
                words.say("figure.usual"): (last["usual"], MUTED),
            },
        )
    _money_axis(ax, words, metric)
    _day_axis(ax, words, daily["date"], narrow)
    return ax


def narrow_axes(ax: Axes) -> bool:
    """Whether `ax` is drawn for a phone."""
    return 72 * ax.figure.get_figwidth() < NARROW


def _end_labels(ax: Axes, x, labels: dict[str, tuple[float, str]]) -> None:
    """Names at the right end of lines, moved apart where they would touch."""
    low, high = ax.get_ylim()
    step = (high - low) * 18 / (72 * ax.figure.get_figheight())
    at = -np.inf
    for text, (y, colour) in sorted(labels.items(), key=lambda label: label[1][0]):
        if pd.isna(y):
            continue
        at = max(y, at + step)
        ax.annotate(text, (x, at), (8, 0), textcoords="offset points", color=colour, va="center")


def bridge(steps: pd.DataFrame, words: Words, *, start: str, end: str, ax: Axes) -> Axes:
    """A waterfall from one amount to another.

    steps   one row per bar in order: factor, amount (currency); the first and last row are whole
            amounts, those between are changes that add up
    start, end   what is written under the two whole amounts, such as their dates
    """
    narrow = _place(ax, left=8, right=8, top=24, bottom=40)
    whole = np.zeros(len(steps), bool)
    whole[[0, -1]] = True
    amounts = steps["amount"].to_numpy()
    tops = np.where(whole, amounts, amounts[0] + np.cumsum(np.where(whole, 0, amounts)))
    bases = np.where(whole, 0, tops - amounts)
    colours = [MUTED if w else GOOD if a >= 0 else BAD for w, a in zip(whole, amounts, strict=True)]
    ax.bar(range(len(steps)), tops - bases, bottom=bases, color=colours, width=0.62)
    for i in range(len(steps) - 1):
        ax.plot([i + 0.31, i + 0.69], [tops[i], tops[i]], color=MUTED, lw=1)
    lowest = _bridge_floor(bases, tops, whole)
    ax.set_ylim(lowest, max(bases.max(), tops.max()) * 1.001)
    if lowest > 0:
        _cut_marks(ax, whole)
    for i, (amount, is_whole) in enumerate(zip(amounts, whole, strict=True)):
        text = words.short_money(amount) if is_whole else words.signed_short_money(amount)
        ax.annotate(
            text,
            (i, max(tops[i], bases[i])),
            (0, 5),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontweight="bold",
            fontsize=11 if narrow else 12,
            annotation_clip=False,
        )
    ax.set_xticks(
        range(len(steps)),
        [_wrapped(words.name("factor", f), 5.5 if narrow else 11) for f in steps["factor"]],
    )
    ax.set_xlim(-0.5, len(steps) - 0.5)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.xaxis.set_tick_params(labelcolor=INK, labelsize=10.5 if narrow else 12)
    for i, label in ((0, start), (len(steps) - 1, end)):
        ax.annotate(
            label,
            (i, 0),
            (0, -32),
            xycoords=("data", "axes fraction"),
            ha="center",
            textcoords="offset points",
            color=MUTED,
            fontsize=10.5,
            annotation_clip=False,
        )
    return ax


def _bridge_floor(bases: np.ndarray, tops: np.ndarray, whole: np.ndarray) -> float:
    """Where the axis starts: at 0, or higher where the changes would be too small to see."""
    seen = np.concatenate([bases[~whole], tops])
    spread = seen.max() - seen.min()
    if seen.min() < 0 or spread > 0.3 * seen.max():
        return min(0.0, float(seen.min()))
    return float(seen.min() - 0.6 * spread)


def _cut_marks(ax: Axes, whole: np.ndarray) -> None:
    """A gap through each whole bar: it does not start at 0."""
    for i in np.flatnonzero(whole):
        ax.annotate("≈", (i, 0.07), xycoords=("data", "axes fraction"), color=PAPER,
                    fontsize=26, ha="center", va="center")  # fmt: skip


def _wrapped(text: str, ems: float) -> str:
    """`text` on up to two lines of `ems` each."""
    if width(text) <= ems or " " not in text:
        return shorten(text, ems)
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if width(longer) <= ems or not lines[-1] else [*lines, word]
    return "\n".join(shorten(line, ems) for line in lines[:2])


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
    narrow = _names_beside(ax, rates["source"], right=64)
    rows = np.arange(len(rates))[::-1]
    ax.axvline(reference, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.hlines(rows, rates["low"], rates["high"], color=ACCENT, lw=5, alpha=0.3)
    ax.plot(rates[f"{metric}_before"], rows, "o", mfc="none", mec=MUTED, ms=6, mew=1.4)
    ax.plot(rates[metric], rows, "o", color=ACCENT, ms=7)
    for row, value in zip(rows, rates[metric], strict=True):
        ax.annotate(
            words.format_field(value, "percent"),
            (1, row),
            (6, 0),
            va="center",
            color=INK,
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontweight="bold",
            annotation_clip=False,
        )
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: words.axis_percent(x)))
    ax.xaxis.set_major_locator(MaxNLocator(3 if narrow else 5))
    ax.set_xlim(left=0)
    ax.annotate(
        words.say(f"figure.{named}"),
        (reference, 1),
        (0, 3),
        ha="center",
        color=MUTED,
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=10.5,
    )
    return ax


def ranked_bars(values: pd.Series, words: Words, *, metric: str, ax: Axes) -> Axes:
    """Horizontal bars in the order given, first on top, each with its value; below zero in the bad colour.

    values   index: names; a value for each, written as `metric` is
    """
    _names_beside(ax, values.index, right=78, top=4, bottom=4)
    rows = np.arange(len(values))[::-1]
    ax.barh(rows, values, color=[BAD if value < 0 else ACCENT for value in values], height=0.62)
    if (values < 0).any():
        ax.axvline(0, color=MUTED, lw=1)
    for row, value in zip(rows, values, strict=True):
        ax.annotate(
            words.cell(metric, value),
            (max(value, 0), row),
            (6, 0),
            va="center",
            textcoords="offset points",
            fontweight="bold",
            annotation_clip=False,
        )
    ax.set_xticks([])
    ax.grid(visible=False)
    return ax


def _names_beside(ax: Axes, names, *, right: float, top=20.0, bottom=26.0) -> bool:
    """Rows with their names on the left, in a margin as wide as the longest."""
    longest = 9 if narrow_axes(ax) else 18
    shown = [shorten(leaf(str(name)), longest) for name in names]
    left = 12.5 * max(map(width, shown), default=1) + 14
    narrow = _place(ax, left=left, right=right, top=top, bottom=bottom)
    ax.set_yticks(np.arange(len(shown))[::-1], shown)
    ax.yaxis.set_tick_params(labelcolor=INK, pad=6)
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    ax.spines["bottom"].set_visible(False)
    return narrow


def funnel(steps: pd.DataFrame, words: Words, *, ax: Axes) -> Axes:
    """Bars from the widest step to the last, each with its count and what share of the step before came on.

    steps   step, count, step_rate (share of the step before), step_before (the same in the past)
    """
    names = [words.name("step", step) for step in steps["step"]]
    narrow = _names_beside(ax, names, right=52 if narrow_axes(ax) else 210, top=4, bottom=4)
    rows = np.arange(len(steps))[::-1]
    ax.barh(rows, steps["count"], color=ACCENT, height=0.62)
    for row, step in zip(rows, steps.itertuples(), strict=True):
        text = words.format_field(step.count, "count" if not narrow else "short")
        if not narrow and not pd.isna(step.step_rate):
            text += "  " + words.say("figure.step", rate=step.step_rate, before=step.step_before)
        ax.annotate(
            text,
            (step.count, row),
            (6, 0),
            va="center",
            textcoords="offset points",
            annotation_clip=False,
        )
    ax.set_xticks([])
    ax.grid(visible=False)
    return ax


def item_scatter(
    items: pd.DataFrame, words: Words, *, visitors_bar: float, rate_bar: float, ax: Axes
) -> Axes:
    """Visitors across (log), conversion upward, one mark per item, the two bars drawn.

    items   title, visitors_by_day, conversion, verdict (confirmed, watch, no)
    """
    narrow = _place(ax, left=46, right=12, top=10, bottom=44)
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
    ax.xaxis.set_minor_formatter("")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: words.axis_percent(y)))
    ax.set_ylim(0, max([rate_bar, *items["conversion"]]) * 1.12)
    seen = [visitors_bar, *items["visitors_by_day"]]
    ax.set_xlim(min(seen) * 0.8, max(seen) * 1.5)
    ax.set_xlabel(words.label("visitors_by_day"), labelpad=4)
    _titles(ax, items[items["verdict"] != "no"], 6 if narrow else 11)
    return ax


def _titles(ax: Axes, items: pd.DataFrame, ems: float) -> None:
    """Titles beside their marks, each moved down or up until it covers no other.

    What all titles start with, such as the brand, is left out.
    """
    shared = _shared_start(list(items["title"]))
    right_edge = ax.get_window_extent().x1
    taken: list[tuple[float, float, float]] = []
    for item in items.sort_values("visitors_by_day", ascending=False).itertuples():
        x, y = ax.transData.transform((item.visitors_by_day, item.conversion))
        text = shorten(item.title[shared:] or item.title, ems)
        on_left = x + 7 + 11 * width(text) > right_edge
        start = x - 7 - 11 * width(text) if on_left else x + 7
        end = start + 11 * width(text)
        for move in (0, 13, -13, 26, -26, 39, -39):
            if all(abs(y + move - v) > 12 or end < u or start > w for u, v, w in taken):
                taken.append((start, y + move, end))
                ax.annotate(
                    text,
                    (item.visitors_by_day, item.conversion),
                    (-7 if on_left else 7, move),
                    textcoords="offset points",
                    ha="right" if on_left else "left",
                    va="center",
                    fontsize=11,
                    color=VERDICT_COLOURS[item.verdict],
                )
                break


def _shared_start(titles: list[str]) -> int:
    """How many characters all titles begin with alike; 0 for a single title."""
    alike = 0
    while len(titles) > 1 and len({title[: alike + 1] for title in titles}) == 1:
        if alike == min(map(len, titles)):
            break
        alike += 1
    return alike


def forecast_fan(
    ahead: pd.DataFrame, words: Words, *, past: pd.DataFrame, metric: str, ax: Axes
) -> Axes:
    """The last days as they were, the days ahead with their 80 % and 95 % ranges.

    ahead   date, expected, low_80, high_80, low_95, high_95
    past    date, `metric`
    """
    narrow = _place(ax, left=52, right=14)
    ax.fill_between(ahead["date"], ahead["low_95"], ahead["high_95"], color=BAND, lw=0, alpha=0.55)
    ax.fill_between(ahead["date"], ahead["low_80"], ahead["high_80"], color=BAND, lw=0)
    ax.plot(past["date"], past[metric], color=MUTED, lw=1.6)
    ax.plot(ahead["date"], ahead["expected"], color=ACCENT)
    ax.axvline(past["date"].iloc[-1], color=MUTED, lw=1)
    ax.set_ylim(0, 1.05 * max(past[metric].max(), ahead["high_95"].max()))
    _money_axis(ax, words, metric)
    _day_axis(ax, words, pd.concat([past["date"], ahead["date"]]), narrow)
    return ax


def chance_lines(chances: pd.DataFrame, words: Words, *, metric: str, ax: Axes) -> Axes:
    """A chance that grows by day, one line per item, its name where the lines are apart.

    chances   date, title, `metric` (0 to 1)
    """
    narrow = _place(ax, left=46, right=14, top=12)
    titles = list(dict.fromkeys(chances["title"]))
    shared = _shared_start(titles)
    for number, title in enumerate(titles):
        line = chances[chances["title"] == title]
        colour = (BAD, ACCENT, WATCH, GOOD, MUTED)[number % 5]
        label = shorten(title[shared:] or title, 9 if narrow else 16)
        ax.plot(line["date"], line[metric], color=colour, label=label)
    ax.axhline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: words.axis_percent(y)))
    ax.legend(loc="upper left", frameon=False, fontsize=11, handlelength=1.2)
    _day_axis(ax, words, chances["date"].drop_duplicates(), narrow)
    return ax
