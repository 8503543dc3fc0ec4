"""What one run, a week or a month of runs come to, from the findings and tables in the reports folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from shopanalysis.batch.files import read
from shopanalysis.findings import WATCHED

DAILY = "daily_report"


@dataclass(frozen=True)
class Kept:
    """What a run left in reports/<date>/<shop>/, as it is needed by pages over several reports."""

    path: Path

    @property
    def day(self) -> date:
        """The last day that the run looked at."""
        return date.fromisoformat(self.path.parent.name)

    @cached_property
    def run(self) -> Mapping:
        """run.json."""
        return read(self.path / "run.json")

    @cached_property
    def findings(self) -> Sequence[Mapping]:
        """The findings of all its reports."""
        return read(self.path / "findings.json").get("findings", [])

    def table(self, name: str, notebook: str = DAILY) -> list[dict[str, object]]:
        """The rows of one of its tables, numbers as numbers and lists of numbers as lists."""
        try:
            with open(self.path / f"tables/{notebook}.{name}.csv", encoding="utf-8-sig") as file:
                return [{k: _value(v) for k, v in row.items()} for row in csv.DictReader(file)]
        except OSError:
            return []

    @property
    def key_figures(self) -> list[dict[str, object]]:
        """The day's key figures with their history: metric, value, usual, change, real, history."""
        rows = self.table("key_figures")
        return [row | {"history": _numbers(row.get("history"))} for row in rows]

    @property
    def bridge(self) -> list[dict[str, object]]:
        """What moved sales: factor, amount."""
        return self.table("figure_bridge")

    @property
    def month(self) -> dict[str, object]:
        """The month so far and where it will end: target, sales, due, month_end, chance …"""
        return {row["metric"]: row["amount"] for row in self.table("pace")}

    @property
    def target(self) -> tuple[float, float] | None:
        """The day's sales and its target; None where it has none."""
        for found in self.findings:
            if found["id"] == "day_target" and found["baseline"]:
                return found["value"], found["baseline"]
        return None

    @property
    def worst(self) -> str:
        """critical, warning, failures or quiet: what is to be known of the run first."""
        counted = (severity for severity in WATCHED if self.count(severity))
        return next(counted, "failures" if self.failures else "quiet")

    @property
    def failures(self) -> int:
        """How many of its notebooks failed."""
        records = self.run.get("notebooks", {}).values()
        return sum(record["status"] == "failed" for record in records)

    def count(self, severity: str) -> int:
        """How many findings are of `severity`."""
        return sum(found["severity"] == severity for found in self.findings)


def _value(text: str) -> object:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _numbers(text: object) -> list[float | None]:
    return [_value(part) for part in str(text or "").split(" ")]


def sales_by_day(runs: Iterable[Kept]) -> dict[date, float]:
    """Sales of every day that one of `runs` shows, the newest run's word for each."""
    known: dict[date, float] = {}
    for kept in sorted(runs, key=lambda kept: kept.day):
        rows = kept.table("daily")
        known |= {date.fromisoformat(row["date"]): row["sales"] for row in rows if row["sales"]}
    return dict(sorted(known.items()))


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last` of one shop, as far as its runs tell of them.

    runs   all runs of the shop
    """

    first: date
    last: date
    runs: Sequence[Kept]

    @property
    def days(self) -> list[date]:
        """Every day of the period."""
        return [self.first + timedelta(n) for n in range((self.last - self.first).days + 1)]

    @cached_property
    def made(self) -> dict[date, Kept]:
        """The period's own runs by day."""
        return {kept.day: kept for kept in self.runs if self.first <= kept.day <= self.last}

    @cached_property
    def sales(self) -> dict[date, float]:
        """Sales by day, of days before the period too."""
        return sales_by_day(kept for kept in self.runs if kept.day <= self.last)

    @property
    def total(self) -> float:
        """Sales of the period's days that are known."""
        return sum(self.sales.get(day, 0) for day in self.days)

    @property
    def before(self) -> float | None:
        """Sales of as many days before the period; None where one of them is not known."""
        length = timedelta(len(self.days))
        then = [self.sales.get(day - length) for day in self.days]
        return None if None in then else sum(then)

    @property
    def findings(self) -> list[Mapping]:
        """What was found on these days, the newest first, each with its day."""
        return [
            finding | {"day": day}
            for day, kept in sorted(self.made.items(), reverse=True)
            for finding in kept.findings
        ]


def week_to(day: date, runs: Sequence[Kept]) -> Period:
    """The seven days up to `day`."""
    return Period(day - timedelta(6), day, runs)


def month_to(day: date, runs: Sequence[Kept]) -> Period:
    """The month of `day` up to it."""
    return Period(day.replace(day=1), day, runs)
