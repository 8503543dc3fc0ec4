"""The other candidates of forecast.py, in an environment of their own: statsforecast caps pandas below 3.

uv venv env; uv pip install --python env 'statsforecast>=2' 'prophet' 'pandas<3' pyarrow
python benchmarks/forecast.py --export FOLDER
env/bin/python benchmarks/forecast_others.py FOLDER [CANDIDATE ... | timing]
"""

import json
import logging
import os
import sys
from pathlib import Path

import pandas as pd

SEASON = 7
LEVELS = (80, 95)  # of the ranges asked of AutoETS


def cpu() -> float:
    """CPU seconds of this process and of those that it started and that ended: Prophet fits in one."""
    return sum(os.times()[:4])


def candidates():
    """Name -> function from (known, days, events) to forecasts; those whose package is installed."""
    found = {}
    try:
        from statsforecast import models

        made = {
            "AutoETS": lambda: models.AutoETS(season_length=SEASON),
            "AutoTheta": lambda: models.AutoTheta(season_length=SEASON),
            "AutoARIMA": lambda: models.AutoARIMA(season_length=SEASON),
            "TSB": lambda: models.TSB(alpha_d=0.1, alpha_p=0.1),
            "ADIDA": lambda: models.ADIDA(),
        }
        found = {name: _stats(model) for name, model in made.items()}
        found[QUANTILES] = _quantiles(made["AutoETS"])
    except ImportError:
        pass
    try:
        import prophet  # noqa: F401

        found["Prophet"] = _prophet
    except ImportError:
        pass
    return found


def _stats(make):
    def forecast(known, days, events):
        import numpy as np

        ahead = {}
        for name, values in known.iterrows():
            made = make().forecast(y=values.to_numpy(np.float64), h=days)
            ahead[name] = np.maximum(made["mean"], 0)
        return pd.DataFrame(ahead).T

    return forecast


def _quantiles(make):
    """Quantiles by day: rows "series|share", as ranges of LEVELS and the middle between them."""

    def forecast(known, days, events):
        import numpy as np

        ahead = {}
        for name, values in known.iterrows():
            made = make().forecast(y=values.to_numpy(np.float64), h=days, level=list(LEVELS))
            shares = {0.5: made["mean"]}
            for level in LEVELS:
                shares[0.5 - level / 200] = made[f"lo-{level}"]
                shares[0.5 + level / 200] = made[f"hi-{level}"]
            for share, value in shares.items():
                ahead[f"{name}|{share:.3f}"] = np.maximum(value, 0)
        return pd.DataFrame(ahead).T

    return forecast


def _prophet(known, days, events, ranges=False):
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    holidays = pd.DataFrame(events).assign(ds=lambda e: pd.to_datetime(e["ds"])) if events else None
    ahead = {}
    for name, values in known.iterrows():
        frame = pd.DataFrame({"ds": pd.to_datetime(known.columns), "y": values.to_numpy()})
        model = Prophet(holidays=holidays, uncertainty_samples=1000 if ranges else 0).fit(frame)
        made = model.predict(model.make_future_dataframe(days, include_history=False))
        ahead[name] = made["yhat"].clip(lower=0).to_numpy()
    return pd.DataFrame(ahead).T


QUANTILES = "AutoETS quantiles"
SLOW = {"AutoARIMA": ("total", "top")}
ON_EVENTS = ("Prophet", "AutoETS", "AutoTheta")  # also from the eve of each occasion
INTERMITTENT = {"TSB": ("tail",), "ADIDA": ("tail",)}


def timed(folder: Path) -> None:
    """CPU seconds per 1,000 series of three years, 28 days ahead with 80 % ranges."""
    history = pd.read_parquet(folder / "timing.parquet")
    for name in ("AutoETS", "Prophet"):
        start = cpu()
        if name == "Prophet":
            _prophet(history, 28, [], ranges=True)
        else:
            candidates()[QUANTILES](history, 28, [])
        seconds = cpu() - start
        print(f"{name} with ranges: {1000 * seconds / len(history):,.0f} CPU s per 1,000 series")


def main(folder: Path, wanted: list[str]) -> None:
    if wanted == ["timing"]:
        timed(folder)
        return
    for candidate, forecast in candidates().items():
        if wanted and candidate not in wanted:
            continue
        groups = (SLOW | INTERMITTENT).get(candidate, ("total", "top", "tail"))
        start, series = cpu(), 0
        for about in sorted(folder.glob("*.json")):
            said = json.loads(about.read_text())
            history = pd.read_parquet(about.with_suffix(".parquet"))
            history = history[history.index.str.split(":").str[0].isin(groups)]
            events = said["event_origins"] if candidate in ON_EVENTS else []
            for origin in sorted({*said["origins"], *events}):
                file = folder / "made" / f"{candidate}--{about.stem}--{origin}.parquet"
                if file.exists():
                    continue
                made = forecast(history.iloc[:, :origin], said["days"], said["events"])
                file.parent.mkdir(exist_ok=True)
                made.set_axis([str(c) for c in made], axis=1).to_parquet(file)
                series += len(history)
        seconds = cpu() - start
        if series:
            print(f"{candidate}: {1000 * seconds / series:,.0f} CPU s per 1,000 series", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
