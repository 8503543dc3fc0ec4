"""Acts of one day -> that day's rows of the daily tables, as expressions of Ibis.

A visit ends at midnight of the shop's day: a day depends on its own acts alone, so that a new day
costs its own size and a restated one replaces itself.

    visitor      someone with a view that day; buyer: with a payment
    visit        acts of one visitor without a pause of more than the session gap, or one session
                 of the log's own; it belongs to the source and device of its first act
    bounce       a visit of one view and nothing else
    dwell        seconds between the acts of a visitor's visits, per visitor; of an item: between
                 a view of it and the visit's next act, per view that has one
    order        payments of one visitor under one order id, or at one moment where there is none

Visitors, items, sources, devices and order ids are numbers of the day (texts.py), 0 where there is none.
Acts of one moment stand in the order view, favourite, cart, order, pay, and then of their items' ids.
What a person did is a number of bits, one for each kind: did at least once is `or` over the acts.
"""

from __future__ import annotations

from collections.abc import Sequence

from shopanalysis.events.bits import BITS, either, has

PEOPLE = {  # column of the tables -> what a person did, at least once, to be counted
    "visitors": "view",
    "favourites": "favourite",
    "cart_adds": "cart",
    "ordered_buyers": "order",
    "buyers": "pay",
}


def visits(acts, gap: float, numbered: bool):
    """`acts` with `since` (seconds to the act before) and `until` (to the next) in its visit.

    gap        seconds; a longer pause ends a visit
    numbered   whether the log numbers its own sessions: then those, and no gap
    """
    import ibis

    whose = ["visitor", "session"] if numbered else ["visitor"]
    around = ibis.window(group_by=whose, order_by=["at", "did", "item_id", "order_id"])
    since = (acts.second - acts.second.lag().over(around)).cast("int32")
    until = (acts.second.lead().over(around) - acts.second).cast("int32")
    timed = acts.mutate(since=since, until=until)
    if not numbered:
        timed = timed.mutate(
            since=(timed.since <= gap).ifelse(timed.since, None),
            until=(timed.until <= gap).ifelse(timed.until, None),
        )
    order = (timed.order_id == 0).ifelse(timed.second, -timed.order_id.cast("int64"))
    return timed.select(
        "visitor", "did", "item_id", "source", "device", "since", "until", "amount", "units",
        "copies", order=_is(timed, "pay").ifelse(order, None),
    )  # fmt: skip


def _is(acts, kind: str):
    return acts.did == BITS[kind]


def _grouped(table, keys: Sequence[str]):
    return table.group_by(list(keys)) if keys else table


def by_visitor(acts, keys: Sequence[str]):
    """What each visitor did, by `keys`."""
    return acts.group_by("visitor", *keys).aggregate(did=either(acts.did))


def people(by_visitor, keys: Sequence[str]):
    """One row per `keys` (one in all without): people who did each thing at least once."""
    counted = {
        name: by_visitor.count(where=has(by_visitor.did, BITS[kind]))
        for name, kind in PEOPLE.items()
    }
    return _grouped(by_visitor, keys).aggregate(**counted)


def sums(acts, keys: Sequence[str]):
    """One row per `keys` (one in all without): what was done, in acts, visits, seconds and money."""
    view, order, pay = (_is(acts, kind) for kind in ("view", "order", "pay"))
    first, last = acts.since.isnull(), acts.until.isnull()
    return _grouped(acts, keys).aggregate(
        views=acts.count(where=view),
        visits=acts.count(where=first),
        bounces=acts.count(where=first & last & view),
        dwell=acts.since.sum(),
        stay=acts.until.sum(where=view),
        stays=acts.count(where=view & ~last),
        ordered_amount=acts.amount.sum(where=order),
        ordered_units=acts.units.sum(where=order),
        sales=acts.amount.sum(where=pay),
        units=acts.units.sum(where=pay),
    )


def orders(acts, keys: Sequence[str]):
    """One row per `keys` with a payment (one in all without): orders."""
    paid = acts.filter(acts.order.notnull()).select("visitor", "order", *keys).distinct()
    return _grouped(paid, keys).aggregate(orders=paid.count())


def payers(acts):
    """One row per visitor who paid: orders and amount."""
    paid = acts.filter(_is(acts, "pay"))
    return paid.group_by("visitor").aggregate(orders=paid.order.nunique(), sales=paid.amount.sum())


def strangers(acts, visitors, most_views: float, tests: Sequence[str]):
    """Visitors with more views than a person has in a day, and `tests`; rows of the log of each.

    visitors  names by number; `test` in a row: whether the name is one of `tests`
    """
    by = acts.group_by("visitor").aggregate(
        views=acts.count(where=_is(acts, "view")), rows=acts.copies.sum()
    )
    known = by.inner_join(visitors.rename(name="visitor"), by.visitor == visitors.number)
    known = known.mutate(test=known.name.isin(list(tests)) if tests else False)
    return known.filter((known.views > most_views) | known.test).select("visitor", "rows", "test")


def copies(acts):
    """One row: rows of the log that repeat another."""
    return acts.aggregate(copies=(acts.copies - 1).sum())
