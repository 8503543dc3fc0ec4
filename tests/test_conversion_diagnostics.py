import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import conversion_diagnostics, tables
from shopanalysis.calendars import Campaign
from shopanalysis.findings import Finding

BASIS = "buyers/visitors"
DATE = day("2026-11-20")
NO_ORDERS = tables.empty("orders")


def shop(visitors=1000, cart=100, ordered=30, buyers=20, days=35, **more):
    return shop_days(str((DATE - pd.Timedelta(days=days - 1)).date()), visitors=[visitors] * days,
                     cart_adds=cart, ordered_buyers=ordered, buyers=buyers, sales=buyers * 150.0,
                     **more)  # fmt: skip


def funnel(frame, campaigns=(), basis=BASIS, orders=NO_ORDERS, **more):
    steps = conversion_diagnostics.funnel(frame, orders, DATE, 7, 28, campaigns, basis, **more)
    return steps.set_index("step")


def test_the_funnel_counts_each_step_of_the_step_before():
    steps = funnel(shop())
    assert steps["count"].to_dict() == {
        "visitors": 7000, "cart_adds": 700, "ordered_buyers": 210, "payers": 140,
    }  # fmt: skip
    assert steps["step_rate"].tolist()[1:] == pytest.approx([0.1, 0.3, 2 / 3])
    assert steps["moved"].tolist()[1:] == ["no", "no", "no"]


def test_a_step_that_the_exports_lack_is_left_out():
    only = shop_days("2026-11-14", visitors=[100] * 7, orders=3)
    assert funnel(only, basis="orders/sessions").index.tolist() == ["visitors", "payers"]


def test_campaign_days_are_neither_the_past_nor_held_against_it():
    frame = shop()
    frame.loc[frame["date"].isin(pd.to_datetime(["2026-11-12", "2026-11-19"])), "cart_adds"] = 900.0
    events = [Campaign("event", day(d), day(d)) for d in ("2026-11-12", "2026-11-19")]
    steps = funnel(frame, events)
    assert steps.loc["cart_adds", ["step_rate", "step_before", "days"]].tolist() == [0.1, 0.1, 6]


def test_a_period_within_a_campaign_is_not_held_against_ordinary_days():
    steps = funnel(shop(), [Campaign("event", day("2026-11-14"), day("2026-11-18"))])
    assert steps["days"].tolist() == [7] * 4
    assert steps["moved"].isna().all()


def test_the_step_at_which_half_are_lost_is_named_and_no_other():
    frame = shop()
    frame.loc[frame["date"] > day("2026-11-13"), ["ordered_buyers", "buyers"]] = [15.0, 10.0]
    steps = funnel(frame)
    assert steps["moved"].tolist()[1:] == ["no", "fell", "no"]
    found = conversion_diagnostics.findings(steps.reset_index(), {})[0]
    assert (found.text, found.values["step"], found.n) == ("funnel_lost", "ordered_buyers", 7000)


def test_only_the_same_weekdays_are_the_past():
    frame = shop()
    frame.loc[frame["date"].dt.day_of_week == 5, "cart_adds"] = 500.0
    event = Campaign("event", day("2026-11-14"), day("2026-11-14"))  # the period's only Saturday
    assert funnel(frame, [event]).loc["cart_adds", "step_before"] == 0.1


def test_quiet_shops_are_seldom_alarmed_however_wild_their_days():
    generator, named = np.random.default_rng(8), 0
    for _ in range(200):
        rate = generator.beta(40, 360, 35)  # days differ by more than luck
        cart = generator.binomial(1000, rate).astype(float)
        named += (funnel(shop(cart=cart))["moved"] == "fell").any()
    assert named <= 200 * 0.03


def test_orders_in_presale_are_not_lost_at_the_step_to_payment():
    frame = shop()
    frame.loc[frame["date"] > day("2026-11-13"), "ordered_buyers"] = 60.0
    waiting = pd.DataFrame({"date": pd.date_range("2026-11-14", "2026-11-20"), "open": 30.0})
    assert funnel(frame).loc["payers", "moved"] == "fell"
    steps = funnel(frame, waiting=waiting)
    assert steps.loc["payers", ["step_rate", "moved"]].tolist() == [pytest.approx(2 / 3), "no"]


def test_a_shop_with_orders_alone_has_a_funnel_of_orders():
    orders = rows(
        "orders", "order_id created_at paid_at paid refunded",
        "1 2026-11-19 2026-11-19 50 0", "2 2026-11-19 NaT 0 0", "3 2026-11-20 2026-11-20 50 50",
        "4 2026-11-20 2026-11-21 50 0",
    )  # fmt: skip
    steps = funnel(tables.empty("shop_day"), orders=orders)
    assert steps["count"].to_dict() == {"orders_placed": 4, "orders_paid": 2, "orders_kept": 1}


def peer(conversion, **made):
    return conversion_diagnostics.against_peers(
        shop(**made), DATE, 7, BASIS, {"conversion": conversion}
    )


@pytest.mark.parametrize(
    ("peers", "text"), [(0.03, "peers_below"), (0.019, "peers_unsure"), (0.015, "peers_above")]
)
def test_the_peers_are_a_fixed_bar(peers, text):
    assert conversion_diagnostics._peer_finding(peer(peers)).text == text


def test_the_one_sided_test_against_peers_is_that_of_a_known_share():
    assert peer(0.0225)["p_value"] == pytest.approx(0.0793, abs=1e-4)  # z = -0.0025 / 0.001773


def test_nothing_is_said_of_peers_that_the_shop_does_not_know():
    assert conversion_diagnostics.against_peers(shop(), DATE, 7, BASIS, {}) == {}


def test_what_is_to_be_acted_on_comes_first():
    found = [
        Finding("a", "info", "m", "t"), Finding("b", "good", "m", "t"),
        Finding("c", "info", "m", "t", action="x"), Finding("d", "warning", "m", "t"),
    ]  # fmt: skip
    ranked = conversion_diagnostics.findings(pd.DataFrame(), {}, found)
    assert [f.id for f in ranked] == ["d", "a", "c", "b"]
    assert [f.id for f in conversion_diagnostics.foremost(ranked)] == ["d", "c", "b"]
    assert [f.id for f in conversion_diagnostics.further(ranked)] == ["a"]


@pytest.mark.parametrize("days", [0, 1, 10, 14])
def test_a_young_shop_has_a_funnel_but_no_past(days):
    steps = funnel(shop(days=days) if days else tables.empty("shop_day")).reset_index()
    found = conversion_diagnostics.findings(steps, {})
    texts = {0: [], 14: ["funnel_steady"]}
    assert [f.text for f in found] == texts.get(days, ["funnel_no_past"])
