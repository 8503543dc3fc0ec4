import json
import re

import pandas as pd
import pytest
from small_shops import ROOT

from shopanalysis.comparison import compare
from shopanalysis.errors import ParameterError


def run(folder, *findings):
    """A run's folder from lines "id severity value low high"; - is missing."""
    folder.mkdir(parents=True)
    records = []
    for line in findings:
        name, severity, *numbers = line.split()
        value, low, high = (None if n == "-" else float(n) for n in numbers)
        records.append({"notebook": "n", "id": name, "metric": "sales", "severity": severity,
                        "value": value, "low": low, "high": high, "unit": "currency",
                        "sentence": {"en": f"{name} {value}", "zh": f"{name}在"}})  # fmt: skip
    (folder / "findings.json").write_text(json.dumps({"findings": records}), "utf-8")
    return folder


@pytest.fixture
def table(tmp_path):
    before = run(tmp_path / "a", "gone good 1 - -", "stays info 2 1 3", "worse info 3 2 4",
                 "moved info 10 8 12", "twice info 1 - -", "empty info - - -")  # fmt: skip
    after = run(tmp_path / "b", "new info 5 - -", "alarm critical 6 - -", "stays info 2 1 3",
                "worse critical 3 2 4", "moved info 20 18 22", "twice info 1 - -", "twice info 7 - -",
                "empty info - - -")  # fmt: skip
    return compare(before, after)


def test_what_appeared_vanished_changed_and_stayed(table):
    told = table.groupby("news", sort=False)["id"].agg(list).to_dict()
    assert told == {
        "appeared": ["alarm", "new", "twice"],
        "vanished": ["gone"],
        "changed": ["worse", "moved"],
        "same": ["empty", "stays", "twice"],
    }


def test_both_runs_values_and_whether_their_intervals_are_apart(table):
    rows = table[table["news"] == "changed"].set_index("id")
    assert rows.loc["moved", ["value_before", "value", "apart"]].tolist() == [10, 20, True]
    assert rows.loc["worse", ["severity_before", "severity"]].tolist() == ["info", "critical"]
    assert not rows.loc["worse", "apart"]
    assert table.set_index("id").loc["alarm", "apart"] is pd.NA


def test_the_sentence_is_the_later_runs_or_the_last_there_was(table):
    said = table.drop_duplicates("id").set_index("id")["sentence"]
    assert (said["moved"], said["gone"]) == ("moved 20.0", "gone 1.0")


def test_a_run_without_findings_is_compared_too(tmp_path):
    table = compare(run(tmp_path / "a"), run(tmp_path / "b", "new info 5 - -"), "zh")
    assert table[["news", "sentence"]].to_numpy().tolist() == [["appeared", "new在"]]


def test_no_run_and_no_such_language_are_said(tmp_path):
    one = run(tmp_path / "a", "x info 1 - -")
    with pytest.raises(ParameterError, match="There are no findings of a run in nowhere"):
        compare("nowhere", one)
    with pytest.raises(ParameterError, match="no sentences in 'fr'; it has: en, zh"):
        compare(one, one, "fr")


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_cell_in_the_readme_runs(readme, tmp_path, monkeypatch):
    cells = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.S)
    (cell,) = [textwrapped(cell) for cell in cells if "compare" in cell]
    named = re.findall(r'"(\.\./reports/[^"]+)"', cell)
    assert len(named) == 2
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    for number, folder in enumerate(named):
        run((tmp_path / "notebooks" / folder).resolve(), f"x info {number} - -")
    shown: dict = {}
    exec(cell.replace("compare(", "shown = compare("), shown)
    assert shown["shown"]["news"].tolist() == ["changed"]


def textwrapped(cell: str) -> str:
    import textwrap

    return textwrap.dedent(cell)
