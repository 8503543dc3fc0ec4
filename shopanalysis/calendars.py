"""Days: windows that end on a date, campaigns, and what is usual for a weekday."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

DAY = pd.Timedelta(days=1)
USUAL_WEEKS = 8
FEWEST_WEEKS = 4


@dataclass(frozen=True)
class Campaign:
    """A named stretch of days on which the shop does not sell as usual."""

    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    phase: str = "event"  # preheat, event or tail

    @property
    def days(self) -> pd.DatetimeIndex:
        """Every day of it, first and last included."""
        return pd.date_range(self.start, self.end)


def campaign_days(campaigns: Iterable[Campaign]) -> pd.DatetimeIndex:
    """All days that belong to any campaign."""
    days = pd.DatetimeIndex([])
    for campaign in campaigns:
        days = days.union(campaign.days)
    return days


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


def usual(
    daily: pd.DataFrame, metric: str, campaigns: Iterable[Campaign], weeks: int = USUAL_WEEKS
) -> pd.DataFrame:
    """What is usual for each day: the same weekday in the weeks before it, campaigns left out.

    daily   date, `metric`; one row per day

    Per row of `daily`: usual (median), usual_low and usual_high (the lowest and highest of those
    days); missing where fewer than FEWEST_WEEKS such days exist.
    """
    values = daily.set_index("date")[metric].asfreq("D")
    values[values.index.isin(campaign_days(campaigns))] = float("nan")
    past = pd.concat([values.shift(7 * week) for week in range(1, weeks + 1)], axis=1)
    enough = past.notna().sum(axis=1) >= FEWEST_WEEKS
    described = pd.DataFrame(
        {
            "usual": past.median(axis=1),
            "usual_low": past.min(axis=1),
            "usual_high": past.max(axis=1),
        }
    ).where(enough)
    return described.reindex(daily["date"]).reset_index(drop=True)


def campaign_factor(
    sales: pd.Series, campaigns: Iterable[Campaign], days: pd.DatetimeIndex
) -> pd.Series:
    """Per day of `days`: mean sales of the last such phase of such a campaign over what was usual then.

    sales   by day; only campaigns that ended within it are known
    Of several stretches of one phase, the one nearest to the same time of year counts.
    1 on days outside campaigns, and where the campaign is the first of its kind.
    """
    campaigns = list(campaigns)
    daily = sales.rename_axis("date").reset_index(name="sales")
    lift = sales / usual(daily, "sales", campaigns)["usual"].set_axis(sales.index)
    lifts = {c: lift.reindex(c.days).mean() for c in campaigns if c.end <= sales.index[-1]}
    factor = pd.Series(1.0, days)
    for campaign in campaigns:
        past = [c for c, value in lifts.items() if _repeats(campaign, c) and pd.notna(value)]
        if past:
            alike = min(past, key=lambda c: (_apart_in_the_year(campaign, c), -c.end.value))
            factor[days.intersection(campaign.days)] = lifts[alike]
    return factor


def _repeats(campaign: Campaign, earlier: Campaign) -> bool:
    same = (campaign.name, campaign.phase) == (earlier.name, earlier.phase)
    return same and earlier.end < campaign.start


def _apart_in_the_year(campaign: Campaign, earlier: Campaign) -> int:
    days = (campaign.start - earlier.start).days % 365
    return min(days, 365 - days)
