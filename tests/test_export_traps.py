"""The traps of real exports, by number, each with the guard against it (domain notes, list of traps)."""

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from export_fixtures import FIXTURES

from shopanalysis import exports, rates, relisted, report, tables, traffic_value
from shopanalysis import shop as shops
from shopanalysis.batch import inventory
from shopanalysis.exports import mappings, records
from shopanalysis.report import as_csv

TODAY = date(2026, 11, 21)


def imported(folder: Path, *files: Path, today: date = TODAY) -> exports.Imported:
    result = exports.import_files(folder, files, today=today)
    assert [file.refused for file in result.refused] == []
    return result


def changed(key: str, folder: Path, row: int, **cells: str) -> Path:
    """The fixture's file with other cells in a row (from 1 below the header)."""
    fixture = FIXTURES[key]
    rows = [list(one) for one in fixture.rows]
    names = [name.strip() for name in rows[fixture.header]]
    for name, cell in cells.items():
        rows[fixture.header + row][names.index(name)] = cell
    return fixture.write(folder / fixture.name, rows)


def refusal(folder: Path, file: Path) -> str:
    (told,) = exports.import_files(folder, [file], today=TODAY).refused
    assert not folder.exists()
    return told.refused


@pytest.fixture
def shop(tmp_path) -> Path:
    return tmp_path / "shop"


def test_01_visitors_are_stated_and_never_added_up(shop, tmp_path):
    """Guard: the whole shop's visitors are the file's own, not those of its sides or sources."""
    imported(
        shop,
        FIXTURES["shop by day"].file(tmp_path),
        FIXTURES["sources, three levels"].file(tmp_path),
    )
    day = tables.read(shop, "shop_day").set_index(["date", "device"])["visitors"]
    assert day["2026-11-17", "all"] == 1200
    assert day["2026-11-17", "pc"] + day["2026-11-17", "wireless"] == 1250
    assert pd.Timestamp("2026-11-12") not in set(tables.read(shop, "shop_day")["date"])


def test_02_a_buyer_of_two_orders_is_one_buyer_of_the_day(shop, tmp_path):
    """Guard: buyers of days that follow from orders are distinct people, missing where one is unknown."""
    imported(shop, changed("orders, old", tmp_path, 4, 买家会员名="tb1", 订单创建时间="2016/5/23 20:00",
                           订单付款时间="2016/5/23 20:01"))  # fmt: skip
    day = tables.read(shop, "shop_day").set_index("date").loc["2016-05-23"]
    assert day[["orders", "buyers"]].tolist() == [2, 1]


def test_03_rates_are_not_taken_from_files_but_are_ratios_of_sums(shop, tmp_path):
    """Guard: no table holds a conversion rate; over days it is the sum of one by the sum of the other."""
    imported(shop, FIXTURES["items by day"].file(tmp_path), FIXTURES["keywords"].file(tmp_path))
    held = {column for table in tables.TABLES.values() for column in table.columns}
    assert not [c for c in held if re.search("conversion|ctr|roi|click_rate|cost_per", c)]
    assert rates.ratio_of_sums([1, 9], [100, 100])[0] == pytest.approx(0.05)
    assert rates.ratio_of_sums([1, 90], [10, 1000])[0] == pytest.approx(91 / 1010)


def test_04_presale_counts_as_ordered_when_placed_and_as_sold_when_paid(shop, tmp_path):
    """Guard: both days are kept apart, and the orders are marked."""
    imported(shop, FIXTURES["orders, new"].file(tmp_path))
    days = tables.read(shop, "shop_day").set_index("date")
    assert days.loc["2026-11-01", ["sales", "ordered_amount"]].tolist() == [0, 600]
    assert days.loc["2026-11-11", "sales"] == 345.1
    assert tables.read(shop, "orders")["presale"].sum() == 2


def test_05_a_day_that_is_not_over_is_left_out(shop, tmp_path):
    """Guard: rows of the day of the import, or of the file's own export, are left out and counted."""
    result = imported(shop, changed("shop by day", tmp_path, 2, 统计日期="2026-11-21"))
    assert result.left_out["today is not over"] == 1
    keywords = changed("keywords", tmp_path, 3, 日期="2026/11/19")
    result = imported(tmp_path / "ads", keywords)
    assert result.left_out == {"the day of the export was not over": 1}


def test_06_a_refund_belongs_to_the_day_on_which_its_order_was_paid(shop, tmp_path):
    """Guard: refunds are by cohort of payment, so they never exceed what that day sold."""
    imported(shop, FIXTURES["orders, new"].file(tmp_path), FIXTURES["refunds"].file(tmp_path))
    days = tables.read(shop, "shop_day").set_index("date")
    assert days.loc["2026-11-10", "refunds"] == 80
    assert (days["refunds"].fillna(0) <= days["sales"]).all()


def keywords(folder: Path, name: str, days: str = "") -> Path:
    """The keyword report under another name, with a column of days of attribution."""
    fixture = FIXTURES["keywords"]
    rows = [list(row) for row in fixture.rows]
    rows = [[*row, days if at > fixture.header else "转化周期"] for at, row in enumerate(rows)]
    return fixture.write(folder / name, rows if days else fixture.rows)


def test_07_orders_within_other_days_of_a_click_are_not_compared(shop, tmp_path):
    """Guard: the window goes with the rows; a file of the platform that states another is refused."""
    imported(shop, keywords(tmp_path, "推广关键词报表_15天转化_20261119_110309.csv"))
    assert set(tables.read(shop, "ad_day")["attribution_days"]) == {15}
    assert imported(shop, keywords(tmp_path, "a.csv", "15天"))
    (told,) = exports.import_files(shop, [keywords(tmp_path, "b.csv", "1天")], today=TODAY).refused
    assert "orders for 1 day after a click, but this shop's advertising files do so for 15" in (
        told.refused
    )
    assert set(tables.read(shop, "ad_day")["attribution_days"]) == {15}


def test_07_what_no_file_says_shop_toml_may_say_and_else_it_is_missing(shop, tmp_path):
    """Guard: an unknown window stays unknown, and the report says so."""
    file = keywords(tmp_path, "c.csv")
    imported(tmp_path / "silent", file)
    table = tables.read(tmp_path / "silent", "ad_day")
    assert table["attribution_days"].isna().all()
    assert traffic_value.words_final(table, pd.Timestamp(TODAY))[0].text == "words_open"
    shop.mkdir()
    (shop / "shop.toml").write_text('name = "A"\nattribution_days = 7\n', encoding="utf-8")
    imported(shop, file)
    assert set(tables.read(shop, "ad_day")["attribution_days"]) == {7}
    assert "do so for 7" in (
        exports.import_files(shop, [keywords(tmp_path, "d.csv", "30")], today=TODAY)
        .refused[0]
        .refused
    )


def test_07_days_to_which_orders_are_still_added_are_not_ranked():
    """Guard: a word of yesterday, without orders yet, is not held against one that is final."""
    days = pd.date_range("2026-11-01", "2026-11-20")
    lines = [(day, "old", 100, 10) for day in days[:10]] + [(days[-1], "new", 100, 0)]
    table = pd.DataFrame(lines, columns=["date", "word", "clicks", "orders"])
    table = tables.conform("ad_day", table.assign(attribution_days=7, sales=0.0, cost=1.0))
    assert traffic_value.words(table, days[-1], 28)["word"].tolist() == ["old"]
    (said,) = traffic_value.words_final(table, days[-1])
    assert (said.text, said.values["last"]) == ("words_final", pd.Timestamp("2026-11-13"))


def test_08_parents_of_the_source_tree_are_compared_and_dropped(shop, tmp_path):
    """Guard: only sources without children are kept; their sum is held against the parents."""
    fixture = FIXTURES["sources, three levels"]
    imported(shop, fixture.file(tmp_path))
    facts = records.said(shop)["files"][fixture.name]
    assert facts["left_out"]["parents in the source tree"]["rows"] == 3
    assert {check["agrees"] for check in facts["checks"]} == {True}
    assert tables.read(shop, "source_day")["sales"].sum() == 600


def test_09_ways_of_attribution_are_not_mixed(shop, tmp_path):
    """Guard: one way for a shop, in import.json; a file that states another is refused."""
    fixture = FIXTURES["sources, three levels"]
    imported(shop, fixture.file(tmp_path))
    other = [["第一次访问来源"] if row == ["最后一次访问来源"] else row for row in fixture.rows]
    file = fixture.write(tmp_path / "无线-2026-11-13_2026-11-13.xls", other)
    (told,) = exports.import_files(shop, [file], today=TODAY).refused
    assert "first visit, but this shop's files say last visit" in told.refused


def test_10_sources_keep_their_channel_when_the_platform_renames_them(shop, tmp_path):
    """Guard: names of all versions in one list; what is not on it is a channel of its own, unmapped."""
    imported(
        shop,
        FIXTURES["sources of 2017"].file(tmp_path),
        FIXTURES["sources, three levels"].file(tmp_path),
    )
    channels = tables.read(shop, "source_day").set_index("source")["channel"]
    assert channels["淘内免费/手淘搜索"] == channels["经营优势/搜索"] == "free search"
    assert mappings.load().channel("从未见过的来源") == "unmapped"


def test_12_orders_closed_after_payment_were_sold(shop, tmp_path):
    """Guard: closed with a time of payment was sold and given back, without one never sold."""
    imported(shop, FIXTURES["orders, new"].file(tmp_path))
    closed = tables.read(shop, "orders").query("status == '交易关闭'")
    assert closed[["paid", "refunded"]].to_numpy().tolist() == [[80, 80], [0, 0]]
    assert tables.read(shop, "shop_day").set_index("date").loc["2026-11-10", "sales"] == 180.1


def test_13_an_item_put_on_sale_again_is_named_and_joined_when_shop_toml_says_so(shop, tmp_path):
    """Guard: the pair is found by its title and days, and one line joins old and new."""
    fixture = FIXTURES["items by day"]
    names = [name.strip() for name in fixture.rows[fixture.header]]
    day, item, title = (names.index(n) for n in ("统计日期", "商品ID", "商品名称"))
    old = list(fixture.rows[fixture.header + 1])
    new = [*old[:item], "700000000001", *old[item + 1 :]]
    new[day] = str((pd.Timestamp(old[day]) + pd.Timedelta(days=2)).date())
    rows = [*fixture.rows[: fixture.header + 1], old, new]
    imported(shop, fixture.write(tmp_path / "a.xls", rows))
    (pair,) = records.said(shop)["relisted"]
    assert (pair["old"], pair["new"], pair["title"]) == (old[item], new[item], old[title])
    (told,) = [line for line in inventory.lines(shops.load(shop), []) if "new id?" in line]
    line = told.split("[relisted] ")[1]
    assert shops.load(shop).table("item_day")["item_id"].tolist() == [old[item], new[item]]
    with (shop / "shop.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[relisted]\n{line}\n")
    joined = shops.load(shop)
    assert joined.table("item_day")["item_id"].tolist() == [new[item]] * 2
    assert joined.table("items")["item_id"].tolist() == [new[item]]
    assert joined.table("item_day")["sales"].sum() == tables.read(shop, "item_day")["sales"].sum()
    assert not [line for line in inventory.lines(joined, []) if "new id?" in line]
    page = report.open_page(str(shop), "2026-11-20", "en")
    assert "put on sale again under a new id" in page.provenance(["item_day"]).text


def test_13_items_that_are_on_sale_together_or_have_other_codes_are_two():
    """Guard: two items of one title are not taken for one."""
    days = pd.to_datetime(["2026-11-01", "2026-11-02", "2026-11-03"])
    lines = [(days[0], "a"), (days[1], "a"), (days[1], "b"), (days[2], "b"), (days[2], "c")]
    item_day = pd.DataFrame(lines, columns=["date", "item_id"]).assign(visitors=5.0)
    items = pd.DataFrame({"item_id": ["a", "b", "c"], "title": "quilt"})
    assert relisted.found(items[:2], item_day).empty
    assert relisted.found(items.iloc[[0, 2]], item_day)["new"].tolist() == ["c"]
    assert relisted.found(items.iloc[[0, 2]].assign(merchant_code=["1", "2"]), item_day).empty
    later = item_day.assign(date=item_day["date"].where(item_day["item_id"] == "a", "2027-03-01"))
    assert relisted.found(items.iloc[[0, 2]], later).empty


def test_14_a_shop_has_one_basis(shop, tmp_path):
    """Guard: buyers and orders, people and sessions are not put into one shop."""
    imported(shop, FIXTURES["shop by day"].file(tmp_path))
    file = FIXTURES["Shopify sessions"].file(tmp_path)
    (told,) = exports.import_files(shop, [file], today=TODAY).refused
    assert "counts orders/sessions, but this shop counts buyers/visitors" in told.refused


def test_15_ids_that_excel_has_destroyed_refuse_their_file(shop, tmp_path):
    """Guard: file, row and cell are named; nothing can bring the digits back."""
    told = refusal(shop, changed("orders, new", tmp_path, 2, 订单编号="1.93E+17"))
    assert told.startswith(
        "ExportOrderList202611160900.csv, row 3: 订单编号 is '1.93E+17'; allowed: an id with all its digits."
    )


def test_16_rounded_amounts_are_counted_as_rounded(shop, tmp_path):
    """Guard: 2.5万 is read as 25,000, and import.json says how many such cells there were."""
    imported(shop, changed("items by day", tmp_path, 1, 支付金额="2.5万"))
    facts = records.said(shop)["files"][FIXTURES["items by day"].name]
    assert tables.read(shop, "item_day")["sales"].max() == 25_000
    assert facts["rounded"] == 1


@pytest.mark.parametrize(
    ("zone", "placed"),
    [
        ("Asia/Tokyo", "2026-05-02 08:00:00"),
        ("UTC", "2026-05-01 23:00:00"),
        (None, "2026-05-02 08:00:00"),
    ],
)
def test_18_clocks_are_converted_once(shop, tmp_path, zone, placed):
    """Guard: an offset is read, converted to the zone of shop.toml, and not again by the next import."""
    if zone:
        shop.mkdir()
        (shop / "shop.toml").write_text(f'name = "A"\ntime_zone = "{zone}"\n', encoding="utf-8")
    imported(shop, FIXTURES["Shopify orders"].file(tmp_path))
    for _ in range(2):
        orders = tables.read(shop, "orders").set_index("order_id")
        assert str(orders.loc["#1003", "created_at"]) == placed
        exports.refresh(shop, TODAY)


def test_19_scores_are_kept_with_all_their_digits_and_say_what_they_are(shop, tmp_path):
    """Guard: five decimals are read, so that a day's part can be worked out; the note says 180 days."""
    imported(shop, FIXTURES["scores"].file(tmp_path))
    assert tables.read(shop, "shop_day")["dsr_item"].tolist() == [4.86123, 4.8612]
    assert "180 days" in records.said(shop)["files"]["DSR.csv"]["notes"][0]


def test_20_a_dash_is_missing_and_zero_only_where_nobody_paid(shop, tmp_path):
    """Guard: with 0 buyers the amount is 0; any other dash stays missing."""
    imported(shop, FIXTURES["items by day"].file(tmp_path))
    second = tables.read(shop, "item_day").set_index("item_id").loc["600000000002"]
    assert second[["buyers", "sales", "units"]].tolist() == [0, 0, 0]
    assert second[["favourites", "refunds"]].isna().all()


def test_22_several_shops_in_one_file_are_refused(shop, tmp_path):
    """Guard: a file that names two shops would count both as one."""
    told = refusal(shop, changed("orders, new", tmp_path, 1, 店铺名称="大店"))
    assert "店铺名称 names several shops: 大店, 小店." in told


def test_23_titles_that_are_formulas_are_text_on_the_way_in_and_out(shop, tmp_path):
    """Guard: kept as they are in the tables, with an apostrophe before them where Excel may open them."""
    title = '=HYPERLINK("http://x","被子")'
    imported(shop, changed("items by day", tmp_path, 1, 商品名称=title))
    items = tables.read(shop, "items")
    assert items["title"].tolist() == [title, "枕头"]
    assert f"'{title[:5]}" in as_csv(items)


# Guards that lie behind the tables, with the tests that hold them.
ELSEWHERE = {
    11: ("test_guards.py", "test_one_buyer_of_many_pieces_is_found_out"),
    17: ("test_calendars.py", "test_the_day_a_year_before_follows_campaigns_moon_and_weekday"),
    21: ("test_rates.py", "test_few_successes_get_the_exact_interval_and_many_wilsons"),
}
MISSING: dict[int, str] = {}


@pytest.mark.parametrize("number", ELSEWHERE)
def test_a_guard_behind_the_tables_is_held_by_a_test_of_its_own(number):
    file, name = ELSEWHERE[number]
    tests = [path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    assert any(f"def {name}(" in text for text in tests), file


def test_every_trap_has_a_guard_or_is_named_as_missing():
    here = {int(n) for n in re.findall(r"def test_(\d\d)_", Path(__file__).read_text("utf-8"))}
    assert here | ELSEWHERE.keys() | MISSING.keys() == set(range(1, 24))
    assert not here & (ELSEWHERE.keys() | MISSING.keys())
