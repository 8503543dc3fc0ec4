"""Event logs: every table row for row against loops over sets of people, and what must not happen."""

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import nasty_log
import pandas as pd
import pytest
from small_shops import ROOT

from shopanalysis import shop, tables
from shopanalysis.errors import DataError, ParameterError

pytest.importorskip("ibis")
pytest.importorskip("duckdb")

from shopanalysis.events import reducing
from shopanalysis.events.clock import Clock

TODAY = date(2026, 12, 1)
ZONES = [("UTC", "Asia/Shanghai"), ("Asia/Shanghai", "America/New_York"), ("UTC", "Asia/Kolkata")]


def shop_with(folder: Path, log: pd.DataFrame, zones=ZONES[0], settings: str = "") -> shop.Shop:
    nasty_log.write(log, folder / "events")
    (folder / "shop.toml").write_text(
        f'name = "a"\ntime_zone = "{zones[1]}"\n[events]\ntime_zone = "{zones[0]}"\n'
        f'most_views = {nasty_log.MOST_VIEWS}\ntest_visitors = ["v-test"]\n{settings}\n',
        "utf-8",
    )
    return shop.load(folder)


def assert_as_expected(folder: Path, wanted: dict[str, pd.DataFrame]) -> None:
    for name, rows in wanted.items():
        found = tables.read(folder, name)
        key = list(tables.TABLES[name].key)
        rows = tables.conform(name, rows).sort_values(key, ignore_index=True)
        said = list(wanted[name].columns.intersection(list(tables.TABLES[name].columns)))
        pd.testing.assert_frame_equal(found[said], rows[said], obj=name, check_exact=False, rtol=1e-12)
        assert list(found[found["source_file"] != "event log"].index) == []


@pytest.mark.parametrize("zones", ZONES)
def test_every_table_is_what_loops_over_sets_of_people_count(tmp_path, zones):
    log = nasty_log.acts()
    made = reducing.reduce(shop_with(tmp_path, log, zones), TODAY)
    days = nasty_log.clean(log, *zones)
    assert_as_expected(tmp_path, nasty_log.expected(days))
    assert set(made.written) == {
        "shop_day", "source_day", "item_day", "item_source_day", "item_week", "customers",
    }  # fmt: skip
    assert set(days) <= set(made.days)
