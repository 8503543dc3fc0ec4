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
from shopanalysis.exports import mapping_checks
from shopanalysis.exports.mapping_checks import GROUPING

PACKAGED = Path(__file__).with_name("formats")
NOT_FORMATS = ("channels", "personal")
READING = 3  # raised when the code reads the same file differently: old tables are made again


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
    return _loaded(
        tuple(
            (file, file.stat().st_mtime_ns, file.stat().st_size)
            for some in _files(folder).values()
            for file in some
        )
    )


def digest(folder: Path | None = None) -> str:
    """sha256 of their files and of how this program reads."""
    files = _files(folder)
    content = b"".join(file.read_bytes() for name in sorted(files) for file in files[name])
    return hashlib.sha256(content + bytes([READING])).hexdigest()


def _files(folder: Path | None) -> dict[str, list[Path]]:
    files = {file.stem: [file] for file in sorted(PACKAGED.glob("*.toml"))}
    for file in sorted(Path(folder, "formats").glob("*.toml")) if folder else []:
        if file.stem in NOT_FORMATS:
            files[file.stem].insert(0, file)
        else:
            files[file.stem] = [file]
    return files


@lru_cache(maxsize=8)
def _loaded(listed: tuple[tuple[Path, int, int], ...]) -> Formats:
    """The mappings in files, each with its time of change and size: read again when one changes."""
    files: dict[str, list[Path]] = {}
    for file, *_ in listed:
        files.setdefault(file.stem, []).append(file)
    said = {name: [_toml(file) for file in some] for name, some in files.items()}
    return Formats(
        tuple(_format(files[name][0], said[name][0]) for name in files if name not in NOT_FORMATS),
        tuple(_channels(files["channels"], said["channels"])),
        tuple(
            mapping_checks.pattern(file, pattern)
            for file, some in zip(files["personal"], said["personal"], strict=True)
            for pattern in some.get("headers", [])
        ),
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
                mapping_checks.fail(file, f"channel is {entry.get('channel')!r}", tables.CHANNELS)
            yield (
                entry["channel"],
                tuple(mapping_checks.pattern(file, p) for p in entry.get("sources", [])),
            )


def _format(file: Path, said: dict) -> Format:
    checked = mapping_checks.checked(file, said)
    made = {name: TableMapping(**table) for name, table in checked["tables"].items()}
    return Format(file.stem, **checked | {"tables": made})
