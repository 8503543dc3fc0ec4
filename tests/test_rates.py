import numpy as np
import pandas as pd
import pytest
from scipy import stats

from shopanalysis import rates


@pytest.mark.parametrize(
    ("paid", "visitors", "low", "high"),
    [(90, 3000, 0.0245, 0.0367), (30, 1000, 0.0211, 0.0425), (9, 300, 0.0159, 0.0560)],
)
def test_wilson_interval_of_three_percent_as_published(paid, visitors, low, high):
    assert rates.wilson(paid, visitors) == pytest.approx((low, high), abs=0.00006)


def test_wilson_agrees_with_scipy():
    ours = rates.wilson(7, 123, level=0.9)
    theirs = stats.binomtest(7, 123).proportion_ci(0.9, method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high))


def test_no_trials_have_no_interval():
    assert np.isnan(rates.wilson(0, 0)).all()


def test_a_rate_of_nothing_is_missing_and_not_zero():
    assert rates.ratio(pd.Series([0.0, 1.0]), pd.Series([0.0, 4.0])).tolist()[1] == 0.25
    assert np.isnan(rates.ratio(0, 0))


def test_equal_shares_are_not_told_apart_and_far_ones_are():
    p = rates.difference_test([20, 20], [1000, 1000], [20, 60], [1000, 1000])
    assert p[0] == 1
    assert p[1] == pytest.approx(stats.norm.sf(40 / 1000 / np.sqrt(2 * 0.04 * 0.96 / 1000)) * 2)


def test_false_discovery_skips_what_was_not_tested():
    adjusted = rates.false_discovery(pd.Series([0.01, np.nan, 0.04], index=list("abc")))
    assert adjusted["a"] == pytest.approx(0.02)
    assert adjusted["c"] == pytest.approx(0.04)
    assert np.isnan(adjusted["b"])
