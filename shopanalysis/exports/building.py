"""Raw rows -> rows of the contract's tables, checked while their file and row are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from shopanalysis import tables
from shopanalysis.exports import preparing, source_tree
from shopanalysis.exports.columns import Columns
from shopanalysis.exports.mapping_checks import EXTRA, GROUPING
from shopanalysis.exports.mappings import Formats, TableMapping, headers_of
from shopanalysis.exports.rows import AGAIN, Rows

TODAY = "today is not over"
EXPORT_DAY = "the day of the export was not over"
ALLOWED = {
    "share": "0 % to 100 %",
    "count": "0 or more",
    "money": "0 or more",
    "number": "0 or more",
}


class Building:
    """One table being made from rows: a frame whose index is that of the raw rows."""

    def __init__(self, rows: Rows, name: str, mapping: TableMapping, formats: Formats, salt: str):
        self.rows, self.name, self.mapping = rows, name, mapping
        self.contract = tables.TABLES[name]
        self.columns = Columns(rows, self.contract, formats, salt)
        self.not_over: dict[str, pd.Index] = {}  # reason -> rows of days that are not over

    def frame(self, today: pd.Timestamp) -> pd.DataFrame:
        """The table's rows with `file` (number), checked; bad files are refused in `rows`."""
        sides = self.mapping.devices or {"": ""}
        # Each side is checked before the next is made: messages name its own headers.
        made = (self._side(device, prefix) for device, prefix in sides.items())
        table = pd.concat([self._checked(side, today) for side in made if side is not None])
        for reason, index in self.not_over.items():
            self.rows.count_left_out(
                index,
                reason,
                self.columns.said.get("date") or self.columns.said.get("created_at", ""),
            )
        self._check_copies(table)
        return table

    def _checked(self, side: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
        side = self._zeros(self._without_days_not_over(side, today))
        self._check(side)
        return side

    def _side(self, device: str, prefix: str) -> pd.DataFrame | None:
        specs = {column: _prefixed(spec, prefix) for column, spec in self.mapping.columns.items()}
        if prefix:
            own = [c for c in specs if c not in self.contract.key]
            kept = [c for c in own if self.rows.has(headers_of(specs[c]) or [""])]
            key = {
                c: self.mapping.columns[c] for c in self.mapping.columns if c in self.contract.key
            }
            if not kept:
                return None
            specs = key | {c: specs[c] for c in kept}
        table = self._grouped(specs) if self.mapping.groups else self._plain(specs)
        if device:
            table["device"] = device
            self.columns.said["device"] = "device"
        if prefix:
            table = table[table[kept].notna().any(axis=1)]
        return table

    def _plain(self, specs: Mapping[str, Mapping]) -> pd.DataFrame:
        table = pd.DataFrame({"file": self.rows.file.loc[self.rows.frame.index]})
        if self.mapping.tree:
            table["source"] = source_tree.paths(self.rows, self.mapping.tree)
            self.columns.said["source"] = self.mapping.tree["levels"][0]
        for column in _channel_last(specs):
            table[column] = self.columns.read(column, specs[column], table)
        if self.mapping.tree:
            table = source_tree.leaves(self.rows, self.mapping.tree, table)
        return table

    def _grouped(self, specs: Mapping[str, Mapping]) -> pd.DataFrame:
        table = pd.DataFrame({"file": self.rows.file.loc[self.rows.frame.index]})
        for column in self.contract.key:
            table[column] = self.columns.read(column, specs[column], table)
        self._check_key(table)
        codes = [pd.factorize(table[key])[0] for key in ("file", *self.contract.key)]
        number = pd.factorize(pd.MultiIndex.from_arrays(codes))[0]
        first = pd.Series(table.index, table.index).groupby(number, sort=False).first()
        made = table.loc[first].copy()
        for column in _channel_last(specs):
            if column not in made:
                spec = specs[column]
                made[column] = (
                    self.columns.read(column, spec, made)
                    if "channel" in spec
                    else self._aggregate(column, spec, number).to_numpy()
                )
        return made

    def _aggregate(self, column: str, spec: Mapping, number: np.ndarray) -> pd.Series:
        """One value for each group of rows, in the order in which the groups begin."""
        verb = next((verb for verb in GROUPING if verb in spec), None)
        if verb is None or verb == "first":
            plain = {k: v for k, v in spec.items() if k != "first"}
            cells = self.columns.read(column, plain | ({"column": spec["first"]} if verb else {}))
            return cells.groupby(number, sort=False).first()
        header = spec[verb]
        self.columns.said[column] = header
        if not self.rows.has(header) and header != "rows":
            return pd.Series(np.nan, np.unique(number))
        size = pd.Series(number).groupby(number, sort=False).size()
        if header == "rows":
            return size
        found = self.columns.only(self.rows.number(header), spec)
        some = found.groupby(number, sort=False)
        if verb == "count":
            wanted = found.eq(spec["equals"]) if "equals" in spec else found.notna()
            return wanted.groupby(number, sort=False).sum()
        if verb == "mean":
            weight = self.rows.number(spec["weight"]) if "weight" in spec else found * 0 + 1
            weight = weight.where(found.notna())
            weighed = (found * weight).groupby(number, sort=False).sum(min_count=1)
            return weighed / weight.groupby(number, sort=False).sum().replace(0, np.nan)
        summed = some.sum(min_count=0 if "per" in spec else 1)
        return summed / (size if "per" in spec else 1) / spec.get("divide", 1)

    def _without_days_not_over(self, table: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
        """Only days that were over; a day in the future refuses its file."""
        for column in ("date", "created_at", "paid_at", "closed_at"):
            if column in table:
                self._refuse_future(table[column], column, today)
        day = next((c for c in ("date", "created_at") if c in table), None)
        if day is None:
            return table
        days = table[day].dt.normalize()
        known = {n: p.exported.normalize() for n, p in enumerate(self.rows.pieces) if p.exported}
        exported = days.eq(table["file"].map(known).astype("datetime64[us]"))
        for mask, reason in ((days == today, TODAY), (exported & (days != today), EXPORT_DAY)):
            if mask.any():
                counted = self.not_over.get(reason, table.index[:0])
                self.not_over[reason] = counted.union(table.index[mask])
        return table[~((days == today) | exported)]

    def _refuse_future(self, moments: pd.Series, column: str, today: pd.Timestamp) -> None:
        self.rows.refuse(
            moments.dt.normalize() > today,
            self.columns.said[column],
            f"days up to today, {today.date()}",
            "Check the file, and the computer's clock.",
            moments.dt.strftime("%Y-%m-%d"),
        )

    def _zeros(self, table: pd.DataFrame) -> pd.DataFrame:
        for who, columns in self.mapping.zero_without.items():
            for column in columns:
                if who in table and column in table:
                    table[column] = table[column].mask(table[who].eq(0) & table[column].isna(), 0.0)
        return table

    def _check_key(self, table: pd.DataFrame) -> None:
        for column in self.contract.key:
            self.rows.refuse(
                table[column].isna(), self.columns.said.get(column, column), "a value in every row"
            )

    def _check(self, table: pd.DataFrame) -> None:
        self._check_key(table)
        for column in table.columns.intersection(list(self.contract.columns)):
            spec = self.contract.columns[column]
            if spec.kind in ALLOWED:
                wrong = table[column] < 0
                wrong = wrong | (table[column] > 1) if spec.kind == "share" else wrong
                self._refuse(table, wrong, column, ALLOWED[spec.kind])
            elif spec.allowed:
                self._refuse(
                    table, ~table[column].isin(spec.allowed), column, ", ".join(spec.allowed)
                )
        if "buyers" in table and "sales" in table:
            self._refuse(
                table,
                table["buyers"].eq(0) & table["sales"].gt(0),
                "sales",
                f"no sales where {self.columns.said['buyers']} is 0",
            )
        for whole, part in tables.NEVER_MORE_THAN.get(self.name, ()):
            if whole in table and part in table:
                more = table[part] > table[whole]
                self._refuse(table, more, part, f"no more than {self.columns.said[whole]}")

    def _refuse(self, table: pd.DataFrame, bad: pd.Series, column: str, allowed: str) -> None:
        found = None if self.columns.said[column] in self.rows.frame else table[column]
        self.rows.refuse(bad, self.columns.said[column], allowed, found=found)

    def _check_copies(self, table: pd.DataFrame) -> None:
        key = list(self.contract.key)
        again = table.duplicated(["file", *key]).to_numpy()
        for file in table["file"][again].unique():
            here = table[table["file"] == file]
            index = here.index[here.duplicated(key)][0]
            row = here[here.duplicated(key)].iloc[0]
            same = here.index[(here[key] == row[key]).all(axis=1)]
            label = self.rows.pieces[file].label
            what = ", ".join(f"{k} {_shown(row[k])}" for k in key)
            self.rows.refuse_file(
                file,
                f"{label}, rows {self.rows.row[same[0]]} and {self.rows.row[index]}: both are for "
                f"{what}; allowed: one row for each {', '.join(key)}. {AGAIN}",
            )


def _prefixed(spec: Mapping, prefix: str) -> Mapping:
    if not prefix or "column" not in spec:
        return spec
    header = spec["column"]
    added = prefix + header if isinstance(header, str) else [prefix + one for one in header]
    return {**spec, "column": added}


def _channel_last(specs: Mapping[str, Mapping]) -> list[str]:
    return sorted(specs, key=lambda column: "channel" in specs[column])


def _shown(value: object) -> str:
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


def build(rows: Rows, formats: Formats, salt: str, today: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Every table that the rows of one format yield, without those of refused files.

    Columns: file (number of the piece), the contract's that are known, and those of EXTRA.
    """
    preparing.prepare(rows)
    made = {}
    for name, mapping in rows.format.tables.items():
        table = Building(rows, name, mapping, formats, salt).frame(today)
        columns = ["file", *tables.TABLES[name].columns, *EXTRA.get(name, ())]
        made[name] = table[[column for column in columns if column in table]]
    return {name: table[~table["file"].isin(list(rows.refused))] for name, table in made.items()}
