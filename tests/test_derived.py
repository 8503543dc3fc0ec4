"""What follows from orders where a file states visits alone."""

import numpy as np
import pytest
from small_shops import rows

from shopanalysis.exports import derived

PAID = rows(
    "orders", "order_id created_at paid_at paid units buyer_key",
    "1 2026-11-10T09:00 2026-11-10T09:00 100 1 a",
    "2 2026-11-10T10:00 2026-11-10T10:00 80 2 b",
    "3 2026-11-11T10:00 2026-11-11T10:00 45 1 a",
)  # fmt: skip
LINES = rows(
    "order_lines", "order_id line item_id units paid", "1 1 A 1 100", "2 1 A 1 60", "2 2 B 1 20",
    "3 1 B 1 45",
)  # fmt: skip
LINES["title"] = LINES["merchant_code"] = LINES["item_id"]


def test_a_report_of_visits_alone_gets_the_sales_of_its_days_from_the_orders():
    """10 November 100 + 80, the 11th 45; on the 12th nothing was ordered, so nothing is known."""
    visits = rows("shop_day", "date device visitors orders",
                  "2026-11-10 all 200 3", "2026-11-11 all 150 1", "2026-11-12 all 90 0",
                  "2026-11-11 pc 50 0")  # fmt: skip
    found = derived.complete({"shop_day": visits, "orders": PAID})["shop_day"]
    found = found.sort_values(["device", "date"])[["visitors", "orders", "sales", "buyers"]]
    nan = pytest.approx(np.nan, nan_ok=True)
    assert found.to_numpy(float).tolist() == [
        [200, 3, 180, 2], [150, 1, 45, 1], [90, 0, nan, nan], [50, 0, nan, nan]
    ]  # fmt: skip


def test_a_figure_that_a_file_states_is_never_changed_by_orders():
    stated = rows("shop_day", "date device visitors sales", "2026-11-10 all 200 999")
    found = derived.complete({"shop_day": stated, "orders": PAID})["shop_day"]
    row = found.set_index("date").loc["2026-11-10"]
    assert (row["sales"], row["source_file"]) == (999, "made up")
    assert np.isnan(row["buyers"])


def test_items_of_a_report_of_visits_sell_what_the_lines_say_and_unknown_ones_stay_unknown():
    """A sold 2 on the 10th and nothing on the 11th; C is in no order, perhaps under another id."""
    visits = rows("item_day", "date item_id visitors", "2026-11-10 A 80", "2026-11-11 A 70",
                  "2026-11-11 C 9")  # fmt: skip
    known = {"item_day": visits, "orders": PAID, "order_lines": LINES}
    found = derived.complete(known)["item_day"].set_index(["item_id", "date"]).sort_index()
    assert found.loc["A", "units"].tolist() == [2, 0]
    assert found.loc["A", "buyers"].tolist() == [2, 0]
    assert found.loc["A", "sales"].tolist() == [160, 0]
    assert found.loc["A", "visitors"].tolist() == [80, 70]
    assert found.loc["C", "units"].isna().all()
    assert found.loc["B", "sales"].tolist() == [20, 45]


SESSIONS = rows("source_day", "date source device visitors orders", "2026-11-10 google all 120 2",
                "2026-11-10 direct all 80 1", "2026-11-13 direct all 60 1")  # fmt: skip


def test_sessions_of_sources_add_up_to_the_shop_beside_its_orders():
    """120 + 80 sessions on the 10th, whose 2 orders of 180 the order list counts; 60 on the 13th."""
    made = derived.complete({"source_day": SESSIONS, "orders": PAID}, "orders/sessions")
    days = made["shop_day"].set_index("date").sort_index()
    assert days["visitors"].fillna(-1).tolist() == [200, -1, 60]
    assert days["orders"].tolist() == [2, 1, 1]
    assert days["sales"].fillna(-1).tolist() == [180, 45, -1]
    assert days["source_file"].tolist() == [
        "derived from orders + added up from sources", "derived from orders", "added up from sources",
    ]  # fmt: skip


def test_people_of_sources_are_not_added_up_for_one_may_come_from_several():
    made = derived.complete({"source_day": SESSIONS, "orders": PAID}, "buyers/visitors")
    assert made["shop_day"]["visitors"].isna().all()


def test_what_the_shop_says_of_its_visits_is_not_changed_by_its_sources():
    told = rows("shop_day", "date device visitors", "2026-11-10 all 210", "2026-11-13 pc 5")
    made = derived.complete({"shop_day": told, "source_day": SESSIONS}, "orders/sessions")
    assert made["shop_day"][["visitors", "device"]].to_numpy().tolist() == [[210, "all"], [5, "pc"]]


def test_a_day_with_a_source_whose_sessions_are_not_known_has_no_sum():
    part = SESSIONS.assign(visitors=SESSIONS["visitors"].mask(SESSIONS["source"] == "google"))
    made = derived.complete({"source_day": part}, "orders/sessions")
    assert made["shop_day"]["date"].dt.day.tolist() == [13]
