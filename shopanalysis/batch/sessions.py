"""What a run holds while it lasts: a folder for what is not finished, the kernels' surroundings.

Only light modules are imported here: kernels' libraries load while the run's own do.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shopanalysis.batch import warm
from shopanalysis.batch.files import Busy, lock

ORDINARY = "python3"
PREFIX = ".tmp-"
ABANDONED_SECONDS = 3600


@dataclass(frozen=True)
class Session:
    """`aside` takes what is not finished; `kernel` is the name of the kernels to start."""

    aside: Path
    kernel: str = ORDINARY


@contextmanager
def session(
    out: Path,
    notebooks: Path = Path("notebooks"),
    names: Sequence[str] = (),
    cold: bool = False,
    warn: Callable[[str], object] = print,
) -> Iterator[Session]:
    """Everything a run into `out` needs; nothing of it is left when the block ends.

    cold   ordinary kernels, each of which imports its libraries by itself
    """
    out = Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    sweep(out)
    with (
        tempfile.TemporaryDirectory(
            prefix=f"{PREFIX}{os.getpid()}-", dir=out, ignore_cleanup_errors=True
        ) as aside,
        lock(Path(aside, "lock"), "reports"),
        environment(Path(aside)),
    ):
        try:
            yield Session(Path(aside), ORDINARY if cold else _warmed(notebooks, names, warn))
        finally:
            warm.stop()


def _warmed(notebooks: Path, names: Sequence[str], warn: Callable[[str], object]) -> str:
    try:
        warm.start(warm.imports(notebooks, names), dict(os.environ), warn)
    except warm.Unavailable as cause:
        warn(f"Kernels start cold: {cause}.")
        return ORDINARY
    return warm.KERNEL


def sweep(out: Path) -> None:
    """Remove what runs that were killed have left: their folders' locks are free."""
    for left in out.glob(f"{PREFIX}*"):
        held = left / "lock"
        if not held.exists() and time.time() - left.stat().st_mtime < ABANDONED_SECONDS:
            continue
        try:
            with lock(held, "reports"):
                shutil.rmtree(left, ignore_errors=True)
        except (Busy, OSError):
            continue


@contextmanager
def environment(folder: Path) -> Iterator[None]:
    """What kernels inherit, for as long as the block lasts: nothing is written outside `folder`."""
    before = dict(os.environ)
    os.environ.setdefault("MPLCONFIGDIR", str(folder.parent / ".cache" / "matplotlib"))
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        os.environ.setdefault(name, str(folder / name.lower()))
    os.environ |= {
        **warm.ONE_THREAD,
        "PYTHONHASHSEED": "0",
        "JUPYTER_PATH": os.pathsep.join(
            filter(None, (str(warm.JUPYTER), before.get("JUPYTER_PATH")))
        ),
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
