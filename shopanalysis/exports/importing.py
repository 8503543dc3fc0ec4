"""Files that a shop downloads -> its tables: import_files and refresh.

A file is accepted whole or refused whole. What is in tables/ follows from the files in exports/
alone, in whatever order they came; import.json says what became of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from shopanalysis import relisted, salt, shop, tables
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
    writing,
)
from shopanalysis.exports.arrivals import Part
from shopanalysis.exports.belonging import Belonging
from shopanalysis.exports.imported import FileReport, Imported
from shopanalysis.exports.records import Source
from shopanalysis.exports.rows import Piece, Rows
from shopanalysis.exports.run import Progress, Result, Run, counted, kept, silent

__all__ = ["FileReport", "Imported", "import_files", "refresh"]


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
) -> Run:
    folder = Path(folder)
    if not dry:
        landing.finish(folder)
    stated = shop.stated(folder) if (folder / "shop.toml").is_file() else {}
    if fed := bool(records.said(folder).get("files")):
        stated |= {"basis": shop.load(folder).basis}
    digest = mappings.digest(folder)
    record = records.read(folder, digest)
    sources = list(records.new_or_changed(folder, record))
    now = pd.Timestamp(today or date.today()).normalize()
    gone = records.gone(folder, record)
    return Run(folder, now, digest, record, sources, gone, stated, fed, dry, progress)


def _import(run: Run) -> Imported:
    repair = not run.record.sound and bool(run.record.written)
    if not (run.sources or run.gone or repair):
        return Imported()
    found = arrivals.read_all(_one_by_one(run), run.formats, run.refused, run.unknown)
    parts, rows = _built(run, _belonging(run, found))
    accepted, result = [], Result({}, {}, {})
    if parts or run.gone or repair:
        accepted, result = _accepted(run, parts, rows)
    if (accepted or run.gone or repair) and not run.dry:
        writing.write(run, accepted, result)
    reports = [_report(part.piece, result.counts) for part in accepted]
    beside = {part.source.name for part in accepted}
    for label, (source, why) in run.refused.items():
        not_read = label in run.unknown and source.name in beside
        reports.append(FileReport(label, **{"not_read" if not_read else "refused": why}))
    return Imported(tuple(sorted(reports, key=lambda report: report.name)), run.gone)


# ---- reading ------------------------------------------------------------------------------------


def _belonging(run: Run, parts: Iterable[Part]) -> list[Part]:
    """Without the parts that are not this shop's; the first part decides for a new shop."""
    known = Belonging(run.stated, run.record.files.values())
    kept = []
    for part in parts:
        if why := known.refusal(part.piece):
            run.refused[part.label] = (part.source, f"{part.label}: {why}")
        else:
            kept.append(part)
    return kept


def _one_by_one(run: Run) -> Iterator[Source]:
    for number, source in enumerate(run.sources):
        run.progress(number, len(run.sources), source.name)
        yield source
    run.progress(len(run.sources), len(run.sources), "tables")


def _built(run: Run, parts: list[Part]) -> tuple[list[Part], dict[str, pd.DataFrame]]:
    """The parts that keep the contract, and their rows by table."""
    by_format: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_format[part.piece.format.id].append(part)
    good, made = [], defaultdict(list)
    run.salt = salt.of(run.folder)
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


# ---- putting together ---------------------------------------------------------------------------


def _accepted(
    run: Run,
    parts: Sequence[Part],
    rows: Mapping[str, pd.DataFrame],
    beside: Sequence[Part] = (),
) -> tuple[list[Part], Result]:
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


def _together(run: Run, parts: list[Part], new: Mapping[str, pd.DataFrame]) -> Result:
    labels = {part.label for part in parts}
    stamps = {label: facts["exported"] for label, facts in kept(run, parts).items()}
    stamps |= {part.label: part.stamp for part in parts}
    ordered = sorted(stamps, key=lambda label: (stamps[label], label))
    order = {label: place for place, label in enumerate(ordered)}
    some = [name for name in tables.TABLES if name in new or ledger.path(run.folder, name).exists()]
    rows = {name: _all_rows(run, name, new.get(name), labels, order) for name in some}
    rows = {name: some for name, some in rows.items() if len(some)}
    known = {name: ledger.resolve(name, some, order) for name, some in rows.items()}
    made = derived.complete(known, _basis(run, parts))
    for name, table in made.items():
        tables.check(name, table)
    counts = {name: ledger.counts(name, some, order) for name, some in rows.items()}
    again = relisted.found(known.get("items", made.get("items")), made.get("item_day"))
    return Result(rows, made, counts, derived.not_covered(known), again)


def _basis(run: Run, parts: list[Part]) -> str | None:
    """What the shop's conversions count, by shop.toml or else by its files."""
    said = (part.piece.format.shop.get("basis") for part in parts)
    return run.stated.get("basis") or next((basis for basis in said if basis), None)


def _all_rows(
    run: Run, name: str, new: pd.DataFrame | None, labels: set[str], order: Mapping[str, int]
) -> pd.DataFrame:
    """Rows of the files that stay and of the new ones, in the order of time."""
    old = ledger.read(run.folder, name) if run.record.sound else ledger.typed(name)
    parts = [old[old["file"].isin(set(order) - labels)]]
    parts += [] if new is None else [new[new["file"].isin(labels)]]
    both = pd.concat([part for part in parts if len(part)] or parts[:1])
    at = both["file"].map(order).argsort(kind="stable")
    return both.iloc[at].reset_index(drop=True)


def _report(piece: Piece, counts: Mapping[str, pd.DataFrame]) -> FileReport:
    left_out = {reason: entry["rows"] for reason, entry in piece.facts["left_out"].items()}
    format = piece.format.id
    return FileReport(
        piece.label, format, piece.facts["rows"], counted(piece.label, counts), left_out
    )
