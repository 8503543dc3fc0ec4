"""From order to payment: how long it takes, how many never pay, and which orders are still open (C19)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding

SURELY = 0.01  # p-value below which more unpaid orders than usual are named
STEPS = ("orders_placed", "orders_paid", "orders_kept")
UNPAID = ["order_id", "created_at", "hours_left", "order_amount", "units"]


def placed(orders: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Orders placed up to the end of `date`, with the day (date) and whether they were paid by then.

    Adds date, is_paid, is_kept (paid, and not wholly given back), hours (from order to payment).
    """
    end = date + DAY
    known = orders[orders["created_at"] < end]
    is_paid = known["paid_at"] < end
    return known.assign(
        date=known["created_at"].dt.normalize(),
        is_paid=is_paid,
        is_kept=is_paid & ~(known["refunded"] >= known["paid"] - 0.005),
        hours=((known["paid_at"] - known["created_at"]) / pd.Timedelta(hours=1)).where(is_paid),
    )


def ordinary(orders: pd.DataFrame, lines: pd.DataFrame, presale: pd.Series) -> pd.DataFrame:
    """`orders` without those that hold a line in presale: their balance is not due yet.

    presale   ids of items in presale
    """
    flagged = lines["presale"].fillna(False).astype(bool) | lines["item_id"].isin(presale)
    return orders[~orders["order_id"].isin(lines.loc[flagged, "order_id"])]


def by_day(orders: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Per day on which orders were placed: date, orders_placed, orders_paid, orders_kept."""
    known = placed(orders, date).assign(orders_placed=1.0)
    named = known.rename(columns={"is_paid": "orders_paid", "is_kept": "orders_kept"})
    return named.groupby("date")[list(STEPS)].sum().astype(float).reset_index()


def unpaid(orders: pd.DataFrame, date: pd.Timestamp, keep_days: float) -> pd.DataFrame:
    """Orders still open at the end of `date`: not paid, not closed, placed within the last `keep_days` days.

    One row per order, dearest first: order_id, created_at, hours_left (until it lapses), order_amount, units
    """
    end = date + DAY
    known = placed(orders, date)
    left = known["created_at"] + keep_days * DAY - end
    still = ~known["is_paid"] & (left > pd.Timedelta(0)) & ~(known["closed_at"] < end)
    known = known.assign(hours_left=left / pd.Timedelta(hours=1), order_amount=known["amount"])
    found = known[still]
    return found.sort_values("order_amount", ascending=False, kind="stable", ignore_index=True)[
        UNPAID
    ]


def gap(
    orders: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    keep_days: int,
) -> dict[str, float]:
    """How orders came to be paid: those of the `days` days that were over `keep_days` days before `date`.

    orders, never_paid (share), low, high (95 %, widened by the days' own ups and downs), never_paid_before
    (the same over clean days before), median_hours, slow_hours (9 of 10 who pay do so within), p_value;
    empty without orders.
    """
    last = date - int(np.ceil(keep_days)) * DAY
    known = placed(orders, date)
    now = calendars.last_days(known, last, days)
    past = calendars.clean_days(known, last - days * DAY, days_before, campaigns)
    if now.empty:
        return {}
    daily = past.groupby("date")["is_paid"].agg(["sum", "size"])
    dispersion = rates.dispersion(daily["size"] - daily["sum"], daily["size"], np.zeros(len(daily)))
    lost, lost_before = (~now["is_paid"]).sum(), (~past["is_paid"]).sum()
    low, high = rates.interval(lost, len(now), dispersion=dispersion)
    return {
        "orders": len(now),
        "never_paid": lost / len(now),
        "low": low,
        "high": high,
        "never_paid_before": rates.ratio(lost_before, len(past)),
        "median_hours": now["hours"].median(),
        "slow_hours": now["hours"].quantile(0.9),
        "p_value": rates.difference_test(lost, len(now), lost_before, len(past), dispersion)[()],
    }


def finding(
    open_orders: pd.DataFrame, paying: dict[str, float], surely: float = SURELY
) -> list[Finding]:
    """What is still to be had from open orders, and whether more are left unpaid than usual.

    open_orders  of unpaid   paying  of gap   surely  p-value
    """
    found = []
    if len(open_orders):
        amount = open_orders["order_amount"].sum()
        found.append(Finding(
            "unpaid", "info", "order_amount", "unpaid", amount, "currency", n=len(open_orders),
            owner="service", action="remind_unpaid", rule="C19",
            values={"count": len(open_orders), "amount": amount},
        ))  # fmt: skip
    if paying and paying["never_paid"] > 0:
        more = paying["p_value"] < surely and paying["never_paid"] > paying["never_paid_before"]
        text = "never_paid_more" if more else "never_paid"
        if pd.isna(paying["never_paid_before"]):
            text = "never_paid_no_past"
        found.append(Finding(
            "never_paid", "warning" if more else "info", "never_paid", text,
            paying["never_paid"], "share", baseline=paying["never_paid_before"],
            low=paying["low"], high=paying["high"], n=paying["orders"],
            owner="service" if more else "", action="ask_why_unpaid" if more else "", rule="C19",
            values=paying,
        ))  # fmt: skip
    return found
