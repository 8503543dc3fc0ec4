"""Whatever a run is hit with: what was there before stays, nothing half is left, and it says why."""

import errno
import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_batch import OWN, SHOWS, everything, lines, notebook, run_in, tiny_shop

from shopanalysis import tables
from shopanalysis.batch import coverage, runs
from shopanalysis.batch.execution import Limits
from shopanalysis.batch.files import lock
from shopanalysis.errors import ParameterError

KILLS = 50
RUNNER = (
    """server = int(open(f"/proc/{os.getppid()}/status").read().split("PPid:")[1].split()[0])"""
)
# Imports once; then one run per line read, killed at the n-th thing that Python reports of itself.
VICTIMS = """
import os, signal, sys
from shopanalysis.__main__ import main
import shopanalysis.batch.runs
for line in sys.stdin:
    at, process = int(line), os.fork()
    if not process:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        seen = [0]
        def count(*_):
            seen[0] += 1
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        code = main(sys.argv[1:])
        total = seen[0]
        os.write(2, f"{total}\\n".encode())
        os._exit(code)
    print(process, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def shop(tmp_path):
    """A folder with a shop and the reports of one good run."""
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "shows", SHOWS, own=OWN, order=1)
    assert run_in(tmp_path)[0].code == 0
    return tmp_path


def reports(root: Path) -> dict[str, bytes]:
    """What the last good run left, apart from when it ran."""
    times = ("run.json", "index.html", "week.html", "month.html", ".error.html")
    files = everything(root / "out").items()
    return {n: b for n, b in files if not n.endswith(times) and not n.startswith(".tmp-")}


def nothing_is_half(root: Path) -> None:
    """Every file below out/ is complete, and no process or temporary folder is left."""
    for name, content in everything(root / "out").items():
        if name.endswith(".xlsx"):
            assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None, name
            continue
        text = content.decode()
        if name.endswith(".html"):
            assert text.rstrip().endswith("</html>"), name
        elif name.endswith(".json"):
            json.loads(text)
        else:
            assert name.endswith(".csv"), name
            assert text.endswith("\n"), name
    assert not list((root / "out").glob(".tmp-*"))
    assert not strays(root)


def strays(root: Path) -> list[int]:
    """Processes started by a run into root/out: their surroundings name it."""
    mark, found = os.fsencode(root / "out"), []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return [process for process in found if process != os.getpid()]


def failed(root: Path, *code: str, **more) -> tuple[str, int]:
    """What is said of a notebook `bad` with cells of `code`, and the exit code; all else as before."""
    before = reports(root)
    notebook(root / "notebooks", "bad", *code, order=2)
    result, told = run_in(root, **more)
    assert reports(root) == before
    nothing_is_half(root)
    page = (root / "out/2026-11-20/tea/bad.error.html").read_text("utf-8")
    assert "default-src 'none'" in page
    return next(line for line in told if " bad " in line), result.code


@pytest.mark.parametrize(
    ("code", "limits", "said"),
    [
        ("raise ValueError('no')", {}, "ValueError: no"),
        ("import sys; sys.exit(0)", {}, "The cell ended the notebook before its end (sys.exit)."),
        ("import os; os._exit(0)", {}, "The notebook's process died"),
        ("import os; os.kill(os.getpid(), 9)", {}, "The notebook's process died"),
        ("import time; time.sleep(99)", {"cell": 0.5}, "did not finish within 0.5 seconds"),
        ("import time; time.sleep(99)", {"notebook": 0.5}, "not done within 0.5 seconds"),
        ("x = bytearray(10**10)", {"memory": 300}, "more memory than the 300 MB"),
        ("import numpy; x = numpy.ones(10**9)", {"memory": 300}, "more memory than the 300 MB"),
    ],
)
@linux
def test_what_stops_a_notebook_is_said_and_stops_nothing_else(shop, code, limits, said):
    line, exit_code = failed(shop, "1", code, limits=Limits(**limits))
    assert said in line
    assert "It stopped in code cell 3, under “A question”." in line
    assert exit_code == 1


@linux
def test_what_a_notebook_started_ends_with_it(shop):
    code = "import subprocess; subprocess.Popen(['sleep', '98'])", "import time; time.sleep(97)"
    assert failed(shop, *code, limits=Limits(cell=1))[1] == 1


def test_a_notebook_whose_kernel_died_is_run_once_more(shop):
    flag = str(shop / "flag")
    code = f"import os\nif not os.path.exists({flag!r}):\n    open({flag!r}, 'w').close()\n    os._exit(1)"
    notebook(shop / "notebooks", "dies_once", code)
    assert run_in(shop)[0].code == 0
    run = json.loads((shop / "out/2026-11-20/tea/run.json").read_text("utf-8"))
    assert run["notebooks"]["dies_once"]["attempts"] == 2
    assert run["notebooks"]["shows"]["attempts"] == 1


@pytest.mark.parametrize("name", ["../x", "{y}", "x=1\nimport os", "os.system('x')", ""])
def test_a_parameter_of_a_hostile_name_is_refused_before_anything_runs(shop, name):
    before = everything(shop / "out")
    with pytest.raises(ParameterError, match="No notebook of shows has a parameter"):
        run_in(shop, settings={name: "1"})
    assert everything(shop / "out") == before


@pytest.mark.parametrize("name", ["../x", "{y}", "a b", "x\n", "..", "x" * 61])
def test_a_shop_of_a_hostile_name_is_refused(shop, name):
    with pytest.raises(ParameterError, match=r"A shop cannot be called|There is no shop"):
        runs.run(shop_names=[name], data_folder=shop / "data", notebooks_folder=shop / "notebooks")
    with pytest.raises(ParameterError, match="A shop cannot be called"):
        runs.check_shop_name(name)


def test_a_corrupt_table_refuses_the_shop_and_no_other(shop):
    before = reports(shop)
    tables.path(tiny_shop(shop / "data" / "cups"), "shop_day").write_bytes(b"PAR1 and nothing more")
    result, told = run_in(shop, force=True)
    assert result.code == 3
    assert any("shop_day" in line and "cups" in line for line in told), told
    assert reports(shop) == before
    nothing_is_half(shop)


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "Writing is not allowed")],
)
def test_a_disk_that_takes_no_more_from_any_write_on(shop, monkeypatch, number, said):
    before, real = reports(shop), Path.write_bytes
    writes = 0
    for last in range(20):
        count = 0

        def write(path, content, last=last):
            nonlocal count
            count += 1
            if count <= last:
                return real(path, content)
            real(path, content[: len(content) // 2])
            raise OSError(number, os.strerror(number), str(path))

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", write)
            result, told = run_in(shop, force=True)
        assert reports(shop) == before
        nothing_is_half(shop)
        if count <= last:
            break
        assert result.code == 1
        assert any(line.startswith(said) for line in told), told
        writes += 1
    assert writes == 9  # table, page, findings, actions, run.json, its three fronts, the overview


def test_a_second_run_at_the_same_time_waits_for_nothing_and_breaks_nothing(shop):
    again = [sys.executable, "-m", "shopanalysis", "run", "shows", "--force", "--cold"]
    again += [f"--{name}={shop / name}" for name in ("data", "notebooks", "out")]
    code = f"import subprocess; done = subprocess.run({again!r}, capture_output=True, text=True)"
    shows = "raise ValueError(f'{done.returncode} {done.stderr}')"
    line, _ = failed(shop, code, shows)
    assert "ValueError: 1 Another run (process " in line
    assert "is making tea 2026-11-20; wait for it." in line


@linux
def test_told_to_end_a_run_says_what_is_not_done_and_keeps_what_is(shop):
    (shop / "out/2026-11-20/tea/shows.html").unlink()
    done = str(shop / "out/2026-11-20/tea/shows.html")
    wait = f"import os, time\nwhile not os.path.exists({done!r}): time.sleep(0.01)"
    stop = f"{RUNNER}\nos.kill(server, 15)\ntime.sleep(96)"
    notebook(shop / "notebooks", "stops", wait, stop, order=2)
    notebook(shop / "notebooks", "waits", "import time; time.sleep(95)", order=3)
    command = [sys.executable, "-m", "shopanalysis", "run", "--jobs", "3"]
    command += [f"--{name}={shop / name}" for name in ("data", "notebooks", "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 143
    assert "Not done: tea 2026-11-20: stops, waits." in done.stderr
    assert "Interrupted: reports that were done are in place" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    records = json.loads((shop / "out/2026-11-20/tea/run.json").read_text("utf-8"))["notebooks"]
    assert {name: record["status"] for name, record in records.items()} == {"shows": "done"}
    nothing_is_half(shop)


def test_midnight_during_a_run_changes_no_day(shop, monkeypatch):
    tiny_shop(shop / "data" / "cups")
    asked = []

    def chosen(shop, since, until, now):
        asked.append(now)
        return []

    monkeypatch.setattr(coverage, "chosen_days", chosen)
    run_in(shop)
    assert len(asked) == 2
    assert asked[0] == asked[1] <= datetime.now(UTC)


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_holds_is_not(shop):
    left, held = shop / "out" / ".tmp-1-x", shop / "out" / ".tmp-2-y"
    for folder in (left, held):
        folder.mkdir()
        (folder / "lock").touch()
    with lock(held / "lock", "reports"):
        run_in(shop, reporter=lines()[0])
        assert (left.exists(), held.exists()) == (False, True)


@linux
def test_a_folder_that_was_never_locked_is_swept_once_its_run_is_gone(shop):
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True).stdout.strip()
    left, starting = (shop / "out" / f".tmp-{process}-x" for process in (gone, os.getpid()))
    for folder in (left, starting):
        folder.mkdir()
    run_in(shop)
    assert (left.exists(), starting.exists()) == (False, True)


@linux
def test_a_run_killed_at_any_instant_leaves_the_reports_and_can_be_run_again(shop):
    before = reports(shop)
    options = [f"--{name}={shop / name}" for name in ("data", "notebooks", "out")]
    victims = subprocess.Popen(
        [sys.executable, "-c", VICTIMS, "run", "--force", "--set", "word=tea", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def run_until(event: int) -> int:
        victims.stdin.write(f"{event}\n")
        victims.stdin.flush()
        return int(victims.stdout.readline().split()[1])

    with victims:
        assert run_until(0) == 0
        events = int(victims.stderr.readline().split()[-1])
        draw = random.Random(5)
        for _ in range(KILLS):
            assert run_until(draw.randrange(1, int(events * 0.95))) == -9
            assert reports(shop) == before
            for _ in range(1000):
                if not strays(shop):
                    break
                time.sleep(0.01)
            assert not strays(shop)
        assert run_until(0) == 0
        victims.stdin.close()
    assert reports(shop) == before
    nothing_is_half(shop)
