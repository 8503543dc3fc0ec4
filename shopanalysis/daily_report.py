"""The day: ten columns, on target or not, what moved sales, and the last 30 days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from shopanalysis import bridge, calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import DataError
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf

TEN_COLUMNS = [
    "date", "page_views", "visitors", "sales", "units",
    "conversion", "order_value", "dsr", "depth", "bounce_rate",
]  # fmt: skip
SCORES = ["dsr_item", "dsr_service", "dsr_logistics"]
FACTORS = ("visitors", "conversion", "order_value")
WEEK = 7 * DAY


def shop_days(shop_day: pd.DataFrame) -> pd.DataFrame:
    """The rows for the whole shop, one per day."""
    return shop_day[shop_day["device"] == "all"].reset_index(drop=True)


def daily_table(shop_day: pd.DataFrame, basis: str, days: int) -> pd.DataFrame:
    """The last `days` days, newest first: the ten columns of a Taobao daily report (A01).

    date, page_views, visitors, sales (currency), units, conversion (payers / visitors), order_value
    (sales / payers), dsr (mean of the three scores), depth (pages / visitor), bounce_rate
    """
    day = shop_days(shop_day)
    payers = day[rates.payers(basis)]
    return (
        day.assign(
            conversion=rates.ratio(payers, day["visitors"]),
            order_value=rates.ratio(day["sales"], payers),
            dsr=day[SCORES].mean(axis=1, skipna=False),
            depth=rates.ratio(day["page_views"], day["visitors"]),
        )
        .nlargest(days, "date")[TEN_COLUMNS]
        .reset_index(drop=True)
    )


def last_days_with_usual(
    shop_day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """Sales of the `days` days up to `date`, and what is usual: date, sales, usual, usual_low, usual_high.

    Raises DataError when the shop has no sales for `date`.
    """
    day = shop_days(shop_day)[["date", "sales"]].dropna()
    if date not in set(day["date"]):
        raise DataError(
            f"shop_day has no sales for {date.date()}; its last day before is {day['date'].max().date()}."
        )
    day = day[day["date"] <= date].reset_index(drop=True)
    return pd.concat([day, calendars.usual(day, "sales", campaigns)], axis=1).tail(days)


def month_plan(
    shop_day: pd.DataFrame,
    targets: Mapping[str, float],
    campaigns: Iterable[Campaign],
    date: pd.Timestamp,
) -> pd.DataFrame:
    """The month's target laid on its days by how much each can be expected to sell (A07).

    A day weighs what its weekday usually sells, times what the same phase of the same campaign
    did to sales before, where there has been one.

    One row per day of the month: date, target (currency), sales (missing for days to come);
    empty when the month has no target.
    """
    month = pd.date_range(date.replace(day=1), periods=date.days_in_month)
    if f"{date:%Y-%m}" not in targets:
        return pd.DataFrame(columns=["date", "target", "sales"])
    day = shop_days(shop_day).set_index("date")["sales"]
    before = day[day.index < month[0]]
    weights = _weekday_level(before, campaigns).reindex(month.day_of_week).to_numpy()
    weights = weights * calendars.campaign_factor(before, campaigns, month).to_numpy()
    target = float(targets[f"{date:%Y-%m}"]) * weights / weights.sum()
    return pd.DataFrame({"date": month, "target": target, "sales": day.reindex(month).to_numpy()})


def _weekday_level(sales: pd.Series, campaigns: Iterable[Campaign]) -> pd.Series:
    """Mean sales by weekday (0 = Monday) over the last eight clean weeks; 1 where nothing is known."""
    clean = sales[~sales.index.isin(calendars.campaign_days(campaigns))].tail(56)
    level = clean.groupby(clean.index.day_of_week).mean().reindex(range(7))
    return level.fillna(clean.mean() if len(clean) else 1.0)


def sales_bridge(shop_day: pd.DataFrame, date: pd.Timestamp, basis: str) -> pd.DataFrame:
    """From the sales of the same weekday last week to those of `date` (A04).

    One row per bar: factor (before, visitors, conversion, order_value, after), amount (currency);
    the three in the middle add up to the difference exactly. Empty when either day is missing or
    lacks visitors.
    """
    day = shop_days(shop_day).set_index("date")
    needed = ["visitors", rates.payers(basis), "sales"]
    if not {date, date - WEEK} <= set(day.dropna(subset=needed).index):
        return pd.DataFrame(columns=["factor", "amount"])
    before, after = day.loc[date - WEEK], day.loc[date]
    parts = bridge.shapley(
        bridge.sales_factors(before, rates.payers(basis)),
        bridge.sales_factors(after, rates.payers(basis)),
    )
    rows = [("before", before["sales"]), *parts.items(), ("after", after["sales"])]
    return pd.DataFrame(rows, columns=["factor", "amount"])


def sources_moved(source_day: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Visitors by source on `date` and on the same weekday last week, largest change first (B02).

    source, channel, visitors, visitors_before, visitors_change; visits by device are added up
    """
    by = [
        source_day[source_day["date"] == day].groupby(["source", "channel"])["visitors"].sum()
        for day in (date, date - WEEK)
    ]
    moved = pd.concat(by, axis=1, keys=["visitors", "visitors_before"]).fillna(0.0)
    moved["visitors_change"] = moved["visitors"] - moved["visitors_before"]
    order = moved["visitors_change"].abs().sort_values(ascending=False).index
    return moved.reindex(order).reset_index()


def findings(
    days: pd.DataFrame, plan: pd.DataFrame, steps: pd.DataFrame, moved: pd.DataFrame
) -> list[Finding]:
    """On target or not, the month so far, what moved sales, and which source moved most.

    days    of last_days_with_usual   plan  of month_plan   steps  of sales_bridge   moved  of sources_moved
    """
    today = days.iloc[-1]
    found = [_against_target(today, plan) if len(plan) else _against_usual(today)]
    if len(plan):
        found.append(_month_so_far(today["date"], plan))
    if len(steps):
        found.append(_what_moved(today, steps))
    if len(moved):
        found.append(_source_moved(moved.iloc[0]))
    return found


def _against_target(today: pd.Series, plan: pd.DataFrame) -> Finding:
    target = plan.set_index("date")["target"][today["date"]]
    short = today["sales"] < target
    return Finding(
        "day_target", "warning" if short else "good", "sales", "day_target",
        today["sales"], "currency", baseline=target, rule="A06",
        values={"date": today["date"], "sales": today["sales"], "target": target,
                "attained": today["sales"] / target, "usual": today["usual"]},
    )  # fmt: skip


def _against_usual(today: pd.Series) -> Finding:
    known = not pd.isna(today["usual"])
    outside = known and not today["usual_low"] <= today["sales"] <= today["usual_high"]
    severity = "warning" if outside and today["sales"] < today["usual"] else "info"
    return Finding(
        "day_usual", severity, "sales", "day_usual" if known else "day_no_usual",
        today["sales"], "currency", baseline=today["usual"], low=today["usual_low"],
        high=today["usual_high"], rule="A01",
        values=today.to_dict() | {"ratio": today["sales"] / today["usual"] - 1 if known else None},
    )  # fmt: skip


def _month_so_far(date: pd.Timestamp, plan: pd.DataFrame) -> Finding:
    past, ahead = plan[plan["date"] <= date], plan[plan["date"] > date]
    sales, due, whole = past["sales"].sum(), past["target"].sum(), plan["target"].sum()
    behind = sales < due
    return Finding(
        "month_pace", "warning" if behind else "good", "sales", "month_behind" if behind else "month_ahead",
        sales, "currency", baseline=due, n=len(past), rule="F02",
        owner="leadership" if behind and len(ahead) else "",
        action="daily_rate_needed" if behind and len(ahead) else "",
        values={"date": date, "sales": sales, "due": due, "gap": abs(sales - due), "target": whole,
                "attained": sales / whole, "days_left": len(ahead),
                "needed": max(0.0, whole - sales) / max(1, len(ahead))},
    )  # fmt: skip


def _what_moved(today: pd.Series, steps: pd.DataFrame) -> Finding:
    amounts = steps.set_index("factor")["amount"]
    change = amounts["after"] - amounts["before"]
    largest = amounts[list(FACTORS)].abs().idxmax()
    return Finding(
        "sales_bridge", "info", "sales", "bridge_up" if change >= 0 else "bridge_down",
        change, "currency", baseline=amounts["before"], rule="A04",
        values={"date": today["date"], "change": abs(change), "largest": largest} | {
            factor: amounts[factor] for factor in FACTORS},
    )  # fmt: skip


def _source_moved(source: pd.Series) -> Finding:
    fell = source["visitors_change"] < 0
    return Finding(
        "source_moved", "info", "visitors", "source_fell" if fell else "source_rose",
        source["visitors"], "visitors", baseline=source["visitors_before"],
        rule="B02_day",
        values={"source": leaf(source["source"]), "visitors": source["visitors"],
                "before": source["visitors_before"], "change": abs(source["visitors_change"])},
    )  # fmt: skip


def checks(
    shop_day: pd.DataFrame,
    daily: pd.DataFrame,
    plan: pd.DataFrame,
    steps: pd.DataFrame,
    targets: Mapping[str, float],
) -> list[tuple[str, float, float]]:
    """Sums that must agree, as (name, one, other)."""
    shown = shop_days(shop_day)
    shown = shown[shown["date"].isin(daily["date"])]
    checked = [("ten_columns", daily["sales"].sum(), shown["sales"].sum())]
    if len(steps):
        amounts = steps.set_index("factor")["amount"]
        change = amounts["after"] - amounts["before"]
        checked.append(("bridge_adds_up", amounts[list(FACTORS)].sum(), change))
    if len(plan):
        month = f"{plan['date'].iloc[0]:%Y-%m}"
        checked.append(("plan_adds_up", plan["target"].sum(), float(targets[month])))
    return checked
