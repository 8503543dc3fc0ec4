from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_shops import day

from shopanalysis import lift
from shopanalysis.calendars import Campaign, campaign_days
from shopanalysis.smoothing import profile

FIRST = day("2025-09-01")
LAST_YEAR = Campaign("Double 11", day("2025-11-10"), day("2025-11-11"))
COMING = Campaign("Double 11", day("2026-11-10"), day("2026-11-11"))
SHOP = np.array([True, False])


def measured(shop, item, campaigns=(LAST_YEAR,)):
    values = np.array([shop, item], float)
    dates = pd.date_range(FIRST, periods=values.shape[1])
    clean = np.where(dates.isin(campaign_days(campaigns)), np.nan, values)
    return lift.measured(values, clean, FIRST, campaigns, SHOP)


def ordinary(level, *event):
    return [level] * 70 + list(event) + [level] * 10


def test_the_lift_of_a_phase_is_its_sales_over_the_weekdays_before():
    found = measured(ordinary(100, 200, 600), ordinary(10, 40, 40))[LAST_YEAR]
    # the shop sold 800 where 200 were due; the item 80 where 20 were, and the shop's four times counts too
    assert found.ratio == pytest.approx([4, 4])
    # days lean half on the phase: 2 of 4, and 6 of 4
    assert found.by_day == pytest.approx([(1 + 0.5) / 2, (1 + 1.5) / 2])
    assert found.on(COMING)[0] == pytest.approx([3, 5])


def test_an_items_ratio_leans_on_the_shops_as_seven_days_would():
    found = measured(ordinary(100, 400, 400), ordinary(10, 10, 10))[LAST_YEAR]
    assert found.ratio[1] == pytest.approx((20 + 7 * 4 * 10) / (20 + 7 * 10))


def test_a_campaign_of_another_length_takes_the_phase_alone():
    found = measured(ordinary(100, 200, 600), ordinary(10, 40, 40))[LAST_YEAR]
    longer = Campaign("Double 11", day("2026-11-09"), day("2026-11-11"))
    assert found.on(longer)[0] == pytest.approx([4, 4, 4])


def test_ahead_lays_it_on_its_days_only_and_names_what_has_no_precedent():
    lifts = measured(ordinary(100, 400, 400), ordinary(10, 40, 40))
    new = Campaign("Opening", day("2026-11-12"), day("2026-11-12"))
    days = pd.date_range("2026-11-09", periods=4)
    factor, unknown = lift.ahead(lifts, (LAST_YEAR, COMING, new), days, 2)
    assert factor[0] == pytest.approx([1, 4, 4, 1])
    assert unknown == [new]


def test_a_campaign_is_not_known_before_it_has_ended():
    lifts = measured(ordinary(100, 400, 400), ordinary(10, 40, 40))
    again = Campaign("Double 11", day("2025-11-13"), day("2025-11-13"))
    factor, unknown = lift.ahead(lifts, (again,), pd.date_range("2025-11-11", periods=4), 2)
    assert (factor == 1).all()
    assert unknown == [again]


def test_too_little_before_a_campaign_or_nothing_sold_gives_no_lift():
    early = Campaign("sale", FIRST + pd.Timedelta(days=3), FIRST + pd.Timedelta(days=4))
    assert measured([100.0] * 40, [1.0] * 40, (early,)) == {}
    assert measured([0.0] * 90, [0.0] * 90) == {}


OPENING = Campaign(
    "Opening", day("2026-11-12"), day("2026-11-12"), lift=2.5, lift_low=2, lift_high=3
)


def test_what_the_shop_says_counts_where_there_is_no_precedent_and_from_now_on():
    lifts = measured(ordinary(100, 400, 400), ordinary(10, 40, 40))
    days = pd.date_range("2026-11-09", periods=4)
    said = replace(COMING, lift=9.0, lift_low=8.0, lift_high=10.0)
    factor, unknown = lift.ahead(lifts, (LAST_YEAR, said, OPENING), days, 2)
    assert factor == pytest.approx(np.array([[1, 4, 4, 2.5]] * 2))
    assert unknown == [OPENING]
    then, _ = lift.ahead(lifts, (LAST_YEAR, said, OPENING), days, 2, now=False)
    assert then == pytest.approx(np.array([[1, 4, 4, 1]] * 2))


def test_the_doubt_of_what_is_said_holds_eight_times_in_ten():
    factor, doubt = lift.stated([OPENING], pd.date_range("2026-11-11", periods=3))
    assert factor.tolist() == [1, 2.5, 1]
    drawn = 2.5 * (1 + doubt[0, 1] * np.random.default_rng(0).standard_normal(100_000))
    assert ((drawn > 2) & (drawn < 3)).mean() == pytest.approx(0.8, abs=0.01)
    assert doubt[0, [0, 2]].tolist() == [0, 0]
    assert lift.stated([], pd.date_range("2026-11-11", periods=3))[1].shape == (0, 3)


def noisy(event, seed=7):
    """A shop whose days differ by a tenth or so, with ten weeks before two days of `event` times that."""
    sales = 100 * np.random.default_rng(seed).lognormal(0, 0.1, 84)
    sales[70:72] *= event
    return sales


def test_a_lift_within_the_noise_of_ordinary_stretches_moves_nothing():
    found = measured(noisy(1.02), noisy(1.02) / 10)[LAST_YEAR]
    assert found.sure == 0
    assert found.on(COMING).tolist() == [[1, 1], [1, 1]]


def test_a_lift_is_drawn_in_by_the_share_that_chance_may_be():
    sales = noisy(1.5)
    found = measured(sales, sales / 10)[LAST_YEAR]
    clean = sales.copy()
    clean[70:72] = np.nan
    starts = list(range(14, 69, 7))
    due = [profile(clean[None], s, 2)[0].sum() for s in starts]
    ratios = np.log([clean[s : s + 2].sum() / d for s, d in zip(starts, due, strict=True)])
    size = np.log(sales[70:72].sum() / profile(clean[None], 70, 2)[0].sum())
    assert found.sure == pytest.approx(1 - (ratios**2).mean() / size**2)
    assert 0.5 < found.sure < 1
    assert found.shop == pytest.approx(np.exp(size * found.sure))


def test_what_is_known_to_be_harmless_is_known_only_after_it():
    lifts = measured(noisy(1.02), noisy(1.02) / 10)
    assert lift.harmless(lifts, COMING, day("2025-11-12"))
    assert not lift.harmless(lifts, COMING, day("2025-11-11"))
    assert not lift.harmless(measured(noisy(3), noisy(3)), COMING, day("2025-11-12"))
