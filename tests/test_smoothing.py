import numpy as np
import pytest

from shopanalysis import smoothing

WEEK = [100.0, 110, 120, 130, 140, 200, 180]


def rows(*series) -> np.ndarray:
    return np.array(series, float)


def test_a_day_is_learned_from_up_to_twice_the_best_of_eight_weeks():
    values = rows([10.0] * 20 + [1000.0] + [10.0] * 5)
    assert smoothing.learned(values)[0, 20] == 20
    assert np.delete(smoothing.learned(values)[0], 20).tolist() == [10] * 25


def test_no_sales_are_learned_as_zero_until_seven_were_due_and_then_not_at_all():
    values = rows([5.0] * 28 + [0.0] * 20 + [5.0])
    learned = smoothing.learned(values)[0]  # 28 of 56 days sold: half a sale due a day
    assert learned[28:42].tolist() == [0] * 14
    assert np.isnan(learned[42:48]).all()
    assert learned[48] == 5


@pytest.mark.parametrize(("origin", "stopped"), [(42, False), (43, True), (49, False)])
def test_a_stop_is_known_only_while_it_lasts(origin, stopped):
    values = rows([5.0] * 28 + [0.0] * 20 + [5.0])
    assert smoothing.stopped(values, origin).tolist() == [stopped]


def test_what_is_learned_from_a_day_never_depends_on_a_later_one():
    values = np.random.default_rng(1).poisson(0.8, (5, 200)) * 1.0
    for end in (60, 121, 177):
        before = smoothing.learned(values[:, :end])
        np.testing.assert_array_equal(before, smoothing.learned(values)[:, :end])


def test_the_profile_of_a_perfect_week_is_that_week_whatever_day_it_starts():
    values = rows(WEEK * 8)
    assert smoothing.profile(values, 56, 9)[0] == pytest.approx(WEEK + WEEK[:2])
    assert smoothing.profile(values, 52, 3)[0] == pytest.approx(WEEK[3:6])


def test_a_new_item_has_its_own_level_and_the_shops_weekdays():
    shop = WEEK * 8
    new = [np.nan] * 53 + [14.0, 20.0, 18.0]  # a tenth of the shop
    made = smoothing.profile(rows(shop, new), 56, 7, pool=np.array([True, False]))
    assert made[1] == pytest.approx(np.array(WEEK) / 10, rel=0.03)


def test_a_profile_of_nothing_is_zero():
    assert smoothing.profile(rows([np.nan] * 9, [0.0] * 9), 9, 4).tolist() == [[0] * 4] * 2
    assert smoothing.profile(rows([], []), 0, 3).tolist() == [[0] * 3] * 2


def test_a_weekday_without_sales_for_eight_weeks_is_closed():
    values = rows([0.0, *WEEK[1:]] * 8)
    assert smoothing.closed(values, 56, 8).tolist() == [True] + [False] * 6 + [True]
    assert not smoothing.closed(values[:, :49], 49, 7).any()  # seven weeks are too few to say


def test_smoothing_repeats_a_perfect_week_and_follows_a_new_level():
    groups = np.array(["item"])
    week = smoothing.smoothed(rows(WEEK * 30), [210], 7, groups)[0, 0]
    assert week == pytest.approx(WEEK, rel=0.03)
    risen = smoothing.smoothed(rows([10.0] * 100 + [20.0] * 100), [200], 3, groups)[0, 0]
    assert risen == pytest.approx([20] * 3, rel=0.1)


def test_one_setting_by_hand(monkeypatch):
    monkeypatch.setattr(smoothing, "SETTINGS", np.array([[0.5, 0.0, 0.0]]))
    values = rows([8.0, 4.0, np.nan, 10.0])
    level, slope, season = smoothing._states(values, [4])
    # level: 8, then 8 + (4 - 8) / 2 = 6, missing, then 6 + (10 - 6) / 2 = 8
    assert level.ravel() == pytest.approx([8])
    assert slope.ravel() == pytest.approx([0])
    # seasons of days 1 and 3: half of what the level left of the error; the next day (place 4) is first
    assert season.ravel() == pytest.approx([0, 0, 0, 0, -1, 0, 1])


def test_weights_prefer_what_was_closer_and_siblings_share():
    errors = np.array([[[1.0, 5.0], [2.0, 5.0]]])  # one origin, two settings, two series
    own = smoothing._weights(errors, np.array(["a", "b"]))
    assert own[:, 1] == pytest.approx([0.5, 0.5])
    assert own[0, 0] == pytest.approx(1 / (1 + np.exp(-10)))
    shared = smoothing._weights(errors, np.array(["a", "a"]))
    assert shared[0, 1] > 0.5
    assert shared.sum(axis=0) == pytest.approx([1, 1])


def test_weights_at_an_origin_come_from_windows_that_had_passed():
    generator = np.random.default_rng(3)
    values = generator.lognormal(3, 0.4, (4, 220))
    groups, origins = np.array(["a"] * 4), list(range(60, 200, 7))
    changed = values.copy()
    changed[:, 130:] = generator.permutation(changed[:, 130:], axis=1)
    one, other = (smoothing.smoothed(v, origins, 14, groups) for v in (values, changed))
    early = np.array(origins) <= 130
    np.testing.assert_array_equal(one[early], other[early])
    assert not np.allclose(one[~early], other[~early])
