"""Chance: each day's visitors and purchases drawn from what is expected.

Every day has its own generator, so that a day is the same whatever days are made around it, and the
quiet shop has the same chance as the full one on days without an event.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from shopanalysis.demo.expected import Expected
from shopanalysis.demo.scenario import Scenario

UNPAID = 0.065  # of orders
SHOP_SHOCK, SOURCE_SHOCK, ITEM_SHOCK = (
    0.04,
    0.05,
    0.10,
)  # standard deviation of a day's log visitors
CONVERSION_SHOCK = 0.20  # variation of an item's conversion from day to day
# Purposes of chance. With 35 and the default seed, the item whose true conversion is 2.9 % shows
# more than 3 % in the bestsellers' week.
VISITS, PURCHASES, UNPAID_ORDERS = 0, 35, 11
GOLDEN = 0.6180339887  # multiples of it, less whole numbers, spread evenly
CALM = ("2026-08-10", "2026-08-23")  # these days are as expected: the mix shift must be exact


class Draws(NamedTuple):
    """source_visits (D, L), item_visits (D, I, L), and purchases paid and unpaid (D, I, L)."""

    source_visits: np.ndarray
    item_visits: np.ndarray
    paid: np.ndarray
    unpaid: np.ndarray


def generator(seed: int, day: pd.Timestamp, purpose: int) -> np.random.Generator:
    """The chance of one day for one purpose."""
    return np.random.default_rng([seed, purpose, day.toordinal()])


def draw(story: Scenario, means: Expected, seed: int) -> Draws:
    """Visitors and purchases of every day."""
    luck = np.ones((len(story.days), len(story.items)))
    if tail := story.planted.get("long_tail"):
        luck[story.between(tail), story.item(tail["item"])] = tail["luck"]
    days = [
        _day(day, seed, *(mean[i] for mean in means[:3]), luck[i])
        for i, day in enumerate(story.days)
    ]
    return Draws(*(np.array(parts) for parts in zip(*days, strict=True)))


def _day(
    day: pd.Timestamp, seed: int, sources: np.ndarray, visits: np.ndarray, rates: np.ndarray, luck
) -> tuple[np.ndarray, ...]:
    if pd.Timestamp(CALM[0]) <= day <= pd.Timestamp(CALM[1]):
        source_visits, item_visits, paid = _calm(day, sources, visits, rates)
    else:
        source_visits, item_visits = _visits(generator(seed, day, VISITS), sources, visits)
        random = generator(seed, day, PURCHASES)
        shock = random.gamma(CONVERSION_SHOCK**-2, CONVERSION_SHOCK**2, len(rates))
        chance = np.clip(rates * (shock * luck)[:, None], 0, 0.5)
        paid = random.binomial(item_visits, chance)
    share = np.clip(rates * UNPAID / (1 - UNPAID), 0, 0.5)
    unpaid = generator(seed, day, UNPAID_ORDERS).binomial(item_visits - paid, share)
    return source_visits, item_visits, paid, unpaid


def _visits(random: np.random.Generator, sources: np.ndarray, visits: np.ndarray):
    """Visitors (L,) and item visitors (I, L) with the day's shocks."""
    shop = _shock(random, SHOP_SHOCK, 1)
    source = shop * _shock(random, SOURCE_SHOCK, len(sources))
    item = _shock(random, ITEM_SHOCK, (len(visits), 1))
    source_visits = random.poisson(sources * source)
    return source_visits, np.minimum(random.poisson(visits * source * item), source_visits)


def _shock(random: np.random.Generator, size: float, shape) -> np.ndarray:
    """Factors with mean 1."""
    return random.lognormal(-(size**2) / 2, size, shape)


def _calm(day: pd.Timestamp, sources: np.ndarray, visits: np.ndarray, rates: np.ndarray):
    """A day as expected, to the next whole number, so that rounding cancels over a week."""
    start = (day.toordinal() * GOLDEN + np.arange(len(sources)) * GOLDEN**2) % 1
    source_visits = np.floor(sources + start).astype(int)
    item_visits = np.minimum(_evenly(visits, start), source_visits)
    return source_visits, item_visits, _evenly(item_visits * rates, start)


def _evenly(means: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Counts (I, L) with these means whose sums over items are within 1 of expected."""
    running = np.floor(np.cumsum(means, axis=0) + start)
    return np.diff(running, axis=0, prepend=0.0).astype(int)
