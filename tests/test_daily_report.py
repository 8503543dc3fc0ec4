import numpy as np
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import daily_report
from shopanalysis.calendars import Campaign
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


def test_without_visitors_there_is_no_bridge():
    orders_only = shop_days("2026-11-13", sales=[100.0] * 8)
    assert daily_report.sales_bridge(orders_only, FRIDAY, "buyers/visitors").empty


def test_the_months_target_lies_on_its_days_by_weekday_and_adds_up():
    weekday = np.array([1, 1, 1, 1, 1, 2, 2])  # Saturdays and Sundays sell double
    sales = weekday[np.arange(70) % 7] * 100.0
    history = shop_days("2026-08-24", sales=sales)  # a Monday
    plan = daily_report.month_plan(history, {"2026-11": 39_000}, [], day("2026-11-01"))
    assert plan["target"].sum() == pytest.approx(39_000)
    by_day = plan.set_index("date")["target"]
    assert by_day["2026-11-07"] == pytest.approx(2 * by_day["2026-11-06"])
    assert by_day["2026-11-06"] == pytest.approx(39_000 / (21 + 2 * 9))


def test_a_campaign_day_is_asked_for_what_it_brought_last_time():
    sales = np.full(400, 100.0)
    sales[100] = 500.0
    history = shop_days("2025-10-01", sales=sales)
    one = Campaign("Double 11", day("2026-01-09"), day("2026-01-09"))
    two = Campaign("Double 11", day("2026-11-11"), day("2026-11-11"))
    plan = daily_report.month_plan(history, {"2026-11": 34_000}, [one, two], day("2026-11-11"))
    by_day = plan.set_index("date")["target"]
    assert by_day["2026-11-11"] == pytest.approx(5 * by_day["2026-11-10"])


def test_a_month_without_target_has_no_plan():
    assert daily_report.month_plan(TWO_FRIDAYS, {}, [], FRIDAY).empty


def test_the_source_that_moved_most_comes_first_whichever_way_it_moved():
    moved = daily_report.sources_moved(
        rows(
            "source_day", "date source device channel visitors",
            "2026-11-13 search wireless paid 100", "2026-11-13 search pc paid 10",
            "2026-11-20 search wireless paid 60", "2026-11-20 cart pc other 30",
        ),
        FRIDAY,
    )  # fmt: skip
    assert moved["source"].tolist() == ["search", "cart"]
    assert moved["visitors_change"].tolist() == [-50, 30]


def test_findings_say_behind_when_sales_are_behind():
    last_days = daily_report.last_days_with_usual(TWO_FRIDAYS, [], FRIDAY, 8)
    plan = daily_report.month_plan(TWO_FRIDAYS, {"2026-11": 3e6}, [], FRIDAY)
    steps = daily_report.sales_bridge(TWO_FRIDAYS, FRIDAY, "buyers/visitors")
    found = daily_report.findings(last_days, plan, steps, steps.head(0))
    assert [f.id for f in found] == ["day_target", "month_pace", "sales_bridge"]
    assert found[1].text == "month_behind"
    needed = (3e6 - 40_000 - 43_680 - 6) / 10
    assert found[1].values["needed"] == pytest.approx(needed)


def test_a_day_without_sales_rows_is_refused():
    with pytest.raises(DataError, match=r"no sales for 2026-11-21.*2026-11-20"):
        daily_report.last_days_with_usual(TWO_FRIDAYS, [], day("2026-11-21"), 30)
