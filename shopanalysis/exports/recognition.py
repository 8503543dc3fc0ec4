"""Which report a file is: the format whose required columns stand in one of its first rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shopanalysis.errors import DataError, UnknownReport
from shopanalysis.exports.mappings import Format, normal
from shopanalysis.exports.readers import HEADER_WITHIN, Sheet

LISTED = 12  # column names that a message lists at most


def recognise(
    sheets: Sequence[Sheet], formats: Iterable[Format], label: str
) -> tuple[Format, Sheet, int]:
    """The format, the sheet and the header row (from 0; -1: the format has none) that fit best.

    The format with most required columns wins, then the one that knows most of the headers.
    Raises DataError when none fits: it names the nearest format and what it lacks.
    """
    rows = [(sheet, at, _keys(row)) for sheet in sheets for at, row in enumerate(sheet.top)]
    best, score = None, (0, 0)
    for sheet, at, keys in rows:
        for format in formats:
            if len(keys) < len(format.required):
                continue
            found = {format.canonical[key] for key in keys & format.canonical.keys()}
            if found.issuperset(format.required) and not _forbidden(format, keys):
                here = (len(format.required), len(found))
                if here > score:
                    best, score = (format, sheet, at), here
    best = best or next(_headerless(sheets, formats), None)
    if best is None:
        raise _unknown(rows, list(formats), label)
    return best


def _headerless(
    sheets: Sequence[Sheet], formats: Iterable[Format]
) -> Iterator[tuple[Format, Sheet, int]]:
    """Formats whose files have no header, where each cell of the first row looks as it should."""
    for sheet in sheets:
        first = next(iter(sheet.top), [])
        for format in formats:
            looks = list(format.headerless.values())
            if looks and len(looks) == len(first):
                pairs = zip(looks, first, strict=True)
                if all(re.fullmatch(look, cell.strip()) for look, cell in pairs):
                    yield format, sheet, -1


def columns(row: Sequence[str]) -> list[str]:
    """The cells of a header row; the second `name` is name__2."""
    seen: Counter[str] = Counter()
    names = []
    for cell in row:
        seen[normal(cell)] += 1
        count = seen[normal(cell)]
        names.append(f"{cell}__{count}" if count > 1 and normal(cell) else cell)
    return names


def _keys(row: Sequence[str]) -> set[str]:
    return {normal(cell) for cell in row} - {""}


def _forbidden(format: Format, keys: set[str]) -> bool:
    return any(normal(header) in keys for header in format.forbidden)


@dataclass(frozen=True)
class _Near:
    """A row that is not the header of a format, and how much it is."""

    format: Format
    row: Sequence[str]
    found: frozenset[str]

    @property
    def share(self) -> float:
        return len(self.found) / len(self.format.required)

    @property
    def missing(self) -> list[str]:
        return [header for header in self.format.required if header not in self.found]


def _unknown(
    rows: Sequence[tuple[Sheet, int, set]], formats: Sequence[Format], label: str
) -> DataError:
    """Why nothing fits: no header row, a report of another kind, or a column missing."""
    near = [
        _Near(
            format, sheet.top[at], frozenset(format.canonical.get(key) for key in keys) & required
        )
        for sheet, at, keys in rows
        for format in formats
        for required in [frozenset(format.required)]
        if not _forbidden(format, keys)
    ]
    best = max(near, key=lambda one: (one.share, len(one.found)), default=None)
    first = next((sheet.top[at] for sheet, at, keys in rows if keys), [])
    if (best is None or not best.found) and len(_keys(first)) < 2:
        return UnknownReport(
            f"{label}: no header row was found in the first {HEADER_WITHIN} rows. The first row is "
            f"'{_listed(first)}'. Expected is a row of column names, as the platform exports it. "
            "Delete what stands above it, or export the report again."
        )
    if best is None or best.share < 0.5 or len(best.found) < 2:
        return UnknownReport(_strange(best, first, label))
    plural = "columns" if len(best.missing) > 1 else "column"
    return DataError(
        f"{label} looks like '{best.format.title}' but has no {plural} {', '.join(best.missing)}. "
        f"It has: {_listed(best.row)}. Export it again with all columns, or map the header: "
        "data/README.md tells how."
    )


def _strange(best: _Near | None, first: Sequence[str], label: str) -> str:
    nearest, row = "", first
    if best is not None and best.found:
        lacks = ", ".join(best.missing)
        nearest, row = f" The nearest is '{best.format.title}', which needs {lacks}.", best.row
    return (
        f"{label}: this is no report that is known. Its columns: {_listed(row)}.{nearest} "
        "Write a mapping for it: data/README.md tells how."
    )


def _listed(row: Sequence[str]) -> str:
    names = [str(cell).strip() for cell in row if str(cell).strip()]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(name[:30] for name in names[:LISTED]) + more
