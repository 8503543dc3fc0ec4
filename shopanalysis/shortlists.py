"""Which items go on which list: by category, the two heroes, the daily check, the show-case."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.findings import Finding

HEROES = [
    "item_id", "title", "verdict", "reason", "next_conversion", "sales", "margin", "margin_rate",
    "margin_per_visit", "stock", "stock_days", "rating",
]  # fmt: skip
DAILY = [
    "item_id", "title", "verdict", "visitors_by_day", "visitors_before", "conversion", "conversion_before",
    "bounce_rate", "rating", "stock",
]  # fmt: skip
SELLING = [
    "item_id", "sales_rank", "title", "category", "category_rank", "sales", "units", "verdict", "shelf",
]  # fmt: skip
COUNTED = [
    "category", "picks", "sales", "margin", "margin_rate", "margin_per_visit", "stock", "stock_days",
    "rating", "bounce_rate", "sales_rank", "category_rank", "shelf",
]  # fmt: skip


def by_category(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.DataFrame:
    """One row per category, most sales first.

    items   of bestsellers.judged()

    category, items, confirmed, watched, picks (D03: page views above the category's average, expected
    conversion among its highest, bounce below its own), visitors_by_day, payers, conversion (the
    category's own bar), sales (currency), best_pick (the pick that sold most)
    """
    grouped = items.groupby("category")
    picked = items[picks(items, bars)]
    table = grouped[["visitors_by_day", "payers", "sales"]].sum()
    table.insert(0, "items", grouped.size())
    for at, (name, kept) in enumerate(
        {"confirmed": items[items["verdict"] == "confirmed"],
         "watched": items[items["verdict"] == "watch"], "picks": picked}.items(), start=1
    ):  # fmt: skip
        table.insert(at, name, kept.groupby("category").size().reindex(table.index, fill_value=0))
    table.insert(6, "conversion", rates.ratio(table["payers"], table["visitors_by_day"]))
    best = picked.sort_values("sales", ascending=False, kind="stable")
    table["best_pick"] = best.groupby("category")["title"].first()
    return table.sort_values("sales", ascending=False, kind="stable").reset_index()


def picks(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.Series:
    """Whether the item passes the screen within its own category (D03); a bounce that is not known passes."""
    named = items[items["category"].notna()]
    grouped = named.groupby("category")
    sums = grouped[["visitors_by_day", "payers"]].transform("sum")
    own = rates.ratio(sums["payers"], sums["visitors_by_day"])
    place = grouped["next_conversion"].rank(ascending=False, method="min")
    last = np.maximum(1, np.floor(grouped["title"].transform("size") * bars["category_top_share"]))
    known = named["visitors_by_day"].where(named["bounce_rate"].notna()).groupby(named["category"])
    parts = (named["bounce_rate"] * named["visitors_by_day"]).groupby(named["category"])
    bounce = rates.ratio(parts.transform("sum"), known.transform("sum"))
    passed = (
        (named["page_views"] > grouped["page_views"].transform("mean"))
        & (place <= last)
        & (named["next_conversion"] > own)
        & ~(named["bounce_rate"] >= bounce)
    )
    return passed.reindex(items.index, fill_value=False)


def described(items: pd.DataFrame, about: pd.DataFrame, days: int) -> pd.DataFrame:
    """`items` with what the item list tells of them, and what they earn.

    about   the table items

    stock, rating, stock_days (days that the stock lasts at the period's pace), margin (sales less
    cost of the pieces, currency), margin_rate (of sales), margin_per_visit (expected conversion x
    margin per payer); missing where the list does not say
    """
    joined = items.join(about.set_index("item_id")[["unit_cost", "stock", "rating"]], on="item_id")
    margin = joined["sales"] - joined["units"] * joined["unit_cost"]
    return joined.assign(
        margin=margin,
        margin_rate=rates.ratio(margin, joined["sales"]),
        margin_per_visit=joined["next_conversion"] * rates.ratio(margin, joined["payers"]),
        stock_days=rates.ratio(joined["stock"], joined["units"] / days),
    )


def heroes(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.DataFrame:
    """Confirmed and watched items, best first (D06): confirmed before watched, then by margin, or by
    sales where no item's cost is known.

    items   of described()
    """
    able = items[items["verdict"] != "no"]
    by = "margin" if able["margin"].notna().any() else "sales"
    able = able.sort_values(by, ascending=False).sort_values("verdict", kind="stable")
    return able.head(int(2 * bars["hero_items"]))


def daily_check(
    items: pd.DataFrame,
    item_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    bars: Mapping[str, float],
) -> pd.DataFrame:
    """The items with the most visits (D10), with visits and conversion of as many days before.

    items   of described()
    """
    top = items.nlargest(int(bars["daily_check_items"]), "visitors_by_day")
    past = calendars.last_days(item_day, date - days * calendars.DAY, days)
    past = past.dropna(subset=["visitors", "buyers"]).groupby("item_id")[["visitors", "buyers"]]
    before = past.sum().reindex(top["item_id"]).set_axis(top.index)
    return top.assign(
        visitors_before=before["visitors"],
        conversion_before=rates.ratio(before["buyers"], before["visitors"]),
    )


def selling(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.DataFrame:
    """Items by sales with their place in the shop and in their category, and the show-case they are for.

    shelf   item pages (D14: the shop's own top, shown on item pages; the platform takes them too),
            platform (D14: taken by the platform); an item on neither that is not among its
            category's top for an auction set (D13) is left out
    """
    sold = items[items["sales"] > 0].sort_values("sales", ascending=False, kind="stable")
    places = pd.Series(np.arange(1.0, len(sold) + 1), sold.index)
    sold = sold.assign(
        sales_rank=places,
        category_rank=sold.groupby("category")["sales"].rank(ascending=False, method="first"),
        shelf=pd.Series(pd.NA, sold.index, dtype="string")
        .mask(places <= bars["showcase_items"], "platform")
        .mask(places <= bars["item_page_items"], "item pages"),
    )
    return sold[sold["shelf"].notna() | (sold["category_rank"] <= bars["auction_items"])]


def findings(
    items: pd.DataFrame, hero_items: pd.DataFrame, bars: Mapping[str, float]
) -> list[Finding]:
    """How far the shop hangs on one item (D07), and which two to push (D06).

    items   of described()
    """
    found = [] if items["sales"].sum() <= 0 else [_concentration(items)]
    confirmed = hero_items[hero_items["verdict"] == "confirmed"]
    sold = confirmed["sales"].notna().any()
    return [*found, _heroes(confirmed, bars)] if sold else found


def _concentration(items: pd.DataFrame) -> Finding:
    shares = items["sales"] / items["sales"].sum()
    top = items.loc[shares.idxmax()]
    return Finding(
        "concentration", "info", "sales_share", "concentration", shares.max(), "share",
        n=len(items), owner="leadership", rule="D07",
        values={"title": top["title"], "share": shares.max(), "items": len(items),
                "equal": 1 / (shares**2).sum(),
                "confirmed": (items["verdict"] == "confirmed").sum()},
    )  # fmt: skip


def _heroes(confirmed: pd.DataFrame, bars: Mapping[str, float]) -> Finding:
    known = confirmed["margin"].notna().any()
    pair = confirmed.head(int(bars["hero_items"]))
    return Finding(
        "heroes", "info", "margin" if known else "sales",
        "heroes" if known else "heroes_no_cost",
        pair["margin" if known else "sales"].sum(), "currency", n=len(confirmed),
        owner="leadership", action="choose_heroes", rule="D06",
        values={"titles": list(pair["title"]), "margin": pair["margin"].sum(),
                "sales": pair["sales"].sum(), "heroes": bars["hero_items"]},
    )  # fmt: skip
