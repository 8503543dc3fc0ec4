"""Files in, tables out: what is read, what is refused and why, and that order does not matter."""

import json
import os
import stat
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import vendor_files as vendor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopanalysis import exports, shop, tables
from shopanalysis.errors import DataError
from shopanalysis.exports import derived, readers, records

TODAY = date(2026, 11, 21)


def imported(folder: Path, *files: Path, today: date = TODAY) -> exports.Imported:
    return exports.import_files(folder, files, today=today)


def accepted(folder: Path, *files: Path) -> exports.Imported:
    result = imported(folder, *files)
    assert [file.refused for file in result.refused] == []
    return result


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def shop_file(path: Path, *rows: list[str], preamble: int = 3) -> Path:
    return vendor.xls(path, vendor.with_header(vendor.SHOP_DAY, *rows, preamble=preamble))


def days(folder: Path, device: str = "all") -> pd.DataFrame:
    table = tables.read(folder, "shop_day")
    return table[table["device"] == device].set_index("date")


@pytest.fixture
def here(tmp_path) -> Path:
    return tmp_path / "shop"


@pytest.fixture
def known(here, tmp_path) -> Path:
    """A shop with one good day, to see that a refused file changes nothing."""
    accepted(here, shop_file(tmp_path / "good.xls", vendor.shop_day(统计日期="2026-11-01")))
    return here


# ---- what is read --------------------------------------------------------------------------------


def test_a_shop_day_is_read_for_the_shop_and_for_each_side(here, tmp_path):
    accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day()))
    table = tables.read(here, "shop_day").set_index("device")
    assert table.loc["all", ["visitors", "sales", "bounce_rate", "dwell"]].tolist() == [
        1200, 2500.5, 0.625, 35.2,
    ]  # fmt: skip
    assert table.loc["all", ["buyers", "orders", "units", "dsr_item"]].tolist() == [
        30,
        31,
        33,
        4.85,
    ]
    assert table.loc["pc", ["visitors", "sales", "buyers"]].tolist() == [200, 500.5, 5]
    assert table.loc["wireless", ["visitors", "sales", "buyers"]].tolist() == [1050, 2000, 26]
    assert table.loc["pc"].isna()["page_views"]
    assert set(table["source_file"]) == {"a.xls"}


def test_without_buyers_a_dash_is_zero_and_otherwise_it_is_missing(here, tmp_path):
    none = {"支付买家数": "0", "支付金额": "-", "支付商品件数": "-", "浏览量": "-"}
    accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day(**none)))
    day = days(here).iloc[0]
    assert day[["buyers", "sales", "units"]].tolist() == [0, 0, 0]
    assert pd.isna(day["page_views"])


@pytest.mark.parametrize("preamble", [0, 1, 5])
def test_the_header_is_found_wherever_it_stands(here, tmp_path, preamble):
    accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day(), preamble=preamble))
    assert days(here)["sales"].tolist() == [2500.5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_every_encoding(here, tmp_path, encoding):
    rows = [vendor.SHOP_DAY, vendor.shop_day()]
    accepted(here, vendor.text(tmp_path / "a.csv", rows, encoding))
    assert days(here)["sales"].tolist() == [2500.5]


def test_tabs_nul_bytes_and_web_pages_posing_as_excel_are_read(here, tmp_path):
    rows = [vendor.SHOP_DAY, vendor.shop_day()]
    tabs = vendor.text(tmp_path / "tabs.xls", rows, delimiter="\t")
    tabs.write_bytes(tabs.read_bytes() + b"\0\0")
    later = vendor.shop_day(统计日期="2026-11-19")
    page = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for row in [vendor.SHOP_DAY, later]
    )
    (tmp_path / "page.xls").write_text(f"<html><table>{page}</table></html>", encoding="utf-8")
    accepted(here, tabs, tmp_path / "page.xls")
    assert days(here)["sales"].tolist() == [2500.5, 2500.5]


def test_real_numbers_and_dates_of_a_workbook_are_read(here, tmp_path):
    row = [46344 if h == "统计日期" else 1200 if h == "访客数" else c
           for h, c in zip(vendor.SHOP_DAY, vendor.shop_day(), strict=True)]  # fmt: skip
    accepted(here, vendor.xlsx(tmp_path / "a.xlsx", [vendor.SHOP_DAY, row]))
    assert days(here)["visitors"].to_dict() == {pd.Timestamp("2026-11-18"): 1200}


def test_headers_may_differ_in_width_case_and_white_space(here, tmp_path):
    renamed = {
        "人均停留时长(秒)": " 人均停留时长（秒） ",
        "支付金额": "支付金额（元）",
        "访客数": "访客数UV",
    }
    header = [renamed.get(name, name) for name in vendor.SHOP_DAY]
    accepted(here, vendor.xls(tmp_path / "a.xls", [header, vendor.shop_day()]))
    assert days(here)[["dwell", "sales", "visitors"]].iloc[0].tolist() == [35.2, 2500.5, 1200]


def test_the_sheet_that_is_the_report_is_found(here, tmp_path):
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    book.add_sheet("说明").write(0, 0, "说明")
    page = book.add_sheet("数据")
    for y, row in enumerate([vendor.SHOP_DAY, vendor.shop_day()]):
        for x, cell in enumerate(row):
            page.write(y, x, cell)
    book.save(str(tmp_path / "a.xls"))
    accepted(here, tmp_path / "a.xls")
    assert records.said(here)["files"]["a.xls"]["sheet"] == "数据"


def test_a_totals_row_is_left_out_and_compared(here, tmp_path):
    total = vendor.shop_day(统计日期="合计", 支付金额="5,000.00")
    second = vendor.shop_day(统计日期="2026-11-19")
    result = accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day(), second, total))
    assert result.left_out == {"totals rows": 1}
    checks = {c["check"]: c for c in records.said(here)["files"]["a.xls"]["checks"]}
    assert checks["rows of 支付金额 add up to the totals row"] == {
        "check": "rows of 支付金额 add up to the totals row",
        "rows": 5001.0, "stated": 5000.0, "agrees": False,
    }  # fmt: skip


def test_blank_rows_and_lines_of_text_below_the_table_are_no_rows(here, tmp_path):
    blank, text = [""] * len(vendor.SHOP_DAY), ["", "注：数据以次日为准"]
    result = accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day(), blank, text))
    assert len(days(here)) == 1
    assert result.left_out == {"lines of text outside the table": 1}


def test_rounded_amounts_are_read_and_counted(here, tmp_path):
    accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day(支付金额="2.5万", 浏览量="1.2亿")))
    assert days(here)[["sales", "page_views"]].iloc[0].tolist() == [25_000, 120_000_000]
    assert records.said(here)["files"]["a.xls"]["rounded"] == 2


# ---- traffic sources -----------------------------------------------------------------------------

TREE = [
    ["付费推广", "汇总", "汇总", "300", "1%", "600.00", "6", "9"],
    ["付费推广", "无界", "汇总", "300", "1%", "600.00", "6", "9"],
    ["付费推广", "无界", "关键词推广", "200", "1%", "400.00", "4", "6"],
    ["付费推广", "无界", "人群推广", "110", "1%", "200.00", "2", "3"],
    ["经营优势", "汇总", "汇总", "500", "1%", "-", "0", "9"],
    ["经营优势", "搜索", "汇总", "500", "1%", "-", "0", "9"],
    ["暗号", "汇总", "汇总", "7", "1%", "-", "0", "0"],
]


def sources_file(path: Path, rows=TREE) -> Path:
    return vendor.xls(path, vendor.with_header(vendor.SOURCES, *rows, preamble=5), "店铺渠道")


def test_of_a_source_tree_only_the_leaves_are_kept_and_the_parents_compared(here, tmp_path):
    name = "【生意参谋平台】无线店铺流量来源-2026-11-12_2026-11-12.xls"
    result = accepted(here, sources_file(tmp_path / name))
    table = tables.read(here, "source_day").set_index("source")
    assert table["channel"].to_dict() == {
        "付费推广/无界/人群推广": "paid",
        "付费推广/无界/关键词推广": "paid",
        "暗号": "unmapped",
        "经营优势/搜索": "free search",
    }
    assert table["sales"].to_dict() == {
        "付费推广/无界/人群推广": 200, "付费推广/无界/关键词推广": 400, "暗号": 0, "经营优势/搜索": 0,
    }  # fmt: skip
    assert set(table["device"]) == {"wireless"}
    assert set(table["date"]) == {pd.Timestamp("2026-11-12")}
    assert result.left_out == {"parents in the source tree": 3}
    assert all(check["agrees"] for check in records.said(here)["files"][name]["checks"])


def test_a_source_file_of_several_days_is_refused(here, tmp_path):
    name = "PC店铺流量来源-2026-11-01_2026-11-07.xls"
    assert imported(here, sources_file(tmp_path / name)).refused[0].refused == (
        f"{name}: its name says 2026-11-01 to 2026-11-07; allowed: a single day. "
        "Export the report again with one row, or one file, for each day."
    )
    assert not here.exists()


def test_a_source_file_without_a_day_in_its_name_is_refused(here, tmp_path):
    assert imported(here, sources_file(tmp_path / "PC来源.xls")).refused[0].refused == (
        "PC来源.xls: its name does not say the date, nor does a column; expected is a name such as "
        "无线店铺流量来源-2026-11-20_2026-11-20.xls. "
        "Give the file back the name that the platform gave it."
    )


# ---- orders --------------------------------------------------------------------------------------

ORDER_ROWS = [
    ['="193000000000000001"', "tb甲", "a@b.cn", "100.00", "100.00", "交易成功", "快点", "张三",
     "浙江省 杭州市 西湖区", "'18600000001", "2026-11-10 09:00:00", "2026-11-10 09:05:00",
     "2026-11-15 10:00:00", "2", "0.00"],
    ['="193000000000000002"', "tb乙", "", "80.00", "0.00", "交易关闭", "", "李四", "上海上海市徐汇区",
     "'18600000002", "2026-11-10 10:00:00", "2026-11-10 10:01:00", "", "1", "80.00"],
    ['="193000000000000003"', "tb甲", "", "60.00", "0.00", "交易关闭", "", "张三", "浙江省 杭州市",
     "'18600000001", "2026-11-10 11:00:00", "", "", "1", "0.00"],
    ['="193000000000000004"', "tb甲", "", "50.00", "40.00", "交易成功", "", "张三", "浙江省 杭州市",
     "'18600000001", "2026-11-11 11:00:00", "2026-11-11 11:02:00", "", "1", "5.00"],
]  # fmt: skip
SECRETS = ("tb甲", "张三", "西湖", "18600000001", "a@b.cn", "快点")


def orders_file(path: Path, rows=ORDER_ROWS) -> Path:
    return vendor.text(path, [vendor.ORDERS, *rows])


def test_orders_keep_who_never_paid_and_who_got_it_back_apart(here, tmp_path):
    accepted(here, orders_file(tmp_path / "ExportOrderList1.csv"))
    orders = tables.read(here, "orders").set_index("order_id")
    closed = orders[orders["status"] == "交易关闭"]
    assert closed["paid_at"].notna().to_dict() == {
        "193000000000000002": True, "193000000000000003": False,
    }  # fmt: skip
    assert closed["refunded"].tolist() == [80, 0]
    assert orders["province"].tolist() == ["浙江", "上海", "浙江", "浙江"]
    assert orders["buyer_key"].nunique() == 2


def test_what_was_paid_is_before_refunds_whichever_way_the_file_states_it(here, tmp_path):
    accepted(here, orders_file(tmp_path / "net.csv"))
    assert tables.read(here, "orders")["paid"].tolist() == [100, 80, 0, 45]
    assert (
        "买家实际支付金额 is net of refunds in this file."
        in records.said(here)["files"]["net.csv"]["notes"]
    )
    gross = [row.copy() for row in ORDER_ROWS]
    gross[1][4], gross[3][4] = "80.00", "45.00"
    other = tmp_path / "other"
    accepted(other, orders_file(tmp_path / "gross.csv", gross))
    assert tables.read(other, "orders")["paid"].tolist() == [100, 80, 0, 45]
    notes = records.said(other)["files"]["gross.csv"]["notes"]
    assert "买家实际支付金额 is before refunds in this file." in notes


def test_days_follow_from_orders_where_no_file_states_them(here, tmp_path):
    accepted(here, orders_file(tmp_path / "o.csv"))
    table = days(here)
    columns = ["orders", "buyers", "units", "sales", "refunds", "ordered_amount"]
    assert table[columns].to_numpy().tolist() == [[2, 2, 3, 180, 80, 240], [1, 1, 1, 45, 5, 50]]
    assert table["visitors"].isna().all()
    assert set(table["source_file"]) == {"derived from orders"}
    accepted(here, shop_file(tmp_path / "d.xls", vendor.shop_day(统计日期="2026-11-11")))
    assert days(here)["source_file"].tolist() == ["derived from orders", "d.xls"]


def test_an_order_without_a_buyer_leaves_the_buyers_of_its_day_missing(here, tmp_path):
    rows = [ORDER_ROWS[0], [ORDER_ROWS[1][0], "", *ORDER_ROWS[1][2:]], ORDER_ROWS[3]]
    accepted(here, orders_file(tmp_path / "o.csv", rows))
    assert days(here)["buyers"].isna().tolist() == [True, False]
    assert days(here)["orders"].tolist() == [2, 1]


def test_a_day_of_payment_on_which_nothing_was_ordered_is_not_covered(here, tmp_path):
    late = [ORDER_ROWS[0], [*ORDER_ROWS[3][:11], "2026-11-14 00:01:00", *ORDER_ROWS[3][12:]]]
    accepted(here, orders_file(tmp_path / "o.csv", late))
    assert days(here)["orders"].to_dict() == {
        pd.Timestamp("2026-11-10"): 1, pd.Timestamp("2026-11-11"): 0,
    }  # fmt: skip
    assert records.said(here)["paid_on_days_not_covered"] == {"orders": 1, "paid": 45.0}


def test_personal_data_reaches_no_table_and_no_record(here, tmp_path):
    accepted(here, orders_file(tmp_path / "o.csv"))
    kept = b"".join(bytes_of(here / "tables").values())
    frames = [pd.read_parquet(f) for f in (here / "tables").rglob("*.parquet")]
    everything = kept.decode("utf-8", "ignore") + "".join(f.to_csv() for f in frames)
    assert not [secret for secret in SECRETS if secret in everything]
    dropped = records.said(here)["files"]["o.csv"]["personal_columns_dropped"]
    assert {"买家会员名", "收货人姓名", "收货地址", "联系手机", "买家留言"} <= set(dropped)


def test_buyers_are_hashed_with_the_shops_own_salt(here, tmp_path):
    accepted(here, orders_file(tmp_path / "o.csv"))
    salt = here / "salt"
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    other = tmp_path / "other"
    accepted(other, tmp_path / "o.csv")
    keys = [set(tables.read(folder, "orders")["buyer_key"]) for folder in (here, other)]
    assert not keys[0] & keys[1]
    before = salt.read_bytes()
    accepted(here, orders_file(tmp_path / "p.csv", ORDER_ROWS[:1]))
    assert salt.read_bytes() == before
    assert set(tables.read(here, "orders")["buyer_key"]) == keys[0]


LINE_ROWS = [
    ["11", "193000000000000001", "被子", "60.00", "1", "", "交易成功", "A-1", "60.00", "55.00", "0"],
    ["12", "193000000000000001", "枕头", "45.00", "1", "", "交易成功", "", "45.00", "45.00", "0"],
    ["13", "193000000000000002", "毯子", "80.00", "1", "", "交易关闭", "C-9", "80.00", "0.00", "80.00"],
]  # fmt: skip
ITEM_ROWS = [
    ["600000000001", "被子", "A-1", "床品", "69.00", "20.00", "5", "2026-01-05", "4.8", "否"],
    ["600000000002", "枕头", "B-1", "床品", "49.00", "-", "7", "2026/2/5", "4.7", "是"],
]


def test_lines_find_their_item_by_code_then_title_in_any_order(here, tmp_path):
    lines = vendor.text(tmp_path / "lines.csv", [vendor.LINES, *LINE_ROWS])
    items = vendor.text(tmp_path / "items.csv", [vendor.ITEMS, *ITEM_ROWS])
    accepted(here, lines)
    accepted(here, orders_file(tmp_path / "o.csv"), items)
    found = tables.read(here, "order_lines").set_index(["order_id", "line"])
    assert found["item_id"].tolist() == ["600000000001", "600000000002", "C-9"]
    assert found["paid"].tolist() == [55, 45, 80]
    by_item = tables.read(here, "item_day").set_index("item_id")
    assert by_item["sales"].to_dict() == {"600000000001": 55, "600000000002": 45, "C-9": 80}
    assert by_item["refunds"].to_dict() == {"600000000001": 0, "600000000002": 0, "C-9": 80}
    shown = tables.read(here, "items").set_index("item_id")
    assert shown["title"].tolist() == ["被子", "枕头", "毯子"]
    assert shown["presale"].tolist()[:2] == [False, True]
    assert shown["listed_on"].tolist()[1] == pd.Timestamp("2026-02-05")


def test_a_newer_file_replaces_all_lines_of_an_order(here, tmp_path):
    def lines(name: str, rows) -> Path:
        return vendor.text(tmp_path / name, [vendor.LINES, *rows])

    old = lines("ExportOrderDetailList202611120900.csv", LINE_ROWS)
    new = lines("ExportOrderDetailList202611130900.csv", LINE_ROWS[:1])
    accepted(here, new)
    accepted(here, old)
    assert tables.read(here, "order_lines")["order_id"].tolist() == [
        "193000000000000001", "193000000000000002",
    ]  # fmt: skip


# ---- advertising, items --------------------------------------------------------------------------


def test_keywords_of_one_name_are_one_row_with_rank_weighted_by_impressions(here, tmp_path):
    def row(word_id: str, shown: str, cost: str, rank: str) -> list[str]:
        return ["2026-11-18", "1", "7", "计划", "8", "单元", "600000000001", "关键词", word_id, "四件套",
                shown, "10", cost, "1%", "100", "1", "2", rank]  # fmt: skip

    rows = [row("1", "100", "￥1,000.00", "2"), row("2", "300", "5.5", "4")]
    accepted(
        here, vendor.text(tmp_path / "推广关键词报表_20261119_090000.csv", [vendor.KEYWORDS, *rows])
    )
    ad = tables.read(here, "ad_day")
    assert ad[["impressions", "clicks", "cost", "avg_rank"]].to_numpy().tolist() == [
        [400, 20, 1005.5, 3.5]
    ]


def item_row(**changes: str) -> list[str]:
    row = ["2026-11-18", "600000000001", "被子", "A-1", "100", "150", "20", "55.00%", "3", "4", "5", "5",
           "300", "4", "4", "240.00", "0.00"]  # fmt: skip
    return list((dict(zip(vendor.ITEM_DAY, row, strict=True)) | changes).values())


def test_an_item_day_also_says_what_the_item_is_called(here, tmp_path):
    footer = item_row(商品ID="-", 商品访客数="100")
    result = accepted(here, vendor.xls(tmp_path / "i.xls", [vendor.ITEM_DAY, item_row(), footer]))
    assert result.left_out == {"totals rows": 1}
    assert tables.read(here, "items")[["item_id", "title"]].to_numpy().tolist() == [
        ["600000000001", "被子"]
    ]
    assert tables.read(here, "item_day")["sales"].tolist() == [240]


# ---- what is refused -----------------------------------------------------------------------------

AGAIN = "Export the report again; if it is still so, correct the file."
FAULTS = {
    "missing columns": (
        [vendor.SHOP_DAY[:6], ["小店", "2026-11-18", "1", "2", "3", "4%"]],
        "bad.xls looks like 'Sycm, the shop by day (自助取数)' but has no columns 支付金额, 支付买家数. "
        "It has: 卖家昵称, 统计日期, 访客数, 浏览量, 人均停留时长(秒), 跳失率. "
        "Export it again with all columns, or map the header: data/README.md tells how.",
    ),
    "missing column": (
        [["统计日期", "访客数", "支付买家数"], ["2026-11-18", "10", "1"]],
        "bad.xls looks like 'Sycm, the shop by day (自助取数)' but has no column 支付金额. It has: 统计日期, "
        "访客数, 支付买家数. Export it again with all columns, or map the header: data/README.md tells how.",
    ),
    "header row too far down": (
        [*[["生意参谋"]] * 30, vendor.SHOP_DAY, vendor.shop_day()],
        "bad.xls: no header row was found in the first 30 rows. The first row is '生意参谋'. Expected is a "
        "row of column names, as the platform exports it. Delete what stands above it, or export the "
        "report again.",
    ),
    "unknown report": (
        [["姓名", "工资"], ["甲", "5"]],
        "bad.xls: this is no report that is known. Its columns: 姓名, 工资. "
        "Write a mapping for it: data/README.md tells how.",
    ),
    "mangled id": (
        [vendor.ITEM_DAY, item_row(), item_row(商品ID="6.12E+11")],
        "bad.xls, row 3: 商品ID is '6.12E+11'; allowed: an id with all its digits. Excel has replaced its "
        "last digits and nothing can bring them back. Export the report again and import it without "
        "saving it in Excel.",
    ),
    "percent out of range": (
        [vendor.SHOP_DAY, vendor.shop_day(跳失率="170.00%")],
        f"bad.xls, row 2: 跳失率 is '170.00%'; allowed: 0 % to 100 %. {AGAIN}",
    ),
    "sales without buyers": (
        [vendor.SHOP_DAY, vendor.shop_day(支付买家数="0")],
        f"bad.xls, row 2: 支付金额 is '2,500.50'; allowed: no sales where 支付买家数 is 0. {AGAIN}",
    ),
    "sales without buyers on one side": (
        [vendor.SHOP_DAY, vendor.shop_day(PC端支付买家数="0")],
        f"bad.xls, row 2: PC端支付金额 is '500.50'; allowed: no sales where PC端支付买家数 is 0. {AGAIN}",
    ),
    "duplicate keys": (
        [vendor.SHOP_DAY, vendor.shop_day(), vendor.shop_day(支付金额="1")],
        "bad.xls, rows 2 and 3: both are for date 2026-11-18, device all; allowed: one row for each "
        f"date, device. {AGAIN}",
    ),
    "no rows": (
        [vendor.SHOP_DAY],
        "bad.xls is empty: it has a header but no rows below it. "
        "Export the report again for days that are over.",
    ),
    "future": (
        [vendor.SHOP_DAY, vendor.shop_day(统计日期="2026-11-22")],
        "bad.xls, row 2: 统计日期 is '2026-11-22'; allowed: days up to today, 2026-11-21. "
        "Check the file, and the computer's clock.",
    ),
    "a week in one row": (
        [vendor.SHOP_DAY, vendor.shop_day(统计日期="2026-11-01~2026-11-07")],
        "bad.xls, row 2: 统计日期 is '2026-11-01~2026-11-07'; allowed: a single day. "
        "Export the report again with one row, or one file, for each day.",
    ),
    "no date": (
        [vendor.SHOP_DAY, vendor.shop_day(统计日期="昨天")],
        f"bad.xls, row 2: 统计日期 is '昨天'; allowed: a date such as 2026-11-20. {AGAIN}",
    ),
    "key missing": (
        [vendor.ITEM_DAY, item_row(统计日期="")],
        f"bad.xls, row 2: 统计日期 is missing; allowed: a value in every row. {AGAIN}",
    ),
    "no number": (
        [vendor.SHOP_DAY, vendor.shop_day(访客数="很多"), vendor.shop_day(访客数="多")],
        f"bad.xls, row 2: 访客数 is '很多'; allowed: a number. 2 rows are like this. {AGAIN}",
    ),
    "negative": (
        [vendor.SHOP_DAY, vendor.shop_day(访客数="-5")],
        f"bad.xls, row 2: 访客数 is '-5'; allowed: 0 or more. {AGAIN}",
    ),
    "more new visitors than visitors": (
        [vendor.SHOP_DAY, vendor.shop_day(新访客数="5000")],
        f"bad.xls, row 2: 新访客数 is '5000'; allowed: no more than 访客数. {AGAIN}",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_trusted_is_refused_and_changes_nothing(known, tmp_path, fault):
    rows, message = FAULTS[fault]
    before = bytes_of(known)
    refused = imported(known, vendor.xls(tmp_path / "bad.xls", rows)).refused
    assert [file.refused for file in refused] == [message]
    assert bytes_of(known) == before


DAMAGED = "The file is damaged or incomplete: download it again."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.csv: is empty: it holds no rows. Download it again."),
        (b"\xef\xbb\xbf \r\n", "bad.csv: is empty: it holds no rows. Download it again."),
        (b"PK\x03\x04broken", f"bad.csv: cannot be read as a zip file. {DAMAGED}"),
        (
            b"<html><body>login</body></html>",
            "bad.csv: is a web page without a table (perhaps a login page). Download it again.",
        ),
        (
            b"\xff\xff\x80\x81",
            "bad.csv: cannot be read: it is no Excel, zip, Parquet or text file in UTF-8, GB18030 or "
            "UTF-16. Download it again, or save it as CSV (UTF-8).",
        ),
    ],
)
def test_an_unreadable_file_is_refused(known, tmp_path, content, message):
    before = bytes_of(known)
    (tmp_path / "bad.csv").write_bytes(content)
    assert imported(known, tmp_path / "bad.csv").refused[0].refused == message
    assert bytes_of(known) == before


def test_a_damaged_workbook_is_refused(known, tmp_path):
    (tmp_path / "bad.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600)
    message = imported(known, tmp_path / "bad.xls").refused[0].refused
    assert message.startswith("bad.xls: cannot be read as an Excel file (")
    assert message.endswith(DAMAGED)


def test_a_row_with_a_cell_too_many_is_refused(known, tmp_path):
    rows = [vendor.SHOP_DAY, vendor.shop_day(), [*vendor.shop_day(统计日期="2026-11-19"), "7"]]
    assert imported(known, vendor.text(tmp_path / "a.csv", rows)).refused[0].refused == (
        "a.csv: row 3 has more cells than the header has columns. "
        "A text with a comma must be in quotes."
    )


def test_a_refused_file_does_not_stop_the_others(known, tmp_path):
    bad = vendor.xls(tmp_path / "bad.xls", FAULTS["percent out of range"][0])
    good = shop_file(tmp_path / "fine.xls", vendor.shop_day(统计日期="2026-11-17"))
    result = imported(known, bad, good)
    assert [file.name for file in result.refused] == ["bad.xls"]
    assert days(known).index.strftime("%d").tolist() == ["01", "17"]
    assert not (known / "exports" / "bad.xls").exists()


def test_another_basis_is_refused(known, tmp_path):
    header = "visit_id,full_visitor_id,purchase_date,channel_grouping,page_views,revenue"
    hits = f"{header}\n1,2,20170501,Direct,1,"
    (tmp_path / "hits.csv").write_text(hits)
    assert imported(known, tmp_path / "hits.csv").refused[0].refused == (
        "hits.csv: 'Google Analytics 360, hits of the Google Merchandise Store' counts orders/sessions, "
        "but this shop counts buyers/visitors; rates of the two cannot be compared. "
        "Import it into a shop of its own."
    )


def test_a_file_that_does_not_exist_is_an_error(here, tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.xls: there is no such file"):
        imported(here, tmp_path / "nowhere.xls")


def test_a_day_that_is_not_over_is_left_out(here, tmp_path):
    rows = [vendor.shop_day(统计日期="2026-11-20"), vendor.shop_day(统计日期="2026-11-21")]
    result = accepted(here, shop_file(tmp_path / "a.xls", *rows))
    assert days(here).index.tolist() == [pd.Timestamp("2026-11-20")]
    assert result.left_out == {"today is not over": 1}


def test_orders_of_the_day_of_an_export_are_left_out(here, tmp_path):
    result = accepted(here, orders_file(tmp_path / "ExportOrderList202611111200.csv"))
    assert result.left_out == {"the day of the export was not over": 1}
    assert len(tables.read(here, "orders")) == 3


# ---- archives ------------------------------------------------------------------------------------


def test_each_file_of_an_archive_stands_alone(here, tmp_path):
    good = shop_file(tmp_path / "good.xls", vendor.shop_day()).read_bytes()
    bad = vendor.xls(tmp_path / "b.xls", FAULTS["percent out of range"][0]).read_bytes()
    inner = vendor.zipped(tmp_path / "inner.zip", x=b"1").read_bytes()
    members = {
        "a/good.xls": good,
        "a/bad.xls": bad,
        "__MACOSX/a/._good.xls": b"x",
        ".DS_Store": b"x",
    }
    archive = vendor.zipped_as(tmp_path / "all.zip", members | {"inner.zip": inner})
    result = imported(here, archive)
    assert {file.name: bool(file.refused) for file in result.files} == {
        "all.zip/a/good.xls": False, "all.zip/a/bad.xls": True, "all.zip/inner.zip": True,
    }  # fmt: skip
    assert set(records.said(here)["sources"]["all.zip"]["refused"]) == {
        "all.zip/a/bad.xls", "all.zip/inner.zip",
    }  # fmt: skip
    assert exports.refresh(here, TODAY).files == ()


@pytest.mark.parametrize("name", ["../up.xls", "/etc/up.xls", "a/../../up.xls", "..\\up.xls"])
def test_an_archive_that_points_outside_is_refused_whole(known, tmp_path, name):
    before = bytes_of(known)
    good = shop_file(tmp_path / "good.xls", vendor.shop_day()).read_bytes()
    archive = vendor.zipped_as(tmp_path / "bad.zip", {"good.xls": good, name: good})
    message = imported(known, archive).refused[0].refused
    assert "points outside the archive. It is not a report: delete it." in message
    assert bytes_of(known) == before


def test_an_archive_that_unpacks_beyond_measure_is_refused(known, tmp_path, monkeypatch):
    monkeypatch.setattr("shopanalysis.exports.archives.MOST_BYTES", 1000)
    archive = vendor.zipped(tmp_path / "bomb.zip", a=b"0" * 2000)
    assert "would unpack to 1 file of" in imported(known, archive).refused[0].refused


def test_chinese_names_in_an_archive_are_read(here, tmp_path):
    name = "无线店铺流量来源-2026-11-12_2026-11-12.xls"
    content = sources_file(tmp_path / "x" / name).read_bytes()
    stored = name.encode("gb18030").decode("cp437")
    archive = vendor.zipped_as(tmp_path / "a.zip", {stored: content})
    raw = archive.read_bytes().replace(stored.encode("utf-8"), b"?")
    assert raw  # zipfile marks such a name as UTF-8; the next line unmarks it as old programs do
    accepted(here, _as_old_programs_write(archive, stored, name))
    assert tables.read(here, "source_day")["source_file"].iloc[0] == f"a.zip/{name}"


def _as_old_programs_write(archive: Path, stored: str, name: str) -> Path:
    """The archive with its one name in GBK and no mark that says so."""
    import zipfile

    class Old(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            return name.encode("gb18030"), self.flag_bits & ~0x800

    with zipfile.ZipFile(archive) as file:
        content = file.read(stored)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(Old(stored), content)
    return archive


# ---- again, changed, gone, killed ----------------------------------------------------------------


def test_importing_twice_changes_nothing_and_reads_nothing(known, tmp_path, monkeypatch):
    before = bytes_of(known)
    monkeypatch.setattr(readers, "sheets", None)
    assert imported(known, tmp_path / "good.xls") == exports.Imported()
    assert exports.refresh(known, TODAY) == exports.Imported()
    assert bytes_of(known) == before


def test_restated_values_are_counted_and_the_newest_file_wins(here, tmp_path):
    first = vendor.shop_day()
    second = vendor.shop_day(支付金额="2,600.00")
    new = shop_file(
        tmp_path / "店铺_20261120_100000.xls", second, vendor.shop_day(统计日期="2026-11-19")
    )
    old = shop_file(tmp_path / "店铺_20261119_100000.xls", first)
    accepted(here, new)
    accepted(here, old)
    assert days(here)["sales"].tolist() == [2600, 2500.5]
    counted = {
        name: facts["tables"]["shop_day"] for name, facts in records.said(here)["files"].items()
    }
    assert counted == {
        "店铺_20261119_100000.xls": {"added": 3, "changed": 0, "unchanged": 0},
        "店铺_20261120_100000.xls": {"added": 3, "changed": 1, "unchanged": 2},
    }


def test_a_file_changed_in_place_replaces_its_own_rows(known):
    file = known / "exports" / "good.xls"
    shop_file(file, vendor.shop_day(统计日期="2026-11-02"))
    result = exports.refresh(known, TODAY)
    assert [report.name for report in result.files] == ["good.xls"]
    assert days(known).index.tolist() == [pd.Timestamp("2026-11-02")]


def test_another_file_of_the_same_name_is_kept_beside_it(known, tmp_path):
    other = shop_file(tmp_path / "else" / "good.xls", vendor.shop_day(统计日期="2026-11-02"))
    accepted(known, other)
    assert sorted(f.name for f in (known / "exports").iterdir()) == ["good (2).xls", "good.xls"]
    assert len(days(known)) == 2


def test_rows_of_a_file_that_is_gone_go_too(known, tmp_path):
    accepted(known, shop_file(tmp_path / "b.xls", vendor.shop_day()))
    (known / "exports" / "good.xls").unlink()
    result = exports.refresh(known, TODAY)
    assert result.removed == ("good.xls",)
    assert days(known).index.tolist() == [pd.Timestamp("2026-11-18")]
    assert exports.refresh(known, TODAY) == exports.Imported()


@pytest.mark.parametrize(
    "lost", ["tables", "shop_day.parquet", "rows/shop_day.parquet", "import.json"]
)
def test_what_is_deleted_from_tables_is_made_again(known, lost):
    import shutil

    before = bytes_of(known / "tables")
    target = known / "tables" / lost if lost != "tables" else known / "tables"
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    exports.refresh(known, TODAY)
    assert bytes_of(known / "tables") == before


@pytest.mark.parametrize("step", ["write a table", "write rows", "write the record"])
def test_an_import_killed_before_all_is_written_leaves_what_was_there(
    known, tmp_path, monkeypatch, step
):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    place = {
        "write a table": "shopanalysis.tables.write",
        "write rows": "shopanalysis.exports.ledger.write",
        "write the record": "shopanalysis.exports.records.write",
    }[step]
    more = shop_file(tmp_path / "b.xls", vendor.shop_day())
    before = bytes_of(known)
    with monkeypatch.context() as patch:
        patch.setattr(place, kill)
        with pytest.raises(Killed):
            imported(known, more)
    exports.refresh(known, TODAY)
    assert bytes_of(known) == before
    accepted(known, more)
    straight = tmp_path / "straight"
    accepted(straight, tmp_path / "good.xls", more)
    pd.testing.assert_frame_equal(tables.read(known, "shop_day"), tables.read(straight, "shop_day"))
    assert bytes_of(known / "tables") == bytes_of(straight / "tables")


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_an_import_killed_while_it_moves_its_tables_counts_at_once_and_is_finished(
    known, tmp_path, monkeypatch, moved
):
    """Whatever has been moved when it stops: a reader sees all of the new tables, or what was there."""

    class Killed(BaseException):
        pass

    done = []

    def replace(here, there, replace=os.replace):
        if "/.next/" in str(here):
            if len(done) == moved:
                raise Killed
            done.append(there)
        replace(here, there)

    more = shop_file(tmp_path / "b.xls", vendor.shop_day(), vendor.shop_day(统计日期="2026-11-19"))
    straight = tmp_path / "straight"
    accepted(straight, tmp_path / "good.xls", more)
    with monkeypatch.context() as patch:
        patch.setattr("shopanalysis.exports.landing.os.replace", replace)
        with pytest.raises(Killed):
            imported(known, more)
    after = tables.read(straight, "shop_day")
    pd.testing.assert_frame_equal(tables.read(known, "shop_day"), after)
    exports.refresh(known, TODAY)
    assert bytes_of(known / "tables") == bytes_of(straight / "tables")


def test_a_table_that_the_importer_did_not_make_is_left_alone(known):
    tables.write(known, "ad_day", tables.empty("ad_day"))
    (known / "tables" / "import.json").unlink()
    exports.refresh(known, TODAY)
    assert tables.path(known, "ad_day").exists()


def test_a_folder_without_exports_is_left_alone(tmp_path):
    tables.write(tmp_path, "ad_day", tables.empty("ad_day"))
    before = bytes_of(tmp_path)
    assert exports.refresh(tmp_path, TODAY) == exports.Imported()
    assert bytes_of(tmp_path) == before


def test_two_formats_fill_each_others_gaps_and_the_newer_wins(here, tmp_path):
    listed = vendor.text(tmp_path / "items_20261118_100000.csv", [vendor.ITEMS, *ITEM_ROWS])
    renamed = vendor.xls(
        tmp_path / "i_20261119_100000.xls", [vendor.ITEM_DAY, item_row(商品名称="羽绒被")]
    )
    accepted(here, renamed, listed)
    item = tables.read(here, "items").set_index("item_id").loc["600000000001"]
    assert item[["title", "category", "list_price"]].tolist() == ["羽绒被", "床品", 69]
    assert item["source_file"] == "i_20261119_100000.xls + items_20261118_100000.csv"


def test_a_new_shop_says_what_its_first_file_knows(here, tmp_path):
    accepted(here, shop_file(tmp_path / "a.xls", vendor.shop_day()))
    made = shop.load(here)
    assert (made.name, made.platform, made.basis) == ("shop", "tmall", "buyers/visitors")
    assert (made.currency, made.time_zone, made.language) == ("CNY", "Asia/Shanghai", "zh")


def test_the_summary_says_what_was_done(known, tmp_path):
    bad = vendor.xls(tmp_path / "bad.xls", FAULTS["percent out of range"][0])
    rows = [vendor.shop_day(), vendor.shop_day(统计日期="合计")]
    assert imported(known, bad, shop_file(tmp_path / "b.xls", *rows)).summary_lines() == [
        "1 file read, 1 refused",
        "shop_day: 3 added",
        "left out: 1 row, totals rows",
        f"refused: {FAULTS['percent out of range'][1]}",
    ]


# ---- any order -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> list[Path]:
    """Files of several formats that restate and complete each other."""
    folder = tmp_path_factory.mktemp("mixed")
    restated = vendor.shop_day(支付金额="9,999.00")
    lines = [vendor.LINES, *LINE_ROWS]
    return [
        vendor.dated(shop_file(folder / "a.xls", vendor.shop_day()), 1_700_000_000),
        vendor.dated(shop_file(folder / "b.xls", restated), 1_700_000_100),
        shop_file(folder / "c_20261119_080000.xls", vendor.shop_day(访客数="1,300")),
        vendor.dated(orders_file(folder / "o.csv"), 1_700_000_000),
        vendor.dated(vendor.text(folder / "l.csv", lines), 1_700_000_000),
        vendor.dated(vendor.text(folder / "i.csv", [vendor.ITEMS, *ITEM_ROWS]), 1_700_000_000),
    ]


def tables_in(folder: Path) -> dict[str, str]:
    return {name: tables.read(folder, name).drop(columns="buyer_key", errors="ignore").to_csv()
            for name in tables.available(folder)}  # fmt: skip


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_of_import_gives_the_same_tables(mixed, tmp_path_factory, data):
    together = tmp_path_factory.mktemp("order") / "together"
    accepted(together, *mixed)
    apart = tmp_path_factory.mktemp("order") / "apart"
    order = data.draw(st.permutations(mixed))
    cut = data.draw(st.integers(0, len(order)))
    for batch in (order[:cut], order[cut:], order):
        accepted(apart, *batch)
    assert tables_in(apart) == tables_in(together)
    assert json.dumps(records.said(apart)["files"]) == json.dumps(records.said(together)["files"])


# ---- inquiries of the shop's days, from customer service --------------------------------------------


def service(folder: Path, *lines: str) -> Path:
    file = folder / "service.csv"
    file.write_text(
        "\n".join(["日期,客服,接待人数,询单人数,支付人数", *lines, ""]), encoding="utf-8"
    )
    return file


def inquiries(folder: Path) -> pd.DataFrame:
    days = tables.read(folder, "shop_day")
    whole = days[days["device"] == "all"].set_index("date")
    return whole[["inquiries", "inquiry_buyers"]].astype(object).where(lambda t: t.notna(), None)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["2026-11-18,a,50,40,10", "2026-11-18,b,30,20,5"], [60, 15]),
        (["2026-11-18,a,50,40,10", "2026-11-18,,70,55,14"], [55, 14]),
        (["2026-11-18,a,50,40,10", "2026-11-18,b,30,-,-"], [None, None]),
        (["2026-11-18,a,50,40,41"], [None, None]),
        (["2026-11-17,a,50,40,10"], [None, None]),
    ],
    ids=[
        "agents",
        "the team's own row",
        "an agent is missing",
        "more paid than asked",
        "other day",
    ],
)
def test_customer_service_says_who_asked_where_the_shop_report_does_not(tmp_path, lines, wanted):
    rows = vendor.with_header(vendor.SHOP_DAY, vendor.shop_day())
    files = [vendor.xls(tmp_path / "shop.xls", rows), service(tmp_path, *lines)]
    here = tmp_path / "shop"
    assert not exports.import_files(here, files, today=TODAY).refused
    found = inquiries(here)
    assert found.loc["2026-11-18"].tolist() == wanted
    assert len(found) == 1
    source = tables.read(here, "shop_day").query("device == 'all'")["source_file"].tolist()
    assert source == ["shop.xls + service.csv" if wanted[0] else "shop.xls"]


def test_what_the_shop_itself_says_of_inquiries_is_never_touched():
    stated = pd.DataFrame({
        "date": pd.to_datetime(["2026-11-17", "2026-11-18"]), "device": "all", "source_file": "shop.xls",
        "inquiries": [None, 7.0], "inquiry_buyers": [3.0, None],
    })  # fmt: skip
    asked = stated.assign(agent_key="all", inquiries=9.0, inquiry_buyers=4.0, source_file="s.csv")
    assert derived.with_inquiries(stated, asked).equals(stated)
