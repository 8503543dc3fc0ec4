"""Bars: a bridge that adds up, a ranking, a funnel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from shopanalysis.figures.style import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    MUTED,
    PAPER,
    names_beside,
    narrow_axes,
    place,
)
from shopanalysis.words import Words, shorten, width


def bridge(steps: pd.DataFrame, words: Words, *, start: str, end: str, ax: Axes) -> Axes:
    """A waterfall from one amount to another.

    steps   one row per bar in order: factor, amount (currency); the first and last row are whole
            amounts, those between are changes that add up
    start, end   what is written under the two whole amounts, such as their dates
    """
    narrow = place(ax, left=8, right=8, top=24, bottom=40)
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
    end_kind, step_kind = _bridge_kinds(narrow)
    kinds = np.where(whole, end_kind, step_kind)
    texts = [words.format_field(*amount) for amount in zip(amounts, kinds, strict=True)]
    for i, text in enumerate(texts):
        _above(ax, text, (i, max(tops[i], bases[i])), 11 if narrow else 12)
    _bridge_axis(ax, [words.name("factor", f) for f in steps["factor"]], (start, end), narrow)
    return ax


def _above(ax: Axes, text: str, at: tuple[float, float], size: float) -> None:
    offset = {"textcoords": "offset points", "ha": "center", "annotation_clip": False}
    ax.annotate(text, at, (0, 5), color=INK, fontweight="bold", fontsize=size, **offset)


def _bridge_kinds(narrow: bool) -> tuple[str, str]:
    """How the amounts at a bridge's ends are written, and those of the steps between."""
    return ("short_money", "signed_short_money") if narrow else ("money", "signed_money")


def _bridge_axis(ax: Axes, names: list[str], ends: tuple[str, str], narrow: bool) -> None:
    """The factors under their bars, and under the first and the last bar what they are."""
    ax.set_xticks(range(len(names)), [_wrapped(name, 5.5 if narrow else 11) for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.xaxis.set_tick_params(labelcolor=INK, labelsize=10.5 if narrow else 12)
    below = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points",
             "ha": "center", "annotation_clip": False}  # fmt: skip
    for i, label in zip((0, len(names) - 1), ends, strict=True):
        ax.annotate(label, (i, 0), (0, -32), color=MUTED, fontsize=10.5, **below)


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


def ranked_bars(values: pd.Series, words: Words, *, metric: str, ax: Axes) -> Axes:
    """Horizontal bars in the order given, first on top, each with its value; below zero in the bad colour.

    values   index: names; a value for each, written as `metric` is
    """
    names_beside(ax, values.index, right=78, top=4, bottom=4)
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


def funnel(steps: pd.DataFrame, words: Words, *, ax: Axes) -> Axes:
    """Bars from the widest step to the last, each with its count and what share of the step before came on.

    steps   step, count, step_rate (share of the step before), step_before (the same in the past)
    """
    names = [words.name("step", step) for step in steps["step"]]
    narrow = names_beside(ax, names, right=52 if narrow_axes(ax) else 210, top=4, bottom=4)
    rows = np.arange(len(steps))[::-1]
    ax.barh(rows, steps["count"], color=ACCENT, height=0.62)
    for row, step in zip(rows, steps.itertuples(), strict=True):
        text = words.format_field(step.count, "count" if not narrow else "short")
        if not narrow and not pd.isna(step.step_rate):
            text += " · " + words.say("figure.step", rate=step.step_rate, before=step.step_before)
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
