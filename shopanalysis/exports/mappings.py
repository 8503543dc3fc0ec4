"""Mapping files (formats/*.toml): how a report is recognised and which column becomes which.

How to write one is told in data/README.md. A shop's own, in its folder formats/, win over these.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from shopanalysis import tables
from shopanalysis.errors import DataError

PACKAGED = Path(__file__).with_name("formats")
NOT_FORMATS = ("channels", "personal")
READING = 2  # raised when the code reads the same file differently: old tables are made again

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


@lru_cache(maxsize=100_000)
def normal(header: object) -> str:
    """A header as it is compared: no white space, half-width, small letters."""
    return re.sub(r"[\s\ufeff\u200b]+", "", unicodedata.normalize("NFKC", str(header))).casefold()


@dataclass(frozen=True)
class TableMapping:
    """How rows of one table are made: contract column -> specification."""

    columns: Mapping[str, Mapping]
    devices: Mapping[str, str] = field(default_factory=dict)
    tree: Mapping = field(default_factory=dict)
    zero_without: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def groups(self) -> bool:
        """Whether several raw rows become one."""
        return any(verb in spec for spec in self.columns.values() for verb in GROUPING)


@dataclass(frozen=True)
class Format:
    """One mapping file."""

    id: str
    title: str
    required: tuple[str, ...]
    tables: Mapping[str, TableMapping]
    forbidden: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    spellings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    totals: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    mangled_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shop: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Mapping] = field(default_factory=dict)
    amount: str = ""
    rules: tuple[Mapping, ...] = ()
    group: Mapping = field(default_factory=dict)
    fill: Mapping = field(default_factory=dict)
    repeated_rows: str = ""
    version: str = ""
    headerless: Mapping[str, str] = field(default_factory=dict)
    one_shop: tuple[str, ...] = ()
    currency: str = ""
    attribution: bool = False
    window: str = ""
    split: Mapping = field(default_factory=dict)

    @cached_property
    def canonical(self) -> dict[str, str]:
        """Normal form of every header that is used, and of its other spellings -> the header."""
        headers = {normal(header): header for header in self.headers()}
        others = {
            normal(other): header for header, ways in self.spellings.items() for other in ways
        }
        return others | headers

    def headers(self) -> set[str]:
        """Every header that the mapping uses, in its main spelling."""
        found = {*self.required, *self.totals, *self.unique, *self.spellings}
        for table in self.tables.values():
            found |= {
                prefix + header
                for prefix in table.devices.values() or [""]
                for spec in table.columns.values()
                for header in headers_of(spec)
            }
            found |= set(table.tree.get("levels", ()))
        found |= {header for spec in self.computed.values() for header in headers_of(spec)}
        found |= {condition["column"] for rule in self.rules for condition in rule["when"]}
        found |= {*self.group.get("by", ()), *self.group.get("columns", ())}
        found |= {*([self.fill["by"]] if self.fill else []), *self.fill.get("columns", ())}
        found |= {*self.headerless, *self.one_shop, *filter(None, [self.currency, self.window])}
        found |= {self.split["column"]} if self.split else set()
        return found - set(self.computed) - set(self.split.get("into", ()))


def headers_of(spec: Mapping) -> list[str]:
    """Headers that a column's specification reads."""
    verbs = ("column", "product", "hash", "province", "filled", "number_within", *GROUPING)
    named = [spec[verb] for verb in (*verbs, "weight", "minus", "until") if verb in spec]
    named += [spec["where"]["column"]] if "where" in spec else []
    named += list(spec.get("before_refunds", {}).values())
    flat = [one for some in named for one in ([some] if isinstance(some, str) else some)]
    return [header for header in flat if header != "rows"]


@dataclass(frozen=True)
class Formats:
    """All mapping files that count for a shop."""

    formats: tuple[Format, ...]
    channels: tuple[tuple[str, tuple[re.Pattern, ...]], ...]
    personal: tuple[re.Pattern, ...]
    digest: str

    def is_personal(self, header: str, format: Format) -> bool:
        """Whether a header names personal data."""
        known = {normal(name) for name in format.personal}
        return normal(header) in known or any(p.fullmatch(normal(header)) for p in self.personal)

    def channel(self, source: str) -> str:
        """The channel of a traffic source, by any of its levels; 'unmapped' if none is known."""
        levels = [normal(level) for level in source.split("/")] + [normal(source)]
        for channel, patterns in self.channels:
            if any(pattern.fullmatch(level) for pattern in patterns for level in levels):
                return channel
        return "unmapped"


def load(folder: Path | None = None) -> Formats:
    """The packaged mappings and those in `folder`/formats. Raises DataError for a faulty one."""
    files = {file.stem: [file] for file in sorted(PACKAGED.glob("*.toml"))}
    for file in sorted(Path(folder, "formats").glob("*.toml")) if folder else []:
        if file.stem in NOT_FORMATS:
            files[file.stem].insert(0, file)
        else:
            files[file.stem] = [file]
    return _loaded(
        tuple(
            (file, file.stat().st_mtime_ns, file.stat().st_size)
            for some in files.values()
            for file in some
        )
    )


@lru_cache(maxsize=8)
def _loaded(listed: tuple[tuple[Path, int, int], ...]) -> Formats:
    """The mappings in files, each with its time of change and size: read again when one changes."""
    files: dict[str, list[Path]] = {}
    for file, *_ in listed:
        files.setdefault(file.stem, []).append(file)
    said = {name: [_toml(file) for file in some] for name, some in files.items()}
    content = b"".join(file.read_bytes() for name in sorted(files) for file in files[name])
    return Formats(
        tuple(_format(files[name][0], said[name][0]) for name in files if name not in NOT_FORMATS),
        tuple(_channels(files["channels"], said["channels"])),
        tuple(
            _pattern(file, pattern)
            for file, some in zip(files["personal"], said["personal"], strict=True)
            for pattern in some.get("headers", [])
        ),
        hashlib.sha256(content + bytes([READING])).hexdigest(),
    )


def _toml(file: Path) -> dict:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise DataError(f"{file} is not valid TOML: {cause}.") from None


def _channels(files: Sequence[Path], said: Sequence[dict]) -> Iterable[tuple[str, tuple]]:
    for file, content in zip(files, said, strict=True):
        for entry in content.get("channels", []):
            if entry.get("channel") not in tables.CHANNELS:
                _fail(file, f"channel is {entry.get('channel')!r}", tables.CHANNELS)
            yield entry["channel"], tuple(_pattern(file, p) for p in entry.get("sources", []))


def _pattern(file: Path, pattern: str) -> re.Pattern:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as cause:
        raise DataError(f"{file}: '{pattern}' is not a regular expression: {cause}.") from None


def _fail(file: Path, found: str, allowed: Iterable[str]) -> None:
    raise DataError(f"{file}: {found}. Allowed: {', '.join(allowed)}.")


def _known(file: Path, where: str, said: Mapping, allowed: Iterable[str]) -> None:
    if strange := sorted(set(said) - set(allowed)):
        _fail(file, f"{where} has '{strange[0]}'", allowed)


def _format(file: Path, said: dict) -> Format:
    _known(file, "the file", said, ROOT_KEYS)
    _known(file, "shop", said.get("shop", {}), SHOP_KEYS)
    for key in ("title", "required", "tables"):
        if not said.get(key):
            raise DataError(f"{file}: '{key}' is missing. A mapping needs title, required, tables.")
    if said.get("repeated_rows", "keep") not in ("keep", "drop", "refuse"):
        _fail(file, f"repeated_rows is {said['repeated_rows']!r}", ("keep", "drop", "refuse"))
    said["rules"] = tuple(_rule(file, rule) for rule in said.get("rules", []))
    for verb in said.get("group", {}).get("columns", {}).values():
        if verb not in GROUP_VERBS:
            _fail(file, f"group.columns has '{verb}'", GROUP_VERBS)
    said["computed"] = {
        name: _spec(file, f"computed.{name}", spec)
        for name, spec in said.get("computed", {}).items()
    }
    said["tables"] = {name: _table(file, name, table) for name, table in said["tables"].items()}
    lists = ("required", "forbidden", "personal", "totals", "unique", "mangled_ids", "notes")
    lists += ("one_shop",)
    for pattern in said.get("headerless", {}).values():
        _pattern(file, pattern)
    if said.get("split"):
        _split(file, said["split"])
    return Format(file.stem, **said | {key: tuple(said.get(key, ())) for key in lists})


def _split(file: Path, split: dict) -> None:
    _known(file, "split", split, ("column", "at", "part", "into"))
    if lacking := [key for key in ("column", "at", "part", "into") if key not in split]:
        raise DataError(f"{file}: split does not say '{lacking[0]}'.")
    _pattern(file, split["at"])
    if _pattern(file, split["part"]).groups != len(split["into"]):
        _fail(file, "split.part", [f"{len(split['into'])} groups, one for each of split.into"])


def _rule(file: Path, rule: dict) -> Mapping:
    _known(file, "a rule", rule, ("name", "why", "when", "then"))
    if not rule.get("name") or rule.get("then") not in ("leave out", "refund"):
        _fail(file, f"rule {rule.get('name')!r} needs a name and then", ("leave out", "refund"))
    for condition in rule.get("when", []):
        _known(file, f"rule '{rule['name']}'", condition, ("column", *CONDITIONS))
        if "matches" in condition:
            try:
                re.compile(condition["matches"])
            except re.error as cause:
                raise DataError(f"{file}: rule '{rule['name']}': {cause}.") from None
    if not rule.get("when") or any("column" not in c for c in rule["when"]):
        _fail(file, f"rule '{rule['name']}' needs when = [{{column, ...}}]", CONDITIONS)
    return rule


def _table(file: Path, name: str, said: dict) -> TableMapping:
    if name not in tables.TABLES:
        _fail(file, f"there is no table '{name}'", tables.TABLES)
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
    return TableMapping(specs, **{key: said[key] for key in TABLE_KEYS[1:] if key in said})


def _spec(file: Path, where: str, said: object) -> Mapping:
    spec = {"column": said} if isinstance(said, str | list) else said
    if not isinstance(spec, dict):
        _fail(file, f"{where} is {said!r}", ["a header", *SOURCES])
    _known(file, where, spec, [*SOURCES, *CHANGES])
    if len(set(spec) & set(SOURCES)) != 1:
        _fail(file, f"{where} must have exactly one way to be made", SOURCES)
    if spec.get("of", "sales") not in ("sales", "refunds"):
        _fail(file, f"{where}: of is {spec['of']!r}", ("sales", "refunds"))
    if "where" in spec:
        _known(file, f"{where}.where", spec["where"], ("column", "among", "filled"))
        if len(spec["where"]) != 2 or "column" not in spec["where"]:
            _fail(file, f"{where}.where", ["{column, among = [...]}", "{column, filled = true}"])
    for key in ("else_preamble", "else_file_name"):
        if key in spec and _pattern(file, spec[key]).groups not in (1, 2):
            _fail(file, f"{where}: {key}", ["a regular expression with one group, or two"])
    if "file_name" in spec and _pattern(file, spec["file_name"]).groups != 1:
        _fail(file, f"{where}: file_name", ["a regular expression with exactly one group"])
    return spec
