"""A log as its files write it -> acts of visitors of one day of the shop, each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from shopanalysis.errors import DataError
from shopanalysis.events.clock import QUARTER, Clock
from shopanalysis.events.settings import OPTIONAL, WRITTEN, Format, Settings

NUMBERS = ("amount", "units")
KEY = ("visitor", "at", "kind", "item_id", "order_id")  # rows alike in these are one act


def seconds(table, format: Format):
    """The log's times as whole seconds since 1970, of its own clock."""
    at = table[format.at]
    if format.written == "time":
        return _time(at).epoch_seconds().cast("int64")
    return at.cast("int64") // WRITTEN[format.written]


def _time(at):
    return at if at.type().is_timestamp() else at.cast("timestamp")


def states_its_zone(table, format: Format) -> bool:
    """Whether the times are instants, whatever zone the settings say."""
    kind = table[format.at].type()
    return kind.is_timestamp() and bool(kind.timezone)


def check(table, format: Format, label: str) -> None:
    """Raises DataError when a column that is needed is not there."""
    needed = [format.visitor, format.at, format.kind]
    if absent := [name for name in needed if name not in table.columns]:
        raise DataError(
            f"{label} has no column {', '.join(absent)}; it has: {', '.join(table.columns)}. "
            f"Set format in [events] of shop.toml; this is read as: {format.title}."
        )


def quarters(table, format: Format) -> dict[int | None, int]:
    """Rows of a file by quarter of an hour; None: rows without a time."""
    by = table.select(quarter=(seconds(table, format) // QUARTER).cast("int64"))
    counted = by.group_by("quarter").aggregate(rows=lambda t: t.count()).to_pyarrow().to_pydict()
    return dict(zip(counted["quarter"], counted["rows"], strict=True))


def of_day(table, format: Format, clock: Clock, day: date):
    """Acts of `day`, named as ours: visitor, at, second, kind and OPTIONAL; text without missing."""
    import ibis

    first, last = clock.bounds(day)
    at = table[format.at]
    at = _time(at) if format.written == "time" else at.cast("int64")
    if at.type().is_timestamp() and at.type().timezone:
        first, last = (ibis.literal(f"{end}+00:00").cast(at.type()) for end in (first, last))
    elif at.type().is_timestamp():
        first, last = (ibis.literal(end) for end in (first, last))
    rows = table.filter((at >= first) & (at < last))
    at = _time(rows[format.at]) if format.written == "time" else rows[format.at].cast("int64")
    columns = {name: _optional(rows, name, format) for name in format.columns}
    return rows.select(
        visitor=_text(rows[format.visitor]),
        at=at,
        second=seconds(rows, format),
        kind=_kind(rows[format.kind], format.values),
        **_missing() | columns,
    )


def _missing() -> dict:
    import ibis

    made = {name: ibis.literal("") for name in OPTIONAL if name not in NUMBERS}
    return made | {name: ibis.null("float64") for name in NUMBERS}


def _optional(rows, name: str, format: Format):
    import ibis

    column = format.columns[name]
    if column not in rows.columns:
        return ibis.null("float64") if name in NUMBERS else ibis.literal("")
    return rows[column].cast("float64") if name in NUMBERS else _text(rows[column])


def _text(column):
    return column.cast("string").fill_null("")


def _kind(column, values: Mapping[str, str]):
    text = _text(column)
    return text.cases(*values.items(), else_="") if values else text


def once(acts, asked: Settings, format: Format):
    """`acts` of people, each once: rows alike in KEY count as one, `copies` says how many there were.

    Left out: rows without a visitor, of a kind that the format does not record, of a machine by its
    user agent. Of copies that differ, the smallest source, device and session and the largest amount
    and number of pieces count, so that the order of files does not matter.
    """
    known = (acts.visitor != "") & acts.kind.isin(format.kinds)
    people = acts.filter(known & ~machine(acts, asked, format))
    return people.group_by(list(KEY)).aggregate(
        second=people.second.min(),
        source=people.source.min(),
        device=people.device.min(),
        session=people.session.min(),
        amount=people.amount.max(),
        units=people.units.max(),
        copies=people.count(),
    )


def machine(acts, asked: Settings, format: Format):
    """Whether a row's user agent is a machine's."""
    import ibis

    return acts.agent.re_search(asked.agents) if "agent" in format.columns else ibis.literal(False)


def counted(acts, asked: Settings, format: Format):
    """One row: rows read, and of them without a visitor, of no known kind, of machines by agent."""
    nobody, unknown = acts.visitor == "", ~acts.kind.isin(format.kinds)
    return acts.aggregate(
        rows=acts.count(),
        without_visitor=nobody.sum(),
        unknown_kind=(~nobody & unknown).sum(),
        machines_by_agent=(~nobody & ~unknown & machine(acts, asked, format)).sum(),
    )
