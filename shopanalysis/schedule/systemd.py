"""A systemd service and its timer, for the user or the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from shopanalysis.errors import ParameterError
from shopanalysis.schedule.jobs import Job

KNOWN = {
    "Unit": {"Description"},
    "Service": {
        "Type", "WorkingDirectory", "EnvironmentFile", "ExecStart", "ExecStopPost", "Nice",
    },
    "Timer": {"OnCalendar", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip
CALENDAR = re.compile(r"\*-\*-\* ([01]\d|2[0-3]):[0-5]\d:00 (\S+)")


def units(jobs: Sequence[Job]) -> str:
    """The service and the timer of every job, each under the name of the file that it goes into."""
    parts = {name: text for job in jobs for name, text in _files(job).items()}
    for text in parts.values():
        check(text)
    _verify(parts)
    return (
        "\n".join(f"# ~/.config/systemd/user/{name}\n{text}" for name, text in parts.items())
        + "# then: systemctl --user enable --now "
        + " ".join(n for n in parts if n.endswith(".timer"))
    )


def _files(job: Job) -> dict[str, str]:
    send = ""
    if job.send is not None:
        send = f"EnvironmentFile=-%E/shopanalysis.env\nExecStopPost={quoted(job.send)}\n"
    service = (
        f"[Unit]\nDescription={_plain(job.told)}\n\n[Service]\nType=oneshot\n"
        f"WorkingDirectory={_plain(job.folder)}\nExecStart={quoted(job.run)}\n{send}Nice=10\n"
    )
    timer = (
        f"[Unit]\nDescription={_plain(job.told)}\n\n[Timer]\n"
        f"OnCalendar=*-*-* {job.at:%H:%M}:00 {job.zone}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return {f"{job.name}.service": service, f"{job.name}.timer": timer}


def _plain(text: str) -> str:
    return text.replace("%", "%%")


def quoted(call: Sequence[str]) -> str:
    """A call as ExecStart= takes it: each argument in quotes, no specifier, no variable."""
    return " ".join(_argument(part) for part in call)


def _argument(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./:=@+-]+", escaped) else f'"{escaped}"'


def check(text: str) -> None:
    """Raise ParameterError unless every line of the unit `text` is one that systemd knows."""
    section = ""
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]")
            continue
        key, _, value = line.partition("=")
        if key not in KNOWN.get(section, ()) or not value:
            raise ParameterError(f"systemd has no '{line}' in [{section}].")
        if key == "OnCalendar":
            _check_calendar(value)


def _check_calendar(value: str) -> None:
    found = CALENDAR.fullmatch(value)
    try:
        ZoneInfo(found[2] if found else "")
    except (KeyError, ValueError):
        raise ParameterError(f"systemd has no such time: '{value}'.") from None


def _verify(parts: dict[str, str]) -> None:
    """Ask systemd itself, where it is. Raises ParameterError with what it says of the units."""
    program = shutil.which("systemd-analyze")
    if not program:
        return
    with tempfile.TemporaryDirectory() as aside:
        files = [Path(aside, name) for name in parts]
        for file in files:
            file.write_text(parts[file.name], encoding="utf-8")
        call = [program, "verify", "--man=no", "--recursive-errors=no", *map(str, files)]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return
    said = [line for line in done.stderr.splitlines() if any(name in line for name in parts)]
    if done.returncode and said:
        raise ParameterError(f"systemd does not take this: {' '.join(said)}")
