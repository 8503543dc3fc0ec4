"""What to order this morning: each item's stock against what may sell until the next order arrives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shopanalysis import calendars
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.demand import Demand
from shopanalysis.findings import Finding
from shopanalysis.rates import ratio

VERDICTS = ("short", "restock", "enough", "stop", "unknown")
SHOWN = ["item_id", "title", "stock_verdict", "stock", "days_of_stock", "chance_out",
         "stock_needed", "order_units", "expected_units", "service"]  # fmt: skip
CAMPAIGN_SHOWN = ["item_id", "title", "stock", "expected_units", "service", "campaign_units",
                  "stage_one", "stage_two"]  # fmt: skip
OVERSTOCK_SHOWN = [
    "item_id",
    "title",
    "stock",
    "days_of_stock",
    "overstock_units",
    "overstock_cost",
]
RECENT = 28  # days that an item's rank and the price paid for it come from
LIKELY = 0.5


def rules_with(rules: Mapping[str, float], **given: float | None) -> dict[str, float]:
    """The shop's `rules`, except where a value is given."""
    return dict(rules) | {name: value for name, value in given.items() if value is not None}


def season_days(rules: Mapping[str, float]) -> int:
    """Days ahead that are looked at in all: beyond them stock is too much."""
    return int(max(rules["overstock_days"], horizon(rules)))


def horizon(rules: Mapping[str, float]) -> int:
    """Days that an order placed today must last: until the next one, placed a review later, arrives."""
    return int(rules["lead_time_days"] + rules["review_days"])


def critical_ratio(price, cost, salvage):
    """The chance of not running out that pays best: lost margin / (lost margin + loss on a piece left).

    price, cost, salvage   per piece (currency); salvage: what a piece left over is worth then
    0 where a piece earns nothing, 1 where a leftover loses nothing.
    Arrow, Harris & Marschak (1951), Econometrica 19, 250-272.
    """
    under = np.maximum(np.asarray(price, float) - cost, 0.0)
    over = np.maximum(np.asarray(cost, float) - salvage, 0.0)
    return np.where(under > 0, ratio(under, np.where(under > 0, under + over, 1.0)), under)[()]


def rank(item_day: pd.DataFrame, date: pd.Timestamp, campaigns: Iterable[Campaign]) -> pd.DataFrame:
    """Items by sales of the last RECENT clean days: index item_id, sales, units; most first."""
    recent = calendars.clean_days(item_day, date, RECENT, campaigns)
    sums = recent.groupby("item_id")[["sales", "units"]].sum()
    return sums.sort_values("sales", ascending=False, kind="stable")


def presold(order_lines: pd.DataFrame, orders: pd.DataFrame, date: pd.Timestamp) -> pd.Series:
    """Pieces ordered in presale by the end of `date`, neither paid nor closed by then: item_id -> pieces."""
    lines = order_lines[order_lines["presale"].fillna(False).astype(bool)]
    lines = lines.merge(orders[["order_id", "created_at", "paid_at", "closed_at"]], on="order_id")
    end = date + DAY
    still = (lines["created_at"] < end) & ~(lines["paid_at"] < end) & ~(lines["closed_at"] < end)
    return lines[still].groupby("item_id")["units"].sum()


def terms(items: pd.DataFrame, ranked: pd.DataFrame, rules: Mapping[str, float]) -> pd.DataFrame:
    """What a shortage and a leftover cost, one row per item, most sales first.

    index item_id; title, stock, unit_cost, list_price, price (paid of late, else the list's),
    recent_units (in the RECENT clean days), hero, salvage (a leftover of the items that sell most,
    heroes and hot ones, saves buying the next piece, less what it takes to keep it; any other brings
    back a share of its cost), service (critical_ratio; a rule where the cost is not known)
    """
    table = items.set_index("item_id")[["title", "stock", "unit_cost", "list_price"]]
    order = ranked.index.union(table.index, sort=False)
    table = table.reindex([*ranked.index, *order.difference(ranked.index)]).rename_axis("item_id")
    paid = (ranked["sales"] / ranked["units"].where(ranked["units"] > 0)).reindex(table.index)
    table["title"] = table["title"].fillna(table.index.to_series())
    table["price"] = paid.fillna(table["list_price"])
    table["recent_units"] = ranked["units"].reindex(table.index).fillna(0.0)
    first = np.arange(len(table)) < rules["hero_items"]
    table["hero"] = first & (table["recent_units"] > 0)
    hot = np.arange(len(table)) < max(rules["hero_items"], rules["campaign_items"])
    kept = np.where(hot, 1 - rules["holding_share"], rules["salvage_share"])
    table["salvage"] = table["unit_cost"] * kept
    best = critical_ratio(table["price"], table["unit_cost"], table["salvage"])
    best = np.where(np.isnan(best), rules["service_level"], best)
    return table.assign(service=np.minimum(best, rules["service_max"]))


def quantile(sums: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The fewest whole pieces that suffice in `share` of an item's paths; sums (items, paths)."""
    if not sums.size:
        return np.zeros(len(sums))
    place = np.ceil(np.asarray(share) * sums.shape[1] - 1e-9).astype(int) - 1
    ordered = np.sort(sums, axis=1)
    return np.ceil(ordered[np.arange(len(sums)), np.maximum(place, 0)] - 1e-9)


def verdicts(
    soon: Demand,
    season: Demand,
    terms: pd.DataFrame,
    rules: Mapping[str, float],
    promised: pd.Series,
) -> pd.DataFrame:
    """One row per item, those to act on first, then most sales first (L01-L03).

    soon   over horizon()      season   over more days      terms   of terms()
    promised   of presold(): no longer there to be sold

    item_id, title, hero, unit_cost, stock, presold, expected_units and stock_needed (pieces over horizon();
    stock_needed is the `service` quantile), service, chance_out (of running out before an order of today
    arrives), days_of_stock (at the sales expected), order_units, stock_verdict:
        unknown   no stock is stated                     stop      sells too little to be restocked
        short     a hero below its floor, or likelier than not out before an order can arrive
        restock   less in stock than is needed           enough    the rest
    """
    table = terms[terms.index.isin(soon.items)]
    place = soon.items.get_indexer(table.index)
    table = table.assign(presold=promised.reindex(table.index).fillna(0.0))
    free = table["stock"] - table["presold"]
    expected = season.expected[place]
    table["expected_units"] = soon.expected[place].sum(axis=1)
    needed = quantile(soon.between(0, horizon(rules))[place], table["service"].to_numpy())
    floor = np.where(table["hero"], rules["hero_stock_good"], 0.0)
    table["stock_needed"] = np.maximum(needed, floor)
    table["chance_out"] = _chance_out(soon.between(0, int(rules["lead_time_days"]))[place], free)
    table["days_of_stock"] = _days_of_stock(free, expected)
    table["stock_verdict"] = _verdict(table, free, expected, rules)
    act = table["stock_verdict"].isin(["short", "restock"])
    table["order_units"] = (
        (table["stock_needed"] - free).clip(lower=0).where(act | free.isna(), 0.0)
    )
    order = table["stock_verdict"].map(VERDICTS.index).sort_values(kind="stable").index
    return table.loc[order].reset_index()


def _chance_out(sums: np.ndarray, free: pd.Series) -> np.ndarray:
    more = (sums > free.to_numpy()[:, None]).mean(axis=1) if len(free) else np.zeros(0)
    return np.select([free.isna(), free <= 0], [np.nan, 1.0], more)


def _verdict(table: pd.DataFrame, free: pd.Series, expected: np.ndarray, rules) -> np.ndarray:
    month = expected[:, :30].sum(axis=1) * 30 / max(min(expected.shape[1], 30), 1)
    slow = ~table["hero"] & (month < rules["slow_units"]) | (table["service"] <= 0)
    low = table["hero"] & (free < rules["hero_stock_min"])
    short = low | (table["chance_out"] >= LIKELY)
    asked = [free.isna(), slow, short, free < table["stock_needed"]]
    return np.select(asked, ["unknown", "stop", "short", "restock"], "enough")


def _days_of_stock(free: pd.Series, expected: np.ndarray) -> np.ndarray:
    """Days that the stock lasts at the sales expected; beyond the days of `expected` at their mean."""
    if not expected.size:
        return np.full(len(free), np.nan)
    ends = expected.cumsum(axis=1)
    within = (ends <= free.to_numpy()[:, None]).sum(axis=1).astype(float)
    daily = expected.mean(axis=1)
    beyond = free / np.where(daily > 0, daily, np.nan)
    days = np.where(within >= expected.shape[1], beyond, within)
    return np.where(free.isna(), np.nan, np.maximum(days, 0.0))


def run_out(soon: Demand, judged: pd.DataFrame, items: int = 4) -> pd.DataFrame:
    """By day, the chance that an item has run out by its end, for the `items` nearest to it.

    judged   of verdicts()          date, title, chance_out (share of paths)
    """
    risky = judged[judged["stock_verdict"].isin(["short", "restock"]) & (judged["chance_out"] < 1)]
    chosen = risky.sort_values("chance_out", ascending=False, kind="stable").head(items)
    rows = [pd.DataFrame(columns=["date", "title", "chance_out"])]
    for item in chosen.itertuples():
        sold = soon.paths[soon.items.get_loc(item.item_id)].cumsum(axis=1)
        share = (sold > item.stock - item.presold).mean(axis=0)
        rows.append(pd.DataFrame({"date": soon.days, "title": item.title, "chance_out": share}))
    return pd.concat(rows[1:] or rows, ignore_index=True)


def overstock(season: Demand, judged: pd.DataFrame, rules: Mapping[str, float]) -> pd.DataFrame:
    """Items with more in stock than `overstock_days` of expected sales, most money first (L05).

    The columns of verdicts() and overstock_units (pieces), overstock_cost (currency; missing without
    a unit cost).
    """
    days = season_days(rules)
    expected = season.expected[season.items.get_indexer(judged["item_id"]), :days].sum(axis=1)
    beyond = np.floor(judged["stock"] - judged["presold"] - expected).clip(lower=0)
    table = judged.assign(overstock_units=beyond, overstock_cost=beyond * judged["unit_cost"])
    table = table[table["overstock_units"] > 0]
    return table.sort_values("overstock_cost", ascending=False, kind="stable")


@dataclass(frozen=True)
class Coming:
    """The next campaign to stock for: its first day, main day (the last of its event) and last day.

    by   the day by which the first stage is to be in stock      known   whether there was one before
    """

    name: str
    start: pd.Timestamp
    main: pd.Timestamp
    end: pd.Timestamp
    by: pd.Timestamp
    known: bool


def coming(
    season: Demand, campaigns: Iterable[Campaign], rules: Mapping[str, float]
) -> Coming | None:
    """The next campaign to stock for by itself: None, or the first that does not slow the shop down (G01).

    It ends within the days of `season`, and later than what is ordered this morning must last.
    """
    if season.days.empty:
        return None
    first, last = season.days[0], season.days[-1]
    soon = first + (horizon(rules) - 1) * DAY
    ahead = [c for c in campaigns if soon < c.end <= last]
    mean = season.expected.sum(axis=0).mean()
    for name in dict.fromkeys(c.name for c in sorted(ahead, key=lambda c: c.start)):
        own = [c for c in ahead if c.name == name]
        main = max((c.end for c in own if c.phase == "event"), default=None)
        start, end = min(c.start for c in own), max(c.end for c in own)
        days = season.days.slice_indexer(max(start, first), end)
        known = name not in season.unknown
        if main and (not known or season.expected[:, days].sum(axis=0).mean() >= mean):
            return Coming(name, start, main, end, main - rules["d11_stock_days"] * DAY, known)
    return None


def campaign_plan(
    season: Demand, judged: pd.DataFrame, campaign: Coming | None, rules: Mapping[str, float]
) -> pd.DataFrame:
    """What to have for a campaign, the items that sell most only, in two stages (G01, G02, L04).

    item_id, title, stock, service, expected_units and campaign_units (pieces from the campaign's first
    day to its last: expected, and the `service` quantile), stage_one (to order so that `d11_stock_share`
    of campaign_units are there; presold pieces and what sells before the first day are taken off the
    stock, and unknown stock counts as none), stage_two (the rest, once the preheat has shown its carts)
    """
    if campaign is None:
        return judged.head(0).assign(campaign_units=0.0, stage_one=0.0, stage_two=0.0)
    chosen = judged[judged["price"] * judged["recent_units"] > 0]
    order = (chosen["price"] * chosen["recent_units"]).sort_values(ascending=False, kind="stable")
    table = chosen.loc[order.index[: int(rules["campaign_items"])]]
    place = season.items.get_indexer(table["item_id"])
    first, last = ((day - season.days[0]).days for day in (campaign.start, campaign.end))
    sums = season.between(first, last + 1)[place]
    units = quantile(sums, table["service"].to_numpy())
    until = season.expected[place][:, : max(first, 0)].sum(axis=1)
    have = (table["stock"] - table["presold"] - until).fillna(0.0).clip(lower=0).to_numpy()
    one = np.maximum(np.ceil(rules["d11_stock_share"] * units - have - 1e-9), 0.0)
    two = np.maximum(np.ceil(units - have - one - 1e-9), 0.0)
    expected = season.expected[place][:, max(first, 0) : last + 1].sum(axis=1)
    return table.assign(expected_units=expected, campaign_units=units, stage_one=one, stage_two=two)


def findings(
    judged: pd.DataFrame,
    too_much: pd.DataFrame,
    plan: pd.DataFrame,
    campaign: Coming | None,
    rules: Mapping[str, float],
) -> list[Finding]:
    """How the items stand, which to order first, what the next campaign takes, and what lies too long."""
    if judged.empty:
        return [Finding("no_demand", "info", "stock", "stock_no_sales", rule="L01")]
    found = [_standing(judged)]
    urgent = judged[judged["stock_verdict"].isin(["short", "restock"])]
    if len(urgent):
        found.append(_urgent(urgent, rules))
    if campaign is not None and len(plan):
        found.append(_campaign(plan, campaign, rules))
    if len(too_much):
        found.append(_too_much(too_much, rules))
    return found


def _standing(judged: pd.DataFrame) -> Finding:
    counts = judged["stock_verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    if counts["unknown"] == len(judged):
        return Finding("stock_unknown", "warning", "stock", "stock_unknown", n=len(judged),
                       rule="L01", values={"items": len(judged)})  # fmt: skip
    heroes = int((judged["hero"] & (judged["stock_verdict"] == "short")).sum())
    severity = "critical" if heroes else "warning" if counts["short"] else "good"
    return Finding(
        "stock_now", severity, "items", "stock_now", counts["short"], "items", n=len(judged),
        rule="L01", values={name: int(count) for name, count in counts.items()}
        | {"items": len(judged)},
    )  # fmt: skip


def _urgent(urgent: pd.DataFrame, rules: Mapping[str, float]) -> Finding:
    item, hero = urgent.iloc[0], bool(urgent.iloc[0]["hero"])
    return Finding(
        "order_first", "warning", "stock", "order_hero" if hero else "order_first", item["stock"],
        "pieces", baseline=item["stock_needed"], n=len(urgent), owner="stock", action="order_item",
        rule="L02" if hero else "L03",
        values={"title": item["title"], "stock": item["stock"], "days_of_stock": item["days_of_stock"],
                "chance": item["chance_out"], "stock_needed": item["stock_needed"],
                "order": item["order_units"],
                "service": item["service"], "count": len(urgent), "pieces": urgent["order_units"].sum(),
                "days": horizon(rules), "lead": rules["lead_time_days"],
                "floor": rules["hero_stock_min"], "good": rules["hero_stock_good"]},
    )  # fmt: skip


def _campaign(plan: pd.DataFrame, campaign: Coming, rules: Mapping[str, float]) -> Finding:
    one, two = plan["stage_one"].sum(), plan["stage_two"].sum()
    known = "campaign_stock" if one + two > 0 else "campaign_stock_enough"
    return Finding(
        "campaign_stock", "info", "stock",
        known if campaign.known else "campaign_stock_first",
        plan["campaign_units"].sum(), "pieces", baseline=plan["expected_units"].sum(), n=len(plan),
        owner="stock", action="order_campaign" if one > 0 else "", rule="G02",
        values={"campaign": campaign.name, "start": campaign.start, "end": campaign.end,
                "items": len(plan), "units": plan["campaign_units"].sum(), "one": one, "two": two,
                "expected": plan["expected_units"].sum(), "by": campaign.by,
                "order_by": campaign.by - rules["lead_time_days"] * DAY,
                "share": rules["d11_stock_share"]},
    )  # fmt: skip


def _too_much(too_much: pd.DataFrame, rules: Mapping[str, float]) -> Finding:
    cost, item = too_much["overstock_cost"].sum(), too_much.iloc[0]
    sells = pd.notna(item["days_of_stock"])
    return Finding(
        "overstock", "info", "stock", "overstock" if sells else "overstock_unsold", cost,
        "currency", n=len(too_much), owner="promotion", action="sell_off", rule="L05",
        values={"count": len(too_much), "cost": cost, "title": item["title"],
                "units": item["overstock_units"], "days_of_stock": item["days_of_stock"],
                "days": season_days(rules)},
    )  # fmt: skip


def key_figures(judged: pd.DataFrame, lying: pd.DataFrame) -> pd.DataFrame:
    """What to order and what lies too long, as display.key_figures takes them: metric, value.

    judged  of verdicts()   lying  of overstock()
    """
    counts = judged["stock_verdict"].value_counts()
    rows = [("items_short", counts.get("short", 0)), ("items_to_restock", counts.get("restock", 0))]
    rows.append(("pieces_to_order", judged["order_units"].sum()))
    rows.append(("lying_cost", lying["overstock_cost"].sum()))
    return pd.DataFrame(rows, columns=["metric", "value"])


def checks(judged: pd.DataFrame, soon: Demand) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other)."""
    counted = judged["stock_verdict"].isin(VERDICTS).sum()
    lacking = judged["stock_verdict"].isin(["short", "restock"])
    covered = judged["stock"] - judged["presold"] + judged["order_units"] - judged["stock_needed"]
    return [
        ("verdicts_complete", counted, len(soon.items)),
        ("orders_suffice", (lacking & (covered < -0.5)).sum(), 0),
    ]
