"""Being told to stop: at once while waiting, but never in the middle of putting a report in place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TOLD = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """The run was told to stop.

    number   the signal; a shell calls the exit code 128 + number
    """

    def __init__(self, number: int = signal.SIGINT):
        super().__init__()
        self.number = number


class Stopping:
    """Takes the place of the signals' own handlers while a block lasts, in the main thread only."""

    def __init__(self):
        self._shielded = False
        self._told: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._tell) for number in TOLD}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _tell(self, number: int, _frame) -> None:
        first, self._told = self._told is None, number
        if first and not self._shielded:
            raise Stopped(number)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Finish what is in the block; then stop, if told to meanwhile."""
        told, self._shielded = self._told, True
        try:
            yield
        finally:
            self._shielded = False
        if self._told is not None and told is None:
            raise Stopped(self._told)
