"""People over many days, exactly: over any stretch of days, new ones, customers.

What they need is kept by day, below tables/: pairs (visitor_key, item_id, viewed, paid) and
visitors (visitor_key, viewed, orders, sales).
"""

from __future__ import annotations

WEEK = 7


def leaving(pairs, days: int = WEEK):
    """One row per item, day and last day + 1 of a stretch in which a visitor counts: how many.

    pairs   one row per visitor_key, item_id and day (number of the day); any stretch of days

    A visitor who came on `day` is among the visitors of the `days` days that end on day, day + 1 …
    day + days - 1, but from the next day on which they came it is that row which counts them: the
    difference of two counts, with no set of people held for any day.
    """
    import ibis

    around = ibis.window(group_by=["visitor_key", "item_id"], order_by="day")
    later = pairs.mutate(later=pairs.day.lead().over(around))
    until = ibis.least(later.later.fill_null(later.day + days), later.day + days)
    counted = later.mutate(until=until).group_by("item_id", "day", "until")
    return counted.aggregate(people=lambda t: t.count())


def newcomers(visitors, before):
    """Visitors (visitor_key) of a day that are not among those of the days `before`."""
    return visitors.anti_join(before, "visitor_key")


def customers(payers):
    """One row per visitor_key who paid: first and last day of payment, days, orders, sales.

    payers   one row per visitor_key and date who paid, with orders and sales
    """
    return payers.group_by("visitor_key").aggregate(
        first_paid_on=payers.date.min(),
        last_paid_on=payers.date.max(),
        days_paid=payers.count(),
        orders=payers.orders.sum(),
        sales=payers.sales.sum(),
    )
