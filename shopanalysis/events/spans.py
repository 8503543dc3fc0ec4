"""What needs more than one day: visitors who came for the first time, people over seven days."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from shopanalysis.events import engine, visitors
from shopanalysis.events.state import fingerprint

BLOCK = 7  # days whose weeks are counted in one reading


def newcomers(run, names: dict[date, str]) -> dict[date, Path]:
    """Files of the visitors whom each day saw first; made where the day or one before has changed."""
    found: dict[date, Path] = {}
    chain = ""
    for day, name in names.items():
        chain = fingerprint(chain, name)
        target = run.state.path("first", f"{day}-{chain}.parquet")
        if not target.exists():
            whole = engine.read(run.connection, [run.state.path("days", name) / "visitors.parquet"])
            whole = whole.filter(whole.viewed).select("visitor_key")
            if found:
                known = engine.read(run.connection, list(found.values()))
                whole = visitors.newcomers(whole, known)
            _write(run, "first", whole, target)
        found[day] = target
    run.state.keep_only("first", [file.name for file in found.values()])
    return found


def _write(run, part: str, table, target: Path) -> None:
    aside = run.state.aside(part)
    run.connection.to_parquet(table, aside)
    os.replace(aside, target)


def weeks(run, names: dict[date, str]) -> list[Path]:
    """Files of people by item over the seven days that end on each day from the log's first to its last."""
    if not names:
        return []
    wanted = {day: _week_name(day, names) for day in _every_day(names)}
    absent = [day for day, name in wanted.items() if not run.state.path("weeks", name).exists()]
    for block in _blocks(absent):
        _make_weeks(run, block, names, wanted)
    run.state.keep_only("weeks", wanted.values())
    return [run.state.path("weeks", name) for name in wanted.values()]


def _every_day(names: dict[date, str]) -> list[date]:
    """Days of the log, and the six after each: they too end a stretch in which people came."""
    last = max(names)
    within = {day + timedelta(days=n) for day in names for n in range(visitors.WEEK)}
    return sorted(day for day in within if day <= last)


def _stretch(first: date, last: date, names: dict[date, str]) -> dict[date, str]:
    length = (last - first).days + visitors.WEEK
    days = [last - timedelta(days=n) for n in range(length)]
    return {day: names[day] for day in reversed(days) if day in names}


def _week_name(day: date, names: dict[date, str]) -> str:
    return f"{day}-{fingerprint(tuple(_stretch(day, day, names).values()))}.parquet"


def _blocks(days: list[date]) -> list[list[date]]:
    """`days` in groups that lie within BLOCK days of each other."""
    blocks: list[list[date]] = []
    for day in days:
        if blocks and (day - blocks[-1][0]).days < BLOCK:
            blocks[-1].append(day)
        else:
            blocks.append([day])
    return blocks


def _make_weeks(run, block: list[date], names: dict[date, str], wanted: dict[date, str]) -> None:
    import ibis

    parts = [
        engine.read(run.connection, [run.state.path("days", name) / "pairs.parquet"]).mutate(
            day=ibis.literal(day.toordinal(), "int32")
        )
        for day, name in _stretch(block[0], block[-1], names).items()
    ]
    pairs = ibis.union(*parts) if len(parts) > 1 else parts[0]
    counted = {
        column: visitors.leaving(pairs.filter(pairs[did]), visitors.WEEK).to_pandas()
        for column, did in (("visitors", "viewed"), ("buyers", "paid"))
    }
    for day in block:
        columns = {name: _present(found, day) for name, found in counted.items()}
        table = pd.DataFrame(columns).fillna(0).rename_axis("item_id").reset_index()
        target = run.state.path("weeks", wanted[day])
        aside = run.state.aside("weeks")
        table.assign(date=pd.Timestamp(day)).to_parquet(aside, index=False)
        os.replace(aside, target)


def _present(found: pd.DataFrame, day: date) -> pd.Series:
    """People by item whose stretch covers `day`."""
    covering = found[(found["day"] <= day.toordinal()) & (found["until"] > day.toordinal())]
    return covering.groupby("item_id")["people"].sum().astype(float)
