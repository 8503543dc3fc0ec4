"""The next weeks' sales, of the shop and by item, with their doubt; the month's end; what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from shopanalysis import calendars, forecasting, ranges
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import ParameterError
from shopanalysis.findings import Finding
from shopanalysis.forecasting import TOTAL, Forecast

OTHERS = "others"
ITEMS = 200  # items forecast one by one; the rest as one series
RANKED = 56  # days whose sales rank them
TAIL = 0.3  # of its days: an item that sells on fewer is intermittent
LOOKED_BACK = 182  # days behind that share
SHORTEST, LONGEST = 7, 60  # days ahead
DAYS = 30  # ahead, unless said
FEW = {"level": "forecast_level", "profile": "forecast_profile"}
SHOWN = ["date", "expected", "low_80", "high_80"]
ITEM_COLUMNS = ["title", "sold_before", "expected", "low_80", "high_80", "outlook"]
DEFINED = [*SHOWN[1:3], "sold_before", "outlook", "scenario", "conversion", "order_value", "method",
           "mase", "wape", "bias", "skill", "covered_80", "covered_95", "origins", "made_on",
           "days_known", "sold", "naive_wape"]  # fmt: skip
LAST_ONES = 28  # days in which an item must have stopped to be named


def daily_sales(shop_day: pd.DataFrame) -> pd.Series:
    """Sales of the whole shop by day (currency), every day of the range, missing where no row is."""
    whole = shop_day[shop_day["device"] == "all"]
    return whole.set_index("date")["sales"].sort_index().asfreq("D")


def history(
    shop_day: pd.DataFrame, item_day: pd.DataFrame, orders: pd.DataFrame, date: pd.Timestamp
) -> tuple[pd.DataFrame, list[str]]:
    """Sales of the shop and its items by day up to `date`, and each one's group (total, item, tail).

    shop_day   date, device, sales, source_file     item_day   date, item_id, sales; may be empty
    orders     created_at; may be empty

    Index: total, item ids, others (all that no item shown accounts for); columns: days. An item is
    missing before its first sale, and on days on which no item has a row. A last day that its orders
    say is not over (calendars.cut_short) is missing: nothing is learned from it.
    """
    if calendars.cut_short(shop_day, orders, date):
        shop_day, item_day = (frame[frame["date"] < date] for frame in (shop_day, item_day))
    total = daily_sales(shop_day)
    total = total.reindex(pd.date_range(total.index.min(), date)) if len(total) else total
    items = _items(item_day, total.index)
    groups = [TOTAL, *_groups(items)]
    rows = {TOTAL: total} | {item: items.loc[item] for item in items.index}
    if len(items):
        rest = (total - items.sum(axis=0)).clip(lower=0.0).where(items.notna().any(axis=0))
        if rest.sum() > 1e-6 * total.sum():
            rows[OTHERS] = rest
            groups.append("item")
    return pd.DataFrame(rows).T, groups


def _items(item_day: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    table = item_day.pivot_table(index="item_id", columns="date", values="sales", aggfunc="sum")
    table = table.reindex(columns=days).astype(float)
    counted = table.notna().any(axis=0)
    filled = table.fillna(0.0).where(counted, np.nan, axis=1)
    started = filled.fillna(0.0).gt(0).cummax(axis=1)
    recent = filled.iloc[:, -RANKED:].sum(axis=1)
    kept = recent.sort_values(ascending=False, kind="stable").index[:ITEMS]
    return filled.where(started).loc[kept]


def _groups(items: pd.DataFrame) -> list[str]:
    recent = items.iloc[:, -LOOKED_BACK:]
    sold, seen = (recent > 0).sum(axis=1), recent.notna().sum(axis=1)
    return list(np.where(sold < TAIL * seen, "tail", "item"))


def forecast(
    known: pd.DataFrame, groups: Sequence[str], campaigns: Iterable[Campaign], days: int = DAYS
) -> Forecast:
    """The next `days` days of all series of `history`, and as many as the month's end is away.

    Raises ParameterError for fewer than 7 or more than 60 days.
    """
    if not SHORTEST <= days <= LONGEST:
        raise ParameterError(f"days is {days}; allowed: {SHORTEST} to {LONGEST}.")
    left = _left(known.columns[-1]) if known.shape[1] else 0
    return forecasting.forecast(known, max(days, left), tuple(campaigns), groups)


def _left(date: pd.Timestamp) -> int:
    return date.days_in_month - date.day


def month_paths(made: Forecast) -> np.ndarray:
    """(draws, days): ways in which the shop's sales may go from the day after the last to the month's end."""
    return ranges.paths(made, TOTAL, _left(made.days[0] - DAY))


def ahead(made: Forecast, days: int, name: str = TOTAL) -> pd.DataFrame:
    """One series day by day: date, expected, low_80, high_80, low_95, high_95 (currency).

    Ranges are missing where too few past dates could be tried; empty where nothing is known.
    """
    row = made.row(name)
    table = {"date": made.days, "expected": made.expected[row]}
    for level in (80, 95):
        low, high = ranges.by_day(made, level)
        table |= {f"low_{level}": low[row], f"high_{level}": high[row]}
    return pd.DataFrame(table).head(days if made.rung[row] != "nothing" else 0)


def total(made: Forecast, known: pd.DataFrame, days: int) -> dict[str, float]:
    """The shop's sum over the first `days` (currency).

    known   of history()
    expected, low and high (80 %) from past sums; past: what as many days before brought
    """
    row = made.row(TOTAL)
    low, high = ranges.of_sum(made, 80, days)
    return {
        "expected": made.expected[row, :days].sum(),
        "low": low[row],
        "high": high[row],
        "past": known.loc[TOTAL].iloc[-days:].sum(),
    }


def items_ahead(
    made: Forecast, known: pd.DataFrame, items: pd.DataFrame, days: int
) -> pd.DataFrame:
    """Each item's sum over the first `days`, largest first.

    item_id, title, sold_before, expected, low_80, high_80, outlook:
    sold_before   sales of as many days before (currency)
    outlook       what the forecast rests on: full, profile, level, or stopped
    items         item_id, title; an item without one is called by its id

    With the others, which no item shown accounts for, they add up to the shop's forecast.
    """
    low, high = ranges.of_sum(made, 80, days)
    titles = items.set_index("item_id")["title"].reindex(made.series)
    table = pd.DataFrame(
        {
            "item_id": made.series,
            "title": titles.fillna(made.series.to_series()).to_numpy(),
            "sold_before": known.iloc[:, -days:].sum(axis=1).to_numpy(),
            "expected": made.expected[:, :days].sum(axis=1),
            "low_80": low,
            "high_80": high,
            "outlook": np.where(made.stopped, "stopped", made.rung),
        }
    )
    parts = table[~table["item_id"].isin([TOTAL, OTHERS])]
    return parts.sort_values("expected", ascending=False, kind="stable").reset_index(drop=True)


def findings(
    made: Forecast,
    known: pd.DataFrame,
    days: int,
    titles: Mapping[str, str],
    month: Sequence[Finding] = (),
) -> list[Finding]:
    """What the next days should bring, how the month should end, and how far to trust it.

    titles   item_id -> title   month   what pace.findings say of it
    """
    row = made.row(TOTAL)
    if made.rung[row] == "nothing":
        return [Finding("forecast", "info", "sales", "forecast_none", n=0, rule="F01")]
    return [
        _sum(made, known, days),
        *month,
        _skill(made),
        *_first_of_kind(made, days),
        *_stated(made, days),
        *_cautions(made, known, days, titles),
    ]


def _sum(made: Forecast, known: pd.DataFrame, days: int) -> Finding:
    sales = known.loc[TOTAL]
    summed = total(made, known, days)
    text = "forecast" if not np.isnan(summed["low"]) else "forecast_no_range"
    text = FEW.get(made.rung[made.row(TOTAL)], text) if sales.sum() > 0 else "forecast_zero"
    return Finding(
        "forecast", "info", "sales", text, summed["expected"], "currency", baseline=summed["past"],
        low=summed["low"], high=summed["high"], n=sales.notna().sum(), rule="F01",
        values=summed | {"days": days, "until": made.days[days - 1],
                         "known": int(sales.notna().sum()),
                         "ratio": _ratio(summed)},
    )  # fmt: skip


def _ratio(summed: Mapping[str, float]) -> float | None:
    return summed["expected"] / summed["past"] - 1 if summed["past"] > 0 else None


def _skill(made: Forecast) -> Finding:
    compared = ranges.scores(made, TOTAL)
    if compared["mase"].isna().all():
        return Finding("skill", "info", "mase", "forecast_untested", rule="F01")
    table = compared.set_index("method")
    best, naive = table.loc[made.method], table.loc["seasonal_naive"]
    return Finding(
        "skill", "info", "mase",
        "forecast_skill" if made.method != "seasonal_naive" else "forecast_no_skill",
        best["mase"], "MASE", baseline=naive["mase"], n=best["origins"], rule="F01",
        values={"gain": best["skill"], "wape": best["wape"], "naive": naive["wape"],
                "origins": best["origins"]},
    )  # fmt: skip


def _first_of_kind(made: Forecast, days: int) -> list[Finding]:
    new = [c for c in made.unknown if c.start <= made.days[days - 1]]
    names = list(dict.fromkeys(campaign.name for campaign in new))
    return [Finding("first_of_kind", "warning", "sales", "first_of_kind", n=len(names), rule="F01",
                    owner="promotion", action="say_lift",
                    values={"names": names, "start": new[0].start})] if new else []  # fmt: skip


def _stated(made: Forecast, days: int) -> list[Finding]:
    said = [c for c in made.stated if c.start <= made.days[days - 1]]
    return [
        Finding("stated_lift", "info", "sales", "stated_lift", campaign.lift, "times", rule="F01",
                low=campaign.lift_low, high=campaign.lift_high,
                values={"name": campaign.name, "start": campaign.start, "end": campaign.end,
                        "lift": campaign.lift, "low": campaign.lift_low, "high": campaign.lift_high})
        for campaign in said
    ]  # fmt: skip


def _cautions(
    made: Forecast, known: pd.DataFrame, days: int, titles: Mapping[str, str]
) -> list[Finding]:
    sales, found = known.loc[TOTAL], []
    missing = int(sales.isna().sum())
    if len(sales) < days:
        values = {"known": len(sales), "days": days}
        found.append(
            Finding("longer", "info", "sales", "longer_than_known", rule="F01", values=values)
        )
    if len(sales) and np.isnan(sales.iloc[-1]):
        values = {"date": sales.index[-1]}
        found.append(
            Finding("last_day", "warning", "sales", "last_day_unknown", rule="F01", values=values)
        )
    if missing:
        values = {"missing": missing, "known": len(sales)}
        found.append(
            Finding("gaps", "info", "sales", "days_missing", n=missing, rule="F01", values=values)
        )
    return [*found, *_odd_days(made, sales), *_stopped(made, known, titles), *_new(made, titles)]


def _odd_days(made: Forecast, sales: pd.Series) -> list[Finding]:
    """A giant day, and days of net returns."""
    found = []
    learned = made.learned[made.row(TOTAL), -RANKED:]
    recent = sales.iloc[-RANKED:]
    cut = recent[(learned < recent.to_numpy()) & ~np.isnan(learned)]
    if len(cut):
        day = cut.idxmax()
        values = {"date": day, "sales": cut[day], "cut": learned[recent.index.get_loc(day)]}
        found.append(Finding("giant_day", "info", "sales", "giant_day", cut[day], "currency", rule="F01",
                             values=values))  # fmt: skip
    below = int((sales < 0).sum())
    if below:
        worst = sales.idxmin()
        values = {"date": worst, "sales": sales[worst], "count": below, "known": len(sales)}
        found.append(Finding("net_returns", "info", "sales", "net_returns", below, "days", rule="F01",
                             values=values))  # fmt: skip
    return found


def _new(made: Forecast, titles: Mapping[str, str]) -> list[Finding]:
    """Items on sale for less than a week, in a shop that is not new itself."""
    young = (made.rung == "level") & ~made.series.isin([TOTAL, OTHERS])
    names = made.series[young & (made.rung[made.row(TOTAL)] != "level")]
    if not len(names):
        return []
    values = {"count": len(names), "title": titles.get(names[0], names[0])}
    return [Finding("items_new", "info", "sales", "items_new", len(names), "items", rule="F01",
                    values=values)]  # fmt: skip


def _stopped(made: Forecast, known: pd.DataFrame, titles: Mapping[str, str]) -> list[Finding]:
    sold = known.iloc[:, -LAST_ONES:].sum(axis=1).to_numpy() > 0
    names = made.series[made.stopped & sold & ~made.series.isin([TOTAL, OTHERS])]
    if not len(names):
        return []
    title = titles.get(names[0], names[0])
    return [Finding("stopped", "warning", "sales", "items_stopped", len(names), "items", rule="F01",
                    owner="stock", action="check_stopped",
                    values={"count": len(names), "title": title})]  # fmt: skip


def key_figures(summed: Mapping[str, float]) -> pd.DataFrame:
    """What the days ahead should bring, and its range, as display.key_figures takes them: metric, value.

    summed  of total()
    """
    rows = [("expected", summed["expected"], summed["past"])]
    rows += [("low_80", summed["low"], None), ("high_80", summed["high"], None)]
    return pd.DataFrame(rows, columns=["metric", "value", "before"])


def checks(made: Forecast, shown: pd.DataFrame, days: int) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other); nothing to check where there is no forecast."""
    if shown.empty:
        return []
    outside = ((shown["low_95"] > shown["low_80"]) | (shown["high_80"] > shown["high_95"])).sum()
    checked = [("days_ahead", len(shown), days), ("ranges_hold", outside, 0)]
    whole = made.groups == TOTAL
    if not whole.all():
        parts = (made.expected[~whole, :days].sum(), made.expected[whole, :days].sum())
        checked.append(("items_make_total", *parts))
    return checked
