"""The demo shop's files of Sycm (生意参谋): shop day, traffic sources, items, items by source."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from shopanalysis.demo import sycm_sources
from shopanalysis.demo.workbooks import (
    MISSING,
    amount,
    count,
    delimited,
    monthly_zips,
    packed,
    percent,
    preamble,
    rows_of,
    xls,
)
from shopanalysis.demo.world import World

SIDES = {"all": "", "pc": "PC端", "wireless": "无线端"}
ITEM_SOURCES_FROM = "2026-08-01"
DAILY_ITEMS_FROM = "2026-08-01"
ITEM_HEADER = """\
统计日期,商品ID,商品名称,货号,商品状态,商品标签,商品访客数,商品浏览量,平均停留时长,商品详情页跳出率,
商品收藏人数,商品加购件数,商品加购人数,下单买家数,下单件数,下单金额,下单转化率,支付买家数,支付件数,支付金额,
商品支付转化率,支付新买家数,支付老买家数,老买家支付金额,聚划算支付金额,访客平均价值,成功退款金额,竞争力评分,
年累计支付金额,月累计支付金额,月累计支付件数,搜索引导支付转化率,搜索引导访客数,搜索引导支付买家数,
结构化详情引导转化率,结构化详情引导成交占比
""".replace("\n", "").split(",")


def files(world: World) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every Sycm file."""
    yield from _shop_files(world)
    yield from monthly_zips("sycm_source", sycm_sources.files(world))
    yield from _item_months(world)
    yield from monthly_zips("sycm_item", _item_files(world))
    yield from _item_source_files(world)


def _shop_files(world: World) -> Iterator[tuple[str, bytes]]:
    table = shop_table(world)
    for _, month in table.groupby(table["统计日期"].str[:7]):
        first, last = month["统计日期"].iloc[[0, -1]]
        name = f"sycm_shop/【生意参谋平台】自助取数-店铺日-{first}_{last}.xls"
        rows = [*preamble("生意参谋平台-自助取数-店铺日", first, last, 3), *rows_of(month)]
        yield name, xls("店铺日", rows)


def shop_table(world: World) -> pd.DataFrame:
    """The shop-day file's columns as text, one row per day."""
    sides = {side: part.set_index("date") for side, part in world.shop.groupby("device")}
    whole = sides["all"]
    visitors, buyers = whole["visitors"], whole["buyers"]
    columns = {"统计日期": pd.Series(whole.index.strftime("%Y-%m-%d"), whole.index)}
    for side, prefix in SIDES.items():
        columns |= {prefix + name: text for name, text in _side(sides[side]).items()}
    columns |= {
        "人均浏览量（访问深度）": amount(whole["page_views"] / visitors),
        "人均停留时长(秒)": amount(whole["dwell"]),
        "新访客数": count(whole["new_visitors"]),
        "老访客数": count(visitors - whole["new_visitors"]),
        "商品收藏人数": count(whole["favourites"]),
        "加购人数": count(whole["cart_adds"]),
        "下单买家数": count(whole["ordered_buyers"]),
        "下单金额": amount(whole["ordered_amount"], whole["ordered_buyers"] > 0),
        "下单商品件数": count(whole["ordered_units"]),
        "下单父订单数": count(whole["ordered_orders"]),
        "下单转化率": percent(whole["ordered_buyers"], visitors),
        "支付子订单数": count(whole["order_lines"]),
        "新买家数": count(buyers - whole["old_buyers"]),
        "老买家数": count(whole["old_buyers"]),
        "老买家数占比": percent(whole["old_buyers"], buyers),
        "售中申请退款金额": amount(whole["refunds"]),
        "售中申请退款买家数": count(whole["refund_buyers"]),
    } | _scores(whole.index)
    return pd.DataFrame(columns).reset_index(drop=True)


def _side(part: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns that the file has for all, for PC and for wireless."""
    bought = part["buyers"] > 0
    return {
        "访客数": count(part["visitors"]),
        "浏览量": count(part["page_views"]),
        "跳失率": percent(part["bounces"], part["visits"]),
        "支付金额": amount(part["sales"], bought),
        "支付买家数": count(part["buyers"]),
        "支付商品件数": count(part["units"]).where(bought, MISSING),
        "支付父订单数": count(part["orders"]),
        "支付转化率": percent(part["buyers"], part["visitors"]),
        "客单价": amount(part["sales"] / part["buyers"].where(bought)),
    }


def _scores(days: pd.DatetimeIndex) -> dict[str, pd.Series]:
    """The three service scores: rolling means of half a year, so they move slowly."""
    year = (days - pd.Timestamp("2025-07-21")).days.to_numpy() / 365
    wave = 0.012 * np.sin(2 * np.pi * year)
    scores = {"描述相符": 4.86 + wave, "服务态度": 4.88 - wave, "物流服务": 4.83 + wave / 2}
    return {
        f"{name}动态评分(DSR)": pd.Series([f"{s:.5f}" for s in score], days)
        for name, score in scores.items()
    }


def _item_months(world: World) -> Iterator[tuple[str, bytes]]:
    """Before the daily files begin: one text file a month with the same columns."""
    table = world.items[world.items["date"] < DAILY_ITEMS_FROM]
    for month, rows in table.groupby(table["date"].dt.strftime("%Y-%m")):
        name = f"【生意参谋平台】自助取数-商品-{month}.csv"
        data = delimited(rows_of(_item_text(world, rows)), "utf-8-sig")
        yield f"sycm_item/{month}.zip", packed({name: data})


def _item_files(world: World) -> Iterator[tuple[str, str, bytes]]:
    for day, rows in world.items[world.items["date"] >= DAILY_ITEMS_FROM].groupby("date"):
        on = f"{day:%Y-%m-%d}"
        text = _item_text(world, rows.sort_values("sales", ascending=False, kind="stable"))
        footer = [on, MISSING, "以上为全部商品数据"]
        above = preamble("生意参谋平台-商品-全部", on, on, 4)
        data = xls("商品效果", [*above, *rows_of(text), footer])
        yield on, f"【生意参谋平台】商品_全部_{on}_{on}.xls", data


def _item_text(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """The item file's columns as text; what can be computed from the others is left empty."""
    rows = rows[(rows["visitors"] > 0) | (rows["refunds"] > 0)]
    items = world.story.items.loc[rows["item"]].set_axis(rows.index)
    columns = {
        "统计日期": rows["date"].dt.strftime("%Y-%m-%d"),
        "商品ID": items["item_id"],
        "商品名称": items["title"],
        "货号": items["code"],
        "商品状态": "当前在线",
    }
    columns |= _item_traffic(rows) | _item_purchases(rows)
    return pd.DataFrame(columns, rows.index).reindex(columns=ITEM_HEADER, fill_value="")


def _item_traffic(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "商品访客数": count(rows["visitors"]),
        "商品浏览量": count(rows["page_views"]),
        "平均停留时长": amount(rows["dwell"]),
        "商品详情页跳出率": percent(rows["bounces"], rows["visitors"]),
        "商品收藏人数": count(rows["favourites"]),
        "商品加购件数": count(rows["cart_units"]),
        "商品加购人数": count(rows["cart_adds"]),
    }


def _item_purchases(rows: pd.DataFrame) -> dict[str, pd.Series]:
    ordered, bought = rows["ordered_buyers"] > 0, rows["buyers"] > 0
    return {
        "下单买家数": count(rows["ordered_buyers"]),
        "下单件数": count(rows["ordered_units"]).where(ordered, MISSING),
        "下单金额": amount(rows["ordered_amount"], ordered),
        "支付买家数": count(rows["buyers"]),
        "支付件数": count(rows["units"]).where(bought, MISSING),
        "支付金额": amount(rows["sales"], bought),
        "商品支付转化率": percent(rows["buyers"], rows["visitors"]),
        "成功退款金额": amount(rows["refunds"]),
    }


def _item_source_files(world: World) -> Iterator[tuple[str, bytes]]:
    table = item_source_table(world)
    for month, rows in table.groupby(table["统计日期"].str[:7]):
        name = f"【生意参谋平台】自助取数-商品流量来源-{month}"
        data = delimited(rows_of(rows), "utf-8-sig")
        yield f"sycm_item_source/{month}.zip", packed({f"{name}.csv": data})


def item_source_table(world: World) -> pd.DataFrame:
    """The item-source file's columns as text: both devices together, sources that had visitors."""
    table = world.item_sources[world.item_sources["date"] >= ITEM_SOURCES_FROM]
    names = world.story.sources["level_3"].to_numpy()
    numbers = ["visitors", "page_views", "buyers", "units", "sales", "cart_adds", "favourites"]
    table = table.assign(name=names[table["source"]])
    rows = table.groupby(["date", "item", "name"], sort=True, as_index=False)[numbers].sum()
    items, bought = world.story.items.loc[rows["item"]].set_axis(rows.index), rows["buyers"] > 0
    return pd.DataFrame(
        {
            "统计日期": rows["date"].dt.strftime("%Y-%m-%d"),
            "商品ID": items["item_id"],
            "商品名称": items["title"],
            "来源名称": rows["name"],
            "访客数": count(rows["visitors"]),
            "浏览量": count(rows["page_views"]),
            "支付买家数": count(rows["buyers"]),
            "支付件数": count(rows["units"]).where(bought, MISSING),
            "支付金额": amount(rows["sales"], bought),
            "加购人数": count(rows["cart_adds"]),
            "收藏人数": count(rows["favourites"]),
        }
    )
