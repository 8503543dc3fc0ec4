import csv
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from shopanalysis import demo, shop
from shopanalysis.demo import expected, purchases, sycm_sources, world
from shopanalysis.demo.scenario import scenario

COMMITTED = Path(__file__).parent.parent / "data" / "demo"
START, END = date(2026, 10, 24), date(2026, 11, 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four weeks of the demo shop as files."""
    place = tmp_path_factory.mktemp("demo")
    demo.make(place, start=START, end=END)
    return place


@pytest.fixture(scope="module")
def made():
    """The same four weeks as tables."""
    return simulated(START, END)


@pytest.fixture(scope="module")
def truth(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shop_days(folder):
    books = sorted((folder / "exports/sycm_shop").glob("*.xls"))
    days = pd.concat(sheet(book.read_bytes(), header=3) for book in books).set_index("统计日期")
    return days.apply(numbers)


@pytest.fixture(scope="module")
def item_days(folder):
    return pd.concat(
        sheet(data, header=4).query("商品ID != '-'")
        for _, data in members(folder, "sycm_item/*.zip")
    )


@pytest.fixture(scope="module")
def orders(folder):
    return text_table(folder, "qianniu/ExportOrderList*.zip", "gb18030")


def simulated(start, end, seed=demo.SEED, events=True):
    return world.simulate(scenario(events, start, end), seed)


def members(folder, pattern):
    for file in sorted((folder / "exports").glob(pattern)):
        with zipfile.ZipFile(file) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())


def sheet(data, header):
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return pd.DataFrame(rows[header + 1 :], columns=rows[header])


def text_table(folder, pattern, encoding):
    parts = [
        pd.DataFrame(csv.DictReader(io.StringIO(data.decode(encoding), newline="")))
        for _, data in members(folder, pattern)
    ]
    return pd.concat(parts, ignore_index=True)


def numbers(column):
    """Text such as 1,234 or 3.25% as numbers; - is 0."""
    plain = column.str.replace(",", "").replace("-", "0")
    return pd.to_numeric(plain.str.rstrip("%"), errors="coerce")


def cents(column):
    return (numbers(column) * 100).round().astype(int)


def whole(made):
    return made.shop[made.shop["device"] == "all"].set_index("date")


def hashes(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    days = {"start": date(2026, 11, 10), "end": date(2026, 11, 11)}
    for name, seed in (("one", 11), ("two", 11), ("other", 12)):
        demo.make(tmp_path / name, seed=seed, **days)
    one, two, other = (hashes(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    same = {name for name in one if one[name] == other[name]}
    assert same == {"shop.toml", "exports/商品列表.csv"}


def test_nobody_pays_without_visiting(made):
    for table in (made.shop, made.sources, made.items, made.item_sources):
        assert (table["buyers"] <= table["visitors"]).all()


def test_but_for_presale_everything_paid_was_ordered_the_same_day(made):
    usual = made.lines[~made.lines["presale"]]
    assert (usual["paid"] <= usual["ordered"]).all()
    paid = usual.dropna(subset="paid_at")
    assert (paid["paid_at"].dt.normalize() == paid["date"]).all()
    assert (paid["paid_at"] > paid["created_at"]).mean() > 0.99


def test_a_buyer_counts_once_a_day(made):
    paid = made.lines.dropna(subset="paid_at")
    by_day = paid.groupby(paid["paid_at"].dt.normalize())
    assert (by_day["buyer"].nunique() == whole(made)["buyers"]).all()
    assert (by_day["basket"].nunique() == whole(made)["buyers"]).all()


def test_the_shop_file_and_the_order_file_agree_to_the_cent(shop_days, orders):
    paid_on = orders["订单付款时间 "].str[:10]
    paid = cents(orders["买家实际支付金额"]) + cents(orders["退款金额"])
    by_day = paid[paid_on != ""].groupby(paid_on).sum()
    assert (by_day == (shop_days["支付金额"] * 100).round()).all()
    count = paid_on[paid_on != ""].value_counts().sort_index()
    assert (count == shop_days["支付父订单数"]).all()


def test_order_lines_sum_to_their_orders(folder, orders):
    lines = text_table(folder, "qianniu/ExportOrderDetailList*.zip", "gb18030")
    assert lines["子订单编号"].is_unique
    assert orders["订单编号"].is_unique
    assert orders["订单编号"].str.fullmatch(r'="\d{19}"').all()
    for column in ("买家应付货款", "买家实际支付金额", "退款金额"):
        of_lines = cents(lines[column]).groupby(lines["主订单编号"]).sum()
        assert (of_lines == cents(orders.set_index("订单编号")[column]).sort_index()).all()


def test_items_sum_to_the_shop(item_days, shop_days):
    by_day = item_days["统计日期"]
    assert (
        cents(item_days["支付金额"]).groupby(by_day).sum() == (shop_days["支付金额"] * 100).round()
    ).all()
    units = numbers(item_days["支付件数"]).groupby(by_day).sum()
    assert (units == shop_days["支付商品件数"]).all()


def test_sources_sum_to_the_shops_buyers_and_not_to_its_visitors(made):
    by_day = made.sources.groupby("date")
    assert (by_day["buyers"].sum() == whole(made)["buyers"]).all()
    assert by_day["sales"].sum().sub(whole(made)["sales"]).abs().max() < 0.005
    assert (by_day["visitors"].sum() > whole(made)["visitors"]).all()


def test_parents_in_the_source_tree_hold_fewer_people_and_as_many_buyers(made):
    tree = sycm_sources.source_tree(made)
    key = ["date", "device", "level_1"]
    top = tree[tree["depth"] == 1].set_index(key).sort_index()
    below = tree[tree["depth"] == 2].groupby(key)
    assert (below["visitors"].sum() >= top["visitors"]).all()
    assert (below["visitors"].max() <= top["visitors"]).all()
    assert (below["buyers"].sum() == top["buyers"]).all()


def test_people_on_both_devices_count_once_and_their_pages_twice(shop_days):
    sides = shop_days["PC端访客数"] + shop_days["无线端访客数"]
    assert (shop_days["访客数"] < sides).all()
    assert (shop_days["浏览量"] == shop_days["PC端浏览量"] + shop_days["无线端浏览量"]).all()
    assert 0.85 < (shop_days["无线端访客数"] / sides).mean() < 0.92


def test_without_buyers_the_amount_is_a_dash_and_the_rate_is_zero(item_days):
    without = item_days[item_days["支付买家数"] == "0"]
    assert set(without["支付金额"]) == set(without["支付件数"]) == {"-"}
    assert set(without["商品支付转化率"]) == {"0.00%"}


def test_truth_states_the_totals_of_the_files(truth, shop_days):
    november = shop_days[shop_days.index.str.startswith("2026-11")]
    said = truth["months"]["2026-11"]
    assert said["sales"] == pytest.approx(november["支付金额"].sum(), abs=0.005)
    assert said["buyers"] == november["支付买家数"].sum()
    assert truth["days"]["2026-11-11"]["visitors"] == shop_days.loc["2026-11-11", "访客数"]


def test_bestsellers_have_the_bar_and_look_alikes_do_not(truth, item_days):
    said = truth["bestsellers"]
    week = item_days[item_days["统计日期"].between(said["from"], said["to"])]
    seen = week["商品访客数"].pipe(numbers).groupby(week["商品ID"]).sum()
    bought = week["支付买家数"].pipe(numbers).groupby(week["商品ID"]).sum()
    true, like = said["true_bestsellers"], {row["code"]: row for row in said["look_alikes"]}
    assert {row["code"] for row in true} == {"MH-SJ-01", "MH-BZ-06", "MH-ZT-02"}
    for row in [*true, *like.values()]:
        assert seen[row["item_id"]] == row["observed_visitors"]
        assert bought[row["item_id"]] == row["observed_buyers"]
    for row in true:
        assert row["observed_visitors"] > 3000
        assert row["true_conversion_without_home_page"] > 0.03
    slot, tail = like["MH-MJ-04"], like["MH-CL-08"]
    assert slot["true_conversion"] > 0.03 > slot["true_conversion_without_home_page"]
    assert slot["home_page_share"] > 0.6
    assert tail["observed_visitors"] < 3000
    assert tail["observed_buyers"] / tail["observed_visitors"] > 0.03 > tail["true_conversion"]
    near = like["MH-MT-01"]
    assert near["true_conversion"] == pytest.approx(0.029, abs=0.0003)
    assert near["observed_visitors"] > 3000


def test_observed_conversion_scatters_around_the_true_one(truth):
    for row in truth["bestsellers"]["true_bestsellers"]:
        sampled = row["observed_buyers"] / row["observed_visitors"]
        assert sampled == pytest.approx(row["true_conversion"], rel=0.3)


def test_free_search_falls_by_thirty_percent_and_nothing_else():
    made = simulated(date(2026, 8, 31), date(2026, 9, 13))
    search = made.story.sources["level_2"].eq("搜索").to_numpy()[made.sources["source"]]
    last = made.sources["date"] >= "2026-09-07"
    visitors = made.sources["visitors"]
    assert visitors[search & last].sum() / visitors[search & ~last].sum() == pytest.approx(
        0.7, abs=0.06
    )
    assert visitors[~search & last].sum() / visitors[~search & ~last].sum() == pytest.approx(
        1, abs=0.06
    )


def test_every_main_source_converts_better_and_the_shop_worse():
    made = simulated(date(2026, 8, 10), date(2026, 8, 23))
    table = made.sources.assign(last=made.sources["date"] >= "2026-08-17")
    sums = table.groupby(["source", "last"])[["visitors", "buyers"]].sum()
    rate = (sums["buyers"] / sums["visitors"]).unstack()
    main = made.story.sources["weight"].ge(5).to_numpy()
    assert (rate[True] / rate[False])[main].between(1.04, 1.16).all()
    shop_rates = whole(made).assign(last=whole(made).index >= "2026-08-17").groupby("last")
    shop_rate = shop_rates["buyers"].sum() / shop_rates["visitors"].sum()
    assert shop_rate[True] < 0.95 * shop_rate[False]
    recommended = sums["visitors"].loc[made.story.source("手淘推荐")]
    assert recommended[True] / recommended[False] == pytest.approx(3, rel=0.05)


def test_the_bad_page_loses_visitors_and_buyers_from_its_day(truth, item_days):
    said = truth["bad_page"]
    page = item_days[item_days["商品ID"] == said["item_id"]]
    rates = page.set_index("统计日期")[["商品访客数", "支付买家数", "商品详情页跳出率"]].apply(
        numbers
    )
    before, after = rates[:"2026-11-08"], rates[said["from"] :]
    assert before["商品详情页跳出率"].mean() == pytest.approx(58, abs=2)
    assert after["商品详情页跳出率"].mean() == pytest.approx(80, abs=2)
    usual, bad = (part["支付买家数"].sum() / part["商品访客数"].sum() for part in (before, after))
    assert bad / usual < 0.75


def test_in_presale_orders_are_placed_and_nothing_is_paid(truth, item_days, orders):
    said = truth["presale"]
    ahead = item_days[item_days["统计日期"].between(said["from"], said["to"])]
    ahead = ahead[ahead["商品ID"].isin(said["balance_paid_on"])]
    assert numbers(ahead["下单买家数"]).sum() == said["orders"]
    assert numbers(ahead["支付买家数"]).sum() == 0
    balance = orders[orders["分阶段订单信息"].ne("") & orders["订单付款时间 "].ne("")]
    assert set(balance["订单付款时间 "].str[:10]) == set(said["balance_paid_on"].values())
    paid = cents(balance["买家实际支付金额"]) + cents(balance["退款金额"])
    assert paid.sum() == round(100 * said["sales"])


def test_out_of_stock_nothing_sells_and_visitors_fall(truth, item_days):
    (out,) = truth["stock_out"]
    item = item_days[item_days["商品ID"] == out["item_id"]].set_index("统计日期")
    during = item.loc[out["from"] : out["to"]]
    assert numbers(during["下单买家数"]).sum() == 0
    visitors = numbers(during["商品访客数"])
    assert visitors.iloc[-1] < 0.75 * numbers(item["商品访客数"])["2026-11-01":"2026-11-03"].mean()


def test_a_campaigns_lift_is_the_difference_that_simulation_without_it_makes():
    story = scenario(True, date(2026, 5, 25), date(2026, 6, 24))
    said = expected.expected_sales(story).sum() - expected.expected_sales(story, "618").sum()
    none = replace(story, campaigns=[c for c in story.campaigns if c["name"] != "618"])
    seeds = range(4)
    lifts = [sales(world.simulate(story, s)) - sales(world.simulate(none, s)) for s in seeds]
    assert sum(lifts) / len(lifts) == pytest.approx(said, rel=0.25)


def sales(made):
    return whole(made)["sales"].sum()


def test_the_quiet_shop_has_the_calendar_but_nothing_planted():
    story = scenario(events=False, start=date(2026, 10, 24), end=date(2026, 11, 20))
    quiet = world.simulate(story, demo.SEED)
    assert not quiet.lines["presale"].any()
    assert set(story.planted) == {"bestsellers"}
    assert whole(quiet)["sales"].idxmax() == pd.Timestamp("2026-11-11")
    item = story.item("MH-SJ-05")
    page = quiet.items[quiet.items["item"] == item].set_index("date")
    bounce = page["bounces"] / page["visitors"]
    assert bounce["2026-11-09":].mean() == pytest.approx(bounce[:"2026-11-08"].mean(), abs=0.02)


def test_refunds_come_days_later_and_stay_in_the_usual_share(made):
    back = made.lines.dropna(subset="refunded_on")
    assert (back["refunded_on"] > back["paid_at"]).all()
    assert (back["refunded"] <= back["paid"]).all()
    share = len(back) / made.lines["paid_at"].notna().sum()
    assert 0.5 * min(purchases.REFUND.values()) < share < max(purchases.REFUND.values())


def test_personal_data_is_of_nobody(orders, folder):
    assert orders["买家会员名"].str.startswith("测试买家").all()
    assert set(orders["联系手机"]) == {"'13800000000"}
    for name, data in members(folder, "*/*.zip"):
        if name.endswith(".csv"):
            assert b"@" not in data


def test_the_committed_shop_is_whole_and_small():
    files = [file for file in COMMITTED.rglob("*") if file.is_file()]
    kept = [f for f in files if "tables" not in f.parts]
    assert sum(file.stat().st_size for file in kept) < 8_000_000
    said = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    assert (said["first_day"], said["last_day"]) == ("2025-07-21", "2026-11-20")
    assert len(said["items"]) == 60
    assert shop.load(COMMITTED).month_targets["2026-11"] == 1_320_000
