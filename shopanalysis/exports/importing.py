"""Files that a shop downloads -> its tables: import_files and refresh.

A file is accepted whole or refused whole. What is in tables/ follows from the files in exports/
alone, in whatever order they came; import.json says what became of each.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from shopanalysis import relisted, shop, tables
from shopanalysis.errors import DataError
from shopanalysis.exports import (
    arrivals,
    belonging,
    building,
    derived,
    landing,
    ledger,
    mappings,
    records,
)
from shopanalysis.exports.arrivals import Part
from shopanalysis.exports.belonging import Belonging
from shopanalysis.exports.imported import FileReport, Imported
from shopanalysis.exports.records import Record, Source
from shopanalysis.exports.rows import Piece, Rows

__all__ = ["FileReport", "Imported", "import_files", "refresh"]

Progress = Callable[[int, int, str], object]  # files done, of how many, name of the next


def silent(done: int, whole: int, name: str) -> None:
    """Say nothing."""


@dataclass
class _Import:
    """One run over some files."""

    folder: Path
    today: pd.Timestamp
    formats: mappings.Formats
    record: Record
    sources: Sequence[Source]
    gone: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)
    fed: bool = False  # whether files were imported before
    dry: bool = False
    progress: Progress = silent
    refused: dict[str, tuple[Source, str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    salt: str = ""


@dataclass
class _Result:
    """What tables/ will hold: every file's rows, the tables, and counts per table and file."""

    rows: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, pd.DataFrame]
    not_covered: Mapping[str, float] = field(default_factory=dict)
    relisted: pd.DataFrame | None = None


def import_files(
    folder: Path,
    files: Sequence[Path],
    today: date | None = None,
    dry: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Import files from anywhere (of a folder: all files in it) into the shop in `folder`.

    Accepted files are copied into exports/; a new shop gets its folder and a shop.toml. A file
    whose name another content has is kept beside it. `today` is the clock's unless given.

    dry        write nothing: only say what would become of each file
    progress   is told before each file: how many are done, of how many, and its name
    """
    run = _started(folder, today, dry, progress)
    taken = {name: entry["sha256"] for name, entry in run.record.sources.items()}
    taken |= {source.name: source.sha256 for source in run.sources}
    run.sources += list(records.from_anywhere(run.folder, files, taken))
    return _import(run)


def refresh(folder: Path, today: date | None = None) -> Imported:
    """Import what is new or changed in exports/, forget what is gone, repair what is damaged."""
    return _import(_started(folder, today))


def _started(
    folder: Path, today: date | None, dry: bool = False, progress: Progress = silent
) -> _Import:
    folder = Path(folder)
    if not dry:
        landing.finish(folder)
    stated = shop.stated(folder) if (folder / "shop.toml").is_file() else {}
    if fed := bool(records.said(folder).get("files")):
        stated |= {"basis": shop.load(folder).basis}
    formats = mappings.load(folder)
    record = records.read(folder, formats.digest)
    sources = list(records.new_or_changed(folder, record))
    now = pd.Timestamp(today or date.today()).normalize()
    gone = records.gone(folder, record)
    return _Import(folder, now, formats, record, sources, gone, stated, fed, dry, progress)


def _import(run: _Import) -> Imported:
    repair = not run.record.sound and bool(run.record.written)
    if not (run.sources or run.gone or repair):
        return Imported()
    found = arrivals.read_all(_one_by_one(run), run.formats, run.refused, run.unknown)
    parts, rows = _built(run, _belonging(run, found))
    accepted, result = [], _Result({}, {}, {})
    if parts or run.gone or repair:
        accepted, result = _accepted(run, parts, rows)
    if (accepted or run.gone or repair) and not run.dry:
        _write(run, accepted, result)
    reports = [_report(part.piece, result.counts) for part in accepted]
    beside = {part.source.name for part in accepted}
    for label, (source, why) in run.refused.items():
        not_read = label in run.unknown and source.name in beside
        reports.append(FileReport(label, **{"not_read" if not_read else "refused": why}))
    return Imported(tuple(sorted(reports, key=lambda report: report.name)), run.gone)


# ---- reading ------------------------------------------------------------------------------------


def _belonging(run: _Import, parts: Iterable[Part]) -> list[Part]:
    """Without the parts that are not this shop's; the first part decides for a new shop."""
    known = Belonging(run.stated, run.record.files.values())
    kept = []
    for part in parts:
        if why := known.refusal(part.piece):
            run.refused[part.label] = (part.source, f"{part.label}: {why}")
        else:
            kept.append(part)
    return kept


def _one_by_one(run: _Import) -> Iterator[Source]:
    for number, source in enumerate(run.sources):
        run.progress(number, len(run.sources), source.name)
        yield source
    run.progress(len(run.sources), len(run.sources), "tables")


def _built(run: _Import, parts: list[Part]) -> tuple[list[Part], dict[str, pd.DataFrame]]:
    """The parts that keep the contract, and their rows by table."""
    by_format: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_format[part.piece.format.id].append(part)
    good, made = [], defaultdict(list)
    run.salt = _salt(run.folder)
    for id, some in by_format.items():
        pieces = [part.piece for part in some]
        rows = Rows(some[0].piece.format, pieces, run.stated.get("time_zone"))
        labels = dict(enumerate(part.label for part in some))
        for name, frame in building.build(rows, run.formats, run.salt, run.today).items():
            frame = belonging.with_window(name, frame, pieces)
            frame = frame.assign(file=frame["file"].map(labels), format=id)
            made[name].append(ledger.typed(name, frame))
        run.refused |= {labels[n]: (some[n].source, why) for n, why in rows.refused.items()}
        good += [part for number, part in enumerate(some) if number not in rows.refused]
    return good, {name: pd.concat(frames) for name, frames in made.items()}


def _salt(folder: Path) -> str:
    file = folder / "salt"
    return file.read_text(encoding="ascii") if file.is_file() else secrets.token_hex(16)


# ---- putting together ---------------------------------------------------------------------------


def _accepted(
    run: _Import,
    parts: Sequence[Part],
    rows: Mapping[str, pd.DataFrame],
    beside: Sequence[Part] = (),
) -> tuple[list[Part], _Result]:
    """The parts that keep the contract together with all that is known, and what follows.

    A part that breaks it only beside others is found by halving. `beside`: already accepted.
    """
    every = [*beside, *parts]
    try:
        return every, _together(run, every, rows)
    except DataError as why:
        if not parts:
            raise
        if len(parts) == 1:
            run.refused[parts[0].label] = (parts[0].source, f"{parts[0].label}: {why}")
            return list(beside), _together(run, list(beside), rows)
        half = len(parts) // 2
        good, _ = _accepted(run, parts[:half], rows, beside)
        return _accepted(run, parts[half:], rows, good)


def _together(run: _Import, parts: list[Part], new: Mapping[str, pd.DataFrame]) -> _Result:
    labels = {part.label for part in parts}
    stamps = {label: facts["exported"] for label, facts in _kept(run, parts).items()}
    stamps |= {part.label: part.stamp for part in parts}
    ordered = sorted(stamps, key=lambda label: (stamps[label], label))
    order = {label: place for place, label in enumerate(ordered)}
    some = [name for name in tables.TABLES if name in new or ledger.path(run.folder, name).exists()]
    rows = {name: _all_rows(run, name, new.get(name), labels, order) for name in some}
    rows = {name: some for name, some in rows.items() if len(some)}
    known = {name: ledger.resolve(name, some, order) for name, some in rows.items()}
    made = derived.complete(known)
    for name, table in made.items():
        tables.check(name, table)
    counts = {name: ledger.counts(name, some, order) for name, some in rows.items()}
    again = relisted.found(known.get("items", made.get("items")), made.get("item_day"))
    return _Result(rows, made, counts, derived.not_covered(known), again)


def _all_rows(
    run: _Import, name: str, new: pd.DataFrame | None, labels: set[str], order: Mapping[str, int]
) -> pd.DataFrame:
    """Rows of the files that stay and of the new ones, in the order of time."""
    old = ledger.read(run.folder, name) if run.record.sound else ledger.typed(name)
    parts = [old[old["file"].isin(set(order) - labels)]]
    parts += [] if new is None else [new[new["file"].isin(labels)]]
    both = pd.concat([part for part in parts if len(part)] or parts[:1])
    at = both["file"].map(order).argsort(kind="stable")
    return both.iloc[at].reset_index(drop=True)


def _kept(run: _Import, parts: list[Part]) -> dict[str, dict]:
    """What is recorded of files that stay: not gone, not replaced by one of `parts`."""
    replaced = {part.source.name for part in parts}
    dropped = {
        label
        for name, entry in run.record.sources.items()
        if name in run.gone or name in replaced
        for label in entry["files"]
        if label not in run.refused
    }
    return {label: facts for label, facts in run.record.files.items() if label not in dropped}


def _report(piece: Piece, counts: Mapping[str, pd.DataFrame]) -> FileReport:
    left_out = {reason: entry["rows"] for reason, entry in piece.facts["left_out"].items()}
    format = piece.format.id
    return FileReport(
        piece.label, format, piece.facts["rows"], _counted(piece.label, counts), left_out
    )


def _counted(label: str, counts: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, int]]:
    return {
        name: {state: int(count) for state, count in table.loc[label].items()}
        for name, table in counts.items()
        if label in table.index
    }


# ---- writing ------------------------------------------------------------------------------------


def _write(run: _Import, accepted: Sequence[Part], result: _Result) -> None:
    record = Record(_sources(run, accepted), _facts(run, accepted, result))
    record.not_covered = dict(result.not_covered)
    record.relisted = [] if result.relisted is None else relisted.recorded(result.relisted)
    _make_shop(run, accepted)
    aside = landing.start(run.folder)
    for source in {part.source.name: part.source for part in accepted}.values():
        target = run.folder / "exports" / source.name
        if not (target.is_file() and target.samefile(source.path)):
            landing.bring(run.folder, source.path, source.name)
    for name, rows in result.rows.items():
        ledger.write(aside, name, rows)
    for name, table in result.tables.items():
        tables.write(aside, name, table)
    now = [f"rows/{name}.parquet" for name in result.rows]
    now += [f"{name}.parquet" for name in result.tables]
    record.written = records.sizes(aside, now)
    records.write(aside, record, run.formats.digest)
    landing.land(run.folder, set(run.record.written) - set(now))


def _make_shop(run: _Import, accepted: Sequence[Part]) -> None:
    """The shop's folder with shop.toml and the salt, as far as they are not there."""
    run.folder.mkdir(parents=True, exist_ok=True)
    file = run.folder / "shop.toml"
    if not file.is_file() or not run.fed:
        pieces = [part.piece for part in accepted]
        said = next((dict(piece.format.shop) for piece in pieces if piece.format.shop), {})
        codes = [piece.facts["currency"] for piece in pieces if "currency" in piece.facts]
        said |= {"currency": codes[0]} if codes else {}
        _state(file, {"name": run.folder.resolve().name} | said, run.stated)
    if not (run.folder / "salt").is_file() and any(_hashes(part) for part in accepted):
        aside = run.folder / f".salt.{os.getpid()}.tmp"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(run.salt)
        os.replace(aside, run.folder / "salt")


def _state(file: Path, said: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Write what is said above what shop.toml already states, as far as it does not."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in said.items()
        if key not in known
    ]
    if lines:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        aside = file.with_name(f".shop.{os.getpid()}.tmp")
        aside.write_text("".join(lines) + before, encoding="utf-8")
        os.replace(aside, file)


def _hashes(part: Part) -> bool:
    return any("hash" in s for t in part.piece.format.tables.values() for s in t.columns.values())


def _sources(run: _Import, accepted: Sequence[Part]) -> dict[str, dict]:
    kept = {n: e for n, e in run.record.sources.items() if n not in run.gone}
    new = {part.source.name: part.source.entry() for part in accepted}
    for part in accepted:
        new[part.source.name]["files"].append(part.label)
    for label, (source, why) in run.refused.items():
        if source.name in new:
            new[source.name]["refused"][label] = why
            if label in run.record.files:
                new[source.name]["files"].append(label)
    return kept | new


def _facts(run: _Import, accepted: Sequence[Part], result: _Result) -> dict[str, dict]:
    facts = _kept(run, list(accepted))
    for part in accepted:
        format = part.piece.format
        notes = {"notes": [*format.notes, *part.piece.facts["notes"]]}
        facts[part.label] = {
            "format": format.id,
            "exported": part.stamp,
            "personal_columns_dropped": list(part.piece.personal),
            **part.piece.facts,
            **notes,
        }
    return {
        label: said | {"tables": _counted(label, result.counts)} for label, said in facts.items()
    }
