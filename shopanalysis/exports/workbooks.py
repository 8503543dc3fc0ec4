"""Workbooks that would take the computer's memory, told before they are opened.

A workbook is a zip of XML. A few bytes can name a cell in the last row and column, and a reader that
lays out the whole sheet would need a terabyte; a few more can unpack to gigabytes.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from shopanalysis.errors import DataError
from shopanalysis.exports.archives import DAMAGED, MOST_FILE

CHUNK = 2**20
OVERLAP = 512
_PLACE = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^<>]{0,200}?\br\s*=\s*[\"']([A-Za-z]*)(\d*)")


def check(data: bytes, most_cells: int) -> None:
    """Raise DataError for a workbook that is none, or would unpack beyond measure."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            names = book.namelist()
            if "xl/workbook.xml" not in names or "content.xml" in names:
                raise DataError(
                    "is a workbook of another kind. Save it as .xlsx or as CSV (UTF-8)."
                )
            _refuse_large(book)
            sheets = [name for name in names if re.fullmatch(r"xl/.*\.xml", name)]
            cells = sum(_cells(book, name) for name in sheets)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as why:
        raise DataError(f"cannot be read as an Excel file ({why}). {DAMAGED}") from None
    refuse_too_many(cells, most_cells)


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


def _cells(book: zipfile.ZipFile, name: str) -> int:
    """Rows times columns up to the last cell that the part names."""
    column = row = 0
    with book.open(name) as part:
        before = b""
        while chunk := part.read(CHUNK):
            for letters, number in _PLACE.findall(before + chunk):
                column = max(column, _column(letters))
                row = max(row, int(number[:12] or 0))
            before = chunk[-OVERLAP:]
    return column * row


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - 64
    return number
