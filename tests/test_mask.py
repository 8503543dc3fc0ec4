import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_shops import ROOT, rows, shop_days

from shopanalysis import mask, shop, tables
from shopanalysis.batch import runs

NUMBER = re.compile(r"\d[\d,]*\.?\d*")


def a_shop(folder: Path) -> shop.Shop:
    """Ten weeks of two items, a source of the platform's and one of the shop's, an order, a word."""
    days = pd.date_range("2026-09-01", "2026-11-20")
    at = np.arange(len(days))
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "秘密小店"\nplatform = "tmall"\nlanguage = "en"\nattribution = "秘密小店 says last"\n'
        '[targets.month]\n"2026-11" = 987654\n[thresholds]\nhome_slot_share = 0.41\n'
        '[[campaigns]]\nname = "Secret Fair"\nstart = 2026-10-01\nend = 2026-10-02\nlift = 1.7\n'
        '[[campaigns]]\nname = "双11"\nstart = 2026-11-10\nend = 2026-11-11\n'
        '[[changes]]\ndate = 2026-10-05\nitem_id = "900000000017"\nwhat = "secret picture"\n',
        "utf-8",
    )
    sales = 12_345.67 + 1000 * np.sin(at) + 137.13 * (at % 7)
    shop_day = shop_days("2026-09-01", sales=sales, visitors=3000 + at, buyers=100 + at % 5)
    tables.write(folder, "shop_day", shop_day.assign(source_file="秘密小店.xls"))
    item = {"date": days, "visitors": 900.0, "page_views": 2000.0, "source_file": "x"}
    frames = [
        pd.DataFrame(item | {"item_id": name, "buyers": paid, "units": paid, "sales": paid * price})
        for name, paid, price in (("900000000017", 30.0, 123.45), ("900000000018", 9.0, 67.89))
    ]
    tables.write(folder, "item_day", tables.conform("item_day", pd.concat(frames)))
    listed = ("900000000017 秘密床单 秘密类目 199.37 77.31 50",
              "900000000018 秘密枕头 秘密类目 99.73 33.19 60")  # fmt: skip
    columns = "item_id title category list_price unit_cost stock"
    tables.write(folder, "items", rows("items", columns, *listed))
    half = pd.DataFrame({"date": days, "device": "all", "visitors": 1000.0, "buyers": 40.0,
                         "sales": sales / 2, "source_file": "x"})  # fmt: skip
    sources = [half.assign(source="手淘搜索", channel="free search"),
               half.assign(source="secret campaign", channel="unmapped")]  # fmt: skip
    tables.write(folder, "source_day", tables.conform("source_day", pd.concat(sources)))
    advertised = [
        f"2026-11-{day} 秘密计划 秘密单元 900000000017 秘密词 9000 900 543.21 {day} 1543.21"
        for day in (18, 19, 20)
    ]
    columns = "date plan unit item_id word impressions clicks cost orders sales"
    tables.write(folder, "ad_day", rows("ad_day", columns, *advertised))
    placed = [
        f"40260000657010582{n} 2026-11-20T0{n}:00 secretbuyer 秘密省 秘密状态 384.87 1"
        for n in range(10)
    ]
    columns = "order_id created_at buyer_key province status amount units"
    tables.write(folder, "orders", rows("orders", columns, *placed))
    pairs = "2026-11-01 2026-11-20 秘密床单 秘密枕头 12"
    columns = "first_day last_day title with_title units"
    tables.write(folder, "item_pairs", rows("item_pairs", columns, pairs))
    return shop.load(folder)


SECRETS = ("秘密", "secret", "Secret", "9000000000", "402600006570", "987654", "¥", "kramladen")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mask")
    original = a_shop(folder / "kramladen")
    return original, shop.load(mask.write(original, folder / "copy", "en"))


def test_every_column_of_text_has_been_decided_on():
    texts = {
        c for t in tables.TABLES.values() for c, spec in t.columns.items() if spec.kind == "text"
    }
    assert texts == set(mask.COLUMNS)


def test_a_purchase_is_100_on_average(copied):
    _, copy = copied
    days = copy.table("shop_day")
    assert days["sales"].sum() / days["buyers"].sum() == pytest.approx(100)


def test_counts_stay_and_ratios_of_amounts_stay(copied):
    before, after = (one.table("item_day").sort_values("units") for one in copied)
    assert before["visitors"].tolist() == after["visitors"].tolist()
    ratio = after["sales"].to_numpy() / before["sales"].to_numpy()
    assert np.ptp(ratio) < 1e-12
    assert copied[1].table("items")["list_price"].max() == pytest.approx(199.37 * ratio[0])
    assert copied[1].month_targets["2026-11"] == pytest.approx(987_654 * ratio[0])


def test_names_are_letters_and_the_same_ones_in_every_table(copied):
    _, copy = copied
    items = copy.table("items").set_index("item_id")
    assert items["title"].to_dict() == {"A": "Item A", "B": "Item B"}  # A sold most
    assert set(items["category"]) == {"Category A"}
    assert set(copy.table("item_day")["item_id"]) == {"A", "B"}
    words = copy.table("ad_day")
    assert set(zip(words["item_id"], words["word"], words["plan"], strict=True)) == {
        ("A", "Word A", "Plan A")
    }
    assert copy.changes[0].item_id == "A"
    assert copy.bars["home_slot_share"] == 0.41


def test_what_has_only_titles_and_what_the_shop_says_of_a_campaign_are_masked_too(copied):
    _, copy = copied
    pair = copy.table("item_pairs").iloc[0]
    assert {pair["title"], pair["with_title"]} == {"Item C", "Item D"}
    assert copy.campaigns[0].name == "Campaign A"
    assert copy.campaigns[0].lift == 1.7


def test_rows_that_follow_from_orders_still_say_so(tmp_path):
    original = a_shop(tmp_path / "kramladen")
    day = original.table("shop_day")
    both = f"秘密小店.xls + {tables.DERIVED}"
    day["source_file"] = [both, *[tables.DERIVED] * (len(day) - 1)]
    tables.write(original.folder, "shop_day", day)
    copy = shop.load(mask.write(original, tmp_path / "copy", "en"))
    assert set(copy.table("shop_day")["source_file"]) == {tables.DERIVED, f"2 + {tables.DERIVED}"}


def test_the_platforms_words_stay_and_the_shops_own_do_not(copied):
    _, copy = copied
    assert set(copy.table("source_day")["source"]) == {"手淘搜索", "Source A"}
    assert [c.name for c in copy.campaigns] == ["Campaign A", "Double 11"]


def test_elsewhere_no_source_name_is_the_platforms(copied, tmp_path):
    original, _ = copied
    (tmp_path / "kramladen").mkdir()
    for name in tables.available(original.folder):
        tables.write(tmp_path / "kramladen", name, original.table(name))
    (tmp_path / "kramladen" / "shop.toml").write_text('name = "x"\nplatform = "shopify"\n', "utf-8")
    copy = shop.load(mask.write(shop.load(tmp_path / "kramladen"), tmp_path, "en"))
    assert set(copy.table("source_day")["source"]) == {"Source A", "Source B"}


def test_letters_go_on_after_z():
    assert mask.letters(28)[24:] == ["Y", "Z", "AA", "AB"]


def contents(folder: Path) -> dict[str, str]:
    """Every file below `folder` by its path, workbooks unpacked, and the paths themselves."""
    read = {}
    for file in folder.rglob("*"):
        if not file.is_file() or {".cache", ".locks"} & set(file.relative_to(folder).parts):
            continue
        packed = zipfile.is_zipfile(file)
        parts = zipfile.ZipFile(file) if packed else {file.name: file.read_bytes()}
        names = parts.namelist() if packed else list(parts)
        for name in names:
            data = parts.read(name) if packed else parts[name]
            read[f"{file.relative_to(folder)}/{name}"] = data.decode("utf-8")
    return read


def amounts(original: shop.Shop) -> set[str]:
    """Amounts of the shop as text, those long enough that no count is like them by chance."""
    found = set()
    for name in tables.available(original.folder):
        for column, spec in tables.TABLES[name].columns.items():
            if spec.kind == "money":
                values = original.table(name)[column].dropna().unique()
                found |= {text for v in values for text in (f"{v:.10g}", f"{v:,.2f}", f"{v:,.0f}")}
    return {text for text in found if len(text.replace(",", "")) >= 5}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    original = a_shop(folder / "data" / "kramladen")
    said: list[str] = []
    result = runs.run(
        out=folder / "out",
        notebooks_folder=ROOT / "notebooks",
        data_folder=folder / "data",
        until=pd.Timestamp("2026-11-20").date(),
        since=pd.Timestamp("2026-11-20").date(),
        reporter=runs.Reporter(said.append, said.append),
        masked=True,
    )
    return original, result, contents(folder / "out"), said


def test_all_reports_are_made_from_the_copy(run):
    _, result, read, said = run
    assert result.code == 0, said
    for name in ("daily_report.html", "bestsellers.html", "stock.html", "actions.xlsx", "run.json"):
        assert any(f"/{name}/" in path for path in read), name


def test_no_name_id_or_amount_of_the_shop_is_in_any_byte(run):
    original, _, read, _ = run
    known = amounts(original)
    assert len(known) > 100
    for path, text in read.items():
        for secret in SECRETS:
            assert secret not in path + text, (path, secret)
        assert not known & set(NUMBER.findall(text)), path


def test_the_page_says_what_100_is(run):
    page = next(text for path, text in run[2].items() if path.endswith("daily_report.html"))
    assert "amounts are indices: 100 is a mean purchase" in page
    assert "Item A" in next(t for p, t in run[2].items() if p.endswith("bestsellers.html"))


def test_the_search_finds_what_is_not_masked(run, tmp_path):
    """The check above would see an amount or a title in a workbook, were there one."""
    import xlsxwriter

    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        workbook.add_worksheet().write_row(0, 0, [12_345.67, "秘密"])
    (tmp_path / "x.xlsx").write_bytes(book.getvalue())
    text = "".join(contents(tmp_path).values())
    assert "秘密" in text
    assert amounts(run[0]) & set(NUMBER.findall(text))
