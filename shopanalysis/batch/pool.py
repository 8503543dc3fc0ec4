"""Notebooks, so many at a time: the next kernel starts, and pages are made, beside those that run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import BoundedSemaphore

from shopanalysis.batch.execution import Execution


class Pool:
    """Executes notebooks, `jobs` at a time; leaving the block by an exception ends them."""

    def __init__(self, jobs: int):
        self.jobs = jobs
        self._threads = ThreadPoolExecutor(2 * jobs)
        self._slots = BoundedSemaphore(jobs)
        self._done: SimpleQueue = SimpleQueue()
        self._running: dict[int, Execution] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind:
            for execution in list(self._running.values()):
                execution.end()
        self._threads.shutdown(cancel_futures=True)

    @property
    def has_room(self) -> bool:
        """Whether more should be submitted, so that nothing has to wait for work."""
        return len(self._running) < 2 * self.jobs

    @property
    def is_empty(self) -> bool:
        """Whether all that was submitted has been taken by `next`."""
        return not self._running

    def submit(self, execution: Execution, then: Callable[[Execution], object]) -> None:
        """Execute, then call `then` in the same thread, with the slot already given to another."""
        execution.slot = self._slots
        self._running[id(execution)] = execution
        self._threads.submit(self._run, execution, then)

    def _run(self, execution: Execution, then: Callable[[Execution], object]) -> None:
        try:
            execution.run()
            result = then(execution)
        except BaseException as cause:
            result = cause
        self._done.put((execution, result))

    def next(self) -> tuple[Execution, object]:
        """The next execution to end, with what `then` made of it. Raises what stopped `then`."""
        execution, result = self._done.get()
        del self._running[id(execution)]
        if isinstance(result, BaseException):
            raise result
        return execution, result
