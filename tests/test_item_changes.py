import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import item_changes, presale, tables

DATE = day("2026-11-20")
NO_ITEMS, NO_PRESALE = tables.empty("items"), pd.DataFrame(columns=presale.COLUMNS)


def item_days(
    rates: dict[str, tuple[float, float]], visitors: float = 2000.0, **more
) -> pd.DataFrame:
    """28 days at one rate and 7 at another, for each item."""
    days = pd.date_range(end=DATE, periods=35)
    frames = [
        pd.DataFrame({"date": days, "item_id": name, "visitors": visitors,
                      "buyers": np.where(np.arange(35) < 28, before, now) * visitors})
        for name, (before, now) in rates.items()
    ]  # fmt: skip
    frame = pd.concat(frames).assign(
        source_file="made up", sales=lambda f: f["buyers"] * 50, **more
    )
    return tables.conform("item_day", frame)


def table(frame, in_presale=NO_PRESALE):
    return item_changes.items_moved(frame, NO_ITEMS, DATE, 7, 28, [], in_presale)


def moved(rates):
    return table(item_days(rates)).set_index("item_id")["moved"].to_dict()


STEADY = dict.fromkeys("abcdefgh", (0.03, 0.03))


def test_the_item_that_halved_is_named_and_the_steady_ones_are_not():
    assert moved({**STEADY, "bad": (0.03, 0.015)}) == {**dict.fromkeys(STEADY, "no"), "bad": "fell"}


def test_what_all_items_share_is_nobodys_fault():
    assert set(moved(dict.fromkeys("abcd", (0.03, 0.02))).values()) == {"no"}


def test_a_large_item_s_fall_does_not_lift_the_others():
    frame = pd.concat([item_days(STEADY), item_days({"large": (0.03, 0.015)}, visitors=16000.0)])
    assert table(frame)["moved"].tolist() == ["fell"] + ["no"] * 8


def test_what_is_at_stake_and_since_when_is_said():
    row = table(item_days({**STEADY, "bad": (0.03, 0.015)})).iloc[0]
    assert row["at_stake"] == pytest.approx(-0.015 * 14000 * 50)
    assert row["since"] == day("2026-11-14")


def test_what_all_items_lost_is_not_at_stake_for_one():
    frame = item_days({**dict.fromkeys(STEADY, (0.03, 0.02)), "bad": (0.03, 0.005)})
    assert table(frame).iloc[0]["at_stake"] == pytest.approx(-0.015 * 14000 * 50)


def test_the_break_is_where_bounce_jumped_if_that_is_surer():
    frame = item_days({**STEADY, "bad": (0.03, 0.025)}, bounce_rate=0.5)
    bad = (frame["item_id"] == "bad") & (frame["date"] >= day("2026-11-16"))
    frame.loc[bad, ["bounce_rate", "buyers"]] = [0.9, 20.0]
    assert table(frame).iloc[0]["since"] == day("2026-11-16")


def test_most_surely_at_stake_comes_first():
    frame = pd.concat([
        item_days({**STEADY, "small": (0.03, 0.01)}), item_days({"large": (0.03, 0.02)}, visitors=20000.0),
    ])  # fmt: skip
    assert table(frame)["item_id"].tolist()[:2] == ["large", "small"]


def test_an_item_in_presale_is_judged_by_its_orders():
    frame = item_days({**STEADY, "early": (0.03, 0.0)}, ordered_buyers=60.0)
    assert table(frame).iloc[0][["item_id", "moved"]].tolist() == ["early", "fell"]
    in_presale = pd.DataFrame({"item_id": ["early"]})
    assert set(table(frame, in_presale)["moved"]) == {"no"}


def test_who_paid_without_a_visit_that_day_is_not_held_against_its_visits():
    frame = pd.DataFrame({"item_id": list("ab"), "visitors": [1.0, None], "buyers": [3.0, 3.0],
                          "ordered_buyers": None})  # fmt: skip
    judged = item_changes.judged_by(frame, pd.DataFrame({"item_id": []}))["judged"]
    assert judged.tolist() == [1, 3]


def quiet(generator, drifting=0.0):
    """30 items, 35 days that differ by more than luck; items drift apart by `drifting` in the last 7."""
    days = pd.date_range(end=DATE, periods=35)
    frames = []
    for item in range(30):
        drift = np.exp(drifting * generator.standard_normal() * (np.arange(35) >= 28))
        rate = np.clip(generator.beta(30, 970, 35) * drift, 0, 1)
        frames.append(pd.DataFrame({"date": days, "item_id": f"i{item}", "visitors": 500.0,
                                    "buyers": generator.binomial(500, rate).astype(float)}))  # fmt: skip
    return tables.conform("item_day", pd.concat(frames).assign(source_file="made up"))


@pytest.mark.parametrize("drifting", [0.0, 0.3])
def test_in_quiet_weeks_hardly_an_item_is_named(drifting):
    """At most one week in twenty may name an item, also where a campaign moves items apart."""
    generator = np.random.default_rng(21)
    wrong = [
        table(quiet(generator, drifting))["moved"].isin(["rose", "fell"]).any() for _ in range(60)
    ]
    assert np.mean(wrong) <= 0.1  # 5 % and the luck of 60 weeks


def test_the_shops_conversion_is_the_mix_of_its_items():
    """Conversion 3 % and 1 %; the second's visits double: from 2 % to 5/3 %, all of it by mix."""
    frame = item_days({"a": (0.03, 0.03), "b": (0.01, 0.01)})
    frame.loc[
        (frame["item_id"] == "b") & (frame["date"] > day("2026-11-13")), ["visitors", "buyers"]
    ] *= 2
    parts = item_changes.by_items(frame, NO_ITEMS, DATE, 7, 28, [], NO_PRESALE)
    common = item_changes.common_change(frame, DATE, 7, 28, [], NO_PRESALE)
    assert common["change"] == pytest.approx(5 / 300 - 0.02)
    assert parts["by_item_rate"].tolist() == [0, 0]
    assert parts["item_part"].sum() == pytest.approx(common["change"])
    found = item_changes.findings(table(frame).assign(by_sources=np.nan), parts, common)
    assert [f.text for f in found] == ["items_steady", "mix_changed"]


def test_a_rise_that_goes_with_the_sources_is_no_reason_for_more_traffic():
    frame = item_days({**STEADY, "up": (0.03, 0.06)})
    late = {d.date(): d > day("2026-11-13") for d in frame["date"].unique()}
    lines = [f"{d} up search {100 if is_late else 900} 0" for d, is_late in late.items()]
    lines += [f"{d} up home {900 if is_late else 100} 0" for d, is_late in late.items()]
    sources = rows("item_source_day", "date item_id source visitors buyers", *lines)
    sources["buyers"] = sources["visitors"] * np.where(sources["source"] == "home", 0.08, 0.02)
    named = item_changes.with_sources(table(frame), sources, DATE, 7, 28, [])
    assert named["by_sources"].tolist()[0] == pytest.approx(1.0)
    finding = item_changes.findings(named, pd.DataFrame(), {})[0]
    assert (finding.severity, finding.text, finding.action) == (
        "info", "items_rose_by_source", "check_item_sources",
    )  # fmt: skip


def test_shops_with_few_payers_or_no_items_are_told_so():
    few = table(item_days(STEADY, visitors=10.0)).assign(by_sources=np.nan)
    assert few["moved"].isna().all()
    assert [f.text for f in item_changes.findings(few, pd.DataFrame(), {})] == ["items_too_little"]
    none = table(tables.empty("item_day"))
    assert item_changes.findings(none.assign(by_sources=np.nan), pd.DataFrame(), {}) == []
    assert item_changes.common_change(tables.empty("item_day"), DATE, 7, 28, [], NO_PRESALE) == {}
    assert item_changes.by_items(
        tables.empty("item_day"), NO_ITEMS, DATE, 7, 28, [], NO_PRESALE
    ).empty
