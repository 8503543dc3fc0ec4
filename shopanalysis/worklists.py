"""actions.xlsx: what is to be done after a run, one sheet per owner, and the lists to work through.

Made from findings.json and tables/*.csv, so that it says what the reports beside it say. Every cell of
text is written as text: an id keeps its digits, and nothing is taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from shopanalysis.findings import OWNERS, SEVERITIES
from shopanalysis.words import Words, metrics, width

# a column of the sheet of actions -> its note
ACTIONS = {
    "urgency": "urgency_note",
    "task": "task_note",
    "because": "because_note",
    "rule": "rule_note",
    "report": "report_note",
    "done_by": "to_fill_in",
    "done_on": "to_fill_in",
}
WIDEST = {"task": 60, "because": 70, "rule": 36, "report": 40, "title": 44}
SHEET_NAME = 31  # most characters that Excel lets a sheet's name have
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
AMOUNT = "#,##0.00"
FORMATS = {
    "count": "#,##0",
    "signed_count": "+#,##0;-#,##0;0",
    "seconds": "#,##0",
    "decimal": "#,##0.00",
    "score": "0.00",
    "percent": "0.00%",
    "chance": "0%",
    "change": "+0.0%;-0.0%;0.0%",
    "points": "+0.00%;-0.00%;0.00%",
    "table_day": "yyyy-mm-dd",
}


@dataclass(frozen=True)
class WorkList:
    """One table to work through: whose it is, of which notebook, and its rows as the CSV has them."""

    owner: str
    notebook: str
    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def read(file: Path, owner: str, notebook: str, table: str) -> WorkList | None:
    """The work list in a CSV file of a run; None where there is none or it has no rows."""
    if not file.is_file():
        return None
    head, *rows = csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
    return WorkList(owner, notebook, table, head, rows) if rows else None


def workbook(
    findings: Sequence[Mapping],
    lists: Sequence[WorkList],
    titles: Mapping[str, str],
    about: Mapping[str, str],
    words: Words,
) -> bytes:
    """The bytes of actions.xlsx, the same for the same input; empty when there is nothing to do.

    findings   records of findings.json
    titles     a notebook's title by its name
    about      name of the shop, date (ISO), basis
    """
    due = [found for found in findings if found["action"]]
    owners = [o for o in OWNERS if any(f["owner"] == o for f in due)]
    owners += [o for o in OWNERS if o not in owners and any(one.owner == o for one in lists)]
    if not owners:
        return b""
    book = _Book(about, words)
    for owner in sorted(owners, key=OWNERS.index):
        if own := [found for found in due if found["owner"] == owner]:
            book.actions(owner, own, titles)
        for one in lists:
            if one.owner == owner:
                book.list(one, titles)
    return book.bytes()


class _Book:
    """A workbook under way."""

    def __init__(self, about: Mapping[str, str], words: Words):
        import xlsxwriter

        self.about, self.words = about, words
        self.day = date.fromisoformat(about["date"])
        self._file = io.BytesIO()
        plain = ("strings_to_formulas", "strings_to_numbers", "strings_to_urls")
        self._book = xlsxwriter.Workbook(
            self._file, {"in_memory": True} | dict.fromkeys(plain, False)
        )
        made = datetime(self.day.year, self.day.month, self.day.day)
        self._book.set_properties({"title": self._of(""), "created": made})
        self._formats: dict[str, object] = {}
        self._names: set[str] = set()

    def bytes(self) -> bytes:
        """The finished workbook."""
        self._book.close()
        return self._file.getvalue()

    def actions(self, owner: str, findings: Sequence[Mapping], titles: Mapping[str, str]) -> None:
        """A sheet of what `owner` is to do, the most urgent first."""
        language, name = self.words.language, self.words.name("owner", owner)
        ranked = sorted(findings, key=lambda found: SEVERITIES.index(found["severity"]))
        rows = [
            (
                self.words.name("severity", found["severity"]),
                *(found[part][language] for part in ("action", "sentence")),
                found["rule"].get(language, "") if found["rule"] else "",
                titles.get(found["notebook"], found["notebook"]),
                "",
                "",
            )
            for found in ranked
        ]
        say = self.words.say
        heads = [(say(f"work.{column}"), say(f"work.{note}")) for column, note in ACTIONS.items()]
        sheet = self._sheet(name, self._of(name), ACTIONS, heads, len(rows))
        for row, cells in enumerate(rows, 2):
            for column, text in enumerate(cells):
                sheet.write_string(row, column, text, self._format("text"))

    def list(self, one: WorkList, titles: Mapping[str, str]) -> None:
        """A sheet of the rows of one work list."""
        named = f"work_list.{one.table}"
        name = self.words.say(named) if self.words.has(named) else one.table
        owner = self.words.name("owner", one.owner)
        title = f"{self._of(name)} · {owner} · {titles.get(one.notebook, one.notebook)}"
        heads = [self._head(column) for column in one.columns]
        sheet = self._sheet(name, title, one.columns, heads, len(one.rows))
        for row, cells in enumerate(one.rows, 2):
            for column, text in enumerate(cells):
                self._write(sheet, row, column, one.columns[column], text)

    def _head(self, column: str) -> tuple[str, str]:
        """A column's name, and the note on how it is counted."""
        if not self.words.has(f"metric.{column}.label"):
            return column, ""
        basis = self.words.name("basis", self.about["basis"])
        note = self.words.say(f"metric.{column}.definition", basis=basis)
        return self.words.label(column), note

    def _sheet(self, name: str, title: str, columns, heads, rows: int):
        sheet = self._book.add_worksheet(self._free_name(name))
        sheet.write_string(0, 0, title, self._format("title"))
        for place, (column, (head, note)) in enumerate(zip(columns, heads, strict=True)):
            sheet.write_string(1, place, head, self._format("head"))
            if note:
                sheet.write_comment(1, place, note, {"x_scale": 2.2, "author": "shopanalysis"})
            sheet.set_column(place, place, WIDEST.get(column, max(12, 1.9 * width(head) + 4)))
        sheet.freeze_panes(2, 0)
        sheet.autofilter(1, 0, 1 + rows, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0, 1)
        return sheet

    def _free_name(self, name: str) -> str:
        """`name` as a sheet may be called: short, without what Excel forbids, and not taken."""
        name = name.translate(FORBIDDEN).strip()[:SHEET_NAME]
        free, number = name, 2
        while free.lower() in self._names:
            free, number = f"{name[: SHEET_NAME - 3]} {number}", number + 1
        self._names.add(free.lower())
        return free

    def _write(self, sheet, row: int, column: int, metric: str, text: str) -> None:
        """One cell of a list: a number or day as one, all else as the text that it is."""
        kind = metrics().get(metric, "text")
        style = self._format(kind)
        if not text:
            sheet.write_blank(row, column, None, style)
        elif kind == "table_day":
            sheet.write_datetime(row, column, datetime.fromisoformat(text), style)
        elif kind in FORMATS or "money" in kind:
            sheet.write_number(row, column, float(text), style)
        else:
            sheet.write_string(row, column, self._text(kind, text), style)

    def _text(self, kind: str, text: str) -> str:
        """A word of a closed list by its name, all else without the apostrophe that a CSV needs."""
        if self.words.has(f"{kind}.{text}"):
            return self.words.name(kind, text)
        return text[1:] if text[:1] == "'" and text[1:2] in set("=+-@\t\r") else text

    def _format(self, kind: str):
        if kind not in self._formats:
            look = {"valign": "top", "num_format": self._number_format(kind)}
            if kind == "head":
                look |= {"bold": True, "text_wrap": True, "bg_color": "#E9EDF2", "bottom": 1}
            elif kind == "title":
                look |= {"bold": True, "font_size": 13}
            elif look["num_format"] == "@":
                look |= {"text_wrap": True}
            self._formats[kind] = self._book.add_format(look)
        return self._formats[kind]

    def _number_format(self, kind: str) -> str:
        if "money" not in kind:
            return FORMATS.get(kind, "@")
        amount = self.words.money_pattern(AMOUNT)
        return f"+{amount};-{amount};{amount}" if kind == "signed_money" else amount

    def _of(self, what: str) -> str:
        """What the sheet is, of which shop and day."""
        return " · ".join(filter(None, (what, self.about["name"], self.words.date(self.day))))
