"""An import that is killed at any instant leaves the tables as they were, or as they should become."""

import json
import os
import random
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from export_fixtures import FIXTURES
from small_shops import ROOT

from shopanalysis import exports, tables
from shopanalysis.exports import records

INSTANTS = 32
TODAY = date(2026, 11, 21)
# A process that has loaded everything and, for each line "step folder files…", forks one that imports
# the files and is killed on the spot after that many steps that the system sees (files opened, renamed,
# removed, folders made). It answers how many steps were taken, or that the child was killed.
SERVER = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
import pandera.pandas, pyarrow.parquet, python_calamine
from shopanalysis import exports
from shopanalysis.exports import importing, mappings
mappings.load()
STEPS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.copyfile", "shutil.rmtree"}
for line in sys.stdin:
    step, folder, *files = json.loads(line)
    child = os.fork()
    if child == 0:
        left = step
        def audit(event, arguments):
            global left
            if event in STEPS and folder in str(arguments[0]):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(audit)
        exports.import_files(Path(folder), [Path(f) for f in files], today=date(2026, 11, 21))
        print(step - left, flush=True)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL:
        print("killed", flush=True)
"""


@pytest.fixture(scope="module")
def child():
    """Call with a folder, a step and files: imports them in a process that is killed at the step."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def ask(folder: Path, step: int, files: list[Path]) -> str:
        server.stdin.write(json.dumps([step, str(folder), *map(str, files)]) + "\n")
        server.stdin.flush()
        return server.stdout.readline().strip()

    yield ask
    server.stdin.close()
    server.wait(timeout=60)


def shown(folder: Path) -> dict[str, str]:
    names = tables.available(folder)
    return {
        n: tables.read(folder, n).drop(columns="buyer_key", errors="ignore").to_csv() for n in names
    }


@pytest.fixture(scope="module")
def states(tmp_path_factory) -> tuple[Path, list[Path], dict, dict]:
    """A shop, files for it, its tables before these and after."""
    place = tmp_path_factory.mktemp("killed")
    shop = place / "shop"
    first = [FIXTURES[key].file(place) for key in ("scores", "list of items")]
    exports.import_files(shop, first, today=TODAY)
    keys = ("search words", "order lines, new")
    more = [FIXTURES[key].file(place) for key in keys]
    before = shown(shop)
    whole = place / "whole"
    _copied(shop, whole)
    exports.import_files(whole, more, today=TODAY)
    return shop, more, before, shown(whole)


def _copied(shop: Path, to: Path) -> Path:
    shutil.copytree(shop, to)
    for file in (shop / "exports").iterdir():  # import.json knows files by their time, too
        time_of = file.stat().st_mtime_ns
        os.utime(to / "exports" / file.name, ns=(time_of, time_of))
    return to


def test_tables_are_as_before_or_as_after_wherever_the_import_is_killed(states, child, tmp_path):
    shop, more, before, after = states
    assert before.keys() < after.keys()
    steps = int(child(_copied(shop, tmp_path / "all"), 10**6, more))
    assert steps > INSTANTS
    dice, seen = random.Random(7), set()
    instants = sorted(dice.sample(range(1, steps + 1), INSTANTS))
    for step in instants:
        folder = _copied(shop, tmp_path / str(step))
        assert child(folder, step, more) == "killed"
        at_once = shown(folder)
        assert at_once in (before, after), f"step {step} of {steps}: a mix"
        exports.refresh(folder, TODAY)
        assert shown(folder) == at_once, f"step {step}: the next run sees something else"
        assert not list((folder / "tables").glob(".next*"))
        assert not (folder / "exports" / ".incoming").exists()
        seen.add(at_once == after)
        shutil.rmtree(folder)
    assert seen == {True, False}


def test_a_first_import_killed_at_once_leaves_no_tables(child, tmp_path):
    file = FIXTURES["orders, new"].file(tmp_path)
    for step in (1, 5, 9):
        folder = tmp_path / f"new{step}"
        child(folder, step, [file])
        assert shown(folder) == {}
        exports.import_files(folder, [file], today=TODAY)
        assert len(tables.read(folder, "orders")) == 6
        assert records.said(folder)["files"].keys() == {file.name}
