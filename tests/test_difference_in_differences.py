import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from small_shops import day, rows

from shopanalysis import difference_in_differences as did
from shopanalysis import tables
from shopanalysis.calendars import Campaign, Change

DATE = day("2026-11-20")


def periods(**counts):
    """counts: item = (visits before, payers before, visits now, payers now)."""
    frame = pd.DataFrame(counts, index=["n0", "k0", "n1", "k1"]).T.astype(float)
    past, now = (
        frame[[f"n{i}", f"k{i}"]].set_axis(["trials", "successes"], axis=1) for i in (0, 1)
    )
    return now, past


def test_an_item_that_halved_among_steady_others():
    now, past = periods(a=(4000, 80, 1000, 10), b=(4000, 80, 1000, 20), c=(4000, 80, 1000, 20))
    item = did.against_others(now, past, 1.0).loc["a"]
    assert item["expected"] == pytest.approx(0.02)
    assert item["relative_change"] == pytest.approx(-0.5)
    # given 90 payers, 10 of them now, where a fifth was to be expected; the others' spread beside it
    others = (90 * 0.2 * 0.8) ** 2 * (1 / 40 + 1 / 160)
    assert item["z"] == pytest.approx((10 - 18) / np.sqrt(90 * 0.2 * 0.8 + others))


def test_what_all_items_share_is_nobodys_change():
    now, past = periods(a=(4000, 80, 1000, 40), b=(4000, 120, 1000, 60), c=(4000, 40, 1000, 20))
    assert did.against_others(now, past, 1.0)["relative_change"].tolist() == pytest.approx([0] * 3)


def test_items_with_few_payers_are_not_tested():
    now, past = periods(a=(400, 4, 1000, 40), b=(4000, 80, 1000, 20))
    assert np.isnan(did.against_others(now, past, 1.0).loc["a", "p_value"])


def test_an_item_alone_is_held_against_its_own_past():
    now, past = periods(a=(4000, 80, 1000, 10))
    assert did.against_others(now, past, 1.0).loc["a", "relative_change"] == pytest.approx(-0.5)


def test_the_interval_holds_the_true_change_19_times_in_20():
    generator, held = np.random.default_rng(3), []
    for _ in range(400):
        now, past = periods(**{
            name: (4000, generator.binomial(4000, rate), 1500, generator.binomial(1500, rate * 0.9 * true))
            for name, rate, true in (("a", 0.02, 0.7), ("b", 0.03, 1), ("c", 0.01, 1))
        })  # fmt: skip
        item = did.against_others(now, past, 1.0).loc["a"]
        held.append(item["relative_low"] <= -0.3 <= item["relative_high"])
    assert 0.93 <= np.mean(held) <= 0.985


@given(k1=st.integers(0, 300), k0=st.integers(5, 300), dispersion=st.floats(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_change_lies_within_its_interval_and_dispersion_widens_it(k1, k0, dispersion):
    now, past = periods(a=(3000, k0, 3000, k1), b=(4000, 80, 4000, 90))
    narrow, wide = (did.against_others(now, past, d).loc["a"] for d in (1.0, dispersion))
    assume(narrow["p_value"] == narrow["p_value"])
    for item in (narrow, wide):
        assert item["relative_low"] <= item["relative_change"] <= item["relative_high"]
    assert wide["relative_low"] <= narrow["relative_low"] + 1e-9


def drifting(drift, items=400, seed=1):
    generator = np.random.default_rng(seed)
    luck = generator.uniform(0.05, 0.4, items)
    change = drift * generator.standard_normal(items) + luck * generator.standard_normal(items)
    return pd.DataFrame({"log_change": change, "z": change / luck})


@pytest.mark.parametrize("drift", [0.0, 0.1, 0.3])
def test_what_items_drift_apart_by_themselves_is_found_and_allowed_for(drift):
    changes = drifting(drift)
    assert did._drift(changes) == pytest.approx(drift, abs=0.04)
    assert did.surprise(changes).lt(0.05).mean() == pytest.approx(0.05, abs=0.025)


def test_a_few_items_that_collapsed_do_not_hide_themselves():
    changes = drifting(0.1)
    changes.loc[:9] = [-3.0, -15.0]
    assert did._drift(changes) == pytest.approx(0.1, abs=0.04)
    assert did.surprise(changes)[:10].max() < 1e-6


def test_few_items_cannot_say_how_far_they_drift():
    changes = drifting(0.3, items=5)
    assert did.surprise(changes).tolist() == pytest.approx(2 * stats.norm.sf(changes["z"].abs()))


def item_days(change="2026-10-26", factor=1.0, others=1.0, days=70):
    """Items a, b, c at 3 % of 1000 visits; a times `factor` and all times `others` from a Monday on."""
    dates = pd.date_range(end=DATE, periods=days)
    after = dates >= day(change)
    frames = [
        pd.DataFrame({"date": dates, "item_id": item, "visitors": 1000.0,
                      "buyers": 30 * np.where(after, (factor if item == "a" else 1) * others, 1)})
        for item in "abc"
    ]  # fmt: skip
    return tables.conform("item_day", pd.concat(frames).assign(source_file="made up"))


def effects(frame, *changes, campaigns=(), items=None):
    items = tables.empty("items") if items is None else items
    return did.effects(frame, items, changes, DATE, campaigns, 7)


def change(date="2026-10-26", item="a", what="main image"):
    return Change(day(date), item, what)


def test_a_change_that_halved_an_item_in_a_season_that_doubled_all():
    row = effects(item_days(factor=0.5, others=2.0), change()).iloc[0]
    assert row["relative_change"] == pytest.approx(-0.5)
    assert row["conversion"] == row["conversion_before"]  # it alone would say that nothing happened
    assert (row["effect"], row["days_after"]) == ("fell", 26)
    found = did.finding(effects(item_days(factor=0.5), change()), 7)[0]
    assert (found.severity, found.action, found.n) == ("warning", "undo_change", 26000)


def test_as_many_of_each_weekday_stand_on_both_sides():
    frame = item_days(days=40)  # 15 days before the change, 26 from it on
    span = did._span(frame, change(), [change()], DATE, [])
    before, after = did._same_weekdays(span, day("2026-10-26"))
    weekdays = [sorted(s["date"].drop_duplicates().dt.day_of_week) for s in (before, after)]
    assert weekdays[0] == weekdays[1]
    assert len(weekdays[0]) == 14


def test_what_could_have_been_seen_is_said():
    row = effects(item_days(), change()).iloc[0]
    n = 26000
    assert row["effect"] == "no"
    assert row["detectable"] == pytest.approx(
        2.8016 * np.sqrt(2 * 0.03 * 0.97 / n) / 0.03, rel=1e-3
    )


def test_campaign_days_after_a_change_do_not_count():
    event = Campaign("event", day("2026-10-28"), day("2026-11-17"))
    row = effects(item_days(factor=0.1), change(), campaigns=[event]).iloc[0]
    assert (row["effect"], row["days_after"]) == ("too early", 5)
    assert did.finding(effects(item_days(), change(), campaigns=[event]), 7)[0].severity == "info"


def test_items_changed_in_the_same_weeks_are_not_compared_with():
    frame = item_days()
    frame.loc[(frame["item_id"] == "b") & (frame["date"] >= day("2026-10-26")), "buyers"] = 28.0
    alone = effects(frame, change(), change(item="b")).set_index("item_id")
    assert alone.loc["a", "relative_change"] == pytest.approx(0)
    assert effects(frame, change()).loc[0, "relative_change"] == pytest.approx(60 / 58 - 1)


def test_an_unknown_item_and_a_shop_without_a_past_have_too_little_data():
    assert effects(item_days(), change(item="z"))["effect"].tolist() == ["too little data"]
    assert effects(item_days(days=20), change())["effect"].tolist() == ["too little data"]


def test_a_change_to_come_is_not_looked_at_and_none_is_no_finding():
    assert effects(item_days(), change("2026-12-01")).empty
    assert did.finding(effects(tables.empty("item_day")), 7) == []
    assert effects(tables.empty("item_day"), change())["effect"].tolist() == ["too early"]


def test_the_title_is_that_of_the_item_list():
    items = rows("items", "item_id title", "a Quilt")
    assert effects(item_days(), change(), items=items)["title"].tolist() == ["Quilt"]
