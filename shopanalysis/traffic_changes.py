"""What changed between two periods: each source's part, mix or rate, and what is beyond the usual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import bridge, calendars, rates, usual_days
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf
from shopanalysis.traffic_sources import BEFORE, COUNTS, Periods, comparable, counted

MOVED = [
    "source", "visitors_before", "visitors_by_day", "sales_before", "sales", "sales_change",
    "by_visits", "by_conversion", "by_order_value",
]  # fmt: skip
USUAL = [
    "source", "channel", "visitors_by_day", "visits_usual", "visits_low", "visits_high",
    "visits_ratio", "real",
]  # fmt: skip
MIX = ["source", "share_before", "share", "rate_before", "rate", "by_rate", "by_mix"]
SURE = 0.05
NAMED = 5  # sources in one sentence


def parts(sources: pd.DataFrame) -> pd.DataFrame:
    """Each source's exact part in the change of sales, as bridge.by_group; empty without two periods."""
    known = comparable(sources).set_index("source")
    before = known[BEFORE].set_axis(COUNTS, axis=1)
    now = known[["visitors_by_day", "payers", "sales"]].set_axis(COUNTS, axis=1)
    return bridge.by_group(before, now)


def bridge_steps(parts: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """From the sales of the period before to those of this one (B02).

    One row per bar: factor, amount (currency). share is the mix of sources; entered, left and
    uncounted are left out where they are nothing.
    """
    if parts.empty:
        return pd.DataFrame(columns=["factor", "amount"])
    known = comparable(sources)
    sums = parts[list(bridge.GROUP_PARTS)].sum()
    kept = sums[
        (sums.abs() >= 0.005) | sums.index.isin(["visitors", "share", "conversion", "order_value"])
    ]
    ends = [("period_before", known["sales_before"].sum()), ("period", known["sales"].sum())]
    rows = [ends[0], *kept.items(), ends[1]]
    return pd.DataFrame(rows, columns=["factor", "amount"])


def what_moved(parts: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Each source's part in the change of sales, largest first (B02).

    source, visits and sales in both periods, sales_change (currency), and the parts that add up to
    it: by_visits (with sources that came or went), by_conversion, by_order_value
    """
    known = comparable(sources).set_index("source")
    moved = known.assign(
        sales_change=parts["change"],
        by_visits=parts[["visitors", "share", "entered", "left"]].sum(axis=1),
        by_conversion=parts["conversion"],
        by_order_value=parts["order_value"] + parts["uncounted"],
    ).reset_index()
    order = moved["sales_change"].abs().sort_values(ascending=False, kind="stable").index
    return moved.loc[order, MOVED].reset_index(drop=True)


def mix(sources: pd.DataFrame) -> pd.DataFrame:
    """Why the conversion over all sources changed: their rates or their mix, as bridge.mix_and_rate.

    One row per source, largest part first; rates and parts are shares.
    """
    known = comparable(sources, sales=False).set_index("source")
    pair = ["trials", "successes"]
    before = known[["visitors_before", "payers_before"]].set_axis(pair, axis=1)
    now = known[["visitors_by_day", "payers"]].set_axis(pair, axis=1)
    if not (before["trials"].sum() and now["trials"].sum()):
        return pd.DataFrame(columns=MIX)
    mixed = bridge.mix_and_rate(before, now).rename_axis("source").reset_index()
    size = mixed[["by_mix", "by_rate"]].abs().max(axis=1)
    return mixed.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def against_usual(
    source_day: pd.DataFrame, periods: Periods, campaigns: Iterable[Campaign]
) -> pd.DataFrame:
    """Each source's visits against what is usual for as many days, largest difference first (B07).

    source, channel, visitors_by_day; visits_usual (of the same weekdays of earlier weeks, campaigns
    left out), visits_low and visits_high (the usual range), visits_ratio, and real: rose or fell
    where the source is outside by more than luck, over all sources tested (Benjamini-Hochberg)
    """
    recent = calendars.last_days(
        source_day, periods.date, usual_days.SPREAD_DAYS + 7 * usual_days.WEEKS_BACK + periods.days
    )
    if recent.empty:
        return pd.DataFrame(columns=USUAL)
    daily = by_day(recent, periods.date)
    rows = {name: usual_visits(daily[name], periods, campaigns) for name in daily}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*USUAL[2:7], "z"])
    surely = rates.false_discovery(table["z"].map(usual_days.chance)) <= SURE
    away = table["z"].where(surely | table["z"].isna(), 0.0)
    real = [usual_days.judged(z, periods.busy > 0) for z in away]
    table = table.assign(real=real, channel=source_day.groupby("source")["channel"].first())
    size = (table["visitors_by_day"] - table["visits_usual"]).abs()
    order = size.sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("source").reset_index()[USUAL]


def usual_visits(
    daily: pd.Series, periods: Periods, campaigns: Iterable[Campaign]
) -> tuple[float, float, float, float, float, float]:
    """Visits of the period, what is usual for as many days, its range, the ratio less 1, and spreads away."""
    sums = daily.rolling(periods.days).sum().rename("visitors").rename_axis("date").reset_index()
    longer = [replace(c, end=c.end + (periods.days - 1) * DAY) for c in campaigns]
    usual = usual_days.usual(sums, "visitors", longer).iloc[-1]
    now = sums["visitors"].iloc[-1]
    ratio = now / usual["usual"] - 1
    return now, usual["usual"], usual["usual_low"], usual["usual_high"], ratio, usual["z"]


def by_day(source_day: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    """Visits by day and source: 0 where a source is not named on a day, missing on days without any."""
    sums = source_day.groupby(["date", "source"])["visitors"].sum(skipna=False)
    daily = sums.unstack(fill_value=0.0)
    return daily.reindex(pd.date_range(daily.index.min(), date, name="date"))


def change_of_sales(
    source_day: pd.DataFrame, sources: pd.DataFrame, periods: Periods, basis: str
) -> tuple[float, float, float]:
    """Sales of the period less those of the other, with the ends that the days' own differences give."""
    known = counted(source_day, basis)
    known = known[known["source"].isin(comparable(sources)["source"])]
    if periods.then is None or known.empty:
        return np.nan, np.nan, np.nan
    sales = known.groupby("date")["sales"].sum()
    now, then = (
        sales.reindex(pd.date_range(end=last, periods=periods.days), fill_value=0.0).to_numpy()
        for last in (periods.date, periods.then)
    )
    change = now - then
    if periods.days < 2:
        return change.sum(), np.nan, np.nan
    half = stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) * np.sqrt(len(change))
    return change.sum(), change.sum() - half, change.sum() + half


def findings(
    sources: pd.DataFrame,
    parts: pd.DataFrame,
    usual: pd.DataFrame,
    periods: Periods,
    change: tuple[float, float, float],
    dispersion: float = 1.0,
) -> list[Finding]:
    """What moved sales most, what that rests on, a trap of the mix, and sources beyond their usual.

    parts, usual, change   of the functions parts, against_usual, change_of_sales
    """
    beyond = [] if usual.empty or periods.busy else _beyond_usual(usual, sources, periods)
    trap = mix_or_rate(sources, dispersion, trap=True)
    if parts.empty:
        return [_no_past(periods), *trap, *beyond]
    moved = _mover(what_moved(parts, sources).iloc[0], parts, sources, periods, change)
    return [
        moved,
        *_comparison(sources, periods),
        *trap,
        *beyond,
    ]


def _no_past(periods: Periods) -> Finding:
    values = {"known": periods.known, "days": periods.days, "needed": 2 * periods.days}
    return Finding(
        "sales_moved", "info", "sales_change", "no_past" if periods.then is None else "no_sales_by_source",
        n=periods.known, rule="B02", values=values,
    )  # fmt: skip


def _mover(
    first: pd.Series,
    parts: pd.DataFrame,
    sources: pd.DataFrame,
    periods: Periods,
    change: tuple[float, float, float],
) -> Finding:
    total, low, high = change
    sums = parts[list(bridge.GROUP_PARTS)].sum()
    before, factor = comparable(sources)["sales_before"].sum(), sums.abs().idxmax()
    text = "sales_rose" if low > 0 else "sales_fell" if high < 0 else "sales_steady"
    text = "sales_one_day" if np.isnan(low) else text
    return Finding(
        "sales_moved", "info", "sales_change", text, total, "currency", baseline=before,
        low=low, high=high, n=comparable(sources)["payers"].sum(), rule="B02",
        values=periods.said | {
            "change": total, "size": abs(total), "ratio": total / before if before else None,
            "low": low, "high": high, "factor": factor, "factor_part": sums[factor],
            "source": leaf(first["source"]), "part": first["sales_change"],
        },
    )  # fmt: skip


def _comparison(sources: pd.DataFrame, periods: Periods) -> list[Finding]:
    """What the comparison rests on, where campaign days or missing numbers bear on it."""
    text = (
        "compared_in_campaign" if periods.busy_then
        else "compared_clean" if periods.passed_over
        else "compared_busy" if periods.busy
        else ""
    )  # fmt: skip
    left = len(sources) - len(comparable(sources))
    noted = [Finding("compared", "info", "days", text, periods.busy, "days",
                     n=periods.days, rule="B02", values=periods.said)] if text else []  # fmt: skip
    if left:
        values = {"left": left, "sources": len(sources)}
        noted.append(Finding("sources_left_out", "info", "source", "sources_left_out", left, "sources",
                             n=len(sources), rule="B02", values=values))  # fmt: skip
    return noted


def mix_or_rate(
    sources: pd.DataFrame, dispersion: float = 1.0, trap: bool = False
) -> list[Finding]:
    """Whether the conversion over all sources moved by their rates or their mix (statistics 4.3).

    trap   which to tell: Simpson's trap, a warning, where it moved one way while sources with most of
           the visits moved the other, and the mix alone would have moved it by more than luck; or else
    """
    mixed, known = mix(sources), comparable(sources, sales=False)
    if mixed.empty:
        return []
    pairs = known[["payers", "visitors_by_day", "payers_before", "visitors_before"]]
    k, n, k0, n0 = pairs.sum()
    mixed_only = (k0 / n0 + mixed["by_mix"].sum()) * n
    by_luck = rates.difference_test(mixed_only, n, k0, n0, dispersion) > SURE
    if trap != (bridge.simpson(mixed) and not by_luck):
        return []
    sure = rates.difference_test(k, n, k0, n0, dispersion) <= SURE
    seen = rates.detectable_change(k0 / n0, 2 / (1 / n + 1 / n0), dispersion) if k0 else None
    low, high = rates.interval(k, n, dispersion=dispersion)
    values = _mix_values(mixed) | {"rate": k / n, "before": k0 / n0, "seen": seen}
    trapped = "mix_trap_fell" if values["change"] < 0 else "mix_trap_rose"
    return [Finding(
        "mix_trap" if trap else "mix_and_rate", "warning" if trap else "info", "conversion",
        trapped if trap else "mix_sure" if sure else "mix_unsure",
        k / n, "share", baseline=k0 / n0, low=low, high=high, n=n, rule="B02_mix",
        owner="promotion" if trap else "", action="judge_by_source" if trap else "", values=values,
    )]  # fmt: skip


def _mix_values(mixed: pd.DataFrame) -> dict[str, object]:
    by_mix, by_rate = mixed["by_mix"].sum(), mixed["by_rate"].sum()
    weight = (mixed["share_before"] + mixed["share"]) / 2
    against = np.sign(mixed["rate"] - mixed["rate_before"]) == -np.sign(by_mix + by_rate)
    first = mixed.loc[mixed["by_mix"].abs().idxmax()]
    return {
        "change": by_mix + by_rate, "by_mix": by_mix, "by_rate": by_rate,
        "against": weight[against].sum(), "source": leaf(first["source"]),
        "share_before": first["share_before"], "share": first["share"], "source_rate": first["rate"],
    }  # fmt: skip


def _beyond_usual(usual: pd.DataFrame, sources: pd.DataFrame, periods: Periods) -> list[Finding]:
    """Sources whose visits fell or rose beyond what is usual for them, each kind together (B07)."""
    if (usual["real"] == "unknown").all():
        needed = 7 * usual_days.FEWEST_WEEKS + usual_days.FEWEST_DAYS + periods.days
        return [Finding(
            "visits_moved", "info", "visitors_by_day", "visits_no_usual",
            usual["visitors_by_day"].sum(), "visits", n=periods.known, rule="B07",
            values={"known": periods.known, "needed": needed},
        )]  # fmt: skip
    kinds = [(kind, usual[usual["real"] == kind]) for kind in ("fell", "rose")]
    return [_together(kind, rows, sources) for kind, rows in kinds if len(rows)]


def _together(kind: str, rows: pd.DataFrame, sources: pd.DataFrame) -> Finding:
    visits, expected = rows["visitors_by_day"].sum(), rows["visits_usual"].sum()
    one = len(rows) == 1
    before = sources.loc[sources["source"].isin(rows["source"]), "visitors_before"].sum(min_count=1)
    fell = kind == "fell"
    return Finding(
        f"visits_{kind}", "warning" if fell else "info", "visitors_by_day",
        "visits_fell" if fell else "visits_rose", visits, "visits", baseline=expected,
        n=visits, rule="B07", owner="promotion" if fell else "", action="check_sources" if fell else "",
        low=rows["visits_low"].iloc[0] if one else None,
        high=rows["visits_high"].iloc[0] if one else None,
        values={
            "names": [leaf(name) for name in rows["source"][:NAMED]], "count": len(rows),
            "visitors": visits, "usual": expected, "ratio": visits / expected - 1,
            "before": before, "ratio_before": visits / before - 1 if before else None,
        },
    )  # fmt: skip
