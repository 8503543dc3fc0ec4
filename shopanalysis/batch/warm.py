"""Warm kernels: forked from one process that has imported a notebook's libraries already.

Only the standard library is imported here, so that the process can start before all else.
"""

from __future__ import annotations

import ast
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

KERNEL = "shopanalysis-warm"
GROUP = "jupyter_client.kernel_provisioners"
JUPYTER = Path(__file__).with_name("jupyter")
FORKING = "shopanalysis.batch.forking"
AHEAD = "shopanalysis.batch.ahead"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class Unavailable(Exception):
    """Why kernels cannot be forked."""


class Forked:
    """A forked kernel, with what jupyter_client asks of a subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, process: int):
        self.pid = process
        self._ended = threading.Event()
        try:
            self._handle = os.pidfd_open(process)
        except ProcessLookupError:
            self._ended.set()

    def poll(self) -> int | None:
        """None while it runs."""
        if not self._ended.is_set() and not select.select([self._handle], [], [], 0)[0]:
            return None
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; how it ended is known to its own parent only."""
        if not self._ended.is_set():
            select.select([self._handle], [], [])
            self._ended.set()
            os.close(self._handle)
        return 0

    def send_signal(self, number: int) -> None:
        """Send a signal to the process."""
        if not self._ended.is_set():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self.send_signal(signal.SIGKILL)

    terminate = kill


class Server:
    """The process that kernels are forked from, seen from the one that asks for them.

    modules   what it imports ahead
    warn      is told, once, what could not be imported ahead
    """

    def __init__(self, modules: Iterable[str], environment: Mapping[str, str], warn=print):
        _check()
        self._warn = warn
        self._lock = threading.Lock()
        self._ready = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", FORKING, str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                env={**environment, **ONE_THREAD},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def fork(self, arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> Forked:
        """A new kernel. Raises Unavailable when the process is gone."""
        asked = {"arguments": arguments, "environment": environment, "folder": folder}
        with self._lock:
            try:
                if not self._ready:
                    self._check_imports(json.loads(self._lines.readline()))
                self._lines.write(json.dumps(asked) + "\n")
                self._lines.flush()
                return Forked(json.loads(self._lines.readline())["process"])
            except (OSError, ValueError) as cause:
                raise Unavailable("the process they are forked from has ended") from cause

    def _check_imports(self, said: Mapping) -> None:
        self._ready = True
        for name, reason in said["refused"].items():
            self._warn(f"{name} could not be imported ahead of the notebooks: {reason}")
        if said["threads"] > 1:
            self._warn(f"Kernels are forked beside {said['threads'] - 1} running threads.")

    def stop(self) -> None:
        """End the process and every kernel it has forked."""
        for end in (self._lines.close, self._socket.close):
            with suppress(OSError):
                end()
        if not self._ready:
            self.process.kill()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _check() -> None:
    """Raise Unavailable, with the reason, where kernels cannot be forked."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        raise Unavailable(f"processes cannot be forked safely on {sys.platform}")
    if not entry_points(group=GROUP, name=KERNEL):
        raise Unavailable("the package is not installed: pip install -e .")


server: Server | None = None


def start(modules: Iterable[str], environment: Mapping[str, str], warn=print) -> None:
    """Start the process that kernels are forked from. Raises Unavailable."""
    global server
    if server is None:
        server = Server(modules, environment, warn)


def stop() -> None:
    """End the process that kernels are forked from, and them."""
    global server
    if server is not None:
        server.stop()
        server = None


def imports(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """Modules that the notebooks in `folder` called `names` (all, if none) import, by name."""
    files = (f for f in sorted(folder.glob("*.ipynb")) if not names or f.stem in names)
    found = sorted({module for file in files for module in _imports_of(file)})
    return [*found, AHEAD] if "shopanalysis.report" in found else found


def _imports_of(file: Path) -> Iterable[str]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                with suppress(SyntaxError):
                    yield from _imported_by("".join(cell["source"]))


def _imported_by(source: str) -> Iterable[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names if _is_module(node.module, a))


def _is_module(package: str, alias: ast.alias) -> bool:
    with suppress(ImportError, ValueError):
        return find_spec(f"{package}.{alias.name}") is not None
    return False
