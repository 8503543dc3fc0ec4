"""Many daily series at once: exponential smoothing, weighted by past errors, and a weekday profile.

Arrays are (series, days); missing days are nan. Origin o knows days 0 to o - 1 and nothing else.
"""

from __future__ import annotations

from itertools import product

import numpy as np

WEEK = 7
WINDOW = 8 * WEEK  # days behind a weekday profile
HALF_LIFE = 2  # weeks after which a day counts half in the profile's level
POOLED_WEEKS = 4  # weeks of its own that the shop's weekday shape counts for in a series' shape
GIANT = 2  # times the largest day of the eight weeks before: no more is learned from one day
SURELY_STOPPED = 7  # sales that were due and did not come: chance below exp(-7), 1 in 1000
FULL = 7 * WEEK  # days from which smoothing is added to the profile
SCORED = 16  # origins behind the weights
SHARPNESS = 10  # weight exp(-10 x) for an error x times above the best setting's
OWN = 0.5  # share of a series' own errors in its weights; the rest is its siblings'
DAMPED = 0.95  # of a trend left each day

# level gain, trend gain as a share of it, seasonal gain
SETTINGS = np.array(
    list(product((0.02, 0.04, 0.08, 0.15, 0.3, 0.5), (0.0, 0.1), (0.0, 0.05, 0.15)))
)


def learned(values: np.ndarray) -> np.ndarray:
    """`values` as they are learned from: giant days cut, and no sales missing once they surely stopped.

    Both look back only: what is learned from a day never depends on a later one. A stop is a run of
    days without sales in which SURELY_STOPPED were due by the share of days with sales before it.
    """
    padded = np.pad(values, ((0, 0), (WINDOW, 0)), constant_values=np.nan)
    before = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, :-1]
    largest = np.fmax.reduce(before, axis=2)
    often = (before > 0).sum(axis=2) >= WEEK
    cut = np.where(often & (values > GIANT * largest), GIANT * largest, values)
    return np.where(_due(values) > SURELY_STOPPED, np.nan, cut)


def _due(values: np.ndarray) -> np.ndarray:
    """Days with sales that were due since the last one, by their share in the eight weeks up to it."""
    sold = np.nan_to_num(values) > 0
    days = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(sold, days, -1), axis=1)
    counted = np.pad(np.cumsum(sold, axis=1), ((0, 0), (1, 0)))
    rows = np.arange(len(values))[:, None]
    then = counted[rows, last + 1] - counted[rows, np.maximum(last + 1 - WINDOW, 0)]
    empty = np.cumsum(np.nan_to_num(values, nan=1.0) == 0, axis=1)
    run = empty - np.where(last >= 0, empty[rows, np.maximum(last, 0)], empty)
    return then / WINDOW * run


def stopped(values: np.ndarray, origin: int) -> np.ndarray:
    """Which series had surely stopped selling by `origin`: sold out, delisted or dead."""
    return (
        _due(values[:, :origin])[:, -1] > SURELY_STOPPED if origin else np.zeros(len(values), bool)
    )


def profile(values: np.ndarray, origin: int, days: int, pool: np.ndarray | None = None):
    """Level times weekday shape of the eight weeks before `origin`, for the `days` after it.

    pool   rows whose sum gives the shop's weekday shape; all where it is not given

    A series' shape leans on the shop's the more, the fewer weeks it has. 0 where nothing is known.
    """
    weeks = _weeks_before(values, origin)
    known = (~np.isnan(weeks)).sum(axis=1)
    by_day = np.nansum(weeks, axis=1) / np.maximum(known, 1)
    seen = known > 0
    mean = by_day.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    shop = _shop_shape(by_day, seen, mean, pool)
    base = by_day.sum(axis=1) / np.maximum((shop * seen).sum(axis=1), 1e-12)
    own = by_day / np.where(base > 0, base, 1.0)[:, None]
    shape = (known * own + POOLED_WEEKS * shop) / (known + POOLED_WEEKS)
    weight = 0.5 ** (np.arange(WINDOW // WEEK)[::-1] / HALF_LIFE)[:, None] * ~np.isnan(weeks)
    total = (weight * np.nan_to_num(weeks)).sum(axis=(1, 2))
    level = total / np.maximum((weight * shape[:, None]).sum(axis=(1, 2)), 1e-12)
    expected = np.where(mean > 0, np.maximum(level, 0.0), 0.0)[:, None] * shape
    return expected[:, np.arange(days) % WEEK]


def _weeks_before(values: np.ndarray, origin: int) -> np.ndarray:
    """(series, 8 weeks, 7 days); the day after `origin` - 1 has place 0 in its week."""
    window = values[:, max(0, origin - WINDOW) : origin]
    padding = ((0, 0), (WINDOW - window.shape[1], 0))
    return np.pad(window, padding, constant_values=np.nan).reshape(len(values), -1, WEEK)


def _shop_shape(by_day, seen, mean, pool) -> np.ndarray:
    rows = (mean > 0) if pool is None else (mean > 0) & pool
    usual = (seen * mean[:, None])[rows].sum(axis=0)
    return np.where(usual > 0, by_day[rows].sum(axis=0) / np.where(usual > 0, usual, 1.0), 1.0)


def closed(values: np.ndarray, origin: int, days: int) -> np.ndarray:
    """Which of the `days` after `origin` fall on a weekday on which no series sold for eight weeks."""
    weeks = _weeks_before(values, origin)
    sold = (weeks > 0).any(axis=(0, 1))
    enough = min(origin, WINDOW) >= WINDOW and (weeks > 0).any(axis=(0, 2)).sum() >= WEEK
    return (~sold if enough else np.zeros(WEEK, bool))[np.arange(days) % WEEK]


def smoothed(values: np.ndarray, origins: list[int], days: int, groups: np.ndarray) -> np.ndarray:
    """Weighted exponential smoothing at each origin: (origins, series, days).

    groups   of siblings, one name for each series: they share half of the evidence on the settings

    The weights at an origin come from the errors over `days` at up to SCORED earlier origins whose
    `days` had all passed. Hyndman et al. (2008), Forecasting with Exponential Smoothing (ETS
    A,Ad,A); weights by past errors: Kolassa (2011), Int. Journal of Forecasting 27, 238-251.
    """
    level, slope, season = _states(values, origins)
    errors = np.full((len(origins), len(SETTINGS), len(values)), np.nan, np.float32)
    expected = np.empty((len(origins), len(values), days))
    for i, origin in enumerate(origins):
        past = [j for j in range(i) if origins[j] + days <= origin][-SCORED:]
        weight = _weights(errors[past], groups)
        state = [np.einsum("ks,ks...->s...", weight, part[i]) for part in (level, slope, season)]
        expected[i] = _ahead(*state, days)
        if origin + days <= values.shape[1]:
            every = _ahead(level[i], slope[i], season[i], days)
            size = np.abs(every - values[:, origin : origin + days].astype(np.float32))
            counted = (~np.isnan(size[0])).sum(axis=1)
            errors[i] = np.nansum(size, axis=2) / np.where(counted > 0, counted, np.nan)
    return expected


def _states(values: np.ndarray, origins: list[int]):
    """Level, slope and season (the next day's first) of every setting before each origin.

    Gains start at 1 / days seen, so that no starting value is needed and a launch catches up.
    """
    alpha, trend, gamma = (column[:, None].astype(np.float32) for column in SETTINGS.T)
    shape = (len(SETTINGS), len(values))
    level, slope = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    season = np.zeros((WEEK, *shape), np.float32)
    seen, seen_on = np.zeros(len(values), np.float32), np.zeros((WEEK, len(values)), np.float32)
    kept = {}
    for day in range(max(origins, default=-1) + 1):
        if day in origins:
            kept[day] = level.copy(), slope.copy(), np.roll(season, -day, axis=0)
        if day == values.shape[1]:
            break
        value, place = values[:, day], day % WEEK
        known = ~np.isnan(value)
        error = (
            np.where(known, value, 0.0).astype(np.float32) - level - DAMPED * slope - season[place]
        )
        error *= known
        seen, seen_on[place] = seen + known, seen_on[place] + known
        gain = np.maximum(alpha, 1 / np.maximum(seen, 1))
        season[place] += np.maximum(gamma, 1 / (seen_on[place] + 1)) * (1 - gain) * error
        level += DAMPED * slope + gain * error
        slope = DAMPED * slope + alpha * trend * (seen > 2 * WEEK) * error
    stacked = [np.stack([kept[origin][part] for origin in origins]) for part in range(3)]
    return stacked[0], stacked[1], np.moveaxis(stacked[2], 1, -1)


def _ahead(level, slope, season, days: int) -> np.ndarray:
    fade = np.cumsum(DAMPED ** np.arange(1, days + 1)).astype(np.float32)
    return level[..., None] + slope[..., None] * fade + season[..., np.arange(days) % WEEK]


def _weights(errors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(settings, series), summing to 1 over settings, from (origins, settings, series)."""
    shape = errors.shape[1:]
    known = (~np.isnan(errors)).sum(axis=0)
    mean = np.nansum(errors, axis=0) / np.maximum(known, 1)
    own = mean / np.where(mean.mean(axis=0) > 0, mean.mean(axis=0), 1.0)
    shared = np.ones(shape)
    for group in np.unique(groups):
        rows = (groups == group) & (known.min(axis=0) > 0)
        if rows.any():
            shared[:, groups == group] = own[:, rows].mean(axis=1, keepdims=True)
    mixed = np.where(known > 0, OWN * own + (1 - OWN) * shared, shared)
    ratio = mixed / np.maximum(mixed.min(axis=0), 1e-12)
    weight = np.exp(-SHARPNESS * (ratio - 1))
    return weight / weight.sum(axis=0)
