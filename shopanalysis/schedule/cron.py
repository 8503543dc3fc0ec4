"""A crontab line; and cron's five fields, read and converted between time zones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import PurePath

from shopanalysis.errors import ParameterError
from shopanalysis.schedule.jobs import Job, same_calls

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
PART = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?")
LONGEST = 998  # bytes: what every cron reads of a line


def crontab(jobs: Sequence[Job], here: tzinfo | None = None) -> str:
    """A line per job, at this machine's hour where that never changes, else under CRON_TZ.

    here   this machine's time zone, None: as the system says
    """
    hours = [at_one_hour(job, here) for job in jobs]
    return "\n".join(
        _entry(job, hour if all(hours) else None) for job, hour in zip(jobs, hours, strict=True)
    )


def _entry(job: Job, hour: str | None) -> str:
    fields = hour or f"{job.at.minute} {job.at.hour} * * *"
    line = f"{fields} {_command(job).replace('%', chr(92) + '%')}"
    check(line, job)
    if hour:
        return f"# {job.told}\n{line}"
    return f"# {job.told}; needs a cron that knows CRON_TZ (cronie)\nCRON_TZ={job.zone}\n{line}"


def _command(job: Job) -> str:
    out = job.options[job.options.index("--out") + 1] if "--out" in job.options else "reports"
    log = shlex.quote(PurePath(out, "schedule.log").as_posix())
    return (
        f"cd {shlex.quote(job.folder)} && mkdir -p {shlex.quote(out)} && "
        f"{{ {job.in_shell}; }} >>{log} 2>&1"
    )


def at_one_hour(job: Job, here: tzinfo | None) -> str | None:
    """Cron's fields in the time zone `here`; None when summer time moves them within a year."""
    local = [start.astimezone(UTC).astimezone(here) for start in job.starts()]
    fields = {f"{start.minute} {start.hour} * * *" for start in local}
    return fields.pop() if len(fields) == 1 else None


def utc_fields(job: Job) -> tuple[str, bool]:
    """Cron's fields in UTC of a start in winter, and whether they are the same all year."""
    winter = min(job.starts(), key=lambda start: start.utcoffset()).astimezone(UTC)
    return f"{winter.minute} {winter.hour} * * *", at_one_hour(job, UTC) is not None


def check(line: str, job: Job) -> None:
    """Raise ParameterError unless cron reads `line` as the calls of `job`."""
    check_fields(" ".join(line.split()[:5]))
    if len(line.encode()) > LONGEST:
        raise ParameterError(
            f"The crontab line would be {len(line.encode())} bytes long; cron reads {LONGEST}. "
            "Name fewer shops, or use systemd."
        )
    read = re.split(r"(?<!\\)%", line.split(None, 5)[5])[0]
    same_calls(read.replace("\\%", "%"), job)


def check_fields(text: str) -> None:
    """Raise ParameterError unless `text` is five fields that cron understands."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ParameterError(f"Cron needs {len(FIELDS)} fields; '{text}' has {len(fields)}.")
    for field, (name, least, most) in zip(fields, FIELDS, strict=True):
        for part in field.split(","):
            found = PART.fullmatch(part)
            ends = [int(end) for end in found.groups()[:2] if end] if found else [-1]
            if not all(least <= end <= most for end in ends) or ends != sorted(ends):
                raise ParameterError(f"cron has no {name} '{part}'; allowed: {least} to {most}.")
