"""Cells as vendors write them."""

from datetime import datetime

import pandas as pd
import pytest

from shopanalysis.exports import values


def cells(*found) -> pd.Series:
    return pd.Series(found, dtype=object)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,234", 1234), ("￥1,234.50", 1234.5), ("598.00元", 598), ("3.25%", 0.0325), ("0.9%", 0.009),
     ("170%", 1.7), ("2.5万", 25_000), ("1.2亿", 1.2e8), ("-3", -3), (".5", 0.5), (" 7 ", 7),
     ("1e5", 1e5), (12.5, 12.5)],
)  # fmt: skip
def test_numbers(cell, number):
    found, bad, rounded = values.numbers(cells(cell))
    assert found.tolist() == [number]
    assert not bad.any()
    assert rounded.tolist() == [str(cell)[-1] in "万亿"]


@pytest.mark.parametrize("cell", ["-", "--", "", "N/A", "nan", None, "—"])
def test_nothing_is_missing_and_not_zero(cell):
    found, bad, _ = values.numbers(cells(cell))
    assert found.isna().all()
    assert not bad.any()


@pytest.mark.parametrize(
    "cell", ["abc", "9" * 400, "1e400", "1e" + "9" * 5000, "1,23", "1.2.3", "inf", ".", "12 34"]
)
def test_what_is_no_number_is_said_to_be_none(cell):
    found, bad, _ = values.numbers(cells(cell, "1"))
    assert bad.tolist() == [True, False]
    assert found.tolist()[1] == 1


@pytest.mark.parametrize(
    ("cell", "moment"),
    [("2026-11-20", "2026-11-20"), ("2026/11/20", "2026-11-20"), ("20261120", "2026-11-20"),
     ("2016/5/23 22:02", "2016-05-23 22:02"), ("2016-05-23 22:02:11", "2016-05-23 22:02:11"),
     ("2026年11月2日", "2026-11-02"), ("46346", "2026-11-20"), ("46346.5", "2026-11-20 12:00"),
     ("2026-11-20 ~ 2026-11-20", "2026-11-20")],
)  # fmt: skip
def test_dates_and_times(cell, moment):
    found, why = values.times(cells(cell))
    assert found.tolist() == [pd.Timestamp(moment)]
    assert why.isna().all()


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("2026-11-01~2026-11-07", "more than one day"), ("20261101至20261107", "more than one day"),
     ("2026-11", "more than one day"), ("2026-13-01", "no date"), ("soon", "no date"), ("7", "no date")],
)  # fmt: skip
def test_what_is_no_day_says_why(cell, reason):
    found, why = values.times(cells(cell))
    assert found.isna().all()
    assert why.tolist() == [reason]


@pytest.mark.parametrize(
    ("cell", "id"),
    [('="1930679858170647"', "1930679858170647"), ("'18618486065", "18618486065"),
     ("17850.0", "17850"), (17850.0, "17850"), ("85123A", "85123A"), ("007", "007"), ("1.5", "1.5")],
)  # fmt: skip
def test_ids_stay_text_with_all_their_digits(cell, id):
    found, mangled = values.ids(cells(cell))
    assert found.tolist() == [id]
    assert not mangled.any()


@pytest.mark.parametrize("cell", ["1.23E+17", "9.44e+18", "5E+15", "6.12E18"])
def test_ids_that_excel_destroyed_are_seen(cell):
    assert values.ids(cells(cell))[1].all()


def test_whole_numbers_of_parquet_become_ids_without_a_point():
    found, mangled = values.ids(pd.Series([600_000_000_001, None], dtype="Int64"))
    assert found.tolist()[0] == "600000000001"
    assert found.isna().tolist() == [False, True]
    assert not mangled.any()


@pytest.mark.parametrize(
    ("address", "province"),
    [("浙江省 杭州市 西湖区", "浙江"), ("浙江省杭州市", "浙江"), ("上海上海市徐汇区", "上海"),
     ("内蒙古自治区", "内蒙古"), ("台湾省 台北市", "台湾"), ("某地", None)],
)  # fmt: skip
def test_of_an_address_only_the_province_is_left(address, province):
    found = values.provinces(pd.Series([address], dtype="str"))
    assert found.where(found.notna(), None).tolist() == [province] or found.isna().all()
    assert found.isna().all() == (province is None)


def test_there_are_31_provinces_and_three_more():
    assert len(set(values.PROVINCES)) == 34


@pytest.mark.parametrize(
    ("name", "moment"),
    [("推广关键词报表_20260118_130845.csv", datetime(2026, 1, 18, 13, 8, 45)),
     ("ExportOrderList201905151650.csv", datetime(2019, 5, 15, 16, 50)),
     ("商品_全部_2026-06-18_2026-06-18.xls", None), ("a_20261120_20261121.csv", None)],
)  # fmt: skip
def test_the_time_of_export_is_read_from_the_name(name, moment):
    assert values.exported_at(name) == moment
