"""Numbers as text, and texts by language: `Words("zh", "CNY").say("finding.on_target", sales=1234)`.

Every text stands once, in texts/<language>.toml, and so does how the language writes numbers and dates.
Placeholders name their format: {sales:money}. Words that agree with a number stand behind it, for one
and for any other: {days:count # day|# days}, where # is the number; without #, the words alone.
"""

from __future__ import annotations

import string
import tomllib
import unicodedata
from functools import cache
from itertools import accumulate, takewhile
from numbers import Number

import pandas as pd

from shopanalysis.errors import ParameterError
from shopanalysis.languages import SOURCE, TEXTS
from shopanalysis.tables import leaf

CURRENCY_SIGNS = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "XXX": "¤",
    "index": "",
}
MISSING = "–"
MINUS = "−"
OWN = (
    "language.",
    "scale.",
    "notebook.",
)  # texts that differ from language to language in more than words
# ways to write a number that a column writes to one number of places -> how it shows a plus
COLUMN_SIGNS = {"money": "", "signed_money": "+", "percent": "", "change": "+", "points": "+"}


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of one language, flat: {"finding.on_target": "…"}."""
    nested = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flat(nested))


def _flat(nested: dict, above: str = ""):
    for key, value in nested.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


@cache
def metrics() -> dict[str, str]:
    """Metric or column name -> how it is written: money, percent, count, decimal, date, text …"""
    return dict(_flat(tomllib.loads((TEXTS / "metrics.toml").read_text(encoding="utf-8"))))


@cache
def lacking(language: str) -> tuple[str, ...]:
    """Keys that texts/<language>.toml does not have and needs: no page is translated by half."""
    needed = (key for key in texts(SOURCE) if not key.startswith("scale."))
    return tuple(key for key in needed if key not in texts(language))


class Words(string.Formatter):
    """One language and one currency. Raises ParameterError where the language is not complete."""

    def __init__(self, language: str, currency: str = "CNY"):
        if missing := lacking(language):
            raise ParameterError(
                f"texts/{language}.toml is not complete: it lacks {missing[0]} and "
                f"{len(missing) - 1} more of the texts that {SOURCE}.toml has."
            )
        self.language = language
        self.sign = CURRENCY_SIGNS.get(currency, f"{currency} ")
        self.texts = texts(language)
        marks = {",": self.texts["language.thousands"], ".": self.texts["language.decimal"]}
        self._marks = str.maketrans(marks)
        scales = {int(k[6:]): name for k, name in self.texts.items() if k.startswith("scale.")}
        self._scales = sorted(scales.items(), reverse=True)

    def say(self, key: str, **values) -> str:
        """The text `key` with its placeholders filled."""
        return self.format(self.texts[key], **values)

    def has(self, key: str) -> bool:
        """Whether there is a text `key`."""
        return key in self.texts

    def label(self, metric: str) -> str:
        """A metric's name for a table's head or a figure's axis."""
        return self.texts[f"metric.{metric}.label"]

    def unit(self, metric: str) -> str:
        """A metric's unit: the currency, %, s; nothing for counts and words."""
        kind = metrics().get(metric, "text")
        if "money" in kind:
            return self.sign or self.texts["unit.index"]
        return self.texts.get(f"unit.{kind}", "")

    def name(self, kind: str, value: str) -> str:
        """The word for a value of a closed list (a channel, an owner, a severity)."""
        return self.texts[f"{kind}.{value}"]

    def cell(self, metric: str, value) -> str:
        """A metric's value as a table shows it."""
        kind = metrics().get(metric, "text")
        if isinstance(value, str) and self.has(f"{kind}.{value}"):
            return self.name(kind, value)
        return self.format_field(value, kind)

    def column(self, metric: str, values) -> list[str]:
        """A table's column: all to the same number of places, the unit left to the head."""
        kind = metrics().get(metric, "text")
        if kind not in COLUMN_SIGNS:
            unit = self.unit(metric)
            written = [self.cell(metric, value) for value in values]
            return [text.replace(unit, "").strip() for text in written] if unit else written
        scale = 1 if "money" in kind else 100
        known = [abs(scale * value) for value in values if not is_missing(value)]
        places = _places(max(known, default=0), kind)
        return [self._in_column(value, scale, kind, places) for value in values]

    def _in_column(self, value, scale: int, kind: str, places: int) -> str:
        if is_missing(value):
            return MISSING
        number = round(scale * float(value), places)
        sign = COLUMN_SIGNS[kind] if number else ""
        return self.number(f"{number or 0.0:{sign},.{places}f}").replace("-", MINUS)

    def format_field(self, value, spec: str) -> str:
        """One placeholder: `spec` is the name of a way to write a number, or a list of words.

        Behind it, after a blank, the forms that agree with the number, if any do.
        """
        way, _, forms = spec.partition(" ")
        written = self._written(value, way)
        return agreeing(written, forms) if forms else written

    def _written(self, value, spec: str) -> str:
        if spec in ("", "text", "title"):
            return MISSING if is_missing(value) else isolated(str(value))
        if isinstance(value, str) and self.has(f"{spec}.{value}"):
            return self.name(spec, value)
        if is_missing(value):
            return MISSING
        written = getattr(self, spec)(value)
        return written.replace("-", MINUS) if isinstance(value, Number) else written

    def number(self, text: str) -> str:
        """Digits with the language's own marks: 1,234.56 or 1.234,56."""
        return text.translate(self._marks)

    def _percent(self, text: str) -> str:
        return self.texts["language.percent"].format(number=self.number(text))

    def _money(self, text: str) -> str:
        return self.texts["language.money"].format(sign=self.sign, number=text).strip()

    def count(self, value: float) -> str:
        """12,480."""
        return self.number(f"{value:,.0f}")

    def decimal(self, value: float) -> str:
        """3.42."""
        return self.number(f"{value:,.2f}")

    def score(self, value: float) -> str:
        """4.86."""
        return self.number(f"{value:.2f}")

    def seconds(self, value: float) -> str:
        """92 s."""
        return f"{self.count(value)} {self.texts['unit.seconds']}"

    def money(self, value: float) -> str:
        """¥12,480 or 12.480 ¥; cents only below 100."""
        digits = 0 if abs(value) >= 100 or round(value, 2) == 0 else 2
        amount = self._money(self.number(f"{abs(value):,.{digits}f}"))
        return ("-" if round(value, digits) < 0 else "") + amount

    def money_pattern(self, amount: str) -> str:
        """A spreadsheet's number format for amounts: "¥"#,##0.00; the marks are the reader's own."""
        sign = f'"{self.sign}"' if self.sign else ""
        return self.texts["language.money"].format(sign=sign, number=amount).strip()

    def percent(self, value: float) -> str:
        """2.24%, 12.5%, 104%: three significant places."""
        digits = 2 if abs(value) < 0.0995 else 1 if abs(value) < 0.995 else 0
        return self._percent(f"{100 * value:,.{digits}f}")

    def axis_percent(self, value: float) -> str:
        """2%, 2.5%."""
        return self._percent(f"{100 * value:.3g}")

    def points(self, value: float) -> str:
        """+0.35 percentage points."""
        return f"{self.number(f'{100 * value:+.2f}')} {self.texts['unit.points']}"

    def change(self, value: float) -> str:
        """+12.4%."""
        return self._percent(f"{100 * value:+,.1f}")

    def signed_money(self, value: float) -> str:
        """+¥12,480."""
        return ("+" if round(value, 2) > 0 else "") + self.money(value)

    def signed_count(self, value: float) -> str:
        """+1,240."""
        return self.number(f"{value:+,.0f}")

    def short(self, value: float) -> str:
        """An axis number: 1.2万 in Chinese, 12k in English, 12 mil in Spanish."""
        for size, name in self._scales:
            if abs(value) >= size:
                return self.number(f"{float(f'{value / size:.3g}'):,.10g}") + name
        return self.number(f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}")

    def short_money(self, value: float) -> str:
        """An axis amount: ¥1.2万, ¥12k, 12 mil ¥."""
        return ("-" if value < 0 else "") + self._money(self.short(abs(value)))

    def signed_short_money(self, value: float) -> str:
        """A change beside a bar: +¥1.2万, −¥12k."""
        sign = "" if round(value, 2) == 0 else "+" if value > 0 else MINUS
        return sign + self.short_money(abs(value))

    def _dated(self, pattern: str, value) -> str:
        """A day by a pattern of the language's own."""
        day = pd.Timestamp(value)
        at = {
            "months": day.month - 1,
            "months_short": day.month - 1,
            "weekdays_short": day.day_of_week,
        }
        month_name, month_short, weekday_short = (
            self.texts[f"language.{names}"].split()[place] for names, place in at.items()
        )
        parts = {"day": day.day, "month": day.month, "year": day.year, "month_name": month_name}
        parts |= {"month_short": month_short, "weekday_short": weekday_short}
        parts["day_month"] = self.texts["language.day"].format(**parts)
        return self.texts[f"language.{pattern}"].format(**parts)

    def date(self, value) -> str:
        """2026-11-20 as the language writes it: 20 Nov 2026, 2026年11月20日."""
        return self._dated("date", value)

    def day(self, value) -> str:
        """The day without its year: 20 Nov, 11月20日."""
        return self._dated("day", value)

    def table_day(self, value) -> str:
        """The day with its weekday: Fri 20 Nov, 11月20日 周五."""
        return self._dated("table_day", value)

    def source(self, path: str) -> str:
        """A traffic source's own name, without the branch of the tree that it hangs on."""
        return leaf(path)

    def campaign(self, name: str) -> str:
        """A campaign of the shop's own, by its own name."""
        return name

    def range(self, written: str) -> str:
        """A range that is written already."""
        return written

    def weekday(self, value) -> str:
        """Friday, 周五."""
        return self.texts[f"weekday.{pd.Timestamp(value).day_of_week}"]

    def short_weekday(self, value) -> str:
        """Fri, 周五."""
        return self.texts["language.weekdays_short"].split()[pd.Timestamp(value).day_of_week]

    def short_month(self, value) -> str:
        """Nov, 11月."""
        return self.texts["language.months_short"].split()[pd.Timestamp(value).month - 1]

    def month(self, value) -> str:
        """2026年11月, November 2026."""
        return self._dated("month", value)

    def checks(self, values) -> str:
        """The names of checks: bounce rate, depth."""
        return self.list(self.name("check", value) for value in values)

    def reasons(self, values) -> str:
        """What stands against items: few visits, one buyer."""
        return self.list(self.name("reason", value) for value in values)

    def metric(self, value) -> str:
        """A metric's name: the key that a row carries, as its label."""
        return self.label(value)

    def chance(self, value: float) -> str:
        """A chance in whole percent, never quite none or all: 35%, below 1%."""
        if 0.005 <= value < 0.995:
            return self._percent(f"{100 * value:.0f}")
        return self.texts["unit.below_one" if value < 0.5 else "unit.above_99"]

    def printed_foot(self, shop: str, day) -> str:
        """What the foot of a printed page says, as a style sheet's string."""
        return css_string(f"{shop} · {self.date(day)}" if day else shop)

    def list(self, values) -> str:
        """A, B and C."""
        return self.texts["list.separator"].join(isolated(str(value)) for value in values)


def agreeing(written: str, forms: str) -> str:
    """The form that goes with a number as it is written: "1" -> "1 day", "7" -> "7 days".

    forms   for one and for any other, "# day|# days"; # is where the number stands
    """
    one, other = forms.split("|")
    return (one if written == "1" else other).replace("#", written)


def css_string(text: str) -> str:
    """`text` as it stands between the quotes of a style sheet's string, whatever is in it."""
    return "".join(c if c.isalnum() and c.isascii() else f"\\{ord(c):06x}" for c in text)


def is_missing(value) -> bool:
    """Whether there is no value: None, NaN, NaT."""
    return value is None or (not isinstance(value, list | tuple) and pd.isna(value))


def _places(largest: float, kind: str) -> int:
    """Digits after the point for a column whose largest value this is."""
    if "money" in kind:
        return 0 if largest >= 100 or largest < 0.005 else 2
    if kind == "points":
        return 2
    return 2 if kind == "percent" and largest < 9.95 else 1


def width(text: str) -> float:
    """How wide `text` stands, in ems: a Chinese character is 1, a Latin one about 0.55."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.55 for c in text)


def shorten(text: str, ems: float) -> str:
    """`text` cut to a width in ems, ending in … where something is left out."""
    if width(text) <= ems:
        return text
    reached = accumulate(width(character) for character in text)
    kept = sum(1 for _ in takewhile(lambda so_far: so_far <= ems - 1, reached))
    return text[:kept].rstrip() + "…"


def isolated(text: str) -> str:
    """`text`; where it has letters that run from right to left, so that they turn nothing around it."""
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"\u2068{text}\u2069"
    return text
