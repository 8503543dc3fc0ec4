"""Two runs side by side: which findings appeared, vanished or changed. For an analyst's notebook."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pandas as pd

from shopanalysis.errors import ParameterError
from shopanalysis.findings import SEVERITIES

KEY = ["notebook", "id", "metric", "number"]
NEWS = ("appeared", "vanished", "changed", "same")
COLUMNS = [
    "news", "notebook", "id", "metric", "severity_before", "severity", "value_before", "value",
    "unit", "apart", "sentence",
]  # fmt: skip


def compare(earlier: str | Path, later: str | Path, language: str = "en") -> pd.DataFrame:
    """The findings of two runs, what appeared first, then what vanished, changed, stayed.

    earlier, later   folders of runs, such as reports/2026-11-19/demo, or their findings.json

    One row per finding: news (appeared, vanished, changed: another severity or value; same), notebook,
    id, metric, severity and value of both runs, unit, apart (whether the two 95 % intervals have
    nothing in common; missing where one of the two has none), sentence (the later run's, else the earlier's).
    Within each, the most severe first.

    Raises ParameterError where there is no run or a sentence is not in `language`.
    """
    before, after = findings(earlier, language), findings(later, language)
    both = before.merge(after, on=KEY, how="outer", suffixes=("_before", ""), indicator=True)
    table = pd.DataFrame({column: both.get(column) for column in COLUMNS})
    table["news"] = [_news(row) for row in both.to_dict("records")]
    table["apart"] = _apart(both)
    for column in ("unit", "sentence"):
        table[column] = both[column].fillna(both[f"{column}_before"])
    severity = both["severity"].fillna(both["severity_before"]).map(SEVERITIES.index)
    order = table["news"].map(NEWS.index).to_frame("news").assign(severity=severity)
    order = order.sort_values(["news", "severity"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def findings(run: str | Path, language: str) -> pd.DataFrame:
    """The findings of one run: KEY, severity, value, low, high, unit, sentence in `language`."""
    file = Path(run) / "findings.json" if Path(run).is_dir() else Path(run)
    try:
        records = json.loads(file.read_text(encoding="utf-8"))["findings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ParameterError(f"There are no findings of a run in {run}.") from None
    seen: Counter = Counter()
    rows = []
    for record in records:
        name = (record["notebook"], record["id"], record["metric"])
        seen[name] += 1
        if language not in record["sentence"]:
            has = ", ".join(record["sentence"])
            raise ParameterError(f"{file} has no sentences in '{language}'; it has: {has}.")
        kept = {key: record.get(key) for key in ("severity", "value", "low", "high", "unit")}
        sentence = record["sentence"][language]
        rows.append(
            dict(zip(KEY, (*name, seen[name]), strict=True)) | kept | {"sentence": sentence}
        )
    columns = [*KEY, "severity", "value", "low", "high", "unit", "sentence"]
    numbers = dict.fromkeys(("value", "low", "high"), float)
    return pd.DataFrame(rows, columns=columns).astype(numbers)


def _news(row: dict) -> str:
    if row["_merge"] != "both":
        return "appeared" if row["_merge"] == "right_only" else "vanished"
    value, before = row["value"], row["value_before"]
    same = value == before or (pd.isna(value) and pd.isna(before))
    return "same" if same and row["severity"] == row["severity_before"] else "changed"


def _apart(both: pd.DataFrame) -> pd.Series:
    """Whether the intervals of the two runs do not overlap; missing where one has none."""
    apart = (both["low"] > both["high_before"]) | (both["high"] < both["low_before"])
    known = both[["low", "high", "low_before", "high_before"]].notna().all(axis=1)
    return apart.astype("boolean").mask(~known)
