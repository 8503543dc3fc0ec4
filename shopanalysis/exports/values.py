"""Cells as vendors write them -> numbers, days, times, ids.

Each function takes one column of raw cells (text, or typed when the file is Parquet) and works on
its distinct values. What cannot be read is missing in the result and true in a mask beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

MISSING = frozenset({"", "-", "--", "—", "n/a", "#n/a", "nan", "nat", "none", "null", "<na>"})
YES = frozenset({"是", "yes", "y", "true", "1", "预售"})
NO = frozenset({"否", "no", "n", "false", "0", "非预售"})
PROVINCES = [
    "内蒙古",
    "黑龙江",
    *re.findall(
        "..",
        "北京天津河北山西辽宁吉林上海江苏浙江安徽福建江西山东河南湖北湖南广东广西海南重庆四川贵州云南西藏陕西甘肃"
        "青海宁夏新疆香港澳门台湾",
    ),
]

_NUMBER = re.compile(
    r"[￥¥$£€]?\s*(?P<sign>[+-]?)\s*[￥¥$£€]?(?P<digits>\d{1,3}(?:,\d{3})+|\d+)?(?P<rest>\.\d*)?"
    r"(?P<power>[eE][+-]?\d{1,4})?\s*(?P<unit>%|万|亿)?\s*元?",
)
_UNITS = {"%": -2, "万": 4, "亿": 8, None: 0}  # powers of ten
_MANGLED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_DAY = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_TIME = re.compile(_DAY + r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?")
_OFFSET = re.compile(r"(.*\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})")
_ENGLISH = re.compile(r"([A-Z][a-z]{2})[a-z]*\.? (\d{1,2}), (\d{4})")
_ENGLISH_RANGE = re.compile(r"(.+, \d{4})\s*(?:-|–|_)\s*(.+, \d{4})")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_RANGE = re.compile(
    r"(\d{4}[-/]?\d{1,2}[-/]?\d{1,2})\s*(?:至|到|~|～|_| - )\s*(\d{4}[-/]?\d{1,2}[-/]?\d{1,2})"
)
_MONTH = re.compile(r"\d{4}[-/]\d{1,2}")
_ISO = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?"
_EXCEL_EPOCH = datetime(1899, 12, 30)
_EXCEL_DAYS = (20_000, 80_000)  # 1954 to 2119: a number in this range is an Excel date


def text(cells: pd.Series) -> pd.Series:
    """Cells without white space around them; what vendors write for nothing is missing."""
    codes, distinct = pd.factorize(cells)
    clean = [_text(value) for value in distinct]
    return pd.Series(_taken(clean, codes), cells.index, dtype="str")


def _text(value: object) -> str | None:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    found = str(value).strip().strip("\ufeff\u200b")
    return None if found.lower() in MISSING else found


def _taken(distinct: Sequence, codes: np.ndarray) -> np.ndarray:
    """`distinct[codes]` as objects, with None for code -1."""
    return np.array([*distinct, None], dtype=object)[codes]


def ids(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Ids as text, and which of them Excel has destroyed (1.23E+17).

    `="193"`, `'193` and `193.0` are 193.
    """
    codes, distinct = pd.factorize(cells)
    clean = [_id(_text(value)) for value in distinct]
    mangled = np.array([bool(value and _MANGLED.fullmatch(value)) for value in clean] + [False])
    series = pd.Series(_taken(clean, codes), cells.index, dtype="str")
    return series, pd.Series(mangled[codes], cells.index)


def _id(value: str | None) -> str | None:
    if value is None:
        return None
    value = value.strip("='\"\t ")
    value = value[:-2] if value.endswith(".0") and value[:-2].isdigit() else value
    return None if value.lower() in MISSING else value


def numbers(cells: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Numbers, which cells are none, and which are rounded by their unit (2.5万).

    A percent is a share, and only its sign makes it one.
    """
    if pd.api.types.is_numeric_dtype(cells):
        none = pd.Series(False, cells.index)
        return cells.astype("float64"), none, none
    codes, distinct = pd.factorize(cells)
    values = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(
        "float64", copy=True
    )
    values[np.isinf(values)] = np.nan
    bad, rounded = np.zeros(len(values) + 1, bool), np.zeros(len(values) + 1, bool)
    for at in np.flatnonzero(np.isnan(values)):
        values[at], bad[at], rounded[at] = _number(_text(distinct[at]))
    values = np.append(values, np.nan)
    index = cells.index
    return (
        pd.Series(values[codes], index),
        pd.Series(bad[codes], index),
        pd.Series(rounded[codes], index),
    )


def _number(value: str | None) -> tuple[float, bool, bool]:
    """The number, whether it is none, whether it is rounded."""
    if value is None:
        return np.nan, False, False
    found = _NUMBER.fullmatch(value.replace("，", ","))
    if not found or not (found["digits"] or (found["rest"] or ".") != "."):
        return np.nan, True, False
    digits = (found["digits"] or "").replace(",", "") + (found["rest"] or "")
    power = int((found["power"] or "e0")[1:]) + _UNITS[found["unit"]]
    # As one literal, 0.9 % is 0.009; divided by 100 it would be 0.009000000000000001.
    number = float(f"{found['sign']}{digits}e{power}")
    finite = bool(np.isfinite(number))
    return number if finite else np.nan, not finite, found["unit"] in ("万", "亿")


def times(
    cells: pd.Series, zone: str | None = None, written: str | None = None
) -> tuple[pd.Series, pd.Series]:
    """Date and time (microseconds), and for each cell that is none of it why, else missing.

    zone      where clocks are to be read: a time that states its offset from UTC is converted, once;
              without a zone it stays as the clock of the file showed it
    written   how a date is written where that is ambiguous (%d-%m-%Y), or epoch
    """
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.astype("datetime64[us]"), pd.Series(None, cells.index, dtype="str")
    codes, distinct = pd.factorize(cells)
    clean = pd.Series([_text(value) for value in distinct], dtype="str")
    iso = clean.str.fullmatch(_ISO).fillna(False).astype(bool) & (written is None)
    read = pd.Series(pd.NaT, clean.index, dtype="datetime64[us]")
    read[iso] = pd.to_datetime(clean[iso], format="ISO8601", errors="coerce").astype(read.dtype)
    why: list[str | None] = [None] * len(clean)
    for at in np.flatnonzero(clean.notna() & read.isna()):
        read[at], why[at] = (
            _written(clean[at], zone, written) if written else _time(clean[at], zone)
        )
    moments = np.append(read.to_numpy(), np.datetime64("NaT", "us"))
    return (
        pd.Series(moments[codes], cells.index),
        pd.Series(_taken(why, codes), cells.index, dtype="str"),
    )


def _written(value: str, zone: str | None, written: str) -> tuple[datetime | None, str | None]:
    try:
        if written == "epoch":
            moment = datetime.fromtimestamp(int(value), ZoneInfo(zone or "UTC"))
            return moment.replace(tzinfo=None), None
        return datetime.strptime(value, written), None
    except (ValueError, OverflowError, OSError):
        return None, "no date"


def _local(value: str, offset: str, zone: str | None) -> tuple[datetime | None, str | None]:
    moment, why = _time(value, None)
    if moment is None or zone is None:
        return moment, why
    ahead = 0 if offset in ("Z", "UTC") else int(offset[1:3]) * 60 + int(offset[-2:])
    utc = moment.replace(tzinfo=UTC) - timedelta(minutes=-ahead if offset[0] == "-" else ahead)
    return utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None), None


def _time(value: str, zone: str | None = None) -> tuple[datetime | None, str | None]:
    if stated := _OFFSET.fullmatch(value):
        return _local(*stated.groups(), zone)
    stretch = _RANGE.fullmatch(value) or _ENGLISH_RANGE.fullmatch(value)
    if stretch:
        first, last = (_time(end)[0] for end in stretch.groups())
        return (first, None) if first == last else (None, "more than one day")
    try:
        if found := _TIME.fullmatch(value) or _COMPACT.fullmatch(value):
            return datetime(*(int(part) for part in found.groups() if part)), None
        if (found := _ENGLISH.fullmatch(value)) and found[1] in _MONTHS:
            return datetime(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2])), None
        if _EXCEL_DAYS[0] < float(value) < _EXCEL_DAYS[1]:
            return _EXCEL_EPOCH + timedelta(seconds=round(float(value) * 86400)), None
    except (ValueError, OverflowError):
        pass
    return None, "more than one day" if _MONTH.fullmatch(value) else "no date"


def flags(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """True and false, and which cells are neither."""
    known = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)
    found = text(cells).str.lower()
    flag = found.map(known).astype("boolean")
    return flag, found.notna() & flag.isna()


def each(cells: pd.Series, function: Callable[[str], str | None]) -> pd.Series:
    """`function` of each distinct text."""
    codes, distinct = pd.factorize(cells)
    return pd.Series(
        _taken([function(value) for value in distinct], codes), cells.index, dtype="str"
    )


def hashed(cells: pd.Series, salt: str) -> pd.Series:
    """The first 16 hex digits of the salted SHA-256 of each text."""
    return each(cells, lambda who: hashlib.sha256(f"{salt}{who}".encode()).hexdigest()[:16])


def provinces(addresses: pd.Series) -> pd.Series:
    """The province that an address in China begins with, in its short form, else missing."""
    return each(addresses, lambda address: next(filter(address.startswith, PROVINCES), None))


def exported_at(name: str) -> datetime | None:
    """When a file was exported, where its name states a time of day (_20260619_110309)."""
    pattern = r"(?<!\d)(20\d{2})(\d{2})(\d{2})[_-]?(\d{2})(\d{2})(\d{2})?(?!\d)"
    found = re.search(pattern, name)
    return _datetime(*(part for part in found.groups() if part)) if found else None


def _datetime(*parts: str) -> datetime | None:
    try:
        return datetime(*map(int, parts))
    except ValueError:
        return None
