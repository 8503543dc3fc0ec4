"""What an import leaves behind: shop.toml, exports/, tables/ and import.json, all at once or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from shopanalysis import relisted, salt, tables
from shopanalysis.exports import landing, ledger, records
from shopanalysis.exports.arrivals import Part
from shopanalysis.exports.records import Record
from shopanalysis.exports.run import Result, Run, counted, kept


def write(run: Run, accepted: Sequence[Part], result: Result) -> None:
    """Write the tables and what is recorded of them; what was there counts until all of it is written."""
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
    records.write(aside, record, run.digest)
    landing.land(run.folder, set(run.record.written) - set(now))


def _make_shop(run: Run, accepted: Sequence[Part]) -> None:
    """The shop's folder with shop.toml and the salt, as far as they are not there."""
    run.folder.mkdir(parents=True, exist_ok=True)
    file = run.folder / "shop.toml"
    if not file.is_file() or not run.fed:
        pieces = [part.piece for part in accepted]
        said = next((dict(piece.format.shop) for piece in pieces if piece.format.shop), {})
        codes = [piece.facts["currency"] for piece in pieces if "currency" in piece.facts]
        said |= {"currency": codes[0]} if codes else {}
        _state(file, {"name": run.folder.resolve().name} | said, run.stated)
    if any(_hashes(part) for part in accepted):
        salt.keep(run.folder, run.salt)


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


def _sources(run: Run, accepted: Sequence[Part]) -> dict[str, dict]:
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


def _facts(run: Run, accepted: Sequence[Part], result: Result) -> dict[str, dict]:
    facts = kept(run, list(accepted))
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
        label: said | {"tables": counted(label, result.counts)} for label, said in facts.items()
    }
