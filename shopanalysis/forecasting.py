"""Forecasts of all of a shop's daily series at once, with the same forecasts made at past dates.

history   index: series; columns: every day of the range; missing: not on sale, sold out, not counted
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shopanalysis import lift, smoothing
from shopanalysis.calendars import DAY, Campaign, campaign_days
from shopanalysis.smoothing import FULL, WEEK

TOTAL = "total"  # name of the group that all other series add up to
BACK = 52  # past dates, a week apart, at which the same forecast is made
FIRST = 4 * WEEK  # days of history at the first of them
RUNGS = ("nothing", "level", "profile", "full")


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected, and what was expected at past dates; origins are first days not yet known.

    expected   (series, days)       factor   (series, days): what campaigns do; 1 outside them
    event      (days) in a campaign rung     of each series: one of RUNGS
    stopped    series that surely sell no more, expected 0
    unknown    campaigns ahead that are the first of their kind and of which the shop says nothing
    stated     those of which it does: shop.toml's lift is laid on their days
    method     pooled, or seasonal_naive where that did better on the total
    tried      method -> (origins, series, days)
    actual     (origins, series, days), missing where not known or not counted
    learned    (series, days known): history without campaigns, closed days, stops, giant days cut
    tried_event, tried_factor   as event and factor, with the origins before
    naive_scale                 mean absolute change from week to week of each series
    """

    series: pd.Index
    groups: np.ndarray
    days: pd.DatetimeIndex
    origins: pd.DatetimeIndex
    expected: np.ndarray
    factor: np.ndarray
    event: np.ndarray
    rung: np.ndarray
    stopped: np.ndarray
    unknown: tuple[Campaign, ...]
    method: str
    tried: dict[str, np.ndarray]
    actual: np.ndarray
    tried_event: np.ndarray
    tried_factor: np.ndarray
    learned: np.ndarray
    naive_scale: np.ndarray
    stated: tuple[Campaign, ...] = ()

    def row(self, name: str) -> int:
        """The place of a series."""
        return self.series.get_loc(name)


def forecast(
    history: pd.DataFrame,
    days: int,
    campaigns: Sequence[Campaign] = (),
    groups: Sequence[str] | None = None,
    back: int = BACK,
) -> Forecast:
    """The `days` after the last column of `history`, for every series.

    groups   one name for each series; siblings share evidence. Where one group is TOTAL (a single
             series), the others add up to it, day by day.
    back     past dates at which the same is done

    Below 7 days seen a series gets its mean by the shop's weekdays, below 49 its own weekday
    profile, from there the mean of the profile and of weighted exponential smoothing.
    """
    values = history.to_numpy(float)
    groups = np.asarray(groups if groups is not None else ["all"] * len(values), dtype=object)
    pool = groups == TOTAL if (groups == TOTAL).any() else np.ones(len(values), bool)
    at = _origins(values.shape[1], back)
    first = history.columns[0] if values.shape[1] else pd.Timestamp(0)
    past = tuple(campaigns)
    tried, factor, event, new, learned = _pooled(values, at, days, first, past, groups, pool)
    actual = _actual(values, at[:-1], days)
    candidates = _candidates(tried, values, at, groups == TOTAL)
    made = {name: candidate[:-1] for name, candidate in candidates.items()}
    method = _better(made, actual, pool)
    ahead = pd.date_range(first + values.shape[1] * DAY, periods=days, name="date")
    stated = tuple(campaign for campaign in new if campaign.lift is not None)
    said = lift.stated(stated, ahead)[0] if method == "seasonal_naive" else 1.0
    return Forecast(
        series=history.index,
        groups=groups,
        days=ahead,
        origins=pd.DatetimeIndex([first + origin * DAY for origin in at[:-1]]),
        expected=candidates[method][-1] * said,
        factor=factor[-1],
        event=event[-1],
        rung=_rungs(values),
        stopped=smoothing.stopped(values, values.shape[1]),
        unknown=tuple(campaign for campaign in new if campaign.lift is None),
        method=method,
        tried=made,
        actual=actual,
        tried_event=event[:-1],
        tried_factor=factor[:-1],
        learned=learned,
        naive_scale=_naive_scale(values),
        stated=stated,
    )


def _candidates(pooled, values, at, total) -> dict[str, np.ndarray]:
    """Method -> (origins, series, days); the parts add up to the total where there is one."""
    days = pooled.shape[2]
    naive = np.stack([_seasonal_naive(values, origin, days) for origin in at])
    if not total.any() or total.all():
        return {"pooled": pooled, "seasonal_naive": naive}
    plain = np.where(total[:, None], naive, pooled)
    return {
        "pooled": _agreed(pooled, total, meet=0.5),
        "seasonal_naive": _agreed(plain, total, meet=0.0),
    }


def _origins(length: int, back: int) -> list[int]:
    """Places of the first unknown day: weekly, from FIRST days of history, the last one now."""
    weeks = max(min(back, (length - FIRST) // WEEK), 0)
    return [*range(length - WEEK * weeks, length, WEEK), length]


def _pooled(values, at, days, first, campaigns, groups, pool):
    dates = pd.date_range(first, periods=values.shape[1])
    clean = np.where(dates.isin(campaign_days(campaigns)), np.nan, values)
    open_days = np.where(_shut(clean[pool].sum(axis=0)), np.nan, clean)
    lifts = lift.measured(values, open_days, first, campaigns, pool)
    ordinary_from = _ordinary_from(campaigns, lifts, first, values.shape[1])
    known = smoothing.learned(open_days)
    smooth = smoothing.smoothed(known, at, days, groups)
    seen = np.pad(np.cumsum(~np.isnan(values), axis=1), ((0, 0), (1, 0)))
    made, factors = np.empty_like(smooth), np.empty_like(smooth)
    event = np.zeros((len(at), days), bool)
    unknown: list[Campaign] = []
    for i, origin in enumerate(at):
        coming = pd.date_range(first + origin * DAY, periods=days)
        factors[i], unknown = lift.ahead(
            lifts, campaigns, coming, len(values), now=origin == at[-1]
        )
        event[i] = _felt(coming, campaigns, lifts)
        learned = np.where(ordinary_from <= origin, values, known)
        shape = smoothing.profile(learned, origin, days, pool)
        full = (seen[:, origin] >= FULL)[:, None]
        made[i] = np.maximum(np.where(full, (shape + smooth[i]) / 2, shape), 0.0) * factors[i]
        made[i][:, smoothing.closed(values[:, :origin], origin, days)] = 0.0
        made[i][smoothing.stopped(open_days, origin)] = 0.0
    return made, factors, event, unknown, known


def _felt(coming: pd.DatetimeIndex, campaigns, lifts) -> np.ndarray:
    """Which days ahead lie in a campaign that is not known to do nothing."""
    first, last = coming[0], coming[-1]
    touching = [c for c in campaigns if c.start <= last and c.end >= first]
    felt = [c for c in touching if not lift.harmless(lifts, c, first)]
    return coming.isin(campaign_days(felt))


def _ordinary_from(campaigns, lifts, first: pd.Timestamp, known: int) -> np.ndarray:
    """For each day known, the origin from which it is learned from after all: once all its campaigns
    have ended and none of them did anything. Infinite where one did; and outside campaigns."""
    since = np.full(known, -np.inf)
    for campaign in campaigns:
        start = (campaign.start - first).days
        quiet = campaign in lifts and lifts[campaign].sure == 0
        end = start + len(campaign.days)
        here = slice(max(start, 0), max(end, 0))
        since[here] = np.maximum(since[here], end if quiet else np.inf)
    return np.where(since == -np.inf, np.inf, since)


def _shut(total: np.ndarray) -> np.ndarray:
    """Days on which a shop that sells on that weekday in seven of eight weeks sold nothing at all."""
    sold = np.nan_to_num(total) > 0
    weeks = range(WEEK, 9 * WEEK, WEEK)
    before = sum(np.pad(sold, (shift, 0))[: len(sold)].astype(int) for shift in weeks)
    return (total == 0) & (before >= 7)


def _seasonal_naive(values: np.ndarray, origin: int, days: int) -> np.ndarray:
    """Each day sells what the same weekday last sold; 0 where it never did, or took back more."""
    places = np.arange(origin)[::-1]
    last = np.zeros((len(values), WEEK))
    for weekday in range(WEEK):
        column = values[:, places[places % WEEK == (origin + weekday) % WEEK]]
        known = ~np.isnan(column)
        first = known.argmax(axis=1) if column.size else np.zeros(len(values), int)
        found = column[np.arange(len(values)), first] if column.size else np.zeros(len(values))
        last[:, weekday] = np.where(known.any(axis=1), np.maximum(found, 0.0), 0.0)
    return last[:, np.arange(days) % WEEK]


def _actual(values: np.ndarray, at: list[int], days: int) -> np.ndarray:
    padded = np.pad(values, ((0, 0), (0, days)), constant_values=np.nan)
    empty = np.empty((0, len(values), days))
    return np.stack([padded[:, origin : origin + days] for origin in at]) if at else empty


def _agreed(made: np.ndarray, total: np.ndarray, meet: float) -> np.ndarray:
    """The total goes the share `meet` of the way to the sum of its parts; the parts are scaled to it.

    Half way is weighted least squares with variances in proportion to what is expected:
    Wickramasuriya, Athanasopoulos & Hyndman (2019), J. Am. Statistical Association 114, 804-819.
    """
    parts = made[:, ~total].sum(axis=1, keepdims=True)
    some = parts > 0
    whole = np.where(some, made[:, total] + meet * (parts - made[:, total]), made[:, total])
    agreed = np.where(some, made * whole / np.where(some, parts, 1.0), whole / (~total).sum())
    agreed[:, total] = whole
    return agreed


def _better(tried: dict[str, np.ndarray], actual: np.ndarray, pool: np.ndarray) -> str:
    """The plainest guess only where it was closer over all past dates."""
    error = {name: np.nansum(np.abs(made - actual)[:, pool]) for name, made in tried.items()}
    return "seasonal_naive" if error["seasonal_naive"] < error["pooled"] else "pooled"


def _rungs(values: np.ndarray) -> np.ndarray:
    seen = (~np.isnan(values)).sum(axis=1)
    return np.select([seen == 0, seen < WEEK, seen < FULL], RUNGS[:3], RUNGS[3])


def _naive_scale(values: np.ndarray) -> np.ndarray:
    """Mean absolute change from week to week of each series: what MASE divides by."""
    change = np.abs(values[:, WEEK:] - values[:, :-WEEK])
    known = (~np.isnan(change)).sum(axis=1)
    return np.where(known > 0, np.nansum(change, axis=1) / np.maximum(known, 1), np.nan)
