"""The year's special days: platform events, public holidays, festivals of the moon, the shop's own campaigns.

The dates of platform events and the days of the moon's calendar are data (events.toml), the former
conventions; public holidays and make-up working days are those of the `holidays` package.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Protocol

import pandas as pd

from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import DataError

EVENTS = Path(__file__).with_name("events.toml")
KINDS = ("own campaign", "platform event", "public holiday", "festival", "make-up working day")
MAKE_UP = "make-up working day"
SAME_SEASON = 90  # days: an own campaign this near to an event of its name stands for it
PAST = 3  # years
MOON = ("spring_festival", "dragon_boat", "qixi", "mid_autumn")  # columns of events.toml


class Sells(Protocol):
    """What a calendar needs to know of a shop."""

    platform: str
    country: str
    campaigns: tuple[Campaign, ...]


@dataclass(frozen=True)
class Stretch:
    """A named run of special days, and which of KINDS it is."""

    campaign: Campaign
    kind: str


def moon_day(name: str, year: int) -> pd.Timestamp:
    """The day of a festival of the moon in `year`; `name` is one of MOON, the year one of events.toml."""
    return pd.Timestamp(f"{year}-{_known()['moon'][str(year)][MOON.index(name)]}")


def anchor_day(name: str, year: int) -> pd.Timestamp:
    """The day in `year` that an event counts from: one of MOON, or thanksgiving."""
    if name == "thanksgiving":
        first = pd.Timestamp(year, 11, 1)
        return first + ((3 - first.day_of_week) % 7 + 21) * DAY
    return moon_day(name, year)


@cache
def _known() -> dict:
    return tomllib.loads(EVENTS.read_text(encoding="utf-8"))


def canonical(name: str) -> str:
    """The name of events.toml for `name` or one of its aliases, else `name` itself: 双十一 is Double 11."""
    said = name.strip().casefold()
    for event in _known()["event"]:
        if said in {other.casefold() for other in (event["name"], *event["aliases"])}:
            return event["name"]
    return name


def stretches(
    platform: str,
    country: str,
    own: Iterable[Campaign],
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> list[Stretch]:
    """All special stretches that touch `first` to `last`, by start; one name only once in a season.

    own   the shop's campaigns: they win over an event of the same name, an event over the days off
          of that name, and these over the festival's own day

    Raises DataError for a country that the holidays package does not know.
    """
    years = range(first.year - 1, last.year + 2)
    ranked = [
        [Stretch(replace(c, name=canonical(c.name)), "own campaign") for c in own],
        list(_events(platform, country, years, "platform event")),
        [Stretch(c, "public holiday") for c in _days_off(country, years)],
        list(_events(platform, country, years, "festival")),
        [
            Stretch(Campaign(MAKE_UP, d, d, "holiday"), MAKE_UP)
            for d in make_up_days(country, years)
        ],
    ]
    kept: dict[str, list[Stretch]] = {}
    for group in ranked:
        new = [s for s in group if not _stood_for(s, kept.get(s.campaign.name, ()))]
        for stretch in new:
            kept.setdefault(stretch.campaign.name, []).append(stretch)
    whole = chain.from_iterable(kept.values())
    touching = [s for s in whole if s.campaign.start <= last and s.campaign.end >= first]
    return sorted(touching, key=lambda s: (s.campaign.start, s.campaign.end, s.campaign.name))


def _stood_for(stretch: Stretch, namesakes: Iterable[Stretch]) -> bool:
    """Whether one of the same name lies in the same season."""
    start = stretch.campaign.start
    return any(abs((kept.campaign.start - start).days) <= SAME_SEASON for kept in namesakes)


def _events(platform: str, country: str, years: range, kind: str) -> Iterator[Stretch]:
    for event in _known()["event"]:
        here = platform in event.get("platforms", ()) or country[:2] in event.get("countries", ())
        if not here or event.get("kind", "platform event") != kind:
            continue
        for year in years:
            for phase, start, end in _phases(event, year):
                days = (_day(event, year, start), _day(event, year, end))
                yield Stretch(Campaign(event["name"], *days, phase), kind)


def _phases(event: dict, year: int) -> Sequence:
    if event.get("anchor") in MOON and str(year) not in _known()["moon"]:
        return ()
    fitting = [pattern for pattern in event["pattern"] if pattern["since"] <= year]
    return fitting[-1]["phases"] if fitting else ()


def _day(event: dict, year: int, said: str | int) -> pd.Timestamp:
    if isinstance(said, int):
        return anchor_day(event["anchor"], year) + said * DAY
    return pd.Timestamp(f"{year}-{said}")


@cache
def _library(country: str, years: range):
    import holidays  # takes a moment to load, and not every report asks

    code, _, part = country.partition("-")
    try:
        return holidays.country_holidays(code, subdiv=part or None, years=years, language="en_US")
    except NotImplementedError:
        raise DataError(
            f"shop.toml: no public holidays are known for country '{country}'; allowed: an ISO code "
            "such as CN, US, GB, or one with its part, such as GB-ENG."
        ) from None


def make_up_days(country: str, years: range) -> list[pd.Timestamp]:
    """Saturdays and Sundays that are worked in exchange for a day off, as far as the library states them."""
    if not country:
        return []
    worked = _library(country, years).weekend_workdays
    return sorted(pd.Timestamp(day) for day in worked if day.year in years)


def _days_off(country: str, years: range) -> list[Campaign]:
    """Public holidays as runs of days; in China with the weekends that they touch, as it announces them."""
    if not country:
        return []
    named = {pd.Timestamp(day): _names(said) for day, said in _library(country, years).items()}
    days = set(named)
    if country[:2] == "CN":
        days |= _weekends_between(days, set(make_up_days(country, years)))
    runs = _runs(sorted(days))
    return [part for run in runs for part in _named_parts(run, named)]


def _names(said: str) -> list[str]:
    """Names of one day's holidays; none for a day off that only stands in for another."""
    plain = [
        re.sub(r" \((observed|substitute.*?)\)$", "", name).strip() for name in said.split(";")
    ]
    called = _known()["called"]
    return [called.get(name, name) for name in plain if not name.startswith("Day off")]


def _weekends_between(days: set, worked: set) -> set:
    """Saturdays and Sundays that touch `days`, directly or through one another, and are not worked."""
    found: set = set()
    while True:
        beside = {day + step * DAY for day in days | found for step in (-1, 1)}
        more = {d for d in beside - days - found - worked if d.day_of_week >= 5}
        if not more:
            return found
        found |= more


def _runs(days: Sequence[pd.Timestamp]) -> list[list[pd.Timestamp]]:
    runs: list[list[pd.Timestamp]] = []
    for day in days:
        if runs and day - runs[-1][-1] == DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _named_parts(run: list[pd.Timestamp], named: dict) -> list[Campaign]:
    """A run under the name that most of its days bear, from that name's first day; before it, the earlier."""
    names = [name for day in run for name in named.get(day, ())]
    if not names:
        return []
    main = max(dict.fromkeys(names), key=names.count)
    since = next(day for day in run if main in named.get(day, ()))
    earlier = [name for day in run if day < since for name in named.get(day, ())]
    if not earlier:
        return [Campaign(main, run[0], run[-1], "holiday")]
    return [
        Campaign(earlier[0], run[0], since - DAY, "holiday"),
        Campaign(main, since, run[-1], "holiday"),
    ]


def campaigns_of(
    platform: str,
    country: str,
    own: Iterable[Campaign],
    first: pd.Timestamp,
    last: pd.Timestamp,
    *,
    holidays: bool = True,
) -> tuple[Campaign, ...]:
    """The same as campaigns, by start; days off and festivals (phase holiday) only where asked for.

    Make-up working days are not among them.
    """
    return _campaigns(stretches(platform, country, own, first, last), holidays)


def _campaigns(found: Iterable[Stretch], holidays: bool) -> tuple[Campaign, ...]:
    wanted = KINDS[:4] if holidays else KINDS[:2]
    return tuple(s.campaign for s in found if s.kind in wanted)


@cache
def _near(
    platform: str, country: str, own: tuple[Campaign, ...], date: pd.Timestamp
) -> tuple[Stretch, ...]:
    """stretches() from PAST years before `date` to a year after it: a notebook asks more than once."""
    span = (date - PAST * 366 * DAY, date + 366 * DAY)
    return tuple(stretches(platform, country, own, *span))


def around(shop: Sells, date: pd.Timestamp, *, holidays: bool = True) -> tuple[Campaign, ...]:
    """campaigns_of() for a shop, from PAST years before `date` to a year after it."""
    return _campaigns(_near(shop.platform, shop.country, shop.campaigns, date), holidays)


def large(shop: Sells, date: pd.Timestamp) -> tuple[Campaign, ...]:
    """Of around(), the shop's own campaigns and what events.toml calls large: no usual days."""
    names = set(_known()["large"])
    found = _near(shop.platform, shop.country, shop.campaigns, date)
    return tuple(s.campaign for s in found if s.kind == "own campaign" or s.campaign.name in names)
