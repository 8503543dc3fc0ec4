import numpy as np
import pandas as pd
import pytest
from small_shops import day, shop_days

from shopanalysis import conversion_diagnostics, tables
from shopanalysis.calendars import Campaign

BARS = {"bounce_pass": 0.7, "bounce_good": 0.6, "depth_pass": 2.5, "depth_good": 3.5,
        "order_value_ratio": 1.3}  # fmt: skip
BASIS = "buyers/visitors"


def shop(visitors=1000, cart=100, ordered=30, buyers=20, days=10, **more):
    return shop_days("2026-11-11", visitors=[visitors] * days, cart_adds=cart,
                     ordered_buyers=ordered, buyers=buyers, sales=buyers * 150.0, **more)  # fmt: skip


DATE = day("2026-11-20")


def test_the_funnel_counts_each_step_of_the_step_before():
    steps = conversion_diagnostics.funnel(shop(), DATE, 7, 28, [], BASIS).set_index("step")
    assert steps["count"].to_dict() == {
        "visitors": 7000, "cart_adds": 700, "ordered_buyers": 210, "payers": 140,
    }  # fmt: skip
    assert steps["step_rate"].tolist()[1:] == pytest.approx([0.1, 0.3, 2 / 3])


def test_a_step_that_the_exports_lack_is_left_out():
    only = shop_days("2026-11-14", visitors=[100] * 7, orders=3)
    steps = conversion_diagnostics.funnel(only, DATE, 7, 28, [], "orders/sessions")
    assert steps["step"].tolist() == ["visitors", "payers"]


def test_campaign_days_are_not_what_is_usual():
    frame = shop()
    frame.loc[:2, "cart_adds"] = 900.0  # 11 to 13 November
    event = Campaign("event", day("2026-11-12"), day("2026-11-13"))
    steps = conversion_diagnostics.funnel(frame, DATE, 7, 28, [event], BASIS).set_index("step")
    assert steps.loc["cart_adds", "step_before"] == 0.9


@pytest.mark.parametrize(
    ("bounce", "verdict"), [(0.59, "good"), (0.6, "pass"), (0.7, "pass"), (0.71, "fail")]
)
def test_bounce_against_the_plans_bars(bounce, verdict):
    health = conversion_diagnostics.page_health(
        shop(bounce_rate=bounce), tables.empty("item_day"), DATE, 7, BARS, BASIS
    )
    assert health.loc[0, ["check", "verdict"]].tolist() == ["bounce_rate", verdict]


@pytest.mark.parametrize(
    ("pages", "verdict"), [(2490, "fail"), (2500, "pass"), (3500, "pass"), (3510, "good")]
)
def test_depth_against_the_plans_bars(pages, verdict):
    health = conversion_diagnostics.page_health(
        shop(page_views=pages), tables.empty("item_day"), DATE, 7, BARS, BASIS
    )
    assert health.loc[0, ["check", "verdict"]].tolist() == ["depth", verdict]


def test_few_visitors_have_no_verdict():
    health = conversion_diagnostics.page_health(
        shop(visitors=50, buyers=1, bounce_rate=0.9), tables.empty("item_day"), DATE, 7, BARS, BASIS
    )
    assert health["verdict"].tolist() == ["too little data"]


def test_the_range_of_a_ratio_by_days_agrees_with_resampling_the_days():
    generator = np.random.default_rng(5)
    visitors = pd.Series(generator.integers(500, 1500, 60).astype(float))
    pages = visitors * generator.normal(2.7, 0.3, 60)
    _, low, high = conversion_diagnostics._mean_ratio(pages, visitors)
    picks = generator.integers(0, 60, (4000, 60))
    resampled = pages.to_numpy()[picks].sum(1) / visitors.to_numpy()[picks].sum(1)
    assert (low, high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.01)


def items(rates: dict[str, tuple[float, float]], visitors: float = 2000.0) -> pd.DataFrame:
    """28 days at one rate and 7 at another, for each item."""
    days = pd.date_range(end=DATE, periods=35)
    frames = [
        pd.DataFrame({"date": days, "item_id": name, "visitors": visitors,
                      "buyers": np.where(np.arange(35) < 28, before, now) * visitors})
        for name, (before, now) in rates.items()
    ]  # fmt: skip
    return tables.conform("item_day", pd.concat(frames).assign(source_file="made up"))


def moved(rates):
    found = conversion_diagnostics.items_moved(items(rates), tables.empty("items"), DATE, 7, 28, [])
    return found.set_index("item_id")["moved"].to_dict()


def test_the_item_that_halved_is_named_and_the_steady_ones_are_not():
    steady = dict.fromkeys("abcdefgh", (0.03, 0.03))
    assert moved({**steady, "bad": (0.03, 0.015)}) == {**dict.fromkeys(steady, "no"), "bad": "fell"}


def test_what_all_items_share_is_nobodys_fault():
    assert set(moved(dict.fromkeys("abcd", (0.03, 0.02))).values()) == {"no"}


def test_both_pages_failing_means_fix_the_page_first():
    health = conversion_diagnostics.page_health(
        shop(bounce_rate=0.8, page_views=1500), tables.empty("item_day"), DATE, 7, BARS, BASIS
    )
    steps = conversion_diagnostics.funnel(shop(), DATE, 7, 28, [], BASIS)
    found = conversion_diagnostics.findings(steps, health, pd.DataFrame(columns=["moved"]))
    gate = next(f for f in found if f.id == "page_health")
    assert (gate.severity, gate.owner, gate.action) == ("critical", "design", "fix_page_first")
