"""Days: windows that end on a date, campaigns, and days whose orders are still to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from shopanalysis import tables

DAY = pd.Timedelta(days=1)
USUAL_WEEKS = 8  # same weekdays that say what is usual, at most
SURELY_CUT = 10  # orders still to come: by luck alone none of them on 1 day of 20,000
FEWEST_TIMED = 4  # same weekdays that say when a day's orders end


@dataclass(frozen=True)
class Campaign:
    """A named stretch of days on which the shop does not sell as usual.

    lift   what the shop says of the first of its kind: its sales over an ordinary day's, and
           between what it should be 8 times in 10; None: not said
    """

    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    phase: str = "event"  # preheat, event or tail
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None

    @property
    def days(self) -> pd.DatetimeIndex:
        """Every day of it, first and last included."""
        return pd.date_range(self.start, self.end)


@dataclass(frozen=True)
class Change:
    """Something that was changed on an item's page or main image on a day: shop.toml's [[changes]]."""

    date: pd.Timestamp
    item_id: str
    what: str


def campaign_days(campaigns: Iterable[Campaign]) -> pd.DatetimeIndex:
    """All days that belong to any campaign."""
    return _days_of(tuple(campaigns))


@lru_cache(maxsize=32)
def _days_of(campaigns: tuple[Campaign, ...]) -> pd.DatetimeIndex:
    days = [campaign.days for campaign in campaigns]
    return days[0].append(days[1:]).unique().sort_values() if days else pd.DatetimeIndex([])


def last_days(frame: pd.DataFrame, date: pd.Timestamp, days: int) -> pd.DataFrame:
    """The rows of the `days` days that end on `date`, included."""
    return frame[(frame["date"] > date - days * DAY) & (frame["date"] <= date)]


def clean_days(
    frame: pd.DataFrame, date: pd.Timestamp, days: int, campaigns: Iterable[Campaign]
) -> pd.DataFrame:
    """The rows of the last `days` days up to `date` that lie outside every campaign."""
    frame = frame[(frame["date"] <= date) & ~frame["date"].isin(campaign_days(campaigns))]
    kept = frame["date"].drop_duplicates().nlargest(days)
    return frame[frame["date"].isin(kept)]


def open_weekdays(dates: pd.Series, date: pd.Timestamp) -> set[int]:
    """Weekdays (0 = Monday) of which any day of the eight weeks up to `date` is among `dates`."""
    return set(last_days(dates.to_frame("date"), date, 7 * USUAL_WEEKS)["date"].dt.day_of_week)


def orders_missing(orders: pd.DataFrame, date: pd.Timestamp) -> float:
    """How many orders `date` still had to come after its last one, as of a file made before its end.

    orders   created_at

    By what the same weekday of the eight weeks before took after that time of day, times how busy the
    day was until then. Missing without orders that day, or with fewer than FEWEST_TIMED such days.
    """
    placed = pd.DataFrame({"at": orders["created_at"].dropna()})
    placed["day"] = placed["at"].dt.normalize()
    placed = placed[placed["day"].isin(date - 7 * DAY * np.arange(USUAL_WEEKS + 1))]
    today = placed["day"] == date
    if not today.any() or placed.loc[~today, "day"].nunique() < FEWEST_TIMED:
        return np.nan
    time = placed["at"] - placed["day"]
    later = time > time[today].max()
    until = (~later & ~today).sum() / placed.loc[~today, "day"].nunique()
    return float(later.sum() / placed.loc[~today, "day"].nunique() * today.sum() / max(until, 1.0))


def cut_short(shop_day: pd.DataFrame, orders: pd.DataFrame, date: pd.Timestamp) -> bool:
    """Whether the figures of `date` were counted from orders of which the last are surely still to come.

    shop_day   date, device, source_file     orders   created_at; may be empty
    """
    row = shop_day[(shop_day["date"] == date) & (shop_day["device"] == "all")]
    counted = row["source_file"].str.contains(tables.DERIVED, regex=False).any()
    return bool(counted and orders_missing(orders, date) > SURELY_CUT)


def a_year_before(date: pd.Timestamp, campaigns: Iterable[Campaign]) -> tuple[pd.Timestamp, str]:
    """The day of the year before that `date` can be held against, and how it is chosen.

    "campaign"   the same day of the same phase of the same campaign, wherever the moon or the
                 platform put it then, counted from its nearer end
    "weekday"    the same weekday nearest to 364 days before, outside campaigns
    """
    campaigns = list(campaigns)
    for now in (c for c in campaigns if c.start <= date <= c.end):
        alike = [c for c in campaigns if _repeats(now, c) and _a_year_apart(now, c) <= 60]
        if alike:
            days = [_same_day_of(then, date, now) for then in alike]
            return min(days, key=lambda day: abs((date - day).days - 365)), "campaign"
    weekdays = [date - 7 * week * DAY for week in (52, 51, 53, 50, 54)]
    outside = [day for day in weekdays if day not in campaign_days(campaigns)]
    return (outside or weekdays)[0], "weekday"


def _same_day_of(then: Campaign, date: pd.Timestamp, now: Campaign) -> pd.Timestamp:
    passed, left = date - now.start, now.end - date
    if passed <= left:
        return min(then.start + passed, then.end)
    return max(then.end - left, then.start)


def _a_year_apart(campaign: Campaign, earlier: Campaign) -> int:
    return abs((campaign.start - earlier.start).days - 365)


def precedent(campaign: Campaign, earlier: Iterable[Campaign]) -> Campaign | None:
    """Of `earlier` ones the same phase of the same campaign, nearest in the time of year; then the latest."""
    past = [c for c in earlier if _repeats(campaign, c)]
    return min(past, key=lambda c: (_apart_in_the_year(campaign, c), -c.end.value), default=None)


def _repeats(campaign: Campaign, earlier: Campaign) -> bool:
    same = (campaign.name, campaign.phase) == (earlier.name, earlier.phase)
    return same and earlier.end < campaign.start


def _apart_in_the_year(campaign: Campaign, earlier: Campaign) -> int:
    days = (campaign.start - earlier.start).days % 365
    return min(days, 365 - days)
