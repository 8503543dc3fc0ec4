import os
import re
import shutil

import pytest

from shopanalysis import pdf
from shopanalysis.__main__ import main
from shopanalysis.errors import ParameterError

DATED = b"1 0 obj <</CreationDate (D:20261122082540+00'00')\n/ModDate (D:20261122082541+00'00')>>"


@pytest.fixture
def report(tmp_path):
    page = tmp_path / "daily.html"
    page.write_text(
        '<html lang="zh"><body><h1>日报</h1><p style="break-before: page">2</p></body></html>'
    )
    return page


@pytest.fixture
def browser(tmp_path):
    """A stand-in for Chromium: it prints what it was told to print, or nothing at all."""
    program = tmp_path / "chromium"
    program.write_text(
        '#!/bin/sh\nfor a; do case "$a" in --print-to-pdf=*) out="${a#*=}";; esac; done\n'
        'case "$a" in *broken*) echo "no room" >&2; exit 3;; esac\necho "$a" > "$out"\n'
    )
    program.chmod(0o755)
    return str(program)


def test_a_pdf_says_not_when_it_was_printed_and_keeps_its_length():
    undated = pdf._undated(DATED)
    assert len(undated) == len(DATED)
    assert b"2026" not in undated
    assert undated.count(b"(D:20000101000000+00'00')") == 2
    short = b"/ModDate (D:2026)"
    assert pdf._undated(short) == short


def test_the_pdf_stands_beside_its_report_and_nothing_else_is_left(report, browser):
    made = pdf.write(report, browser)
    assert made == report.with_suffix(".pdf")
    assert made.read_text().strip() == report.as_uri()
    assert {file.name for file in report.parent.iterdir()} == {
        "daily.html",
        "daily.pdf",
        "chromium",
    }


def test_a_browser_that_prints_nothing_leaves_the_earlier_pdf(tmp_path, browser):
    page, earlier = tmp_path / "broken.html", tmp_path / "broken.pdf"
    page.write_text("x")
    earlier.write_text("earlier")
    with pytest.raises(OSError, match=r"chromium could not print .*broken\.html: no room"):
        pdf.write(page, browser)
    assert earlier.read_text() == "earlier"


def test_a_folder_is_all_of_its_reports_without_error_pages(report):
    (report.parent / "stock.html").touch()
    (report.parent / "stock.error.html").touch()
    assert [p.name for p in pdf.reports_in([report.parent, report])] == ["daily.html", "stock.html"]


@pytest.mark.parametrize("name", ["none.html", "run.json", "empty"])
def test_what_is_no_report_is_refused(tmp_path, name):
    (tmp_path / "run.json").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match=f"report.*{name}|{name}.* is not a report"):
        pdf.reports_in([tmp_path / name])


def test_without_chromium_one_sentence_says_so(report, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(["pdf", str(report)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("shopanalysis: There is no Chromium here to print with: install")
    assert not report.with_suffix(".pdf").exists()


@pytest.mark.browser
def test_chromium_prints_the_same_bytes_twice(report, capsys):
    if not shutil.which("chromium"):
        missing = "Chromium is not installed"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    printed = []
    for _ in range(2):
        assert main(["pdf", str(report)]) == 0
        printed.append(report.with_suffix(".pdf").read_bytes())
    assert capsys.readouterr().out == f"{report.with_suffix('.pdf')}\n" * 2
    assert printed[0] == printed[1]
    assert printed[0].startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b(?!s)", printed[0])) == 2
