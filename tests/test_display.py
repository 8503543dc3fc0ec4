import re

import numpy as np
import pandas as pd
import pytest
from small_shops import HOSTILE

from shopanalysis import display
from shopanalysis.words import Words

EN, ZH = Words("en", "CNY"), Words("zh", "CNY")


def test_a_sparkline_ends_at_its_last_value_and_spans_its_height():
    line = display.sparkline([1, None, 3, 2])
    points = [tuple(map(float, p.split(","))) for p in re.search('points="(.*?)"', line)[1].split()]
    assert [x for x, _ in points] == [3, 63, 93]
    assert [y for _, y in points] == [23, 3, 13]
    assert 'cx="93.0" cy="13.0"' in line


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, 2.0]])
def test_one_value_makes_no_line(values):
    assert display.sparkline(values) == ""


def test_equal_values_make_a_flat_line():
    assert "nan" not in display.sparkline([5, 5, 5])


def test_a_key_figure_says_what_it_is_held_against_and_marks_only_what_is_real():
    rows = [
        {"metric": "sales", "value": 50.0, "usual": 100.0, "change": -0.5, "real": "fell"},
        {"metric": "visitors", "value": 9.0, "usual": 10.0, "change": -0.1, "real": "no"},
        {"metric": "conversion", "value": None},
    ]
    html = display.key_figures(rows, EN)
    assert html.count("<dt>") == 2
    assert html.count('class="tile watch"') == 1
    assert "−50.0% against the usual ¥100. <b>down, more than luck</b>" in html


@pytest.mark.parametrize(
    ("metric", "values", "written"),
    [
        ("sales", [90.83, 765, None], ["91", "765", "–"]),
        ("value_per_visitor", [3.5, 0.004], ["3.50", "0.00"]),
        ("sales_change", [1337, -0.2, 0.0], ["+1,337", "0", "0"]),
        ("conversion", [0.0214, 0.005], ["2.14", "0.50"]),
        ("conversion", [0.214, 0.005], ["21.4", "0.5"]),
        ("by_rate", [0.0035, -0.00001], ["+0.35", "0.00"]),
        ("change", [-0.051, 0.11], ["−5.1", "+11.0"]),
        ("dwell", [92.4], ["92"]),
        ("chance_out", [0.999, 0.98, 0.0001], ["above 99%", "98%", "below 1%"]),
    ],
)
def test_a_column_has_one_number_of_places_and_its_unit_in_the_head(metric, values, written):
    assert EN.column(metric, values) == written


def test_a_tables_head_names_the_unit_and_a_bar_is_as_long_as_its_value():
    html = display.table({"source": ["a", "b"], "visitors_share": [0.5, 0.25]}, EN)
    assert "Share of visits <small>%</small>" in html
    assert '<td class="right" style="--bar:100%">50.0</td>' in html
    assert '<td class="right" style="--bar:50%">25.0</td>' in html


def test_a_loss_has_a_bar_of_its_own_kind():
    html = display.table({"source": ["a", "b"], "sales_change": [-40.0, 10.0]}, EN)
    assert "--down:100%" in html
    assert "--bar:25%" in html


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_whatever_a_title_is_it_stands_in_a_table_as_itself(title, words):
    from bs4 import BeautifulSoup

    html = display.table({"title": [title], "sales": [1.0]}, words)
    cell = BeautifulSoup(html, "html.parser").select_one("td.title")
    assert cell.get_text().strip("\u2068\u2069") == title
    assert cell.find("img") is None


def _colours(scheme: str) -> dict[str, str]:
    from small_shops import ROOT

    style = (ROOT / "shopanalysis/template/style.css").read_text("utf-8")
    blocks = re.findall(r":root \{\s*color-scheme.*?\}|:root \{\s*--ink.*?\}", style, re.S)
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))


def _linear(colour: str) -> np.ndarray:
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of linear sRGB, white D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira & Fernandes (2009), severity 1
SEEN_BY = {
    "all": np.eye(3),
    "protanopes": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopes": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopes": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("seen_by", SEEN_BY)
@pytest.mark.parametrize(
    "pair", ["good bad", "good watch", "watch bad", "accent bad", "accent watch"]
)
def test_colours_that_mean_something_look_different_to_every_reader(scheme, seen_by, pair):
    one, other = (_lab(SEEN_BY[seen_by] @ _linear(_colours(scheme)[name])) for name in pair.split())
    assert np.linalg.norm(one - other) >= 15


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "good", "watch", "bad"])
@pytest.mark.parametrize("ground", ["paper", "tint"])
def test_every_colour_of_text_stands_out(scheme, name, ground):
    weights = [0.2126, 0.7152, 0.0722]
    one, other = sorted(_linear(_colours(scheme)[colour]) @ weights for colour in (name, ground))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def test_the_figures_colours_are_the_pages():
    from shopanalysis.figures.style import COLOURS

    assert {name: _colours("light")[name] for name in COLOURS} == COLOURS


def test_a_shops_name_cannot_leave_the_style_sheet():
    foot = EN.printed_foot('</style>"; } a\\b 棉', pd.Timestamp("2026-11-20"))
    assert not set('<>"\\;}') & set(re.sub(r"\\[0-9a-f]{6}", "", foot))


def test_a_column_has_the_languages_own_marks():
    spanish = Words("es", "CNY")
    assert spanish.column("conversion", [0.0405, -0.0385]) == ["4,05", "−3,85"]
    assert spanish.column("sales", [12_480.4, 900.0]) == ["12.480", "900"]
