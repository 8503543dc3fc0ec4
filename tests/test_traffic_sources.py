import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import rates, tables, traffic_sources
from shopanalysis.calendars import Campaign
from shopanalysis.errors import ParameterError

SATURDAY = day("2026-11-14")
BASIS = "buyers/visitors"


def source_days(*lines: str) -> pd.DataFrame:
    """source_day from lines of date, source, channel (spaces as _), visitors, buyers, orders, sales."""
    columns = "date source device channel visitors buyers orders sales"
    frame = rows("source_day", columns, *lines)
    return frame.assign(channel=frame["channel"].str.replace("_", " "))


TWO_DAYS = source_days(
    "2026-11-13 search all free_search 1000 20 22 4000",
    "2026-11-13 cart all direct/returning 100 10 10 1500",
    "2026-11-14 search wireless free_search 500 10 11 2000",
    "2026-11-14 search pc free_search 200 4 4 900",
    "2026-11-14 ads all paid 300 3 3 450",
)  # fmt: skip
ONE_DAY = traffic_sources.periods(TWO_DAYS, SATURDAY, 1, [])


def table(frame=TWO_DAYS, basis=BASIS, periods=ONE_DAY, dispersion=1.0):
    return traffic_sources.source_table(frame, periods, basis, dispersion).set_index("source")


def test_quantity_conversion_and_value_of_a_source():
    search = table().loc["search"]
    assert search["visitors_by_day"] == 700
    assert search["conversion"] == 14 / 700
    assert search["value_per_visitor"] == 2900 / 700
    assert search["conversion_before"] == 20 / 1000


def test_where_visits_are_sessions_orders_are_counted():
    assert table(basis="orders/sessions").loc["search", "conversion"] == 15 / 700


def test_the_shops_rate_is_a_ratio_of_sums():
    assert traffic_sources.shop_rate(table()) == (14 + 3) / (700 + 300)


def test_a_source_absent_from_a_day_that_is_known_has_no_visits_then():
    assert table().loc["cart", "visitors_by_day"] == 0
    assert table().loc["ads", "visitors_before"] == 0


def test_a_number_that_is_missing_on_a_day_is_not_zero():
    frame = TWO_DAYS.copy()
    frame.loc[frame["device"] == "pc", "buyers"] = np.nan
    search = table(frame).loc["search"]
    assert np.isnan(search["payers"])
    assert search["visitors_by_day"] == 700
    kept = traffic_sources.comparable(table(frame).reset_index())
    assert sorted(kept["source"]) == ["ads", "cart"]


def test_sales_that_are_not_named_where_nobody_paid_are_zero():
    frame = source_days("2026-11-14 search all free_search 50 0 0 nan")
    periods = traffic_sources.periods(frame, SATURDAY, 1, [])
    assert table(frame, periods=periods).loc["search", "sales"] == 0


def test_intervals_widen_with_the_days_own_ups_and_downs():
    wide = table(dispersion=4.0).loc["search"]
    assert (wide["low"], wide["high"]) == rates.interval(14, 700, dispersion=4.0)
    assert wide["low"] < table().loc["search", "low"]


def days_of(first: str, last: str) -> pd.DataFrame:
    lines = [f"{d.date()} search all free_search 10 1 1 5" for d in pd.date_range(first, last)]
    return source_days(*lines)


CAMPAIGN = [Campaign("sale", day("2026-11-08"), day("2026-11-13"))]


@pytest.mark.parametrize(
    ("against", "then", "busy_then"), [("clean", "2026-11-07", 0), ("before", "2026-11-14", 6)]
)
def test_a_week_after_a_campaign_is_held_against_the_last_clean_one(against, then, busy_then):
    frame = days_of("2026-10-01", "2026-11-21")
    periods = traffic_sources.periods(frame, day("2026-11-21"), 7, CAMPAIGN, against)
    assert (periods.then, periods.busy_then) == (day(then), busy_then)
    assert (periods.busy, periods.passed_over) == (0, 6)


def test_without_a_clean_stretch_the_days_just_before_are_taken():
    frame = days_of("2026-11-08", "2026-11-21")
    periods = traffic_sources.periods(frame, day("2026-11-21"), 7, CAMPAIGN)
    assert (periods.then, periods.busy_then) == (day("2026-11-14"), 6)


def test_a_day_that_is_missing_leaves_nothing_to_compare():
    frame = days_of("2026-11-01", "2026-11-21")
    gap = frame[frame["date"] != day("2026-11-18")]
    assert traffic_sources.periods(gap, day("2026-11-21"), 7, []).then is None
    short = days_of("2026-11-12", "2026-11-21")
    assert traffic_sources.periods(short, day("2026-11-21"), 7, []).then is None


def test_another_way_of_comparing_is_refused():
    with pytest.raises(ParameterError, match="clean, before"):
        traffic_sources.periods(TWO_DAYS, SATURDAY, 1, [], "last year")


def test_paid_visits_carry_the_ad_reports_cost_and_free_ones_none():
    channels = traffic_sources.channel_table(table().reset_index(), 150.0).set_index("channel")
    assert channels.loc["paid", ["cost_per_visitor", "net_value"]].tolist() == [0.5, 1.5 - 0.5]
    assert channels["cost"].isna().sum() == len(channels) - 1
    assert "in-shop" not in channels.index


def test_a_cost_that_the_source_names_itself_goes_before_the_ad_report():
    sources = table(TWO_DAYS.assign(cost=[None, None, None, None, 90.0]))
    assert sources.loc["ads", "net_value"] == 1.5 - 0.3
    channels = traffic_sources.channel_table(sources.reset_index(), 150.0).set_index("channel")
    assert channels.loc["paid", "cost"] == 90


def test_without_an_ad_report_the_cost_is_missing_and_not_zero():
    ads = rows("ad_day", "date plan unit item_id word", "2026-11-14 p u i w")
    assert traffic_sources.ad_cost(ads.head(0), SATURDAY, 1) is None
    assert traffic_sources.ad_cost(ads, SATURDAY, 1) is None
    assert "cost_per_visitor" not in traffic_sources.shown(table().reset_index())


def test_the_best_source_is_surely_above_the_others_and_one_that_can_be_steered():
    frame = source_days(
        "2026-11-14 search all free_search 10000 300 300 30000",
        "2026-11-14 cart all direct/returning 1000 100 100 9000",
        "2026-11-14 feed all free_recommendation 10000 50 50 5000",
    )
    periods = traffic_sources.periods(frame, SATURDAY, 1, [])
    sources = table(frame, periods=periods).reset_index()
    (found,), (unsure,) = (traffic_sources.best_source(sources, d) for d in (1, 400))
    assert found.values["source"] == "search"
    assert unsure.text == "no_best_source"


def test_a_source_whose_payers_are_not_known_is_held_against_no_rate():
    """1 of 50 and 3 of 100 paid; of the 850 visits of the feed nobody counted payers."""
    frame = source_days(
        "2026-11-14 search all free_search 50 1 1 100",
        "2026-11-14 cart all direct/returning 100 3 3 300",
        "2026-11-14 feed all free_recommendation 850 0 0 0",
    )
    feed = frame["source"] == "feed"
    frame[["buyers", "orders"]] = frame[["buyers", "orders"]].mask(feed)
    periods = traffic_sources.periods(frame, SATURDAY, 1, [])
    sources = table(frame, periods=periods).reset_index()
    assert traffic_sources.shop_rate(sources) == pytest.approx(4 / 150)
    (found,) = traffic_sources.best_source(sources)
    assert (found.values["shop"], found.values["visitors"]) == (pytest.approx(4 / 150), 150)
    unknown = sources[sources["source"] == "feed"]
    assert traffic_sources.best_source(unknown) == []


def test_no_source_is_called_best_on_a_handful_of_buyers():
    (found,) = traffic_sources.best_source(table().reset_index())
    assert found.text == "no_best_source"


def test_sources_without_a_channel_are_shown_and_named():
    frame = TWO_DAYS.assign(channel=["unmapped", *TWO_DAYS["channel"][1:]])
    frame.loc[frame["source"] == "search", "channel"] = "unmapped"
    sources = table(frame).reset_index()
    found = traffic_sources.unmapped(sources, 0.02)[0]
    assert (found.severity, found.value, found.values["names"]) == ("warning", 0.7, ["search"])
    channels = traffic_sources.channel_table(sources, None).set_index("channel")
    assert channels.loc["unmapped", "visitors_by_day"] == 700
    assert traffic_sources.unmapped(table().reset_index(), 0.02) == []


def test_free_and_paid_are_told_with_what_is_left_of_a_paid_visit():
    channels = traffic_sources.channel_table(table().reset_index(), 150.0)
    values = traffic_sources.free_and_paid(channels)[0].values
    assert (values["free"], values["paid"], values["net"]) == (0.7, 0.3, 1.0)
    unknown = traffic_sources.channel_table(table().reset_index(), None)
    assert traffic_sources.free_and_paid(unknown)[0].text == "free_and_paid_no_cost"


def test_people_whom_two_sources_count_are_told_where_a_log_counted_both():
    """Two days: 10 and 20 people, 13 and 20 visitors of sources; a day of one table alone is left out."""
    shop = rows(
        "shop_day",
        "date device visitors",
        "2026-11-13 all 10",
        "2026-11-14 all 20",
        "2026-11-12 all 5",
    )
    by = rows("source_day", "date source device visitors",
              "2026-11-13 a all 8", "2026-11-13 b all 5", "2026-11-14 a all 20")  # fmt: skip
    log = [frame.assign(source_file=tables.EVENT_LOG) for frame in (shop, by)]
    week = traffic_sources.Periods(day("2026-11-14"), 7, None, 3, 0, 0, 0)
    (told,) = traffic_sources.overlap(*log, week)
    assert (told.value, told.n, told.values["counted"], told.values["days"]) == (3, 30, 33, 2)
    assert traffic_sources.overlap(shop.assign(source_file="a.xlsx"), log[1], week) == []
