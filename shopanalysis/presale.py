"""Presale: items that are ordered now and paid later, so that their pay conversion reads 0 (C15)."""

from __future__ import annotations

import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY
from shopanalysis.findings import Finding

WEEK = 7
FEW = 3  # orders unpaid within a week that bear out the item list's flag
LOOK_BACK = 70  # days: balances are paid within weeks of the orders
COLUMNS = [
    "item_id", "title", "presale_from", "presale_to", "visitors_by_day", "ordered_buyers", "payers",
    "order_conversion", "conversion", "known_by",
]  # fmt: skip


def items_in_presale(
    item_day: pd.DataFrame, items: pd.DataFrame, date: pd.Timestamp, bars: dict[str, float]
) -> pd.DataFrame:
    """Items in presale within the last LOOK_BACK days, judged by their order conversion.

    bars   presale_orders, presale_paid_share, presale_usual_share

    An item is in presale where within a week at least presale_orders buyers ordered it (FEW where the
    shop's item list flags it) and fewer than presale_paid_share of them paid, while more than
    presale_usual_share do at other times (or there are none). Its days begin and end with an order that
    was not paid; of several stretches the last counts.

    One row per item, last to end and most ordered first: item_id, title, presale_from, presale_to,
    visitors_by_day, ordered_buyers and payers in those days, order_conversion (ordered_buyers /
    visitors_by_day), conversion (payers / visitors_by_day), known_by (flag, pattern)
    """
    recent = calendars.last_days(item_day, date, LOOK_BACK)
    recent = recent.dropna(subset=["ordered_buyers", "buyers"])
    if recent.empty:
        return pd.DataFrame(columns=COLUMNS)
    flagged = items.loc[items["presale"].fillna(False).astype(bool), "item_id"]
    marked = recent[_unpaid_weeks(recent, set(flagged), bars)]
    marked = marked[marked["buyers"] < bars["presale_paid_share"] * marked["ordered_buyers"]]
    span = _last_stretch(marked)
    within = recent.merge(span, left_on="item_id", right_index=True)
    within = within[within["date"].between(within["presale_from"], within["presale_to"])]
    sums = within.groupby("item_id")[["visitors", "ordered_buyers", "buyers"]].sum(min_count=1)
    table = span.join(sums).rename(columns={"visitors": "visitors_by_day", "buyers": "payers"})
    return _described(table, items, set(flagged))


def _last_stretch(marked: pd.DataFrame) -> pd.DataFrame:
    """presale_from and presale_to: each item's last stretch of days no more than a week apart."""
    marked = marked.sort_values(["item_id", "date"])
    begins = marked.groupby("item_id")["date"].diff() > WEEK * DAY
    stretch = begins.groupby(marked["item_id"]).cumsum()
    last = stretch.groupby(marked["item_id"]).transform("max")
    return (
        marked[stretch == last].groupby("item_id")["date"].agg(presale_from="min", presale_to="max")
    )


def _unpaid_weeks(recent: pd.DataFrame, flagged: set[str], bars: dict[str, float]) -> pd.Series:
    """Whether each row lies in a week in which its item had many orders and hardly a payment."""
    daily = recent.pivot(index="date", columns="item_id", values=["ordered_buyers", "buyers"])
    daily = daily.reindex(pd.date_range(recent["date"].min(), recent["date"].max())).fillna(0.0)
    ordered, paid = daily["ordered_buyers"], daily["buyers"]
    weekly, weekly_paid = (side.rolling(WEEK, min_periods=1).sum() for side in (ordered, paid))
    bar = pd.Series(bars["presale_orders"], weekly.columns).where(
        ~weekly.columns.isin(flagged), FEW
    )
    many = weekly >= bar
    ends = many & (weekly_paid < bars["presale_paid_share"] * weekly)
    within = ends[::-1].astype(float).rolling(WEEK, min_periods=1).max()[::-1] > 0
    at_other_times = ordered.where(~within).sum(), paid.where(~within).sum()
    usual = rates.ratio(at_other_times[1], at_other_times[0])
    seldom_paid = (at_other_times[0] >= bars["presale_orders"]) & ~(
        usual > bars["presale_usual_share"]
    )
    found = (within & ~seldom_paid).stack()
    return found.reindex(pd.MultiIndex.from_frame(recent[["date", "item_id"]])).set_axis(
        recent.index
    )


def _described(table: pd.DataFrame, items: pd.DataFrame, flagged: set[str]) -> pd.DataFrame:
    table = table.join(items.set_index("item_id")[["title"]])
    table["title"] = table["title"].fillna(table.index.to_series())
    for name, column in (("order_conversion", "ordered_buyers"), ("conversion", "payers")):
        table[name] = rates.ratio(table[column], table["visitors_by_day"])
    table["known_by"] = ["flag" if item in flagged else "pattern" for item in table.index]
    table = table.rename_axis("item_id").reset_index()[COLUMNS]
    return table.sort_values(
        ["presale_to", "ordered_buyers"], ascending=False, kind="stable", ignore_index=True
    )


def waiting(item_day: pd.DataFrame, presale: pd.DataFrame) -> pd.DataFrame:
    """By day: date and `open`, buyers of presale items who ordered that day and are not to pay yet.

    presale   of items_in_presale
    """
    both = item_day.merge(presale[["item_id", "presale_from", "presale_to"]], on="item_id")
    both = both[both["date"].between(both["presale_from"], both["presale_to"])]
    both["open"] = (both["ordered_buyers"] - both["buyers"]).clip(lower=0)
    return both.groupby("date")["open"].sum().reset_index()


def finding(presale: pd.DataFrame, date: pd.Timestamp, days: int) -> list[Finding]:
    """That items were in presale in the `days` days, and what their orders say; none where none was.

    presale   of items_in_presale
    """
    presale = presale[presale["presale_to"] > date - days * DAY]
    if presale.empty:
        return []
    visitors, ordered = presale["visitors_by_day"].sum(), presale["ordered_buyers"].sum()
    low, high = rates.interval(ordered, visitors)
    first = presale.iloc[0]
    over = presale["presale_to"].max() < date
    return [Finding(
        "presale", "info", "order_conversion", "presale", ordered / visitors, "share",
        low=low, high=high, n=visitors, owner="" if over else "service",
        action="" if over else "remind_balance", rule="C15",
        values={"count": len(presale), "title": first["title"], "first": presale["presale_from"].min(),
                "last": presale["presale_to"].max(), "ordered": ordered, "paid": presale["payers"].sum(),
                "rate": ordered / visitors, "low": low, "high": high, "visitors": visitors},
    )]  # fmt: skip
