import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from small_shops import HOSTILE, shop_days

from shopanalysis import figures, report, tables
from shopanalysis.words import Words, width

ZH = Words("zh", "CNY")
DAYS = pd.DataFrame({"date": pd.date_range("2026-11-01", periods=20), "sales": 100.0 + np.arange(20),
                     "usual": 110.0, "usual_low": 90.0, "usual_high": 130.0})  # fmt: skip
STEPS = pd.DataFrame({"factor": ["before", "visitors", "conversion", "order_value", "after"],
                      "amount": [40_000, 11_060, -9_440, 2_060, 43_680]})  # fmt: skip
RATES = pd.DataFrame({"source": ["免费/手淘搜索", "付费/<b>&\"'"], "conversion": [0.02, 0.03],
                      "low": [0.01, 0.02], "high": [0.03, 0.04],
                      "conversion_before": [0.02, np.nan]})  # fmt: skip
FUNNEL = pd.DataFrame({"step": ["visitors", "payers"], "count": [100.0, 3.0],
                       "step_rate": [np.nan, 0.03], "step_before": [np.nan, 0.04]})  # fmt: skip
ITEMS = pd.DataFrame({"title": ["全棉四件套", "=cmd|' /C calc'!A1", "$x$"],
                      "visitors_by_day": [4000, 3500, 90],
                      "conversion": [0.04, 0.035, 0.0], "verdict": ["confirmed", "watch", "no"]})  # fmt: skip
AHEAD = pd.DataFrame({"date": pd.date_range("2026-11-21", periods=5), "expected": 100.0, "low_80": 90.0,
                      "high_80": 110.0, "low_95": 80.0, "high_95": 120.0})  # fmt: skip
CHANCES = pd.DataFrame({"date": [*AHEAD["date"], *AHEAD["date"]], "title": ["a"] * 5 + ["b"] * 5,
                        "chance_out": np.linspace(0, 1, 10)})  # fmt: skip
PANELS = pd.concat([DAYS.rename(columns={"sales": "value"}).assign(metric=metric)
                    for metric in ("visitors", "sales", "order_value")])  # fmt: skip
DRAWINGS = {
    "daily_line": (figures.daily_line, DAYS, {"metric": "sales"}),
    "bridge": (figures.bridge, STEPS, {"start": "11月13日", "end": "11月20日"}),
    "rate_intervals": (figures.rate_intervals, RATES, {"metric": "conversion", "reference": 0.02}),
    "ranked_bars": (figures.ranked_bars, pd.Series({"a": 3.0, "b": -2.0}), {"metric": "visitors_change"}),
    "funnel": (figures.funnel, FUNNEL, {}),
    "item_scatter": (figures.item_scatter, ITEMS, {"visitors_bar": 3000, "rate_bar": 0.03}),
    "chance_lines": (figures.chance_lines, CHANCES, {"metric": "chance_out"}),
    "small_multiples": (figures.small_multiples, PANELS, {}),
    "calendar_heat_map": (figures.calendar_heat_map, DAYS, {"metric": "sales"}),
    "forecast_fan": (figures.forecast_fan, AHEAD, {"past": DAYS, "metric": "sales"}),
}  # fmt: skip


@pytest.fixture(params=DRAWINGS)
def drawing(request):
    draw, data, more = DRAWINGS[request.param]
    return lambda pixels=figures.WIDE: figures.svg(
        draw, data, ZH, pixels=pixels, height=300, **more
    )


def test_every_figure_is_well_formed_and_the_same_twice(drawing):
    ElementTree.fromstring(drawing().replace("xlink:href", "href"))
    assert drawing() == drawing()


def test_text_stays_text_in_the_readers_fonts(drawing):
    assert "<text" in drawing()
    assert "DejaVu" not in drawing()


def test_colours_are_the_pages_colours(drawing):
    colours = set(re.findall(r"#[0-9a-f]{6}", drawing()))
    assert colours <= {"#000000"}  # clip paths carry black, which is not seen


def test_labels_stay_inside_the_phone(drawing):
    """Text that starts left of the drawing, or ends right of it, would be cut or overlap the page."""
    tree = ElementTree.fromstring(drawing(figures.PHONE).replace("xlink:href", "href"))
    for text in (node for node in tree.iter() if node.tag.endswith("text")):
        numbers = re.findall(r"translate\(([-\d.]+)", text.get("transform", ""))
        x = float(numbers[0] if numbers else text.get("x", 0))
        assert -1 <= x <= figures.PHONE, text.text


def test_data_is_escaped():
    draw, data, more = DRAWINGS["rate_intervals"]
    assert "<b>" not in figures.svg(draw, data, ZH, pixels=720, height=300, **more)


def _axes(pixels=720):
    figure = Figure(figsize=(pixels / 72, 300 / 72), dpi=72)
    return figure.add_axes((0, 0, 1, 1))


def test_the_bridges_bars_join_and_end_at_the_last_amount():
    ax = figures.bridge(STEPS, ZH, start="", end="", ax=_axes())
    bars = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches]
    assert bars == [(0, 40_000), (40_000, 51_060), (51_060, 41_620), (41_620, 43_680), (0, 43_680)]


def test_ranked_bars_are_as_long_as_their_values():
    ax = figures.ranked_bars(
        pd.Series({"a": 3.0, "b": -2.0}), ZH, metric="visitors_change", ax=_axes()
    )
    assert [bar.get_width() for bar in ax.patches] == [3, -2]
    assert [text.get_text() for text in ax.texts] == ["+3", "−2"]


def test_items_stand_where_their_numbers_say():
    ax = figures.item_scatter(ITEMS, ZH, visitors_bar=3000, rate_bar=0.03, ax=_axes())
    points = {tuple(point) for line in ax.lines[:3] for point in line.get_xydata()}
    assert points == {(4000, 0.04), (3500, 0.035), (90, 0)}


def test_titles_beside_items_do_not_cover_each_other():
    crowd = pd.DataFrame({"title": [f"四件套第{i}款" for i in range(6)],
                          "visitors_by_day": [4000 + i for i in range(6)],
                          "conversion": [0.04 + i / 1e4 for i in range(6)],
                          "verdict": "confirmed"})  # fmt: skip
    ax = figures.item_scatter(crowd, ZH, visitors_bar=3000, rate_bar=0.03, ax=_axes())
    boxes = [_box(ax, text) for text in ax.texts]
    assert len(boxes) > 2
    marks = [
        (x, y, x, y) for x, y in ax.transData.transform(crowd[["visitors_by_day", "conversion"]])
    ]
    for place, box in enumerate(boxes):
        assert not any(_overlap(box, other) for other in [*boxes[:place], *marks]), place


def _box(ax, text) -> tuple[float, float, float, float]:
    """Left, bottom, right, top in pixels; 11 pixels to a Chinese letter."""
    x, y = ax.transData.transform(text.xy) + text.xyann
    wide = 11 * width(text.get_text())
    left = x - wide if text.get_ha() == "right" else x
    return left, y - 6, left + wide, y + 6


def _overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("title", HOSTILE)
def test_whatever_a_title_is_it_is_drawn_as_itself(title):
    items = ITEMS.assign(title=[title, title + "2", "another"])
    more = {"visitors_bar": 3000, "rate_bar": 0.03}
    drawn = figures.svg(figures.item_scatter, items, ZH, pixels=640, height=400, **more)
    tree = ElementTree.fromstring(drawn.replace("xlink:href", "href"))
    texts = [text.text for text in tree.iter() if text.tag.endswith("text")]
    named = figures.svg(
        figures.ranked_bars, pd.Series({title: 1.0}), ZH, pixels=640, height=99, metric="sales"
    )
    tree = ElementTree.fromstring(named.replace("xlink:href", "href"))
    texts += [text.text for text in tree.iter() if text.tag.endswith("text")]
    start = title[:6]
    assert any(text.startswith(start) for text in texts)
    assert "<img" not in drawn + named


@pytest.mark.parametrize(
    ("language", "axis", "day"), [("zh", "¥3万", "11月20日"), ("en", "¥30k", "20 Nov")]
)
def test_axes_and_days_are_written_as_the_language_does(language, axis, day):
    large = DAYS.assign(**{c: DAYS[c] * 400 for c in ("sales", "usual", "usual_low", "usual_high")})
    drawn = figures.svg(
        figures.daily_line, large, Words(language), pixels=640, height=300, metric="sales"
    )
    assert f">{axis}<" in drawn
    assert f">{day}<" in drawn


def test_a_calendars_cells_lie_by_week_and_weekday_and_darken_with_the_value():
    ax = figures.calendar_heat_map(DAYS, ZH, metric="sales", ax=_axes())
    cells = [
        (*path.vertices[:4].mean(axis=0).round(6), shade.get_alpha())
        for shade in ax.collections
        for path in shade.get_paths()
    ]
    assert cells[0][:2] == (0, 0)  # 1 November 2026 is a Sunday
    assert cells[1][:2] == (1, 6)
    shades = [alpha for _, _, alpha in cells]
    assert len(shades) == len(DAYS)
    assert shades == sorted(shades)
    assert len(set(shades)) == 5


def test_small_multiples_have_a_panel_each_with_its_last_value():
    ax = figures.small_multiples(PANELS, ZH, ax=_axes())
    texts = [[text.get_text() for text in panel.texts] for panel in ax.child_axes]
    assert texts == [["访客数", "119"], ["销售额", "¥119"], ["客单价", "¥119"]]


def test_in_jupyterlab_a_figure_takes_the_themes_colours_and_only_the_wide_one_shows(
    page_of_a_shop,
):
    html = page_of_a_shop.figure(
        figures.daily_line,
        DAYS,
        metric="sales",
        caption="last_days",
        values={"days": 20},
        source="x",
    ).html
    assert "--f-ink:var(--ink,var(--jp-ui-font-color1,#1b1f24));" in html
    assert 'class="wide" style="display:var(--wide, block)"' in html
    assert 'class="phone" style="display:var(--phone, none)"' in html


@pytest.fixture
def page_of_a_shop(folder):
    tables.write(folder, "shop_day", shop_days("2026-11-01", sales=[1.0, 2.0]))
    return report.open_page(str(folder), "2026-11-02", "zh")
