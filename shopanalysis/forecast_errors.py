"""How large a forecast's errors were at past dates, and how much larger they are on campaign days.

Arrays are (origins, series, days) or (series, days); missing: not known, not counted.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats

from shopanalysis.calendars import DAY, campaign_days
from shopanalysis.forecasting import Forecast
from shopanalysis.smoothing import WEEK

RECENT = 26  # weeks behind the size of a series' errors
LEAST = 14  # days tried that the change from week to week counts for in that size
AGAIN = 0.25  # of its lift, on the log scale: how far off a campaign may be the next time
ASSUMED = 3  # campaigns tried that this assumption counts for
NORMAL = (np.pi / 2) ** 0.5  # standard deviation over mean absolute error


def sizes(made: Forecast) -> np.ndarray:
    """Mean absolute error of each series over the last RECENT weeks, campaign days left out; nan: none."""
    return _sizes(made)[-1]


@lru_cache(maxsize=4)
def _sizes(made: Forecast) -> np.ndarray:
    """(origins and now, series): the same as it was known at each past date, so that its own doubt counts.

    Where few days were tried, it leans on the change from week to week, which has two days' noise.
    """
    size = np.abs(errors(made))
    dates, series, days = size.shape
    total, known = np.zeros((dates + 1, series)), np.zeros((dates + 1, series))
    for start in range(0, days, WEEK):
        week, shift = size[..., start : start + WEEK], start // WEEK + 1
        total[shift:] += np.nansum(week, axis=2)[: max(dates + 1 - shift, 0)]
        known[shift:] += (~np.isnan(week)).sum(axis=2)[: max(dates + 1 - shift, 0)]
    change = _changes(made)
    total, known = _last(total), _last(known)
    total, known = total + LEAST * np.nan_to_num(change), known + LEAST * ~np.isnan(change)
    return np.where(known >= LEAST, total / np.maximum(known, 1), np.nan)


def _changes(made: Forecast) -> np.ndarray:
    """(origins and now, series): mean absolute change from week to week up to then, over root two."""
    change = np.abs(made.learned[:, WEEK:] - made.learned[:, :-WEEK])
    known = np.cumsum(~np.isnan(change), axis=1)
    total = np.cumsum(np.nan_to_num(change), axis=1)
    back = np.asarray((made.days[0] - made.origins) // DAY, int)
    at = change.shape[1] - 1 - np.append(back, 0)
    enough = (at >= 0)[:, None] & (known.T[np.maximum(at, 0)] >= LEAST if known.size else False)
    mean = (total / np.maximum(known, 1)).T[np.maximum(at, 0)] if known.size else np.nan
    return np.where(enough, mean, np.nan) / 2**0.5 + np.zeros((len(at), len(made.series)))


def _last(by_week: np.ndarray) -> np.ndarray:
    """Sums over the last RECENT rows, up to each."""
    summed = np.cumsum(by_week, axis=0)
    return summed - np.pad(summed, ((RECENT, 0), (0, 0)))[: len(summed)]


def closed(expected: np.ndarray) -> np.ndarray:
    """(…, days): days on which nothing is expected of any series of (…, series, days), but on others."""
    nothing = (expected == 0).all(axis=-2)
    return nothing & ~nothing.all(axis=-1, keepdims=True)


def errors(made: Forecast) -> np.ndarray:
    """(origins, series, days): sold less expected, of ordinary days on which the shop was open."""
    error = made.actual - made.tried[made.method]
    shut = closed(made.tried[made.method])[:, None] & (error == 0)
    return np.where(made.tried_event[:, None] | shut, np.nan, error)


def scaled(made: Forecast) -> np.ndarray:
    """The same over their series' mean size, as it was known then."""
    size = _sizes(made)[:-1]
    return errors(made) / np.where(size > 0, size, np.nan)[..., None]


def widening(made: Forecast) -> np.ndarray:
    """(series, days): how many times an ordinary day's doubt each day has."""
    return np.hypot(*widening_parts(made))


def widening_parts(made: Forecast) -> tuple[np.ndarray, np.ndarray]:
    """(series, days) twice: what a campaign's factor multiplies, and the doubt of the factor itself.

    The second by what is assumed of a lift, times how much further off past campaigns were than that;
    none of it where the shop states a lift, whose doubt it states too.
    """
    if not made.event.any():
        return np.ones(made.expected.shape), np.zeros(made.expected.shape)
    plain, shared = _assumed(made.factor, made.event, made.expected, sizes(made))
    tried = further(made)[0]
    new = made.event & (made.factor == 1).all(axis=0)
    times = np.where(new, tried[:, 1:], tried[:, :1])
    times = np.where(made.event, times, 1.0)
    times = np.where(_stated(made), 0.0, times)
    whole, part = np.hypot(plain, shared) * times, plain * np.minimum(times, 1.0)
    return np.where(times > 0, part, plain), np.sqrt(
        np.maximum(whole**2 - part**2, 0.0)
    ) * made.event


def _stated(made: Forecast) -> np.ndarray:
    return made.days.isin(campaign_days(made.stated))


def _assumed(factor, event, expected, size) -> tuple[np.ndarray, np.ndarray]:
    """The two parts before any campaign was tried, over the size of an ordinary day's error.

    A lift measured once is as doubtful as the level that it multiplies, and not quite the same again.
    """
    plain = np.where(event[..., None, :], np.maximum(factor, np.sqrt(factor)), 1.0)
    again = AGAIN * np.log(np.maximum(factor, 1e-3)) * expected / NORMAL
    scale = np.where(size > 0, size, np.inf)[..., None]
    return plain, np.where(event[..., None, :], np.hypot(plain, again / scale), 0.0)


@lru_cache(maxsize=4)
def further(made: Forecast) -> tuple[np.ndarray, np.ndarray]:
    """(series, 2) twice: errors on past campaign days over those assumed, and campaigns that it rests on.

    Of campaigns with a precedent, and of those that were the first of their kind; by group.
    """
    size = _sizes(made)[:-1]
    parts = _assumed(made.tried_factor, made.tried_event, made.tried[made.method], size)
    scale = np.hypot(*parts) * size[..., None]
    ratio = np.abs(made.actual - made.tried[made.method]) / np.where(scale > 0, scale, np.nan)
    new = (made.tried_factor == 1).all(axis=1)
    times, counted = np.ones((len(made.series), 2)), np.full((len(made.series), 2), 0.0)
    for kind, days in enumerate((made.tried_event & ~new, made.tried_event & new)):
        stretch = _stretches(made, days)
        for group in np.unique(made.groups):
            rows = made.groups == group
            means = [mean(ratio[:, rows].transpose(0, 2, 1)[stretch == n])
                     for n in range(stretch.max(initial=-1) + 1)]  # fmt: skip
            known = np.array(means)[~np.isnan(means)] if means else np.array([])
            times[rows, kind] = (ASSUMED + known.sum()) / (ASSUMED + len(known))
            counted[rows, kind] = len(known)
    return times, counted


def _stretches(made: Forecast, days: np.ndarray) -> np.ndarray:
    """(origins, days): the number of the stretch of special dates that each lies in; -1: none."""
    back = np.asarray((made.origins - made.days[0]) // DAY, int)
    date = back[:, None] + np.arange(days.shape[1])
    dates = np.unique(date[days])
    number = np.cumsum(np.diff(dates, prepend=dates[:1]) > 1)
    found = np.full(days.shape, -1)
    found[days] = number[np.searchsorted(dates, date[days])]
    return found


def freedom_of_lifts(made: Forecast) -> np.ndarray:
    """(series, days): how many campaigns the doubt of a day's lift rests on; infinite on ordinary days."""
    if not made.event.any():
        return np.full(made.expected.shape, np.inf)
    counted = further(made)[1]
    new = (made.factor == 1).all(axis=0)
    measured = ASSUMED + np.where(new, counted[:, 1:], counted[:, :1])
    return np.where(made.event & ~_stated(made), measured, np.inf)


def wilder(made: Forecast, level: int) -> np.ndarray:
    """(series, days): Student's t over the normal quantile, by how few campaigns a lift's doubt rests on."""
    return stats.t.ppf(0.5 + level / 200, freedom_of_lifts(made)) / normal(level)


def normal(level: int) -> float:
    """How many standard deviations about the mean hold `level` in 100."""
    return stats.norm.ppf(0.5 + level / 200)


def mean(values: np.ndarray) -> float:
    """Of those that are known; nan where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan
