"""How often the reports cry wolf: every finding about a shop in which nothing happens, over many dates.

    python benchmarks/quiet_shop.py [--dates 60] [--seed 23] [--shop FOLDER]

Makes the demo generator's quiet control shop (no planted events; rhythm, campaigns, growth and noise as
ever), runs the code of every notebook on it without a kernel, and counts findings by severity. Fails
when one is critical. With --shop it looks at a shop that is there already.
"""

import argparse
import ast
import json
import sys
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import nbformat

from shopanalysis import demo, exports, report

ROOT = Path(__file__).parents[1]
LAST = date(2026, 11, 20)


def findings_of(notebook: Path, shop: Path, day: date) -> list[dict]:
    """What the notebook's findings cell would record, run in this process."""
    names: dict = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        if cell.id == "finding":
            return _last_value(cell.source, names).data[report.FINDINGS]
        exec(compile(cell.source, notebook.name, "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= {"shop": str(shop), "date": day.isoformat(), "language": "en"}
    raise LookupError(f"{notebook.name} has no cell called finding")


def _last_value(source: str, names: dict):
    """Run a cell's lines in `names`; the value of its last expression, which is what the cell shows."""
    lines = ast.parse(source)
    last = ast.Expression(lines.body.pop().value)
    exec(compile(lines, "cell", "exec"), names)
    return eval(compile(last, "cell", "eval"), names)


def quiet_shop(seed: int) -> Path:
    """The quiet control shop, imported, in a folder that goes with this process."""
    folder = Path(tempfile.mkdtemp()) / "quiet"
    demo.make(folder, seed=seed, events=False)
    exports.refresh(folder, today=LAST + timedelta(days=1))
    return folder


def main() -> int:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--dates", type=int, default=60)
    asked.add_argument("--every", type=int, default=5, help="days from one date to the next")
    asked.add_argument("--seed", type=int, default=23)
    asked.add_argument("--shop", type=Path)
    given = asked.parse_args()
    shop = given.shop or quiet_shop(given.seed)
    days = [LAST - timedelta(days=given.every * i) for i in range(given.dates)]
    counts: Counter = Counter()
    critical = []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for day in days:
            for finding in findings_of(notebook, shop, day):
                counts[notebook.stem, finding["id"], finding["severity"]] += 1
                if finding["severity"] == "critical":
                    critical.append(f"{day} {json.dumps(finding['sentence']['en'])}")
    print(f"{'notebook':24} {'finding':20} {'severity':9} in {len(days)} dates")
    for (notebook, name, severity), count in sorted(counts.items()):
        print(f"{notebook:24} {name:20} {severity:9} {count}")
    print("critical:", *(critical or ["none"]), sep="\n  ")
    return 1 if critical else 0


if __name__ == "__main__":
    sys.exit(main())
