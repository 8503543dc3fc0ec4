"""What needs more than one day: visitors who came for the first time, people over seven days.

People of a week cost what its last day costs: how long they had not been there is kept for each day.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from shopanalysis.events import visitors
from shopanalysis.events.one_day import DAY, EPOCH, name_day
from shopanalysis.events.state import fingerprint
from shopanalysis.events.visitors import Came

T = TypeVar("T")


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
        people = run.engine.read(day_files(run, rest, "people"))
        target = run.state.path("first", list(ends)[-1])
        aside = run.state.aside("first")
        run.engine.write(visitors.newcomers(people, known), aside)
        os.replace(aside, target)
        files.append(target)
    return files


def weeks(run, names: dict[date, str]) -> list[Path]:
    """Files of people by item over the seven days that end on each day of the log, empty ones too."""
    gaps = _gaps(run, names)
    wanted = {day: _name(day, names) for day in _every_day(names)}
    if absent := [
        day for day, name in wanted.items() if not run.state.path("weeks", name).exists()
    ]:
        _make_weeks(run, gaps, absent, wanted)
    run.state.keep_only("weeks", wanted.values())
    return [run.state.path("weeks", name) for name in wanted.values()]


def _every_day(names: dict[date, str]) -> list[date]:
    """Days of the log, and the six after each: they too end a week in which people came."""
    within = {day + timedelta(days=n) for day in names for n in range(visitors.WEEK)}
    return sorted(day for day in within if day <= max(names))


def _week(last: date, days: Mapping[date, T]) -> dict[date, T]:
    """Those of `days` that lie in the week that ends on `last`."""
    first = last - timedelta(days=visitors.WEEK - 1)
    return {day: one for day, one in days.items() if first <= day <= last}


def _name(last: date, names: dict[date, str]) -> str:
    return f"{last}-{fingerprint(tuple(_week(last, names).values()))}.parquet"


def _gaps(run, names: dict[date, str]) -> dict[date, Path]:
    """By day of the log: people by item and by how long they had not been there."""
    files = {day: run.state.path("gaps", _name(day, names)) for day in names}
    asked = _question()
    for day, file in files.items():
        if not file.exists():
            _name_came(run, day, _week(day, names))
            aside = run.state.aside("gaps")
            run.engine.write(asked, aside)
            os.replace(aside, file)
    run.state.keep_only("gaps", [file.name for file in files.values()])
    return files


CAME = {
    "people": {"visitor": "int32", "visitor_key": "string", "viewed": "boolean", "day": "int32"},
    "items": {"item_id": "string", "item": "int32", "day": "int32"},
    "pairs": {
        "visitor": "int32", "item": "int32", "viewed": "boolean", "paid": "boolean", "day": "int32",
    },
}  # fmt: skip


def _question():
    """The gaps of a day, over the names that _name_came() gives."""
    import ibis

    today, before = (
        Came(**{part: ibis.table(schema, name=f"{part}_{when}") for part, schema in CAME.items()})
        for when in ("today", "before")
    )
    day = ibis.table({"day": "int32"}, name=DAY)
    return visitors.gaps(today, before, day).cross_join(day)


def _name_came(run, day: date, week: dict[date, str]) -> None:
    import ibis

    number = (day - EPOCH).days
    name_day(run, day)
    for part, schema in CAME.items():
        run.engine.name_files(f"{part}_of_the_week", day_files(run, week, part))
        table = ibis.table(schema, name=f"{part}_of_the_week")
        run.engine.name(f"{part}_today", table.filter(table.day == number))
        run.engine.name(f"{part}_before", table.filter(table.day < number))


def _make_weeks(run, gaps: dict[date, Path], days: list[date], wanted: dict[date, str]) -> None:
    files = {file for day in days for file in _week(day, gaps).values()}
    numbers = {(day - EPOCH).days: day for day in days}
    counted = run.engine.frame(visitors.weeks(run.engine.read(sorted(files)), list(numbers)))
    for number, some in counted.groupby("end"):
        table = some.rename(columns={"end": "date"}).sort_values("item_id")
        aside = run.state.aside("weeks")
        table[table["visitors"].gt(0) | table["buyers"].gt(0)].to_parquet(aside, index=False)
        os.replace(aside, run.state.path("weeks", wanted[numbers[number]]))
