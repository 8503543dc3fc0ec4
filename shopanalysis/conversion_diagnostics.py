"""Where visitors are lost on the way to paying: the funnel, against the shop's own past and its peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import calendars, payments, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import SEVERITIES, Finding

STEPS = ("visitors", "cart_adds", "ordered_buyers", "payers")
FEWEST_PAST = 7  # days that say what a step usually is, and how much days differ
FEWEST_CLEAN = 3  # days of the period outside campaigns that it is held against the past by
SAID = {
    "lost": ("funnel_lost", "funnel_lost_orders"),
    "steady": ("funnel_steady", "funnel_steady_orders"),
    "no past": ("funnel_no_past", "funnel_no_past_orders"),
}
FOREMOST = ("funnel", "presale", "items_steady")
SURELY = 0.01  # p-value below which a step of the shop is named
ONE_SIDED = 0.05  # the same against a peer's fixed bar
COUNTED = [
    "count", "step_rate", "step_before", "conversion", "visitors_by_day", "moved", "expected_conversion",
    "at_stake", "since", "bounce_rate", "depth", "dwell", "at_usual_mix", "sureness", "value_ratio",
    "order_conversion", "never_paid", "item_part", "effect", "detectable",
]  # fmt: skip


def funnel(
    shop_day: pd.DataFrame,
    orders: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    basis: str,
    waiting: pd.DataFrame | None = None,
    peers: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Visit, cart, order, payment beside the clean days before (C14); without visitors: order, payment, kept.

    waiting  date, open: buyers in presale who are not to pay yet (of presale.waiting); the step to
             payment is judged without them
    peers    the same shares of shops like this one, by step

    Counted are the days of the last `days` outside campaigns, or all of them where fewer than
    FEWEST_CLEAN are: then nothing is held against the past. The past is the same weekdays of up to
    `days_before` clean days, at least FEWEST_PAST.

    One row per step that the shop's tables hold: step, count (added up over days), step_rate (share of
    the step before), low and high (95 %, widened by how much days differ), step_before (the same over the
    past), peers, p_value, moved (rose, fell, no; missing where not held against the past), days
    """
    daily = _daily(shop_day, orders, date, basis)
    now, past, compared = _periods(daily, date, days, days_before, campaigns)
    steps = [c for c in daily.columns[1:] if now[c].notna().any()]
    rows = [_step(now, past, before, step) for before, step in pairwise(steps)]
    table = pd.DataFrame(
        [{"step": steps[0], "count": now[steps[0]].sum()}, *rows] if steps else rows
    )
    table = table.reindex(
        columns=["step", "count", "step_rate", "low", "high", "step_before", "p_value"]
    )
    if waiting is not None and "payers" in steps:
        table = _without_waiting(table, now, past, waiting)
    adjusted = rates.false_discovery(table["p_value"].where(table["step"].notna() & compared))
    up = table["step_rate"] > table["step_before"]
    table["moved"] = np.where(adjusted > SURELY, "no", np.where(up, "rose", "fell"))
    table["moved"] = table["moved"].where(adjusted.notna())
    table["peers"] = table["step"].map(dict(peers or {})).astype(float)
    return table.assign(days=now["date"].nunique())


def _daily(shop_day, orders, date, basis) -> pd.DataFrame:
    """date and the people at each step, by day; orders at each step where no day states its visitors."""
    whole = shop_day[(shop_day["device"] == "all") & (shop_day["date"] <= date)]
    if whole["visitors"].notna().any() or orders.empty:
        return whole.assign(payers=whole[rates.payers(basis)])[["date", *STEPS]]
    return payments.by_day(orders, date)


def _periods(daily, date, days, days_before, campaigns):
    """The days looked at, the same weekdays before them, and whether the two may be compared (C21)."""
    campaigns = list(campaigns)
    now = calendars.last_days(daily, date, days)
    clean = now[~now["date"].isin(calendars.campaign_days(campaigns))]
    compared = len(clean) >= FEWEST_CLEAN
    now = clean if compared else now
    past = calendars.clean_days(daily, date - days * DAY, days_before, campaigns)
    past = past[past["date"].dt.day_of_week.isin(now["date"].dt.day_of_week)]
    return now, past, compared and len(past) >= FEWEST_PAST


def _step(now: pd.DataFrame, past: pd.DataFrame, before: str, step: str) -> dict:
    both, earlier = (days.dropna(subset=[before, step]) for days in (now, past))
    k1, n1, k0, n0 = (days[c].sum() for days in (both, earlier) for c in (step, before))
    parts, wholes = np.minimum(earlier[step], earlier[before]), earlier[before]
    dispersion = rates.dispersion(parts, wholes, np.zeros(len(earlier)))
    low, high = rates.interval(min(k1, n1), n1, dispersion=dispersion)
    p_value = rates.difference_test(min(k1, n1), n1, min(k0, n0), n0, dispersion)[()]
    if n1 and n0 and np.isnan(p_value):
        p_value = 1.0  # all came on, or none, in both periods
    return {"step": step, "count": now[step].sum(), "step_rate": rates.ratio(k1, n1), "low": low,
            "high": high, "step_before": rates.ratio(k0, n0), "p_value": p_value}  # fmt: skip


def _without_waiting(table, now, past, waiting) -> pd.DataFrame:
    """The step to payment tested without those who ordered in presale and are not to pay yet."""
    open_by_day = waiting.set_index("date")["open"]
    ordered = [
        days.assign(ordered_buyers=days["ordered_buyers"] - days["date"].map(open_by_day).fillna(0))
        for days in (now, past)
    ]
    last = len(table) - 1
    if table["step"].iloc[last - 1] == "ordered_buyers":
        step = _step(*ordered, "ordered_buyers", "payers")
        columns = ["step_rate", "low", "high", "step_before", "p_value"]
        table.loc[last, columns] = [step[c] for c in columns]
    return table


def against_peers(
    shop_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    basis: str,
    peers: Mapping[str, float],
) -> dict[str, float]:
    """The shop's conversion of the last `days` days against the peers' (C01), which has no count of its own.

    conversion, peer, low, high (95 %, by the days' spread), p_value (one-sided, of the side it is on),
    visitors, days_needed (to tell a difference as large as seen), empty where either is not known
    """
    whole = calendars.last_days(shop_day[shop_day["device"] == "all"], date, days)
    whole = whole.assign(payers=whole[rates.payers(basis)]).dropna(subset=["payers", "visitors"])
    visitors, paid = whole["visitors"].sum(), whole["payers"].sum()
    if "conversion" not in peers or not visitors or len(whole) < FEWEST_CLEAN:
        return {}
    dispersion = rates.dispersion(whole["payers"], whole["visitors"], np.zeros(len(whole)))
    low, high = rates.interval(paid, visitors, dispersion=dispersion)
    peer, conversion = peers["conversion"], paid / visitors
    z = (conversion - peer) / np.sqrt(peer * (1 - peer) * dispersion / visitors)
    apart = abs(conversion - peer)
    needed = rates.trials_needed(peer, apart, dispersion) / 2 if apart else np.inf
    return {"conversion": conversion, "peer": peer, "low": low, "high": high, "visitors": visitors,
            "p_value": stats.norm.sf(abs(z)), "days_needed": needed / visitors * len(whole)}  # fmt: skip


def shown(steps: pd.DataFrame) -> pd.DataFrame:
    """`steps` as a table shows them; without the peers where the shop knows none."""
    without = ["p_value", "days", *(["peers"] if steps["peers"].isna().all() else [])]
    return steps.drop(columns=without)


def foremost(found: list[Finding]) -> list[Finding]:
    """Those that ask for something, say that something is good, or how the rest is to be read."""
    return [f for f in found if f.severity != "info" or f.action or f.id in FOREMOST]


def further(found: list[Finding]) -> list[Finding]:
    """All others."""
    return [f for f in found if f not in foremost(found)]


def findings(steps: pd.DataFrame, peer: dict[str, float], *others: list[Finding]) -> list[Finding]:
    """The funnel's finding, the peers', and `others`: what is to be acted on first, then what is good.

    steps  of funnel   peer  of against_peers   others  of the other parts, in the order of their weight
    """
    found = [finding for part in others for finding in part]
    found += [_funnel_finding(steps)] if len(steps) > 1 else []
    found += [_peer_finding(peer)] if peer else []
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _funnel_finding(steps: pd.DataFrame) -> Finding:
    verdict, step = _weakest(steps.iloc[1:])
    lost, whole = verdict == "lost", steps["count"].iloc[-1] / steps["count"].iloc[0]
    return Finding(
        "funnel", "warning" if lost else "info", "step_rate",
        SAID[verdict][int(steps["step"].iloc[0] == "orders_placed")], step["step_rate"], "share",
        baseline=step["step_before"], low=step["low"], high=step["high"], n=steps["count"].iloc[0],
        owner="design" if lost else "", action="mend_step" if lost else "", rule="C14",
        values={"step": step["step"], "rate": step["step_rate"], "before": step["step_before"],
                "low": step["low"], "high": step["high"], "whole": whole,
                "visitors": steps["count"].iloc[0], "days": step["days"]},
    )  # fmt: skip


def _weakest(rest: pd.DataFrame) -> tuple[str, pd.Series]:
    """The step that fell most surely, else the lowest against its past, else the last; and which it is."""
    fell, compared = rest[rest["moved"] == "fell"], rest[rest["moved"].notna()]
    if len(fell):
        return "lost", fell.loc[fell["p_value"].idxmin()]
    if len(compared):
        change = compared["step_rate"] / compared["step_before"]
        return "steady", compared.loc[change.idxmin()]
    return "no past", rest.iloc[-1]


def _peer_finding(peer: dict[str, float]) -> Finding:
    surely = peer["p_value"] <= ONE_SIDED
    below = peer["conversion"] < peer["peer"]
    text = "peers_unsure" if not surely else "peers_below" if below else "peers_above"
    return Finding(
        "peers", "info" if not surely else "warning" if below else "good", "conversion", text,
        peer["conversion"], "share", baseline=peer["peer"], low=peer["low"], high=peer["high"],
        n=peer["visitors"], owner="leadership" if surely and below else "",
        action="learn_from_peers" if surely and below else "", rule="C01", values=peer,
    )  # fmt: skip


def key_figures(steps: pd.DataFrame, health: pd.DataFrame) -> pd.DataFrame:
    """From visit to payment, and the pages, as display.key_figures takes them: metric, value, before.

    steps  of funnel()   health  of page_health.page_health
    """
    ends = steps["count"].iloc[[-1, 0]] if len(steps) else [np.nan, np.nan]
    whole = pd.DataFrame({"metric": ["conversion"], "value": [rates.ratio(*ends)]})
    pages = health[["metric", "value", "usual_value"]].rename(columns={"usual_value": "before"})
    return pd.concat([whole, pages], ignore_index=True)


def checks(
    steps: pd.DataFrame, parts: pd.DataFrame, common: dict[str, float]
) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other): the items' parts add up; no step's share is outside its ends."""
    found = []
    if len(parts) and common:
        found.append(("items_add_up", 1e4 * parts["item_part"].sum(), 1e4 * common["change"]))
    outside = (steps["step_rate"].clip(upper=1) < steps["low"] - 1e-9) | (
        steps["step_rate"] > steps["high"]
    )
    return [*found, ("shares_within", (outside & (steps["step_rate"] <= 1)).sum(), 0)]
