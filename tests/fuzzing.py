# ruff: noqa: E501 (rows as vendors write them)
"""Damaged and tampered files, and what an import may do with them: read them exactly or refuse them.

Every case starts from a fixture of tests/export_fixtures.py, is changed in its rows or in its bytes, and
is read a second time without the importer (csv or calamine alone, amounts as Decimal) to count what it
should have given.
"""

import csv
import io
import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import python_calamine
from export_fixtures import FIXTURES, Fixture

from shopanalysis import exports, tables
from shopanalysis.exports import mappings, records

TODAY = date(2026, 11, 21)
# Format -> the header whose cells are added up, and the table, column and device they end up in.
MONEY = {
    "sycm_shop_day": ("支付金额", "shop_day", "sales", "all"),
    "sycm_item_source_day": ("支付金额", "item_source_day", "sales", None),
    "sycm_item_day": ("支付金额", "item_day", "sales", None),
    "sycm_words": ("支付金额", "word_day", "sales", None),
    "sycm_item_pairs": ("支付金额", "item_pairs", "sales", None),
    "wanxiang_keywords": ("花费", "ad_day", "cost", None),
    "wanxiang_items": ("花费", "ad_day", "cost", None),
    "wanxiang_plans": ("花费", "ad_day", "cost", None),
    "zhitongche_units": ("花费", "ad_day", "cost", None),
    "qianniu_orders": ("总金额", "orders", "amount", None),
    "qianniu_order_lines": ("价格", "order_lines", "list_price", None),
    "qianniu_refunds": ("退款总额", "refunds", "amount", None),
    "service_day": ("客服销售额", "service_day", "sales", None),
    "dsr_day": ("描述相符评分", "shop_day", "dsr_item", "all"),
    "item_list": ("一口价", "items", "list_price", None),
    "item_costs": ("unit_cost", "items", "unit_cost", None),
    "shopify_orders": ("Lineitem price", "order_lines", "list_price", None),
    "shopify_sessions": ("Sessions", "shop_day", "visitors", "all"),
    "shopify_session_sources": ("Sessions", "source_day", "visitors", None),
    "google_ads": ("Cost", "ad_day", "cost", None),
    "meta_ads": ("Amount spent (EUR)", "ad_day", "cost", None),
}
NASTY = [
    "", "-", "--", "1e5", "1E+17", "1e400", "9" * 400, "-5", "−5", "１２", "1,23", "1.2.3", "0.9%", "170%", "2.5万",
    "¥", "=1+1", '=cmd|"/c calc"!A1', "@SUM(A1)", "+1", "\0", "a\0b", "合计", "总计", "2026-13-45", "99999999",
    "2026-11-21", "2099-01-01", "x" * 70_000, "nan", "inf", "-inf", "NaT", "None", "<b>1</b>", "&lol;", "'1", "1 2",
    "🧵", "\u202e1", "1\n2", 'a"b', "true", "0x10", "1_000", "٣", "½", "Ⅷ", "00012",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One damaged file."""

    fixture: str
    what: str
    name: str
    data: bytes


def cases(seed: int, count: int) -> Iterator[Case]:
    """`count` damaged files, the same for the same seed."""
    dice = random.Random(seed)
    keys = sorted(FIXTURES)
    scratch = {key: _bytes(FIXTURES[key], FIXTURES[key].rows) for key in keys}
    for number in range(count):
        key = keys[number % len(keys)]
        fixture = FIXTURES[key]
        if dice.random() < 0.55:
            what = dice.choice(sorted(ROWS))
            rows = ROWS[what](dice, [list(row) for row in fixture.rows], fixture.header)
            data = _bytes(fixture, rows)
        else:
            what = dice.choice(sorted(BYTES))
            data = BYTES[what](dice, scratch[key])
        yield Case(key, what, fixture.name, data)


def _bytes(fixture: Fixture, rows: list[list[str]]) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            return fixture.write(Path(folder) / "x", rows).read_bytes()
        except (ValueError, UnicodeError, csv.Error, Exception):  # what a workbook cannot hold
            return _as_text(rows)


def _as_text(rows: list[list[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8", "replace")


# ---- changes of rows -----------------------------------------------------------------------------


def _body(dice: random.Random, rows: list, header: int) -> int:
    return dice.randrange(header + 1, len(rows)) if len(rows) > header + 1 else len(rows) - 1


def _cut_rows(dice, rows, header):
    return rows[: dice.randrange(0, len(rows))]


def _cut_columns(dice, rows, header):
    width = dice.randrange(1, len(rows[header]))
    return [row[:width] for row in rows]


def _shuffle_columns(dice, rows, header):
    order = list(range(len(rows[header])))
    dice.shuffle(order)
    return [
        [row[at] if at < len(row) else "" for at in order] if number >= header else row
        for number, row in enumerate(rows)
    ]


def _double_row(dice, rows, header):
    at = _body(dice, rows, header)
    return [*rows[: at + 1], *rows[at:]]


def _double_header(dice, rows, header):
    return [*rows, rows[header], *rows[header + 1 :]]


def _stray_cell(dice, rows, header):
    row = rows[_body(dice, rows, header)]
    row.insert(dice.randrange(len(row) + 1), dice.choice(["", "7", "x"]))
    return rows


def _nasty_cell(dice, rows, header):
    row = rows[_body(dice, rows, header)]
    row[dice.randrange(len(row))] = dice.choice(NASTY)
    return rows


def _nasty_header(dice, rows, header):
    rows[header][dice.randrange(len(rows[header]))] = dice.choice([*NASTY, rows[header][0]])
    return rows


def _blank_rows(dice, rows, header):
    blank = dice.choice([[], [""], [""] * len(rows[header]), ["注：以次日为准"]])
    rows.insert(dice.randrange(len(rows) + 1), blank)
    return rows


def _reverse(dice, rows, header):
    return [*rows[: header + 1], *rows[:header:-1]]


def _many_above(dice, rows, header):
    return [["说明"]] * dice.choice([1, 5, 24, 40]) + rows


ROWS = {
    "rows cut": _cut_rows, "columns cut": _cut_columns, "columns shuffled": _shuffle_columns,
    "row doubled": _double_row, "table doubled": _double_header, "stray cell": _stray_cell,
    "nasty cell": _nasty_cell, "nasty header": _nasty_header, "blank rows": _blank_rows,
    "rows reversed": _reverse, "lines above": _many_above,
}  # fmt: skip


# ---- changes of bytes ----------------------------------------------------------------------------


def _at(dice, data):
    return dice.randrange(len(data) + 1)


def _flip(dice, data):
    changed = bytearray(data)
    for _ in range(dice.choice([1, 1, 2, 8])):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _delete(dice, data):
    at = _at(dice, data)
    return data[:at] + data[at + dice.choice([1, 2, 7, 100]) :]


def _insert(dice, data):
    at = _at(dice, data)
    stray = dice.choice(
        [b",", b'"', b"\t", b"\n", b"\r", b"\0", b"\0" * 100, b";", b"\xff", b"<td>", b"x" * 9]
    )
    return data[:at] + stray + data[at:]


def _repeat(dice, data):
    at, end = sorted((_at(dice, data), _at(dice, data)))
    return data[:end] + data[at:end] + data[end:]


def _other_encoding(dice, data):
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return data[::-1]
    return text.encode(dice.choice(["utf-8", "utf-16", "utf-16-be", "utf-8-sig", "gb18030"]))


BYTES = {
    "cut": lambda dice, data: data[: _at(dice, data)], "flipped": _flip, "deleted": _delete,
    "inserted": _insert, "repeated": _repeat, "NULs at the end": lambda dice, data: data + b"\0" * 512,
    "encoded otherwise": _other_encoding, "rubbish above": lambda dice, data: dice.randbytes(40) + data,
}  # fmt: skip


# ---- what an import may do -----------------------------------------------------------------------


def judged(case: Case, folder: Path) -> str:
    """ "read" or "refused"; raises AssertionError, or whatever the importer let through."""
    file = folder / case.name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(case.data)
    shop = folder / "shop"
    result = exports.import_files(shop, [file], today=TODAY)
    if result.refused:
        (told,) = result.refused
        assert told.refused.startswith(case.name), told.refused
        assert len(told.refused) > len(case.name) + 20, told.refused
        assert not shop.exists(), "a refused file left something behind"
        return "refused"
    facts = records.said(shop)["files"][case.name]
    _check_rows(shop, facts)
    _check_total(case, shop, facts)
    return "read"


def _check_rows(shop: Path, facts: dict) -> None:
    """Each row is in a table or left out with a reason (where rows are not put together)."""
    single = {"sycm_words": "word_day", "qianniu_orders": "orders", "qianniu_refunds": "refunds",
              "qianniu_order_lines": "order_lines", "item_list": "items"}  # fmt: skip
    if name := single.get(facts["format"]):
        left = sum(entry["rows"] for entry in facts["left_out"].values())
        blank = facts["rows"] - left - len(tables.read(shop, name))
        assert 0 <= blank <= 12, (facts, "rows are gone")


def _check_total(case: Case, shop: Path, facts: dict) -> None:
    """The sum in the table is that of the cells, read without the importer."""
    if facts["format"] not in MONEY or facts.get("rounded"):
        return
    header, name, column, device = MONEY[facts["format"]]
    wanted = _by_hand(case.data, header, facts)
    if wanted is None:
        return
    table = tables.read(shop, name)
    table = table[table["device"] == device] if device else table
    found = Decimal(str(round(float(table[column].sum()), 2)))
    assert abs(found - wanted) <= Decimal("0.011"), (found, wanted)


TOTALS_IN = {format.id: format.totals for format in mappings.load().formats}
TOTALS = re.compile(r"-+|合计|总计|汇总|total.*", re.IGNORECASE)


def _by_hand(data: bytes, header: str, facts: dict) -> Decimal | None:
    """Sum of the cells under a header; None where it cannot be told by these simple means."""
    others = set(facts["left_out"]) - {"totals rows", "lines of text outside the table"}
    rows = _grid(data)
    if others or rows is None or len(rows) < facts["header_row"]:
        return None
    names = [_plain(cell) for cell in rows[facts["header_row"] - 1]]
    marks = [names.index(m) for m in map(_plain, TOTALS_IN[facts["format"]]) if m in names]
    if names.count(_plain(header)) != 1:
        return None
    at, total = names.index(_plain(header)), Decimal(0)
    for row in rows[facts["header_row"] :]:
        filled = [cell.strip() for cell in row if cell.strip()]
        marked = [row[mark].strip() for mark in marks if mark < len(row)]
        if len(filled) < 2 or any(TOTALS.fullmatch(mark) for mark in marked):
            continue
        cell = row[at].strip() if at < len(row) else ""
        try:
            total += (
                Decimal(re.sub(r"[￥¥$,，元\s]", "", cell))
                if cell.lower() not in ("", "-", "--", "nan", "nat", "none")
                else 0
            )
        except InvalidOperation:
            return None
    return total


def _plain(cell: object) -> str:
    return re.sub(r"[\s\ufeff]+", "", unicodedata.normalize("NFKC", str(cell))).casefold()


def _grid(data: bytes) -> list[list[str]] | None:
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" or data[:2] == b"PK":
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        return [[str(cell) for cell in row] for row in rows]
    for encoding in (
        ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    ):
        try:
            text = data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
        csv.field_size_limit(10**7)
        rows = list(csv.reader(io.StringIO(text, newline="")))
        return rows if max(map(len, rows), default=0) > 2 else None
    return None
