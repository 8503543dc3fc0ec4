"""Rows of text as the bytes of .xls, .csv and .zip files, the same bytes for the same rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from shopanalysis.errors import ParameterError

Rows = Iterable[Sequence[str]]
MISSING = "-"


def count(values: pd.Series) -> pd.Series:
    """Whole numbers as text with thousands separators."""
    return values.map("{:,.0f}".format)


def amount(values: pd.Series, where: pd.Series | None = None) -> pd.Series:
    """Numbers as text with two decimals; `-` where the condition is false or there is none."""
    text = values.map("{:,.2f}".format)
    known = values.notna() if where is None else values.notna() & where.astype(bool)
    return text.where(known, MISSING)


def percent(part: pd.Series, whole: pd.Series) -> pd.Series:
    """part / whole as text such as 3.25%; of nothing, 0.00%."""
    return (100 * part / whole.where(whole > 0)).fillna(0).map("{:.2f}%".format)


def rows_of(table: pd.DataFrame) -> Rows:
    """The header and the rows of a table of text."""
    return [list(table.columns), *table.to_numpy().tolist()]


def preamble(title: str, first: str, last: str, lines: int) -> list[list[str]]:
    """The rows above the header."""
    said = [[title], [f"统计时间：{first} 至 {last}"], ["数据说明：以次日数据为准"]]
    return (said + [[""]] * lines)[:lines]


def xls(sheet: str, rows: Rows) -> bytes:
    """One sheet of text cells as Excel 97 (BIFF8); an empty text leaves the cell out."""
    try:
        import xlwt
    except ModuleNotFoundError:
        raise ParameterError("To make the demo shop, install xlwt: pip install xlwt.") from None
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet(sheet)
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            if text:
                page.write(y, x, text)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def delimited(rows: Rows, encoding: str) -> bytes:
    """Rows as comma-separated text with the line ends of Windows."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode(encoding)


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of the files, in order of name and without their times.

    Text is packed with bzip2 and the rest with LZMA: half the size of the usual method.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            is_text = name.endswith(".csv")
            entry.compress_type = zipfile.ZIP_BZIP2 if is_text else zipfile.ZIP_LZMA
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return whole.getvalue()


def monthly_zips(
    folder: str, daily: Iterator[tuple[str, str, bytes]]
) -> Iterator[tuple[str, bytes]]:
    """One zip a month from (day, file name, bytes) in order of days."""
    held: dict[str, dict[str, bytes]] = {}
    for day, name, data in daily:
        held.setdefault(day[:7], {})[name] = data
    for month, members in held.items():
        yield f"{folder}/{month}.zip", packed(members)
