import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import payments, tables

DATE = day("2026-11-20")
COLUMNS = "order_id created_at paid_at closed_at amount units paid refunded"


def orders(*lines):
    return rows("orders", COLUMNS, *lines)


def test_only_orders_that_can_still_be_saved_are_on_the_list():
    table = payments.unpaid(orders(
        "paid 2026-11-20 2026-11-20 NaT 90 1 90 0",
        "open 2026-11-20 NaT NaT 50 1 0 0",
        "dear 2026-11-19 NaT NaT 80 2 0 0",
        "lapsed 2026-11-17 NaT NaT 70 1 0 0",
        "closed 2026-11-20 NaT 2026-11-20 60 1 0 0",
        "later 2026-11-20 2026-11-21 NaT 40 1 40 0",  # paid the day after: open on the day itself
        "tomorrow 2026-11-21 NaT NaT 10 1 0 0",
    ), DATE, 3)  # fmt: skip
    assert table["order_id"].tolist() == ["dear", "open", "later"]
    assert table["hours_left"].tolist() == [24, 48, 48]
    finding = payments.finding(table, {})[0]
    assert (finding.value, finding.n, finding.owner) == (170, 3, "service")


def many(start, days, never):
    """20 orders a day, `never` of them never paid, the others within half an hour."""
    frames = [
        pd.DataFrame({"created_at": date + pd.Timedelta(hours=9), "unpaid": [i < never for i in range(20)]})
        for date in pd.date_range(start, periods=days)
    ]  # fmt: skip
    frame = pd.concat(frames, ignore_index=True)
    paid = (frame["created_at"] + pd.Timedelta(minutes=30)).where(~frame["unpaid"])
    return tables.conform("orders", frame.assign(
        order_id=[f"{start}-{i}" for i in range(len(frame))], paid_at=paid, amount=10.0, paid=10.0,
        refunded=0.0, source_file="made up"))  # fmt: skip


@pytest.mark.parametrize(("never", "text"), [(1, "never_paid"), (6, "never_paid_more")])
def test_more_unpaid_than_usual_is_named(never, text):
    both = pd.concat([many("2026-10-10", 32, 1), many("2026-11-11", 10, never)])
    paying = payments.gap(both, DATE, 7, 28, [], 3)
    assert (paying["orders"], paying["never_paid"], paying["never_paid_before"]) == (
        140,
        never / 20,
        0.05,
    )
    assert (paying["median_hours"], paying["slow_hours"]) == (0.5, 0.5)
    assert payments.finding(tables.empty("orders"), paying)[0].text == text


def test_orders_too_young_to_have_lapsed_do_not_count():
    both = pd.concat([many("2026-10-10", 39, 1), many("2026-11-18", 3, 20)])
    assert payments.gap(both, DATE, 7, 28, [], 3)["never_paid"] == 0.05


def test_orders_in_presale_are_not_counted_as_unpaid():
    lines = rows("order_lines", "order_id line item_id", "1 1 a", "1 2 b", "2 1 b")
    kept = payments.ordinary(orders("1 2026-11-20 NaT NaT 5 1 0 0", "2 2026-11-20 NaT NaT 5 1 0 0"),
                             lines, pd.Series(["a"]))  # fmt: skip
    assert kept["order_id"].tolist() == ["2"]


def test_a_shop_without_orders_has_nothing_to_say():
    none = tables.empty("orders")
    assert payments.gap(none, DATE, 7, 28, [], 3) == {}
    assert payments.unpaid(none, DATE, 3).empty
    assert payments.finding(payments.unpaid(none, DATE, 3), {}) == []


def test_where_all_orders_are_paid_none_is_open():
    assert payments.unpaid(orders("1 2026-11-20 2026-11-20 NaT 90 1 90 0"), DATE, 3).empty
