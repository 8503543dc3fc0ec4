"""The demo shop's traffic-source files of Sycm (流量来源): a tree for each day and device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from shopanalysis.demo.workbooks import amount, count, percent, preamble, rows_of, xls
from shopanalysis.demo.world import World

DEVICE_FILES = {"wireless": "无线店铺流量来源", "pc": "PC店铺流量来源"}
SOURCE_METRICS = (
    "访客数",
    "下单金额",
    "下单买家数",
    "下单转化率",
    "支付金额",
    "支付买家数",
    "支付转化率",
    "客单价",
    "UV价值",
    "关注店铺买家数",
    "收藏商品买家数",
    "加购人数",
    "新访客",
)
SOURCE_TAIL = ("直接支付买家数", "收藏商品-支付买家数", "粉丝支付买家数", "加购商品-支付买家数")


def files(world: World) -> Iterator[tuple[str, str, bytes]]:
    """Day, name and bytes of every traffic-source file: one a day and device."""
    columns = ["一级来源", "二级来源", "三级来源"]
    columns += [name + change for name in SOURCE_METRICS for change in ("", "变化")]
    columns += SOURCE_TAIL
    tree = source_tree(world)
    for (day, device), rows in tree.groupby(["date", "device"]):
        on, name = f"{day:%Y-%m-%d}", DEVICE_FILES[device]
        above = preamble(f"生意参谋平台-{name}", on, on, 5)
        text = _source_text(rows).reindex(columns=columns, fill_value="")
        data = xls("店铺渠道", [*above, *rows_of(text)])
        yield on, f"【生意参谋平台】{name}-{on}_{on}.xls", data


def source_tree(world: World) -> pd.DataFrame:
    """By date, device and place in the tree: the leaves and, above them, their parents.

    Parents have 汇总 in the levels below them. Purchases add up (last visit); visitors do not.
    """
    levels = ["level_1", "level_2", "level_3"]
    leaves = world.sources.join(world.story.sources[["device", *levels]], on="source")
    numbers = ["ordered_buyers", "ordered_amount", "buyers", "sales", "cart_adds", "favourites"]
    numbers += ["visitors"]
    parts = [leaves[["date", "device", *levels, *numbers]].assign(depth=3)]
    for depth in (2, 1):
        children = parts[-1].groupby(["date", "device", *levels[:depth]], as_index=False)
        parent = children[numbers].sum().assign(**dict.fromkeys(levels[depth:], "汇总"))
        children = children["visitors"].agg(["max", "size"])
        several = children["size"].to_numpy() > 1
        people = np.maximum((parent["visitors"] * 0.96).round(), children["max"])
        parent["visitors"] = parent["visitors"].mask(several, people.astype(int))
        parts.append(parent.assign(depth=depth))
    tree = pd.concat(parts)
    order = {name: i for i, name in enumerate(pd.unique(leaves[levels].to_numpy().ravel()))}
    ranks = [tree[name].map(order | {"汇总": -1}) for name in levels]
    tree = tree.assign(**{f"rank_{i}": rank for i, rank in enumerate(ranks)})
    return tree.sort_values(["date", "device", "rank_0", "rank_1", "rank_2"], ignore_index=True)


def _source_text(rows: pd.DataFrame) -> pd.DataFrame:
    visitors, buyers = rows["visitors"], rows["buyers"]
    return pd.DataFrame(
        {
            "一级来源": rows["level_1"],
            "二级来源": rows["level_2"],
            "三级来源": rows["level_3"],
            "访客数": count(visitors),
            "下单买家数": count(rows["ordered_buyers"]),
            "支付金额": amount(rows["sales"], buyers > 0),
            "支付买家数": count(buyers),
            "支付转化率": percent(buyers, visitors),
            "收藏商品买家数": count(rows["favourites"]),
            "加购人数": count(rows["cart_adds"]),
        }
    )
