import numpy as np
import pandas as pd
import pytest
from scipy import stats

from shopanalysis import rates

PILLOWS = rates.Beta(8, 392)  # a shop whose items convert at 2 % on average


@pytest.mark.parametrize(
    ("paid", "visitors", "low", "high"),
    [(90, 3000, 0.0245, 0.0367), (30, 1000, 0.0211, 0.0425), (9, 300, 0.0159, 0.0560),
     (300, 10_000, 0.0268, 0.0335)],
)  # fmt: skip
def test_wilson_interval_of_three_percent_as_published(paid, visitors, low, high):
    assert rates.wilson(paid, visitors) == pytest.approx((low, high), abs=0.00006)


@pytest.mark.parametrize(
    ("visitors", "paid"), [(300, 14), (1000, 39), (3000, 106), (10_000, 329), (30_000, 949)]
)
def test_payers_needed_for_a_lower_bound_of_three_percent_as_published(visitors, paid):
    assert rates.wilson(paid, visitors, level=0.9)[0] >= 0.03
    assert rates.wilson(paid - 1, visitors, level=0.9)[0] < 0.03


@pytest.mark.parametrize(
    ("visitors", "low", "high"), [(100, 60, 78), (500, 66, 74), (1000, 67, 73)]
)
def test_interval_of_a_bounce_of_seventy_percent_as_published(visitors, low, high):
    ends = rates.wilson(0.7 * visitors, visitors)
    assert [round(100 * end) for end in ends] == [low, high]


@pytest.mark.parametrize(
    ("true", "share"), [(0.025, 0.038), (0.028, 0.23), (0.03, 0.47), (0.032, 0.71), (0.035, 0.93)]
)
def test_how_often_the_plans_rule_alone_says_yes_as_published(true, share):
    assert stats.binom.sf(90, 3000, true) == pytest.approx(share, abs=0.006)


def test_wilson_and_the_exact_interval_agree_with_scipy():
    test = stats.binomtest(7, 123)
    for ours, method in ((rates.wilson, "wilson"), (rates.clopper_pearson, "exact")):
        theirs = test.proportion_ci(0.9, method=method)
        assert ours(7, 123, level=0.9) == pytest.approx((theirs.low, theirs.high))


def test_few_successes_get_the_exact_interval_and_many_wilsons():
    low, high = rates.interval([3, 300], [100, 10_000])
    assert (low[0], high[0]) == pytest.approx(rates.clopper_pearson(3, 100))
    assert (low[1], high[1]) == pytest.approx(rates.wilson(300, 10_000))


@pytest.mark.parametrize("ends", [rates.wilson, rates.clopper_pearson, rates.interval])
def test_no_trials_have_no_interval(ends):
    assert np.isnan(ends(0, 0)).all()


def test_days_that_vary_twice_as_much_make_the_interval_wider_by_root_two():
    narrow, wide = rates.wilson(300, 10_000), rates.wilson(300, 10_000, dispersion=2)
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx(np.sqrt(2), rel=0.01)


def test_a_rate_of_nothing_is_missing_and_not_zero():
    assert rates.ratio(pd.Series([0.0, 1.0]), pd.Series([0.0, 4.0])).tolist()[1] == 0.25
    assert np.isnan(rates.ratio(0, 0))


def test_dispersion_is_one_for_luck_alone_and_found_where_days_differ():
    generator = np.random.default_rng(4)
    visitors = generator.integers(300, 900, (80, 28))
    rate = np.linspace(0.01, 0.05, 80)[:, None]
    items = np.repeat(np.arange(80), 28)
    alike = generator.binomial(visitors, rate)
    differing = generator.binomial(visitors, rate * generator.gamma(25, 1 / 25, (80, 28)))
    assert rates.dispersion(alike.ravel(), visitors.ravel(), items) == pytest.approx(1, abs=0.06)
    expected = 1 + np.mean(visitors * rate / (1 - rate)) / 25
    found = rates.dispersion(differing.ravel(), visitors.ravel(), items)
    assert found == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("paid", "visitors", "mean", "chance"),
    [(91, 3000, 0.0291, 0.37), (107, 3000, 0.0338, 0.90), (12, 300, 0.0286, 0.38)],
)
def test_shrinkage_towards_the_shop_as_published(paid, visitors, mean, chance):
    assert PILLOWS.mean_after(paid, visitors) == pytest.approx(mean, abs=0.00006)
    assert PILLOWS.chance_above(0.03, paid, visitors) == pytest.approx(chance, abs=0.006)


def test_a_shops_items_give_back_the_distribution_that_they_were_drawn_from():
    generator = np.random.default_rng(1)
    visitors = generator.integers(100, 5000, 2000)
    paid = generator.binomial(visitors, generator.beta(8, 392, 2000))
    fitted = rates.fit_beta(paid, visitors)
    assert fitted.mean == pytest.approx(0.02, rel=0.03)
    assert fitted.a + fitted.b == pytest.approx(400, rel=0.15)


def test_items_that_do_not_differ_are_held_close_together():
    generator = np.random.default_rng(1)
    visitors = generator.integers(100, 5000, 300)
    fitted = rates.fit_beta(generator.binomial(visitors, 0.02), visitors)
    assert fitted.a + fitted.b > 5000


def test_a_single_item_does_not_break_the_fit():
    assert rates.fit_beta([5], [100]).mean == pytest.approx(5.5 / 101)
    assert 0 < rates.fit_beta([0, 0], [10, 0]).mean < 0.1


def test_few_items_do_not_pretend_to_be_alike():
    """Two like items are no proof that all are alike: their common rate counts for little beforehand."""
    fitted = rates.fit_beta([99, 99], [3000, 3000])
    assert fitted.a + fitted.b < 300
    assert rates.fit_beta([99], [3000]).interval(99, 3000)[0] < 0.0275


def test_the_interval_of_a_beta_is_scipys():
    ends = PILLOWS.interval([91, 0], [3000, 10], level=0.9)
    for i, (k, n) in enumerate(((91, 3000), (0, 10))):
        theirs = stats.beta.interval(0.9, 8 + k, 392 + n - k)
        assert (ends[0][i], ends[1][i]) == pytest.approx(theirs)


@pytest.mark.parametrize("shock", [0.0, 0.05])
def test_the_shock_of_days_comes_back_for_small_and_large_items(shock):
    generator = np.random.default_rng(4)
    items, days = 60, 28
    visitors = np.repeat(np.round(generator.lognormal(4.5, 1.2, items)), days)
    factors = generator.gamma(1 / shock, shock, items * days) if shock else 1.0
    paid = generator.binomial(visitors.astype(int), np.minimum(0.02 * factors, 1))
    groups = np.repeat(np.arange(items), days)
    assert rates.day_shock(paid, visitors, groups) == pytest.approx(shock, abs=0.01)


def test_a_large_item_varies_more_beyond_luck_than_a_small_one():
    """Ten and one payers a day at a shock of 0.1: 1 + 0.1 x 10 and 1 + 0.1 x 1."""
    paid, visitors = [10, 10, 1, 1, 0], [100, 100, 100, 100, 0]
    many = rates.dispersion_by_group(0.1, paid, visitors, list("aabbc"))
    assert many.to_dict() == pytest.approx({"a": 2.0, "b": 1.1, "c": 1.0})


def test_no_days_and_one_day_each_show_no_shock():
    assert rates.day_shock(pd.Series(dtype=float), pd.Series(dtype=float), []) == 0
    assert rates.day_shock([3, 5], [100, 90], ["a", "b"]) == 0


def test_the_largest_set_with_one_in_ten_wrong():
    chances = pd.Series({"a": 0.99, "b": 0.95, "c": 0.85, "d": 0.6, "e": 0.1})
    assert chances[rates.chosen(chances)].index.tolist() == ["a", "b", "c"]  # 0.07; with d 0.1525
    assert not rates.chosen(pd.Series({"x": 0.8})).any()


def test_false_discovery_skips_what_was_not_tested():
    adjusted = rates.false_discovery(pd.Series([0.01, np.nan, 0.04], index=list("abc")))
    assert adjusted["a"] == pytest.approx(0.02)
    assert adjusted["c"] == pytest.approx(0.04)
    assert np.isnan(adjusted["b"])


def test_equal_shares_are_not_told_apart_and_far_ones_are():
    p = rates.difference_test([20, 20], [1000, 1000], [20, 60], [1000, 1000])
    assert p[0] == 1
    assert p[1] == pytest.approx(stats.norm.sf(40 / 1000 / np.sqrt(2 * 0.04 * 0.96 / 1000)) * 2)


@pytest.mark.parametrize(
    ("asked", "flagged"), [(20, 5), (30, 10), (50, 18), (100, 41), (200, 87), (500, 231)]
)
def test_an_agent_is_surely_below_one_half_as_published(asked, flagged):
    assert rates.surely_below(flagged, asked, 0.5)
    assert not rates.surely_below(flagged + 1, asked, 0.5)


@pytest.mark.parametrize(("reviews", "limit"), [(100, 0.974), (200, 0.987)])
def test_what_all_good_reviews_prove_as_published(reviews, limit):
    assert rates.wilson(reviews, reviews, level=0.9)[0] == pytest.approx(limit, abs=0.0005)


@pytest.mark.parametrize(("reviews", "share"), [(100, 0.26), (200, 0.14), (1000, 0.05)])
def test_how_often_a_good_shop_falls_below_its_bar_by_luck_as_published(reviews, share):
    below = int(np.ceil(0.985 * reviews)) - 1
    assert stats.binom.cdf(below, reviews, 0.99) == pytest.approx(share, abs=0.011)


def test_a_ratio_of_sums_agrees_with_resampling_its_days():
    generator = np.random.default_rng(5)
    visitors = generator.integers(500, 1500, 60).astype(float)
    pages = visitors * generator.normal(2.7, 0.3, 60)
    _, low, high = rates.ratio_of_sums(pages, visitors)
    picks = generator.integers(0, 60, (4000, 60))
    resampled = pages[picks].sum(1) / visitors[picks].sum(1)
    assert (low, high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.01)


def test_one_day_has_a_ratio_and_no_interval():
    value, low, high = rates.ratio_of_sums([250.0], [100.0])
    assert value == 2.5
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    ("visitors", "relative"), [(1000, 0.88), (3000, 0.51), (10_000, 0.28), (70_000, 0.10)]
)
def test_the_smallest_change_that_can_be_seen_as_published(visitors, relative):
    assert rates.detectable_change(0.02, visitors) / 0.02 == pytest.approx(relative, abs=0.006)


def test_visitors_needed_are_the_inverse_of_the_change_that_can_be_seen():
    change = rates.detectable_change(0.02, 4321, dispersion=1.7)
    assert rates.trials_needed(0.02, change, dispersion=1.7) == pytest.approx(4321)


@pytest.mark.parametrize(("deviation", "ratings"), [(0.7, 770), (0.9, 1270)])
def test_ratings_needed_to_see_a_tenth_of_a_point_as_published(deviation, ratings):
    assert rates.trials_for_mean(deviation, 0.1) == pytest.approx(ratings, rel=0.002)


@pytest.mark.parametrize(
    ("visitors", "seen", "next_week"), [(300, 0.0390, 0.028), (3000, 0.0349, 0.0333)]
)
def test_the_winners_curse_of_the_plans_rule_as_published(visitors, seen, next_week):
    """Items that show more than 3 % deliver less the week after; exactly, by the beta-binomial."""
    paid = np.arange(visitors + 1)
    chance = stats.betabinom.pmf(paid, visitors, PILLOWS.a, PILLOWS.b)
    passed = paid / visitors > 0.03
    weight = chance[passed] / chance[passed].sum()
    assert (weight * paid[passed] / visitors).sum() == pytest.approx(seen, abs=0.0002)
    expected = PILLOWS.mean_after(paid[passed], visitors)
    assert (weight * expected).sum() == pytest.approx(next_week, abs=0.0005)
