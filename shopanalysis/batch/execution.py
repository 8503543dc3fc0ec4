"""One notebook in one kernel: run by papermill, judged by what its cells left behind."""

from __future__ import annotations

import copy
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar

import nbformat
import papermill
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from shopanalysis.batch.notebooks import Notebook, tags_of, text_in
from shopanalysis.errors import DataError
from shopanalysis.words import Words

CELL_SECONDS = 120
START_SECONDS = 60
ENGINE = "shopanalysis"
QUIET = ["--IPKernelApp.log_level=40"]  # a kernel warns of TCP, which here never leaves loopback
PLAIN = {"DataError": "data", "ParameterError": "parameter", "SystemExit": "exit"}
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

Result = TypeVar("Result")

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Failure:
    """Why there is no report.

    kind      a key of [failure] in texts/<language>.toml: data, parameter, error, time, kernel …
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

    peak   most memory that the kernel held, MB; None where the system does not say
    """

    notebook: Notebook
    parameters: Mapping[str, object]
    words: Words
    cells: list = field(default_factory=list)
    metadata: Mapping = field(default_factory=dict)
    current: int | None = None
    client: PapermillNotebookClient | None = None
    seconds: float = 0.0
    peak: float | None = None
    failure: Failure | None = None
    ended: bool = False

    def run(self) -> Execution:
        """Execute the notebook; whatever goes wrong is its `failure`."""
        began = monotonic()
        try:
            self._execute()
            self.failure = self._judged()
        except Exception as cause:
            self.failure = self._stopped(cause)
        self.seconds = monotonic() - began
        return self

    def end(self) -> None:
        """Kill the kernel, from another thread."""
        self.ended = True
        manager = self.client and self.client.km
        process = manager and getattr(manager.provisioner, "process", None)
        if process:
            process.kill()

    def execute_cells(self, nb_man, **options) -> None:
        """Execute the cells of papermill's `nb_man` in a kernel of their own."""
        self.cells = list(nb_man.nb.cells)
        self.metadata = nb_man.nb.metadata
        self.client = PapermillNotebookClient(
            nb_man,
            log=log,
            shutdown_kernel="immediate",
            extra_arguments=QUIET,
            on_cell_execute=self._cell_starts,
            on_cell_executed=self._cell_ends,
            **options,
        )
        self.client.execute()

    def _cell_starts(self, cell, cell_index: int) -> None:
        self.current = cell_index
        if self.ended:
            raise InterruptedError

    def _cell_ends(self, **_) -> None:
        self.peak = peak_memory(self.client.km.provisioner.pid)

    def _execute(self) -> None:
        if self.ended:
            raise InterruptedError
        try:
            papermill.execute_notebook(
                self.notebook.node(),
                None,
                parameters=dict(self.parameters),
                engine_name=ENGINE,
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
        kind = PLAIN.get(output.ename, "error")
        message = output.evalue if kind in PLAIN.values() else f"{output.ename}: {output.evalue}"
        traceback = COLOUR.sub("", "\n".join(output.traceback))
        return self._at(index, kind, message, traceback)

    def _stopped(self, cause: Exception) -> Failure:
        kinds = {CellTimeoutError: "time", DeadKernelError: "kernel", RuntimeError: "kernel"}
        kind = "ended" if self.ended else kinds.get(type(cause), "error")
        message = str(CELL_SECONDS) if kind == "time" else f"{type(cause).__name__}: {cause}"
        return self._at(self.current, kind, message)

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
        execution.execute_cells(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=START_SECONDS,
            timeout=CELL_SECONDS,
        )


papermill_engines.register(ENGINE, Engine)


def peak_memory(process: int) -> float | None:
    """Most memory that `process` has held so far, MB; None where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) / 1024, 1) if found else None


@contextmanager
def environment(folder: Path) -> Iterator[None]:
    """What kernels inherit, for as long as the block lasts: nothing is written outside `folder`."""
    before = dict(os.environ)
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        os.environ.setdefault(name, str(folder / name.lower()))
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Kernels:
    """Executes notebooks, `jobs` at a time; leaving the block by an exception ends them."""

    def __init__(self, jobs: int):
        self._pool = ThreadPoolExecutor(jobs)
        self._executions: list[Execution] = []

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind:
            for execution in self._executions:
                execution.end()
        self._pool.shutdown(cancel_futures=True)

    def each(
        self, executions: Sequence[Execution], then: Callable[[Execution], Result]
    ) -> Iterator[Result]:
        """What `then` makes of each execution, as they end; `then` runs beside the next one."""
        self._executions = list(executions)
        ends = [self._pool.submit(lambda e=execution: then(e.run())) for execution in executions]
        for end in as_completed(ends):
            yield end.result()


def refreshed(notebook: Notebook) -> str:
    """The notebook's text after a run on its own defaults, with outputs in golden cells only.

    Raises DataError naming the cell that failed.
    """
    node = notebook.node()
    before = copy.deepcopy(node.metadata)
    client = NotebookClient(
        node,
        kernel_name=node.metadata.kernelspec.name,
        timeout=CELL_SECONDS,
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
