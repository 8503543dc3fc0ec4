"""What the demo shop expects on each day: visitors, conversion and price before chance.

Arrays by day (D), item (I) and traffic source (L). Everything multiplies, so that a day without a
campaign or an event is the same product without its factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from shopanalysis.demo.scenario import Scenario

VISITORS = 6700  # shop visitors on a usual November day of 2026
GROWTH = 0.30  # a year
SOURCES_PER_VISITOR = 1.13
ITEMS_PER_VISIT = 1.15
ANNUAL = (1.00, 0.93, 0.95, 0.93, 0.92, 0.88, 0.85, 0.90, 1.02, 1.08, 1.08, 1.05)  # by month
WEEKDAY_VISITS = (1.02, 1.00, 0.99, 0.98, 0.96, 1.01, 1.06)  # Monday first
WEEKDAY_CONVERSION = (1.02, 1.02, 1.01, 1.00, 0.99, 0.96, 0.98)
SEASON = {  # an item's share of visitors, by month
    "四件套": (0.9, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.2, 1.1, 1.1, 1.0),
    "被子": (1.5, 1.2, 0.9, 0.7, 0.6, 0.6, 0.6, 0.7, 1.1, 1.5, 1.7, 1.7),
    "枕头": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "毛巾": (0.9, 0.9, 1.0, 1.0, 1.1, 1.2, 1.2, 1.2, 1.0, 0.9, 0.9, 0.9),
    "窗帘": (0.9, 0.8, 1.2, 1.2, 1.2, 1.1, 1.0, 1.0, 1.1, 1.0, 1.0, 0.9),
    "毛毯": (1.4, 1.1, 0.9, 0.7, 0.6, 0.5, 0.6, 0.6, 0.9, 1.2, 1.4, 1.5),
}
LAUNCH_DAYS = 30  # until a new item has its full traffic
FADE_DAYS = 60  # in which a fading item loses 63 %
PROMOTED = (
    "MH-SJ-01",
    "MH-SJ-05",
    "MH-BZ-06",
    "MH-BZ-01",
    "MH-ZT-02",
    "MH-MJ-01",
    "MH-CL-01",
    "MH-MT-01",
)
PROMOTED_WEIGHT = 6.0  # of a promoted item in keyword advertising
OUT_OF_STOCK_FALL = 0.88  # visitors of a day without stock / the day before
RECOVERY_DAYS = 14


class Expected(NamedTuple):
    """source_visits (D, L), item_visits (D, I, L), conversion (D, I, L), price (D, I) in yuan."""

    source_visits: np.ndarray
    item_visits: np.ndarray
    conversion: np.ndarray
    price: np.ndarray


def expected(story: Scenario, without: str = "") -> Expected:
    """The shop's expectations, as they would be without the campaign called `without`."""
    visits, conversion, price = campaign_factors(story, without)
    source_visits = usual_visits(story)[:, None] * SOURCES_PER_VISITOR * _shares(story)
    source_visits *= visits[:, None] * _source_factor(story)
    presale = (
        {} if without == story.planted.get("presale", {}).get("campaign", "") else story.planted
    )
    item_visits = source_visits[:, None, :] * ITEMS_PER_VISIT * _item_shares(story)
    item_visits *= _item_factor(story, presale)
    rates = conversion[:, None, None] * _rates(story) * _rate_factor(story, presale)
    prices = price[:, None] * story.items["deal_price"].to_numpy()
    return Expected(source_visits, item_visits, rates, prices.round(2))


def usual_visits(story: Scenario) -> np.ndarray:
    """Shop visitors of each day but for campaigns and events: growth, season, weekday."""
    years = (story.days - pd.Timestamp("2026-11-15")).days / 365
    annual = _by_month(story.days, ANNUAL) / ANNUAL[10]
    weekday = np.array(WEEKDAY_VISITS)[story.days.day_of_week]
    return VISITORS * (1 + GROWTH) ** np.asarray(years) * annual * weekday


def campaign_factors(story: Scenario, without: str = "") -> tuple[np.ndarray, ...]:
    """Factors (D,) on visits, conversion and price; the weekday's own conversion is among them."""
    visits, price = np.ones(len(story.days)), np.ones(len(story.days))
    conversion = np.array(WEEKDAY_CONVERSION)[story.days.day_of_week]
    for campaign in story.campaigns:
        if campaign["name"] == without:
            continue
        on = pd.date_range(campaign["start"], periods=len(campaign["visits"]))
        at = story.days.get_indexer(on)
        here = at >= 0
        visits[at[here]] *= np.array(campaign["visits"])[here]
        conversion[at[here]] *= np.array(campaign["conversion"])[here]
        price[at[here]] *= campaign["price"]
    return visits, conversion, price


def affinity(story: Scenario) -> np.ndarray:
    """How much more than its popularity an item gets from a source (I, L)."""
    random = np.random.default_rng(20250721)
    weights = random.lognormal(0, 0.3, (len(story.items), len(story.sources)))
    promoted = story.items["code"].isin(PROMOTED).to_numpy()
    keyword = (story.sources["level_3"] == "关键词推广").to_numpy()
    return weights * np.where(np.outer(promoted, keyword), PROMOTED_WEIGHT, 1.0)


def _by_month(days: pd.DatetimeIndex, values: tuple[float, ...]) -> np.ndarray:
    """A value for each day between the middles of the months."""
    middles = (np.arange(-1, 13) + 0.5) * 365 / 12
    around = (values[-1], *values, values[0])
    return np.interp(days.day_of_year, middles, around)


def _shares(story: Scenario) -> np.ndarray:
    weight = story.sources["weight"].to_numpy()
    return weight / weight.sum()


def _source_factor(story: Scenario) -> np.ndarray:
    factor = np.ones((len(story.days), len(story.sources)))
    if fall := story.planted.get("search_fall"):
        search = (story.sources["level_2"] == fall["level_2"]).to_numpy()
        factor[np.ix_(story.between(fall), search)] *= fall["visits"]
    if shift := story.planted.get("mix_shift"):
        factor[story.between(shift), story.source(shift["source"])] *= shift["visits"]
    return factor


def _item_shares(story: Scenario) -> np.ndarray:
    """Share of each source's item visits (D, I, L), events aside: sums to 1 over items."""
    season = np.array([_by_month(story.days, SEASON[c]) for c in story.items["category"]]).T
    popular = season * _life(story) * story.items["popularity"].to_numpy()
    shares = popular[:, :, None] * affinity(story)
    return shares / shares.sum(axis=1, keepdims=True)


def _life(story: Scenario) -> np.ndarray:
    """Launches and fading (D, I): 0 before the first day, 1 for an item in full life."""
    days = story.days.to_numpy()[:, None]
    age = (days - story.items["listed_on"].to_numpy()) / np.timedelta64(1, "D")
    faded = (days - story.items["fades_from"].to_numpy()) / np.timedelta64(1, "D")
    launch = np.clip((age + 3) / LAUNCH_DAYS, 0, 1) * (age >= 0)
    return launch * np.exp(-np.clip(np.nan_to_num(faded), 0, None) / FADE_DAYS)


def _item_factor(story: Scenario, presale: Mapping[str, Any]) -> np.ndarray:
    factor = np.ones((len(story.days), len(story.items), len(story.sources)))
    for out in story.planted.get("stock_out", []):
        factor[:, story.item(out["item"])] *= _stock_out_visits(story, out)[:, None]
    if slot := story.planted.get("home_slot"):
        for device in ("wireless", "pc"):
            source = story.source(slot["source"], device)
            factor[story.between(slot), story.item(slot["item"]), source] *= slot["visits"]
    if ahead := presale.get("presale"):
        for code in ahead["balance"]:
            factor[story.between(ahead), story.item(code)] *= ahead["visits"]
    return factor


def _stock_out_visits(story: Scenario, out: Mapping[str, Any]) -> np.ndarray:
    """Visitors fall from the second day without stock on and come back in two weeks."""
    since = np.asarray((story.days - pd.Timestamp(out["start"])).days)
    back = np.asarray((story.days - pd.Timestamp(out["end"])).days)
    lowest = OUT_OF_STOCK_FALL ** (since - back).clip(0)
    recovered = lowest + (1 - lowest) * np.clip(back / RECOVERY_DAYS, 0, 1)
    return np.where(back > 0, recovered, OUT_OF_STOCK_FALL ** np.clip(since, 0, None))


def _rates(story: Scenario) -> np.ndarray:
    """Usual conversion (I, L): an item's own is the mean over its usual sources."""
    relative = story.sources["conversion"].to_numpy()
    weights = affinity(story) * _shares(story)
    mean = (weights * relative).sum(axis=1) / weights.sum(axis=1)
    return story.items["conversion"].to_numpy()[:, None] * relative / mean[:, None]


def _rate_factor(story: Scenario, presale: Mapping[str, Any]) -> np.ndarray:
    factor = np.ones((len(story.days), len(story.items), len(story.sources)))
    for out in story.planted.get("stock_out", []):
        factor[story.between(out), story.item(out["item"])] = 0
    if shift := story.planted.get("mix_shift"):
        factor[story.between(shift)] *= shift["conversion"]
    if page := story.planted.get("bad_page"):
        factor[story.between(page), story.item(page["item"])] *= page["conversion"]
    if slot := story.planted.get("home_slot"):
        home = (story.sources["level_3"] == slot["source"]).to_numpy()
        on = story.between(slot)
        factor[np.ix_(on, [story.item(slot["item"])], home)] *= slot["conversion"]
    if ahead := presale.get("presale"):
        for code in ahead["balance"]:
            factor[story.between(ahead), story.item(code)] *= ahead["conversion"]
    return factor


def expected_sales(story: Scenario, without: str = "") -> np.ndarray:
    """Expected sales (D,) in yuan, presale on the day of the order."""
    means = expected(story, without)
    units = 1 + story.items["extra_units"].to_numpy()
    purchases = (means.item_visits * means.conversion).sum(axis=2)
    return (purchases * means.price * units).sum(axis=1)
