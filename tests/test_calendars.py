import numpy as np
import pandas as pd
import pytest
from small_shops import day

from shopanalysis import calendars
from shopanalysis.calendars import Campaign

NINE_WEEKS = pd.DataFrame(
    {"date": pd.date_range("2026-01-05", periods=63), "sales": np.repeat(2.0 ** np.arange(9), 7)}
)


def test_last_days_ends_on_the_date_and_starts_so_many_days_before():
    kept = calendars.last_days(NINE_WEEKS, day("2026-01-20"), 7)
    assert (kept["date"].min(), kept["date"].max()) == (day("2026-01-14"), day("2026-01-20"))


SPRING = [
    Campaign("Spring Festival", day("2025-01-28"), day("2025-02-04"), "holiday"),
    Campaign("Spring Festival", day("2026-02-16"), day("2026-02-24"), "holiday"),
]
ELEVENS = [
    Campaign("Double 11", day("2025-10-24"), day("2025-10-31"), "preheat"),
    Campaign("Double 11", day("2025-11-04"), day("2025-11-09"), "preheat"),
    Campaign("Double 11", day("2026-10-24"), day("2026-10-31"), "preheat"),
    Campaign("Double 11", day("2026-11-04"), day("2026-11-09"), "preheat"),
]


@pytest.mark.parametrize(
    ("date", "then", "how"),
    [
        ("2026-11-20", "2025-11-21", "weekday"),  # both Fridays
        ("2026-11-05", "2025-11-05", "campaign"),  # second day of the second preheat
        ("2026-02-17", "2025-01-29", "campaign"),  # New Year's Day by the moon
        ("2026-02-24", "2025-02-04", "campaign"),  # the last day of each
        ("2026-02-03", "2025-02-11", "weekday"),  # 2025-02-04 was a holiday, so a week later
    ],
)
def test_the_day_a_year_before_follows_campaigns_moon_and_weekday(date, then, how):
    assert calendars.a_year_before(day(date), [*SPRING, *ELEVENS]) == (day(then), how)


def test_clean_days_reach_back_past_a_campaign():
    event = Campaign("sale", day("2026-03-02"), day("2026-03-06"))
    kept = calendars.clean_days(NINE_WEEKS, day("2026-03-08"), 3, [event])
    assert [d.day for d in kept["date"]] == [1, 7, 8]


def orders_at(*times: str) -> pd.DataFrame:
    return pd.DataFrame({"created_at": pd.to_datetime(list(times))})


FRIDAYS = ["2026-10-23", "2026-10-30", "2026-11-06", "2026-11-13"]


def test_orders_that_a_day_still_had_to_come_by_hand():
    """Four Fridays with two orders by noon and six after it; this one stops at noon with one."""
    usual = [f"{d} {h:02}:30" for d in FRIDAYS for h in (10, 11, 13, 14, 15, 16, 17, 20)]
    other_days = [f"2026-11-19 {h:02}:30" for h in range(9, 12)]
    orders = orders_at(*usual, *other_days, "2026-11-20 12:00")
    assert calendars.orders_missing(orders, day("2026-11-20")) == 6 * 1 / 2
    whole = orders_at(*usual, "2026-11-20 10:00", "2026-11-20 21:00")
    assert calendars.orders_missing(whole, day("2026-11-20")) == 0


def test_what_a_day_still_had_to_come_is_not_known_without_its_orders_or_earlier_weeks():
    usual = [f"{d} 15:00" for d in FRIDAYS]
    assert np.isnan(calendars.orders_missing(orders_at(*usual), day("2026-11-20")))
    few = orders_at(*usual[:3], "2026-11-20 10:00")
    assert np.isnan(calendars.orders_missing(few, day("2026-11-20")))


def test_campaign_days_are_each_day_once_and_in_order():
    spans = [
        ("2026-03-02", "2026-03-04"),
        ("2026-01-01", "2026-01-02"),
        ("2026-03-04", "2026-03-05"),
    ]
    days = calendars.campaign_days(Campaign("Sale", day(a), day(b)) for a, b in spans)
    assert [str(d.date())[5:] for d in days] == [
        "01-01", "01-02", "03-02", "03-03", "03-04", "03-05",
    ]  # fmt: skip
    assert not len(calendars.campaign_days([]))
