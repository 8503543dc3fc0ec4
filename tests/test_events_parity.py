"""The same tables, row for row, from DuckDB, from Spark, from pandas and from loops over sets."""

import hashlib
from datetime import date

import nasty_log
import pandas as pd
import pandas_events
import pytest
from event_shops import ZONES, assert_as_expected, shop_with
from small_shops import ROOT

from shopanalysis import shop
from shopanalysis.events import reducing

TODAY = date(2026, 12, 1)
REAL = ROOT.parent / "shared" / "data" / "taobao_userbehavior_sample" / "user_behavior.parquet"
WORDS = {"pv": "view", "fav": "favourite", "cart": "cart", "buy": "pay"}
here = pytest.mark.skipif(not REAL.exists(), reason="the real data are not here")


@pytest.mark.parametrize("zones", ZONES)
def test_loops_and_pandas_count_alike(zones):
    log = nasty_log.acts()
    by_pandas = pandas_events.expected(pandas_events.clean(log, zones, nasty_log.MOST_VIEWS))
    by_loops = nasty_log.expected(nasty_log.clean(log, *zones))
    for name, rows in by_loops.items():
        key = [
            column
            for column in rows
            if column in ("date", "device", "item_id", "source", "visitor_key")
        ]
        rows = rows.assign(
            **{c: pd.to_datetime(rows[c]) for c in rows if c == "date" or c.endswith("_on")}
        )
        said = list(rows.columns.intersection(by_pandas[name].columns))
        both = [
            frame[said].sort_values(key, ignore_index=True) for frame in (by_pandas[name], rows)
        ]
        pd.testing.assert_frame_equal(*both, check_dtype=False, obj=name, rtol=1e-12)


@pytest.mark.parametrize("zones", ZONES)
def test_duckdb_gives_the_rows_of_loops(tmp_path, zones):
    log = nasty_log.acts()
    made = reducing.reduce(shop_with(tmp_path, log, zones), TODAY)
    days = nasty_log.clean(log, *zones)
    assert_as_expected(tmp_path, nasty_log.expected(days))
    assert set(made.written) == {
        "shop_day", "source_day", "item_day", "item_source_day", "item_week", "customers",
    }  # fmt: skip
    assert set(days) <= set(made.days)


@pytest.mark.real
@here
def test_duckdb_gives_the_rows_of_pandas_on_acts_of_taobao_visitors(tmp_path):
    opened, wanted = taobao(tmp_path, "duckdb", pd.read_parquet(REAL))
    reducing.reduce(opened, TODAY)
    assert_as_expected(tmp_path, wanted)
    weeks = opened.table("item_week")
    assert weeks.loc[weeks["date"].eq("2017-12-03"), "visitors"].max() == 21


def taobao(folder, engine: str, log: pd.DataFrame) -> tuple[shop.Shop, dict[str, pd.DataFrame]]:
    """A shop with the log, and its tables by pandas; of a day before 2017-11-25 the log has next to none."""
    (folder / "events").mkdir(parents=True)
    log.drop(columns="event_time_cst").to_parquet(folder / "events" / "acts.parquet", index=False)
    settings = (
        f'time_zone = "Asia/Shanghai"\n[events]\nformat = "user_behavior"\nengine = "{engine}"\n'
    )
    (folder / "shop.toml").write_text(settings, "utf-8")
    (folder / "salt").write_text("a salt", "utf-8")
    hashed = {
        who: hashlib.sha256(f"a salt{who}".encode()).hexdigest()[:16]
        for who in log["user_id"].unique()
    }
    acts = pd.DataFrame({
        "visitor_key": log["user_id"].map(hashed), "at": pd.to_datetime(log["timestamp"], unit="s"),
        "kind": log["behavior_type"].map(WORDS), "item_id": log["item_id"].astype(str),
    })  # fmt: skip
    wanted = pandas_events.expected(pandas_events.clean(acts, ("UTC", "Asia/Shanghai"), 1000))
    unknown = ["sales", "ordered_buyers", "ordered_amount"]
    known = {
        name: rows.drop(columns=rows.columns.intersection(unknown)) for name, rows in wanted.items()
    }
    return shop.load(folder), {name: rows for name, rows in known.items() if len(rows)}


@pytest.fixture(scope="module")
def spark():
    """One Spark in this machine, for small logs, for all tests of the module."""
    with pytest.MonkeyPatch.context() as patch:
        options = {
            "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 1, "spark.driver.memory": "1g",
            "spark.sql.codegen.wholeStage": "false", "spark.sql.adaptive.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        }  # fmt: skip
        said = " ".join(f"--conf {name}={value}" for name, value in options.items())
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"--master local[1] {said} pyspark-shell")
        from pyspark.sql import SparkSession

        yield "pyspark://"
        if session := SparkSession.getActiveSession():
            session.stop()


@pytest.mark.spark
def test_spark_gives_the_rows_of_loops(tmp_path, spark):
    """Sessions over midnight, two zones, copies, late acts, an empty day."""
    log = nasty_log.acts()
    reducing.reduce(shop_with(tmp_path, log, settings=f'engine = "{spark}"'), TODAY)
    assert_as_expected(tmp_path, nasty_log.expected(nasty_log.clean(log, *ZONES[0])))


@pytest.mark.spark
@pytest.mark.real
@here
def test_spark_gives_the_rows_of_pandas_on_acts_of_taobao_visitors(tmp_path, spark):
    opened, wanted = taobao(tmp_path, spark, pd.read_parquet(REAL))
    reducing.reduce(opened, TODAY)
    assert_as_expected(tmp_path, wanted)
