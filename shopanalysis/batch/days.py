"""The reports of one shop for one day: opened, made one by one, closed with what is over all."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

import nbformat

from shopanalysis import __version__, rendering
from shopanalysis import shop as shops
from shopanalysis.batch import coverage, fingerprints
from shopanalysis.batch.execution import Execution, Failure, Limits
from shopanalysis.batch.files import as_json, lock
from shopanalysis.batch.front import Fronts
from shopanalysis.batch.notebooks import GIVEN, LEDGER, Notebook
from shopanalysis.batch.publishing import Folder, Made
from shopanalysis.batch.reporting import Reporter
from shopanalysis.batch.results import FAILED, REFUSED, Result
from shopanalysis.shop import Shop
from shopanalysis.words import Words

ENGLISH = Words("en")


@dataclass(frozen=True)
class Plan:
    """What one call is to do, checked before anything runs.

    named      the notebooks were asked for by name: lacking what they need is an error
    settings   per notebook: parameters given by name
    since      first day, None: only the last one
    until      last day, None: the newest that is over
    force      also what would come out the same
    masked     amounts as indices and names as letters
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
    limits: Limits = field(default_factory=Limits)
    force: bool = False
    masked: bool = False


@dataclass(frozen=True)
class Given:
    """What is the same for every day of a shop: its shop.toml, its inputs' hashes, files refused."""

    shop: Shop
    inputs: Mapping[str, str]
    refused: Sequence[str]


@dataclass
class Run:
    """What is the same for every day of a run: the plan, and where it says what becomes of it."""

    plan: Plan
    reporter: Reporter
    aside: Path
    kernel: str
    result: Result = field(default_factory=Result)

    def problem(self, line: str, code: int, **about) -> None:
        """Say what went wrong, and let the exit code say it too."""
        self.reporter.problem(line, **about)
        self.result.worse(code)


class Day:
    """The reports of one shop for one day of a run whose first day is `since`."""

    def __init__(self, run: Run, given: Given, day: date, since: date):
        self.run, self.plan, self.given, self.day, self.since = run, run.plan, given, day, since
        self.shop = given.shop
        self.language = self.plan.language or self.shop.language
        self.words = Words(self.language, self.shop.currency)
        self.folder = Folder(self.plan.out / day.isoformat() / self.shop.id, run.aside)
        self.head = {"shop": self.shop.id, "date": day.isoformat()}
        self.records: dict[str, dict] = {}
        self.made: dict[str, Made] = {}
        self.pending: list[Notebook] = []
        self._held = ExitStack()

    @property
    def fronts(self) -> Fronts:
        """The pages over all reports of the shop's days."""
        return Fronts(self.plan.out, self.shop.id, self.plan.all_notebooks, self.run.aside)

    def open(self) -> list[Execution]:
        """Lock the day; the notebooks that have to run. Raises Busy."""
        name = f"{self.day}.{self.shop.id}"
        file = self.plan.out / ".locks" / name
        self._held.enter_context(lock(file, f"{self.shop.id} {self.day}"))
        self.began, self._clock = datetime.now(UTC), monotonic()
        self.before = self.folder.run().get("notebooks", {})
        executions = [e for n in self.plan.notebooks if (e := self._execution(n))]
        self.pending = [execution.notebook for execution in executions]
        return executions

    def release(self) -> None:
        """Let others have the day."""
        self._held.close()

    def _execution(self, notebook: Notebook) -> Execution | None:
        if missing := coverage.missing(self.shop.folder, notebook.needs, self.day):
            self._cannot_run(notebook, missing)
            return None
        given = (str(self.shop.folder), self.day.isoformat(), self.language)
        ledger, files = self._ledger(notebook), self.given.inputs
        told = dict(zip(GIVEN, given, strict=True)) | ledger | self.plan.settings[notebook.name]
        if ledger:
            about = (self.plan.out, self.shop.id, notebook.name)
            files = files | fingerprints.earlier(*about, self.since)
        made_from = fingerprints.of(notebook.path, told, files)
        before = self.before.get(notebook.name, {})
        complete = self.folder.is_complete(notebook.name, before)
        reason = fingerprints.reason(before, made_from, complete, self.plan.force)
        if not reason:
            self.records[notebook.name] = before | {"reason": "unchanged: not run again"}
            self._line(notebook, "unchanged", status="unchanged")
            return None
        self.records[notebook.name] = {"reason": reason, "made_from": made_from}
        return Execution(notebook, told, self.words, self.run.kernel, self.plan.limits)

    def _ledger(self, notebook: Notebook) -> dict[str, str]:
        """Earlier reports, for a notebook that reads them: those of the days before this run's, whose
        order of making says nothing then."""
        told = (str(self.plan.out), self.since.isoformat())
        declared = notebook.parameters
        return {k: value for k, value in zip(LEDGER, told, strict=True) if k in declared}

    def _cannot_run(self, notebook: Notebook, missing: list[str]) -> None:
        formats = coverage.formats_for(self.shop, missing)
        record = {"status": "missing", "missing": missing, "formats": formats}
        self.records[notebook.name] = record
        text = "not run: needs " + ", ".join(missing).replace("|", " or ")
        self._line(notebook, text, status="missing", missing=missing)

    def _line(self, notebook: Notebook, text: str, **about) -> None:
        width = max(len(n.name) for n in self.plan.all_notebooks)
        line = f"{self.shop.id} {self.day} {notebook.name:{width}}  {text}"
        self.run.reporter.tell(line, "notebook", **self.head, notebook=notebook.name, **about)

    def finished(self, execution: Execution) -> Made | None:
        """Render what has run; beside the next notebook, in the thread that ran it."""
        if execution.failure:
            return None
        try:
            return self._rendered(execution)
        except Exception as cause:
            message = f"{type(cause).__name__}: {cause}"
            execution.failure = Failure("page", message, traceback=traceback.format_exc())
            return None

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
        return Made(rendering.render(node, about, self.words), *rendering.collect(node))

    def _told(self, execution: Execution) -> dict[str, object]:
        """All parameters with what the notebook took for them; no path, wherever the reports lie."""
        defaults = {name: p.default for name, p in execution.notebook.parameters.items()}
        told = defaults | execution.parameters | {"shop": self.shop.id}
        own = str(self.plan.out)
        return {name: "reports" if value == own else value for name, value in told.items()}

    def publish(self, execution: Execution, made: Made | None) -> None:
        """Put one report in place, or the page that says why there is none."""
        notebook, failure = execution.notebook, execution.failure
        record = self.records[notebook.name] | {
            "status": "failed" if failure else "done",
            "seconds": round(execution.seconds, 2),
            "peak_memory_mb": execution.peak,
            "attempts": execution.attempts,
            "parameters": self._told(execution),
        }
        if failure and self.plan.masked:
            failure = replace(failure, message=self._unplaced(failure.message), traceback="")
        if failure:
            record["failure"] = asdict(failure) | {"traceback": ""}
            self.folder.failure(notebook, failure, self.head, self.words)
            self.run.result.worse(REFUSED if failure.kind == "data" else FAILED)
        else:
            record["tables"] = sorted(made.tables)
            self.made[notebook.name] = made
            self.folder.success(notebook.name, made)
        self.records[notebook.name] = record
        self.pending.remove(notebook)
        self._say_how_it_went(notebook, record, failure)

    def _unplaced(self, message: str) -> str:
        """`message` without the place of the shop's folder."""
        return message.replace(str(self.shop.folder), self.shop.id)

    def _say_how_it_went(self, notebook: Notebook, record: Mapping, failure: Failure | None):
        text = f"{record['seconds']:.1f} s"
        if failure:
            said = f"failed: {failure.place(ENGLISH)} {failure.cause(ENGLISH)}"
            text = " ".join(said.split())[:500]
        keys = ("status", "reason", "seconds", "peak_memory_mb", "attempts")
        self._line(notebook, text, **{key: record[key] for key in keys})

    def close(self) -> None:
        """Findings, run.json and the index, over all that has ended; those not run are as before."""
        for notebook in self.pending:
            self.records.pop(notebook.name, None)
        self.folder.merge_findings(self.plan.all_notebooks, self.made, self.head)
        self.folder.work_lists(self.plan.all_notebooks, self.shop, self.words)
        self.folder.write("run.json", as_json(self._record()))
        self.fronts.write(self.day, self.words)
        self.run.result.pages.append(self.folder.path / "index.html")
        missing = [n for n, record in self.records.items() if record["status"] == "missing"]
        if missing and (self.plan.named or len(missing) == len(self.plan.notebooks)):
            self.run.result.worse(REFUSED)

    def _record(self) -> dict:
        return {
            **self.head,
            "name": self.shop.name,
            "language": self.language,
            "started": self.began.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(monotonic() - self._clock, 2),
            "versions": fingerprints.versions(),
            "inputs": self.given.inputs,
            "refused": self.given.refused,
            "notebooks": self._in_order(self.before | self.records),
        }

    def _in_order(self, records: Mapping[str, dict]) -> dict[str, dict]:
        order = {notebook.name: place for place, notebook in enumerate(self.plan.all_notebooks)}
        return dict(sorted(records.items(), key=lambda item: order.get(item[0], len(order))))


def language_of(plan: Plan) -> str:
    """The language of the page over all shops."""
    return plan.language or shops.load(plan.folders[0]).language
