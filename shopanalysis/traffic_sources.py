"""Where visitors come from: how many, how many of them pay, what one is worth, and what moved.

Visits are daily visitors added up, over days and devices ("visits by day"). Only the ends of the source
tree are in the table, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import ParameterError
from shopanalysis.findings import Finding
from shopanalysis.tables import EVENT_LOG, leaf

FREE = ("free search", "free recommendation")
STEERED = (*FREE, "paid", "content", "off-site")  # the others are the shop's own visitors and pages
DOUBT_DAYS = 56  # clean days whose ups and downs widen the intervals
ENOUGH_PAYERS = 10
COUNTS = ["visitors", "payers", "sales"]
BEFORE = [f"{name}_before" for name in COUNTS]
SHOWN = [
    "source", "channel", "visitors_by_day", "visitors_share", "payers", "conversion",
    "low", "high", "sales", "value_per_visitor", "cost_per_visitor", "net_value",
]  # fmt: skip
BY_CHANNEL = ["channel", *SHOWN[2:]]
COUNTED = [
    "channel", *SHOWN[2:6], "range", *SHOWN[8:], "cost", "sales_change", "by_visits", "by_conversion",
    "by_order_value", "by_mix", "by_rate", "visits_usual", "visits_low", "real", "moved_from", "moved_to",
    "visits_moved", "gain", "gain_low", "clicks", "orders", "click_conversion", "value_per_click",
    "net_per_click", "kind", "period_buyers", "item_visits", "visits_index", "weeks",
]  # fmt: skip
TABLES = ["source_day", "shop_day", "ad_day", "item_day", "items", "item_source_day", "orders"]


@dataclass(frozen=True)
class Periods:
    """The `days` days up to `date`, and as many that they are held against."""

    date: pd.Timestamp
    days: int
    then: pd.Timestamp | None  # last of the other days; None where no such stretch is complete
    known: int  # days of the table up to `date`
    busy: int  # campaign days among the days looked at
    passed_over: int  # campaign days among those just before, which is why others were taken
    busy_then: int  # campaign days among the other days

    @property
    def said(self) -> dict[str, object]:
        """Both periods as a caption or a sentence says them."""
        before = self.date - self.days * DAY if self.then is None else self.then
        return {
            "first": self.date - (self.days - 1) * DAY, "last": self.date, "days": self.days,
            "before_first": before - (self.days - 1) * DAY, "before_last": before,
            "busy": self.busy, "passed_over": self.passed_over, "busy_then": self.busy_then,
        }  # fmt: skip


def periods(
    source_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    campaigns: Iterable[Campaign],
    against: str = "clean",
) -> Periods:
    """The days looked at, and those that they are held against.

    against   "before": the `days` just before. "clean": these, or where they hold campaign days the
              last stretch outside campaigns that lies whole weeks earlier.

    Raises ParameterError for another `against`.
    """
    if against not in ("clean", "before"):
        raise ParameterError(f"against is '{against}'; allowed: clean, before.")
    known = pd.DatetimeIndex(source_day["date"].unique())
    busy = calendars.campaign_days(campaigns)

    def stretch(last: pd.Timestamp) -> pd.DatetimeIndex:
        return pd.date_range(last - (days - 1) * DAY, last)

    just_before = date - days * DAY
    weeks = 1 + max((just_before - known.min()).days // 7, 0) if len(known) else 0
    earlier = [just_before - 7 * week * DAY for week in range(weeks)]
    whole = [day for day in earlier if stretch(day).isin(known).all()]
    clean = [day for day in whole if not stretch(day).isin(busy).any()]
    then = next(iter([*clean, *whole] if against == "clean" else {just_before} & set(whole)), None)
    if not stretch(date).isin(known).all():
        then = None
    return Periods(
        date, days, then, len(known[known <= date]),
        int(stretch(date).isin(busy).sum()), int(stretch(just_before).isin(busy).sum()),
        0 if then is None else int(stretch(then).isin(busy).sum()),
    )  # fmt: skip


def counted(source_day: pd.DataFrame, basis: str) -> pd.DataFrame:
    """`source_day` with payers as `basis` counts them; sales are 0 where nobody paid."""
    frame = source_day.rename(columns={rates.payers(basis): "payers"})
    return frame.assign(sales=frame["sales"].mask(frame["payers"] == 0, 0.0))


def doubt(
    source_day: pd.DataFrame, date: pd.Timestamp, campaigns: Iterable[Campaign], basis: str
) -> float:
    """How many times more a source's payers vary from day to day than by luck, on recent clean days."""
    recent = calendars.clean_days(counted(source_day, basis), date, DOUBT_DAYS, campaigns)
    days = recent.groupby(["date", "source"])[["payers", "visitors"]].sum(min_count=1).reset_index()
    return rates.dispersion(days["payers"], days["visitors"], days["source"])


def source_table(
    source_day: pd.DataFrame, periods: Periods, basis: str, dispersion: float = 1.0
) -> pd.DataFrame:
    """One row per source over the period, beside the period before, most visits first (B01).

    source, channel, visitors_by_day (visits added up over days and devices), visitors_share,
    payers, conversion with its 95 % interval low and high, sales (currency), value_per_visitor
    (sales / visits), cost (currency; missing unless the table has it), cost_per_visitor, net_value
    (value less cost of a visit); and visitors_before, payers_before, sales_before,
    conversion_before, missing where there is no period before
    """
    frame = counted(source_day, basis)
    both = _totals(frame, periods.date, periods.days)
    if periods.then is None:
        both[BEFORE] = np.nan
    else:
        before = _totals(frame, periods.then, periods.days)
        both = _side_by_side(both, before)
    names = frame.groupby("source")["channel"].first()
    return (
        rated(both.rename(columns={"visitors": "visitors_by_day"}), dispersion)
        .assign(channel=names, conversion_before=rates.ratio(both["payers_before"], both["visitors_before"]))
        .sort_values("visitors_by_day", ascending=False, kind="stable")
        .rename_axis("source")
        .reset_index()
    )  # fmt: skip


def key_figures(sources: pd.DataFrame) -> pd.DataFrame:
    """All sources together, as display.key_figures takes them: metric, value, before."""
    now = _all_sources(sources, ("visitors_by_day", "payers", "sales"))
    then = _all_sources(sources, ("visitors_before", "payers_before", "sales_before"))
    return pd.DataFrame({"value": now, "before": then}).rename_axis("metric").reset_index()


def _all_sources(sources: pd.DataFrame, names: tuple[str, str, str]) -> pd.Series:
    visits, payers, sales = (sources[name].sum(skipna=False) for name in names)
    return pd.Series({
        "sales": sales, "visitors_by_day": visits, "conversion": rates.ratio(payers, visits),
        "value_per_visitor": rates.ratio(sales, visits),
    })  # fmt: skip


def _totals(frame: pd.DataFrame, date: pd.Timestamp, days: int) -> pd.DataFrame:
    """Sums by source; one that is missing on any row stays missing, except cost."""
    by = calendars.last_days(frame, date, days).groupby("source")
    return by[COUNTS].sum(skipna=False).assign(cost=by["cost"].sum(min_count=1))


def _side_by_side(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Both periods' sums; a source without a row in one has 0 there, a number missing there stays so."""
    sources = now.index.union(before.index)
    then = before[COUNTS].set_axis(BEFORE, axis=1).reindex(sources, fill_value=0.0)
    return now[COUNTS].reindex(sources, fill_value=0.0).join(now["cost"]).join(then)


def rated(totals: pd.DataFrame, dispersion: float) -> pd.DataFrame:
    """Sums of visitors_by_day, payers, sales and cost with the rates that follow from them."""
    low, high = rates.interval(totals["payers"], totals["visitors_by_day"], dispersion=dispersion)
    value = rates.ratio(totals["sales"], totals["visitors_by_day"])
    cost = rates.ratio(totals["cost"], totals["visitors_by_day"])
    return totals.assign(
        visitors_share=rates.ratio(totals["visitors_by_day"], totals["visitors_by_day"].sum()),
        conversion=rates.ratio(totals["payers"], totals["visitors_by_day"]),
        low=low, high=high,
        value_per_visitor=value, cost_per_visitor=cost, net_value=value - cost,
    )  # fmt: skip


def shown(sources: pd.DataFrame, columns: Sequence[str] = tuple(SHOWN)) -> pd.DataFrame:
    """The columns of `sources` to show, without those of cost where no cost is known."""
    silent = {"cost", "cost_per_visitor", "net_value"} & set(sources.columns[sources.isna().all()])
    return sources[[column for column in columns if column not in silent]]


def shop_rate(sources: pd.DataFrame) -> float:
    """Payers / visits over all sources whose payers are known: what each source is held against."""
    known = sources.dropna(subset=["payers"])
    return float(rates.ratio(known["payers"].sum(), known["visitors_by_day"].sum()))


def channel_table(
    sources: pd.DataFrame, ad_cost: float | None, dispersion: float = 1.0
) -> pd.DataFrame:
    """The same by channel, most visits first (B03).

    ad_cost   the advertising report's spend: the paid channel's cost where the sources have none
    """
    sums = ["visitors_by_day", "payers", "sales", "cost"]
    totals = sources[sources["visitors_by_day"] > 0].groupby("channel")[sums].sum(min_count=1)
    if ad_cost is not None and "paid" in totals.index and totals["cost"].isna().all():
        totals.loc["paid", "cost"] = ad_cost
    table = rated(totals, dispersion)
    return table.sort_values("visitors_by_day", ascending=False, kind="stable").reset_index()


def ad_cost(ad_day: pd.DataFrame, date: pd.Timestamp, days: int) -> float | None:
    """Advertising spend over the last `days` days (currency); None when there is no ad report."""
    spent = calendars.last_days(ad_day, date, days)["cost"]
    return float(spent.sum()) if spent.notna().any() else None


def comparable(sources: pd.DataFrame, sales: bool = True) -> pd.DataFrame:
    """The sources whose visits and payers, and `sales` if asked, are known in both periods."""
    counts = ["visitors_by_day", "payers", "visitors_before", "payers_before"]
    return sources.dropna(subset=counts + ["sales", "sales_before"] * sales)


def best_source(sources: pd.DataFrame, dispersion: float = 1.0) -> list[Finding]:
    """The source the shop can steer that pays most surely above all others together (B01).

    Nothing where no source's payers are known.
    """
    sources = sources.dropna(subset=["payers"])
    if sources.empty:
        return []
    totals = sources[["payers", "visitors_by_day"]].sum()
    others = (
        totals["payers"] - sources["payers"],
        totals["visitors_by_day"] - sources["visitors_by_day"],
    )
    p = pd.Series(
        rates.difference_test(sources["payers"], sources["visitors_by_day"], *others, dispersion),
        sources.index,
    )
    sure = rates.false_discovery(p.where(sources["channel"].isin(STEERED))) <= 0.05
    shop, visits = shop_rate(sources), totals["visitors_by_day"]
    sure &= (sources["conversion"] > shop) & (sources["payers"] >= ENOUGH_PAYERS)
    if not sure.any():
        return [Finding(
            "best_source", "info", "conversion", "no_best_source", shop, "share", n=visits,
            rule="B01", values={"shop": shop, "visitors": visits},
        )]  # fmt: skip
    best = sources.loc[sources["conversion"].where(sure).idxmax()]
    return [Finding(
        "best_source", "good", "conversion", "best_source", best["conversion"], "share",
        baseline=shop, low=best["low"], high=best["high"], n=best["visitors_by_day"],
        owner="promotion", action="more_of_source", rule="B01",
        values={"source": leaf(best["source"]), "rate": best["conversion"], "low": best["low"],
                "high": best["high"], "shop": shop, "visitors": best["visitors_by_day"]},
    )]  # fmt: skip


def unmapped(sources: pd.DataFrame, much: float) -> list[Finding]:
    """Sources that no channel is known for, with their share of visits (N01); a warning above `much`."""
    names = sources[(sources["channel"] == "unmapped") & (sources["visitors_by_day"] > 0)]
    share = names["visitors_share"].sum()
    if names.empty:
        return []
    return [Finding(
        "unmapped_sources", "warning" if share > much else "info", "visitors_share",
        "unmapped", share, "share", n=sources["visitors_by_day"].sum(), owner="promotion",
        action="map_sources", rule="N01",
        values={"share": share, "names": [leaf(name) for name in names["source"][:3]]},
    )]  # fmt: skip


def overlap(shop_day: pd.DataFrame, source_day: pd.DataFrame, periods: Periods) -> list[Finding]:
    """How many of the sources' visitors another source counts too; nothing unless a log tells (B01).

    Only rows of an event log are compared: exports state each source by a rule of the platform's own.
    """
    of_log = [frame[frame["source_file"].eq(EVENT_LOG)] for frame in (shop_day, source_day)]
    whole, by_source = (_whole(frame, periods) for frame in of_log)
    if whole.empty or by_source.empty:
        return []
    days = whole.index.intersection(by_source.index)
    people, counted = whole[days].sum(), by_source[days].sum()
    more = max(counted - people, 0.0)
    return [Finding(
        "source_overlap", "info", "visitors_by_day", "source_overlap", more, "people", n=people, rule="B01",
        values={"more": more, "counted": counted, "people": people, "days": len(days)},
    )]  # fmt: skip


def _whole(frame: pd.DataFrame, periods: Periods) -> pd.Series:
    """Visitors of all devices by day of the period, added up over sources."""
    period = calendars.last_days(frame[frame["device"] == "all"], periods.date, periods.days)
    return period.groupby("date")["visitors"].sum(min_count=1).dropna()


def free_and_paid(channels: pd.DataFrame) -> list[Finding]:
    """How many visits are free and how many are paid, and whether a paid one earns its cost (B03)."""
    by = channels.set_index("channel")
    paid = by.loc["paid"] if "paid" in by.index else None
    if paid is None:
        return []
    free = by["visitors_share"].reindex(list(FREE)).sum()
    text = "free_and_paid_no_cost" if pd.isna(paid["cost_per_visitor"]) else "free_and_paid"
    text = "free_and_paid_visits" if pd.isna(paid["value_per_visitor"]) else text
    values = {"free": free, "paid": paid["visitors_share"], "value": paid["value_per_visitor"],
              "cost": paid["cost_per_visitor"], "net": paid["net_value"]}  # fmt: skip
    return [Finding(
        "free_and_paid", "info", "visitors_share", text, free,
        "share", n=channels["visitors_by_day"].sum(), rule="B03", values=values,
    )]  # fmt: skip


def checks(
    sources: pd.DataFrame, channels: pd.DataFrame, moved: pd.DataFrame, change: float
) -> list[tuple[str, float, float]]:
    """Sums that must agree, as (name, one, other); the change only where there are two periods."""
    visits = channels["visitors_by_day"].sum(), sources["visitors_by_day"].sum()
    parts = [("sources_add_up", moved["sales_change"].sum(), change)] if pd.notna(change) else []
    return [*parts, ("channels_add_up", *visits)]
