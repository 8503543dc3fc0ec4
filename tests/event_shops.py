"""Shops with an event log, and their tables held against rows that are expected."""

from pathlib import Path

import nasty_log
import pandas as pd

from shopanalysis import shop, tables

ZONES = [("UTC", "Asia/Shanghai"), ("Asia/Shanghai", "America/New_York"), ("UTC", "Asia/Kolkata")]


def shop_with(folder: Path, log: pd.DataFrame, zones=ZONES[0], settings: str = "") -> shop.Shop:
    (folder / "events").mkdir(parents=True)
    if len(log):
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
        pd.testing.assert_frame_equal(
            found[said], rows[said], obj=name, check_exact=False, rtol=1e-12
        )
        assert list(found[found["source_file"] != "event log"].index) == []
