"""Every file of the demo shop, in the layouts of the vendors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from shopanalysis.demo import advertising, qianniu, sycm
from shopanalysis.demo.workbooks import delimited, rows_of
from shopanalysis.demo.world import World


def write(folder: Path, world: World) -> None:
    """Write all export files below `folder`."""
    for name, data in _files(world):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _files(world: World) -> Iterator[tuple[str, bytes]]:
    yield "商品列表.csv", delimited(rows_of(item_list(world)), "utf-8-sig")
    yield from sycm.files(world)
    yield from qianniu.files(world)
    yield from advertising.files(world)


def item_list(world: World) -> pd.DataFrame:
    """The shop's own list of its items, as text."""
    items = world.story.items
    ahead = world.story.planted.get("presale", {}).get("balance", {})
    return pd.DataFrame(
        {
            "商品ID": items["item_id"],
            "商品标题": items["title"],
            "商家编码": items["code"],
            "类目": items["category"],
            "一口价": items["list_price"].map("{:.2f}".format),
            "成本价": items["unit_cost"].map("{:.2f}".format),
            "库存数量": _stock(world).astype(str),
            "上架时间": items["listed_on"].dt.strftime("%Y-%m-%d"),
            "评分": items["rating"].map("{:.1f}".format),
            "是否预售": items["code"].isin(ahead).map({True: "是", False: "否"}),
        }
    )


def _stock(world: World) -> pd.Series:
    """Pieces in stock: about 20 to 60 days of what is expected to sell on the last day."""
    daily = (world.means.item_visits[-1] * world.means.conversion[-1]).sum(axis=1)
    days = 20 + 41 * world.story.items.index.to_numpy() % 41
    return pd.Series(20 + daily * days).round().astype(int)
