import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_shops import day, rows

from shopanalysis import traffic_sources

SATURDAY = day("2026-11-14")
TWO_DAYS = rows(
    "source_day", "date source device channel visitors buyers orders sales",
    "2026-11-13 search all free_search 1000 20 22 4000",
    "2026-11-13 cart all in-shop 100 10 10 1500",
    "2026-11-14 search wireless free_search 500 10 11 2000",
    "2026-11-14 search pc free_search 200 4 4 900",
    "2026-11-14 ads all paid 300 3 3 450",
)  # fmt: skip


def table(basis="buyers/visitors"):
    return traffic_sources.source_table(TWO_DAYS, SATURDAY, 1, basis).set_index("source")


def test_quantity_conversion_and_value_of_a_source():
    search = table().loc["search"]
    assert search["visitors_by_day"] == 700
    assert search["conversion"] == 14 / 700
    assert search["value_per_visitor"] == 2900 / 700
    assert search["conversion_before"] == 20 / 1000


def test_where_visits_are_sessions_orders_are_counted():
    assert table("orders/sessions").loc["search", "conversion"] == 15 / 700


def test_the_shops_rate_is_a_ratio_of_sums():
    assert traffic_sources.shop_rate(table()) == (14 + 3) / (700 + 300)


def test_new_and_vanished_sources_count_as_visits():
    moved = traffic_sources.what_moved(table().reset_index()).set_index("source")
    assert moved.loc["cart"].to_dict() == pytest.approx(
        {"by_visitors": -1500, "by_value": 0, "sales_change": -1500}
    )
    assert moved.loc["ads"].to_dict() == pytest.approx(
        {"by_visitors": 450, "by_value": 0, "sales_change": 450}
    )
    assert moved["sales_change"].sum() == pytest.approx(3350 - 5500)


numbers = st.integers(0, 10_000)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=6))
def test_the_sources_parts_add_up_to_the_change(amounts):
    lines = []
    for i, (visitors, sales, visitors_before, sales_before) in enumerate(amounts):
        lines.append(f"2026-11-14 s{i} all paid {visitors} 0 {sales if visitors else 0}")
        lines.append(
            f"2026-11-13 s{i} all paid {visitors_before} 0 {sales_before if visitors_before else 0}"
        )
    frame = rows("source_day", "date source device channel visitors buyers sales", *lines)
    sources = traffic_sources.source_table(frame, SATURDAY, 1, "buyers/visitors")
    moved = traffic_sources.what_moved(sources)
    change = sources["sales"].sum() - sources["sales_before"].sum()
    assert moved["sales_change"].sum() == pytest.approx(change, abs=1e-6)


def test_paid_visits_carry_the_ad_reports_cost_and_free_ones_none():
    channels = traffic_sources.channel_table(table().reset_index(), 150.0).set_index("channel")
    assert channels.loc["paid", "cost_per_visitor"] == 0.5
    assert channels["cost"].isna().sum() == len(channels) - 1


def test_without_an_ad_report_the_cost_is_missing_and_not_zero():
    ads = rows("ad_day", "date plan unit item_id word", "2026-11-14 p u i w")
    assert traffic_sources.ad_cost(ads.head(0), SATURDAY, 1) is None
    assert traffic_sources.ad_cost(ads, SATURDAY, 1) is None


def test_a_fall_of_a_third_is_named_with_its_owner():
    sources = table().reset_index()
    found = traffic_sources.findings(sources, traffic_sources.what_moved(sources))
    fell = next(f for f in found if f.id == "visitors_moved")
    assert (fell.text, fell.owner, fell.values["source"]) == ("visits_fell", "promotion", "search")


def test_no_source_is_called_best_on_a_handful_of_buyers():
    sources = table().reset_index()
    best = traffic_sources.findings(sources, traffic_sources.what_moved(sources))[-1]
    assert best.text == "no_best_source"
