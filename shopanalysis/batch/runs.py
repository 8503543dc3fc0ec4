"""Notebooks × days × shops -> dated reports; whatever happens to one does not touch the others.

Exit codes: 0 all done, 1 something failed, 2 bad usage (nothing was run), 3 data refused.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat

from shopanalysis import __version__, exports, report
from shopanalysis import shop as shops
from shopanalysis.batch import coverage, publishing
from shopanalysis.batch.execution import Execution, Failure, Kernels, environment
from shopanalysis.batch.notebooks import GIVEN, Notebook, choose, convert, discover
from shopanalysis.batch.publishing import Busy, Folder, Made
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.shop import Shop
from shopanalysis.words import Words

FAILED, REFUSED = 1, 3
SHOP_NAME = re.compile(r"[A-Za-z0-9_㐀-鿿-]{1,60}")
ENGLISH = Words("en")


@dataclass(frozen=True)
class Reporter:
    """Where a run says what it does: lines for whoever watches, and problems."""

    say: Callable[[str], object] = print
    warn: Callable[[str], object] = lambda line: print(line, file=sys.stderr)


@dataclass
class Result:
    """What became of a run: the index pages it made, and the exit code."""

    pages: list[Path] = field(default_factory=list)
    code: int = 0

    def worse(self, code: int) -> None:
        """Take over `code` unless something worse has happened."""
        severities = (0, REFUSED, FAILED)
        self.code = max(self.code, code, key=severities.index)


@dataclass(frozen=True)
class Plan:
    """What one call is to do, checked before anything runs.

    settings   per notebook: parameters given by name
    since      first day, None: only the last one
    until      last day, None: the newest that is over
    """

    notebooks: Sequence[Notebook]
    all_notebooks: Sequence[Notebook]
    named: bool
    settings: Mapping[str, Mapping[str, object]]
    folders: Sequence[Path]
    since: date | None
    until: date | None
    language: str | None
    jobs: int
    out: Path


def run(
    names: Sequence[str] = (),
    shop_names: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    settings: Mapping[str, str] | None = None,
    language: str | None = None,
    jobs: int = 2,
    out: Path = Path("reports"),
    notebooks_folder: Path = Path("notebooks"),
    data_folder: Path = Path("data"),
    reporter: Reporter | None = None,
) -> Result:
    """Make the reports `names` (all, if none) of the shops named, for every day asked for.

    Raises ParameterError before anything runs when a name, parameter or value cannot be.
    """
    found = discover(notebooks_folder)
    chosen = choose(found, names)
    coverage.check([need for notebook in chosen for need in notebook.needs])
    plan = Plan(
        chosen,
        found,
        bool(names),
        convert(chosen, settings or {}),
        shop_folders(shop_names, data_folder),
        since,
        until,
        language,
        jobs,
        Path(out).resolve(),
    )
    return _Run(plan, reporter or Reporter()).all()


def shop_folders(names: Sequence[str], data: Path) -> list[Path]:
    """Folders of the shops named, of all if none. Raises ParameterError where there is none."""
    folders = [shops.find(name, data) for name in names] if names else shops.all_in(data)
    if not folders:
        raise ParameterError(f"There are no shops in {data}: no folder there has a shop.toml.")
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    ids = [check_shop_name(folder.name) for folder in folders]
    for name in ids:
        if ids.count(name) > 1:
            raise ParameterError(f"Two of the shops are called '{name}'; run them one by one.")
    return folders


def check_shop_name(name: str) -> str:
    """`name`, if a shop can be called that. Raises ParameterError."""
    if not SHOP_NAME.fullmatch(name):
        raise ParameterError(
            f"A shop cannot be called '{name}'; allowed are letters, digits, - and _, "
            "Chinese characters too."
        )
    return name


def importing(folder: Path) -> AbstractContextManager:
    """Hold the tables of the shop in `folder` alone; a shop that is not there yet has none."""
    if not folder.is_dir():
        return nullcontext()
    return publishing.lock(folder / "tables" / ".lock", f"the tables of {folder.name}", wait=True)


@dataclass
class _Run:
    """One call of `run`, under way."""

    plan: Plan
    reporter: Reporter
    result: Result = field(default_factory=Result)

    def all(self) -> Result:
        self.plan.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".tmp-{os.getpid()}-", dir=self.plan.out, ignore_cleanup_errors=True
        ) as aside:
            with environment(Path(aside)), Kernels(self.plan.jobs) as kernels:
                for folder in self.plan.folders:
                    self._guarded(lambda f=folder: self._shop(f, kernels, Path(aside)))
            if self.result.pages:
                self._overview(Path(aside))
        return self.result

    def _guarded(self, step: Callable[[], object]) -> None:
        """Take `step`; what stops it is said and counted, and stops nothing else."""
        try:
            step()
        except DataError as cause:
            self._problem(str(cause), REFUSED)
        except (Busy, OSError) as cause:
            self._problem(str(cause), FAILED)

    def _problem(self, line: str, code: int) -> None:
        self.reporter.warn(line)
        self.result.worse(code)

    def _shop(self, folder: Path, kernels: Kernels, aside: Path) -> None:
        refused = self._refresh(folder)
        shop = shops.load(folder)
        for day in coverage.chosen_days(shop, self.plan.since, self.plan.until):
            self._guarded(lambda d=day: _Day(self, shop, d, refused, aside).make(kernels))

    def _refresh(self, folder: Path) -> list[str]:
        """Import what is new in the shop's exports; the lines about files that were refused."""
        with importing(folder):
            imported = exports.refresh(folder)
        refused = [str(file.refused) for file in imported.refused]
        for line in imported.summary_lines():
            if not line.startswith("refused"):
                self.reporter.say(f"{folder.name} {line}")
        for line in refused:
            self._problem(line, REFUSED)
        return refused

    def _overview(self, aside: Path) -> None:
        language = self.plan.language or shops.load(self.plan.folders[0]).language
        with publishing.lock(self.plan.out / ".locks" / "index", "the index", wait=True):
            publishing.overview(self.plan.out, Words(language), aside)
        self.result.pages.append(self.plan.out / "index.html")


class _Day:
    """The reports of one shop for one day."""

    def __init__(self, run: _Run, shop: Shop, day: date, refused: list[str], aside: Path):
        self.run, self.plan, self.shop, self.day = run, run.plan, shop, day
        self.refused = refused
        self.language = self.plan.language or shop.language
        self.words = Words(self.language, shop.currency)
        self.folder = Folder(self.plan.out / day.isoformat() / shop.id, aside)
        self.head = {"shop": shop.id, "date": day.isoformat()}
        self.began = datetime.now(UTC)
        self.records: dict[str, dict] = {}
        self.made: dict[str, Made] = {}

    def make(self, kernels: Kernels) -> None:
        name = f"{self.day}.{self.shop.id}"
        with publishing.lock(self.plan.out / ".locks" / name, f"{self.shop.id} {self.day}"):
            executions = [self._execution(n) for n in self.plan.notebooks if self._can_run(n)]
            for execution, made in kernels.each(executions, self._finished):
                self._publish(execution, made)
            self._close()

    def _can_run(self, notebook: Notebook) -> bool:
        missing = coverage.missing(self.shop.folder, notebook.needs, self.day)
        if missing:
            formats = coverage.formats_for(self.shop, missing)
            self.records[notebook.name] = {
                "status": "missing",
                "missing": missing,
                "formats": formats,
            }
            self._line(notebook, "not run: needs " + ", ".join(missing).replace("|", " or "))
        return not missing

    def _line(self, notebook: Notebook, text: str) -> None:
        width = max(len(n.name) for n in self.plan.all_notebooks)
        self.run.reporter.say(f"{self.shop.id} {self.day} {notebook.name:{width}}  {text}")

    def _execution(self, notebook: Notebook) -> Execution:
        given = (str(self.shop.folder), self.day.isoformat(), self.language)
        told = dict(zip(GIVEN, given, strict=True)) | self.plan.settings[notebook.name]
        return Execution(notebook, told, self.words)

    def _finished(self, execution: Execution) -> tuple[Execution, Made | None]:
        """Render what has run; beside the next notebook, in the thread that ran it."""
        if execution.failure:
            return execution, None
        try:
            return execution, self._rendered(execution)
        except Exception as cause:
            execution.failure = Failure(
                "page", f"{type(cause).__name__}: {cause}", traceback=traceback.format_exc()
            )
            return execution, None

    def _rendered(self, execution: Execution) -> Made:
        node = nbformat.v4.new_notebook(cells=execution.cells, metadata=execution.metadata)
        about = {
            "notebook": execution.notebook.name,
            "title": execution.notebook.title_in(self.words),
            "shop": self.shop.name,
            "date": self.day.isoformat(),
            "version": __version__,
            "generated": self.began.isoformat(timespec="seconds"),
            "parameters": self._told(execution),
        }
        return Made(report.render(node, about, self.words), *report.collect(node))

    def _told(self, execution: Execution) -> dict[str, object]:
        """All parameters with what the notebook took for them; the shop by name, not by path."""
        defaults = {name: p.default for name, p in execution.notebook.parameters.items()}
        return defaults | execution.parameters | {"shop": self.shop.id}

    def _publish(self, execution: Execution, made: Made | None) -> None:
        notebook, failure = execution.notebook, execution.failure
        record = {
            "status": "failed" if failure else "done",
            "seconds": round(execution.seconds, 2),
            "peak_memory_mb": execution.peak,
            "parameters": self._told(execution),
        }
        if failure:
            record["failure"] = asdict(failure) | {"traceback": ""}
            self.folder.failure(notebook, failure, self.head, self.words)
            self.run.result.worse(REFUSED if failure.kind == "data" else FAILED)
            said = f"failed: {failure.place(ENGLISH)} {failure.cause(ENGLISH)}"
            self._line(notebook, " ".join(said.split())[:500])
        else:
            self.made[notebook.name] = made
            self.folder.success(notebook.name, made)
            self._line(notebook, f"{execution.seconds:.1f} s")
        self.records[notebook.name] = record

    def _close(self) -> None:
        """Findings, run.json and the index, once every notebook has ended."""
        self.folder.merge_findings(self.plan.all_notebooks, self.made, self.head)
        self.folder.write("run.json", publishing.as_json(self._record()))
        self.folder.index(self.plan.all_notebooks, self.head, self.words)
        self.run.result.pages.append(self.folder.path / "index.html")
        missing = [n for n, record in self.records.items() if record["status"] == "missing"]
        if missing and (self.plan.named or len(missing) == len(self.plan.notebooks)):
            self.run.result.worse(REFUSED)

    def _record(self) -> dict:
        now = datetime.now(UTC)
        return {
            **self.head,
            "name": self.shop.name,
            "language": self.language,
            "started": self.began.isoformat(timespec="seconds"),
            "finished": now.isoformat(timespec="seconds"),
            "seconds": round((now - self.began).total_seconds(), 2),
            "versions": publishing.versions(),
            "inputs": publishing.inputs(self.shop.folder),
            "refused": self.refused,
            "notebooks": self.folder.run().get("notebooks", {}) | self.records,
        }
