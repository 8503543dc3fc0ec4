"""Every file's rows, side by side, and the tables that they make in any order of import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from shopanalysis import tables
from shopanalysis.exports.mapping_checks import EXTRA

# A newer file that holds one of these replaces all its rows, also those that it no longer has.
REPLACED_WHOLE = {"order_lines": ["order_id"]}


def path(folder: Path, name: str) -> Path:
    """Where the rows of table `name` are kept, file by file."""
    return Path(folder) / "tables" / "rows" / f"{name}.parquet"


def read(folder: Path, name: str) -> pd.DataFrame:
    """The rows of table `name`: the contract's columns, those of EXTRA, `file` and `format`."""
    return pd.read_parquet(path(folder, name)) if path(folder, name).exists() else typed(name)


def write(folder: Path, name: str, rows: pd.DataFrame) -> None:
    """Put the rows of table `name` in place, whole or not at all."""
    file = path(folder, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.tmp")
    rows.to_parquet(aside, index=False)
    os.replace(aside, file)


def typed(name: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """`rows` with every column that the ledger keeps for table `name`."""
    rows = pd.DataFrame() if rows is None else rows
    kept = tables.conform(name, rows).drop(columns="source_file")
    for extra in (*EXTRA.get(name, ()), "file", "format"):
        values = rows[extra].to_numpy() if extra in rows else None
        kept[extra] = pd.Series(values, kept.index, dtype="string")
    return kept


def resolve(name: str, rows: pd.DataFrame, order: Mapping[str, int]) -> pd.DataFrame:
    """Table `name` from the rows of all files.

    order   file -> its place in time, newest highest

    Within one format the newest file wins for each key; between formats the newest that states a
    value wins, column by column. `source_file` names all that had a say.
    """
    key = list(tables.TABLES[name].key)
    rows = finest(rows) if name == "ad_day" else rows
    rank = rows["file"].map(order)
    rows = rows.assign(rank=rank).sort_values("rank", ascending=False, kind="stable")
    if whole := REPLACED_WHOLE.get(name):
        newest = rows.groupby(["format", *whole])["rank"].transform("max")
        rows = rows[rows["rank"] == newest]
    rows = rows.drop_duplicates(["format", *key])
    rows = rows.rename(columns={"file": "source_file"}).drop(columns=["rank", "format"])
    several = rows.duplicated(key, keep=False)
    if not several.any():
        return rows
    merged = rows[several].groupby(key, sort=False)
    first = merged.first()
    first["source_file"] = merged["source_file"].agg(tables.joined_files)
    return pd.concat([rows[~several], first.reset_index()])


def finest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the files of ad_day, for each day and plan those that split its cost furthest.

    A platform states one cost by plan, by item and by word: added up, it would count three times.
    Formats whose names begin alike, up to the first _, are of one platform; no row is dropped for
    another of its own file.
    """
    grain = rows[["unit", "item_id", "word"]].ne("all").sum(axis=1)
    plan = [rows["format"].str.split("_").str[0], rows["date"], rows["plan"]]
    of_file = grain.groupby([*plan, rows["file"]]).transform("max")
    return rows[of_file.eq(of_file.groupby(plan).transform("max"))]


def counts(name: str, rows: pd.DataFrame, order: Mapping[str, int]) -> pd.DataFrame:
    """Per file: rows, and of these added, changed and unchanged by it.

    Files are taken in the order of time, whichever way they were imported: a key that no older
    file of the format has is added, one whose values differ from the file before is changed.
    """
    key = ["format", *tables.TABLES[name].key]
    rows = rows.assign(rank=rows["file"].map(order)).sort_values("rank", kind="stable")
    again = rows.duplicated(key)
    state = pd.Series("added", rows.index)
    if again.any():
        held = rows[rows.duplicated(key, keep=False)]
        compared = [c for c in held if c not in (*key, "file", "rank")]
        before = held.groupby(key, sort=False)[compared].shift()
        same = pd.Series(True, held.index)
        for column in compared:
            equal = (held[column] == before[column]).fillna(False).astype(bool)
            same &= equal | (held[column].isna() & before[column].isna())
        state[held.index] = same.map({True: "unchanged", False: "changed"})
        state[~again] = "added"
    table = pd.crosstab(rows["file"].astype(object), state)
    return table.reindex(columns=["added", "changed", "unchanged"], fill_value=0)
