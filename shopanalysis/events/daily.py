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
"""

from __future__ import annotations

from collections.abc import Sequence

SUMS = (
    "views", "visits", "bounces", "dwell", "stay", "stays", "favourites", "cart_adds",
    "ordered", "paid", "ordered_amount", "ordered_units", "sales", "units", "rows", "copies",
)  # fmt: skip
PEOPLE = {  # column of the tables -> what a person did, at least once, to be counted
    "visitors": "views",
    "favourites": "favourites",
    "cart_adds": "cart_adds",
    "ordered_buyers": "ordered",
    "buyers": "paid",
}
ADDED = ("views", "visits", "bounces", "dwell", "stay", "stays")
MONEY = ("ordered_amount", "ordered_units", "sales", "units")


def visits(acts, gap: float, numbered: bool):
    """`acts`, each with `since` (seconds to the act before) and `until` (to the next) in its visit.

    gap        seconds; a longer pause ends a visit
    numbered   whether the log numbers its own sessions: then those, and no gap
    """
    import ibis

    whose = ["visitor", "session"] if numbered else ["visitor"]
    order = ["at", "kind", "item_id", "order_id"]
    around = ibis.window(group_by=whose, order_by=order)
    timed = acts.mutate(
        since=acts.second - acts.second.lag().over(around),
        until=acts.second.lead().over(around) - acts.second,
    )
    if numbered:
        return timed
    return timed.mutate(
        since=(timed.since <= gap).ifelse(timed.since, None),
        until=(timed.until <= gap).ifelse(timed.until, None),
    )


def summed(timed):
    """One row per visitor, item, source, device and order, with SUMS."""
    kind, since, until = timed.kind, timed.since, timed.until
    view, order, pay = kind == "view", kind == "order", kind == "pay"
    first, last = since.isnull(), until.isnull()
    moment = (timed.order_id == "").ifelse(timed.second.cast("string"), timed.order_id)
    return timed.group_by(
        "visitor", "item_id", "source", "device", order_key=pay.ifelse(moment, "")
    ).aggregate(
        views=view.sum(),
        visits=first.sum(),
        bounces=(first & last & view).sum(),
        dwell=since.fill_null(0).sum(),
        stay=(view & ~last).ifelse(until, 0).sum(),
        stays=(view & ~last).sum(),
        favourites=(kind == "favourite").sum(),
        cart_adds=(kind == "cart").sum(),
        ordered=order.sum(),
        paid=pay.sum(),
        ordered_amount=timed.amount.sum(where=order),
        ordered_units=timed.units.sum(where=order),
        sales=timed.amount.sum(where=pay),
        units=timed.units.sum(where=pay),
        rows=timed.copies.sum(),
        copies=(timed.copies - 1).sum(),
    )


def no_people(acts, most_views: float, tests: Sequence[str]):
    """Visitors of summed() with more views than a person has in a day, and `tests`; their rows."""
    by = acts.group_by("visitor").aggregate(views=acts.views.sum(), rows=acts.rows.sum())
    out = by.views > most_views
    if tests:
        out = out | by.visitor.isin(list(tests))
    return by.filter(out).select("visitor", "rows")


def per_visitor(acts, keys: Sequence[str]):
    """`acts` of summed() added up to one row per visitor and `keys`, with the number of orders."""
    return acts.group_by("visitor", *keys).aggregate(
        **{name: acts[name].sum() for name in SUMS},
        orders=acts.order_key.nullif("").nunique(),
    )


def people(by_visitor, keys: Sequence[str]):
    """One row per `keys` (one in all without): people who did each thing, and what they did.

    by_visitor   per_visitor() with the same keys
    """
    counted = {name: (by_visitor[did] > 0).sum() for name, did in PEOPLE.items()}
    added = {name: by_visitor[name].sum() for name in (*ADDED, *MONEY, "orders")}
    grouped = by_visitor.group_by(list(keys)) if keys else by_visitor
    return grouped.aggregate(**counted | added)
