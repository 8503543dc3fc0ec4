"""What changes slowly: PC and wireless, and which factor the ups and downs of sales go with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.calendars import Campaign
from shopanalysis.findings import Finding

CLEAN_WEEKS = 8
FEWEST_DAYS = 14
DEVICE_COLUMNS = [
    "device", "visitors_by_day", "side_share", "payers", "conversion", "order_value",
    "value_per_visitor", "sales", "sales_share",
]  # fmt: skip


def devices(shop_day: pd.DataFrame, date: pd.Timestamp, basis: str, days: int) -> pd.DataFrame:
    """PC and wireless over the `days` days to `date` (B04).

    device, visitors_by_day, side_share (of both sides' visits; who came by both counts in both),
    payers, conversion, order_value, value_per_visitor, sales, sales_share; empty without the split.
    """
    recent = calendars.last_days(shop_day[shop_day["device"] != "all"], date, days)
    recent = recent.rename(columns={rates.payers(basis): "payers"})
    columns = ["visitors", "payers", "sales"]
    sides = recent.dropna(subset=columns).groupby("device")[columns].sum()
    if len(sides) < 2:
        return pd.DataFrame()
    sides = sides.astype(float).rename(columns={"visitors": "visitors_by_day"})
    seen, paid, sales = (sides[c] for c in ("visitors_by_day", "payers", "sales"))
    table = sides.assign(
        side_share=rates.ratio(seen, pd.Series(seen.sum(), sides.index)),
        conversion=rates.ratio(paid, seen),
        order_value=rates.ratio(sales, paid),
        value_per_visitor=rates.ratio(sales, seen),
        sales_share=rates.ratio(sales, pd.Series(sales.sum(), sides.index)),
    )
    return table.rename_axis("device").reset_index()[DEVICE_COLUMNS]


def ups_and_downs(
    day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, basis: str
) -> pd.DataFrame:
    """How much of the ups and downs of sales from day to day goes with each factor (A05).

    day   the shop's days (device all)

    One row per factor of the last eight clean weeks: factor, variance_share (of the variance of log
    sales; they add up to 1), swing (a usual day's distance from its mean, as a share), n (days).
    Days on which nothing was sold are left out; empty with fewer than two weeks.
    """
    clean = calendars.clean_days(day, date, 7 * CLEAN_WEEKS, campaigns)
    paid = clean[rates.payers(basis)]
    logs = pd.DataFrame(
        {"visitors": clean["visitors"], "conversion": rates.ratio(paid, clean["visitors"]),
         "order_value": rates.ratio(clean["sales"], paid)}
    ).astype(float)  # fmt: skip
    logs = np.log(logs[(logs > 0).all(axis=1)])
    sales = logs.sum(axis=1)
    if len(logs) < FEWEST_DAYS or sales.var() == 0:
        return pd.DataFrame(columns=["factor", "variance_share", "swing", "n"])
    shares = logs.apply(lambda factor: factor.cov(sales)) / sales.var()
    table = pd.DataFrame({"variance_share": shares, "swing": np.expm1(logs.std()), "n": len(logs)})
    return table.rename_axis("factor").reset_index()


def findings(sides: pd.DataFrame, swings: pd.DataFrame, reference: float) -> list[Finding]:
    """Wireless against PC (B04), and which factor the ups and downs of sales go with (A05).

    sides  of devices   swings  of ups_and_downs   reference   a share of sales to set wireless beside
    """
    found = []
    if len(sides):
        found.append(_wireless(sides.set_index("device"), reference))
    if len(swings):
        found.append(_swings(swings.set_index("factor")))
    return found


def _wireless(sides: pd.DataFrame, reference: float) -> Finding:
    wireless, pc = sides.loc["wireless"], sides.loc["pc"]
    return Finding(
        "wireless", "info", "sales_share", "wireless", wireless["sales_share"], "share",
        baseline=reference, n=sides["payers"].sum(), rule="B04",
        values=wireless.to_dict() | {"pc": pc["conversion"], "reference": reference},
    )  # fmt: skip


def _swings(swings: pd.DataFrame) -> Finding:
    share, first = swings["variance_share"], swings["variance_share"].idxmax()
    return Finding(
        "ups_and_downs", "info", "sales", "ups_and_downs", share[first], "share",
        n=swings["n"].iloc[0], rule="A05",
        values=share.to_dict() | {"first": first, "n": swings["n"].iloc[0]}
        | {f"{name}_swing": value for name, value in swings["swing"].items()},
    )  # fmt: skip
