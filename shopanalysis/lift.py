"""What campaigns do to daily sales: measured on past ones, laid on those ahead.

Arrays are (series, days); missing days are nan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis.calendars import Campaign, precedent
from shopanalysis.smoothing import WEEK, profile

LEAN = 7  # days of its own that the shop's ratio counts for in a series' ratio
BEFORE = 2 * WEEK  # days before a campaign without which its lift is not known


@dataclass(frozen=True)
class Lift:
    """Sales over the weekday profile before: by series, and by day of the phase relative to that."""

    ratio: np.ndarray
    by_day: np.ndarray

    def on(self, campaign: Campaign) -> np.ndarray:
        """(series, days of `campaign`): its days follow those measured where there are as many."""
        days = len(campaign.days)
        same = days == len(self.by_day)
        return self.ratio[:, None] * (self.by_day if same else np.ones(days))


def measured(
    values: np.ndarray,
    clean: np.ndarray,
    first: pd.Timestamp,
    campaigns: Iterable[Campaign],
    pool: np.ndarray,
) -> dict[Campaign, Lift]:
    """The lift of every campaign that lies whole within the days known.

    clean   `values` with the days of campaigns missing   first   day of the first column
    pool    rows that make up the shop

    A series' ratio leans on the shop's, and a day's on that of its phase: half.
    """
    found = {}
    for campaign in campaigns:
        start, days = (campaign.start - first).days, len(campaign.days)
        if start < BEFORE or start + days > values.shape[1]:
            continue
        lift = _lift(values[:, start : start + days], profile(clean, start, days, pool), pool)
        if lift is not None:
            found[campaign] = lift
    return found


def _lift(sold: np.ndarray, usual: np.ndarray, pool: np.ndarray) -> Lift | None:
    known = ~np.isnan(sold)
    sold, usual = np.nan_to_num(sold), usual * known
    if usual[pool].sum() <= 0:
        return None
    shop = max(sold[pool].sum(), 0.0) / usual[pool].sum()
    a_day = usual.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    total = np.maximum(sold.sum(axis=1), 0.0) + LEAN * shop * a_day
    due = usual.sum(axis=1) + LEAN * a_day
    ratio = np.where(due > 0, total / np.where(due > 0, due, 1.0), shop)
    by_day = np.maximum(sold[pool].sum(axis=0), 0.0) / np.maximum(
        usual[pool].sum(axis=0) * shop, 1e-12
    )
    return Lift(ratio, (1 + np.where(usual[pool].sum(axis=0) > 0, by_day, 1.0)) / 2)


def ahead(
    lifts: Mapping[Campaign, Lift],
    campaigns: Iterable[Campaign],
    days: pd.DatetimeIndex,
    series: int,
    now: bool = True,
) -> tuple[np.ndarray, list[Campaign]]:
    """(series, days) of factors from campaigns that ended before `days`, and those without precedent.

    1 outside campaigns and in a campaign that is the first of its kind; in that, where `days` are to
    come from `now` on, what the shop says of it. At a past date that had not been said.
    """
    factor, unknown = np.ones((series, len(days))), []
    ended = [campaign for campaign in lifts if campaign.end < days[0]]
    for campaign in campaigns:
        here = days.get_indexer(campaign.days)
        if (here < 0).all():
            continue
        alike = precedent(campaign, ended)
        if alike is None:
            unknown.append(campaign)
            if now and campaign.lift is not None:
                factor[:, here[here >= 0]] = campaign.lift
        else:
            factor[:, here[here >= 0]] = lifts[alike].on(campaign)[:, here >= 0]
    return factor, unknown


def stated(campaigns: Iterable[Campaign], days: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """What the shop says of campaigns: (days) lift, 1 on others; (campaigns, days) its doubt.

    The doubt is the standard deviation of the lift as a share of it: its range holds 8 times in 10.
    """
    factor, doubt = np.ones(len(days)), []
    for campaign in campaigns:
        here = days.isin(campaign.days)
        factor[here] = campaign.lift
        spread = (campaign.lift_high - campaign.lift_low) / (2 * stats.norm.ppf(0.9))
        doubt.append(np.where(here, spread / campaign.lift, 0.0))
    return factor, np.array(doubt).reshape(-1, len(days))
