"""A report as PDF, by its own print style, through a Chromium that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shopanalysis.errors import ParameterError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SECONDS = 120
ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--no-pdf-header-footer",
)
MADE = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")


class NoBrowser(OSError):
    """There is no Chromium to print with."""


def find_browser() -> str:
    """The first Chromium, Chrome or Edge of this machine. Raises NoBrowser."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise NoBrowser(
        "There is no Chromium here to print with: install Chromium, Chrome or Edge, "
        "or print the report from a browser."
    )


def reports_in(paths: Sequence[Path]) -> list[Path]:
    """The HTML pages named, and every page of a folder named. Raises ParameterError."""
    found = []
    for path in paths:
        inside = [page for page in sorted(path.glob("*.html")) if ".error" not in page.suffixes]
        pages = inside if path.is_dir() else [path]
        if not pages:
            raise ParameterError(f"There is no report in {path}.")
        if not pages[0].is_file() or pages[0].suffix != ".html":
            raise ParameterError(f"{path} is not a report; expected an .html file or a folder.")
        found += pages
    return list(dict.fromkeys(found))


def write(report: Path, browser: str) -> Path:
    """Print `report` to a PDF of the same name beside it, whole or not at all.

    Raises OSError when the browser makes none.
    """
    from shopanalysis.batch.files import write as put

    with tempfile.TemporaryDirectory() as aside:
        printed = Path(aside, "report.pdf")
        ran = _print(browser, report, printed, Path(aside, "profile"))
        if not printed.is_file():
            said = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
            raise OSError(f"{Path(browser).name} could not print {report}: {said[:300]}")
        content = printed.read_bytes()
    target = report.with_suffix(".pdf")
    put(target, _undated(content))
    return target


def _print(browser: str, report: Path, printed: Path, profile: Path):
    # In a container the browser is often root, for whom Chromium's own sandbox cannot be set up.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    places = [f"--user-data-dir={profile}", f"--print-to-pdf={printed}", report.resolve().as_uri()]
    try:
        return subprocess.run(
            [browser, *ARGUMENTS, *root, *places],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{Path(browser).name} did not print {report} in {SECONDS} s.") from None


def _undated(content: bytes) -> bytes:
    """A PDF without the time at which it was printed: the same report gives the same bytes."""
    return MADE.sub(_early, content)


def _early(found: re.Match) -> bytes:
    fixed = b"/%s (D:20000101000000+00'00')" % found[1]
    return fixed if len(fixed) == len(found[0]) else found[0]  # else every place in it would shift
