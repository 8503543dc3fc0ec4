"""One column of a table from raw rows, in one of the ways that a mapping can name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from shopanalysis.exports import values
from shopanalysis.exports.mappings import Formats, headers_of
from shopanalysis.exports.rows import Rows
from shopanalysis.tables import Table

ONE_DAY = "Export the report again with one row, or one file, for each day."


class Columns:
    """Reads columns; `said` remembers which header each came from, for messages."""

    def __init__(self, rows: Rows, contract: Table, formats: Formats, salt: str) -> None:
        self.rows, self.contract, self.formats, self.salt = rows, contract, formats, salt
        self.said: dict[str, str] = {}

    def read(self, column: str, spec: Mapping, table: pd.DataFrame | None = None) -> pd.Series:
        """One column, read as its kind says, one value for each row."""
        self.said[column] = (headers_of(spec) or [column])[0]
        kind = self._kind(column)
        if "channel" in spec:
            return values.each(table[spec["channel"]], self.formats.channel)
        found = self._found(column, spec, kind)
        if "values" in spec and "file_name" not in spec:
            found = found.map(spec["values"]).fillna(found)
        if "divide" in spec:
            found = found / spec["divide"]
        if "minus" in spec:
            found = (found - self.rows.number(spec["minus"]).fillna(0)).round(9)
        if "until" in spec:
            self._one_day(found, spec["until"])
        if "where" in spec:
            found = found.where(self._where(spec["where"]))
        if "before_refunds" in spec:
            found = self._before_refunds(found, spec["before_refunds"])
        if "missing" in spec and "file_name" not in spec:
            found = found.fillna(spec["missing"])
        return self.only(found, spec)

    def _found(self, column: str, spec: Mapping, kind: str) -> pd.Series:
        here = self.rows.frame.index
        if "product" in spec:
            return self.rows.product(spec["product"])
        if "number_within" in spec:
            whole = self.rows.identity(spec["number_within"])
            return whole.groupby([self.rows.file.loc[here], whole]).cumcount() + 1.0
        if "file_name" in spec:
            return self._from_name(column, spec, kind)
        if "value" in spec:
            return pd.Series(spec["value"], here)
        if "hash" in spec:
            return values.hashed(values.ids(self.rows.raw(spec["hash"]))[0], self.salt)
        if "filled" in spec:
            cells = values.text(self.rows.raw(spec["filled"]))
            return (cells.notna() & ~cells.str.lower().isin(values.NO)).astype("boolean")
        if "province" in spec:
            return values.provinces(values.text(self.rows.raw(spec["province"])))
        found = self._plain(spec["column"], column, kind, spec.get("written"))
        if "else_preamble" in spec or "else_file_name" in spec:
            lacking = [n for n, p in enumerate(self.rows.pieces) if not p.has(spec["column"])]
            return self._filled_in(found, lacking, column, spec, kind) if lacking else found
        return found

    def _where(self, condition: Mapping) -> pd.Series:
        cells = values.text(self.rows.raw(condition["column"]))
        if "among" in condition:
            wanted = {word.casefold() for word in condition["among"]}
            return cells.str.casefold().isin(wanted)
        return cells.notna()

    def _one_day(self, first: pd.Series, header: str) -> None:
        if self.rows.has(header):
            last = self._moments(self.rows.raw(header), header, "date")
            cells = self.rows.raw(header)
            other = last.notna() & last.ne(first)
            self.rows.refuse(other, header, "the same day as the first", ONE_DAY, cells)

    def _kind(self, column: str) -> str:
        return self.contract.columns[column].kind if column in self.contract.columns else "text"

    def _plain(
        self, header: str | Sequence[str], column: str, kind: str, written: str | None = None
    ) -> pd.Series:
        name = header if isinstance(header, str) else header[0]
        if kind in ("date", "time"):
            return self._moments(self.rows.raw(header), name, kind, written)
        if kind == "flag":
            cells = self.rows.raw(header)
            found, bad = values.flags(cells)
            self.rows.refuse(bad, name, "是 or 否 (yes or no)", found=cells)
            return found
        if kind == "text":
            identity = column.endswith("_id") or column == "merchant_code"
            return self.rows.identity(header) if identity else values.text(self.rows.raw(header))
        return self.rows.number(header)

    def _moments(
        self, cells: pd.Series, header: str, kind: str, written: str | None = None
    ) -> pd.Series:
        zone = self.rows.zone or (self.rows.format.shop.get("time_zone") if written else None)
        found, why = values.times(cells, zone, written)
        longer = why.eq("more than one day").fillna(False).astype(bool)
        self.rows.refuse(longer, header, "a single day", ONE_DAY, cells)
        self.rows.refuse(why.notna(), header, "a date such as 2026-11-20", found=cells)
        return found.dt.normalize() if kind == "date" else found

    def _from_name(self, column: str, spec: Mapping, kind: str) -> pd.Series:
        every = list(range(len(self.rows.pieces)))
        return self._filled_in(None, every, column, spec, kind)

    def _filled_in(
        self,
        found: pd.Series | None,
        lacking: Sequence[int],
        column: str,
        spec: Mapping,
        kind: str,
    ) -> pd.Series:
        """`found`, with what the names or the tops of the files `lacking` say, in all their rows."""
        known = {}
        for number in lacking:
            piece = self.rows.pieces[number]
            value = _said_outside(piece.above, PurePosixPath(piece.label).name, spec)
            known[number] = spec.get("values", {}).get(value, value) or spec.get("missing")
            if known[number] is None:
                self.rows.refuse_file(
                    number,
                    f"{piece.label}: its name does not say the {column}, nor does a column; "
                    "expected is a name such as 无线店铺流量来源-2026-11-20_2026-11-20.xls. "
                    "Give the file back the name that the platform gave it.",
                )
        of_file = self.rows.file.loc[self.rows.frame.index]
        if kind not in ("date", "time"):
            stated = of_file.map(known).astype("str")
            return stated if found is None else found.where(~of_file.isin(lacking), stated)
        days = self._days_outside(known)
        stated = of_file.map(days)
        return stated if found is None else found.where(~of_file.isin(lacking), stated)

    def _days_outside(self, known: Mapping[int, str]) -> pd.Series:
        days, why = values.times(pd.Series(known, dtype="str"))
        for number in why.index[why.notna()]:
            piece = self.rows.pieces[number]
            said = known[number].replace("_", " to ")
            where = "its name says" if said[:4] in PurePosixPath(piece.label).name else "it says"
            self.rows.refuse_file(
                number, f"{piece.label}: {where} {said}; allowed: a single day. {ONE_DAY}"
            )
        return days

    def only(self, found: pd.Series, spec: Mapping) -> pd.Series:
        """Only sales or only refunds, as amounts of 0 or more; the other rows hold nothing."""
        if "of" not in spec:
            return found
        other = self.rows.of.loc[found.index] != spec["of"]
        if not pd.api.types.is_float_dtype(found):
            return found.mask(other)
        return (-found if spec["of"] == "refunds" else found).mask(other, 0.0)

    def _before_refunds(self, paid: pd.Series, spec: Mapping) -> pd.Series:
        """What was paid before refunds, where the file may state it net of them.

        It is net unless some row shows that it cannot be: paid + refunded > total.
        """
        refunded = self.rows.number(spec["refunded"]).fillna(0)
        total = self.rows.number(spec["total"])
        file = self.rows.file.loc[paid.index]
        gross = (paid + refunded > total + 0.01).groupby(file).transform("any")
        for number, is_gross in gross.groupby(file).first().items():
            state = "before" if is_gross else "net of"
            self.rows.note(number, f"{self.said['paid']} is {state} refunds in this file.")
        return paid.where(gross | paid.isna(), paid + refunded)


def _said_outside(above: str, name: str, spec: Mapping) -> str | None:
    """What stands above the table or in the file's name; first and last day as first_last."""
    patterns = [(spec.get("else_preamble"), above), (spec.get("else_file_name"), name)]
    for pattern, text in [*patterns, (spec.get("file_name"), name)]:
        if pattern and (match := re.search(pattern, text, re.IGNORECASE)):
            return "_".join(part for part in match.groups() if part)
    return None
