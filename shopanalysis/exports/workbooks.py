"""Workbooks that would take the computer's memory, told before they are opened.

A workbook is a zip of XML. A few bytes can name a cell in the last row and column, and a reader that
lays out the whole sheet would need a terabyte; a few more can unpack to gigabytes. The native reader
cannot be stopped once it asks for them: it ends the program. So it is given a copy of what was looked
at, and never a zip that it may unpack to something else.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from shopanalysis.errors import DataError
from shopanalysis.exports.archives import DAMAGED, MOST_FILE

CHUNK = 2**20
_LETTERS = re.compile(rb"r(?<!\wr)\s*=\s*[\"']([A-Za-z]*)")
_NUMBER = re.compile(rb"r(?<!\wr)\s*=\s*[\"'][A-Za-z]*(\d{1,12})")
_ROW = re.compile(rb"<(?:\w+:)?row\b")
_CELL = re.compile(rb"<(?:\w+:)?c\b")


def opened(data: bytes) -> tuple[bytes, int]:
    """The workbook as it was unpacked here, and its cells.

    Raises DataError for one that is none, or would unpack beyond measure.
    """
    alone = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(alone, "w") as copy:
            names = dict.fromkeys(name for name in book.namelist() if not name.endswith("/"))
            if "xl/workbook.xml" not in names or "content.xml" in names:
                raise DataError(
                    "is a workbook of another kind. Save it as .xlsx or as CSV (UTF-8)."
                )
            _refuse_large(book)
            # A sheet may have any name and stand anywhere: each part is looked at.
            cells = sum(_copied(book, name, copy) for name in names)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as why:
        raise DataError(f"cannot be read as an Excel file ({why}). {DAMAGED}") from None
    return alone.getvalue(), cells


def refuse_too_many(cells: int, most: int) -> None:
    """Raise DataError when a workbook has more cells than can be held."""
    if cells > most:
        raise DataError(
            f"lays out {cells:,} cells; allowed: {most:,}. Delete the blank rows and columns "
            "behind the table, or export fewer days at a time."
        )


def _refuse_large(book: zipfile.ZipFile) -> None:
    unpacked = sum(entry.file_size for entry in book.infolist())
    if unpacked > MOST_FILE:
        raise DataError(
            f"would unpack to {unpacked / 2**20:,.0f} MB; allowed: {MOST_FILE / 2**20:,.0f} MB. "
            "Export fewer days at a time."
        )


def _copied(book: zipfile.ZipFile, name: str, copy: zipfile.ZipFile) -> int:
    """Copy a part; rows times columns up to its last cell, by name or by counting those before it."""
    named = [0, 0]
    rows = widest = width = 0
    with copy.open(name, "w") as target:
        for some in _pieces(book, name):
            target.write(some)
            named[0] = max([named[0], *map(int, set(_NUMBER.findall(some)))])
            named[1] = max([named[1], *map(_column, set(_LETTERS.findall(some)))])
            before, *started = (len(_CELL.findall(row)) for row in _ROW.split(some))
            widest = max(widest, width + before, *started)
            width = started[-1] if started else width + before
            rows += len(started)
    return max(named[0], rows) * max(named[1], widest)


def _pieces(book: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A part's bytes, cut only before a tag, so that each tag is looked at as a whole."""
    kept = b""
    with book.open(name) as part:
        while chunk := part.read(CHUNK):
            some = kept + chunk
            end = some.rfind(b"<") if b"<" in some else len(some)
            if len(some) - end > CHUNK:
                raise ValueError(f"{name} has a tag or a cell that does not end")
            yield some[:end]
            kept = some[end:]
    yield kept


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - 64
    return number
