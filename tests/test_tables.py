"""The data contract: what it refuses, and that the codebook for people says the same."""

import re
import tomllib

import pandas as pd
import pytest
from small_shops import ROOT, rows

from shopanalysis import shop, tables
from shopanalysis.errors import DataError


def shop_days(*lines: str) -> pd.DataFrame:
    return rows("shop_day", "date device visitors new_visitors sales bounce_rate", *lines)


GOOD = "2026-11-01 all 100 40 500 0.6"


def test_a_table_that_keeps_the_contract_comes_back_as_it_is():
    table = shop_days(GOOD)
    pd.testing.assert_frame_equal(tables.check("shop_day", table), table)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "2026-11-01 all 100 40 500 1.7",
            "shop_day at date 2026-11-01, device all: bounce_rate is 1.7; "
            "allowed: number from 0 to 1. 1 value like this.",
        ),
        (
            "2026-11-01 all -1 nan 500 0.6",
            "shop_day at date 2026-11-01, device all: visitors is -1; "
            "allowed: number, 0 or more. 1 value like this.",
        ),
        (
            "2026-11-01 phone 100 40 500 0.6",
            "shop_day at date 2026-11-01, device phone: device is 'phone'; "
            "allowed: all, pc, wireless. 1 value like this.",
        ),
        (
            "2026-11-01 all 100 140 500 0.6",
            "shop_day at date 2026-11-01, device all: new_visitors is 140 but visitors is 100; "
            "new_visitors cannot be more than visitors.",
        ),
        (
            "2026-11-01T10:00 all 100 40 500 0.6",
            "shop_day at date 2026-11-01, device all: date is '2026-11-01 10:00:00'; "
            "allowed: a day, without time. 1 value like this.",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused(line, message):
    with pytest.raises(DataError) as refused:
        tables.check("shop_day", shop_days(line))
    assert str(refused.value) == message


def test_two_rows_for_one_key_are_refused():
    with pytest.raises(DataError) as refused:
        tables.check("shop_day", shop_days(GOOD, GOOD))
    assert str(refused.value) == (
        "shop_day has two rows for date 2026-11-01, device all; allowed is one row for each key."
    )


def test_a_missing_key_is_refused():
    table = shop_days(GOOD).assign(device=pd.array([None], dtype="string"))
    with pytest.raises(DataError, match="device is missing; allowed: all, pc, wireless"):
        tables.check("shop_day", table)


def test_a_table_comes_back_from_the_disk_as_it_went(tmp_path):
    table = shop_days("2026-11-02 all 1 1 1 0.5", GOOD)
    tables.write(tmp_path, "shop_day", table)
    again = tables.read(tmp_path, "shop_day")
    pd.testing.assert_frame_equal(again, table.sort_values("date").reset_index(drop=True))
    assert tables.available(tmp_path) == ["shop_day"]


def test_what_breaks_the_contract_leaves_the_old_table_in_place(tmp_path):
    tables.write(tmp_path, "shop_day", shop_days(GOOD))
    before = tables.path(tmp_path, "shop_day").read_bytes()
    with pytest.raises(DataError):
        tables.write(tmp_path, "shop_day", shop_days(GOOD, GOOD))
    assert tables.path(tmp_path, "shop_day").read_bytes() == before
    assert [f.name for f in (tmp_path / "tables").iterdir()] == ["shop_day.parquet"]


def test_a_table_that_cannot_be_read_says_what_to_do(tmp_path):
    file = tables.path(tmp_path, "items")
    file.parent.mkdir()
    file.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"items\.parquet cannot be read .*Delete the folder"):
        tables.read(tmp_path, "items")


def test_a_shop_without_a_table_has_it_empty_and_typed(tmp_path):
    table = tables.read(tmp_path, "orders")
    assert list(table) == list(tables.TABLES["orders"].columns)
    assert str(table["paid_at"].dtype) == "datetime64[us]"


# ---- the codebook --------------------------------------------------------------------------------

CODEBOOK = (ROOT / "data" / "README.md").read_text("utf-8")


def section(heading: str) -> str:
    return CODEBOOK.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize("name", tables.TABLES)
def test_the_codebook_says_what_the_contract_says(name):
    table = tables.TABLES[name]
    told = section(f"### `{name}`: {table.row}")
    assert f"Key: {', '.join(f'`{key}`' for key in table.key)}\n" in told
    wanted = [
        f"| `{column}` | {spec.kind} | {spec.unit} | {spec.meaning}"
        + (f" ({', '.join(spec.allowed)}) |" if spec.allowed else " |")
        for column, spec in table.columns.items()
    ]
    assert [line for line in told.splitlines() if line.startswith("| `")] == wanted


def test_the_codebook_has_no_table_and_no_kind_that_is_not_in_the_contract():
    assert re.findall(r"^### `(\w+)`", CODEBOOK, re.MULTILINE) == list(tables.TABLES)
    for kind, meaning in tables.KINDS.items():
        assert f"| {kind} | {meaning} |" in CODEBOOK


def test_the_codebook_says_every_key_of_a_campaign_and_every_rule_of_stock():
    rules = tomllib.loads((ROOT / "shopanalysis" / "defaults.toml").read_text("utf-8"))["stock"]
    told = CODEBOOK.split("### `[stock]`", 1)[1].split("\n### ", 1)[0]
    for name, rule in rules.items():
        assert f"| `{name}` | {rule['value']:g} | {rule['unit']} | {rule['source']} |" in told
    told = CODEBOOK.split("### `[[campaigns]]`", 1)[1].split("\n### ", 1)[0]
    assert all(f"`{key}`" in told for key in shop.CAMPAIGN)


def test_a_table_read_again_is_as_the_file_is_whatever_was_done_with_the_first(tmp_path):
    tables.write(tmp_path, "shop_day", shop_days(GOOD))
    first = tables.read(tmp_path, "shop_day")
    first["sales"] = 1.0
    first.loc[0, "visitors"] = 1.0
    pd.testing.assert_frame_equal(tables.read(tmp_path, "shop_day"), shop_days(GOOD))
    tables.write(tmp_path, "shop_day", shop_days("2026-11-01 all 100 40 900 0.6"))
    assert tables.read(tmp_path, "shop_day")["sales"].tolist() == [900.0]
