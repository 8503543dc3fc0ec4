"""The exact bridge from one amount to another, when both are products of the same factors."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from math import prod

import pandas as pd


def shapley(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each factor adds to product(after) - product(before); the parts sum to it exactly.

    A factor's part is its effect averaged over every order in which the factors can change.
    Zeros are allowed. Works elementwise on Series.

    Shapley (1953); Albrecht, François & Schoors (2002), Energy Policy 30, 727-736.
    """
    names = list(before)
    orders = list(permutations(names))
    parts = dict.fromkeys(names, 0.0)
    for order in orders:
        now = dict(before)
        for name in order:
            others = prod(value for other, value in now.items() if other != name)
            parts[name] = parts[name] + (after[name] - before[name]) * others / len(orders)
            now[name] = after[name]
    return parts


def sales_factors(totals: pd.Series, payers: str) -> dict[str, float]:
    """Sales as visitors x conversion x order value, from sums of visitors, `payers` and sales.

    Without payers the last two are 0, so that the product is still the (zero) sales.
    """
    visitors, paid, sales = totals["visitors"], totals[payers], totals["sales"]
    return {
        "visitors": visitors,
        "conversion": paid / visitors if visitors else 0.0,
        "order_value": sales / paid if paid else 0.0,
    }
