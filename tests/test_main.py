import subprocess
import sys

import nbformat
import pandas as pd
import pytest

from shopanalysis import tables
from shopanalysis.__main__ import main

PARAMETERS = """shop: str = "nowhere"  # folder of the shop
date: str = "2026-11-20"  # last day looked at
language: str = "en"  # language
weeks: int = 2  # how many"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with one shop and one notebook, as the current folder."""
    v4 = nbformat.v4
    golden = {"tags": ["keep_output", "nbval-check-output"]}
    cells = [
        v4.new_markdown_cell("# Is there tea?", id="title"),
        v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="parameters"),
        v4.new_code_cell("print(weeks + 1)", metadata=golden, id="golden"),
        v4.new_code_cell("print('aside')", id="aside"),
    ]
    node = v4.new_notebook(cells=cells, metadata={"shopanalysis": {"order": 1, "needs": []}})
    (tmp_path / "notebooks").mkdir()
    nbformat.write(node, tmp_path / "notebooks" / "tea.ipynb")
    folder = tmp_path / "data" / "cups"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text('name = "Cups"\n')
    days = pd.to_datetime(["2026-11-20"])
    row = {"date": days, "device": "all", "sales": 1.0, "source_file": "-"}
    tables.write(folder, "shop_day", pd.DataFrame(row))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list_names_the_questions(project, capsys):
    assert main(["list"]) == 0
    assert capsys.readouterr().out == "tea  Is there tea?\n"


def test_list_as_a_table(project, capsys):
    assert main(["list", "--markdown"]) == 0
    assert "| Is there tea? | [tea](notebooks/tea.ipynb) |" in capsys.readouterr().out


def test_run_ends_with_the_paths_of_the_pages(project, capsys):
    assert main(["run", "tea", "--shop", "cups", "--set", "weeks=5"]) == 0
    line, *pages = capsys.readouterr().out.splitlines()
    assert line.startswith("cups 2026-11-20 tea  ")
    assert pages == ["reports/2026-11-20/cups/index.html", "reports/index.html"]
    assert (project / "reports/2026-11-20/cups/tea.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("run x", 2, "There is no notebook 'x'. There are: tea."),
        ("run --shop x", 2, "There is no shop 'x'. There are: cups."),
        ("run --shop ../x", 2, "There is no shop '../x'. There are: cups."),
        ("run --shop {y}", 2, "There is no shop '{y}'. There are: cups."),
        ("run --set week=1", 2, "No notebook of tea has a parameter 'week'. They have: weeks."),
        ("run --set weeks=two", 2, "weeks is 'two'; expected a whole number."),
        ("run --set weeks", 2, "argument --set: 'weeks' is not of the form name=value"),
        ("run --set weeks=1 --set weeks=2", 2, "--set names the same parameter twice."),
        ("run --date 2026-13-01", 2, "argument --date: '2026-13-01' is not a day such as"),
        ("run --date 20261120", 2, "argument --date: '20261120' is not a day such as 2026-11-20"),
        ("run --date ../x", 2, "argument --date: '../x' is not a day such as 2026-11-20"),
        ("run --until 2026-11-20", 2, "--until needs --since."),
        ("run --since 2026-11-21 --until 2026-11-20", 2, "--since 2026-11-21 is after --until"),
        ("run --date 2026-11-20 --since 2026-11-20", 2, "--date is one day; it cannot be used"),
        ("run --jobs 0", 2, "argument --jobs: '0' is not a number from 1 to 99"),
        ("run --lang fr", 2, "argument --lang: invalid choice: 'fr'"),
        ("run --notebooks none", 2, "There are no notebooks in none."),
        ("run --data none", 2, "There are no shops in none"),
        ("run --date 2031-01-01", 3, "cups has no data for 2031-01-01: its days run from 2026-11"),
        ("run --out data/cups/shop.toml", 1, "File exists"),
        ("import nothing.csv --shop cups", 2, "There is no file nothing.csv."),
        ("import notebooks/tea.ipynb --shop ../x", 2, "A shop cannot be called '../x'"),
        ("refresh x", 2, "There is no notebook 'x'. There are: tea."),
        ("dance", 2, "argument COMMAND: invalid choice: 'dance'"),
        ("", 2, "the following arguments are required: COMMAND"),
    ],
)
def test_a_refusal_is_one_plain_line_and_leaves_nothing(project, capsys, arguments, code, message):
    assert main(arguments.split()) == code
    said = capsys.readouterr()
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert not list(project.glob("reports/*"))


def test_import_makes_a_shop_and_says_what_it_read(project, capsys):
    (project / "list.csv").write_text("商品ID,商品标题,一口价\n610000000001,茶杯,12\n", "utf-8")
    assert main(["import", "list.csv", "--shop", "茶-2"]) == 0
    assert "items: 1 added" in capsys.readouterr().out
    assert (project / "data" / "茶-2" / "shop.toml").is_file()


def test_import_of_a_file_that_is_refused(project, capsys):
    (project / "odd.csv").write_text("a,b\n1,2\n")
    assert main(["import", "odd.csv", "--shop", "cups"]) == 3
    assert "refused: odd.csv" in capsys.readouterr().out


def test_a_refused_file_does_not_stop_the_reports(project, capsys):
    (project / "data" / "cups" / "exports").mkdir()
    (project / "data" / "cups" / "exports" / "odd.csv").write_text("a,b\n1,2\n")
    assert main(["run"]) == 3
    said = capsys.readouterr()
    assert "odd.csv" in said.err
    assert "reports/2026-11-20/cups/index.html" in said.out
    page = (project / "reports/2026-11-20/cups/index.html").read_text("utf-8")
    assert "odd.csv" in page


def test_demo_does_not_write_over_a_shop(project, capsys):
    assert main(["demo", "data/cups"]) == 2
    assert "data/cups is a shop of your own; name another folder." in capsys.readouterr().err


def test_an_interrupted_run_says_so(project, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("shopanalysis.batch.runs.run", interrupt)
    assert main(["run"]) == 130
    assert capsys.readouterr().err.startswith("shopanalysis: Interrupted")


def test_refresh_keeps_golden_outputs_only_and_changes_nothing_twice(project, capsys):
    file = project / "notebooks" / "tea.ipynb"
    assert main(["refresh"]) == 0
    first = file.read_bytes()
    cells = nbformat.read(file, as_version=4).cells
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2, 3]
    assert [len(cell.get("outputs", [])) for cell in cells] == [0, 0, 1, 0]
    assert cells[2].outputs[0].text == "3\n"
    assert main(["refresh", "tea"]) == 0
    assert file.read_bytes() == first
    assert capsys.readouterr().out.split() == [
        "notebooks/tea.ipynb",
        "changed",
        "notebooks/tea.ipynb",
        "unchanged",
    ]
    nbstripout = pytest.importorskip("nbstripout")
    node = nbformat.read(file, as_version=4)
    stripped = nbstripout.strip_output(node, keep_output=False, keep_count=True, keep_id=True)
    assert nbformat.writes(stripped) + "\n" == first.decode()


def test_the_command_line_imports_nothing_heavy():
    code = "import sys, shopanalysis.__main__; print({'pandas', 'papermill'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
