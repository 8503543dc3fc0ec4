"""What makes the reports of this installation every day, for five schedulers; checked, then printed.

jobs      what is to be run, where, when
cron      a crontab line
systemd   a service and its timer
windows   a task for schtasks
github    a workflow
airflow   a DAG
"""

from __future__ import annotations

from collections.abc import Sequence

from shopanalysis.schedule import airflow, cron, github, systemd, windows
from shopanalysis.schedule.jobs import Job

KINDS = {
    "cron": cron.crontab,
    "systemd": systemd.units,
    "windows": windows.task,
    "github": github.workflow,
    "airflow": airflow.dag,
}


def text(kind: str, jobs: Sequence[Job]) -> str:
    """What scheduler `kind` needs for `jobs`. Raises ScheduleError when it would not hold."""
    return KINDS[kind](jobs).rstrip() + "\n"
