import csv
import io
import os
import re
import shutil
import subprocess
import zipfile

import pytest
from python_calamine import CalamineWorkbook
from small_shops import ROOT

from shopanalysis import worklists
from shopanalysis.findings import OWNERS
from shopanalysis.report import as_csv
from shopanalysis.words import Words

ABOUT = {"name": "茶杯店", "date": "2026-11-20", "basis": "buyers/visitors"}
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "=cmd|'/c calc'!A1",
    "-1+1",
    "x" * 4000,
    "\u202eabc مرحبا",
    "🛏️ bed",
]
ID = "4026000065701058225"


def finding(**more) -> dict:
    both = {"en": "Do it.", "zh": "去做。"}
    about = {"severity": "info", "owner": "service", "notebook": "n", "sentence": both}
    return about | {"action": both, "rule": {"en": "C19"}} | more


def orders(titles=("a",), owner="service", table="unpaid", **columns):
    head = ["order_id", "title", "created_at", "order_amount", "chance", "reason"]
    rows = [[ID, title, "2026-11-18", "1384.8", "0.25", "luck"] for title in titles]
    return worklists.WorkList(owner, "n", table, head, rows)


def made(findings=(), lists=(), words=None) -> bytes:
    return worklists.workbook(findings, lists, {"n": "Who?"}, ABOUT, words or Words("en"))


def sheets(content: bytes) -> dict[str, list[list]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(content: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def test_every_owner_has_a_sheet_of_what_to_do_with_the_most_urgent_first():
    todo = [finding(severity="info"), finding(severity="critical", action={"en": "First!"}),
            finding(owner="design"), finding(owner="stock", action={})]  # fmt: skip
    read = sheets(made(todo))
    assert list(read) == ["Design", "Service"]
    assert read["Service"][1][:3] == ["Urgency", "To do", "Because"]
    assert [row[1] for row in read["Service"][2:]] == ["First!", "Do it."]
    assert read["Service"][2][4] == "Who?"


def test_a_list_stands_behind_its_owner_with_numbers_days_and_words():
    read = sheets(made([finding(), finding(owner="stock")], [orders()]))
    assert list(read) == ["Service", "Orders still open", "Stock"]
    title, head, row = read["Orders still open"]
    assert title[0] == "Orders still open · 茶杯店 · 20 Nov 2026 · Service · Who?"
    assert head[:2] == ["Order", "Item"]
    assert row[0] == ID
    assert (row[2].isoformat()[:10], row[3], row[4]) == ("2026-11-18", 1384.8, 0.25)
    assert row[5] == "may be luck"


def test_a_long_id_is_text_and_a_title_is_never_a_formula():
    content = made([], [orders(HOSTILE)])
    assert [row[1] for row in sheets(content)["Orders still open"][2:]] == HOSTILE
    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet
    assert ID not in sheet  # text stands in the table of shared strings
    assert ID in part(content, "xl/sharedStrings.xml")


def test_what_the_csv_had_to_quote_is_itself_again(tmp_path):
    import pandas as pd

    file = tmp_path / "n.unpaid.csv"
    frame = pd.DataFrame({"order_id": [ID] * len(HOSTILE), "title": HOSTILE, "order_amount": -1.5})
    file.write_text("\ufeff" + as_csv(frame), encoding="utf-8", newline="")
    one = worklists.read(file, "service", "n", "unpaid")
    rows = sheets(made([], [one]))["Orders still open"][2:]
    assert [row[1] for row in rows] == HOSTILE
    assert {row[2] for row in rows} == {-1.5}
    assert worklists.read(tmp_path / "none.csv", "service", "n", "none") is None


def test_the_head_is_frozen_filtered_and_explained():
    content = made([], [orders(["a", "b"])])
    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert re.search(r'<pane ySplit="2" topLeftCell="A3"[^>]*state="frozen"', sheet)
    assert '<autoFilter ref="A2:F4"/>' in sheet
    assert "The platform's order id." in part(content, "xl/comments1.xml")


def test_amounts_are_in_the_shops_currency_as_the_language_writes_it():
    styles = part(made([], [orders()]), "xl/styles.xml")
    assert 'formatCode="&quot;¥&quot;#,##0.00"' in styles


def test_sheet_names_are_such_as_excel_takes():
    lists = [orders(table="a/very:long[name]*of?a table that\\ goes on"), orders(table="unpaid"),
             orders(table="unpaid")]  # fmt: skip
    names = list(sheets(made([], lists)))
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert names[1:] == ["Orders still open", "Orders still open 2"]


def test_the_same_input_gives_the_same_bytes():
    assert made([finding()], [orders(HOSTILE)]) == made([finding()], [orders(HOSTILE)])


def test_nothing_to_do_is_no_workbook():
    assert made([finding(action={}, owner="")]) == b""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_owner_and_column_has_its_words(language):
    content = made([finding(owner=owner) for owner in OWNERS], [orders()], Words(language))
    assert len(sheets(content)) == len(OWNERS) + 1


@pytest.mark.browser
def test_libreoffice_opens_it_with_ids_and_titles_intact(tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        missing = "LibreOffice is not installed"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    (tmp_path / "actions.xlsx").write_bytes(made([finding()], [orders(HOSTILE)]))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    command = [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", every_sheet, "--outdir", str(tmp_path), "actions.xlsx"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=180, capture_output=True)
    text = (tmp_path / "actions-Orders still open.csv").read_text("utf-8")
    rows = list(csv.reader(io.StringIO(text)))[2:]
    assert [row[0] for row in rows] == [ID] * len(HOSTILE)
    assert [row[1] for row in rows] == HOSTILE
    assert {row[3] for row in rows} == {"1384.8"}


def test_work_lists_named_by_the_notebooks_have_a_name_of_their_own():
    from shopanalysis.batch.notebooks import discover

    named = [table for one in discover(ROOT / "notebooks") for table in one.work_lists]
    assert len(named) >= 5
    assert all(Words("en").has(f"work_list.{table}") for table in named)
