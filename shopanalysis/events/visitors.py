"""People over many days, exactly: over any stretch of days, new ones, customers."""

from __future__ import annotations

from collections.abc import Sequence

from shopanalysis.events.bits import either, has

WEEK = 7
MOST_DAYS = 62  # a visitor's days are bits of one whole number


def over_days(pairs, first: int, ends: Sequence[int], days: int = WEEK):
    """One row per item: people who saw it, who paid for it, in the `days` days that end on each day.

    pairs   one row per visitor_key, item_id and day: viewed, paid
    first   number of the first day of pairs; ends: of the last days of stretches
    columns  viewed_<end> and paid_<end>

    The days on which a visitor came are bits of one number per item: a visitor is among those of a
    stretch whose bits it shares. No set of people is held, and every pair is read once.
    """
    import ibis

    bit = ibis.literal(1, "int64") << (pairs.day - first).cast("int64")
    came = pairs.group_by("visitor_key", "item_id").aggregate(
        **{did: either(pairs[did].ifelse(bit, 0)) for did in ("viewed", "paid")}
    )
    return came.group_by("item_id").aggregate(
        **{
            f"{did}_{end}": came.count(where=has(came[did], _bits(end - first, days)))
            for did in ("viewed", "paid")
            for end in ends
        }
    )


def _bits(last: int, days: int) -> int:
    """The `days` bits that end with bit `last`."""
    return sum(1 << n for n in range(max(0, last - days + 1), last + 1))


def newcomers(viewers, known=None):
    """One row per visitor_key that is not among the `known`: the first day.

    viewers   one row per visitor_key and day with a view
    """
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
