import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from small_shops import BARS, ROOT, day, rows

from shopanalysis import bestsellers, calendars, rates, tables

DATE = day("2026-11-20")
ITEM_DAY = "date item_id visitors buyers units sales"
NAMES = {"A": "quilt", "B": "pillow"}


def days_of(item: str, visitors: int, buyers: int, until: str = "2026-11-20", days: int = 7):
    """Lines of item_day: the same every day, so that days differ less than by luck."""
    return [f"{d.date()} {item} {visitors} {buyers} {buyers} {10 * buyers}"
            for d in pd.date_range(end=until, periods=days)]  # fmt: skip


def shop_of(*lines: str, **more) -> dict[str, pd.DataFrame]:
    """The tables of a shop with these lines of item_day."""
    items = rows("items", "item_id title category", "A quilt quilts", "B pillow pillows")
    day_table = rows("item_day", ITEM_DAY, *lines) if lines else tables.empty("item_day")
    empty = {name: tables.empty(name) for name in bestsellers.TABLES}
    return empty | {"item_day": day_table, "items": items} | more


def background() -> list[str]:
    """Twenty ordinary items around 1.4 %, so that the shop's own spread is known."""
    return [line for i in range(20) for line in days_of(f"x{i}", 140, 1 + i % 3)]


def judged(*lines: str, date=DATE, bars=BARS, **more) -> pd.DataFrame:
    found = bestsellers.judged(shop_of(*lines, *background(), **more), date, 7, bars)
    return found.set_index("item_id", drop=False)


def test_a_week_is_added_up_and_older_days_are_not():
    shop = shop_of("2026-11-13 A 900 90 90 1", "2026-11-14 A 100 3 4 50", "2026-11-20 A 200 3 3 70")
    item = bestsellers.week(shop["item_day"], shop["items"], DATE, 7)
    assert item.loc[0, ["visitors_by_day", "payers", "units", "sales"]].tolist() == [300, 6, 7, 120]
    assert item.loc[0, "conversion"] == 6 / 300
    assert item.loc[0, "days_with_sales"] == 2


def test_a_day_whose_payers_are_not_known_counts_for_neither_side():
    shop = shop_of("2026-11-19 A 100 5 5 50", "2026-11-20 A 900 nan 5 50")
    item = bestsellers.week(shop["item_day"], shop["items"], DATE, 7)
    assert item.loc[0, ["visitors_by_day", "conversion"]].tolist() == [100, 0.05]


def test_the_plans_bars_must_be_exceeded_not_met():
    for visitors, buyers, verdict in ((3000, 300, "no"), (4000, 120, "no"), (3001, 300, "yes")):
        item = judged(f"2026-11-20 A {visitors} {buyers} {buyers} 100").loc["A"]
        assert item["plan_verdict"] == verdict


@pytest.mark.parametrize(
    ("visitors", "buyers", "verdict", "reason"),
    [(500, 25, "confirmed", None), (500, 16, "watch", "luck"), (500, 5, "no", "low_conversion"),
     (300, 15, "watch", "few_visitors"), (200, 10, "no", "few_visitors")],
)  # fmt: skip
def test_three_verdicts_and_what_stands_against_a_confirmation(visitors, buyers, verdict, reason):
    """A day: 500 visitors are 3500 in the week; 25, 16 and 5 payers are 5 %, 3.2 % and 1 %."""
    item = judged(*days_of("A", visitors, buyers)).loc["A"]
    assert item["verdict"] == verdict
    assert pd.isna(item["reason"]) if reason is None else item["reason"] == reason


def test_a_guard_turns_a_sure_item_into_a_watched_one_and_says_which():
    columns = "date item_id source visitors buyers"
    carried = rows(
        "item_source_day", columns, "2026-11-20 A 店铺首页 3000 170", "2026-11-20 A 搜索 500 5"
    )
    items = judged(*days_of("A", 500, 25), item_source_day=carried)
    assert items.loc["A", ["verdict", "plan_verdict", "reason"]].tolist() == [
        "watch",
        "yes",
        "home_page",
    ]
    found = bestsellers.findings(items, BARS)[1]
    assert (found.id, found.action) == ("look_alikes_home_page", "try_elsewhere")
    assert found.values["elsewhere"] == 0.01


def test_of_all_confirmed_at_once_few_may_be_wrong_however_low_the_bar_for_each():
    """Alone a chance of one half is enough here; together nine of ten must hold."""
    lines = [*days_of("A", 500, 25), *days_of("B", 500, 16), *days_of("C", 500, 16)]
    bars = BARS | {"bestseller_chance": 0.5}
    items = judged(*lines, bars=bars)
    assert (items.loc[["A", "B", "C"], "chance_above"] > 0.5).all()
    assert items.index[items["verdict"] == "confirmed"].tolist() == ["A"]
    assert (
        judged(*lines, bars=bars | {"bestseller_wrong": 0.5})["verdict"] == "confirmed"
    ).sum() == 3


def test_the_expected_rate_lies_between_the_items_own_and_the_shops():
    items = judged(*days_of("A", 500, 25), *days_of("B", 20, 1))
    for name in "AB":
        assert bestsellers.average(items) < items.loc[name, "next_conversion"] < 0.05
    assert items.loc["A", "next_conversion"] > items.loc["B", "next_conversion"]


def test_who_paid_without_a_visit_that_day_makes_no_rate_above_one():
    """Three pay for B on a day on which one came: with all of them the shop's spread would be wild."""
    as_found = judged(*days_of("A", 500, 25), "2026-11-20 B 1 3 3 30")
    as_came = judged(*days_of("A", 500, 25), "2026-11-20 B 1 1 3 30")
    assert as_found.loc["B", ["payers", "conversion"]].tolist() == [1, 1]
    columns = ["next_conversion", "low", "high", "chance_above"]
    pd.testing.assert_frame_equal(as_found[columns], as_came[columns])


def test_many_times_the_visits_leave_the_rate_observed():
    """With data without end the prior counts for nothing (the interval is then the binomial's)."""
    item = judged(*days_of("A", 500_000, 25_000)).loc["A"]
    assert item["next_conversion"] == pytest.approx(0.05, rel=1e-3)
    spread = stats.norm.ppf(0.975) * np.sqrt(0.05 * 0.95 / 3.5e6)
    assert item["high"] - item["low"] == pytest.approx(2 * spread, rel=0.02)


def test_days_that_differ_beyond_luck_make_the_range_wider():
    steady = judged(*days_of("A", 500, 20, days=28)).loc["A"]
    lines = days_of("A", 500, 20, days=28)
    restless = [
        line.replace(" 20 20 200", f" {8 + 24 * (i % 2)} 20 200") for i, line in enumerate(lines)
    ]
    wild = judged(*restless).loc["A"]
    assert wild["high"] - wild["low"] > 1.3 * (steady["high"] - steady["low"])


def test_what_a_watched_item_lacks_is_what_would_confirm_it():
    lines = days_of("A", 500, 16)
    lacking = judged(*lines).loc["A", "payers_short"]
    assert lacking > 0
    prior_kept = shop_of(*lines, *background())
    week = bestsellers.week(prior_kept["item_day"], prior_kept["items"], DATE, 7)
    expected = bestsellers.expect(week, prior_kept["item_day"], DATE, 7, BARS)
    a, b = _prior(expected)
    item = expected.set_index("item_id").loc["A"]
    k, n = item["payers"], item["visitors_by_day"]
    assert stats.beta.sf(0.03, a + k + lacking, b + n - k - lacking) >= 0.9
    assert stats.beta.sf(0.03, a + k + lacking - 1, b + n - k - lacking + 1) < 0.9


def _prior(items: pd.DataFrame) -> tuple[float, float]:
    """a and b from two items' expected rates: (a + k) / (a + b + n) is linear in both."""
    two = items.iloc[[0, -1]]
    k, n, p = two["payers"], two["visitors_by_day"], two["next_conversion"]
    return tuple(np.linalg.solve(np.column_stack([1 - p, -p]), p * n - k))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_the_fewest_is_found_by_halving_as_by_counting(wanted):
    wanted = np.array(wanted, float)
    found = bestsellers._fewest(lambda more: more >= wanted, np.full(len(wanted), 500.0))
    assert np.array_equal(found, np.where(wanted <= 500, wanted, np.nan), equal_nan=True)


def test_an_item_expected_below_the_bar_is_confirmed_by_no_number_of_visits():
    items = judged(*days_of("A", 500, 16), *days_of("B", 500, 13))
    assert items.loc["A", "visitors_short"] > 0
    assert pd.isna(items.loc["B", "visitors_short"])


def test_an_item_that_lacks_visits_lacks_at_least_those_of_the_bar():
    assert judged(*days_of("A", 300, 15)).loc["A", "visitors_short"] == 3001 - 2100


def test_known_is_what_the_same_rule_confirmed_before():
    items = judged(*days_of("A", 500, 25, days=28), *days_of("B", 500, 25))
    assert items.loc[["A", "B"], "news"].tolist() == ["known", "new"]


def test_without_a_whole_week_before_nothing_is_called_new():
    items = judged(*days_of("B", 500, 25, days=10))
    assert items.loc["B", "verdict"] == "confirmed"
    assert items["news"].isna().all()
    assert bestsellers.findings(items, BARS)[0].text == "bestsellers_no_past"


def test_what_happens_later_changes_nothing():
    lines = [*days_of("A", 500, 25), *background()]
    later = days_of("A", 900, 1, until="2026-11-30", days=10)
    one = bestsellers.judged(shop_of(*lines), DATE, 7, BARS)
    other = bestsellers.judged(shop_of(*lines, *later), DATE, 7, BARS)
    pd.testing.assert_frame_equal(one, other)


def test_days_in_campaigns_are_counted():
    campaign = calendars.Campaign("sale", day("2026-11-10"), day("2026-11-16"))
    assert bestsellers.days_in_campaigns(DATE, 7, [campaign]) == 3
    assert bestsellers.days_in_campaigns(DATE, 7, []) == 0


def test_an_item_without_title_is_called_by_its_id():
    assert judged("2026-11-20 C 10 1 1 1").loc["C", "title"] == "C"


def test_findings_say_what_to_expect_and_name_the_look_alike():
    items = judged(*days_of("A", 500, 25), *days_of("B", 500, 16))
    found = {f.id: f for f in bestsellers.findings(items, BARS, campaign_days=2)}
    assert (found["bestsellers"].value, found["bestsellers"].baseline) == (1, 2)
    assert found["leader"].values["title"] == "quilt"
    assert found["leader"].value < 0.05 == found["leader"].values["rate"]
    assert found["look_alikes_luck"].values["title"] == "pillow"
    assert found["campaign_week"].value == 2
    assert found["guards_unchecked"].values["names"] == [
        "home_page", "source_mix", "presale", "one_buyer",
    ]  # fmt: skip
    assert "critical" not in {f.severity for f in found.values()}


@pytest.mark.parametrize(
    "lines", [(), ("2026-11-20 A nan 3 3 30",), ("2026-11-20 A 100 nan 3 30",), ("2026-11-20 A 0 0 0 0",)]
)  # fmt: skip
def test_a_shop_without_visitors_or_payers_by_item_is_told_what_is_needed(lines):
    items = bestsellers.judged(shop_of(*lines), DATE, 7, BARS)
    assert items.empty
    assert [f.text for f in bestsellers.findings(items, BARS)] == ["no_item_visitors"]
    for table in (bestsellers.nearly(items), bestsellers.intervals(items, BARS)):
        assert table.empty


def test_names_are_drawn_without_what_all_begin_with():
    items = judged(*days_of("A", 500, 25), *days_of("B", 500, 16))
    items["title"] = items["title"].map({"quilt": "Brand quilt", "pillow": "Brand pillow"})
    assert bestsellers.intervals(items, BARS)["source"].tolist() == ["quilt", "pillow"]


@pytest.mark.parametrize(
    ("visitors", "seen", "delivered"), [(300, 0.0390, 0.028), (3000, 0.0349, 0.0333)]
)
def test_the_winners_curse_as_published_and_what_is_expected_instead(visitors, seen, delivered):
    """Items that show over 3 %, in a shop whose rates are Beta(8, 392)."""
    random = np.random.default_rng(1)
    true = random.beta(8, 392, 300_000)
    paid = random.binomial(visitors, true)
    chosen = paid / visitors > 0.03
    expected = rates.Beta(8, 392).mean_after(paid[chosen], visitors)
    assert (paid[chosen] / visitors).mean() == pytest.approx(seen, abs=0.0003)
    assert true[chosen].mean() == pytest.approx(delivered, abs=0.0003)
    assert expected.mean() == pytest.approx(true[chosen].mean(), abs=0.0001)


@pytest.fixture(scope="module")
def calibration():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import calibration

    return calibration


def test_confirmed_keeps_its_promise_on_simulated_shops(calibration):
    """benchmarks/calibration.py has the whole table; here a few shops with fixed seeds."""
    kinds = ["beta", "lognormal", "two groups"]
    found = {kind: calibration.many([7], kind, 100, 6) for kind in kinds}
    for kind in kinds:
        assert calibration.measures(found[kind])["true %"] >= 90, kind
    whole = calibration.measures(pd.concat(found.values()))
    assert 93 <= whole["held %"] <= 97
    assert whole["confirmed"] >= 15
    assert whole["true %"] > whole["of it true %"]


def test_one_dispersion_for_all_would_make_large_items_too_sure(calibration):
    """Why each item has its own: by day shocks of 20 % a large item's week varies far beyond luck."""
    true, item_day = calibration.shop(np.random.default_rng(3), "lognormal", 200)
    found = calibration.screened(true, item_day)
    large = found[found["visitors_by_day"] > 6000]
    held = large["true"].between(large["low"], large["high"])
    plain = stats.beta.interval(
        0.95, large["payers"] + 1, large["visitors_by_day"] - large["payers"] + 1
    )
    assert held.mean() > 0.88 > large["true"].between(*plain).mean()


def test_where_a_log_counted_people_of_the_week_they_are_held_against_the_bar():
    """500 visits a day are 3,500 in the week, by 2,900 people: below the bar of 3,000."""
    counted = rows("item_week", "date item_id visitors buyers", "2026-11-20 A 2900 150")
    item = judged(*days_of("A", 500, 25), item_week=counted).loc["A"]
    assert (item["verdict"], item["reason"], item["plan_verdict"]) == (
        "watch",
        "few_visitors",
        "no",
    )
    assert item["visitors_short"] == 101
    older = rows("item_week", "date item_id visitors buyers", "2026-11-19 A 2900 150")
    assert judged(*days_of("A", 500, 25), item_week=older).loc["A", "verdict"] == "confirmed"


def test_the_page_says_that_people_of_the_week_are_counted_and_only_then():
    counted = rows("item_week", "date item_id visitors buyers", "2026-11-20 A 3100 150")
    told = bestsellers.findings(judged(*days_of("A", 500, 25), item_week=counted), BARS)
    (people,) = [finding for finding in told if finding.text == "weekly_visitors"]
    assert (people.value, people.values["visits"]) == (3100, 3500)
    without = bestsellers.findings(judged(*days_of("A", 500, 25)), BARS)
    assert "weekly_visitors" not in {finding.text for finding in without}
