"""What a mapping file may say, and whether it does: each error names the file and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from shopanalysis import tables
from shopanalysis.errors import DataError

# Columns kept beside the contract's until the whole shop is known; see derived.py.
EXTRA = {"order_lines": ("title", "merchant_code"), "items": ("merchant_code",)}

# How a column is made: exactly one of these ...
SOURCES = {
    "column": "a header, or a list of headers of which the first that is filled counts",
    "value": "the same value in every row",
    "filled": "a header, or a list: true where one of them holds something that does not mean no",
    "file_name": "a regular expression with one group, found in the file's name",
    "product": "two or more headers, multiplied",
    "hash": "a header with a person's name or account: kept as a salted hash",
    "province": "a header with an address: only the province is kept",
    "channel": "the contract column that holds the traffic source; looked up in channels.toml",
    "number_within": "a header: rows with the same value are numbered from 1",
    "first": "a header: first value of the rows with the same key",
    "sum": "a header: sum over the rows with the same key",
    "mean": "a header: mean over the rows with the same key",
    "count": "a header: number of rows with the same key in which it is filled; or 'rows'",
}
# ... and with it any of these.
CHANGES = {
    "divide": "a number to divide by",
    "values": "a table from what stands there to what is meant",
    "missing": "the value where there is none",
    "of": "'sales' or 'refunds': only rows of that kind, see rules",
    "before_refunds": "{refunded, total}: headers; adds the refunded amount back where it is net",
    "equals": "with count: the number that the header must hold",
    "per": "with sum: 'rows', to divide by the number of rows",
    "weight": "with mean: the header to weigh with",
    "minus": "a header whose number is taken away",
    "where": "{column, among} or {column, filled = true}: only these rows, the others hold nothing",
    "until": "with a date: a header with the last day; another day than the first is refused",
    "written": "with a date: how it is written, such as %d-%m-%Y, or epoch (seconds since 1970)",
    "else_preamble": "a regular expression with a group, found above the table; with two, first and last day",
    "else_file_name": "a regular expression with one group, found in the file's name",
}
GROUPING = ("first", "sum", "mean", "count")
GROUP_VERBS = ("first", "min", "max", "sum")
CONDITIONS = ("matches", "equals", "above", "below", "missing")
ROOT_KEYS = (
    "title",
    "required",
    "version",
    "forbidden",
    "headerless",
    "personal",
    "spellings",
    "totals",
    "unique",
    "mangled_ids",
    "notes",
    "shop",
    "one_shop",
    "currency",
    "attribution",
    "window",
    "split",
    "computed",
    "amount",
    "rules",
    "group",
    "fill",
    "repeated_rows",
    "tables",
)
TABLE_KEYS = ("columns", "devices", "tree", "zero_without")
SHOP_KEYS = ("platform", "currency", "time_zone", "language", "basis")


def pattern(file: Path, said: str) -> re.Pattern:
    """A regular expression of a mapping file."""
    try:
        return re.compile(said, re.IGNORECASE)
    except re.error as cause:
        raise DataError(f"{file}: '{said}' is not a regular expression: {cause}.") from None


def fail(file: Path, found: str, allowed: Iterable[str]) -> None:
    """Raise DataError for what a mapping file says."""
    raise DataError(f"{file}: {found}. Allowed: {', '.join(allowed)}.")


def _known(file: Path, where: str, said: Mapping, allowed: Iterable[str]) -> None:
    if strange := sorted(set(said) - set(allowed)):
        fail(file, f"{where} has '{strange[0]}'", allowed)


def checked(file: Path, said: dict) -> dict:
    """A mapping file's content as a Format takes it. Raises DataError for what cannot be."""
    _known(file, "the file", said, ROOT_KEYS)
    _known(file, "shop", said.get("shop", {}), SHOP_KEYS)
    for key in ("title", "required", "tables"):
        if not said.get(key):
            raise DataError(f"{file}: '{key}' is missing. A mapping needs title, required, tables.")
    if said.get("repeated_rows", "keep") not in ("keep", "drop", "refuse"):
        fail(file, f"repeated_rows is {said['repeated_rows']!r}", ("keep", "drop", "refuse"))
    said["rules"] = tuple(_rule(file, rule) for rule in said.get("rules", []))
    for verb in said.get("group", {}).get("columns", {}).values():
        if verb not in GROUP_VERBS:
            fail(file, f"group.columns has '{verb}'", GROUP_VERBS)
    said["computed"] = {
        name: _spec(file, f"computed.{name}", spec)
        for name, spec in said.get("computed", {}).items()
    }
    said["tables"] = {name: _table(file, name, table) for name, table in said["tables"].items()}
    lists = ("required", "forbidden", "personal", "totals", "unique", "mangled_ids", "notes")
    lists += ("one_shop",)
    for expression in said.get("headerless", {}).values():
        pattern(file, expression)
    if said.get("split"):
        _split(file, said["split"])
    return said | {key: tuple(said.get(key, ())) for key in lists}


def _split(file: Path, split: dict) -> None:
    _known(file, "split", split, ("column", "at", "part", "into"))
    if lacking := [key for key in ("column", "at", "part", "into") if key not in split]:
        raise DataError(f"{file}: split does not say '{lacking[0]}'.")
    pattern(file, split["at"])
    if pattern(file, split["part"]).groups != len(split["into"]):
        fail(file, "split.part", [f"{len(split['into'])} groups, one for each of split.into"])


def _rule(file: Path, rule: dict) -> Mapping:
    _known(file, "a rule", rule, ("name", "why", "when", "then"))
    if not rule.get("name") or rule.get("then") not in ("leave out", "refund"):
        fail(file, f"rule {rule.get('name')!r} needs a name and then", ("leave out", "refund"))
    for condition in rule.get("when", []):
        _known(file, f"rule '{rule['name']}'", condition, ("column", *CONDITIONS))
        if "matches" in condition:
            try:
                re.compile(condition["matches"])
            except re.error as cause:
                raise DataError(f"{file}: rule '{rule['name']}': {cause}.") from None
    if not rule.get("when") or any("column" not in c for c in rule["when"]):
        fail(file, f"rule '{rule['name']}' needs when = [{{column, ...}}]", CONDITIONS)
    return rule


def _table(file: Path, name: str, said: dict) -> dict:
    if name not in tables.TABLES:
        fail(file, f"there is no table '{name}'", tables.TABLES)
    _known(file, f"tables.{name}", said, TABLE_KEYS)
    contract = tables.TABLES[name]
    allowed = [c for c in contract.columns if c != "source_file"] + list(EXTRA.get(name, ()))
    columns = said.get("columns", {})
    _known(file, f"tables.{name}.columns", columns, allowed)
    _known(file, f"tables.{name}.devices", said.get("devices", {}), tables.DEVICES)
    given = {
        *columns,
        *(["device"] if said.get("devices") else []),
        *(["source"] if said.get("tree") else []),
    }
    if lacking := [key for key in contract.key if key not in given]:
        raise DataError(
            f"{file}: tables.{name} does not say how '{lacking[0]}' is made. "
            f"It is part of the key: {', '.join(contract.key)}."
        )
    specs = {column: _spec(file, f"{name}.{column}", spec) for column, spec in columns.items()}
    return {"columns": specs} | {key: said[key] for key in TABLE_KEYS[1:] if key in said}


def _spec(file: Path, where: str, said: object) -> Mapping:
    spec = {"column": said} if isinstance(said, str | list) else said
    if not isinstance(spec, dict):
        fail(file, f"{where} is {said!r}", ["a header", *SOURCES])
    _known(file, where, spec, [*SOURCES, *CHANGES])
    if len(set(spec) & set(SOURCES)) != 1:
        fail(file, f"{where} must have exactly one way to be made", SOURCES)
    if spec.get("of", "sales") not in ("sales", "refunds"):
        fail(file, f"{where}: of is {spec['of']!r}", ("sales", "refunds"))
    if "where" in spec:
        _known(file, f"{where}.where", spec["where"], ("column", "among", "filled"))
        if len(spec["where"]) != 2 or "column" not in spec["where"]:
            fail(file, f"{where}.where", ["{column, among = [...]}", "{column, filled = true}"])
    for key in ("else_preamble", "else_file_name"):
        if key in spec and pattern(file, spec[key]).groups not in (1, 2):
            fail(file, f"{where}: {key}", ["a regular expression with one group, or two"])
    if "file_name" in spec and pattern(file, spec["file_name"]).groups != 1:
        fail(file, f"{where}: file_name", ["a regular expression with exactly one group"])
    return spec
