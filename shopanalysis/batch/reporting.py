"""What a run says while it runs: one line per event, for people or as JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True)
class Reporter:
    """Where a run says what it does: lines for whoever watches, and problems."""

    say: Callable[[str], object] = _say
    warn: Callable[[str], object] = _warn

    def tell(self, line: str, event: str, **about) -> None:
        """An event that goes as planned: its `line`, and what machines are told `about` it."""
        self.say(line)

    def problem(self, line: str, event: str = "problem", **about) -> None:
        """Something that somebody has to look at."""
        self.warn(line)


class JsonReporter(Reporter):
    """Every event as one JSON object per line on standard output, problems too."""

    def tell(self, line: str, event: str, **about) -> None:
        """One line: time (UTC), event, level, text, and what is known `about` it."""
        self._write("info", line, event, about)

    def problem(self, line: str, event: str = "problem", **about) -> None:
        """The same, of level error."""
        self._write("error", line, event, about)

    def _write(self, level: str, line: str, event: str, about: dict) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {"time": now, "level": level, "event": event, **about, "text": line}
        self.say(json.dumps(record, ensure_ascii=False, default=str))
