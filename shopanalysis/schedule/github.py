"""A GitHub Actions workflow, for a runner on the machine that holds the shops' files."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shopanalysis.errors import ParameterError
from shopanalysis.schedule.cron import check_fields, utc_fields
from shopanalysis.schedule.jobs import Job, same_calls


def workflow(jobs: Sequence[Job]) -> str:
    """One workflow with a job per time zone; GitHub's cron is in UTC."""
    crons = {utc_fields(job)[0]: None for job in jobs}
    lines = ["# .github/workflows/shopanalysis.yml", "name: Shop reports", '"on":', "  schedule:"]
    lines += [f'    - cron: "{cron}"' for cron in crons]
    lines += ["  workflow_dispatch: {}", "concurrency: shopanalysis"]
    lines += ["permissions: {}", "jobs:"]
    text = "\n".join([*lines, *(line for job in jobs for line in _job(job, len(crons) > 1))]) + "\n"
    check(text, jobs)
    return text


def _job(job: Job, several: bool) -> list[str]:
    cron, same = utc_fields(job)
    late = "" if same else "; in winter, and an hour later while it is summer there"
    when = f"    if: github.event_name != 'schedule' || github.event.schedule == '{cron}'"
    return [
        f"  # {job.told}{late}",
        f"  {job.name}:",
        *([when] if several else []),
        "    runs-on: self-hosted",
        "    timeout-minutes: 720",
        *(["    env:"] if job.secrets else []),
        *(f"      {name}: ${{{{ secrets.{name} }}}}" for name in job.secrets),
        "    steps:",
        f"      - name: {json.dumps(job.told)}",
        f"        working-directory: {json.dumps(job.folder)}",
        "        shell: bash",
        f"        run: {json.dumps(_script(job))}",
    ]


def _script(job: Job) -> str:
    return job.in_shell if job.send is None else f"set +e; {job.in_shell}"


def check(text: str, jobs: Sequence[Job]) -> None:
    """Raise ParameterError unless YAML reads `text` as the calls of `jobs` at times cron knows."""
    import yaml

    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise ParameterError(f"The workflow is no YAML: {cause}") from None
    for entry in said["on"]["schedule"]:
        check_fields(entry["cron"])
    for job in jobs:
        step = said["jobs"][job.name]["steps"][0]
        same_calls(step["run"], job)
        if step["working-directory"] != job.folder:
            raise ParameterError(f"The workflow would run in {step['working-directory']}.")
