import os
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shopanalysis import tables
from shopanalysis.__main__ import main
from shopanalysis.batch import runs, waiting

CHINA = ZoneInfo("Asia/Shanghai")
TODAY = "2026-11-21"
YESTERDAY = date(2026, 11, 20)


def write(folder, table, *days, **columns):
    key = {"shop_day": {"device": "all"}, "ad_day": {"plan": "p", "unit": "u", "item_id": "1"}}
    row = key[table] | {"source_file": "-"} | columns
    if table == "ad_day":
        row |= {"word": "w", "attribution_days": 15, "impressions": 1, "clicks": 1, "cost": 1.0}
    tables.write(folder, table, pd.DataFrame({"date": pd.to_datetime(list(days)), **row}))


def november(*days):
    return [f"2026-11-{day:02}" for day in days]


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "data" / "tea"
    (folder / "exports").mkdir(parents=True)
    (folder / "shop.toml").write_text('name = "Tea"\n')
    return folder


# ---- what is complete ---------------------------------------------------------------------------


def test_a_table_that_came_every_day_is_awaited_and_one_that_did_not_is_not(shop):
    write(shop, "shop_day", *november(*range(10, 20)), sales=1.0)
    write(shop, "ad_day", *november(2, 13, 14, 15, 16))
    assert waiting.lacking(shop, YESTERDAY) == ["shop_day"]
    write(shop, "shop_day", *november(*range(10, 21)), sales=1.0)
    assert waiting.lacking(shop, YESTERDAY) == []
    write(shop, "ad_day", *november(13, 14, 15, 16, 17))
    assert waiting.lacking(shop, YESTERDAY) == ["ad_day"]


def test_where_nothing_came_every_day_one_table_is_enough(shop):
    assert waiting.lacking(shop, YESTERDAY) == ["any table"]
    write(shop, "shop_day", *november(18), sales=1.0)
    write(shop, "ad_day", *november(18))
    assert waiting.lacking(shop, YESTERDAY) == ["shop_day", "ad_day"]
    write(shop, "shop_day", *november(20), sales=1.0)
    assert waiting.lacking(shop, YESTERDAY) == []


# ---- waiting ------------------------------------------------------------------------------------


class Clock:
    """A clock that stands still until somebody sleeps; `events` happen at their hour."""

    def __init__(self, start, **events):
        self.time = datetime.fromisoformat(f"{TODAY}T{start}").replace(tzinfo=CHINA)
        self.events, self.slept = events, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        for hour in [hour for hour in self.events if f"{self.time:at_%H%M}" >= hour]:
            self.events.pop(hour)()


def wait(clock, *folders, until="11:00"):
    said = []
    made = waiting.Wait(
        folders,
        time.fromisoformat(until),
        runs.Reporter(said.append, said.append),
        waiting.Clock(clock.now, clock.sleep),
    )
    made.said = said
    return made


def complete(folder):
    write(folder, "shop_day", *november(*range(10, 21)), sales=1.0)


def test_a_shop_that_is_complete_is_not_waited_for(shop):
    complete(shop)
    clock = Clock("09:00")
    assert list(wait(clock, shop).arrivals()) == [(YESTERDAY, [shop])]
    assert clock.slept == []


def test_a_shop_is_let_go_once_its_day_has_come(shop):
    write(shop, "shop_day", *november(*range(10, 20)), sales=1.0)
    clock = Clock("09:00", at_0903=lambda: complete(shop))
    made = wait(clock, shop)
    assert list(made.arrivals()) == [(YESTERDAY, [shop])]
    assert (clock.slept, made.result.code, made.said) == ([60, 60, 60], 0, [])


def test_a_shop_that_is_late_is_said_and_does_not_keep_others(shop, tmp_path):
    other = tmp_path / "data" / "cups"
    (other / "exports").mkdir(parents=True)
    (other / "shop.toml").write_text('name = "Cups"\n')
    write(shop, "shop_day", *november(*range(10, 20)), sales=1.0)
    complete(other)
    clock = Clock("10:58")
    made = wait(clock, shop, other)
    arrivals = made.arrivals()
    assert next(arrivals) == (YESTERDAY, [other])
    assert clock.slept == []
    assert list(arrivals) == []
    assert clock.slept == [60, 60]
    assert made.result.code == 3
    (line,) = made.said
    assert line.startswith("tea: 2026-11-20 is not complete at 11:00; it lacks: shop_day. Put its")


def test_after_the_hour_one_look_is_taken(shop):
    complete(shop)
    assert list(wait(Clock("14:00"), shop).arrivals()) == [(YESTERDAY, [shop])]
    write(shop, "shop_day", *november(1), sales=1.0)
    late = wait(Clock("14:00"), shop)
    assert (list(late.arrivals()), late.result.code) == ([], 3)


def test_what_comes_while_others_run_after_the_hour_is_still_seen(shop):
    clock = Clock("10:59", at_1100=lambda: complete(shop))
    made = wait(clock, shop)
    assert list(made.arrivals()) == [(YESTERDAY, [shop])]


def test_yesterday_and_the_hour_are_those_of_the_shop(shop):
    (shop / "shop.toml").write_text('time_zone = "America/New_York"\n')
    one = waiting.awaited(shop, time(11), Clock("09:00").now())  # there it is 20:00 on the 20th
    assert one.day == date(2026, 11, 19)
    assert one.deadline.isoformat() == "2026-11-20T11:00:00-05:00"


def test_a_file_on_its_way_is_not_read_before_it_has_come_to_rest(shop, monkeypatch):
    complete(shop)
    file = shop / "exports" / "half.csv"
    file.write_text("half")
    clock = Clock("09:00")
    os.utime(file, (clock.now().timestamp() - 10,) * 2)
    read = []
    monkeypatch.setattr(waiting.exports, "refresh", lambda folder: read.append(clock.now()))
    assert list(wait(clock, shop).arrivals()) == [(YESTERDAY, [shop])]
    assert [f"{moment:%H:%M}" for moment in read] == ["09:01"]


def test_a_shop_that_cannot_be_read_is_said_and_does_not_keep_others(shop, tmp_path):
    broken = tmp_path / "data" / "broken"
    broken.mkdir()
    (broken / "shop.toml").write_text('time_zone = "Mars/Base"\n')
    complete(shop)
    made = wait(Clock("09:00"), broken, shop)
    assert list(made.arrivals()) == [(YESTERDAY, [shop])]
    assert made.result.code == 3
    assert "Mars/Base" in made.said[0]


# ---- the command --------------------------------------------------------------------------------


@pytest.fixture
def calls(shop, tmp_path, monkeypatch):
    """The days and shops that `run` is called for; the notebooks are checked, not run."""
    made = []

    def run(**asked):
        made.append(
            (asked["since"], asked["until"], [os.path.basename(s) for s in asked["shop_names"]])
        )
        return runs.Result(code=1)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "run", run)
    monkeypatch.setattr("shopanalysis.batch.notebooks.discover", lambda _: [])
    monkeypatch.setattr("shopanalysis.batch.notebooks.choose", lambda *_: [])
    monkeypatch.setattr("shopanalysis.batch.notebooks.convert", lambda *_: {})
    return made


def test_run_waits_runs_yesterday_and_keeps_the_worst_code(shop, calls, capsys):
    yesterday = datetime.now(CHINA).date() - timedelta(days=1)
    write(shop, "shop_day", str(yesterday), sales=1.0)
    assert main(["run", "--wait-for-data", "00:00"]) == 1
    assert calls == [(yesterday, yesterday, ["tea"])]


def test_run_says_that_yesterday_is_not_complete_and_exits_3(shop, calls, capsys):
    write(shop, "shop_day", "2026-01-01", sales=1.0)
    assert main(["run", "--wait-for-data", "00:00"]) == 3
    assert "is not complete at 00:00; it lacks: shop_day." in capsys.readouterr().err
    assert calls == []


@pytest.mark.parametrize("more", ["--date 2026-11-20", "--since 2026-11-20", "--shop none"])
def test_waiting_is_for_yesterday_alone(shop, calls, capsys, more):
    assert main(["run", "--wait-for-data", "11:00", *more.split()]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
