"""Mapping files: those that come with the program, a shop's own, and what a faulty one is told."""

import re

import pytest
import vendor_files as vendor
from small_shops import ROOT

from shopanalysis import exports, tables
from shopanalysis.errors import DataError
from shopanalysis.exports import mapping_checks, mappings

OWN = """
title = "Our till, days"
required = ["Day", "Visitors", "Takings"]

[tables.shop_day.columns]
date = "Day"
device = { value = "all" }
visitors = "Visitors"
sales = "Takings"
"""


def own(folder, text: str, name: str = "till"):
    (folder / "formats").mkdir(parents=True, exist_ok=True)
    (folder / "formats" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_packaged_mapping_is_sound_and_in_the_codebook():
    formats = mappings.load().formats
    codebook = (ROOT / "data" / "README.md").read_text("utf-8")
    for format in formats:
        assert f"| `{format.id}` | {format.title} |" in codebook
    assert len(formats) == codebook.count(
        "\n| `", codebook.index("| Format |"), codebook.index("Any of")
    )


def test_the_example_in_the_codebook_is_a_mapping_that_works(tmp_path):
    codebook = (ROOT / "data" / "README.md").read_text("utf-8")
    example = re.search(r"```toml\n(title = .*?)```", codebook, re.DOTALL)[1]
    rows = [["Day", "Visitors", "Takings"], ["2026-11-01", "10", "99.50"]]
    file = vendor.text(tmp_path / "till.csv", rows)
    own(tmp_path / "shop", example)
    assert not exports.import_files(tmp_path / "shop", [file]).refused
    assert tables.read(tmp_path / "shop", "shop_day")["sales"].tolist() == [99.5]


@pytest.mark.parametrize("word", ["SOURCES", "CHANGES", "TABLE_KEYS", "ROOT_KEYS"])
def test_everything_that_a_mapping_can_say_is_in_the_codebook(word):
    told = (ROOT / "data" / "README.md").read_text("utf-8").split("## A mapping of your own")[1]
    known = set(getattr(mapping_checks, word)) - {"column", "columns", "title", "tables"}
    assert not [name for name in known if not re.search(rf"\b{name}\b", told)]


def test_a_shops_own_mapping_wins_over_the_packaged_one(tmp_path):
    assert "till" not in {format.id for format in mappings.load().formats}
    loaded = mappings.load(own(tmp_path, OWN, "sycm_shop_day"))
    mine = {format.id: format for format in loaded.formats}["sycm_shop_day"]
    assert mine.title == "Our till, days"


def test_a_changed_mapping_makes_the_tables_again(tmp_path):
    shop = own(tmp_path / "shop", OWN)
    rows = [["Day", "Visitors", "Takings"], ["2026-11-01", "10", "99.50"]]
    exports.import_files(shop, [vendor.text(tmp_path / "till.csv", rows)])
    own(shop, OWN.replace('sales = "Takings"', 'ordered_amount = "Takings"'))
    exports.refresh(shop)
    assert tables.read(shop, "shop_day")["ordered_amount"].tolist() == [99.5]
    assert tables.read(shop, "shop_day")["sales"].isna().all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Our till, days"', "", "'title' is missing. A mapping needs title, required"),
        ("required", "requried", "the file has 'requried'. Allowed: title, required"),
        ("shop_day", "shop_week", "there is no table 'shop_week'. Allowed: shop_day, source_day"),
        ("visitors =", "guests =", "tables.shop_day.columns has 'guests'. Allowed: date, device"),
        (
            'date = "Day"\n',
            "",
            "tables.shop_day does not say how 'date' is made. It is part of the",
        ),
        ('"Visitors"\nsales', "5\nsales", "shop_day.visitors is 5. Allowed: a header, column"),
        ('{ value = "all" }', '{ vlaue = "all" }', "shop_day.device has 'vlaue'. Allowed: column"),
        ('{ value = "all" }', "{ divide = 2 }", "shop_day.device must have exactly one way to be"),
        ('{ value = "all" }', '{ file_name = "(" }', "'(' is not a regular expression"),
        ('title = "', "title = ", "is not valid TOML"),
        (
            "required =",
            'repeated_rows = "eat"\nrequired =',
            "repeated_rows is 'eat'. Allowed: keep",
        ),
    ],
)
def test_a_faulty_mapping_is_told_what_is_allowed(tmp_path, old, new, message):
    assert old in OWN
    with pytest.raises(DataError) as error:
        mappings.load(own(tmp_path, OWN.replace(old, new, 1)))
    assert f"till.toml: {message}" in str(error.value) or message in str(error.value)


RULES = """
title = "Lines"
required = ["Order", "Sum", "Kind"]

[[rules]]
name = "tests"
when = [{ column = "Kind", matches = "^test" }, { column = "Sum", below = 10 }]
then = "leave out"

[[rules]]
name = "returns"
when = [{ column = "Sum", below = 0 }]
then = "refund"

[fill]
by = "Order"
columns = ["Kind"]

[tables.orders.columns]
order_id = "Order"
status = { first = "Kind" }
paid = { sum = "Sum", of = "sales" }
refunded = { sum = "Sum", of = "refunds" }
"""


def test_rules_leave_out_or_refund_and_cells_of_the_first_row_are_filled(tmp_path):
    rows = [["Order", "Sum", "Kind"], ["1", "50", "web"], ["1", "20", ""], ["2", "5", "test"],
            ["3", "-7", "web"], ["4", "99", "test"]]  # fmt: skip
    shop = own(tmp_path / "shop", RULES, "lines")
    result = exports.import_files(shop, [vendor.text(tmp_path / "l.csv", rows)])
    assert result.left_out == {"tests": 1}
    table = tables.read(shop, "orders").set_index("order_id")
    assert table[["paid", "refunded"]].T.to_dict("list") == {
        "1": [70, 0], "3": [0, 7], "4": [99, 0],
    }  # fmt: skip


CHANNELS = {
    "手淘搜索": "free search",
    "手淘首页": "free recommendation",
    "直通车": "paid",
    "付费推广/无界/关键词推广": "paid",
    "付费流量/搜索": "paid",
    "经营优势/搜索": "free search",
    "推荐": "free recommendation",
    "主动回访/购物车": "direct/returning",
    "我的淘宝": "direct/returning",
    "店内流转": "in-shop",
    "手淘淘宝直播": "content",
    "淘外APP": "off-site",
    "Organic Search": "free search",
    "Paid Search": "paid",
    "(Other)": "other",
    "没见过": "unmapped",
}


@pytest.mark.parametrize("source", CHANNELS)
def test_old_and_new_names_of_sources_find_their_channel(source):
    assert mappings.load().channel(source) == CHANNELS[source]


def test_a_shops_own_channels_are_asked_first(tmp_path):
    text = '[[channels]]\nchannel = "content"\nsources = ["没见过", "手淘搜索"]\n'
    loaded = mappings.load(own(tmp_path, text, "channels"))
    assert [loaded.channel(s) for s in ("没见过", "手淘搜索", "直通车")] == [
        "content",
        "content",
        "paid",
    ]


@pytest.mark.parametrize(
    "header", ["收货人姓名", "收货地址 ", "联系手机", "Email", "Billing Name", "Phone"]
)
def test_headers_of_personal_data_are_known(header):
    loaded = mappings.load()
    assert loaded.is_personal(header, loaded.formats[0])


def test_amounts_and_days_are_not_taken_for_personal_data():
    loaded = mappings.load()
    for header in ("买家实际支付金额", "支付买家数", "订单创建时间", "Name", "商品名称"):
        assert not loaded.is_personal(header, loaded.formats[0])
