"""How far to trust a forecast: ranges of days and sums, paths and scores, from its errors at past dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import lift
from shopanalysis.calendars import DAY
from shopanalysis.forecast_errors import (
    NORMAL,
    closed,
    freedom_of_lifts,
    mean,
    normal,
    scaled,
    sizes,
    widening,
    widening_parts,
    wilder,
)
from shopanalysis.forecasting import Forecast
from shopanalysis.smoothing import WEEK

FEWEST = 2  # past dates below which no range is given
LEAST_FREEDOM = 3.0
SCORES = ["mase", "wape", "bias", "skill", "origins"]


def _of_stated(made: Forecast) -> np.ndarray:
    """(campaigns, series, days): standard deviation of sales that a lift stated by the shop leaves open."""
    return made.expected * lift.stated(made.stated, made.days)[1][:, None]


def by_day(made: Forecast, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high, (series, days), that hold a day's sales `level` times in 100; nan: no range.

    Quantiles of past errors over their mean size, pooled by group and week ahead; weeks ahead that
    were never tried are as if the error had grown since like a walk. Vovk et al. (2005), Algorithmic
    Learning in a Random World: the fewer dates, the further out the quantile.
    """
    size, tried = sizes(made), scaled(made)
    low, high = np.full(made.expected.shape, np.nan), np.full(made.expected.shape, np.nan)
    for group in np.unique(made.groups):
        rows = made.groups == group
        for start in range(0, len(made.days), WEEK):
            days = slice(start, start + WEEK)
            errors, ahead = tried[:, rows, days], start // WEEK + 1
            if (~np.isnan(errors)).any(axis=(1, 2)).sum() >= FEWEST:
                ends, last = _quantiles(errors, level, _freedom(errors)), ahead
            elif start == 0:
                break
            low[rows, days], high[rows, days] = np.array(ends) * (ahead / last) ** 0.5
    wide = size[:, None] * widening(made) * wilder(made, level) * ~closed(made.expected)
    stated = np.sqrt((_of_stated(made) ** 2).sum(axis=0)) * normal(level)
    return _laid(np.hypot(wide * low, stated), np.hypot(wide * high, stated), made.expected)


def of_sum(made: Forecast, level: int, days: int, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Low and high, (series), of the sum over `days` from the day `start` ahead; nan: no range.

    From the errors of past sums, not from daily ranges: errors of single days cancel out in part.
    Sums longer than those tried are as if the error per day lasted. The doubt of a campaign's lift
    is shared by its days, and added.
    """
    window = slice(start, start + days)
    low, high = np.full(len(made.series), np.nan), np.full(len(made.series), np.nan)
    for group in np.unique(made.groups):
        rows = made.groups == group
        tried = _longest(_with_closed(made)[:, rows], made, window)
        errors = tried.mean(axis=2, keepdims=True) * days
        if (~np.isnan(errors)).any(axis=(1, 2)).sum() >= FEWEST:
            freedom = _freedom(errors, 1 - min(WEEK / tried.shape[2], 1))
            low[rows], high[rows] = _quantiles(errors, level, freedom)
    plain, shared = widening_parts(made)
    ordinary, size = plain[:, window].mean(axis=1), sizes(made)
    doubt = shared[:, window].sum(axis=1) * NORMAL * normal(level)
    doubt = doubt * wilder(made, level)[:, window].max(axis=1)
    stated = np.sqrt((_of_stated(made)[..., window].sum(axis=2) ** 2).sum(axis=0)) * normal(level)
    below, above = (np.hypot(np.hypot(ordinary * end, doubt) * size, stated) for end in (low, high))
    return _laid(below, above, made.expected[:, window].sum(axis=1))


def paths(
    made: Forecast, name: str, days: int | None = None, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """(draws, days): ways in which the first `days` ahead of one series may go, all of them if None.

    Each is the whole row of errors of one past date and one series of its group, so that days keep
    their dependence, times what a mean and a scale measured on few dates leave open (Student's t for a
    new one); where rows so long were not tried, a shorter one over again. Campaigns' lifts are off
    together. Empty where there is no range.
    """
    row, window = made.row(name), slice(0, len(made.days) if days is None else days)
    length = len(made.days[window])
    if not length:
        return np.empty((0, 0))
    errors = _longest(_with_closed(made)[:, made.groups == made.groups[row]], made, window)
    pool = errors.reshape(-1, errors.shape[2])
    pool = pool[~np.isnan(pool).any(axis=1)]
    tried = (~np.isnan(errors)).all(axis=2).any(axis=1).sum()
    if tried < FEWEST or np.isnan(sizes(made)[row]):
        return np.empty((0, length))
    generator = np.random.default_rng(seed)
    freedom = _freedom(errors.mean(axis=2, keepdims=True), 1 - min(WEEK / errors.shape[2], 1))
    drawn = pool[generator.integers(len(pool), size=draws)][:, np.arange(length) % pool.shape[1]]
    drawn = drawn * np.sqrt((freedom + 1) / generator.chisquare(freedom, size=draws))[:, None]
    plain, shared = (part[row, window] for part in widening_parts(made))
    lifts = min(freedom_of_lifts(made)[row, window].min(), 1e6)
    off = generator.standard_t(lifts, size=draws)[:, None]
    moved = sizes(made)[row] * (plain * drawn + shared * NORMAL * off)
    stated = _of_stated(made)[:, row, window]
    moved += generator.standard_normal((draws, len(stated))) @ stated
    moved[:, closed(made.expected)[window]] = 0.0
    return np.maximum(made.expected[row, window] + moved, 0.0)


def _with_closed(made: Forecast) -> np.ndarray:
    """The scaled errors, with none on days on which the shop was closed as expected."""
    errors = scaled(made)
    shut = closed(made.tried[made.method])[:, None] & ~(made.actual > 0)
    return np.where(shut & np.isnan(errors), 0.0, errors)


def _longest(tried: np.ndarray, made: Forecast, window: slice) -> np.ndarray:
    """Past errors of `window`, or of its first weeks that were tried on enough dates."""
    for stop in (window.stop, *range(window.stop - WEEK, window.start + WEEK - 1, -WEEK)):
        errors = _whole(tried, made, slice(window.start, stop))
        if (~np.isnan(errors)).any(axis=(1, 2)).sum() >= FEWEST:
            return errors
    return errors


def _whole(tried: np.ndarray, made: Forecast, window: slice) -> np.ndarray:
    """Scaled errors of windows that had ended, with at least half of their days counted.

    A day not counted (a campaign's, a missing one) has the mean of the window's others.
    """
    errors = tried[:, :, window]
    known = ~np.isnan(errors)
    mean = np.nansum(errors, axis=2) / np.maximum(known.sum(axis=2), 1)
    ended = made.origins + window.stop * DAY <= made.days[0]
    usable = (known.mean(axis=2) >= 0.5) & np.asarray(ended)[:, None]
    return np.where(usable[..., None], np.where(known, errors, mean[..., None]), np.nan)


def _freedom(errors: np.ndarray, overlap: float = 0.0) -> float:
    """How many free observations the errors of (origins, series, days) are worth for a range's width.

    The mean square of normal errors is worth fewer where they go alike, by the square of their
    correlation: of days of one date, of siblings, and of one date with the next (at least `overlap`).
    """
    by_date = _mean_along(errors, 2)
    filled = np.where(np.isnan(by_date), 0.0, by_date)
    square = (filled**2).sum()
    if square == 0:
        return LEAST_FREEDOM
    after = max((filled[1:] * filled[:-1]).sum() / square, overlap)
    dates = (~np.isnan(by_date)).any(axis=1).sum() * (1 - after**2) / (1 + after**2)
    return max(dates * _worth(errors, 2) * _worth(by_date, 1), LEAST_FREEDOM)


def _worth(errors: np.ndarray, axis: int) -> float:
    """How many free observations those along `axis` are worth, by how far they go alike."""
    known = ~np.isnan(errors)
    count = known.sum() / known.any(axis=axis).sum()
    whole = np.nanmean(_mean_along(errors, axis) ** 2) / np.nanmean(errors**2)
    alike = np.clip((whole * count - 1) / max(count - 1, 1), 0.0, 1.0)
    return count / (1 + (count - 1) * alike**2)


def _mean_along(errors: np.ndarray, axis: int) -> np.ndarray:
    known = (~np.isnan(errors)).sum(axis=axis)
    return np.where(known > 0, np.nansum(errors, axis=axis) / np.maximum(known, 1), np.nan)


def _quantiles(errors: np.ndarray, level: int, freedom: float) -> tuple[float, float]:
    """Ends that hold `level` in 100 of what the scaled errors were drawn from.

    Where so rare an error cannot show in so few free ones, they are taken to follow Student's t.
    """
    known, share = errors[~np.isnan(errors)], 0.5 + level / 200
    safe = share * (1 + 1 / freedom)
    if safe > 1:
        end = np.sqrt((known**2).mean()) * stats.t.ppf(share, freedom)
        return -end, end
    low, high = np.quantile(known, [1 - safe, safe])
    return min(low, 0.0), max(high, 0.0)


def _laid(below, above, expected) -> tuple[np.ndarray, np.ndarray]:
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
        learned=made.learned[:, : made.learned.shape[1] - (made.days[0] - origin) // DAY],
    )


def _siblings(made: Forecast, name: str) -> Forecast:
    """`made` of the series of one group alone: ranges rest on no other."""
    rows = made.groups == made.groups[made.row(name)]
    by_series = (
        "series",
        "groups",
        "expected",
        "factor",
        "rung",
        "stopped",
        "learned",
        "naive_scale",
    )
    return replace(
        made,
        tried={method: tried[:, rows] for method, tried in made.tried.items()},
        actual=made.actual[:, rows],
        tried_factor=made.tried_factor[:, rows],
        **{field: getattr(made, field)[rows] for field in by_series},
    )


def coverage(made: Forecast, name: str, levels: Sequence[int]) -> np.ndarray:
    """(levels, origins, days): whether a day lay within the range given for it then; nan: not known.

    Each range comes only from what was known at its date.
    """
    made = _siblings(made, name)
    row = made.row(name)
    held = np.full((len(levels), len(made.origins), len(made.days)), np.nan)
    for place in range(FEWEST, len(made.origins)):
        then, sold = as_of(made, place), made.actual[place, row]
        for number, level in enumerate(levels):
            low, high = by_day(then, level)
            inside = (low[row] <= sold) & (sold <= high[row])
            held[number, place] = np.where(np.isnan(sold) | np.isnan(low[row]), np.nan, inside)
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
    covered = ("covered_80", "covered_95")
    held = dict(zip(covered, coverage(made, name, (80, 95)), strict=True))
    rows = []
    for number in range(week.max(initial=-1) + 1) if len(made.origins) else ():
        scored = _scored(made, made.row(name), made.method, week == number)
        inside = {k: mean(v[:, week == number]) for k, v in held.items()}
        rows.append({"week_ahead": number + 1} | scored | inside)
    columns = ["week_ahead", *SCORES[:-1], *held, SCORES[-1]]
    return pd.DataFrame(rows, columns=columns)


def _scored(made: Forecast, row: int, method: str, days: np.ndarray) -> dict[str, float]:
    sold = made.actual[:, row][:, days]
    error, naive = (made.tried[m][:, row][:, days] - sold for m in (method, "seasonal_naive"))
    scale, size, total = made.naive_scale[row], np.nansum(np.abs(error)), np.nansum(sold)
    plain = np.nansum(np.abs(naive))
    return {
        "mase": mean(np.abs(error)) / scale if scale > 0 else np.nan,
        "wape": size / total if total > 0 else np.nan,
        "bias": np.nansum(error) / total if total > 0 else np.nan,
        "skill": 1 - size / plain if plain > 0 else np.nan,
        "origins": int((~np.isnan(sold)).any(axis=1).sum()),
    }
