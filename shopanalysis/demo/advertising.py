"""The demo shop's keyword report of Wanxiangtai (万相台): a row per day, plan, item and word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis.demo.workbooks import delimited, packed, rows_of
from shopanalysis.demo.world import World

ATTRIBUTION_DAYS = 15
CLICKS_PER_VISITOR = 1.12
LATER_ORDERS = 1.35  # attributed orders / those that follow a click the same day
ARRIVED = 3.0  # days in which 63 % of the attributed orders have come in
HEADER = """\
日期,场景ID,场景名字,计划ID,计划名字,单元ID,单元名字,宝贝ID,宝贝名称,
词类型,词ID/词包ID,词名字/词包名字,展现量,点击量,花费,点击率,平均点击花费,
千次展现花费,总预售成交金额,总预售成交笔数,直接预售成交金额,直接成交金额,
间接成交金额,总成交金额,总成交笔数,直接成交笔数,间接成交笔数,点击转化率,投入产出比,
总成交成本,总购物车数,直接购物车数,间接购物车数,加购率,收藏宝贝数,收藏店铺数,
总收藏加购数,旺旺咨询量,引导访问量,引导访问人数,成交新客数,成交新客占比,成交人数,
人均成交笔数,人均成交金额,自然流量转化金额,自然流量曝光量,平均展现排名
""".replace("\n", "").split(",")


def files(world: World) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the keyword reports, one zip a month named by the day after."""
    table = report_table(keyword_days(world), world)
    for month, rows in table.groupby(table["日期"].str[:7]):
        after = pd.Period(month).end_time.normalize() + pd.Timedelta(days=1)
        after = min(after, world.story.days[-1] + pd.Timedelta(days=1))
        name = f"推广关键词报表_{after:%Y%m%d}_090000"
        yield f"wanxiangtai/{name}.zip", packed({f"{name}.csv": delimited(rows_of(rows), "gbk")})


def keyword_days(world: World) -> pd.DataFrame:
    """By date and word: clicks, impressions, cost (yuan); orders and sales so far of 15 days."""
    random = np.random.default_rng([world.seed, 10])
    words = _words(world)
    keyword = (world.story.sources["level_3"] == "关键词推广").to_numpy()
    from_ads = world.item_sources[keyword[world.item_sources["source"]]]
    visitors = from_ads.groupby(["date", "item"])["visitors"].sum()
    days = pd.DataFrame({"date": world.story.days}).merge(words, how="cross")
    came = visitors.reindex(pd.MultiIndex.from_frame(days[["date", "item"]]), fill_value=0)
    days["clicks"] = random.poisson(came.to_numpy() * days["share"] * CLICKS_PER_VISITOR)
    days = days[days["clicks"] > 0].reset_index(drop=True)
    click_rate = random.normal(0.055, 0.006, len(days)).clip(0.02)
    days["impressions"] = (days["clicks"] / click_rate).astype(int)
    click_cost = days["click_cost"] * random.normal(1, 0.08, len(days))
    days["cost"] = (days["clicks"] * click_cost).round(2)
    return _with_attributed(world, days, keyword, random)


def _words(world: World) -> pd.DataFrame:
    """Words with their share of the item's clicks, yuan per click, relative conversion and rank."""
    words = pd.read_csv(Path(__file__).with_name("words.csv"))
    return words.assign(item=words["code"].map(world.story.item))


def _with_attributed(world: World, days: pd.DataFrame, keyword: np.ndarray, random) -> pd.DataFrame:
    at = world.story.days.get_indexer(days["date"])
    rate = world.means.conversion[:, :, np.flatnonzero(keyword)[0]][at, days["item"]]
    age = (world.story.days[-1] - days["date"]).dt.days + 1
    arrived = (1 - np.exp(-age / ARRIVED)).where(age < ATTRIBUTION_DAYS, 1.0)
    mean = days["clicks"] * rate * days["relative"] * LATER_ORDERS * arrived
    days["orders"] = random.poisson(mean)
    days["direct"] = random.binomial(days["orders"], 0.8)
    price = world.means.price[at, days["item"]]
    days["sales"] = (days["orders"] * price).round(2)
    days["direct_sales"] = (days["direct"] * price).round(2)
    days["cart_adds"] = days["orders"] + random.binomial(days["clicks"], 0.06)
    days["rank"] = (days["rank"] * random.normal(1, 0.06, len(days))).round(1)
    return days


def report_table(days: pd.DataFrame, world: World) -> pd.DataFrame:
    """The keyword report's columns as text."""
    columns = _names(days, world) | {
        "展现量": days["impressions"].astype(str),
        "点击量": days["clicks"].astype(str),
        "花费": _two(days["cost"]),
        "点击率": _two(100 * days["clicks"] / days["impressions"]) + "%",
        "平均点击花费": _two(days["cost"] / days["clicks"]),
        "直接成交金额": _two(days["direct_sales"]),
        "间接成交金额": _two(days["sales"] - days["direct_sales"]),
        "总成交金额": _two(days["sales"]),
        "总成交笔数": days["orders"].astype(str),
        "直接成交笔数": days["direct"].astype(str),
        "间接成交笔数": (days["orders"] - days["direct"]).astype(str),
        "点击转化率": _two(100 * days["orders"] / days["clicks"]) + "%",
        "投入产出比": _two(days["sales"] / days["cost"]),
        "总购物车数": days["cart_adds"].astype(str),
        "平均展现排名": days["rank"].astype(str),
    }
    return pd.DataFrame(columns).reindex(columns=HEADER, fill_value="")


def _names(days: pd.DataFrame, world: World) -> dict[str, pd.Series | str]:
    items = world.story.items.loc[days["item"]].set_axis(days.index)
    return {
        "日期": days["date"].dt.strftime("%Y-%m-%d"),
        "场景ID": "372",
        "场景名字": "关键词推广",
        "计划ID": _numbered(days["plan"], 70_010_000_001),
        "计划名字": days["plan"],
        "单元ID": (days["item"] + 80_010_000_001).astype(str),
        "单元名字": items["code"] + "_单元",
        "宝贝ID": items["item_id"],
        "宝贝名称": items["title"],
        "词类型": "关键词",
        "词ID/词包ID": _numbered(days["word"], 90_000_000_001),
        "词名字/词包名字": days["word"],
    }


def _numbered(names: pd.Series, first: int) -> pd.Series:
    """The same id for the same name, as text."""
    return pd.Series(pd.factorize(names)[0] + first, names.index).astype(str)


def _two(values: pd.Series) -> pd.Series:
    return values.map("{:.2f}".format)
