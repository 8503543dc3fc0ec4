"""The data contract: every table, its key, its columns with type and unit, and the checks on them.

The same codebook for people is data/README.md; a test compares the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import pandas as pd

from shopanalysis.errors import DataError

COMING = ".next"  # folder below tables/: what an import has made and is moving into place
DEVICES = ("all", "pc", "wireless")
CHANNELS = (
    "free search",
    "free recommendation",
    "paid",
    "direct/returning",
    "content",
    "off-site",
    "in-shop",
    "other",
    "unmapped",
)
BRANCH = re.compile(r"(?<!\s)/(?!\s)")  # between the levels of a source's path
AND = " + "  # between the files that a row is from
# What source_file ends in where figures are no file's own.
DERIVED = "derived from orders"
ADDED_UP = "added up from sources"
KINDS = {
    "date": "a day, without time",
    "time": "date and time in the shop's own time zone",
    "text": "text",
    "count": "number, 0 or more",
    "money": "number, 0 or more, in the shop's currency",
    "share": "number from 0 to 1",
    "number": "number, 0 or more",
    "flag": "true or false",
}


@dataclass(frozen=True)
class Column:
    """One column: its kind (a key of KINDS), unit and meaning; `allowed` lists the only values."""

    kind: str
    unit: str
    meaning: str
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of the contract: what a row is, its key and its columns in order."""

    row: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]


def _count(meaning: str, unit: str = "people") -> Column:
    return Column("count", unit, meaning)


def _money(meaning: str) -> Column:
    return Column("money", "currency", meaning)


def _share(meaning: str) -> Column:
    return Column("share", "0 to 1", meaning)


def _number(meaning: str, unit: str) -> Column:
    return Column("number", unit, meaning)


def _text(meaning: str, allowed: tuple[str, ...] = ()) -> Column:
    return Column("text", "", meaning, allowed)


def _time(meaning: str) -> Column:
    return Column("time", "shop time", meaning)


_date = Column("date", "day", "day in the shop's time zone")
_device = _text("all, or one of the two sides; all is never the sum of the two", DEVICES)
_item_id = _text("the item's id, as text")
_source = _text("name of the traffic source as the platform spells it, path from the top")
_source_file = _text("the file that the row comes from")
EVENT_LOG = "event log"  # source_file of rows that shopanalysis.events has counted

TABLES: dict[str, Table] = {
    "shop_day": Table(
        "one day of the shop on one device",
        ("date", "device"),
        {
            "date": _date,
            "device": _device,
            "visitors": _count("people who came that day; sessions where basis is orders/sessions"),
            "page_views": _count("pages seen", "pages"),
            "buyers": _count("people who paid"),
            "orders": _count("orders paid", "orders"),
            "units": _count("pieces paid", "pieces"),
            "sales": _money("amount paid, before refunds"),
            "bounce_rate": _share("visits that saw one page / visits"),
            "dwell": _number("mean stay of a visitor", "seconds"),
            "new_visitors": _count("visitors who had not come before"),
            "favourites": _count("people who marked an item as favourite"),
            "cart_adds": _count("people who put an item in the cart"),
            "ordered_buyers": _count("people who placed an order, paid or not"),
            "ordered_amount": _money("amount ordered, paid or not"),
            "dsr_item": _number("score: as described", "1 to 5"),
            "dsr_service": _number("score: service", "1 to 5"),
            "dsr_logistics": _number("score: logistics", "1 to 5"),
            "inquiries": _count("people who asked customer service before buying"),
            "inquiry_buyers": _count("of those, people who paid"),
            "refunds": _money("amount refunded that day"),
            "source_file": _source_file,
        },
    ),
    "source_day": Table(
        "one day of one traffic source on one device",
        ("date", "source", "device"),
        {
            "date": _date,
            "source": _source,
            "device": _device,
            "channel": _text("what kind of source it is", CHANNELS),
            "visitors": _count("people who came from it; a person may come from several"),
            "page_views": _count("pages seen", "pages"),
            "bounces": _count("visits that saw one page", "visits"),
            "buyers": _count("people who paid"),
            "orders": _count("orders paid", "orders"),
            "sales": _money("amount paid, before refunds"),
            "cost": _money("advertising spend"),
            "ordered_buyers": _count("people who placed an order, paid or not"),
            "cart_adds": _count("people who put an item in the cart"),
            "favourites": _count("people who marked an item as favourite"),
            "source_file": _source_file,
        },
    ),
    "item_day": Table(
        "one day of one item",
        ("date", "item_id"),
        {
            "date": _date,
            "item_id": _item_id,
            "visitors": _count("people who saw the item's page"),
            "page_views": _count("views of the item's page", "pages"),
            "bounce_rate": _share("visits that left from the item's page / visits to it"),
            "dwell": _number("mean stay on the item's page", "seconds"),
            "cart_adds": _count("people who put it in the cart"),
            "favourites": _count("people who marked it as favourite"),
            "ordered_buyers": _count("people who ordered it, paid or not"),
            "ordered_units": _count("pieces ordered, paid or not", "pieces"),
            "ordered_amount": _money("amount ordered, paid or not"),
            "buyers": _count("people who paid for it"),
            "units": _count("pieces paid", "pieces"),
            "sales": _money("amount paid, before refunds"),
            "refunds": _money("amount refunded that day"),
            "home_slot_visitors": _count("visitors sent by a place on the shop's home page"),
            "source_file": _source_file,
        },
    ),
    "items": Table(
        "one item",
        ("item_id",),
        {
            "item_id": _item_id,
            "title": _text("the item's title"),
            "category": _text("its category"),
            "list_price": _money("price before discounts"),
            "unit_cost": _money("what one piece costs the shop"),
            "stock": _count("pieces in stock", "pieces"),
            "listed_on": Column("date", "day", "first day on sale"),
            "rating": _number("the item's review score", "1 to 5"),
            "season_end": Column("date", "day", "last day of its season"),
            "presale": Column("flag", "", "sold in advance, paid later"),
            "source_file": _source_file,
        },
    ),
    "item_source_day": Table(
        "one day of one item from one traffic source",
        ("date", "item_id", "source"),
        {
            "date": _date,
            "item_id": _item_id,
            "source": _source,
            "visitors": _count("people who came to the item from it"),
            "buyers": _count("people who paid"),
            "units": _count("pieces paid", "pieces"),
            "sales": _money("amount paid, before refunds"),
            "source_file": _source_file,
        },
    ),
    "word_day": Table(
        "one day of one word that visitors searched for",
        ("date", "word"),
        {
            "date": _date,
            "word": _text("the word"),
            "visitors": _count("people who came by it"),
            "cart_adds": _count("people who put an item in the cart"),
            "favourites": _count("people who marked an item as favourite"),
            "buyers": _count("people who paid"),
            "units": _count("pieces paid", "pieces"),
            "sales": _money("amount paid, before refunds"),
            "source_file": _source_file,
        },
    ),
    "item_pairs": Table(
        "two items that the same people look at or buy, over a stretch of days",
        ("first_day", "last_day", "title", "with_title"),
        {
            "first_day": Column("date", "day", "first day counted"),
            "last_day": Column("date", "day", "last day counted"),
            "title": _text("title of the item"),
            "with_title": _text("title of the other item"),
            "visitors": _count("people who saw the item's page"),
            "units": _count("pieces of the item paid", "pieces"),
            "sales": _money("amount paid for the item, before refunds"),
            "with_visitors": _count("of the item's visitors, people who saw the other"),
            "with_cart_adds": _count("of them, people who put the other in the cart"),
            "with_buyers": _count("of them, people who paid for the other"),
            "source_file": _source_file,
        },
    ),
    "item_week": Table(
        "one item over the seven days that end on a day",
        ("date", "item_id"),
        {
            "date": Column("date", "day", "last of the seven days"),
            "item_id": _item_id,
            "visitors": _count("people who saw the item's page, each once"),
            "buyers": _count("people who paid for it, each once"),
            "source_file": _source_file,
        },
    ),
    "customers": Table(
        "one visitor who ever paid",
        ("visitor_key",),
        {
            "visitor_key": _text("the visitor, hashed with the shop's own salt"),
            "first_paid_on": Column("date", "day", "first day of payment in the log"),
            "last_paid_on": Column("date", "day", "last day of payment in the log"),
            "days_paid": _count("days with a payment", "days"),
            "orders": _count("orders paid", "orders"),
            "sales": _money("amount paid, before refunds"),
            "source_file": _source_file,
        },
    ),
    "orders": Table(
        "one order",
        ("order_id",),
        {
            "order_id": _text("the order's id, as text"),
            "created_at": _time("when it was placed"),
            "paid_at": _time("when it was paid; missing: never paid"),
            "closed_at": _time("when it was finished or closed"),
            "status": _text("the platform's own word for its state"),
            "buyer_key": _text("the buyer, hashed with the shop's own salt"),
            "province": _text("province or country of delivery"),
            "source": _source,
            "amount": _money("order total before discounts given by the platform"),
            "units": _count("pieces", "pieces"),
            "paid": _money("amount the buyer paid, before refunds"),
            "refunded": _money("amount given back later"),
            "presale": Column("flag", "", "paid in stages: a deposit, later the balance"),
            "source_file": _source_file,
        },
    ),
    "order_lines": Table(
        "one line of an order",
        ("order_id", "line"),
        {
            "order_id": _text("the order's id, as text"),
            "line": _count("number of the line within its order, from 1", ""),
            "item_id": _item_id,
            "units": _count("pieces", "pieces"),
            "list_price": _money("price of one piece"),
            "paid": _money("amount paid for the line, before refunds"),
            "refunded": _money("amount given back later"),
            "presale": Column("flag", "", "sold in advance, paid later"),
            "source_file": _source_file,
        },
    ),
    "refunds": Table(
        "one request for a refund",
        ("refund_id",),
        {
            "refund_id": _text("the request's id, as text"),
            "order_id": _text("the order's id, as text"),
            "item_id": _item_id,
            "applied_at": _time("when it was asked for"),
            "status": _text("the platform's own word for its state"),
            "amount": _money("amount asked for"),
            "given_back": _money("amount given back: 0 until the request has succeeded"),
            "source_file": _source_file,
        },
    ),
    "service_day": Table(
        "one day of one customer-service agent",
        ("date", "agent_key"),
        {
            "date": _date,
            "agent_key": _text("the agent, hashed with the shop's own salt; all: the whole team"),
            "inquiries": _count("people who asked before buying"),
            "received": _count("people who were answered"),
            "ordered_buyers": _count("of those who asked, people who ordered"),
            "inquiry_buyers": _count("of those who asked, people who paid"),
            "response_time": _number("mean time until an answer", "seconds"),
            "reply_rate": _share("people answered / people who asked"),
            "satisfaction": _share("ratings that are good / ratings"),
            "sales": _money("amount paid after asking, before refunds"),
            "refunds": _money("of it, amount given back"),
            "source_file": _source_file,
        },
    ),
    "ad_day": Table(
        "one day of one keyword on one item in one advertising plan, or of what is not split further",
        ("date", "plan", "unit", "item_id", "word"),
        {
            "date": _date,
            "plan": _text("advertising plan"),
            "unit": _text("unit within the plan; all: the file does not split it"),
            "item_id": _text("the item's id, as text; all: the file does not split it"),
            "word": _text(
                "keyword, or name of a pack of keywords; all: the file does not split it"
            ),
            "impressions": _count("times shown", "times"),
            "clicks": _count("clicks", "clicks"),
            "cost": _money("spend"),
            "orders": _count("orders that the platform attributes to it", "orders"),
            "sales": _money("amount that the platform attributes to it"),
            "cart_adds": _count("cart additions attributed to it", "times"),
            "avg_rank": _number("mean position shown", "rank"),
            "attribution_days": _number("days after a click that an order still counts", "days"),
            "source_file": _source_file,
        },
    ),
    "events": Table(
        "one act of one visitor",
        ("visitor_key", "at", "kind", "item_id"),
        {
            "visitor_key": _text("the visitor, hashed with the shop's own salt"),
            "at": _time("when"),
            "kind": _text("what was done", ("view", "favourite", "cart", "order", "pay")),
            "item_id": _item_id,
            "source": _source,
            "device": _text("side", DEVICES),
            "amount": _money("amount ordered or paid"),
            "source_file": _source_file,
        },
    ),
}

# Within one row the second can never exceed the first.
NEVER_MORE_THAN = {
    "shop_day": (("visitors", "new_visitors"), ("inquiries", "inquiry_buyers")),
}


def empty(name: str) -> pd.DataFrame:
    """Table `name` with all its columns, typed, and no rows."""
    return conform(name, pd.DataFrame())


def conform(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the contract's columns in order and typed; absent columns are missing."""
    columns = TABLES[name].columns
    return pd.DataFrame(
        {column: _typed(frame.get(column), spec, frame.index) for column, spec in columns.items()}
    ).reset_index(drop=True)


def _typed(values: pd.Series | None, column: Column, index: pd.Index) -> pd.Series:
    dtype = {
        "date": "datetime64[us]",
        "time": "datetime64[us]",
        "text": "string",
        "flag": "boolean",
    }.get(column.kind, "float64")
    if values is None:
        return pd.Series(pd.NA if dtype in ("string", "boolean") else None, index, dtype)
    return values.astype(dtype)


def check(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` unchanged, if it keeps the contract of table `name`.

    Raises DataError with the table, the row's key, the column, the value found and what is allowed.
    """
    import pandera.errors

    try:
        _schema(name).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as failure:
        raise DataError(_first_failure(name, frame, failure.failure_cases)) from None
    return frame


def _first_failure(name: str, frame: pd.DataFrame, cases: pd.DataFrame) -> str:
    case = cases.iloc[0]
    table = TABLES[name]
    found = len(cases)
    if case["check"] == "multiple_fields_uniqueness":
        twice = frame[frame.duplicated(list(table.key), keep=False)].iloc[0]
        return f"{name} has two rows for {_key(table, twice)}; allowed is one row for each key."
    row = frame.loc[case["index"]] if case["index"] in frame.index else None
    where = f" at {_key(table, row)}" if row is not None else ""
    if case["schema_context"] == "DataFrameSchema" and row is not None:
        whole, part = case["check"].split(" >= ")
        return (
            f"{name}{where}: {part} is {row[part]:g} but {whole} is {row[whole]:g}; "
            f"{part} cannot be more than {whole}."
        )
    column = table.columns[case["column"]]
    allowed = ", ".join(column.allowed) or KINDS[column.kind]
    return (
        f"{name}{where}: {case['column']} is {_told(case['failure_case'])}; allowed: {allowed}. "
        f"{found} value{'s' if found > 1 else ''} like this."
    )


def _told(value: object) -> str:
    if pd.isna(value):
        return "missing"
    return f"{value:g}" if isinstance(value, float) else f"'{value}'"


def _key(table: Table, row: pd.Series) -> str:
    return ", ".join(
        f"{k} {row[k].date() if table.columns[k].kind == 'date' else row[k]}" for k in table.key
    )


@cache
def _schema(name: str):
    import pandera.pandas as pa

    table = TABLES[name]
    dtypes = {"date": "datetime64[us]", "time": "datetime64[us]", "text": "string"}
    dtypes |= {"flag": "boolean"}

    def checks(column: Column) -> list:
        if column.allowed:
            return [pa.Check.isin(column.allowed)]
        if column.kind == "share":
            return [pa.Check.in_range(0, 1)]
        if column.kind in ("count", "money", "number"):
            return [pa.Check.in_range(0, float("inf"), include_max=False)]
        if column.kind == "date":
            return [pa.Check(lambda days: days == days.dt.normalize(), name="whole days")]
        return []

    def never_more(whole: str, part: str):
        return pa.Check(
            lambda frame: ~(frame[part] > frame[whole]),
            name=f"{whole} >= {part}",
            error=f"{whole} >= {part}",
        )

    return pa.DataFrameSchema(
        {
            column: pa.Column(
                dtypes.get(spec.kind, "float64"),
                checks(spec),
                nullable=column not in table.key,
                description=spec.meaning,
                metadata={"unit": spec.unit},
            )
            for column, spec in table.columns.items()
        },
        checks=[never_more(*pair) for pair in NEVER_MORE_THAN.get(name, ())],
        unique=list(table.key),
        strict=True,
        ordered=True,
    )


def has(table: str, column: str) -> bool:
    """Whether `column` is a number or text of `table` itself, not part of its key."""
    return column in TABLES[table].columns and column not in TABLES[table].key


def joined_files(files: Iterable[str]) -> str:
    """The source_file of a row that is from several files, each named once."""
    return AND.join(dict.fromkeys(files))


def leaf(source: str) -> str:
    """The last part of a source's path A/B/C: its own name. "google / cpc", with spaces, is one name."""
    return BRANCH.split(source)[-1]


def path(folder: Path, name: str) -> Path:
    """Where the table `name` of the shop in `folder` is kept.

    While an import moves its tables into place, or was killed while it did, all of the new ones count.
    """
    place = Path(folder) / "tables"
    moved = place / COMING / "tables" / f"{name}.parquet"
    if (place / COMING).is_dir() and (moved.exists() or (place / COMING / "gone" / name).exists()):
        return moved
    return place / f"{name}.parquet"


def available(folder: Path) -> list[str]:
    """Names of the tables that the shop in `folder` has, in the contract's order."""
    return [name for name in TABLES if path(folder, name).exists()]


def read(folder: Path, name: str) -> pd.DataFrame:
    """Table `name` of the shop in `folder`, sorted by key; empty when the shop has none."""
    file = path(folder, name)
    if not file.exists():
        return empty(name)
    state = file.stat()
    return _read(name, file, state.st_ino, state.st_mtime_ns, state.st_size).copy(deep=False)


@lru_cache(maxsize=16)
def _read(name: str, file: Path, *_state: int) -> pd.DataFrame:
    """Once for as long as the file stays as it is; copy on write keeps what is read as it is."""
    try:
        frame = pd.read_parquet(file)
    except (OSError, ValueError) as cause:
        raise DataError(
            f"{file} cannot be read ({cause}). Delete the folder {file.parent} and import again: "
            "tables are made from the files in exports/."
        ) from None
    return conform(name, frame)


def write(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Check `frame` against the contract and put it in place of table `name`, whole or not at all."""
    table = check(name, conform(name, frame).sort_values(list(TABLES[name].key), kind="stable"))
    file = path(folder, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.tmp")
    table.to_parquet(aside, index=False)
    os.replace(aside, file)
