import numpy as np
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import habits

LAST, BASIS = day("2026-11-20"), "buyers/visitors"
SIDES = rows(
    "shop_day", "date device visitors buyers sales",
    "2026-11-20 all 90 5 100", "2026-11-20 pc 20 1 30", "2026-11-20 wireless 80 4 70",
    "2026-11-19 pc 20 1 10", "2026-11-19 wireless 80 4 90",
)  # fmt: skip


def test_wireless_and_pc_add_up_to_their_own_whole():
    sides = habits.devices(SIDES, LAST, BASIS, 7).set_index("device")
    assert sides.loc["wireless", ["visitors_by_day", "payers", "sales"]].tolist() == [160, 8, 160]
    assert sides["side_share"].tolist() == [0.2, 0.8]
    assert sides["sales_share"].tolist() == [0.2, 0.8]
    assert sides["conversion"].tolist() == [0.05, 0.05]
    assert sides["value_per_visitor"].tolist() == [1, 1]
    found = habits.findings(sides.reset_index(), sides.head(0), 0.426)[0]
    assert (found.value, found.baseline, found.n) == (0.8, 0.426, 10)


def test_a_day_without_visitors_is_left_out_of_its_sides_sales_too():
    holed = SIDES.copy()
    holed.loc[3, "visitors"] = np.nan
    sides = habits.devices(holed, LAST, BASIS, 7).set_index("device")
    assert sides.loc["pc", ["visitors_by_day", "sales"]].tolist() == [20, 30]


def test_without_the_split_there_is_nothing_to_say():
    assert habits.devices(SIDES.head(1), LAST, BASIS, 7).empty
    assert habits.findings(SIDES.head(0), SIDES.head(0), 0.426) == []


def test_ups_and_downs_go_with_the_factor_that_moves_and_add_up():
    luck = np.exp(0.2 * np.random.default_rng(1).standard_normal(60))
    shop = shop_days("2026-09-22", visitors=1000 * luck, buyers=20 * luck, sales=3000 * luck)
    swings = habits.ups_and_downs(shop, [], LAST, BASIS).set_index("factor")
    assert swings["variance_share"].tolist() == pytest.approx([1, 0, 0])
    assert swings["n"].tolist() == [56] * 3
    assert (
        habits.findings(shop.head(0), swings.reset_index(), 0.426)[0].values["first"] == "visitors"
    )


def test_the_shares_of_any_shop_add_up_to_one():
    random = np.random.default_rng(2)
    shop = shop_days(
        "2026-09-22", visitors=random.integers(50, 900, 60), buyers=random.integers(0, 30, 60),
        sales=random.random(60) * 1000,
    )  # fmt: skip
    assert habits.ups_and_downs(shop, [], LAST, BASIS)["variance_share"].sum() == pytest.approx(1)


def test_a_shop_that_never_varies_or_has_no_two_weeks_says_nothing():
    still = shop_days("2026-09-22", visitors=[100.0] * 60, buyers=[2.0] * 60, sales=[300.0] * 60)
    assert habits.ups_and_downs(still, [], LAST, BASIS).empty
    assert habits.ups_and_downs(still.tail(13), [], LAST, BASIS).empty
