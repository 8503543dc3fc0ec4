"""The batch against its alternatives, side by side and interleaved: seconds of CPU and wall, medians.

python benchmarks/batch.py [--rounds 5] [--only ours,plain]   one shop, every notebook, to finished HTML
python benchmarks/batch.py --shops 20                         so many shops, ours only
python benchmarks/batch.py --phases                           where our seconds of CPU go

The alternatives:
    papermill    its command line, then nbconvert's, one notebook after the other
    one process  papermill's Python interface, nbconvert in the same process
    nbconvert    jupyter nbconvert --execute, one notebook after the other
    plain        the notebooks' cells one after the other in one Python process, pages as ours
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shopanalysis.batch import warm

ROOT = Path(__file__).parents[1]
FONTS = ROOT / ".cache" / "matplotlib"  # what matplotlib knows of them, as after any first run
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DAY = "2026-11-20"


def python(*arguments: str | Path, folder: Path, **environment: str) -> None:
    surroundings = os.environ | {"PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(FONTS)} | environment
    command = [sys.executable, *map(str, arguments)]
    subprocess.run(command, check=True, cwd=folder, env=surroundings, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip


def ours(shop: Path, out: Path, *options: str) -> None:
    given = ("--shop", shop, "--date", DAY, "--notebooks", ROOT / "notebooks", "--out", out)
    python("-m", "shopanalysis", "run", *given, *options, folder=out)


def ours_cold(shop: Path, out: Path) -> None:
    ours(shop, out, "--cold")


def papermill(shop: Path, out: Path) -> None:
    for path in NOTEBOOKS:
        made = out / path.name
        python("-m", "papermill", path, made, "-p", "shop", shop, "-p", "date", DAY,
               "--no-progress-bar", folder=out)  # fmt: skip
        python("-m", "nbconvert", "--to", "html", "--no-input", made, folder=out)


def one_process(shop: Path, out: Path) -> None:
    python(__file__, "--as", "one_process", shop, out, folder=out)


def nbconvert(shop: Path, out: Path) -> None:
    for path in NOTEBOOKS:
        copy = out / path.name
        copy.write_text(path.read_text("utf-8").replace("../data/demo", str(shop)), "utf-8")
        python("-m", "nbconvert", "--execute", "--to", "html", "--no-input", copy, folder=out)


def plain(shop: Path, out: Path) -> None:
    python(__file__, "--as", "plain", shop, out, folder=out, OMP_NUM_THREADS="1")


def be_one_process(shop: Path, out: Path) -> None:
    from nbconvert import HTMLExporter
    from papermill import execute_notebook

    for path in NOTEBOOKS:
        told = {"shop": str(shop), "date": DAY}
        node = execute_notebook(path, out / path.name, told, progress_bar=False)
        page, _ = HTMLExporter(exclude_input=True).from_notebook_node(node)
        (out / f"{path.stem}.html").write_text(page, "utf-8")


def be_plain(shop: Path, out: Path) -> None:
    import nbformat

    from shopanalysis import rendering
    from shopanalysis.words import Words

    for name in warm.imports(ROOT / "notebooks"):
        importlib.import_module(name)
    taken = {"cells": 0.0, "pages": 0.0}
    for path in NOTEBOOKS:
        began = time.process_time()
        cells, names = json.loads(path.read_text("utf-8"))["cells"], {}
        shown = [_cell(cell, names, shop) for cell in cells]
        ran = time.process_time()
        about = {"notebook": path.stem, "title": path.stem, "shop": shop.name, "date": DAY,
                 "version": "", "parameters": {}}  # fmt: skip
        page = rendering.render(nbformat.from_dict({"cells": shown}), about, Words("en"))
        (out / f"{path.stem}.html").write_text(page, "utf-8")
        taken["cells"] += ran - began
        taken["pages"] += time.process_time() - ran
    print(json.dumps(taken))


def _cell(cell: dict, names: dict, shop: Path) -> dict:
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return {"cell_type": "markdown", "source": source, "id": cell["id"]}
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), names)
    if "parameters" in cell["metadata"].get("tags", ()):
        names["shop"] = str(shop)
    if last is None:
        return {"cell_type": "code", "outputs": []}
    value = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)
    return {"cell_type": "code", "outputs": [{"data": value._repr_mimebundle_()}]}


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "ours": ours,
    "ours cold": ours_cold,
    "papermill": papermill,
    "one process": one_process,
    "nbconvert": nbconvert,
    "plain": plain,
}


def measured(step: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of `step` and all processes that it has waited for."""
    before, began = _cpu(), time.monotonic()
    step()
    return time.monotonic() - began, _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def side_by_side(shop: Path, names: Sequence[str], rounds: int) -> None:
    """Each way once per round; the medians so far after every round."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for done in range(1, rounds + 1):
        for name in names:
            with tempfile.TemporaryDirectory() as out:
                taken[name].append(measured(lambda n=name, o=out: WAYS[n](shop, Path(o))))
                assert len(list(Path(out).rglob("*.html"))) >= len(NOTEBOOKS), name
        print(f"\n{len(NOTEBOOKS)} notebooks, medians of {done}, seconds")
        print(f"{'':12}{'wall':>8}{'CPU':>8}{'wall from – to':>18}{'CPU from – to':>18}")
        for name, each in taken.items():
            walls, cpus = zip(*each, strict=True)
            middle, used = statistics.median(walls), statistics.median(cpus)
            spans = "".join(f"{min(one):10.1f} –{max(one):6.1f}" for one in (walls, cpus))
            print(f"{name:12}{middle:8.1f}{used:8.1f}{spans}", flush=True)


def many_shops(shop: Path, count: int) -> None:
    """So many shops in one run; the cost of each further one."""
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "out")
        out.mkdir()
        for number in range(count):
            shutil.copytree(shop, data / f"shop{number}")
        command = ("-m", "shopanalysis", "run", "--data", data, "--date", DAY, "--out", out)
        notebooks = ("--notebooks", ROOT / "notebooks")
        one = measured(lambda: python(*command, *notebooks, "--shop", "shop0", folder=data))
        rest = measured(lambda: python(*command, *notebooks, folder=data))
        for name, first, others in zip(("wall", "CPU"), one, rest, strict=True):
            more = others / (count - 1)
            print(
                f"{name}: one shop {first:.1f} s, {count - 1} more {others:.1f} s, {more:.2f} s each"
            )


def phases(shop: Path) -> None:
    """Where the seconds of CPU go, each measured by itself."""
    libraries = f"import {', '.join(warm.imports(ROOT / 'notebooks'))}"
    with tempfile.TemporaryDirectory() as out:
        folder = Path(out)
        command = [sys.executable, __file__, "--as", "plain", str(shop), out]
        surroundings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        told = subprocess.run(command, env=surroundings, check=True, capture_output=True).stdout
        taken = {
            "our own imports": _cpu_of(lambda: _code("import shopanalysis.batch.runs", folder)),
            "the notebooks' imports": _cpu_of(lambda: _code(libraries, folder)),
            **json.loads(told),
        }
        whole = _cpu_of(lambda: ours(shop, folder))
        taken["kernels, messages, files"] = whole - sum(taken.values())
        taken["a run, all in all"] = whole
        taken["again: nothing has changed"] = _cpu_of(lambda: ours(shop, folder))
    for name, seconds in taken.items():
        print(f"{name:28}{seconds:6.2f}")


def _code(source: str, folder: Path) -> None:
    python("-c", source, folder=folder)


def _cpu_of(step: Callable[[], object]) -> float:
    return measured(step)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(WAYS))
    parser.add_argument("--shops", type=int)
    parser.add_argument("--phases", action="store_true")
    parser.add_argument("--as", dest="be", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.be:
        name, shop, out = asked.be
        return {"plain": be_plain, "one_process": be_one_process}[name](Path(shop), Path(out))
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder, "demo")
        shutil.copytree(ROOT / "data" / "demo", shop)
        out = Path(folder, "first")
        out.mkdir()
        ours(shop, out)  # imports the exports, and leaves nothing to compile
        if asked.shops:
            many_shops(shop, asked.shops)
        elif asked.phases:
            phases(shop)
        else:
            side_by_side(shop, asked.only.split(","), asked.rounds)


if __name__ == "__main__":
    main()
