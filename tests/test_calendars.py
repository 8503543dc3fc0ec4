import numpy as np
import pandas as pd
from small_shops import day

from shopanalysis import calendars
from shopanalysis.calendars import Campaign

EIGHT_WEEKS = pd.DataFrame(
    {"date": pd.date_range("2026-01-05", periods=63), "sales": np.repeat(range(9), 7) * 10.0}
)


def test_last_days_ends_on_the_date_and_starts_so_many_days_before():
    kept = calendars.last_days(EIGHT_WEEKS, day("2026-01-20"), 7)
    assert (kept["date"].min(), kept["date"].max()) == (day("2026-01-14"), day("2026-01-20"))


def test_usual_is_the_median_of_the_same_weekday_in_the_weeks_before():
    usual = calendars.usual(EIGHT_WEEKS, "sales", [])
    assert usual["usual"].iloc[-1] == 35  # weeks 0..7 sold 0, 10 … 70 a day
    assert (usual["usual_low"].iloc[-1], usual["usual_high"].iloc[-1]) == (0, 70)


def test_too_few_weeks_say_nothing():
    assert calendars.usual(EIGHT_WEEKS, "sales", [])["usual"].iloc[: 7 * 4].isna().all()


def test_campaign_days_are_not_what_is_usual():
    event = Campaign("sale", day("2026-02-23"), day("2026-03-01"))  # the eighth week, 70 a day
    assert calendars.usual(EIGHT_WEEKS, "sales", [event])["usual"].iloc[-1] == 30


def test_clean_days_reach_back_past_a_campaign():
    event = Campaign("sale", day("2026-03-02"), day("2026-03-06"))
    kept = calendars.clean_days(EIGHT_WEEKS, day("2026-03-08"), 3, [event])
    assert [d.day for d in kept["date"]] == [1, 7, 8]


def test_a_campaign_is_worth_what_the_same_one_did_last_time():
    sales = pd.Series(100.0, pd.date_range("2026-01-01", periods=120))
    sales["2026-03-10"] = 300.0
    first = Campaign("sale", day("2026-03-10"), day("2026-03-10"))
    again = Campaign("sale", day("2026-05-02"), day("2026-05-02"))
    other = Campaign("fair", day("2026-05-03"), day("2026-05-03"))
    days = pd.date_range("2026-05-01", periods=3)
    assert calendars.campaign_factor(sales, [first, again, other], days).tolist() == [1, 3, 1]
