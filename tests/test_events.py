"""Event logs: what is counted, by hand; days that come, change and are killed; what is refused."""

import os
import stat
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import nasty_log
import pandas as pd
import pytest
from event_shops import ZONES, assert_as_expected, shop_with
from small_shops import ROOT

from shopanalysis import shop, tables
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.events import engine, reducing
from shopanalysis.events.clock import Clock

TODAY = date(2026, 12, 1)


def test_a_gap_a_second_longer_makes_a_second_visit(tmp_path):
    at = [datetime(2026, 11, 1, 9), datetime(2026, 11, 1, 9, 30), datetime(2026, 11, 1, 10, 0, 1)]
    log = pd.DataFrame({"visitor_key": "a", "at": at, "kind": "view", "item_id": ["1", "2", "1"]})
    opened = plain_shop(tmp_path, log)
    reducing.reduce(opened, TODAY)
    (day,) = opened.table("shop_day").to_dict("records")
    assert (day["visitors"], day["page_views"], day["bounce_rate"], day["dwell"]) == (
        1,
        3,
        0.5,
        1800,
    )
    items = opened.table("item_day").set_index("item_id")
    assert items.loc["1", "dwell"] == 1800
    assert pd.isna(items.loc["2", "dwell"])


def plain_shop(folder: Path, *logs: pd.DataFrame, settings: str = "") -> shop.Shop:
    (folder / "events").mkdir(parents=True)
    for number, log in enumerate(logs, 1):
        log.to_parquet(folder / "events" / f"{number}.parquet", index=False)
    (folder / "shop.toml").write_text(f'time_zone = "UTC"\n[events]\n{settings}\n', "utf-8")
    return shop.load(folder)


def test_visitors_of_a_week_are_each_counted_once_on_the_days_after_too(tmp_path):
    """a on days 1 and 3, b on day 2: by hand, people over the seven days that end on each day."""
    days = [datetime(2026, 11, n) for n in (1, 3, 2, 12)]
    log = pd.DataFrame(
        {"visitor_key": list("aabz"), "at": days, "kind": "view", "item_id": list("111x")}
    )
    opened = plain_shop(tmp_path, log)
    reducing.reduce(opened, TODAY)
    weeks = opened.table("item_week").query("item_id == '1'").set_index("date")["visitors"]
    assert weeks.tolist() == [1, 2, 2, 2, 2, 2, 2, 2, 1]
    assert weeks.index.day.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_the_logs_own_sessions_are_visits(tmp_path):
    at = [datetime(2026, 11, 1, 9, n) for n in range(4)]
    log = pd.DataFrame(
        {"visitor_key": "a", "at": at, "kind": "view", "item_id": "1", "session": list("xyxz")}
    )
    opened = plain_shop(tmp_path, log)
    reducing.reduce(opened, TODAY)
    assert opened.table("shop_day")["bounce_rate"].tolist() == [pytest.approx(2 / 3)]
    assert opened.table("shop_day")["dwell"].tolist() == [120]


def test_an_order_is_an_id_or_where_there_is_none_a_moment(tmp_path):
    """One id over two seconds, two ids in one second, two payments of one second without an id."""
    seconds = [0, 5, 60, 60, 90, 90]
    log = pd.DataFrame({
        "visitor_key": "a", "at": [datetime(2026, 11, 1, 9) + timedelta(seconds=n) for n in seconds],
        "kind": "pay", "item_id": list("123456"), "order_id": ["x", "x", "y", "z", None, None],
        "amount": 1.0,
    })  # fmt: skip
    opened = plain_shop(tmp_path, log)
    reducing.reduce(opened, TODAY)
    (day,) = opened.table("shop_day").to_dict("records")
    assert (day["orders"], day["sales"], day["buyers"]) == (4, 6, 1)
    assert opened.table("customers")["orders"].tolist() == [4]


def test_of_copies_that_differ_the_smallest_source_and_the_largest_amount_count(tmp_path):
    act = {"visitor_key": "a", "at": datetime(2026, 11, 1), "kind": "pay", "item_id": "1"}
    log = pd.DataFrame([
        act | {"source": "手淘搜索", "device": "pc", "amount": 3.0},
        act | {"source": "ads", "device": "wireless", "amount": 5.0},
    ])  # fmt: skip
    opened = plain_shop(tmp_path, log)
    assert reducing.reduce(opened, TODAY).counted["copies"] == 1
    assert opened.table("source_day")[["source", "sales"]].to_numpy().tolist() == [["ads", 5]]
    assert opened.table("shop_day")["device"].tolist() == ["all", "pc"]


def test_what_is_left_out_is_counted_by_reason(tmp_path):
    log = nasty_log.acts()
    said = reducing.reduce(shop_with(tmp_path, log), TODAY).counted
    again = log.sample(30, random_state=6)
    whole = pd.concat([log, again])
    assert said["untimed"] == whole["at"].isna().sum() > 0
    assert said["rows"] == whole["at"].notna().sum()
    assert said["without_visitor"] == whole["visitor_key"].isna().sum() > 0
    assert said["unknown_kind"] == (whole["kind"] == "stare").sum() > 0
    assert said["machines_by_agent"] == (whole["agent"] == "SomeBot/2.0").sum() > 0
    assert (
        said["machines_by_views"]
        == (whole["visitor_key"] == "v-machine").sum()
        > nasty_log.MOST_VIEWS
    )
    assert said["tests"] == (whole["visitor_key"] == "v-test").sum() > 0
    good = whole[
        whole["at"].notna() & whole["visitor_key"].notna()
        & (whole["kind"] != "stare") & (whole["agent"] != "SomeBot/2.0")
    ]  # fmt: skip
    assert (
        said["copies"]
        == good.fillna({"item_id": ""}).duplicated(["visitor_key", "at", "kind", "item_id"]).sum()
    )


def test_a_new_day_is_made_alone_and_a_restated_one_replaces_itself(tmp_path):
    log = nasty_log.acts()
    early = log[log["at"] < nasty_log.START + timedelta(days=8)]
    opened = shop_with(tmp_path / "grown", early)
    reducing.reduce(opened, TODAY)
    fresh = tmp_path / "grown" / "events" / "fresh.parquet"
    day = nasty_log.START + timedelta(days=11, hours=2)
    fresh_log = pd.DataFrame(
        {"visitor_key": ["v001", "w"], "at": [day, day], "kind": "view", "item_id": "001"}
    )
    fresh_log.to_parquet(fresh)
    assert reducing.reduce(opened, TODAY).done == (date(2026, 11, 8),)
    assert reducing.reduce(opened, TODAY).done == ()
    restated = fresh_log.assign(visitor_key=["x", "y"])
    restated.to_parquet(fresh)
    assert reducing.reduce(opened, TODAY).done == (date(2026, 11, 8),)
    both = pd.concat([early, restated.assign(source=None, device=None, amount=None, agent="")])
    assert_as_expected(opened.folder, nasty_log.expected(nasty_log.clean(both, *ZONES[0])))
    fresh.unlink()
    assert reducing.reduce(opened, TODAY).done == ()
    assert_as_expected(opened.folder, nasty_log.expected(nasty_log.clean(early, *ZONES[0])))


def test_who_is_new_follows_when_an_early_day_is_restated(tmp_path):
    days = [
        pd.DataFrame(
            {"visitor_key": list(who), "at": datetime(2026, 11, n), "kind": "view", "item_id": "1"}
        )
        for n, who in enumerate(["ab", "bc", "acd"], 1)
    ]
    opened = plain_shop(tmp_path, *days)
    reducing.reduce(opened, TODAY)
    assert opened.table("shop_day")["new_visitors"].tolist() == [2, 1, 1]
    days[0].iloc[:1].assign(visitor_key="d").to_parquet(tmp_path / "events" / "1.parquet")
    assert reducing.reduce(opened, TODAY).done == (date(2026, 11, 1),)
    assert opened.table("shop_day")["new_visitors"].tolist() == [1, 2, 1]
    assert opened.table("item_week")["visitors"].tolist() == [1, 3, 4]


class Stop(BaseException):
    """A run is killed."""


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_run_that_is_killed_goes_on_and_ends_equal(tmp_path, after):
    log = nasty_log.acts()
    opened = shop_with(tmp_path, log)

    def kill(done: int, whole: int, name: str) -> None:
        if done == after:
            raise Stop

    with pytest.raises(Stop):
        reducing.reduce(opened, TODAY, kill)
    assert tables.available(tmp_path) == []
    made = reducing.reduce(opened, TODAY)
    assert len(made.days) - len(made.done) == after
    assert_as_expected(tmp_path, nasty_log.expected(nasty_log.clean(log, *ZONES[0])))


@pytest.mark.parametrize("where", [(os, "rename"), (os, "replace"), (engine.DuckDB, "write")])
def test_a_run_killed_at_any_renaming_or_writing_leaves_tables_whole(tmp_path, monkeypatch, where):
    log = nasty_log.acts(people=12)
    wanted = nasty_log.expected(nasty_log.clean(log, *ZONES[0]))
    opened = shop_with(tmp_path, log)
    real, calls = getattr(*where), [0]

    def killed(*given):
        calls[0] += 1
        if calls[0] % 41 == 5:
            raise Stop
        return real(*given)

    monkeypatch.setattr(*where, killed)
    stops = 0
    for _ in range(60):
        try:
            reducing.reduce(opened, TODAY)
            break
        except Stop:
            stops += 1
            assert set(tables.available(tmp_path)) in (set(), set(wanted))
    assert stops
    assert_as_expected(tmp_path, wanted)


def test_a_table_of_exports_is_left_as_it_is(tmp_path):
    opened = shop_with(tmp_path, nasty_log.acts(people=9))
    own = pd.DataFrame({"date": [pd.Timestamp("2026-11-01")], "device": "all", "visitors": 5.0})
    tables.write(tmp_path, "shop_day", own.assign(source_file="a.xlsx"))
    made = reducing.reduce(opened, TODAY)
    assert made.kept == ("shop_day",)
    assert opened.table("shop_day")["visitors"].tolist() == [5]
    assert len(opened.table("item_day"))


def test_acts_dated_after_today_are_left_out_and_counted(tmp_path):
    at = [datetime(2026, 11, 1), datetime(2199, 1, 1)]
    opened = plain_shop(
        tmp_path, pd.DataFrame({"visitor_key": "a", "at": at, "kind": "view", "item_id": "1"})
    )
    made = reducing.reduce(opened, TODAY)
    assert (made.days, made.counted["after_today"]) == ((date(2026, 11, 1),), 1)


def test_a_csv_and_a_parquet_file_with_its_own_zone_give_the_same(tmp_path):
    log = nasty_log.acts(people=20).drop(columns="agent").assign(agent="")
    log = log[log["at"].notna()]
    wanted = nasty_log.expected(nasty_log.clean(log, *ZONES[0]))
    csv = shop_with(tmp_path / "csv", log.iloc[:0])
    log.to_csv(tmp_path / "csv" / "events" / "all.csv", index=False)
    reducing.reduce(csv, TODAY)
    assert_as_expected(csv.folder, wanted)
    zoned = shop_with(tmp_path / "zoned", log.iloc[:0], ("Asia/Tokyo", "Asia/Shanghai"))
    log.assign(at=log["at"].dt.tz_localize("UTC")).to_parquet(
        tmp_path / "zoned" / "events" / "all.parquet"
    )
    reducing.reduce(zoned, TODAY)
    assert_as_expected(zoned.folder, wanted)


@pytest.mark.parametrize(
    ("amounts", "sales"), [([None, None], [None, None]), ([None, 5.0], [0, 5]), (None, [0])]
)
def test_where_nobody_paid_sales_are_0_unless_the_log_tells_no_amounts(tmp_path, amounts, sales):
    """A day without a payment, and a day with one; the last: a log in which nobody ever paid."""
    act = {"visitor_key": "a", "item_id": "1"}
    log = pd.DataFrame([
        act | {"at": datetime(2026, 11, 1), "kind": "view"},
        act | {"at": datetime(2026, 11, 2), "kind": "pay"},
    ]).head(len(sales))  # fmt: skip
    opened = plain_shop(tmp_path, log if amounts is None else log.assign(amount=amounts))
    reducing.reduce(opened, TODAY)
    for table in ("shop_day", "item_day"):
        assert opened.table(table)["sales"].replace({float("nan"): None}).tolist() == sales


def test_a_csv_as_it_is_published_has_no_header_and_may_end_in_the_middle_of_a_row(tmp_path):
    rows = ["7,1,9,pv,1700000000", "7,1,9,buy,1700000060", "8,2,9,pv,1700000070", "8,2,9,pv"]
    named = ['"user_id","item_id","category_id","behavior_type","timestamp"', *rows]
    for folder, lines in (("unnamed", rows), ("named", named)):
        opened = plain_shop(tmp_path / folder, settings='format = "user_behavior"')
        (tmp_path / folder / "events" / "a.csv").write_text("\n".join(lines), "utf-8")
        assert reducing.reduce(opened, TODAY).counted["untimed"] == 1
        (day,) = opened.table("shop_day").to_dict("records")
        assert (day["visitors"], day["page_views"], day["buyers"]) == (2, 2, 1)


def test_a_kind_that_the_log_does_not_record_is_missing_not_zero(tmp_path):
    seconds = [1_700_000_000, 1_700_000_060]
    log = pd.DataFrame(
        {"user_id": [7, 7], "item_id": [1, 1], "behavior_type": ["pv", "buy"], "timestamp": seconds}
    )
    opened = plain_shop(tmp_path, log, settings='format = "user_behavior"')
    reducing.reduce(opened, TODAY)
    (day,) = opened.table("shop_day").to_dict("records")
    assert (day["visitors"], day["buyers"], day["cart_adds"]) == (1, 1, 0)
    assert pd.isna(day["ordered_buyers"])
    assert pd.isna(day["sales"])
    (customer,) = opened.table("customers")["visitor_key"]
    salt = (tmp_path / "salt").read_text()
    assert stat.S_IMODE((tmp_path / "salt").stat().st_mode) == 0o600
    import hashlib

    assert customer == hashlib.sha256(f"{salt}7".encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ('engine = "nosuch://x"', ParameterError, 'engine = "nosuch://x" is no engine'),
        ('format = "x"', DataError, "format in [events] is 'x'; expected one of contract"),
        ('memory_limit = "much"', DataError, "memory_limit in [events] is 'much'"),
        ("gap = 3", DataError, "[events] has no gap"),
        ("session_gap = 0", DataError, "session_gap in [events] is 0"),
        (
            'format = "user_behavior"',
            DataError,
            "events/1.parquet has no column user_id, timestamp",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(tmp_path, settings, error, message):
    log = pd.DataFrame(
        {"visitor_key": ["a"], "at": [datetime(2026, 11, 1)], "kind": "view", "item_id": "1"}
    )
    with pytest.raises(error) as refused:
        reducing.reduce(plain_shop(tmp_path, log, settings=settings), TODAY)
    assert message in str(refused.value)


def test_too_little_memory_and_a_full_disk_is_a_plain_error_and_tables_stay(tmp_path, monkeypatch):
    first = pd.DataFrame({"visitor_key": ["a"], "kind": "view", "item_id": "1"})
    many = pd.DataFrame({"visitor_key": [f"{n:040d}" for n in range(200_000)], "kind": "view"})
    opened = plain_shop(tmp_path, first.assign(at=datetime(2026, 11, 1)))
    reducing.reduce(opened, TODAY)
    before = {file.name: file.read_bytes() for file in (tmp_path / "tables").glob("*.parquet")}
    many.assign(item_id="1", at=datetime(2026, 11, 2)).to_parquet(tmp_path / "events" / "2.parquet")
    connect = engine.connect

    def cramped(*given):
        made = connect(*given)
        made.connection.raw_sql("SET threads = 1; SET memory_limit = '12MB'")
        made.connection.raw_sql("SET max_temp_directory_size = '1MB'")
        return made

    monkeypatch.setattr(engine, "connect", cramped)
    with pytest.raises(DataError, match=r"tables are as before: .* Raise memory_limit \(400MB\)"):
        reducing.reduce(opened, TODAY)
    after = {file.name: file.read_bytes() for file in (tmp_path / "tables").glob("*.parquet")}
    assert after == before
    monkeypatch.undo()
    assert reducing.reduce(opened, TODAY).done == (date(2026, 11, 2),)
    assert opened.table("shop_day")["visitors"].tolist() == [1, 200_000]


def test_a_day_begins_at_the_shops_midnight_whatever_the_log_counts():
    winter, summer = date(2026, 11, 2), date(2026, 10, 30)
    assert Clock("America/New_York", "UTC", "time").bounds(winter) == (
        datetime(2026, 11, 2, 5), datetime(2026, 11, 3, 5),
    )  # fmt: skip
    assert Clock("America/New_York", "UTC", "time").start(summer) == datetime(2026, 10, 30, 4)
    assert Clock("Asia/Shanghai", "", "epoch_ms").bounds(date(1970, 1, 2))[0] == 16 * 3600 * 1000
    change = Clock("America/New_York", "UTC", "time").bounds(date(2026, 11, 1))
    assert change[1] - change[0] == timedelta(hours=25)


ENGINES = ("duckdb", "ibis", "pyspark", "sqlglot")


def test_importing_the_package_and_the_command_line_loads_no_engine():
    code = (
        "import sys, shopanalysis.__main__ as m, shopanalysis.events.settings, shopanalysis.shop\n"
        "import shopanalysis.batch.runs, shopanalysis.exports, shopanalysis.report\n"
        "m.parser()\n"
        f"print(set({ENGINES}) & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"


def test_a_shop_without_a_log_runs_where_no_engine_can_be_imported(tmp_path, demo):
    """Each engine is a module that tells when it is imported, by the command or by a kernel."""
    for name in ENGINES:
        told = f"open({str(tmp_path / 'told')!r}, 'a').write('{name} ')\nraise ImportError\n"
        (tmp_path / f"{name}.py").write_text(told, "utf-8")
    asked = ["run", "bestsellers", "traffic_sources", "--shop", str(demo.folder), "--lang", "en"]
    asked += ["--date", "2026-11-20", "--out", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "shopanalysis", *asked],
        env=environment, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "out").rglob("bestsellers.html"))
    assert not (tmp_path / "told").exists(), (tmp_path / "told").read_text()


def test_the_command_says_what_was_made_and_what_was_left_out(tmp_path, capsys):
    from shopanalysis.__main__ import main

    shop_with(tmp_path / "a", nasty_log.acts(people=9))
    assert main(["events", "--shop", "a", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "tables: shop_day, source_day, item_day, item_source_day, item_week, customers" in said
    assert "machines by views: " in said


def test_a_shop_without_a_log_is_told_where_it_would_be(tmp_path):
    (tmp_path / "shop.toml").write_text("", "utf-8")
    with pytest.raises(DataError, match="has no event log: no file events/"):
        reducing.reduce(shop.load(tmp_path), TODAY)
