"""Exact bridges: from one amount to another by its factors, by its groups, and by mix and rate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from math import log, prod

import numpy as np
import pandas as pd

FACTORS = ("visitors", "conversion", "order_value")
GROUP_PARTS = ("visitors", "share", "conversion", "order_value", "entered", "left", "uncounted")


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


def lmdi(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The same by logarithmic mean; every factor must be above 0.

    Ang (2004), Energy Policy 32, 1131-1139.
    """
    old, new = prod(before.values()), prod(after.values())
    mean = old if old == new else (new - old) / log(new / old)
    return {name: mean * log(after[name] / before[name]) for name in before}


def sales_factors(totals: pd.Series, payers: str) -> dict[str, float]:
    """Sales as visitors x conversion x order value, from sums of visitors, `payers` and sales.

    Without payers the last two are 0, so that the product is still the (zero) sales.
    """
    visitors, paid = totals["visitors"], totals[payers]
    conversion = paid / visitors if visitors else 0.0
    return {"visitors": visitors, "conversion": conversion} | _order_value(totals, payers)


def paid_factors(totals: pd.Series, payers: str, called: str) -> dict[str, float]:
    """The same where visitors are not counted: `payers`, called `called`, x order value."""
    return {called: totals[payers]} | _order_value(totals, payers)


def _order_value(totals: pd.Series, payers: str) -> dict[str, float]:
    return {"order_value": totals["sales"] / totals[payers] if totals[payers] else 0.0}


def by_group(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Each group's (source's, item's, device's) part in the change of sales, split by what changed in it.

    before, after   index: the group; visitors, payers, sales; a group absent from one has no row there

    One row per group of either: visitors (all groups' visits together grew or shrank), share (the
    group's part of them), conversion, order_value; entered and left for groups with visits in one
    period only; uncounted for sales on which no visit or payer is counted; change, their exact sum.
    """
    groups = before.index.union(after.index)
    old, new = (frame.reindex(groups).fillna(0.0) for frame in (before, after))
    factors_old, factors_new = _group_factors(old, new), _group_factors(new, old)
    stayed = (old["visitors"] > 0) & (new["visitors"] > 0)
    product_old, product_new = (_product(factors) for factors in (factors_old, factors_new))
    parts = {
        name: part.where(stayed, 0.0) for name, part in shapley(factors_old, factors_new).items()
    }
    parts["entered"] = product_new.where(~stayed, 0.0)
    parts["left"] = -product_old.where(~stayed, 0.0)
    parts["uncounted"] = (new["sales"] - product_new) - (old["sales"] - product_old)
    return pd.DataFrame(parts)[list(GROUP_PARTS)].assign(change=new["sales"] - old["sales"])


def _group_factors(now: pd.DataFrame, other: pd.DataFrame) -> dict[str, pd.Series]:
    """visitors of all groups, share, conversion, order value; without payers the other period's value."""
    total = now["visitors"].sum()
    value = _divided(now["sales"], now["payers"]).where(
        now["payers"] > 0, _divided(other["sales"], other["payers"])
    )
    return {
        "visitors": pd.Series(total, now.index, dtype=float),
        "share": now["visitors"] / total if total else now["visitors"],
        "conversion": _divided(now["payers"], now["visitors"]),
        "order_value": value,
    }


def _product(factors: Mapping[str, pd.Series]) -> pd.Series:
    return prod(factors.values())


def _divided(part: pd.Series, whole: pd.Series) -> pd.Series:
    return (part / whole.replace(0.0, np.nan)).fillna(0.0)


def mix_and_rate(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Why an overall rate changed: its groups' rates, or the mix of groups.

    before, after   index: the group; trials, successes

    One row per group of either: share_before, share, rate_before, rate (missing without trials),
    by_rate and by_mix (in the rate's own unit; by_mix is centred on the overall rate, so that a
    group that grew counts for it only as far as it differs from the rest). Successes of a group
    without trials (paid by who came before) count by_rate for what they add to the overall rate. Over
    all groups by_rate + by_mix is the change of the overall rate exactly.

    Kitagawa (1955), Journal of the American Statistical Association 50, 1168-1194, symmetric.
    """
    groups = before.index.union(after.index)
    old, new = (frame.reindex(groups).fillna(0.0) for frame in (before, after))
    share_old, share = (frame["trials"] / frame["trials"].sum() for frame in (old, new))
    rate_old, rate = (
        frame["successes"] / frame["trials"].replace(0, np.nan) for frame in (old, new)
    )
    overall = (
        old["successes"].sum() / old["trials"].sum() + new["successes"].sum() / new["trials"].sum()
    ) / 2
    known_old, known = rate_old.fillna(rate).fillna(0.0), rate.fillna(rate_old).fillna(0.0)
    untried_old, untried = (
        frame["successes"].where(frame["trials"] == 0, 0.0) / frame["trials"].sum()
        for frame in (old, new)
    )
    return pd.DataFrame(
        {
            "share_before": share_old,
            "share": share,
            "rate_before": rate_old,
            "rate": rate,
            "by_rate": (known - known_old) * (share_old + share) / 2 + untried - untried_old,
            "by_mix": (share - share_old) * ((known_old + known) / 2 - overall),
        }
    )


def simpson(parts: pd.DataFrame) -> bool:
    """Whether the overall rate moves one way while groups with most of the visits move the other.

    parts   of mix_and_rate
    Simpson (1951), Journal of the Royal Statistical Society B 13, 238-241.
    """
    change = (parts["by_rate"] + parts["by_mix"]).sum()
    weight = (parts["share_before"] + parts["share"]) / 2
    against = np.sign(parts["rate"] - parts["rate_before"]) == -np.sign(change)
    return bool(change != 0 and weight[against].sum() > 0.5)
