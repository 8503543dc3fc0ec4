"""import.json and the files below exports/: what was imported, what is new, what is gone.

Where it is missing, older than the mappings, or disagrees with the
files in tables/, nothing in it is believed and everything is made again from exports/.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from shopanalysis.errors import DataError

IGNORED = ("~$", ".", "Thumbs.db", "desktop.ini")  # what Excel and the system leave beside files


@dataclass(frozen=True)
class Source:
    """A file to import, and its name below exports/."""

    path: Path
    name: str
    sha256: str

    def entry(self) -> dict:
        """What import.json says to know the file again."""
        size, mtime = _size_and_time(self.path)
        return {"sha256": self.sha256, "size": size, "mtime": mtime, "files": [], "refused": {}}


@dataclass
class Record:
    """What import.json says.

    sources   name below exports/ -> size, mtime, sha256, files in it, refused files in it
    files     name -> format, rows, tables, what was left out and why, checks, notes
    written   file below tables/ -> size (bytes)
    sound     whether tables/ is what the record says
    not_covered   paid orders that no day derived from orders holds: number and amount
    relisted  items that seem to be on sale again under a new id: old, new, title, last, first
    """

    sources: dict[str, dict] = field(default_factory=dict)
    files: dict[str, dict] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    sound: bool = False
    not_covered: dict[str, float] = field(default_factory=dict)
    relisted: list[dict[str, str]] = field(default_factory=list)


def said(folder: Path) -> dict:
    """import.json as it stands; empty when nothing was imported."""
    try:
        return json.loads((folder / "tables" / "import.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def read(folder: Path, mappings: str) -> Record:
    """The record, with nothing known where it cannot be trusted. `mappings`: their digest."""
    known = said(folder)
    sound = known.get("mappings") == mappings
    sound = sound and known["written"] == sizes(folder, known["written"])
    if not sound:
        return Record(written=known.get("written", {}))
    return Record(known["sources"], known["files"], known["written"], sound)


def write(folder: Path, record: Record, mappings: str) -> None:
    """Put import.json in place, whole or not at all."""
    content = {
        "mappings": mappings,
        "sources": dict(sorted(record.sources.items())),
        "files": dict(sorted(record.files.items())),
        "paid_on_days_not_covered": record.not_covered,
        "relisted": record.relisted,
        "written": dict(sorted(record.written.items())),
    }
    aside = folder / "tables" / f"import.{os.getpid()}.tmp"
    aside.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, folder / "tables" / "import.json")


def sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Size of each file below tables/ that exists."""
    files = {name: folder / "tables" / name for name in names}
    return {name: file.stat().st_size for name, file in files.items() if file.is_file()}


def new_or_changed(folder: Path, record: Record) -> Iterator[Source]:
    """Files in exports/ whose content is not the recorded one."""
    exports = folder / "exports"
    for path in _files(exports):
        name = path.relative_to(exports).as_posix()
        known = record.sources.get(name)
        if known and (known["size"], known["mtime"]) == _size_and_time(path):
            continue
        sha256 = _sha256(path)
        if not known or known["sha256"] != sha256:
            yield Source(path, name, sha256)


def unseen(folder: Path) -> list[str]:
    """Names of files in exports/ that import.json does not know."""
    exports, known = folder / "exports", said(folder).get("sources", {})
    names = (path.relative_to(exports).as_posix() for path in _files(exports))
    return [name for name in names if name not in known]


def gone(folder: Path, record: Record) -> tuple[str, ...]:
    """Names of recorded files that are no longer in exports/."""
    return tuple(n for n in sorted(record.sources) if not (folder / "exports" / n).is_file())


def from_anywhere(
    folder: Path, files: Iterable[Path], known: Mapping[str, str]
) -> Iterator[Source]:
    """Files (and all files in folders) that are not yet known, under the names they will get.

    known   name -> sha256. A name that another content has is made free by a number.
    """
    taken = dict(known)
    for path, name in _named(files):
        source = _placed(folder, path, name, taken)
        if taken.get(source.name) != source.sha256:
            taken[source.name] = source.sha256
            yield source


def _named(files: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in map(Path, files):
        if path.is_dir():
            for inside in _files(path):
                yield inside, (Path(path.resolve().name) / inside.relative_to(path)).as_posix()
        elif path.exists():
            yield path, path.name
        else:
            raise DataError(f"{path}: there is no such file.")


def _placed(folder: Path, path: Path, name: str, taken: Mapping[str, str]) -> Source:
    exports, sha256 = (folder / "exports").resolve(), _sha256(path)
    if path.resolve().is_relative_to(exports):
        return Source(path, path.resolve().relative_to(exports).as_posix(), sha256)
    whole, number, free = PurePosixPath(name), 1, name
    while free in taken and taken[free] != sha256:
        number += 1
        free = (whole.parent / f"{whole.stem} ({number}){whole.suffix}").as_posix()
    return Source(path, free, sha256)


def _size_and_time(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _files(folder: Path) -> list[Path]:
    found = folder.rglob("*") if folder.is_dir() else ()
    return sorted(
        path
        for path in found
        if path.is_file()
        and not any(part.startswith(IGNORED) for part in path.relative_to(folder).parts)
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
