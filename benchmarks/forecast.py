"""Which forecast is closest, and do its ranges hold? Daily series of real shops, 28 days ahead, many origins.

    python benchmarks/forecast.py [--data FOLDER] [--demo FOLDER] [--export FOLDER] [--others FOLDER]

--data     folder of the real sets (online_retail_uk/, tmall_mum_baby/); what is absent is left out
--demo     folder of a shop with tables, such as data/demo
--export   only write the series, for forecast_others.py in an environment of its own
--others   read the forecasts that forecast_others.py wrote, and set them beside ours
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from forecast_sets import (
    CALENDARS,
    DAYS,
    ORIGINS,
    Series,
    eves,
    export,
    given,
    groups,
    made_up,
    origins,
)

from shopanalysis import forecasting, ranges

FEWEST = 10  # days with sales before an origin, for a series to count there
SHIPPED = CALENDARS[3]  # the calendar that the notebook learns with
QUANTILES = "AutoETS quantiles"
SHARES = (0.025, 0.1, 0.5, 0.9, 0.975)


def seasonal_naive(known: np.ndarray) -> np.ndarray:
    return np.tile(known[:, -7:], DAYS // 7)


def weekday_mean(known: np.ndarray) -> np.ndarray:
    return np.tile(known[:, -28:].reshape(len(known), 4, 7).mean(axis=1), DAYS // 7)


def forecast(one: Series, origin: int, calendar: str) -> forecasting.Forecast:
    """What we say at `origin`, knowing the days before it and the special days of `calendar`."""
    known, named = one.history.iloc[:, :origin], one.campaigns(calendar)
    return forecasting.forecast(known, DAYS, named, groups(one.history))


def run(shops: dict[str, Series]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """By shop, origin and series: errors of our candidates, whether our ranges held, and pinball losses."""
    errors, held, lost = [], [], []
    for name, one in shops.items():
        history = one.history
        for origin in origins(history):
            known, actual = _known_and_actual(history, origin)
            ours = {"seasonal naive": seasonal_naive(known), "weekday mean": weekday_mean(known)}
            for calendar in CALENDARS:
                made = forecast(one, origin, calendar)
                ours[f"pooled, {calendar}"] = made.expected
                if calendar == SHIPPED:
                    held.append(_held(name, origin, history, made, actual))
                    lost.append(_pinball(name, origin, history, "pooled", _our_quantiles(made)))
            for candidate, expected in ours.items():
                errors.append(_errors(name, origin, history, candidate, expected))
    return pd.concat(errors), pd.concat(held), pd.concat(lost)


def _known_and_actual(history: pd.DataFrame, origin: int) -> tuple[np.ndarray, np.ndarray]:
    values = history.to_numpy()
    return values[:, :origin], values[:, origin : origin + DAYS]


def _our_quantiles(made: forecasting.Forecast) -> np.ndarray:
    """(SHARES, series, days)"""
    (low, high), (lowest, highest) = (ranges.by_day(made, level) for level in (80, 95))
    return np.stack([lowest, low, made.expected, high, highest])


def _pinball(shop_name, origin, history, candidate, quantiles) -> pd.DataFrame:
    """Twice the mean pinball loss of SHARES over the scale of MASE: 1 is about a forecast as good as that."""
    known, actual = _known_and_actual(history, origin)
    off = actual - quantiles
    shares = np.array(SHARES)[:, None, None]
    loss = 2 * np.maximum(shares * off, (shares - 1) * off).mean(axis=(0, 2))
    table = {"shop": shop_name, "origin": origin, "series": history.index, "group": groups(history)}
    return pd.DataFrame({**table, "candidate": candidate, "loss": loss / _scale(known)})


def _scale(known: np.ndarray) -> np.ndarray:
    change = np.abs(known[:, 7:] - known[:, :-7]).mean(axis=1)
    return np.where((known > 0).sum(axis=1) >= FEWEST, change, np.nan)


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
            "group": groups(history),
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
    counts = zip(groups(history), inside, strict=True)
    return [
        {"group": g, "kind": kind, "level": level, "held": i.sum(), "n": i.size} for g, i in counts
    ]


def read_others(folder: Path, shops: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors and pinball losses of the forecasts in `folder`: candidate--shop--origin.parquet."""
    found, lost = [], []
    for file in sorted(folder.glob("*--*--*.parquet")):
        candidate, name, origin = file.stem.split("--")
        if name not in shops or int(origin) not in origins(shops[name].history):
            continue
        history, table = shops[name].history, pd.read_parquet(file)
        if candidate == QUANTILES:
            made = np.stack([_of_share(table, history, share) for share in SHARES])
            lost.append(_pinball(name, int(origin), history, "AutoETS", made))
        else:
            expected = table.reindex(history.index).to_numpy()
            found.append(_errors(name, int(origin), history, candidate, expected))
    every = [pd.concat(part) if part else pd.DataFrame() for part in (found, lost)]
    return every[0].dropna(subset=["mase"]) if len(every[0]) else every[0], every[1]


def _of_share(table: pd.DataFrame, history: pd.DataFrame, share: float) -> np.ndarray:
    return table.reindex([f"{name}|{share:.3f}" for name in history.index]).to_numpy()


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
    history = made_up(1000)
    start = time.process_time()
    made = forecasting.forecast(history, DAYS)
    point = time.process_time() - start
    for level in (80, 95):
        ranges.by_day(made, level)
        ranges.of_sum(made, level, DAYS)
    return pd.DataFrame({"forecast": [point], "with ranges": [time.process_time() - start]})


def occasions(shops: dict[str, Series], folder: Path | None) -> pd.DataFrame:
    """Error on the days of each occasion as a share of what was sold then (WAPE), forecast on its eve."""
    rows = []
    for name, one in shops.items():
        for occasion, (origin, days) in eves(name, one.history).items():
            known, actual = _known_and_actual(one.history, origin)
            made = {"seasonal naive": seasonal_naive(known)}
            made |= {f"pooled, {c}": forecast(one, origin, c).expected for c in CALENDARS[1:]}
            for file in sorted(folder.glob(f"*--{name}--{origin}.parquet")) if folder else ():
                table = pd.read_parquet(file).reindex(one.history.index)
                made[file.stem.split("--")[0]] = table.to_numpy()
            for candidate, expected in made.items():
                off = np.abs(expected - actual)[:, days]
                for group in ("total", "top"):
                    rows_in = np.array(groups(one.history)) == group
                    share = off[rows_in].sum() / actual[:, days][rows_in].sum()
                    rows.append((occasion, group, candidate, share))
    columns = ["occasion", "group", "candidate", "wape"]
    return (
        pd.DataFrame(rows, columns=columns)
        .dropna()
        .pivot(index=["group", "candidate"], columns="occasion", values="wape")
    )


def main() -> None:
    asked, shops = given(__doc__, "--export", "--others")
    if asked.export:
        export(shops, asked.export)
        return
    errors, held, lost = run(shops)
    if asked.others:
        more = read_others(asked.others, shops)
        errors, lost = pd.concat([errors, more[0]]), pd.concat([lost, more[1]])
    report(errors, held, lost, occasions(shops, asked.others))


def report(errors, held, lost, on_occasions) -> None:
    pd.set_option("display.width", 200)
    print(f"Series: {len(errors.groupby(['shop', 'series']))}, {ORIGINS} origins, {DAYS} days")
    _print("Errors", table(errors), 3)
    by_shop = errors[errors["group"] == "total"].pivot_table(
        index="candidate", columns="shop", values="mase"
    )
    _print("Totals by shop (MASE)", by_shop, 3)
    _print("Share of days and sums inside their range", covered(held, ["group"]), 3)
    _print("The same of totals, by shop", covered(held[held["group"] == "total"], ["shop"]), 3)
    both = lost[lost.groupby(["shop", "origin", "series"])["loss"].transform("count") > 1]
    loss = (both if len(both) else lost).pivot_table(
        index="candidate", columns="group", values="loss"
    )
    _print("Pinball loss, on the series and origins that both have", loss, 3)
    _print("Error on the days of an occasion over what was sold then (WAPE)", on_occasions, 2)
    _print("CPU seconds, 1,000 series of three years", timing(), 1)


def _print(title: str, shown: pd.DataFrame, digits: int) -> None:
    print(f"\n{title}\n\n{shown.round(digits).to_string()}")


def covered(held: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Share inside, and in how many; columns by, level."""
    counts = held[held["group"] != "others"].groupby(["kind", *by, "level"])[["held", "n"]].sum()
    return (counts["held"] / counts["n"].where(counts["n"] > 0)).unstack([*by, "level"])


if __name__ == "__main__":
    main()
