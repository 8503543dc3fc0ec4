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

# Titles that a page, a spreadsheet or a figure could trip over.
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "=cmd|'/c calc'!A1",
    "长" * 4000,
    "שלום קנה",
    "🧵四件套🎁",
]


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


def with_many_items(folder: Path, copy: Path, times: int) -> None:
    """Copy the shop in `folder`, each of its items there `times` times under further ids and titles."""
    copy.mkdir(parents=True)
    (copy / "shop.toml").write_text((folder / "shop.toml").read_text("utf-8"), "utf-8")
    opened = shop.load(folder)
    for name in tables.available(folder):
        frame = opened.table(name)
        if name in ("items", "item_day", "item_source_day"):
            parts = [frame]
            for number in range(1, times):
                part = frame.assign(item_id=frame["item_id"].astype(str) + f"-{number}")
                if "title" in part:
                    part["title"] = part["title"].astype(str) + f" {number}"
                parts.append(part)
            frame = tables.conform(name, pd.concat(parts, ignore_index=True))
        tables.write(copy, name, frame)
