"""The next weeks' sales: a smoothed level by weekday, with its doubt, beside the plainest guess."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from shopanalysis import calendars
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding

SHORTEST = 14  # days: two of each weekday
FOR_INTERVALS = 8  # origins behind a range
ORIGINS = 40
CLEAN_WEEKS = 8
SHOWN = ["date", "expected", "low_80", "high_80"]
HALF_LIFE = 10  # days after which a day counts half in the level

Method = Callable[[pd.Series, int, tuple[Campaign, ...]], pd.Series]


def daily_sales(shop_day: pd.DataFrame) -> pd.Series:
    """Sales of the whole shop by day (currency), every day of the range, missing where no row is."""
    whole = shop_day[shop_day["device"] == "all"]
    return whole.set_index("date")["sales"].sort_index().asfreq("D")


def _ahead(sales: pd.Series, days: int) -> pd.DatetimeIndex:
    return pd.date_range(sales.index[-1] + DAY, periods=days, name="date")


def seasonal_naive(sales: pd.Series, days: int, campaigns: tuple[Campaign, ...] = ()) -> pd.Series:
    """The plainest guess: each day sells what the same weekday last sold."""
    last = sales.groupby(sales.index.day_of_week).last()
    ahead = _ahead(sales, days)
    return pd.Series(last.reindex(ahead.day_of_week).fillna(0.0).to_numpy(), ahead)


def smoothed(sales: pd.Series, days: int, campaigns: tuple[Campaign, ...]) -> pd.Series:
    """A weekday profile times an exponentially smoothed level; campaign days are left out of both.

    A campaign day ahead is multiplied by what the same phase did to sales the last time. A
    weekday without sales rows for eight weeks is closed: 0.
    """
    ahead = _ahead(sales, days)
    clean = sales[~sales.index.isin(calendars.campaign_days(campaigns))].dropna()
    recent = clean.tail(7 * CLEAN_WEEKS)
    by_weekday = recent.groupby(recent.index.day_of_week).mean()
    profile = by_weekday / by_weekday.mean() if by_weekday.mean() else by_weekday + 1.0
    plain = recent / profile.reindex(recent.index.day_of_week).to_numpy()
    level = plain[np.isfinite(plain)].ewm(halflife=HALF_LIFE).mean().iloc[-1]
    expected = level * profile.reindex(ahead.day_of_week).fillna(0.0).to_numpy()
    return pd.Series(expected, ahead) * calendars.campaign_factor(sales, campaigns, ahead)


METHODS: dict[str, Method] = {"smoothed": smoothed, "seasonal_naive": seasonal_naive}


def backtest(sales: pd.Series, days: int, campaigns: tuple[Campaign, ...]) -> pd.DataFrame:
    """What each method would have said at up to ORIGINS dates, a week apart, knowing only the past.

    One row per method, origin and day: method, origin, step (days ahead, from 1), expected, sales,
    scale (mean absolute change from week to week before the origin, currency). Days without sales
    are left out; empty when the history is too short for a single origin.
    """
    last = len(sales) - days
    ends = range(last, max(SHORTEST * 2, last - 7 * ORIGINS), -7) if last >= SHORTEST * 2 else []
    tried = []
    for end in ends:
        known = sales.iloc[:end]
        for name, method in METHODS.items():
            expected = method(known, days, campaigns)
            frame = pd.DataFrame({"expected": expected, "sales": sales.reindex(expected.index)})
            frame = frame.assign(method=name, origin=known.index[-1], step=range(1, days + 1))
            frame["scale"] = known.diff(7).abs().mean()
            tried.append(frame.dropna(subset=["sales"]))
    columns = ["expected", "sales", "method", "origin", "step", "scale"]
    nothing = pd.DataFrame(columns=columns, dtype=float)
    return pd.concat(tried, ignore_index=True) if tried else nothing


def scores(tried: pd.DataFrame) -> pd.DataFrame:
    """How the methods did: method, mase, wape (share), bias (share), origins; best first.

    mase   mean absolute error over the mean absolute change from week to week before the origin
    wape   sum of absolute errors / sum of sales        bias   sum of errors / sum of sales
    Hyndman & Koehler (2006), International Journal of Forecasting 22, 679-688.
    """
    error = tried["expected"] - tried["sales"]
    measured = tried.assign(error=error, size=error.abs(), scaled=error.abs() / tried["scale"])
    grouped = measured.groupby("method")
    table = pd.DataFrame(
        {
            "mase": grouped["scaled"].mean(),
            "wape": grouped["size"].sum() / grouped["sales"].sum(),
            "bias": grouped["error"].sum() / grouped["sales"].sum(),
            "origins": grouped["origin"].nunique(),
        }
    )
    return table.sort_values("mase", kind="stable").reset_index()


def forecast(
    sales: pd.Series, days: int, campaigns: tuple[Campaign, ...], tried: pd.DataFrame
) -> pd.DataFrame:
    """The next `days` days by the method that did best in `tried`, with ranges from its own errors.

    date, expected, low_80, high_80, low_95, high_95 (currency; the ranges are missing where fewer
    than FOR_INTERVALS origins were tried), method. Ranges are quantiles of past errors as shares
    of the forecast, pooled by week ahead. Empty when there are fewer than SHORTEST days.
    """
    if sales.notna().sum() < SHORTEST:
        return pd.DataFrame(
            columns=["date", "expected", "low_80", "high_80", "low_95", "high_95", "method"]
        )
    method = scores(tried)["method"].iloc[0] if len(tried) else "smoothed"
    ahead = METHODS[method](sales, days, campaigns).rename("expected").reset_index()
    own = tried[(tried["method"] == method) & (tried["expected"] > 0)]
    week_ahead = (np.arange(days) // 7).clip(max=max(0, days // 7 - 1))
    relative = (own["sales"] / own["expected"]).groupby((own["step"] - 1) // 7)
    for level in (80, 95):
        for side, share in (("low", 0.5 - level / 200), ("high", 0.5 + level / 200)):
            quantiles = relative.quantile(share).reindex(week_ahead).to_numpy(dtype=float)
            enough = own["origin"].nunique() >= FOR_INTERVALS
            ahead[f"{side}_{level}"] = ahead["expected"] * quantiles if enough else np.nan
    return ahead.assign(method=method)


def total(ahead: pd.DataFrame, tried: pd.DataFrame) -> dict[str, float]:
    """The sum over all days ahead: expected, and low and high (80 %) from the errors of past sums (currency).

    Not the sum of the daily ranges: errors of single days cancel out in part.
    """
    expected = float(ahead["expected"].sum())
    own = tried[tried["method"] == ahead["method"].iloc[0]] if len(ahead) else tried
    sums = own.groupby("origin")[["sales", "expected"]].sum()
    relative = (sums["sales"] / sums["expected"]).where(sums["expected"] > 0).dropna()
    if len(relative) < FOR_INTERVALS:
        return {"expected": expected, "low": np.nan, "high": np.nan}
    low, high = relative.quantile([0.1, 0.9])
    return {"expected": expected, "low": expected * low, "high": expected * high}


def findings(
    sales: pd.Series, ahead: pd.DataFrame, compared: pd.DataFrame, summed: dict[str, float]
) -> list[Finding]:
    """What the next days should bring, and how far to trust it.

    ahead  of forecast   compared  of scores   summed  of total
    """
    known = int(sales.notna().sum())
    if ahead.empty:
        return [Finding("too_short", "info", "sales", "forecast_too_short", n=known, rule="F01",
                        values={"known": known, "needed": SHORTEST})]  # fmt: skip
    past = sales.tail(len(ahead)).sum()
    ranged = not np.isnan(summed["low"])
    first = Finding(
        "forecast", "info", "sales", "forecast" if ranged else "forecast_no_range",
        summed["expected"], "currency", baseline=past, low=summed["low"], high=summed["high"],
        n=known, rule="F01",
        values=summed | {"days": len(ahead), "until": ahead["date"].iloc[-1], "past": past,
                         "ratio": summed["expected"] / past - 1 if past else None},
    )  # fmt: skip
    return [first, _honesty(compared)]


def _honesty(compared: pd.DataFrame) -> Finding:
    if compared.empty:
        return Finding("skill", "info", "mase", "forecast_untested", rule="F01")
    table = compared.set_index("method")
    best, naive = compared.iloc[0], table.loc["seasonal_naive"]
    gain = 1 - best["mase"] / naive["mase"]
    return Finding(
        "skill", "info", "mase", "forecast_skill" if gain > 0 else "forecast_no_skill",
        best["mase"], "MASE", baseline=naive["mase"], n=best["origins"], rule="F01",
        values={"gain": gain, "wape": best["wape"], "naive": naive["wape"], "origins": best["origins"]},
    )  # fmt: skip


def checks(ahead: pd.DataFrame, days: int) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other); nothing to check where there is no forecast."""
    if ahead.empty:
        return []
    outside = ((ahead["low_95"] > ahead["low_80"]) | (ahead["high_80"] > ahead["high_95"])).sum()
    return [("days_ahead", len(ahead), days), ("ranges_hold", outside, 0)]
