"""One day of a log -> that day's files: rows of each table, and who came for what.

Files of a day, each with `day` (days since 1970): people-<table>-<keys>, sums-<keys>, orders-<keys>,
viewers, payers, pairs (of visitor and item). What is asked is the same every day: it is put together
once, over names that each day gives to its own log.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shopanalysis.events import daily, log, state
from shopanalysis.events.bits import BITS, has
from shopanalysis.events.clock import Clock
from shopanalysis.tables import TABLES

EPOCH = date(1970, 1, 1)
LOG, ACTS, PEOPLE, DAY = "log_of_the_day", "acts_of_the_day", "people_of_the_day", "the_day"
GROUPS = {  # keys by which people are counted, each once; an act without one of them is in no row
    "shop_day": [[], ["device"]],
    "source_day": [["source"]],  # all devices: analyses add up the devices of a source
    "item_day": [["item_id"]],
    "item_source_day": [["item_id", "source"]],
}
PARTS = {  # column of a table -> the sums that it is made of, where they are not called alike
    "page_views": ["views"],
    "bounce_rate": ["bounces", "visits"],
    "dwell": ["dwell", "stay", "stays"],
}


@dataclass(frozen=True)
class Written:
    """How a file of the log is written: files alike in this are read together."""

    clock: Clock
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Questions:
    """What is asked of a day: expressions of Ibis over LOG, ACTS, PEOPLE and DAY.

    counted    of LOG: rows, and those left out; acts: of LOG, ACTS
    strangers  of ACTS: visitors who are no people; copies: repeated rows
    files      of PEOPLE and DAY: by the file's name
    """

    counted: object
    acts: object
    strangers: object
    copies: object
    files: dict[str, object]


def questions(run, schema) -> Questions:
    """What is asked of every day whose log has the columns of `schema`."""
    import ibis

    asked = run.asked
    read = ibis.table(schema, name=LOG)
    acts = daily.visits(
        log.once(read, asked, run.format), asked.session_gap * 60, "session" in schema
    )
    held = ibis.table(acts.schema(), name=ACTS)
    the_day = ibis.table({"day": "int32"}, name=DAY)
    files = _files(run, ibis.table(acts.schema(), name=PEOPLE))
    return Questions(
        log.counted(read, asked),
        acts,
        daily.strangers(held, asked.most_views, asked.test_visitors),
        daily.copies(held),
        {name: table.cross_join(the_day) for name, table in files.items()},
    )


def _files(run, people) -> dict[str, object]:
    files = {
        "-".join([name, *keys]): _counted(people, name, keys)
        for name, groups in GROUPS.items()
        for keys in groups
    }
    by, pairs = (
        daily.by_visitor(people, []),
        daily.by_visitor(_having(people, ["item_id"]), ["item_id"]),
    )
    paid = daily.payers(people)
    viewed, bought = (has(pairs.did, BITS[kind]) for kind in ("view", "pay"))
    files["viewers"] = by.filter(has(by.did, BITS["view"])).select(
        visitor_key=log.key(by.visitor, run.format, run.salt)
    )
    files["payers"] = paid.select(
        "orders", "sales", visitor_key=log.key(paid.visitor, run.format, run.salt)
    )
    files["pairs"] = pairs.filter(viewed | bought).select(
        "item_id",
        visitor_key=log.key(pairs.visitor, run.format, run.salt),
        viewed=viewed,
        paid=bought,
    )
    return files


def _having(people, keys: list[str]):
    for key in keys:
        people = people.filter(people[key] != "")
    return people


def _counted(people, table: str, keys: list[str]):
    """What `table` needs of people, sums and orders by `keys`; orders missing where there are none."""
    some = _having(people, keys)
    counted = daily.people(daily.by_visitor(some, keys), keys)
    sums, orders = daily.sums(some, keys), daily.orders(some, keys)
    whole = counted.inner_join(sums, keys) if keys else counted.cross_join(sums)
    if "orders" in TABLES[table].columns:
        whole = whole.left_join(orders, keys) if keys else whole.cross_join(orders)
    needed = {part for name in TABLES[table].columns for part in PARTS.get(name, [name])}
    return whole.select(*keys, *sorted(needed.intersection(whole.columns) - {*keys}))


def make(run, day: date, files: list[Path], target: Path) -> None:
    """Make all files of `day`, beside `target` and then moved to it in one step."""
    acts = _acts(run, day, files)
    asked = run.questions(acts.schema())
    run.engine.name(LOG, acts)
    run.engine.hold(ACTS, asked.acts)
    out, counts = _strangers(run, asked)
    _name_people(run, asked, out)
    _name_day(run, day)
    folder = run.state.aside("days")
    folder.mkdir()
    for name, table in asked.files.items():
        run.engine.write(table, folder / f"{name}.parquet")
    (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    state.remove(target)
    os.rename(folder, target)


def _acts(run, day: date, files: list[Path]):
    """Acts of `day` in all its files, in columns that one of them has; a session if all have one."""
    import ibis

    alike: dict[Written, list[Path]] = {}
    for file in files:
        alike.setdefault(run.written[file], []).append(file)
    names = [
        name
        for name, column in run.format.columns.items()
        if (all if name == "session" else any)(column in how.columns for how in alike)
    ]
    parts = [
        log.of_day(run.engine.read(some), run.format, how.clock, day, names)
        for how, some in alike.items()
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _strangers(run, asked: Questions) -> tuple[list[str], dict[str, int]]:
    """Visitors who are no people, and rows that are left out, by reason."""
    rows = {row["visitor"]: int(row["rows"]) for row in run.engine.rows(asked.strangers)}
    tests = [name for name in rows if name in run.asked.test_visitors]
    machines = [name for name in rows if name not in tests]
    counts = {"machines": len(machines), "machines_by_views": sum(rows[name] for name in machines)}
    counts["tests"] = sum(rows[name] for name in tests)
    for one in (asked.copies, asked.counted):
        counts |= {name: int(n or 0) for name, n in run.engine.rows(one)[0].items()}
    return list(rows), counts


def _name_people(run, asked: Questions, out: list[str]) -> None:
    """PEOPLE becomes ACTS without the visitors `out`."""
    import ibis

    held = ibis.table(asked.acts.schema(), name=ACTS)
    run.engine.name(PEOPLE, held.filter(~held.visitor.isin(out)) if out else held)


def _name_day(run, day: date) -> None:
    import ibis

    number = ibis.literal((day - EPOCH).days, "int32")
    run.engine.name(DAY, number.name("day").as_table())
