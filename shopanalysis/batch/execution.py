"""One notebook in one kernel: run by papermill, judged by what its cells left behind."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from shopanalysis.batch import lean  # noqa: F401

# isort: split
import nbformat
import papermill
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from shopanalysis.batch.notebooks import Notebook, tags_of, text_in
from shopanalysis.errors import DataError
from shopanalysis.words import Words

START_SECONDS = 60
ENGINE = "shopanalysis"
QUIET = ["--IPKernelApp.log_level=40"]  # a kernel warns of TCP, which here never leaves loopback
PLAIN = {"DataError": "data", "ParameterError": "parameter", "SystemExit": "exit"}
OUT_OF_MEMORY = ("MemoryError", "_ArrayMemoryError", "ArrowMemoryError")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Limits:
    """What one notebook may use: seconds for a cell and for all of it, MB of memory."""

    cell: float = 120
    notebook: float = 900
    memory: int = 4096


@dataclass(frozen=True)
class Failure:
    """Why there is no report.

    kind      a key of [failure] in texts/<language>.toml: data, parameter, error, time, memory …
    cell      number of the code cell in the notebook's file, from 1; None: not in a cell
    heading   the heading above that cell
    """

    kind: str
    message: str = ""
    cell: int | None = None
    heading: str = ""
    traceback: str = ""

    def cause(self, words: Words) -> str:
        """The cause in one plain sentence."""
        return words.say(f"failure.{self.kind}", message=self.message)

    def place(self, words: Words) -> str:
        """Where it happened; empty when not in a cell."""
        key = "failure.place" if self.heading else "failure.cell"
        values = {"cell": self.cell, "heading": self.heading}
        return words.say(key, **values) if self.cell else ""


@dataclass
class Execution:
    """One run of one notebook: its cells as they were left, how long it took, how much memory.

    kernel     name of the kernel it runs in
    slot       held while cells run; the kernel starts before
    seconds    in the slot
    peak       most memory that the kernel held, MB; None where the system does not say
    attempts   2 when the first kernel died
    """

    notebook: Notebook
    parameters: Mapping[str, object]
    words: Words
    kernel: str = "python3"
    limits: Limits = field(default_factory=Limits)
    slot: AbstractContextManager = field(default_factory=nullcontext)
    cells: list = field(default_factory=list)
    metadata: Mapping = field(default_factory=dict)
    current: int | None = None
    client: PapermillNotebookClient | None = None
    seconds: float = 0.0
    peak: float | None = None
    failure: Failure | None = None
    attempts: int = 0
    ended: bool = False
    began: float | None = None

    def run(self) -> Execution:
        """Execute the notebook, twice if its kernel died; whatever goes wrong is its `failure`."""
        for self.attempts in (1, 2):
            self.failure = self._attempt()
            if self.ended or not self.failure or self.failure.kind != "kernel":
                break
        return self

    def _attempt(self) -> Failure | None:
        self.began, self.current = None, None
        try:
            self._execute()
            return self._judged()
        except Exception as cause:
            return self._stopped(cause)
        finally:
            self._leave_slot()

    def end(self) -> None:
        """Kill the kernel, from another thread."""
        self.ended = True
        manager = self.client and self.client.km
        process = manager and getattr(manager.provisioner, "process", None)
        if process:
            process.kill()

    def execute_cells(self, nb_man, kernel_name: str) -> None:
        """Execute the cells of papermill's `nb_man` in a kernel of their own."""
        self.cells = list(nb_man.nb.cells)
        self.metadata = nb_man.nb.metadata
        self.client = PapermillNotebookClient(
            nb_man,
            log=log,
            kernel_name=kernel_name,
            startup_timeout=START_SECONDS,
            timeout_func=lambda _: self._seconds_left(),
            shutdown_kernel="immediate",
            extra_arguments=QUIET,
            on_cell_execute=self._cell_starts,
            on_cell_executed=self._cell_ends,
        )
        self.client.execute()

    def _cell_starts(self, cell, cell_index: int) -> None:
        if self.began is None:
            self._enter_slot()
        self.current = cell_index
        if self.ended:
            raise InterruptedError

    def _enter_slot(self) -> None:
        self.slot.__enter__()
        self.began = monotonic()
        limit_memory(self.client.km.provisioner.pid, self.limits.memory)

    def _leave_slot(self) -> None:
        if self.began is not None:
            self.seconds = monotonic() - self.began
            self.slot.__exit__(None, None, None)
            self.began = None

    def _seconds_left(self) -> float:
        left = self.limits.notebook - (monotonic() - self.began)
        return max(min(left, self.limits.cell), 0.01)

    def _cell_ends(self, cell, **_) -> None:
        self.peak = peak_memory(self.client.km.provisioner.pid)
        if cell is [c for c in self.cells if c.cell_type == "code" and c.source.strip()][-1]:
            self._leave_slot()

    def _execute(self) -> None:
        if self.ended:
            raise InterruptedError
        try:
            papermill.execute_notebook(
                self.notebook.node(),
                None,
                parameters=dict(self.parameters),
                engine_name=ENGINE,
                kernel_name=self.kernel,
                language="python",
                progress_bar=False,
                execution=self,
            )
        except papermill.PapermillExecutionError:
            log.debug("%s failed; its cells say why", self.notebook.name)

    def _judged(self) -> Failure | None:
        for index, cell in enumerate(self.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            for output in cell.outputs:
                if output.output_type == "error":
                    return self._raised(index, output)
            if cell.execution_count is None:
                return self._at(index, "unrun")
        return None

    def _raised(self, index: int, output) -> Failure:
        kind = "memory" if output.ename in OUT_OF_MEMORY else PLAIN.get(output.ename, "error")
        if kind == "memory":
            return self._at(index, kind, str(self.limits.memory))
        message = output.evalue if kind in PLAIN.values() else f"{output.ename}: {output.evalue}"
        traceback = COLOUR.sub("", "\n".join(output.traceback))
        return self._at(index, kind, message, traceback)

    def _stopped(self, cause: Exception) -> Failure:
        if self.ended:
            return self._at(self.current, "ended")
        if isinstance(cause, CellTimeoutError):
            whole = monotonic() - self.began >= self.limits.notebook
            limit = self.limits.notebook if whole else self.limits.cell
            return self._at(self.current, "whole_time" if whole else "time", f"{limit:g}")
        dead = isinstance(cause, DeadKernelError | RuntimeError)
        message = f"{type(cause).__name__}: {cause}"
        return self._at(self.current, "kernel" if dead else "error", message)

    def _at(self, index: int | None, kind: str, message: str = "", traceback: str = "") -> Failure:
        if index is None:
            return Failure(kind, message, traceback=traceback)
        above = self.cells[:index]
        ours = [cell for cell in above if "injected-parameters" not in tags_of(cell)]
        number = 1 + sum(cell.cell_type == "code" for cell in ours)
        texts = [cell for cell in above if cell.cell_type == "markdown"]
        read = "\n".join(text_in(cell, self.notebook.name, self.words) for cell in texts)
        headings = HEADING.findall(read)
        return Failure(kind, message, number, headings[-1] if headings else "", traceback)


class Engine(NBClientEngine):
    """papermill's own, with the client in our hands: to end it, and to see how far it came."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, execution, **_):
        """Let `execution` run the cells of `nb_man`."""
        execution.execute_cells(nb_man, kernel_name)


papermill_engines.register(ENGINE, Engine)


def peak_memory(process: int) -> float | None:
    """Most memory that `process` has held so far, MB; None where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) / 1024, 1) if found else None


def limit_memory(process: int, more: int) -> None:
    """Let `process` take `more` MB on top of what it holds; where the system cannot, as it likes."""
    try:
        import resource

        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
        held = int(re.search(r"VmSize:\s+(\d+) kB", status)[1])
        limit = held * 1024 + more * 1024**2
        resource.prlimit(process, resource.RLIMIT_AS, (limit, limit))
    except (ImportError, AttributeError, TypeError, OSError):
        log.debug("no memory limit for process %s", process)


def refreshed(notebook: Notebook) -> str:
    """The notebook's text after a run on its own defaults, with outputs in golden cells only.

    Raises DataError naming the cell that failed.
    """
    node = notebook.node()
    before = copy.deepcopy(node.metadata)
    client = NotebookClient(
        node,
        kernel_name=node.metadata.kernelspec.name,
        timeout=Limits().cell,
        record_timing=False,
        shutdown_kernel="immediate",
        extra_arguments=QUIET,
        resources={"metadata": {"path": str(notebook.path.parent.resolve())}},
    )
    try:
        client.execute()
    except CellExecutionError as cause:
        raise DataError(f"{notebook.name}: {cause.ename}: {cause.evalue}") from None
    node.metadata = before
    for cell in node.cells:
        if cell.cell_type == "code" and "keep_output" not in tags_of(cell):
            cell.outputs = []
    return nbformat.writes(node).rstrip("\n") + "\n"
