"""The importer on real data that nobody here wrote, each against a second computation in pandas."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_shops import BARS

from shopanalysis import (
    bestsellers,
    conversion_diagnostics,
    exports,
    tables,
    traffic_changes,
    traffic_sources,
)
from shopanalysis.exports import records

SHARED = Path(__file__).parents[2] / "shared" / "data"
TODAY = date(2026, 11, 21)
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not beside the project"),
]


def shop_from(folder: Path, *names: str) -> Path:
    result = exports.import_files(folder, [SHARED / name for name in names], today=TODAY)
    assert result.files
    return folder


@pytest.fixture(scope="module")
def temporary(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("real")


# ---- British online retail: invoice lines --------------------------------------------------------


@pytest.fixture(scope="module")
def invoices() -> pd.DataFrame:
    raw = pd.read_parquet(SHARED / "online_retail_uk" / "online_retail.parquet")
    return raw.assign(value=raw.Quantity * raw.UnitPrice)


@pytest.fixture(scope="module")
def retail(temporary) -> Path:
    return shop_from(temporary / "retail", "online_retail_uk/online_retail.parquet")


def test_every_pound_of_the_invoices_is_sold_refunded_or_left_out_by_name(retail, invoices):
    facts = records.said(retail)["files"]["online_retail.parquet"]
    lines = tables.read(retail, "order_lines")
    out = {name: entry["amount"] for name, entry in facts["left_out"].items()}
    whole = lines["paid"].sum() - lines["refunded"].sum() + sum(out.values())
    assert round(whole, 2) == round(invoices["value"].sum(), 2) == 9_747_747.93
    assert len(lines) + sum(entry["rows"] for entry in facts["left_out"].values()) == 541_909


def test_what_is_left_out_of_the_invoices_is_what_pandas_finds(retail, invoices):
    code, invoice = invoices["StockCode"], invoices["InvoiceNo"]
    typing = invoice.isin(["541431", "C541433", "556444", "C556445", "581483", "C581484"])
    service = ["POST", "DOT", "C2", "AMAZONFEE", "BANK CHARGES", "CRUK", "B", "D", "M", "m", "S"]
    kept = invoices[
        ~typing & ~code.isin(service) & ~code.str.startswith("gift_") & invoices["UnitPrice"].gt(0)
    ]
    kept = kept[~kept["InvoiceNo"].str.startswith("A")]
    back = kept["InvoiceNo"].str.startswith("C")
    orders = tables.read(retail, "orders")
    assert round(orders["paid"].sum(), 2) == round(kept["value"][~back].sum(), 2) == 9_986_809.86
    assert round(orders["refunded"].sum(), 2) == round(-kept["value"][back].sum(), 2) == 233_070.98
    assert orders["paid_at"].notna().sum() == kept["InvoiceNo"][~back].nunique() == 19_770
    facts = records.said(retail)["files"]["online_retail.parquet"]
    assert facts["left_out"]["typing errors, undone within 16 minutes"]["amount"] == 0
    assert facts["repeated_rows"] == {"rows": invoices.duplicated().sum(), "rule": "keep"}
    assert facts["refund_rows"] == {"cancellations": back.sum()}


def test_days_and_items_add_up_to_the_invoices(retail):
    orders = tables.read(retail, "orders")
    for name in ("shop_day", "item_day"):
        table = tables.read(retail, name)
        assert round(table["sales"].sum(), 2) == round(orders["paid"].sum(), 2)
        assert round(table["refunds"].sum(), 2) == round(orders["refunded"].sum(), 2)
        assert table["units"].sum() == orders["units"].sum()
        assert table["visitors"].isna().all()
    days = tables.read(retail, "shop_day")
    assert len(days) == 305
    assert not (days["date"].dt.day_of_week == 5).any()  # closed on Saturdays: missing, not zero
    assert records.said(retail)["paid_on_days_not_covered"] == {"orders": 0, "paid": 0.0}


def test_buyers_are_counted_only_on_days_on_which_all_are_known(retail, invoices):
    days = tables.read(retail, "shop_day").set_index("date")["buyers"]
    orders = tables.read(retail, "orders").dropna(subset=["paid_at"])
    known = orders.assign(date=orders["paid_at"].dt.normalize()).groupby("date")["buyer_key"]
    whole = known.apply(lambda keys: keys.notna().all())
    assert (days.notna() == whole).all()
    first = days.dropna().index[0]
    that_day = invoices[invoices["InvoiceDate"].dt.normalize() == first]
    sold = that_day[~that_day["InvoiceNo"].str.startswith("C") & that_day["CustomerID"].notna()]
    assert days[first] == sold["CustomerID"].nunique()


def test_305_daily_files_in_an_archive_give_the_same_shop(retail, temporary):
    daily = shop_from(temporary / "daily", "online_retail_uk/raw/by-day.zip")
    same = ["order_id", "paid_at", "paid", "refunded", "units", "province"]
    pd.testing.assert_frame_equal(
        tables.read(daily, "orders")[same], tables.read(retail, "orders")[same]
    )
    assert len(records.said(daily)["files"]) == 305


def test_a_folder_of_daily_files_is_read(temporary):
    month = shop_from(temporary / "month", "online_retail_uk/raw/by-day-2011-11")
    days = tables.read(month, "shop_day")["date"]
    assert (days.min(), days.max(), len(days)) == (
        pd.Timestamp("2011-11-01"), pd.Timestamp("2011-11-30"), 26,
    )  # fmt: skip


# ---- Google Merchandise Store: hits --------------------------------------------------------------


@pytest.fixture(scope="module")
def hits() -> pd.DataFrame:
    return pd.read_parquet(SHARED / "google_merch_store_ga" / "analytics_hits.parquet")


@pytest.fixture(scope="module")
def google(temporary) -> Path:
    return shop_from(temporary / "google", "google_merch_store_ga/analytics_hits.parquet")


def sessions(hits: pd.DataFrame) -> pd.DataFrame:
    by = hits.groupby(["visit_id", "full_visitor_id"])
    return by.agg(
        channel=("channel_grouping", "first"),
        bounces=("bounces", "max"),
        page_views=("page_views", "max"),
        revenue=("revenue", lambda revenue: revenue.sum(min_count=1)),
    )


def test_hits_become_sessions_by_channel(google, hits):
    expected = sessions(hits).groupby("channel")
    table = tables.read(google, "source_day").groupby("source").sum(numeric_only=True)
    assert table["visitors"].sum() == 37_996
    assert table["orders"].sum() == 1_510
    assert table["visitors"].to_dict() == expected.size().to_dict()
    assert table["orders"].to_dict() == expected["revenue"].count().to_dict()
    assert table["bounces"].to_dict() == expected["bounces"].sum().astype(int).to_dict()
    assert table["page_views"].to_dict() == expected["page_views"].sum().astype(int).to_dict()
    assert round(table["sales"].sum(), 2) == round(hits["revenue"].sum() / 1e6, 2) == 264_494.76


@pytest.mark.parametrize(
    ("channel", "conversion", "bounce"),
    [("Organic Search", 1.2, 41), ("Referral", 14.3, 7), ("Direct", 2.9, 32), ("Social", 0.3, 60),
     ("Paid Search", 3.5, 10), ("Affiliates", 0.7, 5), ("Display", 2.9, 25)],
)  # fmt: skip
def test_rates_by_channel_are_the_known_ones(google, channel, conversion, bounce):
    table = tables.read(google, "source_day").groupby("source").sum(numeric_only=True).loc[channel]
    assert round(100 * table["orders"] / table["visitors"], 1) == conversion
    assert round(100 * table["bounces"] / table["visitors"]) == bounce


@pytest.fixture(scope="module")
def two_months(hits) -> dict[str, pd.DataFrame]:
    """Sessions, orders and revenue by channel in June 2017 and the 30 days before, from the raw hits."""
    whole = sessions(hits).join(
        hits.groupby(["visit_id", "full_visitor_id"])["purchase_date"].first().rename("date")
    )
    whole = whole[pd.to_datetime(whole["date"]) > "2017-05-01"]  # 30 days in either month
    month = pd.to_datetime(whole["date"]).dt.strftime("%Y-%m")
    by = whole.assign(revenue=whole["revenue"] / 1e6).groupby([month, "channel"])["revenue"]
    both = by.agg(visitors="size", payers="count", sales="sum")
    return {name: both.loc[name] for name in ("2017-05", "2017-06")}


def june(google) -> pd.DataFrame:
    """The traffic report's sources of June, held against the 30 days before, at luck's own doubt."""
    source_day = tables.read(google, "source_day")
    month = traffic_sources.periods(source_day, pd.Timestamp("2017-06-30"), 30, [])
    assert month.then == pd.Timestamp("2017-05-31")
    return traffic_sources.source_table(source_day, month, "orders/sessions")


def test_channels_of_june_have_the_conversion_and_interval_that_scipy_finds(google, two_months):
    sources = june(google).set_index("source")
    for channel, row in two_months["2017-06"].iterrows():
        found = sources.loc[channel]
        assert found["visitors_by_day"] == row["visitors"]
        assert found["payers"] == row["payers"]
        assert found["sales"] == pytest.approx(row["sales"], abs=0.01)
        few = min(row["payers"], row["visitors"] - row["payers"]) < 5
        tested = stats.binomtest(int(row["payers"]), int(row["visitors"]))
        ends = tested.proportion_ci(method="exact" if few else "wilson")
        assert found[["low", "high"]].tolist() == pytest.approx([ends.low, ends.high], abs=1e-12)
    assert sources.loc["Referral", ["payers", "visitors_by_day"]].tolist() == [316, 2394]


def test_the_bridge_from_may_to_june_by_another_way_of_computing_it(google, two_months):
    """Shapley's value as the integral along the diagonal (Owen 1972), from the raw sessions."""
    parts = traffic_changes.parts(june(google))
    months = [two_months["2017-05"], two_months["2017-06"]]
    old, new = (
        pd.DataFrame({
            "visitors": m["visitors"].sum(), "share": m["visitors"] / m["visitors"].sum(),
            "conversion": m["payers"] / m["visitors"], "order_value": m["sales"] / m["payers"],
        })
        for m in months
    )  # fmt: skip
    both = [
        c
        for c in old.index.intersection(new.index)
        if old["conversion"][c] * new["conversion"][c] > 0
    ]
    at, weights = np.polynomial.legendre.leggauss(4)
    for channel in both:
        for factor in old:
            others = [name for name in old if name != factor]
            start, change = old.loc[channel], new.loc[channel] - old.loc[channel]
            along = [(start[others] + change[others] * (t + 1) / 2).prod() for t in at]
            expected = change[factor] * np.dot(weights, along) / 2
            assert parts.loc[channel, factor] == pytest.approx(expected, abs=1e-6), channel
    whole = months[1]["sales"].sum() - months[0]["sales"].sum()
    assert parts["change"].sum() == pytest.approx(whole, abs=0.01)
    assert round(whole, 2) == 1_363.78
    sums = parts[["visitors", "share", "conversion", "order_value"]].sum()
    assert sums.round().tolist() == [3307, 2129, -6471, 2399]


def test_conversion_of_all_channels_from_may_to_june_is_mix_plus_rate(google):
    mixed = traffic_changes.mix(june(google))
    assert mixed["by_rate"].sum() == pytest.approx(-0.00481, abs=5e-6)
    assert mixed["by_mix"].sum() == pytest.approx(0.00105, abs=5e-6)
    assert traffic_changes.mix_or_rate(june(google))[0].text == "mix_unsure"


def test_days_of_the_google_shop_agree_with_its_sources(google):
    days = tables.read(google, "shop_day").set_index("date")
    sources = tables.read(google, "source_day").groupby("date").sum(numeric_only=True)
    assert len(days) == 93
    for column in ("visitors", "orders", "sales", "page_views"):
        pd.testing.assert_series_equal(days[column], sources[column])
    assert ((days["bounce_rate"] * days["visitors"]).round() == sources["bounces"]).all()


def test_rows_that_are_alike_are_order_lines_that_are_alike(hits):
    """Why `repeated_rows` is "keep": tax and freight are spread evenly over the lines of an order.

    So the share times the number of lines is a whole number of cents, if no line is missing.
    """
    sold = hits[hits["revenue"].notna()].astype({"revenue": "int64", "units_sold": "int64"})
    sold["share"] = sold["revenue"] - sold["units_sold"] * sold["unit_price"].astype("int64")
    by = ["visit_id", "full_visitor_id"]
    orders = sold.groupby(by)["share"].agg(["size", "median", "min", "max"])
    orders["distinct"] = sold.drop_duplicates().groupby(by).size()
    orders = orders[(orders["max"] - orders["min"]) <= 2]

    def whole(lines: pd.Series, share: pd.Series) -> pd.Series:
        rest = (share * lines) % 10_000
        return (rest <= lines) | (rest >= 10_000 - lines)

    telling = orders[~whole(orders["size"] * 0 + 1, orders["median"])]
    telling = telling[telling["distinct"] < telling["size"]]
    assert whole(telling["size"], telling["median"]).mean() == 1
    assert whole(telling["distinct"], telling["median"]).mean() < 0.1
    assert len(telling) > 90


def test_the_archive_as_downloaded_gives_the_same_days_and_names_what_it_cannot_read(
    google, temporary
):
    folder = temporary / "archive"
    archive = SHARED / "google_merch_store_ga" / "raw" / "ecommerce dataset.zip"
    result = exports.import_files(folder, [archive], today=TODAY)
    assert result.refused == []
    beside = [file for file in result.files if file.not_read]
    assert [Path(file.name).name for file in beside] == ["sales_by_sku.csv"]
    assert "this is no report that is known" in beside[0].not_read
    without = {"columns": "source_file"}
    pd.testing.assert_frame_equal(
        tables.read(folder, "shop_day").drop(**without),
        tables.read(google, "shop_day").drop(**without),
    )
    raw = {
        name: pd.read_parquet(SHARED / "google_merch_store_ga" / f"{name}.parquet")
        for name in ("products", "sales_report", "all_sessions")
    }
    listed = set(raw["products"]["sku"]) | set(raw["sales_report"]["product_sku"])
    assert set(tables.read(folder, "items")["item_id"]) == listed
    pages = raw["all_sessions"].groupby(["purchase_date", "product_sku"])
    seen = pages[["visit_id", "full_visitor_id"]].apply(lambda some: len(some.drop_duplicates()))
    item_day = tables.read(folder, "item_day")
    assert item_day["visitors"].sum() == seen.sum()
    assert len(item_day) == len(seen)


# ---- Tmall: orders of February 2020 --------------------------------------------------------------


@pytest.fixture(scope="module")
def tmall(temporary) -> Path:
    return shop_from(temporary / "tmall", "tmall_orders_202002/raw/tmall_order_report.csv")


@pytest.fixture(scope="module")
def report() -> pd.DataFrame:
    raw = pd.read_parquet(SHARED / "tmall_orders_202002" / "tmall_order_report.parquet")
    return raw.rename(columns=str.strip)


def test_the_orders_of_february_2020(tmall, report):
    orders = tables.read(tmall, "orders")
    assert len(orders) == len(report) == 28_010
    assert orders["paid_at"].isna().sum() == 3_923
    assert orders["refunded"].gt(0).sum() == report["退款金额"].gt(0).sum() == 5_646
    before = report["买家实际支付金额"] + report["退款金额"]
    assert round(orders["paid"].sum(), 2) == round(before.sum(), 2) == 2_474_823.07
    assert orders["province"].nunique() == 31
    assert orders["province"].notna().all()


def test_days_of_february_2020_are_those_on_which_orders_were_placed(tmall, report):
    days = tables.read(tmall, "shop_day").set_index("date")
    paid = report.dropna(subset=["订单付款时间"])
    by_day = paid.groupby(paid["订单付款时间"].dt.normalize())
    expected = (by_day["买家实际支付金额"].sum() + by_day["退款金额"].sum()).reindex(days.index)
    assert days["sales"].round(2).tolist() == expected.fillna(0).round(2).tolist()
    assert not {pd.Timestamp("2020-02-08"), pd.Timestamp("2020-02-16")} & set(days.index)
    assert len(days) == 27
    away = records.said(tmall)["paid_on_days_not_covered"]
    assert days["orders"].sum() + away["orders"] == len(paid) == 24_087
    assert round(days["sales"].sum() + away["paid"], 2) == 2_474_823.07


def test_the_parquet_of_february_2020_gives_the_same_orders(tmall, temporary):
    other = shop_from(temporary / "parquet", "tmall_orders_202002/tmall_order_report.parquet")
    without = {"columns": "source_file"}
    pd.testing.assert_frame_equal(
        tables.read(other, "orders").drop(**without), tables.read(tmall, "orders").drop(**without)
    )


# ---- Taobao UserBehavior: events of a week, screened by category at lowered bars -----------------


@pytest.fixture(scope="module")
def behaviour() -> pd.DataFrame:
    file = SHARED / "taobao_userbehavior_sample" / "user_behavior.parquet"
    raw = pd.read_parquet(file).dropna(subset=["event_time_cst"])
    raw = raw.assign(
        date=raw["event_time_cst"].dt.normalize(), item_id=raw["category_id"].astype(str)
    )
    return raw[raw["date"].between("2017-11-25", "2017-12-03")]


def people(events: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """item_day of categories: people who looked, and people who bought."""
    seen = events[events["behavior_type"] == "pv"].groupby(by)["user_id"].nunique()
    bought = events[events["behavior_type"] == "buy"].groupby(by)["user_id"].nunique()
    table = pd.DataFrame({"visitors": seen, "buyers": bought.reindex(seen.index, fill_value=0)})
    return tables.conform("item_day", table.reset_index())


LOW_BARS = BARS | {"bestseller_visitors": 100}


def screened(item_day: pd.DataFrame) -> pd.DataFrame:
    last = item_day["date"].max()
    week = bestsellers.week(item_day, tables.empty("items"), last, 7)
    found = bestsellers.verdicts(bestsellers.expect(week, item_day, last, 7, LOW_BARS), LOW_BARS)
    return found[found["visitors_by_day"] > LOW_BARS["bestseller_visitors"]]


def test_of_18_categories_that_pass_the_plans_rule_15_remain_at_a_weeks_people(behaviour):
    """The week's people as one day: each person once, nothing known of how days differ."""
    week = behaviour[behaviour["date"] >= "2017-11-27"].assign(date=pd.Timestamp("2017-12-03"))
    found = screened(people(week, ["date", "item_id"]))
    assert len(found) == 23
    assert (found["plan_verdict"] == "yes").sum() == 18
    assert found["verdict"].value_counts().to_dict() == {"confirmed": 15, "watch": 5, "no": 3}


def test_of_19_that_pass_by_days_11_remain_and_9_sold_on_most_days(behaviour):
    """Visits by day, and days that differ by far more than luck."""
    found = screened(people(behaviour, ["date", "item_id"]))
    assert len(found) == 35
    assert (found["plan_verdict"] == "yes").sum() == 19
    confirmed = found[found["verdict"] == "confirmed"]
    assert len(confirmed) == 11
    assert (confirmed["days_with_sales"] >= BARS["bestseller_days_with_sales"]).sum() == 9
    assert (confirmed["plan_verdict"] == "yes").all()
    assert found["next_conversion"].std() < found["conversion"].std()


def test_the_funnel_of_taobao_visitors(behaviour):
    """People at each step, by day, added up over the nine days; a second count by sets of people."""
    kinds = {"visitors": "pv", "cart_adds": "cart", "buyers": "buy"}
    by_day = {
        name: behaviour[behaviour["behavior_type"] == kind].groupby("date")["user_id"].nunique()
        for name, kind in kinds.items()
    }
    shop_day = pd.DataFrame(by_day).reset_index().assign(device="all")
    steps = conversion_diagnostics.funnel(
        tables.conform("shop_day", shop_day), tables.empty("orders"), pd.Timestamp("2017-12-03"),
        9, 28, [], "buyers/visitors",
    ).set_index("step")  # fmt: skip
    acts = set(
        zip(behaviour["behavior_type"], behaviour["date"], behaviour["user_id"], strict=True)
    )
    counted = [sum(act == kind for act, _, _ in acts) for kind in kinds.values()]
    assert counted == steps["count"].tolist() == [5633, 1972, 1141]
    assert steps["step_rate"].round(4).tolist()[1:] == [0.3501, 0.5786]
    assert steps.loc["payers", ["low", "high"]].tolist() == pytest.approx(
        [0.5567, 0.6002], abs=1e-4
    )
    assert steps["moved"].isna().all()  # no days before to hold it against


# ---- the other sets as they were downloaded, each against a count by hand ------------------------


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a raw CSV with a header, by the csv module alone."""
    with (SHARED / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_acts_of_taobao_visitors_without_a_header(temporary):
    shop = shop_from(temporary / "acts", "taobao_userbehavior_sample/raw/UserBehavior.csv")
    raw = SHARED / "taobao_userbehavior_sample" / "raw" / "UserBehavior.csv"
    acts = [tuple(line.split(",")) for line in raw.read_text("utf-8").splitlines()]
    whole = {act for act in acts if len(act) == 5}
    events = tables.read(shop, "events")
    kinds = Counter(act[3] for act in whole)
    names = {"pv": "view", "cart": "cart", "fav": "favourite", "buy": "pay"}
    assert events["kind"].value_counts().to_dict() == {names[k]: n for k, n in kinds.items()}
    assert events["visitor_key"].nunique() == len({act[0] for act in acts}) == 815
    first = min(int(act[4]) for act in whole)
    assert events["at"].min() == pd.Timestamp(first, unit="s") + pd.Timedelta(hours=8)
    facts = records.said(shop)["files"]["UserBehavior.csv"]
    assert facts["left_out"]["cut rows"]["rows"] == sum(len(act) < 5 for act in acts) == 1
    assert facts["left_out"].get("repeated rows", {"rows": 0})["rows"] == (
        len(acts) - len(set(acts))
    )


def test_purchases_of_baby_goods(temporary):
    name = "tmall_mum_baby/raw/sam_tianchi_mum_baby_trade_history.csv"
    shop = shop_from(temporary / "baby", name)
    trades = rows_of(name)
    days = tables.read(shop, "shop_day")
    assert len(days) == len({row["day"] for row in trades}) == 949
    assert days["orders"].sum() == len(trades) == 29_971
    assert days["units"].sum() == sum(int(row["buy_mount"]) for row in trades)
    assert days.set_index("date").loc["2014-11-11", "orders"] == 454
    by_item = tables.read(shop, "item_day")
    assert by_item["units"].sum() == days["units"].sum()
    assert by_item["item_id"].nunique() == len({row["auction_id"] for row in trades})


def test_what_is_known_of_babies_alone_is_no_report(temporary):
    """Birthdays and sexes of children: no table holds them, and the file is refused by name."""
    file = SHARED / "tmall_mum_baby" / "raw" / "sam_tianchi_mum_baby.csv"
    (refused,) = exports.import_files(temporary / "babies", [file], today=TODAY).refused
    assert "Its columns: user_id, birthday, gender." in refused.refused


def test_advertisements_on_facebook(temporary):
    name = "facebook_ads_kag/raw/KAG_conversion_data.csv"
    shop = shop_from(temporary / "kag", name)
    ad = tables.read(shop, "ad_day")
    sums = ad.groupby("plan")[["impressions", "clicks", "cost", "orders"]].sum().round(2)
    assert sums.to_numpy().tolist() == [
        [204_823_716, 36_068, 55_662.15, 872], [482_925, 113, 149.71, 24], [8_128_187, 1_984, 2_893.37, 183],
    ]  # fmt: skip
    assert ad["cost"].sum() == pytest.approx(sum(float(row["Spent"]) for row in rows_of(name)))
