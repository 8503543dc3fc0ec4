"""What [events] of shop.toml says: where the log is, how it is written, which engine reads it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from zoneinfo import ZoneInfo

from shopanalysis.errors import DataError

FORMATS = Path(__file__).with_name("formats")
OPTIONAL = ("item_id", "source", "device", "amount", "units", "order_id", "session", "agent")
KINDS = ("view", "favourite", "cart", "order", "pay")
WRITTEN = {"time": 0, "epoch": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
SIZE = re.compile(r"\d+(\.\d+)?\s*(MB|GB)")


@dataclass(frozen=True)
class Format:
    """How one kind of log is written.

    kinds     what it records; of other kinds nothing is known, which is not the same as none
    visitor   column of the visitor; `hashed`: already a salted hash
    at        column of the time; `written`: a key of WRITTEN, units to a second
    values    the log's word for a kind -> ours; empty: the same words
    columns   ours -> the log's, of OPTIONAL; one that a file lacks is missing
    unnamed   the log's columns, in their order, of a CSV whose first line does not name them
    """

    title: str
    kinds: tuple[str, ...]
    visitor: str
    hashed: bool
    at: str
    written: str
    kind: str
    values: Mapping[str, str]
    columns: Mapping[str, str]
    unnamed: tuple[str, ...]

    @property
    def needed(self) -> list[str]:
        """Columns without which a file cannot be read."""
        return [self.visitor, self.at, self.kind]


@dataclass(frozen=True)
class Settings:
    """[events] of shop.toml, with its defaults.

    engine         "duckdb", or an address that ibis.connect takes
    files          patterns below the shop's folder
    format         a file of formats/, by name
    time_zone      of times that state none; empty: the shop's
    session_gap    minutes without an act after which a new visit begins, where the log has none
    most_views     views of one visitor in one day above which it is a machine
    agents         a pattern, found in the user agent of machines
    test_visitors  visitors of the shop's own, as the log names them
    memory_limit   of DuckDB; spill: folder for what does not fit (below tables/)
    """

    engine: str = "duckdb"
    files: tuple[str, ...] = ("events/**/*.parquet", "events/**/*.csv")
    format: str = "contract"
    time_zone: str = ""
    session_gap: float = 30
    most_views: float = 1000
    agents: str = "(?i)bot|crawl|spider|slurp|headless|python-requests|curl|wget"
    test_visitors: tuple[str, ...] = ()
    memory_limit: str = "400MB"
    spill: str = ""
    known: Mapping[str, object] = field(default_factory=dict, repr=False)


def settings(file: Path, said: Mapping[str, object]) -> Settings:
    """Settings from `said`, the table [events] of `file`. Raises DataError for what cannot be."""
    names = [one.name for one in fields(Settings) if one.name != "known"]
    if unknown := [name for name in said if name not in names]:
        raise DataError(
            f"{file}: [events] has no {', '.join(unknown)}. It can have: {', '.join(names)}."
        )
    made = Settings(
        **{name: _value(file, name, value) for name, value in said.items()}, known=dict(said)
    )
    formats = sorted(path.stem for path in FORMATS.glob("*.toml"))
    _check(file, "format", made.format, made.format in formats, f"one of {', '.join(formats)}")
    _check(file, "memory_limit", made.memory_limit, SIZE.fullmatch(made.memory_limit), '"1GB"')
    _check(file, "session_gap", made.session_gap, made.session_gap > 0, "minutes above 0")
    _check(file, "most_views", made.most_views, made.most_views > 0, "a number above 0")
    try:
        re.compile(made.agents)
        ZoneInfo(made.time_zone or "UTC")
    except (re.error, ValueError, OSError, KeyError) as cause:
        raise DataError(f"{file}: [events] agents or time_zone cannot be: {cause}.") from None
    return made


def _value(file: Path, name: str, value: object) -> object:
    default = getattr(Settings, name, ())
    if isinstance(default, tuple):
        value = [value] if isinstance(value, str) else value
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        _check(file, name, value, texts, "texts")
        return tuple(value)
    kind = (int, float) if isinstance(default, int | float) else str
    _check(file, name, value, isinstance(value, kind) and value is not True, "like the default")
    return value


def _check(file: Path, name: str, value: object, good: object, allowed: str) -> None:
    if not good:
        raise DataError(f"{file}: {name} in [events] is {value!r}; expected {allowed}.")


def format_of(asked: Settings) -> Format:
    """The format that the settings name."""
    said = tomllib.loads((FORMATS / f"{asked.format}.toml").read_text(encoding="utf-8"))
    return Format(
        said["title"],
        tuple(said["kinds"]),
        said["visitor"],
        said["hashed"],
        said["at"]["column"],
        said["at"]["written"],
        said["kind"]["column"],
        said["kind"].get("values", {}),
        said["columns"],
        tuple(said.get("unnamed", ())),
    )
