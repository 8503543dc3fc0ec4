"""Files that a shop downloads -> its tables: import_files and refresh.

A file is accepted whole or refused whole. What is in tables/ follows from the files in exports/
alone, in whatever order they came; import.json says what became of each.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from shopanalysis import shop, tables
from shopanalysis.errors import DataError
from shopanalysis.exports import arrivals, building, derived, ledger, mappings, records
from shopanalysis.exports.arrivals import Part
from shopanalysis.exports.imported import FileReport, Imported
from shopanalysis.exports.records import Record, Source
from shopanalysis.exports.rows import Piece, Rows

__all__ = ["FileReport", "Imported", "import_files", "refresh"]


@dataclass
class _Import:
    """One run over some files."""

    folder: Path
    today: pd.Timestamp
    formats: mappings.Formats
    record: Record
    sources: Sequence[Source]
    gone: tuple[str, ...] = ()
    refused: dict[str, tuple[Source, str]] = field(default_factory=dict)
    salt: str = ""


@dataclass
class _Result:
    """What tables/ will hold: every file's rows, the tables, and counts per table and file."""

    rows: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, pd.DataFrame]
    not_covered: Mapping[str, float] = field(default_factory=dict)


def import_files(folder: Path, files: Sequence[Path], today: date | None = None) -> Imported:
    """Import files from anywhere (of a folder: all files in it) into the shop in `folder`.

    Accepted files are copied into exports/; a new shop gets its folder and a shop.toml. A file
    whose name another content has is kept beside it. `today` is the clock's unless given.
    """
    run = _started(folder, today)
    taken = {name: entry["sha256"] for name, entry in run.record.sources.items()}
    taken |= {source.name: source.sha256 for source in run.sources}
    run.sources += list(records.from_anywhere(run.folder, files, taken))
    return _import(run)


def refresh(folder: Path, today: date | None = None) -> Imported:
    """Import what is new or changed in exports/, forget what is gone, repair what is damaged."""
    return _import(_started(folder, today))


def _started(folder: Path, today: date | None) -> _Import:
    folder = Path(folder)
    formats = mappings.load(folder)
    record = records.read(folder, formats.digest)
    sources = list(records.new_or_changed(folder, record))
    now = pd.Timestamp(today or date.today()).normalize()
    return _Import(folder, now, formats, record, sources, records.gone(folder, record))


def _import(run: _Import) -> Imported:
    repair = not run.record.sound and bool(run.record.written)
    if not (run.sources or run.gone or repair):
        return Imported()
    parts = _of_one_basis(run, list(arrivals.read_all(run.sources, run.formats, run.refused)))
    parts, rows = _built(run, parts)
    accepted, result = _accepted(run, parts, rows)
    if accepted or run.gone or repair:
        _write(run, accepted, result)
    reports = [_report(part.piece, result.counts) for part in accepted]
    reports += [FileReport(label, refused=why) for label, (_, why) in run.refused.items()]
    return Imported(tuple(sorted(reports, key=lambda report: report.name)), run.gone)


# ---- reading ------------------------------------------------------------------------------------


def _of_one_basis(run: _Import, parts: list[Part]) -> list[Part]:
    """Without the parts whose basis is not the shop's; the first part decides for a new shop."""
    known = shop.load(run.folder).basis if (run.folder / "shop.toml").is_file() else None
    kept = []
    for part in parts:
        format = part.piece.format
        basis = format.shop.get("basis")
        known = known or basis
        if basis in (None, known):
            kept.append(part)
            continue
        run.refused[part.label] = (
            part.source,
            f"{part.label}: '{format.title}' counts {basis}, but this shop counts {known}; "
            "rates of the two cannot be compared. Import it into a shop of its own.",
        )
    return kept


def _built(run: _Import, parts: list[Part]) -> tuple[list[Part], dict[str, pd.DataFrame]]:
    """The parts that keep the contract, and their rows by table."""
    by_format: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_format[part.piece.format.id].append(part)
    good, made = [], defaultdict(list)
    run.salt = _salt(run.folder)
    for id, some in by_format.items():
        rows = Rows(some[0].piece.format, [part.piece for part in some])
        labels = dict(enumerate(part.label for part in some))
        for name, frame in building.build(rows, run.formats, run.salt, run.today).items():
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
    rows = {name: _all_rows(run, name, new.get(name), labels, order) for name in tables.TABLES}
    rows = {name: some for name, some in rows.items() if len(some)}
    known = {name: ledger.resolve(name, some, order) for name, some in rows.items()}
    made = derived.complete(known)
    for name, table in made.items():
        tables.check(name, table)
    counts = {name: ledger.counts(name, some, order) for name, some in rows.items()}
    return _Result(rows, made, counts, derived.not_covered(known))


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
    _make_shop(run, accepted)
    record = Record(_sources(run, accepted), _facts(run, accepted, result))
    record.not_covered = dict(result.not_covered)
    with records.unfinished(run.folder):
        for name, rows in result.rows.items():
            ledger.write(run.folder, name, rows)
        for name, table in result.tables.items():
            tables.write(run.folder, name, table)
        now = [f"rows/{name}.parquet" for name in result.rows]
        now += [f"{name}.parquet" for name in result.tables]
        for stale in set(run.record.written) - set(now):
            (run.folder / "tables" / stale).unlink(missing_ok=True)
        record.written = records.sizes(run.folder, now)
        records.write(run.folder, record, run.formats.digest)


def _make_shop(run: _Import, accepted: Sequence[Part]) -> None:
    """The shop's folder with shop.toml, the salt and the files, as far as they are not there."""
    run.folder.mkdir(parents=True, exist_ok=True)
    if not (run.folder / "shop.toml").is_file():
        said = next((part.piece.format.shop for part in accepted if part.piece.format.shop), {})
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}"
            for key, value in ({"name": run.folder.resolve().name} | dict(said)).items()
        ]
        (run.folder / "shop.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not (run.folder / "salt").is_file() and any(_hashes(part) for part in accepted):
        with open(
            os.open(run.folder / "salt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.write(run.salt)
    for source in {part.source.name: part.source for part in accepted}.values():
        target = run.folder / "exports" / source.name
        if not (target.is_file() and target.samefile(source.path)):
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            shutil.copy2(source.path, aside)
            os.replace(aside, target)


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
