"""Files on their way into a shop: opened, recognised, their rows under the format's headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

import pandas as pd

from shopanalysis.errors import DataError
from shopanalysis.exports import archives, readers, recognition, values
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
    sources: Iterable[Source], formats: Formats, refused: dict[str, tuple[Source, str]]
) -> Iterator[Part]:
    """Every report in the files and in the archives among them; what cannot be read is refused."""
    for source in sources:
        try:
            data = source.path.read_bytes()
            archive = archives.is_archive(data)
            modified = datetime.fromtimestamp(source.path.stat().st_mtime)
            alone = Member("", modified, data)
            inside = list(archives.members(data)) if archive else [alone]
        except (DataError, OSError) as why:
            refused[source.name] = (source, f"{source.name}: {why}")
            continue
        for member in inside:
            label = f"{source.name}/{member.name}" if archive else source.name
            try:
                yield _part(source, label, member, formats)
            except DataError as why:
                told = str(why)
                told = told if told.startswith(label) else f"{label}: {told}"
                refused[label] = (source, told)


def _part(source: Source, label: str, member: Member, formats: Formats) -> Part:
    if member.name and archives.is_archive(member.data):
        raise DataError("is an archive within an archive. Unpack it and import what is in it.")
    sheets = readers.sheets(member.data)
    format, sheet, at = recognition.recognise(sheets, formats.formats, label)
    header = recognition.columns(sheet.top[at])
    personal = sorted({h.strip() for h in header if h and formats.is_personal(h, format)})
    found = piece(label, format, header, sheet.below(at), personal)
    found.facts |= {"sheet": sheet.name, "header_row": at + 1}
    stated = values.exported_at(PurePosixPath(label).name) or values.exported_at(source.name)
    found.exported = pd.Timestamp(stated) if stated else None
    return Part(source, found, (stated or member.modified).isoformat())
