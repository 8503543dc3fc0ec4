"""What is usual for a day by the same weekdays before it, and whether a day surely differs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import special

from shopanalysis.calendars import USUAL_WEEKS, Campaign, campaign_days, precedent

FEWEST_WEEKS = 5
WEEKS_BACK = 13  # and none of them is older
SPREAD_DAYS = 182  # days that say how much days differ, at most
FEWEST_DAYS = 21
ALARM = 3.0  # spreads away from the usual
# Where days are as wild as Student's t with 5 degrees of freedom, ALARM is passed on 7 of 1000.
WILD = ALARM * special.stdtrit(5, 0.975) / special.stdtrit(5, 0.9965)


def usual(
    daily: pd.DataFrame, metric: str, campaigns: Iterable[Campaign], weeks: int = USUAL_WEEKS
) -> pd.DataFrame:
    """What is usual for each day: the same weekday in the weeks before it, campaigns left out.

    daily   date, `metric` (0 or more); one row per day

    Per row of `daily`:
        usual       median of the last `weeks` clean same weekdays of WEEKS_BACK weeks, times how far
                    clean days of the last half year lay above theirs (growth)
        usual_low, usual_high   between them lie at least 95 of 100 quiet days
        spread      of quiet days around the usual, on the log scale
        z           how many spreads the day is away; beyond ALARM on at most 1 of 100 quiet days
    usual is missing with fewer than FEWEST_WEEKS same weekdays, or where they are 0; the others also
    where fewer than FEWEST_DAYS days have a usual, or more than one in twenty of them sold nothing.

    A spread of few same weekdays would be too noisy: it is pooled over the days, 1.4826 MAD (Iglewicz
    & Hoaglin 1993, How to Detect and Handle Outliers) or more where days are wilder than that says.
    """
    values = daily.set_index("date")[metric].astype(float).asfreq("D")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values)
        clean = logs.where(~logs.index.isin(campaign_days(campaigns)))
        level, known = _same_weekdays(clean, weeks)
        wider = np.sqrt(1 + np.pi / (2 * known))  # by the variance of a median of so few
        centre, spread = _pooled((clean - level) / wider)
        z = ((logs - level) / wider - centre) / spread
        middle = np.exp(level + wider * np.nan_to_num(centre))
        reach = np.exp(special.ndtri(0.975) * wider * spread)
    described = pd.DataFrame(
        {
            "usual": middle,
            "usual_low": middle / reach,
            "usual_high": middle * reach,
            "spread": wider * spread,
            "z": z.clip(-99, 99),
        }
    )
    return described.reindex(daily["date"]).reset_index(drop=True)


def _same_weekdays(clean: pd.Series, weeks: int) -> tuple[pd.Series, pd.Series]:
    """Median of each day's earlier same weekdays, missing where too few or 0; and how many there are."""
    padded = np.concatenate([np.full(7 * WEEKS_BACK, np.nan), clean.to_numpy()])
    past = np.lib.stride_tricks.sliding_window_view(padded, 7 * WEEKS_BACK)[:-1, ::7][:, ::-1]
    past = np.where((~np.isnan(past)).cumsum(axis=1) <= weeks, past, np.nan)
    known = (~np.isnan(past)).sum(axis=1)
    (level,) = _quantiles(past, 0.5)
    level[(known < FEWEST_WEEKS) | ~(level > -np.inf)] = np.nan
    return pd.Series(level, clean.index), pd.Series(known, clean.index)


def _pooled(deviations: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Middle and spread of the deviations of the SPREAD_DAYS days before each day."""
    padded = np.concatenate([np.full(SPREAD_DAYS, np.nan), deviations.to_numpy()])
    before = np.lib.stride_tricks.sliding_window_view(padded, SPREAD_DAYS)[:-1]
    centre, spread = np.full((2, len(deviations)), np.nan)
    enough = (~np.isnan(before)).sum(axis=1) >= FEWEST_DAYS
    if enough.any():
        (centre[enough],) = _quantiles(before[enough], 0.5)
        away = np.abs(before[enough] - centre[enough, None])
        middle, far = _quantiles(away, 0.5, 0.95)
        spread[enough] = np.maximum(1.4826 * middle, far / WILD)
    return centre, np.where(np.isfinite(spread), spread, np.nan)


def _quantiles(rows: np.ndarray, *shares: float) -> list[np.ndarray]:
    """np.nanquantile of each row, missing for a row that is; all rows at once, so many times faster."""
    ordered = np.sort(rows, axis=1)
    last = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0)[:, None]
    quantiles = []
    for share in shares:
        place = last * share
        low = place.astype(int)
        below, above = (
            np.take_along_axis(ordered, np.minimum(low + more, last), axis=1) for more in (0, 1)
        )
        part = place - low
        exact = (below == above) | (part == 0)
        between = np.where(exact, below, below * (1 - part) + above * part)
        quantiles.append(between[:, 0])
    return quantiles


def judged(z: float, in_campaign: bool) -> str:
    """Whether a day rose or fell by more than luck; no, campaign (nothing usual there), or unknown."""
    if np.isnan(z):
        return "unknown"
    if in_campaign:
        return "campaign"
    return "no" if abs(z) < ALARM else "rose" if z > 0 else "fell"


def chance(z: float) -> float:
    """How seldom a quiet day is so many spreads away, with days as wild as said at WILD."""
    return float(2 * special.stdtr(5, -abs(z) / ALARM * special.stdtrit(5, 0.9965)))


def findable_fall(spread: float, power: float = 0.8) -> float:
    """The smallest fall, as a share of the usual, that raises an alarm with chance `power`."""
    return 1 - float(np.exp(-(ALARM + special.ndtri(power)) * spread))


def campaign_factor(
    sales: pd.Series, campaigns: Iterable[Campaign], days: pd.DatetimeIndex
) -> pd.Series:
    """Per day of `days`: mean sales of the last such phase of such a campaign over what was usual then.

    sales   by day; only campaigns that ended within it are known
    Of several stretches of one phase, the one nearest to the same time of year counts.
    Of the first of its kind what the shop says of it; 1 where it says nothing, and outside campaigns.
    """
    campaigns = list(campaigns) if len(sales) else []
    daily = sales.rename_axis("date").reset_index(name="sales")
    lift = sales / usual(daily, "sales", campaigns)["usual"].set_axis(sales.index)
    lifts = {c: lift.reindex(c.days).mean() for c in campaigns if c.end <= sales.index[-1]}
    factor = pd.Series(1.0, days)
    for campaign in campaigns:
        alike = precedent(campaign, [c for c, value in lifts.items() if pd.notna(value)])
        known = lifts[alike] if alike else campaign.lift
        if known is not None:
            factor[days.intersection(campaign.days)] = known
    return factor
