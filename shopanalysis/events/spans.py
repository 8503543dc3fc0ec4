"""What needs more than one day: visitors who came for the first time, people over seven days."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

import pandas as pd

from shopanalysis.events import visitors
from shopanalysis.events.one_day import EPOCH
from shopanalysis.events.state import fingerprint

BLOCK = 14  # days whose weeks are counted in one reading


def day_files(run, names: dict[date, str], file: str) -> list[Path]:
    """One file of every day of `names`."""
    return [run.state.path("days", name) / f"{file}.parquet" for name in names.values()]


def newcomers(run, names: dict[date, str]) -> list[Path]:
    """Files of the visitors whom each day saw first: visitor_key, day.

    A file says in its name to which day it reaches and, by a fingerprint, what that day and all before
    were made from. It is kept while that holds; the days after the last such file are made together.
    """
    prints = accumulate(names.values(), fingerprint, initial="")
    ends = {f"{day}-{told}.parquet": day for day, told in zip(names, list(prints)[1:], strict=True)}
    found = [name for name in ends if run.state.path("first", name).exists()]
    reached = max((ends[name] for name in found), default=date.min)
    run.state.keep_only("first", found)
    files = [run.state.path("first", name) for name in found]
    if rest := {day: name for day, name in names.items() if day > reached}:
        known = run.engine.read(files).select("visitor_key") if files else None
        viewers = run.engine.read(day_files(run, rest, "viewers"))
        target = run.state.path("first", list(ends)[-1])
        aside = run.state.aside("first")
        run.engine.write(visitors.newcomers(viewers, known), aside)
        os.replace(aside, target)
        files.append(target)
    return files


def weeks(run, names: dict[date, str]) -> list[Path]:
    """Files of people by item over the seven days that end on each day of the log, empty ones too."""
    wanted = {day: _week_name(day, names) for day in _every_day(names)}
    absent = [day for day, name in wanted.items() if not run.state.path("weeks", name).exists()]
    for block in _blocks(absent):
        _make_weeks(run, block, names, wanted)
    run.state.keep_only("weeks", wanted.values())
    return [run.state.path("weeks", name) for name in wanted.values()]


def _every_day(names: dict[date, str]) -> list[date]:
    """Days of the log, and the six after each: they too end a stretch in which people came."""
    within = {day + timedelta(days=n) for day in names for n in range(visitors.WEEK)}
    return sorted(day for day in within if day <= max(names))


def _stretch(first: date, last: date, names: dict[date, str]) -> dict[date, str]:
    """Days of the weeks that end on `first` to `last`."""
    begin = first - timedelta(days=visitors.WEEK - 1)
    return {day: name for day, name in names.items() if begin <= day <= last}


def _week_name(day: date, names: dict[date, str]) -> str:
    return f"{day}-{fingerprint(tuple(_stretch(day, day, names).values()))}.parquet"


def _blocks(days: Sequence[date]) -> Iterator[list[date]]:
    """`days` in groups that lie within BLOCK days of each other."""
    block: list[date] = []
    for day in days:
        if block and (day - block[0]).days >= BLOCK:
            yield block
            block = []
        block.append(day)
    if block:
        yield block


def _make_weeks(run, block: list[date], names: dict[date, str], wanted: dict[date, str]) -> None:
    stretch = _stretch(block[0], block[-1], names)
    pairs = run.engine.read(day_files(run, stretch, "pairs"))
    ends = [(day - EPOCH).days for day in block]
    counted = run.engine.frame(visitors.over_days(pairs, (min(stretch) - EPOCH).days, ends))
    for day, end in zip(block, ends, strict=True):
        people = {"visitors": counted[f"viewed_{end}"], "buyers": counted[f"paid_{end}"]}
        table = pd.DataFrame({"item_id": counted["item_id"], "date": pd.Timestamp(day)} | people)
        aside = run.state.aside("weeks")
        came = table["visitors"].gt(0) | table["buyers"].gt(0)
        table[came].to_parquet(aside, index=False)
        os.replace(aside, run.state.path("weeks", wanted[day]))
