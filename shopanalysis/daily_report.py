"""The day: ten columns, on target or not, what moved sales, which source, and at what cost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import bridge, calendars, rates, usual_days
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import DataError
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf

TEN_COLUMNS = [
    "date", "page_views", "visitors", "sales", "units",
    "conversion", "order_value", "dsr", "depth", "bounce_rate",
]  # fmt: skip
SCORES = ["dsr_item", "dsr_service", "dsr_logistics"]
WEEK = 7 * DAY
# Sentences of the day: with all factors, with the order value alone, with neither, without a usual.
DAY_TEXTS = {
    "day_target": ("day_target", "day_target_paid", "day_target_alone", "day_target_only"),
    "day_usual": ("day_usual", "day_usual_paid", "day_usual_alone", "day_no_usual"),
}
# Sentences of a bridge, more and less: by all factors, and by payers and order value.
BRIDGE_TEXTS = {
    "sales_bridge": (("bridge_up", "bridge_down"), ("bridge_up_paid", "bridge_down_paid")),
    "year_bridge": (("year_up", "year_down"), ("year_up_paid", "year_down_paid")),
}
PANELS = ("visitors", "conversion", "order_value", "bounce_rate")
MOVED = [
    "source", "visitors", "visitors_change", "sales_change", "real", "by_visits", "by_conversion",
    "by_order_value", "z",
]  # fmt: skip


def shop_days(shop_day: pd.DataFrame) -> pd.DataFrame:
    """The rows for the whole shop, one per day."""
    return shop_day[shop_day["device"] == "all"].reset_index(drop=True)


def daily_table(shop_day: pd.DataFrame, basis: str, days: int) -> pd.DataFrame:
    """The last `days` days, newest first: the ten columns of a Taobao daily report (A01).

    date, page_views, visitors, sales (currency), units, conversion (payers / visitors), order_value
    (sales / payers), dsr (mean of the three scores), depth (pages / visitor), bounce_rate
    """
    day = shop_days(shop_day)
    payers = rates.payers_of(day, basis)
    return (
        day.assign(
            conversion=rates.ratio(payers, day["visitors"]),
            order_value=rates.ratio(day["sales"], payers),
            dsr=day[SCORES].mean(axis=1, skipna=False),
            depth=rates.ratio(day["page_views"], day["visitors"]),
        )
        .nlargest(days, "date")[TEN_COLUMNS]
        .reset_index(drop=True)
    )


def key_figures(told: pd.DataFrame, by_day: pd.DataFrame) -> pd.DataFrame:
    """The day's sales and their factors, as display.key_figures takes them.

    told    of alarms.against_usual   by_day   of alarms.by_day: what the history is of
    """
    shown = ["sales", *bridge.FACTORS, "payers", "orders"]
    rows = told[told["metric"].isin(shown)].rename(columns={"this_day": "value"})
    history = [by_day[metric].tolist() for metric in rows["metric"]]
    return rows[["metric", "value", "usual", "change", "real"]].assign(history=history)


def panels(
    shop_day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, basis: str, days: int
) -> pd.DataFrame:
    """The metrics PANELS over the `days` days up to `date`: date, metric, value, usual_low, usual_high.

    Payers or orders stand first where no visitors are counted.
    """
    campaigns = list(campaigns)
    until = shop_day[shop_day["date"] <= date]
    paid = rates.payers_of(shop_days(until).set_index("date"), basis)
    whole = daily_table(until, basis, len(until)).iloc[::-1]
    whole = whole.assign(**{paid.name: whole["date"].map(paid)})
    shown = PANELS if whole["visitors"].notna().any() else (paid.name, *PANELS)
    parts = []
    for metric in shown:
        known = whole[["date", metric]].dropna().reset_index(drop=True)
        usual = usual_days.usual(known, metric, campaigns)[["usual_low", "usual_high"]]
        panel = pd.concat([known.rename(columns={metric: "value"}), usual], axis=1).tail(days)
        parts.append(panel.assign(metric=metric))
    return pd.concat(parts, ignore_index=True)


def last_days_with_usual(
    shop_day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """Sales of the `days` days up to `date`, and what is usual: date, sales, then as usual_days.usual.

    Raises DataError when the shop has no sales for `date`.
    """
    day = shop_days(shop_day)[["date", "sales"]].dropna()
    if date not in set(day["date"]):
        last = (
            "there is none before" if day.empty else f"its last day is {day['date'].max().date()}"
        )
        raise DataError(f"shop_day has no sales for {date.date()}; {last}.")
    day = day[day["date"] <= date].reset_index(drop=True)
    return pd.concat([day, usual_days.usual(day, "sales", campaigns)], axis=1).tail(days)


def sales_bridge(
    shop_day: pd.DataFrame, date: pd.Timestamp, basis: str, then: pd.Timestamp | None = None
) -> pd.DataFrame:
    """From the sales of another day to those of `date` (A04).

    then   the other day: the same weekday last week, unless one of the year before is given

    One row per bar: factor (before or last_year, visitors, conversion, order_value, after), amount
    (currency); those in the middle add up to the difference exactly. Where either day lacks visitors,
    payers (or orders, see rates.payers_of) stand for the first two. Empty when either day is missing
    or lacks them too.
    """
    day = shop_days(shop_day)
    paid = rates.payers_of(day, basis)
    day = day.assign(paid=paid).set_index("date").dropna(subset=["paid", "sales"])
    first = "before" if then is None else "last_year"
    then = date - WEEK if then is None else then
    if not {date, then} <= set(day.index):
        return pd.DataFrame(columns=["factor", "amount"])
    pair = [day.loc[then], day.loc[date]]
    if day.loc[[then, date], "visitors"].notna().all():
        factors = [bridge.sales_factors(one, "paid") for one in pair]
    else:
        factors = [bridge.paid_factors(one, "paid", paid.name) for one in pair]
    before, after = (one["sales"] for one in pair)
    rows = [(first, before), *bridge.shapley(*factors).items(), ("after", after)]
    return pd.DataFrame(rows, columns=["factor", "amount"])


def sources_moved(
    source_day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, basis: str
) -> pd.DataFrame:
    """Each source on `date` against the same weekday last week, largest part of the change first (B02).

    source, visitors, visitors_change; sales_change (currency) and its exact parts by_visits,
    by_conversion, by_order_value; z and real of its visitors against what is usual for it. Visitors
    by device are added up. A source without payers or sales has no parts; empty when either day is.
    """
    now, then = (_by_source(source_day, day, rates.payers(basis)) for day in (date, date - WEEK))
    if now.empty or then.empty:
        return pd.DataFrame(columns=MOVED)
    visits = pd.concat([now["visitors"], then["visitors"]], axis=1, keys=["visitors", "before"])
    moved = visits.fillna(0.0).assign(visitors_change=lambda f: f["visitors"] - f["before"])
    unknown = set(now[now.isna().any(axis=1)].index) | set(then[then.isna().any(axis=1)].index)
    parts = bridge.by_group(
        *(f.drop(index=f.index.intersection(list(unknown))) for f in (then, now))
    )
    moved["sales_change"] = parts["change"]
    moved["by_visits"] = parts[["visitors", "share", "entered", "left"]].sum(axis=1)
    moved["by_conversion"] = parts["conversion"]
    moved["by_order_value"] = parts["order_value"] + parts["uncounted"]
    moved = moved.rename_axis("source").reset_index()
    size = moved[["sales_change", "visitors_change"]].abs()
    order = size.sort_values(list(size), ascending=False, kind="stable").index
    return _with_doubt(moved.loc[order].reset_index(drop=True), source_day, campaigns, date)


def _by_source(source_day: pd.DataFrame, date: pd.Timestamp, payers: str) -> pd.DataFrame:
    rows = source_day[source_day["date"] == date].rename(columns={payers: "payers"})
    return rows.groupby("source")[["visitors", "payers", "sales"]].sum(skipna=False)


def _with_doubt(
    moved: pd.DataFrame, source_day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp
) -> pd.DataFrame:
    """`moved` with z and real: is the source's number of visitors beyond its usual ups and downs?"""
    campaigns = list(campaigns)
    recent = calendars.last_days(
        source_day, date, usual_days.SPREAD_DAYS + 7 * usual_days.WEEKS_BACK
    )
    daily = recent.groupby(["source", "date"])["visitors"].sum(skipna=False)
    busy = date in calendars.campaign_days(campaigns)
    z = [
        usual_days.usual(daily[source].reset_index(), "visitors", campaigns)["z"].iloc[-1]
        if (source, date) in daily.index
        else np.nan
        for source in moved["source"]
    ]
    return moved.assign(z=z, real=[usual_days.judged(value, busy) for value in z])[MOVED]


def paid_cost(
    source_day: pd.DataFrame, ad_day: pd.DataFrame, date: pd.Timestamp, basis: str
) -> pd.DataFrame:
    """What the paid channel brought and cost on `date` and the same weekday last week (B02, A09).

    date, cost (of the advertising report; where there is none, of the sources), visitors, payers,
    sales, cost_per_visitor; empty unless both days have a cost.
    """
    paid = source_day[source_day["channel"] == "paid"].rename(
        columns={rates.payers(basis): "payers"}
    )
    cost = (ad_day if len(ad_day) else paid).groupby("date")["cost"].sum(min_count=1)
    brought = paid.groupby("date")[["visitors", "payers", "sales"]].sum(skipna=False)
    days = (
        brought.assign(cost=cost).reindex([date, date - WEEK]).dropna(subset=["cost", "visitors"])
    )
    if len(days) < 2:
        return days.head(0)
    days = days.assign(cost_per_visitor=rates.ratio(days["cost"], days["visitors"]))
    return days.rename_axis("date").reset_index()[
        ["date", "cost", "visitors", "payers", "sales", "cost_per_visitor"]
    ]


def the_day(days: pd.DataFrame, plan: pd.DataFrame, told: pd.DataFrame, urgent: bool) -> Finding:
    """On target or not; without a target, usual or not.

    days  of last_days_with_usual   plan  of pace.month_plan   told  of alarms.against_usual
    urgent   whether sales are so far down that it cannot wait
    """
    today = days.iloc[-1]
    change = told.set_index("metric")["change"].reindex(list(bridge.FACTORS))
    values = today.to_dict() | change.to_dict()
    known = pd.notna(today["z"])
    target = plan.set_index("date")["target"][today["date"]] if len(plan) else None
    held = today["usual"] if target is None else target
    values |= {"target": target, "attained": today["sales"] / target if target else None}
    values |= {"ratio": today["sales"] / today["usual"] - 1 if known else None}
    values |= {"enough": usual_days.FEWEST_WEEKS + usual_days.FEWEST_DAYS // 7}
    name = "day_target" if target else "day_usual"
    text = _as_far_as_known(DAY_TEXTS[name], change, known)
    return Finding(
        name, _severity(today, target, urgent), "sales", text,
        today["sales"], "currency", baseline=held, low=today["usual_low"], high=today["usual_high"],
        n=len(days), owner="leadership" if urgent else "", action="today_first" if urgent else "",
        rule="A06" if target else "A01", values=values,
    )  # fmt: skip


def _as_far_as_known(texts: tuple[str, ...], change: pd.Series, usual_known: bool) -> str:
    """Of DAY_TEXTS the sentence that leaves nothing blank where visitors or payers are not counted."""
    whole, paid, alone, without_usual = texts
    if not usual_known:
        return without_usual
    if change.notna().all():
        return whole
    return alone if pd.isna(change["order_value"]) else paid


def _severity(today: pd.Series, target: float | None, urgent: bool) -> str:
    """A shortfall is watched only where it is more than the usual ups and downs of a day."""
    if urgent:
        return "critical"
    if pd.isna(today["z"]):
        return "info" if target is None else "warning" if today["sales"] < target else "good"
    if today["z"] <= -usual_days.ALARM:
        return "warning"
    if target is None:
        return "info"
    if today["sales"] >= target:
        return "good"
    return "warning" if np.log(today["sales"] / target) < -2 * today["spread"] else "info"


def findings(
    steps: pd.DataFrame,
    steps_year: pd.DataFrame,
    year: tuple[pd.Timestamp, str],
    moved: pd.DataFrame,
    paid: pd.DataFrame,
) -> list[Finding]:
    """What moved sales against last week and against the year before, which source, at what cost.

    steps, steps_year  of sales_bridge   year  of calendars.a_year_before
    moved  of sources_moved   paid  of paid_cost
    """
    found = []
    if len(steps):
        found.append(_what_moved("sales_bridge", steps, {}))
    if len(steps_year):
        then = {"then": year[0], "matched": year[1]}
        found.append(_what_moved("year_bridge", steps_year, then))
    if len(moved):
        found.append(_source_moved(moved.iloc[0]))
    if len(paid):
        found.append(_paid(*(row for _, row in paid.iterrows())))
    return found


def _what_moved(name: str, steps: pd.DataFrame, more: dict) -> Finding:
    before, after = steps["amount"].iloc[[0, -1]]
    parts = steps.set_index("factor")["amount"].iloc[1:-1]
    texts, texts_paid = BRIDGE_TEXTS[name]
    if "visitors" not in parts:
        texts, more = texts_paid, more | {"payers": parts.index[0], "paid": parts.iloc[0]}
    text = texts[int(after < before)]
    return Finding(
        name, "info", "sales", text, after - before, "currency", baseline=before, rule="A04",
        values={"change": abs(after - before), "ratio": after / before - 1 if before else None,
                "largest": parts.abs().idxmax()} | parts.to_dict() | more,
    )  # fmt: skip


def _source_moved(source: pd.Series) -> Finding:
    before = source["visitors"] - source["visitors_change"]
    values = source.to_dict() | {"source": leaf(source["source"]), "before": before}
    if pd.notna(source["sales_change"]):
        return Finding(
            "source_moved", "info", "sales_change", "source_moved", source["sales_change"],
            "currency", n=source["visitors"], rule="B02_day", values=values,
        )  # fmt: skip
    fell = source["visitors_change"] < 0
    return Finding(
        "source_moved", "info", "visitors", "source_fell" if fell else "source_rose",
        source["visitors"], "visitors", baseline=before, n=source["visitors"], rule="B02_day",
        values=values | {"change": abs(source["visitors_change"])},
    )  # fmt: skip


def _paid(now: pd.Series, then: pd.Series) -> Finding:
    return Finding(
        "paid_cost", "info", "cost_per_visitor", "paid_cost", now["cost_per_visitor"], "currency",
        baseline=then["cost_per_visitor"], n=now["visitors"], rule="B02_day",
        values=now.to_dict() | {f"{name}_before": value for name, value in then.items()},
    )  # fmt: skip


def checks(
    shop_day: pd.DataFrame,
    daily: pd.DataFrame,
    bridges: Iterable[pd.DataFrame],
    moved: pd.DataFrame,
) -> list[tuple[str, float, float]]:
    """Sums that must agree, as (name, one, other)."""
    shown = shop_days(shop_day)
    shown = shown[shown["date"].isin(daily["date"])]
    checked = [("ten_columns", daily["sales"].sum(), shown["sales"].sum())]
    for steps in bridges:
        if len(steps):
            before, *parts, after = steps["amount"]
            checked.append(("bridge_adds_up", sum(parts), after - before))
    whole = moved[["by_visits", "by_conversion", "by_order_value"]].sum().sum()
    if moved["sales_change"].notna().any():
        checked.append(("sources_add_up", whole, moved["sales_change"].sum()))
    return checked
