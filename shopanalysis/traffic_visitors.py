"""Who the visitors are: new or returning, what they meet first, and on which weekdays they come."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates, usual_days
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf
from shopanalysis.traffic_sources import DOUBT_DAYS, Periods

KINDS = [
    "kind", "visitors_by_day", "visitors_share", "visitors_share_before",
    "period_buyers", "sales", "order_value",
]  # fmt: skip
RHYTHM = ["weekday", "visits_index", "low", "high", "weeks"]
FEWEST_DAYS = 14  # for a correlation over days
FEWEST_WEEKS = 3
CALENDAR_WEEKS = 26


def visitor_kinds(shop_day: pd.DataFrame, orders: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """New and returning: visitors by day and people who bought over the period (B05).

    kind (new, returning), visitors_by_day, visitors_share, visitors_share_before, period_buyers
    (each person once; new: whose first paid order of the files lies in the period), sales (what
    they paid), order_value (sales / period_buyers). Missing where a table lacks it; empty without any.
    """
    known = shop_day[shop_day["device"] == "all"].dropna(subset=["visitors", "new_visitors"])
    visitors = _split(known, periods.date, periods.days)
    before = _split(known, periods.then, periods.days)
    table = pd.DataFrame({
        "visitors_by_day": visitors, "visitors_share": rates.ratio(visitors, visitors.sum()),
        "visitors_share_before": rates.ratio(before, before.sum()),
    }).join(_bought(orders, periods))  # fmt: skip
    table["order_value"] = rates.ratio(table["sales"], table["period_buyers"])
    return table.dropna(how="all").rename_axis("kind").reset_index()[KINDS]


def _split(known: pd.DataFrame, date: pd.Timestamp | None, days: int) -> pd.Series:
    """Visitors of the period by kind; missing unless every day is known."""
    period = known.head(0) if date is None else calendars.last_days(known, date, days)
    if len(period) < days:
        return pd.Series(np.nan, ["new", "returning"])
    new = period["new_visitors"].sum()
    return pd.Series({"new": new, "returning": period["visitors"].sum() - new})


def _bought(orders: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """Buyers and what they paid in the period, by whether they had paid before."""
    paid = orders.dropna(subset=["paid_at", "buyer_key"])
    paid = paid[paid["paid_at"] < periods.date + DAY]
    start = periods.date - (periods.days - 1) * DAY
    if paid.empty or paid["paid_at"].min() >= start:  # nothing earlier is known
        return pd.DataFrame(np.nan, ["new", "returning"], ["period_buyers", "sales"])
    first = paid.groupby("buyer_key")["paid_at"].transform("min")
    kind = np.where(first >= start, "new", "returning")
    now = paid.assign(kind=kind)[paid["paid_at"] >= start].groupby("kind")
    counts = now.agg(period_buyers=("buyer_key", "nunique"), sales=("paid", "sum"))
    return counts.reindex(["new", "returning"], fill_value=0.0)


def new_and_returning(kinds: pd.DataFrame) -> list[Finding]:
    """How many visits are by new visitors, and how many who paid had paid before (B05)."""
    by = kinds.set_index("kind").reindex(["new", "returning"])
    new, buyers = by.loc["new"], by["period_buyers"]
    if by.isna().all(axis=None):
        return []
    both = pd.notna(new["visitors_share"]) and buyers.notna().all()
    text = (
        "new_and_returning"
        if both
        else "new_visitors"
        if pd.notna(new["visitors_share"])
        else "repeat_buyers"
    )
    values = {"new": new["visitors_share"], "before": new["visitors_share_before"],
              "visitors": by["visitors_by_day"].sum(), "buyers": buyers.sum(),
              "repeat": rates.ratio(buyers["returning"], buyers.sum())}  # fmt: skip
    return [Finding(
        "new_and_returning", "info", "visitors_share", text, new["visitors_share"], "share",
        baseline=new["visitors_share_before"], n=by["visitors_by_day"].sum(min_count=1), rule="B05",
        values=values,
    )]  # fmt: skip


def cost_claim(source_day: pd.DataFrame, periods: Periods, claimed: float) -> Finding:
    """Whether a new visitor costs `claimed` times a returning one, where both costs are known (B05)."""
    costs = calendars.last_days(source_day, periods.date, periods.days).dropna(subset=["cost"])
    returning = costs["channel"] == "direct/returning"
    sides = [costs[~returning].groupby("date"), costs[returning].groupby("date")]
    daily = [side[["cost", "visitors"]].sum() for side in sides]
    if any(len(side) < 2 or not side["cost"].sum() or not side["visitors"].sum() for side in daily):
        return Finding("cost_claim", "info", "cost_per_visitor", "cost_claim_unknown", baseline=claimed,
                       unit="times", rule="B05_cost", values={"claimed": claimed})  # fmt: skip
    new, old = (rates.ratio_of_sums(side["cost"], side["visitors"]) for side in daily)
    times = new[0] / old[0]
    reach = np.exp(np.hypot(new[2] / new[0] - 1, old[2] / old[0] - 1))
    low, high = times / reach, times * reach
    text = "cost_claim_fits" if low <= claimed <= high else "cost_claim_differs"
    return Finding(
        "cost_claim", "info", "cost_per_visitor", text, times, "times", baseline=claimed,
        low=low, high=high, n=sum(side["visitors"].sum() for side in daily), rule="B05_cost",
        values={"times": times, "low": low, "high": high, "claimed": claimed},
    )  # fmt: skip


def pages_of_regulars(
    shop_day: pd.DataFrame, date: pd.Timestamp, campaigns: Iterable[Campaign]
) -> list[Finding]:
    """Whether days with more returning visitors bounce less and see more pages (B10)."""
    whole = shop_day[shop_day["device"] == "all"]
    needed = ["visitors", "new_visitors", "bounce_rate", "page_views"]
    days = calendars.clean_days(whole.dropna(subset=needed), date, DOUBT_DAYS, campaigns)
    if len(days) < FEWEST_DAYS:
        return []
    returning = 1 - days["new_visitors"] / days["visitors"]
    bounce = _correlation(returning, days["bounce_rate"])
    depth = _correlation(returning, days["page_views"] / days["visitors"])
    sure = bounce[2] < 0 or depth[1] > 0
    return [Finding(
        "pages_of_regulars", "info", "bounce_rate", "regulars_sure" if sure else "regulars_unsure",
        bounce[0], "correlation", baseline=0.0, low=bounce[1], high=bounce[2], n=len(days), rule="B10",
        values={"days": len(days), "bounce": bounce[0], "bounce_low": bounce[1], "bounce_high": bounce[2],
                "depth": depth[0], "depth_low": depth[1], "depth_high": depth[2]},
    )]  # fmt: skip


def _correlation(one: pd.Series, other: pd.Series) -> tuple[float, float, float]:
    """Spearman's correlation with its 95 % interval.

    Fieller, Hartley & Pearson (1957), Biometrika 44, 470-481.
    """
    found = one.rank().corr(other.rank())
    half = 1.96 * np.sqrt(1.06 / (len(one) - 3))
    middle = np.arctanh(np.clip(found, -0.9999, 0.9999))
    return found, float(np.tanh(middle - half)), float(np.tanh(middle + half))


def landing(
    item_source_day: pd.DataFrame, source_day: pd.DataFrame, periods: Periods
) -> pd.DataFrame:
    """Where visits to item pages come from, by channel, most first (B09).

    channel, item_visits (visitors of items by day, added up), visitors_share
    """
    by_path = source_day.groupby("source")["channel"].first()
    channels = pd.concat([by_path, by_path.rename(index=leaf)])
    channels = channels[~channels.index.duplicated()]
    visits = calendars.last_days(item_source_day, periods.date, periods.days)
    channel = visits["source"].map(channels).fillna("unmapped").rename("channel")
    sums = visits.groupby(channel)["visitors"].sum(min_count=1).rename("item_visits").reset_index()
    share = rates.ratio(sums["item_visits"], sums["item_visits"].sum())
    table = sums.assign(visitors_share=share)
    return table.sort_values("item_visits", ascending=False, kind="stable").reset_index(drop=True)


def first_page(landing: pd.DataFrame) -> list[Finding]:
    """How many visits to item pages come straight from outside the shop (B09)."""
    visits = landing["item_visits"].sum()
    if not visits:
        return []
    inside = landing.loc[landing["channel"] == "in-shop", "item_visits"].sum()
    straight = 1 - inside / visits
    return [Finding(
        "first_page", "info", "visitors_share", "item_pages_first" if straight > 0.5 else "home_first",
        straight, "share", baseline=0.5, n=visits, rule="B09",
        values={"straight": straight, "inside": inside / visits, "visits": visits},
    )]  # fmt: skip


def shop_visits(shop_day: pd.DataFrame, source_day: pd.DataFrame) -> pd.Series:
    """Visits by day: the shop's visitors, or where they are not known those of all sources together."""
    whole = shop_day[shop_day["device"] == "all"].set_index("date")["visitors"].dropna()
    sources = source_day.groupby("date")["visitors"].sum(min_count=1).dropna()
    return whole if len(whole) else sources


def last_weeks(visits: pd.Series, date: pd.Timestamp) -> pd.DataFrame:
    """The visits of the last CALENDAR_WEEKS weeks up to `date`: date, visitors."""
    first = date - pd.Timedelta(days=7 * CALENDAR_WEEKS + date.day_of_week - 7)
    return visits[first:date].rename("visitors").rename_axis("date").reset_index()


def rhythm(visits: pd.Series, date: pd.Timestamp, campaigns: Iterable[Campaign]) -> pd.DataFrame:
    """How visits lie over the week, on the last clean whole weeks (B20).

    visits   by day

    weekday (its last date), visits_index (visits / those of the mean day of their week), its 95 %
    interval low and high by the weeks, weeks (count); empty with fewer than FEWEST_WEEKS
    """
    busy = calendars.campaign_days(campaigns)
    ends = [date - 7 * week * DAY for week in range(usual_days.WEEKS_BACK)]
    weeks = [pd.date_range(end - 6 * DAY, end) for end in ends]
    clean = [w for w in weeks if w.isin(visits.index).all() and not w.isin(busy).any()]
    clean = [week for week in clean if visits[week].sum() > 0]
    clean = clean[: calendars.USUAL_WEEKS]
    if len(clean) < FEWEST_WEEKS:
        return pd.DataFrame(columns=RHYTHM)
    grid = np.array([visits[week] for week in clean])
    indices = [rates.ratio_of_sums(day, grid.mean(axis=1)) for day in grid.T]
    table = pd.DataFrame(indices, columns=["visits_index", "low", "high"])
    table = table.assign(weekday=weeks[0], weeks=len(clean))
    return table.sort_values("weekday", key=lambda day: day.dt.day_of_week).reset_index(drop=True)[
        RHYTHM
    ]


def weekdays(rhythm: pd.DataFrame, weeks_needed: int = FEWEST_WEEKS) -> Finding:
    """The weekday with most visits and the one with fewest (B20)."""
    if rhythm.empty:
        return Finding("weekdays", "info", "visits_index", "no_rhythm", rule="B20",
                       values={"needed": weeks_needed})  # fmt: skip
    best, least = (
        rhythm.loc[i] for i in (rhythm["visits_index"].idxmax(), rhythm["visits_index"].idxmin())
    )
    sure = best["low"] > 1 and least["high"] < 1
    return Finding(
        "weekdays", "info", "visits_index", "rhythm" if sure else "rhythm_flat", best["visits_index"],
        "share", baseline=1.0, low=best["low"], high=best["high"], n=best["weeks"], rule="B20",
        values={"best": best["weekday"], "index": best["visits_index"], "low": best["low"],
                "high": best["high"], "least": least["weekday"], "least_index": least["visits_index"],
                "weeks": best["weeks"]},
    )  # fmt: skip
