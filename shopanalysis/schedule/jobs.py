"""What a scheduler is to run: the shops of one time zone, once a day."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shopanalysis.errors import ParameterError

UNSAFE = re.compile(r"[\x00-\x1f\x7f]|\{\{|\{%|\{#")


@dataclass(frozen=True)
class Job:
    """One daily call of `shopanalysis run`.

    zone      IANA name; `at` is a time there
    known     the shops that there are now
    shops     what --shop names; none: all, and those that come later too
    folder    absolute: where the call is made
    python    absolute: the interpreter that has shopanalysis
    options   further arguments of run and send: --data, --out
    wait      --wait-for-data
    sends     shops of which the front page is sent -> the environment variables that this needs
    alone     whether all shops are in this one job
    today     the day on which the schedule is made
    """

    zone: str
    at: time
    known: tuple[str, ...]
    shops: tuple[str, ...]
    folder: str
    python: str
    today: date
    options: tuple[str, ...] = ()
    wait: time | None = None
    sends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alone: bool = True

    @property
    def name(self) -> str:
        """What files and tasks are called: shopanalysis, or with the zone where there are several."""
        zone = re.sub(r"[^a-z0-9]+", "-", self.zone.lower()).strip("-")
        return "shopanalysis" if self.alone else f"shopanalysis-{zone}"

    @property
    def told(self) -> str:
        """A sentence for people."""
        shops = ", ".join(self.shops) or "all shops"
        return f"Reports of {shops}, every day at {self.at:%H:%M} in {self.zone}"

    @property
    def run(self) -> list[str]:
        """The arguments of the call that makes the reports."""
        wait = ["--wait-for-data", f"{self.wait:%H:%M}"] if self.wait else []
        return [*self._call("run", self.shops), *wait]

    @property
    def send(self) -> list[str] | None:
        """The arguments of the call that sends them; None where nothing is sent."""
        senders = [shop for shop in self.shops or self.known if shop in self.sends]
        return self._call("send", senders if self.shops else ()) if senders else None

    @property
    def secrets(self) -> list[str]:
        """The environment variables that sending needs."""
        needed = [self.sends.get(shop, ()) for shop in self.shops or self.known]
        return list(dict.fromkeys(name for names in needed for name in names))

    def _call(self, command: str, shops: Sequence[str]) -> list[str]:
        named = [part for shop in shops for part in ("--shop", shop)]
        return [self.python, "-m", "shopanalysis", command, *named, *self.options]

    @property
    def in_shell(self) -> str:
        """Both calls for a POSIX shell: what is made is sent, also when some of it failed."""
        run = shlex.join(self.run)
        if self.send is None:
            return run
        return f"{run}; code=$?; {shlex.join(self.send)} || code=$?; exit $code"

    def starts(self, days: int = 366) -> list[datetime]:
        """When it starts on the next `days` days."""
        zone = ZoneInfo(self.zone)
        return [
            datetime.combine(self.today + timedelta(days=n), self.at, zone) for n in range(days)
        ]

    def of(self, shop: str) -> Job:
        """The same for one shop."""
        return replace(self, shops=(shop,))


def jobs(zones: Mapping[str, str], at: time, *, named: bool, folder: Path, **more) -> list[Job]:
    """One job per time zone.

    zones   shop, as --shop names it -> its time zone
    named   whether the shops were named, or are all that there are

    Raises ParameterError when a path or name is such that schedulers could misread it.
    """
    python = more.setdefault("python", os.path.abspath(sys.executable))
    for part in (str(folder), python, *zones, *more.get("options", ())):
        if UNSAFE.search(part):
            raise ParameterError(f"{part!r} cannot be scheduled: rename it without {{ and breaks.")
    by_zone = {
        zone: tuple(s for s in zones if zones[s] == zone) for zone in sorted(set(zones.values()))
    }
    alone = len(by_zone) == 1
    more.setdefault("today", date.today())
    return [
        Job(zone, at, shops, shops if named or not alone else (), str(folder), alone=alone, **more)
        for zone, shops in by_zone.items()
    ]


def same_calls(text: str, job: Job) -> None:
    """Raise ParameterError unless a shell reads `text` as the calls of `job`."""
    reader = shlex.shlex(text, posix=True, punctuation_chars=";&|<>()")
    reader.whitespace_split = True
    words = list(reader)
    for call in filter(None, (job.run, job.send)):
        starts = range(len(words) - len(call) + 1)
        if not any(words[n : n + len(call)] == call for n in starts):
            raise ParameterError(f"A shell would not find {shlex.join(call)} in: {text}")
