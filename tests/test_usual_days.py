import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from small_shops import day

from shopanalysis import usual_days
from shopanalysis.calendars import Campaign

NINE_WEEKS = pd.DataFrame(
    {"date": pd.date_range("2026-01-05", periods=63), "sales": np.repeat(2.0 ** np.arange(9), 7)}
)
WEEKDAYS = np.array([1.0, 0.9, 0.9, 1.0, 1.1, 1.4, 1.3])


def quiet(seed: int, draw: str = "normal", days: int = 400, growth: float = 0.3) -> pd.DataFrame:
    """Days on which nothing happens: weekdays, growth, and luck of 10 % a day."""
    random = np.random.default_rng(seed)
    luck = random.standard_normal(days) if draw == "normal" else random.standard_t(5, days)
    level = 1000 * (1 + growth) ** (np.arange(days) / 365) * WEEKDAYS[np.arange(days) % 7]
    dates = pd.date_range("2025-01-06", periods=days)
    return pd.DataFrame({"date": dates, "sales": level * np.exp(0.1 * luck)})


def test_usual_is_the_median_of_the_same_weekday_moved_by_the_shops_growth():
    """Weeks sell 1, 2, 4 … 256; the ninth's eight references have the log-median 2^3.5.

    The weeks six to eight lay 3, 3.5 and 4 doublings above theirs (widened and narrowed again by the
    number of references), the middle of which is what is added.
    """
    usual = usual_days.usual(NINE_WEEKS, "sales", []).iloc[-1]
    wider = {n: np.sqrt(1 + np.pi / (2 * n)) for n in (5, 6, 7, 8)}
    growth = 3.5 / wider[6] * wider[8]
    assert usual["usual"] == pytest.approx(2 ** (3.5 + growth))


def test_too_few_weeks_say_nothing_and_too_few_days_no_range():
    usual = usual_days.usual(NINE_WEEKS, "sales", [])
    assert usual["usual"].iloc[: 7 * 5].isna().all()
    assert usual["usual"].iloc[7 * 5 :].notna().all()
    assert usual["z"].iloc[: 7 * 8].isna().all()
    assert usual["z"].iloc[7 * 8 :].notna().all()


def test_a_campaign_says_neither_what_is_usual_nor_how_far_days_differ():
    frame = quiet(1)
    event = Campaign("sale", frame["date"].iloc[300], frame["date"].iloc[313])
    calm = usual_days.usual(frame, "sales", [event])
    frame.loc[300:313, "sales"] *= 50
    pd.testing.assert_frame_equal(
        usual_days.usual(frame, "sales", [event]).drop(range(300, 314)), calm.drop(range(300, 314))
    )


def test_a_campaign_of_a_month_leaves_the_weeks_before_it_to_be_looked_back_on():
    frame = quiet(2)
    month = Campaign("618", frame["date"].iloc[350], frame["date"].iloc[385])
    assert usual_days.usual(frame, "sales", [month])["z"].iloc[390:].notna().all()


@pytest.mark.parametrize("draw", ["normal", "t5"])
def test_at_most_one_quiet_day_in_a_hundred_raises_an_alarm(draw):
    z = pd.concat(usual_days.usual(quiet(s, draw), "sales", [])["z"].iloc[120:] for s in range(30))
    assert len(z) == 30 * 280
    assert (z.abs() >= usual_days.ALARM).mean() <= 0.01


def test_the_smallest_fall_promised_is_found_eight_times_in_ten():
    falls, found = [], []
    for seed in range(30):
        frame = quiet(100 + seed)
        spread = usual_days.usual(frame, "sales", [])["spread"].iloc[-1]
        falls.append(usual_days.findable_fall(spread))
        for offset in range(14):
            fallen = frame.iloc[: len(frame) - offset].copy()
            fallen.loc[fallen.index[-1], "sales"] *= 1 - falls[-1]
            found.append(usual_days.usual(fallen, "sales", [])["z"].iloc[-1] <= -usual_days.ALARM)
    assert 0.3 < np.mean(falls) < 0.42  # of days that differ by 10 %
    assert 0.75 <= np.mean(found) <= 0.9


def test_a_sale_of_nothing_is_an_alarm_and_a_shop_that_often_sells_nothing_has_none():
    frame = quiet(3)
    frame.loc[frame.index[-1], "sales"] = 0.0
    assert usual_days.usual(frame, "sales", [])["z"].iloc[-1] == -99
    frame.loc[frame.index[::6], "sales"] = 0.0
    assert np.isnan(usual_days.usual(frame, "sales", [])["z"].iloc[-1])


@settings(max_examples=20, deadline=None)
@given(some.floats(0.001, 1e6), some.integers(0, 99))
def test_the_currency_changes_nothing(factor, seed):
    frame = quiet(seed, days=150)
    one, other = (
        usual_days.usual(f, "sales", [])
        for f in (frame, frame.assign(sales=frame["sales"] * factor))
    )
    np.testing.assert_allclose(other["z"], one["z"], atol=1e-6)
    np.testing.assert_allclose(other["usual"], factor * one["usual"])


@pytest.mark.parametrize(
    ("z", "campaign", "word"),
    [(-3.0, False, "fell"), (3.2, False, "rose"), (2.9, False, "no"), (9, True, "campaign"),
     (np.nan, False, "unknown")],
)  # fmt: skip
def test_a_day_is_judged_by_how_many_spreads_it_is_away(z, campaign, word):
    assert usual_days.judged(z, campaign) == word


def test_a_campaign_is_worth_what_the_same_one_did_last_time():
    sales = pd.Series(100.0, pd.date_range("2026-01-01", periods=120))
    sales["2026-03-10"] = 300.0
    first = Campaign("sale", day("2026-03-10"), day("2026-03-10"))
    again = Campaign("sale", day("2026-05-02"), day("2026-05-02"))
    other = Campaign("fair", day("2026-05-03"), day("2026-05-03"))
    days = pd.date_range("2026-05-01", periods=3)
    factor = usual_days.campaign_factor(sales, [first, again, other], days)
    assert factor.tolist() == pytest.approx([1, 3, 1])
    assert usual_days.campaign_factor(sales.head(0), [first], days).tolist() == [1, 1, 1]


def test_a_distance_is_as_rare_as_the_alarm_promises():
    assert usual_days.chance(0.0) == 1
    assert usual_days.chance(usual_days.ALARM) == usual_days.chance(-usual_days.ALARM)
    assert usual_days.chance(usual_days.ALARM) == pytest.approx(0.007)


@pytest.mark.parametrize("seed", range(4))
def test_all_days_at_once_come_out_as_one_by_one(seed):
    luck = np.random.default_rng(seed)
    sales = np.exp(luck.normal(5, 0.4, 150))
    sales[luck.random(150) < 0.02] = 0.0
    sales[luck.random(150) < 0.1] = np.nan
    daily = pd.DataFrame({"date": pd.date_range("2026-01-05", periods=150), "sales": sales})
    sale = Campaign("Sale", day("2026-03-02"), day("2026-03-09"))
    weeks = 5 + 3 * (seed % 2)
    with np.errstate(divide="ignore"):
        logs = np.log(daily["sales"]).to_numpy()
    clean = np.where(daily["date"].isin(sale.days), np.nan, logs)
    levels, wider = np.full((2, 150), np.nan)
    for today in range(150):
        past = [clean[d] for d in range(today - 7, max(-1, today - 92), -7)]
        past = [value for value in past if not np.isnan(value)][:weeks]
        wider[today] = np.sqrt(1 + np.pi / 2 / max(len(past), 1))
        if len(past) >= 5 and np.median(past) > -np.inf:
            levels[today] = np.median(past)
    away = (clean - levels) / wider
    found = usual_days.usual(daily, "sales", [sale], weeks)
    known = 0
    for today in range(150):
        before = away[max(0, today - 182) : today]
        before = before[~np.isnan(before)]
        if len(before) < 21:
            assert np.isnan(found["z"][today])
            assert np.exp(levels[today]) == pytest.approx(found["usual"][today], nan_ok=True)
            continue
        middle = np.median(before)
        apart = np.sort(np.abs(before - middle))
        far = np.interp(0.95 * (len(apart) - 1), np.arange(len(apart)), apart)
        spread = wider[today] * max(1.4826 * np.median(apart), far / usual_days.WILD)
        usual = np.exp(levels[today] + wider[today] * middle)
        assert found["usual"][today] == pytest.approx(usual, nan_ok=True)
        if not np.isnan(usual) and np.isfinite(spread):
            known += 1
            assert found["spread"][today] == pytest.approx(spread)
    assert known > 60
