"""A log as its files write it -> acts of visitors of one day of the shop, each once."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from shopanalysis.errors import DataError
from shopanalysis.events.bits import BITS
from shopanalysis.events.clock import QUARTER, Clock
from shopanalysis.events.settings import WRITTEN, Format, Settings

NUMBERS = ("amount", "units")
NEEDED = ("item_id", "source", "device", "order_id", *NUMBERS)
KEY = ("visitor", "at", "did", "item_id", "order_id")  # rows alike in these are one act


def _seconds(at, format: Format):
    """Times of _at() as whole seconds since 1970, of the log's own clock."""
    if format.written == "time":
        return at.epoch_seconds().cast("int64")
    return at // WRITTEN[format.written]


def _time(at):
    return at if at.type().is_timestamp() else at.cast("timestamp")


def states_its_zone(table, format: Format) -> bool:
    """Whether the times are instants, whatever zone the settings say."""
    kind = table[format.at].type()
    return kind.is_timestamp() and bool(kind.timezone)


def names(file: Path, format: Format) -> tuple[str, ...]:
    """Columns of a CSV that does not name them in its first line; none for one that does."""
    if file.suffix != ".csv":
        return ()
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        first = next(csv.reader(opened), [])
    named = any(name in first for name in format.needed)
    return () if named or len(first) != len(format.unnamed) else format.unnamed


def check(table, format: Format, label: str) -> None:
    """Raises DataError when a column that is needed is not there."""
    if absent := [name for name in format.needed if name not in table.columns]:
        raise DataError(
            f"{label} has no column {', '.join(absent)}; it has: {', '.join(table.columns)}. "
            f"Set format in [events] of shop.toml; this is read as: {format.title}."
        )


def quarters(engine, table, format: Format) -> dict[int | None, int]:
    """Rows of a file by quarter of an hour; None: rows without a time."""
    by = table.select(quarter=(_seconds(_at(table, format), format) // QUARTER).cast("int64"))
    counted = by.group_by("quarter").aggregate(rows=by.count())
    return {row["quarter"]: row["rows"] for row in engine.rows(counted)}


def of_day(table, format: Format, clock: Clock, day: date, names: Sequence[str]):
    """Acts of `day`, named as ours: visitor, at, did (a bit of BITS; 0: unknown) and `names`."""
    first, last = _bounds(table, format, clock, day)
    at = _at(table, format)
    rows = table.filter((at >= first) & (at < last))
    words = format.values or {kind: kind for kind in format.kinds}
    bits = [(word, BITS[kind]) for word, kind in words.items()]
    return rows.select(
        visitor=_text(rows[format.visitor]),
        at=_at(rows, format),
        did=_text(rows[format.kind]).cases(*bits, else_=0).cast("int8"),
        **{name: _optional(rows, name, format) for name in names},
    )


def _at(table, format: Format):
    column = table[format.at]
    return _time(column) if format.written == "time" else column.cast("int64")


def _bounds(table, format: Format, clock: Clock, day: date):
    import ibis

    ends = clock.bounds(day)
    kind = _at(table, format).type()
    if kind.is_timestamp() and kind.timezone:
        return tuple(ibis.literal(f"{end}+00:00").cast(kind) for end in ends)
    return tuple(map(ibis.literal, ends)) if kind.is_timestamp() else ends


def _optional(rows, name: str, format: Format):
    column = format.columns[name]
    if column not in rows.columns:
        return _missing(name)
    return rows[column].cast("float64") if name in NUMBERS else _text(rows[column])


def _missing(name: str):
    import ibis

    return ibis.null("float64") if name in NUMBERS else ibis.literal("")


def complete(acts):
    """`acts` with every column of NEEDED, missing where the log has none."""
    return acts.mutate(**{name: _missing(name) for name in NEEDED if name not in acts.columns})


def _text(column):
    return column.cast("string").fill_null("")


def once(acts, asked: Settings, format: Format):
    """`acts` of people, each once: rows alike in KEY count as one, `copies` says how many there were.

    acts   of a day, with numbers in place of texts

    Left out: rows without a visitor, of a kind that the format does not record, of a machine by its
    user agent. Of copies that differ, the smallest source, device and session and the largest amount
    and number of pieces count, so that the order of files does not matter.
    """
    people = acts.filter((acts.visitor != 0) & (acts.did != 0) & ~machine(acts, asked))
    rest = [name for name in acts.columns if name not in (*KEY, "agent")]
    kept = {n: people[n].max() if n in NUMBERS else people[n].min() for n in rest}
    made = people.group_by(KEY).aggregate(**kept, copies=people.count())
    return made.mutate(second=_seconds(made["at"], format))


def machine(acts, asked: Settings):
    """Whether a row's user agent is a machine's."""
    import ibis

    return acts.agent.re_search(asked.agents) if "agent" in acts.columns else ibis.literal(False)


def counted(acts, asked: Settings):
    """One row: rows read, and of them without a visitor, of no known kind, of machines by agent."""
    nobody, unknown = acts.visitor == "", acts.did == 0
    return acts.aggregate(
        rows=acts.count(),
        without_visitor=acts.count(where=nobody),
        unknown_kind=acts.count(where=~nobody & unknown),
        machines_by_agent=acts.count(where=~nobody & ~unknown & machine(acts, asked)),
    )


def key(visitor, format: Format, salt: str):
    """The visitor as the shop's tables know it: the salted hash of exports.values.hashed."""
    import ibis

    if format.hashed:
        return visitor
    return (ibis.literal(salt) + visitor).hexdigest("sha256").left(16)
