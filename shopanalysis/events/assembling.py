"""Rows kept by day -> the tables of the data contract, put in place together."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis import tables
from shopanalysis.events import engine, visitors
from shopanalysis.exports import landing, mappings

SOURCE_FILE = "event log"
WHAT = {  # column -> the kind that a log must record for it to be known
    "visitors": "view", "page_views": "view", "bounce_rate": "view", "bounces": "view",
    "dwell": "view", "new_visitors": "view", "favourites": "favourite", "cart_adds": "cart",
    "ordered_buyers": "order", "ordered_units": "order", "ordered_amount": "order",
    "buyers": "pay", "orders": "pay", "units": "pay", "sales": "pay",
}  # fmt: skip
AMOUNTS = ("sales", "ordered_amount", "units", "ordered_units")


def land(run, names: dict[date, str], first: dict[date, Path], weeks: list[Path]):
    """Write every table that the log yields; names of those written, and of those left to exports."""
    folder = run.shop.folder
    made = _made(run, names, first, weeks)
    kept = tuple(name for name in made if _stated_elsewhere(folder, name))
    aside = landing.start(folder)
    written = tuple(name for name in made if name not in kept)
    for name in written:
        tables.write(aside, name, made[name])
    landing.land(folder, ())
    return written, kept


def _stated_elsewhere(folder: Path, name: str) -> bool:
    """Whether an import made the table from files."""
    file = tables.path(folder, name)
    if not file.exists():
        return False
    return not pd.read_parquet(file, columns=["source_file"])["source_file"].eq(SOURCE_FILE).all()


def _made(run, names: dict[date, str], first: dict[date, Path], weeks: list[Path]):
    shop_day = _counted(run, names, "shop_day", [[], ["device"]])
    shop_day = shop_day.merge(_new(first), on=["date", "device"], how="left")
    source_day = _counted(run, names, "source_day", [["source"], ["source", "device"]])
    channel = mappings.load(run.shop.folder).channel
    known = {source: channel(source) for source in source_day["source"].unique()}
    source_day["channel"] = source_day["source"].map(known)
    made = {"shop_day": shop_day, "source_day": source_day}
    made["item_day"] = _counted(run, names, "item_day", [["item_id"]]).assign(bounce_rate=np.nan)
    made["item_source_day"] = _counted(run, names, "item_source_day", [["item_id", "source"]])
    made["item_week"] = _concat([pd.read_parquet(file) for file in weeks])
    made["customers"] = _customers(run, names)
    return {
        name: tables.conform(name, _known(run, frame).assign(source_file=SOURCE_FILE))
        for name, frame in made.items()
        if len(frame)
    }


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    some = [frame for frame in frames if len(frame)]
    return pd.concat(some, ignore_index=True) if some else frames[0]


def _counted(run, names: dict[date, str], table: str, groups: list[list[str]]) -> pd.DataFrame:
    """All days' rows of a table; the device is all where it is not among the keys."""
    parts = []
    for day, name in names.items():
        for keys in groups:
            file = run.state.path("days", name) / f"{'-'.join([table, *keys])}.parquet"
            part = pd.read_parquet(file).assign(date=pd.Timestamp(day))
            parts.append(part if "device" in keys else part.assign(device="all"))
    return _rates(_concat(parts))


def _rates(found: pd.DataFrame) -> pd.DataFrame:
    """Means and rates from the sums; missing where there is nothing to divide by."""
    numbers = [name for name in found if name not in ("date", "device", "source", "item_id")]
    found = found.astype(dict.fromkeys(numbers, "float64"))
    by_item = "item_id" in found
    stay, whole = ("stay", "stays") if by_item else ("dwell", "visitors")
    return found.assign(
        page_views=found["views"],
        bounce_rate=found["bounces"] / found["visits"].replace(0, np.nan),
        dwell=found[stay] / found[whole].replace(0, np.nan),
        **{
            name: found[name].mask(found[name].isna() & _none(found, name), 0.0) for name in AMOUNTS
        },
    )


def _none(found: pd.DataFrame, name: str) -> pd.Series:
    """Rows in which nobody paid, or ordered: their amount is 0 and not missing."""
    return found["ordered_buyers" if name.startswith("ordered") else "buyers"].eq(0)


def _new(first: dict[date, Path]) -> pd.DataFrame:
    import pyarrow.dataset

    counts = [pyarrow.dataset.dataset(file).count_rows() for file in first.values()]
    days = pd.to_datetime(list(first)).astype("datetime64[us]")
    return pd.DataFrame({"date": days, "device": "all", "new_visitors": np.asarray(counts, float)})


def _customers(run, names: dict[date, str]) -> pd.DataFrame:
    import ibis

    parts = []
    for day, name in names.items():
        part = engine.read(run.connection, [run.state.path("days", name) / "visitors.parquet"])
        part = part.filter(part.orders > 0).select("visitor_key", "orders", "sales")
        parts.append(part.mutate(date=ibis.literal(day.isoformat()).cast("date")))
    whole = ibis.union(*parts) if len(parts) > 1 else parts[0]
    found = visitors.customers(whole).to_pandas()
    days = {name: pd.to_datetime(found[name]) for name in ("first_paid_on", "last_paid_on")}
    return found.assign(**days)


def _known(run, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with missing for what the log does not record: missing is not zero."""
    unknown = [name for name in frame if WHAT.get(name) not in (None, *run.format.kinds)]
    return frame.assign(**dict.fromkeys(unknown, np.nan))
