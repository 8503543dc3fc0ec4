"""How often the month ends within its 80 % range: python benchmarks/month_end.py [SEED …].

Simulated shops whose days wander by themselves (`keeps`: how much of a day's luck the next one keeps),
with weekdays and growth; asked in the middle of months.
"""

import sys

import numpy as np
import pandas as pd

from shopanalysis import forecasting, ranges

WEEKDAYS = np.array([1.0, 0.95, 0.95, 0.97, 1.05, 1.25, 1.2])
DAYS, ASKED = 500, (250, 310, 370, 430)
LUCK = {0.0: 0.15, 0.6: 0.15, 0.9: 0.08}


def shop(seed: int, keeps: float) -> pd.DataFrame:
    random = np.random.default_rng([seed, int(10 * keeps)])
    luck = np.zeros(DAYS)
    for day in range(1, DAYS):
        luck[day] = keeps * luck[day - 1] + LUCK[keeps] * random.standard_normal()
    level = 1000 * 1.3 ** (np.arange(DAYS) / 365) * WEEKDAYS[np.arange(DAYS) % 7]
    dates = pd.date_range("2025-01-01", periods=DAYS)
    return pd.DataFrame({"date": dates, "sales": level * np.exp(luck)})


def main(seeds: list[int]) -> None:
    rows = []
    for seed in seeds:
        for keeps in LUCK:
            day = shop(seed, keeps)
            for asked in ASKED:
                date = day["date"][asked]
                last = date + pd.offsets.MonthEnd(0)
                left = (last - date).days
                known = day.set_index("date")["sales"][:date].to_frame("total").T
                made = forecasting.forecast(known, max(left, 30), groups=["total"])
                ends = ranges.paths(made, "total", left).sum(axis=1)
                came = day["sales"][asked + 1 : asked + 1 + left].sum()
                away = abs(np.median(ends) / came - 1)
                width = np.subtract(*np.quantile(ends, [0.9, 0.1])) / came
                rows.append((keeps, (ends <= came).mean(), away, width))
    asked = pd.DataFrame(rows, columns=["keeps", "rank", "error", "width"])
    asked["inside 80 %"] = asked["rank"].between(0.1, 0.9)
    measures = ["inside 80 %", "error", "width"]
    print(asked.groupby("keeps")[measures].mean().round(3).to_string())
    print(f"all {len(asked)}:", asked[measures].mean().round(3).to_dict())
    print("ranks by fifths:", np.histogram(asked["rank"], 5, (0, 1))[0])


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or list(range(60)))
