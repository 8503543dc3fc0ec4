"""Damaged files: each is read exactly or refused with a message that names the place."""

import re
import shutil
import struct
import zipfile
import zlib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import vendor_files as vendor
from export_fixtures import FIXTURES
from fuzzing import cases, judged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopanalysis import exports, tables
from shopanalysis.exports import archives, readers

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_exactly_or_refused(tmp_path, seed):
    verdicts: Counter[str] = Counter()
    for number, case in enumerate(cases(seed, 85)):
        folder = tmp_path / str(number)
        try:
            verdicts[judged(case, folder)] += 1
        except BaseException as why:
            raise AssertionError(
                f"case {number} of seed {seed}: {case.fixture}, {case.what}"
            ) from why
        shutil.rmtree(folder)
    assert verdicts["read"] > 10
    assert verdicts["refused"] > 10


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"PAR1", b"<table>", b"\xff\xfe", b"a,b\n"]),
)
def test_bytes_of_any_kind_never_pass_for_a_report(tmp_path_factory, content, start):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a.csv").write_bytes(start + content)
    result = exports.import_files(folder / "shop", [folder / "a.csv"], today=TODAY)
    assert [file.refused.startswith("a.csv") for file in result.refused] == [True]
    assert not (folder / "shop").exists()


def test_a_refused_file_leaves_every_byte_of_a_shop(tmp_path):
    shop = tmp_path / "shop"
    exports.import_files(shop, [FIXTURES["orders, new"].file(tmp_path)], today=TODAY)
    before = {f: f.read_bytes() for f in shop.rglob("*") if f.is_file()}
    refused = 0
    for number, case in enumerate(cases(77, 40)):
        file = tmp_path / "damaged" / str(number) / case.name
        file.parent.mkdir(parents=True)
        file.write_bytes(case.data)
        dry = exports.import_files(shop, [file], today=TODAY, dry=True)
        if dry.refused:
            refused += 1
            again = exports.import_files(shop, [file], today=TODAY)
            assert [f.refused for f in again.refused] == [f.refused for f in dry.refused]
        assert {f: f.read_bytes() for f in shop.rglob("*") if f.is_file()} == before
    assert refused > 10


# ---- files made to harm --------------------------------------------------------------------------


def refusal(folder: Path, file: Path) -> str:
    (told,) = exports.import_files(folder / "shop", [file], today=TODAY).refused
    assert not (folder / "shop").exists()
    return told.refused


def workbook(path: Path, body: str, before: str = "") -> Path:
    """A workbook whose sheet holds `body` as it stands, after `before` at the top of the XML."""
    vendor.xlsx(path, [["a"]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    head = parts["xl/s.xml"].decode().split("<sheetData>")[0]
    parts["xl/s.xml"] = f"{before}{head}<sheetData>{body}</sheetData></worksheet>".encode()
    return vendor.zipped_as(path, parts)


def test_a_cell_in_the_last_corner_does_not_lay_out_the_whole_sheet(tmp_path):
    body = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    told = refusal(tmp_path, workbook(tmp_path / "a.xlsx", body))
    assert told.startswith("a.xlsx: lays out 17,179,869,184 cells; allowed: 20,000,000.")


def test_a_column_that_no_old_workbook_has_does_not_lay_out_four_billion_cells(tmp_path):
    """A number's record: type 0x203, length 14, then row and column; xlwt writes it as it is."""
    import xlwt

    book = xlwt.Workbook()
    book.add_sheet("a").write(9, 1, 12345.678)
    book.save(str(tmp_path / "a.xls"))
    data = (tmp_path / "a.xls").read_bytes()
    at = data.index(b"\x03\x02\x0e\x00\x09\x00\x01\x00")
    (tmp_path / "a.xls").write_bytes(data[: at + 4] + b"\xff\xff\xff\xff" + data[at + 8 :])
    told = refusal(tmp_path, tmp_path / "a.xls")
    assert told.startswith("a.xls: lays out 4,294,967,296 cells; allowed: 20,000,000.")


FIRST = '<row r="1"><c r="A1"><v>1</v></c></row>'
LAST = '<row r="1048576"><c {}r="XFD1048576"><v>2</v></c></row>'


@pytest.mark.parametrize(
    "body",
    [
        FIRST + LAST.format('a=">" '),
        FIRST + LAST.format(f'a="{"x" * 300}" '),
        '<row><c r="XFD1"><v>1</v></c></row>' + "<row/>" * 200_000 + FIRST.replace(' r="1"', ""),
        f"<row>{'<c/>' * 90_000}<c><v>1</v></c></row>{'<row/>' * 90_000}<row><c><v>1</v></c></row>",
    ],
    ids=["behind a bracket", "behind a long text", "rows without numbers", "cells without names"],
)
def test_a_last_corner_that_is_hidden_or_counted_is_found(tmp_path, body):
    told = refusal(tmp_path, workbook(tmp_path / "a.xlsx", body))
    assert re.match(r"a.xlsx: lays out [\d,]{13,} cells; allowed: 20,000,000\.", told), told


def test_a_sheet_is_found_whatever_its_part_is_called(tmp_path):
    file = workbook(tmp_path / "a.xlsx", FIRST + LAST.format(""))
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name).replace(b"s.xml", b"s.dat") for name in book.namelist()}
    parts["xl/s.dat"] = parts.pop("xl/s.xml")
    assert "lays out 17,179,869,184 cells" in refusal(tmp_path, vendor.zipped_as(file, parts))


def old_workbook(path: Path, **changes: int) -> Path:
    """An old workbook of some cells with another number in its header or a record."""
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("a")
    for row in range(9):
        page.write(row, 0, f"text {row}")
    book.save(str(path))
    data = bytearray(path.read_bytes())
    places = {"rows": data.index(b"\x00\x02\x0e\x00") + 8, "cutoff": 56, "version": 26}
    table = 512 * (1 + struct.unpack_from("<I", data, 76)[0])
    places |= {"second sector": table + 4}
    for name, number in changes.items():
        struct.pack_into("<I", data, places[name], number)
    path.write_bytes(data)
    return path


def test_a_sheet_that_says_it_has_four_billion_rows_is_refused_before_it_is_opened(tmp_path):
    """The native reader sets memory aside for as many cells, and ends the program when there is none."""
    told = refusal(tmp_path, old_workbook(tmp_path / "a.xls", rows=2**32 - 1))
    assert told.startswith("a.xls: lays out 4,294,967,295 cells; allowed: 20,000,000.")


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"cutoff": 2**31}, "no such sectors"), ({"second sector": 1}, "do not hang together")],
)
def test_an_old_workbook_that_two_readers_may_read_differently_is_refused(tmp_path, changes, why):
    """The records that are looked at must be those that the native reader gets."""
    told = refusal(tmp_path, old_workbook(tmp_path / "a.xls", **changes))
    assert told.startswith("a.xls: cannot be read as an Excel file (")
    assert why in told


def test_an_old_workbook_that_is_cut_off_is_refused(tmp_path):
    """Even where only an end is missing that holds no cell."""
    file = old_workbook(tmp_path / "a.xls")
    file.write_bytes(file.read_bytes()[:-20])
    assert "its end is missing" in refusal(tmp_path, file)


def test_an_old_workbook_is_read_from_its_stream_alone(tmp_path):
    """Of this version the native reader takes no such file, but the zip behind it, which nobody checked."""
    first = old_workbook(tmp_path / "a.xls", version=0xFFFE0004).read_bytes()
    (sheet,) = readers.sheets(first + workbook(tmp_path / "b.xlsx", FIRST).read_bytes())
    assert [row[0] for row in sheet.cells] == [f"text {row}" for row in range(9)]


def test_a_zip_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    """Its sheet claims to end before the cell in the last corner, with the sum of what it claims."""
    file = workbook(tmp_path / "a.xlsx", FIRST + LAST.format(""))
    data = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as book:
        entry, whole = book.getinfo("xl/s.xml"), book.read("xl/s.xml")
    shown = whole[: whole.index(b'<row r="1048576"')]
    claim = struct.pack("<III", zlib.crc32(shown), entry.compress_size, len(shown))
    name, at = b"xl/s.xml", data.index(b"PK\1\2")
    while data[at + 46 : at + 46 + len(name)] != name:
        at = data.index(b"PK\1\2", at + 4)
    data[at + 16 : at + 28] = claim
    data[entry.header_offset + 14 : entry.header_offset + 26] = claim
    file.write_bytes(data)
    told = refusal(tmp_path, file)
    assert told.startswith("a.xlsx: cannot be read as an Excel file ("), told


def test_a_workbook_that_unpacks_beyond_measure_is_refused(tmp_path, monkeypatch):
    file = workbook(tmp_path / "a.xlsx", f"<row>{' ' * 5000}</row>")
    monkeypatch.setattr("shopanalysis.exports.workbooks.MOST_FILE", 4000)
    assert "would unpack to 0 MB; allowed: 0 MB" in refusal(tmp_path, file)


ENTITIES = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("entity", ["&b;", "&c;"])
def test_entities_of_a_workbook_are_not_expanded(tmp_path, entity):
    body = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{entity}</t></is></c></row>'
    told = refusal(tmp_path, workbook(tmp_path / "a.xlsx", body, ENTITIES))
    assert "aaaa" not in told
    assert "unrecognized entity" in told


def test_entities_of_a_web_page_are_not_expanded(tmp_path):
    page = f"{ENTITIES}<html><table><tr><td>商品ID</td><td>&b;&c;</td></tr></table></html>"
    (tmp_path / "a.xls").write_text(page, encoding="utf-8")
    assert "aaaa" not in refusal(tmp_path, tmp_path / "a.xls")


@pytest.mark.parametrize("name", ["../a.xls", "/a.xls", "C:/a.xls", "..\\a.xls", "x/../../a.xls"])
def test_nothing_is_ever_written_where_an_archive_points(tmp_path, name):
    archive = vendor.zipped_as(tmp_path / "a.zip", {name: b"x,y\n1,2\n"})
    before = sorted(tmp_path.rglob("*"))
    assert "points outside the archive" in refusal(tmp_path, archive)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_that_would_unpack_beyond_measure_is_refused_before_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILE", 1000)
    monkeypatch.setattr(archives, "_unpacked", None)
    archive = vendor.zipped(tmp_path / "a.zip", big=b"0" * 2000)
    assert "holds big, which would unpack to 0 MB" in refusal(tmp_path, archive)


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path):
    archive = vendor.zipped(tmp_path / "a.zip", big=b"0" * 5000)
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(bytes(data))
    assert "a.zip" in refusal(tmp_path, archive)


def test_a_file_of_500_megabytes_is_refused_without_reading_it(tmp_path, monkeypatch):
    file = tmp_path / "a.csv"
    with file.open("wb") as sparse:
        sparse.truncate(500 * 2**20)
    monkeypatch.setattr("shopanalysis.exports.records._sha256", lambda path: "0")
    monkeypatch.setattr("shopanalysis.exports.mappings.digest", lambda folder: "0")
    monkeypatch.setattr(Path, "read_bytes", None)
    assert refusal(tmp_path, file) == (
        "a.csv: has 500 MB; allowed: 256 MB. Export fewer days at a time, or split the file."
    )


def test_a_quote_that_swallows_rows_is_refused(tmp_path):
    fixture = FIXTURES["search words"]
    rows = [",".join(row) for row in fixture.rows[fixture.header :]]
    rows[1] = rows[1].replace("被子 冬", '"被子 冬')
    rows[2] = rows[2].replace("四件套", '四件套"')
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert "a.csv: row 2" in refusal(tmp_path, tmp_path / "a.csv")


def test_a_message_of_two_lines_in_a_cell_is_no_such_quote(tmp_path):
    fixture = FIXTURES["orders, new"]
    rows = [list(row) for row in fixture.rows]
    rows[1][rows[0].index("买家留言")] = "快点,\n谢谢"
    exports.import_files(tmp_path / "shop", [fixture.write(tmp_path / "o.csv", rows)], today=TODAY)
    assert len(tables.read(tmp_path / "shop", "orders")) == 6


def test_a_line_end_of_another_kind_before_the_head_costs_no_row(tmp_path):
    fixture = FIXTURES["scores"]
    text = "\r\n".join(",".join(row) for row in fixture.rows)
    (tmp_path / "DSR.csv").write_bytes(("\r" + text + "\r\n").encode())
    exports.import_files(tmp_path / "shop", [tmp_path / "DSR.csv"], today=TODAY)
    days = tables.read(tmp_path / "shop", "shop_day")["date"].dt.day.tolist()
    assert days == [17, 18]


def test_a_download_that_broke_off_in_an_order_without_a_day_is_read(tmp_path):
    fixture = FIXTURES["Shopify orders"]
    rows = [list(row) for row in fixture.rows[:5]]
    rows[4] = rows[4][:13]
    text = "\n".join(",".join(row) for row in rows)
    (tmp_path / "o.csv").write_text(text, encoding="utf-8")
    exports.import_files(tmp_path / "shop", [tmp_path / "o.csv"], today=TODAY)
    assert len(tables.read(tmp_path / "shop", "orders")) == 3
