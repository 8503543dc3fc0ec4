"""The demo shop's shop.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from shopanalysis.demo.scenario import Scenario

HEAD = """\
name = "棉禾家纺"
platform = "tmall"
currency = "CNY"
time_zone = "Asia/Shanghai"
language = "zh"
basis = "buyers/visitors"
attribution = "last visit"
"""


def write(file: Path, story: Scenario) -> None:
    """Write what the shop says of itself: names, month targets in yuan, campaign calendar."""
    targets = [f'"{month}" = {target}' for month, target in story.targets.items()]
    parts = [HEAD, "\n".join(["[targets.month]", *targets]) + "\n"]
    parts += [_entry(campaign) for campaign in story.campaigns]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def _entry(campaign: Mapping[str, Any]) -> str:
    days = pd.date_range(campaign["start"], periods=len(campaign["visits"]))
    said = {"name": campaign["name"], "phase": campaign["phase"]}
    quoted = [f'{key} = "{value}"' for key, value in said.items()]
    dated = [f"start = {days[0]:%Y-%m-%d}", f"end = {days[-1]:%Y-%m-%d}"]
    return "\n".join(["[[campaigns]]", *quoted, *dated]) + "\n"
