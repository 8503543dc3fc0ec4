import json
import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import nbformat
import pandas as pd
import pytest

from shopanalysis import shop, tables
from shopanalysis.batch import coverage, execution, fingerprints, notebooks, publishing, runs
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.report import FINDINGS, TABLE

PARAMETERS = """shop: str = "nowhere"  # folder of the shop
date: str = "2026-01-01"  # last day looked at
language: str = "en"  # language"""
OWN = """
weeks: int = 2  # how many
bar: float = 0.5  # share
deep: bool = False  # whether
word: str = "tea"  # a word
limit: "Optional[int]" = None  # most, or None"""
SHOWS = f'''import json, os
finding = {{"id": "fell", "severity": "warning", "metric": "sales", "value": 1, "unit": "",
  "sentence": {{"en": f"Sales <fell> on {{date}} to {{word}}.", "zh": "销售额下降。"}},
  "owner": "design", "action": {{"en": "Mend & <wait>.", "zh": "修。"}},
  "rule": {{"en": "A01", "zh": "A01"}}}}
table = {{"name": "days", "csv": "day,seed\\n" + date + "," + os.environ["PYTHONHASHSEED"] + "\\n"}}
display({{"text/html": "<p>" + word + " in " + language + "</p>",
  "{FINDINGS}": [finding], "{TABLE}": table}}, raw=True)'''


def notebook(folder, name, *code, order=1, needs=(), own="", tags=("parameters",), title=None):
    """A notebook with a title, a parameters cell, a heading and cells of `code`."""
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell(f"# {title or 'What about ' + name + '?'}\n\nFor all.", id="title"),
        v4.new_code_cell(PARAMETERS + own, metadata={"tags": list(tags)}, id="parameters"),
        v4.new_markdown_cell("## A question", id="question"),
        *(v4.new_code_cell(source, id=f"code{n}") for n, source in enumerate(code)),
    ]
    about = {"shopanalysis": {"order": order, "needs": list(needs)}}
    node = v4.new_notebook(cells=cells, metadata=about)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(node, folder / f"{name}.ipynb")


def tiny_shop(folder, days=("2026-11-18", "2026-11-19", "2026-11-20")):
    """A shop with sales, but no visitors, on `days`."""
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text('name = "Tea & <Cups>"\nplatform = "tmall"\n', "utf-8")
    rows = {"date": pd.to_datetime(list(days)), "device": "all", "sales": 10.0, "source_file": "-"}
    tables.write(folder, "shop_day", pd.DataFrame(rows))
    return folder


def lines():
    """A reporter, and the lines it was given."""
    said: list[str] = []
    return runs.Reporter(said.append, said.append), said


def everything(folder: Path) -> dict[str, bytes]:
    """The files below `folder`, without locks."""
    files = (
        f
        for f in folder.rglob("*")
        if f.is_file() and not {".cache", ".locks"} & set(f.relative_to(folder).parts)
    )
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in files}


class Ran:
    """One first run over five notebooks, and a second after one was mended and one broken."""

    def __init__(self, root: Path):
        self.root, self.out = root, root / "out {x}"
        self.folder = self.out / "2026-11-20" / "茶_shop"
        books = root / "note{b}ooks"
        tiny_shop(root / "data" / "茶_shop")
        notebook(books, "shows", SHOWS, order=2, own=OWN, needs=["shop_day.sales"])
        notebook(books, "crashes", "x = 1", "raise ValueError('<b>no</b>')", order=1)
        notebook(books, "leaves", "import sys; sys.exit(0)", "x = 1", order=4)
        notebook(
            books,
            "refuses",
            "from shopanalysis.errors import DataError\nraise DataError('day 3 is missing.')",
            order=5,
        )
        notebook(books, "lacks", "1 / 0", order=3, needs=["ad_day.cost", "items.stock|items.x"])
        reporter, self.said = lines()
        self.result = self.run(reporter, settings={"word": '00123 "{y}" \'', "bar": "1e-1"})
        self.first = everything(self.out)
        notebook(books, "crashes", "x = 1", order=1)
        notebook(books, "shows", "raise RuntimeError('later')", order=2, own=OWN)
        self.second_result = self.run(lines()[0], names=["crashes", "shows"])
        self.second = everything(self.out)

    def run(self, reporter, **more):
        return runs.run(
            out=self.out,
            notebooks_folder=self.root / "note{b}ooks",
            data_folder=self.root / "data",
            reporter=reporter,
            **more,
        )

    def read(self, name, files=None):
        return (files or self.first)[f"2026-11-20/茶_shop/{name}"].decode()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    return Ran(tmp_path_factory.mktemp("batch"))


def test_a_run_leaves_its_files_and_nothing_else(ran):
    folder = "2026-11-20/茶_shop/"
    assert {name for name in ran.first if name.startswith(folder)} == {
        folder + name
        for name in (
            "index.html",
            "week.html",
            "month.html",
            "run.json",
            "findings.json",
            "actions.xlsx",
            "shows.html",
            "tables/shows.days.csv",
            "crashes.error.html",
            "leaves.error.html",
            "refuses.error.html",
        )
    }
    assert {name for name in ran.first if not name.startswith(folder)} == {"index.html"}
    assert {path.name for path in ran.out.iterdir()} - {".cache"} == {
        "2026-11-20",
        "index.html",
        ".locks",
    }


def test_pages_made_and_the_worst_exit_code(ran):
    assert ran.result.pages == [ran.folder / "index.html", ran.out / "index.html"]
    assert ran.result.code == 1


def test_parameters_arrive_as_they_were_typed(ran):
    told = json.loads(ran.read("run.json"))["notebooks"]["shows"]["parameters"]
    assert told["word"] == '00123 "{y}" \''
    assert (told["bar"], told["weeks"], told["limit"]) == (0.1, 2, None)
    assert told["shop"] == "茶_shop"
    assert "00123 &#34;{y}&#34; &#39;" in ran.read("index.html")


def test_findings_and_tables_are_collected(ran):
    found = json.loads(ran.read("findings.json"))
    assert (found["shop"], found["date"]) == ("茶_shop", "2026-11-20")
    assert [(f["notebook"], f["id"]) for f in found["findings"]] == [("shows", "fell")]
    assert ran.read("tables/shows.days.csv") == "\ufeffday,seed\n2026-11-20,0\n"


def test_an_error_page_names_the_cell_and_the_cause(ran):
    page = ran.read("crashes.error.html")
    assert "It stopped in code cell 3, under “A question”." in page
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in page
    assert "<b>no</b>" not in page


def test_leaving_a_notebook_with_exit_code_0_is_a_failure(ran):
    assert "ended the notebook before its end" in ran.read("leaves.error.html")


def test_refused_data_is_said_in_its_own_words(ran):
    page = ran.read("refuses.error.html")
    assert '<p class="finding critical">day 3 is missing.</p>' in page


def test_what_a_shop_lacks_is_named_with_what_to_import(ran):
    page = ran.read("index.html")
    assert "ad_day.cost" in page
    assert "items.stock" in page
    assert "推广关键词报表" in page
    assert "UCI" not in page
    assert json.loads(ran.read("run.json"))["notebooks"]["lacks"]["status"] == "missing"


def test_the_index_has_findings_decisions_reports_and_failures_in_order(ran):
    page = ran.read("index.html")
    parts = ("Sales &lt;fell&gt;", "Mend &amp; &lt;wait&gt;.", '<dt><a href="shows.html')
    places = [page.index(part) for part in (*parts, "What about crashes?", "What about lacks?")]
    assert places == sorted(places)
    assert "Tea &amp; &lt;Cups&gt;" in page
    assert 'href="shows.html"' in page
    assert 'href="../../index.html"' in page


def test_every_page_forbids_scripts_and_requests(ran):
    pages = [text.decode() for name, text in ran.first.items() if name.endswith(".html")]
    assert len(pages) == 8
    for page in pages:
        assert "default-src 'none'" in page
        assert "<script" not in page
        assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)


def test_the_overview_links_every_run(ran):
    page = ran.first["index.html"].decode()
    assert 'href="2026-11-20/%E8%8C%B6_shop/index.html">1 to watch, 3 failed</a>' in page


def test_run_json_says_what_went_in(ran):
    run = json.loads(ran.read("run.json"))
    assert set(run["inputs"]) == {"shop.toml", "tables/shop_day.parquet"}
    assert set(run["versions"]) == {"python", "pandas", "papermill", "shopanalysis"}
    assert run["notebooks"]["shows"]["status"] == "done"
    assert str(ran.root) not in ran.read("run.json")


def test_one_line_per_notebook(ran):
    assert len(ran.said) == 5
    assert any(re.fullmatch(r"茶_shop 2026-11-20 shows    \d+\.\d s", line) for line in ran.said)
    assert any("crashes  failed: It stopped in code cell 3" in line for line in ran.said)
    assert any("lacks    not run: needs ad_day.cost" in line for line in ran.said)


def test_a_failure_leaves_the_last_good_report(ran):
    for name in ("shows.html", "findings.json", "tables/shows.days.csv"):
        assert ran.read(name, ran.second) == ran.read(name)
    assert "RuntimeError: later" in ran.read("shows.error.html", ran.second)
    assert 'href="shows.html"' in ran.read("shows.error.html", ran.second)
    assert "stands as it was" in ran.read("index.html", ran.second)


def test_a_success_takes_the_error_page_away_and_others_stay(ran):
    names = {Path(name).name for name in ran.second}
    assert "crashes.error.html" not in names
    assert {"crashes.html", "leaves.error.html", "refuses.error.html"} <= names
    records = json.loads(ran.read("run.json", ran.second))["notebooks"]
    assert {name: record["status"] for name, record in records.items()} == {
        "crashes": "done",
        "shows": "failed",
        "leaves": "failed",
        "refuses": "failed",
        "lacks": "missing",
    }


def run_in(root, **more):
    reporter, said = lines()
    folders = {"notebooks_folder": root / "notebooks", "data_folder": root / "data"}
    return runs.run(**{"out": root / "out", "reporter": reporter} | folders | more), said


WORDS = f"""import json
words = {{hex(number) for number in range(99)}}
table = {{"name": "words", "csv": json.dumps([*words, id])}}
display({{"text/html": "x", "{FINDINGS}": [], "{TABLE}": table}}, raw=True)"""


def test_the_same_inputs_give_the_same_bytes_warm_or_cold_one_worker_or_four_in_any_order(tmp_path):
    for name in ("tea", "cups"):
        tiny_shop(tmp_path / "data" / name)
    names = ["shows", "a_second", "words"]
    notebook(tmp_path / "notebooks", "shows", SHOWS, own=OWN, order=2)
    notebook(tmp_path / "notebooks", "a_second", SHOWS, own=OWN, order=1)
    notebook(tmp_path / "notebooks", "words", "id = 'a'", WORDS, order=3)
    found = []
    for jobs, cold, back in [(1, False, 1), (4, False, -1), (1, True, -1), (4, True, 1)]:
        out = tmp_path / f"{jobs} {cold}"
        shops = ["tea", "cups"][::back]
        given = {"names": names[::back], "shop_names": [str(tmp_path / "data" / s) for s in shops]}
        assert run_in(tmp_path, out=out, jobs=jobs, cold=cold, **given)[0].code == 0
        files = everything(out)
        found.append({n: files[n] for n in files if n.endswith(("findings.json", ".csv"))})
    assert len(found[0]) == 8
    assert found[0]["2026-11-20/tea/findings.json"].count(b'"notebook"') == 2
    assert all(files == found[0] for files in found)


def test_a_page_that_cannot_be_made_is_a_failure_in_the_runs_language(tmp_path):
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "shows", SHOWS, own=OWN)
    assert run_in(tmp_path, language="zh")[0].code == 1  # zh has no text for this notebook
    page = (tmp_path / "out/2026-11-20/tea/shows.error.html").read_text("utf-8")
    assert "页面未能生成：KeyError" in page
    assert 'lang="zh-CN"' in page


def test_a_cell_over_its_time_and_a_kernel_that_dies_are_named(tmp_path):
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "sleeps", "x = 1", "import time; time.sleep(60)", "y = 2")
    notebook(tmp_path / "notebooks", "dies", "import os; os.kill(os.getpid(), 9)")
    result, said = run_in(tmp_path, limits=execution.Limits(cell=1))
    assert result.code == 1
    told = "\n".join(said)
    assert "dies    failed: It stopped in code cell 2, under “A question”. The notebook's" in told
    assert "sleeps  failed: It stopped in code cell 3, under “A question”. The cell did n" in told


def test_a_notebook_that_keeps_a_ledger_is_told_where_the_reports_are(tmp_path):
    """A day sees what the days before this run left, and the pages name the folder without its path."""
    tiny_shop(tmp_path / "data" / "tea")
    before = "Path(ledger).glob('*/tea/looks.html')"
    notebook(
        tmp_path / "books",
        "looks",
        "from pathlib import Path",
        f"earlier = [p for p in {before} if p.parts[-3] < ledger_until]",
        "display({'text/html': f\"<p>{len(earlier)} before\"}, raw=True)",
        own='\nledger: str = ""  # reports folder\nledger_until: str = ""  # a day',
    )
    out = tmp_path / "elsewhere"

    def made(since, until) -> list[str]:
        done = runs.run(
            since=date(2026, 11, since), until=date(2026, 11, until), out=out, force=True,
            notebooks_folder=tmp_path / "books", data_folder=tmp_path / "data", reporter=lines()[0],
        )  # fmt: skip
        assert done.code == 0
        pages = sorted(out.glob("*/tea/looks.html"))
        return [re.findall(r"<p>(\d) before", page.read_text("utf-8"))[0] for page in pages]

    assert made(19, 20) == ["0", "0"]  # made together: in whatever order
    assert made(20, 20) == ["0", "1"]
    record = (out / "2026-11-20" / "tea" / "run.json").read_text("utf-8")
    assert json.loads(record)["notebooks"]["looks"]["parameters"]["ledger"] == "reports"
    assert str(tmp_path) not in record + (out / "2026-11-20/tea/looks.html").read_text("utf-8")


def test_tables_of_earlier_reports_are_what_a_report_is_made_from(tmp_path):
    for day in ("2026-11-18", "2026-11-19"):
        table = tmp_path / day / "tea" / "tables" / "looks.ahead.csv"
        table.parent.mkdir(parents=True)
        table.write_text(day)
    found = fingerprints.earlier(tmp_path, "tea", "looks", date(2026, 11, 19))
    assert list(found) == ["2026-11-18/tea/tables/looks.ahead.csv"]
    table.with_name("other.ahead.csv").write_text("")
    assert fingerprints.earlier(tmp_path, "tea", "looks", date(2026, 11, 19)) == found


def test_a_locked_day_is_not_touched(tmp_path):
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "shows", SHOWS, own=OWN)
    with publishing.lock(tmp_path / "out" / ".locks" / "2026-11-20.tea", "tea 2026-11-20"):
        result, said = run_in(tmp_path)
    assert result.code == 1
    assert re.fullmatch(
        r"Another run \(process \d+\) is making tea 2026-11-20; wait for it.", *said
    )
    assert not everything(tmp_path / "out")


# ---- days ---------------------------------------------------------------------------------------


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_newest_day_that_is_over_in_the_shops_time_zone(tmp_path):
    opened = shop.load(tiny_shop(tmp_path / "tea"))
    for now, day in (("2026-11-20T23:59", 19), ("2026-11-21T00:01", 20), ("2027-01-01T00:00", 20)):
        assert coverage.chosen_days(opened, None, None, at(now)) == [date(2026, 11, day)]


def test_every_day_of_a_range_that_has_data(tmp_path):
    opened = shop.load(tiny_shop(tmp_path / "tea", ["2026-11-01", "2026-11-03", "2026-11-20"]))
    assert coverage.chosen_days(opened, date(2026, 10, 1), date(2026, 11, 19)) == [
        date(2026, 11, 1),
        date(2026, 11, 3),
    ]


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (date(2031, 1, 1), date(2031, 1, 1), "tea has no data for 2031-01-01: its days run from"),
        (date(2020, 1, 1), date(2020, 2, 1), "tea has no data for 2020-01-01 to 2020-02-01: its"),
    ],
)
def test_days_without_data_are_refused(tmp_path, since, until, message):
    opened = shop.load(tiny_shop(tmp_path / "tea"))
    with pytest.raises(DataError, match=f"{message}.* 2026-11-18 to 2026-11-20"):
        coverage.chosen_days(opened, since, until)


def test_a_column_counts_only_with_a_value_up_to_the_day(tmp_path):
    folder = tiny_shop(tmp_path / "tea")
    needs = ["shop_day.sales", "shop_day.visitors|shop_day.sales", "shop_day.visitors"]
    assert coverage.missing(folder, needs, date(2026, 11, 18)) == ["shop_day.visitors"]
    assert coverage.missing(folder, needs, date(2026, 11, 17)) == needs


# ---- notebooks and parameters -------------------------------------------------------------------


@pytest.fixture
def one(tmp_path):
    notebook(tmp_path, "shows", "1", own=OWN)
    return notebooks.discover(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("word", "00123", "00123"),
        ("word", "1e5", "1e5"),
        ("word", "None", "None"),
        ("weeks", "-3", -3),
        ("bar", "1e5", 100000.0),
        ("bar", "3", 3.0),
        ("deep", "True", True),
        ("limit", "None", None),
        ("limit", "7", 7),
    ],
)
def test_a_value_becomes_the_type_that_is_declared(one, name, text, value):
    converted = notebooks.convert(one, {name: text})["shows"][name]
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("weeks", "2.0", "weeks is '2.0'; expected a whole number."),
        ("weeks", "１", "weeks is '１'; expected a whole number."),
        ("bar", "nan", "bar is 'nan'; expected a number."),
        ("bar", "1e999", "bar is '1e999'; expected a number."),
        ("deep", "yes", "deep is 'yes'; expected true or false."),
        ("limit", "x", "limit is 'x'; expected a whole number."),
        ("week", "1", "No notebook of shows has a parameter 'week'. They have: bar, deep, limit,"),
        ("shop", "x", "shop has an option of its own: --shop."),
        ("x=1;import os", "1", "No notebook of shows has a parameter 'x=1;import os'."),
    ],
)
def test_a_value_that_cannot_be_is_refused(one, name, text, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        notebooks.convert(one, {name: text})


def test_a_parameter_goes_to_those_that_know_it(tmp_path):
    notebook(tmp_path, "knows", own=OWN)
    notebook(tmp_path, "other")
    told = notebooks.convert(notebooks.discover(tmp_path), {"weeks": "4"})
    assert told == {"knows": {"weeks": 4}, "other": {}}


def test_a_notebook_that_lost_its_tag_is_refused(tmp_path):
    notebook(tmp_path, "lost", tags=())
    with pytest.raises(ParameterError, match=r"lost\.ipynb has no cell tagged 'parameters'"):
        notebooks.convert(notebooks.discover(tmp_path), {})


def test_an_unknown_notebook_is_refused_with_those_there_are(one):
    message = "There is no notebook '../x'. There are: shows."
    with pytest.raises(ParameterError, match=re.escape(message)):
        notebooks.choose(one, ["../x"])


def test_scratch_notebooks_are_not_ours(tmp_path):
    notebook(tmp_path, "shows")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "Untitled 1.ipynb")
    assert [found.name for found in notebooks.discover(tmp_path)] == ["shows"]


@pytest.mark.parametrize("name", ["../x", "{y}", "a b", "", ".", "a/b", "x" * 61, "a\n"])
def test_hostile_shop_names_are_refused(name):
    with pytest.raises(ParameterError, match="A shop cannot be called"):
        runs.check_shop_name(name)


def test_two_shops_of_one_name_cannot_run_together(tmp_path):
    notebook(tmp_path / "notebooks", "shows")
    names = [str(tiny_shop(tmp_path / where / "tea")) for where in ("a", "b")]
    with pytest.raises(ParameterError, match="Two of the shops are called 'tea'"):
        runs.run(shop_names=names, notebooks_folder=tmp_path / "notebooks")
