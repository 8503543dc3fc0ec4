import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days
from test_traffic_sources import BASIS, source_days

from shopanalysis import tables, traffic_sources, traffic_value
from shopanalysis.calendars import Campaign

LAST = day("2026-11-20")


def shop_of(buyers: int) -> pd.DataFrame:
    return shop_days("2026-11-14", visitors=[2000.0] * 7, buyers=[buyers / 7] * 7, sales=[1.0] * 7)


def week(frame=None):
    frame = source_days("2026-11-20 s all paid 1 1 1 1") if frame is None else frame
    return traffic_sources.periods(frame, LAST, 7, [])


@pytest.mark.parametrize(
    ("buyers", "text", "owner"),
    [(140, "hold_traffic", "leadership"), (280, "traffic_open", ""), (420, "buy_traffic", "")],
)
def test_conversion_decides_whether_traffic_may_be_bought(buyers, text, owner):
    conversion = traffic_value.shop_conversion(shop_of(buyers), week(), [], BASIS)
    found = traffic_value.buy_or_wait(conversion, 0.02)[0]
    assert (found.text, found.owner) == (text, owner)
    assert found.value == pytest.approx(buyers / 14_000)
    assert found.low < found.value < found.high


def test_campaign_days_do_not_count_for_that():
    sale = [Campaign("sale", day("2026-11-19"), LAST)]
    conversion = traffic_value.shop_conversion(shop_of(140), week(), sale, BASIS)
    assert (conversion["visitors"], conversion["last"]) == (10_000, day("2026-11-18"))


def test_a_shop_without_visitors_gets_no_verdict():
    shop = shop_days("2026-11-14", sales=[1.0] * 7)
    conversion = traffic_value.shop_conversion(shop, week(), [], BASIS)
    assert traffic_value.buy_or_wait(conversion, 0.02) == []


def sources_of(days: int, cheap: list[float], dear: list[float]) -> pd.DataFrame:
    lines = []
    for i, date in enumerate(pd.date_range(end=LAST, periods=days)):
        lines.append(f"{date.date()} a/feed all free_recommendation 1000 10 10 {cheap[i]}")
        lines.append(f"{date.date()} a/ads all paid 100 5 5 {dear[i]}")
        lines.append(f"{date.date()} a/cart all direct/returning 100 50 50 9000")
    return source_days(*lines)


def moved(frame):
    nothing = tables.empty("item_day"), tables.empty("items")
    return traffic_value.moves(frame, *nothing, week(frame), [], BASIS, 0.1)


def test_a_tenth_of_the_visits_moved_to_the_best_gains_the_difference_of_value():
    move = moved(sources_of(35, [1000] * 35, [400] * 35)).iloc[0]
    assert move[["moved_from", "moved_to", "visits_moved"]].tolist() == ["feed", "ads", 700]
    assert move[["gain", "gain_low", "gain_high"]].tolist() == pytest.approx([700 * (4 - 1)] * 3)


def test_a_gain_that_the_days_leave_open_is_not_promised():
    random = np.random.default_rng(3)
    table = moved(sources_of(35, [1000] * 35, random.choice([0, 300], 35)))
    assert table["gain_low"].iloc[0] < 0 < table["gain_high"].iloc[0]
    assert traffic_value.where_to_send(table, 0.1)[0].text == "move_unsure"


def test_only_visits_between_items_are_led_there():
    moves = pd.DataFrame([["source", "feed", "ads", 70, 1, 4, 210, 200, 220],
                          ["item", "towel", "quilt", 7, 1, 4, 21, 20, 22]],
                         columns=traffic_value.MOVES)  # fmt: skip
    item = traffic_value.where_to_send(moves, 0.1)[0]
    assert (item.text, item.action, item.values["moved_to"]) == ("move_gain", "try_move", "quilt")
    source = traffic_value.where_to_send(moves.head(1), 0.1)[0]
    assert (source.text, source.action) == ("win_gain", "")
    moves.loc[1, "gain_low"] = -5
    assert traffic_value.where_to_send(moves, 0.1)[0].text == "win_gain"


def test_the_best_of_the_days_before_is_measured_on_the_days_after():
    lucky = sources_of(35, [1000] * 28 + [100_000] * 7, [400] * 35)
    move = moved(lucky).iloc[0]
    assert move[["moved_from", "moved_to"]].tolist() == ["feed", "ads"]
    assert move["gain"] == pytest.approx(700 * (4 - 100))


def test_items_are_named_by_their_titles():
    lines = [
        f"{d.date()} {item} 1000 20 {sales}"
        for d in pd.date_range(end=LAST, periods=14)
        for item, sales in (("1", 1000), ("2", 5000))
    ]
    item_day = rows("item_day", "date item_id visitors buyers sales", *lines)
    items = rows("items", "item_id title", "1 towel", "2 quilt")
    nothing = source_days("2026-11-20 cart all direct/returning 1 1 1 1")
    table = traffic_value.moves(nothing, item_day, items, week(), [], "orders/sessions", 0.1)
    assert table[["level", "moved_from", "moved_to", "gain"]].values.tolist() == [
        ["item", "towel", "quilt", 700 * 4]
    ]


WORDS = rows(
    "ad_day", "date plan unit item_id word clicks orders sales cost",
    "2026-11-19 p u 1 quilt 1000 80 8000 1500",
    "2026-11-20 p u 1 quilt 1000 80 8000 1500",
    "2026-11-20 q u 1 towel 4000 80 2400 4800",
    "2026-11-20 p u 1 rare 5 2 100 5",
)  # fmt: skip


def test_words_by_click_over_all_plans():
    words = traffic_value.words(WORDS, LAST, 28).set_index("word")
    quilt = words.loc["quilt"]
    assert quilt[["clicks", "click_conversion", "cost_per_click", "net_per_click"]].tolist() == [
        2000, 0.08, 1.5, 8 - 1.5,
    ]  # fmt: skip
    assert words.loc["towel", "net_per_click"] == pytest.approx(0.6 - 1.2)
    assert list(words.index) == ["towel", "quilt", "rare"]


def test_the_word_that_surely_pays_is_named_and_the_lucky_one_is_not():
    found = traffic_value.best_words(traffic_value.words(WORDS, LAST, 28), 28)
    assert (found.text, found.values["word"]) == ("best_word", "quilt")
    few = traffic_value.words(WORDS[WORDS["word"] != "quilt"], LAST, 28)
    assert traffic_value.best_words(few, 28).text == "no_best_word"


def test_without_an_advertising_report_it_is_said_what_is_missing():
    words = traffic_value.words(tables.empty("ad_day"), LAST, 28)
    assert words.empty
    assert set(traffic_value.WORDS) <= set(words)
    assert traffic_value.best_words(words, 28).text == "no_words"
