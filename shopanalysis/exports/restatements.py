"""What newer files changed of what older ones of the same report had said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from shopanalysis import tables
from shopanalysis.exports import ledger, records

COLUMNS = ["table", "row", "column", "before", "after", "file"]


def found(folder: Path) -> pd.DataFrame:
    """Every value of the shop in `folder` that was restated, oldest file first.

    table, row (its key), column, before, after, file (the one that says `after`)
    """
    files = records.said(folder).get("files", {})
    order = sorted(files, key=lambda name: (files[name]["exported"], name))
    place = {name: number for number, name in enumerate(order)}
    rows = {name: ledger.read(folder, name) for name in tables.TABLES}
    some = [_changes(name, table, place) for name, table in rows.items() if len(table)]
    return pd.concat([*some, pd.DataFrame(columns=COLUMNS)], ignore_index=True)


def _changes(name: str, rows: pd.DataFrame, place: Mapping[str, int]) -> pd.DataFrame:
    key = list(tables.TABLES[name].key)
    rows = rows[rows.duplicated(["format", *key], keep=False)]
    rows = rows.assign(place=rows["file"].map(place)).sort_values("place", kind="stable")
    changes = []
    for column in tables.TABLES[name].columns:
        if column in key or column not in rows:
            continue
        before = rows.groupby(["format", *key], sort=False)[column].shift()
        changed = rows[
            before.notna() & rows[column].notna() & before.ne(rows[column]).fillna(False)
        ]
        changes += [
            (name, _told(row[key]), column, before[index], row[column], row["file"])
            for index, row in changed.iterrows()
        ]
    return pd.DataFrame(changes, columns=COLUMNS)


def _told(key: pd.Series) -> str:
    return " ".join(str(v.date()) if isinstance(v, pd.Timestamp) else str(v) for v in key)
