"""What each item may sell on the days ahead, as paths: equally likely futures, day by day, in pieces.

Arrays are (items, days) unless said; a missing day was not on sale, sold out, or in no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import forecasting, lift
from shopanalysis.calendars import DAY, Campaign, campaign_days
from shopanalysis.forecasting import Forecast

STEADY = 28  # days on sale before a run of zeros that say what it would have sold
FEWEST_BEFORE = 14
LUCK = 0.0001  # chance of a run of zeros below which the item was sold out
FEWEST_ORIGINS = 8  # past dates below which a path is drawn from counts alone
PATHS = 400
COUNTED = 0.8  # share of the days after a past date that must have been on sale
BAND = 4  # items whose means lie within this factor share evidence


@dataclass(frozen=True)
class Demand:
    """What is expected and what may be.

    items      one id per row of the arrays           days      the days ahead
    expected   (items, days), pieces                  paths     (items, paths, the first of the days)
    tested     whether the paths are those of past dates; else they are drawn from counts alone
    unknown    names of campaigns ahead whose event is the first of its kind: nothing is laid on for it
    """

    items: pd.Index
    days: pd.DatetimeIndex
    expected: np.ndarray
    paths: np.ndarray
    tested: bool
    unknown: tuple[str, ...] = ()

    def between(self, first: int, last: int) -> np.ndarray:
        """(items, paths): pieces sold from the day `first` ahead to before the day `last`; from 0."""
        return self.paths[:, :, max(first, 0) : last].sum(axis=2)


def history(
    item_day: pd.DataFrame, date: pd.Timestamp, stock: pd.Series | None = None
) -> pd.DataFrame:
    """Pieces sold by item and day up to `date`: index item_id, columns every day.

    item_day   date, item_id, units, visitors, buyers, ordered_units
    stock   pieces today by item_id, where known

    A day with files on which an item has no row is a day without sales once the item has been seen;
    a day without any row, days before the first, and days sold out (sold_out()) are missing.
    """
    known = item_day[(item_day["date"] <= date) & item_day["units"].notna()]
    if known.empty:
        return pd.DataFrame(index=pd.Index([], name="item_id"))
    days = pd.date_range(known["date"].min(), date, name="date")
    units = _wide(known, "units")
    began = units.notna().cumsum(axis=1) > 0
    units = units.fillna(0.0).where(began).reindex(columns=days)
    visitors, ordered, buyers = (
        _wide(known, c).reindex(index=units.index, columns=days)
        for c in ("visitors", "ordered_units", "buyers")
    )
    left = stock.reindex(units.index) if stock is not None else pd.Series(np.nan, units.index)
    idle = (units == 0) & (visitors > 0) & ~(ordered > 0)
    sales = buyers.fillna(units)
    out = sold_out(
        sales.to_numpy(), visitors.to_numpy(), idle.to_numpy(), left.to_numpy(dtype=float)
    )
    return units.mask(out)


def _wide(item_day: pd.DataFrame, column: str) -> pd.DataFrame:
    return item_day.pivot(index="item_id", columns="date", values=column)


def sold_out(
    sales: np.ndarray, visitors: np.ndarray, idle: np.ndarray, stock: np.ndarray
) -> np.ndarray:
    """Days on which an item was looked at but could not be bought: their zeros are no lack of demand.

    sales   people who bought (pieces, where unknown)     stock   (items) pieces today
    idle    days with visitors on which nothing was ordered

    A run of idle days whose visitors, at the item's own rate of the STEADY days before and the whole
    shop's of the day, would all leave without buying less than LUCK of the time; and the run that
    lasts until now where stock is 0. What sells slowly can be sold out without its showing here.
    """
    likely = np.nan_to_num(visitors) * _rate_of_the_day(sales, visitors)
    out = np.zeros(sales.shape, bool)
    for row, sold in enumerate(sales):
        for start, end in _runs(idle[row]):
            on_sale = np.flatnonzero(~out[row, :start] & ~np.isnan(sold[:start]))[-STEADY:]
            bought, fair = sold[on_sale].sum(), likely[row, on_sale].sum()
            missed = likely[row, start:end].sum() * bought / fair if fair > 0 else 0.0
            rare = len(on_sale) >= FEWEST_BEFORE and np.exp(-missed) < LUCK
            out[row, start:end] = rare or (end == len(sold) and stock[row] == 0 and bought > 0)
    return out


def _rate_of_the_day(sales: np.ndarray, visitors: np.ndarray) -> np.ndarray:
    seen = np.nansum(visitors, axis=0)
    return np.where(seen > 0, np.nansum(sales, axis=0) / np.where(seen > 0, seen, 1.0), 0.0)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def forecast(past: pd.DataFrame, days: int, campaigns: Sequence[Campaign] = ()) -> Forecast | None:
    """The forecast of each item of `past` (of history()) for the `days` after its last; None: no item."""
    if past.empty:
        return None
    return forecasting.forecast(past, days, campaigns, _bands(past))


def ahead(made: Forecast | None, past: pd.DataFrame, days: int) -> Demand:
    """What each item may sell on the first `days` of a forecast.

    A path is what came after one past date, as shares of what the forecast said then, laid on what it
    says now; of all items' past dates those on which about as much was expected.
    """
    if made is None:
        nothing = np.zeros((0, days))
        return Demand(past.index, pd.DatetimeIndex([]), nothing, nothing[:, None], False)
    first = slice(0, days)
    made = replace(
        made,
        days=made.days[first],
        expected=made.expected[:, first],
        event=made.event[first],
        tried={made.method: made.tried[made.method][:, :, first]},
        actual=made.actual[:, :, first],
        tried_event=made.tried_event[:, first],
    )
    shares = _shares(made)
    unknown = [c.name for c in made.unknown if c.phase == "event" and c.start <= made.days[-1]]
    paths = _counted(made.expected, past) if shares is None else _laid(made, *shares)
    names = tuple(dict.fromkeys(unknown))
    return Demand(past.index, made.days, made.expected, paths, shares is not None, names)


def _bands(past: pd.DataFrame) -> list[str]:
    """For each item the power of BAND that its mean sales a day lie under."""
    mean = past.mean(axis=1).fillna(0.0).clip(lower=1 / BAND)
    return [f"band {power:.0f}" for power in np.floor(np.log(mean) / np.log(BAND))]


def _shares(made: Forecast) -> tuple[np.ndarray, np.ndarray] | None:
    """(expected sum, shares by day) of items at past dates whose days all came; None: too few dates.

    What was expected of campaign days is first set to what the whole shop sold on them, so that only
    the item's own part is left. Days not on sale, a few at most, have the mean share of the others;
    a day of which next to nothing was expected counts as a BAND-th of the mean.
    """
    said = made.tried[made.method] * _of_the_shop(made)[:, None]
    counted = ~np.isnan(made.actual)
    ended = made.origins + len(made.days) * DAY <= made.days[0]
    whole = np.where(counted, said, 0.0).sum(axis=2)
    usable = (counted.mean(axis=2) >= COUNTED) & (whole > 0) & np.asarray(ended)[:, None]
    if usable.any(axis=1).sum() < FEWEST_ORIGINS:
        return None
    sold, said, known = made.actual[usable], said[usable], counted[usable]
    mean = np.where(known, sold, 0.0).sum(axis=1) / whole[usable]
    least = said.mean(axis=1, keepdims=True) / BAND
    shares = np.where(known, sold / np.maximum(said, least), mean[:, None])
    return said.sum(axis=1), np.maximum(shares, 0.0)


def _of_the_shop(made: Forecast) -> np.ndarray:
    """(origins, days): on campaign days all items' sales / what was expected of them; 1 on others."""
    said = np.where(np.isnan(made.actual), 0.0, made.tried[made.method]).sum(axis=1)
    ratio = np.nansum(made.actual, axis=1) / np.where(said > 0, said, 1.0)
    return np.where(made.tried_event & (ratio > 0) & (said > 0), ratio, 1.0)


def _laid(made: Forecast, sums: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(items, paths, days): what is expected times the shares that followed the sums nearest to an item's.

    On campaign days they are multiplied once more by another path's mean: a lift measured once is as
    doubtful as the level that it multiplies; one stated by the shop, as it states. Running sums are
    rounded to whole pieces.
    """
    count = min(PATHS, len(sums))
    other = np.random.default_rng(0).permutation(count)
    said = made.days.isin(campaign_days(made.stated))
    spread = lift.stated(made.stated, made.days)[1].max(axis=0, initial=0.0)
    stated = np.maximum(1 + spread * stats.norm.ppf((other + 0.5) / count)[:, None], 0.0)
    paths = np.zeros((len(made.series), count, len(made.days)))
    for row, whole in enumerate(made.expected.sum(axis=1)):
        if whole > 0:
            apart = np.abs(np.log(sums / whole))
            nearest = np.sort(np.argpartition(apart, count - 1)[:count])
            drawn = shares[nearest]
            doubt = drawn.mean(axis=1)[other, None] / max(drawn.mean(), 1e-9)
            doubt = np.where(said, stated, np.where(made.event, doubt, 1.0))
            paths[row] = made.expected[row] * drawn * doubt
    return np.diff(np.round(paths.cumsum(axis=2)), axis=2, prepend=0.0)


def _counted(expected: np.ndarray, past: pd.DataFrame) -> np.ndarray:
    """(items, paths, days) from counts alone: Poisson days around a level as doubtful as the pieces seen."""
    pieces = past.clip(lower=0).sum(axis=1).to_numpy() + 0.5
    drawn = np.empty((len(expected), PATHS, expected.shape[1]))
    for row, daily in enumerate(np.maximum(expected, 0.0)):
        generator = np.random.default_rng(0)
        doubt = generator.gamma(pieces[row], 1 / pieces[row], size=(PATHS, 1))
        drawn[row] = generator.poisson(daily * doubt)
    return drawn
