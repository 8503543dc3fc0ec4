"""Rates with their doubt: intervals for a share, the basis of a conversion, tests over many items."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

PAYERS = {"buyers/visitors": "buyers", "orders/sessions": "orders"}


def payers(basis: str) -> str:
    """The column that a conversion counts over visitors: buyers, or orders where visits are sessions."""
    return PAYERS[basis]


def ratio(part, whole):
    """part / whole, elementwise; missing where the whole is 0 or either is missing."""
    whole = np.where(np.asarray(whole, float) == 0, np.nan, np.asarray(whole, float))
    result = np.asarray(part, float) / whole
    return pd.Series(result, part.index) if isinstance(part, pd.Series) else result[()]


def wilson(successes, trials, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the Wilson interval of a share; missing where there were no trials.

    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    k, n = np.asarray(successes, float), np.asarray(trials, float)
    n = np.where(n > 0, n, np.nan)
    z = special.ndtri(0.5 + level / 2)
    share = k / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1)[()], np.clip(centre + half, 0, 1)[()]


def difference_test(k1, n1, k0, n0) -> np.ndarray:
    """Two-sided p-value that two shares are one and the same (pooled z); missing without trials."""
    k1, n1, k0, n0 = (np.asarray(values, float) for values in (k1, n1, k0, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (k1 + k0) / (n1 + n0)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        z = (k1 / n1 - k0 / n0) / np.where(spread > 0, spread, np.nan)
    return 2 * stats.norm.sf(np.abs(z))


def false_discovery(p_values: pd.Series) -> pd.Series:
    """Benjamini-Hochberg adjusted p-values; missing ones stay missing and do not count.

    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    tested = p_values.dropna()
    adjusted = stats.false_discovery_control(tested) if len(tested) else []
    return pd.Series(adjusted, tested.index, dtype=float).reindex(p_values.index)
