"""Does "confirmed" keep its promise? python benchmarks/calibration.py [SEED …]

Simulated shops whose true conversions are known: from a beta, a lognormal, two groups, or two groups of
which the better one lies just below the bar (the hardest case: every item that passes is wrong). Days
differ by a gamma factor of the item and one of the whole shop. Each shop is screened as
bestsellers.screen does, by counts alone. Also how often the 95 % interval holds the true rate.
"""

import sys

import numpy as np
import pandas as pd

from shopanalysis import bestsellers

DAYS, WEEK = 28, 7
BARS = {"bestseller_visitors": 3000, "bestseller_conversion": 0.03, "bestseller_chance": 0.9,
        "bestseller_watch_chance": 0.3, "bestseller_wrong": 0.1, "bestseller_nearly": 0.5}  # fmt: skip
ITEM_SHOCK, SHOP_SHOCK = 0.2, 0.1  # coefficients of variation of a day's factor
SEEDS = (20261,)
SHOPS = {5: 120, 20: 60, 60: 40, 300: 10}  # items: shops for each seed and kind
LARGEST = 0.2  # no item converts above


def lognormal(random, size, middle, spread):
    return middle * np.exp(spread * random.standard_normal(size))


def groups(random, size, better, share):
    worse = lognormal(random, size, 0.011, 0.25)
    return np.where(random.random(size) < share, lognormal(random, size, better, 0.08), worse)


KINDS = {
    "beta": lambda random, size: random.beta(2, 130, size),
    "lognormal": lambda random, size: lognormal(random, size, 0.012, 0.6),
    "two groups": lambda random, size: groups(random, size, 0.04, 0.12),
    "just below": lambda random, size: groups(random, size, 0.028, 0.2),
}


def factors(random, variation: float, size):
    """Gamma factors of mean 1; 1 where nothing varies."""
    return random.gamma(variation**-2, variation**2, size) if variation else np.ones(size)


def shop(random, kind: str, items: int, item_shock=ITEM_SHOCK, shop_shock=SHOP_SHOCK):
    """The items' true rates, and item_day: date, item_id, visitors, buyers."""
    true = np.minimum(KINDS[kind](random, items), LARGEST)
    usual = lognormal(random, (items, 1), 200, 1.2)
    visitors = random.poisson(usual * factors(random, 0.2, (items, DAYS)))
    shocks = factors(random, item_shock, (items, DAYS)) * factors(random, shop_shock, (1, DAYS))
    buyers = random.binomial(visitors, np.minimum(true[:, None] * shocks, 1))
    days = pd.date_range("2026-01-01", periods=DAYS)
    return true, pd.DataFrame(
        {"date": np.tile(days, items), "item_id": np.repeat(np.arange(items), DAYS).astype(str),
         "visitors": visitors.ravel().astype(float), "buyers": buyers.ravel().astype(float)}
    )  # fmt: skip


def screened(true: np.ndarray, item_day: pd.DataFrame) -> pd.DataFrame:
    """Its items after the last week, with their true rates."""
    items = pd.DataFrame({"item_id": item_day["item_id"].unique(), "title": "", "category": ""})
    unknown = {"units": 1.0, "page_views": 1.0, "sales": 1.0, "bounce_rate": np.nan}
    item_day, last = item_day.assign(**unknown), item_day["date"].max()
    week = bestsellers.week(item_day, items, last, WEEK)
    week = bestsellers.expect(week, item_day, last, WEEK, BARS)
    return bestsellers.verdicts(week, BARS).assign(true=true[week["item_id"].astype(int)])


def many(seeds, kind: str, items: int, shops: int, **shocks) -> pd.DataFrame:
    """All items of `shops` shops for each seed."""
    return pd.concat(
        screened(*shop(np.random.default_rng([seed, number, items]), kind, items, **shocks))
        for seed in seeds
        for number in range(shops)
    )


def measures(found: pd.DataFrame) -> dict:
    """What was promised, and what came true."""
    over = found["true"] > BARS["bestseller_conversion"]
    large = found["visitors_by_day"] > BARS["bestseller_visitors"]
    called, plan = found["verdict"] == "confirmed", found["plan_verdict"] == "yes"
    held = found["true"].between(found["low"], found["high"])
    return {
        "items": len(found), "confirmed": called.sum(),
        "promised %": 100 * found["chance_above"][called].mean(),
        "true %": 100 * over[called].mean(), "plan says": plan.sum(), "of it true %": 100 * over[plan].mean(),
        "found % of true": 100 * called[over & large].mean(), "held %": 100 * held.mean(),
        "held %, large": 100 * held[large].mean(),
        "plan: seen": 100 * found["conversion"][plan].mean(), "is": 100 * found["true"][plan].mean(),
        "expected": 100 * found["next_conversion"][plan].mean(),
    }  # fmt: skip


def power(found: pd.DataFrame) -> pd.DataFrame:
    """Of items above the bar of visits, the share confirmed (and passed by the plan) by their true rate."""
    large = found[found["visitors_by_day"] > BARS["bestseller_visitors"]]
    rate = pd.cut(100 * large["true"], [0, 2.5, 2.8, 3, 3.2, 3.5, 4, 5, 20])
    size = pd.cut(
        large["visitors_by_day"], [3000, 6000, 12_000, np.inf], labels=["3-6k", "6-12k", "12k+"]
    )
    cells = large.assign(
        confirmed=large["verdict"] == "confirmed", plan=large["plan_verdict"] == "yes"
    )
    cells = cells.groupby([rate, size], observed=True)
    shares = cells[["confirmed", "plan"]].mean().mul(100).round(0).assign(items=cells.size())
    return shares.rename_axis(["true rate, %", "visits"])


def main(seeds: list[int]) -> None:
    rows, everything = [], []
    for items, shops in SHOPS.items():
        for kind in KINDS:
            found = many(seeds, kind, items, shops)
            everything.append(found)
            rows.append({"items a shop": items, "rates": kind} | measures(found))
    quiet = many(seeds, "lognormal", 60, 20, item_shock=0, shop_shock=0)
    wild = many(seeds, "lognormal", 60, 20, item_shock=0.4, shop_shock=0.2)
    rows.append({"items a shop": 60, "rates": "lognormal, even days"} | measures(quiet))
    rows.append({"items a shop": 60, "rates": "lognormal, wild days"} | measures(wild))
    rows.append(
        {"items a shop": "5-300", "rates": "all but those"} | measures(pd.concat(everything))
    )
    print(pd.DataFrame(rows).round(1).to_string(index=False))
    print(power(pd.concat(everything)).to_string())


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or list(SEEDS))
