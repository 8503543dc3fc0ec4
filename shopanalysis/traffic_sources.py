"""Where visitors come from: how many, how many of them pay, what one is worth, and what moved."""

from __future__ import annotations

import pandas as pd

from shopanalysis import bridge, calendars, rates
from shopanalysis.calendars import DAY
from shopanalysis.findings import Finding
from shopanalysis.tables import leaf

ENOUGH_PAYERS = 10
SHOWN = [
    "source", "channel", "visitors_by_day", "visitors_share", "payers", "conversion",
    "low", "high", "sales", "value_per_visitor", "visitors_before", "conversion_before",
]  # fmt: skip


def source_table(
    source_day: pd.DataFrame, date: pd.Timestamp, days: int, basis: str
) -> pd.DataFrame:
    """One row per source over the last `days` days, beside the `days` before, most visitors first (B01).

    source, channel, visitors_by_day (visits added up over days and devices), visitors_share,
    payers, conversion with its 95 % Wilson interval low and high, sales (currency),
    value_per_visitor (sales / visitors_by_day); and visitors_before, conversion_before,
    sales_before, value_before of the period before
    """
    now = _totals(source_day, date, days, basis)
    before = _totals(source_day, date - days * DAY, days, basis)
    both = now.join(before, how="outer", suffixes=("", "_before"))
    counted = [c for c in both if not c.startswith(("conversion", "value"))]
    both[counted] = both[counted].fillna(0.0)
    low, high = rates.wilson(both["payers"], both["visitors_by_day"])
    both = both.assign(
        visitors_share=rates.ratio(both["visitors_by_day"], both["visitors_by_day"].sum()),
        low=low,
        high=high,
    ).rename(
        columns={
            "visitors_by_day_before": "visitors_before",
            "value_per_visitor_before": "value_before",
        }
    )
    return both.sort_values("visitors_by_day", ascending=False, kind="stable").reset_index()


def _totals(source_day: pd.DataFrame, date: pd.Timestamp, days: int, basis: str) -> pd.DataFrame:
    period = calendars.last_days(source_day, date, days).rename(
        columns={"visitors": "visitors_by_day", rates.payers(basis): "payers"}
    )
    totals = period.groupby(["source", "channel"])[["visitors_by_day", "payers", "sales"]].sum()
    return totals.assign(
        conversion=rates.ratio(totals["payers"], totals["visitors_by_day"]),
        value_per_visitor=rates.ratio(totals["sales"], totals["visitors_by_day"]),
    )


def shop_rate(sources: pd.DataFrame) -> float:
    """Payers / visits over all sources: the average that each source is held against."""
    return float(rates.ratio(sources["payers"].sum(), sources["visitors_by_day"].sum()))


def channel_table(sources: pd.DataFrame, ad_cost: float | None) -> pd.DataFrame:
    """The same by channel, with what paid visitors cost, where the shop has an ad report (B03).

    channel, visitors_by_day, visitors_share, payers, conversion, sales, value_per_visitor,
    cost (currency; paid channel only), cost_per_visitor
    """
    totals = sources.groupby("channel")[["visitors_by_day", "payers", "sales"]].sum()
    totals = totals[totals["visitors_by_day"] > 0].sort_values("visitors_by_day", ascending=False)
    cost = pd.Series(float("nan"), totals.index)
    if ad_cost is not None and "paid" in totals.index:
        cost["paid"] = ad_cost
    return pd.DataFrame(
        {
            "channel": totals.index,
            "visitors_by_day": totals["visitors_by_day"],
            "visitors_share": totals["visitors_by_day"] / totals["visitors_by_day"].sum(),
            "payers": totals["payers"],
            "conversion": rates.ratio(totals["payers"], totals["visitors_by_day"]),
            "sales": totals["sales"],
            "value_per_visitor": rates.ratio(totals["sales"], totals["visitors_by_day"]),
            "cost": cost,
            "cost_per_visitor": rates.ratio(cost, totals["visitors_by_day"]),
        }
    ).reset_index(drop=True)


def ad_cost(ad_day: pd.DataFrame, date: pd.Timestamp, days: int) -> float | None:
    """Advertising spend over the last `days` days (currency); None when there is no ad report."""
    spent = (
        calendars.last_days(ad_day, date, days)["cost"] if len(ad_day) else pd.Series(dtype=float)
    )
    return float(spent.sum()) if spent.notna().any() else None


def what_moved(sources: pd.DataFrame) -> pd.DataFrame:
    """Each source's part in the change of sales between the two periods, largest first (B02).

    source, by_visitors and by_value (currency), sales_change (their sum, exactly); over all
    sources it is the whole change. A source that is new or gone counts as visitors.
    """
    values = sources[["value_per_visitor", "value_before"]]
    now = values["value_per_visitor"].fillna(values["value_before"]).fillna(0.0)
    before = values["value_before"].fillna(now)
    parts = bridge.shapley(
        {"by_visitors": sources["visitors_before"], "by_value": before},
        {"by_visitors": sources["visitors_by_day"], "by_value": now},
    )
    moved = pd.DataFrame({"source": sources["source"], **parts})
    moved["sales_change"] = moved["by_visitors"] + moved["by_value"]
    order = moved["sales_change"].abs().sort_values(ascending=False, kind="stable").index
    return moved.loc[order].reset_index(drop=True)


def findings(sources: pd.DataFrame, moved: pd.DataFrame) -> list[Finding]:
    """What moved sales most, which source's visitors changed most, and which source pays best.

    sources  of source_table   moved  of what_moved
    """
    found = [_mover(moved, sources)]
    compared = sources[sources["visitors_before"] > 0]
    if len(compared):
        change = compared["visitors_by_day"] - compared["visitors_before"]
        found.append(_visitors_moved(compared.loc[change.abs().idxmax()]))
    unmapped = sources.loc[sources["channel"] == "unmapped", "visitors_share"].sum()
    if unmapped > 0:
        found.append(_unmapped(unmapped, sources))
    found.append(_best(sources))
    return found


def _mover(moved: pd.DataFrame, sources: pd.DataFrame) -> Finding:
    first, total = moved.iloc[0], moved["sales_change"].sum()
    before = sources["sales_before"].sum()
    return Finding(
        "sales_moved", "info", "sales", "sales_rose" if total >= 0 else "sales_fell",
        total, "currency", baseline=before, n=sources["payers"].sum(),
        rule="B02",
        values={"change": abs(total), "ratio": total / before if before else None,
                "source": leaf(first["source"]), "part": first["sales_change"],
                "by_visitors": first["by_visitors"], "by_value": first["by_value"]},
    )  # fmt: skip


def _visitors_moved(source: pd.Series) -> Finding:
    ratio = source["visitors_by_day"] / source["visitors_before"] - 1
    fell = ratio < -0.2
    return Finding(
        "visitors_moved", "warning" if fell else "info", "visitors_by_day",
        "visits_fell" if ratio < 0 else "visits_rose",
        source["visitors_by_day"], "visitors", baseline=source["visitors_before"],
        n=source["visitors_by_day"], rule="B07",
        owner="promotion" if fell else "", action="check_source" if fell else "",
        values={"source": leaf(source["source"]), "visitors": source["visitors_by_day"],
                "before": source["visitors_before"], "ratio": ratio},
    )  # fmt: skip


def _best(sources: pd.DataFrame) -> Finding:
    shop = shop_rate(sources)
    sure = sources[(sources["low"] > shop) & (sources["payers"] >= ENOUGH_PAYERS)]
    if sure.empty:
        return Finding(
            "best_source", "info", "conversion", "no_best_source", shop, "share",
            n=sources["visitors_by_day"].sum(), rule="B01",
            values={"shop": shop, "visitors": sources["visitors_by_day"].sum()},
        )  # fmt: skip
    best = sure.loc[sure["conversion"].idxmax()]
    return Finding(
        "best_source", "good", "conversion", "best_source", best["conversion"], "share",
        baseline=shop, low=best["low"], high=best["high"], n=best["visitors_by_day"],
        owner="promotion", action="more_of_source", rule="B01",
        values={"source": leaf(best["source"]), "rate": best["conversion"], "low": best["low"],
                "high": best["high"], "shop": shop, "visitors": best["visitors_by_day"]},
    )  # fmt: skip


def _unmapped(share: float, sources: pd.DataFrame) -> Finding:
    names = sources.loc[sources["channel"] == "unmapped", "source"]
    return Finding(
        "unmapped_sources", "warning" if share > 0.02 else "info", "visitors_share", "unmapped",
        share, "share", n=sources["visitors_by_day"].sum(), rule="N01",
        values={"share": share, "names": [leaf(name) for name in names[:3]]},
    )  # fmt: skip


def checks(
    sources: pd.DataFrame, moved: pd.DataFrame, channels: pd.DataFrame
) -> list[tuple[str, float, float]]:
    """Sums that must agree, as (name, one, other)."""
    change = sources["sales"].sum() - sources["sales_before"].sum()
    return [
        ("sources_add_up", moved["sales_change"].sum(), change),
        ("channels_add_up", channels["visitors_by_day"].sum(), sources["visitors_by_day"].sum()),
    ]
