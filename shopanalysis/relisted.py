"""Items that are put on sale again under a new id: found, named, and joined where shop.toml says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from shopanalysis import tables

AWAY = pd.Timedelta(days=60)  # at most between the last day of the old and the first of the new
FOUND = ["old", "new", "title", "last", "first"]
LIVELY = ["visitors", "units", "sales"]  # on sale on days on which one of them is above 0
ADDED = ("count", "money")


def found(items: pd.DataFrame | None, item_day: pd.DataFrame | None) -> pd.DataFrame:
    """Pairs of items of one title, and one merchant code where both have one, of which one ends first.

    items   item_id, title, and merchant_code where it is known

    old, new (ids), title, last (day of the old), first (day of the new)
    """
    if items is None or item_day is None or not len(items):
        return pd.DataFrame(columns=FOUND)
    lively = item_day[item_day.reindex(columns=LIVELY).gt(0).any(axis=1)]
    days = lively.groupby("item_id")["date"].agg(["min", "max"])
    codes = items.get("merchant_code", pd.Series(None, items.index, "string"))
    known = items.assign(code=codes).dropna(subset=["title"]).merge(days, on="item_id")
    known = known.sort_values(["title", "min", "item_id"])
    before = known.groupby("title")[["item_id", "max", "code"]].shift()
    away = known["min"] - before["max"]
    other = known["code"].ne(before["code"]).fillna(False).astype(bool)
    is_new = away.gt(pd.Timedelta(0)) & away.le(AWAY) & ~other
    pairs = known.assign(old=before["item_id"], last=before["max"])[is_new]
    pairs = pairs.rename(columns={"item_id": "new", "min": "first"})
    return pairs[FOUND].reset_index(drop=True)


def recorded(pairs: pd.DataFrame) -> list[dict[str, str]]:
    """`pairs` as import.json holds them."""
    days = {end: pairs[end].astype("datetime64[us]").dt.strftime("%Y-%m-%d") for end in FOUND[3:]}
    return pairs.assign(**days).astype(str).to_dict("records")


def suspected(folder: Path, joined: Mapping[str, str]) -> list[dict[str, str]]:
    """The pairs that the last import found, without those that are joined."""
    try:
        said = json.loads((folder / "tables" / "import.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [pair for pair in said.get("relisted", []) if pair["old"] not in joined]


def joined(name: str, frame: pd.DataFrame, ids: Mapping[str, str]) -> pd.DataFrame:
    """Table `name` with the newest id in place of older ones; ids: old -> new.

    Where old and new have the same key, counts and amounts are added, and what cannot be added is
    missing if they differ. Of the item list, what the newest says counts, and the first day on sale.
    """
    if not ids or "item_id" not in frame or not frame["item_id"].isin(list(ids)).any():
        return frame
    newest = frame["item_id"].map({old: _newest(old, ids) for old in ids})
    frame = frame.assign(age=newest.notna(), item_id=newest.fillna(frame["item_id"]))
    key = list(tables.TABLES[name].key)
    if "item_id" not in key:
        return frame.drop(columns="age")
    frame = frame.sort_values([*key, "age"], kind="stable").drop(columns="age")
    several = frame.duplicated(key, keep=False)
    groups = frame[several].groupby(key, sort=False)
    made = _items(groups) if name == "items" else _added(name, groups)
    whole = pd.concat([frame[~several], made.reset_index()]) if several.any() else frame
    return tables.conform(name, whole.sort_values(key))


def _newest(old: str, ids: Mapping[str, str]) -> str:
    while old in ids:
        old = ids[old]
    return old


def _items(groups) -> pd.DataFrame:
    return groups.first().assign(listed_on=groups["listed_on"].min())


def _added(name: str, groups) -> pd.DataFrame:
    made = groups.first()
    for column, spec in tables.TABLES[name].columns.items():
        if column in made and spec.kind in ADDED:
            made[column] = groups[column].sum(min_count=1)
        elif column in made and column != "source_file":
            made[column] = made[column].where(groups[column].nunique().le(1))
    return made
