"""A copy of a shop that can be shown outside: amounts as indices, the shop's own names as letters.

The tables are masked before anything is computed or written from them, so that no sentence, figure, table
or file of a masked run has ever seen an amount, a title, an id or a name. Counts, shares and ratios stay
exact. Whoever knows one amount of the shop from elsewhere can tell the others from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from shopanalysis import tables
from shopanalysis.events_calendar import canonical
from shopanalysis.shop import Shop, Threshold
from shopanalysis.words import Words

BASE = 100.0
INDEX = "index"
# What becomes of every column of text: kept, left out, or a letter or number for each of these things.
KEPT, LEFT_OUT = "kept", "left out"
COLUMNS = {
    "device": KEPT,
    "channel": KEPT,
    "kind": KEPT,
    "item_id": "item",
    "title": "item",
    "with_title": "item",
    "category": "category",
    "source": "source",
    "plan": "plan",
    "unit": "unit",
    "word": "word",
    "order_id": "order",
    "refund_id": "refund",
    "buyer_key": "buyer",
    "agent_key": "agent",
    "visitor_key": "buyer",
    "source_file": "file",
    "status": LEFT_OUT,
    "province": LEFT_OUT,
}
WHOLE = "all"  # of agents, the team
NO_FILE = (tables.DERIVED, tables.ADDED_UP)
NUMBERED = ("order", "refund", "buyer", "agent", "file")  # the others are lettered
WEIGHTS = ("sales", "cost", "visitors", "list_price")  # the first that a table has ranks its names
PLATFORM_NAMES = ("tmall", "taobao")  # their exports name sources by the platform's own words


def write(shop: Shop, into: Path, language: str) -> Path:
    """The masked copy of `shop` as a folder of its own below `into`; its name does not tell the shop's."""
    folder = into / f"shop_{_digest(shop)}"
    words = Words(language)
    found = {name: shop.table(name) for name in tables.available(shop.folder)}
    factor = BASE / base(found, shop.basis)
    aliases = _aliases(found, shop, words)
    for name, frame in found.items():
        tables.write(folder, name, _masked(name, frame, aliases, factor, words))
    (folder / "shop.toml").write_text(_shop_toml(shop, folder, aliases, factor, words), "utf-8")
    return folder


def base(found: Mapping[str, pd.DataFrame], basis: str) -> float:
    """The amount that becomes 100: what is paid at a purchase, on average over all days known (currency)."""
    payers = basis.partition("/")[0]
    for name in ("shop_day", "item_day", "source_day", "item_source_day"):
        if name in found:
            frame = found[name]
            whole = frame[frame["device"] == "all"] if name == "shop_day" else frame
            counted = payers if payers in whole else "buyers"
            both = whole.dropna(subset=["sales", counted])
            if both["sales"].sum() > 0 and both[counted].sum() > 0:
                return float(both["sales"].sum() / both[counted].sum())
    for name, column in (("orders", "paid"), ("order_lines", "paid"), ("items", "list_price")):
        if name in found and found[name][column].mean() > 0:
            return float(found[name][column].mean())
    return BASE


def _digest(shop: Shop) -> str:
    """Six characters that stand for the shop, mixed with its own salt where it has one."""
    salt = shop.folder / "salt"
    secret = salt.read_bytes() if salt.is_file() else b""
    return hashlib.sha256(secret + shop.id.encode()).hexdigest()[:6]


def _aliases(found: Mapping[str, pd.DataFrame], shop: Shop, words: Words) -> dict[str, dict]:
    """For each kind of thing, its names -> letters or numbers, what weighs most first."""
    aliases = {}
    for kind in {kind for kind in COLUMNS.values() if kind not in (KEPT, LEFT_OUT)}:
        names = _ranked(found, [c for c, k in COLUMNS.items() if k == kind])
        if kind == "file":
            names = [part for name in names for part in name.split(tables.AND)]
            names = [name for name in dict.fromkeys(names) if name not in NO_FILE]
        if kind == "source":
            names = [name for name in names if not _is_the_platforms(name, found, shop)]
        signs = map(str, range(1, len(names) + 1)) if kind in NUMBERED else letters(len(names))
        aliases[kind] = dict(zip(names, signs, strict=True))
    return aliases


def _ranked(found: Mapping[str, pd.DataFrame], columns: Iterable[str]) -> list[str]:
    """All values of `columns` in any table, those of the most sales (else cost, visitors) first.

    A title beside an id is no name of its own.
    """
    sums: dict[str, float] = {}
    for frame in found.values():
        weight = next((w for w in WEIGHTS if w in frame), None)
        beside = {"title"} if "item_id" in frame else set()
        for column in set(columns) & set(frame) - beside:
            weights = frame[weight].fillna(0) if weight else pd.Series(0.0, frame.index)
            for name, amount in weights.groupby(frame[column]).sum().items():
                sums[name] = sums.get(name, 0.0) + amount
    kept = sums.keys() - {WHOLE}
    return sorted(kept, key=lambda name: (-sums[name], name))


def letters(count: int) -> list[str]:
    """A, B … Z, AA, AB …"""
    made = []
    for number in range(count):
        text = ""
        while number >= 0:
            number, place = divmod(number, 26)
            text, number = chr(ord("A") + place) + text, number - 1
        made.append(text)
    return made


def _is_the_platforms(source: str, found: Mapping[str, pd.DataFrame], shop: Shop) -> bool:
    """Whether a source's name is the platform's own word and not the shop's."""
    if shop.platform not in PLATFORM_NAMES or shop.name in source:
        return False
    days = found.get("source_day")
    if days is None:
        return False
    channels = days.loc[days["source"].map(tables.leaf) == tables.leaf(source), "channel"]
    return bool(len(channels)) and not (channels == "unmapped").any()


def _masked(
    name: str, frame: pd.DataFrame, aliases: Mapping[str, Mapping], factor: float, words: Words
) -> pd.DataFrame:
    """One table with its amounts as indices and its names as letters."""
    new = {}
    for column, spec in tables.TABLES[name].columns.items():
        if spec.kind == "money":
            new[column] = frame[column] * factor
        elif spec.kind == "text":
            new[column] = _column(column, frame, aliases, words)
    return frame.assign(**new)


def _column(column: str, frame: pd.DataFrame, aliases, words: Words) -> pd.Series:
    kind, values = COLUMNS[column], frame[column]
    if kind == KEPT:
        return values
    if kind == LEFT_OUT:
        return pd.Series(pd.NA, frame.index, "string")
    if column == "title" and "item_id" in frame:
        values = frame["item_id"].where(values.notna())
    return values.map(lambda name: _alias(column, name, aliases, words), na_action="ignore")


def _alias(column: str, name: str, aliases: Mapping[str, Mapping], words: Words) -> str:
    """What stands for `name`: Item A for a title, A for its id, the name itself of a platform's source."""
    kind = COLUMNS[column]
    if kind == "file":
        return tables.AND.join(aliases[kind].get(part, part) for part in name.split(tables.AND))
    if name not in aliases[kind]:
        return name
    sign = aliases[kind][name]
    return sign if column == "item_id" or kind in NUMBERED else words.say(f"mask.{kind}", name=sign)


def _shop_toml(shop: Shop, folder: Path, aliases, factor: float, words: Words) -> str:
    """shop.toml of the copy: what counts for the reports, without names, recipients and free text."""
    said = {
        "name": words.say("mask.shop", name=folder.name.removeprefix("shop_")),
        "platform": shop.platform,
        "currency": INDEX,
        "country": shop.country,
        "time_zone": shop.time_zone,
        "language": shop.language,
        "basis": shop.basis,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in said.items()]
    numbers = {
        "thresholds": _own(shop.thresholds),
        "stock": _own(shop.stocking),
        "targets.month": {m: target * factor for m, target in shop.month_targets.items()},
        "peers": shop.peers,
    }
    for table, values in numbers.items():
        lines += ["", f"[{table}]", *(f"{_toml(k)} = {_toml(v)}" for k, v in values.items())]
    return "\n".join([*lines, *_campaigns(shop, words), *_changes(shop, aliases, words)]) + "\n"


def _own(thresholds: Mapping[str, Threshold]) -> dict[str, float]:
    """Those that the shop has set itself; none of them is an amount."""
    return {name: one.value for name, one in thresholds.items() if one.source == "shop.toml"}


def _campaigns(shop: Shop, words: Words) -> list[str]:
    names = dict.fromkeys(canonical(c.name) for c in shop.campaigns)
    own = [name for name in names if not words.has(f"campaign.{name}")]
    said = {
        n: words.say("mask.campaign", name=a) for n, a in zip(own, letters(len(own)), strict=True)
    }
    lines = []
    for c in shop.campaigns:
        name = canonical(c.name)
        lines += ["", "[[campaigns]]", f"name = {_toml(said.get(name, name))}", f"phase = {_toml(c.phase)}",
                  f"start = {c.start.date()}", f"end = {c.end.date()}"]  # fmt: skip
        if c.lift is not None:
            lines += [f"{key} = {getattr(c, key)}" for key in ("lift", "lift_low", "lift_high")]
    return lines


def _changes(shop: Shop, aliases, words: Words) -> list[str]:
    lines = []
    for change, sign in zip(shop.changes, letters(len(shop.changes)), strict=True):
        item = aliases["item"].get(change.item_id, "-")
        lines += ["", "[[changes]]", f"date = {change.date.date()}", f"item_id = {_toml(item)}",
                  f"what = {_toml(words.say('mask.change', name=sign))}"]  # fmt: skip
    return lines


def _toml(value: object) -> str:
    """A string or number as TOML writes it, which is as JSON does."""
    return json.dumps(value, ensure_ascii=False)
