"""Rows kept by day -> the tables of the data contract, put in place together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

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
AMOUNTS = ("sales", "ordered_amount", "units", "ordered_units")


def land(run, names: dict[date, str], first: list[Path], weeks: list[Path]):
    """Write every table that the log yields; names of those written, and of those left to exports."""
    folder = run.shop.folder
    aside = landing.start(folder)
    writers = {
        name: partial(_write, run, aside, name, make)
        for name, make in _makers(run, names, first, weeks).items()
    }
    writers["customers"] = partial(_write_customers, run, names, aside)
    kept = tuple(name for name in writers if _stated_elsewhere(folder, name))
    asked = [name for name in writers if name not in kept]
    written = tuple(name for name in asked if writers[name]())
    landing.land(folder, set(asked).difference(written))
    return written, kept


def _write(run, aside: Path, name: str, make: Callable[[], pd.DataFrame]) -> bool:
    """Write what `make` makes; whether there was a row. The frame is gone before the next is made."""
    frame = _known(run, make())
    if len(frame):
        tables.write(aside, name, frame.assign(source_file=tables.EVENT_LOG))
    return len(frame) > 0


def _stated_elsewhere(folder: Path, name: str) -> bool:
    """Whether an import made the table from files."""
    file = tables.path(folder, name)
    if not file.exists():
        return False
    return (
        not pd.read_parquet(file, columns=["source_file"])["source_file"].eq(tables.EVENT_LOG).all()
    )


def _makers(run, names: dict[date, str], first: list[Path], weeks: list[Path]):
    """What makes each table, in turn, so that one at a time is in memory."""
    return {
        "shop_day": lambda: _shop_day(run, names, first),
        "source_day": lambda: _source_day(run, names),
        "item_day": lambda: _rates(_counted(run, names, "item_day")).assign(bounce_rate=np.nan),
        "item_source_day": lambda: _counted(run, names, "item_source_day"),
        "item_week": lambda: pd.concat([pd.read_parquet(file) for file in weeks]),
    }


def _shop_day(run, names: dict[date, str], first: list[Path]) -> pd.DataFrame:
    viewers = run.engine.read(first)
    counted = viewers.group_by("day").aggregate(new_visitors=viewers.count().cast("float64"))
    days = pd.DataFrame({"date": pd.to_datetime(list(names)), "device": "all"})
    new = days.merge(_dated(run.engine.frame(counted)), on="date", how="left")
    new = new.fillna({"new_visitors": 0})
    return _rates(_counted(run, names, "shop_day")).merge(new, on=["date", "device"], how="left")


def _source_day(run, names: dict[date, str]) -> pd.DataFrame:
    found = _rates(_counted(run, names, "source_day"))
    channel = mappings.load(run.shop.folder).channel
    known = {source: channel(source) for source in found["source"].unique()}
    return found.assign(channel=found["source"].map(known))


def _dated(frame: pd.DataFrame, column: str = "day", name: str = "date") -> pd.DataFrame:
    """`frame` with a date in place of the number of days since 1970."""
    dates = pd.to_datetime(frame[column].astype("int64"), unit="D").astype("datetime64[us]")
    return frame.drop(columns=column).assign(**{name: dates})


def _counted(run, names: dict[date, str], table: str) -> pd.DataFrame:
    """All days' rows of a table; the device is all where it is not among the keys."""
    parts = []
    for keys in GROUPS[table]:
        files = day_files(run, names, "-".join([table, *keys]))
        parts.append(run.engine.frame(run.engine.read(files)))
        if "device" in tables.TABLES[table].columns and "device" not in keys:
            parts[-1]["device"] = "all"
    found = _dated(pd.concat(parts, ignore_index=True))
    numbers = [name for name in found if name not in ("date", "device", "source", "item_id")]
    found = found.astype(dict.fromkeys(numbers, "float64"))
    for name in found.columns.intersection(AMOUNTS):
        found[name] = found[name].mask(found[name].isna() & _none(found, name), 0.0)
    return found


def _rates(found: pd.DataFrame) -> pd.DataFrame:
    """Means and rates from the sums; missing where there is nothing to divide by."""
    stay, whole = ("stay", "stays") if "item_id" in found else ("dwell", "visitors")
    made = {"page_views": found["views"]}
    if "visits" in found:
        made["bounce_rate"] = found["bounces"] / found["visits"].replace(0, np.nan)
    if stay in found:
        made["dwell"] = found[stay].fillna(0) / found[whole].replace(0, np.nan)
    if "orders" in found:
        made["orders"] = found["orders"].fillna(0)
    return found.assign(**made)


def _none(found: pd.DataFrame, name: str) -> pd.Series:
    """Rows in which nobody paid, or ordered: their amount is 0 and not missing."""
    return found["ordered_buyers" if name.startswith("ordered") else "buyers"].eq(0)


def _write_customers(run, names: dict[date, str], aside: Path) -> bool:
    """Customers, of whom a large shop has millions: the engine writes them as the contract types them."""
    import ibis

    found = visitors.customers(run.engine.read(day_files(run, names, "payers")))
    columns = {"source_file": ibis.literal(tables.EVENT_LOG)}
    for name, column in tables.TABLES["customers"].columns.items():
        if column.kind == "date":
            columns[name] = (
                (found[name].cast("int64") * 86_400).as_timestamp("s").cast("timestamp(6)")
            )
        elif column.kind != "text":
            columns[name] = found[name].cast("float64")
    rows = found.mutate(**columns).select(*tables.TABLES["customers"].columns)
    return run.engine.stream(rows.order_by("visitor_key"), tables.path(aside, "customers")) > 0


def _known(run, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with missing for what the log does not record: missing is not zero."""
    unknown = [name for name in frame if WHAT.get(name) not in (None, *run.format.kinds)]
    return frame.assign(**dict.fromkeys(unknown, np.nan))
