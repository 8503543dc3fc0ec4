import json
import re
from datetime import date

import pytest
from bs4 import BeautifulSoup

from shopanalysis.batch import front
from shopanalysis.batch.digest import Kept, month_to, sales_by_day, week_to
from shopanalysis.findings import decisions, watched
from shopanalysis.words import Words

EN = Words("en", "CNY")
HOSTILE = "<img src=x onerror=alert(1)>"


def record(**more) -> dict:
    return {"notebook": "daily_report", "id": "x", "severity": "warning", "metric": "sales", "value": 1.0,
            "unit": "currency", "baseline": None, "owner": "design", "action": {}, "rule": {},
            "sentence": {"en": "One.", "zh": "一。"}} | more  # fmt: skip


def kept(out, day, sales, findings=(), shop="tea", tables=()):
    """A run's folder: `sales` by day, the last on `day`."""
    folder = out / day / shop
    (folder / "tables").mkdir(parents=True)
    run = {"shop": shop, "name": "Tea", "language": "en", "notebooks": {}, "refused": [],
           "finished": "2026-11-22T08:00:00+00:00", "seconds": 3.0,
           "versions": {"shopanalysis": "1"}}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    (folder / "findings.json").write_text(json.dumps({"findings": list(findings)}), "utf-8")
    rows = "".join(f"{day},{amount}\n" for day, amount in sales.items())
    (folder / "tables/daily_report.daily.csv").write_text("\ufeffdate,sales\n" + rows, "utf-8")
    for name, text in dict(tables).items():
        (folder / f"tables/daily_report.{name}.csv").write_text("\ufeff" + text, "utf-8")
    return Kept(folder)


def days(*amounts, first=1):
    return {f"2026-11-{first + n:02}": amount for n, amount in enumerate(amounts)}


def written(out, shop="tea"):
    fronts = front.Fronts(out, shop, [], out / ".cache")
    (out / ".cache").mkdir(exist_ok=True)
    return fronts


def text_of(path) -> str:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser").get_text(" ", strip=True)


def test_the_same_thing_said_by_two_reports_is_watched_once():
    month = {"metric": "sales", "unit": "currency", "baseline": 1_320_000.0}
    records = [record(id="a", **month), record(id="b", **month), record(id="c"), record(id="d"),
               record(id="e", severity="critical")]  # fmt: skip
    assert [found["id"] for found in watched(records)] == ["e", "a", "c", "d"]


def test_no_two_decisions_ask_for_the_same():
    records = [record(id=str(n), action={"en": f"Do {n // 2}."}) for n in range(9)]
    assert [found["id"] for found in decisions(records)] == ["0", "2", "4"]


def test_the_newest_run_has_the_last_word_on_a_days_sales(tmp_path):
    old = kept(tmp_path, "2026-11-02", days(10, 20))
    new = kept(tmp_path, "2026-11-03", days(11, 22, 33))
    assert sales_by_day([new, old]) == {
        date(2026, 11, 1): 11,
        date(2026, 11, 2): 22,
        date(2026, 11, 3): 33,
    }


def test_a_week_is_summed_and_held_against_the_seven_days_before(tmp_path):
    runs = [kept(tmp_path, "2026-11-14", days(*[1] * 7, *[3] * 7))]
    week = week_to(date(2026, 11, 14), runs)
    assert (week.total, week.before, week.first) == (21, 7, date(2026, 11, 8))
    month = month_to(date(2026, 11, 14), runs)
    assert (month.total, month.before, len(month.days)) == (28, None, 14)


def test_a_period_tells_what_was_watched_on_all_its_days_once(tmp_path):
    early = kept(tmp_path, "2026-11-10", days(1), [record(id="a", baseline=5.0), record(id="b")])
    late = kept(tmp_path, "2026-11-12", days(1), [record(id="c", baseline=5.0)])
    outside = kept(tmp_path, "2026-11-01", days(1), [record(id="d")])
    found = watched(week_to(date(2026, 11, 12), [outside, early, late]).findings)
    assert [(f["id"], f["day"].day) for f in found] == [("c", 12), ("b", 10)]


BRIDGE = "factor,amount\nbefore,100\nvisitors,-30\nconversion,10\norder_value,0\nafter,80\n"
PACE = ("metric,amount\ntarget,1000\nsales,500\ndue,600\nmonth_end,900\nmonth_low,800\nmonth_high,950\n"
        "chance,0.004\n")  # fmt: skip
KEY = "metric,value,usual,change,real,history\nsales,80,100,-0.2,fell,100 90 80\n"


@pytest.fixture
def page(tmp_path):
    findings = [record(id="day_target", value=80.0, baseline=100.0, severity="info"),
                record(id="m", sentence={"en": f"Behind {HOSTILE}.", "zh": "。"}, owner="leadership",
                       action={"en": "Act.", "zh": "做。"}, rule={"en": "R", "zh": "R"})]  # fmt: skip
    tables = {"figure_bridge": BRIDGE, "pace": PACE, "key_figures": KEY}
    kept(tmp_path, "2026-11-20", days(100, 90, 80, first=18), findings, tables=tables)
    written(tmp_path).write(date(2026, 11, 20), EN)
    return tmp_path / "2026-11-20/tea/index.html"


def test_the_front_page_has_attainment_key_figures_bridge_decisions_and_what_to_watch(page):
    text = text_of(page)
    parts = ("The day's target 80.0%", "¥80.00 of ¥100", "The month's target 50.0%",
             "Chance of the target: below 1%", "Sales ¥80.00", "down, more than luck", "One.",
             "Last week ¥100", "Visitors −¥30.00", "Order value ¥0", "This day ¥80.00",
             "Leadership Act.", f"Watch Behind {HOSTILE}.")  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "<img" not in page.read_text("utf-8")


def test_the_months_page_has_the_months_attainment_and_decisions(page):
    text = text_of(page.with_name("month.html"))
    assert "The month's target 50.0%" in text
    assert "¥270 over 3 days" in text
    assert "Leadership Act." in text
    assert "target" not in text_of(page.with_name("week.html"))


def test_a_bar_is_as_long_as_what_is_attained(page):
    tracks = re.findall(r'<i class="" style="width:([\d.]+)%"', page.read_text("utf-8"))
    assert tracks == ["80.0", "50.0"]


def test_runs_link_to_the_ones_before_and_after_also_when_these_come_later(tmp_path):
    for day in ("2026-11-18", "2026-11-20"):
        kept(tmp_path, day, days(1, first=18))
        written(tmp_path).write(date.fromisoformat(day), EN)
    kept(tmp_path, "2026-11-19", days(1, first=18), [record()])
    written(tmp_path).write(date(2026, 11, 19), EN)
    written(tmp_path).renew([date(2026, 11, 19)], "CNY")
    pages = {
        day: (tmp_path / f"2026-11-{day}/tea/index.html").read_text("utf-8") for day in (18, 19, 20)
    }
    assert '"../../2026-11-19/tea/index.html" rel="next"' in pages[18]
    assert '"../../2026-11-18/tea/index.html" rel="prev"' in pages[19]
    assert '"../../2026-11-19/tea/index.html" rel="prev"' in pages[20]
    assert "../../2026-11-19/tea/index.html" in (tmp_path / "2026-11-20/tea/week.html").read_text(
        "utf-8"
    )
    assert "../../2026-11-19/tea/daily_report.html" in (
        tmp_path / "2026-11-20/tea/month.html"
    ).read_text("utf-8")


def test_the_calendar_shows_every_run_of_every_shop_with_its_worst(tmp_path):
    kept(tmp_path, "2026-11-20", days(1, 2, 3), [record(severity="critical")], shop="tea")
    kept(tmp_path, "2026-10-05", {"2026-10-04": 1, "2026-10-05": 2}, shop="茶")
    (tmp_path / ".cache").mkdir()
    front.overview(tmp_path, EN, tmp_path / ".cache")
    soup = BeautifulSoup((tmp_path / "index.html").read_text("utf-8"), "html.parser")
    links = {a["href"]: a.get_text() for a in soup.select(".calendar a")}
    assert links == {"2026-11-20/tea/index.html": "20▲", "2026-10-05/%E8%8C%B6/index.html": "5✓"}
    assert [c.get_text() for c in soup.select("caption")] == ["November 2026", "October 2026"]
    assert len(soup.select("svg.spark")) == 2
    assert len(soup.select(".calendar")[0].select("tbody td")) == 42


def test_findings_from_before_a_language_was_known_do_not_stop_its_pages(tmp_path):
    kept(tmp_path, "2026-11-20", days(100.0, first=20), [record()])
    (tmp_path / "aside").mkdir()
    front.Fronts(tmp_path, "tea", [], tmp_path / "aside").write(date(2026, 11, 20), Words("es"))
    for name in ("index", "week", "month"):
        page = (tmp_path / "2026-11-20" / "tea" / f"{name}.html").read_text("utf-8")
        assert 'lang="es"' in page
        assert "One." not in page


def test_a_page_links_to_the_run_before_however_long_ago_and_reads_no_older_ones(tmp_path):
    for day in ("2025-11-19", "2025-11-20", "2026-11-20"):
        kept(tmp_path, day, {day: 100.0})
    (tmp_path / "2025-11-19/tea/tables/daily_report.daily.csv").write_bytes(b"\xff")
    (tmp_path / "aside").mkdir()
    front.Fronts(tmp_path, "tea", [], tmp_path / "aside").write(date(2026, 11, 20), EN)
    page = (tmp_path / "2026-11-20" / "tea" / "index.html").read_text("utf-8")
    assert "2025-11-20/tea/index.html" in page
