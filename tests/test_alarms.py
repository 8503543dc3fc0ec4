import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import alarms, tables
from shopanalysis.calendars import Campaign

LAST = day("2026-11-20")
BASIS = "buyers/visitors"
NO_SOURCES = tables.empty("source_day")
NO_ORDERS = tables.empty("orders")


def shop(**last) -> pd.DataFrame:
    """Twenty weeks in which nothing happens but the `last` day's columns, given as factors."""
    random = np.random.default_rng(5)

    def wave(level, size=0.05):
        return level * np.exp(size * random.standard_normal(140))

    visitors = wave(4000)
    paid = wave(0.03) * visitors
    frame = shop_days(
        "2026-07-04", visitors=visitors, page_views=3 * visitors, buyers=paid, sales=wave(150) * paid,
        ordered_buyers=1.1 * paid, ordered_amount=wave(165, 0.01) * paid, bounce_rate=wave(0.5, 0.02),
        refunds=wave(500, 0.2), dsr_item=4.8, dsr_service=4.8, dsr_logistics=wave(4.8, 0.0001),
    )  # fmt: skip
    for column, factor in last.items():
        frame.loc[frame.index[-1], column] *= factor
    return frame


def real(frame, campaigns=()) -> dict:
    told = alarms.against_usual(frame, campaigns, LAST, BASIS)
    return told.set_index("metric")["real"].to_dict()


def test_a_quiet_day_rings_no_bell_and_columns_that_are_not_there_are_not_looked_at():
    found = real(shop())
    assert set(found.values()) == {"no"}
    assert set(alarms.METRICS) - set(found) == {"inquiry_conversion"}


def test_what_moved_is_named_with_its_direction():
    found = real(shop(visitors=0.4, bounce_rate=1.4, dsr_logistics=0.97))
    assert {metric for metric, word in found.items() if word == "fell"} == {"visitors", "dsr"}
    assert {metric for metric, word in found.items() if word == "rose"} >= {
        "conversion", "bounce_rate", "value_per_visitor",
    }  # fmt: skip


@pytest.mark.parametrize("source_file", [tables.DERIVED, f"visits.csv + {tables.DERIVED}"])
def test_refunds_that_are_still_to_come_are_not_called_fallen(source_file):
    """An order list puts a refund on the day of payment: today's orders have none yet."""
    found = real(shop(refunds=0).assign(source_file=source_file))
    assert "refunds" not in found
    assert real(shop(refunds=0))["refunds"] == "fell"


def test_a_campaign_day_has_no_usual():
    assert set(real(shop(sales=9), [Campaign("11", LAST, LAST)]).values()) == {"campaign"}


def test_the_smallest_fall_that_would_be_found_is_said():
    told = alarms.against_usual(shop(), [], LAST, BASIS).set_index("metric")
    assert 0.15 < told["findable"]["visitors"] < 0.3
    assert told["findable"]["refunds"] > told["findable"]["visitors"]


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, False), (0.8, False), (0.2, True)])
def test_only_a_collapse_is_urgent(factor, verdict):
    frame = shop(visitors=factor, buyers=factor, sales=factor)
    told = alarms.against_usual(frame, [], LAST, BASIS)
    assert alarms.urgent(frame, told, LAST, BASIS, 5) is verdict


def test_a_small_shop_without_a_sale_for_a_day_is_not_urgent():
    frame = shop(visitors=1, buyers=0, sales=0)
    small = ["visitors", "buyers", "sales", "page_views"]
    frame[small] /= 20  # six payers a day: none at all happens by luck
    told = alarms.against_usual(frame, [], LAST, BASIS)
    assert told.set_index("metric")["z"]["sales"] == -99
    assert not alarms.urgent(frame, told, LAST, BASIS, 5)


def doubts(frame, sources=NO_SOURCES, campaigns=()) -> pd.Series:
    day_rows = frame[frame["device"] == "all"]
    told = alarms.against_usual(day_rows, campaigns, LAST, BASIS)
    table = alarms.doubts(frame, sources, NO_ORDERS, told, campaigns, LAST, BASIS, 30)
    return table.set_index("doubt")["trust"]


def test_a_sound_shop_raises_no_doubt_and_what_cannot_be_told_is_said():
    trust = doubts(shop())
    assert set(trust[trust == "unknown"].index) == {"sides_apart", "sources_apart"}
    assert "doubtful" not in set(trust)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"visitors": 0.3, "sales": 0.3, "buyers": 0.3, "ordered_amount": 0.3}, "incomplete_day"),
        ({"buyers": 100}, "payers_over_visitors"),
        ({"buyers": 0}, "ordered_unpaid"),
        ({"sales": 0.5}, "presale_day"),
        ({"sales": 1.8}, "settle_day"),
        ({"refunds": 100}, "refunds_over_sales"),
    ],
)
def test_each_scene_of_a_wrong_number_is_found_alone(change, doubt):
    trust = doubts(shop(**change))
    assert set(trust[trust == "doubtful"].index) == {doubt}


def test_missing_days_are_counted_but_not_the_weekday_it_is_closed_on():
    frame = shop()
    assert doubts(frame[frame["date"] != day("2026-11-11")])["missing_days"] == "doubtful"
    assert doubts(frame[frame["date"].dt.day_of_week != 6])["missing_days"] == "fine"


def test_sides_and_sources_that_do_not_fit_the_shop_are_found():
    def table(pc_sales):
        return rows(
            "shop_day", "date device visitors buyers sales",
            "2026-11-20 all 90 5 100", f"2026-11-20 pc 20 1 {pc_sales}", "2026-11-20 wireless 80 4 70",
        )  # fmt: skip

    sources = rows("source_day", "date source device channel visitors buyers sales",
                   "2026-11-20 search all other 90 5 90")  # fmt: skip
    assert doubts(table(30), sources)[["sides_apart", "sources_apart"]].tolist() == [
        "fine",
        "doubtful",
    ]
    assert doubts(table(31), sources.assign(sales=100.0))[
        ["sides_apart", "sources_apart"]
    ].tolist() == ["doubtful", "fine"]


def test_findings_say_doubts_first_and_who_should_look():
    frame = shop(visitors=0.3, sales=0.3, buyers=0.3, ordered_amount=0.3, bounce_rate=1.5)
    told = alarms.against_usual(frame, [], LAST, BASIS)
    doubted = alarms.doubts(frame, NO_SOURCES, NO_ORDERS, told, [], LAST, BASIS, 30)
    found = alarms.findings(told, doubted, 30)
    assert found[0].id == "doubt_incomplete_day"
    assert {(f.id, f.severity, f.owner) for f in found[1:]} == {
        ("alarm_visitors", "warning", "promotion"), ("alarm_bounce_rate", "warning", "design"),
        ("alarm_depth", "good", ""),
    }  # fmt: skip
    assert all(f.low < f.baseline < f.high for f in found[1:])


def test_no_rows_no_alarm_no_doubt():
    none = tables.empty("shop_day")
    told = alarms.against_usual(none, [], LAST, BASIS)
    assert told.empty
    trust = alarms.doubts(none, NO_SOURCES, NO_ORDERS, told, [], LAST, BASIS, 30).set_index(
        "doubt"
    )["trust"]
    assert set(trust.drop("campaign_day")) == {"unknown"}
    assert not alarms.urgent(none, told, LAST, BASIS, 5)


def test_a_day_counted_from_orders_that_end_early_looks_incomplete_whatever_it_sold():
    day_before = [LAST - pd.Timedelta(days=7 * week) for week in range(1, 9)]
    times = [d + pd.Timedelta(hours=h) for d in day_before for h in range(4, 24)]
    orders = tables.empty("orders").reindex(range(len(times) + 4))
    orders["created_at"] = [*times, *(LAST + pd.Timedelta(hours=h) for h in range(4, 8))]
    frame = shop().assign(source_file=tables.DERIVED)
    told = alarms.against_usual(frame, [], LAST, BASIS)
    for there, trust in ((orders, "doubtful"), (NO_ORDERS, "fine")):
        doubted = alarms.doubts(frame, NO_SOURCES, there, told, [], LAST, BASIS, 30)
        assert doubted.set_index("doubt").loc["incomplete_day", "trust"] == trust
