"""Files that are there whole or not at all, and locks on them."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)


class Busy(Exception):
    """Another run holds the same shop and date."""


@contextmanager
def lock(file: Path, what: str, wait: bool = False) -> Iterator[None]:
    """Hold `file` alone for as long as the block lasts; where the system has no locks, do not.

    Raises Busy, naming `what` and the process, when another holds it and `wait` is False.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            handle.seek(0)
            process = handle.read().strip()
            raise Busy(f"Another run (process {process}) is making {what}; wait for it.") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def write(file: Path, content: str | bytes, aside: Path | None = None) -> None:
    """Put `content` in place of `file`, whole or not at all; `aside` is on the same file system."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = (aside or file.parent) / f".{file.name}.{os.getpid()}.tmp"
    try:
        new.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        os.replace(new, file)
    finally:
        new.unlink(missing_ok=True)


def read(file: Path) -> dict:
    """The JSON object in `file`; empty when there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def as_json(record: Mapping) -> str:
    """`record` as text, the same every time."""
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def in_words(cause: OSError) -> str:
    """What an error of the system means for the reports, in one sentence."""
    where = f" ({cause.filename2 or cause.filename})" if cause.filename else ""
    if cause.errno in NO_ROOM:
        return f"The disk is full{where}: make room and run again; earlier reports are as before."
    if cause.errno in NOT_ALLOWED:
        return f"Writing is not allowed{where}: {cause.strerror}. Nothing was changed there."
    return str(cause)


def run_folders(out: Path) -> dict[tuple[str, str], Path]:
    """The folders of runs below `out` by day (2026-11-20) and shop, in order of both."""
    found = sorted(Path(out).glob("*/*/run.json"))
    folders = (file.parent for file in found if DAY.fullmatch(file.parent.parent.name))
    return {(folder.parent.name, folder.name): folder for folder in folders}
