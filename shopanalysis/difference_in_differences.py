"""Did an item change, or did everything? An item's rate against its own past and against other items."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from shopanalysis import calendars, rates
from shopanalysis.calendars import DAY, Campaign, Change
from shopanalysis.findings import Finding

ENOUGH_PAYERS = 5  # expected of an item before it is tested
OUTLYING = 3.0  # spreads away from the middle item
ENOUGH_ITEMS = 10  # tested, before their own spread says how far items drift apart
LEVEL = 0.95
LONGEST = 28  # days looked at on either side of a change
SAID = {
    "rose": "change_rose", "fell": "change_fell", "no": "change_no",
    "too early": "change_too_early", "too little data": "change_too_little_data",
}  # fmt: skip
SHOWN = [
    "date", "title", "what", "days_after", "conversion", "conversion_before", "relative_change",
    "relative_low", "relative_high", "detectable", "effect",
]  # fmt: skip


def against_others(now: pd.DataFrame, past: pd.DataFrame, dispersion: float) -> pd.DataFrame:
    """Each item's change beyond that of all other items, with interval and test.

    now, past    index: the item; trials, successes
    dispersion   of rates.dispersion, over days within items

    One row per item of both, with expected (its past rate times what the others' rates changed by,
    their mix held as it is now), relative_change (rate / expected - 1), log_change (its logarithm),
    relative_low and relative_high (95 %), z (spreads away from no change) and p_value;
    all missing where fewer than ENOUGH_PAYERS successes were to be expected.

    Given an item's successes of both periods those of the second are binomial; its interval is Wilson's,
    widened by what the others' change is not known to.
    """
    both = now.join(past, suffixes=("", "_before"), how="inner")
    both = both[(both["trials"] > 0) & (both["trials_before"] > 0)]
    others, unsure = _change_of_others(both, dispersion)
    exposure = others * both["trials"] / both["trials_before"]
    k, total = both["successes"], both["successes"] + both["successes_before"]
    share, expected = exposure / (1 + exposure), both["successes_before"] * exposure
    known = (total * share >= ENOUGH_PAYERS) & (both["successes_before"] >= ENOUGH_PAYERS)
    spread = np.sqrt(
        total * share * (1 - share) * dispersion + (total * share * (1 - share)) ** 2 * unsure
    )
    ratio, low, high = _ratio_interval(k, total, exposure, dispersion, unsure)
    z = ((k - total * share) / spread).where(known)
    return both.assign(
        expected=(both["successes_before"] / both["trials_before"] * others).where(known),
        relative_change=(ratio - 1).where(known),
        relative_low=(low - 1).where(known),
        relative_high=(high - 1).where(known),
        log_change=np.log((k + 0.5) / (expected + 0.5)).where(known),
        z=z,
        p_value=2 * stats.norm.sf(z.abs()),
    )


def _change_of_others(both: pd.DataFrame, dispersion: float) -> tuple[pd.Series, pd.Series]:
    """By how much the rates of all other items changed, and the variance of its logarithm.

    Items that surely changed apart from most are left out of it, so that one item's fall is not the
    others' rise. 1 where the others have too few successes to say.
    """
    common = both[~_apart(both, dispersion)]
    counted = {
        "now": common["successes"],
        "past": common["successes_before"],
        "expected": common["trials"] * common["successes_before"] / common["trials_before"],
    }
    sums = {
        name: part.sum() - part.reindex(both.index).fillna(0.0) for name, part in counted.items()
    }
    known = pd.concat(sums, axis=1).min(axis=1) >= ENOUGH_PAYERS
    change = (sums["now"] / sums["expected"].where(known)).fillna(1.0)
    variance = dispersion * (1 / sums["now"].where(known) + 1 / sums["past"].where(known))
    return change, variance.fillna(0.0)


def _apart(both: pd.DataFrame, dispersion: float) -> pd.Series:
    """Items further than OUTLYING spreads from the middle item, each weighing as the root of its payers."""
    k, k_before = both["successes"], both["successes_before"]
    ratio = (k + 0.5) / (k_before + 0.5) * both["trials_before"] / both["trials"]
    ranked = np.sqrt(np.minimum(k, k_before)).loc[ratio.sort_values().index].cumsum()
    if ranked.empty or ranked.iloc[-1] == 0:
        return pd.Series(False, both.index)
    middle = ratio[ranked.index[np.searchsorted(ranked, ranked.iloc[-1] / 2)]]
    exposure = middle * both["trials"] / both["trials_before"]
    share = exposure / (1 + exposure)
    spread = np.sqrt((k + k_before) * share * (1 - share) * dispersion)
    return (k - (k + k_before) * share).abs() > OUTLYING * spread


def _ratio_interval(k, total, exposure, dispersion, unsure):
    """Observed / expected rate and its interval."""
    ends = rates.interval(k, total, LEVEL, dispersion)
    odds = [end / (1 - end).replace(0, np.nan) / exposure for end in map(_like(k), ends)]
    ratio = k / (total - k).replace(0, np.nan) / exposure
    z = special.ndtri(0.5 + LEVEL / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = [np.hypot(np.log(ratio / end), z * np.sqrt(unsure)) for end in odds]
    low = (ratio * np.exp(-steps[0])).where(ratio > 0, 0.0)
    high = (ratio * np.exp(steps[1])).where(ratio > 0, odds[1] * np.exp(z * np.sqrt(unsure)))
    return ratio, low, high


def _like(series: pd.Series):
    return lambda values: pd.Series(values, series.index)


def surprise(changes: pd.DataFrame) -> pd.Series:
    """p-values of changes, allowing for how far most items drift apart by themselves.

    changes   z, log_change (of against_others)

    In a campaign, or when sources shift, items differ for reasons that are nobody's page. Most items'
    own drift then adds to luck, as in a meta-analysis with random effects; it is what makes the middle
    items' z as wide as luck (Paule & Mandel 1982, J. Res. Natl. Bur. Stand. 87, 377-385, trimmed).
    """
    z, tested = changes["z"], changes.dropna(subset=["z"])
    drift = _drift(tested) if len(tested) >= ENOUGH_ITEMS else 0.0
    if not drift:
        return pd.Series(2 * stats.norm.sf(z.abs()), z.index)
    widened = _widened(changes, drift).abs()
    return pd.Series(2 * stats.t.sf(widened, len(tested) - 1), z.index)


def _drift(changes: pd.DataFrame) -> float:
    """Standard deviation of the items' own log changes beyond luck; 0 where luck explains them."""
    if _middle_spread(changes["z"]) <= 1:
        return 0.0
    return optimize.brentq(
        lambda drift: _middle_spread(_widened(changes, drift)) - 1, 0, 10, xtol=1e-4
    )


def _widened(changes: pd.DataFrame, drift: float) -> pd.Series:
    """z with `drift` added to luck, on the log scale."""
    luck = changes["log_change"] / changes["z"].where(changes["z"] != 0)
    return (changes["log_change"] / np.hypot(drift, luck)).where(changes["z"] != 0, 0.0)


def _middle_spread(z: pd.Series) -> float:
    """Standard deviation of most items' z: of those within 2.5 robust spreads, made up for those cut off."""
    away = (z - z.median()).abs()
    kept = z[away <= 2.5 * 1.4826 * away.median()]
    return float(kept.std() / 0.9546)  # of a normal distribution cut off at 2.5 standard deviations


def by_item(days: pd.DataFrame, successes: str = "buyers") -> pd.DataFrame:
    """trials (visits by day) and successes of each item, over days on which both are known."""
    known = days.dropna(subset=["visitors", successes])
    named = known.rename(columns={"visitors": "trials"}).assign(successes=known[successes])
    return named.groupby("item_id")[["trials", "successes"]].sum()


def day_dispersion(days: pd.DataFrame, successes: str = "buyers") -> float:
    """How many times more items' payers vary from day to day than by luck alone."""
    return rates.dispersion(days[successes], days["visitors"], days["item_id"])


def effects(
    item_day: pd.DataFrame,
    items: pd.DataFrame,
    changes: Iterable[Change],
    date: pd.Timestamp,
    campaigns: Iterable[Campaign],
    fewest_days: float,
) -> pd.DataFrame:
    """What went with each dated change of an item, against untouched items (C16, C20).

    fewest_days   days without campaign after a change that a verdict takes

    The same weekdays before and after, at most LONGEST days on either side, campaigns left out, up to
    the item's next change; items that were changed themselves in those days are not compared with.

    One row per change up to `date`, newest first: date, item_id, title, what, days_after,
    visitors_by_day, conversion, conversion_before, expected_conversion, relative_change (against what
    the untouched items did), relative_low, relative_high, detectable (the smallest change that would
    have been found 4 times in 5, relative), effect (rose, fell, no, too early, too little data)
    """
    done = [change for change in changes if change.date <= date]
    campaigns, titles = list(campaigns), items.set_index("item_id")["title"]
    rows = [_effect(item_day, change, done, date, campaigns, fewest_days) for change in done]
    columns = ["item_id", *SHOWN, "visitors_by_day", "expected_conversion"]
    frame = pd.DataFrame(rows, columns=[c for c in columns if c != "title"])
    frame["title"] = [titles.get(item, item) for item in frame["item_id"]]
    return frame[columns].sort_values("date", ascending=False, kind="stable", ignore_index=True)


def _effect(item_day, change, changes, date, campaigns, fewest_days) -> dict:
    span = _span(item_day, change, changes, date, campaigns)
    before, after = _same_weekdays(span, change.date)
    row = {"date": change.date, "item_id": change.item_id, "what": change.what}
    row["days_after"] = span.loc[span["date"] >= change.date, "date"].nunique()
    if row["days_after"] < fewest_days:
        return row | {"effect": "too early"}
    dispersion = day_dispersion(before)
    compared = against_others(by_item(after), by_item(before), dispersion)
    if change.item_id not in compared.index or pd.isna(compared["z"][change.item_id]):
        return row | {"effect": "too little data"}
    item = compared.loc[change.item_id]
    moved = "rose" if item["relative_low"] > 0 else "fell" if item["relative_high"] < 0 else "no"
    return row | {
        "visitors_by_day": item["trials"],
        "conversion": item["successes"] / item["trials"],
        "conversion_before": item["successes_before"] / item["trials_before"],
        "expected_conversion": item["expected"],
        "detectable": _detectable(item, dispersion),
        "effect": moved,
        **item[["relative_change", "relative_low", "relative_high"]],
    }


def _detectable(item: pd.Series, dispersion: float) -> float:
    trials = 2 / (1 / item["trials"] + 1 / item["trials_before"])
    rate = item["successes_before"] / item["trials_before"]
    return rates.detectable_change(rate, trials, dispersion) / rate


def _span(item_day, change, changes, date, campaigns) -> pd.DataFrame:
    """Clean days around the change, as far as no other change is in the way; other changed items left out."""
    own = [c.date for c in changes if c.item_id == change.item_id]
    first = max([d for d in own if d < change.date], default=change.date - LONGEST * DAY)
    last = min([d - DAY for d in own if d > change.date] + [date])
    touched = {c.item_id for c in changes if abs(c.date - change.date) < LONGEST * DAY}
    return item_day[
        (item_day["date"] >= max(first, change.date - LONGEST * DAY))
        & (item_day["date"] <= min(last, change.date + (LONGEST - 1) * DAY))
        & ~item_day["date"].isin(calendars.campaign_days(campaigns))
        & ~item_day["item_id"].isin(touched - {change.item_id})
    ]


def _same_weekdays(span: pd.DataFrame, day: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the days nearest to `day`, as many of each weekday before it as from it on."""
    days = pd.DataFrame({"date": span["date"].unique()})
    days["weekday"], days["after"] = days["date"].dt.day_of_week, days["date"] >= day
    days["away"] = (days["date"] - day).abs()
    days["nth"] = days.sort_values("away").groupby(["weekday", "after"]).cumcount()
    both = days.groupby(["weekday", "nth"])["after"].transform("size") == 2
    kept = days[both]
    return tuple(
        span[span["date"].isin(kept.loc[kept["after"] == after, "date"])] for after in (False, True)
    )


def finding(changed: pd.DataFrame, fewest_days: float) -> list[Finding]:
    """The newest change that has been long enough ago to judge, else the newest; none without changes.

    changed  of effects   fewest_days  as there
    """
    if changed.empty:
        return []
    judged = changed[~changed["effect"].isin(["too early", "too little data"])]
    row = (judged if len(judged) else changed).iloc[0]
    effect = row["effect"]
    fell = effect == "fell"
    return [Finding(
        "change", "warning" if fell else "good" if effect == "rose" else "info", "relative_change",
        SAID[effect], row["relative_change"], "relative",
        baseline=0.0 if len(judged) else None, low=row["relative_low"], high=row["relative_high"],
        n=row["visitors_by_day"], owner="design" if fell else "",
        action="undo_change" if fell else "", rule="C16",
        values={"title": row["title"], "what": row["what"], "date": row["date"],
                "change": row["relative_change"], "low": row["relative_low"],
                "high": row["relative_high"], "detectable": row["detectable"],
                "days": row["days_after"], "enough": fewest_days, "payers": ENOUGH_PAYERS},
    )]  # fmt: skip
