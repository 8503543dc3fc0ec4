"""What an import did, file by file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from shopanalysis.words import agreeing


@dataclass(frozen=True)
class FileReport:
    """What became of one file, or of one file in an archive."""

    name: str
    format: str | None = None
    rows: int = 0
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    refused: str | None = None
    not_read: str | None = None  # in an archive, beside files that were read: no report at all

    def line(self) -> str:
        """The file in one line: which report, how many rows, what they do to each table."""
        told = [
            f"{table} {count:,} {state}"
            for table, counts in self.tables.items()
            for state, count in counts.items()
            if count
        ]
        out = [f"{count:,} left out ({reason})" for reason, count in self.left_out.items()]
        return f"{self.name}: {self.format}, {_rows(self.rows)}: {', '.join([*told, *out])}"


@dataclass(frozen=True)
class Imported:
    """What an import did. `tables` of a file: table -> rows added, changed and unchanged by it."""

    files: tuple[FileReport, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def refused(self) -> list[FileReport]:
        """The files that were refused."""
        return [file for file in self.files if file.refused]

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """Table -> rows added, changed and unchanged by all files."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for file in self.files:
            for table, counts in file.tables.items():
                for state, count in counts.items():
                    sums[table][state] += count
        return {table: dict(counts) for table, counts in sums.items()}

    @property
    def left_out(self) -> dict[str, int]:
        """Reason -> rows left out, over all files."""
        sums: dict[str, int] = defaultdict(int)
        for file in self.files:
            for reason, count in file.left_out.items():
                sums[reason] += count
        return dict(sums)

    def file_lines(self) -> list[str]:
        """What became of each file that was read, one a line."""
        return [file.line() for file in self.files if not (file.refused or file.not_read)]

    def summary_lines(self) -> list[str]:
        """What was done, one fact a line, for a terminal."""
        read = [file for file in self.files if not file.refused and not file.not_read]
        beside = [file.not_read for file in self.files if file.not_read]
        lines = [f"{_files(len(read))} read, {len(self.refused)} refused"] if self.files else []
        lines += [f"{_files(len(self.removed))} gone from exports/: their rows too"] * bool(
            self.removed
        )
        for table, counts in self.totals.items():
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
            lines.append(f"{table}: {told or 'no rows'}")
        lines += [f"left out: {_rows(count)}, {reason}" for reason, count in self.left_out.items()]
        lines += [f"not read: {why}" for why in beside]
        return lines + [f"refused: {file.refused}" for file in self.refused]


def _files(count: int) -> str:
    return agreeing(f"{count:,}", "# file|# files")


def _rows(count: int) -> str:
    return agreeing(f"{count:,}", "# row|# rows")
