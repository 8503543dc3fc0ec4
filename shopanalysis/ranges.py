"""How far to trust a forecast: ranges of days and sums, paths and scores, from its errors at past dates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import lift
from shopanalysis.calendars import DAY, campaign_days
from shopanalysis.forecasting import Forecast
from shopanalysis.smoothing import WEEK

FEWEST = 6  # past dates below which no range is given
RECENT = 26  # weeks behind the size of a series' errors
LEAST_FREEDOM = 3.0
LEAST = 14  # days tried below which that size is not known
SCORES = ["mase", "wape", "bias", "skill", "origins"]
EVENT = 2**0.5  # a ratio measured once is as doubtful as the level that it multiplies


def sizes(made: Forecast) -> np.ndarray:
    """Mean absolute error of each series over the last RECENT weeks, campaign days left out; nan: none."""
    return _sizes(made)[-1]


def _sizes(made: Forecast) -> np.ndarray:
    """(origins and now, series): the same as it was known at each past date, so that its own doubt counts."""
    size = np.abs(_errors(made))
    dates, series, days = size.shape
    total, known = np.zeros((dates + 1, series)), np.zeros((dates + 1, series))
    for start in range(0, days, WEEK):
        week, shift = size[..., start : start + WEEK], start // WEEK + 1
        total[shift:] += np.nansum(week, axis=2)[: max(dates + 1 - shift, 0)]
        known[shift:] += (~np.isnan(week)).sum(axis=2)[: max(dates + 1 - shift, 0)]
    total, known = _last(total), _last(known)
    return np.where(known >= LEAST, total / np.maximum(known, 1), np.nan)


def _last(by_week: np.ndarray) -> np.ndarray:
    """Sums over the last RECENT rows, up to each."""
    summed = np.cumsum(by_week, axis=0)
    return summed - np.pad(summed, ((RECENT, 0), (0, 0)))[: len(summed)]


def _errors(made: Forecast) -> np.ndarray:
    """(origins, series, days): sold less expected, of ordinary days."""
    error = made.actual - made.tried[made.method]
    return np.where(made.tried_event[:, None], np.nan, error)


def widening(made: Forecast) -> np.ndarray:
    """(series, days): how many times an ordinary day's doubt each day has; that of a stated lift aside."""
    wider = np.maximum(made.factor, np.sqrt(made.factor))
    stated = made.days.isin(campaign_days(made.stated))
    return np.where(made.event, np.where(stated, 1.0, EVENT) * wider, 1.0)


def _of_stated(made: Forecast) -> np.ndarray:
    """(campaigns, series, days): standard deviation of sales that a lift stated by the shop leaves open."""
    return made.expected * lift.stated(made.stated, made.days)[1][:, None]


def by_day(made: Forecast, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high, (series, days), that hold a day's sales `level` times in 100; nan: no range.

    Quantiles of past errors over their mean size, pooled by group and week ahead; for weeks ahead
    that were never tried, those of the last week tried. Vovk et al. (2005), Algorithmic Learning in
    a Random World; a group of few series is widened by Student's t.
    """
    size = sizes(made)
    scaled = _scaled_errors(made)
    low, high = np.full(made.expected.shape, np.nan), np.full(made.expected.shape, np.nan)
    for group in np.unique(made.groups):
        rows = made.groups == group
        for start in range(0, len(made.days), WEEK):
            days = slice(start, start + WEEK)
            errors = scaled[:, rows, days]
            tried = (~np.isnan(errors)).any(axis=(1, 2)).sum()
            if tried >= FEWEST:
                ends = _quantiles(errors, level, _freedom(_mean_over_days(errors)))
            elif start == 0:
                break
            low[rows, days], high[rows, days] = ends
    stated = np.sqrt((_of_stated(made) ** 2).sum(axis=0))
    return _laid(low, high, size[:, None] * widening(made), made.expected, stated, level)


def of_sum(made: Forecast, level: int, days: int, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Low and high, (series), of the sum over `days` from the day `start` ahead; nan: no range.

    From the errors of past sums, not from daily ranges: errors of single days cancel out in part.
    """
    window = slice(start, start + days)
    errors = _scaled(made, window).mean(axis=2) * days
    low, high = np.full(len(made.series), np.nan), np.full(len(made.series), np.nan)
    for group in np.unique(made.groups):
        rows = made.groups == group
        tried = (~np.isnan(errors[:, rows])).any(axis=1).sum()
        if tried >= FEWEST:
            low[rows], high[rows] = _quantiles(errors[:, rows], level, _freedom(errors[:, rows]))
    size = sizes(made) * widening(made)[:, window].mean(axis=1)
    stated = np.sqrt((_of_stated(made)[..., window].sum(axis=2) ** 2).sum(axis=0))
    return _laid(low, high, size, made.expected[:, window].sum(axis=1), stated, level)


def paths(
    made: Forecast, name: str, days: int | None = None, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """(draws, days): ways in which the first `days` ahead of one series may go, all of them if None.

    Each is the whole row of errors of one past date and one series of its group, so that days keep
    their dependence, times what a mean and a scale measured on few dates leave open (Student's t for
    a new one). Empty where there is no range.
    """
    row, ahead = made.row(name), slice(0, len(made.days) if days is None else days)
    expected = made.expected[row, ahead]
    none = np.empty((0, len(expected)))
    if not len(expected):
        return none
    errors = _scaled(made, ahead)[:, made.groups == made.groups[row]]
    tried = (~np.isnan(errors)).all(axis=2).any(axis=1).sum()
    if tried < FEWEST or np.isnan(sizes(made)[row]):
        return none
    pool = errors.reshape(-1, len(expected))
    pool = pool[~np.isnan(pool).any(axis=1)]
    generator = np.random.default_rng(seed)
    freedom = _freedom(errors.mean(axis=2))
    drawn = pool[generator.integers(len(pool), size=draws)]
    wider = np.sqrt((freedom + 1) / generator.chisquare(freedom, size=draws))
    away = sizes(made)[row] * widening(made)[row, ahead] * drawn * wider[:, None]
    stated = generator.standard_normal((draws, len(made.stated))) @ _of_stated(made)[:, row, ahead]
    return np.maximum(expected + away + stated, 0.0)


def _scaled_errors(made: Forecast) -> np.ndarray:
    size = _sizes(made)[:-1]
    return _errors(made) / np.where(size > 0, size, np.nan)[..., None]


def _scaled(made: Forecast, window: slice) -> np.ndarray:
    """Past errors over their series' mean size, (origins, series, days of `window`).

    Only windows that had ended, with at least half of their days counted; a day not counted (a
    campaign's, a missing one) has the mean of the window's others.
    """
    errors = _scaled_errors(made)[:, :, window]
    known = ~np.isnan(errors)
    share = known.mean(axis=2)
    mean = np.nansum(errors, axis=2) / np.maximum(known.sum(axis=2), 1)
    length = len(range(*window.indices(len(made.days))))
    ended = made.origins + ((window.start or 0) + length) * DAY <= made.days[0]
    usable = (share >= 0.5) & np.asarray(ended)[:, None]
    return np.where(usable[..., None], np.where(known, errors, mean[..., None]), np.nan)


def _freedom(errors: np.ndarray) -> float:
    """How many free observations the errors of (origins, series) are worth for a range's width.

    Weekly dates whose errors go alike count for less (lag-one correlation about 0, which counts a
    lasting bias too); siblings add none, since what moves the shop moves them all.
    """
    known = ~np.isnan(errors)
    filled = np.where(known, errors, 0.0)
    square = (filled**2).sum()
    alike = (filled[1:] * filled[:-1]).sum() / square if square > 0 else 0.0
    alike = np.clip(alike, 0.0, 1.0)
    dates = known.any(axis=1).sum() * (1 - alike) / (1 + alike)
    return max(dates, LEAST_FREEDOM)


def _mean_over_days(errors: np.ndarray) -> np.ndarray:
    known = (~np.isnan(errors)).sum(axis=2)
    return np.where(known > 0, np.nansum(errors, axis=2) / np.maximum(known, 1), np.nan)


def _quantiles(errors: np.ndarray, level: int, freedom: float) -> tuple[float, float]:
    known = errors[~np.isnan(errors)]
    share = 0.5 + level / 200
    wider = stats.t.ppf(share, freedom) / stats.norm.ppf(share)
    safe = min(share * (1 + 1 / known.size), 1.0)
    low, high = np.quantile(known, [1 - safe, safe])
    return min(low, 0.0) * wider, max(high, 0.0) * wider


def _laid(low, high, size, expected, stated, level) -> tuple[np.ndarray, np.ndarray]:
    """Errors and the doubt of what the shop states (a standard deviation) are independent."""
    reach = stats.norm.ppf(0.5 + level / 200) * stated
    below, above = np.hypot(size * low, reach), np.hypot(size * high, reach)
    return np.maximum(expected - below, 0.0), np.maximum(expected + above, 0.0)


def as_of(made: Forecast, place: int) -> Forecast:
    """`made` as it was at its past date number `place`, knowing only what was known then."""
    origin = made.origins[place]
    length = made.expected.shape[1]
    ahead = (
        made.origins[:place].to_numpy()[:, None] + np.arange(length) * DAY.to_timedelta64()
        if place
        else np.empty((0, length))
    )
    known = (ahead < origin.to_datetime64())[:, None] if place else np.empty((0, 1, length), bool)
    return replace(
        made,
        days=pd.date_range(origin, periods=length, name="date"),
        origins=made.origins[:place],
        expected=made.tried[made.method][place],
        factor=made.tried_factor[place],
        event=made.tried_event[place],
        tried={name: tried[:place] for name, tried in made.tried.items()},
        actual=np.where(known, made.actual[:place], np.nan),
        tried_event=made.tried_event[:place],
        tried_factor=made.tried_factor[:place],
        stated=(),
    )


def coverage(made: Forecast, name: str, level: int) -> np.ndarray:
    """(origins, days): whether a day lay within the range given for it then; nan: no range, or not known.

    Each range comes only from what was known at its date.
    """
    row = made.row(name)
    held = np.full((len(made.origins), len(made.days)), np.nan)
    for place in range(FEWEST, len(made.origins)):
        low, high = by_day(as_of(made, place), level)
        sold = made.actual[place, row]
        inside = (low[row] <= sold) & (sold <= high[row])
        held[place] = np.where(np.isnan(sold) | np.isnan(low[row]), np.nan, inside)
    return held


def scores(made: Forecast, name: str) -> pd.DataFrame:
    """How each method did on one series at past dates: method, mase, wape, bias, skill, origins; best first.

    mase   mean absolute error over the mean absolute change from week to week
    wape   sum of absolute errors / sum of sales        bias   sum of errors / sum of sales
    skill  1 - error / that of the same weekday last week

    Hyndman & Koehler (2006), International Journal of Forecasting 22, 679-688.
    """
    every = np.ones(len(made.days), bool)
    rows = [{"method": m} | _scored(made, made.row(name), m, every) for m in made.tried]
    table = pd.DataFrame(rows if len(made.origins) else [], columns=["method", *SCORES])
    return table.sort_values("mase", kind="stable").reset_index(drop=True)


def by_week(made: Forecast, name: str) -> pd.DataFrame:
    """The same for the method shipped, by week ahead, with the share of days inside their range.

    week_ahead (from 1), mase, wape, bias, skill, covered_80, covered_95 (missing: too few dates), origins
    """
    week = np.arange(len(made.days)) // WEEK
    held = {f"covered_{level}": coverage(made, name, level) for level in (80, 95)}
    rows = []
    for number in range(week.max(initial=-1) + 1) if len(made.origins) else ():
        scored = _scored(made, made.row(name), made.method, week == number)
        inside = {k: _mean(v[:, week == number]) for k, v in held.items()}
        rows.append({"week_ahead": number + 1} | scored | inside)
    columns = ["week_ahead", *SCORES[:-1], *held, SCORES[-1]]
    return pd.DataFrame(rows, columns=columns)


def _scored(made: Forecast, row: int, method: str, days: np.ndarray) -> dict[str, float]:
    sold = made.actual[:, row][:, days]
    error, naive = (made.tried[m][:, row][:, days] - sold for m in (method, "seasonal_naive"))
    scale, size, total = made.naive_scale[row], np.nansum(np.abs(error)), np.nansum(sold)
    plain = np.nansum(np.abs(naive))
    return {
        "mase": _mean(np.abs(error)) / scale if scale > 0 else np.nan,
        "wape": size / total if total > 0 else np.nan,
        "bias": np.nansum(error) / total if total > 0 else np.nan,
        "skill": 1 - size / plain if plain > 0 else np.nan,
        "origins": int((~np.isnan(sold)).any(axis=1).sum()),
    }


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan
