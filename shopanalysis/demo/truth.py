"""What is true of the demo shop: the planted facts, and what a right analysis must say of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shopanalysis.demo.expected import GROWTH, expected_sales
from shopanalysis.demo.facts import (
    FACTS,
    expected_buyers,
    iso,
    rounded,
    totals,
    true_rate,
    whole_shop,
)
from shopanalysis.demo.purchases import PRESALE_UNPAID, REFUND
from shopanalysis.demo.world import World

WEEK = pd.Timedelta(days=7)
DAYS = (
    "2025-08-15",
    "2025-11-11",
    "2026-02-17",
    "2026-06-18",
    "2026-09-09",
    "2026-11-01",
    "2026-11-11",
    "2026-11-20",
)


def write(file: Path, world: World) -> None:
    """Write truth.json."""
    text = json.dumps(truth(world), ensure_ascii=False, indent=1, default=str)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")


def truth(world: World) -> dict[str, Any]:
    """All that is known of the shop but not in its files. Shares are 0 to 1, money is yuan."""
    facts = {
        "seed": world.seed,
        "first_day": iso(world.story.days[0]),
        "last_day": iso(world.story.days[-1]),
        "planted": sorted(world.story.planted),
        "growth_per_year": GROWTH,
        "refund_share_of_lines": REFUND,
        "items": _items(world),
        "sources": _sources(world),
        "months": _months(world),
        "days": _days(world),
    }
    for name, fact in FACTS.items():
        if name in world.story.planted and (found := fact(world, world.story.planted[name])):
            facts[name] = found
    return facts | {
        "campaigns": _campaigns(world),
        "launches": _life(world, "listed_on"),
        "fades": _life(world, "fades_from"),
    }


def _items(world: World) -> list[dict[str, Any]]:
    """`usual_conversion` without campaigns and events; `conversion` over all days with them."""
    columns = ["item_id", "code", "title", "category", "conversion", "bounce"]
    names = {"conversion": "usual_conversion", "bounce": "usual_bounce"}
    table = world.story.items[columns].rename(columns=names)
    days = np.ones(len(world.story.days), bool)
    true = [rounded(true_rate(world, days, item)) for item in table.index]
    return table.assign(conversion=true).to_dict("records")


def _sources(world: World) -> list[dict[str, Any]]:
    days = np.ones(len(world.story.days), bool)
    rates = expected_buyers(world, days) / world.means.source_visits.sum(axis=0)
    table = world.story.sources[["device", "level_1", "level_2", "level_3"]]
    return table.assign(conversion=rates.round(5)).to_dict("records")


def _months(world: World) -> dict[str, Any]:
    """Totals by month; visitors are visits by day, buyers are buyers by day."""
    table = whole_shop(world)
    return {m: totals(part) for m, part in table.groupby(table.index.strftime("%Y-%m"))}


def _days(world: World) -> dict[str, Any]:
    table = whole_shop(world)
    return {day: totals(table.loc[[day]]) for day in DAYS if day in table.index}


def _campaigns(world: World) -> list[dict[str, Any]]:
    """Each campaign that lies wholly within the days: expected sales with and without it."""
    days = world.story.days
    return [
        _lift(world, name, start, end)
        for name, start, end in _windows(world)
        if days[0] <= start and end <= days[-1]
    ]


def _lift(world: World, name: str, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Any]:
    story = world.story
    days = np.asarray((story.days >= start) & (story.days <= end))
    expected = expected_sales(story)[days].sum() - _never_paid(world, days)
    without = expected_sales(story, name)[days].sum()
    return {
        "name": name,
        "from": iso(start),
        "to": iso(end),
        "expected_sales": round(float(expected)),
        "expected_sales_without": round(float(without)),
        "lift": round(float(expected - without)),
        "lift_share": rounded(expected / without - 1, 4),
        "observed_sales": rounded(whole_shop(world).loc[start:end, "sales"].sum(), 2),
    }


def _never_paid(world: World, days: np.ndarray) -> float:
    """Expected amount of presale orders in `days` whose balance is never paid."""
    ahead = world.story.planted.get("presale")
    if not ahead:
        return 0.0
    at = np.flatnonzero(days & world.story.between(ahead))
    items = [world.story.item(code) for code in ahead["balance"]]
    means = world.means
    purchases = (means.item_visits * means.conversion).sum(axis=2) * means.price
    units = 1 + world.story.items["extra_units"].to_numpy()
    return float((purchases * units)[np.ix_(at, items)].sum() * PRESALE_UNPAID)


def _windows(world: World) -> list[tuple[str, pd.Timestamp, pd.Timestamp]]:
    """Name, first and last day of each campaign: its phases together, apart by a month or more."""
    windows: list[tuple[str, pd.Timestamp, pd.Timestamp]] = []
    for campaign in world.story.campaigns:
        start = pd.Timestamp(campaign["start"])
        end = start + pd.Timedelta(days=len(campaign["visits"]) - 1)
        if windows and windows[-1][0] == campaign["name"] and start - windows[-1][2] < 4 * WEEK:
            windows[-1] = (campaign["name"], windows[-1][1], end)
        else:
            windows.append((campaign["name"], start, end))
    return windows


def _life(world: World, column: str) -> list[dict[str, str]]:
    dates = world.story.items.set_index("item_id")[column].dropna()
    within = dates[(dates > world.story.days[0]) & (dates <= world.story.days[-1])]
    return [{"item_id": item, "from": iso(day)} for item, day in within.items()]
