import numpy as np
import pandas as pd
import pytest
from small_shops import day, shop_days

from shopanalysis import sales_forecast
from shopanalysis.calendars import Campaign


def series(values, start="2026-01-05") -> pd.Series:  # a Monday
    return sales_forecast.daily_sales(shop_days(start, sales=np.asarray(values, float)))


WEEK = [100, 110, 120, 130, 140, 200, 180]


def test_seasonal_naive_repeats_the_last_week():
    assert sales_forecast.seasonal_naive(series(WEEK * 3), 9).tolist() == WEEK + WEEK[:2]


def test_a_perfect_week_is_forecast_perfectly():
    assert sales_forecast.smoothed(series(WEEK * 10), 7, ()).tolist() == pytest.approx(WEEK)


def test_a_closed_weekday_is_forecast_as_closed():
    sales = series(WEEK * 10)
    open_days = sales[sales.index.day_of_week != 5].asfreq("D")
    ahead = sales_forecast.smoothed(open_days, 7, ())
    assert ahead[ahead.index.day_of_week == 5].tolist() == [0]
    assert (ahead[ahead.index.day_of_week != 5] > 0).all()


def test_a_past_campaign_does_not_raise_the_ordinary_days_and_comes_back():
    values = np.full(70, 100.0)
    values[60] = 900.0
    past = Campaign("sale", day("2026-03-06"), day("2026-03-06"))
    coming = Campaign("sale", day("2026-03-17"), day("2026-03-17"))
    ahead = sales_forecast.smoothed(series(values), 4, (past, coming))
    assert ahead.tolist() == pytest.approx([100, 900, 100, 100])


def test_the_future_never_reaches_the_forecast():
    generator = np.random.default_rng(2)
    sales = series(generator.lognormal(5, 0.3, 200))
    shuffled = sales.copy()
    shuffled.iloc[120:] = generator.permutation(shuffled.iloc[120:])
    tried, again = (sales_forecast.backtest(s, 14, ()) for s in (sales, shuffled))
    early = [frame[frame["origin"] < sales.index[119]] for frame in (tried, again)]
    pd.testing.assert_series_equal(early[0]["expected"], early[1]["expected"])


def test_scores_by_hand():
    tried = pd.DataFrame(
        {"method": ["a", "a", "b", "b"], "origin": [1, 1, 1, 1], "step": [1, 2, 1, 2],
         "expected": [10.0, 20, 12, 14], "sales": [10.0, 10, 10, 10], "scale": 4.0}
    )  # fmt: skip
    table = sales_forecast.scores(tried).set_index("method")
    assert table.loc["a", ["mase", "wape", "bias"]].tolist() == [1.25, 0.5, 0.5]
    assert table.loc["b", ["mase", "wape", "bias"]].tolist() == [0.75, 0.3, 0.3]
    assert table.index.tolist() == ["b", "a"]


def forecast(sales, days=14):
    tried = sales_forecast.backtest(sales, days, ())
    return sales_forecast.forecast(sales, days, (), tried), tried


def test_noise_around_a_steady_level_beats_repeating_last_week_and_its_range_holds():
    noise = np.random.default_rng(7).lognormal(0, 0.2, 400)
    sales = series(1000 * noise)
    ahead, tried = forecast(sales.iloc[:386])
    assert ahead["method"].iloc[0] == "smoothed"
    assert (ahead["low_95"] <= ahead["low_80"]).all()
    inside = sales.iloc[386:].between(
        ahead.set_index("date")["low_95"], ahead.set_index("date")["high_95"]
    )
    assert inside.mean() >= 0.85
    summed = sales_forecast.total(ahead, tried)
    daily = ahead["high_80"].sum() - ahead["low_80"].sum()
    assert summed["high"] - summed["low"] < daily  # days' errors cancel out in part


def test_where_nothing_beats_last_week_last_week_is_shipped():
    walk = 1000 + 10 * np.repeat(np.random.default_rng(1).normal(0, 9, 60).cumsum(), 7)
    ahead, tried = forecast(series(walk - walk.min() + 100), 7)
    assert sales_forecast.scores(tried)["method"].iloc[0] == "seasonal_naive"
    assert ahead["method"].iloc[0] == "seasonal_naive"


def test_thirteen_days_are_too_few_and_the_finding_says_how_many_would_do():
    sales = series([100] * 13)
    ahead, tried = forecast(sales)
    assert ahead.empty
    compared, summed = sales_forecast.scores(tried), sales_forecast.total(ahead, tried)
    found = sales_forecast.findings(sales, ahead, compared, summed)
    assert [(f.text, f.values["needed"]) for f in found] == [("forecast_too_short", 14)]


def test_a_short_history_has_a_forecast_without_a_range():
    ahead, _ = forecast(series(WEEK * 4))
    assert len(ahead) == 14
    assert ahead["low_80"].isna().all()
