"""Which days, and which columns up to a day, the tables of a shop hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from shopanalysis import tables
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.exports import mappings
from shopanalysis.shop import Shop


def day_column(table: str) -> str | None:
    """The column that says when a row of `table` happened; None for a list such as items."""
    columns = tables.TABLES[table].columns
    days = [name for name in tables.TABLES[table].key if columns[name].kind == "date"]
    times = [name for name, column in columns.items() if column.kind == "time"]
    return next(iter(days + times), None)


def days(folder: Path) -> pd.DatetimeIndex:
    """Every day on which some table of the shop in `folder` has a row, in order."""
    found = [days_of(folder, table) for table in tables.available(folder) if day_column(table)]
    return pd.DatetimeIndex(sorted(set().union(*found)))


def days_of(folder: Path, table: str) -> set[pd.Timestamp]:
    """The days on which one table of the shop in `folder` has a row; `table` has a day column."""
    day = day_column(table)
    return set(_columns(folder, table, [day])[day].dropna().dt.normalize().unique())


def chosen_days(
    shop: Shop, since: date | None, until: date | None, now: datetime | None = None
) -> list[date]:
    """Days to report on: those with data from `since` to `until`.

    since   None: only the last day of them
    until   None: the newest day that is over in the shop's time zone

    Raises DataError when there is none.
    """
    known = [day.date() for day in days(shop.folder)]
    if not known:
        raise DataError(f"{shop.id} has no tables yet. Import its files: shopanalysis import.")
    over = [day for day in known if day <= yesterday(shop, now)]
    span = f"its days run from {known[0]} to {known[-1]}"
    if until is None and not over:
        raise DataError(f"{shop.id} has no day that is over: {span}.")
    last = until or over[-1]
    chosen = [day for day in known if (since or last) <= day <= last]
    if not chosen:
        asked = last if since in (None, last) else f"{since} to {last}"
        raise DataError(f"{shop.id} has no data for {asked}: {span}.")
    return chosen


def yesterday(shop: Shop, now: datetime | None = None) -> date:
    """The newest day that is over where the shop is."""
    zone = zone_of(shop)
    return (now or datetime.now(zone)).astimezone(zone).date() - timedelta(days=1)


def zone_of(shop: Shop) -> ZoneInfo:
    """The shop's time zone. Raises DataError when there is none of that name."""
    try:
        return ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(
            f"{shop.folder / 'shop.toml'}: time_zone is '{shop.time_zone}'; "
            "expected a name such as Asia/Shanghai."
        ) from None


def columns_of(need: str) -> list[tuple[str, str]]:
    """The columns, (table, column), of which one has to be there: "a.x|b.y" -> both."""
    return [tuple(column.strip().partition(".")[::2]) for column in need.split("|")]


def check(needs: Sequence[str]) -> None:
    """Raise ParameterError for a need that no table of the data contract could ever meet."""
    for need in needs:
        if not any(
            table in tables.TABLES and column in tables.TABLES[table].columns
            for table, column in columns_of(need)
        ):
            raise ParameterError(f"'{need}': the data contract has no such column.")


def missing(folder: Path, needs: Sequence[str], until: date) -> list[str]:
    """Those of `needs` that the shop in `folder` has no value for up to and including `until`."""
    return [
        need
        for need in needs
        if not any(_has(folder, table, column, until) for table, column in columns_of(need))
    ]


def _has(folder: Path, table: str, column: str, until: date) -> bool:
    if table not in tables.available(folder) or column not in tables.TABLES[table].columns:
        return False
    day = day_column(table)
    frame = _columns(folder, table, list(dict.fromkeys(filter(None, (column, day)))))
    if day:
        frame = frame[frame[day] < pd.Timestamp(until) + pd.Timedelta(days=1)]
    return bool(frame[column].notna().any())


def _columns(folder: Path, table: str, columns: Sequence[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(tables.path(folder, table), columns=columns)
    except (OSError, ValueError):
        return tables.read(folder, table)[columns]


def formats_for(shop: Shop, needs: Sequence[str]) -> list[str]:
    """Titles of the exports that bring a column of `needs`, of the shop's platform if possible."""
    wanted = [column for need in needs for column in columns_of(need)]
    bringing = [
        format
        for format in mappings.load(shop.folder).formats
        if any(t in format.tables and c in format.tables[t].columns for t, c in wanted)
    ]
    own = [f for f in bringing if f.shop.get("platform", shop.platform) == shop.platform]
    return [format.title for format in own or bringing]
