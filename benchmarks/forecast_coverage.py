"""Do the ranges hold on shops nobody has seen? Made-up shops of several kinds and lengths of history.

    python benchmarks/forecast_coverage.py [--shops N] [--seed N] [--kinds NAME ...] [--lengths N ...]

Each shop is forecast once, 28 days ahead; its days and sums then come from the same made-up world.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shopanalysis import forecasting, ranges
from shopanalysis.calendars import Campaign

DAYS, ITEMS, TAIL, LENGTHS = 28, 10, 6, (90, 180, 365, 730)
RHYTHM = np.array([1.0, 0.95, 1.0, 1.05, 1.15, 1.4, 1.3])
FIRST = pd.Timestamp("2024-01-01")


@dataclass(frozen=True)
class Kind:
    """How a made-up shop's days differ; spreads are on the log scale.

    drift    of the shop's level from day to day     item_drift   of an item's share
    noise    of the shop's days, half of it carried over to the next by `carry`
    item_noise   of an item's days, on top of counting   growth   of the level in a year, times
    lift     mean factor of its campaigns            lift_spread  from one to the next
    every    days between campaigns of three days; 0: none
    """

    drift: float = 0.005
    item_drift: float = 0.01
    noise: float = 0.12
    carry: float = 0.3
    item_noise: float = 0.3
    growth: float = 1.0
    giant: float = 0.0
    lift: float = 1.0
    lift_spread: float = 0.0
    every: int = 0


KINDS = {
    "steady": Kind(drift=0.0, item_drift=0.0),
    "drifting": Kind(drift=0.02, item_drift=0.03),
    "growing": Kind(growth=3.0),
    "wild": Kind(noise=0.35, carry=0.5, item_noise=0.6, giant=0.01),
    "campaigns": Kind(lift=2.5, lift_spread=0.2, every=35),
    "wild campaigns": Kind(noise=0.25, lift=4.0, lift_spread=0.5, every=35),
    "harmless campaigns": Kind(every=35),
}


def made_up(kind: Kind, length: int, generator: np.random.Generator):
    """Sales of a shop and its items (total, item, tail) for `length` + DAYS days, groups, and campaigns."""
    days = length + DAYS
    campaigns, lifts = _campaigns(kind, days, generator)
    noise = _carried(generator.normal(0, kind.noise, days), kind.carry)
    shop = np.cumsum(generator.normal(0, kind.drift, days)) + noise
    shop = shop + np.log(kind.growth) * np.arange(days) / 365 + np.log(lifts)
    shop = shop + np.log(np.roll(RHYTHM, generator.integers(7))[np.arange(days) % 7])
    shop = shop + np.where(generator.random(days) < kind.giant, np.log(4), 0.0)
    pieces = np.concatenate(
        [60 / np.arange(1, ITEMS + 1) ** 0.8, generator.uniform(0.05, 0.3, TAIL)]
    )
    own = np.cumsum(generator.normal(0, kind.item_drift, (len(pieces), days)), axis=1)
    own = own + generator.normal(0, kind.item_noise, own.shape)
    mean = pieces[:, None] * np.exp(shop + own - kind.item_noise**2 / 2)
    price = generator.lognormal(4, 0.5, (len(pieces), 1))
    values = generator.poisson(mean) * price
    history = pd.DataFrame(
        np.vstack([values.sum(axis=0), values]),
        ["total", *(f"s{i}" for i in range(len(pieces)))],
        pd.date_range(FIRST, periods=days),
    )
    return history, ["total", *["item"] * ITEMS, *["tail"] * TAIL], campaigns


def _carried(noise: np.ndarray, carry: float) -> np.ndarray:
    kept = noise.copy()
    for day in range(1, len(noise)):
        kept[day] = carry * kept[day - 1] + np.sqrt(1 - carry**2) * noise[day]
    return kept


def _campaigns(kind: Kind, days: int, generator):
    """Campaigns of one name, the last of them in the days ahead, and the factor of every day."""
    lifts = np.ones(days)
    starts = np.arange(days - DAYS + 10, 0, -kind.every) if kind.every else np.array([], int)
    for start in starts:
        lift = kind.lift * np.exp(generator.normal(0, kind.lift_spread))
        lifts[start : start + 3] = lift * np.exp(generator.normal(0, kind.lift_spread / 2, 3))
    first = [FIRST + pd.Timedelta(days=int(start)) for start in starts]
    return tuple(Campaign("sale", day, day + pd.Timedelta(days=2)) for day in first), lifts


def tried(name: str, kind: Kind, length: int, generator) -> list[dict]:
    """Whether the ranges of one made-up shop held, by group and kind of day or sum; and their width."""
    history, groups, campaigns = made_up(kind, length, generator)
    made = forecasting.forecast(history.iloc[:, :length], DAYS, campaigns, groups)
    actual, rows = history.to_numpy()[:, length:], []
    size = np.where(made.naive_scale > 0, made.naive_scale, np.nan)
    for level in (80, 95):
        low, high = ranges.by_day(made, level)
        inside = _inside(low, actual, high)
        width = (high - low) / size[:, None]
        for what, days in (("event days", made.event), ("days", ~made.event)):
            if days.any():
                rows += _counted(groups, inside[:, days], width[:, days], what, level)
        for window in (7, 14, 28):
            ends = ranges.of_sum(made, level, window)
            inside = _inside(ends[0], actual[:, :window].sum(axis=1), ends[1])[:, None]
            width = ((ends[1] - ends[0]) / size / window)[:, None]
            event = " with events" if made.event[:window].any() else ""
            rows += _counted(groups, inside, width, f"sum of {window}{event}", level)
    return [{"shops": name, "length": length, **row} for row in rows]


def _inside(low, actual, high) -> np.ndarray:
    return np.where(np.isnan(low), np.nan, (low <= actual) & (actual <= high))


def _counted(groups, inside, width, kind, level) -> list[dict]:
    table = pd.DataFrame({"group": np.repeat(groups, inside.shape[1]), "held": inside.ravel()})
    table = table.assign(width=width.ravel(), n=table["held"].notna().astype(int))
    sums = table.groupby("group", sort=False)[["held", "width", "n"]].sum()
    return [{"group": g, "kind": kind, "level": level, **row} for g, row in sums.iterrows()]


def table(held: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Share inside in 100, by kind of day or sum and `by`; columns group and level."""
    sums = held.groupby([*by, "kind", "group", "level"], sort=False)[["held", "n"]].sum()
    share = 100 * sums["held"] / sums["n"].where(sums["n"] > 0)
    return share.unstack(["group", "level"]).round(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=25, help="of each kind and length")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--lengths", nargs="*", type=int, default=list(LENGTHS))
    parser.add_argument("--save", help="a Parquet file for all counts")
    given = parser.parse_args()
    generator, rows = np.random.default_rng(given.seed), []
    for name in given.kinds:
        for length in given.lengths:
            for _ in range(given.shops):
                rows += tried(name, KINDS[name], length, generator)
    held = pd.DataFrame(rows)
    if given.save:
        held.to_parquet(given.save)
    pd.set_option("display.width", 200, "display.max_rows", 500)
    print(table(held, []).to_string(), "\n")
    for by in ("length", "shops"):
        print(
            table(held[held["kind"].isin(["days", "event days", "sum of 28"])], [by]).to_string(),
            "\n",
        )
    wide = held.groupby(["kind", "group", "level"])[["width", "n"]].sum()
    print((wide["width"] / wide["n"]).unstack(["group", "level"]).round(2).to_string())


if __name__ == "__main__":
    main()
