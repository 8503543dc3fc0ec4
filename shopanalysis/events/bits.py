"""What somebody did as bits of one whole number: did at least once is `or` over the acts."""

from __future__ import annotations

from functools import cache

from shopanalysis.events.settings import KINDS

BITS = {kind: 1 << number for number, kind in enumerate(KINDS)}


def either(column):
    """Bits that are set in any row of a group: bit_or, which engines have and Ibis knows of few."""
    return _bit_or()(column)


@cache
def _bit_or():
    import ibis

    @ibis.udf.agg.builtin
    def bit_or(bits: int) -> int:
        """Bits that are set in any row."""

    return bit_or


def has(column, bits: int):
    """Whether one of `bits` is set."""
    return (column & bits) != 0
