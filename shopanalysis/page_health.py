"""Do the pages hold their visitors: bounce, depth, stay and order value against the plan's bars (C05-C13)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding

USUAL_DAYS = 56  # the last 8 clean weeks say what is usual
FEWEST_DAYS = 3
LEVEL = 0.95
PAGES = ("bounce_rate", "depth")
SCOPES = ("whole_shop", "without_hero")
COLUMNS = [
    "metric", "value", "value_low", "value_high", "at_usual_mix", "mix", "usual_value", "moved", "bar",
    "verdict", "sureness", "n",
]  # fmt: skip

VALUE_COLUMNS = [
    "scope", "title", "order_value", "hero_value", "value_ratio", "value_ratio_low", "value_ratio_high",
    "value_bar",
    "verdict", "sureness", "payers",
]  # fmt: skip


def page_health(
    shop_day: pd.DataFrame,
    source_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    campaigns: Iterable[Campaign],
    bars: dict[str, float],
) -> pd.DataFrame:
    """Bounce, depth and stay of the last `days` days, as they are and at the shop's usual mix.

    bars   bounce_pass, bounce_good, depth_pass, depth_good, page_visitors; returning_bounce and
           returning_depth, which take the place of the good bars where many_returning is reached (C08)

    One row per metric that the tables hold: metric (bounce_rate, depth, dwell), value, value_low and
    value_high (95 % over days), at_usual_mix (the same at the usual mix of the last 8 clean weeks),
    mix (of what: source, device, no), usual_value (over those weeks), moved (rose, fell, no: value against
    usual_value), bar (to pass), verdict (good, pass, fail, too little data), sureness (clearly, probably,
    borderline: how far the interval keeps away from the bars), n (visits by day).
    Judged is the value at the usual mix where there is one; a stay has no bar.
    """
    shop = shop_day[shop_day["device"] == "all"].dropna(subset=["visitors"])
    now = calendars.last_days(shop, date, days)
    past = calendars.clean_days(shop, date - days * DAY, USUAL_DAYS, campaigns)
    zones = _zones(now, bars)
    rows = []
    for metric in ("bounce_rate", "depth", "dwell"):
        if _parts(now, metric).notna().any():
            row = _row(metric, now, past)
            mixes = _mixes(shop_day, source_day, metric)
            row |= _standardised(metric, mixes, now["date"], past["date"])
            rows.append(row | _judged(row, zones.get(metric), bars["page_visitors"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _parts(days: pd.DataFrame, metric: str) -> pd.Series:
    """What a metric counts over its visits."""
    return {
        "bounce_rate": days["bounce_rate"] * days["visitors"],
        "depth": days["page_views"],
        "dwell": days["dwell"] * days["visitors"],
    }[metric]


def _zones(now: pd.DataFrame, bars: dict[str, float]) -> dict[str, tuple[float, float, int]]:
    """Bar to pass, bar to be good, and which side is better; many returning visitors raise the second."""
    known = now.dropna(subset=["new_visitors"])
    returning = 1 - rates.ratio(known["new_visitors"].sum(), known["visitors"].sum())
    many = returning >= bars["many_returning"]
    good = ("returning_bounce", "returning_depth") if many else ("bounce_good", "depth_good")
    return {
        "bounce_rate": (bars["bounce_pass"], bars[good[0]], -1),
        "depth": (bars["depth_pass"], bars[good[1]], 1),
    }


def _row(metric: str, now: pd.DataFrame, past: pd.DataFrame) -> dict:
    """value with its ends, usual and moved."""
    sums = []
    for days in (now, past):
        parts = _parts(days, metric)
        kept = parts.notna()
        sums.append((parts[kept], days.loc[kept, "visitors"]))
    value, low, high = rates.ratio_of_sums(*sums[0], LEVEL)
    usual, _, usual_high = (
        rates.ratio_of_sums(*sums[1], LEVEL) if len(sums[1][0]) > 1 else (np.nan,) * 3
    )
    apart = np.hypot(high - value, usual_high - usual)  # half of the interval of the difference
    surely = abs(value - usual) > 1.3 * apart  # 1.3 half intervals at 95 % are one at 99 %
    moved = "no" if not surely else "rose" if value > usual else "fell"
    return {"metric": metric, "value": value, "value_low": low, "value_high": high, "usual_value": usual,
            "moved": moved if pd.notna(apart) else None, "n": sums[0][1].sum()}  # fmt: skip


def _mixes(
    shop_day: pd.DataFrame, source_day: pd.DataFrame, metric: str
) -> tuple[str, pd.DataFrame]:
    """By what it can be standardised, and its daily parts and visits: date, group, parts, visitors."""
    column = {"bounce_rate": "bounces", "depth": "page_views"}.get(metric)
    if column and source_day[column].notna().any():
        named = source_day.rename(columns={"source": "group"}).assign(parts=source_day[column])
        return "source", named.dropna(subset=["parts", "visitors"])
    sides = shop_day[shop_day["device"] != "all"]
    sides = sides.assign(group=sides["device"], parts=_parts(sides, metric))
    sides = sides.dropna(subset=["parts", "visitors"])
    return ("device" if len(sides) and metric != "dwell" else "no"), sides


def _standardised(metric, mixes: tuple[str, pd.DataFrame], now: pd.Series, past: pd.Series) -> dict:
    """The metric at the usual mix, and half of its 95 % interval; missing where no group is known."""
    mix, parts = mixes
    if mix == "no":
        return {"mix": "no", "at_usual_mix": np.nan, "half": np.nan}
    usual = parts[parts["date"].isin(past)].groupby("group")["visitors"].sum()
    value = variance = weight = 0.0
    for group, daily in parts[parts["date"].isin(now)].groupby("group"):
        daily = daily.groupby("date")[["parts", "visitors"]].sum()
        if usual.get(group, 0) > 0 and daily["visitors"].sum() > 0 and len(daily) >= FEWEST_DAYS:
            own, _, high = rates.ratio_of_sums(daily["parts"], daily["visitors"], LEVEL)
            weight += usual[group]
            value += usual[group] * own
            variance += (usual[group] * (high - own)) ** 2
    if not weight:
        return {"mix": "no", "at_usual_mix": np.nan, "half": np.nan}
    return {"mix": mix, "at_usual_mix": value / weight, "half": np.sqrt(variance) / weight}


def _judged(row: dict, zone: tuple[float, float, int] | None, enough: float) -> dict:
    """bar, verdict and sureness of a value: how many half intervals it lies from the nearest bar."""
    if zone is None:
        return {"bar": np.nan, "verdict": None, "sureness": None}
    passing, good, better = zone
    known = pd.notna(row["at_usual_mix"])
    value = row["at_usual_mix"] if known else row["value"]
    half = row["half"] if known else row["value_high"] - row["value"]
    if row["n"] < enough or pd.isna(half):
        return {"bar": passing, "verdict": "too little data", "sureness": None}
    above = better * (value - passing), better * (value - good)
    verdict = "fail" if above[0] < 0 else "good" if above[1] > 0 else "pass"
    away = (
        min(abs(above[0]), abs(above[1]))
        if verdict == "pass"
        else abs(above[0] if verdict == "fail" else above[1])
    )
    return {"bar": passing, "verdict": verdict, "sureness": _sureness(away, half)}


def _sureness(away: float, half: float) -> str:
    """clearly: the 95 % interval keeps away from the bar; probably: half of it does (about 2 in 3)."""
    return "clearly" if away > half else "probably" if away > half / 2 else "borderline"


def order_values(
    shop_day: pd.DataFrame,
    item_day: pd.DataFrame,
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    items: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    bars: dict[str, float],
    basis: str,
) -> pd.DataFrame:
    """What a buyer spends in the shop against what a buyer of the hero item spends on it (C05).

    The hero is the item that sold most; its order value is its sales / its buyers. Beside the whole shop
    stands the shop without the hero, where orders are known: what buyers spent on other items.

    One row per scope (whole_shop, without_hero): scope, title (of the hero), order_value, hero_value,
    value_ratio, value_ratio_low and value_ratio_high (95 % over days), value_bar, verdict, sureness,
    payers; no row where
    no item has buyers.
    """
    now = calendars.last_days(shop_day[shop_day["device"] == "all"], date, days)
    sold = calendars.last_days(item_day, date, days).dropna(subset=["sales", "buyers"])
    shop = now.assign(paid=now["sales"], payers=now[rates.payers(basis)]).set_index("date")
    if sold["buyers"].sum() == 0 or shop["payers"].sum() == 0:
        return pd.DataFrame(columns=VALUE_COLUMNS)
    hero_id = sold.groupby("item_id")["sales"].sum().idxmax()
    hero = sold[sold["item_id"] == hero_id].set_index("date")[["sales", "buyers"]]
    others = _others(orders, lines, hero_id).reindex(shop.index)
    title = items.set_index("item_id")["title"].get(hero_id, hero_id)
    rows = [
        {"scope": scope, "title": title} | _value_row(spent[["paid", "payers"]], hero, bars)
        for scope, spent in zip(SCOPES, (shop, others), strict=True)
        if spent["payers"].sum() > 0
    ]
    return pd.DataFrame(rows, columns=VALUE_COLUMNS)


def _others(orders: pd.DataFrame, lines: pd.DataFrame, hero_id: str) -> pd.DataFrame:
    """Per day of payment: paid for other items than the hero, and how many buyers paid for them."""
    paid = orders.dropna(subset=["paid_at"])
    paid = paid.assign(
        date=paid["paid_at"].dt.normalize(), buyer=paid["buyer_key"].fillna(paid["order_id"])
    )
    other = lines[(lines["item_id"] != hero_id) & (lines["paid"] > 0)]
    both = other[["order_id", "paid"]].merge(paid[["order_id", "date", "buyer"]], on="order_id")
    return both.groupby("date").agg(paid=("paid", "sum"), payers=("buyer", "nunique"))


def _value_row(spent: pd.DataFrame, hero: pd.DataFrame, bars: dict[str, float]) -> dict:
    """Ratio of two order values; its interval from the days' own parts in it (delta method)."""
    daily = hero.join(spent, how="outer").fillna(0.0)
    paid, payers, sales, buyers = (daily[c] for c in ("paid", "payers", "sales", "buyers"))
    value, hero_value = paid.sum() / payers.sum(), sales.sum() / buyers.sum()
    ratio = value / hero_value
    part = (paid - value * payers) / paid.sum() - (sales - hero_value * buyers) / sales.sum()
    half = stats.t.ppf(0.5 + LEVEL / 2, len(daily) - 1) * np.sqrt(
        (part**2).sum()
    )  # of its logarithm
    row = {"at_usual_mix": np.nan, "value": np.log(ratio), "value_high": np.log(ratio) + half}
    bar = bars["order_value_ratio"]
    judged = _judged(row | {"n": payers.sum()}, (np.log(bar), np.inf, 1), bars["page_buyers"])
    return judged | {
        "order_value": value, "hero_value": hero_value, "value_ratio": ratio,
        "value_ratio_low": ratio * np.exp(-half), "value_ratio_high": ratio * np.exp(half),
        "value_bar": bar, "payers": payers.sum(),
    }  # fmt: skip


def findings(health: pd.DataFrame, values: pd.DataFrame, bars: dict[str, float]) -> list[Finding]:
    """Whether the pages pass, with the gate that stops buying traffic (C09), and the ratio of order values.

    health  of page_health   values  of order_values
    """
    pages = health[health["metric"].isin(PAGES)]
    found = [_pages_finding(pages, bars["page_visitors"])] if len(pages) else []
    shop = values[values["scope"] == "whole_shop"]
    return [*found, _value_finding(shop.iloc[0], bars["page_buyers"])] if len(shop) else found


def _pages_finding(pages: pd.DataFrame, enough: float) -> Finding:
    failed = pages[pages["verdict"] == "fail"]
    unsure = (pages["verdict"] == "too little data").all()
    gate = len(failed) == len(PAGES)
    clearly = gate and (failed["sureness"] == "clearly").all()
    text = "pages_too_little" if unsure else "pages_gate" if gate else "pages_failed"
    shown = (failed if len(failed) else pages).iloc[0]
    judged = shown["at_usual_mix"] if pd.notna(shown["at_usual_mix"]) else shown["value"]
    return Finding(
        "page_health",
        "critical" if clearly else "warning" if len(failed) else "info" if unsure else "good",
        shown["metric"], text if unsure or len(failed) else "pages_passed", judged, "",
        baseline=shown["bar"], low=shown["value_low"], high=shown["value_high"], n=pages["n"].max(),
        owner="design" if len(failed) else "",
        action="fix_page_first" if gate else "mend_pages" if len(failed) else "",
        rule="C09" if gate else "C05",
        values={"metrics": list((failed if len(failed) else pages)["metric"]), "visitors": pages["n"].max(),
                "enough": enough,
                "sureness": _least_sure(failed if len(failed) else pages), "mix": _mix(pages),
                "bounce": _judged_value(pages, "bounce_rate"), "depth": _judged_value(pages, "depth")},
    )  # fmt: skip


def _judged_value(pages: pd.DataFrame, metric: str) -> float | None:
    row = pages[pages["metric"] == metric]
    return None if row.empty else row["at_usual_mix"].fillna(row["value"]).iloc[0]


def _least_sure(pages: pd.DataFrame) -> str | None:
    order = ("borderline", "probably", "clearly")
    return min(pages["sureness"].dropna(), key=order.index, default=None)


def _mix(pages: pd.DataFrame) -> str:
    return "no" if (pages["mix"] == "no").all() else pages.loc[pages["mix"] != "no", "mix"].iloc[0]


def _value_finding(shop: pd.Series, enough: float) -> Finding:
    fails = shop["verdict"] == "fail" and shop["sureness"] != "borderline"
    unsure = shop["verdict"] == "too little data"
    text = "value_too_little" if unsure else "value_fails" if fails else "value_passes"
    if shop["sureness"] == "borderline":
        text = "value_borderline"
    return Finding(
        "order_value", "warning" if fails else "info", "value_ratio", text, shop["value_ratio"],
        "ratio", baseline=shop["value_bar"], low=shop["value_ratio_low"], high=shop["value_ratio_high"],
        n=shop["payers"],
        owner="promotion" if fails else "", action="sell_more_beside" if fails else "", rule="C05_value",
        values={"title": shop["title"], "ratio": shop["value_ratio"], "low": shop["value_ratio_low"],
                "high": shop["value_ratio_high"], "bar": shop["value_bar"], "payers": shop["payers"],
                "enough": enough},
    )  # fmt: skip
