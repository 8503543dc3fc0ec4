"""Which items sell because buyers want them: the plan's screen, with the doubt it leaves out."""

from __future__ import annotations

import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.findings import Finding

SHOWN = [
    "title", "verdict", "plan_verdict", "visitors_by_day", "payers", "conversion", "low", "high",
    "sales", "days_with_sales", "category",
]  # fmt: skip


def week(
    item_day: pd.DataFrame, items: pd.DataFrame, date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """One row per item that was seen in the last `days` days, most visitors first.

    item_id, title, category, visitors_by_day (visits added up over days), payers, conversion with
    its 90 % Wilson interval low and high (so that each end is wrong 5 times in 100), units,
    sales (currency), days_with_sales
    """
    period = calendars.last_days(item_day, date, days).rename(
        columns={"visitors": "visitors_by_day", "buyers": "payers"}
    )
    totals = period.groupby("item_id")[["visitors_by_day", "payers", "units", "sales"]].sum()
    totals["days_with_sales"] = (period["units"] > 0).groupby(period["item_id"]).sum()
    totals = totals[totals["visitors_by_day"] > 0]
    low, high = rates.wilson(totals["payers"], totals["visitors_by_day"], level=0.90)
    totals = totals.assign(
        conversion=rates.ratio(totals["payers"], totals["visitors_by_day"]), low=low, high=high
    )
    described = totals.join(items.set_index("item_id")[["title", "category"]])
    described["title"] = described["title"].fillna(described.index.to_series())
    return described.sort_values("visitors_by_day", ascending=False, kind="stable").reset_index()


def screen(items: pd.DataFrame, visitors_bar: float, conversion_bar: float) -> pd.DataFrame:
    """`items` of week() with the plan's verdict and ours (D01).

    plan_verdict   yes: visitors and conversion above their bars, as the plan states it
    verdict        confirmed: the lower end of the conversion's interval is above the bar too;
                   watch: the plan says yes but the interval reaches below the bar, or conversion is
                   surely above it and visitors are over half the bar; no: all others
    """
    enough = items["visitors_by_day"] > visitors_bar
    plan = enough & (items["conversion"] > conversion_bar)
    sure = items["low"] > conversion_bar
    nearly = sure & (items["visitors_by_day"] > visitors_bar / 2)
    verdict = (
        pd.Series("no", items.index).mask(plan | nearly, "watch").mask(enough & sure, "confirmed")
    )
    return items.assign(plan_verdict=plan.map({True: "yes", False: "no"}), verdict=verdict)


def shop_average(items: pd.DataFrame) -> float:
    """The items' payers / the items' visits: the relative bar (D02)."""
    return float(rates.ratio(items["payers"].sum(), items["visitors_by_day"].sum()))


def by_category(items: pd.DataFrame) -> pd.DataFrame:
    """One row per category, most sales first: category, items, confirmed, watched, visitors_by_day,
    payers, conversion (the category's own bar), sales (currency), best_item (the title that sold most).
    """
    grouped = items.groupby("category")
    table = grouped[["visitors_by_day", "payers", "sales"]].sum()
    table.insert(0, "items", grouped.size())
    table.insert(1, "confirmed", (items["verdict"] == "confirmed").groupby(items["category"]).sum())
    table.insert(2, "watched", (items["verdict"] == "watch").groupby(items["category"]).sum())
    table.insert(5, "conversion", rates.ratio(table["payers"], table["visitors_by_day"]))
    table["best_item"] = items.loc[grouped["sales"].idxmax()].set_index("category")["title"]
    return table.sort_values("sales", ascending=False, kind="stable").reset_index()


def findings(items: pd.DataFrame, visitors_bar: float, conversion_bar: float) -> list[Finding]:
    """How many are confirmed, which one leads, and which only look like it.

    items   of screen()
    """
    confirmed = items[items["verdict"] == "confirmed"]
    doubtful = items[(items["plan_verdict"] == "yes") & (items["verdict"] != "confirmed")]
    found = [_count(items, confirmed, visitors_bar, conversion_bar)]
    if len(confirmed):
        found.append(_leader(confirmed.loc[confirmed["sales"].idxmax()], items, conversion_bar))
    if len(doubtful):
        found.append(_doubtful(doubtful, conversion_bar))
    return found


def _count(items, confirmed, visitors_bar: float, conversion_bar: float) -> Finding:
    return Finding(
        "bestsellers", "good" if len(confirmed) else "info", "items",
        "bestsellers" if len(confirmed) else "no_bestseller",
        len(confirmed), "items", n=len(items), rule="D01",
        values={"confirmed": len(confirmed), "passed": (items["plan_verdict"] == "yes").sum(),
                "items": len(items), "visitors_bar": visitors_bar, "rate_bar": conversion_bar},
    )  # fmt: skip


def _leader(item: pd.Series, items: pd.DataFrame, conversion_bar: float) -> Finding:
    return Finding(
        "leader", "good", "conversion", "bestseller_leader", item["conversion"], "share",
        baseline=conversion_bar, low=item["low"], high=item["high"], n=item["visitors_by_day"],
        owner="stock", action="keep_in_stock", rule="D02",
        values={"title": item["title"], "rate": item["conversion"], "low": item["low"],
                "high": item["high"], "visitors": item["visitors_by_day"],
                "sales": item["sales"], "shop": shop_average(items)},
    )  # fmt: skip


def _doubtful(doubtful: pd.DataFrame, conversion_bar: float) -> Finding:
    item = doubtful.iloc[0]
    return Finding(
        "look_alikes", "warning", "conversion", "look_alikes", item["conversion"], "share",
        baseline=conversion_bar, low=item["low"], high=item["high"], n=item["visitors_by_day"],
        owner="promotion", action="wait_with_traffic", rule="D04",
        values={"count": len(doubtful), "title": item["title"], "rate": item["conversion"],
                "low": item["low"], "high": item["high"], "rate_bar": conversion_bar},
    )  # fmt: skip


def checks(items: pd.DataFrame, categories: pd.DataFrame) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other)."""
    named = items[items["category"].notna()]
    too_many = (items["payers"] > items["visitors_by_day"]).sum()
    return [
        ("categories_add_up", categories["sales"].sum(), named["sales"].sum()),
        ("payers_within", too_many, 0),
    ]
