"""Before a day is read: can its numbers be trusted, and which of them are truly out of the ordinary?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from shopanalysis import calendars, rates, tables, usual_days
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.findings import Finding

SCORES = ["dsr_item", "dsr_service", "dsr_logistics"]
METRICS = [
    "sales", "visitors", "conversion", "order_value", "value_per_visitor", "depth",
    "bounce_rate", "inquiry_conversion", "refunds", "dsr",
]  # fmt: skip
BAD_WHEN_HIGH = {"bounce_rate", "refunds"}
OWNERS = {
    "visitors": "promotion", "conversion": "design", "depth": "design", "bounce_rate": "design",
    "inquiry_conversion": "service", "refunds": "service", "dsr": "service",
}  # fmt: skip
EXPECTED = {"campaign_day", "settle_day", "presale_day"}
OF_THE_DAY = {"incomplete_day", *EXPECTED}
SHOWN = 3  # alarms said in words; the table has them all
LUCK = 1e-4  # of so few payers, beside which no fall is urgent
TOLD = [
    "metric", "this_day", "usual", "change", "real", "usual_low", "usual_high", "z", "findable",
]  # fmt: skip


def by_day(day: pd.DataFrame, basis: str) -> pd.DataFrame:
    """METRICS by day, with the date and rates.payers_of(); missing where a column is.

    Refunds that follow from orders stand on the day of payment and are still to come for the last days:
    they are left out.

    day   the shop's days (device all)
    """
    payers = rates.payers_of(day, basis)
    final = ~day["source_file"].str.contains(tables.DERIVED, regex=False).fillna(False)
    return pd.DataFrame(
        {
            "date": day["date"],
            "sales": day["sales"],
            payers.name: payers,
            "visitors": day["visitors"],
            "conversion": rates.ratio(payers, day["visitors"]),
            "order_value": rates.ratio(day["sales"], payers),
            "value_per_visitor": rates.ratio(day["sales"], day["visitors"]),
            "depth": rates.ratio(day["page_views"], day["visitors"]),
            "bounce_rate": day["bounce_rate"],
            "inquiry_conversion": rates.ratio(day["inquiry_buyers"], day["inquiries"]),
            "refunds": day["refunds"].where(final),
            "dsr": day[SCORES].mean(axis=1, skipna=False),
        }
    )


def against_usual(
    day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp, basis: str
) -> pd.DataFrame:
    """Each metric of `date` that the shop has, against what is usual for the weekday (A03, A06, A08).

    Payers are one of them where visitors are not counted.

    metric, this_day, usual, usual_low, usual_high (in the metric's unit), change (share of the usual),
    z (spreads away), real (rose or fell: by more than luck; no; campaign; unknown: too little
    history), findable (the smallest fall, as a share, that would be found 8 times in 10)

    The scores are rolling means: their change in a week is judged against usual such changes.
    """
    campaigns = list(campaigns)
    past = day[day["date"] <= date]
    daily = by_day(past, basis)
    if date not in set(daily["date"]):
        return pd.DataFrame(columns=TOLD)
    busy = date in calendars.campaign_days(campaigns)
    visitors = daily["visitors"].notna().any()
    metrics = METRICS if visitors else [METRICS[0], rates.payers_of(past, basis).name, *METRICS[1:]]
    rows = [_judged(daily, metric, campaigns, busy) for metric in metrics]
    return pd.DataFrame([row for row in rows if not pd.isna(row["this_day"])], columns=TOLD)


def _judged(daily: pd.DataFrame, metric: str, campaigns: list[Campaign], busy: bool) -> dict:
    values = daily.set_index("date")[metric].asfreq("D")
    base = values.shift(7) if metric == "dsr" else pd.Series(1.0, values.index)
    moved = (values / base).reset_index(name=metric)
    usual = usual_days.usual(moved, metric, campaigns).iloc[-1]
    usual[["usual", "usual_low", "usual_high"]] *= base.iloc[-1]
    real = usual_days.judged(usual["z"], busy)
    findable = usual_days.findable_fall(usual["spread"])
    change = values.iloc[-1] / usual["usual"] - 1
    return usual.to_dict() | {"metric": metric, "this_day": values.iloc[-1], "change": change,
                              "real": real, "findable": findable}  # fmt: skip


def urgent(
    day: pd.DataFrame, told: pd.DataFrame, date: pd.Timestamp, basis: str, bar: float
) -> bool:
    """Whether sales are so far down that it cannot wait: `bar` spreads, and more than bad luck with payers.

    told   of against_usual
    """
    row = told.set_index("metric").reindex(["sales", "visitors", "conversion"])
    if row.loc["sales", "real"] != "fell" or row.loc["sales", "z"] > -bar:
        return False
    paid = day.set_index("date").loc[date, rates.payers(basis)]
    usual_paid = row.loc["visitors", "usual"] * row.loc["conversion", "usual"]
    return bool(np.isnan(usual_paid + paid) or stats.poisson.cdf(paid, usual_paid) < LUCK)


def doubts(
    shop_day: pd.DataFrame,
    source_day: pd.DataFrame,
    orders: pd.DataFrame,
    told: pd.DataFrame,
    campaigns: Iterable[Campaign],
    date: pd.Timestamp,
    basis: str,
    days: int,
) -> pd.DataFrame:
    """What in the tables speaks against taking the last `days` days at their word (N01).

    told   of against_usual

    One row per question: doubt, days_found (days on which it is so; missing where the tables cannot
    tell), trust (fine, doubtful, unknown), then (what follows; missing where all is fine).
    """
    sides = {d: shop_day[shop_day["device"] == d] for d in ("all", "pc", "wireless")}
    day = sides["all"]
    recent = calendars.last_days(day, date, days).set_index("date")
    found = {
        "incomplete_day": _incomplete(told, calendars.cut_short(shop_day, orders, date)),
        "missing_days": _missing(day, date, days),
        "payers_over_visitors": _days_over(recent[rates.payers(basis)], recent["visitors"]),
        "ordered_unpaid": _unpaid(recent["ordered_buyers"], recent[rates.payers(basis)]),
        **_settling(day, campaigns, date),
        "refunds_over_sales": _days_over(recent["refunds"], recent["sales"]),
        "sides_apart": _sides_apart(recent, sides),
        "sources_apart": _sources_apart(recent, source_day),
        "campaign_day": float(date in calendars.campaign_days(campaigns)),
    }
    table = pd.DataFrame({"doubt": list(found), "days_found": list(found.values())})
    table["trust"] = np.where(table["days_found"] > 0, "doubtful", "fine")
    table.loc[table["days_found"].isna(), "trust"] = "unknown"
    table["then"] = table["doubt"].where(table["trust"] == "doubtful")
    order = table["trust"].map({"doubtful": 0, "fine": 1, "unknown": 2})
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def _days_over(part: pd.Series, whole: pd.Series) -> float:
    """Days on which a part is more than its whole; missing where no day has both."""
    known = part.notna() & whole.notna()
    return (
        float((part[known].astype(float) > whole[known].astype(float)).sum())
        if known.any()
        else np.nan
    )


def _unpaid(ordered: pd.Series, paid: pd.Series) -> float:
    """Days on which people ordered and nobody paid."""
    known = ordered.notna() & paid.notna()
    return float(((ordered > 0) & (paid == 0))[known].sum()) if known.any() else np.nan


def _incomplete(told: pd.DataFrame, cut_short: bool) -> float:
    """1 where orders end early, or visitors and sales are both far below the usual: the day was not over."""
    if cut_short:
        return 1.0
    real = told.set_index("metric")["real"].reindex(["visitors", "sales"])
    unknown = real.isna().any() or (real == "unknown").any()
    return np.nan if unknown else float((real == "fell").all())


def _missing(day: pd.DataFrame, date: pd.Timestamp, days: int) -> float:
    """Days without sales among the last `days`, from the shop's first day on; weekdays it is closed apart."""
    known = day.loc[(day["date"] <= date) & day["sales"].notna(), "date"]
    if known.empty:
        return np.nan
    expected = pd.date_range(max(known.min(), date - (days - 1) * DAY), date)
    open_on = list(calendars.open_weekdays(known, date))
    return float((~expected.isin(known) & expected.day_of_week.isin(open_on)).sum())


def _settling(
    day: pd.DataFrame, campaigns: Iterable[Campaign], date: pd.Timestamp
) -> dict[str, float]:
    """Presale: days of orders without payment, and the day their balance is paid, by paid / ordered."""
    share = day.assign(share=rates.ratio(day["sales"], day["ordered_amount"]))
    share = share[share["date"] <= date]
    z = usual_days.usual(share, "share", campaigns)["z"].iloc[-1] if len(share) else np.nan
    return {
        "presale_day": np.nan if np.isnan(z) else float(z <= -usual_days.ALARM),
        "settle_day": np.nan if np.isnan(z) else float(z >= usual_days.ALARM),
    }


def _sides_apart(recent: pd.DataFrame, sides: dict[str, pd.DataFrame]) -> float:
    """Days on which PC's and wireless's sales are not the shop's, or their visitors cannot be."""
    columns = ["sales", "visitors"]
    pc, wireless = (
        sides[d].set_index("date")[columns].reindex(recent.index) for d in ("pc", "wireless")
    )
    whole, both = recent[columns], pc + wireless
    apart = (whole["sales"] - both["sales"]).abs() > 0.005
    apart |= whole["visitors"] > both["visitors"]
    apart |= (pc["visitors"] > whole["visitors"]) | (wireless["visitors"] > whole["visitors"])
    return float(apart.sum()) if both.notna().any(axis=None) else np.nan


def _sources_apart(recent: pd.DataFrame, source_day: pd.DataFrame) -> float:
    """Days on which the sources' sales are more than 1 % away from the shop's."""
    by_source = source_day.groupby("date")["sales"].sum(min_count=1).reindex(recent.index)
    apart = (by_source / recent["sales"] - 1).abs() > 0.01
    return float(apart.sum()) if by_source.notna().any() else np.nan


def findings(told: pd.DataFrame, doubted: pd.DataFrame, days: int) -> list[Finding]:
    """What to doubt, then up to SHOWN metrics that are truly out of the ordinary, sales apart.

    told  of against_usual   doubted  of doubts, looked for in `days` days
    """
    flagged = doubted[doubted["trust"] == "doubtful"]
    moved = told[told["real"].isin(["rose", "fell"]) & (told["metric"] != "sales")]
    moved = moved.loc[moved["z"].abs().sort_values(ascending=False).index].head(SHOWN)
    return [_doubt(row, days) for row in flagged.to_dict("records")] + [
        _alarm(row, len(told)) for row in moved.to_dict("records")
    ]


def _doubt(row: dict, days: int) -> Finding:
    of_the_day = row["doubt"] in OF_THE_DAY
    return Finding(
        f"doubt_{row['doubt']}", "info" if row["doubt"] in EXPECTED else "warning", "days_found",
        "doubt_day" if of_the_day else "doubt", row["days_found"], "days", baseline=0,
        n=1 if of_the_day else days, rule="N01_day", values=row | {"days": days},
    )  # fmt: skip


def _alarm(row: dict, looked_at: int) -> Finding:
    bad = (row["real"] == "rose") == (row["metric"] in BAD_WHEN_HIGH)
    owner = OWNERS.get(row["metric"], "") if bad else ""
    return Finding(
        f"alarm_{row['metric']}", "warning" if bad else "good", row["metric"],
        "alarm_high" if row["real"] == "rose" else "alarm_low", row["this_day"], "",
        baseline=row["usual"], low=row["usual_low"], high=row["usual_high"], n=looked_at,
        owner=owner, action="look_into" if owner else "", rule="A12",
        values=row | {"looked_at": looked_at, "away": abs(row["change"]),
                      "low": row["usual_low"] / row["usual"] - 1,
                      "high": row["usual_high"] / row["usual"] - 1},
    )  # fmt: skip
