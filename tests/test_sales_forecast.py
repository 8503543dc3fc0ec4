import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows, shop_days

from shopanalysis import pace, sales_forecast, tables
from shopanalysis.calendars import Campaign
from shopanalysis.errors import ParameterError
from shopanalysis.words import Words

WEEK = [100.0, 110, 120, 130, 140, 200, 180]
NO_ITEMS = tables.empty("item_day")
NO_ORDERS = tables.empty("orders")


def noisy(days, seed=4):
    return np.tile(WEEK, 80)[:days] * np.random.default_rng(seed).lognormal(0, 0.15, days)


def asked(sales, days=14, campaigns=(), item_day=NO_ITEMS, targets=None, start="2026-01-05"):
    """The forecast of these daily sales, and its findings by their text."""
    columns = {"sales": np.asarray(sales, float), "visitors": 1000.0, "buyers": 20.0}
    shop_day = shop_days(start, **columns) if len(sales) else tables.empty("shop_day")
    date = shop_day["date"].max() if len(shop_day) else day("2026-01-05")
    known, groups = sales_forecast.history(shop_day, item_day, NO_ORDERS, date)
    made = sales_forecast.forecast(known, groups, campaigns, days)
    plan = pace.month_plan(shop_day, targets or {}, campaigns, date)
    paths = sales_forecast.month_paths(made)
    month = pace.findings(pace.outlook(shop_day, plan, paths, date, made.unknown))
    found = sales_forecast.findings(made, known, days, {"A": "Pillow"}, month)
    return made, {f.text: f for f in found}


def said(finding) -> list[str]:
    """The finding's sentence in both languages: every value that it names is there."""
    return [
        Words(language).say(f"finding.{finding.text}", **finding.values)
        for language in ("en", "zh")
    ]


@pytest.mark.parametrize(
    ("sales", "text"),
    [
        ([], "forecast_none"),
        ([100.0], "forecast_level"),
        (WEEK[:3], "forecast_level"),
        (WEEK + WEEK[:3], "forecast_profile"),
        (noisy(40), "forecast_profile"),
        ([100.0] * 60, "forecast_no_range"),
        (noisy(60), "forecast"),
        (noisy(200), "forecast"),
        ([0.0] * 40, "forecast_zero"),
    ],
)
def test_every_length_of_history_has_its_sentence(sales, text):
    made, found = asked(sales)
    assert next(iter(found)) == text
    for finding in found.values():
        assert all(said(finding))
    assert len(sales_forecast.ahead(made, 14)) == (0 if text == "forecast_none" else 14)


def test_a_horizon_longer_than_the_history_says_so():
    _, found = asked(WEEK * 2, days=30)
    assert found["longer_than_known"].values == {"known": 14, "days": 30}
    assert "30 days ahead from 14 days known" in said(found["longer_than_known"])[0]


def test_a_giant_day_is_named_with_what_is_learned_from_it():
    sales = np.array(WEEK * 20)
    sales[130] = 1e6
    _, found = asked(sales)
    assert found["giant_day"].values == {"date": day("2026-05-15"), "sales": 1e6, "cut": 400}
    assert all(said(found["giant_day"]))


def test_days_without_a_figure_are_counted():
    sales = noisy(100)
    sales[[40, 41, 90]] = np.nan
    _, found = asked(sales)
    assert found["days_missing"].values == {"missing": 3, "known": 100}
    assert all(said(found["days_missing"]))


def test_the_first_campaign_of_its_kind_is_asked_about():
    opening = Campaign("Opening", day("2026-07-25"), day("2026-07-26"))
    _, found = asked(noisy(200), campaigns=(opening,))
    finding = found["first_of_kind"]
    assert finding.values["names"] == ["Opening"]
    assert (finding.owner, finding.action) == ("promotion", "say_lift")
    assert all(said(finding))
    _, later = asked(
        noisy(200), days=7, campaigns=(Campaign("x", day("2026-08-30"), day("2026-08-30")),)
    )
    assert "first_of_kind" not in later


def test_what_the_shop_says_of_a_first_campaign_is_used_and_said():
    plain, _ = asked(noisy(200))
    opening = Campaign(
        "Opening", day("2026-07-25"), day("2026-07-26"), lift=2.5, lift_low=2, lift_high=3
    )
    made, found = asked(noisy(200), campaigns=(opening,))
    assert "first_of_kind" not in found
    sentences = said(found["stated_lift"])
    assert "counted as 2.50 times an ordinary day (2.00 to 3.00, 8 times in 10)" in sentences[0]
    assert "2.50 倍" in sentences[1]
    ratio = made.expected[0] / plain.expected[0]
    assert ratio[:4] == pytest.approx([1, 2.5, 2.5, 1])


def test_days_of_net_returns_are_named():
    sales = noisy(100)
    sales[[20, 60]] = [-50.0, -700.0]
    made, found = asked(sales)
    assert found["net_returns"].values == {
        "date": day("2026-03-06"), "sales": -700.0, "count": 2, "known": 100,
    }  # fmt: skip
    assert all(said(found["net_returns"]))
    assert (made.expected >= 0).all()


def test_an_item_launched_yesterday_is_named():
    sales, item = noisy(200), np.full(200, np.nan)
    item[-1] = 20.0
    frame = item_rows(np.full(200, 60.0))
    made, found = asked(sales, item_day=pd.concat([frame, item_rows(item, "B").tail(1)]))
    assert found["items_new"].values == {"count": 1, "title": "B"}
    assert all(said(found["items_new"]))
    assert made.expected[made.row("B")].sum() == pytest.approx(14 * 20, rel=0.4)
    assert "items_new" not in asked(WEEK[:3], item_day=item_rows(WEEK[:3]))[1]


def item_rows(values, item="A", start="2026-01-05"):
    dates = pd.date_range(start, periods=len(values))
    frame = pd.DataFrame({"date": dates, "item_id": item, "sales": values, "source_file": "x"})
    return tables.conform("item_day", frame)


def test_history_knows_items_from_their_first_sale_and_the_rest_as_others():
    shop_day = shop_days("2026-01-01", sales=[10.0, 10, 10, 10])
    item_day = rows("item_day", "date item_id sales", "2026-01-01 B 4", "2026-01-02 B 4",
                    "2026-01-03 B 4", "2026-01-03 A 1")  # fmt: skip
    known, groups = sales_forecast.history(shop_day, item_day, NO_ORDERS, day("2026-01-04"))
    assert known.index.tolist() == ["total", "B", "A", "others"]
    assert known.loc["B"].tolist()[:3] == [4, 4, 4]
    assert np.isnan(known.loc["A"].tolist()[:2]).all()
    assert known.loc["A"].tolist()[2] == 1
    assert known.loc["others"].tolist()[:3] == [6, 6, 5]
    assert known["2026-01-04"].isna().tolist() == [
        False,
        True,
        True,
        True,
    ]  # no file of items that day
    assert len(groups) == 4


def test_an_item_that_sells_on_few_days_is_of_the_tail():
    shop_day = shop_days("2026-01-05", sales=np.full(100, 100.0))
    rare = np.where(np.arange(100) % 5 == 0, 10.0, 0.0)
    item_day = pd.concat([item_rows(np.full(100, 60.0)), item_rows(rare, "B")])
    known, groups = sales_forecast.history(shop_day, item_day, NO_ORDERS, shop_day["date"].max())
    assert dict(zip(known.index, groups, strict=True)) == {
        "total": "total", "A": "item", "B": "tail", "others": "item",
    }  # fmt: skip


def test_items_and_others_add_up_to_the_shop():
    sales = noisy(200)
    made, _ = asked(sales, item_day=item_rows(sales * 0.6))
    whole, *parts = made.expected
    assert np.sum(parts, axis=0) == pytest.approx(whole)
    shown = sales_forecast.ahead(made, 14)
    checked = {name: (one, other) for name, one, other in sales_forecast.checks(made, shown, 14)}
    assert checked["items_make_total"][0] == pytest.approx(checked["items_make_total"][1])


def test_the_days_before_are_those_of_the_whole_shop_in_figure_and_sentence_alike():
    """The item shown accounts for 60 of 100."""
    sales = np.full(200, 100.0)
    made, found = asked(sales, item_day=item_rows(sales * 0.6))
    known = pd.DataFrame([sales], index=["total"])
    figures = sales_forecast.key_figures(sales_forecast.total(made, known, 14))
    assert figures["before"].iloc[0] == 1400
    assert next(iter(found.values())).values["past"] == 1400


def test_an_item_that_stopped_is_named_and_expected_to_sell_nothing():
    sales, item = noisy(200), noisy(200) * 0.2
    item[-12:] = 0
    made, found = asked(sales, item_day=item_rows(item))
    assert found["items_stopped"].values == {"count": 1, "title": "Pillow"}
    assert all(said(found["items_stopped"]))
    assert made.expected[made.row("A")].tolist() == [0] * len(made.days)
    items = rows("items", "item_id title", "A Pillow")
    known, _ = sales_forecast.history(shop_days("2026-01-05", sales=sales), item_rows(item),
                                      NO_ORDERS, day("2026-07-23"))  # fmt: skip
    table = sales_forecast.items_ahead(made, known, items, 14)
    assert table[["item_id", "title", "outlook"]].to_numpy().tolist() == [
        ["A", "Pillow", "stopped"]
    ]


@pytest.mark.parametrize(
    ("target", "text"), [(1, "month_ahead_chance"), (1e9, "month_behind_chance")]
)
def test_the_month_ends_at_what_is_sold_and_what_is_expected(target, text):
    sales = noisy(200)  # to 23 July: 8 days are left
    made, found = asked(sales, days=7, targets={"2026-07": target})
    month = found[text].values
    sold = sales[-23:].sum()
    assert month["sales"] == pytest.approx(sold)
    assert month["month_end"] == pytest.approx(sold + made.expected[0, :8].sum(), rel=0.02)
    assert month["chance"] == pytest.approx(1 if target == 1 else 0, abs=0.05)
    assert month["month_low"] < month["month_end"] < month["month_high"]
    assert all(said(found[text]))


def test_the_chance_is_one_half_where_the_target_is_the_middle():
    _, found = asked(noisy(290))
    expected = found["month_no_target"].values["month_end"]
    assert all(said(found["month_no_target"]))
    _, again = asked(noisy(290), targets={"2026-10": expected})
    month = next(f for f in again.values() if f.id == "month_pace")
    assert month.values["chance"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("days", [6, 61])
def test_days_outside_seven_to_sixty_are_refused(days):
    with pytest.raises(ParameterError, match=f"days is {days}; allowed: 7 to 60"):
        asked(noisy(100), days=days)


def test_the_checks_hold_and_would_notice():
    made, _ = asked(noisy(200), item_day=item_rows(noisy(200) * 0.5))
    shown = sales_forecast.ahead(made, 14)
    assert {name: one == pytest.approx(other) for name, one, other
            in sales_forecast.checks(made, shown, 14)} == {
        "days_ahead": True, "ranges_hold": True, "items_make_total": True,
    }  # fmt: skip
    crossed = shown.assign(low_95=shown["low_80"] + 1)
    assert {n: o for n, o, _ in sales_forecast.checks(made, crossed, 14)}["ranges_hold"] == 14


def test_a_last_day_whose_orders_are_still_to_come_is_not_learned_from():
    """Forty orders a day, one every quarter of an hour from ten; the last day stops after eight."""
    sales = [*noisy(84), 20.0]
    columns = {"sales": sales, "visitors": 1000.0, "buyers": 20.0}
    shop_day = shop_days("2026-01-05", **columns).assign(source_file=tables.DERIVED)
    date = shop_day["date"].max()
    at = pd.to_timedelta(600 + 15 * np.arange(40), unit="min")
    times = [d + t for d in shop_day["date"] for t in at if d < date or t < at[8]]
    orders = tables.empty("orders").reindex(range(len(times))).assign(created_at=times)
    known, groups = sales_forecast.history(shop_day, NO_ITEMS, orders, date)
    assert known.columns[-1] == date
    assert np.isnan(known.loc["total", date])
    made = sales_forecast.forecast(known, groups, (), 14)
    found = {f.text: f for f in sales_forecast.findings(made, known, 14, {})}
    assert found["last_day_unknown"].values == {"date": date}
    assert all(said(found["last_day_unknown"]))
    stated = shop_day.assign(source_file="day.xls")
    whole, _ = sales_forecast.history(stated, NO_ITEMS, orders, date)
    assert whole.loc["total", date] == 20
