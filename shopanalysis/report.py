"""What a notebook shows.

A Page is opened in a notebook with a shop and a date; what it shows looks the same in JupyterLab and in
the report, and carries its findings and full tables along, from where the batch collects them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from markupsafe import Markup

from shopanalysis import __version__, display, events_calendar, figures, relisted, tables
from shopanalysis import shop as shops
from shopanalysis.calendars import DAY, Campaign
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.findings import DECISIONS, SEVERITIES, Finding
from shopanalysis.languages import LANGUAGES
from shopanalysis.rendering import FINDINGS, TABLE
from shopanalysis.words import Words, is_missing, lacking, shorten

ROWS_SHOWN = 14
LONGEST_IN_SENTENCE = 40  # ems of a title or a name
BY_METRIC = (
    "amount", "this_day", "usual", "usual_low", "usual_high",
    "value", "value_low", "value_high", "bar", "at_usual_mix", "usual_value",
)  # fmt: skip


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
        sentences = [(f.severity, self._sentence(f, self.words)) for f in ranked]
        said = [display.finding(*one, self.words) for one in sentences]
        if decisions and said:
            lead = display.finding(*sentences[0], self.words, "lead")
            decided = self._decisions([f for f in urgent if f.action][:DECISIONS])
            first = Markup('<div class="first">{}{}</div>').format(lead, decided)
            rest = Markup('<div class="rest">{}</div>').format(Markup().join(said[1:]))
            said = [first, rest] if said[1:] else [first]
        html = Markup('<section class="findings">{}</section>').format(Markup().join(said))
        text = "\n".join(f"[{severity}] {sentence}" for severity, sentence in sentences)
        return Shown(html, text, {FINDINGS: [self._record(f) for f in ranked]})

    def _decisions(self, decided: Sequence[Finding]) -> Markup:
        spoken = [
            (
                f.owner,
                self.words.say(f"action.{f.action}", **_fitting(f.values)),
                self.words.say(f"rule.{f.rule}", **_fitting(f.values)),
            )
            for f in decided
        ]
        return display.decisions(spoken, self.words)

    def key_figures(self, rows: pd.DataFrame) -> Shown:
        """The few numbers to know first, as display.key_figures; also tables/<notebook>.key_figures.csv."""
        records = rows.to_dict("records")
        html = display.key_figures(records, self.words)
        lines = [
            f"{self.words.label(r['metric'])}: {self.words.cell(r['metric'], r['value'])}"
            for r in records
        ]
        return Shown(html, "\n".join(lines), _csv_named("key_figures", rows))

    def _sentence(self, finding: Finding, words: Words) -> str:
        return words.say(f"finding.{finding.text}", **_fitting(finding.values))

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
                name: w.say(f"{part}.{key}", **_fitting(finding.values))
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
        name: str = "",
        **drawn,
    ) -> Shown:
        """One figure, drawn for a wide page and for a phone; its caption is also its text alternative.

        Data that is a table goes to tables/<notebook>.figure_<name>.csv; its name is the
        caption's unless one is given.
        """
        title = self.words.say(f"caption.{caption}", **values or {})
        if not len(data):
            return self.say("page.nothing", caption=title)
        drawings = self._drawings(draw, data, height=height, **drawn)
        html = Markup(
            '<figure style="{}"><figcaption>{}</figcaption><div role="img" aria-label="{}">{}</div>'
            "{}</figure>"
        ).format(figures.PAGE_COLOURS, title, title, drawings, self._source(source))
        carried = (
            _csv_named(f"figure_{name or caption}", data) if isinstance(data, pd.DataFrame) else {}
        )
        return Shown(html, title, carried)

    def _drawings(self, draw: Callable, data, **drawn) -> Markup:
        """The figure for a wide page and for a phone; outside a report only the wide one shows."""
        sizes = (("wide", "block", figures.WIDE), ("phone", "none", figures.PHONE))
        return Markup().join(
            Markup('<div class="{}" style="display:var(--{}, {})">{}</div>').format(
                kind,
                kind,
                shown,
                Markup(figures.svg(draw, data, self.words, pixels=pixels, **drawn)),
            )
            for kind, shown, pixels in sizes
        )

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
        more = self.words.say("page.more_rows", shown=len(shown), rows=len(frame), name=name)
        html = Markup('<figure class="table"><figcaption>{}</figcaption>{}{}{}</figure>').format(
            title,
            display.table({column: shown[column].tolist() for column in shown}, self.words),
            Markup("<p class=source>{}</p>").format(more) if len(frame) > len(shown) else "",
            self._source(source),
        )
        text = _plain(shown, self.words)
        return Shown(html, f"{title}\n{text}", _csv_named(name, frame))

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
        html = Markup('<details><summary>{}</summary><dl class="counted">{}</dl></details>').format(
            self.words.say("page.definitions", n=len(entries)),
            Markup().join(
                Markup(
                    "<div><dt>{} <small>{}</small></dt><dd>{} <small>{}</small></dd></div>"
                ).format(*entry)
                for entry in entries
            ),
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
        if "item_day" in names:
            lines.extend(self._relisted())
        lines.append(f"shopanalysis {__version__}")
        html = Markup('<ul class="provenance">{}</ul>').format(
            Markup().join(Markup("<li>{}</li>").format(line) for line in lines)
        )
        return Shown(html, "\n".join(lines), {})

    def _relisted(self) -> Iterator[str]:
        """Items on sale again under a new id: those that shop.toml joins, and those that it does not."""
        if self.shop.relisted:
            yield self.words.say("page.relisted", count=len(self.shop.relisted))
        for pair in relisted.suspected(self.shop.folder, self.shop.relisted):
            first, last = pd.Timestamp(pair["first"]), pd.Timestamp(pair["last"])
            if first <= self.date:
                said = {"first": first, "last": last, "title": _fitting(pair)["title"]}
                yield self.words.say("page.relisted_perhaps", **pair | said)

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


def _fitting(values: Mapping[str, object]) -> dict[str, object]:
    """`values` with their texts cut to what a sentence can hold."""

    def fit(value):
        if isinstance(value, list | tuple):
            return [fit(one) for one in value]
        return shorten(value, LONGEST_IN_SENTENCE) if isinstance(value, str) else value

    return {name: fit(value) for name, value in values.items()}


def _rounded(number: float | None) -> float | None:
    """Six significant digits: enough to read, and the same on every machine."""
    return None if number is None or pd.isna(number) else float(f"{number:.6g}")


def _csv_named(name: str, frame: pd.DataFrame) -> dict[str, object]:
    return {TABLE: {"name": name, "csv": as_csv(frame)}}


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
    if is_missing(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | np.floating):
        return f"{value:.10g}"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
