"""A finding: one number that means something, with what it is held against and who should act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopanalysis.words import Words

SEVERITIES = ("critical", "warning", "info", "good")
WATCHED = SEVERITIES[:2]
OWNERS = ("promotion", "design", "service", "stock", "leadership")
DECISIONS = 3


@dataclass(frozen=True)
class Finding:
    """One computed statement: the sentence `text` of the texts' [finding], filled with `values`.

    value, baseline, low, high   in `unit`; low and high are the ends of a 95 % interval
    n                            what the value rests on: visitors, days, orders
    action                       key of a sentence in [action], for the `owner`; empty: nothing to do
    rule                         key of a sentence in [rule]: the requirement id and what it asks
    """

    id: str
    severity: str
    metric: str
    text: str
    value: float | None = None
    unit: str = ""
    baseline: float | None = None
    low: float | None = None
    high: float | None = None
    n: float | None = None
    owner: str = ""
    action: str = ""
    rule: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


def said_in(records: Sequence[Mapping], words: Words) -> list[Mapping]:
    """The records that have a sentence in the language of `words`; those made before it came have none."""
    return [record for record in records if words.language in record["sentence"]]


def front(records: Sequence[Mapping]) -> list[Mapping]:
    """What a message starts with: the first record of all, then those to act on or to watch."""
    first = records[:1]
    return [*first, *(r for r in watched(records[1:]) if not any(same(r, f) for f in first))]


def same(one: Mapping, other: Mapping) -> bool:
    """Whether two records say one thing: the same action, or the same metric against the same number."""
    if one["action"] and one["action"] == other["action"]:
        return True
    keys = ("metric", "unit", "baseline")
    return one.get("baseline") is not None and all(one.get(k) == other.get(k) for k in keys)


def watched(records: Sequence[Mapping]) -> list[Mapping]:
    """Those to act on or to watch, the most urgent first, none that says what one before it said."""
    found: list[Mapping] = []
    for record in _most_urgent_first(records):
        if record["severity"] in WATCHED and not any(same(record, one) for one in found):
            found.append(record)
    return found


def decisions(records: Sequence[Mapping]) -> list[Mapping]:
    """At most three records that somebody is to act on, the most urgent first, no action twice."""
    found: list[Mapping] = []
    for record in _most_urgent_first(records):
        if record["action"] and all(record["action"] != one["action"] for one in found):
            found.append(record)
    return found[:DECISIONS]


def _most_urgent_first(records: Sequence[Mapping]) -> list[Mapping]:
    return sorted(records, key=lambda record: SEVERITIES.index(record["severity"]))
