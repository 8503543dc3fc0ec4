"""What a shop has: tables, days, gaps, overlaps, restatements; what can be said with it, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd

from shopanalysis import relisted, tables
from shopanalysis.batch import coverage
from shopanalysis.batch.notebooks import Notebook
from shopanalysis.exports import records, restatements
from shopanalysis.shop import Shop
from shopanalysis.words import agreeing

SHOWN = 5  # gaps, restatements and exports that are listed at most


def lines(shop: Shop, notebooks: Sequence[Notebook]) -> Iterator[str]:
    """What there is, one fact a line."""
    yield f"{shop.id}: {shop.name}, {shop.platform}, {shop.currency}, {shop.basis}"
    there = tables.available(shop.folder)
    if not there:
        yield "no tables yet: shopanalysis import FILE … --shop " + shop.id
    for name in there:
        yield _table_line(shop, name)
    yield from _file_lines(shop)
    yield from _relisted_lines(shop)
    yield from _restated_lines(shop)
    yield from _notebook_lines(shop, notebooks)


def _table_line(shop: Shop, name: str) -> str:
    column = coverage.day_column(name)
    table = shop.table(name)
    rows = agreeing(f"{len(table):,}", "# row|# rows")
    if column is None:
        return f"{name}: {rows}"
    days = pd.DatetimeIndex(table[column].dropna().dt.normalize().unique()).sort_values()
    if days.empty:
        return f"{name}: {rows}, none with a day"
    told = agreeing(f"{len(days):,}", "# day|# days")
    return f"{name}: {told}, {days[0].date()} to {days[-1].date()}{_gaps(days)}"


def _gaps(days: pd.DatetimeIndex) -> str:
    missing = pd.date_range(days[0], days[-1]).difference(days)
    if missing.empty:
        return ", no gaps"
    stretch = (missing.to_series().diff() != pd.Timedelta(days=1)).cumsum()
    ends = missing.to_series().groupby(stretch).agg(["min", "max"])
    told = [
        str(first.date()) if first == last else f"{first.date()} to {last.date()}"
        for first, last in ends.itertuples(index=False)
    ]
    return f", {agreeing(f'{len(missing):,}', '# day|# days')} missing: {_listed(told)}"


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - SHOWN:,} more" if len(told) > SHOWN else ""
    return ", ".join(told[:SHOWN]) + more


def _file_lines(shop: Shop) -> Iterator[str]:
    known = records.said(shop.folder)
    sources, files = known.get("sources", {}), known.get("files", {})
    for name, facts in files.items():
        again = sum(
            counts.get("changed", 0) + counts.get("unchanged", 0)
            for counts in facts["tables"].values()
        )
        if again:
            older = agreeing(f"{again:,}", "# older row says|# older rows say")
            yield f"overlap: {name} says again what {older}"
        for check in facts["checks"]:
            if not check["agrees"]:
                yield (
                    f"does not add up: {name}: {check['check']} "
                    f"({check['rows']:,} against {check['stated']:,})"
                )
    for entry in sources.values():
        yield from (f"refused: {why}" for why in entry["refused"].values())
    if unseen := records.unseen(shop.folder):
        yield f"not yet imported: {_listed(unseen)}"


def _relisted_lines(shop: Shop) -> Iterator[str]:
    for pair in relisted.suspected(shop.folder, shop.relisted):
        yield (
            f"on sale again under a new id? {pair['title']}: {pair['old']} until {pair['last']}, "
            f"{pair['new']} from {pair['first']}. If it is one item, say so in shop.toml: "
            f'[relisted] "{pair["old"]}" = "{pair["new"]}"'
        )


def _restated_lines(shop: Shop) -> Iterator[str]:
    changes = restatements.found(shop.folder)
    for change in changes.tail(SHOWN).itertuples():
        yield (
            f"restated: {change.table} {change.row}: {change.column} "
            f"{_value(change.before)} -> {_value(change.after)} ({change.file})"
        )
    if len(changes) > SHOWN:
        yield f"restated: {len(changes):,} values in all, the newest shown"


def _value(value: object) -> str:
    return f"{value:,.15g}" if isinstance(value, float) else str(value)


def _notebook_lines(shop: Shop, notebooks: Sequence[Notebook]) -> Iterator[str]:
    lacking = {one.name: coverage.missing(shop.folder, one.needs, date.max) for one in notebooks}
    if able := [name for name, needs in lacking.items() if not needs]:
        yield f"can be answered: {', '.join(able)}"
    for name, needs in lacking.items():
        if needs:
            brought = coverage.formats_for(shop, needs)
            yield (
                f"cannot be answered: {name}, for lack of {', '.join(needs)}; "
                f"it is in: {_listed(brought) or 'no report that is known'}"
            )
