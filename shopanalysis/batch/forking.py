"""The process that kernels are forked from: it imports once, computes nothing and has one thread.

python -m shopanalysis.batch.forking DESCRIPTOR MODULE...

Over the socket DESCRIPTOR it says once what it has imported, then answers each line that asks for a
kernel with its process. When the socket closes, or this process dies, its kernels die with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

ALWAYS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
)
NOT_NEEDED = "debugpy"  # nobody debugs in a batch; it would be loaded anew in every kernel
PR_SET_PDEATHSIG = 1


def main(descriptor: int, modules: Sequence[str]) -> None:
    """Import `modules`, then fork a kernel for every line asked."""
    sys.modules[NOT_NEEDED] = None
    refused = _imported(ALWAYS)
    del sys.modules[NOT_NEEDED]
    refused |= _imported(modules)
    sys.modules["jupyter_client.localinterfaces"].localhost()  # looked up once for all kernels
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as asked, asked.makefile("rw", encoding="utf-8") as lines:
        _say(lines, {"refused": refused, "threads": len(os.listdir("/proc/self/task"))})
        server, kernels = os.getpid(), set()
        for line in lines:
            kernels -= _ended(kernels)
            process = os.fork()
            if not process:
                lines.close()
                asked.close()
                _be_kernel(server, **json.loads(line))
            kernels.add(process)
            _say(lines, {"process": process})
        for process in kernels - _ended(kernels):
            with suppress(OSError):
                os.killpg(process, signal.SIGKILL)


def _say(lines, record: Mapping) -> None:
    lines.write(json.dumps(record) + "\n")
    lines.flush()


def _imported(modules: Sequence[str]) -> dict[str, str]:
    """Import `modules`; those that could not be, with the reason."""
    refused = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as cause:
            refused[name] = f"{type(cause).__name__}: {cause}"
    return refused


def _ended(kernels: set[int]) -> set[int]:
    """Those of `kernels` that have ended, and no zombie of them."""
    return {process for process in kernels if os.waitpid(process, os.WNOHANG)[0]}


def _be_kernel(
    server: int, arguments: Sequence[str], environment: Mapping[str, str], folder: str
) -> None:
    """Run ipykernel in this new process, in a session and with random numbers of its own."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = [place for place in sys.path if place != _STARTED_IN]
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={server}"]
    try:
        sys.modules["ipykernel.kernelapp"].launch_new_instance()
    finally:
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    _STARTED_IN = sys.path[0]
    with suppress(ConnectionError):
        main(int(sys.argv[1]), sys.argv[2:])
