"""The next weeks' sales, of the shop and by item, with their doubt; the month's end; what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from shopanalysis import forecasting, ranges
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
UNLIKELY, LIKELY = 0.2, 0.8
FEW = {"level": "forecast_level", "profile": "forecast_profile"}
SHOWN = ["date", "expected", "low_80", "high_80"]
ITEM_COLUMNS = ["title", "sold_before", "expected", "low_80", "high_80", "outlook"]
DEFINED = [*SHOWN[1:3], "sold_before", "outlook", "scenario", "conversion", "order_value", "method",
           "mase", "wape", "bias", "skill", "covered_80", "covered_95", "origins"]  # fmt: skip
LAST_ONES = 28  # days in which an item must have stopped to be named


def daily_sales(shop_day: pd.DataFrame) -> pd.Series:
    """Sales of the whole shop by day (currency), every day of the range, missing where no row is."""
    whole = shop_day[shop_day["device"] == "all"]
    return whole.set_index("date")["sales"].sort_index().asfreq("D")


def history(
    shop_day: pd.DataFrame, item_day: pd.DataFrame, date: pd.Timestamp
) -> tuple[pd.DataFrame, list[str]]:
    """Sales of the shop and its items by day up to `date`, and each one's group (total, item, tail).

    shop_day   date, device, sales     item_day   date, item_id, sales; may be empty

    Index: total, item ids, others (all that no item shown accounts for); columns: days. An item is
    missing before its first sale, and on days on which no item has a row.
    """
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


def days_to_month_end(date: pd.Timestamp) -> int:
    """Days after `date` to the end of its month; of the next month where none is left."""
    return (pd.Timestamp(date + DAY) + pd.offsets.MonthEnd(0) - date).days


def forecast(
    known: pd.DataFrame, groups: Sequence[str], days: int, campaigns: Iterable[Campaign]
) -> Forecast:
    """The next `days` days of all series of `history`, and as many as the month's end is away.

    Raises ParameterError for fewer than 7 or more than 60 days.
    """
    if not SHORTEST <= days <= LONGEST:
        raise ParameterError(f"days is {days}; allowed: {SHORTEST} to {LONGEST}.")
    left = days_to_month_end(known.columns[-1]) if known.shape[1] else 0
    return forecasting.forecast(known, max(days, left), tuple(campaigns), groups)


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


def total(made: Forecast, days: int) -> dict[str, float]:
    """The shop's sum over the first `days`: expected, and low and high (80 %) from past sums (currency)."""
    row = made.row(TOTAL)
    low, high = ranges.of_sum(made, 80, days)
    return {"expected": made.expected[row, :days].sum(), "low": low[row], "high": high[row]}


def items_ahead(
    made: Forecast, known: pd.DataFrame, items: pd.DataFrame, days: int
) -> pd.DataFrame:
    """Each item's sum over the first `days`, largest first.

    item_id, title, sold_before, expected, low_80, high_80, outlook:
    sold_before   sales of as many days before (currency)
    outlook       what the forecast rests on: full, profile, level, or stopped
    items         item_id, title; an item without one is called by its id

    All items and the others (title missing) add up to the shop's forecast.
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


def month_end(
    made: Forecast, known: pd.DataFrame, targets: Mapping[str, float]
) -> dict[str, float | pd.Timestamp]:
    """How the month should end: month, sales (so far), days_left, expected, low, high (80 %), target, chance.

    The month of the last day known, or the next where none of its days is left. chance is the
    share of paths that reach the target; it and the range are missing on a short history, the
    target where shop.toml has none.
    """
    date, row = known.columns[-1], made.row(TOTAL)
    left = days_to_month_end(date)
    month = date + left * DAY
    sales = known.loc[TOTAL, (known.columns > month - pd.offsets.MonthBegin(1) - DAY)].sum()
    low, high = ranges.of_sum(made, 80, left)
    target = float(targets.get(f"{month:%Y-%m}", np.nan))
    ends = sales + ranges.paths(made, TOTAL)[:, :left].sum(axis=1)
    certain = len(ends) and target > 0
    return {
        "month": month,
        "sales": sales,
        "days_left": left,
        "expected": sales + made.expected[row, :left].sum(),
        "low": sales + low[row],
        "high": sales + high[row],
        "target": target,
        "chance": float((ends >= target).mean()) if certain else np.nan,
    }


def findings(
    made: Forecast,
    known: pd.DataFrame,
    days: int,
    titles: Mapping[str, str],
    targets: Mapping[str, float],
) -> list[Finding]:
    """What the next days should bring, how the month should end, and how far to trust it.

    titles   item_id -> title   targets   "2026-11" -> currency
    """
    row = made.row(TOTAL)
    if made.rung[row] == "nothing":
        return [Finding("forecast", "info", "sales", "forecast_none", n=0, rule="F01")]
    found = [_sum(made, known, days), _month(month_end(made, known, targets)), _skill(made)]
    return [
        *found,
        *_first_of_kind(made, days),
        *_cautions(made, known, days, titles),
    ]


def _sum(made: Forecast, known: pd.DataFrame, days: int) -> Finding:
    sales = known.loc[TOTAL]
    past, summed = sales.iloc[-days:].sum(), total(made, days)
    text = "forecast" if not np.isnan(summed["low"]) else "forecast_no_range"
    text = FEW.get(made.rung[made.row(TOTAL)], text) if sales.sum() > 0 else "forecast_zero"
    return Finding(
        "forecast", "info", "sales", text, summed["expected"], "currency", baseline=past,
        low=summed["low"], high=summed["high"], n=sales.notna().sum(), rule="F01",
        values=summed | {"days": days, "until": made.days[days - 1], "past": past,
                         "known": int(sales.notna().sum()),
                         "ratio": summed["expected"] / past - 1 if past > 0 else None},
    )  # fmt: skip


def _month(end: Mapping) -> Finding:
    chance, target = end["chance"], end["target"]
    known = not np.isnan(chance)
    severity = "warning" if chance < UNLIKELY else "good" if chance > LIKELY else "info"
    text = "month_chance" if known else "month_end" if np.isnan(end["low"]) else "month_end_range"
    needed = max(target - end["sales"], 0.0) / end["days_left"] if target > 0 else np.nan
    owner, action = ("leadership", "daily_rate_needed") if severity == "warning" else ("", "")
    in_100 = int(np.clip(round(100 * chance), 1, 99)) if known else None
    return Finding(
        "month_end", severity if known else "info", "sales", text, end["expected"], "currency",
        baseline=None if np.isnan(target) else target, low=end["low"], high=end["high"],
        owner=owner, action=action, rule="F02",
        values={**end, "needed": needed, "in_100": in_100},
    )  # fmt: skip


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
    if missing:
        values = {"missing": missing, "known": len(sales)}
        found.append(
            Finding("gaps", "info", "sales", "days_missing", n=missing, rule="F01", values=values)
        )
    learned = made.learned[made.row(TOTAL), -RANKED:]
    recent = sales.iloc[-RANKED:]
    cut = recent[(learned < recent.to_numpy()) & ~np.isnan(learned)]
    if len(cut):
        day = cut.idxmax()
        values = {"date": day, "sales": cut[day], "cut": learned[recent.index.get_loc(day)]}
        found.append(Finding("giant_day", "info", "sales", "giant_day", cut[day], "currency", rule="F01",
                             values=values))  # fmt: skip
    return [*found, *_stopped(made, known, titles)]


def _stopped(made: Forecast, known: pd.DataFrame, titles: Mapping[str, str]) -> list[Finding]:
    sold = known.iloc[:, -LAST_ONES:].sum(axis=1).to_numpy() > 0
    names = made.series[made.stopped & sold & ~made.series.isin([TOTAL, OTHERS])]
    if not len(names):
        return []
    title = titles.get(names[0], names[0])
    return [Finding("stopped", "warning", "sales", "items_stopped", len(names), "items", rule="F01",
                    owner="stock", action="check_stopped",
                    values={"count": len(names), "title": title})]  # fmt: skip


def key_figures(summed: Mapping[str, float], by_item: pd.DataFrame) -> pd.DataFrame:
    """What the days ahead should bring, and its range, as display.key_figures takes them: metric, value.

    summed  of total()   by_item  of items_ahead(): what as many days before brought
    """
    rows = [("expected", summed["expected"], by_item["sold_before"].sum())]
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
