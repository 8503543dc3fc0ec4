"""Every schedule is read back by what it is for, or by something that reads the same language."""

import re
import runpy
import shlex
import subprocess
import sys
import types
import xml.etree.ElementTree as xml
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from shopanalysis import schedule
from shopanalysis.__main__ import main
from shopanalysis.errors import ParameterError
from shopanalysis.schedule import cron, jobs, systemd, windows

FOLDER = "/srv/shop's 100% $HOME/分析"
PYTHON = "/opt/my python/bin/python"
RUN = [PYTHON, "-m", "shopanalysis", "run"]
SEND = [PYTHON, "-m", "shopanalysis", "send"]
CHINA, LONDON, NEW_YORK = "Asia/Shanghai", "Europe/London", "America/New_York"


def planned(zones=None, at="09:00", named=False, **more):
    more = {"python": PYTHON, "today": date(2026, 11, 20)} | more
    zones = zones or {"tea": CHINA, "茶": CHINA}
    return jobs.jobs(zones, time.fromisoformat(at), named=named, folder=Path(FOLDER), **more)


# ---- jobs ---------------------------------------------------------------------------------------


def test_all_shops_of_one_time_zone_are_one_call_that_names_none():
    (job,) = planned()
    assert (job.name, job.run, job.send) == ("shopanalysis", RUN, None)


def test_shops_of_two_time_zones_are_named_in_two_calls():
    one, two = planned({"tea": LONDON, "茶": CHINA, "cups": LONDON})
    assert (one.name, one.run) == ("shopanalysis-asia-shanghai", [*RUN, "--shop", "茶"])
    assert two.run == [*RUN, "--shop", "tea", "--shop", "cups"]


def test_options_waiting_and_sending_are_in_the_calls():
    (job,) = planned(
        named=True, wait=time(11), options=("--out", "my out"), sends={"茶": ("MAIL", "HOOK")}
    )
    shops = ["--shop", "tea", "--shop", "茶"]
    assert job.run == [*RUN, *shops, "--out", "my out", "--wait-for-data", "11:00"]
    assert job.send == [*SEND, "--shop", "茶", "--out", "my out"]
    assert job.secrets == ["MAIL", "HOOK"]


@pytest.mark.parametrize("name", ["a\nb", "{{ a }}", "{% a %}", "\x00"])
def test_what_a_scheduler_could_misread_is_refused(name):
    with pytest.raises(ParameterError, match="cannot be scheduled"):
        planned({name: CHINA})


# ---- cron ---------------------------------------------------------------------------------------


def lines(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("zone", "at", "here", "expected"),
    [
        (CHINA, "09:00", CHINA, ["0 9 * * *"]),
        (CHINA, "09:05", "UTC", ["5 1 * * *"]),
        (CHINA, "07:00", "UTC", ["0 23 * * *"]),
        (LONDON, "09:00", LONDON, ["0 9 * * *"]),
        (LONDON, "09:00", "UTC", ["CRON_TZ=Europe/London", "0 9 * * *"]),
        (CHINA, "09:00", NEW_YORK, ["CRON_TZ=Asia/Shanghai", "0 9 * * *"]),
    ],
)
def test_the_hour_is_the_machines_where_it_never_changes(zone, at, here, expected):
    text = cron.crontab(planned({"tea": zone}, at), ZoneInfo(here))
    found = lines(text)
    assert [" ".join(line.split()[:5]) for line in found] == expected


def test_a_crontab_line_does_what_it_says(tmp_path):
    folder = tmp_path / "shop's 100% $HOME"
    folder.mkdir()
    echo = tmp_path / "my python"
    echo.write_text('#!/bin/sh\nprintf "%s|" "$PWD" "$@"; exit 3\n')
    echo.chmod(0o755)
    made = jobs.jobs(
        {"茶": CHINA}, time(9), named=True, folder=folder, python=str(echo), sends={"茶": ("MAIL",)}
    )
    (line,) = lines(cron.crontab(made, ZoneInfo(CHINA)))
    command = line.split(None, 5)[5]
    assert not re.search(r"(?<!\\)%", command)  # cron would end the command there
    command = command.replace("\\%", "%")
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 3
    said = (folder / "reports" / "schedule.log").read_text("utf-8")
    calls = [f"{folder}|-m|shopanalysis|{name}|--shop|茶|" for name in ("run", "send")]
    assert said == "".join(calls)


@pytest.mark.parametrize("fields", ["0 9 * * *", "*/5 1-3,7 1 12 0-7", "59 23 31 12 7/2"])
def test_fields_that_cron_knows(fields):
    cron.check_fields(fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("0 9 * *", r"needs 5 fields; '0 9 \* \*' has 4"),
        ("60 9 * * *", "no minute '60'; allowed: 0 to 59"),
        ("0 24 * * *", "no hour '24'"),
        ("0 9 0 * *", "no day '0'"),
        ("0 9 * 3-1 *", "no month '3-1'"),
        ("0 9 * * x", "no weekday 'x'"),
        ("*/0 9 * * *", "no minute"),
    ],
)
def test_fields_that_cron_does_not_know(fields, message):
    with pytest.raises(ParameterError, match=message):
        cron.check_fields(fields)


def test_a_line_that_cron_would_cut_is_refused():
    with pytest.raises(ParameterError, match="cron reads 998"):
        cron.crontab(planned({f"shop-{n}": CHINA for n in range(100)}, named=True))


# ---- systemd ------------------------------------------------------------------------------------


def test_units_name_the_call_the_folder_and_the_hour(tmp_path):
    python = tmp_path / "my python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    made = planned(python=str(python), sends={"tea": ("MAIL",)})
    text = schedule.text("systemd", made)
    assert f'ExecStart="{python}" -m shopanalysis run\n' in text
    assert f'ExecStopPost="{python}" -m shopanalysis send\n' in text
    assert "WorkingDirectory=/srv/shop's 100%% $HOME/分析\n" in text
    assert "OnCalendar=*-*-* 09:00:00 Asia/Shanghai\n" in text
    assert "EnvironmentFile=-%E/shopanalysis.env\n" in text
    assert "shopanalysis.timer" in text.splitlines()[-1]


def test_no_argument_is_a_specifier_a_variable_or_two():
    assert systemd.quoted(["a b", "100%", "$HOME", 'say "x"', "\\n"]) == (
        r'"a b" "100%%" "$$HOME" "say \"x\"" "\\n"'
    )


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nExecStrat=/x\n",
        "[Timer]\nOnCalendar=*-*-* 25:00:00 Asia/Shanghai\n",
        "[Timer]\nOnCalendar=*-*-* 09:00:00 Asia/Shangai\n",
        "[Unit]\nExecStart=/x\n",
        "ExecStart=/x\n",
        "[Service]\nNice=\n",
    ],
)
def test_a_unit_with_a_fault_is_refused(text):
    with pytest.raises(ParameterError, match="systemd has no"):
        systemd.check(text)


@pytest.mark.parametrize(
    ("said", "refused"),
    [("shopanalysis.service: no such command", True), ("no system bus", False), ("", False)],
)
def test_systemd_itself_is_asked_and_only_what_it_says_of_the_units_counts(
    tmp_path, monkeypatch, said, refused
):
    program = tmp_path / "systemd-analyze"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(systemd.shutil, "which", lambda _: str(program))
    if refused:
        with pytest.raises(ParameterError, match=f"systemd does not take this: {said}"):
            schedule.text("systemd", planned())
    else:
        assert "[Timer]" in schedule.text("systemd", planned())


# ---- Windows ------------------------------------------------------------------------------------


def test_a_task_is_ascii_and_starts_both_calls_at_the_shops_hour():
    text = schedule.text("windows", planned(sends={"tea": ("MAIL",)}, named=True))
    assert text.isascii()
    space = {"t": windows.SPACE}
    root = xml.fromstring(text)
    assert root.findtext(".//t:StartBoundary", "", space) == "2026-11-20T09:00:00+08:00"
    arguments = [one.text for one in root.iterfind(".//t:Arguments", space)]
    assert arguments == [
        "-m shopanalysis run --shop tea --shop 茶",
        "-m shopanalysis send --shop tea",
    ]
    folders = {one.text for one in root.iterfind(".//t:WorkingDirectory", space)}
    assert folders == {FOLDER}


def test_a_task_says_when_summer_time_moves_it():
    assert "renew it when summer time" in schedule.text("windows", planned({"tea": LONDON}))
    assert "renew it" not in schedule.text("windows", planned())


# ---- GitHub -------------------------------------------------------------------------------------


def test_a_workflow_starts_at_the_hour_in_utc_with_its_secrets():
    said = yaml.safe_load(schedule.text("github", planned(sends={"tea": ("MAIL",)})))
    assert said["on"]["schedule"] == [{"cron": "0 1 * * *"}]
    job = said["jobs"]["shopanalysis"]
    assert job["env"] == {"MAIL": "${{ secrets.MAIL }}"}
    (step,) = job["steps"]
    assert step["working-directory"] == FOLDER
    assert shlex.split(step["run"].partition(";")[2])[: len(RUN) - 1] == RUN[:-1]


@pytest.mark.parametrize(
    ("zone", "at", "fields"),
    [(LONDON, "09:00", "0 9 * * *"), (NEW_YORK, "19:30", "30 0 * * *")],
)
def test_a_workflow_is_an_hour_late_in_summer_never_early(zone, at, fields):
    text = schedule.text("github", planned({"tea": zone}, at))
    assert yaml.safe_load(text)["on"]["schedule"] == [{"cron": fields}]
    assert "an hour later while it is summer there" in text


def test_a_workflow_for_two_time_zones_starts_each_at_its_own_hour():
    said = yaml.safe_load(schedule.text("github", planned({"tea": LONDON, "茶": CHINA})))
    assert [one["cron"] for one in said["on"]["schedule"]] == ["0 1 * * *", "0 9 * * *"]
    assert said["jobs"]["shopanalysis-asia-shanghai"]["if"].endswith("== '0 1 * * *'")


# ---- Airflow ------------------------------------------------------------------------------------


@pytest.fixture
def airflow(monkeypatch):
    """What a DAG file uses of Airflow: every DAG and operator with its arguments."""
    made = []

    class Recorded:
        def __init__(self, **arguments):
            made.append(arguments)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    names = ("airflow", "airflow.operators", "airflow.operators.bash", "pendulum")
    modules = {name: types.ModuleType(name) for name in names}
    modules["airflow"].DAG = Recorded
    modules["airflow.operators.bash"].BashOperator = Recorded
    modules["pendulum"].datetime = lambda *day, tz: (*day, tz)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def test_a_dag_has_one_operator_per_shop(tmp_path, airflow):
    file = tmp_path / "shopanalysis_dag.py"
    file.write_text(schedule.text("airflow", planned(sends={"tea": ("MAIL",)})), "utf-8")
    runpy.run_path(str(file))
    dag, tea, other = airflow
    assert (dag["schedule"], dag["start_date"]) == ("0 9 * * *", (2026, 11, 19, CHINA))
    assert (tea["task_id"], other["task_id"]) == ("tea", "茶")
    assert tea["cwd"] == FOLDER
    assert shlex.split(other["bash_command"]) == [*RUN, "--shop", "茶"]
    assert shlex.join([*SEND, "--shop", "tea"]) in tea["bash_command"]


# ---- the command --------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name, zone in (("tea", CHINA), ("cups", "Mars/Base")):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "shop.toml").write_text(f'time_zone = "{zone}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_one_schedule_or_all(project, capsys):
    assert main(["schedule", "cron", "--shop", "tea", "--at", "08:30"]) == 0
    one = capsys.readouterr().out
    assert f"cd {shlex.quote(str(project))} && " in one
    assert sys.executable in one
    assert main(["schedule", "--shop", "tea"]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("# ==== ")]
    assert len(heads) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("dance --shop tea", 2, "There is no schedule 'dance'. There are: cron, systemd, windows"),
        ("--at 9", 2, "'9' is not a time such as 09:00"),
        ("--shop tea --at 09:00 --wait-for-data 08:00", 2, "08:00 is not after --at."),
        ("--shop tea --send", 2, "no shop.toml has a [circulate]"),
        ("--shop none", 2, "There is no shop 'none'."),
        ("", 3, "time_zone is 'Mars/Base'"),
    ],
)
def test_a_schedule_that_cannot_be(project, capsys, arguments, code, message):
    assert main(["schedule", *arguments.split()]) == code
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
