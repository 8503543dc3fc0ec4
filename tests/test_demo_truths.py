"""What was planted in the demo shop comes back through import and analysis."""

import json
import zipfile

import pandas as pd
import pytest
from small_shops import DEMO, day

from shopanalysis import (
    bestsellers,
    conversion_diagnostics,
    daily_report,
    sales_forecast,
    traffic_sources,
)

TRUTH = json.loads((DEMO / "truth.json").read_text("utf-8"))
BASIS = "buyers/visitors"
LAST = day(TRUTH["last_day"])


def test_days_in_the_daily_table_are_the_true_ones(demo):
    table = daily_report.daily_table(demo.table("shop_day"), BASIS, days=1000).set_index("date")
    assert len(table) == (LAST - day(TRUTH["first_day"])).days + 1
    for date, true in TRUTH["days"].items():
        row = table.loc[date]
        assert row[["visitors", "units", "sales"]].tolist() == pytest.approx(
            [true["visitors"], true["units"], true["sales"]], abs=0.005
        )
        assert row["conversion"] == true["buyers"] / true["visitors"]
        assert row["order_value"] == pytest.approx(true["sales"] / true["buyers"])


def test_months_add_up_in_shop_orders_items_and_sources(demo):
    orders = demo.table("orders").dropna(subset=["paid_at"])
    sums = {
        "shop": daily_report.shop_days(demo.table("shop_day")).set_index("date")["sales"],
        "orders": orders.set_index("paid_at")["paid"],
        "items": demo.table("item_day").set_index("date")["sales"],
        "sources": demo.table("source_day").set_index("date")["sales"],
    }
    for name, sales in sums.items():
        by_month = sales.groupby(sales.index.strftime("%Y-%m")).sum()
        for month, true in TRUTH["months"].items():
            assert by_month[month] == pytest.approx(true["sales"], abs=0.01), (name, month)


def test_the_order_files_read_by_plain_csv_give_the_same_sales(demo):
    """A second computation that shares no code with the importer."""
    paid = 0.0
    for archive in (DEMO / "exports" / "qianniu").glob("ExportOrderList*.zip"):
        with zipfile.ZipFile(archive) as opened, opened.open(opened.namelist()[0]) as file:
            frame = pd.read_csv(file, encoding="gb18030", dtype=str, keep_default_na=False)
        frame.columns = frame.columns.str.strip()
        amounts = frame[["买家实际支付金额", "退款金额"]].apply(pd.to_numeric).fillna(0).sum(axis=1)
        paid += amounts[frame["订单付款时间"].str.strip() != ""].sum()
    shop = daily_report.shop_days(demo.table("shop_day"))
    assert paid == pytest.approx(shop["sales"].sum(), abs=0.01)


def test_free_search_that_fell_by_thirty_percent_is_named(demo):
    fall = TRUTH["search_fall"]
    sources = traffic_sources.source_table(demo.table("source_day"), day(fall["to"]), 7, BASIS)
    searches = sources[sources["source"].str.rsplit("/", n=1).str[-1].isin(fall["sources"])]
    assert searches["visitors_by_day"].sum() == fall["observed_visits"]
    ratio = searches["visitors_by_day"].sum() / searches["visitors_before"].sum()
    assert ratio == pytest.approx(fall["factor"], abs=0.06)
    found = traffic_sources.findings(sources, traffic_sources.what_moved(sources))
    fell = next(f for f in found if f.id == "visitors_moved")
    assert (fell.severity, fell.values["source"]) == ("warning", "手淘搜索")


def test_every_large_source_rises_while_the_shop_falls_in_the_mixed_week(demo):
    week = TRUTH["mix_shift"]
    sources = traffic_sources.source_table(demo.table("source_day"), day(week["to"]), 7, BASIS)
    before = sources["payers_before"].sum() / sources["visitors_before"].sum()
    assert traffic_sources.shop_rate(sources) < before
    large = sources[sources["payers_before"] >= 25]
    assert (large["conversion"] > large["conversion_before"]).all()
    tripled = sources[sources["source"].str.endswith(week["source"])].iloc[0]
    growth = tripled["visitors_by_day"] / tripled["visitors_before"]
    assert growth == pytest.approx(week["visits_factor"], rel=0.15)


def test_the_true_bestsellers_are_confirmed_and_the_look_alikes_by_rate_are_not(demo):
    true = TRUTH["bestsellers"]
    week = bestsellers.week(demo.table("item_day"), demo.table("items"), day(true["to"]), 7)
    items = bestsellers.screen(
        week, demo.bars["bestseller_visitors"], demo.bars["bestseller_conversion"]
    )
    verdicts = items.set_index("item_id")["verdict"]
    for item in true["true_bestsellers"]:
        counted = items.set_index("item_id").loc[item["item_id"]]
        assert counted[["visitors_by_day", "payers"]].tolist() == [
            item["observed_visitors"], item["observed_buyers"],
        ]  # fmt: skip
        assert verdicts[item["item_id"]] == "confirmed"
    carried = TRUTH["home_slot"]["item_id"]
    for item in true["look_alikes"]:
        if item["item_id"] != carried:  # needs the source mix: guard D04 is not built yet
            assert verdicts[item["item_id"]] != "confirmed", item["code"]


def test_the_page_that_went_bad_is_the_item_that_fell(demo):
    bad = TRUTH["bad_page"]
    moved = conversion_diagnostics.items_moved(
        demo.table("item_day"), demo.table("items"), LAST, 7, 28, demo.campaigns
    )
    first = moved.iloc[0]
    assert (first["item_id"], first["moved"]) == (bad["item_id"], "fell")
    assert first["relative_change"] == pytest.approx(bad["conversion_factor"] - 1, abs=0.15)
    assert first["bounce_rate"] == pytest.approx(bad["bounce_after"], abs=0.03)
    assert first["bounce_rate_before"] == pytest.approx(bad["bounce_before"], abs=0.03)


def test_the_funnel_is_that_of_the_exports(demo):
    steps = conversion_diagnostics.funnel(
        demo.table("shop_day"), LAST, 7, 28, demo.campaigns, BASIS
    )
    assert steps["step"].tolist() == ["visitors", "cart_adds", "ordered_buyers", "payers"]
    assert steps["count"].is_monotonic_decreasing
    orders = demo.table("orders")
    week = orders[(orders["paid_at"] >= LAST - pd.Timedelta(days=6)) & orders["buyer_key"].notna()]
    by_day = week.groupby(week["paid_at"].dt.normalize())["buyer_key"].nunique()
    assert steps["count"].iloc[-1] == by_day.sum()


def test_the_forecast_beats_the_plainest_guess_and_covers_the_days_that_came(demo):
    """Asked on 2026-09-30, before the campaign: the next fortnight lies mostly within its 80 % range."""
    sales = sales_forecast.daily_sales(demo.table("shop_day"))
    known, then = sales[:"2026-09-30"], sales["2026-10-01":"2026-10-14"]
    tried = sales_forecast.backtest(known, 14, demo.campaigns)
    assert sales_forecast.scores(tried)["method"].iloc[0] == "smoothed"
    ahead = sales_forecast.forecast(known, 14, demo.campaigns, tried).set_index("date")
    assert then.between(ahead["low_80"], ahead["high_80"]).mean() >= 0.6


def test_nothing_personal_is_in_any_table(demo):
    """Names, accounts, phones and streets of the made-up buyers stay in exports/."""
    for file in (demo.folder / "tables").rglob("*"):
        if file.suffix == ".parquet":
            written = pd.read_parquet(file).astype(str)
            text = "\n".join(written[c].str.cat(sep="\n") for c in written)
        elif file.is_file():
            text = file.read_text("utf-8")
        else:
            continue
        for personal in ("测试买家", "测试收货人", "示例路", "13800000000"):
            assert personal not in text, (file.name, personal)
