"""One import: what it works on, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from shopanalysis.exports import mappings
from shopanalysis.exports.arrivals import Part
from shopanalysis.exports.records import Record, Source

Progress = Callable[[int, int, str], object]  # files done, of how many, name of the next


def silent(done: int, whole: int, name: str) -> None:
    """Say nothing."""


@dataclass
class Run:
    """One run over some files."""

    folder: Path
    today: pd.Timestamp
    digest: str  # of the mappings
    record: Record
    sources: Sequence[Source]
    gone: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)
    fed: bool = False  # whether files were imported before
    dry: bool = False
    progress: Progress = silent
    refused: dict[str, tuple[Source, str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    salt: str = ""

    @cached_property
    def formats(self) -> mappings.Formats:
        """The mappings, read only where there is something to import."""
        return mappings.load(self.folder)


@dataclass
class Result:
    """What tables/ will hold: every file's rows, the tables, and counts per table and file."""

    rows: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, pd.DataFrame]
    not_covered: Mapping[str, float] = field(default_factory=dict)
    relisted: pd.DataFrame | None = None


def kept(run: Run, parts: list[Part]) -> dict[str, dict]:
    """What is recorded of files that stay: not gone, not replaced by one of `parts`."""
    replaced = {part.source.name for part in parts}
    dropped = {
        label
        for name, entry in run.record.sources.items()
        if name in run.gone or name in replaced
        for label in entry["files"]
        if label not in run.refused
    }
    return {label: facts for label, facts in run.record.files.items() if label not in dropped}


def counted(label: str, counts: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, int]]:
    """Rows of one file by table: added, changed and unchanged by it."""
    return {
        name: {state: int(count) for state, count in table.loc[label].items()}
        for name, table in counts.items()
        if label in table.index
    }
