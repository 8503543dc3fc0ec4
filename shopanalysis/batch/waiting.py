"""Waiting for yesterday: a shop is let go as soon as its tables hold the whole day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as Hour
from pathlib import Path

import pandas as pd

from shopanalysis import exports, tables
from shopanalysis import shop as shops
from shopanalysis.batch import coverage
from shopanalysis.batch.runs import FAILED, REFUSED, Reporter, Result, importing
from shopanalysis.errors import DataError

POLL_SECONDS = 60
SETTLED_SECONDS = 30  # a younger file may still be on its way
WEEK, MOST_DAYS = 7, 5


@dataclass(frozen=True)
class Clock:
    """What time it is, and how to let some pass."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True)
class Awaited:
    """A shop of which `day` is awaited until `deadline`, which is in the shop's time zone."""

    folder: Path
    day: date
    deadline: datetime


def awaited(folder: Path, until: Hour, now: datetime) -> Awaited:
    """The shop in `folder`, of which yesterday is awaited until today's hour `until` where it is."""
    shop = shops.load(folder)
    local = now.astimezone(coverage.zone_of(shop))
    deadline = datetime.combine(local.date(), until, local.tzinfo)
    return Awaited(folder, coverage.yesterday(shop, now), deadline)


@dataclass
class Wait:
    """One wait for several shops; `result` says in the end that some were late or refused."""

    folders: Sequence[Path]
    until: Hour
    reporter: Reporter = field(default_factory=Reporter)
    clock: Clock = field(default_factory=Clock)
    result: Result = field(default_factory=Result)

    def arrivals(self) -> Iterator[tuple[date, list[Path]]]:
        """Days with the shops of which they are complete, as they become so."""
        now = self.clock.now()
        waiting = self._kept(self.folders, lambda folder: awaited(folder, self.until, now))
        while waiting:
            began = self.clock.now()
            looked = self._kept(waiting, lambda one: (one, self._look(one)))
            complete = [one for one, lacks in looked if not lacks]
            for day in sorted({one.day for one in complete}):
                yield day, [one.folder for one in complete if one.day == day]
            waiting = [one for one, lacks in looked if lacks and self._in_time(one, lacks, began)]
            if waiting:
                self._sleep(min(one.deadline for one in waiting))

    def _kept(self, things: Sequence, step: Callable) -> list:
        """What `step` makes of each; a shop that stops it is said, counted and left out."""
        made = []
        for thing in things:
            try:
                made.append(step(thing))
            except DataError as cause:
                self._problem(str(cause), REFUSED)
            except OSError as cause:
                self._problem(str(cause), FAILED)
        return made

    def _problem(self, line: str, code: int) -> None:
        self.reporter.warn(line)
        self.result.worse(code)

    def _look(self, one: Awaited) -> list[str]:
        """Import what has come, unless it is still being written; the tables that lack the day."""
        age = self.clock.now().timestamp() - _newest(one.folder)
        if 0 <= age < SETTLED_SECONDS:
            return ["files that are still being written"]
        with importing(one.folder):
            exports.refresh(one.folder)
        return lacking(one.folder, one.day)

    def _in_time(self, one: Awaited, lacks: Sequence[str], now: datetime) -> bool:
        if now < one.deadline:
            return True
        line = (
            f"{one.folder.name}: {one.day} is not complete at {one.deadline:%H:%M}; it lacks: "
            f"{', '.join(lacks)}. Put its files into {one.folder / 'exports'} and run again."
        )
        self._problem(line, REFUSED)
        return False

    def _sleep(self, next_end: datetime) -> None:
        left = (next_end - self.clock.now()).total_seconds()
        self.clock.sleep(max(1.0, min(POLL_SECONDS, left)))


def lacking(folder: Path, day: date) -> list[str]:
    """The tables from which `day` is missing: of those that had most of the seven days before it.

    Where no table had, one with the day is enough.
    """
    days = {
        table: coverage.days_of(folder, table)
        for table in tables.available(folder)
        if "date" in tables.TABLES[table].key
    }
    end = pd.Timestamp(day)
    before = {end - pd.Timedelta(days=back) for back in range(1, WEEK + 1)}
    due = [table for table, known in days.items() if len(before & known) >= MOST_DAYS]
    if not due:
        return [] if any(end in known for known in days.values()) else [*days] or ["any table"]
    return [table for table in due if end not in days[table]]


def _newest(folder: Path) -> float:
    """When a file in the shop's exports/ was last written, seconds since 1970; 0 without files."""
    files = (file for file in (folder / "exports").rglob("*") if file.is_file())
    return max((file.stat().st_mtime for file in files), default=0)
