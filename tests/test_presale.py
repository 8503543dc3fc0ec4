import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import presale, tables

DATE = day("2026-10-31")
BARS = {"presale_orders": 10, "presale_paid_share": 0.2, "presale_usual_share": 0.8}
NO_ITEMS = tables.empty("items")


def item_days(days=60, start="2026-10-24", ordered=3, paid=0, balance=None, usual=(2, 2), item="a"):
    """`usual` (ordered, paid) a day, then from `start` `ordered` and `paid`; on `balance` all at once."""
    dates = pd.date_range(end=DATE, periods=days)
    within = dates >= day(start)
    frame = pd.DataFrame({
        "date": dates, "item_id": item, "visitors": 100.0,
        "ordered_buyers": [float(ordered if w else usual[0]) for w in within],
        "buyers": [float(paid if w else usual[1]) for w in within],
    })  # fmt: skip
    if balance:
        frame.loc[frame["date"] == day(balance), "buyers"] = 18.0
        frame.loc[frame["date"] > day(balance), ["ordered_buyers", "buyers"]] = 2.0
    return tables.conform("item_day", frame.assign(source_file="made up"))


def found(frame, items=NO_ITEMS, date=DATE):
    return presale.items_in_presale(frame[frame["date"] <= date], items, date, BARS)


def test_many_order_and_nobody_pays():
    item = found(item_days()).iloc[0]
    assert (item["presale_from"], item["presale_to"]) == (day("2026-10-24"), DATE)
    assert item[["visitors_by_day", "ordered_buyers", "payers"]].tolist() == [800, 24, 0]
    assert item[["order_conversion", "conversion", "known_by"]].tolist() == [0.03, 0.0, "pattern"]


def test_the_finding_says_presale_and_asks_for_no_repair():
    finding = presale.finding(found(item_days()), DATE, 7)[0]
    assert (finding.severity, finding.value, finding.baseline, finding.n) == (
        "info",
        0.03,
        None,
        800,
    )
    assert finding.low < 0.03 < finding.high


@pytest.mark.parametrize(
    "frame",
    [item_days(paid=3), item_days(paid=1), item_days(ordered=1), item_days(usual=(2, 1))],
    ids=["paid as usual", "a third pays", "too few orders", "seldom paid at any time"],
)
def test_what_is_no_presale(frame):
    assert found(frame).empty


def test_an_item_that_starts_in_presale_is_in_presale():
    assert len(found(item_days(days=8))) == 1


def test_the_list_s_flag_takes_fewer_orders_but_not_none():
    items = rows("items", "item_id title", "a Quilt").assign(presale=pd.array([True], "boolean"))
    few = item_days(ordered=1)
    assert found(few, items)[["title", "known_by"]].values.tolist() == [["Quilt", "flag"]]
    assert found(item_days(paid=3), items).empty


def test_it_is_remembered_after_the_balance_was_paid_and_no_longer_said():
    paid = found(item_days(start="2026-10-10", balance="2026-10-18"))
    assert paid["presale_to"].tolist() == [day("2026-10-17")]
    assert presale.finding(paid, DATE, 7) == []


def test_who_is_not_to_pay_yet_by_day():
    frame = item_days()
    waiting = presale.waiting(frame, found(frame)).set_index("date")["open"]
    assert waiting.to_dict() == dict.fromkeys(pd.date_range("2026-10-24", DATE), 3.0)


@pytest.mark.parametrize("lacking", ["all", "ordered_buyers"])
def test_a_shop_without_items_or_orders_has_none(lacking):
    frame = (
        tables.empty("item_day") if lacking == "all" else item_days().assign(ordered_buyers=None)
    )
    none = found(tables.conform("item_day", frame))
    assert none.empty
    assert presale.finding(none, DATE, 7) == []
    assert presale.waiting(frame, none).empty
