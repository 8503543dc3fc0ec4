import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_shops import day, rows, shop_days
from test_traffic_sources import source_days

from shopanalysis import tables, traffic_sources, traffic_visitors
from shopanalysis.calendars import Campaign

LAST = day("2026-11-20")
FORTNIGHT = shop_days(
    "2026-11-07", visitors=[100.0] * 14, new_visitors=[60.0] * 7 + [75.0] * 7, sales=[1.0] * 14
)
ORDERS = rows(
    "orders", "order_id paid_at buyer_key paid",
    "1 2026-11-01 ann 100",
    "2 2026-11-15 ann 50",
    "3 2026-11-16 bob 30",
    "4 2026-11-17 bob 40",
    "5 2026-11-25 eve 40",
)  # fmt: skip
SOURCES = source_days(
    *[f"{d.date()} s all paid 1 1 1 1" for d in pd.date_range("2026-11-07", LAST)]
)
WEEK = traffic_sources.periods(SOURCES, LAST, 7, [])


def test_new_and_returning_visitors_and_buyers():
    kinds = traffic_visitors.visitor_kinds(FORTNIGHT, ORDERS, WEEK).set_index("kind")
    assert kinds["visitors_by_day"].tolist() == [525, 175]
    assert kinds["visitors_share_before"].tolist() == [0.6, 0.4]
    assert kinds["period_buyers"].tolist() == [1, 1]  # bob is new and counts once, ann came back
    assert kinds["sales"].tolist() == [70, 50]


def test_orders_that_begin_with_the_period_cannot_tell_who_is_new():
    late = ORDERS[ORDERS["paid_at"] > day("2026-11-14")]
    kinds = traffic_visitors.visitor_kinds(FORTNIGHT, late, WEEK)
    assert kinds["period_buyers"].isna().all()
    assert traffic_visitors.new_and_returning(kinds)[0].text == "new_visitors"


def test_a_shop_without_either_has_no_such_table():
    kinds = traffic_visitors.visitor_kinds(tables.empty("shop_day"), tables.empty("orders"), WEEK)
    assert kinds.empty
    assert traffic_visitors.new_and_returning(kinds) == []


def costs(new: float, old: float) -> pd.DataFrame:
    frame = source_days(
        *[f"{d.date()} ads all paid 100 1 1 9" for d in pd.date_range("2026-11-14", LAST)],
        *[f"{d.date()} member all direct/returning 50 1 1 9" for d in pd.date_range("2026-11-14", LAST)],
    )  # fmt: skip
    spread = np.tile([0.9, 1.0, 1.1, 1.0, 1.0, 0.95, 1.05], 2)
    return frame.assign(cost=np.repeat([100 * new, 50 * old], 7) * spread)


@pytest.mark.parametrize(("new", "text"), [(3.0, "cost_claim_fits"), (1.0, "cost_claim_differs")])
def test_the_claim_of_six_times_is_tested_where_both_costs_are_known(new, text):
    found = traffic_visitors.cost_claim(costs(new, 0.5), WEEK, 6)
    assert found.text == text
    assert found.value == pytest.approx(new / 0.5)
    assert found.low < found.value < found.high


def test_the_claim_cannot_be_measured_where_only_one_cost_is_known():
    frame = costs(3.0, 0.5)
    frame.loc[frame["source"] == "member", "cost"] = np.nan
    assert traffic_visitors.cost_claim(frame, WEEK, 6).text == "cost_claim_unknown"
    assert traffic_visitors.cost_claim(SOURCES, WEEK, 6).text == "cost_claim_unknown"


def pages(link: float) -> pd.DataFrame:
    random = np.random.default_rng(2)
    returning = random.uniform(0.2, 0.6, 40)
    return shop_days(
        "2026-10-12", visitors=[1000.0] * 40, new_visitors=1000 * (1 - returning), sales=[1.0] * 40,
        bounce_rate=0.7 - link * returning + random.normal(0, 0.02, 40),
        page_views=1000 * (2 + random.normal(0, 0.1, 40)),
    )  # fmt: skip


def test_regulars_go_with_better_pages_where_they_do():
    found = traffic_visitors.pages_of_regulars(pages(0.4), LAST, [])[0]
    assert found.text == "regulars_sure"
    frame = pages(0.4)
    expected = stats.spearmanr(1 - frame["new_visitors"] / 1000, frame["bounce_rate"]).statistic
    assert found.value == pytest.approx(expected)
    assert traffic_visitors.pages_of_regulars(pages(0.0), LAST, [])[0].text == "regulars_unsure"
    assert traffic_visitors.pages_of_regulars(pages(0.4).head(10), LAST, []) == []


def test_visits_to_item_pages_come_from_outside_or_from_within():
    visits = rows(
        "item_source_day", "date item_id source visitors",
        "2026-11-19 1 search 60", "2026-11-20 2 search 10", "2026-11-20 1 home 20",
        "2026-11-20 1 mystery 10", "2026-11-01 1 search 999",
    )  # fmt: skip
    sources = source_days(
        "2026-11-20 free/search all free_search 1 1 1 1", "2026-11-20 in/home all in-shop 1 1 1 1"
    )
    landing = traffic_visitors.landing(visits, sources, WEEK)
    assert landing.values.tolist() == [
        ["free search", 70, 0.7], ["in-shop", 20, 0.2], ["unmapped", 10, 0.1],
    ]  # fmt: skip
    found = traffic_visitors.first_page(landing)[0]
    assert (found.text, found.value) == ("item_pages_first", 0.8)
    assert traffic_visitors.first_page(landing.head(0)) == []


def test_the_weeks_rhythm_leaves_campaign_weeks_out():
    dates = pd.date_range(end=LAST, periods=42)
    visits = pd.Series(np.where(dates.day_of_week == 6, 200.0, 100.0), dates)
    sale = [Campaign("sale", day("2026-11-11"), day("2026-11-11"))]
    visits[day("2026-11-11")] = 5000
    rhythm = traffic_visitors.rhythm(visits, LAST, sale)
    assert rhythm["visits_index"].tolist() == pytest.approx([7 / 8] * 6 + [14 / 8])
    assert rhythm["weeks"].iloc[0] == 5
    found = traffic_visitors.weekdays(rhythm)
    assert found.text == "rhythm"
    assert found.values["best"].day_name() == "Sunday"
    assert (
        traffic_visitors.weekdays(traffic_visitors.rhythm(visits[-20:], LAST, [])).text
        == "no_rhythm"
    )


def test_where_the_shops_visitors_are_unknown_the_sources_visits_stand_in():
    assert traffic_visitors.shop_visits(FORTNIGHT, SOURCES).iloc[0] == 100
    nothing = tables.empty("shop_day")
    assert traffic_visitors.shop_visits(nothing, SOURCES).iloc[0] == 1
