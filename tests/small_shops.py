"""Small shops built in a line or two."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis import shop, tables

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "data" / "demo"
THRESHOLDS = tomllib.loads(shop.DEFAULTS.read_text("utf-8"))["thresholds"]
BARS = {name: threshold["value"] for name, threshold in THRESHOLDS.items()}


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def shop_days(start: str, **columns) -> pd.DataFrame:
    """shop_day rows for device all, one per day from `start`: shop_days("2026-01-01", sales=[1, 2])."""
    length = max(np.size(values) for values in columns.values())
    frame = pd.DataFrame({"date": pd.date_range(start, periods=length), "device": "all", **columns})
    return tables.conform("shop_day", frame.assign(source_file="made up"))


def rows(table: str, columns: str, *lines: str) -> pd.DataFrame:
    """Rows of `table` from text: rows("item_day", "date item_id visitors", "2026-01-01 A 10")."""
    frame = pd.DataFrame([line.split() for line in lines], columns=columns.split())
    for name in frame:
        kind = tables.TABLES[table].columns[name].kind
        if kind in ("date", "time"):
            frame[name] = pd.to_datetime(frame[name])
        elif kind not in ("text", "flag"):
            frame[name] = frame[name].astype(float)
    return tables.conform(table, frame.assign(source_file="made up"))
