"""Which items sell because buyers want them: the plan's screen, with the doubt it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from shopanalysis import calendars, guards, rates
from shopanalysis.calendars import Campaign
from shopanalysis.findings import Finding

TABLES = ("item_day", "items", "item_source_day", "item_week", "order_lines", "orders")
SHOCK_DAYS = 28  # clean days from which the days' own ups and downs are estimated
WEEK = 7  # days of a row of item_week
WEEKS_KNOWN = 4  # a bestseller confirmed within these weeks before is no news (D05)
LOOK_ALIKES = {  # what stands against a confirmation, weightiest first, and its sentence
    "low_conversion": "look_alike_low_conversion",
    "home_page": "look_alike_home_page",
    "presale": "look_alike_presale",
    "one_buyer": "look_alike_one_buyer",
    "few_days": "look_alike_few_days",
    "few_visitors": "",  # the plan's rule does not pass them either
    "luck": "look_alike_luck",
    "source_mix": "look_alike_source_mix",
}
DRAWN = 12
MOST_VISITS = 1e7
PLACES = {"confirmed": 0, "watch": 1, "no": 2}
SHOWN = [
    "title", "verdict", "plan_verdict", "chance_above", "next_conversion", "low", "high",
    "conversion", "visitors_by_day", "news",
]  # fmt: skip
GUARDED = [
    "title", "verdict", "reason", "visitors_by_day", "conversion", "home_share",
    "conversion_elsewhere", "standardised", "days_with_sales", "top_buyer_share", "presale",
]  # fmt: skip
NEARLY = [
    "item_id", "title", "reason", "visitors_by_day", "payers", "next_conversion", "chance_above",
    "payers_short", "visitors_short",
]  # fmt: skip
COUNTED = dict.fromkeys([*SHOWN, *GUARDED, *NEARLY[1:]])
COUNTED = [name for name in COUNTED if name not in ("low", "high")]


def week(
    item_day: pd.DataFrame, items: pd.DataFrame, date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """One row per item that was seen in the last `days` days, most visits first.

    item_id, title, category, visitors_by_day (visits added up over days), payers (of a day at most its
    visitors: others came before), conversion, units, page_views, sales (currency), days_with_sales,
    bounce_rate (weighted by visits)

    Days whose visitors or payers are not known are left out.
    """
    period = calendars.last_days(_of_who_came(item_day), date, days)
    period = period.dropna(subset=["visitors", "buyers"])
    period = period[period["visitors"] > 0].rename(
        columns={"visitors": "visitors_by_day", "buyers": "payers"}
    )
    by_item = period.groupby("item_id")
    counts = ["visitors_by_day", "payers", "units", "page_views", "sales"]
    totals = by_item[counts].sum(min_count=1)
    totals["days_with_sales"] = (period["payers"] > 0).groupby(period["item_id"]).sum()
    totals["conversion"] = rates.ratio(totals["payers"], totals["visitors_by_day"])
    totals["bounce_rate"] = _weighted(period, "bounce_rate")
    described = totals.join(items.set_index("item_id")[["title", "category"]])
    described["title"] = described["title"].fillna(described.index.to_series())
    return described.sort_values("visitors_by_day", ascending=False, kind="stable").reset_index()


def _of_who_came(item_day: pd.DataFrame) -> pd.DataFrame:
    """`item_day` with no more buyers than visitors on any day: who else paid had come on an earlier one."""
    return item_day.assign(buyers=item_day["buyers"].clip(upper=item_day["visitors"]))


def with_people(
    items: pd.DataFrame, item_week: pd.DataFrame | None, date: pd.Timestamp, days: int
) -> pd.DataFrame:
    """`items` of week() with visitors: people, each once in the `days` days, missing where not counted.

    item_week   of an event log, which alone can tell who came on two days; it knows weeks only
    """
    if item_week is None or days != WEEK:
        return items.assign(visitors=np.nan)
    last = item_week[item_week["date"] == date].set_index("item_id")["visitors"]
    return items.assign(visitors=items["item_id"].map(last).astype(float))


def seen_by(items: pd.DataFrame) -> pd.Series:
    """What is held against the bar of visitors: people of the week where they are known, else visits."""
    visits = items["visitors_by_day"]
    return items["visitors"].fillna(visits) if "visitors" in items else visits


def _weighted(period: pd.DataFrame, column: str) -> pd.Series:
    known = period.dropna(subset=[column])
    by_item = known.assign(part=known[column] * known["visitors_by_day"]).groupby("item_id")
    sums = by_item[["part", "visitors_by_day"]].sum()
    return rates.ratio(sums["part"], sums["visitors_by_day"])


def expect(
    items: pd.DataFrame,
    item_day: pd.DataFrame,
    date: pd.Timestamp,
    days: int,
    bars: Mapping[str, float],
    campaigns: Iterable[Campaign] = (),
) -> pd.DataFrame:
    """`items` of week() with what to expect of each, knowing how the shop's items differ.

    next_conversion   expected next week: between the item's own rate and the shop's
    low, high         where the true rate lies 95 times in 100
    chance_above      that the true rate is above bars["bestseller_conversion"]
    payers_short      payers that the same visits lack for a sure enough chance; 0: none
    visitors_short    visits that it lacks, paying as expected; missing: no number would do

    Counts are divided by how much more the item's days vary than by luck. Morris (1983), Journal of
    the American Statistical Association 78, 47-65; the winner's curse: Efron (2011), the same 106, 1602.
    """
    spread = _dispersion(items, item_day, date, days, campaigns)
    visits = items["visitors_by_day"].to_numpy()
    k, n = items["payers"].to_numpy() / spread, visits / spread
    prior = rates.fit_beta(k, n)
    expected, (low, high) = prior.mean_after(k, n), prior.interval(k, n)
    bar, enough = bars["bestseller_conversion"], bars["bestseller_chance"]

    def sure_with_payers(more: np.ndarray) -> np.ndarray:
        return prior.chance_above(bar, np.minimum(k + more / spread, n), n) >= enough

    def sure_with_visits(more: np.ndarray) -> np.ndarray:
        return prior.chance_above(bar, k + expected * more / spread, n + more / spread) >= enough

    lacking = np.floor(bars["bestseller_visitors"] - seen_by(items).to_numpy()) + 1
    more_visits = _fewest(sure_with_visits, np.full(len(n), MOST_VISITS))
    return items.assign(
        next_conversion=expected, low=low, high=high, chance_above=prior.chance_above(bar, k, n),
        payers_short=_fewest(sure_with_payers, visits),
        visitors_short=np.maximum(more_visits, lacking),
    )  # fmt: skip


def _dispersion(items, item_day, date, days, campaigns) -> np.ndarray:
    """How many times more each item's week varies than by luck alone."""
    item_day = _of_who_came(item_day)
    clean = calendars.clean_days(item_day, date, SHOCK_DAYS, campaigns)
    shock = rates.day_shock(clean["buyers"], clean["visitors"], clean["item_id"])
    period = calendars.last_days(item_day, date, days)
    spread = rates.dispersion_by_group(
        shock, period["buyers"], period["visitors"], period["item_id"]
    )
    return items["item_id"].map(spread).to_numpy(float)


def _fewest(reached: Callable, most: np.ndarray) -> np.ndarray:
    """The smallest whole number up to `most` at which `reached`, by halving; missing where it never is."""
    low, high = np.full(len(most), -1.0), most.astype(float)
    never = ~reached(high)
    while (high - low > 1).any():
        middle = np.ceil((low + high) / 2) + 0.0  # no -0
        hit = reached(middle)
        low, high = np.where(hit, low, middle), np.where(hit, middle, high)
    return np.where(never, np.nan, high)


def screen(
    tables: Mapping[str, pd.DataFrame],
    date: pd.Timestamp,
    days: int,
    bars: Mapping[str, float],
    campaigns: Iterable[Campaign] = (),
) -> pd.DataFrame:
    """Every item of the `days` days up to `date` with the plan's verdict and ours (D01, D04).

    tables   those of TABLES

    plan_verdict   yes: visits and conversion above their bars, as the plan states it
    verdict        confirmed: visits above their bar, the chance that the true conversion is above
                   its bar high enough, among the likeliest of which few are wrong, and no guard
                   against it; watch: visits over a part of their bar and a fair chance; no: others
    reason         what stands against a confirmation first; missing for the confirmed
    """
    items = week(tables["item_day"], tables["items"], date, days)
    items = with_people(items, tables.get("item_week"), date, days)
    items = expect(items, tables["item_day"], date, days, bars, campaigns)
    items = guards.guards(items, tables, date, days)
    return verdicts(items, bars, guards.doubts(items, days, bars))


def verdicts(
    items: pd.DataFrame, bars: Mapping[str, float], against: pd.DataFrame | None = None
) -> pd.DataFrame:
    """`items` of expect() with plan_verdict, verdict and reason as screen() says.

    against   of guards.doubts(); without it nothing is known against any item
    """
    enough = seen_by(items) > bars["bestseller_visitors"]
    nearly = seen_by(items) > bars["bestseller_visitors"] * bars["bestseller_nearly"]
    fair = items["chance_above"] >= bars["bestseller_watch_chance"]
    sure = items["chance_above"] >= bars["bestseller_chance"]
    sure &= rates.chosen(items["chance_above"].where(enough, 0.0), bars["bestseller_wrong"])
    plan = enough & (items["conversion"] > bars["bestseller_conversion"])
    against = pd.DataFrame(False, items.index, guards.DOUBTS) if against is None else against
    confirmed = enough & sure & ~against.any(axis=1)
    against = against.assign(low_conversion=~fair, few_visitors=~enough, luck=~sure)
    return items.assign(
        plan_verdict=np.where(plan, "yes", "no"),
        verdict=np.select([confirmed, nearly & fair], ["confirmed", "watch"], "no"),
        reason=_first(against[list(LOOK_ALIKES)]).mask(~nearly, "few_visitors").mask(confirmed),
    )


def _first(against: pd.DataFrame) -> pd.Series:
    """Per row the first column that holds; missing where none does."""
    names = pd.Series(pd.NA, against.index, dtype="string")
    return names.mask(against.any(axis=1), against.astype(float).idxmax(axis=1))


def judged(
    tables: Mapping[str, pd.DataFrame],
    date: pd.Timestamp,
    days: int,
    bars: Mapping[str, float],
    campaigns: Iterable[Campaign] = (),
) -> pd.DataFrame:
    """screen(), confirmed items first, and for them `news` (D05).

    news   known: the same rule confirmed it in the weeks before; new; missing: no whole week before is known
    """
    tables = tables | guards.within(tables, date, days + 7 * WEEKS_KNOWN)
    items = screen(tables, date, days, bars, campaigns)
    earlier = [date - calendars.DAY * 7 * week for week in range(1, WEEKS_KNOWN + 1)]
    screens = [screen(tables, day, days, bars, campaigns) for day in earlier]
    items = items.sort_values("verdict", key=lambda v: v.map(PLACES), kind="stable")
    known = {i for past in screens for i in past.loc[past["verdict"] == "confirmed", "item_id"]}
    news = items["item_id"].isin(known).map({True: "known", False: "new"})
    told = (items["verdict"] == "confirmed") & _whole_week(tables["item_day"], earlier[0], days)
    return items.assign(news=news.where(told))


def _whole_week(item_day: pd.DataFrame, date: pd.Timestamp, days: int) -> bool:
    """Whether the table reaches back over all of the `days` days up to `date`."""
    return bool(item_day["date"].min() <= date - (days - 1) * calendars.DAY)


def days_in_campaigns(date: pd.Timestamp, days: int, campaigns: Iterable[Campaign]) -> int:
    """How many of the `days` days up to `date` lie in a campaign."""
    window = pd.date_range(end=date, periods=days)
    return len(window.intersection(calendars.campaign_days(campaigns)))


def average(items: pd.DataFrame) -> float:
    """The items' payers / the items' visits: the relative bar (D02)."""
    return float(rates.ratio(items["payers"].sum(), items["visitors_by_day"].sum()))


def candidates(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.DataFrame:
    """Items with visits over the part of the bar at which they are watched."""
    least = bars["bestseller_visitors"] * bars["bestseller_nearly"]
    return items[seen_by(items) > least]


def nearly(items: pd.DataFrame) -> pd.DataFrame:
    """The watched items, those that lack the fewest payers first."""
    watched = items[items["verdict"] == "watch"]
    return watched.sort_values("payers_short", kind="stable")


def intervals(items: pd.DataFrame, bars: Mapping[str, float]) -> pd.DataFrame:
    """The candidates as a figure of rates draws them: the expected rate, as a ring the observed one.

    What all titles start with, such as the brand, is left out.
    """
    drawn = candidates(items, bars).nlargest(DRAWN, "next_conversion")
    letters = zip(*drawn["title"], strict=False)
    shared = next((i for i, alike in enumerate(letters) if len(set(alike)) > 1), 0)
    return drawn.assign(
        source=drawn["title"].str[shared:], next_conversion_before=drawn["conversion"]
    )


def findings(
    items: pd.DataFrame, bars: Mapping[str, float], campaign_days: int = 0
) -> list[Finding]:
    """How many are confirmed, which one leads, and which only look like it and why.

    items           of judged()
    campaign_days   days of the period that lie in a campaign
    """
    if items.empty:
        return [Finding("bestsellers", "info", "items", "no_item_visitors", rule="D01",
                        values=_bars(bars))]  # fmt: skip
    confirmed = items[items["verdict"] == "confirmed"]
    found = [_count(items, confirmed, bars)]
    if len(confirmed):
        found.append(_leader(confirmed.loc[confirmed["sales"].fillna(0).idxmax()], items, bars))
    doubtful = items[(items["plan_verdict"] == "yes") & (items["verdict"] != "confirmed")]
    doubtful = doubtful.sort_values("chance_above", ascending=False, kind="stable")
    found += [
        _look_alikes(reason, group, bars)
        for reason, group in doubtful.groupby("reason", sort=False)
    ]
    if campaign_days:
        found.append(_campaign(campaign_days))
    if "visitors" in items and items["visitors"].notna().any():
        found.append(_people(items.dropna(subset=["visitors"]), bars))
    missing = guards.unchecked(items)
    return [*found, _unchecked(missing)] if missing else found


def _count(items, confirmed, bars) -> Finding:
    passed = (items["plan_verdict"] == "yes").sum()
    new = (confirmed["news"] == "new").sum()
    told = "bestsellers" if confirmed["news"].notna().any() else "bestsellers_no_past"
    return Finding(
        "bestsellers", "good" if len(confirmed) else "info", "items",
        told if len(confirmed) else "no_bestseller", len(confirmed), "items", baseline=passed,
        n=len(items), rule="D01",
        values={"confirmed": len(confirmed), "new": new, "passed": passed, "items": len(items),
                "watched": (items["verdict"] == "watch").sum(), "weeks": WEEKS_KNOWN,
                **_bars(bars)},
    )  # fmt: skip


def _bars(bars: Mapping[str, float]) -> dict:
    return {"visitors_bar": bars["bestseller_visitors"], "rate_bar": bars["bestseller_conversion"]}


def _rate(item: pd.Series, bars: Mapping[str, float]) -> dict:
    """What a finding about one item's rate states."""
    return {"value": item["next_conversion"], "unit": "share", "low": item["low"],
            "baseline": bars["bestseller_conversion"], "high": item["high"],
            "n": item["visitors_by_day"]}  # fmt: skip


def _said(item: pd.Series, bars: Mapping[str, float]) -> dict:
    return {"title": item["title"], "rate": item["conversion"], "next": item["next_conversion"],
            "low": item["low"], "high": item["high"], "visitors": item["visitors_by_day"],
            "sales": item["sales"], "chance": item["chance_above"], "home": item["home_share"],
            "elsewhere": item["conversion_elsewhere"], "standardised": item["standardised"],
            "days": item["days_with_sales"], "share": item["top_buyer_share"],
            "payers_short": item["payers_short"], "visitors_short": item["visitors_short"],
            "rate_bar": bars["bestseller_conversion"]}  # fmt: skip


def _leader(item: pd.Series, items: pd.DataFrame, bars: Mapping[str, float]) -> Finding:
    return Finding(
        "leader", "good", "next_conversion", "bestseller_leader", **_rate(item, bars),
        owner="stock", action="keep_in_stock", rule="D02",
        values=_said(item, bars) | {"shop": average(items)},
    )  # fmt: skip


def _look_alikes(reason: str, group: pd.DataFrame, bars: Mapping[str, float]) -> Finding:
    """Items that pass the plan's rule but for one reason are not confirmed; the likeliest is named."""
    item = group.loc[group["chance_above"].idxmax()]
    text = LOOK_ALIKES[reason]
    if text == "look_alike_luck" and pd.isna(item["visitors_short"]):
        text = "look_alike_luck_never"
    placed = reason in ("home_page", "source_mix")
    return Finding(
        f"look_alikes_{reason}", "warning", "next_conversion", text, **_rate(item, bars),
        owner="promotion", action="try_elsewhere" if placed else "wait_with_traffic", rule="D04",
        values=_said(item, bars) | {"count": len(group)},
    )  # fmt: skip


def _campaign(days: int) -> Finding:
    return Finding("campaign_week", "info", "visitors_by_day", "campaign_in_week", days, "days",
                   rule="D04", values={"days": days})  # fmt: skip


def _people(items: pd.DataFrame, bars: Mapping[str, float]) -> Finding:
    people, visits = items["visitors"].sum(), items["visitors_by_day"].sum()
    values = {"people": people, "visits": visits, "items": len(items), **_bars(bars)}
    return Finding("weekly_visitors", "info", "visitors_by_day", "weekly_visitors", people, "people",
                   n=visits, rule="D01", values=values)  # fmt: skip


def _unchecked(missing: list[str]) -> Finding:
    return Finding("guards_unchecked", "info", "items", "guards_unchecked", len(missing), "guards",
                   rule="D04", values={"names": missing})  # fmt: skip


def key_figures(items: pd.DataFrame) -> pd.DataFrame:
    """How many items there are, and of which verdict, as display.key_figures takes them: metric, value."""
    counts = items["verdict"].value_counts()
    named = {"confirmed": counts.get("confirmed", 0), "watched": counts.get("watch", 0)}
    return pd.DataFrame([*named.items(), ("items", len(items))], columns=["metric", "value"])


def checks(items: pd.DataFrame, categories: pd.DataFrame) -> list[tuple[str, float, float]]:
    """What must hold, as (name, one, other)."""
    named = items[items["category"].notna()]
    too_many = (items["payers"] > items["visitors_by_day"]).sum()
    return [
        ("categories_add_up", categories["sales"].sum(), named["sales"].sum()),
        ("payers_within", too_many, 0),
    ]
