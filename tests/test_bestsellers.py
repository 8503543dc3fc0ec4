import pytest
from small_shops import day, rows

from shopanalysis import bestsellers

DATE = day("2026-11-20")
ITEM_DAY = "date item_id visitors buyers units sales"


def week(*lines: str):
    items = rows("items", "item_id title category", "A quilt quilts", "B pillow pillows")
    return bestsellers.week(rows("item_day", ITEM_DAY, *lines), items, DATE, 7)


def screened(visitors: int, buyers: int):
    item = week(f"2026-11-20 A {visitors} {buyers} {buyers} 100")
    return bestsellers.screen(item, 3000, 0.03).iloc[0]


def test_a_week_is_added_up_and_older_days_are_not():
    item = week("2026-11-13 A 900 90 90 1", "2026-11-14 A 100 3 4 50", "2026-11-20 A 200 3 3 70")
    assert item.loc[0, ["visitors_by_day", "payers", "units", "sales"]].tolist() == [300, 6, 7, 120]
    assert item.loc[0, "conversion"] == 6 / 300
    assert item.loc[0, "days_with_sales"] == 2


def test_the_bars_must_be_exceeded_not_met():
    assert screened(3000, 300)["plan_verdict"] == "no"
    assert screened(4000, 120)["plan_verdict"] == "no"
    assert screened(3001, 300)["plan_verdict"] == "yes"


@pytest.mark.parametrize(("buyers", "verdict"), [(106, "confirmed"), (105, "watch"), (91, "watch")])
def test_confirmed_takes_106_buyers_of_3001_visitors(buyers, verdict):
    """The published lower bound: 106 of 3000 is the first whose one-sided 95 % limit reaches 3 %."""
    assert screened(3001, buyers)["verdict"] == verdict


def test_a_sure_conversion_with_half_the_visitors_is_watched():
    assert screened(1600, 90)["verdict"] == "watch"
    assert screened(1400, 90)["verdict"] == "no"


def test_an_item_without_title_is_called_by_its_id():
    assert week("2026-11-20 C 10 1 1 1").loc[0, "title"] == "C"


def test_categories_add_up_to_their_items():
    items = bestsellers.screen(
        week("2026-11-20 A 4000 200 200 900", "2026-11-20 B 500 5 5 80"), 3000, 0.03
    )
    table = bestsellers.by_category(items).set_index("category")
    assert table["sales"].to_dict() == {"quilts": 900, "pillows": 80}
    assert table.loc["quilts", ["items", "confirmed", "conversion"]].tolist() == [1, 1, 0.05]
    assert table.loc["pillows", "best_item"] == "pillow"


def test_findings_name_the_look_alike():
    items = bestsellers.screen(
        week("2026-11-20 A 4000 200 200 900", "2026-11-20 B 3100 94 94 80"), 3000, 0.03
    )
    found = {f.id: f for f in bestsellers.findings(items, 3000, 0.03)}
    assert found["bestsellers"].value == 1
    assert found["bestsellers"].values["passed"] == 2
    assert found["leader"].values["title"] == "quilt"
    assert found["look_alikes"].values["title"] == "pillow"
