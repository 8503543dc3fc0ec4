import numpy as np
import pytest
from small_shops import day, shop_days

from shopanalysis import scenarios
from shopanalysis.calendars import Campaign

BASIS = "buyers/visitors"


def test_now_is_a_ratio_of_sums_over_ordinary_days():
    shop_day = shop_days("2026-06-01", visitors=[100.0, 300, 9000], buyers=[10.0, 10, 900],
                         sales=[500.0, 500, 9000])  # fmt: skip
    sale = Campaign("sale", day("2026-06-03"), day("2026-06-03"))
    assert scenarios.now(shop_day, day("2026-06-03"), BASIS, (sale,)) == {
        "visitors": 200, "conversion": 0.05, "order_value": 50, "days": 2,
    }  # fmt: skip


def test_scenarios_by_hand():
    table = scenarios.scenarios(20_000, conversion=0.02, order_value=100).set_index("scenario")
    assert table.loc["as_forecast", "visitors"] == 10_000  # 10,000 x 2 % x 100 = 20,000
    assert table["sales_change"].to_dict() == pytest.approx(
        {"as_forecast": 0, "fewer_visitors": -4000, "more_visitors": 4000,
         "higher_conversion": 3000, "higher_order_value": 1000,
         "all_three": 12_000 * 0.023 * 105 - 20_000}
    )  # fmt: skip


def test_the_parts_of_every_scenario_add_up_exactly():
    table = scenarios.scenarios(829_013, 0.0242, 167.3)
    parts = table[["by_visitors", "by_conversion", "by_order_value"]].sum(axis=1)
    assert parts.tolist() == pytest.approx(table["sales_change"].tolist(), abs=1e-6)


@pytest.mark.parametrize(("conversion", "value"), [(0.0, 100), (np.nan, 100), (0.02, np.nan)])
def test_without_conversion_or_value_there_is_no_scenario(conversion, value):
    assert scenarios.scenarios(1000, conversion, value).empty
