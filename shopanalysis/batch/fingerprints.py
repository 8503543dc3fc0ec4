"""What a report was made from, as hashes: when nothing has changed it need not be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from shopanalysis import __version__, tables

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("matplotlib", "numpy", "pandas", "pyarrow", "scipy", "seaborn", "scikit-learn")


def versions() -> dict[str, str]:
    """What the reports were made with."""
    packages = {name: version(name) for name in ("pandas", "papermill")}
    return {"python": platform.python_version(), **packages, "shopanalysis": __version__}


def inputs(folder: Path) -> dict[str, str]:
    """sha256 of shop.toml and of every table of the shop in `folder`, by path within it."""
    files = [folder / "shop.toml", *(tables.path(folder, t) for t in tables.available(folder))]
    return {file.relative_to(folder).as_posix(): _sha256(file) for file in files}


@cache
def code() -> str:
    """sha256 over this package and the versions of the libraries that it computes and draws with."""
    files = sorted(f for f in PACKAGE.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    hashes = {file.relative_to(PACKAGE).as_posix(): _sha256(file) for file in files}
    libraries = {name: version(name) for name in LIBRARIES}
    return _of({"python": platform.python_version(), **libraries, **hashes})


def of(
    notebook: Path, parameters: Mapping[str, object], files: Mapping[str, str]
) -> dict[str, str]:
    """What a report is made from, each part as a sha256: notebook, parameters, inputs, code."""
    return {
        "notebook": _sha256(notebook),
        "parameters": _of(parameters),
        "inputs": _of(files),
        "code": code(),
    }


def _of(record: Mapping) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _sha256(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def reason(record: Mapping, made_from: Mapping[str, str], complete: bool, force: bool) -> str:
    """Why a notebook is run: new, failed, removed, forced, changed: <parts>; empty: it need not be.

    record     what run.json says of the last time; empty when there was none
    complete   whether its report and tables are all there
    """
    if force:
        return "forced"
    if record.get("status") != "done":
        return "failed" if record.get("status") == "failed" else "new"
    if not complete:
        return "removed"
    before = record.get("made_from", {})
    changed = [part for part, digest in made_from.items() if before.get(part) != digest]
    return f"changed: {', '.join(changed)}" if changed else ""
