"""People over many days, exactly: over the days of a week, new ones, customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WEEK = 7  # days


@dataclass(frozen=True)
class Came:
    """Who came for which items, in tables whose numbers hold for one day.

    people   visitor (number), visitor_key, day; items: item (number), item_id, day
    pairs    visitor and item (numbers), day; viewed, paid: whether the one did that with the other
    """

    people: object
    items: object
    pairs: object


def gaps(today, before, day):
    """One row per item, `viewed_after` and `paid_after`: `people` who came for the item on one day.

    today   Came of the day; before: of the days of the week before it
    day     one row: the number of the day
    columns viewed_after: days since the person last saw the item; 0: not in this week before; missing:
            did not see it on the day; paid_after likewise

    Only people who came for the same item on both days meet: who they are is told once a day by key,
    and for their pairs by that day's numbers.
    """
    people = today.people.select("visitor_key", now="visitor").inner_join(
        before.people.select("visitor_key", then=_of_day(before.people, "visitor")), "visitor_key"
    )
    items = today.items.select("item_id", item_now="item").inner_join(
        before.items.select("item_id", item_then=_of_day(before.items, "item")), "item_id"
    )
    pairs = before.pairs
    met = pairs.inner_join(people, _of_day(pairs, "visitor") == people.then)
    met = met.select("day", "item", "viewed", "paid", visitor="now")
    met = met.inner_join(items, _of_day(met, "item") == items.item_then)
    last = met.group_by("visitor", item="item_now").aggregate(
        last_viewed=met.day.max(where=met.viewed), last_paid=met.day.max(where=met.paid)
    )
    pairs = today.pairs.select("visitor", "item", "viewed", "paid")
    whole = pairs.left_join(last, ["visitor", "item"]).cross_join(day)
    after = whole.select(
        "item",
        viewed_after=whole.viewed.ifelse((whole.day - whole.last_viewed).fill_null(0), None),
        paid_after=whole.paid.ifelse((whole.day - whole.last_paid).fill_null(0), None),
    )
    counted = after.group_by("item", "viewed_after", "paid_after").aggregate(people=after.count())
    return counted.inner_join(today.items, "item").select(
        "item_id", "viewed_after", "paid_after", "people"
    )


def _of_day(table, number: str):
    """A number that holds on one day as one that holds on all: joins have one condition, which no engine
    can take apart into days that are alike."""
    return table.day.cast("int64") * 2**32 + table[number]


def weeks(gaps, ends: Sequence[int]):
    """One row per item and day of `ends`: visitors and buyers of the seven days that end on it.

    gaps   gaps() of every day of these weeks, with `day`

    Somebody is counted on the first day on which they came in the week: where the day before on which
    they came lies outside of it.
    """
    import ibis

    each = gaps.mutate(later=ibis.range(0, WEEK).unnest())
    each = each.mutate(end=each.day + each.later)
    each = each.filter(each.end.isin(list(ends)))
    first = {
        name: (each[after] == 0) | (each[after] + each.later >= WEEK)
        for name, after in (("visitors", "viewed_after"), ("buyers", "paid_after"))
    }
    return each.group_by("item_id", "end").aggregate(
        **{name: each.people.sum(where=where).fill_null(0) for name, where in first.items()}
    )


def newcomers(people, known=None):
    """One row per visitor_key that is not among the `known`: the first day with a view.

    people   one row per visitor_key and day; viewed
    """
    viewers = people.filter(people.viewed)
    first = viewers.group_by("visitor_key").aggregate(day=viewers.day.min())
    return first if known is None else first.anti_join(known, "visitor_key")


def customers(payers):
    """One row per visitor_key who paid: first and last day of payment, days, orders, sales.

    payers   one row per visitor_key and day with a payment, with orders and sales
    """
    return payers.group_by("visitor_key").aggregate(
        first_paid_on=payers.day.min(),
        last_paid_on=payers.day.max(),
        days_paid=payers.count(),
        orders=payers.orders.sum(),
        sales=payers.sales.sum(),
    )
