"""The planted facts of the demo shop: dates, ids, true values, what a right analysis must say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from shopanalysis.demo.purchases import JOINS, PRESALE_UNPAID
from shopanalysis.demo.world import ITEM_OVERLAP, World

LOOK_ALIKES = {
    "MH-MJ-04": "carried by the home-page slot: from other sources it converts below 3 %",
    "MH-CL-08": "long tail: a high observed conversion on few visitors, by luck",
    "MH-MT-01": "enough visitors, but its true conversion is below 3 %",
    "MH-CL-01": "enough visitors, low conversion",
}


def iso(day: Any) -> str:
    """The day as text."""
    return f"{pd.Timestamp(day):%Y-%m-%d}"


def rounded(value: float, digits: int = 5) -> float:
    """A plain number for the file."""
    return round(float(value), digits)


def true_rate(world: World, days: np.ndarray, item: int, sources: Any = slice(None)) -> float:
    """True conversion of an item: expected purchases / expected visitors."""
    visits = world.means.item_visits[days, item][:, sources]
    purchases = visits * world.means.conversion[days, item][:, sources]
    return purchases.sum() / visits.sum() / (1 - ITEM_OVERLAP)


def expected_buyers(world: World, days: np.ndarray) -> np.ndarray:
    """Expected paying buyers of each source (L,): purchases less those in another's basket."""
    lines = (world.means.item_visits[days] * world.means.conversion[days]).sum(axis=1)
    return (lines - JOINS * (lines - 1 + np.exp(-lines))).sum(axis=0)


def whole_shop(world: World) -> pd.DataFrame:
    """The shop by date, both devices together."""
    return world.shop[world.shop["device"] == "all"].set_index("date")


def totals(table: pd.DataFrame) -> dict[str, Any]:
    """Sums over days: visits by day, buyers by day."""
    counts = {name: int(table[name].sum()) for name in ("visitors", "buyers", "orders", "units")}
    return counts | {"sales": rounded(table["sales"].sum(), 2)}


def _bestsellers(world: World, said: Mapping[str, Any]) -> dict[str, Any] | None:
    days = world.story.between(said)
    if days.sum() < 7:
        return None
    rows = [_candidate(world, item, days) for item in world.story.items.index]
    enough = [
        row
        for row in rows
        if row["expected_visitors"] > said["visitors"]
        and row["true_conversion"] > said["conversion"]
    ]
    like = [row for row in rows if row["code"] in LOOK_ALIKES]
    return {
        "from": iso(said["start"]),
        "to": iso(said["end"]),
        "rule": f"visits by day > {said['visitors']} and conversion > {said['conversion']}",
        "true_bestsellers": [row for row in enough if row["home_page_share"] < 0.4],
        "look_alikes": [row | {"why_not": LOOK_ALIKES[row["code"]]} for row in like],
        "must_say": "the true bestsellers and no other; each look-alike with its own reason",
    }


def _candidate(world: World, item: int, days: np.ndarray) -> dict[str, Any]:
    home = (world.story.sources["level_3"] == "店铺首页").to_numpy()
    visits = world.means.item_visits[days, item]
    seen = world.items[world.items["item"] == item]
    seen = seen[seen["date"].isin(world.story.days[days])]
    return {
        "item_id": world.story.items["item_id"][item],
        "code": world.story.items["code"][item],
        "expected_visitors": round(float(visits.sum() * (1 - ITEM_OVERLAP))),
        "true_conversion": rounded(true_rate(world, days, item)),
        "true_conversion_without_home_page": rounded(true_rate(world, days, item, ~home)),
        "home_page_share": rounded(visits[:, home].sum() / visits.sum(), 3),
        "observed_visitors": int(seen["visitors"].sum()),
        "observed_buyers": int(seen["buyers"].sum()),
    }


def _search_fall(world: World, fall: Mapping[str, Any]) -> dict[str, Any] | None:
    days = world.story.between(fall)
    if not days.any():
        return None
    search = (world.story.sources["level_2"] == fall["level_2"]).to_numpy()
    expected_visits = float(world.means.source_visits[days][:, search].sum())
    table = world.sources[world.sources["date"].isin(world.story.days[days])]
    return {
        "from": iso(fall["start"]),
        "to": iso(fall["end"]),
        "sources": world.story.sources.loc[search, "level_3"].tolist(),
        "factor": fall["visits"],
        "expected_visits_without": round(expected_visits / fall["visits"]),
        "expected_visits": round(expected_visits),
        "observed_visits": int(table.loc[search[table["source"]], "visitors"].sum()),
        "must_say": "visitors from free search fall 30 %, all items alike; nothing else moves",
    }


def _mix_shift(world: World, shift: Mapping[str, Any]) -> dict[str, Any] | None:
    days = world.story.between(shift)
    before = days.nonzero()[0][:1] - 7 if days.any() else np.array([-1])
    if before[0] < 0:
        return None
    weeks = {"week": days, "week_before": np.roll(days, -7)}
    rows = {name: _by_source(world, at) for name, at in weeks.items()}
    shop = {name: totals(whole_shop(world)[at]) for name, at in weeks.items()}
    return {
        "from": iso(shift["start"]),
        "to": iso(shift["end"]),
        "source": shift["source"],
        "visits_factor": shift["visits"],
        "conversion_factor_of_every_source": shift["conversion"],
        "by_source": rows,
        "shop": shop,
        "chance": "in these two weeks there are no day shocks and purchases are spread evenly",
        "must_say": "every main source converts better, the shop worse: recommendation grew",
    }


def _by_source(world: World, days: np.ndarray) -> list[dict[str, Any]]:
    """Per source and device: true conversion, and the visits and buyers that the files show."""
    true = expected_buyers(world, days) / world.means.source_visits[days].sum(axis=0)
    table = world.sources[world.sources["date"].isin(world.story.days[days])]
    seen = table.groupby("source")[["visitors", "buyers"]].sum()
    names = world.story.sources[["device", "level_3"]]
    return names.join(seen).assign(true_conversion=true.round(5)).to_dict("records")


def _bad_page(world: World, page: Mapping[str, Any]) -> dict[str, Any] | None:
    item, days = world.story.item(page["item"]), world.story.between(page)
    if not days.any():
        return None
    usual = world.story.items.loc[item]
    return {
        "item_id": usual["item_id"],
        "from": iso(page["start"]),
        "bounce_before": float(usual["bounce"]),
        "bounce_after": page["bounce"],
        "conversion_factor": page["conversion"],
        "must_say": "from this day its page loses half its buyers; its traffic is as usual",
    }


def _presale(world: World, ahead: Mapping[str, Any]) -> dict[str, Any] | None:
    lines = world.lines[world.lines["presale"]]
    if lines.empty:
        return None
    ids = world.story.items.set_index("code")["item_id"]
    return {
        "from": iso(ahead["start"]),
        "to": iso(ahead["end"]),
        "balance_paid_on": {ids[code]: iso(day) for code, day in ahead["balance"].items()},
        "share_never_paid": PRESALE_UNPAID,
        "orders": int(lines["order_id"].nunique()),
        "orders_paid": int(lines.loc[lines["paid_at"].notna(), "order_id"].nunique()),
        "sales": rounded(lines["paid"].sum(), 2),
        "must_say": "pay conversion is 0 in these days though orders are placed; it is no collapse",
    }


def _stock_out(world: World, outs: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ids = world.story.items.set_index("code")["item_id"]
    return [
        {"item_id": ids[out["item"]], "from": iso(out["start"]), "to": iso(out["end"])}
        for out in outs
        if world.story.between(out).any()
    ]


def _home_slot(world: World, slot: Mapping[str, Any]) -> dict[str, Any]:
    ids = world.story.items.set_index("code")["item_id"]
    return {"item_id": ids[slot["item"]], "from": iso(slot["start"]), "source": slot["source"]}


FACTS = {
    "bestsellers": _bestsellers,
    "search_fall": _search_fall,
    "mix_shift": _mix_shift,
    "bad_page": _bad_page,
    "presale": _presale,
    "stock_out": _stock_out,
    "home_slot": _home_slot,
}
