"""The folder of a new shop: shop.toml and templates for what no platform exports."""

from __future__ import annotations

from pathlib import Path

from shopanalysis.errors import ParameterError

SHOP = """name = {name}

# Platform, currency, time zone, language and basis are written above by the first import.
# What no export says stands below, as examples: take away the # of what is so.

# Days after a click that advertising reports still add orders (转化周期), where they do not say.
# attribution_days = 15

# What the platform says of shops like this one (同行均值), as shares and amounts.
# [peers]
# conversion = 0.025

# What the shop means to sell, by month.
# [targets.month]
# "2026-12" = 950000

# Days on which the shop does not sell as usual. phase: preheat, event or tail.
# [[campaigns]]
# name = "Double 12"
# phase = "event"
# start = 2026-12-10
# end = 2026-12-12

# What was changed on an item's page, and when.
# [[changes]]
# date = 2026-11-20
# item_id = "600000000001"
# what = "main image"

# Items that were put on sale again under a new id: the old and the new are one item.
# [relisted]
# "600000000001" = "700000000001"

# Another bar than the plan's: shopanalysis/defaults.toml lists them.
# [thresholds]
# bestseller_visitors = 2000
"""
COSTS = "item_id,unit_cost,season_end\n"


def make(folder: Path) -> list[Path]:
    """Write the files of a new shop; returns them. A shop that is there is left alone."""
    if (folder / "shop.toml").exists():
        raise ParameterError(f"{folder} is a shop already: its shop.toml is left as it is.")
    files = {
        folder / "shop.toml": SHOP.format(name=_quoted(folder.resolve().name)),
        folder / "templates" / "costs.csv": "\ufeff" + COSTS,
    }
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    (folder / "exports").mkdir(exist_ok=True)
    return list(files)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
