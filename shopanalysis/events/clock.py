"""Where a shop's days begin and end in a log: the one place that knows of time zones.

A day is a stretch between two instants. Both are written as the log writes its times, so that the
engine compares plain numbers or times, reads only the row groups it needs, and converts nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shopanalysis.events.settings import WRITTEN

QUARTER = 900  # seconds: every zone's offset is a multiple of it since 1972
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """The shop's zone, the log's zone (of times that state none) and how the log writes times."""

    shop: str
    log: str
    written: str

    def start(self, day: date) -> datetime:
        """When `day` begins: in the log's zone without saying so, in UTC where it counts seconds."""
        instant = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.shop))
        zone = ZoneInfo(self.log) if self.written == "time" else UTC
        return instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None)

    def bounds(self, day: date) -> tuple[datetime | int, datetime | int]:
        """First moment of `day` and of the next, as the log writes them."""
        ends = self.start(day), self.start(day + timedelta(days=1))
        if self.written == "time":
            return ends
        units = WRITTEN[self.written]
        return tuple(round((end - EPOCH).total_seconds()) * units for end in ends)

    def days(self, quarters: Mapping[int, int]) -> dict[date, int]:
        """Rows by day of the shop, from rows by quarter of an hour since 1970 as the log writes it."""
        if not quarters:
            return {}
        moments = {quarter: EPOCH + timedelta(seconds=quarter * QUARTER) for quarter in quarters}
        first = min(moments.values()).date() - timedelta(days=2)
        length = (max(moments.values()).date() - first).days + 3
        dates = [first + timedelta(days=n) for n in range(length)]
        starts = [self.start(one) for one in dates]
        found: dict[date, int] = {}
        for quarter, rows in sorted(quarters.items()):
            day = dates[bisect_right(starts, moments[quarter]) - 1]
            found[day] = found.get(day, 0) + rows
        return found
