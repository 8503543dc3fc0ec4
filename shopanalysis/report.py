"""What a notebook shows.

A Page is opened in a notebook with a shop and a date; what it shows looks the same in JupyterLab and in
the report, and carries its findings and full tables along, from where the batch collects them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from markupsafe import Markup

from shopanalysis import __version__, events_calendar, figures, tables
from shopanalysis import shop as shops
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.findings import DECISIONS, SEVERITIES, Finding
from shopanalysis.languages import LANGUAGES
from shopanalysis.rendering import FINDINGS, TABLE, unbroken
from shopanalysis.words import Words, lacking, metrics

ROWS_SHOWN = 20
BY_METRIC = (
    "amount", "this_day", "usual", "usual_low", "usual_high",
    "value", "value_low", "value_high", "bar", "at_usual_mix", "usual_value",
)  # fmt: skip
WORDED = (
    "text",
    "source",
    "channel",
    "verdict",
    "movement",
    "check",
    "step",
    "method",
    "metric",
    "doubt",
    "then",
    "trust",
    "real",
    "device",
    "reason",
    "news",
    "shelf",
    "mix",
    "sureness",
    "scope",
    "known_by",
    "level",
    "kind",
    "weekday",
    "scenario",
    "outlook",
    "stock_verdict",
)


@dataclass(frozen=True)
class Shown:
    """Something to look at: HTML, its plain text, and data for the batch under a type of its own."""

    html: Markup
    text: str
    data: Mapping[str, object]

    def _repr_mimebundle_(self, **_):
        return {"text/plain": self.text, "text/html": str(self.html), **self.data}


def open_page(shop: str, date: str, language: str) -> Page:
    """The page of one notebook about the shop in the folder `shop`, up to and including `date`.

    A shop whose tables have not been made yet has its exports imported first.

    Raises ParameterError for an unknown shop, date or language.
    """
    if language not in LANGUAGES:
        raise ParameterError(f"language is '{language}'; allowed: {', '.join(LANGUAGES)}.")
    try:
        day = pd.Timestamp(pd.to_datetime(date, format="%Y-%m-%d"))
    except ValueError:
        raise ParameterError(f"date is '{date}'; expected a day such as 2026-11-20.") from None
    opened = shops.load(shop)
    if not tables.available(opened.folder):
        from shopanalysis import exports

        exports.refresh(opened.folder)
    return Page(opened, day, Words(language, opened.currency))


@dataclass(frozen=True)
class Page:
    """One notebook's page: a shop, the last day looked at, and the words to say it in."""

    shop: shops.Shop
    date: pd.Timestamp
    words: Words

    def table_of(self, name: str) -> pd.DataFrame:
        """One table of the data contract, up to and including the page's date; empty when it has none."""
        frame = self.shop.table(name)
        return frame[frame["date"] <= self.date] if "date" in frame else frame

    @cached_property
    def campaigns(self) -> tuple[Campaign, ...]:
        """The shop's campaigns, and the large events of its platform and country (events_calendar.large)."""
        return events_calendar.large(self.shop, self.date)

    def period(self, days: int) -> dict[str, object]:
        """The last `days` days as a caption says them: first, last, days."""
        return {"first": self.date - (days - 1) * DAY, "last": self.date, "days": days}

    def bars_or(self, **given: float | None) -> list[float]:
        """The shop's thresholds of these names, except where a value is given."""
        return [self.shop.bars[name] if value is None else value for name, value in given.items()]

    def findings(self, found: Sequence[Finding], decisions: bool = True) -> Shown:
        """The findings in their order, critical ones first, then at most three decisions with owners.

        Findings that answer a question further down are shown there without decisions.
        """
        ranked = sorted(found, key=lambda finding: finding.severity != "critical")
        urgent = sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
        sentences = [(f, self._sentence(f, self.words)) for f in ranked]
        decided = [f for f in urgent if f.action][:DECISIONS]
        html = Markup('<section class="findings">{}{}</section>').format(
            Markup().join(
                Markup('<p class="finding {}"><b>{}</b> {}</p>').format(
                    f.severity, self.words.name("severity", f.severity), unbroken(sentence)
                )
                for f, sentence in sentences
            ),
            self._decisions(decided) if decisions else "",
        )
        text = "\n".join(f"[{f.severity}] {sentence}" for f, sentence in sentences)
        return Shown(html, text, {FINDINGS: [self._record(f) for f in ranked]})

    def _decisions(self, decisions: Sequence[Finding]) -> Markup:
        if not decisions:
            return Markup('<p class="decisions">{}</p>').format(self.words.say("page.no_decision"))
        return Markup('<h2>{}</h2><ol class="decisions">{}</ol>').format(
            self.words.say("page.decisions"),
            Markup().join(
                Markup("<li><b>{}</b> {} <small>{}</small></li>").format(
                    self.words.name("owner", f.owner),
                    self.words.say(f"action.{f.action}", **f.values),
                    self.words.say(f"rule.{f.rule}", **f.values),
                )
                for f in decisions
            ),
        )

    def _sentence(self, finding: Finding, words: Words) -> str:
        return words.say(f"finding.{finding.text}", **finding.values)

    def _record(self, finding: Finding) -> dict:
        record = {k: v for k, v in asdict(finding).items() if k not in ("text", "values")}
        numbers = ("value", "baseline", "low", "high", "n")
        record |= {key: _rounded(record[key]) for key in numbers}
        complete = (name for name in LANGUAGES if not lacking(name))
        languages = {name: Words(name, self.shop.currency) for name in complete}
        record["sentence"] = {name: self._sentence(finding, w) for name, w in languages.items()}
        for part in ("action", "rule"):
            key = record[part]
            record[part] = {
                name: w.say(f"{part}.{key}", **finding.values)
                for name, w in languages.items()
                if key
            }
        return record

    def say(self, key: str, **values) -> Shown:
        """One computed sentence."""
        sentence = self.words.say(key, **values)
        return Shown(Markup("<p>{}</p>").format(sentence), sentence, {})

    def figure(
        self,
        draw: Callable,
        data,
        *,
        caption: str,
        source: str,
        values: Mapping[str, object] | None = None,
        height: int = 300,
        **drawn,
    ) -> Shown:
        """One figure, drawn for a wide page and for a phone; its caption is also its text alternative."""
        title = self.words.say(f"caption.{caption}", **values or {})
        if not len(data):
            return self.say("page.nothing", caption=title)
        drawings = [
            Markup('<div class="{}">{}</div>').format(
                name,
                Markup(figures.svg(draw, data, self.words, pixels=pixels, height=height, **drawn)),
            )
            for name, pixels in (("wide", figures.WIDE), ("phone", figures.PHONE))
        ]
        html = Markup(
            '<figure><figcaption>{}</figcaption><div role="img" aria-label="{}">{}</div>{}</figure>'
        ).format(title, title, Markup().join(drawings), self._source(source))
        return Shown(html, title, {})

    def table(
        self,
        frame: pd.DataFrame,
        *,
        name: str,
        source: str,
        values: Mapping[str, object] | None = None,
        rows: int = ROWS_SHOWN,
    ) -> Shown:
        """One table, each column written as its metric is; all its rows, and ids, go to tables/<name>.csv."""
        title = self.words.say(f"caption.{name}", **values or {})
        if not len(frame):
            return self.say("page.nothing", caption=title)
        shown = frame.head(rows).drop(columns="item_id", errors="ignore")
        shown = _by_metric(_with_range(shown, self.words), self.words)
        kinds = [_css_class(column) for column in shown]
        head = Markup().join(
            Markup('<th scope="col" class="{}">{}</th>').format(kind, self.words.label(column))
            for column, kind in zip(shown, kinds, strict=True)
        )
        body = Markup().join(
            self._row(row, shown.columns, kinds) for row in shown.itertuples(index=False)
        )
        more = self.words.say("page.more_rows", shown=len(shown), rows=len(frame), name=name)
        html = Markup(
            '<figure class="table"><figcaption>{}</figcaption><div class="scroll" tabindex="0">'
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}{}</figure>"
        ).format(
            title,
            head,
            body,
            Markup("<p class=source>{}</p>").format(more) if len(frame) > len(shown) else "",
            self._source(source),
        )
        text = _plain(shown, self.words)
        return Shown(html, f"{title}\n{text}", {TABLE: {"name": name, "csv": as_csv(frame)}})

    def _row(self, row, columns, kinds) -> Markup:
        cells = [
            Markup('<td class="{}">{}</td>').format(kind, self.words.cell(column, value))
            for value, column, kind in zip(row, columns, kinds, strict=True)
        ]
        return Markup("<tr>{}</tr>").format(Markup().join(cells))

    def _source(self, source: str) -> Markup:
        return Markup('<p class="source">{}</p>').format(
            self.words.say("page.source", source=source)
        )

    def counted(self, names: Iterable[str]) -> Shown:
        """What each metric named is, from the dictionary: unit, definition in this shop's basis, columns."""
        basis = self.words.name("basis", self.shop.basis)
        entries = [
            (
                self.words.label(name),
                self.words.unit(name),
                self.words.say(f"metric.{name}.definition", basis=basis),
                ", ".join(f"{table}.{name}" for table in tables.TABLES if tables.has(table, name)),
            )
            for name in names
        ]
        html = Markup('<dl class="counted">{}</dl>').format(
            Markup().join(
                Markup("<dt>{} <small>{}</small></dt><dd>{} <small>{}</small></dd>").format(*entry)
                for entry in entries
            )
        )
        return Shown(html, "\n".join(f"{label}: {text}" for label, _, text, _ in entries), {})

    def checks(self, checked: Sequence[tuple[str, float, float]]) -> Shown:
        """Sums that must agree: (text, one, other); the run stops when two differ by more than a cent.

        Raises DataError naming the check that failed.
        """
        lines = []
        for key, one, other in checked:
            if not np.isclose(one, other, rtol=1e-9, atol=0.005):
                raise DataError(f"Check failed: {key}: {one:,.2f} against {other:,.2f}.")
            lines.append(self.words.say(f"check.{key}", one=one, other=other))
        html = Markup('<ul class="checks">{}</ul>').format(
            Markup().join(Markup("<li>✓ {}</li>").format(line) for line in lines)
        )
        return Shown(html, "\n".join(f"ok: {line}" for line in lines), {})

    def provenance(self, names: Sequence[str], earlier: pd.DataFrame | None = None) -> Shown:
        """The tables used: rows, first and last day, fingerprint; and the program's version.

        earlier   what earlier reports said, if it was read: made_on and more
        """
        lines = [
            self._provenance_of(name)
            for name in names
            if name in tables.available(self.shop.folder)
        ]
        if earlier is not None and len(earlier):
            lines.append(self._provenance_of_earlier(earlier))
        lines.append(f"shopanalysis {__version__}")
        html = Markup('<ul class="provenance">{}</ul>').format(
            Markup().join(Markup("<li>{}</li>").format(line) for line in lines)
        )
        return Shown(html, "\n".join(lines), {})

    def _provenance_of_earlier(self, earlier: pd.DataFrame) -> str:
        made_on = earlier["made_on"]
        digest = hashlib.sha256(as_csv(earlier).encode()).hexdigest()[:12]
        ends = {"first": made_on.min(), "last": made_on.max(), "count": made_on.nunique()}
        return self.words.say("page.provenance_earlier", **ends, digest=digest)

    def _provenance_of(self, name: str) -> str:
        frame = self.shop.table(name)
        digest = hashlib.sha256(tables.path(self.shop.folder, name).read_bytes()).hexdigest()[:12]
        days = "date" in frame and not frame.empty
        return self.words.say(
            "page.provenance_days" if days else "page.provenance",
            table=name,
            rows=len(frame),
            files=frame["source_file"].nunique(),
            digest=digest,
            **({"first": frame["date"].min(), "last": frame["date"].max()} if days else {}),
        )


def _rounded(number: float | None) -> float | None:
    """Six significant digits: enough to read, and the same on every machine."""
    return None if number is None or pd.isna(number) else float(f"{number:.6g}")


def _css_class(column: str) -> str:
    """How a column stands: text on the left (titles with room), numbers on the right."""
    kind = metrics().get(column, "text")
    if kind in ("title", "table_day"):
        return kind
    return "left" if kind in WORDED else "right"


def _with_range(frame: pd.DataFrame, words: Words) -> pd.DataFrame:
    """`frame` with its columns low and high as one column of text: 0.72% – 1.02%."""
    if not {"low", "high"} <= set(frame):
        return frame
    ends = zip(frame["low"], frame["high"], strict=True)
    written = [
        None if pd.isna(low) else words.say("page.range", low=low, high=high) for low, high in ends
    ]
    at = frame.columns.get_loc("low")
    frame = frame.drop(columns=["low", "high"])
    frame.insert(at, "range", written)
    return frame


def _by_metric(frame: pd.DataFrame, words: Words) -> pd.DataFrame:
    """`frame` with the columns BY_METRIC as text, written as the metric that each row names."""
    columns = [c for c in BY_METRIC if c in frame] if "metric" in frame else []
    written = {
        c: [words.cell(*cell) for cell in zip(frame["metric"], frame[c], strict=True)]
        for c in columns
    }
    return frame.assign(**written)


def _plain(frame: pd.DataFrame, words: Words) -> str:
    written = {words.label(c): [words.cell(c, v) for v in frame[c]] for c in frame}
    return pd.DataFrame(written).to_string(index=False)


def as_csv(frame: pd.DataFrame) -> str:
    """`frame` as CSV that no spreadsheet takes for a formula: such cells start with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_csv_cell(value) for value in row])
    return file.getvalue()


def _csv_cell(value) -> str:
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | np.floating):
        return f"{value:.10g}"
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
