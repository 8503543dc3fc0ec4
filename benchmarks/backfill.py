"""A thousand shop-days in one run: do memory, open files, temporary files or the cost of a day grow?

python benchmarks/backfill.py [--days 1000] [--shops 3] [--notebook daily_report] [--jobs 2]

The demo, as often as asked, from its newest day back; a line per tenth of the way:
    CPU, wall   seconds per shop-day since the last line, kernels included
    MB          held by the run, and by the process that kernels are forked from
    handles     open files of both
    kernels     processes forked and not yet gone
    temporary   files in folders that go with the run
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEWEST = date(2026, 11, 20)
HEAD = ("days", "CPU", "wall", "MB run", "MB fork", "handles", "kernels", "temporary")
TICKS = os.sysconf("SC_CLK_TCK")


def children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def processor_seconds(process: int) -> float:
    """Of a process and all that it has waited for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def handles(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def looked(run: int, out: Path) -> list[float]:
    """Megabytes of both, handles, kernels, temporary files; of a run that has a process to fork from."""
    (fork,) = [child for child in children(run) if _is_fork(child)]
    left = sum(1 for folder in out.glob(".tmp-*") for _ in folder.rglob("*"))
    return [
        megabytes(run),
        megabytes(fork),
        handles(run) + handles(fork),
        len(children(fork)),
        left,
    ]


def _is_fork(process: int) -> bool:
    return b"forking" in Path(f"/proc/{process}/cmdline").read_bytes()


def used(run: int) -> float:
    return processor_seconds(run) + sum(processor_seconds(c) for c in children(run) if _is_fork(c))


def watched(run: subprocess.Popen, out: Path, days: int) -> None:
    """Print a line for every tenth of `days` that the run has done."""
    done, every = 0, max(1, days // 10)
    before = (0.0, time.monotonic())
    print("".join(f"{name:>10}" for name in HEAD))
    for line in run.stdout:
        event = json.loads(line)
        if event["event"] != "notebook":
            continue
        assert event["status"] == "done", line
        done += 1
        if done % every == 0 and done < days:
            now = (used(run.pid), time.monotonic())
            each = [(new - old) / every for new, old in zip(now, before, strict=True)]
            before = now
            numbers = [done, *each, *looked(run.pid, out)]
            print("".join(f"{number:10.4g}" for number in numbers), flush=True)
    print(f"{done} shop-days, exit code {run.wait()}, left over: {len(list(out.glob('.tmp-*')))}")


def backfill(data: Path, out: Path, asked: argparse.Namespace) -> None:
    days = asked.days // asked.shops
    since = NEWEST - timedelta(days=days - 1)
    command = [sys.executable, "-m", "shopanalysis", "run", asked.notebook, "--json-log",
               "--data", str(data), "--out", str(out), "--force",
               "--jobs", str(asked.jobs), "--since", str(since), "--until", str(NEWEST),
               "--notebooks", str(ROOT / "notebooks")]  # fmt: skip
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=data, env=surroundings, stdout=pipe, text=True) as run:
        watched(run, out, days * asked.shops)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=1000, help="shop-days in all")
    parser.add_argument("--shops", type=int, default=3)
    parser.add_argument("--notebook", default="daily_report")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "out")
        first = data / "demo1"
        shutil.copytree(ROOT / "data" / "demo", first)
        sys.path.insert(0, str(ROOT))
        from shopanalysis import exports

        exports.refresh(first)
        for number in range(1, asked.shops):
            shutil.copytree(first, data / f"demo{number + 1}")
        backfill(data, out, asked)


if __name__ == "__main__":
    main()
