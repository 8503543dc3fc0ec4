"""What is kept of every day below tables/events, so that only what changed is done again.

Each name ends in a fingerprint of all that it was made from: what is there under its name is done,
and a run that was killed goes on from it. Nothing here is read by analyses; all of it can be deleted.

    days/<day>-<print>/       the day's rows of each table, its people, items, pairs of them, counts
    first/<day>-<print>       visitors who came on that day and on none before
    gaps/<day>-<print>        people by item and by how long they had not been there
    weeks/<day>-<print>       people by item over the seven days that end on it
    parsed/                   acts of the day that is being made, where files are text
    channels/                 the channel of each source, as the shop's mappings tell
    files/<print>.json        rows of one file of the log by quarter of an hour
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

PLACE = "events"
READING = 2  # raised when the same log would be reduced to other rows


def fingerprint(*parts: object) -> str:
    """Sixteen hex digits that stand for the parts, in their order."""
    return hashlib.sha256(repr((READING, *parts)).encode()).hexdigest()[:16]


def of_file(file: Path) -> tuple:
    """What tells that a file has changed: its path, size and time of change."""
    state = file.stat()
    return str(file), state.st_size, state.st_mtime_ns


class State:
    """The folder of one shop's reduced days."""

    def __init__(self, folder: Path) -> None:
        self.place = Path(folder) / "tables" / PLACE

    def path(self, part: str, name: str) -> Path:
        """Where something is kept, with the folder above it."""
        found = self.place / part / name
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def aside(self, part: str) -> Path:
        """An empty folder or the place of a file beside `part`, to be moved into it."""
        made = self.path(part, f".{os.getpid()}.tmp")
        remove(made)
        return made

    def remember(self, name: str, value: object) -> None:
        """Keep what was counted in a file of the log."""
        made = self.aside("files")
        made.write_text(json.dumps(value), encoding="utf-8")
        os.replace(made, self.path("files", f"{name}.json"))

    def remembered(self, name: str) -> object | None:
        """What remember() kept, or None."""
        file = self.path("files", f"{name}.json")
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def keep_only(self, part: str, names: Iterable[str]) -> None:
        """Remove everything of `part` but `names`."""
        wanted = set(names)
        for found in sorted((self.place / part).glob("*")):
            if found.name not in wanted:
                remove(found)

    def remove_unfinished(self) -> None:
        """Remove what a run that was killed had not finished."""
        for found in self.place.glob("*/.*.tmp"):
            remove(found)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
