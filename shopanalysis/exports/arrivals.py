"""Files on their way into a shop: opened, recognised, their rows under the format's headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import pandas as pd

from shopanalysis.errors import DataError, UnknownReport
from shopanalysis.exports import archives, belonging, readers, recognition, values
from shopanalysis.exports.archives import Member
from shopanalysis.exports.mappings import Formats
from shopanalysis.exports.records import Source
from shopanalysis.exports.rows import Piece, piece


@dataclass
class Part:
    """One report: the file that it is in, its rows, when it was exported (ISO date and time)."""

    source: Source
    piece: Piece
    stamp: str

    @property
    def label(self) -> str:
        """What the report is called in messages and tables."""
        return self.piece.label


def read_all(
    sources: Iterable[Source],
    formats: Formats,
    refused: dict[str, tuple[Source, str]],
    unknown: set[str],
) -> Iterator[Part]:
    """Every report in the files and in the archives among them; what cannot be read is refused.

    unknown   gets the refused files that lie in an archive and are no report at all
    """
    for source in sources:
        label = source.name
        try:
            for member in _inside(source.path):
                label = f"{source.name}/{member.name}" if member.name else source.name
                try:
                    yield _part(source, label, member, formats)
                except UnknownReport as why:
                    refused[label] = (source, _told(label, why))
                    unknown |= {label} if member.name else set()
                except DataError as why:
                    refused[label] = (source, _told(label, why))
        except (DataError, OSError, MemoryError) as why:
            refused[source.name] = (source, _told(source.name, why))


def _told(label: str, why: Exception) -> str:
    told = str(why) or type(why).__name__
    return told if told.startswith(label) else f"{label}: {told}"


def _inside(path: Path) -> Iterator[Member]:
    """The file itself or, of an archive, the files in it."""
    found = path.stat()
    archives.refuse_large(found.st_size)
    data = path.read_bytes()
    if archives.is_archive(data):
        yield from archives.members(data)
    else:
        yield Member("", datetime.fromtimestamp(found.st_mtime), data)


def _part(source: Source, label: str, member: Member, formats: Formats) -> Part:
    if member.name and archives.is_archive(member.data):
        raise DataError("is an archive within an archive. Unpack it and import what is in it.")
    sheets = readers.sheets(member.data)
    format, sheet, at = recognition.recognise(sheets, formats.formats, label)
    header = recognition.columns(sheet.top[at]) if at >= 0 else list(format.headerless)
    personal = sorted({h.strip() for h in header if h and formats.is_personal(h, format)})
    found = piece(label, format, header, sheet.below(at), personal)
    found.above = "\n".join(",".join(row) for row in sheet.top[: max(at, 0)])
    found.facts |= {"sheet": sheet.name, "header_row": at + 1}
    if others := [s.name for s in sheets if s is not sheet and any(map(any, s.top))]:
        found.facts["sheets_not_read"] = others
    stated = values.exported_at(PurePosixPath(label).name) or values.exported_at(source.name)
    found.exported = pd.Timestamp(stated) if stated else None
    belonging.check(found)
    return Part(source, found, (stated or member.modified).isoformat())
