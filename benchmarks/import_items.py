"""400 daily item files of 60 items in one go: python benchmarks/import_items.py [FILES] [ITEMS]

Made-up Sycm files (.xls, header in row 5) are imported into an empty shop, and read by a plain pandas loop
that does the least that gives the same sums: read_excel, find the header, numbers from text, concat.
Each runs in a process of its own: files per second, peak memory, and whether the sums agree.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

WAYS = {"shopanalysis": "ours", "plain pandas loop": "plain"}


def make(folder: Path, files: int, items: int) -> None:
    import pandas as pd
    import vendor_files as vendor
    from export_fixtures import FIXTURES

    fixture = FIXTURES["items by day"]
    header = fixture.rows[fixture.header]
    for number, day in enumerate(pd.date_range("2025-10-01", periods=files)):
        rows = []
        for item in range(items):
            row = dict(zip(header, fixture.rows[fixture.header + 1], strict=True))
            row |= {"统计日期": f"{day:%Y-%m-%d}", "商品ID": str(600000000000 + item),
                    "商品访客数": f"{1000 + number * 7 + item:,}",
                    "支付金额": f"{100 + item + number / 100:,.2f}"}  # fmt: skip
            rows.append(list(row.values()))
        name = f"【生意参谋平台】商品_全部_{day:%Y-%m-%d}_{day:%Y-%m-%d}.xls"
        vendor.xls(folder / name, [*fixture.rows[: fixture.header], header, *rows])


def ours(folder: Path) -> tuple[float, float, int]:
    from shopanalysis import exports, tables

    shop = folder.parent / "shop"
    result = exports.import_files(shop, [folder])
    assert not result.refused
    table = tables.read(shop, "item_day")
    return table["visitors"].sum(), table["sales"].sum(), len(table)


def plain(folder: Path) -> tuple[float, float, int]:
    import pandas as pd

    frames = []
    for file in sorted(folder.glob("*.xls")):
        raw = pd.read_excel(file, header=None, dtype=str, engine="calamine")
        at = raw.index[raw[0] == "统计日期"][0]
        frames.append(raw.iloc[at + 1 :].set_axis(raw.iloc[at], axis=1))
    table = pd.concat(frames)
    visitors, sales = (
        pd.to_numeric(table[name].str.replace(",", "")) for name in ("商品访客数", "支付金额")
    )
    return visitors.sum(), sales.sum(), len(table)


def measured(way: str, folder: Path) -> None:
    """Print seconds, peak memory (MB) and sums of one way."""
    import resource
    import time

    began = time.monotonic()
    visitors, sales, rows = {"ours": ours, "plain": plain}[way](folder)
    took = time.monotonic() - began
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(
        took,
        own.ru_utime + own.ru_stime,
        own.ru_maxrss / 1024,
        int(visitors),
        round(sales, 2),
        rows,
    )


def main(files: int = 400, items: int = 60) -> int:
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "downloads"
        make(folder, files, items)
        sums = set()
        print(f"{files} files of {items} items")
        print(f"{'':18} {'seconds':>8} {'CPU s':>7} {'files/s':>8} {'peak MB':>8}")
        for name, way in WAYS.items():
            command = [sys.executable, __file__, "--measure", way, str(folder)]
            said = subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.split()
            took, cpu, peak = map(float, said[:3])
            sums.add(tuple(said[3:]))
            print(f"{name:18} {took:8.1f} {cpu:7.1f} {files / took:8.1f} {peak:8.0f}")
        print("sums agree" if len(sums) == 1 else f"sums differ: {sums}")
        return 0 if len(sums) == 1 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measured(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main(*map(int, sys.argv[1:3])))
