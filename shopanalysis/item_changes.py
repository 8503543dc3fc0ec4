"""Items whose conversion truly rose or fell, and the shop's conversion as the mix of its items'."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import bridge, calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.difference_in_differences import (
    ENOUGH_PAYERS,
    against_others,
    by_item,
    day_dispersion,
    surprise,
)
from shopanalysis.findings import Finding

MOSTLY = 0.5  # of a change, before it is said to go with the item's sources
FALSE_DISCOVERY = 0.05  # of the items named
SAID = {
    "fell": ("items_fell_by_source", "items_fell", "items_fell_no_bounce"),
    "rose": ("items_rose_by_source", "items_rose", "items_rose_no_bounce"),
}
SHOWN = [
    "item_id", "title", "moved", "since", "visitors_by_day", "conversion", "expected_conversion",
    "relative_low", "relative_high", "at_stake", "bounce_rate", "bounce_rate_before",
]  # fmt: skip
NAMED = {
    "share_before": "item_share_before", "share": "item_share", "rate_before": "conversion_before",
    "rate": "conversion", "by_rate": "by_item_rate", "by_mix": "by_item_mix",
}  # fmt: skip
PARTS = [
    "title", "item_share_before", "item_share", "conversion_before", "conversion", "by_item_rate",
    "by_item_mix", "item_part",
]  # fmt: skip


def judged_by(item_day: pd.DataFrame, in_presale: pd.DataFrame) -> pd.DataFrame:
    """`item_day` with `judged`: buyers, or those who ordered where the item is in presale (C15).

    On no day more than its visitors: who else paid had come on an earlier one.
    """
    ordered = item_day["item_id"].isin(in_presale["item_id"]) & item_day["ordered_buyers"].notna()
    judged = item_day["buyers"].where(~ordered, item_day["ordered_buyers"])
    return item_day.assign(judged=judged.clip(upper=item_day["visitors"]))


def titles(items: pd.DataFrame, ids: pd.Index) -> pd.Series:
    """Each item's title; its id where the shop's item list does not name it."""
    return items.set_index("item_id")["title"].reindex(ids).fillna(ids.to_series())


def _both_periods(item_day, date, days, days_before, campaigns, in_presale):
    """Item-days of the last `days` days, and of the clean days before, with `judged`."""
    item_day = judged_by(item_day, in_presale)
    past = calendars.clean_days(item_day, date - days * DAY, days_before, campaigns)
    return calendars.last_days(item_day, date, days), past


def items_moved(
    item_day: pd.DataFrame,
    items: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    in_presale: pd.DataFrame,
) -> pd.DataFrame:
    """Items whose conversion changed by more than the other items' did, and more than luck (C03, C04).

    The last `days` days against up to `days_before` clean days before, as in
    difference_in_differences.against_others, its spread widened by how far items drift apart by
    themselves; FALSE_DISCOVERY of those named may be wrong (Benjamini-Hochberg).

    One row per item of both periods, those that moved first, most surely at stake on top:
    item_id, title, moved (rose, fell, no; missing where too few payers), since (first day of its new
    bounce or rate), visitors_by_day, conversion, conversion_before, expected_conversion,
    relative_change, relative_low and relative_high (against expected), at_stake (sales above expected,
    currency), bounce_rate, bounce_rate_before, p_value
    """
    now, past = _both_periods(item_day, date, days, days_before, campaigns, in_presale)
    compared = against_others(
        by_item(now, "judged"), by_item(past, "judged"), day_dispersion(past, "judged")
    )
    table = pd.DataFrame({
        "title": titles(items, compared.index),
        "visitors_by_day": compared["trials"],
        "conversion": compared["successes"] / compared["trials"],
        "conversion_before": compared["successes_before"] / compared["trials_before"],
        "expected_conversion": compared["expected"],
        **compared[["relative_change", "relative_low", "relative_high"]],
        "bounce_rate": _bounce(now), "bounce_rate_before": _bounce(past),
        "p_value": surprise(compared),
    }, index=compared.index)  # fmt: skip
    table["moved"] = _moved(table)
    table["at_stake"] = _at_stake(table, pd.concat([past, now]))
    recent = calendars.last_days(judged_by(item_day, in_presale), date, days + days_before)
    table["since"] = _since(recent, table)
    return table.loc[_most_surely_at_stake(table)].reset_index()


def _moved(table: pd.DataFrame) -> pd.Series:
    named = rates.false_discovery(table["p_value"])
    direction = pd.Series(np.where(table["relative_change"] > 0, "rose", "fell"), table.index)
    return direction.where(named <= FALSE_DISCOVERY, "no").where(named.notna())


def _most_surely_at_stake(table: pd.DataFrame) -> pd.Index:
    """Named items by the amount at the nearer end of their interval, then the others by their p-value."""
    nearer = table[["relative_low", "relative_high"]].abs().min(axis=1)
    surely = table["at_stake"].abs() * nearer / table["relative_change"].abs()
    named = table["moved"].isin(["rose", "fell"])
    rank = pd.DataFrame({"named": named, "surely": surely.where(named, 0.0).fillna(0.0)})
    rank["p"] = -table["p_value"]
    return rank.sort_values(["named", "surely", "p"], ascending=False).index


def _bounce(days: pd.DataFrame) -> pd.Series:
    """Bounces / visits of each item."""
    known = days.dropna(subset=["bounce_rate", "visitors"])
    known = known.assign(bounces=known["bounce_rate"] * known["visitors"])
    sums = known.groupby("item_id")[["bounces", "visitors"]].sum()
    return rates.ratio(sums["bounces"], sums["visitors"])


def _at_stake(table: pd.DataFrame, days: pd.DataFrame) -> pd.Series:
    """Payers above expected, each at what the item's payers spend."""
    sums = days.groupby("item_id")[["sales", "buyers"]].sum(min_count=1)
    above = (table["conversion"] - table["expected_conversion"]) * table["visitors_by_day"]
    return above * rates.ratio(sums["sales"], sums["buyers"]).reindex(table.index)


def _since(recent: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """For each item that moved, the day from which its bounce, or else its rate, differs most from before."""
    since = pd.Series(pd.NaT, table.index, dtype="datetime64[us]")
    daily = recent.groupby("date")[["judged", "visitors"]].sum()
    for item in table.index[table["moved"].isin(["rose", "fell"])]:
        own = recent[recent["item_id"] == item].set_index("date").sort_index()
        others = daily.reindex(own.index) - own[["judged", "visitors"]]
        expected = own["visitors"] * rates.ratio(others["judged"], others["visitors"]).fillna(0.0)
        breaks = [
            _break(own["judged"].fillna(0.0), expected),
            _break((own["bounce_rate"] * own["visitors"]).fillna(0.0), own["visitors"]),
        ]
        since[item] = max(breaks)[1]
    return since


def _break(part: pd.Series, weight: pd.Series) -> tuple[float, pd.Timestamp]:
    """How surely part / weight breaks within the days, and the first day after it breaks most."""
    share = (weight.cumsum() / weight.sum()).iloc[:-1].clip(1e-9, 1 - 1e-9)
    total = part.sum()
    spread = np.sqrt(total * share * (1 - share)).clip(lower=1e-9)
    z = ((part.cumsum().iloc[:-1] - total * share) / spread).abs().fillna(0.0)
    return (float(z.max()), part.index[1 + int(z.argmax())]) if len(z) else (0.0, part.index[0])


def with_sources(
    moved: pd.DataFrame,
    item_source_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
) -> pd.DataFrame:
    """`moved` with by_sources: the share of an item's change that goes with where its visits come from (C11).

    Of the items that rose or fell; missing where no export splits their visits by source.
    """
    now = calendars.last_days(item_source_day, date, days)
    past = calendars.clean_days(item_source_day, date - days * DAY, days_before, campaigns)
    looked_at = moved["item_id"].where(moved["moved"].isin(["rose", "fell"]))
    periods = [_by_source(period[period["item_id"].isin(looked_at)]) for period in (past, now)]
    shares = []
    for item in looked_at:
        both = [period[period["item_id"] == item].set_index("source") for period in periods]
        known = min(frame["trials"].sum() for frame in both) > 0
        parts = bridge.mix_and_rate(*both) if known else pd.DataFrame(columns=["by_mix", "by_rate"])
        shares.append(
            parts["by_mix"].sum() / (parts["by_mix"] + parts["by_rate"]).sum() if known else np.nan
        )
    return moved.assign(by_sources=np.array(shares, float).clip(max=1.0))


def _by_source(days: pd.DataFrame) -> pd.DataFrame:
    named = days.rename(columns={"visitors": "trials", "buyers": "successes"})
    return (
        named.dropna(subset=["trials", "successes"])
        .groupby(["item_id", "source"], as_index=False)[["trials", "successes"]]
        .sum()
    )


def by_items(
    item_day: pd.DataFrame,
    items: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    in_presale: pd.DataFrame,
) -> pd.DataFrame:
    """The items' common conversion as the mix of their own, now and over clean days before (C02).

    One row per item, largest part first: item_id, title, item_share_before and item_share (of all
    items' visits), conversion_before, conversion, by_item_rate and by_item_mix (the part of the change
    that goes with its rate and with its share of visits; bridge.mix_and_rate), item_part (their sum)
    """
    now, past = _both_periods(item_day, date, days, days_before, campaigns, in_presale)
    now, past = by_item(now, "judged"), by_item(past, "judged")
    if now["trials"].sum() == 0 or past["trials"].sum() == 0:
        return pd.DataFrame(columns=["item_id", *PARTS])
    parts = bridge.mix_and_rate(past, now).rename(columns=NAMED)
    parts["title"] = titles(items, parts.index)
    parts["item_part"] = parts["by_item_rate"] + parts["by_item_mix"]
    order = parts["item_part"].abs().sort_values(ascending=False, kind="stable").index
    return parts.loc[order, PARTS].rename_axis("item_id").reset_index()


def common_change(
    item_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    days_before: int,
    campaigns: Iterable[Campaign],
    in_presale: pd.DataFrame,
) -> dict[str, float]:
    """All items' common conversion now (rate), before, and change with its ends (95 %, by the days' spread).

    visits   of all items in the period; empty where either period has none
    """
    both = _both_periods(item_day, date, days, days_before, campaigns, in_presale)
    rows = []
    for period in both:
        daily = (
            period.dropna(subset=["judged", "visitors"])
            .groupby("date")[["judged", "visitors"]]
            .sum()
        )
        if daily["visitors"].sum() == 0:
            return {}
        rows.append(
            (*rates.ratio_of_sums(daily["judged"], daily["visitors"]), daily["visitors"].sum())
        )
    (rate, _, high, visits), (before, _, high_before, _) = rows
    half = np.hypot(high - rate, high_before - before)
    change = rate - before
    return {"rate": rate, "before": before, "change": change, "low": change - half,
            "high": change + half, "visits": visits}  # fmt: skip


def findings(moved: pd.DataFrame, parts: pd.DataFrame, common: dict[str, float]) -> list[Finding]:
    """Items that fell and rose, most at stake first; that none did; and what the items' mix and rates did.

    moved  of with_sources   parts  of by_items   common  of common_change
    """
    found = []
    for direction in ("fell", "rose"):
        named = moved[moved["moved"] == direction]
        if len(named):
            found.append(_item_finding(named.iloc[0], len(named), direction))
    tested = int(moved["moved"].notna().sum())
    if tested and not found:
        found.append(Finding("items_steady", "info", "conversion", "items_steady", n=tested,
                             rule="C03", values={"items": tested}))  # fmt: skip
    if len(moved) and not tested:
        found.append(Finding("items_too_little", "info", "conversion", "items_too_little", n=len(moved),
                             rule="C03", values={"items": len(moved), "payers": ENOUGH_PAYERS}))  # fmt: skip
    return found + ([_mix_finding(parts, common)] if len(parts) and common else [])


def _item_finding(item: pd.Series, count: int, direction: str) -> Finding:
    fell, sourced = direction == "fell", item["by_sources"] >= MOSTLY
    known = pd.notna(item["bounce_rate"]) and pd.notna(item["bounce_rate_before"])
    return Finding(
        f"items_{direction}", "warning" if fell else "info" if sourced else "good", "conversion",
        SAID[direction][0 if sourced else 1 if known else 2],
        item["conversion"], "share",
        baseline=item["expected_conversion"],
        low=item["expected_conversion"] * (1 + item["relative_low"]),
        high=item["expected_conversion"] * (1 + item["relative_high"]), n=item["visitors_by_day"],
        owner="design" if fell and not sourced else "promotion",
        action="check_item_sources" if sourced else "mend_item" if fell else "more_to_item",
        rule="C04" if fell else "C03",
        values={"count": count, "title": item["title"], "rate": item["conversion"],
                "expected": item["expected_conversion"], "visitors": item["visitors_by_day"],
                "low": item["relative_low"], "high": item["relative_high"],
                "amount": abs(item["at_stake"]), "since": item["since"],
                "by_sources": item["by_sources"], "bounce": item["bounce_rate"],
                "bounce_before": item["bounce_rate_before"]},
    )  # fmt: skip


def _mix_finding(parts: pd.DataFrame, common: dict[str, float]) -> Finding:
    surely = common["low"] > 0 or common["high"] < 0
    against = bridge.simpson(parts.rename(columns={ours: theirs for theirs, ours in NAMED.items()}))
    text = "mix_against" if surely and against else "mix_changed" if surely else "mix_steady"
    first = parts.iloc[0]
    return Finding(
        "items_mix", "warning" if surely and against and common["change"] < 0 else "info", "conversion",
        text, common["rate"], "share", baseline=common["before"], low=common["before"] + common["low"],
        high=common["before"] + common["high"], n=common["visits"], rule="C02",
        values={**common, "by_rate": parts["by_item_rate"].sum(), "by_mix": parts["by_item_mix"].sum(),
                "title": first["title"], "part": first["item_part"]},
    )  # fmt: skip
