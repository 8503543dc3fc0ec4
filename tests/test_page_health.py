import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import page_health, tables

DATE = day("2026-11-20")
BARS = {"bounce_pass": 0.7, "bounce_good": 0.6, "depth_pass": 2.5, "depth_good": 3.5,
        "returning_bounce": 0.5, "returning_depth": 4.0, "many_returning": 0.5, "page_visitors": 500,
        "order_value_ratio": 1.3, "page_buyers": 30}  # fmt: skip
NO_SOURCES = tables.empty("source_day")


def shop(days=7, **more):
    start = str((DATE - pd.Timedelta(days=days - 1)).date())
    return shop_days(start, **{"visitors": [1000.0] * days, **more})


def health(frame, sources=NO_SOURCES):
    table = page_health.page_health(frame, sources, DATE, 7, [], BARS)
    return table.set_index("metric")


def wild(value, days=7, spread=0.02, seed=4):
    return value + spread * np.random.default_rng(seed).standard_normal(days)


@pytest.mark.parametrize(
    ("bounce", "verdict"), [(0.59, "good"), (0.6, "pass"), (0.7, "pass"), (0.71, "fail")]
)
def test_bounce_against_the_plans_bars(bounce, verdict):
    assert health(shop(bounce_rate=bounce)).loc["bounce_rate", "verdict"] == verdict


@pytest.mark.parametrize(
    ("pages", "verdict"), [(2490, "fail"), (2500, "pass"), (3500, "pass"), (3510, "good")]
)
def test_depth_against_the_plans_bars(pages, verdict):
    assert health(shop(page_views=pages)).loc["depth", "verdict"] == verdict


@pytest.mark.parametrize(
    ("bounce", "sureness"), [(0.80, "clearly"), (0.716, "probably"), (0.703, "borderline")]
)
def test_the_interval_decides_how_sure_a_fail_is(bounce, sureness):
    rates = wild(bounce) - wild(bounce).mean() + bounce
    row = health(shop(bounce_rate=rates)).loc["bounce_rate"]
    half = row["value_high"] - row["value"]
    assert half == pytest.approx(2.447 * rates.std(ddof=1) / np.sqrt(7), rel=1e-3)
    assert (row["verdict"], row["sureness"]) == ("fail", sureness)


def test_many_returning_visitors_raise_what_is_good():
    assert (
        health(shop(bounce_rate=0.55, new_visitors=600.0)).loc["bounce_rate", "verdict"] == "good"
    )
    assert (
        health(shop(bounce_rate=0.55, new_visitors=400.0)).loc["bounce_rate", "verdict"] == "pass"
    )


def test_few_visitors_and_few_days_have_no_verdict():
    assert health(shop(visitors=[50.0] * 7, bounce_rate=0.9))["verdict"].tolist() == [
        "too little data"
    ]
    assert health(shop(days=1, bounce_rate=0.9))["verdict"].tolist() == ["too little data"]


def sources(now, before=(500, 500)):
    """Two sources with bounce 50 % and 90 %; visits of each before and in the last week."""
    dates = pd.date_range(end=DATE, periods=70)
    frames = [
        pd.DataFrame({"date": dates, "source": name, "device": "all", "channel": "other",
                      "visitors": np.where(dates > day("2026-11-13"), now[i], before[i]) * 1.0})
        .assign(bounces=lambda f, r=rate: f["visitors"] * r, page_views=lambda f: f["visitors"] * 3)
        for i, (name, rate) in enumerate((("search", 0.5), ("feed", 0.9)))
    ]  # fmt: skip
    return tables.conform("source_day", pd.concat(frames).assign(source_file="made up"))


def test_a_week_of_other_sources_is_not_the_pages_fault():
    """A fifth from search, the rest from the feed: 82 % bounce, at the usual halves 70 %."""
    whole = shop(days=70, bounce_rate=np.where(np.arange(70) < 63, 0.7, 0.82))
    row = health(whole, sources((200, 800))).loc["bounce_rate"]
    assert row[["value", "at_usual_mix", "usual_value"]].tolist() == pytest.approx([0.82, 0.7, 0.7])
    assert row[["mix", "verdict", "moved"]].tolist() == ["source", "pass", "rose"]


def test_devices_stand_in_where_no_export_has_bounce_by_source():
    whole = shop(days=70, bounce_rate=0.6)
    sides = [whole.assign(device=d, bounce_rate=b, visitors=v)
             for d, b, v in (("pc", 0.8, 500.0), ("wireless", 0.4, 500.0))]  # fmt: skip
    row = health(pd.concat([whole, *sides], ignore_index=True)).loc["bounce_rate"]
    assert row[["mix", "at_usual_mix"]].tolist() == ["device", pytest.approx(0.6)]
    assert health(whole).loc["bounce_rate", "mix"] == "no"


def test_the_gate_is_critical_only_when_both_fail_clearly():
    def gate(bounce, pages):
        table = page_health.page_health(
            shop(bounce_rate=bounce, page_views=pages), NO_SOURCES, DATE, 7, [], BARS
        )
        return page_health.findings(table, pd.DataFrame(columns=page_health.VALUE_COLUMNS), BARS)[0]

    surely = gate(wild(0.8), 1000 * wild(1.5))
    assert (surely.severity, surely.owner, surely.action) == (
        "critical",
        "design",
        "fix_page_first",
    )
    near = wild(0.703) - wild(0.703).mean() + 0.703
    barely = gate(near, 1000 * wild(1.5))
    assert (barely.severity, barely.action, barely.values["sureness"]) == (
        "warning", "fix_page_first", "borderline",
    )  # fmt: skip
    assert gate(wild(0.8), 1000 * wild(3)).action == "mend_pages"
    assert gate(wild(0.5), 1000 * wild(3)).severity == "good"


def test_the_stay_is_held_against_the_usual_one():
    dwell = np.where(np.arange(70) < 63, wild(100, 70, 5), wild(60, 70, 5))
    row = health(shop(days=70, dwell=dwell)).loc["dwell"]
    assert row["moved"] == "fell"
    assert row["verdict"] is None
    assert row["usual_value"] == pytest.approx(100, abs=3)


HERO = rows("item_day", "date item_id sales buyers", *[f"2026-11-{d} h 1000 10" for d in range(14, 21)],
            *[f"2026-11-{d} x 500 8" for d in range(14, 21)])  # fmt: skip


def values(buyers=12, orders=None, lines=None):
    whole = shop(sales=1500.0, buyers=[float(buyers)] * 7)
    empty = tables.empty("orders"), tables.empty("order_lines")
    orders, lines = (empty[0] if orders is None else orders), (empty[1] if lines is None else lines)
    return page_health.order_values(
        whole, HERO, orders, lines, tables.empty("items"), DATE, 7, BARS, "buyers/visitors"
    )


def test_the_shops_order_value_against_the_hero_items():
    """1500 / 12 = 125 a buyer in the shop, 1000 / 10 = 100 a buyer of the hero."""
    row = values().iloc[0]
    assert row[["scope", "title", "order_value", "hero_value"]].tolist() == [
        "whole_shop",
        "h",
        125,
        100,
    ]
    assert row[["value_ratio", "verdict", "payers"]].tolist() == [1.25, "fail", 84]
    assert values(buyers=11).iloc[0]["verdict"] == "pass"
    assert values(buyers=4).iloc[0]["verdict"] == "too little data"


def test_beside_it_the_shop_without_its_hero():
    orders = rows(
        "orders",
        "order_id paid_at buyer_key",
        "1 2026-11-20 k1",
        "2 2026-11-20 k1",
        "3 2026-11-19 k2",
    )
    lines = rows(
        "order_lines", "order_id line item_id paid", "1 1 h 100", "1 2 x 30", "2 1 x 50", "3 1 x 20"
    )
    table = values(orders=orders, lines=lines).set_index("scope")
    assert table.loc["without_hero", ["order_value", "payers"]].tolist() == [50, 2]  # (80 + 20) / 2


def test_the_range_of_the_ratio_agrees_with_resampling_the_days():
    generator = np.random.default_rng(5)
    spent = pd.DataFrame({"payers": generator.integers(20, 60, 60).astype(float)})
    spent["paid"] = spent["payers"] * generator.normal(120, 10, 60)
    hero = pd.DataFrame({"buyers": generator.integers(5, 20, 60).astype(float)})
    hero["sales"] = hero["buyers"] * generator.normal(90, 5, 60)
    row = page_health._value_row(spent[["paid", "payers"]], hero[["sales", "buyers"]], BARS)
    picks = generator.integers(0, 60, (4000, 60))
    sums = {c: f[c].to_numpy()[picks].sum(1) for f in (spent, hero) for c in f}
    ratios = (sums["paid"] / sums["payers"]) / (sums["sales"] / sums["buyers"])
    assert (row["value_ratio_low"], row["value_ratio_high"]) == pytest.approx(
        tuple(np.quantile(ratios, [0.025, 0.975])), abs=0.01
    )


def test_a_shop_without_the_columns_has_no_rows():
    assert page_health.page_health(shop(), NO_SOURCES, DATE, 7, [], BARS).empty
    empty = [tables.empty(n) for n in ("shop_day", "item_day", "orders", "order_lines", "items")]
    assert page_health.page_health(empty[0], NO_SOURCES, DATE, 7, [], BARS).empty
    none = page_health.order_values(*empty, DATE, 7, BARS, "buyers/visitors")
    assert (
        page_health.findings(
            page_health.page_health(shop(), NO_SOURCES, DATE, 7, [], BARS), none, BARS
        )
        == []
    )
