from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_shops import day

from shopanalysis import forecast_errors, forecasting, ranges
from shopanalysis.calendars import DAY, Campaign

DAYS = 14
ROOT = Path(__file__).parents[1]


def made_of(errors, expected=100.0, group="item") -> forecasting.Forecast:
    """A forecast whose past errors (origins, series, days) are given, weekly, the last ending yesterday."""
    errors = np.asarray(errors, float)
    origins, series, days = errors.shape
    now = day("2026-06-01")
    first = now - (days + 7 * (origins - 1)) * DAY
    return forecasting.Forecast(
        series=pd.Index([f"s{i}" for i in range(series)]),
        groups=np.array([group] * series, dtype=object),
        days=pd.date_range(now, periods=days),
        origins=pd.date_range(first, periods=origins, freq="7D"),
        expected=np.full((series, days), expected),
        factor=np.ones((series, days)),
        event=np.zeros(days, bool),
        rung=np.array(["full"] * series),
        stopped=np.zeros(series, bool),
        unknown=(),
        method="pooled",
        tried={"pooled": 100.0 - errors, "seasonal_naive": 100.0 - 2 * errors},
        actual=np.full(errors.shape, 100.0),
        tried_event=np.zeros((origins, days), bool),
        tried_factor=np.ones(errors.shape),
        learned=np.full((series, 7), 100.0),
        naive_scale=np.full(series, 10.0),
    )


def normal(origins=40, series=1, days=DAYS, size=10.0, seed=0):
    return np.random.default_rng(seed).normal(0, size, (origins, series, days))


def test_the_size_of_errors_is_their_mean_over_weeks_known_at_each_date():
    errors = np.zeros((3, 1, 14))
    errors[0, 0, :7], errors[0, 0, 7:] = 1, 3
    errors[1, 0, :7], errors[2, 0, :7] = 5, 9
    made = made_of(errors)
    sizes = forecast_errors._sizes(made)[:, 0]
    assert np.isnan(sizes[0])
    assert np.isnan(sizes[1])  # seven days tried are too few
    assert sizes[2] == pytest.approx((1 + 3 + 5) / 3)
    assert sizes[3] == pytest.approx((1 + 3 + 5 + 0 + 9) / 5)
    assert forecast_errors.sizes(made)[0] == sizes[3]


def test_ranges_of_plain_errors_are_those_of_the_normal_law():
    made = made_of(normal(origins=300))
    for level, z in ((80, 1.2816), (95, 1.96)):
        low, high = ranges.by_day(made, level)
        assert low[0].mean() == pytest.approx(100 - 10 * z, rel=0.05)
        assert high[0].mean() == pytest.approx(100 + 10 * z, rel=0.05)


def test_a_sum_has_a_narrower_range_than_its_days_added_up():
    made = made_of(normal(origins=300))
    low, high = ranges.of_sum(made, 80, DAYS)
    half = 1.2816 * 10 * DAYS**0.5  # errors of single days are independent here
    assert low[0] == pytest.approx(1400 - half, rel=0.02)
    assert high[0] == pytest.approx(1400 + half, rel=0.02)


def test_errors_that_last_are_not_taken_to_cancel_out():
    lasting = np.repeat(normal(origins=300, days=1), DAYS, axis=2)
    low, high = ranges.of_sum(made_of(lasting), 80, DAYS)
    assert (high - low)[0] == pytest.approx(2 * 1.2816 * 10 * DAYS, rel=0.1)


def test_ranges_hold_what_was_expected_and_the_wider_holds_the_narrower():
    made = made_of(normal(origins=20) - 30)  # always far too high
    (low, high), (low95, high95) = (ranges.by_day(made, level) for level in (80, 95))
    assert (high >= made.expected).all()
    assert (low95 <= low).all()
    assert (high95 >= high).all()


def test_few_dates_make_wider_ranges_and_too_few_make_none():
    errors = normal(origins=8)
    wide = ranges.by_day(made_of(np.tile(errors, (1, 1, 1))), 95)
    many = ranges.by_day(made_of(np.tile(errors, (20, 1, 1))), 95)
    assert (wide[1] - wide[0] > many[1] - many[0]).all()
    few = made_of(errors[:3])  # of which two knew the size of errors before; one of them to its end
    assert np.isnan(ranges.by_day(few, 95)[0]).all()
    assert np.isnan(ranges.of_sum(few, 95, 7)[0]).all()
    assert ranges.paths(few, "s0").shape == (0, DAYS)


def test_errors_that_go_alike_are_worth_fewer_observations():
    alone = ranges._freedom(normal(200)[:, :, :1])
    alike = ranges._freedom(np.repeat(normal(20)[:, :, :1], 10, axis=0))
    assert alone > 150
    assert alike < 40
    days = ranges._freedom(normal(100, days=7))
    same = ranges._freedom(np.repeat(normal(100, days=1), 7, axis=2))
    assert days == pytest.approx(700, rel=0.1)
    assert same == pytest.approx(100, rel=0.1)


def test_the_mean_square_of_overlapping_sums_is_as_uncertain_as_their_freedom_says():
    """2 / freedom is the squared relative error of a mean square: measured on many made-up runs."""
    generator, squares, said = np.random.default_rng(6), [], []
    for _ in range(400):
        weeks = generator.normal(0, 1, 43)
        sums = np.convolve(weeks, np.ones(4), "valid")[:, None, None]
        squares.append((sums**2).mean())
        said.append(ranges._freedom(sums, 0.75))
    true = 2 / (np.std(squares) / np.mean(squares)) ** 2
    assert 0.6 * true < np.median(said) < true


def with_event(made, factor):
    event = np.zeros(DAYS, bool)
    event[3:5] = True
    return replace(made, event=event, factor=np.where(event, factor, 1.0)[None])


def test_event_days_are_wider_by_their_factor_and_the_factors_own_doubt():
    made = with_event(made_of(normal()), 4.0)
    size = forecast_errors.sizes(made)[0]
    # the level's doubt and the measured lift's, 4 each; a quarter of the lift (log) on top, as a deviation
    again = 0.25 * np.log(4) * 100 / size * (2 / np.pi) ** 0.5
    expected = (4**2 + 4**2 + again**2) ** 0.5
    assert forecast_errors.widening(made)[0, 2:6] == pytest.approx([1, expected, expected, 1])


def tried_events(off, origins=40):
    """Past campaigns, one day in each of three weeks, each with an error `off` times that of other days."""
    errors = normal(origins)
    event = np.zeros((origins, DAYS), bool)
    for origin in (10, 20, 30):
        for earlier in (0, 1):  # the same day, seen a week and two before
            event[origin - earlier, 4 + 7 * earlier] = True
    errors = np.where(event[:, None], off * np.abs(errors).mean(), errors)
    made = made_of(errors)
    return replace(made, tried_event=event, tried_factor=np.where(event[:, None], 3.0, 1.0))


def test_past_campaign_days_say_how_far_off_the_next_may_be():
    for off in (0.0, 40.0):
        times, campaigns = forecast_errors.further(tried_events(off))
        made = tried_events(off)
        size = forecast_errors._sizes(made)[[9, 10, 19, 20, 29, 30], 0]
        again = 0.25 * np.log(3) * (100 - 0.0) / size * (2 / np.pi) ** 0.5
        said = made.tried["pooled"][made.tried_event[:, None]] / 100
        assumed = np.sqrt(18 + (again * said) ** 2) * size
        ratio = np.abs(made.actual - made.tried["pooled"])[made.tried_event[:, None]] / assumed
        assert campaigns[0].tolist() == [3, 0]
        assert times[0, 0] == pytest.approx((3 + ratio.reshape(3, 2).mean(axis=1).sum()) / 6)
        assert times[0, 1] == 1
    assert times[0, 0] > 2


def test_the_lifts_doubt_is_shared_by_the_days_of_a_sum_and_by_paths():
    made = with_event(tried_events(10.0), 3.0)
    plain = replace(made, event=np.zeros(DAYS, bool))
    widths = []
    for one in (plain, made):
        _, high = ranges.of_sum(one, 80, DAYS)
        widths.append(high[0] - made.expected[0].sum())
    shared = forecast_errors.widening_parts(made)[1][0].sum()
    size, mult = forecast_errors.sizes(made)[0], (12 + 2 * 3) / DAYS
    doubt = shared * size * (np.pi / 2) ** 0.5 * stats.t.ppf(0.9, 3 + 3)
    assert widths[1] == pytest.approx(np.hypot(widths[0] * mult / 1.0, doubt), rel=0.01)
    paths = ranges.paths(made, "s0", draws=4000)
    assert np.corrcoef(paths[:, 3], paths[:, 4])[0, 1] > 0.5


def test_sums_longer_than_those_tried_are_as_if_the_error_lasted():
    made = made_of(normal(origins=60))
    long = replace(made, days=pd.date_range(made.days[0], periods=70), expected=np.full((1, 70), 100.0),
                   factor=np.ones((1, 70)), event=np.zeros(70, bool))  # fmt: skip
    (low, high), (low2, high2) = ranges.of_sum(made, 80, 14), ranges.of_sum(long, 80, 70)
    assert (high2 - low2)[0] == pytest.approx(5 * (high - low)[0], rel=0.01)  # one date fewer


def test_a_short_history_has_a_wide_range_and_a_longer_one_a_narrower():
    generator = np.random.default_rng(2)
    values = 100 * generator.lognormal(0, 0.2, 365)
    widths = []
    for days in (41, 42, 84, 365):
        history = pd.DataFrame([values[:days]], ["s"], pd.date_range("2025-01-01", periods=days))
        low, high = ranges.by_day(forecasting.forecast(history, 28), 80)
        widths.append((high - low).mean())
    assert np.isnan(widths[0])
    assert widths[1] > widths[2] > 0.8 * widths[3]


def stated(sizes: float = 1e-9, lift=(2.5, 2.0, 3.0), days=(3, 4)) -> forecasting.Forecast:
    """250 a day expected of a campaign whose lift the shop states, and 100 of other days."""
    made = made_of(normal(origins=200, size=sizes))
    campaign = Campaign("Opening", made.days[days[0]], made.days[days[-1]], "event", *lift)
    event = made.days.isin(campaign.days)
    factor = np.where(event, lift[0], 1.0)[None]
    return replace(made, event=event, factor=factor, expected=100 * factor, stated=(campaign,))


def test_the_range_of_a_stated_lift_is_the_one_stated():
    low, high = ranges.by_day(stated(), 80)
    assert low[0, 2:5] == pytest.approx([100, 200, 200])
    assert high[0, 2:5] == pytest.approx([100, 300, 300])
    low, high = ranges.of_sum(stated(), 80, 6)  # its days are wrong together
    assert (low[0], high[0]) == pytest.approx((900 - 100, 900 + 100))
    paths = ranges.paths(stated(), "s0")
    assert np.quantile(paths[:, :6].sum(axis=1), [0.1, 0.9]) == pytest.approx([800, 1000], rel=0.01)
    assert np.corrcoef(paths[:, 3], paths[:, 4])[0, 1] > 0.99


def test_a_stated_lifts_doubt_comes_on_top_of_the_days_own():
    own, both = stated(10, (2.5, 2.5, 2.5)), stated(10)
    (low, _), (wider, _) = (ranges.by_day(made, 80) for made in (own, both))
    assert (250 - wider[0, 3]) ** 2 == pytest.approx((250 - low[0, 3]) ** 2 + 50**2)
    assert ranges.widening(own)[0, 3] == pytest.approx(2.5)
    assert ranges.as_of(both, 50).stated == ()


def test_paths_stay_together_from_day_to_day_and_fill_the_range_of_the_sum():
    lasting = np.repeat(normal(origins=200, days=1), DAYS, axis=2)
    made = made_of(lasting)
    paths = ranges.paths(made, "s0", draws=4000)
    assert paths.shape == (4000, DAYS)
    assert np.corrcoef(paths[:, 0], paths[:, -1])[0, 1] > 0.95
    low, high = ranges.of_sum(made, 80, DAYS)
    inside = (low[0] <= paths.sum(axis=1)) & (paths.sum(axis=1) <= high[0])
    assert inside.mean() == pytest.approx(0.8, abs=0.04)


def test_as_of_a_date_nothing_later_is_known():
    made = made_of(normal())
    then = ranges.as_of(made, 10)
    assert then.days[0] == made.origins[10]
    known = ~np.isnan(then.actual[:, 0])
    dates = then.origins.to_numpy()[:, None] + np.arange(DAYS) * DAY.to_timedelta64()
    assert (known == (dates < then.days[0].to_datetime64())).all()


def test_a_closed_weekday_sells_nothing_for_sure_and_says_nothing_of_other_days():
    """Saturdays sell 0 in every series; without them the same errors come to the same ranges."""
    errors = normal(series=2)
    saturdays = made_of(errors).days.day_of_week == 5
    made = made_of(errors)
    shut = np.where(saturdays, 0.0, 1.0)
    made = replace(
        made,
        expected=made.expected * shut,
        tried={name: tried * shut for name, tried in made.tried.items()},
        actual=made.actual * shut,
    )
    low, high = ranges.by_day(made, 80)
    assert (high[:, saturdays] == 0).all()
    assert (ranges.paths(made, "s0")[:, saturdays] == 0).all()
    missing = np.where(saturdays, np.nan, 1.0)
    low_open, high_open = ranges.by_day(made_of(errors * missing), 80)
    assert low[:, ~saturdays] == pytest.approx(low_open[:, ~saturdays])
    assert high[:, ~saturdays] == pytest.approx(high_open[:, ~saturdays])


def test_coverage_of_plain_errors_is_the_one_asked_for():
    made = made_of(normal(origins=120))
    for level in (80, 95):
        (held,) = ranges.coverage(made, "s0", [level])
        assert np.isnan(held[: ranges.FEWEST]).all()
        assert np.nanmean(held) == pytest.approx(level / 100, abs=0.03)


def test_scores_by_hand():
    errors = np.array([[[10.0, -10]], [[20, 0]]])
    table = ranges.scores(made_of(errors), "s0").set_index("method")
    # |errors| 10, 10, 20, 0: mean 10; scale 10; expected too low by 20 of 400 sold
    row = table.loc["pooled", ["mase", "wape", "bias", "skill", "origins"]]
    assert row.tolist() == pytest.approx([1.0, 0.1, -0.05, 0.5, 2])
    assert table.index.tolist() == ["pooled", "seasonal_naive"]


def test_scores_by_week_ahead():
    errors = np.concatenate([np.full((30, 1, 7), 5.0), np.full((30, 1, 7), 15.0)], axis=2)
    table = ranges.by_week(made_of(errors), "s0")
    assert table["week_ahead"].tolist() == [1, 2]
    assert table["mase"].tolist() == pytest.approx([0.5, 1.5])
    assert table["covered_80"].between(0, 1).all()


def test_without_a_past_date_there_is_nothing_to_score():
    made = forecasting.forecast(
        pd.DataFrame([[1.0, 2, 3]], ["total"], pd.date_range("2026-01-01", periods=3)), 7
    )
    assert ranges.scores(made, "total").empty
    assert ranges.by_week(made, "total").empty


def test_ranges_hold_on_shops_they_have_not_seen():
    """Eighty shops of noise around a weekly rhythm: days and sums lie within as often as stated."""
    generator = np.random.default_rng(11)
    rhythm = np.tile([1.0, 1, 1, 1.1, 1.2, 1.6, 1.4], 40)
    inside = {80: [], 95: []}
    sums = {80: [], 95: []}
    for _ in range(80):
        level = np.exp(np.cumsum(generator.normal(0, 0.01, 280)))
        sales = 1000 * level * rhythm * generator.lognormal(0, 0.2, 280)
        days = pd.date_range("2025-09-01", periods=252)
        known = pd.DataFrame([sales[:252]], ["total"], days)
        made = forecasting.forecast(known, 28, groups=["total"])
        for held in inside:
            low, high = ranges.by_day(made, held)
            inside[held].append(((low[0] <= sales[252:]) & (sales[252:] <= high[0])).mean())
            low, high = ranges.of_sum(made, held, 28)
            sums[held].append(low[0] <= sales[252:].sum() <= high[0])
    assert np.mean(inside[80]) == pytest.approx(0.8, abs=0.05)
    assert np.mean(inside[95]) == pytest.approx(0.95, abs=0.03)
    assert np.mean(sums[80]) == pytest.approx(0.8, abs=0.1)
    assert np.mean(sums[95]) > 0.9


def test_a_campaign_widens_the_sum_that_holds_it():
    generator = np.random.default_rng(3)
    values = 100 * generator.lognormal(0, 0.2, 300)
    values[150:153] = 500
    days = pd.date_range("2026-01-05", periods=300)
    past = Campaign("sale", days[150], days[152])
    coming = Campaign("sale", days[-1] + 3 * DAY, days[-1] + 5 * DAY)
    known = pd.DataFrame([values], ["total"], days)
    widths = []
    for campaigns in ((past,), (past, coming)):
        low, high = ranges.of_sum(forecasting.forecast(known, 14, campaigns), 80, 14)
        widths.append((high - low)[0])
    assert widths[1] > 1.5 * widths[0]


def test_a_sum_counts_only_once_all_of_its_days_are_past():
    then = ranges.as_of(made_of(normal(origins=20)), 10)
    tried = ranges._whole(forecast_errors.scaled(then), then, slice(0, DAYS))
    counted = ~np.isnan(tried).any(axis=(1, 2))
    sized = ~np.isnan(forecast_errors._sizes(then)[:-1, 0])
    ended = then.origins + DAYS * DAY <= then.days[0]
    assert (counted == (ended & sized)).all()
    assert ended.sum() == 9


def test_ranges_of_campaign_days_hold_where_lifts_differ_from_one_to_the_next(monkeypatch):
    """benchmarks/forecast_coverage.py has the whole table; here a few shops with a fixed seed."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import forecast_coverage

    generator, rows = np.random.default_rng(3), []
    for _ in range(12):
        kind = forecast_coverage.KINDS["wild campaigns"]
        rows += forecast_coverage.tried("wild campaigns", kind, 300, generator)
    share = forecast_coverage.table(pd.DataFrame(rows), [])
    assert share.loc["event days", ("total", 80)] == pytest.approx(80, abs=14)
    assert share.loc["event days", ("item", 80)] == pytest.approx(82, abs=12)
    assert share.loc["days", ("total", 80)] == pytest.approx(80, abs=6)
