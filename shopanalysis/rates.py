"""Rates with their doubt: intervals, shrinkage, overdispersion, tests, and what a test could have seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

PAYERS = {"buyers/visitors": "buyers", "orders/sessions": "orders"}
FEW_SUCCESSES = 5


def payers(basis: str) -> str:
    """The column that a conversion counts over visitors: buyers, or orders where visits are sessions."""
    return PAYERS[basis]


def payers_of(day: pd.DataFrame, basis: str) -> pd.Series:
    """That column of the shop's days, called payers or orders; orders too where no buyers are counted."""
    column = payers(basis)
    if day[column].isna().all():
        column = "orders"
    return day[column].rename("payers" if column == "buyers" else column)


def ratio(part, whole):
    """part / whole, elementwise; missing where the whole is 0 or either is missing."""
    whole = np.where(np.asarray(whole, float) == 0, np.nan, np.asarray(whole, float))
    result = np.asarray(part, float) / whole
    return pd.Series(result, part.index) if isinstance(part, pd.Series) else result[()]


def wilson(successes, trials, level: float = 0.95, dispersion: float = 1.0):
    """Ends of the Wilson interval of a share; missing where there were no trials.

    dispersion   how many times more the counts vary than by luck alone; the trials count for as
                 much less (McCullagh & Nelder 1989, Generalized Linear Models, 4.5)
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    k, n = np.asarray(successes, float) / dispersion, np.asarray(trials, float) / dispersion
    n = np.where(n > 0, n, np.nan)
    z = special.ndtri(0.5 + level / 2)
    share = k / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1)[()], np.clip(centre + half, 0, 1)[()]


def clopper_pearson(successes, trials, level: float = 0.95, dispersion: float = 1.0):
    """Ends of the exact interval of a share, never too short; missing where there were no trials.

    Clopper & Pearson (1934), Biometrika 26, 404-413.
    """
    k, n = np.asarray(successes, float) / dispersion, np.asarray(trials, float) / dispersion
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, stats.beta.ppf(tail, k, n - k + 1), 0.0)
        high = np.where(k < n, stats.beta.ppf(1 - tail, k + 1, n - k), 1.0)
    return np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()]


def interval(successes, trials, level: float = 0.95, dispersion: float = 1.0):
    """Ends of a share's interval: Wilson's, or the exact one where successes or failures are few."""
    k, n = np.asarray(successes, float), np.asarray(trials, float)
    few = np.minimum(k, n - k) / dispersion < FEW_SUCCESSES
    pairs = zip(
        clopper_pearson(k, n, level, dispersion), wilson(k, n, level, dispersion), strict=True
    )
    return tuple(np.where(few, exact, approximate)[()] for exact, approximate in pairs)


def dispersion(successes: pd.Series, trials: pd.Series, groups) -> float:
    """How many times more counts vary from day to day than by luck alone; at least 1.

    successes, trials   one row per day and group (item, source)
    Pearson's chi-square of the days within their groups over its degrees of freedom, days on
    which less than one success was to be expected left out.
    """
    frame = pd.DataFrame({"k": np.asarray(successes, float), "n": np.asarray(trials, float)})
    frame["group"] = np.asarray(groups)
    frame = frame[frame["n"] > 0].dropna(subset=["k", "n"])
    totals = frame.groupby("group")[["k", "n"]].transform("sum")
    share = totals["k"] / totals["n"]
    expected = share * frame["n"]
    kept = (expected >= 1) & (share < 1)
    chi_square = (frame["k"] - expected) ** 2 / (expected * (1 - share))
    freedom = kept.sum() - frame.loc[kept, "group"].nunique()
    return max(1.0, float(chi_square[kept].sum() / freedom)) if freedom > 0 else 1.0


def day_shock(successes, trials, groups) -> float:
    """How far days differ beyond luck: the squared coefficient of variation of a group's rate by day.

    successes, trials   one row per day and group (item, source)
    Moments: the days' squared distance from their group's rate, less what luck alone would bring,
    over what a shock of 1 would bring. Never below 0. By it a large group varies more beyond luck
    than a small one, which one `dispersion` for all cannot say.
    """
    frame = pd.DataFrame({"k": np.asarray(successes, float), "n": np.asarray(trials, float)})
    frame["group"] = np.asarray(groups)
    frame = frame[frame["n"] > 0].dropna(subset=["k", "n"])
    totals = frame.groupby("group")[["k", "n"]].transform("sum")
    share, weight = totals["k"] / totals["n"], frame["n"] / totals["n"]
    expected = share * frame["n"]
    squares = (expected**2).groupby(frame["group"]).transform("sum")
    beyond = (frame["k"] - expected) ** 2 - expected * (1 - share) * (1 - weight)
    of_shock_one = (expected**2 * (1 - 2 * weight) + weight**2 * squares).sum()
    return max(0.0, float(beyond.sum() / of_shock_one)) if of_shock_one > 1e-9 else 0.0


def dispersion_by_group(shock: float, successes, trials, groups) -> pd.Series:
    """How many times more each group's sum varies than by luck alone, for a `day_shock`; at least 1."""
    frame = pd.DataFrame({"k": np.asarray(successes, float), "n": np.asarray(trials, float)})
    frame["group"] = np.asarray(groups)
    totals = frame.groupby("group")[["k", "n"]].transform("sum")
    expected = ratio(totals["k"], totals["n"]) * frame["n"]
    sums = pd.DataFrame({"e": expected, "squares": expected**2}).groupby(frame["group"]).sum()
    return 1 + shock * ratio(sums["squares"], sums["e"]).fillna(0.0)


@dataclass(frozen=True)
class Beta:
    """What rates to expect before looking: a beta distribution with mean a / (a + b)."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """The rate expected before looking."""
        return self.a / (self.a + self.b)

    def mean_after(self, successes, trials):
        """The rate to expect next time, after having seen successes of trials."""
        return (self.a + np.asarray(successes, float)) / (
            self.a + self.b + np.asarray(trials, float)
        )

    def chance_above(self, bar: float, successes, trials):
        """The chance that the true rate is above `bar`, after having seen successes of trials."""
        k, n = np.asarray(successes, float), np.asarray(trials, float)
        return special.betaincc(self.a + k, self.b + n - k, bar)

    def interval(self, successes, trials, level: float = 0.95):
        """Ends between which the true rate lies with chance `level`, having seen successes of trials."""
        k, n = np.asarray(successes, float), np.asarray(trials, float)
        tail = (1 - level) / 2
        a, b = self.a + k, self.b + n - k
        return special.betaincinv(a, b, tail), special.betaincinv(a, b, 1 - tail)


def fit_beta(successes, trials) -> Beta:
    """The beta distribution that a shop's own items' rates come from, by beta-binomial likelihood.

    Items without trials are left out. Where many items differ no more than luck it is nearly as narrow
    as 10,000 trials at their common rate; a few items cannot show how alike they are, so that
    beforehand every 1 / (a + b) is held equally likely, and one item alone counts as two trials.
    Efron & Morris (1975), Journal of the American Statistical Association 70, 311-319.
    """
    k, n = np.asarray(successes, float), np.asarray(trials, float)
    k, n = k[n > 0], n[n > 0]
    mean = (k.sum() + 0.5) / (n.sum() + 1)

    def unlikelihood(parameters: np.ndarray) -> float:
        share, size = special.expit(parameters[0]), np.exp(parameters[1])
        a, b = share * size, (1 - share) * size
        likelihoods = special.betaln(a + k, b + n - k) - special.betaln(a, b)
        return parameters[1] - np.sum(likelihoods)

    if len(k) < 2:
        return Beta(2 * mean, 2 * (1 - mean))
    start = [special.logit(mean), np.log(200.0)]
    bounds = [(start[0] - 4, start[0] + 4), (np.log(2.0), np.log(1e4))]
    fitted = optimize.minimize(unlikelihood, start, method="L-BFGS-B", bounds=bounds).x
    share, size = special.expit(fitted[0]), np.exp(fitted[1])
    return Beta(share * size, (1 - share) * size)


def chosen(chances: pd.Series, wrong: float = 0.10) -> pd.Series:
    """The largest set of the likeliest of which, on average, at most `wrong` are wrong; True for its members.

    Newton, Noueiry, Sarkar & Ahlquist (2004), Biostatistics 5, 155-176.
    """
    ranked = chances.sort_values(ascending=False, kind="stable")
    mean_wrong = (1 - ranked).expanding().mean()
    return (mean_wrong <= wrong).reindex(chances.index)


def false_discovery(p_values: pd.Series) -> pd.Series:
    """Benjamini-Hochberg adjusted p-values; missing ones stay missing and do not count.

    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    tested = p_values.dropna()
    adjusted = stats.false_discovery_control(tested) if len(tested) else []
    return pd.Series(adjusted, tested.index, dtype=float).reindex(p_values.index)


def difference_test(k1, n1, k0, n0, dispersion: float = 1.0) -> np.ndarray:
    """Two-sided p-value that two shares are one and the same (pooled z); missing without trials."""
    k1, n1, k0, n0 = (np.asarray(v, float) / dispersion for v in (k1, n1, k0, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (k1 + k0) / (n1 + n0)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        z = (k1 / n1 - k0 / n0) / np.where(spread > 0, spread, np.nan)
    return 2 * stats.norm.sf(np.abs(z))


def surely_below(successes, trials, bar: float, level: float = 0.95):
    """Whether so few successes would be rarer than 1 - `level` if the true share were `bar` (exact test)."""
    return stats.binom.cdf(successes, trials, bar) <= 1 - level


def ratio_of_sums(parts, wholes, level: float = 0.95) -> tuple[float, float, float]:
    """A ratio of sums over days, such as pages per visitor, with its interval from the days' own spread.

    Delta method: Deng, Knoblich & Lu (2018), KDD '18, 233-242. Without two days the ends are missing.
    """
    part, whole = np.asarray(parts, float), np.asarray(wholes, float)
    value, days = part.sum() / whole.sum(), len(part)
    if days < 2:
        return value, np.nan, np.nan
    spread = np.sqrt(((part - value * whole) ** 2).sum() * days / (days - 1)) / whole.sum()
    half = stats.t.ppf(0.5 + level / 2, days - 1) * spread
    return value, value - half, value + half


def detectable_change(
    rate: float, trials: float, dispersion: float = 1.0, power: float = 0.8, level: float = 0.95
) -> float:
    """The smallest change of a rate, in its own unit, that two periods of `trials` each would show.

    Found with chance `power` by a two-sided test at 1 - `level`.
    """
    z = special.ndtri(0.5 + level / 2) + special.ndtri(power)
    return float(z * np.sqrt(2 * rate * (1 - rate) * dispersion / trials))


def trials_needed(
    rate: float, change: float, dispersion: float = 1.0, power: float = 0.8, level: float = 0.95
) -> float:
    """How many trials each of two periods needs to show a `change` of a `rate` (in its own unit)."""
    return trials_for_mean(np.sqrt(rate * (1 - rate) * dispersion), change, power, level)


def trials_for_mean(
    deviation: float, change: float, power: float = 0.8, level: float = 0.95
) -> float:
    """The same for a mean whose single values have this standard deviation, such as review scores."""
    z = special.ndtri(0.5 + level / 2) + special.ndtri(power)
    return float(2 * (z * deviation / change) ** 2)
