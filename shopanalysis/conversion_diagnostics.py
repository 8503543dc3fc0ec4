"""Where visitors are lost: the funnel, the health of the pages, and the items that truly rose or fell."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding

STEPS = ("visitors", "cart_adds", "ordered_buyers", "payers")
ENOUGH_VISITORS = 500
ENOUGH_PAYERS = 5
FALSE_DISCOVERY = 0.05
SHOWN = [
    "title", "moved", "visitors_by_day", "conversion", "conversion_before",
    "expected_conversion", "relative_change", "bounce_rate", "bounce_rate_before",
]  # fmt: skip
COUNTED = [
    "step", "step_rate", "step_before", "conversion", "bounce_rate", "depth", "order_value",
    "bar", "value_low", "moved", "expected_conversion", "visitors_by_day",
]  # fmt: skip


def _window(shop_day: pd.DataFrame, basis: str) -> pd.DataFrame:
    whole = shop_day[shop_day["device"] == "all"]
    return whole.assign(payers=whole[rates.payers(basis)])


def funnel(
    shop_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    basis: str,
) -> pd.DataFrame:
    """Visit, cart, order, payment over the last `days` days, beside the clean days before (C14).

    One row per step that the shop's tables hold: step, count (added up over days), step_rate (share
    of the step before), step_before (the same share over up to `days_before` days without campaign),
    low and high (95 % Wilson interval of step_rate)
    """
    whole = _window(shop_day, basis)
    now = calendars.last_days(whole, date, days)
    past = calendars.clean_days(whole, date - days * DAY, days_before, campaigns)
    steps = [step for step in STEPS if now[step].notna().any()]
    count, earlier = now[steps].sum(), past[steps].sum(min_count=1)
    above = count.shift()
    low, high = rates.wilson(np.minimum(count, above), above)
    return pd.DataFrame(
        {
            "step": steps,
            "count": count.to_numpy(),
            "step_rate": rates.ratio(count, above).to_numpy(),
            "step_before": rates.ratio(earlier, earlier.shift()).to_numpy(),
            "low": low,
            "high": high,
        }
    )


def page_health(
    shop_day: pd.DataFrame,
    item_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    bars: dict[str, float],
    basis: str,
) -> pd.DataFrame:
    """Bounce, depth and order value of the last `days` days against their bars (C05-C07).

    bars   bounce_pass, bounce_good, depth_pass, depth_good, order_value_ratio

    One row per metric that the tables hold: check, value, value_low and value_high (95 % over days), bar
    (to pass), verdict (good, pass, fail, too little data), n (visitors)
    """
    now = calendars.last_days(_window(shop_day, basis), date, days).dropna(subset=["visitors"])
    rows = []
    if now["bounce_rate"].notna().any():
        rows.append(_bounce(now.dropna(subset=["bounce_rate"]), bars))
    if now["page_views"].notna().any():
        rows.append(_depth(now, bars))
    items = calendars.last_days(item_day, date, days) if len(item_day) else item_day
    if items["buyers"].sum() > 0 and now["payers"].sum() > 0:
        rows.append(_order_value(now, items, bars))
    columns = ["check", "value", "value_low", "value_high", "bar", "verdict", "n"]
    return pd.DataFrame(rows, columns=columns)


def _verdict(passes: bool, good: bool, visitors: float) -> str:
    if visitors < ENOUGH_VISITORS:
        return "too little data"
    return "good" if good else "pass" if passes else "fail"


def _mean_ratio(parts: pd.Series, wholes: pd.Series) -> tuple[float, float, float]:
    """Ratio of sums over days with its 95 % interval by the days' own spread (delta method)."""
    ratio = parts.sum() / wholes.sum()
    days = len(parts)
    if days < 2:
        return ratio, np.nan, np.nan
    spread = np.sqrt(((parts - ratio * wholes) ** 2).sum() * days / (days - 1)) / wholes.sum()
    half = stats.t.ppf(0.975, days - 1) * spread
    return ratio, ratio - half, ratio + half


def _bounce(now: pd.DataFrame, bars: dict[str, float]) -> dict:
    value, low, high = _mean_ratio(now["bounce_rate"] * now["visitors"], now["visitors"])
    visitors = now["visitors"].sum()
    verdict = _verdict(value <= bars["bounce_pass"], value < bars["bounce_good"], visitors)
    return {"check": "bounce_rate", "value": value, "value_low": low, "value_high": high,
            "bar": bars["bounce_pass"], "verdict": verdict, "n": visitors}  # fmt: skip


def _depth(now: pd.DataFrame, bars: dict[str, float]) -> dict:
    value, low, high = _mean_ratio(now["page_views"], now["visitors"])
    visitors = now["visitors"].sum()
    verdict = _verdict(value >= bars["depth_pass"], value > bars["depth_good"], visitors)
    return {"check": "depth", "value": value, "value_low": low, "value_high": high,
            "bar": bars["depth_pass"], "verdict": verdict, "n": visitors}  # fmt: skip


def _order_value(now: pd.DataFrame, items: pd.DataFrame, bars: dict[str, float]) -> dict:
    """The shop's sales per buyer over its hero item's; the hero is the item that sold most."""
    hero_id = items.groupby("item_id")["sales"].sum().idxmax()
    hero = items[items["item_id"] == hero_id]
    shop_value = now["sales"].sum() / now["payers"].sum()
    value = float(rates.ratio(shop_value, rates.ratio(hero["sales"].sum(), hero["buyers"].sum())))
    verdict = _verdict(value >= bars["order_value_ratio"], False, now["visitors"].sum())
    return {"check": "order_value_ratio", "value": value, "value_low": np.nan, "value_high": np.nan,
            "bar": bars["order_value_ratio"], "verdict": verdict, "n": now["visitors"].sum()}  # fmt: skip


def items_moved(
    item_day: pd.DataFrame,
    items: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
) -> pd.DataFrame:
    """Items whose conversion changed by more than the shop's did, and more than luck (C03, C04).

    The last `days` days against up to `days_before` clean days before; the logarithm of the item's
    change over the shop's change is tested with its Poisson spread, and 5 % of those named may be
    wrong (Benjamini-Hochberg).

    One row per item with enough payers: item_id, title, visitors_by_day, conversion,
    conversion_before, expected_conversion (conversion before x the shop's change), relative_change (against
    expected), bounce_rate and bounce_rate_before where the tables hold them, p_value, moved (rose, fell, no)
    """
    now = _by_item(calendars.last_days(item_day, date, days))
    past = _by_item(calendars.clean_days(item_day, date - days * DAY, days_before, campaigns))
    both = now.join(past, suffixes=("", "_before"), how="inner")
    both = both[(both["payers_before"] >= ENOUGH_PAYERS) & (both["visitors_by_day"] > 0)]
    shop = rates.ratio(now["payers"].sum(), now["visitors_by_day"].sum())
    shop_before = rates.ratio(past["payers"].sum(), past["visitors_by_day"].sum())
    both["expected_conversion"] = both["conversion_before"] * rates.ratio(shop, shop_before)
    both = both[both["expected_conversion"] * both["visitors_by_day"] >= ENOUGH_PAYERS]
    both["p_value"] = _change_test(both)
    both["relative_change"] = rates.ratio(both["conversion"], both["expected_conversion"]) - 1
    named = rates.false_discovery(both["p_value"]) <= FALSE_DISCOVERY
    both["moved"] = np.where(~named, "no", np.where(both["relative_change"] > 0, "rose", "fell"))
    both = both.join(items.set_index("item_id")[["title"]])
    both["title"] = both["title"].fillna(both.index.to_series())
    return both.sort_values("p_value", kind="stable").reset_index()


def _by_item(days: pd.DataFrame) -> pd.DataFrame:
    bounces = days["bounce_rate"] * days["visitors"]
    sums = (
        days.assign(payers=days["buyers"], visitors_by_day=days["visitors"], bounces=bounces)
        .groupby("item_id")[["visitors_by_day", "payers", "bounces"]]
        .sum(min_count=1)
    )
    return sums.assign(
        conversion=rates.ratio(sums["payers"], sums["visitors_by_day"]),
        bounce_rate=rates.ratio(sums["bounces"], sums["visitors_by_day"]),
    ).drop(columns="bounces")


def _change_test(both: pd.DataFrame) -> np.ndarray:
    """Chance of so large a change by luck: payers now given both periods' payers are binomial."""
    exposure = both["expected_conversion"] * both["visitors_by_day"]
    share = exposure / (exposure + both["payers_before"])
    total = both["payers"] + both["payers_before"]
    spread = np.sqrt(total * share * (1 - share))
    return 2 * stats.norm.sf(np.abs(both["payers"] - total * share) / spread)


def findings(steps: pd.DataFrame, health: pd.DataFrame, moved: pd.DataFrame) -> list[Finding]:
    """Where the funnel lost most against the past, whether the pages pass, and which items moved.

    steps  of funnel   health  of page_health   moved  of items_moved
    """
    found = [_funnel_finding(steps)] if len(steps) > 1 else []
    if len(health):
        found.append(_health_finding(health))
    for direction in ("fell", "rose"):
        named = moved[moved["moved"] == direction]
        if len(named):
            found.append(_item_finding(named.iloc[0], len(named), direction))
    if len(moved) and (moved["moved"] == "no").all():
        found.append(Finding("items_steady", "info", "conversion", "items_steady", n=len(moved),
                             rule="C03", values={"items": len(moved)}))  # fmt: skip
    return found


def _funnel_finding(steps: pd.DataFrame) -> Finding:
    rest = steps.iloc[1:]
    change = rest["step_rate"] / rest["step_before"] - 1
    known = change.notna().any()
    step = rest.loc[change.idxmin()] if known else rest.iloc[-1]
    surely = known and step["high"] < step["step_before"]
    text = "funnel_lost" if surely else "funnel_steady" if known else "funnel_no_past"
    whole = steps["count"].iloc[-1] / steps["count"].iloc[0]
    return Finding(
        "funnel", "warning" if surely else "info", "step_rate", text, step["step_rate"], "share",
        baseline=step["step_before"], low=step["low"], high=step["high"], n=steps["count"].iloc[0],
        owner="design" if surely else "", action="mend_step" if surely else "",
        rule="C14",
        values={"step": step["step"], "rate": step["step_rate"], "before": step["step_before"],
                "low": step["low"], "high": step["high"], "whole": whole,
                "visitors": steps["count"].iloc[0]},
    )  # fmt: skip


def _health_finding(health: pd.DataFrame) -> Finding:
    pages = health[health["check"].isin(("bounce_rate", "depth"))]
    failed = list(health.loc[health["verdict"] == "fail", "check"])
    both_fail = len(pages) == 2 and (pages["verdict"] == "fail").all()
    unsure = (health["verdict"] == "too little data").all()
    text = "health_too_little" if unsure else "health_failed" if failed else "health_passed"
    return Finding(
        "page_health", "critical" if both_fail else "warning" if failed else "info" if unsure else "good",
        "checks", text, len(failed), "checks", n=health["n"].max(), rule="C05",
        owner="design" if both_fail else "", action="fix_page_first" if both_fail else "",
        values={"failed": failed, "checks": list(health["check"]), "visitors": health["n"].max()},
    )  # fmt: skip


def _item_finding(item: pd.Series, count: int, direction: str) -> Finding:
    fell = direction == "fell"
    text = "items_fell" if fell else "items_rose"
    return Finding(
        text, "warning" if fell else "good", "conversion", text,
        item["conversion"], "share", baseline=item["expected_conversion"], n=item["visitors_by_day"],
        owner="design" if fell else "promotion", action="mend_item" if fell else "more_to_item",
        rule="C04" if fell else "C03",
        values={"count": count, "title": item["title"], "rate": item["conversion"],
                "expected": item["expected_conversion"], "visitors": item["visitors_by_day"],
                "bounce": item["bounce_rate"], "bounce_before": item["bounce_rate_before"]},
    )  # fmt: skip


def checks(steps: pd.DataFrame, moved: pd.DataFrame) -> list[tuple[str, float, float]]:
    """What must hold, as (name, count found, count allowed)."""
    wider = (steps["count"].diff() > 0).sum()
    too_many = (moved["payers"] > moved["visitors_by_day"]).sum()
    return [("funnel_shrinks", wider, 0), ("payers_within", too_many, 0)]
