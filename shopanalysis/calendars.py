"""Days: windows that end on a date, campaigns, and what is usual for a weekday."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from shopanalysis import tables

DAY = pd.Timedelta(days=1)
USUAL_WEEKS = 8  # same weekdays that say what is usual, at most
FEWEST_WEEKS = 5
SURELY_CUT = 10  # orders still to come: by luck alone none of them on 1 day of 20,000
FEWEST_TIMED = 4  # same weekdays that say when a day's orders end
WEEKS_BACK = 13  # and none of them is older
SPREAD_DAYS = 182  # days that say how much days differ, at most
FEWEST_DAYS = 21
ALARM = 3.0  # spreads away from the usual
# Where days are as wild as Student's t with 5 degrees of freedom, ALARM is passed on 7 of 1000.
WILD = ALARM * special.stdtrit(5, 0.975) / special.stdtrit(5, 0.9965)


@dataclass(frozen=True)
class Campaign:
    """A named stretch of days on which the shop does not sell as usual.

    lift   what the shop says of the first of its kind: its sales over an ordinary day's, and
           between what it should be 8 times in 10; None: not said
    """

    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    phase: str = "event"  # preheat, event or tail
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None

    @property
    def days(self) -> pd.DatetimeIndex:
        """Every day of it, first and last included."""
        return pd.date_range(self.start, self.end)


@dataclass(frozen=True)
class Change:
    """Something that was changed on an item's page or main image on a day: shop.toml's [[changes]]."""

    date: pd.Timestamp
    item_id: str
    what: str


def campaign_days(campaigns: Iterable[Campaign]) -> pd.DatetimeIndex:
    """All days that belong to any campaign."""
    days = [campaign.days for campaign in campaigns]
    return days[0].append(days[1:]).unique().sort_values() if days else pd.DatetimeIndex([])


def last_days(frame: pd.DataFrame, date: pd.Timestamp, days: int) -> pd.DataFrame:
    """The rows of the `days` days that end on `date`, included."""
    return frame[(frame["date"] > date - days * DAY) & (frame["date"] <= date)]


def clean_days(
    frame: pd.DataFrame, date: pd.Timestamp, days: int, campaigns: Iterable[Campaign]
) -> pd.DataFrame:
    """The rows of the last `days` days up to `date` that lie outside every campaign."""
    frame = frame[(frame["date"] <= date) & ~frame["date"].isin(campaign_days(campaigns))]
    kept = frame["date"].drop_duplicates().nlargest(days)
    return frame[frame["date"].isin(kept)]


def orders_missing(orders: pd.DataFrame, date: pd.Timestamp) -> float:
    """How many orders `date` still had to come after its last one, as of a file made before its end.

    orders   created_at

    By what the same weekday of the eight weeks before took after that time of day, times how busy the
    day was until then. Missing without orders that day, or with fewer than FEWEST_TIMED such days.
    """
    placed = pd.DataFrame({"at": orders["created_at"].dropna()})
    placed["day"] = placed["at"].dt.normalize()
    placed = placed[placed["day"].isin(date - 7 * DAY * np.arange(USUAL_WEEKS + 1))]
    today = placed["day"] == date
    if not today.any() or placed.loc[~today, "day"].nunique() < FEWEST_TIMED:
        return np.nan
    time = placed["at"] - placed["day"]
    later = time > time[today].max()
    until = (~later & ~today).sum() / placed.loc[~today, "day"].nunique()
    return float(later.sum() / placed.loc[~today, "day"].nunique() * today.sum() / max(until, 1.0))


def cut_short(shop_day: pd.DataFrame, orders: pd.DataFrame, date: pd.Timestamp) -> bool:
    """Whether the figures of `date` were counted from orders of which the last are surely still to come.

    shop_day   date, device, source_file     orders   created_at; may be empty
    """
    row = shop_day[(shop_day["date"] == date) & (shop_day["device"] == "all")]
    counted = (row["source_file"] == tables.DERIVED).any()
    return bool(counted and orders_missing(orders, date) > SURELY_CUT)


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


def a_year_before(date: pd.Timestamp, campaigns: Iterable[Campaign]) -> tuple[pd.Timestamp, str]:
    """The day of the year before that `date` can be held against, and how it is chosen.

    "campaign"   the same day of the same phase of the same campaign, wherever the moon or the
                 platform put it then, counted from its nearer end
    "weekday"    the same weekday nearest to 364 days before, outside campaigns
    """
    campaigns = list(campaigns)
    for now in (c for c in campaigns if c.start <= date <= c.end):
        alike = [c for c in campaigns if _repeats(now, c) and _a_year_apart(now, c) <= 60]
        if alike:
            days = [_same_day_of(then, date, now) for then in alike]
            return min(days, key=lambda day: abs((date - day).days - 365)), "campaign"
    weekdays = [date - 7 * week * DAY for week in (52, 51, 53, 50, 54)]
    outside = [day for day in weekdays if day not in campaign_days(campaigns)]
    return (outside or weekdays)[0], "weekday"


def _same_day_of(then: Campaign, date: pd.Timestamp, now: Campaign) -> pd.Timestamp:
    passed, left = date - now.start, now.end - date
    if passed <= left:
        return min(then.start + passed, then.end)
    return max(then.end - left, then.start)


def _a_year_apart(campaign: Campaign, earlier: Campaign) -> int:
    return abs((campaign.start - earlier.start).days - 365)


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


def precedent(campaign: Campaign, earlier: Iterable[Campaign]) -> Campaign | None:
    """Of `earlier` ones the same phase of the same campaign, nearest in the time of year; then the latest."""
    past = [c for c in earlier if _repeats(campaign, c)]
    return min(past, key=lambda c: (_apart_in_the_year(campaign, c), -c.end.value), default=None)


def _repeats(campaign: Campaign, earlier: Campaign) -> bool:
    same = (campaign.name, campaign.phase) == (earlier.name, earlier.phase)
    return same and earlier.end < campaign.start


def _apart_in_the_year(campaign: Campaign, earlier: Campaign) -> int:
    days = (campaign.start - earlier.start).days % 365
    return min(days, 365 - days)
