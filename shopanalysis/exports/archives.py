"""Zip archives: the files in them, if it is safe to unpack them."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from shopanalysis.errors import DataError
from shopanalysis.words import agreeing

MOST_MEMBERS = 10_000
MOST_BYTES = 4 * 2**30
MOST_FILE = 256 * 2**20  # of one file, as it is or unpacked
MOST_EXPANSION = 1000  # unpacked / packed, of archives that unpack to more than 100 MB
DAMAGED = "The file is damaged or incomplete: download it again."


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a zip file that is not an Excel workbook."""
    if data[:2] != b"PK":
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return not any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise DataError(f"cannot be read as a zip file. {DAMAGED}") from None


@dataclass(frozen=True)
class Member:
    """One file of a zip archive."""

    name: str
    modified: datetime
    data: bytes


def members(data: bytes) -> Iterator[Member]:
    """The files in a zip archive, one by one, without folders and what macOS adds.

    All names and sizes are checked before the first is unpacked.

    Raises DataError when the archive is damaged, would write outside its folder or is a bomb.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _refuse_unsafe(entries, len(data))
        for entry in entries:
            name = _member_name(entry)
            parts = PurePosixPath(name).parts
            if "__MACOSX" in parts or any(part.startswith(".") for part in parts):
                continue
            yield Member(name, _modified(entry), _unpacked(archive, entry, name))


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    try:
        return archive.read(entry)
    except Exception as why:  # zlib.error, lzma.LZMAError and zipfile's have no common base
        raise DataError(f"cannot be unpacked ({name}: {why}). {DAMAGED}") from None


def refuse_large(size: int) -> None:
    """Raise DataError for a file of more bytes than are read at once."""
    if size > MOST_FILE:
        raise DataError(
            f"has {size / 2**20:,.0f} MB; allowed: {MOST_FILE / 2**20:,.0f} MB. "
            "Export fewer days at a time, or split the file."
        )


def _modified(entry: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*entry.date_time)
    except ValueError:
        return datetime(1980, 1, 1)


def _member_name(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename


def _refuse_unsafe(entries: Sequence[zipfile.ZipInfo], packed: int) -> None:
    for entry in entries:
        path = PurePosixPath(_member_name(entry).replace("\\", "/"))
        drive = path.parts[0].endswith(":") if path.parts else False
        link = stat.S_ISLNK(entry.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or drive or link:
            raise DataError(
                f"holds '{path}', which points outside the archive. It is not a report: delete it."
            )
    unpacked = sum(entry.file_size for entry in entries)
    if large := next((entry for entry in entries if entry.file_size > MOST_FILE), None):
        raise DataError(
            f"holds {_member_name(large)}, which would unpack to {large.file_size / 2**20:,.0f} MB; "
            f"allowed: {MOST_FILE / 2**20:,.0f} MB. Export fewer days at a time."
        )
    bomb = unpacked > 100 * 2**20 and unpacked > MOST_EXPANSION * packed
    if len(entries) > MOST_MEMBERS or unpacked > MOST_BYTES or bomb:
        files = agreeing(f"{len(entries):,}", "# file|# files")
        raise DataError(
            f"would unpack to {files} of {unpacked / 2**20:,.0f} MB; allowed: "
            f"{MOST_MEMBERS:,} files, {MOST_BYTES / 2**20:,.0f} MB, {MOST_EXPANSION} times its "
            "size. Unpack it by hand and import the files in it."
        )
