import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from small_shops import ROOT, day

from shopanalysis import calendars, events_calendar
from shopanalysis.calendars import Campaign
from shopanalysis.errors import DataError

LONG = (day("2023-01-01"), day("2027-12-31"))


def found(name, year, platform="tmall", country="CN", own=()):
    """Stretches of `name` that start in `year`, as text: phase first..last."""
    stretches = events_calendar.stretches(platform, country, own, *LONG)
    return [
        f"{c.phase} {c.start:%m-%d}..{c.end:%m-%d}"
        for c in (s.campaign for s in stretches)
        if c.name == name and c.start.year == year
    ]


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2024-02-10", "spring_festival"),
        ("2025-01-29", "spring_festival"),
        ("2026-02-17", "spring_festival"),
        ("2026-06-19", "dragon_boat"),
        ("2026-08-19", "qixi"),
        ("2026-09-25", "mid_autumn"),
    ],
)
def test_days_of_the_moon(date, name):
    assert events_calendar.moon_day(name, day(date).year) == day(date)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("spring_festival", "LUNAR_NEW_YEAR_DATES"),
        ("dragon_boat", "DRAGON_BOAT_DATES"),
        ("mid_autumn", "MID_AUTUMN_DATES"),
    ],
)
def test_the_moon_is_the_one_of_the_library_of_holidays(name, table):
    from holidays.calendars import chinese

    known = getattr(chinese._ChineseLunisolar, table)
    for year in range(2000, 2061):
        assert events_calendar.moon_day(name, year) == pd.Timestamp(year, *known[year])


def test_qixi_follows_the_dragon_boat_by_two_moons():
    """Two moons and two days; three moons where the fifth or sixth month comes twice."""
    for year in range(2000, 2061):
        dragon_boat, qixi = (
            events_calendar.moon_day(name, year) for name in ("dragon_boat", "qixi")
        )
        assert (qixi - dragon_boat).days in {60, 61, 62, 90, 91}


@pytest.mark.parametrize(
    ("name", "year", "days"),  # as the State Council announced them
    [
        ("Labor Day", 2024, "05-01..05-05"),
        ("Dragon Boat Festival", 2024, "06-08..06-10"),
        ("National Day", 2024, "10-01..10-07"),
        ("Labor Day", 2025, "05-01..05-05"),
        ("National Day", 2025, "10-01..10-08"),
        ("New Year's Day", 2026, "01-01..01-03"),
        ("Dragon Boat Festival", 2026, "06-19..06-21"),
        ("Mid-Autumn Festival", 2026, "09-25..09-27"),
        ("National Day", 2026, "10-01..10-07"),
    ],
)
def test_days_off_are_those_that_the_state_announced(name, year, days):
    assert found(name, year) == [f"holiday {days}"]


def test_the_nine_days_off_of_2026_stand_where_no_event_has_their_name():
    days_off = events_calendar._days_off("CN", range(2025, 2028))
    spring = [c for c in days_off if c.name == "Spring Festival" and c.start.year == 2026]
    assert [(c.start, c.end) for c in spring] == [(day("2026-02-15"), day("2026-02-23"))]
    assert found("Spring Festival", 2026) == ["event 02-10..02-24"]


def test_two_holidays_in_one_run_share_its_days():
    assert found("Mid-Autumn Festival", 2023) == ["holiday 09-29..09-30"]
    assert found("National Day", 2023) == ["holiday 10-01..10-06"]
    assert found("Mid-Autumn Festival", 2025) == ["holiday 10-06..10-06"]


def test_make_up_working_days_of_2024_as_announced():
    announced = ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"]
    worked = events_calendar.make_up_days("CN", range(2024, 2025))
    assert [f"{d:%m-%d}" for d in worked] == announced


@pytest.mark.parametrize(
    ("year", "phases"),
    [
        (2023, ["preheat 10-24..10-30", "event 10-31..11-03", "preheat 11-04..11-09",
                "event 11-10..11-11", "tail 11-12..11-16"]),
        (2026, ["preheat 10-15..10-19", "event 10-20..10-24", "preheat 10-25..10-30",
                "event 10-31..11-14", "tail 11-15..11-18"]),
    ],
)  # fmt: skip
def test_a_platform_event_follows_its_years_pattern(year, phases):
    assert found("Double 11", year) == phases


def test_a_platforms_events_are_not_another_platforms():
    assert found("Double 11", 2026, platform="other") == []
    assert found("Spring Festival", 2026, platform="other") != []
    assert found("Spring Festival", 2026, platform="other", country="GB") == []


def test_black_friday_follows_thanksgiving_as_the_library_states_it():
    import holidays

    for date, name in holidays.country_holidays("US", years=range(2012, 2030)).items():
        if name == "Thanksgiving Day":
            assert events_calendar.anchor_day("thanksgiving", date.year) == pd.Timestamp(date)
    phases = ["preheat 11-24..11-27", "event 11-28..12-01"]
    assert found("Black Friday", 2025, platform="other", country="GB") == phases


def test_the_shops_own_campaign_wins_that_year_by_any_of_its_names():
    own = [Campaign("双十一", day("2025-11-08"), day("2025-11-11"))]
    assert found("Double 11", 2025, own=own) == ["event 11-08..11-11"]
    assert len(found("Double 11", 2026, own=own)) == 5


def test_a_name_of_the_shops_own_stays_as_it_is():
    own = [Campaign("店庆", day("2026-04-10"), day("2026-04-12"))]
    assert found("店庆", 2026, own=own) == ["event 04-10..04-12"]


def test_campaigns_without_days_off():
    campaigns = events_calendar.campaigns_of("tmall", "CN", (), *LONG, holidays=False)
    assert {c.phase for c in campaigns} == {"preheat", "event", "tail"}
    with_days_off = events_calendar.campaigns_of("tmall", "CN", (), *LONG)
    assert {c.name for c in with_days_off} - {c.name for c in campaigns} >= {"National Day"}


def test_large_events_are_those_on_which_nearly_every_shop_sells_otherwise():
    sale = Campaign("店庆", day("2026-04-10"), day("2026-04-12"))
    shop = SimpleNamespace(platform="tmall", country="CN", campaigns=(sale,))
    names = {c.name for c in events_calendar.large(shop, day("2026-11-20"))}
    assert names == {"Double 11", "Double 12", "618", "New Year Goods Festival",
                     "Spring Festival", "店庆"}  # fmt: skip
    abroad = SimpleNamespace(platform="other", country="GB", campaigns=())
    assert {c.name for c in events_calendar.large(abroad, day("2026-11-20"))} == {
        "Black Friday", "Christmas Day",
    }  # fmt: skip


ALL = events_calendar.campaigns_of("tmall", "CN", (), *LONG)


@pytest.mark.parametrize(
    ("date", "before", "how"),
    [
        ("2026-11-11", "2025-11-11", "campaign"),  # the same day of the same wave
        ("2024-11-11", "2023-11-11", "campaign"),  # the waves have changed: from the nearer end
        ("2025-01-07", "2024-01-19", "campaign"),  # seventh day of the New Year Goods Festival
        ("2026-02-17", "2025-01-29", "campaign"),  # the first day of the year by the moon
        ("2026-09-25", "2025-10-06", "campaign"),  # Mid-Autumn
        ("2026-03-25", "2025-03-26", "weekday"),
        ("2026-10-12", "2025-10-13", "weekday"),  # 52 weeks
    ],
)
def test_the_day_a_year_before_by_the_years_events(date, before, how):
    assert calendars.a_year_before(day(date), ALL) == (day(before), how)


def test_an_unknown_country_is_refused_and_none_has_no_holidays():
    with pytest.raises(DataError, match="country 'XX'; allowed: an ISO code"):
        events_calendar.stretches("other", "XX", (), *LONG)
    assert events_calendar.stretches("other", "", (), *LONG) == []


def test_the_library_of_holidays_is_loaded_only_when_asked():
    code = "import sys, shopanalysis.events_calendar; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
