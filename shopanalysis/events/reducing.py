"""The whole way from a shop's log to its tables, day by day.

A day is made from the files that hold rows of it: a new one is made alone, a restated one again,
and what was made before a run was killed stays. Tables change at the end, all of them or none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from shopanalysis.errors import DataError
from shopanalysis.events import daily, engine, log, state
from shopanalysis.events.clock import Clock
from shopanalysis.events.settings import Format, Settings, format_of, settings
from shopanalysis.events.state import State, fingerprint
from shopanalysis.exports import landing
from shopanalysis.shop import Shop

Progress = Callable[[int, int, str], None]  # done, whole, name
DAILY = {  # table -> keys by which people are counted, once for each
    "shop_day": [[], ["device"]],
    "source_day": [["source"], ["source", "device"]],
    "item_day": [["item_id"]],
    "item_source_day": [["item_id", "source"]],
}


@dataclass(frozen=True)
class Reduced:
    """What reduce() did.

    days      days of the log; done: of them made now; future: rows after today, left out
    written   tables that were made; kept: those that exports state, left as they were
    counted   rows read and left out, by reason, over all days
    """

    days: tuple[date, ...]
    done: tuple[date, ...]
    written: tuple[str, ...]
    kept: tuple[str, ...]
    counted: dict[str, int]


@dataclass
class Run:
    """One run over a shop's log."""

    shop: Shop
    asked: Settings
    format: Format
    state: State
    connection: object
    salt: str
    today: date
    progress: Progress
    clocks: dict[str, Clock] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    done: list[date] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)


def reduce(
    shop: Shop, today: date | None = None, progress: Progress = lambda done, whole, name: None
) -> Reduced:
    """Make the tables of the log of `shop` that are not as the log is.

    Raises DataError for a log that cannot be read, and where memory or disk do not suffice; then
    tables are as before, and days that were finished are not made again.
    """
    asked = settings(shop.folder / "shop.toml", shop.events)
    kept = State(shop.folder)
    landing.finish(shop.folder)
    kept.remove_unfinished()
    spill = Path(asked.spill) if asked.spill else kept.place / "spill"
    with engine.failures(asked):
        run = Run(
            shop, asked, format_of(asked), kept, engine.connect(asked, spill), _salt(shop.folder),
            today or date.today(), progress,
        )  # fmt: skip
        return _reduced(run)


def _reduced(run: Run) -> Reduced:
    from shopanalysis.events import assembling, spans

    files = {file: _quarters(run, file) for file in _files(run)}
    days = _days(run, files)
    names = {day: _day_name(run, day, some) for day, some in days.items()}
    missing = [day for day in days if not run.state.path("days", names[day]).exists()]
    for number, day in enumerate(missing):
        run.progress(number, len(missing), day.isoformat())
        _make_day(run, day, days[day], run.state.path("days", names[day]))
        run.done.append(day)
    run.state.keep_only("days", names.values())
    first = spans.newcomers(run, names)
    weeks = spans.weeks(run, names)
    written, left = assembling.land(run, names, first, weeks)
    for name in names.values():
        said = json.loads((run.state.path("days", name) / "counts.json").read_text("utf-8"))
        run.counted |= {key: run.counted.get(key, 0) + value for key, value in said.items()}
    return Reduced(tuple(days), tuple(run.done), written, left, run.counted)


def _salt(folder: Path) -> str:
    """The shop's salt; one is made for a shop that has none yet."""
    import secrets

    file = folder / "salt"
    if not file.is_file():
        aside = folder / f".salt.{os.getpid()}.tmp"
        aside.write_text(secrets.token_hex(16), encoding="utf-8")
        os.replace(aside, file)
    return file.read_text(encoding="utf-8").strip()


def _files(run: Run) -> list[Path]:
    """Files of the log, by name; a shop without any has the events that it imported."""
    found = {file for pattern in run.asked.files for file in _matching(run.shop.folder, pattern)}
    imported = run.shop.folder / "tables" / "events.parquet"
    if not found and imported.exists() and run.asked.format == "contract":
        return [imported]
    if not found:
        raise DataError(
            f"{run.shop.folder} has no event log: no file {', '.join(run.asked.files)}, and no "
            "imported events. Set files in [events] of shop.toml."
        )
    return sorted(found)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        anchor = Path(pattern).anchor
        return Path(anchor).glob(str(Path(pattern).relative_to(anchor)))
    return folder.glob(pattern)


def _label(run: Run, file: Path) -> str:
    inside = file.is_relative_to(run.shop.folder)
    return file.relative_to(run.shop.folder).as_posix() if inside else str(file)


# ---- days ---------------------------------------------------------------------------------------


def _quarters(run: Run, file: Path) -> dict:
    """Rows of a file by quarter of an hour, counted once for as long as it stays as it is."""
    name = fingerprint(state.of_file(file), run.asked.format)
    said = run.state.remembered(name)
    if said is None:
        table = engine.read(run.connection, [file])
        log.check(table, run.format, _label(run, file))
        found = log.quarters(table, run.format)
        zoned = log.states_its_zone(table, run.format)
        said = {"zoned": zoned, "untimed": found.pop(None, 0), "rows": list(found.items())}
        run.state.remember(name, said)
    zone = "UTC" if said["zoned"] else run.asked.time_zone or run.shop.time_zone
    clock = Clock(run.shop.time_zone, zone, run.format.written)
    run.clocks[str(file)] = clock
    run.counted["untimed"] = run.counted.get("untimed", 0) + said["untimed"]
    return clock.days(dict(said["rows"]))


def _days(run: Run, files: dict[Path, dict[date, int]]) -> dict[date, list[Path]]:
    """Files by day; what is dated after today is left out and counted."""
    days: dict[date, list[Path]] = {}
    for file, by_day in files.items():
        for day, rows in by_day.items():
            if day > run.today:
                run.counted["after_today"] = run.counted.get("after_today", 0) + rows
            else:
                days.setdefault(day, []).append(file)
    return dict(sorted(days.items()))


def _day_name(run: Run, day: date, files: list[Path]) -> str:
    """A day's name, which changes with its files and with what says how they are read."""
    asked = run.asked
    rules = (asked.session_gap, asked.most_views, asked.agents, asked.test_visitors)
    clocks = tuple(run.clocks[str(file)] for file in files)
    told = fingerprint(
        day, tuple(map(state.of_file, files)), run.format, clocks, rules, fingerprint(run.salt)
    )
    return f"{day}-{told}"


def _acts(run: Run, day: date, files: list[Path]):
    """Acts of `day` in all its files; files are read together where they write time alike."""
    import ibis

    alike: dict[tuple, list[Path]] = {}
    for file in files:
        alone = file if run.connection.name != "duckdb" else None
        alike.setdefault((run.clocks[str(file)], file.suffix, alone), []).append(file)
    parts = [
        log.of_day(engine.read(run.connection, some), run.format, clock, day)
        for (clock, *_), some in alike.items()
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _make_day(run: Run, day: date, files: list[Path], target: Path) -> None:
    """All rows of one day, written beside and moved to `target` in one step."""
    acts = _acts(run, day, files)
    numbered = "session" in run.format.columns and _has_sessions(run, files)
    timed = daily.visits(
        log.once(acts, run.asked, run.format), run.asked.session_gap * 60, numbered
    )
    with engine.held(run.connection, daily.summed(timed)) as summed:
        out, counts = _not_people(run, summed)
        counts |= _read(acts, run)
        folder = run.state.aside("days")
        folder.mkdir()
        _write_day(run, out, summed, folder)
        (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    state.remove(target)
    os.rename(folder, target)


def _has_sessions(run: Run, files: list[Path]) -> bool:
    column = run.format.columns["session"]
    return all(column in engine.read(run.connection, [file]).columns for file in files)


def _read(acts, run: Run) -> dict[str, int]:
    row = log.counted(acts, run.asked, run.format).to_pyarrow().to_pylist()[0]
    return {name: int(value or 0) for name, value in row.items()}


def _not_people(run: Run, summed) -> tuple[list[str], dict[str, int]]:
    """Machines and the shop's own tests among the visitors, and rows that go for each reason."""
    facts = daily.no_people(summed, run.asked.most_views, run.asked.test_visitors)
    found = facts.to_pyarrow().to_pydict()
    who = list(zip(found["visitor"], found["rows"], strict=True))
    tests = [(name, rows) for name, rows in who if name in run.asked.test_visitors]
    machines = [pair for pair in who if pair not in tests]
    counts = {"machines": len(machines), "machines_by_views": sum(rows for _, rows in machines)}
    counts["tests"] = sum(rows for _, rows in tests)
    counts["copies"] = summed.copies.sum().to_pyarrow().as_py() or 0
    return [name for name, _ in who], {name: int(value) for name, value in counts.items()}


def _write_day(run: Run, out: list[str], summed, folder: Path) -> None:
    """Files of the day's tables in `folder`, without the visitors `out`."""
    said = {} if out else run.said
    clean = summed.filter(~summed.visitor.isin(out)) if out else summed
    builds = {
        "-".join([name, *keys]): partial(_counted, clean, keys)
        for name, groups in DAILY.items()
        for keys in groups
    }
    builds |= {"pairs": partial(_pairs, run, clean), "visitors": partial(_visitors, run, clean)}
    for name, build in builds.items():
        engine.write(run.connection, said, build, folder / f"{name}.parquet")


def _counted(clean, keys: list[str]):
    for key in keys:
        clean = clean.filter(clean[key] != "")
    return daily.people(daily.per_visitor(clean, keys), keys)


def _pairs(run: Run, clean):
    pairs = daily.per_visitor(clean.filter(clean.item_id != ""), ["item_id"])
    return pairs.filter((pairs.views > 0) | (pairs.paid > 0)).select(
        visitor_key=_key(run, pairs.visitor), item_id=pairs.item_id,
        viewed=pairs.views > 0, paid=pairs.paid > 0,
    )  # fmt: skip


def _visitors(run: Run, clean):
    everyone = daily.per_visitor(clean, [])
    return everyone.select(
        visitor_key=_key(run, everyone.visitor), viewed=everyone.views > 0,
        orders=everyone.orders, sales=everyone.sales,
    )  # fmt: skip


def _key(run: Run, visitor):
    """The visitor as the shop's tables know it: the salted hash of exports.values.hashed."""
    import ibis

    if run.format.hashed:
        return visitor
    return (ibis.literal(run.salt) + visitor).hexdigest("sha256").left(16)
