"""The commands on a shop's own folder: init, import --dry-run, check; and what is shown meanwhile."""

import re
from pathlib import Path

import pytest
import vendor_files as vendor
from export_fixtures import FIXTURES
from small_shops import ROOT

from shopanalysis import exports, shop, shop_commands, tables
from shopanalysis.__main__ import main


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *arguments: str, code: int = 0) -> list[str]:
    assert main([*arguments]) == code
    return capsys.readouterr().out.splitlines()


def check(capsys) -> list[str]:
    return said(capsys, "check", "--shop", "cups", "--notebooks", str(ROOT / "notebooks"))


def test_init_makes_a_shop_that_loads_and_asks_nothing(here, capsys):
    assert said(capsys, "init", "cups") == ["data/cups/shop.toml", "data/cups/templates/costs.csv"]
    assert shop.load(here / "data" / "cups").name == "cups"
    assert main(["init", "cups"]) == 2
    assert "is a shop already" in capsys.readouterr().err


def test_every_example_in_the_new_shop_toml_is_understood_once_its_mark_is_taken_away(here, capsys):
    said(capsys, "init", "cups")
    file = here / "data" / "cups" / "shop.toml"
    text = re.sub(r'(?m)^# (?=\[|\w+ = |"\d{4})', "", file.read_text("utf-8"))
    file.write_text(text, encoding="utf-8")
    made = shop.load(file.parent)
    assert made.peers == {"conversion": 0.025}
    assert made.month_targets == {"2026-12": 950_000}
    assert [campaign.name for campaign in made.campaigns] == ["Double 12"]
    assert [change.what for change in made.changes] == ["main image"]
    assert made.bars["bestseller_visitors"] == 2000


def test_what_the_first_file_knows_is_written_above_what_the_shop_states(here, capsys):
    said(capsys, "init", "cups")
    said(capsys, "import", str(FIXTURES["Meta Ads"].file(here)), "--shop", "cups")
    made = shop.load(here / "data" / "cups")
    assert (made.name, made.basis, made.currency) == ("cups", "orders/sessions", "EUR")
    before = (made.folder / "shop.toml").read_bytes()
    said(capsys, "import", str(FIXTURES["Meta Ads in French"].file(here)), "--shop", "cups")
    assert (made.folder / "shop.toml").read_bytes() == before


def test_costs_are_read_from_their_template(here, capsys):
    said(capsys, "init", "cups")
    template = here / "data" / "cups" / "templates" / "costs.csv"
    template.write_text(template.read_text("utf-8") + "600000000001,20.50,\n", encoding="utf-8")
    said(capsys, "import", str(template), "--shop", "cups")
    assert tables.read(here / "data" / "cups", "items")["unit_cost"].tolist() == [20.5]


def test_a_dry_run_says_what_each_file_would_do_and_writes_nothing(here, capsys):
    good = FIXTURES["shop by day"].file(here)
    bad = vendor.text(here / "bad.csv", [["a", "b"], ["1", "2"]])
    told = said(capsys, "import", "--dry-run", str(good), str(bad), "--shop", "cups", code=3)
    assert (
        told[0] == "店铺日表.xls: sycm_shop_day, 3 rows: shop_day 6 added, 1 left out (totals rows)"
    )
    assert told[1] == "1 file read, 1 refused"
    assert told[-1] == "dry run: nothing was written"
    assert not (here / "data").exists()


def test_a_dry_run_on_a_shop_changes_no_byte_and_shows_restatements(here, capsys):
    fixture = FIXTURES["shop by day"]
    old = vendor.dated(fixture.file(here), 1_700_000_000)
    said(capsys, "import", str(old), "--shop", "cups")
    before = {f: f.read_bytes() for f in (here / "data").rglob("*") if f.is_file()}
    rows = [["2,600.00" if c == "2,500.50" else c for c in row] for row in fixture.rows[:5]]
    newer = fixture.write(here / "店铺_20261120_090000.xls", rows)
    told = said(capsys, "import", "--dry-run", str(newer), "--shop", "cups")
    assert told[0].endswith(", 1 row: shop_day 1 changed, shop_day 2 unchanged")
    assert {f: f.read_bytes() for f in (here / "data").rglob("*") if f.is_file()} == before


def test_check_names_days_gaps_restatements_and_what_is_missing(here, capsys):
    fixture = FIXTURES["shop by day"]
    rows = [["2026-11-14" if c == "2026-11-17" else c for c in row] for row in fixture.rows[:-1]]
    first = vendor.dated(fixture.write(here / "店铺_20261119_090000.xls", rows), 1_700_000_000)
    rows = [["2,600.00" if c == "2,500.50" else c for c in row] for row in rows]
    second = fixture.write(here / "店铺_20261120_090000.xls", rows)
    said(capsys, "import", str(first), str(second), "--shop", "cups")
    told = check(capsys)
    assert told[0] == "cups: cups, tmall, CNY, buyers/visitors"
    assert (
        "shop_day: 2 days, 2026-11-14 to 2026-11-18, 3 days missing: 2026-11-15 to 2026-11-17"
        in told
    )
    assert "overlap: 店铺_20261120_090000.xls says again what 6 older rows say" in told
    assert (
        "restated: shop_day 2026-11-14 all: sales 2,500.5 -> 2,600 (店铺_20261120_090000.xls)"
        in told
    )
    lacking = next(line for line in told if line.startswith("cannot be answered: bestsellers"))
    assert "item_day.visitors" in lacking
    assert "Sycm, items by day (商品排行)" in lacking


def test_check_of_an_empty_shop_says_how_to_begin(here, capsys):
    said(capsys, "init", "cups")
    assert check(capsys)[1] == "no tables yet: shopanalysis import FILE … --shop cups"


def test_a_file_that_waits_in_exports_is_named(here, capsys):
    said(capsys, "init", "cups")
    FIXTURES["shop by day"].file(here / "data" / "cups" / "exports")
    assert "not yet imported: 店铺日表.xls" in check(capsys)


def test_progress_counts_files_on_a_terminal_only(here, capsys, monkeypatch):
    seen = []
    files = [FIXTURES[key].file(here) for key in ("shop by day", "keywords")]
    exports.import_files(here / "shop", files, progress=lambda *told: seen.append(told))
    assert seen == [(0, 2, files[0].name), (1, 2, files[1].name), (2, 2, "tables")]
    monkeypatch.setattr(shop_commands, "WAIT", -1.0)
    said(capsys, "import", str(FIXTURES["scores"].file(here)), "--shop", "cups")
    progress = shop_commands.Progress()
    progress(1, 2, "a.xls")
    progress.clear()
    assert "1 of 2 files  a.xls" in capsys.readouterr().err
