import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import shortlists

DATE = day("2026-11-20")
BARS = {"category_top_share": 0.25, "hero_items": 2, "daily_check_items": 2, "item_page_items": 1,
        "showcase_items": 2, "auction_items": 1}  # fmt: skip
ITEMS = pd.DataFrame(
    [("A", "quilt", "quilts", "confirmed", 4000.0, 200.0, 300.0, 9000.0, 900.0, 0.048, 0.5),
     ("B", "pillow", "pillows", "watch", 500.0, 20.0, 20.0, 900.0, 80.0, 0.035, 0.6),
     ("C", "thin quilt", "quilts", "no", 2000.0, 10.0, 10.0, 3000.0, 300.0, 0.006, 0.6),
     ("D", "bolster", "pillows", "confirmed", 3500.0, 175.0, 175.0, 8000.0, 700.0, 0.047, 0.4)],
    columns=["item_id", "title", "category", "verdict", "visitors_by_day", "payers", "units",
             "page_views", "sales", "next_conversion", "bounce_rate"],
).assign(reason=None)  # fmt: skip
ABOUT = rows("items", "item_id unit_cost stock", "A 1 600", "B 1 10", "C 1 10", "D 2 100")


def test_categories_add_up_to_their_items_and_have_their_own_bar():
    table = shortlists.by_category(ITEMS, BARS).set_index("category")
    assert table["sales"].to_dict() == {"quilts": 1200, "pillows": 780}
    assert table.loc["quilts", ["items", "confirmed", "watched", "picks"]].tolist() == [2, 1, 0, 1]
    assert table["conversion"].to_dict() == {"quilts": 210 / 6000, "pillows": 195 / 4000}
    assert table["best_pick"].to_dict() == {"quilts": "quilt", "pillows": np.nan}


def test_a_pick_is_looked_at_often_converts_best_and_loses_few():
    """The bolster converts at 4.7 % where its category has 4.875 %: no pick."""
    assert shortlists.picks(ITEMS, BARS).tolist() == [True, False, False, False]
    assert not shortlists.picks(ITEMS.assign(bounce_rate=[0.7, 0.6, 0.6, 0.4]), BARS).any()
    assert shortlists.picks(ITEMS.assign(bounce_rate=np.nan), BARS)[0]


def test_only_the_highest_of_a_category_are_picks():
    """Eight alike but for their conversion, 1 % to 8 %: a quarter are two."""
    rate = np.arange(1, 9) / 100
    many = pd.DataFrame({"title": list("abcdefgh"), "category": "quilts", "next_conversion": rate,
                         "visitors_by_day": 100.0, "payers": 100 * rate,
                         "page_views": 200.0 + np.arange(8), "bounce_rate": np.nan})  # fmt: skip
    assert many["title"][shortlists.picks(many, BARS)].tolist() == ["g", "h"]


def test_margin_and_days_of_stock_by_hand():
    """A: 900 - 300 x 1 = 600, two thirds of sales, 3 a payer; 600 pieces at 300 in 7 days last 14."""
    item = shortlists.described(ITEMS, ABOUT, 7).iloc[0]
    assert item[["margin", "margin_rate", "stock_days"]].tolist() == pytest.approx([600, 2 / 3, 14])
    assert item["margin_per_visit"] == pytest.approx(0.048 * 3)


def test_heroes_are_the_confirmed_with_the_largest_margin():
    """D: 700 - 175 x 2 = 350."""
    able = shortlists.described(ITEMS, ABOUT, 7)
    heroes = shortlists.heroes(able, BARS)
    assert heroes["item_id"].tolist() == ["A", "D", "B"]
    found = {f.id: f for f in shortlists.findings(able, heroes, BARS)}
    assert found["heroes"].values["titles"] == ["quilt", "bolster"]
    assert found["heroes"].value == 950
    assert found["concentration"].value == 900 / 1980


def test_without_costs_heroes_go_by_sales_and_it_is_said():
    able = shortlists.described(ITEMS, ABOUT.assign(unit_cost=np.nan), 7)
    found = shortlists.findings(able, shortlists.heroes(able, BARS), BARS)
    assert found[-1].text == "heroes_no_cost"


def test_four_equal_items_are_spread_as_over_four():
    able = shortlists.described(ITEMS.assign(sales=10.0), ABOUT, 7)
    assert shortlists.findings(able, able.head(0), BARS)[0].values["equal"] == pytest.approx(4)


def test_the_daily_check_holds_the_most_visited_against_the_week_before():
    past = rows("item_day", "date item_id visitors buyers", "2026-11-13 A 1000 10", "2026-11-12 A 1000 30",
                "2026-11-14 A 9 9")  # fmt: skip
    able = shortlists.described(ITEMS, ABOUT, 7)
    daily = shortlists.daily_check(able, past, DATE, 7, BARS).set_index("item_id")
    assert daily.index.tolist() == ["A", "D"]
    assert daily.loc["A", ["visitors_before", "conversion_before"]].tolist() == [2000, 0.02]
    assert daily.loc["D", ["visitors_before", "conversion_before"]].isna().all()


def test_show_cases_take_the_top_by_sales_and_auctions_each_categorys_first():
    lists = shortlists.selling(shortlists.described(ITEMS, ABOUT, 7), BARS).set_index("item_id")
    assert lists["shelf"].fillna("").to_dict() == {"A": "item pages", "D": "platform"}
    more = shortlists.selling(ITEMS.assign(category=list("wxyz")), BARS)
    assert more["sales_rank"].tolist() == [1, 2, 3, 4]
    assert more["shelf"].isna().sum() == 2


def test_items_without_category_sales_or_cost_are_on_no_list_and_no_hero_is_named():
    bare = ITEMS.assign(category=pd.array([pd.NA] * 4, "string"), sales=np.nan, bounce_rate=np.nan)
    able = shortlists.described(bare, ABOUT, 7)
    assert shortlists.by_category(able, BARS).empty
    assert shortlists.selling(able, BARS).empty
    assert shortlists.findings(able, shortlists.heroes(able, BARS), BARS) == []


def test_no_items_give_empty_lists():
    none = shortlists.described(ITEMS.head(0), ABOUT, 7)
    assert shortlists.findings(none, shortlists.heroes(none, BARS), BARS) == []
    past = rows("item_day", "date item_id", "2026-11-20 A")
    assert shortlists.by_category(none, BARS).empty
    assert shortlists.selling(none, BARS).empty
    assert shortlists.daily_check(none, past, DATE, 7, BARS).empty
