"""Raw rows of all files of one format: read by header, refused or left out with a reason.

Nothing here raises for a bad cell: the file that holds it is refused, the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from shopanalysis.exports import values
from shopanalysis.exports.mappings import Format, normal

EXAMPLES = 5
AGAIN = "Export the report again; if it is still so, correct the file."
NOT_MANGLED = (
    "Excel has replaced its last digits and nothing can bring them back. "
    "Export the report again and import it without saving it in Excel."
)


@dataclass
class Piece:
    """One report in one file: its rows under the format's own headers."""

    label: str
    format: Format
    rows: pd.DataFrame
    spelled: Mapping[str, str]
    personal: Sequence[str]
    exported: pd.Timestamp | None = None
    above: str = ""  # what stands above the header, as text
    facts: dict = field(default_factory=dict)

    def has(self, headers: str | Sequence[str]) -> bool:
        """Whether the file has one of the headers."""
        names = [headers] if isinstance(headers, str) else headers
        return any(name in self.rows for name in names)


class Rows:
    """Rows of several files of one format, by index; `file` and `row` say where each stood."""

    def __init__(self, format: Format, pieces: Sequence[Piece], zone: str | None = None) -> None:
        self.zone = zone  # the shop's, where it is known: times with an offset are converted to it
        self.format = format
        self.pieces = pieces
        self.frame = pd.concat([piece.rows for piece in pieces], ignore_index=True)
        lengths = [len(piece.rows) for piece in pieces]
        self.file = pd.Series(np.repeat(np.arange(len(pieces)), lengths))
        self.row = pd.Series(np.concatenate([piece.rows.index for piece in pieces]))
        self.of = pd.Series("sales", self.frame.index)
        self.refused: dict[int, str] = {}
        self.numbers: dict[str, pd.Series] = {}
        for number, piece in enumerate(pieces):
            piece.facts |= {"rows": len(piece.rows), "left_out": {}, "checks": [], "notes": []}
            if piece.rows.empty:
                self.refused[number] = (
                    f"{piece.label} is empty: it has a header but no rows below it. "
                    "Export the report again for days that are over."
                )

    def note(self, file: int, text: str) -> None:
        """Add a sentence to what import.json says of a file."""
        notes = self.pieces[file].facts["notes"]
        if text not in notes:
            notes.append(text)

    def refuse(
        self, bad: pd.Series, header: str, allowed: str, todo: str = AGAIN, found: object = None
    ) -> None:
        """Refuse each file that has a bad row, naming its first.

        bad     mask whose index is that of the rows
        found   series of what stands there; otherwise it is looked up under `header`
        """
        if not bad.any():
            return
        at = bad.index[bad.to_numpy()]
        first = self.file.loc[at].drop_duplicates()
        for index, file in first.items():
            if found is not None:
                value = found.loc[index]
                value = value.iloc[0] if isinstance(value, pd.Series) else value
            else:
                value = self.frame.at[index, header] if header in self.frame else None
            count = int((self.file.loc[at] == file).sum())
            more = f" {count} rows are like this." if count > 1 else ""
            piece = self.pieces[file]
            spelled = piece.spelled.get(header, header)
            said = "is missing" if pd.isna(value) or value == "" else f"is '{value}'"
            self.refuse_file(
                file,
                f"{piece.label}, row {self.row[index]}: {spelled} {said}; "
                f"allowed: {allowed}.{more} {todo}",
            )

    def refuse_file(self, file: int, message: str) -> None:
        """Refuse one file; the first reason stands."""
        self.refused.setdefault(file, message)

    def leave_out(self, out: pd.Series, reason: str, header: str = "") -> None:
        """Drop rows, counted under `reason` with up to five examples from the column `header`."""
        if not out.any():
            return
        self.count_left_out(self.frame.index[out], reason, header)
        keep = ~out
        self.frame, self.of = self.frame[keep], self.of[keep]
        self.numbers = {name: column[keep] for name, column in self.numbers.items()}

    def count_left_out(self, index: pd.Index, reason: str, header: str = "") -> None:
        """Count rows as left out, in their files."""
        files = self.file.loc[index]
        amounts = self.numbers.get(self.format.amount)
        for file, rows in files.groupby(files).groups.items():
            left_out = self.pieces[file].facts["left_out"]
            entry = left_out.setdefault(reason, {"rows": 0, "examples": []})
            entry["rows"] += len(rows)
            if amounts is not None:
                entry["amount"] = round(entry.get("amount", 0) + float(amounts.loc[rows].sum()), 6)
            if header in self.frame:
                spelled = self.pieces[file].spelled.get(header, header)
                entry["examples"] += [
                    {
                        "row": int(self.row[i]),
                        "column": spelled,
                        "value": _plain(self.frame.at[i, header]),
                    }
                    for i in rows[: EXAMPLES - len(entry["examples"])]
                ]

    def raw(self, headers: str | Sequence[str]) -> pd.Series:
        """Cells under the first of `headers` that is filled in each row."""
        names = [headers] if isinstance(headers, str) else list(headers)
        there = [self.frame[name] for name in names if name in self.frame]
        if not there:
            return pd.Series(None, self.frame.index, dtype="str")
        cells = there[0]
        for other in there[1:]:
            known = values.text(cells)
            cells = known.where(known.notna(), values.text(other))
        return cells

    def has(self, headers: str | Sequence[str]) -> bool:
        """Whether any file has one of the headers."""
        names = [headers] if isinstance(headers, str) else headers
        return any(name in self.frame or name in self.format.computed for name in names)

    def number(self, headers: str | Sequence[str]) -> pd.Series:
        """Numbers under the headers; files with a cell that is none are refused."""
        name = headers if isinstance(headers, str) else headers[0]
        if name not in self.numbers:
            cells = self.raw(headers)
            found, bad, rounded = values.numbers(cells)
            self.refuse(bad, name, "a number", found=cells)
            for file, count in self.file[rounded.index[rounded]].value_counts().items():
                facts = self.pieces[file].facts
                facts["rounded"] = facts.get("rounded", 0) + int(count)
            self.numbers[name] = found
        return self.numbers[name]

    def identity(self, headers: str | Sequence[str]) -> pd.Series:
        """Ids under the headers; files with an id that Excel destroyed are refused or, where the
        format says so, the ids counted.
        """
        name = headers if isinstance(headers, str) else headers[0]
        cells = self.raw(headers)
        found, mangled = values.ids(cells)
        if name not in self.format.mangled_ids:
            self.refuse(mangled, name, "an id with all its digits", NOT_MANGLED, cells)
        else:
            for file, count in self.file[mangled.index[mangled]].value_counts().items():
                self.pieces[file].facts.setdefault("mangled_ids", {})[name] = int(count)
        return found

    def product(self, headers: Sequence[str]) -> pd.Series:
        """The numbers under the headers, multiplied."""
        found = self.number(headers[0])
        for header in headers[1:]:
            found = found * self.number(header)
        return found


def _plain(value: object) -> str | None:
    return None if pd.isna(value) else str(value)


def piece(
    label: str, format: Format, header: Sequence[str], below: pd.DataFrame, personal: Sequence[str]
) -> Piece:
    """The rows of one report under the format's headers; personal columns that no table needs go.

    header   the header row as spelled in the file, one cell for each column of `below`
    """
    chosen: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for position, cell in enumerate(header):
        name = format.canonical.get(normal(cell))
        exact = name is not None and normal(cell) == normal(name)
        if name is None and format.repeated_rows and cell not in personal:
            name = f"{cell}__{position}"
        if name is not None and (
            name not in chosen or (exact and normal(spelled[name]) != normal(name))
        ):
            chosen[name], spelled[name] = position, str(cell).strip()
    rows = below[list(chosen.values())].set_axis(list(chosen), axis=1)
    return Piece(label, format, rows, spelled, personal)
