"""The whole way from a shop's log to its tables, day by day.

A day is made from the files that hold rows of it: a new one is made alone, a restated one again,
and what was made before a run was killed stays. Tables change at the end, all of them or none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shopanalysis import salt
from shopanalysis.errors import DataError
from shopanalysis.events import engine, log, one_day, state
from shopanalysis.events.clock import Clock
from shopanalysis.events.engine import Engine
from shopanalysis.events.one_day import Written
from shopanalysis.events.settings import Format, Settings, format_of, settings
from shopanalysis.events.state import State, fingerprint
from shopanalysis.exports import landing
from shopanalysis.shop import Shop

Progress = Callable[[int, int, str], None]  # done, whole, name


@dataclass(frozen=True)
class Reduced:
    """What reduce() did.

    days      days of the log; done: of them made now; future: rows after today, left out
    written   tables that were made; kept: those that exports state, left as they were
    counted   rows read and left out, by reason, over all days
    """

    days: tuple[date, ...]
    done: tuple[date, ...]
    written: tuple[str, ...]
    kept: tuple[str, ...]
    counted: dict[str, int]


@dataclass
class Run:
    """One run over a shop's log."""

    shop: Shop
    asked: Settings
    format: Format
    state: State
    engine: Engine
    salt: str
    today: date
    progress: Progress
    written: dict[Path, Written] = field(default_factory=dict)
    asked_of: dict[object, one_day.Questions] = field(default_factory=dict)
    done: list[date] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def questions(self, schema) -> one_day.Questions:
        """What is asked of a day whose log has the columns of `schema`, put together once."""
        if schema not in self.asked_of:
            self.asked_of[schema] = one_day.questions(self, schema)
        return self.asked_of[schema]


def reduce(
    shop: Shop, today: date | None = None, progress: Progress = lambda done, whole, name: None
) -> Reduced:
    """Make the tables of the log of `shop` that are not as the log is.

    Raises DataError for a log that cannot be read, and where memory or disk do not suffice; then
    tables are as before, and days that were finished are not made again.
    """
    asked = settings(shop.folder / "shop.toml", shop.events)
    kept = State(shop.folder)
    landing.finish(shop.folder)
    kept.remove_unfinished()
    spill = Path(asked.spill) if asked.spill else kept.place / "spill"
    with engine.failures(asked):
        columns, connected = format_of(asked), engine.connect(asked, spill)
        secret = salt.of(shop.folder)
        salt.keep(shop.folder, secret)
        run = Run(shop, asked, columns, kept, connected, secret, today or date.today(), progress)
        return _reduced(run)


def _reduced(run: Run) -> Reduced:
    from shopanalysis.events import assembling, spans

    files = {file: _quarters(run, file) for file in _files(run)}
    days = _days(run, files)
    names = {day: _day_name(run, day, some) for day, some in days.items()}
    missing = [day for day in days if not run.state.path("days", names[day]).exists()]
    for number, day in enumerate(missing):
        run.progress(number, len(missing), day.isoformat())
        one_day.make(run, day, days[day], run.state.path("days", names[day]))
        run.done.append(day)
    one_day.let_go(run)
    run.state.keep_only("days", names.values())
    first = spans.newcomers(run, names)
    weeks = spans.weeks(run, names)
    written, left = assembling.land(run, names, first, weeks)
    for name in names.values():
        said = json.loads((run.state.path("days", name) / "counts.json").read_text("utf-8"))
        run.counted |= {key: run.counted.get(key, 0) + value for key, value in said.items()}
    return Reduced(tuple(days), tuple(run.done), written, left, run.counted)


def _files(run: Run) -> list[Path]:
    """Files of the log, by name; a shop without any has the events that it imported."""
    found = {file for pattern in run.asked.files for file in _matching(run.shop.folder, pattern)}
    imported = run.shop.folder / "tables" / "events.parquet"
    if not found and imported.exists() and run.asked.format == "contract":
        return [imported]
    if not found:
        raise DataError(
            f"{run.shop.folder} has no event log: no file {', '.join(run.asked.files)}, and no "
            "imported events. Set files in [events] of shop.toml."
        )
    return sorted(found)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        anchor = Path(pattern).anchor
        return Path(anchor).glob(str(Path(pattern).relative_to(anchor)))
    return folder.glob(pattern)


def _label(run: Run, file: Path) -> str:
    inside = file.is_relative_to(run.shop.folder)
    return file.relative_to(run.shop.folder).as_posix() if inside else str(file)


# ---- days ---------------------------------------------------------------------------------------


def _quarters(run: Run, file: Path) -> dict:
    """Rows of a file by quarter of an hour, counted once for as long as it stays as it is."""
    name = fingerprint(state.of_file(file), run.asked.format)
    said = run.state.remembered(name)
    if said is None:
        said = _said(run, file)
        run.state.remember(name, said)
    zone = "UTC" if said["zoned"] else run.asked.time_zone or run.shop.time_zone
    clock = Clock(run.shop.time_zone, zone, run.format.written)
    columns, names = tuple(said["columns"]), tuple(said["names"])
    run.written[file] = Written(clock, file.suffix, columns, names)
    run.counted["untimed"] = run.counted.get("untimed", 0) + said["untimed"]
    return clock.days(dict(said["rows"]))


def _said(run: Run, file: Path) -> dict:
    """What is kept of a file: its columns, whether times say their zone, rows by quarter of an hour."""
    names = log.names(file, run.format)
    table = run.engine.read([file], names)
    log.check(table, run.format, _label(run, file))
    found = log.quarters(run.engine, table, run.format)
    return {
        "columns": table.columns,
        "names": names,
        "zoned": log.states_its_zone(table, run.format),
        "untimed": found.pop(None, 0),
        "rows": list(found.items()),
    }


def _days(run: Run, files: dict[Path, dict[date, int]]) -> dict[date, list[Path]]:
    """Files by day; what is dated after today is left out and counted."""
    days: dict[date, list[Path]] = {}
    for file, by_day in files.items():
        for day, rows in by_day.items():
            if day > run.today:
                run.counted["after_today"] = run.counted.get("after_today", 0) + rows
            else:
                days.setdefault(day, []).append(file)
    if not days:
        raise DataError(f"{run.shop.folder}: no act of the event log is dated up to {run.today}.")
    return dict(sorted(days.items()))


def _day_name(run: Run, day: date, files: list[Path]) -> str:
    """A day's name, which changes with its files and with what says how they are read."""
    asked = run.asked
    rules = (asked.session_gap, asked.most_views, asked.agents, asked.test_visitors)
    written = tuple(run.written[file] for file in files)
    told = fingerprint(
        day, tuple(map(state.of_file, files)), run.format, written, rules, fingerprint(run.salt)
    )
    return f"{day}-{told}"
