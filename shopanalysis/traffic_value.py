"""What visits are worth: whether to buy more, where to send them, and which paid words bring buyers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf
from shopanalysis.traffic_sources import (
    DOUBT_DAYS,
    ENOUGH_PAYERS,
    STEERED,
    Periods,
    counted,
)

WORDS = [
    "word", "clicks", "orders", "click_conversion", "low", "high", "sales", "cost",
    "value_per_click", "cost_per_click", "net_per_click",
]  # fmt: skip
MOVES = [
    "level", "moved_from", "moved_to", "visits_moved", "value_from", "value_to",
    "gain", "gain_low", "gain_high",
]  # fmt: skip


def shop_conversion(
    shop_day: pd.DataFrame, periods: Periods, campaigns: Iterable[Campaign], basis: str
) -> pd.Series:
    """The shop's conversion on the last clean days, as many as the period has (B06).

    first and last (of these days), visitors (by day), payers, conversion with low and high, dispersion
    """
    whole = shop_day[(shop_day["device"] == "all") & (shop_day["date"] <= periods.date)]
    whole = whole.rename(columns={rates.payers(basis): "payers"}).dropna(
        subset=["visitors", "payers"]
    )
    recent = calendars.clean_days(whole, periods.date, DOUBT_DAYS, campaigns)
    spread = rates.dispersion(recent["payers"], recent["visitors"], recent["device"])
    days = calendars.clean_days(whole, periods.date, periods.days, campaigns)
    payers, visitors = days["payers"].sum(), days["visitors"].sum()
    low, high = rates.interval(payers, visitors, dispersion=spread)
    return pd.Series({
        "first": days["date"].min(), "last": days["date"].max(), "visitors": visitors, "payers": payers,
        "conversion": rates.ratio(payers, visitors), "low": low, "high": high, "dispersion": spread,
    })  # fmt: skip


def buy_or_wait(conversion: pd.Series, bar: float) -> list[Finding]:
    """Conversion before visitors: while the shop is surely below its bar, traffic spend is held (B06)."""
    rate, low, high = conversion[["conversion", "low", "high"]]
    if pd.isna(rate):
        return []
    below, above = high < bar, low > bar
    text = "hold_traffic" if below else "buy_traffic" if above else "traffic_open"
    gap = abs(rate - bar)
    enough = rates.trials_needed(bar, gap, conversion["dispersion"]) / 2 if gap else None
    return [Finding(
        "buy_or_wait", "warning" if below else "good" if above else "info", "conversion", text,
        rate, "share", baseline=bar, low=low, high=high, n=conversion["visitors"], rule="B06",
        owner="leadership" if below else "", action="hold_traffic" if below else "",
        values=conversion.to_dict() | {"rate": rate, "bar": bar, "enough": enough},
    )]  # fmt: skip


def moves(
    source_day: pd.DataFrame,
    item_day: pd.DataFrame,
    items: pd.DataFrame,
    periods: Periods,
    campaigns: Iterable[Campaign],
    basis: str,
    share: float,
) -> pd.DataFrame:
    """What moving `share` of the visits of a less valuable source, or item, to the best would add (B08).

    One row for sources that can be steered, one for items, where the tables allow: level, moved_from,
    moved_to, visits_moved, value_from and value_to (sales / visit), gain (currency, for as many clean
    days as the period has) with the 95 % ends gain_low and gain_high by the days' own ups and downs

    The two are chosen on the clean days before (the best value of a visit, and the source or item whose
    move to it would have added most), so that luck in the days measured favours neither.
    """
    steered = source_day[source_day["channel"].isin(STEERED)]
    title = items.set_index("item_id")["title"]
    levels = {
        "source": counted(steered, basis).assign(name=steered["source"]),
        "item": counted(item_day, "buyers/visitors").assign(name=item_day["item_id"]),
    }
    moved = {
        level: _move(_by_day(frame), periods, campaigns, share) for level, frame in levels.items()
    }
    rows = [{"level": level} | move for level, move in moved.items() if move]
    names = {item: str(name) for item, name in title.dropna().items()}
    table = pd.DataFrame(rows, columns=MOVES)
    ends = {end: [names.get(key, leaf(key)) for key in table[end]] for end in MOVES[1:3]}
    return table.assign(**ends)


def _by_day(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame.dropna(subset=["visitors", "payers", "sales"])
    by = known.groupby(["date", "name"], as_index=False)
    return by[["visitors", "payers", "sales"]].sum()


def _move(
    daily: pd.DataFrame, periods: Periods, campaigns: Iterable[Campaign], share: float
) -> dict[str, object]:
    campaigns = list(campaigns)
    now = calendars.clean_days(daily, periods.date, periods.days, campaigns)
    past = calendars.clean_days(daily, now["date"].min() - DAY, DOUBT_DAYS, campaigns)
    totals = past.groupby("name")[["visitors", "payers", "sales"]].sum()
    rate = rates.ratio(totals["payers"].sum(), totals["visitors"].sum())
    enough = totals[totals["visitors"] * rate >= ENOUGH_PAYERS]
    enough = enough[enough.index.isin(now.loc[now["visitors"] > 0, "name"])]
    value = rates.ratio(enough["sales"], enough["visitors"])
    if len(value) < 2:
        return {}
    best, left = value.idxmax(), (enough["visitors"] * (value.max() - value)).idxmax()
    ends = [now[now["name"] == name] for name in (left, best)]
    worth = [rates.ratio_of_sums(end["sales"], end["visitors"]) for end in ends]
    visits = share * ends[0]["visitors"].sum()
    gain = visits * (worth[1][0] - worth[0][0])
    half = visits * np.hypot(worth[1][2] - worth[1][0], worth[0][2] - worth[0][0])
    return {
        "moved_from": left, "moved_to": best, "visits_moved": visits,
        "value_from": worth[0][0], "value_to": worth[1][0],
        "gain": gain, "gain_low": gain - half, "gain_high": gain + half,
    }  # fmt: skip


def where_to_send(moved: pd.DataFrame, share: float) -> list[Finding]:
    """What moving visits would add (B08): between items, where it is sure; or else between sources.

    The shop leads visitors from item to item; a source only tells what it is worth to win there.
    """
    known = moved.dropna(subset=["gain_low"])
    if known.empty:
        return []
    sure = known["gain_low"] > 0
    wanted = known.assign(sure=sure, item=known["level"] == "item")
    best = wanted.sort_values(["sure", "item"], ascending=False, kind="stable").iloc[0]
    text = "move_unsure" if not best["sure"] else "move_gain" if best["item"] else "win_gain"
    acted = text == "move_gain"
    return [Finding(
        "where_to_send", "info", "gain", text, best["gain"], "currency",
        baseline=0.0, low=best["gain_low"], high=best["gain_high"], n=best["visits_moved"], rule="B08",
        owner="promotion" if acted else "", action="try_move" if acted else "",
        values=best[MOVES].to_dict() | {"share": share},
    )]  # fmt: skip


def words(ad_day: pd.DataFrame, date: pd.Timestamp, days: int) -> pd.DataFrame:
    """Paid search words over the last `days` days, most clicks first (B15).

    word, clicks, orders (that the platform attributes), click_conversion (orders / clicks) with its
    95 % interval low and high, sales, cost, value_per_click, cost_per_click, net_per_click
    (currency); p (adjusted for their number) that it converts like all other words together

    The days end where the platform has stopped adding orders, as far as it says when; of several
    such windows the one of most clicks is looked at alone.
    """
    sums = ["clicks", "orders", "sales", "cost"]
    ad_day = ad_day.dropna(subset=["word", "clicks", "orders"])
    window = attribution_window(ad_day, date)
    if window is not None:
        ad_day, date = ad_day[ad_day["attribution_days"] == window], date - window * DAY
    recent = calendars.last_days(ad_day, date, days)
    daily = recent.groupby(["date", "word"], as_index=False)[sums].sum(min_count=1)
    table = daily.groupby("word")[sums].sum(min_count=1).reset_index()
    table = table[table["clicks"] > 0].sort_values("clicks", ascending=False, kind="stable")
    spread = rates.dispersion(daily["orders"], daily["clicks"], daily["word"])
    low, high = rates.interval(table["orders"], table["clicks"], dispersion=spread)
    value, cost = (rates.ratio(table[c], table["clicks"]) for c in ("sales", "cost"))
    others = (table[c].sum() - table[c] for c in ("orders", "clicks"))
    p = rates.difference_test(table["orders"], table["clicks"], *others, spread)
    return table.assign(
        click_conversion=rates.ratio(table["orders"], table["clicks"]), low=low, high=high,
        value_per_click=value, cost_per_click=cost, net_per_click=value - cost,
        p=rates.false_discovery(pd.Series(p, table.index)),
    ).reset_index(drop=True)  # fmt: skip


def attribution_window(ad_day: pd.DataFrame, date: pd.Timestamp) -> int | None:
    """Days after a click that the platform adds orders: those of most clicks; None where not said."""
    past = ad_day[ad_day["date"] <= date]
    clicks = past["clicks"].groupby(past["attribution_days"], dropna=False).sum()
    most = clicks.idxmax() if clicks.gt(0).any() else None
    return None if pd.isna(most) else int(most)


def words_final(ad_day: pd.DataFrame, date: pd.Timestamp) -> list[Finding]:
    """Up to which day the orders of words are final, or that nobody says so (trap of young days)."""
    known = ad_day.dropna(subset=["word", "clicks", "orders"])
    if known.empty:
        return []
    window = attribution_window(known, date)
    text = "words_open" if window is None else "words_final"
    last = date - (window or 0) * DAY
    return [Finding(
        "words_final", "info", "click_conversion", text, None, "share", rule="B15",
        values={"window": window or 0, "last": last},
    )]  # fmt: skip


def about_words(
    words: pd.DataFrame, ad_day: pd.DataFrame, date: pd.Timestamp, days: int
) -> list[Finding]:
    """The words that pay, and up to which day their orders are final."""
    return [best_words(words, days), *words_final(ad_day, date)]


def best_words(words: pd.DataFrame, days: int) -> Finding:
    """The paid words that surely bring more orders per click than the others; organic words are unknown."""
    clicks = words["clicks"].sum()
    common = rates.ratio(words["orders"].sum(), clicks)
    values = {"words": len(words), "clicks": clicks, "common": common, "days": days}
    sure = words[(words["p"] <= 0.05) & (words["click_conversion"] > common)]
    sure = sure[sure["orders"] >= ENOUGH_PAYERS]
    if sure.empty:
        text = "no_best_word" if len(words) else "no_words"
        return Finding("best_word", "info", "click_conversion", text, common, "share", n=clicks,
                       rule="B15", values=values)  # fmt: skip
    best = sure.loc[sure["click_conversion"].idxmax()]
    return Finding(
        "best_word", "good", "click_conversion", "best_word", best["click_conversion"], "share",
        baseline=common, low=best["low"], high=best["high"], n=best["clicks"], rule="B15",
        owner="promotion", action="more_of_word",
        values=values | best.to_dict() | {"rate": best["click_conversion"]},
    )  # fmt: skip
