"""The sets that the forecast benchmarks run on: series of a shop, its own campaigns, and where it sells."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from shopanalysis import events_calendar, shop
from shopanalysis.calendars import Campaign

DAYS, ORIGINS, APART, TOP, TAIL = 28, 8, 28, 20, 20
TIMED = 20  # series that the other candidates are timed on
SPRING_FESTIVALS = ("2013-02-10", "2014-01-31", "2015-02-19")
OCCASIONS = {  # of Tmall mother-and-baby that the years before can say something about: first, last day
    "Double 11, 2013": ("2013-11-01", "2013-11-14"),
    "Double 11, 2014": ("2014-11-01", "2014-11-14"),
    "Double 12, 2013": ("2013-12-12", "2013-12-12"),
    "Double 12, 2014": ("2014-12-12", "2014-12-12"),
    "Spring Festival, 2014": ("2014-01-19", "2014-02-08"),
}


CALENDARS = ("none", "own campaigns", "and platform events", "and public holidays")


@dataclass(frozen=True)
class Series:
    """Daily series of one shop (index: group:name), the campaigns it knows of, and what its calendar asks."""

    history: pd.DataFrame
    own: tuple[Campaign, ...]
    platform: str
    country: str

    def campaigns(self, calendar: str) -> tuple[Campaign, ...]:
        """The special days that one of CALENDARS names."""
        if calendar in CALENDARS[:2]:
            return self.own if calendar == CALENDARS[1] else ()
        holidays = calendar == CALENDARS[3]
        span = self.history.columns[0], self.history.columns[-1]
        return events_calendar.campaigns_of(
            self.platform, self.country, self.own, *span, holidays=holidays
        )


def uk_online_retail(data: Path) -> Series:
    """Sales by stock code (GBP, cancellations and service lines left out); the last, partial day dropped."""
    lines = pd.read_parquet(data / "online_retail_uk" / "online_retail.parquet")
    goods = lines["StockCode"].str.match(r"^\d{5}")
    lines = lines[goods & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    cancelled = lines["InvoiceNo"].str.startswith("C")
    lines = lines[~cancelled].assign(date=lines["InvoiceDate"].dt.normalize())
    lines["sales"] = lines["Quantity"] * lines["UnitPrice"]
    wide = _wide(lines[lines["date"] < "2011-12-09"], "StockCode", "sales")
    return Series(wide, (), "", "GB")


def tmall_mother_and_baby(data: Path) -> Series:
    """Purchases by leaf category (an item is bought about once in this sample)."""
    bought = pd.read_parquet(data / "tmall_mum_baby" / "trade_history.parquet")
    bought = bought.assign(date=pd.to_datetime(bought["day"]), orders=1.0)
    return Series(_wide(bought, "category_1", "orders"), tuple(_platform_events()), "tmall", "CN")


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


def demo_shop(folder: Path) -> Series:
    """Sales by item."""
    opened = shop.load(folder)
    wide = _wide(opened.table("item_day"), "item_id", "sales")
    return Series(wide, opened.campaigns, opened.platform, opened.country)


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


def groups(history: pd.DataFrame) -> list[str]:
    return [name.split(":")[0] for name in history.index]


def origins(history: pd.DataFrame) -> list[int]:
    """Places of the first unknown day, APART days from each other, the last with DAYS after it."""
    last = history.shape[1] - DAYS
    return [last - APART * k for k in range(ORIGINS)][::-1]


def eves(name: str, history: pd.DataFrame) -> dict[str, tuple[int, slice]]:
    """Occasion -> place of the first day of the forecast made on its eve, and its days therein.

    A single day is forecast from a week before.
    """
    found = {}
    for occasion, (start, end) in OCCASIONS.items() if name == "tmall" else ():
        first, last = (history.columns.get_loc(pd.Timestamp(day)) for day in (start, end))
        origin = first - (7 if first == last else 0)
        found[occasion] = origin, slice(first - origin, last + 1 - origin)
    return found


def given(description: str, *more: str) -> tuple[argparse.Namespace, dict[str, Series]]:
    """What was asked for on the command line (--data, --demo and folders `more`), and the sets found."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    beside = Path(__file__).resolve().parents[1]
    parser.add_argument("--data", type=Path, default=beside.parent / "shared" / "data")
    parser.add_argument("--demo", type=Path, default=beside / "data" / "demo")
    for name in more:
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    loaders = {
        "uk": (uk_online_retail, asked.data, "online_retail_uk"),
        "tmall": (tmall_mother_and_baby, asked.data, "tmall_mum_baby"),
        "demo": (demo_shop, asked.demo, "tables"),
    }
    return asked, {
        name: load(folder)
        for name, (load, folder, needs) in loaders.items()
        if (folder / needs).exists()
    }


def made_up(count: int) -> pd.DataFrame:
    """Series of three years to measure time on: counts around a weekly rhythm."""
    generator = np.random.default_rng(0)
    season = 1 + 0.3 * np.sin(np.arange(1095) * 2 * np.pi / 7)
    values = generator.poisson(generator.gamma(1, 5, (count, 1)) * season).astype(float)
    return pd.DataFrame(values, columns=pd.date_range("2023-01-01", periods=1095))


def export(shops: dict, folder: Path) -> None:
    """Series, origins and events of every shop, as forecast_others.py reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in shops.items():
        history = one.history
        history.set_axis(history.columns.strftime("%Y-%m-%d"), axis=1).to_parquet(
            folder / f"{name}.parquet"
        )
        events = [
            {"holiday": f"{c.name} {c.phase} {i}", "ds": str(day.date())}
            for c in one.own
            for i, day in enumerate(c.days)
        ]
        about = {
            "origins": origins(history),
            "event_origins": [origin for origin, _ in eves(name, history).values()],
            "days": DAYS,
            "events": events,
        }
        (folder / f"{name}.json").write_text(json.dumps(about))
    timed = made_up(TIMED)
    named = timed.set_axis(timed.columns.strftime("%Y-%m-%d"), axis=1)
    named.to_parquet(folder / "timing.parquet")
