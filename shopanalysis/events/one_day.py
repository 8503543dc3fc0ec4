"""One day of a log -> that day's files: rows of each table, and who came for what.

Files of a day, each with `day` (days since 1970): <table>-<keys>, payers, and three that belong together:
people and items (their numbers of that day, key and id) and pairs of a person and an item.

What is asked is the same every day: it is put together once, over names that each day gives to its own
log. Texts are numbers from the first step to the last (texts.py).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shopanalysis.events import daily, log, state, texts
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
    """How a file of the log is written: files alike in this are read together.

    kind    the name's ending; names: of its columns, where the file has none
    """

    clock: Clock
    kind: str
    columns: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Questions:
    """What is asked of a day: expressions of Ibis over names.

    counted    of LOG: rows, and those left out
    texts      of LOG: numbers of each column's texts, by the column
    acts       of LOG and texts: ACTS
    strangers  of ACTS: visitors who are no people; copies: repeated rows
    files      of PEOPLE (ACTS without strangers), texts and DAY: by the file's name
    """

    counted: object
    texts: dict[str, object]
    acts: object
    strangers: object
    copies: object
    files: dict[str, object]


def questions(run, schema) -> Questions:
    """What is asked of every day whose log has the columns of `schema`."""
    import ibis

    asked = run.asked
    read = log.complete(ibis.table(schema, name=LOG))
    apart = {name: texts.apart(read, name) for name in texts.NUMBERED if name in read.columns}
    known = {name: ibis.table(one.schema(), name=_texts(name)) for name, one in apart.items()}
    once = log.once(texts.numbered(read, known), asked, run.format)
    acts = daily.visits(once, asked.session_gap * 60, "session" in schema)
    held = ibis.table(acts.schema(), name=ACTS)
    files = _files(run, ibis.table(acts.schema(), name=PEOPLE), known)
    return Questions(
        log.counted(read, asked),
        apart,
        acts,
        daily.strangers(held, known["visitor"], asked.most_views, asked.test_visitors),
        daily.copies(held),
        files,
    )


def _texts(name: str) -> str:
    return f"texts_of_{name}"


def _files(run, acts, known) -> dict[str, object]:
    import ibis

    day = ibis.table({"day": "int32"}, name=DAY)
    files = {
        "-".join([name, *keys]): _counted(acts, known, name, keys)
        .cross_join(day)
        .order_by(["day", *keys])
        for name, groups in GROUPS.items()
        for keys in groups
    }
    people = _people(run, acts, known)
    return files | {name: table.cross_join(day) for name, table in people.items()}


def _people(run, acts, known) -> dict[str, object]:
    by, paid = daily.by_visitor(acts, []), daily.payers(acts)
    keys = known["visitor"]
    keys = keys.select("number", visitor_key=log.key(keys.visitor, run.format, run.salt))
    whole = by.inner_join(keys, by.visitor == keys.number)
    pairs = daily.by_visitor(_having(acts, ["item_id"]), ["item_id"])
    viewed, bought = (has(pairs.did, BITS[kind]) for kind in ("view", "pay"))
    return {
        "people": whole.select("visitor", "visitor_key", viewed=has(whole.did, BITS["view"])),
        "items": known["item_id"].select("item_id", item="number"),
        "pairs": pairs.filter(viewed | bought).select(
            "visitor", item="item_id", viewed=viewed, paid=bought
        ),
        "payers": paid.inner_join(keys, paid.visitor == keys.number).select(
            "visitor_key", "orders", "sales"
        ),
    }


def _having(acts, keys: list[str]):
    for key in keys:
        acts = acts.filter(acts[key] != 0)
    return acts


def _counted(acts, known, table: str, keys: list[str]):
    """What `table` needs of people, sums and orders by `keys`; orders missing where there are none."""
    some = _having(acts, keys)
    counted = daily.people(daily.by_visitor(some, keys), keys)
    sums, orders = daily.sums(some, keys), daily.orders(some, keys)
    whole = counted.inner_join(sums, keys) if keys else counted.cross_join(sums)
    if "orders" in TABLES[table].columns:
        whole = whole.left_join(orders, keys) if keys else whole.cross_join(orders)
    needed = {part for name in TABLES[table].columns for part in PARTS.get(name, [name])}
    counted = whole.select(*keys, *sorted(needed.intersection(whole.columns) - {*keys}))
    return texts.named(counted, {key: known[key] for key in keys})


def make(run, day: date, files: list[Path], target: Path) -> None:
    """Make all files of `day`, beside `target` and then moved to it in one step."""
    acts = _acts(run, day, files)
    if any(file.suffix == ".csv" for file in files):
        acts = _parsed(run, acts)
    asked = run.questions(acts.schema())
    run.engine.name(LOG, acts)
    for name, table in asked.texts.items():
        run.engine.hold(_texts(name), table)
    run.engine.hold(ACTS, asked.acts)
    out, counts = _strangers(run, asked)
    _name_people(run, asked, out)
    name_day(run, day)
    folder = run.state.aside("days")
    folder.mkdir()
    for name, table in asked.files.items():
        run.engine.write(table, folder / f"{name}.parquet")
    (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    state.remove(target)
    os.rename(folder, target)


def let_go(run) -> None:
    """What was held of the last day needs no room any more."""
    for name in (ACTS, *map(_texts, texts.NUMBERED)):
        run.engine.let_go(name)
    run.state.keep_only("parsed", [])


def _parsed(run, acts):
    """`acts`, kept as Parquet for as long as the day is made: they are read several times."""
    file = run.state.aside("parsed")
    run.engine.write(acts, file)
    return run.engine.read([file])


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
        log.of_day(run.engine.read(some, how.names), run.format, how.clock, day, names)
        for how, some in alike.items()
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _strangers(run, asked: Questions) -> tuple[list[int], dict[str, int]]:
    """Numbers of visitors who are no people, and rows that are left out, by reason."""
    found = run.engine.rows(asked.strangers)
    tests = [int(row["rows"]) for row in found if row["test"]]
    machines = [int(row["rows"]) for row in found if not row["test"]]
    counts = {"machines": len(machines), "machines_by_views": sum(machines), "tests": sum(tests)}
    for one in (asked.copies, asked.counted):
        counts |= {name: int(n or 0) for name, n in run.engine.rows(one)[0].items()}
    return [row["visitor"] for row in found], counts


def _name_people(run, asked: Questions, out: list[int]) -> None:
    """PEOPLE becomes ACTS without the visitors `out`."""
    import ibis

    held = ibis.table(asked.acts.schema(), name=ACTS)
    run.engine.name(PEOPLE, held.filter(~held.visitor.isin(out)) if out else held)


def name_day(run, day: date) -> None:
    """DAY becomes the number of `day`."""
    import ibis

    number = ibis.literal((day - EPOCH).days, "int32")
    run.engine.name(DAY, number.name("day").as_table())
