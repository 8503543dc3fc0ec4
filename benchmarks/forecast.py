"""Which forecast is closest, and do its ranges hold? Daily series of real shops, 28 days ahead, many origins.

    python benchmarks/forecast.py [--data FOLDER] [--demo FOLDER] [--export FOLDER] [--others FOLDER]

--data     folder of the real sets (online_retail_uk/, tmall_mum_baby/); what is absent is left out
--demo     folder of a shop with tables, such as data/demo
--export   only write the series, for forecast_others.py in an environment of its own
--others   read the forecasts that forecast_others.py wrote, and set them beside ours
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis import forecasting, ranges, shop, smoothing
from shopanalysis.calendars import DAY, Campaign

DAYS, ORIGINS, APART, TOP, TAIL = 28, 8, 28, 20, 20
FEWEST = 10  # days with sales before an origin, for a series to count there
SPRING_FESTIVALS = ("2013-02-10", "2014-01-31", "2015-02-19")
OCCASIONS = {  # of Tmall mother-and-baby that the years before can say something about: first, last day
    "Double 11, 2013": ("2013-11-01", "2013-11-14"),
    "Double 11, 2014": ("2014-11-01", "2014-11-14"),
    "Double 12, 2013": ("2013-12-12", "2013-12-12"),
    "Double 12, 2014": ("2014-12-12", "2014-12-12"),
    "Spring Festival, 2014": ("2014-01-19", "2014-02-08"),
}


def uk_online_retail(data: Path) -> tuple[pd.DataFrame, tuple[Campaign, ...]]:
    """Sales by stock code (GBP, cancellations and service lines left out); the last, partial day dropped."""
    lines = pd.read_parquet(data / "online_retail_uk" / "online_retail.parquet")
    goods = lines["StockCode"].str.match(r"^\d{5}")
    lines = lines[goods & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    cancelled = lines["InvoiceNo"].str.startswith("C")
    lines = lines[~cancelled].assign(date=lines["InvoiceDate"].dt.normalize())
    lines["sales"] = lines["Quantity"] * lines["UnitPrice"]
    return _wide(lines[lines["date"] < "2011-12-09"], "StockCode", "sales"), ()


def tmall_mother_and_baby(data: Path) -> tuple[pd.DataFrame, tuple[Campaign, ...]]:
    """Purchases by leaf category (an item is bought about once in this sample)."""
    bought = pd.read_parquet(data / "tmall_mum_baby" / "trade_history.parquet")
    bought = bought.assign(date=pd.to_datetime(bought["day"]), orders=1.0)
    return _wide(bought, "category_1", "orders"), tuple(_platform_events())


def _platform_events():
    for year in (2012, 2013, 2014):
        for phase, start, end in (
            ("preheat", "11-01", "11-10"),
            ("event", "11-11", "11-11"),
            ("tail", "11-12", "11-14"),
        ):
            yield Campaign("Double 11", *_days(year, start, end), phase)
        yield Campaign("Double 12", *_days(year, "12-12", "12-12"))
    for day in map(pd.Timestamp, SPRING_FESTIVALS):
        yield Campaign("Spring Festival", day - pd.Timedelta(days=12), day + pd.Timedelta(days=8))


def _days(year: int, start: str, end: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    return pd.Timestamp(f"{year}-{start}"), pd.Timestamp(f"{year}-{end}")


def demo_shop(folder: Path) -> tuple[pd.DataFrame, tuple[Campaign, ...]]:
    """Sales by item."""
    opened = shop.load(folder)
    return _wide(opened.table("item_day"), "item_id", "sales"), opened.campaigns


def _wide(rows: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Total, the TOP best sellers, TAIL that sell on fewer than three days in ten, all others; by day."""
    wide = rows.groupby([by, "date"])[value].sum().unstack("date").astype(float)
    wide = wide.reindex(columns=pd.date_range(wide.columns.min(), wide.columns.max())).fillna(0.0)
    ranked = wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    rest = ranked.iloc[TOP:]
    sold = (rest > 0).sum(axis=1)
    tail = rest[(sold < 0.3 * rest.shape[1]) & (sold >= 20)].head(TAIL)
    parts = {"top": ranked.head(TOP), "tail": tail}
    parts["others"] = wide.drop([*parts["top"].index, *tail.index]).sum().to_frame("others").T
    named = [frame.set_axis([f"{k}:{i}" for i in frame.index]) for k, frame in parts.items()]
    return pd.concat([wide.sum().to_frame("total:").T, *named]).rename_axis("series")


def _groups(history: pd.DataFrame) -> list[str]:
    return [name.split(":")[0] for name in history.index]


def origins(history: pd.DataFrame) -> list[int]:
    """Places of the first unknown day, APART days from each other, the last with DAYS after it."""
    last = history.shape[1] - DAYS
    return [last - APART * k for k in range(ORIGINS)][::-1]


def eves(name: str, history: pd.DataFrame) -> dict[str, int]:
    """Occasion -> place of the first day of the forecast made on its eve, a week before a single day."""
    found = {}
    for occasion, (start, end) in OCCASIONS.items() if name == "tmall" else ():
        early = pd.Timestamp(start) - (7 if start == end else 0) * DAY
        found[occasion] = history.columns.get_loc(early)
    return found


def seasonal_naive(known: np.ndarray) -> np.ndarray:
    return np.tile(known[:, -7:], DAYS // 7)


def weekday_mean(known: np.ndarray) -> np.ndarray:
    return np.tile(known[:, -28:].reshape(len(known), 4, 7).mean(axis=1), DAYS // 7)


def run(shops: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors of our candidates by shop, origin and series; and whether our ranges held."""
    errors, held = [], []
    for name, (history, campaigns) in shops.items():
        values = history.to_numpy()
        for origin in origins(history):
            known = history.iloc[:, :origin]
            made = forecasting.forecast(known, DAYS, campaigns, _groups(history))
            plain = forecasting.forecast(known, DAYS, (), _groups(history))
            actual = values[:, origin : origin + DAYS]
            ours = {
                "seasonal naive": seasonal_naive(values[:, :origin]),
                "weekday mean": weekday_mean(values[:, :origin]),
                "pooled, no events": plain.expected,
                "pooled": made.expected,
            }
            for candidate, expected in ours.items():
                errors.append(_errors(name, origin, history, candidate, expected))
            held.append(_held(name, origin, history, made, actual))
    return pd.concat(errors), pd.concat(held)


def _errors(shop_name, origin, history, candidate, expected) -> pd.DataFrame:
    values = history.to_numpy()
    known, actual = values[:, :origin], values[:, origin : origin + DAYS]
    change = np.where((known > 0).sum(axis=1) >= FEWEST, (known[:, 7:] - known[:, :-7]).T, np.nan).T
    error = expected - actual
    return pd.DataFrame(
        {
            "shop": shop_name,
            "origin": origin,
            "series": history.index,
            "group": _groups(history),
            "candidate": candidate,
            "mase": np.abs(error).mean(axis=1) / np.abs(change).mean(axis=1),
            "rmsse": np.sqrt((error**2).mean(axis=1) / (change**2).mean(axis=1)),
            "bias": error.sum(axis=1),
            "sold": actual.sum(axis=1),
        }
    )


def _held(shop_name, origin, history, made, actual) -> pd.DataFrame:
    rows = []
    for level in (80, 95):
        low, high = ranges.by_day(made, level)
        inside = (low <= actual) & (actual <= high)
        for kind, days in (("event days", made.event), ("days", ~made.event)):
            rows += _counted(history, inside[:, days], kind, level)
        for window in (7, 14, 28):
            low, high = ranges.of_sum(made, level, window)
            summed = actual[:, :window].sum(axis=1)
            inside = ((low <= summed) & (summed <= high))[:, None]
            event = " with events" if made.event[:window].any() else ""
            rows += _counted(history, inside, f"sum of {window}{event}", level)
    return pd.DataFrame(rows).assign(shop=shop_name, origin=origin)


def _counted(history, inside, kind, level) -> list[dict]:
    counts = zip(_groups(history), inside, strict=True)
    return [
        {"group": g, "kind": kind, "level": level, "held": i.sum(), "n": i.size} for g, i in counts
    ]


def read_others(folder: Path, shops: dict) -> pd.DataFrame:
    """Errors of the forecasts in `folder`: candidate--shop--origin.parquet, rows series, columns days."""
    found = []
    for file in sorted(folder.glob("*--*--*.parquet")):
        candidate, name, origin = file.stem.split("--")
        if name in shops:
            history = shops[name][0]
            expected = pd.read_parquet(file).reindex(history.index).to_numpy()
            found.append(_errors(name, int(origin), history, candidate, expected))
    return pd.concat(found).dropna(subset=["mase"]) if found else pd.DataFrame()


def export(shops: dict, folder: Path) -> None:
    """Series, origins and events of every shop, as forecast_others.py reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (history, campaigns) in shops.items():
        history.set_axis(history.columns.strftime("%Y-%m-%d"), axis=1).to_parquet(
            folder / f"{name}.parquet"
        )
        events = [
            {"holiday": f"{c.name} {c.phase} {i}", "ds": str(day.date())}
            for c in campaigns
            for i, day in enumerate(c.days)
        ]
        about = {
            "origins": origins(history),
            "event_origins": list(eves(name, history).values()),
            "days": DAYS,
            "events": events,
        }
        (folder / f"{name}.json").write_text(json.dumps(about))


def table(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean error by candidate and group, over shops, origins and series alike, and beside seasonal naive."""
    kept = errors[errors["group"] != "others"]
    means = kept.pivot_table(index="candidate", columns="group", values=["mase", "rmsse"])
    sums = kept.groupby(["candidate", "group"])[["bias", "sold"]].sum()
    bias = (sums["bias"] / sums["sold"]).unstack("group")
    wide = pd.concat({**{k: means[k] for k in ("mase", "rmsse")}, "bias": bias}, axis=1)
    order = ["total", "top", "tail"]
    wide = wide[[(m, g) for m in ("mase", "rmsse", "bias") for g in order if (m, g) in wide]]
    return wide.sort_values(("mase", "total"))


def timing() -> pd.DataFrame:
    """CPU seconds for 1,000 made-up series of three years, 28 days ahead with ranges."""
    generator = np.random.default_rng(0)
    season = 1 + 0.3 * np.sin(np.arange(1095) * 2 * np.pi / 7)
    values = generator.poisson(generator.gamma(1, 5, (1000, 1)) * season).astype(float)
    history = pd.DataFrame(values, columns=pd.date_range("2023-01-01", periods=1095))
    start = time.process_time()
    made = forecasting.forecast(history, DAYS)
    point = time.process_time() - start
    for level in (80, 95):
        ranges.by_day(made, level)
    return pd.DataFrame({"forecast": [point], "with ranges": [time.process_time() - start]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).resolve().parents[1]
    parser.add_argument("--data", type=Path, default=beside.parent / "shared" / "data")
    parser.add_argument("--demo", type=Path, default=beside / "data" / "demo")
    parser.add_argument("--export", type=Path)
    parser.add_argument("--others", type=Path)
    given = parser.parse_args()
    loaders = {
        "uk": (uk_online_retail, given.data, "online_retail_uk"),
        "tmall": (tmall_mother_and_baby, given.data, "tmall_mum_baby"),
        "demo": (demo_shop, given.demo, "tables"),
    }
    shops = {
        name: load(folder)
        for name, (load, folder, needs) in loaders.items()
        if (folder / needs).exists()
    }
    if given.export:
        export(shops, given.export)
        return
    errors, held = run(shops)
    if given.others:
        errors = pd.concat([errors, read_others(given.others, shops)])
    report(errors, held)


def report(errors: pd.DataFrame, held: pd.DataFrame) -> None:
    pd.set_option("display.width", 200)
    print(f"\nSeries: {len(errors.groupby(['shop', 'series']))}, {ORIGINS} origins, {DAYS} days\n")
    print(table(errors).round(3).to_string())
    totals = errors[errors["group"] == "total"]
    print("\nTotals by shop (MASE)\n")
    by_shop = totals.pivot_table(index="candidate", columns="shop", values="mase")
    print(by_shop.round(3).to_string())
    counts = (
        held[held["group"] != "others"].groupby(["kind", "group", "level"])[["held", "n"]].sum()
    )
    covered = (counts["held"] / counts["n"]).unstack(["group", "level"])
    print("\nShare of days and sums inside their range\n")
    print(covered.round(3).to_string())
    print("\nCPU seconds, 1,000 series\n")
    print(timing().round(1).to_string(index=False))
    print(f"settings {len(smoothing.SETTINGS)}")


if __name__ == "__main__":
    main()
