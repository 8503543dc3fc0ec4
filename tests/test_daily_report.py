import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import alarms, daily_report, pace
from shopanalysis.errors import DataError

TWO_FRIDAYS = shop_days(
    "2026-11-13",
    visitors=[10_000, *[1] * 6, 13_000],
    buyers=[200, *[1] * 6, 208],
    sales=[40_000, *[1] * 6, 43_680],
)
FRIDAY = day("2026-11-20")


def test_the_ten_columns_of_the_daily_report_in_their_order():
    table = daily_report.daily_table(
        shop_days(
            "2026-11-19",
            visitors=[100, 200],
            page_views=[250, 620],
            buyers=[2, 5],
            sales=[300.0, 900.0],
            units=[3, 7],
            bounce_rate=[0.6, 0.55],
            dsr_item=[4.8, 4.9],
            dsr_service=[4.8, 4.8],
            dsr_logistics=[4.8, 4.7],
        ),
        "buyers/visitors",
        days=30,
    )
    assert list(table) == [
        "date", "page_views", "visitors", "sales", "units",
        "conversion", "order_value", "dsr", "depth", "bounce_rate",
    ]  # fmt: skip
    newest = table.iloc[0]
    assert newest["date"] == FRIDAY
    assert newest["conversion"] == 5 / 200
    assert newest["order_value"] == 900 / 5
    assert newest["depth"] == 3.1
    assert newest["dsr"] == pytest.approx(4.8)


def test_pc_and_wireless_rows_are_not_added_to_the_whole():
    both = rows(
        "shop_day", "date device visitors sales",
        "2026-11-20 all 90 5", "2026-11-20 pc 20 1", "2026-11-20 wireless 80 4",
    )  # fmt: skip
    table = daily_report.daily_table(both, "buyers/visitors", days=30)
    assert table["visitors"].tolist() == [90]


def test_the_bridge_from_last_friday_is_the_published_one():
    steps = daily_report.sales_bridge(TWO_FRIDAYS, FRIDAY, "buyers/visitors")
    assert steps.set_index("factor")["amount"].to_dict() == pytest.approx(
        {"before": 40_000, "visitors": 11_060, "conversion": -9_440, "order_value": 2_060,
         "after": 43_680}
    )  # fmt: skip


ORDERS_ONLY = shop_days("2026-11-13", sales=[1000.0, *[1.0] * 6, 1500.0], orders=[10, *[1] * 6, 12])


def test_without_visitors_the_bridge_goes_by_orders_and_their_value():
    """From 10 orders of 100 to 12 of 125: 2 x 112.5 by orders, 25 x 11 by their value."""
    steps = daily_report.sales_bridge(ORDERS_ONLY, FRIDAY, "buyers/visitors")
    assert steps.set_index("factor")["amount"].to_dict() == pytest.approx(
        {"before": 1000, "orders": 225, "order_value": 275, "after": 1500}
    )
    empty = pd.DataFrame()
    (found,) = daily_report.findings(steps, empty, (FRIDAY, "weekday"), empty, empty)
    assert found.text == "bridge_up_paid"
    assert (found.values["payers"], found.values["paid"]) == ("orders", 225)


def test_one_day_without_visitors_is_held_against_another_by_payers():
    days = TWO_FRIDAYS.assign(visitors=TWO_FRIDAYS["visitors"].where(lambda v: v.index > 0))
    steps = daily_report.sales_bridge(days, FRIDAY, "buyers/visitors")
    assert steps["factor"].tolist() == ["before", "payers", "order_value", "after"]


def test_without_visitors_and_orders_there_is_no_bridge():
    sales_only = shop_days("2026-11-13", sales=[100.0] * 8)
    assert daily_report.sales_bridge(sales_only, FRIDAY, "buyers/visitors").empty


def test_the_bridge_to_a_year_before_starts_at_that_days_sales():
    steps = daily_report.sales_bridge(TWO_FRIDAYS, FRIDAY, "buyers/visitors", day("2026-11-14"))
    assert steps["factor"].tolist()[0] == "last_year"
    assert steps["amount"].tolist()[0] == 1
    assert steps["amount"].iloc[:4].sum() == pytest.approx(steps["amount"].iloc[4])


SOURCES = rows(
    "source_day", "date source device channel visitors buyers sales",
    "2026-11-13 search wireless paid 1000 20 4000", "2026-11-13 search pc paid 100 2 300",
    "2026-11-13 gone pc other 50 1 200", "2026-11-13 cart pc other 10 1 100",
    "2026-11-20 search wireless paid 600 12 2500", "2026-11-20 search pc paid 60 1 100",
    "2026-11-20 new pc paid 40 2 500", "2026-11-20 cart pc other 30 3 300",
)  # fmt: skip


def test_the_source_with_the_largest_part_comes_first_and_the_parts_add_up():
    moved = daily_report.sources_moved(SOURCES, [], FRIDAY, "buyers/visitors")
    by_source = moved.set_index("source")
    assert moved["source"].tolist() == ["search", "new", "gone", "cart"]
    assert by_source["sales_change"].tolist() == [-1700, 500, -200, 200]
    assert by_source["visitors_change"].tolist() == [-440, 40, -50, 20]
    parts = by_source[["by_visits", "by_conversion", "by_order_value"]]
    np.testing.assert_allclose(parts.sum(axis=1), by_source["sales_change"])
    assert parts.loc["gone"].tolist() == [-200, 0, 0]
    assert by_source["real"].tolist() == ["unknown"] * 4


def test_sources_without_sales_are_ordered_by_visitors_and_have_no_parts():
    moved = daily_report.sources_moved(
        SOURCES.assign(sales=np.nan, buyers=np.nan), [], FRIDAY, "buyers/visitors"
    )
    assert moved["source"].tolist() == ["search", "gone", "new", "cart"]
    assert moved[["sales_change", "by_visits"]].isna().all(axis=None)
    empty = pd.DataFrame()
    found = daily_report.findings(empty, empty, (FRIDAY, "weekday"), moved, empty)
    assert [(f.id, f.text) for f in found] == [("source_moved", "source_fell")]


def test_a_week_without_source_rows_moves_nothing():
    later = SOURCES[SOURCES["date"] == FRIDAY]
    assert daily_report.sources_moved(later, [], FRIDAY, "buyers/visitors").empty
    assert daily_report.sources_moved(SOURCES.head(0), [], FRIDAY, "buyers/visitors").empty


def test_a_source_that_truly_fell_is_told_from_one_that_did_not():
    length, random = 150, np.random.default_rng(1)
    days = pd.date_range(end=FRIDAY, periods=length)
    seen = {name: random.poisson(1000, length).astype(float) for name in ("search", "cart")}
    seen["search"][-1] = 500.0
    long = pd.concat(
        pd.DataFrame({"date": days, "source": name, "device": "all", "channel": "other",
                      "visitors": visitors, "buyers": 20.0, "sales": 2000.0})
        for name, visitors in seen.items()
    )  # fmt: skip
    moved = daily_report.sources_moved(long, [], FRIDAY, "buyers/visitors").set_index("source")
    assert moved["real"].to_dict() == {"search": "fell", "cart": "no"}


def test_the_paid_channels_cost_comes_from_the_advertising_report():
    ads = rows("ad_day", "date plan unit item_id word cost",
               "2026-11-13 p u i w 100", "2026-11-13 p u i v 10", "2026-11-20 p u i w 140")  # fmt: skip
    paid = daily_report.paid_cost(SOURCES, ads, FRIDAY, "buyers/visitors")
    assert paid[["cost", "visitors", "sales"]].to_numpy().tolist() == [
        [140, 700, 3100], [110, 1100, 4300],
    ]  # fmt: skip
    assert paid["cost_per_visitor"].tolist() == [0.2, 0.1]
    assert daily_report.paid_cost(SOURCES, ads.head(0), FRIDAY, "buyers/visitors").empty


def quiet_shop(last: float) -> pd.DataFrame:
    """Twenty quiet weeks to FRIDAY, whose last day has `last` times its visitors."""
    random = np.random.default_rng(7)
    visitors = 5000 * np.exp(0.05 * random.standard_normal(140))
    visitors[-1] *= last
    paid = np.round(0.02 * visitors * np.exp(0.05 * random.standard_normal(140)))
    return shop_days("2026-07-04", visitors=visitors, buyers=paid, orders=paid, sales=150 * paid)


def told_and_day(shop, targets, bar=5):
    days = daily_report.last_days_with_usual(shop, [], FRIDAY, 30)
    told = alarms.against_usual(shop, [], FRIDAY, "buyers/visitors")
    plan = pace.month_plan(shop, targets, [], FRIDAY)
    urgent = alarms.urgent(shop, told, FRIDAY, "buyers/visitors", bar)
    return daily_report.the_day(days, plan, told, urgent)


def test_a_quiet_day_is_no_news_and_a_collapse_is_urgent():
    calm, fallen = (told_and_day(quiet_shop(f), {}) for f in (1.0, 0.3))
    assert (calm.severity, calm.text, calm.action) == ("info", "day_usual", "")
    assert (fallen.severity, fallen.action) == ("critical", "today_first")
    assert fallen.low < fallen.baseline < fallen.high
    assert fallen.values["visitors"] == pytest.approx(-0.7, abs=0.1)


@pytest.mark.parametrize(
    ("unknown", "text", "shown"),
    [
        (["visitors"], "day_usual_paid", ["sales", "payers", "order_value"]),
        (["visitors", "buyers"], "day_usual_paid", ["sales", "orders", "order_value"]),
        (["visitors", "buyers", "orders"], "day_usual_alone", ["sales"]),
    ],
)
def test_what_is_not_counted_is_not_spoken_of(unknown, text, shown):
    shop = quiet_shop(1.0).assign(**dict.fromkeys(unknown, np.nan))
    assert told_and_day(shop, {}).text == text
    told = alarms.against_usual(shop, [], FRIDAY, "buyers/visitors")
    figures = daily_report.key_figures(told, alarms.by_day(shop, "buyers/visitors").tail(30))
    assert figures["metric"].tolist() == shown
    assert [len(history) for history in figures["history"]] == [30] * len(shown)


def test_a_shortfall_within_a_days_ups_and_downs_is_no_warning():
    shop = quiet_shop(1.0)
    usual = told_and_day(shop, {}).baseline
    short, far = (told_and_day(shop, {"2026-11": 30 * usual * f}) for f in (1.05, 2.0))
    assert (short.text, short.severity) == ("day_target", "info")
    assert (far.text, far.severity) == ("day_target", "warning")


def test_without_history_it_says_what_would_be_enough():
    told = alarms.against_usual(TWO_FRIDAYS, [], FRIDAY, "buyers/visitors")
    days = daily_report.last_days_with_usual(TWO_FRIDAYS, [], FRIDAY, 8)
    found = daily_report.the_day(days, pd.DataFrame(), told, False)
    assert (found.text, found.severity, found.values["enough"]) == ("day_no_usual", "info", 8)


def test_the_findings_name_the_largest_factor():
    steps = daily_report.sales_bridge(TWO_FRIDAYS, FRIDAY, "buyers/visitors")
    empty = pd.DataFrame()
    found = daily_report.findings(steps, empty, (FRIDAY, "weekday"), empty, empty)
    assert [(f.id, f.text, f.values["largest"]) for f in found] == [
        ("sales_bridge", "bridge_up", "visitors")
    ]


def test_the_checks_hold_sums_against_each_other():
    steps = daily_report.sales_bridge(TWO_FRIDAYS, FRIDAY, "buyers/visitors")
    daily = daily_report.daily_table(TWO_FRIDAYS, "buyers/visitors", 30)
    moved = daily_report.sources_moved(SOURCES, [], FRIDAY, "buyers/visitors")
    checked = daily_report.checks(TWO_FRIDAYS, daily, [steps], moved)
    assert [name for name, *_ in checked] == ["ten_columns", "bridge_adds_up", "sources_add_up"]
    assert all(one == pytest.approx(other) for _, one, other in checked)


def test_a_day_without_sales_rows_is_refused():
    with pytest.raises(DataError, match=r"no sales for 2026-11-21.*2026-11-20"):
        daily_report.last_days_with_usual(TWO_FRIDAYS, [], day("2026-11-21"), 30)
