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


def test_published_example_by_logarithmic_mean():
    assert bridge.lmdi(BEFORE, AFTER) == pytest.approx(
        {"visitors": 10_970.24, "conversion": -9_330.30, "order_value": 2_040.06}, abs=0.005
    )


def test_the_logarithmic_mean_of_no_change_is_no_change():
    assert bridge.lmdi(BEFORE, BEFORE) == {"visitors": 0, "conversion": 0, "order_value": 0}


amounts = st.floats(0, 1e6, allow_nan=False)


@given(st.tuples(amounts, amounts, amounts), st.tuples(amounts, amounts, amounts))
def test_the_parts_add_up_to_the_change(before, after):
    one, other = (dict(zip(bridge.FACTORS, values, strict=True)) for values in (before, after))
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


def groups(**rows):
    return pd.DataFrame.from_dict(
        {name: map(float, row) for name, row in rows.items()},
        orient="index",
        columns=["visitors", "payers", "sales"],
    )


def test_one_group_alone_is_the_three_factor_bridge():
    parts = bridge.by_group(groups(a=(10_000, 200, 40_000)), groups(a=(13_000, 208, 43_680)))
    assert parts.loc["a"].to_dict() == pytest.approx(
        {"visitors": 11_060, "share": 0, "conversion": -9_440, "order_value": 2_060,
         "entered": 0, "left": 0, "uncounted": 0, "change": 3_680}
    )  # fmt: skip


def test_new_and_vanished_groups_have_bars_of_their_own():
    parts = bridge.by_group(
        groups(old=(100, 10, 500), both=(100, 10, 500)),
        groups(new=(300, 3, 90), both=(100, 10, 500)),
    )
    assert parts.loc["old", ["left", "change"]].tolist() == [-500, -500]
    assert parts.loc["new", ["entered", "change"]].tolist() == [90, 90]
    assert parts.loc["both", ["visitors", "share"]].sum() == pytest.approx(0)


def test_sales_that_no_payer_is_counted_for_stand_apart():
    parts = bridge.by_group(groups(a=(100, 0, 70)), groups(a=(100, 0, 0)))
    assert parts.loc["a", ["uncounted", "conversion"]].tolist() == [-70, 0]


rows = st.tuples(st.integers(0, 5000), st.integers(0, 300), st.integers(0, 90_000))
shops = st.dictionaries(st.sampled_from("abcdef"), rows, min_size=1)


@given(shops, shops)
def test_groups_add_up_to_the_last_cent_whatever_is_missing(before, after):
    old, new = groups(**before), groups(**after)
    parts = bridge.by_group(old, new)
    change = new["sales"].sum() - old["sales"].sum()
    assert parts["change"].sum() == pytest.approx(change, abs=0.005)
    explained = parts[list(bridge.GROUP_PARTS)].sum(axis=1)
    assert explained.to_numpy() == pytest.approx(parts["change"].to_numpy(), abs=0.005)


def trials(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["trials", "successes"])


SEARCH = (
    trials(search=(6000, 180.0), recommended=(3000, 24.0), paid=(1000, 20.0)),
    trials(search=(4000, 132.0), recommended=(9000, 81.0), paid=(1000, 21.0)),
)


def test_published_example_of_mix_and_rate():
    parts = bridge.mix_and_rate(*SEARCH)
    assert parts["by_mix"].sum() == pytest.approx(-0.00757, abs=5e-6)
    assert parts["by_rate"].sum() == pytest.approx(0.00189, abs=5e-6)
    assert (parts["by_mix"] + parts["by_rate"]).sum() == pytest.approx(0.0167143 - 0.0224, abs=1e-6)
    assert bridge.simpson(parts)


def test_a_rate_that_falls_with_its_groups_is_no_paradox():
    parts = bridge.mix_and_rate(trials(a=(100, 9), b=(100, 5)), trials(a=(100, 8), b=(100, 4)))
    assert not bridge.simpson(parts)


counts = st.tuples(st.one_of(st.just(0), st.integers(0, 9000)), st.integers(0, 9000))


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=6))
def test_mix_and_rate_add_up_to_the_change_of_the_overall_rate(pairs):
    """Also where more succeed than tried, or some without a trial: they tried on a day before."""
    before, after = (
        trials(**{str(i): pair[side] for i, pair in enumerate(pairs)}) for side in (0, 1)
    )
    if not (before["trials"].sum() and after["trials"].sum()):
        return
    change = after["successes"].sum() / after["trials"].sum()
    change -= before["successes"].sum() / before["trials"].sum()
    parts = bridge.mix_and_rate(before, after)
    found = (parts["by_mix"] + parts["by_rate"]).sum()
    assert found == pytest.approx(change, rel=1e-9, abs=1e-9)
