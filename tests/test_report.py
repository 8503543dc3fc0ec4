import csv
import io
import json

import nbformat
import numpy as np
import pandas as pd
import pytest
from small_shops import shop_days

from shopanalysis import rendering, report, tables
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.findings import Finding
from shopanalysis.words import Words

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(folder):
    tables.write(folder, "shop_day", shop_days("2026-11-01", sales=[1.0, 2.0]))
    return report.open_page(str(folder), "2026-11-02", "zh")


def finding(**more) -> Finding:
    values = {"count": 1, "names": [HOSTILE], "visitors": 60, "usual": 110, "ratio": -0.4545,
              "ratio_before": -0.4}  # fmt: skip
    given = {"id": "x", "severity": "warning", "metric": "visitors", "text": "visits_fell",
             "rule": "B07", "values": values} | more  # fmt: skip
    return Finding(**given)


def test_a_page_needs_a_shop_a_day_and_a_language(folder):
    with pytest.raises(ParameterError, match="There is no shop in"):
        report.open_page(str(folder / "no"), "2026-11-02", "en")
    with pytest.raises(ParameterError, match="date is '2026-13-02'; expected a day"):
        report.open_page(str(folder), "2026-13-02", "en")
    with pytest.raises(ParameterError, match="language is 'fr'; allowed: en, es, zh"):
        report.open_page(str(folder), "2026-11-02", "fr")


def test_days_after_the_date_are_not_looked_at(folder, page):
    early = report.open_page(str(folder), "2026-11-01", "en")
    assert early.table_of("shop_day")["sales"].tolist() == [1]
    assert report.open_page(str(folder), "2026-10-31", "en").table_of("shop_day").empty


def test_a_finding_is_said_in_the_pages_language_and_kept_in_both(page):
    shown = page.findings(
        [finding(value=60, low=float("nan"), owner="promotion", action="check_sources")]
    )
    record = shown.data[report.FINDINGS][0]
    assert "1 个来源的访问数低于通常范围" in shown.text
    assert record["sentence"]["en"].startswith(
        "Visits fell below their usual range in 1 source: <img"
    )
    assert record["sentence"]["zh"] in shown.text
    assert record["action"]["en"].startswith("Look at <img")
    assert (record["value"], record["low"]) == (60, None)
    json.dumps(record, allow_nan=False)


def test_at_most_three_decisions_and_the_urgent_ones_first(page):
    severities = ["good", "info", "warning", "critical", "warning"]
    shown = page.findings(
        [finding(id=str(i), severity=s, owner="design", action="fix_page_first")
         for i, s in enumerate(severities)]
    )  # fmt: skip
    assert shown.html.count("<li>") == 3
    assert [f["id"] for f in shown.data[report.FINDINGS]] == ["3", "0", "1", "2", "4"]


def test_html_escapes_all_data(page):
    frame = pd.DataFrame({"title": [HOSTILE], "sales": [3.0]})
    table = page.table(frame, name="screen", values=page.period(7), source="item_day")
    for shown in (page.findings([finding()]), table):
        assert "<img" not in shown.html
        assert "&lt;img src=x" in shown.html


def test_a_table_writes_each_column_as_its_metric_and_keeps_every_row_in_its_csv(page):
    frame = pd.DataFrame({"title": [f"i{i}" for i in range(30)], "sales": 1234.5, "conversion": 0.02,
                          "low": 0.01, "high": 0.03})  # fmt: skip
    shown = page.table(frame, name="screen", values=page.period(7), source="item_day", rows=5)
    assert shown.html.count("<tr>") == 6
    assert "Sales" not in shown.html
    assert "销售额 <small>¥</small></th>" in shown.html
    assert ">1,234</td>" in shown.html
    assert "1.00% – 3.00%" in shown.html
    assert "30 行中的 5 行" in shown.html
    lines = shown.data[report.TABLE]["csv"].splitlines()
    assert lines[:2] == ["title,sales,conversion,low,high", "i0,1234.5,0.02,0.01,0.03"]
    assert len(lines) == 31


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_takes_a_title_for_a_formula(start):
    written = report.as_csv(pd.DataFrame({"title": [f"{start}cmd|' /C calc'!A1"]}))
    assert written.splitlines()[1].strip('"').startswith(f"'{start}".strip("\r")[:1])
    assert "'" + start in written


@pytest.mark.parametrize(
    "title", [HOSTILE, "=cmd|'/c calc'!A1", "长" * 4000, "שלום קנה", "🧵四件套🎁", 'a,"b"\nc']
)
def test_whatever_a_title_is_it_is_in_the_csv_as_itself(title):
    written = report.as_csv(pd.DataFrame({"title": [title], "sales": [1.0]}))
    (row,) = csv.DictReader(io.StringIO(written))
    assert row["title"] == ("'" + title if title.startswith("=") else title)


@pytest.mark.parametrize("title", ["长" * 4000, "שלום קנה " * 500])
def test_a_long_title_does_not_fill_the_page_of_a_sentence(page, title):
    shown = page.findings([finding(values=finding().values | {"names": [title, "b"]})])
    assert len(shown.text) < 200
    assert title[:8] in shown.text
    assert "、b" in shown.text


def test_letters_from_right_to_left_turn_nothing_around_them():
    said = Words("en").say("page.source", source="שלום")
    assert said == "Source: \u2068שלום\u2069."
    assert Words("en").say("page.source", source="shop") == "Source: shop."


def test_csv_keeps_negative_numbers_as_numbers_and_missing_as_empty():
    frame = pd.DataFrame({"a": [-1.5, np.nan], "b": [pd.Timestamp("2026-11-20"), pd.NaT]})
    assert report.as_csv(frame) == "a,b\n-1.5,2026-11-20\n,\n"


def test_what_the_tables_cannot_say_is_said_to_be_missing(page):
    shown = page.table(
        pd.DataFrame({"title": []}), name="categories", values=page.period(7), source="x"
    )
    assert "暂无数据" in shown.text


def test_a_check_that_fails_stops_the_run(page):
    assert page.checks([("plan_adds_up", 10.0, 10.004)]).text.startswith("ok: ")
    with pytest.raises(DataError, match=r"Check failed: plan_adds_up: 10\.00 against 10\.02"):
        page.checks([("plan_adds_up", 10.0, 10.02)])


def _notebook(*cells):
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    return nbformat.from_dict(notebook)


def test_a_report_has_no_script_no_code_and_asks_nobody_anything(page):
    shown = page.findings([finding()])
    code = nbformat.v4.new_code_cell("secret = 1", outputs=[
        nbformat.v4.new_output("execute_result", shown._repr_mimebundle_(), execution_count=1),
        nbformat.v4.new_output("stream", text="a warning of some library", name="stderr"),
    ])  # fmt: skip
    title = nbformat.v4.new_markdown_cell("# Which items are bestsellers?", id="title")
    about = {"notebook": "bestsellers", "title": "x", "shop": HOSTILE, "date": "2026-11-02",
             "version": "1", "parameters": {"shop": HOSTILE}}  # fmt: skip
    html = rendering.render(_notebook(title, code), about, Words("zh"))
    assert '<html lang="zh-CN">' in html
    assert "default-src 'none'" in html
    for unwanted in ("<script", "http://", "https://", "secret", "a warning of", "<img", "¶"):
        assert unwanted not in html, unwanted
    assert "哪些商品是爆款" in html


def test_findings_and_tables_are_collected_from_an_executed_notebook(page):
    table = page.table(
        pd.DataFrame({"sales": [1.0]}), name="screen", values=page.period(7), source="x"
    )
    shown = [page.findings([finding()]), table]
    cells = [
        nbformat.v4.new_code_cell("x", outputs=[
            nbformat.v4.new_output("execute_result", s._repr_mimebundle_(), execution_count=1)])
        for s in shown
    ]  # fmt: skip
    findings, csv = rendering.collect(_notebook(*cells))
    assert [f["id"] for f in findings] == ["x"]
    assert csv == {"screen": "sales\n1\n"}
