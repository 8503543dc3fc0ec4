"""A shop: a folder with shop.toml, exports/ and tables/."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from shopanalysis import relisted, tables
from shopanalysis.calendars import Campaign, Change
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.languages import LANGUAGES

BASES = ("buyers/visitors", "orders/sessions")
VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
COUNTRIES = {"CNY": "CN", "USD": "US", "GBP": "GB", "JPY": "JP"}
NO_CURRENCY = "XXX"  # ISO 4217; written ¤
# Platforms whose shops sell in yuan unless they say otherwise, and shops that name no platform.
CHINESE = ("tmall", "taobao", "jd", "pdd", "douyin", "other")
CAMPAIGN = ("name", "start", "end", "phase", "lift", "lift_low", "lift_high")
DEFAULTS = Path(__file__).with_name("defaults.toml")


@dataclass(frozen=True)
class Threshold:
    """A bar that a number is held against, with its unit and the plan that it comes from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class Circulation:
    """Where the front page of a run is sent.

    url        environment variables that hold an address each
    attach     notebooks whose reports go along; None: the one that the front page starts with
    link       address at which reports/ is served; empty: none
    language   empty: the shop's
    """

    url: tuple[str, ...]
    attach: tuple[str, ...] | None = None
    link: str = ""
    language: str = ""


@dataclass(frozen=True)
class Shop:
    """One shop as its shop.toml describes it."""

    folder: Path
    name: str
    platform: str = "other"
    currency: str = "CNY"
    country: str = "CN"
    time_zone: str = "Asia/Shanghai"
    language: str = "en"
    basis: str = "buyers/visitors"
    attribution: str = "not stated"
    attribution_days: int | None = None
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    month_targets: Mapping[str, float] = field(default_factory=dict)
    campaigns: tuple[Campaign, ...] = ()
    peers: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    stocking: Mapping[str, Threshold] = field(default_factory=dict)
    circulation: Circulation | None = None
    relisted: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The folder's name: what the shop is called in paths and commands."""
        return self.folder.name

    @property
    def bars(self) -> dict[str, float]:
        """The thresholds' values by name."""
        return {name: threshold.value for name, threshold in self.thresholds.items()}

    @property
    def stock_rules(self) -> dict[str, float]:
        """The settings of [stock] by name, and the thresholds with them."""
        return self.bars | {name: setting.value for name, setting in self.stocking.items()}

    def table(self, name: str) -> pd.DataFrame:
        """One table of the data contract, sorted by key; empty when the shop has none.

        Items that [relisted] of shop.toml names are one item, under the newest id.
        """
        return relisted.joined(name, tables.read(self.folder, name), self.relisted)


PLAIN = (
    "name", "platform", "currency", "country", "time_zone", "language", "basis", "attribution",
    "attribution_days",
)  # fmt: skip


def stated(folder: Path) -> dict[str, str]:
    """What shop.toml itself says of the PLAIN keys, without defaults."""
    shop = load(folder)
    said = tomllib.loads((shop.folder / "shop.toml").read_text(encoding="utf-8"))
    return {key: said[key] for key in PLAIN if key in said}


def load(folder: str | Path) -> Shop:
    """The shop in `folder`.

    Raises ParameterError when there is no shop there, DataError when shop.toml says what cannot be.
    """
    folder = Path(folder).resolve()
    file = folder / "shop.toml"
    if not file.is_file():
        raise ParameterError(f"There is no shop in {folder}: it has no shop.toml.")
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise DataError(f"{file} is not valid TOML: {cause}.") from None
    known = set(PLAIN)
    plain = {key: said.pop(key) for key in known & said.keys()}
    chinese = plain.get("platform", Shop.platform) in CHINESE
    plain.setdefault("currency", "CNY" if chinese else NO_CURRENCY)
    plain.setdefault("country", COUNTRIES.get(plain["currency"], ""))
    thresholds = _thresholds(file, "thresholds", said.pop("thresholds", {}))
    stocking = _thresholds(file, "stock", said.pop("stock", {}))
    targets = said.pop("targets", {}).get("month", {})
    campaigns = tuple(_campaign(file, entry) for entry in said.pop("campaigns", []))
    peers = _peers(file, said.pop("peers", {}))
    changes = tuple(_change(file, entry) for entry in said.pop("changes", []))
    circulation = _circulation(file, said.pop("circulate")) if "circulate" in said else None
    again = _relisted(file, said.pop("relisted", {}))
    log = said.pop("events", {})
    if said:
        parts = {"thresholds", "stock", "targets", "campaigns", "peers", "changes", "circulate"}
        allowed = sorted(known | parts | {"relisted", "events"})
        raise DataError(f"{file}: {', '.join(said)} is not known. Allowed: {', '.join(allowed)}.")
    for key, allowed in (("basis", BASES), ("language", LANGUAGES)):
        if key in plain and plain[key] not in allowed:
            raise DataError(f"{file}: {key} is '{plain[key]}'; allowed: {', '.join(allowed)}.")
    _check_attribution_days(file, plain)
    return Shop(
        folder,
        **{"name": folder.name} | plain,
        thresholds=thresholds,
        month_targets=targets,
        campaigns=campaigns,
        peers=peers,
        changes=changes,
        stocking=stocking,
        circulation=circulation,
        relisted=again,
        events=log,
    )


def _check_attribution_days(file: Path, plain: Mapping[str, object]) -> None:
    days = plain.get("attribution_days", 1)
    if not isinstance(days, int) or isinstance(days, bool) or not 0 < days < 1000:
        raise DataError(f"{file}: attribution_days is {days!r}; expected whole days, such as 15.")


def _thresholds(file: Path, kind: str, own: Mapping[str, float]) -> dict[str, Threshold]:
    defaults = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))[kind]
    for name, value in own.items():
        if name not in defaults:
            raise DataError(f"{file}: [{kind}] has no '{name}'. There are: {', '.join(defaults)}.")
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise DataError(f"{file}: {name} in [{kind}] is {value!r}; expected a number.")
        defaults[name] |= {"value": value, "source": "shop.toml"}
    return {name: Threshold(**default) for name, default in defaults.items()}


def _campaign(file: Path, entry: Mapping) -> Campaign:
    if other := [key for key in entry if key not in CAMPAIGN]:
        allowed = ", ".join(CAMPAIGN)
        raise DataError(f"{file}: a campaign has no {', '.join(other)}. Allowed: {allowed}.")
    try:
        start, end = pd.Timestamp(entry["start"]), pd.Timestamp(entry["end"])
        campaign = Campaign(
            entry["name"], start, end, entry.get("phase", "event"), *_lift(file, entry)
        )
    except (KeyError, ValueError, TypeError) as cause:
        raise DataError(
            f"{file}: a campaign needs name, start and end (ISO dates); found {dict(entry)}."
        ) from cause
    if end < start:
        raise DataError(f"{file}: campaign {campaign.name} ends before it starts.")
    return campaign


def _lift(file: Path, entry: Mapping) -> tuple[float | None, float | None, float | None]:
    """What is said of a campaign's lift: the lift, and what it lies between 8 times in 10.

    An end not said is half as much, or half as little again: lift ** 1.5 and lift ** 0.5.
    """
    said = {key: entry[key] for key in ("lift", "lift_low", "lift_high") if key in entry}
    for key, value in said.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):
            raise DataError(
                f"{file}: {key} of campaign {entry.get('name')} is {value!r}; expected a number above "
                "0, sales over an ordinary day's, such as lift = 2.5."
            )
    if not said:
        return None, None, None
    if "lift" not in said:
        raise DataError(f"{file}: campaign {entry.get('name')} has {', '.join(said)} but no lift.")
    lift = said["lift"]
    ends = sorted([lift**0.5, lift**1.5])
    low, high = said.get("lift_low", ends[0]), said.get("lift_high", ends[1])
    if not low <= lift <= high:
        raise DataError(
            f"{file}: campaign {entry.get('name')} has lift {lift:g} outside {low:g} to {high:g}; "
            "expected lift_low <= lift <= lift_high."
        )
    return lift, low, high


def _peers(file: Path, said: Mapping[str, float]) -> dict[str, float]:
    """What the platform says of shops like this one, such as conversion = 0.025."""
    for name, value in said.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise DataError(
                f"{file}: the peers' {name} is {value!r}; expected a number, such as conversion = 0.025."
            )
    return dict(said)


def _change(file: Path, entry: Mapping) -> Change:
    try:
        return Change(pd.Timestamp(entry["date"]), str(entry["item_id"]), str(entry["what"]))
    except (KeyError, ValueError, TypeError) as cause:
        raise DataError(
            f"{file}: a change needs date (ISO date), item_id and what; found {dict(entry)}."
        ) from cause


def _relisted(file: Path, said: Mapping[str, str]) -> dict[str, str]:
    """Old id -> new id; no id may lead back to itself."""
    for old, new in said.items():
        seen = {old}
        while isinstance(new, str) and new in said and new not in seen:
            seen.add(new)
            new = said[new]
        if not isinstance(new, str) or new in seen:
            raise DataError(
                f'{file}: [relisted] has {old} = {said[old]!r}; expected another id, as in "1001" = "2002".'
            )
    return dict(said)


def _circulation(file: Path, entry: Mapping) -> Circulation:
    if unknown := set(entry) - {"url", "attach", "link", "language"}:
        raise DataError(
            f"{file}: circulate has no {', '.join(sorted(unknown))}. "
            "It can have: url, attach, link, language."
        )
    urls = entry.get("url", ())
    urls = (urls,) if isinstance(urls, str) else urls
    if not urls or not all(isinstance(u, str) and VARIABLE.fullmatch(u) for u in urls):
        raise DataError(
            f'{file}: circulate.url takes names of environment variables, such as "$SHOP_MAIL_URL". '
            "An address holds a password; it does not belong in a file."
        )
    attach, link, language = entry.get("attach"), entry.get("link", ""), entry.get("language", "")
    if attach is not None and not (isinstance(attach, list) and all(map(_is_text, attach))):
        raise DataError(f"{file}: circulate.attach is {attach!r}; expected a list of notebooks.")
    if not _is_text(link) or (link and not link.startswith(("https://", "http://"))):
        raise DataError(f"{file}: circulate.link is {link!r}; expected an address, https://…")
    if language not in ("", *LANGUAGES):
        raise DataError(
            f"{file}: circulate.language is {language!r}; allowed: {', '.join(LANGUAGES)}."
        )
    names = tuple(url.removeprefix("$") for url in dict.fromkeys(urls))
    return Circulation(names, None if attach is None else tuple(attach), link, language)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def find(name: str, data: Path = Path("data")) -> Path:
    """Folder of the shop called `name`: a folder's name under `data`, or a path."""
    folder = Path(name) if "/" in name or Path(name, "shop.toml").is_file() else data / name
    if not (folder / "shop.toml").is_file():
        raise ParameterError(
            f"There is no shop '{name}'. There are: {', '.join(p.name for p in all_in(data))}."
        )
    return folder


def all_in(data: Path = Path("data")) -> list[Path]:
    """Folders of all shops under `data`, by name."""
    return sorted(file.parent for file in Path(data).glob("*/shop.toml"))
