"""How often a quiet day is called unusual, and which fall is found: python benchmarks/day_alarms.py [SEED …].

Simulated shops of two years with weekdays, growth and days that differ by a normal or a wilder
(Student's t, 5 degrees of freedom) log factor; nothing ever happens in them, so every alarm is false.
"""

import sys

import numpy as np
import pandas as pd

from shopanalysis import usual_days

DAYS, FIRST = 730, 120  # days simulated; days before that are not judged
WEEKDAYS = np.array([1.0, 0.95, 0.95, 0.97, 1.05, 1.25, 1.2])
SHOPS = {"small": 300, "middle": 3000, "large": 30_000}  # visitors a day
DRAWS = {
    "normal": lambda random: random.standard_normal(DAYS),
    "t5": lambda random: random.standard_t(5, DAYS),
}


def shop(random, draw, visitors: int, growth: float) -> pd.DataFrame:
    """date, visitors, conversion, sales of a shop in which nothing happens."""
    trend = np.exp(np.log1p(growth) * np.arange(DAYS) / 365)
    weekday = WEEKDAYS[np.arange(DAYS) % 7]
    seen = random.poisson(visitors * trend * weekday * np.exp(0.08 * draw(random)))
    rate = np.clip(0.02 * np.exp(0.08 * draw(random)), 0, 1)
    paid = random.binomial(seen, rate)
    value = 150 * np.exp(0.5 * random.standard_normal(DAYS) / np.sqrt(np.maximum(paid, 1)))
    return pd.DataFrame(
        {"date": pd.date_range("2025-01-01", periods=DAYS), "visitors": seen,
         "conversion": paid / np.maximum(seen, 1), "sales": paid * value}
    )  # fmt: skip


def judged(daily: pd.DataFrame, metric: str) -> pd.DataFrame:
    """z of each day judged, and the log fall that would just have raised an alarm."""
    days = usual_days.usual(daily, metric, []).iloc[FIRST:].dropna()
    return days.assign(enough=(days["z"] + usual_days.ALARM) * days["spread"])


def main(seeds: list[int]) -> None:
    rows = []
    for size, visitors in SHOPS.items():
        for days, draw in DRAWS.items():
            for metric in ("sales", "visitors", "conversion"):
                found = pd.concat(
                    judged(
                        shop(np.random.default_rng([seed, visitors]), draw, visitors, growth),
                        metric,
                    )
                    for seed in seeds
                    for growth in (0.0, 0.3, 1.0)
                )
                rows.append(
                    {"shop": size, "days": days, "metric": metric, "judged": len(found),
                     "false per 100": 100 * (found["z"].abs() >= usual_days.ALARM).mean(),
                     "critical per 1000": 1000 * (found["z"] <= -5).mean(),
                     "found 8 in 10 (fall, %)": 100 * (1 - np.exp(-found["enough"].quantile(0.8)))}
                )  # fmt: skip
    print(pd.DataFrame(rows).round(2).to_string(index=False))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or list(range(20)))
