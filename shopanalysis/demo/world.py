"""The simulated shop as tidy tables, one consistent whole: the export files are written from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shopanalysis.demo import draws as chance
from shopanalysis.demo.draws import Draws
from shopanalysis.demo.expected import SOURCES_PER_VISITOR, Expected, expected
from shopanalysis.demo.purchases import order_lines
from shopanalysis.demo.scenario import Scenario

ITEM_OVERLAP = 0.02  # of an item's visitors who come from two sources
DEVICE_OVERLAP = 0.15  # of visitors on PC who also come on wireless
MONEY = ["sales", "ordered_amount", "refunds"]


@dataclass(frozen=True)
class World:
    """Everything that happened. Tables by position of day, item and source, or by name:

    lines: see order_lines. shop: by date, device. sources: by date, source. items: by date, item.
    item_sources: by date, item, source. Counts are people unless named otherwise; money is yuan.
    """

    story: Scenario
    means: Expected
    seed: int
    lines: pd.DataFrame
    shop: pd.DataFrame
    sources: pd.DataFrame
    items: pd.DataFrame
    item_sources: pd.DataFrame


def simulate(story: Scenario, seed: int) -> World:
    """The shop of `story` with the chance of `seed`."""
    means = expected(story)
    drawn = chance.draw(story, means, seed)
    lines = order_lines(story, means, drawn, seed)
    drawn = _with_balance_payers(story, drawn, lines)
    item_sources = _item_sources(story, drawn, lines, seed)
    items = _items(story, drawn, lines, seed)
    sources = _sources(story, drawn, lines, seed)
    shop = _shop(story, sources, lines, seed)
    return World(story, means, seed, lines, shop, sources, items, item_sources)


def _with_balance_payers(story: Scenario, drawn: Draws, lines: pd.DataFrame) -> Draws:
    """Who pays a balance visits the item again, from the source that the payment counts for."""
    payers = lines[lines["presale"] & lines["paid_at"].notna()]
    day = story.days.get_indexer(payers["paid_at"].dt.normalize())
    np.add.at(drawn.item_visits, (day, payers["item"], payers["pay_source"]), 1)
    np.add.at(drawn.source_visits, (day, payers["pay_source"]), 1)
    return drawn


def _bought(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """What was ordered, paid and refunded, by date and `keys` out of item, source, device."""
    ordered = lines.rename(columns={"date": "on"}).groupby(["on", *keys])
    counted = lines.assign(source=lines["pay_source"], device=lines.get("pay_device"))
    paid = counted[counted["paid_at"].notna()]
    paid = paid.assign(on=paid["paid_at"].dt.normalize())
    paid, old = (part.groupby(["on", *keys]) for part in (paid, paid[paid["is_old"]]))
    back = counted.dropna(subset="refunded_on").rename(columns={"refunded_on": "on"})
    back = back.groupby(["on", *keys])
    columns = {
        "ordered_buyers": ordered["buyer"].nunique(),
        "ordered_orders": ordered["order_id"].nunique(),
        "ordered_units": ordered["units"].sum(),
        "ordered_amount": ordered["ordered"].sum(),
        "buyers": paid["buyer"].nunique(),
        "old_buyers": old["buyer"].nunique(),
        "orders": paid["order_id"].nunique(),
        "order_lines": paid["order_id"].size(),
        "units": paid["units"].sum(),
        "sales": paid["paid"].sum(),
        "refunds": back["refunded"].sum(),
        "refund_buyers": back["buyer"].nunique(),
    }
    table = pd.DataFrame(columns).fillna(0.0).rename_axis(["date", *keys])
    counts = table.columns.difference(MONEY)
    table[MONEY] = table[MONEY].round(2)
    return table.astype(dict.fromkeys(counts, int))


def _grid(story: Scenario, **axes: int) -> pd.MultiIndex:
    levels = [story.days, *(range(size) for size in axes.values())]
    return pd.MultiIndex.from_product(levels, names=["date", *axes])


def _filled(table: pd.DataFrame, index: pd.MultiIndex) -> pd.DataFrame:
    return table.reindex(index, fill_value=0)


def _part(random: np.random.Generator, whole: pd.Series, share: float) -> pd.Series:
    """A random part of each count."""
    return pd.Series(random.binomial(whole, share), whole.index)


def _item_sources(story: Scenario, drawn: Draws, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """By date, item and source: visitors, page views, purchases, cart adds, favourites."""
    random = np.random.default_rng([seed, 6])
    index = _grid(story, item=len(story.items), source=len(story.sources))
    visits = pd.DataFrame({"visitors": drawn.item_visits.ravel()}, index)
    visits = visits[visits["visitors"] > 0]
    bought = _bought(lines, ["item", "source"])[["ordered_buyers", "buyers", "units", "sales"]]
    table = visits.join(bought, how="left").fillna(0)
    visitors = table["visitors"]
    table["page_views"] = visitors + random.poisson(visitors * 0.3)
    table["cart_adds"] = np.maximum(_part(random, visitors, 0.06), table["ordered_buyers"])
    table["favourites"] = _part(random, visitors, 0.03)
    return table.reset_index()


def _items(story: Scenario, drawn: Draws, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """By date and item: visitors (each person once), traffic, purchases and refunds."""
    random = np.random.default_rng([seed, 7])
    index = _grid(story, item=len(story.items))
    table = _filled(_bought(lines, ["item"]), index)
    total = pd.Series(drawn.item_visits.sum(axis=2).ravel(), index)
    least = np.maximum(
        drawn.item_visits.max(axis=2).ravel(), table[["buyers", "ordered_buyers"]].max(axis=1)
    )
    table["visitors"] = np.maximum(total - _part(random, total, ITEM_OVERLAP), least)
    visitors = table["visitors"]
    table["page_views"] = visitors + random.poisson(visitors * 0.33)
    table["bounces"] = random.binomial(visitors, _bounce(story, random).ravel())
    table["dwell"] = (
        random.normal(1, 0.08, len(table)) * (150 - 110 * table["bounces"] / visitors.clip(1))
    ).round(2)
    table["cart_adds"] = np.maximum(_part(random, visitors, 0.065), table["ordered_buyers"])
    table["cart_units"] = table["cart_adds"] + _part(random, table["cart_adds"], 0.2)
    table["favourites"] = _part(random, visitors, 0.032)
    return table.reset_index()


def _bounce(story: Scenario, random: np.random.Generator) -> np.ndarray:
    """Share of an item's visitors who leave from its page (D, I)."""
    usual = np.tile(story.items["bounce"].to_numpy(), (len(story.days), 1))
    if page := story.planted.get("bad_page"):
        usual[story.between(page), story.item(page["item"])] = page["bounce"]
    return np.clip(usual + random.normal(0, 0.015, usual.shape), 0.05, 0.95)


def _sources(story: Scenario, drawn: Draws, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """By date and source: visitors, page_views, bounces, new visitors, purchases."""
    random = np.random.default_rng([seed, 8])
    index = _grid(story, source=len(story.sources))
    table = _filled(_bought(lines, ["source"]), index)
    visits = pd.Series(drawn.source_visits.ravel(), index)
    table["visitors"] = visits.clip(lower=table[["buyers", "ordered_buyers"]].max(axis=1))
    visitors, days = table["visitors"], len(story.days)
    pages, bounce = (np.tile(story.sources[name], days) for name in ("pages", "bounce"))
    table["bounces"] = random.binomial(visitors, bounce)
    table["page_views"] = visitors + random.poisson(visitors * (pages - 1))
    table["new_visitors"] = _part(random, visitors, 0.66)
    table["cart_adds"] = np.maximum(_part(random, visitors, 0.07), table["ordered_buyers"])
    table["favourites"] = _part(random, visitors, 0.035)
    return table.reset_index()


def _shop(story: Scenario, sources: pd.DataFrame, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """By date and device (all, pc, wireless): visitors are people, so all is less than the sum."""
    random = np.random.default_rng([seed, 9])
    names = story.sources["device"].to_numpy()
    sides = sources.assign(device=names[sources["source"]]).groupby(["date", "device"])
    traffic = ["page_views", "bounces", "cart_adds", "favourites", "visitors"]
    table = sides[traffic].sum()
    device_lines = lines.assign(
        device=names[lines["source"]], pay_device=names[lines["pay_source"]]
    )
    table["visits"] = table["visitors"]
    table = table.join(_bought(device_lines, ["device"])).fillna(0)
    table["visitors"] = _people(random, table, sides)
    whole = _whole(random, table).join(_bought(lines, []))
    table = pd.concat([table, whole.assign(device="all").set_index("device", append=True)])
    table = table.sort_index().reset_index()
    table["new_visitors"] = random.binomial(table["visitors"].astype(int), 0.63)
    table["dwell"] = random.normal(172, 9, len(table)).round(2)
    return table


def _people(random: np.random.Generator, table: pd.DataFrame, sides) -> pd.Series:
    """Visitors of each side: fewer than its sources' together, for some come from several."""
    share = random.normal(1 / SOURCES_PER_VISITOR, 0.004, len(table))
    least = np.maximum(sides["visitors"].max(), table[["buyers", "ordered_buyers"]].max(axis=1))
    return np.maximum((table["visitors"] * share).round(), least)


def _whole(random: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Both sides together: pages add up, people who used both count once."""
    sides = table["visitors"].unstack()
    both = random.binomial(sides["pc"].astype(int), DEVICE_OVERLAP)
    added = (
        table[["page_views", "visits", "bounces", "cart_adds", "favourites"]].groupby("date").sum()
    )
    return added.assign(visitors=sides["pc"] + sides["wireless"] - both)
