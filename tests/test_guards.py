"""What could make an item look like a bestseller, each guard on a shop of a few lines."""

import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import guards, tables

DATE = day("2026-11-20")
WEEK = pd.DataFrame({"item_id": ["A"], "visitors_by_day": [1000.0], "payers": [40.0],
                     "conversion": [0.04], "days_with_sales": [7]})  # fmt: skip
BARS = {"bestseller_conversion": 0.03, "home_slot_share": 0.4, "top_buyer_share": 0.2,
        "bestseller_days_with_sales": 5}  # fmt: skip
SOURCES = "date item_id source visitors buyers"


def guarded(**tables_given) -> pd.Series:
    names = ("item_day", "items", "item_source_day", "order_lines", "orders")
    shop = {name: tables.empty(name) for name in names} | tables_given
    return guards.guards(WEEK, shop, DATE, 7).iloc[0]


def against(item: pd.Series, **changed) -> list[str]:
    found = guards.doubts(item.to_frame().T.assign(**changed).infer_objects(), 7, BARS).iloc[0]
    return found[found].index.tolist()


def sources(*lines: str) -> pd.DataFrame:
    return rows("item_source_day", SOURCES, *lines)


def orders(*buyers: str) -> dict[str, pd.DataFrame]:
    """One order line of item A for each "buyer:units", the first of them paid before the week."""
    days = ["2026-11-01"] + ["2026-11-20"] * (len(buyers) - 1)
    names, units = zip(*(b.split(":") for b in buyers), strict=True)
    return {
        "orders": rows("orders", "order_id paid_at buyer_key",
                       *(f"{i} {d} {b}" for i, (d, b) in enumerate(zip(days, names, strict=True)))),
        "order_lines": rows("order_lines", "order_id line item_id units",
                            *(f"{i} 1 A {u}" for i, u in enumerate(units))),
    }  # fmt: skip


def test_nothing_known_speaks_against_nothing():
    item = guarded()
    assert (
        item[["home_share", "conversion_elsewhere", "standardised", "top_buyer_share"]].isna().all()
    )
    assert against(item) == []
    assert guards.unchecked(item.to_frame().T) == [
        "home_page",
        "source_mix",
        "presale",
        "one_buyer",
    ]


def test_an_item_carried_by_the_home_page_is_found_out():
    """600 of 1000 visits and 36 of 40 payers came from the home page: elsewhere 4 of 400 pay."""
    item = guarded(item_source_day=sources("2026-11-20 A 店铺首页 600 36", "2026-11-20 A 手淘搜索 400 4",
                                           "2026-11-12 A 手淘搜索 9000 900"))  # fmt: skip
    assert item[["home_share", "conversion_elsewhere"]].tolist() == [0.6, 0.01]
    assert against(item)[0] == "home_page"


def test_the_home_page_is_no_doubt_where_others_pay_as_well():
    item = guarded(
        item_source_day=sources(
            "2026-11-20 A 店内流转/店铺首页 600 24", "2026-11-20 A 手淘搜索 400 16"
        )
    )
    assert item["home_share"] == 0.6
    assert against(item) == []


def test_the_item_reports_own_count_of_home_page_visits_comes_first():
    reported = rows("item_day", "date item_id visitors home_slot_visitors", "2026-11-20 A 1000 450")
    assert guarded(item_day=reported)["home_share"] == 0.45
    assert against(guarded(item_day=reported)) == ["home_page"]


def test_the_shops_mix_of_sources_by_hand():
    """A: cart 500 @ 7 %, search 500 @ 1 %. The shop: 1000 and 9000 visits, so 0.1 x 7 % + 0.9 x 1 %."""
    item = guarded(item_source_day=sources(
        "2026-11-20 A cart 500 35", "2026-11-20 A search 500 5",
        "2026-11-20 B cart 500 10", "2026-11-20 B search 8500 80"))  # fmt: skip
    assert item["standardised"] == pytest.approx(0.016)
    assert against(item) == ["source_mix"]


def test_sources_with_few_payers_are_taken_together():
    """At 4 % the two visits from the video expect 0.08 payers: one of two is luck, and stays unseen."""
    item = guarded(item_source_day=sources(
        "2026-11-20 A search 998 39", "2026-11-20 A video 2 1", "2026-11-20 B video 9000 90"))  # fmt: skip
    own, video = 39 / 998, 1 / 2
    assert item["standardised"] == pytest.approx((own * 998 + video * 9002) / 10_000)
    two = guarded(item_source_day=sources(
        "2026-11-20 A search 998 39", "2026-11-20 A video 2 1", "2026-11-20 A live 3 0",
        "2026-11-20 B video 9000 90"))  # fmt: skip
    assert two["standardised"] == pytest.approx((own * 998 + 1 / 5 * 9005) / 10_003)


def test_one_buyer_of_many_pieces_is_found_out():
    item = guarded(**orders("a:90", "b:3", "c:1", "b:1", "d:5"))
    assert item["top_buyer_share"] == 0.5
    assert against(item) == ["one_buyer"]
    assert against(item, top_buyer_share=0.2) == []


@pytest.mark.parametrize(
    ("marked", "told", "doubts"), [("True", "yes", ["presale"]), ("False", "no", [])]
)
def test_presale_is_read_from_the_item_list_or_the_orders(marked, told, doubts):
    items = (
        rows("items", "item_id", "A")
        .assign(presale=marked == "True")
        .astype({"presale": "boolean"})
    )
    assert guarded(items=items)["presale"] == told
    assert against(guarded(items=items)) == doubts
    sold = orders("z:1", "a:1")
    sold["order_lines"]["presale"] = pd.array([marked == "True"] * 2, dtype="boolean")
    assert guarded(**sold)["presale"] == told


def test_four_of_seven_days_with_sales_are_too_few():
    assert against(guarded(), days_with_sales=4) == ["few_days"]
    assert against(guarded(), days_with_sales=5) == []
