"""What an import has made takes the place of what was there, all of it or nothing.

Everything is written into a folder aside. One renaming of that folder makes it count, and only then
are the files moved to where they belong: an import that is killed before leaves what was there, one
that is killed later is finished by whoever comes next (`finish`), and tables.path knows of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from shopanalysis.tables import COMING

ASIDE = COMING + ".tmp"
INCOMING = ".incoming"  # folder below exports/: accepted files on their way


def start(folder: Path) -> Path:
    """An empty folder aside, to write tables/ and import.json into."""
    finish(folder)
    aside = folder / "tables" / ASIDE
    (aside / "tables").mkdir(parents=True)
    (aside / "gone").mkdir()
    return aside


def bring(folder: Path, source: Path, name: str) -> None:
    """Copy a file to where it waits for its place `name` below exports/."""
    target = folder / "exports" / INCOMING / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def land(folder: Path, gone: Iterable[str]) -> None:
    """Make what `start` gave count, without the tables `gone` (files below tables/)."""
    aside = folder / "tables" / ASIDE
    for name in gone:
        marker = aside / "gone" / Path(name).with_suffix("")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    os.rename(aside, folder / "tables" / COMING)
    finish(folder)


def finish(folder: Path) -> None:
    """Finish what a killed import had made whole; throw away what it had not."""
    coming = folder / "tables" / COMING
    if coming.is_dir():
        _move(folder / "exports" / INCOMING, folder / "exports")
        for marker in filter(Path.is_file, (coming / "gone").rglob("*")):
            name = marker.relative_to(coming / "gone").as_posix()
            (folder / "tables" / f"{name}.parquet").unlink(missing_ok=True)
        _move(coming / "tables", folder / "tables")
        shutil.rmtree(coming)
    for unfinished in (folder / "tables" / ASIDE, folder / "exports" / INCOMING):
        shutil.rmtree(unfinished, ignore_errors=True)


def _move(here: Path, there: Path) -> None:
    for file in sorted(filter(Path.is_file, here.rglob("*"))):
        target = there / file.relative_to(here)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, target)
