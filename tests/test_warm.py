import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from test_batch import FINDINGS, everything, lines, notebook, run_in, tiny_shop

from shopanalysis.batch import execution, fingerprints, runs, sessions, warm
from shopanalysis.batch.reporting import JsonReporter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

SAYS = f"""import json, os, random, threading, numpy, signal
said = {{"parent": os.getppid(), "session": os.getsid(0) == os.getpid(), "omp": os.environ["OMP_NUM_THREADS"],
  "numbers": [random.random(), numpy.random.random()], "preloaded": "numpy" in sys_modules,
  "sockets": sockets, "child": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
  "folder": os.getcwd()}}
display({{"text/html": "x", "{FINDINGS}": [], "application/vnd.shopanalysis.table+json":
  {{"name": "said", "csv": json.dumps(said)}}}}, raw=True)"""
BEFORE = """import os, sys
sys_modules = set(sys.modules)
places = [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")]
ours = {os.readlink(place).strip("socket:[]") for place in places if os.path.exists(place)}
sockets = sum(line.split()[6] in ours for line in open("/proc/net/unix"))"""


def said_by(tmp_path: Path, name: str) -> dict:
    file = tmp_path / "out" / "2026-11-20" / "tea" / "tables" / f"{name}.said.csv"
    return json.loads(file.read_text("utf-8-sig"))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What two warm kernels and one cold one say of themselves."""
    root = tmp_path_factory.mktemp("warm")
    tiny_shop(root / "data" / "tea")
    for name in ("one", "two"):
        notebook(root / "notebooks", name, BEFORE, SAYS)
    assert run_in(root)[0].code == 0
    warm_ones = [said_by(root, "one"), said_by(root, "two")]
    assert run_in(root, names=["one"], cold=True, force=True)[0].code == 0
    return warm_ones, said_by(root, "one")


def test_kernels_are_forked_from_one_process_that_had_imported_what_they_need(said):
    (one, two), cold = said
    assert one["parent"] == two["parent"] != os.getpid()
    assert cold["parent"] == os.getpid()
    assert (one["preloaded"], two["preloaded"], cold["preloaded"]) == (True, True, False)


def test_a_forked_kernel_is_as_alone_as_an_ordinary_one(said):
    for one in [*said[0], said[1]]:
        assert one["session"]
        assert one["omp"] == "1"
        assert one["child"]
        assert one["sockets"] == said[1]["sockets"]
        assert one["folder"] == os.getcwd()


def test_no_two_kernels_draw_the_same_random_numbers(said):
    (one, two), _ = said
    assert not set(one["numbers"]) & set(two["numbers"])


def test_nothing_is_left_of_a_run(said):
    assert warm.server is None
    assert not forked()


def forked() -> list[str]:
    """Processes of ours that kernels are forked from."""
    command = ["ps", "--ppid", str(os.getpid()), "-o", "args="]
    listed = subprocess.run(command, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if warm.FORKING in line]


def test_what_cannot_be_imported_ahead_is_said(tmp_path):
    tiny_shop(tmp_path / "data" / "tea")
    notebook(
        tmp_path / "notebooks", "tries", "try:\n    import not_there\nexcept ImportError:\n    pass"
    )
    result, told = run_in(tmp_path)
    assert result.code == 0
    assert told[0].startswith("not_there could not be imported ahead of the notebooks: ModuleNotF")


def test_where_kernels_cannot_be_forked_they_start_cold_and_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(warm.sys, "platform", "darwin")
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "shows", "1")
    result, told = run_in(tmp_path)
    assert result.code == 0
    assert told[0] == "Kernels start cold: processes cannot be forked safely on darwin."
    assert len(told) == 2


@pytest.fixture
def server():
    """A process that kernels are forked from, with nothing imported ahead but ipykernel."""
    server = warm.Server([], dict(os.environ))
    yield server
    server.stop()


def kernel(server, tmp_path) -> warm.Forked:
    return server.fork(["-f", str(tmp_path / "kernel.json")], dict(os.environ), str(tmp_path))


def ended(process: int) -> bool:
    """Whether it ends within ten seconds."""
    for _ in range(1000):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            return True
        if "State:\tZ" in status:
            return True
        time.sleep(0.01)
    return False


def test_it_goes_without_a_word_when_nothing_was_asked_of_it(server, capfd):
    select.select([server._socket], [], [], 60)  # it has said that it is ready, and nobody listened
    server._socket.shutdown(socket.SHUT_WR)
    server._lines.close()
    server._socket.close()
    assert server.process.wait(10) == 0
    assert capfd.readouterr().err == ""


def test_kernels_die_with_the_process_they_are_forked_from(server, tmp_path):
    forked = kernel(server, tmp_path)
    assert forked.poll() is None
    os.kill(server.process.pid, signal.SIGKILL)
    assert ended(forked.pid)
    with pytest.raises(warm.Unavailable, match="has ended"):
        kernel(server, tmp_path)


def test_a_kernel_is_killed_with_all_it_has_started(server, tmp_path):
    forked = kernel(server, tmp_path)
    forked.kill()
    assert forked.wait() == 0
    assert forked.poll() == 0
    assert kernel(server, tmp_path).poll() is None


def test_the_process_that_kernels_are_forked_from_has_one_thread_and_no_numbers(tmp_path):
    told = []
    with sessions.environment(tmp_path):
        environment = dict(os.environ)
    server = warm.Server(["shopanalysis.report", warm.AHEAD], environment, told.append)
    try:
        kernel(server, tmp_path)
        assert not told
    finally:
        server.stop()


def test_imports_are_found_in_the_cells(tmp_path):
    code = "from shopanalysis import report, __version__\nimport json.decoder as d", "% magic"
    notebook(tmp_path, "one", *code)
    assert warm.imports(tmp_path) == [
        "json.decoder",
        "shopanalysis",
        "shopanalysis.report",
        warm.AHEAD,
    ]
    assert warm.imports(tmp_path, ["two"]) == []


# ---- what need not be run again -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "complete", "force", "reason"),
    [
        ({}, False, False, "new"),
        ({"status": "missing"}, False, False, "new"),
        ({"status": "failed"}, True, False, "failed"),
        ({"status": "done"}, False, False, "removed"),
        ({"status": "done", "made_from": {"code": "1", "inputs": "2"}}, True, False, ""),
        ({"status": "done", "made_from": {"code": "1", "inputs": "2"}}, True, True, "forced"),
        (
            {"status": "done", "made_from": {"code": "0", "inputs": "2"}},
            True,
            False,
            "changed: code",
        ),
        ({"status": "done"}, True, False, "changed: code, inputs"),
    ],
)
def test_the_reason_for_running(record, complete, force, reason):
    made_from = {"code": "1", "inputs": "2"}
    assert fingerprints.reason(record, made_from, complete, force) == reason


def test_a_run_again_runs_only_what_has_changed(tmp_path):
    folder = tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "one", "1", own="\nweeks: int = 2  # how many")
    notebook(tmp_path / "notebooks", "two", "2")
    assert run_in(tmp_path)[0].code == 0
    first = everything(tmp_path / "out")

    def again(**more):
        assert run_in(tmp_path, **more)[0].code == 0
        run = json.loads((tmp_path / "out/2026-11-20/tea/run.json").read_text("utf-8"))
        return [record["reason"] for record in run["notebooks"].values()]

    unchanged = "unchanged: not run again"
    assert again() == [unchanged, unchanged]
    second = everything(tmp_path / "out")
    assert {n for n in first if first[n] != second[n]} <= {
        "2026-11-20/tea/run.json", "2026-11-20/tea/index.html"}  # fmt: skip
    assert again(settings={"weeks": "3"}) == ["changed: parameters", unchanged]
    assert again(settings={"weeks": "3"}, force=True) == ["forced", "forced"]
    (tmp_path / "out/2026-11-20/tea/two.html").unlink()
    assert again(settings={"weeks": "3"}) == [unchanged, "removed"]
    with (folder / "shop.toml").open("a") as file:
        file.write('currency = "EUR"\n')
    assert again(settings={"weeks": "3"}) == ["changed: inputs", "changed: inputs"]


def test_shops_take_turns_and_their_newest_day_comes_first(tmp_path):
    for name in ("a", "b"):
        tiny_shop(tmp_path / "data" / name, ["2026-11-19", "2026-11-20"])
    notebook(tmp_path / "notebooks", "shows", "1")
    _, told = run_in(tmp_path, since=date(2026, 11, 1), jobs=1)
    made = [tuple(line.split()[:2]) for line in told]
    assert set(made[:2]) == {
        ("a", "2026-11-20"),
        ("b", "2026-11-20"),
    }  # either is the first to start
    assert set(made[2:]) == {("a", "2026-11-19"), ("b", "2026-11-19")}


def test_a_json_log_has_one_object_per_event(tmp_path):
    tiny_shop(tmp_path / "data" / "tea")
    notebook(tmp_path / "notebooks", "shows", "1")
    said, problems = lines()[1], []
    run_in(tmp_path, reporter=JsonReporter(said.append, problems.append))
    (event,) = map(json.loads, said)
    assert event.items() >= {
        "level": "info", "event": "notebook", "shop": "tea", "date": "2026-11-20",
        "notebook": "shows", "status": "done", "reason": "new", "attempts": 1,
    }.items()  # fmt: skip
    assert not problems


def test_results_take_the_worse_code():
    result = runs.Result()
    for code, worst in ((3, 3), (0, 3), (1, 1), (3, 1)):
        result.worse(code)
        assert result.code == worst


def test_what_a_day_left_in_memory_is_gone_when_later_days_run(tmp_path):
    days = [f"2026-11-{day:02}" for day in range(9, 21)]
    tiny_shop(tmp_path / "data" / "tea", days)
    notebook(tmp_path / "notebooks", "shows", "1")
    alive = []

    def count(_line):
        alive.append(sum(type(one) is execution.Execution for one in gc.get_objects()))

    reporter = runs.Reporter(count, count)
    run_in(tmp_path, since=date(2026, 11, 9), jobs=1, reporter=reporter)
    assert len(alive) == len(days)
    assert max(alive) <= 4  # two under way, one being published, one that was
