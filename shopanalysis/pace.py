"""The month: its target laid on its days, where it will end, and the visitors that an order goal takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from shopanalysis import calendars, rates, usual_days
from shopanalysis.calendars import Campaign
from shopanalysis.findings import Finding

WHOLE_WEEKS = 28  # days after which a weekday never sold on is one on which the shop is closed
WEEK = 7  # days behind a conversion that a single day is too short for
YEAR = 364
MONTH_TEXTS = {  # by: behind its plan, simulated
    (True, True): "month_behind_chance",
    (True, False): "month_behind",
    (False, True): "month_ahead_chance",
    (False, False): "month_ahead",
}
OUTLOOK = [
    "date", "target", "sales", "due", "month_end", "month_low", "month_high", "chance",
    "days_left", "needed", "usual_ahead", "untried",
]  # fmt: skip


def month_plan(
    day: pd.DataFrame,
    targets: Mapping[str, float],
    campaigns: Iterable[Campaign],
    date: pd.Timestamp,
) -> pd.DataFrame:
    """The month's target laid on its days by how much each can be expected to sell (A07, F07).

    day   the shop's days: date, sales

    A day weighs what its weekday usually sells, times what the same phase of the same campaign
    did to sales before, where there has been one. Only what was known before the month counts.

    One row per day of the month: date, target (currency), sales (missing for days to come);
    empty when the month has no target.
    """
    month = pd.date_range(date.replace(day=1), periods=date.days_in_month)
    if f"{date:%Y-%m}" not in targets:
        return pd.DataFrame(columns=["date", "target", "sales"])
    sales = day.set_index("date")["sales"]
    before = sales[sales.index < month[0]]
    weights = _weekday_level(before, campaigns).reindex(month.day_of_week).to_numpy()
    weights = weights * usual_days.campaign_factor(before, campaigns, month).to_numpy()
    target = float(targets[f"{date:%Y-%m}"]) * weights / weights.sum()
    so_far = sales[sales.index <= date].reindex(month)
    return pd.DataFrame({"date": month, "target": target, "sales": so_far.to_numpy()})


def _weekday_level(sales: pd.Series, campaigns: Iterable[Campaign]) -> pd.Series:
    """Mean sales by weekday (0 = Monday) over the last eight clean weeks; 1 where nothing is known.

    A weekday never sold on in so many days is one on which the shop is closed: 0.
    """
    clean = sales[~sales.index.isin(calendars.campaign_days(campaigns))].dropna().tail(56)
    level = clean.groupby(clean.index.day_of_week).mean().reindex(range(7))
    closed = 0.0 if len(clean) >= WHOLE_WEEKS else clean.mean() if len(clean) else 1.0
    level = level.fillna(closed)
    return level if level.sum() > 0 else level + 1.0


def outlook(
    day: pd.DataFrame,
    plan: pd.DataFrame,
    paths: np.ndarray,
    date: pd.Timestamp,
    unknown: Iterable[Campaign] = (),
) -> pd.DataFrame:
    """Where the month will end (F02): one row, with what is not known missing; empty without any day.

    day    the shop's days: date, sales        plan   of month_plan
    paths   (draws, days): ways in which the days after `date` may go, of ranges.paths; at least as
            many days as are left of the month, or no draws where the history is too short
    unknown   campaigns ahead that are the first of their kind

    date, target, sales (so far), due (planned so far), month_end, month_low and month_high (its 80 %
    range), chance (of reaching the target), days_left, needed (a day, to reach it), usual_ahead
    (what a day left can be expected to bring), untried (days left of `unknown`, counted as ordinary
    days). A day without sales figures is neither sold nor due, and is taken to have met its target.
    What is simulated is missing then, unless the shop is closed on that weekday.
    """
    if not len(day):
        return pd.DataFrame(columns=OUTLOOK)
    month = pd.date_range(date.replace(day=1), periods=date.days_in_month)
    so_far = day.set_index("date")["sales"].reindex(month[month <= date])
    target = plan["target"].sum() if len(plan) else np.nan
    due, waived = _due(plan, so_far)
    sales, left = so_far.sum(), len(month) - len(so_far)
    ends = sales + paths[:, :left].sum(axis=1) if left else np.array([sales])
    open_on = calendars.open_weekdays(day.loc[day["sales"].notna(), "date"], date)
    closed = ~so_far.index.day_of_week.isin(list(open_on))
    known = len(ends) > 0 and (so_far.notna() | closed).all()
    low, middle, high = np.quantile(ends, [0.1, 0.5, 0.9]) if known else (np.nan,) * 3
    chance = _sobered((ends >= target).mean(), day, left) if known and len(plan) else np.nan
    needed = max(0.0, target - sales - waived) / left if left and len(plan) else np.nan
    ahead = (middle - sales) / left if left else np.nan
    untried = int(month[month > date].isin(calendars.campaign_days(unknown)).sum())
    row = (date, target, sales, due, middle, low, high, chance, left, needed, ahead, untried)
    return pd.DataFrame([row], columns=OUTLOOK)


def _due(plan: pd.DataFrame, so_far: pd.Series) -> tuple[float, float]:
    """The plan of the days so far with a figure, and of those without; missing without a plan."""
    if not len(plan):
        return np.nan, np.nan
    due = plan.set_index("date")["target"].reindex(so_far.index)
    return due[so_far.notna()].sum(), due[so_far.isna()].sum()


def _sobered(share: float, day: pd.DataFrame, left: int) -> float:
    """A chance no surer than the year's stretches side by side allow (half a success and failure more)."""
    if not left:
        return share
    many = min(YEAR, len(day)) / left
    return (share * many + 0.5) / (many + 1)


def month_table(ahead: pd.DataFrame) -> pd.DataFrame:
    """`ahead` of outlook for reading on a phone: one row per number, metric and amount (in its unit)."""
    row = ahead.drop(columns="date").head(1).T
    return row.set_axis(["amount"][: row.shape[1]], axis=1).rename_axis("metric").reset_index()


def order_goals(
    day: pd.DataFrame,
    campaigns: Iterable[Campaign],
    date: pd.Timestamp,
    goals: Iterable[float],
    bar: float,
    basis: str,
    days: int = WEEK,
) -> pd.DataFrame:
    """What each order goal takes (A10, F09), by the conversion and visitors of the `days` days to `date`.

    goals   orders a day, each counted as one payer        bar   the conversion planned with

    One row per goal: goal (orders a day), days_reached (of the last 30), visitors_needed (goal /
    conversion), visitors_planned (goal / bar), conversion_needed (goal / visitors), visitors_a_day,
    conversion, needed_low and needed_high (95 %, widened by how clean days differ), n (visits by
    day). Empty without visitors or payers.
    """
    payers = rates.payers(basis)
    known = day.dropna(subset=["visitors", payers])
    week, month = (calendars.last_days(known, date, d) for d in (days, 30))
    paid, seen = week[payers].sum(), week["visitors"].sum()
    if not paid or not seen:
        return pd.DataFrame()
    clean = calendars.clean_days(known, date, 56, campaigns)
    wild = rates.dispersion(clean[payers], clean["visitors"], clean["date"].dt.day_of_week)
    low, high = rates.interval(paid, seen, dispersion=wild)
    goal = np.array(sorted(goals), float)
    return pd.DataFrame(
        {"goal": goal, "days_reached": [(month[payers] >= g).sum() for g in goal],
         "visitors_needed": goal * seen / paid, "visitors_planned": goal / bar,
         "conversion_needed": goal * len(week) / seen, "visitors_a_day": seen / len(week),
         "conversion": paid / seen, "needed_low": goal / high, "needed_high": goal / low, "n": seen}
    )  # fmt: skip


def findings(ahead: pd.DataFrame) -> list[Finding]:
    """The month so far and the chance of its target, and what the chance leaves out; `ahead` of outlook."""
    if ahead.empty:
        return []
    month = ahead.iloc[0].to_dict()
    simulated = bool(month["days_left"] and not np.isnan(month["month_end"]))
    if np.isnan(month["target"]) and not simulated:
        return []
    found = _month(month, simulated) if month["target"] > 0 else _without_target(month)
    return [found] + [_untried_finding(month)] * (simulated and month["untried"] > 0)


def _without_target(month: dict) -> Finding:
    return Finding(
        "month_pace", "info", "sales", "month_no_target", month["month_end"], "currency",
        low=month["month_low"], high=month["month_high"], n=month["date"].day, rule="F02",
        values=month,
    )  # fmt: skip


def _month(month: dict, simulated: bool) -> Finding:
    behind = month["sales"] < month["due"]
    likely = simulated and month["chance"] >= 0.5
    undecided = behind and month["days_left"] > 0
    return Finding(
        "month_pace", "good" if not behind else "info" if likely else "warning", "sales",
        MONTH_TEXTS[behind, simulated],
        month["month_end"] if simulated else month["sales"], "currency", baseline=month["target"],
        low=month["month_low"], high=month["month_high"], n=month["date"].day, rule="F02",
        owner="leadership" if undecided else "", action="daily_rate_needed" if undecided else "",
        values=month | {"gap": abs(month["sales"] - month["due"]),
                        "attained": month["sales"] / month["target"]},
    )  # fmt: skip


def _untried_finding(month: dict) -> Finding:
    return Finding(
        "month_untried", "info", "untried", "month_untried", month["untried"], "days",
        baseline=0, n=month["days_left"], rule="F02", values=month,
    )  # fmt: skip


def goal_findings(goals: pd.DataFrame, bar: float, days: int = WEEK) -> list[Finding]:
    """The visitors that the largest order goal takes; `goals` of order_goals."""
    if goals.empty:
        return []
    last = goals.iloc[-1]
    enough = last["visitors_a_day"] >= last["visitors_needed"]
    return [Finding(
        "visitors_needed", "good" if enough else "info", "visitors", "visitors_needed",
        last["visitors_needed"], "visitors", baseline=last["visitors_a_day"], low=last["needed_low"],
        high=last["needed_high"], n=last["n"], rule="A10",
        values=last.to_dict() | {"bar": bar, "days": days},
    )]  # fmt: skip


def checks(plan: pd.DataFrame, targets: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """The days' targets against the month's, as (name, one, other)."""
    if plan.empty:
        return []
    return [("plan_adds_up", plan["target"].sum(), float(targets[f"{plan['date'].iloc[0]:%Y-%m}"]))]
