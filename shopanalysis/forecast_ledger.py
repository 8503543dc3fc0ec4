"""What earlier forecasts said: read from the reports of earlier dates, held against what came since.

The table `sales_forecast.ahead` that each report leaves is the ledger: one file a date, put in place
whole, so that a repeated run of a date replaces its own and nothing is counted twice.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis.calendars import DAY
from shopanalysis.findings import Finding

TABLE = "sales_forecast.ahead.csv"
READ = 90  # days before a date whose forecasts are read
ENTRIES = ["made_on", "date", "expected", "low_80", "high_80"]
_NONE = pd.DataFrame({name: pd.Series(dtype="float") for name in ENTRIES}).astype(
    dict.fromkeys(ENTRIES[:2], "datetime64[ns]")
)
RECORD = ["made_on", "days_known", "expected", "sold", "wape", "naive_wape", "covered_80"]


def read(
    reports: str, shop: str, date: pd.Timestamp, until: str = ""
) -> tuple[pd.DataFrame, list[str]]:
    """What the forecasts of the READ days before `date` said, and the dates of those that are damaged.

    reports   the reports folder, or empty: no ledger     shop   the shop's folder name
    until     an earlier day before which they must have been made, or empty

    made_on, date, expected, low_80, high_80 (currency), one row per forecast and day ahead
    """
    entries, damaged = [], []
    for made_on, file in _files(reports, shop, date):
        if until and made_on >= pd.Timestamp(until):
            break
        try:
            entries.append(_entry(file, made_on))
        except (OSError, ValueError, KeyError):
            damaged.append(f"{made_on:%Y-%m-%d}")
    return pd.concat(entries or [_NONE], ignore_index=True), damaged


def _files(reports: str, shop: str, date: pd.Timestamp) -> Iterator[tuple[pd.Timestamp, Path]]:
    for made_on in pd.date_range(date - READ * DAY, date - DAY) if reports else ():
        file = Path(reports, f"{made_on:%Y-%m-%d}", shop, "tables", TABLE)
        if file.exists():
            yield made_on, file


def _entry(file: Path, made_on: pd.Timestamp) -> pd.DataFrame:
    """One forecast; ValueError or KeyError where it is not one whole table of the days after `made_on`."""
    text = file.read_text(encoding="utf-8-sig")
    table = pd.read_csv(io.StringIO(text))[ENTRIES[1:]]
    table["date"] = pd.to_datetime(table["date"], format="%Y-%m-%d")
    numbers = table[ENTRIES[2:]].astype(float)
    follow = table["date"] == pd.date_range(made_on + DAY, periods=len(table))
    right = (
        follow.all() and np.isfinite(numbers["expected"]).all() and not (numbers < 0).any(axis=None)
    )
    if not text.endswith("\n") or not right:
        raise ValueError(file.name)
    return pd.concat([table[["date"]], numbers], axis=1).assign(made_on=made_on)[ENTRIES]


def changed(entries: pd.DataFrame, ahead: pd.DataFrame, sales: pd.Series) -> dict[str, object]:
    """From the last forecast to `ahead`, over the days in both; empty where there is no earlier one.

    entries   of read()      ahead   date, expected      sales   by day (currency), up to today

    made_on, days (in both), before and now (their sums), and what came in between: since_days (with
    a figure), since_expected, since_sold
    """
    last = entries[entries["made_on"] == entries["made_on"].max()]
    both = last.merge(ahead, on="date", suffixes=("_then", ""))
    if both.empty:
        return {}
    between = last[~last["date"].isin(ahead["date"])].set_index("date")["expected"]
    sold = sales.reindex(between.index).dropna()
    return {
        "made_on": last["made_on"].iloc[0],
        "days": len(both),
        "before": both["expected_then"].sum(),
        "now": both["expected"].sum(),
        "since_days": len(sold),
        "since_expected": between[sold.index].sum(),
        "since_sold": sold.sum(),
    }


def judged(entries: pd.DataFrame, sales: pd.Series) -> pd.DataFrame:
    """Each day that an earlier forecast gave and that has come, with what was sold.

    The columns of `entries`, sold, and naive: what the same weekday last sold when it was made.
    """
    known = entries.assign(sold=entries["date"].map(sales)).dropna(subset=["sold"])
    back = (known["made_on"] - known["date"]).dt.days % 7
    last = sales.groupby(sales.index.day_of_week).ffill()
    return known.assign(naive=(known["made_on"] - pd.to_timedelta(back, "D")).map(last))


def record(known: pd.DataFrame) -> pd.DataFrame:
    """How each earlier forecast did, newest first; `known` of judged().

    made_on, days_known, expected and sold (their sums, currency), wape, naive_wape (of repeating the
    last week known then), covered_80 (share of days with a range that lay within it)
    """
    rows = [
        {"made_on": made_on, "days_known": len(days)}
        | {"expected": days["expected"].sum(), "sold": days["sold"].sum()}
        | _measures(days)
        for made_on, days in known.groupby("made_on")
    ]
    return pd.DataFrame(rows[::-1], columns=RECORD)


def _measures(days: pd.DataFrame) -> dict[str, float]:
    total = days["sold"].sum()
    both = days.dropna(subset=["naive"])
    ranged = days.dropna(subset=["low_80", "high_80"])
    inside = ranged["sold"].between(ranged["low_80"], ranged["high_80"])
    return {
        "wape": (days["expected"] - days["sold"]).abs().sum() / total if total > 0 else np.nan,
        "naive_wape": (both["naive"] - both["sold"]).abs().sum() / both["sold"].sum()
        if both["sold"].sum() > 0
        else np.nan,
        "covered_80": inside.mean() if len(inside) else np.nan,
    }


def findings(
    change: dict[str, object], known: pd.DataFrame, damaged: Sequence[str]
) -> list[Finding]:
    """What changed since the last forecast, and how the last ones did; of changed, judged and read."""
    found = [_changed(change)] if change else []
    if len(known):
        found.append(_record(known))
    if damaged:
        values = {"count": len(damaged), "names": list(damaged)}
        found.append(Finding("ledger_damaged", "warning", "sales", "ledger_damaged", len(damaged),
                             "forecasts", rule="F01", values=values))  # fmt: skip
    return found or [Finding("ledger", "info", "sales", "ledger_empty", rule="F01")]


def _changed(change: dict[str, object]) -> Finding:
    before, now = change["before"], change["now"]
    text = "forecast_changed" if change["since_days"] else "forecast_changed_only"
    return Finding(
        "forecast_changed", "info", "sales", text, now, "currency", baseline=before,
        n=change["days"], rule="F01",
        values=change | {"ratio": now / before - 1 if before > 0 else None},
    )  # fmt: skip


def _record(known: pd.DataFrame) -> Finding:
    measures = _measures(known)
    whole = not np.isnan(measures["covered_80"] + measures["naive_wape"])
    text = "forecasts_judged" if whole else "forecasts_error"
    return Finding(
        "forecasts_judged", "info", "wape", text, measures["wape"], "%",
        baseline=measures["naive_wape"], n=len(known), rule="F01",
        values=measures | {"count": known["made_on"].nunique(), "days": len(known),
                           "first": known["made_on"].min()},
    )  # fmt: skip
