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
COMPARED = 52  # ordinary stretches, a week apart, that a campaign's lift is held against, at most
FEWEST = 4  # of them, below which it stands as measured
HARDLY = 0.05  # of what was due: a stretch that sold less counts as this


@dataclass(frozen=True)
class Lift:
    """Sales over the weekday profile before: by series, by day of the phase relative to that, of the shop.

    sure   share of the measured lift that its own doubt left, on the log scale; 0: the campaign
           sold no more and no less than stretches without one do by chance
    """

    ratio: np.ndarray
    by_day: np.ndarray
    shop: float
    sure: float = 1.0

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

    A series' ratio leans on the shop's, and a day's on that of its phase: half. Then all are drawn
    towards 1 by the spread of the same measure on stretches without a campaign that ended before.
    """
    whole = _whole(campaigns, first, values.shape[1])
    chance = _by_chance(clean, pool, max((len(c.days) for c, _ in whole), default=0))
    found = {}
    for campaign, start in whole:
        days = len(campaign.days)
        lift = _lift(values[:, start : start + days], profile(clean, start, days, pool), pool)
        if lift is not None:
            found[campaign] = _drawn_in(lift, _spread(chance, start, days))
    return found


def _whole(campaigns, first: pd.Timestamp, known: int) -> list[tuple[Campaign, int]]:
    """Campaigns whose days are all known, enough days before them too, with the place of their first."""
    placed = [(campaign, (campaign.start - first).days) for campaign in campaigns]
    return [(c, start) for c, start in placed if BEFORE <= start <= known - len(c.days)]


def _by_chance(clean: np.ndarray, pool: np.ndarray, days: int):
    """First places of weekly stretches of `days`, and what they sold and should have, up to each day."""
    some = ~np.isnan(clean[pool]).all(axis=0)
    shop = np.where(some, np.nansum(clean[pool], axis=0), np.nan)[None]
    starts = np.arange(BEFORE, max(clean.shape[1] - WEEK + 1, BEFORE), WEEK)
    padded = np.pad(shop, ((0, 0), (0, days)), constant_values=np.nan)
    sold = np.array([padded[0, s : s + days] for s in starts]).reshape(len(starts), days)
    due = np.array([profile(shop, s, days)[0] for s in starts]).reshape(sold.shape)
    known = ~np.isnan(sold)
    return starts, *(np.cumsum(np.where(known, part, 0.0), axis=1) for part in (sold, due, known))


def _spread(chance, start: int, days: int) -> float:
    """Of the log ratio of ordinary stretches of `days` that had ended by `start`, about none; 0: too few."""
    starts, sold, due, known = chance
    sold, due, known = sold[:, days - 1], due[:, days - 1], known[:, days - 1]
    usable = (starts + days <= start) & (2 * known >= days) & (due > 0)
    ratio = np.maximum(sold[usable] / due[usable], HARDLY)[-COMPARED:]
    return float(np.sqrt((np.log(ratio) ** 2).mean())) if len(ratio) >= FEWEST else 0.0


def _drawn_in(lift: Lift, spread: float) -> Lift:
    """`lift` times the share that is not chance: Breiman (1995), Technometrics 37, 373-384 (garrote)."""
    size = abs(np.log(max(float(lift.shop), HARDLY)))
    sure = max(0.0, 1 - (spread / size) ** 2) if size > 0 else 0.0
    return Lift(lift.ratio**sure, lift.by_day**sure, lift.shop**sure, sure)


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
    return Lift(ratio, (1 + np.where(usual[pool].sum(axis=0) > 0, by_day, 1.0)) / 2, shop)


def harmless(lifts: Mapping[Campaign, Lift], campaign: Campaign, date: pd.Timestamp) -> bool:
    """Whether, as known on the morning of `date`, `campaign` came before and did nothing to sales."""
    alike = precedent(campaign, [c for c in lifts if c.end < date])
    return alike is not None and lifts[alike].sure == 0


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
    first, last = days[0], days[-1]
    ended = [campaign for campaign in lifts if campaign.end < first]
    for campaign in campaigns:
        if campaign.end < first or campaign.start > last:
            continue
        here = days.get_indexer(campaign.days)
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
