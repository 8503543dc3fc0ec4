"""What is done to raw rows before they become tables: totals, copies, rules, groups."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from shopanalysis.exports import values
from shopanalysis.exports.mappings import headers_of
from shopanalysis.exports.rows import AGAIN, Rows

TOTALS = r"(?:-+|合计|总计|汇总|全部合计|total.*|grand total.*)"


def prepare(rows: Rows) -> None:
    """Everything before rows become tables: totals, fill, copies, computed, rules, groups."""
    _drop_blank(rows)
    _drop_totals(rows)
    _split(rows)
    _refuse_copies(rows)
    _fill(rows)
    _compute(rows)
    _apply_rules(rows)
    _group(rows)


def _drop_blank(rows: Rows) -> None:
    """Without blank rows, and without the lines of text that platforms write below a table."""
    if rows.frame.shape[1] < 3 or any(isinstance(k, pd.Int64Dtype) for k in rows.frame.dtypes):
        return  # typed columns come from Parquet, which has neither
    filled = pd.Series(0, rows.frame.index)
    for name in rows.frame:
        cells = rows.frame[name]
        filled += cells.notna() & (cells != "")
        if filled.gt(1).all():
            return
    rows.leave_out(filled == 1, "lines of text outside the table")
    blank = filled[filled == 0].index
    rows.frame, rows.of = rows.frame.drop(blank), rows.of.drop(blank)


def _drop_totals(rows: Rows) -> None:
    for header in rows.format.totals:
        if header not in rows.frame:
            continue
        cells = rows.frame[header]
        distinct = pd.Series(cells.unique())
        fits = distinct.astype(str).str.strip().str.fullmatch(TOTALS, case=False)
        total = cells.isin(distinct[fits.to_numpy(bool)])
        if total.any():
            _checksum(rows, total)
            rows.leave_out(total, "totals rows", header)


def _split(rows: Rows) -> None:
    """Cells that list several things in one text: one row for each."""
    split = rows.format.split
    if not split or split["column"] not in rows.frame:
        return
    cells = values.text(rows.frame[split["column"]]).fillna("")
    parts = cells.map(lambda cell: re.split(split["at"], cell)).explode()
    found = parts.str.extract(f"^{split['part']}$")
    unread = found.isna().any(axis=1) & parts.ne("")
    rows.refuse(unread, split["column"], "a list such as 2× Name, 1× Name", found=parts)
    old = parts.index
    index = pd.RangeIndex(len(old))
    rows.frame = rows.frame.loc[old].set_axis(index)
    for position, name in enumerate(split["into"]):
        rows.frame[name] = found.iloc[:, position].to_numpy()
    rows.file, rows.row = (series.loc[old].set_axis(index) for series in (rows.file, rows.row))
    rows.of, rows.numbers = rows.of.loc[old].set_axis(index), {}


def _checksum(rows: Rows, total: pd.Series) -> None:
    additive = {"sales", "units", "orders", "cost", "clicks", "impressions", "page_views"}
    additive |= {"ordered_amount", "ordered_units", "refunds", "paid", "refunded"}
    headers = {
        headers_of(spec)[0]
        for table in rows.format.tables.values()
        for column, spec in table.columns.items()
        if column in additive and set(spec) & {"column", "sum"}
    }
    for header in sorted(headers & set(rows.frame)):
        found, _, _ = values.numbers(rows.frame[header])
        for file in rows.file[total.index[total]].unique():
            here = rows.file.loc[rows.frame.index] == file
            stated = found[total & here].dropna().drop_duplicates()
            if stated.empty or not stated.max():
                continue
            summed = round(float(found[here & ~total].sum()), 2)
            off = (stated - summed).abs()
            stated = stated.loc[[off.idxmin()]]
            agrees = off.min() <= 0.005 * max(1, len(found) ** 0.5)
            rows.pieces[file].facts["checks"].append(
                {
                    "check": f"rows of {header} add up to the totals row",
                    "rows": summed,
                    "stated": float(stated.iloc[0]),
                    "agrees": bool(agrees),
                }
            )


def _refuse_copies(rows: Rows) -> None:
    unique = [header for header in rows.format.unique if header in rows.frame]
    if unique:
        keys = pd.concat(
            [rows.file.loc[rows.frame.index], *(values.text(rows.frame[h]) for h in unique)],
            axis=1,
        )
        again = keys.duplicated() & keys.iloc[:, 1:].notna().all(axis=1)
        rows.refuse(again, unique[0], "each row once", "The same row stands above. " + AGAIN)
    if rows.format.repeated_rows:
        again = _duplicated(rows.file.loc[rows.frame.index], rows.frame)
        for file, count in rows.file[again.index[again]].value_counts().items():
            rows.pieces[file].facts["repeated_rows"] = {
                "rows": int(count),
                "rule": rows.format.repeated_rows,
            }
        if rows.format.repeated_rows == "drop":
            rows.leave_out(again, "repeated rows")


def _fill(rows: Rows) -> None:
    fill = rows.format.fill
    if fill:
        groups = [rows.file.loc[rows.frame.index], rows.frame[fill["by"]]]
        for header in fill["columns"]:
            if header in rows.frame:
                filled = rows.frame[header].replace("", None)
                first = filled.groupby(groups).transform("first")
                rows.frame[header] = filled.fillna(first)


def _compute(rows: Rows) -> None:
    for name, spec in rows.format.computed.items():
        rows.numbers[name] = rows.product(spec["product"])


def _apply_rules(rows: Rows) -> None:
    taken = pd.Series(False, rows.frame.index)
    groups = []
    for rule in rows.format.rules:
        fits = ~taken
        for condition in rule["when"]:
            fits &= _fits(rows, condition)
        taken |= fits
        groups.append((rule, fits))
    for rule, fits in groups:
        at = fits.index[fits]
        if rule["then"] == "refund":
            rows.of[at] = "refunds"
            for file, count in rows.file[at].value_counts().items():
                refunds = rows.pieces[file].facts.setdefault("refund_rows", {})
                refunds[rule["name"]] = int(count)
        else:
            mask = pd.Series(rows.frame.index.isin(at), rows.frame.index)
            rows.leave_out(mask, rule["name"], rule["when"][0]["column"])


def _fits(rows: Rows, condition: Mapping) -> pd.Series:
    header = condition["column"]
    if "matches" in condition:
        cells = rows.identity(header)
        distinct = pd.Series(cells.dropna().unique(), dtype="str")
        return cells.isin(distinct[distinct.map(re.compile(condition["matches"]).search).notna()])
    if "missing" in condition:
        return values.text(rows.raw(header)).isna() == condition["missing"]
    found = rows.number(header)
    fits = pd.Series(True, found.index)
    for word, compare in (("equals", found.eq), ("above", found.gt), ("below", found.lt)):
        if word in condition:
            fits &= compare(condition[word])
    return fits


def _group(rows: Rows) -> None:
    group = rows.format.group
    if not group:
        return
    keys = {header: rows.identity(header) for header in group["by"]}
    codes = [rows.file.loc[rows.frame.index].to_numpy()]
    codes += [pd.factorize(key)[0] for key in keys.values()]
    labels = pd.MultiIndex.from_arrays(codes)
    number = pd.factorize(labels)[0]
    first = pd.Series(rows.frame.index, rows.frame.index).groupby(number, sort=False).first()
    columns = {header: key.loc[first] for header, key in keys.items()}
    for header, verb in group["columns"].items():
        if not rows.has(header):
            continue
        plain = verb == "first" or pd.api.types.is_datetime64_any_dtype(rows.raw(header))
        cells = rows.raw(header) if plain else rows.number(header)
        some = cells.groupby(number, sort=False)
        made = some.sum(min_count=1) if verb == "sum" else getattr(some, verb)()
        columns[header] = made.set_axis(first)
    rows.frame = pd.DataFrame(columns, index=pd.Index(first))
    rows.of, rows.numbers = rows.of.loc[rows.frame.index], {}


def _duplicated(file: pd.Series, frame: pd.DataFrame) -> pd.Series:
    number = file.to_numpy()
    for name in frame:
        codes, distinct = pd.factorize(frame[name])
        number = pd.factorize(number.astype("int64") * (len(distinct) + 1) + codes)[0]
    return pd.Series(number, frame.index).duplicated()
