"""Rows kept by day -> the tables of the data contract, put in place together.

The engine writes them, since some are as long as the log has customers, or items x sources x days.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet

from shopanalysis import tables
from shopanalysis.events import visitors
from shopanalysis.events.one_day import GROUPS
from shopanalysis.events.spans import day_files
from shopanalysis.exports import landing, mappings

WHAT = {  # column -> the kind that a log must record for it to be known
    "visitors": "view", "page_views": "view", "bounce_rate": "view", "bounces": "view",
    "dwell": "view", "new_visitors": "view", "favourites": "favourite", "cart_adds": "cart",
    "ordered_buyers": "order", "ordered_units": "order", "ordered_amount": "order",
    "buyers": "pay", "orders": "pay", "units": "pay", "sales": "pay",
}  # fmt: skip
AMOUNTS = {  # column -> who made it up
    "sales": "buyers", "units": "buyers", "ordered_amount": "ordered_buyers",
    "ordered_units": "ordered_buyers",
}  # fmt: skip


BY_DAY = ("item_day", "item_source_day", "item_week")  # kept by day, each day's rows sorted


def land(run, names: dict[date, str], first: list[Path], weeks: list[Path]):
    """Write every table that the log yields; names of those written, and of those left to exports."""
    folder = run.shop.folder
    aside = landing.start(folder)
    makers = {
        "shop_day": partial(_shop_day, run, names, first),
        "source_day": partial(_source_day, run, names),
        "item_day": lambda: _counted(run, names, "item_day").drop("bounce_rate"),
        "item_source_day": partial(_counted, run, names, "item_source_day"),
        "item_week": lambda: run.engine.read(weeks),
        "customers": lambda: visitors.customers(run.engine.read(day_files(run, names, "payers"))),
    }
    kept = tuple(name for name in makers if _stated_elsewhere(folder, name))
    asked = [name for name in makers if name not in kept]
    written = tuple(name for name in asked if _write(run, aside, name, makers[name]()))
    landing.land(folder, set(asked).difference(written))
    return written, kept


def _write(run, aside: Path, name: str, table) -> bool:
    """Write `table`, sorted by key; whether it has a row."""
    target = tables.path(aside, name)
    whole, key = _as_contract(run, name, table), list(tables.TABLES[name].key)
    if name in BY_DAY:
        rows = run.engine.stream_in_order(whole, target, key)
    else:
        rows = run.engine.stream(whole.order_by(key), target)
    if not rows:
        target.unlink()
    return rows > 0


def _as_contract(run, name: str, table):
    """`table` with the contract's columns, typed: missing where the log does not say."""
    import ibis

    said = table.mutate(source_file=ibis.literal(tables.EVENT_LOG))
    made = {}
    for column, spec in tables.TABLES[name].columns.items():
        kind = {"date": "timestamp(6)", "text": "string"}.get(spec.kind, "float64")
        known = column in said.columns and WHAT.get(column) in (None, *run.format.kinds)
        value = said[column] if known else ibis.null(kind)
        made[column] = _midnight(value) if known and spec.kind == "date" else value.cast(kind)
    return said.select(**made)


def _midnight(day):
    """The moment that a number of days since 1970 begins with."""
    return (day.cast("int64") * 86_400).as_timestamp("s").cast("timestamp(6)")


def _stated_elsewhere(folder: Path, name: str) -> bool:
    """Whether an import made rows of the table from files."""
    file = tables.path(folder, name)
    if not file.exists():
        return False
    whole = pyarrow.parquet.read_metadata(file)
    place = whole.schema.names.index("source_file")
    ends = (whole.row_group(n).column(place).statistics for n in range(whole.num_row_groups))
    return any({one.min, one.max} != {tables.EVENT_LOG} for one in ends)


def _shop_day(run, names: dict[date, str], first: list[Path]):
    viewers = run.engine.read(first)
    new = viewers.group_by(date="day").aggregate(new=viewers.count())
    days = _counted(run, names, "shop_day").left_join(new, "date", rname="{name}_of_new")
    return days.mutate(new_visitors=(days.device == "all").ifelse(days.new.fill_null(0), None))


def _source_day(run, names: dict[date, str]):
    """Rows by source with the channel of each, which the shop's mappings tell."""
    found = _counted(run, names, "source_day")
    sources = sorted(row["source"] for row in run.engine.rows(found.select("source").distinct()))
    channel = mappings.load(run.shop.folder).channel
    file = run.state.path("channels", "channels.parquet")
    channels = pd.DataFrame({"source": sources, "channel": [channel(one) for one in sources]})
    channels.astype("string").to_parquet(file, index=False)
    return found.inner_join(run.engine.read([file]), "source")


def _counted(run, names: dict[date, str], table: str):
    """All days' rows of a table, with means and rates; the device is all where it is not among the keys."""
    import ibis

    parts = []
    for keys in GROUPS[table]:
        part = run.engine.read(day_files(run, names, "-".join([table, *keys]))).rename(date="day")
        if "device" in tables.TABLES[table].columns and "device" not in keys:
            part = part.mutate(device=ibis.literal("all"))
        parts.append(part)
    whole = ibis.union(*(part.select(parts[0].columns) for part in parts)) if parts[1:] else part
    return whole.mutate(**_amounts(whole), **_rates(whole))


def _amounts(found) -> dict[str, object]:
    """Amounts, 0 where nobody made one up; missing throughout where the log tells none of those made up."""
    made = {}
    for name, who in AMOUNTS.items():
        if name in found.columns:
            told, most = found[name].notnull().any().as_scalar(), found[who].max().as_scalar()
            none = (found[who] == 0) & (told | (most == 0))
            made[name] = none.ifelse(found[name].fill_null(0), found[name])
    return made


def _rates(found) -> dict[str, object]:
    """Means and rates from the sums; missing where there is nothing to divide by."""
    seconds, among = ("stay", "stays") if "item_id" in found.columns else ("dwell", "visitors")
    made = {}
    if "views" in found.columns:
        made["page_views"] = found["views"]
    if "visits" in found.columns:
        made["bounce_rate"] = found["bounces"] / found["visits"].nullif(0)
    if seconds in found.columns:
        made["dwell"] = found[seconds].fill_null(0) / found[among].nullif(0)
    if "orders" in found.columns:
        made["orders"] = found["orders"].fill_null(0)
    return made
