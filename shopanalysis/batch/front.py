"""The pages over several reports: a run's front page, its week and month, and all runs and shops."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from shopanalysis import __version__, display, rendering
from shopanalysis.batch.coverage import columns_of
from shopanalysis.batch.digest import Kept, Period, month_to, sales_by_day, week_to
from shopanalysis.batch.execution import Failure
from shopanalysis.batch.files import run_folders, write
from shopanalysis.batch.notebooks import Notebook
from shopanalysis.findings import WATCHED, decisions, said_in, same, watched
from shopanalysis.words import Words

ACTIONS = "actions.xlsx"
SENTENCES_WATCHED = 6
HISTORY_DAYS = 90
HISTORY = timedelta(HISTORY_DAYS)  # runs longer ago are not read: a page costs the same after years
LATER = timedelta(31)  # a month's page tells of runs this far back
TITLES = {"week": "digest.week_title", "month": "digest.month_title"}
SIGNS = {"critical": "▲", "warning": "◆", "failures": "✕", "quiet": "✓"}


@cache
def _templates():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(rendering.TEMPLATE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unbroken"] = rendering.unbroken
    environment.globals |= {"display": display, "signs": SIGNS, "counts": _counts}
    return environment


def _counts(kept: Kept, words: Words) -> str:
    """1 to act on, 2 to watch, 1 failed; or: nothing to act on."""
    counts = {severity: kept.count(severity) for severity in WATCHED} | {"failures": kept.failures}
    said = [words.say(f"index.{what}", n=n) for what, n in counts.items() if n]
    return words.list(said) or words.say("index.quiet")


def page(template: str, words: Words, **values) -> str:
    """One page of the templates, `words` saying what it says."""
    return _templates().get_template(template).render(words=words, version=__version__, **values)


@dataclass(frozen=True)
class Fronts:
    """The front, week and month pages of one shop's runs.

    aside   takes what is not finished
    """

    out: Path
    shop: str
    notebooks: Sequence[Notebook]
    aside: Path

    def write(self, day: date, words: Words) -> None:
        """Put index.html, week.html and month.html of one day in place."""
        self._write(day, _near(day, self._runs()), words)

    def renew(self, made: Iterable[date], currency: str) -> None:
        """Write again what links to or tells of the days `made`, each in its own language."""
        runs, made = self._runs(), sorted(made)
        days = [kept.day for kept in runs]
        first = max((day for day in days if day < made[0]), default=made[0])
        last = min((day for day in days if day > made[-1]), default=made[-1])
        for kept in runs:
            if first <= kept.day <= max(last, made[-1] + LATER) and len(runs) > 1:
                self._write(kept.day, _near(kept.day, runs), Words(kept.run["language"], currency))

    def _runs(self) -> list[Kept]:
        return [
            Kept(path) for (_, shop), path in run_folders(self.out).items() if shop == self.shop
        ]

    def _write(self, day: date, runs: Sequence[Kept], words: Words) -> None:
        (kept,) = (one for one in runs if one.day == day)
        around = {
            "run": kept.run,
            "date": day.isoformat(),
            "previous": max((one.day for one in runs if one.day < day), default=None),
            "next": min((one.day for one in runs if one.day > day), default=None),
        }
        titles = {notebook.name: notebook.title_in(words) for notebook in self.notebooks}
        pages = {"index": page("run.html.j2", words, **around, **self._front(kept, words, titles))}
        for name, period in (("week", week_to(day, runs)), ("month", month_to(day, runs))):
            around |= {"said_as": TITLES[name], "period": period, "titles": titles}
            bars = _month_bars(kept, words) if name == "month" else []
            pages[name] = page("period.html.j2", words, **around, bars=bars, **_sums(period, words))
        for name, text in pages.items():
            write(kept.path / f"{name}.html", text, self.aside)

    def _front(self, kept: Kept, words: Words, titles: Mapping[str, str]) -> dict[str, object]:
        findings = said_in(kept.findings, words)
        lead = next(iter(findings), None)
        to_watch = [f for f in watched(findings) if lead and not same(f, lead) and f != lead]
        said = [*([lead] if lead else []), *to_watch[:SENTENCES_WATCHED]]
        return {
            "lead": lead,
            "watch": to_watch[:SENTENCES_WATCHED],
            "more": len(to_watch) - SENTENCES_WATCHED,
            "decided": _decided(findings, words),
            "work_lists": ACTIONS if (kept.path / ACTIONS).is_file() else "",
            "bars": _day_bars(kept, words) + _month_bars(kept, words),
            "key_figures": kept.key_figures,
            "bridge": kept.bridge,
            "entries": [_entry(n, kept, said, words) for n in self.notebooks],
            "titles": titles,
        }


def _near(day: date, runs: Sequence[Kept]) -> list[Kept]:
    """The runs that pages of `day` tell of, and the last one before those, which they link to."""
    before = [kept for kept in runs if kept.day < day - HISTORY]
    last = [max(before, key=lambda kept: kept.day)] if before else []
    return [*last, *(kept for kept in runs if kept.day >= day - HISTORY)]


def _decided(findings: Sequence[Mapping], words: Words) -> list[tuple[str, str, str]]:
    say = words.language
    return [(f["owner"], f["action"][say], f["rule"].get(say, "")) for f in decisions(findings)]


def _day_bars(kept: Kept, words: Words) -> list[dict[str, object]]:
    """A bar for the day, if it has a target; lengths in percent of the bar."""
    if not kept.target:
        return []
    value, target = kept.target
    return [_bar("day_target", value, target, target, words, "")]


def _month_bars(kept: Kept, words: Words) -> list[dict[str, object]]:
    """A bar for the month, if it has a target."""
    month = kept.month
    known = month.get("target") and month.get("sales") is not None
    return [_month_bar(month, words)] if known else []


def _month_bar(month: Mapping, words: Words) -> dict[str, object]:
    ends = {"expected": month.get("month_end"), "low": month.get("month_low"),
            "high": month.get("month_high"), "chance": month.get("chance")}  # fmt: skip
    note = words.say("digest.due", due=month.get("due"))
    if None not in ends.values():
        note = f"{words.say('digest.expected', **ends)} {note}"
    longest = max(month["target"], ends["high"] or 0)
    bar = _bar("month_target", month["sales"], month["target"], longest, words, note)
    if None not in ends.values():
        longest = max(longest, month["sales"])
        bar |= {"low": 100 * ends["low"] / longest, "high": 100 * ends["high"] / longest}
    return bar


def _bar(label: str, value: float, target: float, longest: float, words: Words, note: str) -> dict:
    longest = max(longest, value)
    return {
        "label": words.say(f"digest.{label}"),
        "attained": value / target,
        "said": words.say("digest.attained", value=value, target=target),
        "length": 100 * value / longest,
        "target": 100 * target / longest,
        "note": note,
    }


def _entry(notebook: Notebook, kept: Kept, said: Sequence[Mapping], words: Words) -> dict:
    """What the front page says of one notebook: what stands above already is not said again."""
    record = kept.run["notebooks"].get(notebook.name, {})
    own = [f for f in said_in(kept.findings, words) if f["notebook"] == notebook.name]
    new = [f for f in own if not any(f == one or same(f, one) for one in said)]
    shown = next(iter(new), None)
    return {
        "name": notebook.name,
        "title": notebook.title_in(words),
        "has_report": (kept.path / f"{notebook.name}.html").is_file(),
        "sentence": shown["sentence"][words.language] if shown else "",
        "found": bool(own),
        "failure": Failure(**record["failure"]) if "failure" in record else None,
        "needs": [_in_words(need, words) for need in record.get("missing", ())],
        "formats": record.get("formats", ()),
    }


def _in_words(need: str, words: Words) -> str:
    """The column or columns of which one is needed: "Visitors (source_day.visitors)"."""
    return words.say("index.or").join(
        f"{words.label(column)} ({table}.{column})"
        if words.has(f"metric.{column}.label")
        else f"{table}.{column}"
        for table, column in columns_of(need)
    )


def _sums(period: Period, words: Words) -> dict[str, object]:
    """A period's sales in words, its days with their part of the largest, what was to be watched."""
    findings = said_in(period.findings, words)
    known = [day for day in period.days if period.sales.get(day) is not None]
    largest = max((period.sales[day] for day in known), default=0) or 1
    said = words.say("digest.sales_total", sales=period.total, days=len(known))
    before = words.say("digest.no_before")
    if period.before:
        change = period.total / period.before - 1
        before = words.say("digest.sales_before", change=change, before=period.before)
    return {
        "total": said,
        "before": before,
        "lengths": {day: 100 * period.sales[day] / largest for day in known},
        "watch": watched(findings),
        "decided": _decided(findings, words),
        "history": list(period.sales.values())[-HISTORY_DAYS:],
    }


def overview(out: Path, words: Words, aside: Path) -> None:
    """reports/index.html: every day and shop under `out`, as calendars, the newest month first."""
    by_shop: dict[str, dict[date, Kept]] = {}
    for (_, shop), path in run_folders(out).items():
        kept = Kept(path)
        by_shop.setdefault(shop, {})[kept.day] = kept
    shops = [_shop(shop, runs) for shop, runs in sorted(by_shop.items())]
    write(out / "index.html", page("reports.html.j2", words, shops=shops), aside)


def _shop(shop: str, runs: Mapping[date, Kept]) -> dict[str, object]:
    """`shop` is the name of its folder."""
    months = sorted({(day.year, day.month) for day in runs}, reverse=True)
    newest = runs[max(runs)]
    recent = [kept for day, kept in runs.items() if day >= newest.day - HISTORY]
    return {
        "id": shop,
        "name": newest.run.get("name", shop),
        "newest": newest,
        "runs": runs,
        "history": list(sales_by_day(recent).values())[-HISTORY_DAYS:],
        "months": [(date(*month, 1), Calendar().monthdatescalendar(*month)) for month in months],
    }
