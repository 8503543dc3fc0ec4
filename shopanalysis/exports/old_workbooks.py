"""An old workbook (.xls, BIFF): how many cells it lays out, read from its records before it is opened.

The file is a small file system (OLE2) with a stream of records: type, length, content. A record of a cell
begins with its row and its column; one flipped bit there makes a sheet of four billion cells, and so does
one in the record that says how far the sheet reaches, for which the native reader sets memory aside.
That reader is given the one stream that was looked at, in a file made for it: of a damaged file system
two readers may make two different streams.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shopanalysis.errors import DataError
from shopanalysis.exports.archives import DAMAGED

END, SHEET, EXTENT = 0x0A, 0x85, 0x200
# Formula, label, blank, number, boolean, RK, rich text, shared text, several RKs, several blanks.
CELLS = {0x06, 0x204, 0x201, 0x203, 0x205, 0x27E, 0xD6, 0xFD, 0xBD, 0xBE, 0x02, 0x03, 0x04, 0x05}
SEVERAL = {0xBD, 0xBE}
EXTENTS = {
    10: "<HHHH",
    14: "<IIHH",
}  # length of the record -> first row, row behind the last, columns
LAST = 0xFFFFFFF0  # sector numbers from here on have a meaning of their own
FAT_SECTOR, CHAIN_END, FREE = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
CUTOFF = PAGE = 4096  # bytes: shorter streams lie in sectors of 64
MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def opened(data: bytes) -> tuple[bytes, int]:
    """The workbook alone, and its cells: rows times columns up to the last, or as far as it states."""
    try:
        stream = _stream(data)
        starts = [
            int.from_bytes(body[:4], "little")
            for kind, body in _records(stream, 0)
            if kind == SHEET
        ]
        return _alone(stream), sum(_laid_out(stream, start) for start in starts)
    except (struct.error, IndexError, ValueError, StopIteration) as why:
        raise DataError(f"cannot be read as an Excel file ({why}). {DAMAGED}") from None


def _laid_out(stream: bytes, start: int) -> int:
    row = column = stated = 0
    for kind, body in _records(stream, start):
        if kind == EXTENT:
            stated = max(stated, _stated(body))
        elif kind in CELLS and len(body) >= 4:
            here = struct.unpack_from("<HH", body)
            more = len(body) // 2 if kind in SEVERAL else 0
            row, column = max(row, here[0]), max(column, here[1] + more)
    return max(stated, (row + 1) * (column + 1))


def _stated(body: bytes) -> int:
    """Cells between a sheet's first and last row and column; ends before the beginning wrap around."""
    if len(body) not in EXTENTS:
        return 0
    first, behind, left, right = struct.unpack_from(EXTENTS[len(body)], body)
    if not (behind and right):
        return 1
    return ((behind - first) % 2**32) * ((right - left) % 2**32)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == END:
            return
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _stream(data: bytes) -> bytes:
    """The stream that holds the workbook. Raises ValueError where it does not hang together."""
    size, small = 1 << data[30], 1 << data[32]
    if (size, small, _u32(data, 56)) not in ((512, 64, CUTOFF), (PAGE, 64, CUTOFF)):
        raise ValueError("no such sectors")
    fat = _numbers(b"".join(_sector(data, s, size) for s in _fat_sectors(data, size)))
    directory = _joined(data, fat, _u32(data, 48), size)
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    found = {_name(entry): entry for entry in reversed(entries) if entry[66] in (2, 5)}
    entry = found.get("workbook") or found.get("book")
    if entry is None:
        raise ValueError("it holds no workbook")
    start, length = _u32(entry, 116), _u32(entry, 120)
    if length >= CUTOFF:
        stream = _joined(data, fat, start, size)
    else:
        root = next(entry for entry in entries if entry[66] == 5)
        within = b"\0" * small + _joined(data, fat, _u32(root, 116), size)
        minor = _numbers(_joined(data, fat, _u32(data, 60), size))
        stream = _joined(within, minor, start, small)
    if len(stream) < length:
        raise ValueError("its end is missing")
    return stream[:length]


def _joined(data: bytes, fat: tuple[int, ...], start: int, size: int) -> bytes:
    return b"".join(_sector(data, number, size) for number in _chain(fat, start))


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
    while start != CHAIN_END:
        if start >= len(fat) or seen > len(fat):
            raise ValueError("its parts do not hang together")
        yield start
        start, seen = fat[start], seen + 1


def _sector(data: bytes, number: int, size: int) -> bytes:
    """The header is as long as a sector, and comes before the first."""
    sector = data[(number + 1) * size : (number + 2) * size]
    if len(sector) < size:
        raise ValueError("its end is missing")
    return sector


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _u32(data: bytes, at: int) -> int:
    return struct.unpack_from("<I", data, at)[0]


def _name(entry: bytes) -> str:
    length = max(0, min(64, struct.unpack_from("<H", entry, 64)[0]) - 2)
    return entry[:length].decode("utf-16-le", "replace").casefold()


# ---- the same workbook by itself -----------------------------------------------------------------


def _alone(stream: bytes) -> bytes:
    """A file that holds nothing but the stream, in sectors of one page each."""
    stream = stream.ljust(CUTOFF, b"\0")
    used = -(-len(stream) // PAGE)
    tables = next(n for n in range(1, 110) if n * PAGE // 4 >= n + 1 + used)
    first = tables + 1  # sector of the stream, behind those of the table and the directory
    fat = [*[FAT_SECTOR] * tables, CHAIN_END]
    fat += [*range(first + 1, first + used), CHAIN_END]
    fat += [FREE] * (tables * PAGE // 4 - len(fat))
    listed = [*range(tables), *[FREE] * (109 - tables)]
    header = struct.pack("<8s16x5H6x9I", MAGIC, 0x3E, 4, 0xFFFE, 12, 6, 1, tables, tables, 0, CUTOFF,
                         CHAIN_END, 0, CHAIN_END, 0)  # fmt: skip
    header = (header + struct.pack("<109I", *listed)).ljust(PAGE, b"\0")
    directory = _entry("Root Entry", 5, tables, 0, child=1)  # a root without a place is refused
    directory += _entry("Workbook", 2, first, len(stream))
    body = struct.pack(f"<{len(fat)}I", *fat) + directory.ljust(PAGE, b"\0")
    return header + body + stream.ljust(used * PAGE, b"\0")


def _entry(name: str, kind: int, start: int, length: int, child: int = FREE) -> bytes:
    letters = name.encode("utf-16-le")
    named = struct.pack("<64sHBB", letters, len(letters) + 2, kind, 1)
    return named + struct.pack("<3I36xIQ", FREE, FREE, child, start, length)
