"""What if: sales with other visitors, conversion or order value."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from shopanalysis import bridge, rates
from shopanalysis.calendars import Campaign, clean_days

CLEAN = 28  # ordinary days behind today's conversion and order value
VISITORS, CONVERSION, ORDER_VALUE = 0.2, 0.003, 0.05

# factor of visitors, added to conversion, factor of order value
CHANGES = {
    "as_forecast": (1.0, 0.0, 1.0),
    "fewer_visitors": (1 - VISITORS, 0.0, 1.0),
    "more_visitors": (1 + VISITORS, 0.0, 1.0),
    "higher_conversion": (1.0, CONVERSION, 1.0),
    "higher_order_value": (1.0, 0.0, 1 + ORDER_VALUE),
    "all_three": (1 + VISITORS, CONVERSION, 1 + ORDER_VALUE),
}


def now(
    shop_day: pd.DataFrame, date: pd.Timestamp, basis: str, campaigns: Iterable[Campaign]
) -> dict[str, float]:
    """visitors (a day), conversion, order_value and days of the last CLEAN days outside campaigns.

    shop_day   date, device, visitors, sales and what `basis` counts; only device all is read
    Missing where nobody came, or nobody paid.
    """
    whole = shop_day[shop_day["device"] == "all"].dropna(subset=["visitors", "sales"])
    days = clean_days(whole, date, CLEAN, campaigns)
    payers = rates.payers(basis)
    totals = days[["visitors", payers, "sales"]].sum()
    return {
        "visitors": totals["visitors"] / len(days) if len(days) else float("nan"),
        "conversion": rates.ratio(totals[payers], totals["visitors"]),
        "order_value": rates.ratio(totals["sales"], totals[payers]),
        "days": len(days),
    }


def scenarios(expected: float, conversion: float, order_value: float) -> pd.DataFrame:
    """Sales as visitors x conversion x order value, first as forecast, then with one or all changed.

    expected      sales forecast over the period (currency); its visitors are what makes the product
    conversion    share of visitors who pay    order_value   sales / those who pay

    scenario, visitors, conversion, order_value, sales, sales_change, and the change's exact parts
    by_visitors, by_conversion, by_order_value (bridge.shapley). Empty without conversion or value.
    """
    columns = ["scenario", *bridge.FACTORS, "sales", "sales_change"]
    columns += [f"by_{factor}" for factor in bridge.FACTORS]
    if not conversion > 0 or not order_value > 0:
        return pd.DataFrame(columns=columns)
    before = {
        "visitors": expected / (conversion * order_value),
        "conversion": conversion,
        "order_value": order_value,
    }
    rows = []
    for name, (visitors, points, value) in CHANGES.items():
        after = {
            "visitors": before["visitors"] * visitors,
            "conversion": conversion + points,
            "order_value": order_value * value,
        }
        parts = {f"by_{factor}": part for factor, part in bridge.shapley(before, after).items()}
        sales = after["visitors"] * after["conversion"] * after["order_value"]
        change = {"sales": sales, "sales_change": sales - expected}
        rows.append({"scenario": name} | after | change | parts)
    return pd.DataFrame(rows, columns=columns)
