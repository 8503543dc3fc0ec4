import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopanalysis import bridge

BEFORE = {"visitors": 10_000, "conversion": 0.02, "order_value": 200}
AFTER = {"visitors": 13_000, "conversion": 0.016, "order_value": 210}


def test_published_example_of_a_three_factor_bridge():
    assert bridge.shapley(BEFORE, AFTER) == pytest.approx(
        {"visitors": 11_060, "conversion": -9_440, "order_value": 2_060}
    )


amounts = st.floats(0, 1e6, allow_nan=False)


@given(st.tuples(amounts, amounts, amounts), st.tuples(amounts, amounts, amounts))
def test_the_parts_add_up_to_the_change(before, after):
    names = ("visitors", "conversion", "order_value")
    one, other = dict(zip(names, before, strict=True)), dict(zip(names, after, strict=True))
    change = after[0] * after[1] * after[2] - before[0] * before[1] * before[2]
    parts = bridge.shapley(one, other)
    largest = max(map(abs, parts.values()))
    assert sum(parts.values()) == pytest.approx(change, rel=1e-9, abs=1e-12 * largest + 1e-9)


def test_reversing_time_reverses_every_part():
    there, back = bridge.shapley(BEFORE, AFTER), bridge.shapley(AFTER, BEFORE)
    assert {name: -part for name, part in back.items()} == pytest.approx(there)


def test_a_day_without_buyers_still_has_factors_whose_product_is_its_sales():
    factors = bridge.sales_factors(pd.Series({"visitors": 50, "buyers": 0, "sales": 0.0}), "buyers")
    assert factors == {"visitors": 50, "conversion": 0, "order_value": 0}
