"""An Airflow DAG per time zone, with one BashOperator per shop."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from datetime import timedelta

from shopanalysis.errors import ParameterError
from shopanalysis.schedule.cron import check_fields
from shopanalysis.schedule.jobs import Job, same_calls

HEAD = '''"""Reports of every shop, every day. Made by: shopanalysis schedule airflow."""

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator
'''


def dag(jobs: Sequence[Job]) -> str:
    """A Python file for Airflow's folder of DAGs."""
    text = "\n".join([HEAD, *(_dag(job) for job in jobs)])
    check(text, jobs)
    return text


def _dag(job: Job) -> str:
    start = job.today - timedelta(days=1)
    lines = [
        "with DAG(",
        f"    dag_id={job.name!r},",
        f"    description={job.told!r},",
        f"    schedule={f'{job.at.minute} {job.at.hour} * * *'!r},",
        f"    start_date=pendulum.datetime({start.year}, {start.month}, {start.day}, tz={job.zone!r}),",
        "    catchup=False,",
        "    max_active_runs=1,",
        "):",
    ]
    for shop in job.known:
        lines += [
            "    BashOperator(",
            f"        task_id={_task(shop)!r},",
            f"        cwd={job.folder!r},",
            f"        bash_command={job.of(shop).in_shell!r},",
            "    )",
        ]
    return "\n".join(lines) + "\n"


def _task(shop: str) -> str:
    return shop.rstrip("/").rpartition("/")[2]


def check(text: str, jobs: Sequence[Job]) -> None:
    """Raise ParameterError unless Python compiles `text` and it holds the calls of every shop."""
    compile(text, "shopanalysis_dag.py", "exec")
    for fields in _arguments(text, "schedule"):
        check_fields(fields)
    commands = _arguments(text, "bash_command")
    wanted = [job.of(shop) for job in jobs for shop in job.known]
    if len(wanted) != len(commands):
        raise ParameterError(f"The DAG has {len(commands)} tasks for {len(wanted)} shops.")
    for job, command in zip(wanted, commands, strict=True):
        same_calls(command, job)


def _arguments(text: str, name: str) -> list[str]:
    """The values of all arguments called `name` in the Python file `text`, in order."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: call.lineno)
    return [k.value.value for call in calls for k in call.keywords if k.arg == name]
