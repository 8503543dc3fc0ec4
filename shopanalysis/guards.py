"""What else could make an item look like a bestseller: its place, its sources, one buyer, presale."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.tables import leaf

DOUBTS = ("home_page", "source_mix", "presale", "one_buyer", "few_days")
HOME_PAGE = "店铺首页"  # as the platform names the shop's own home page among its sources
WEEK = 7


def guards(
    week: pd.DataFrame, tables: Mapping[str, pd.DataFrame], date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """`week` with what the plan warns of (D04), each missing where the shop's tables cannot tell.

    week     one row per item: item_id, visitors_by_day, payers
    tables   item_day, items, item_source_day, order_lines, orders

    home_share             visits sent by the shop's home page / visits
    conversion_elsewhere   the same conversion without visits and payers from the home page
    standardised           the conversion if its visits came from the shop's mix of sources
    top_buyer_share        units of its largest buyer / units
    presale                yes: marked or sold as presale in these days
    """
    by_source = calendars.last_days(tables["item_source_day"], date, days)
    by_source = by_source.dropna(subset=["visitors"]).assign(source=by_source["source"].map(leaf))
    by_source = by_source.groupby(["item_id", "source"])[["visitors", "buyers"]].sum().reset_index()
    lines = _paid_lines(tables["order_lines"], tables["orders"], date, days)
    found = week.set_index("item_id").assign(
        home_share=lambda items: _home_share(items, tables["item_day"], by_source, date, days),
        conversion_elsewhere=_rates(by_source[by_source["source"] != HOME_PAGE]),
        standardised=_standardised(by_source),
        top_buyer_share=_top_buyer_share(lines),
        presale=_presale(week["item_id"], tables["items"], lines),
    )
    return found.reset_index()


def within(
    tables: Mapping[str, pd.DataFrame], date: pd.Timestamp, days: int
) -> dict[str, pd.DataFrame]:
    """What guards() looks at in any part of the `days` days up to `date`: visits by source, orders paid."""
    orders = tables["orders"]
    paid = orders[
        orders["paid_at"].between(date - (days - 1) * calendars.DAY, date + calendars.DAY)
    ]
    lines = tables["order_lines"]
    return {
        "item_source_day": calendars.last_days(tables["item_source_day"], date, days),
        "orders": paid,
        "order_lines": lines[lines["order_id"].isin(paid["order_id"])],
    }


def doubts(items: pd.DataFrame, days: int, bars: Mapping[str, float]) -> pd.DataFrame:
    """One column per guard of DOUBTS: whether it speaks against the item; where nothing is known it does not.

    items   of guards(), with conversion and days_with_sales
    """
    bar = bars["bestseller_conversion"]
    return pd.DataFrame(
        {
            "home_page": (items["home_share"] > bars["home_slot_share"])
            & ~(items["conversion_elsewhere"] > bar),
            "source_mix": (items["standardised"] <= bar) & (items["conversion"] > bar),
            "presale": items["presale"] == "yes",
            "one_buyer": items["top_buyer_share"] > bars["top_buyer_share"],
            "few_days": items["days_with_sales"] < bars["bestseller_days_with_sales"] * days / WEEK,
        }
    )


def unchecked(items: pd.DataFrame) -> list[str]:
    """The guards that no item could be held against, for lack of tables."""
    columns = {"home_share": "home_page", "standardised": "source_mix", "presale": "presale",
               "top_buyer_share": "one_buyer"}  # fmt: skip
    return [name for column, name in columns.items() if items[column].isna().all()]


def _rates(by_source: pd.DataFrame) -> pd.Series:
    totals = by_source.groupby("item_id")[["visitors", "buyers"]].sum()
    return rates.ratio(totals["buyers"], totals["visitors"])


def _home_share(
    items: pd.DataFrame,
    item_day: pd.DataFrame,
    by_source: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
) -> pd.Series:
    """From the item report where it counts them, else from the visits by source."""
    period = calendars.last_days(item_day, date, days)
    told = period.groupby("item_id")["home_slot_visitors"].sum(min_count=1).reindex(items.index)
    visits = by_source.groupby("item_id")["visitors"].sum()
    sent = by_source[by_source["source"] == HOME_PAGE].set_index("item_id")["visitors"]
    shares = rates.ratio(sent.reindex(visits.index).fillna(0.0), visits)
    return rates.ratio(told, items["visitors_by_day"]).fillna(shares.reindex(items.index))


def _standardised(by_source: pd.DataFrame) -> pd.Series:
    """Each item's rates by source, weighted by the shop's visits; sources with few payers as one."""
    whole = by_source.groupby("source")["visitors"].sum()
    frame = by_source[by_source["visitors"] > 0]
    frame = frame.assign(weight=frame["source"].map(whole).astype(float))
    own = frame["item_id"].map(_rates(by_source)).astype(float)
    few = own * frame["visitors"] < rates.FEW_SUCCESSES
    frame["source"] = frame["source"].mask(few, "")
    cells = frame.groupby(["item_id", "source"])[["visitors", "buyers", "weight"]].sum()
    weighted = rates.ratio(cells["buyers"], cells["visitors"]) * cells["weight"]
    return weighted.groupby("item_id").sum() / cells["weight"].groupby("item_id").sum()


def _paid_lines(
    order_lines: pd.DataFrame, orders: pd.DataFrame, date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """The order lines paid in the period, with their buyer."""
    paid = orders.assign(date=orders["paid_at"].dt.normalize())
    paid = calendars.last_days(paid, date, days)[["order_id", "buyer_key"]]
    return order_lines.merge(paid, on="order_id")


def _top_buyer_share(lines: pd.DataFrame) -> pd.Series:
    known = lines.dropna(subset=["buyer_key"])
    units = known.groupby(["item_id", "buyer_key"])["units"].sum().groupby("item_id")
    return rates.ratio(units.max(), units.sum())


def _presale(ids: pd.Series, items: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """yes, no, or missing where neither the item list nor the orders say."""
    marked = pd.concat([items[["item_id", "presale"]], lines[["item_id", "presale"]]])
    by_item = marked.dropna().groupby("item_id")["presale"].max().astype(bool)
    return by_item.map({True: "yes", False: "no"}).reindex(ids)
