import json
from datetime import UTC, datetime, timedelta

import pytest

from shopanalysis import health
from shopanalysis.__main__ import main

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def ran(out, shop, day, hours_ago, now=NOW, **statuses):
    """The record of a run of `shop` for `day` that ended `hours_ago`."""
    folder = out / day / shop
    folder.mkdir(parents=True)
    told = {
        "finished": (now - timedelta(hours=hours_ago)).isoformat(timespec="seconds"),
        "notebooks": {name: {"status": status} for name, status in statuses.items()},
    }
    (folder / "run.json").write_text(json.dumps(told))


def test_the_last_good_run_is_the_one_that_ended_last_without_a_failure(tmp_path):
    ran(tmp_path, "tea", "2026-11-18", 50, sales="done")
    ran(tmp_path, "tea", "2026-11-19", 26, sales="done", stock="missing")
    ran(tmp_path, "tea", "2026-11-20", 2, sales="done", stock="failed")
    (one,) = health.of(["tea"], tmp_path)
    assert one == health.Health("tea", NOW - timedelta(hours=26), "2026-11-19", ("stock",))
    assert one.is_well(NOW, 26)
    assert not one.is_well(NOW, 25)


@pytest.mark.parametrize(
    "statuses", [{}, {"sales": "failed"}, {"sales": "missing", "stock": "missing"}]
)
def test_a_run_that_made_nothing_is_not_good(tmp_path, statuses):
    ran(tmp_path, "tea", "2026-11-20", 1, **statuses)
    (one,) = health.of(["tea"], tmp_path)
    assert one.finished is None
    assert not one.is_well(NOW, 999)


def test_a_backfill_counts_by_when_it_ran_and_the_newest_day_is_told(tmp_path):
    ran(tmp_path, "tea", "2026-11-01", 1, sales="done")
    ran(tmp_path, "tea", "2026-11-20", 30, sales="done")
    (one,) = health.of(["tea"], tmp_path)
    assert (one.age(NOW), one.day) == (1, "2026-11-20")


def test_records_that_cannot_be_read_and_folders_of_others_do_not_count(tmp_path):
    ran(tmp_path, "tea", "2026-11-19", 20, sales="done")
    for day, text in (("2026-11-20", "{half"), ("2026-11-18", '{"finished": 7}'), ("old", "{}")):
        (tmp_path / day / "tea").mkdir(parents=True)
        (tmp_path / day / "tea" / "run.json").write_text(text)
    ran(tmp_path, "cups", "2026-11-20", 1, sales="done")
    (one,) = health.of(["tea"], tmp_path)
    assert (one.age(NOW), one.failed) == (20, ())


def test_a_run_far_ahead_of_the_clock_is_not_well(tmp_path):
    ran(tmp_path, "tea", "2026-11-20", -30, sales="done")
    assert not health.of(["tea"], tmp_path)[0].is_well(NOW, 26)


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("cups", "tea"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "shop.toml").write_text('name = "Shop"\n')
    now = datetime.now(UTC)
    ran(tmp_path / "reports", "tea", "2026-11-20", 5, now, sales="done")
    ran(tmp_path / "reports", "cups", "2026-11-20", 30, now, sales="done", stock="done")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_exit_code_is_for_a_monitor(project, capsys):
    assert main(["health"]) == 1
    cups, tea = capsys.readouterr().out.splitlines()
    assert cups.startswith("cups  NOT WELL: last good run ")
    assert "30.0 h ago, on days up to 2026-11-20" in cups
    assert tea.startswith("tea  well: last good run ")
    assert main(["health", "--shop", "tea"]) == 0
    assert main(["health", "--max-age", "31"]) == 0
    assert main(["health", "--max-age", "0"]) == 2
    assert main(["health", "--shop", "none"]) == 2


def test_a_machine_reads_the_same(project, capsys):
    assert main(["health", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    cups, tea = said["shops"]
    assert (said["well"], said["max_age_hours"]) == (False, 26)
    assert (cups["shop"], cups["well"], tea["well"]) == ("cups", False, True)
    assert tea["age_hours"] == pytest.approx(5, abs=0.1)
    assert (tea["day"], tea["failed"]) == ("2026-11-20", [])
