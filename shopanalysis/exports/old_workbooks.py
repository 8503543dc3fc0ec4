"""How many cells an old workbook (.xls, BIFF) lays out, read from its records before it is opened.

The file is a small file system (OLE2) with a stream of records: type, length, content. A record of a cell
begins with its row and its column; one flipped bit there makes a sheet of four billion cells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shopanalysis.errors import DataError
from shopanalysis.exports.archives import DAMAGED

END, SHEET = 0x0A, 0x85
# Formula, label, blank, number, boolean, RK, rich text, shared text, several RKs, several blanks.
CELLS = {0x06, 0x204, 0x201, 0x203, 0x205, 0x27E, 0xD6, 0xFD, 0xBD, 0xBE, 0x02, 0x03, 0x04, 0x05}
SEVERAL = {0xBD, 0xBE}
LAST = 0xFFFFFFF0  # sector numbers from here on end a chain


def cells(data: bytes) -> int:
    """Rows times columns up to the last cell, over all sheets."""
    try:
        stream = _stream(data)
        starts = [
            int.from_bytes(body[:4], "little")
            for kind, body in _records(stream, 0)
            if kind == SHEET
        ]
        return sum(_laid_out(stream, start) for start in starts)
    except (struct.error, IndexError, ValueError) as why:
        raise DataError(f"cannot be read as an Excel file ({why}). {DAMAGED}") from None


def _laid_out(stream: bytes, start: int) -> int:
    row = column = 0
    for kind, body in _records(stream, start):
        if kind in CELLS and len(body) >= 4:
            here = struct.unpack_from("<HH", body)
            more = len(body) // 2 if kind in SEVERAL else 0
            row, column = max(row, here[0]), max(column, here[1] + more)
    return (row + 1) * (column + 1)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == END:
            return
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _stream(data: bytes) -> bytes:
    """The stream that holds the workbook."""
    size, small = 1 << data[30], 1 << data[32]
    if not 128 <= size <= 2**16 or small > size:
        raise ValueError("no such sectors")
    fat = _numbers(b"".join(_sector(data, s, size) for s in _fat_sectors(data, size)))
    directory = b"".join(_sector(data, s, size) for s in _chain(fat, _u32(data, 48)))
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    found = {_name(entry): entry for entry in reversed(entries) if entry[66] in (2, 5)}
    entry = found.get("workbook") or found.get("book")
    if entry is None:
        raise ValueError("it holds no workbook")
    start, length = _u32(entry, 116), _u32(entry, 120)
    if length >= _u32(data, 56):
        return b"".join(_sector(data, s, size) for s in _chain(fat, start))[:length]
    root = next(entry for entry in entries if entry[66] == 5)
    within = b"".join(_sector(data, s, size) for s in _chain(fat, _u32(root, 116)))
    minor = _numbers(b"".join(_sector(data, s, size) for s in _chain(fat, _u32(data, 60))))
    return b"".join(within[s * small : (s + 1) * small] for s in _chain(minor, start))[:length]


def _fat_sectors(data: bytes, size: int) -> Iterator[int]:
    yield from (s for s in struct.unpack_from("<109I", data, 76) if s < LAST)
    more, seen = _u32(data, 68), set()
    while more < LAST and more not in seen:
        seen.add(more)
        *listed, more_next = _numbers(_sector(data, more, size))
        yield from (s for s in listed if s < LAST)
        more = more_next


def _chain(fat: tuple[int, ...], start: int) -> Iterator[int]:
    seen = 0
    while start < len(fat) and seen <= len(fat):
        yield start
        start, seen = fat[start], seen + 1


def _sector(data: bytes, number: int, size: int) -> bytes:
    return data[(number + 1) * size : (number + 2) * size]


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _u32(data: bytes, at: int) -> int:
    return struct.unpack_from("<I", data, at)[0]


def _name(entry: bytes) -> str:
    length = max(0, min(64, struct.unpack_from("<H", entry, 64)[0]) - 2)
    return entry[:length].decode("utf-16-le", "replace").casefold()
