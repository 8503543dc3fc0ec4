"""What the demo shop is: items, traffic sources, calendar and planted events, from data files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FIRST, LAST = date(2025, 7, 21), date(2026, 11, 20)
HERE = Path(__file__).parent
# In the quiet shop none of these happens.
EVENTS = ("search_fall", "mix_shift", "bad_page", "home_slot", "long_tail", "presale", "stock_out")


@dataclass(frozen=True)
class Scenario:
    """The shop before chance: `items` by item id, `sources` by position, `days` in order."""

    days: pd.DatetimeIndex
    items: pd.DataFrame
    sources: pd.DataFrame
    campaigns: list[Mapping[str, Any]]
    targets: Mapping[str, int]
    planted: Mapping[str, Any]

    def item(self, code: str) -> int:
        """Position of the item with this code."""
        return int(np.flatnonzero(self.items["code"] == code)[0])

    def source(self, name: str, device: str = "wireless") -> int:
        """Position of the source of this lowest name on one device."""
        here = (self.sources["level_3"] == name) & (self.sources["device"] == device)
        return int(np.flatnonzero(here)[0])

    def between(self, event: Mapping[str, Any]) -> np.ndarray:
        """Which days lie from the event's start to its end, or to the last day."""
        end = pd.Timestamp(event.get("end", LAST))
        return np.asarray((self.days >= pd.Timestamp(event["start"])) & (self.days <= end))


def scenario(events: bool = True, start: date = FIRST, end: date = LAST) -> Scenario:
    """The demo shop from `start` to `end`; without `events`, nothing planted happens."""
    planted, calendar = _toml("planted.toml"), _toml("calendar.toml")
    if not events:
        planted = {name: said for name, said in planted.items() if name not in EVENTS}
    return Scenario(
        pd.date_range(start, end),
        pd.read_csv(
            HERE / "catalogue.csv", dtype={"item_id": str}, parse_dates=["listed_on", "fades_from"]
        ),
        pd.read_csv(HERE / "sources.csv"),
        calendar["campaign"],
        calendar["targets"],
        planted,
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))
