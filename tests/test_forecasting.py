"""Shows 5 and 6 of the forecast's issue: no leak, the same twice, and shops of every odd kind."""

import numpy as np
import pandas as pd
import pytest
from small_shops import day

from shopanalysis import forecasting, lift, ranges
from shopanalysis.calendars import DAY, Campaign

WEEK = np.array([100.0, 110, 120, 130, 140, 200, 180])


def shop(*rows, start="2026-01-05") -> pd.DataFrame:  # a Monday
    values = np.array(rows, float)
    days = pd.date_range(start, periods=values.shape[1])
    return pd.DataFrame(values, [f"s{i}" for i in range(len(rows))], days)


def noisy(days=300, series=4, seed=5):
    generator = np.random.default_rng(seed)
    return shop(*(np.tile(WEEK, 60)[:days] * generator.lognormal(0, 0.2, (series, days))))


def with_total(history):
    whole = history.sum(min_count=1).to_frame("total").T
    return pd.concat([whole, history]), ["total", *["item"] * len(history)]


@pytest.mark.parametrize("days", [1, 3, 10, 40, 41, 42, 60, 100, 400])
def test_every_length_of_history_has_a_forecast_of_its_rung(days):
    made = forecasting.forecast(noisy(days, series=1), 14)
    assert made.expected.shape == (1, 14)
    assert np.isfinite(made.expected).all()
    rung = "level" if days < 7 else "profile" if days < 49 else "full"
    assert made.rung.tolist() == [rung]
    assert np.isnan(ranges.by_day(made, 80)[0]).all() == (days < 42)
    if days >= 10:
        assert made.expected[0] == pytest.approx(np.roll(np.tile(WEEK, 3), -days)[:14], rel=0.35)


def test_no_day_at_all_is_no_forecast():
    made = forecasting.forecast(shop([]), 7)
    assert made.rung.tolist() == ["nothing"]
    assert made.expected.tolist() == [[0.0] * 7]


def test_zeros_stay_zeros():
    made = forecasting.forecast(shop(np.zeros(120)), 14)
    assert made.expected.tolist() == [[0.0] * 14]
    assert np.nan_to_num(ranges.by_day(made, 95)[1]).tolist() == [[0.0] * 14]


def test_one_giant_day_hardly_moves_what_is_expected():
    plain, giant = np.tile(WEEK, 20), np.tile(WEEK, 20)
    giant[130] = 1e6
    usual, after = (forecasting.forecast(shop(v), 14).expected for v in (plain, giant))
    assert after == pytest.approx(usual, rel=0.25)


def test_days_missing_are_not_zero():
    gaps = np.tile(WEEK, 20)
    gaps[[50, 51, 90, 130, 131, 132]] = np.nan
    made = forecasting.forecast(shop(gaps), 7)
    assert made.expected[0] == pytest.approx(WEEK, rel=0.05)


def test_a_day_on_which_the_whole_shop_was_shut_is_not_zero_either():
    shut = np.tile(WEEK, 20)
    shut[120:126] = 0
    made = forecasting.forecast(shop(shut), 7)
    assert made.expected[0] == pytest.approx(WEEK, rel=0.05)


def test_negative_net_sales_never_give_a_negative_forecast():
    returns = np.tile([5.0, -60, 3, 2, 0, 0, 1], 20)
    made = forecasting.forecast(shop(returns), 14)
    low, high = ranges.by_day(made, 95)
    assert (made.expected >= 0).all()
    assert (low >= 0).all()
    assert (high >= made.expected).all()


def test_a_dead_item_is_expected_to_sell_nothing_and_one_sold_out_comes_back():
    dead = [5.0] * 100 + [0.0] * 40
    back = [5.0] * 100 + [0.0] * 20 + [5.0] * 20
    made = forecasting.forecast(shop(np.tile(WEEK, 20), dead, back), 7)
    assert made.stopped.tolist() == [False, True, False]
    assert made.expected[1].tolist() == [0.0] * 7
    assert made.expected[2] == pytest.approx([5.0] * 7, rel=0.25)


def test_an_item_launched_yesterday_sells_as_yesterday_by_the_shops_weekdays():
    history = noisy(280, series=2)
    history.iloc[1, :-1] = np.nan
    history.iloc[1, -1] = 18.0  # a Sunday, a tenth of the shop
    made = forecasting.forecast(history, 7, groups=["item", "item"])
    assert made.rung.tolist() == ["full", "level"]
    assert made.expected[1] == pytest.approx(WEEK / 10, rel=0.2)


def test_a_closed_weekday_is_forecast_as_closed():
    made = forecasting.forecast(shop(np.tile([0.0, *WEEK[1:]], 20)), 14)
    assert (made.expected[0, [0, 7]] == 0).all()
    assert (made.expected[0, 1:7] > 0).all()


def test_a_horizon_longer_than_the_history():
    made = forecasting.forecast(shop(np.tile(WEEK, 4)), 60)
    assert made.expected[0, :7] == pytest.approx(WEEK)
    assert made.expected[0, 56:60] == pytest.approx(WEEK[:4])


def test_a_past_campaign_leaves_ordinary_days_alone_and_comes_back():
    values = np.full(140, 100.0)
    values[100:102] = 900.0
    past = Campaign("sale", day("2026-04-15"), day("2026-04-16"))
    coming = Campaign("sale", day("2026-05-26"), day("2026-05-27"))
    made = forecasting.forecast(shop(values), 5, (past, coming))
    assert made.expected[0] == pytest.approx([100, 900, 900, 100, 100], rel=0.01)
    assert made.event.tolist() == [False, True, True, False, False]


def test_the_first_campaign_of_its_kind_adds_nothing_and_is_named():
    first = Campaign("opening", day("2026-05-26"), day("2026-05-27"))
    made = forecasting.forecast(shop(np.full(140, 100.0)), 5, (first,))
    assert made.expected[0] == pytest.approx([100] * 5, rel=0.01)
    assert made.unknown == (first,)


def test_what_the_shop_says_of_a_first_campaign_counts_until_it_was_measured():
    opening = Campaign(
        "sale", day("2026-11-02"), day("2026-11-03"), lift=3.0, lift_low=2.0, lift_high=4.0
    )
    plain = forecasting.forecast(noisy(), 14)
    made = forecasting.forecast(noisy(), 14, (opening,))
    assert (made.unknown, made.stated) == ((), (opening,))
    assert made.expected[:, [1, 2]] == pytest.approx(3 * plain.expected[:, [1, 2]])
    assert made.expected[:, 3:] == pytest.approx(plain.expected[:, 3:])
    for method in made.tried:  # at past dates it had not been said
        np.testing.assert_array_equal(made.tried[method], plain.tried[method])
    past = Campaign("sale", day("2026-09-02"), day("2026-09-03"))
    again = forecasting.forecast(noisy(), 14, (past, opening))
    assert again.stated == ()
    assert (again.expected[:, [1, 2]] < 2 * plain.expected[:, [1, 2]]).all()


def test_a_calendar_of_days_that_do_nothing_costs_nothing():
    """Twenty campaigns named, none of which moves a sale: the forecast is that without a calendar."""
    history = noisy(360, series=1)
    days = history.columns
    named = [Campaign("idle", days[i], days[i] + 2 * DAY) for i in range(40, 355, 16)]
    named.append(Campaign("idle", days[-1] + 3 * DAY, days[-1] + 5 * DAY))
    generator, worse = np.random.default_rng(4), []
    for _ in range(6):
        values = history * generator.lognormal(0, 0.1, history.shape)
        plain, told = (forecasting.forecast(values, 14, c).expected for c in ((), named))
        worse.append(np.abs(told / plain - 1).mean())
    assert np.mean(worse) < 0.06


def test_days_of_a_campaign_that_did_nothing_are_learned_from_once_it_has_ended():
    first = day("2026-01-05")
    quiet = Campaign("quiet", first + 10 * DAY, first + 11 * DAY)
    loud = Campaign("loud", first + 11 * DAY, first + 13 * DAY)
    found = {quiet: lift.Lift(np.ones(1), np.ones(2), 1.0, 0.0),
             loud: lift.Lift(np.full(1, 3.0), np.ones(3), 3.0, 0.9)}  # fmt: skip
    since = forecasting._ordinary_from((quiet, loud), found, first, 20)
    assert since[10] == 12
    assert np.isinf(np.delete(since, 10)).all()


def test_items_add_up_to_the_total_day_by_day():
    history, groups = with_total(noisy())
    made = forecasting.forecast(history, 28, groups=groups)
    assert made.expected[1:].sum(axis=0) == pytest.approx(made.expected[0])
    tried = made.tried["pooled"]
    assert tried[:, 1:].sum(axis=1) == pytest.approx(tried[:, 0])


def test_the_future_never_reaches_the_forecast():
    """Past dates: shuffling what came after one changes nothing that was said then."""
    history, groups = with_total(noisy())
    shuffled = history.copy()
    place = np.random.default_rng(1).permutation(np.arange(200, 300))
    shuffled.iloc[:, 200:] = history.iloc[:, place].to_numpy()
    campaigns = (Campaign("sale", day("2026-04-01"), day("2026-04-03")),
                 Campaign("sale", day("2026-08-25"), day("2026-08-27")))  # fmt: skip
    one, other = (forecasting.forecast(h, 14, campaigns, groups) for h in (history, shuffled))
    then = one.origins <= history.columns[200]
    assert then.sum() > 10
    for method in one.tried:
        np.testing.assert_array_equal(one.tried[method][then], other.tried[method][then])
    cut = forecasting.forecast(history.iloc[:, :202], 14, campaigns, groups)
    place = list(one.origins).index(cut.days[0])
    np.testing.assert_allclose(one.tried["pooled"][place], cut.expected, rtol=1e-6)


def test_the_same_history_gives_the_same_forecast():
    history, groups = with_total(noisy())
    one, other = (forecasting.forecast(history, 28, groups=groups) for _ in range(2))
    np.testing.assert_array_equal(one.expected, other.expected)
    np.testing.assert_array_equal(ranges.paths(one, "total"), ranges.paths(other, "total"))


def test_an_unrelated_item_moves_the_total_by_less_than_its_range():
    history = noisy()
    extra = np.random.default_rng(8).poisson(0.3, history.shape[1]) * 10.0
    more = pd.concat([history, pd.DataFrame([extra], ["extra"], history.columns)])
    made = []
    for parts in (history, more):
        whole, groups = with_total(parts)
        whole.loc["total"] = history.sum()
        made.append(forecasting.forecast(whole, 28, groups=groups))
    low, high = ranges.by_day(made[0], 80)
    moved = np.abs(made[1].expected[0] - made[0].expected[0])
    assert (moved < (high - low)[0]).all()


def test_where_nothing_beats_last_week_last_week_is_shipped():
    walk = 1000 + 300 * np.repeat(np.random.default_rng(1).normal(0, 1, 60).cumsum(), 7)
    walk += np.tile([0, 300, 600, 0, 0, 900, 0], 60) * np.repeat(np.arange(60) % 2, 7)
    made = forecasting.forecast(shop(walk - walk.min() + 100), 7)
    error = {m: np.nansum(np.abs(tried - made.actual)) for m, tried in made.tried.items()}
    assert made.method == min(error, key=error.get)


def test_seasonal_naive_repeats_the_last_week_and_passes_over_missing_days():
    values = np.array([[*WEEK, *WEEK[:6], np.nan]])
    assert forecasting._seasonal_naive(values, 14, 9).tolist() == [[*WEEK, *WEEK[:2]]]
    assert forecasting._seasonal_naive(values[:, :3], 3, 8).tolist() == [
        [0, 0, 0, 0, 100, 110, 120, 0]
    ]


def test_noise_around_a_steady_level_beats_repeating_last_week():
    made = forecasting.forecast(noisy(), 28)
    assert made.method == "pooled"
    error = {m: np.nansum(np.abs(tried - made.actual)) for m, tried in made.tried.items()}
    assert error["pooled"] < 0.85 * error["seasonal_naive"]


def test_the_total_meets_its_parts_half_way_and_the_parts_follow():
    made = np.array([[[10.0, 5.0], [4.0, 0.0], [2.0, 0.0]]])
    agreed = forecasting._agreed(made, np.array([True, False, False]), meet=0.5)[0]
    assert agreed[:, 0] == pytest.approx([8, 4 * 8 / 6, 2 * 8 / 6])
    assert agreed[:, 1] == pytest.approx([5, 2.5, 2.5])  # parts of nothing share alike
