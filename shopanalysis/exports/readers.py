"""File bytes -> sheets of raw cells: Excel, HTML posing as Excel, delimited text, Parquet.

What a file is, its first bytes say; its name is not trusted.
"""

from __future__ import annotations

import csv
import io
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from html.parser import HTMLParser

import pandas as pd

from shopanalysis.errors import DataError
from shopanalysis.exports import old_workbooks, workbooks
from shopanalysis.exports.archives import DAMAGED

HEADER_WITHIN = 30  # rows from the top among which the header is looked for
SECTIONS_WITHIN = 400  # the same, where lines that begin with # part a file into sections
MOST_CELLS = 20_000_000  # of a workbook, blank ones included


@dataclass(frozen=True)
class Grid:
    """A sheet held as rows of text cells."""

    name: str
    cells: list[list[str]]

    @property
    def top(self) -> list[list[str]]:
        """The first rows, as text."""
        return self.cells[:HEADER_WITHIN]

    def below(self, header: int) -> pd.DataFrame:
        """Rows below row `header` (from 0); columns by position, index the row number from 1."""
        rows, width = self.cells[header + 1 :], len(self.cells[header])
        padded = [(row + [""] * (width - len(row)))[:width] for row in rows]
        first = header + 2
        index = pd.RangeIndex(first, first + len(rows))
        return pd.DataFrame(padded, index, range(width), dtype=object)


@dataclass(frozen=True)
class Text:
    """Delimited text."""

    name: str
    text: str
    delimiter: str

    @property
    def top(self) -> list[list[str]]:
        """The first rows, as text."""
        within = SECTIONS_WITHIN if self.text.startswith("#") else HEADER_WITHIN
        return _split(self.text, self.delimiter, within)

    def below(self, header: int) -> pd.DataFrame:
        """Rows below row `header` (from 0; -1: there is none), by position, index from 1."""
        width = len(self.top[max(header, 0)])
        # One column more than the header has, so that a row with a cell too many shows.
        rows = self._parsed(header, width)
        rows.index = pd.RangeIndex(header + 2, header + 2 + len(rows))
        rows = _first_section(rows) if self.text.startswith("#") else rows
        beyond = rows[width].fillna("").ne("")
        if beyond.any():
            raise DataError(f"row {beyond.idxmax()} {_TOO_LONG}")
        rows = rows.drop(columns=width)
        self._refuse_swallowed(rows, width)
        return rows

    def _refuse_swallowed(self, rows: pd.DataFrame, width: int) -> None:
        """A cell of several lines, each with about as many delimiters as a row, is rows in quotes."""
        if '"' not in self.text:
            return
        for name in rows:
            cells = rows[name].fillna("").astype(object)
            lines = cells[cells.str.contains("\n", regex=False)]
            swallowed = lines.str.count(re.escape(self.delimiter)) >= max(1, (width - 1) // 2)
            if swallowed.any():
                raise DataError(f"row {swallowed.idxmax()} {_SWALLOWED}")

    def _parsed(self, header: int, width: int) -> pd.DataFrame:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                return pd.read_csv(
                    io.BytesIO(self.text.encode("utf-8", "surrogatepass")),
                    sep=self.delimiter,
                    header=None,
                    names=range(width + 1),
                    index_col=False,
                    skiprows=header + 1,
                    dtype=str,
                    keep_default_na=False,
                    skip_blank_lines=False,
                )
        except pd.errors.EmptyDataError:
            return pd.DataFrame(columns=range(width + 1), dtype=object)
        except (pd.errors.ParserError, pd.errors.ParserWarning) as why:
            unclosed = "inside string" in str(why)
            raise DataError(f"a row {_SWALLOWED if unclosed else _TOO_LONG}") from None


def _first_section(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows up to the first that is blank or begins with #: there another table begins."""
    first = rows[0].fillna("")
    ends = first.str.startswith("#") | rows.fillna("").eq("").all(axis=1)
    return rows[~ends.cummax()]


_SWALLOWED = (
    "has a quote that is not closed, so that the rows below it stand in one cell. "
    "Download the file again, or delete the quote."
)
_TOO_LONG = "has more cells than the header has columns. A text with a comma must be in quotes."


@dataclass(frozen=True)
class Typed:
    """A Parquet table: its columns already have types."""

    name: str
    frame: pd.DataFrame

    @property
    def top(self) -> list[list[str]]:
        """The column names."""
        return [list(map(str, self.frame.columns))]

    def below(self, header: int) -> pd.DataFrame:
        """All rows; columns by position, index the row number from 1."""
        return self.frame.set_axis(range(self.frame.shape[1]), axis=1).set_axis(
            pd.RangeIndex(1, len(self.frame) + 1)
        )


Sheet = Grid | Text | Typed


def sheets(data: bytes) -> Sequence[Sheet]:
    """The sheets that a file holds. Raises DataError when it is empty or cannot be read."""
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise DataError("is empty: it holds no rows. Download it again.")
    start = data[:1024].lstrip().lower()
    if data[:4] == b"PAR1":
        return [_parquet(data)]
    if data[:8] == old_workbooks.MAGIC or data[:2] == b"PK":
        return _excel(data)
    text = _decoded(data)
    if start.startswith((b"<", b"\xef\xbb\xbf<")):
        return [Grid("table", rows) for rows in _html_tables(text)]
    return [Text("", text, _delimiter(text))]


def _excel(data: bytes) -> list[Grid]:
    opened = workbooks.opened if data[:2] == b"PK" else old_workbooks.opened
    data, cells = opened(data)
    workbooks.refuse_too_many(cells, MOST_CELLS)
    try:
        with _without_stderr():
            return _grids(data)
    except (DataError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as why:  # calamine's errors and its panics have no common base
        said = " ".join(str(why).split())[:200]
        raise DataError(f"cannot be read as an Excel file ({said}). {DAMAGED}") from None


@contextmanager
def _without_stderr() -> Iterator[None]:
    """While calamine reads: its panics are caught, but not before it has printed a backtrace."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no such file
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _grids(data: bytes) -> list[Grid]:
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    grids, cells = [], 0
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        cells += sheet.total_height * sheet.total_width
        workbooks.refuse_too_many(cells, MOST_CELLS)
        rows = sheet.to_python(skip_empty_area=False)
        grids.append(Grid(name, [[_cell(value) for value in row] for row in rows]))
    return grids


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        # Excel keeps 15 digits: a longer whole number has lost its end, and says so as 1.23e+17.
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _parquet(data: bytes) -> Typed:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as why:
        raise DataError(f"cannot be read as Parquet ({why}). {DAMAGED}") from None
    exact = {kind: pd.Int64Dtype() for kind in (pyarrow.int64(), pyarrow.int32())}
    frame = table.to_pandas(types_mapper=exact.get, date_as_object=False, ignore_metadata=True)
    return Typed("", frame)


def _decoded(data: bytes) -> str:
    encodings = ("utf-8-sig", "gb18030")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ("utf-16",)
    for encoding in encodings:
        try:
            text = data.decode(encoding).replace("\0", "")
            return text.replace("\r\n", "\n").replace(
                "\r", "\n"
            )  # of mixed ends of lines, some get lost
        except UnicodeDecodeError:
            continue
    raise DataError(
        "cannot be read: it is no Excel, zip, Parquet or text file in UTF-8, GB18030 or UTF-16. "
        "Download it again, or save it as CSV (UTF-8)."
    )


def _delimiter(text: str) -> str:
    def width(delimiter: str) -> int:
        return max((len(row) for row in _split(text, delimiter)), default=0)

    return max((",", "\t", ";"), key=width)


def _split(text: str, delimiter: str, within: int = HEADER_WITHIN) -> list[list[str]]:
    lines = io.StringIO(text[: 2**18], newline="").readlines()[:within]
    start = io.StringIO("".join(lines), newline="")
    try:
        return list(csv.reader(start, delimiter=delimiter))
    except csv.Error:
        return []


class _Tables(HTMLParser):
    """Collects the cells of every table."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            self._cell = []

    def handle_data(self, data):
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self._cell is not None:
            if not self.tables[-1]:
                self.tables[-1].append([])
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None


def _html_tables(text: str) -> list[list[list[str]]]:
    parser = _Tables()
    parser.feed(text)
    if not any(parser.tables):
        raise DataError("is a web page without a table (perhaps a login page). Download it again.")
    return [table for table in parser.tables if table]
