"""What orders say of days and items, sources and customer service of days, where no file of the shop does."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from shopanalysis import tables

TEAM = "all"  # agent of the row that counts the whole team
INQUIRIES = ["inquiries", "inquiry_buyers"]
SESSIONS = "orders/sessions"  # a session has one source, so that sources add up to the shop
# What the sources of such a shop add up to.
ADDED_UP = ["visitors", "page_views", "orders", "sales"]


def complete(
    known: Mapping[str, pd.DataFrame], basis: str | None = None
) -> dict[str, pd.DataFrame]:
    """The tables of a shop: those that files gave, with what follows from one another.

    known   table -> rows, with the columns of mapping_checks.EXTRA
    basis   of the shop's conversions, where it is known

    Lines get the item that their merchant code or title means; days, items and days of items that
    no file states come from the orders, and what a day lacks whose file states no sales (a report of
    visits alone). A figure that a file states is never touched.
    """
    made = dict(known)
    if "order_lines" in made:
        made["order_lines"] = with_items(made["order_lines"], made.get("items"))
    if "orders" in made and "refunds" in made:
        made["orders"] = with_refunds(made["orders"], made["refunds"])
    if "orders" in made:
        made["shop_day"] = _joined(
            made, "shop_day", ["date"], days(made["orders"], made.get("order_lines"))
        )
        if "order_lines" in made:
            by_item = days_of_items(made["orders"], made["order_lines"])
            made["item_day"] = _joined(made, "item_day", ["date", "item_id"], by_item)
    if "source_day" in made and basis == SESSIONS:
        made["shop_day"] = with_sources(made.get("shop_day"), made["source_day"])
    if "service_day" in made and "shop_day" in made:
        made["shop_day"] = with_inquiries(made["shop_day"], made["service_day"])
    if "order_lines" in made:
        made["items"] = _joined(made, "items", ["item_id"], items(made["order_lines"]))
    return {
        name: tables.conform(name, made[name]) for name in tables.TABLES if len(made.get(name, ()))
    }


def _joined(
    made: Mapping[str, pd.DataFrame], name: str, by: list[str], derived: pd.DataFrame
) -> pd.DataFrame:
    """The rows that files gave, and derived ones for what they do not state.

    by   what a row of `derived` is of; a day of items counts as stated once any item's sales are
    """
    stated = made.get(name, tables.empty(name))
    silent = _states_no_sales(stated) if "sales" in derived else pd.Series(False, stated.index)
    telling = stated.loc[~silent, by[0]]
    missing = ~derived[by[0]].isin(telling) & ~_keys(derived, by).isin(_keys(stated, by))
    own = tables.conform(name, derived[missing].assign(source_file=tables.DERIVED))
    filled = _filled(stated, silent, by, derived)
    return pd.concat([filled, own]) if len(stated) else own


def _keys(rows: pd.DataFrame, by: list[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[by])


def _states_no_sales(stated: pd.DataFrame) -> pd.Series:
    """Which rows are of a day, the whole shop's where devices are told apart, that states no sales."""
    if "sales" not in stated:
        known = pd.Series(False, stated.index)
    else:
        known = stated["sales"].notna().groupby(stated["date"]).transform("any")
    return ~known & (stated["device"].eq("all") if "device" in stated else True)


def _filled(
    stated: pd.DataFrame, silent: pd.Series, by: list[str], derived: pd.DataFrame
) -> pd.DataFrame:
    """The rows that are `silent` of sales with what the orders say in the columns that they lack.

    An item that the orders know has sold nothing on a day on which they do not name it.
    """
    open_ = silent & stated[by[0]].isin(derived[by[0]])
    if "item_id" in by:
        open_ &= stated["item_id"].isin(derived["item_id"])
    if not open_.any():
        return stated
    said = derived.drop(columns=by).set_axis(_keys(derived, by))
    said = said.reindex(_keys(stated, by)).set_axis(stated.index)
    said = said.mask(said["sales"].isna(), said.fillna(0.0)) if "item_id" in by else said
    return _supplied(stated, open_, said.drop(columns="device", errors="ignore"), tables.DERIVED)


def _supplied(
    rows: pd.DataFrame, where: pd.Series, values: pd.DataFrame, file: str | pd.Series
) -> pd.DataFrame:
    """`rows` with `values` in the cells that they lack, on rows `where`, which then name `file` too."""
    supplied = rows.reindex(columns=rows.columns.union(values.columns, sort=False))
    for column in values:
        own = supplied[column].astype("float64")
        supplied[column] = own.mask(where & own.isna(), values[column])
    files = supplied["source_file"].astype("string")
    return supplied.assign(source_file=files.mask(where, files + tables.AND + file))


def with_items(lines: pd.DataFrame, items: pd.DataFrame | None) -> pd.DataFrame:
    """Order lines with item_id by merchant code, then by title, else the code itself.

    A code or title that two items share says nothing.
    """
    if not lines["item_id"].isna().any():
        return lines
    found = lines["item_id"].copy()
    for column in ("merchant_code", "title"):
        if items is not None and column in items:
            known = items.dropna(subset=[column]).drop_duplicates(column, keep=False)
            found = found.fillna(lines[column].map(known.set_index(column)["item_id"]))
    return lines.assign(item_id=found.fillna(lines["merchant_code"]))


def with_refunds(orders: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """Orders with what the refund list says was given back, where their own file does not say."""
    given = refunds.groupby("order_id")["given_back"].sum()
    known = orders["refunded"].fillna(orders["order_id"].map(given).astype("float64"))
    return orders.assign(refunded=known)


def with_sources(shop_day: pd.DataFrame | None, source_day: pd.DataFrame) -> pd.DataFrame:
    """shop_day with the sums of the sources of its days, in columns and on days that it lacks.

    A sum that lacks one source's figure is missing. Days on which devices are told apart stay as they are.
    """
    sums = pd.DataFrame({name: _total(source_day, ["date"], name) for name in ADDED_UP})
    sums = sums[sums["visitors"].notna()].astype("float64")
    told = shop_day if shop_day is not None else tables.empty("shop_day")
    new = sums[~sums.index.isin(told["date"])].rename_axis("date").reset_index()
    new = tables.conform("shop_day", new.assign(device="all", source_file=tables.ADDED_UP))
    dates = told["date"].where(told["device"].eq("all"))
    silent = told.reindex(columns=["visitors"])["visitors"].isna() & dates.isin(sums.index)
    filled = _supplied(told, silent, sums.reindex(dates).set_axis(told.index), tables.ADDED_UP)
    return pd.concat([filled, new]) if len(told) else new


def with_inquiries(shop_day: pd.DataFrame, service_day: pd.DataFrame) -> pd.DataFrame:
    """shop_day with inquiries and inquiry_buyers from customer service, on days that state neither.

    The team's own row counts where there is one; else its agents are added up, of whom a person who
    asks two counts twice. A day on which one of them is missing, or more paid than asked, stays missing.
    """
    rows = service_day.assign(team=service_day["agent_key"].eq(TEAM))
    whole = rows[rows["team"] | ~rows.groupby("date")["team"].transform("any")]
    known = pd.DataFrame({name: _total(whole, ["date"], name) for name in INQUIRIES})
    known = known[~known["inquiry_buyers"].gt(known["inquiries"])]
    files = whole.groupby("date")["source_file"].agg(tables.joined_files)
    stated = shop_day.reindex(columns=INQUIRIES).notna().any(axis=1)
    dates = shop_day["date"].where(shop_day["device"].eq("all") & ~stated)
    found = dates.isin(known.index[known["inquiries"].notna()])
    if not found.any():
        return shop_day
    asked = known.astype("float64").reindex(dates).set_axis(shop_day.index)
    return _supplied(shop_day, found, asked, dates.map(files).astype("string"))


def days(orders: pd.DataFrame, lines: pd.DataFrame | None) -> pd.DataFrame:
    """shop_day from orders: paid on that day, refunded on that day, ordered on that day.

    A refund counts on the day of payment, since no order file says when the money went back; a
    cancellation that is a row of its own counts on its day. Buyers are missing where a paid order
    has no buyer. Days outside those on which the orders were placed are not complete and
    stay away, as do days without an order: missing is not zero.
    """
    orders = orders.assign(units=_units(orders, lines))
    paid = orders[orders["paid_at"].notna()].assign(date=_day(orders["paid_at"]))
    placed = orders[orders["created_at"].notna()].assign(date=_day(orders["created_at"]))
    table = pd.concat(
        {
            "orders": paid.groupby("date").size(),
            "buyers": _buyers(paid, ["date"]),
            "units": _total(paid, ["date"], "units"),
            "sales": _total(paid, ["date"], "paid"),
            "refunds": _refunds(orders, ["date"]),
            "ordered_amount": _total(placed, ["date"], "amount"),
        },
        axis=1,
        sort=True,
    ).astype("float64")
    _fill_zeros(table, "orders", ("orders", "units", "sales", "buyers"), orders["refunded"])
    return _within(table.rename_axis("date").reset_index(), placed["date"]).assign(device="all")


def not_covered(known: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Paid orders that no derived day holds, since none was placed on the day of payment."""
    if "orders" not in known:
        return {}
    orders = known["orders"]
    away = orders[
        orders["paid_at"].notna() & ~_day(orders["paid_at"]).isin(_day(orders["created_at"]))
    ]
    return {"orders": len(away), "paid": round(float(away["paid"].sum()), 2)}


def days_of_items(orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """item_day from order lines, dated by their orders."""
    known = orders[["order_id", "created_at", "paid_at", "closed_at", "buyer_key"]]
    lines = lines[lines["item_id"].notna()].merge(known, on="order_id")
    by = ["date", "item_id"]
    paid = lines[lines["paid_at"].notna()].assign(date=_day(lines["paid_at"]))
    table = pd.concat(
        {
            "lines": paid.groupby(by).size(),
            "buyers": _buyers(paid, by),
            "units": _total(paid, by, "units"),
            "sales": _total(paid, by, "paid"),
            "refunds": _refunds(lines, by),
        },
        axis=1,
        sort=True,
    ).astype("float64")
    _fill_zeros(table, "lines", ("units", "sales", "buyers"), lines["refunded"])
    table = table.rename_axis(by).reset_index().drop(columns="lines")
    return _within(table, _day(orders["created_at"]))


def items(lines: pd.DataFrame) -> pd.DataFrame:
    """items from order lines: the title that an item is most often sold under."""
    lines = lines[lines["item_id"].notna()]
    titles = lines.groupby(["item_id", "title"]).size().rename("lines").reset_index()
    titles = titles.sort_values(["lines", "title"], ascending=[False, True])
    best = titles.drop_duplicates("item_id").set_index("item_id")["title"]
    ids = lines["item_id"].drop_duplicates().sort_values()
    return pd.DataFrame({"item_id": ids, "title": ids.map(best)})


def _units(orders: pd.DataFrame, lines: pd.DataFrame | None) -> pd.Series:
    """Pieces of each order: as stated, else the sum of its lines."""
    if lines is None:
        return orders["units"]
    summed = lines.groupby("order_id")["units"].sum(min_count=1)
    return orders["units"].fillna(orders["order_id"].map(summed).astype(float))


def _fill_zeros(
    table: pd.DataFrame, sold: str, columns: tuple[str, ...], refunded: pd.Series
) -> None:
    """Where nothing was sold that is 0; so are refunds, if the files state refunds at all."""
    nothing = table[sold].isna()
    for column in columns:
        table[column] = table[column].mask(nothing, 0.0)
    if refunded.notna().any():
        table["refunds"] = table["refunds"].fillna(0.0)


def _day(moments: pd.Series) -> pd.Series:
    return moments.dt.normalize()


def _within(table: pd.DataFrame, placed: pd.Series) -> pd.DataFrame:
    """Only days on which an order was placed: of the others the files may hold a part."""
    return table[table["date"].isin(placed)]


def _total(rows: pd.DataFrame, by: list[str], column: str) -> pd.Series:
    """Sum of a column, missing where a value is."""
    grouped = rows.groupby(by)[column]
    return grouped.sum().where(grouped.count() == grouped.size())


def _buyers(paid: pd.DataFrame, by: list[str]) -> pd.Series:
    """Distinct buyers, missing where a paid order has none."""
    grouped = paid.groupby(by)["buyer_key"]
    return grouped.nunique().where(grouped.count() == grouped.size())


def _refunds(rows: pd.DataFrame, by: list[str]) -> pd.Series:
    """Amount given back, on the day of payment or, where there is none, of the cancellation."""
    dated = rows.assign(date=_day(rows["paid_at"].fillna(rows["closed_at"])))
    given = dated[dated["refunded"].gt(0) & dated["date"].notna()]
    return given.groupby(by)["refunded"].sum()
