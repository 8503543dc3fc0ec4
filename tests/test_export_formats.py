"""Every report that is read, cell by cell, from a file in its vendor's layout."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
import vendor_files as vendor
from export_fixtures import FIXTURES, lines

from shopanalysis import exports, shop, tables
from shopanalysis.exports import mappings, records, restatements

TODAY = date(2026, 11, 21)
# Formats of data sets that nobody exports any more; tests/test_real_data.py reads the data themselves.
PUBLISHED = {
    "google_analytics_hits", "google_merchandise_pages", "google_merchandise_products",
    "google_merchandise_stock", "kag_facebook_ads", "taobao_user_behavior", "tianchi_baby_trades",
    "uci_online_retail",
}  # fmt: skip


def imported(folder, *files) -> exports.Imported:
    result = exports.import_files(folder, files, today=TODAY)
    assert [file.refused for file in result.refused] == []
    return result


def shown(table: pd.DataFrame, columns: list[str]) -> list[list[str]]:
    """Cells as text: what is missing is empty, whole numbers have no point."""

    def cell(value) -> str:
        if pd.isna(value):
            return ""
        if isinstance(value, pd.Timestamp):
            return f"{value:%Y-%m-%d}" if value == value.normalize() else str(value)
        return f"{value:.15g}" if isinstance(value, float) else str(value)

    return [[cell(value) for value in row] for row in table[columns].itertuples(index=False)]


def dated(rows: list[list[str]]) -> list[list[str]]:
    """Midnight is written as a day."""
    return [[cell.removesuffix(" 00:00:00") for cell in row] for row in rows]


@pytest.mark.parametrize("key", FIXTURES)
def test_a_report_becomes_the_tables_that_it_holds_cell_by_cell(key, tmp_path):
    fixture = FIXTURES[key]
    imported(tmp_path / "shop", fixture.file(tmp_path))
    known = records.said(tmp_path / "shop")["files"][fixture.name]
    assert known["format"] == fixture.format
    assert known["header_row"] == fixture.header + 1
    assert fixture.tables.keys() <= known["tables"].keys()
    for name, text in fixture.tables.items():
        header, *wanted = lines(text)
        table = tables.read(tmp_path / "shop", name)
        personal = ["buyer_key", "source_file"]
        found = table.drop(columns=personal, errors="ignore").dropna(axis=1, how="all")
        assert list(found) == header
        assert shown(table, header) == dated(wanted)


def test_every_format_has_a_fixture_or_is_that_of_a_published_data_set():
    formats = {format.id for format in mappings.load().formats}
    assert {fixture.format for fixture in FIXTURES.values()} == formats - PUBLISHED


def test_every_format_says_from_when_on_it_looks_like_this():
    assert not [format.id for format in mappings.load().formats if not format.version]


@pytest.mark.parametrize("key", FIXTURES)
def test_what_a_file_states_as_a_total_is_what_its_rows_add_up_to(key, tmp_path):
    fixture = FIXTURES[key]
    imported(tmp_path / "shop", fixture.file(tmp_path))
    checks = records.said(tmp_path / "shop")["files"][fixture.name]["checks"]
    assert [check for check in checks if not check["agrees"]] == []
    if any(row and row[0].startswith(("合计", "Total")) for row in fixture.rows):
        assert checks


# ---- money, to the cent --------------------------------------------------------------------------


def cents(amounts: pd.Series) -> Decimal:
    return sum((Decimal(str(round(float(a), 2))) for a in amounts.dropna()), Decimal(0))


def column(key: str, header: str) -> list[Decimal]:
    """The amounts under a header of a fixture, read by hand."""
    fixture = FIXTURES[key]
    names = fixture.rows[fixture.header]
    cells = [row[names.index(header)] for row in fixture.rows[fixture.header + 1 :]]
    return [Decimal(cell.replace(",", "").removesuffix("元")) for cell in cells if cell]


def test_money_of_qianniu_orders_reconciles_with_each_kind_apart(tmp_path):
    imported(tmp_path / "shop", FIXTURES["orders, new"].file(tmp_path))
    orders = tables.read(tmp_path / "shop", "orders")
    closed, paid = orders["status"].eq("交易关闭"), orders["paid_at"].notna()
    kinds = {
        "closed before payment": cents(orders["amount"][closed & ~paid]),
        "closed after payment": cents(orders["paid"][closed & paid]),
        "deposit, balance open": cents(orders["paid"][orders["presale"] & ~paid]),
        "presale paid in full": cents(orders["paid"][orders["presale"] & paid]),
        "sold": cents(orders["paid"][paid & ~closed & ~orders["presale"]]),
        "refunded": cents(orders["refunded"]),
    }
    assert kinds == {
        "closed before payment": Decimal("60.05"), "closed after payment": Decimal("80.00"),
        "deposit, balance open": Decimal("50.00"), "presale paid in full": Decimal("300.00"),
        "sold": Decimal("145.20"), "refunded": Decimal("85.07"),
    }  # fmt: skip
    kept = cents(orders["paid"]) - cents(orders["refunded"])
    assert kept == sum(column("orders, new", "买家实际支付金额"))


def test_a_presale_order_counts_on_the_day_its_balance_is_paid(tmp_path):
    imported(tmp_path / "shop", FIXTURES["orders, new"].file(tmp_path))
    days = tables.read(tmp_path / "shop", "shop_day").set_index("date")
    assert days.loc["2026-11-01", ["sales", "ordered_amount"]].tolist() == [0, 600]
    assert days.loc["2026-11-11", "sales"] == 345.1


def test_money_of_shopify_orders_reconciles_and_is_counted_once_per_order(tmp_path):
    imported(tmp_path / "shop", FIXTURES["Shopify orders"].file(tmp_path))
    orders = tables.read(tmp_path / "shop", "orders").set_index("order_id")
    assert cents(orders["amount"]) == sum(column("Shopify orders", "Total")) == Decimal("137.59")
    assert cents(orders["refunded"]) == sum(column("Shopify orders", "Refunded Amount"))
    parts = [sum(column("Shopify orders", h)) for h in ("Subtotal", "Shipping", "Taxes")]
    assert sum(parts) == cents(orders["amount"])
    assert cents(orders["paid"]) == cents(orders["amount"]) - Decimal("9.99")
    lines_of = tables.read(tmp_path / "shop", "order_lines").groupby("order_id")["paid"].sum()
    discount = {"#1001": 5}  # the order's, which no line holds
    for name, order in orders[orders["paid"] > 0].iterrows():
        beside = {"#1001": 9.40, "#1004": 3.20}.get(name, 0)  # shipping and taxes
        assert lines_of[name] - discount.get(name, 0) + beside == pytest.approx(order["paid"])


def test_refunds_complete_orders_whose_file_does_not_state_them(tmp_path):
    old = FIXTURES["orders, old"]
    refunds = vendor.text(
        tmp_path / "r.csv",
        lines(
            "退款编号,订单编号,退款申请时间,退款状态,商品id,退款总额\n"
            "1,193000000000000001,2016-05-24 08:00,退款成功,600000000003,98.00\n"
            "2,193000000000000004,2016-05-24 09:00,退款关闭,600000000003,0.20\n"
        ),
    )
    imported(tmp_path / "shop", old.file(tmp_path), refunds)
    orders = tables.read(tmp_path / "shop", "orders").set_index("order_id")
    assert orders["refunded"].dropna().to_dict() == {
        "193000000000000001": 98, "193000000000000004": 0,
    }  # fmt: skip


# ---- one cost, stated up to three times ----------------------------------------------------------


def ads(folder, name: str, header: str, row: str):
    return vendor.text(
        folder / name, lines(f"日期,计划ID,计划名字,{header},展现量,点击量,花费,总成交金额\n{row}")
    )


def test_a_cost_stated_by_plan_item_and_word_counts_once(tmp_path):
    day = "2026-11-18,7,秋冬"
    files = [
        ads(tmp_path, "计划.csv", "场景ID", f"{day},1,9,3,30,60\n2026-11-17,7,秋冬,1,9,3,11,60"),
        ads(tmp_path, "商品.csv", "主体ID", f"{day},600000000001,9,3,30,60"),
        ads(tmp_path, "词.csv", "宝贝ID,词名字/词包名字", f"{day},600000000001,被子,9,3,30,60"),
    ]
    for order in (files, files[::-1]):
        folder = tmp_path / f"shop{order[0].name}"
        imported(folder, *order)
        ad = tables.read(folder, "ad_day")
        assert ad.groupby("date")["cost"].sum().tolist() == [11, 30]
        assert ad["word"].tolist() == ["all", "被子"]


# ---- one shop, one currency, one way of attribution, one clock -----------------------------------


def refusal(folder, *files) -> str:
    (file,) = exports.import_files(folder, files, today=TODAY).refused
    return file.refused


def test_a_file_of_several_shops_is_refused(tmp_path):
    fixture = FIXTURES["orders, new"]
    rows = [list(row) for row in fixture.rows]
    rows[2][rows[0].index("店铺名称")] = "大店"
    assert refusal(tmp_path / "shop", fixture.write(tmp_path / "o.csv", rows)) == (
        "o.csv: 店铺名称 names several shops: 大店, 小店. "
        "Export each shop by itself, and import it into a shop of its own."
    )


def test_a_new_shop_gets_the_currency_of_its_file_and_refuses_another(tmp_path):
    folder = tmp_path / "shop"
    imported(folder, FIXTURES["Meta Ads"].file(tmp_path))
    assert shop.load(folder).currency == "EUR"
    assert refusal(folder, FIXTURES["Google Ads keywords"].file(tmp_path)) == (
        "Search keyword report.csv: its amounts are in USD, but this shop's are in EUR; amounts of two "
        "cannot be added. Import it into a shop of its own."
    )


def test_two_currencies_in_one_file_are_refused(tmp_path):
    fixture = FIXTURES["Shopify orders"]
    rows = [list(row) for row in fixture.rows]
    rows[3][rows[0].index("Currency")] = "JPY"
    told = refusal(tmp_path / "shop", fixture.write(tmp_path / "o.csv", rows))
    assert told.startswith("o.csv: Currency is JPY and USD; amounts of two cannot be added.")


def test_sources_of_another_way_of_attribution_are_refused(tmp_path):
    fixture, folder = FIXTURES["sources, three levels"], tmp_path / "shop"
    imported(folder, fixture.file(tmp_path))
    assert records.said(folder)["files"][fixture.name]["attribution"] == "last visit"
    other = [["每一次访问来源"] if row == ["最后一次访问来源"] else row for row in fixture.rows]
    name = fixture.name.replace("-12", "-13")
    told = refusal(folder, fixture.write(tmp_path / name, other))
    assert "it puts sales down to every visit, but this shop's files say last visit" in told
    plain = [row for row in fixture.rows if row != ["最后一次访问来源"]]
    imported(folder, fixture.write(tmp_path / fixture.name.replace("-12", "-14"), plain))


def test_times_with_an_offset_are_converted_once_to_the_shops_clock(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.toml").write_text(
        'name = "A"\nbasis = "orders/sessions"\ntime_zone = "America/New_York"\n'
    )
    imported(folder, FIXTURES["Shopify orders"].file(tmp_path))
    orders = tables.read(folder, "orders").set_index("order_id")
    assert str(orders.loc["#1001", "created_at"]) == "2026-05-01 00:22:05"
    assert str(orders.loc["#1003", "created_at"]) == "2026-05-01 19:00:00"
    exports.refresh(folder, TODAY)
    assert str(tables.read(folder, "orders")["created_at"].min()) == "2026-05-01 00:22:05"


def test_what_is_above_the_table_must_be_one_day(tmp_path):
    fixture = FIXTURES["Google Ads campaigns"]
    rows = [["Campaign report"], ["November 1, 2026 - November 17, 2026"], *fixture.rows[2:]]
    assert refusal(tmp_path / "shop", fixture.write(tmp_path / "c.csv", rows)) == (
        "c.csv: it says November 1, 2026 to November 17, 2026; allowed: a single day. "
        "Export the report again with one row, or one file, for each day."
    )
    meta = FIXTURES["Meta Ads in French"]
    rows = [meta.rows[0], ["2026-11-01", *meta.rows[1][1:]]]
    told = refusal(tmp_path / "shop", meta.write(tmp_path / "m.csv", rows))
    assert (
        "m.csv, row 2: Fin des rapports is '2026-11-17'; allowed: the same day as the first."
        in told
    )


def test_a_second_table_below_the_first_is_not_read_as_its_rows(tmp_path):
    fixture = FIXTURES["GA4 traffic"]
    rows = [*fixture.rows, [], ["# Start date: 20261117"], ["Country", "Users"], ["Japan", "7"]]
    imported(tmp_path / "shop", fixture.write(tmp_path / "g.csv", rows))
    assert tables.read(tmp_path / "shop", "source_day")["visitors"].sum() == 1200


def test_sheets_that_are_not_read_are_named(tmp_path):
    import xlwt

    fixture = FIXTURES["sources, three levels"]
    book = xlwt.Workbook(encoding="utf-8")
    for name in ("店铺渠道", "经营优势来源渠道"):
        page = book.add_sheet(name)
        for y, row in enumerate(fixture.rows):
            for x, cell in enumerate(row):
                page.write(y, x, cell)
    book.save(str(tmp_path / fixture.name))
    imported(tmp_path / "shop", tmp_path / fixture.name)
    facts = records.said(tmp_path / "shop")["files"][fixture.name]
    assert (facts["sheet"], facts["sheets_not_read"]) == ("店铺渠道", ["经营优势来源渠道"])


def test_all_reports_of_a_platform_give_the_same_shop_together_or_one_by_one_backwards(tmp_path):
    platform = {format.id: format.shop.get("platform") for format in mappings.load().formats}
    some = [fixture for fixture in FIXTURES.values() if platform[fixture.format] == "tmall"]
    files = [fixture.file(tmp_path) for fixture in some]
    imported(tmp_path / "together", *files)
    for file in reversed(files):
        imported(tmp_path / "apart", file)
    names = tables.available(tmp_path / "together")
    assert names == tables.available(tmp_path / "apart")
    assert len(names) == 12
    for name in names:
        found = [
            tables.read(tmp_path / way, name).drop(
                columns=["buyer_key", "agent_key"], errors="ignore"
            )
            for way in ("together", "apart")
        ]
        pd.testing.assert_frame_equal(*found)


def test_a_restated_day_replaces_what_was_said_and_the_change_is_shown(tmp_path):
    fixture = FIXTURES["shop by day"]
    old = vendor.dated(fixture.file(tmp_path), 1_700_000_000)
    rows = [["1,300" if cell == "1,200" else cell for cell in row] for row in fixture.rows]
    new = fixture.write(tmp_path / "店铺_20261120_090000.xls", rows)
    for order in ((old, new), (new, old)):
        folder = tmp_path / order[0].stem
        for file in order:
            imported(folder, file)
        assert tables.read(folder, "shop_day")["visitors"].max() == 1300
        changes = restatements.found(folder)
        shown = changes[["table", "row", "column", "before", "after", "file"]].to_numpy().tolist()
        assert shown == [["shop_day", "2026-11-17 all", "visitors", 1200, 1300, new.name]]
        before = {f: f.read_bytes() for f in (folder / "tables").rglob("*") if f.is_file()}
        imported(folder, new, old)
        assert {f: f.read_bytes() for f in (folder / "tables").rglob("*") if f.is_file()} == before


def test_no_row_of_advertising_is_dropped_for_another_of_its_file_or_of_another_platform(tmp_path):
    """A blank ad set, a unit that is called all, a campaign of the same name elsewhere."""
    meta, google = FIXTURES["Meta Ads"], FIXTURES["Google Ads keywords"]
    rows = [list(row) for row in meta.rows]
    rows[1][rows[0].index("Ad set name")] = "-"
    rows = [["Spring" if cell == "Herbst" else cell for cell in row] for row in rows]
    rows[0] = [name.replace("EUR", "USD") for name in rows[0]]
    imported(tmp_path / "shop", meta.write(tmp_path / "m.csv", rows), google.file(tmp_path))
    assert round(tables.read(tmp_path / "shop", "ad_day")["cost"].sum(), 2) == 40
