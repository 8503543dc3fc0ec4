"""Tables, key figures and findings as HTML: the same in JupyterLab, in a report and on the front page.

Loads neither numbers' nor figures' libraries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from shopanalysis.rendering import unbroken
from shopanalysis.words import Words, is_missing, metrics

LEFT = frozenset({
    "text", "source", "channel", "verdict", "movement", "check", "step", "method", "metric", "doubt",
    "then", "trust", "real", "device", "reason", "news", "shelf", "mix", "sureness", "scope",
    "known_by", "level", "kind", "weekday", "scenario", "outlook", "stock_verdict",
})  # fmt: skip
# The first of these that a table has is also drawn, as a bar behind its figures.
BARRED = (
    "visitors_share", "share", "item_share", "sales_share", "chance_above", "chance_out",
    "visitors_by_day", "visits_moved", "sales", "overstock_cost", "order_units",
)  # fmt: skip
SIGNED = frozenset({"sales_change", "gain", "at_stake", "item_part"})
OUT_OF_THE_ORDINARY = ("rose", "fell")
SPARK_WIDTH, SPARK_HEIGHT = 96, 26


def sparkline(values: Sequence[float | None]) -> Markup:
    """A line of a few centimetres, from the lowest value to the highest, its end marked; "" below two."""
    known = [(place, value) for place, value in enumerate(values) if not is_missing(value)]
    if len(known) < 2:
        return Markup("")
    low, high = min(v for _, v in known), max(v for _, v in known)
    across = (SPARK_WIDTH - 6) / max(1, len(values) - 1)
    up = (SPARK_HEIGHT - 6) / ((high - low) or 1)
    points = [(3 + x * across, SPARK_HEIGHT - 3 - (v - low) * up) for x, v in known]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup(
        '<svg class="spark" width="{}" height="{}" viewBox="0 0 {} {}" aria-hidden="true">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="currentColor"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, line, *points[-1])


def key_figures(rows: Iterable[Mapping], words: Words) -> Markup:
    """The few numbers to know first, each with what it is held against.

    rows   metric, value; what is known of usual, change (share), real (of the texts' [real]),
           before and history (values up to this one)
    """
    tiles = [_tile(row, words) for row in rows if not is_missing(row["value"])]
    return Markup('<dl class="key-figures">{}</dl>').format(Markup().join(tiles))


def _tile(row: Mapping, words: Words) -> Markup:
    unusual = " watch" if row.get("real") in OUT_OF_THE_ORDINARY else ""
    return Markup(
        '<div class="tile{}"><dt>{}</dt><dd class="value">{}</dd><dd class="against">{}</dd>'
        '<dd class="history">{}</dd></div>'
    ).format(
        unusual,
        words.label(row["metric"]),
        words.cell(row["metric"], row["value"]),
        _against(row, words),
        sparkline(row.get("history") or ()),
    )


def _against(row: Mapping, words: Words) -> Markup:
    if not is_missing(row.get("usual")):
        usual = words.cell(row["metric"], row["usual"])
        said = words.say("key_figure.usual", change=row["change"], usual=usual)
        return Markup("{} <b>{}</b>").format(said, words.name("real", row["real"]))
    if not is_missing(row.get("before")):
        before = words.cell(row["metric"], row["before"])
        return Markup(words.say("key_figure.before", before=before))
    return Markup("")


def finding(severity: str, sentence: str, words: Words, kind: str = "") -> Markup:
    """One finding with its severity in words; `kind` is a further class."""
    return Markup('<p class="finding {}"><b>{}</b> {}</p>').format(
        f"{severity} {kind}".strip(), words.name("severity", severity), unbroken(sentence)
    )


def decisions(decided: Iterable[tuple[str, str, str]], words: Words) -> Markup:
    """What somebody is to do: (owner, action, rule), the action already in words."""
    entries = [
        Markup('<li><b class="owner">{}</b> <span>{}</span> <small>{}</small></li>').format(
            words.name("owner", owner), unbroken(action), rule
        )
        for owner, action, rule in decided
    ]
    if not entries:
        return Markup('<p class="no-decision">{}</p>').format(words.say("page.no_decision"))
    return Markup('<div class="decisions"><h2>{}</h2><ol>{}</ol></div>').format(
        words.say("page.decisions"), Markup().join(entries)
    )


def table(columns: Mapping[str, Sequence], words: Words) -> Markup:
    """Columns by metric as one table: units in the head, one number of places, a bar where it helps."""
    kinds = {column: _css_class(column) for column in columns}
    drawn = next((c for c in (*SIGNED, *BARRED) if c in columns), None)
    cells = [_cells(c, values, kinds[c], c == drawn, words) for c, values in columns.items()]
    head = Markup().join(_head(column, kind, words) for column, kind in kinds.items())
    rows = (Markup("<tr>{}</tr>").format(Markup().join(row)) for row in zip(*cells, strict=True))
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(words.say("page.table"), head, Markup().join(rows))


def _head(column: str, kind: str, words: Words) -> Markup:
    unit = words.unit(column)
    return Markup('<th scope="col" class="{}">{}{}</th>').format(
        kind, words.label(column), Markup(" <small>{}</small>").format(unit) if unit else ""
    )


def _cells(column: str, values: Sequence, kind: str, drawn: bool, words: Words) -> list[Markup]:
    written = words.column(column, values)
    styles = _bars(column, values) if drawn else [""] * len(written)
    if kind == "title":
        written = [Markup("<span>{}</span>").format(text) for text in written]
    return [
        Markup('<td class="{}"{}>{}</td>').format(kind, style, text)
        for text, style in zip(written, styles, strict=True)
    ]


def _bars(column: str, values: Sequence) -> list[Markup]:
    """Each value as a style: how far its bar reaches of the cell, and on which side when signed."""
    sizes = [0.0 if is_missing(v) else float(v) for v in values]
    largest = max((abs(size) for size in sizes), default=0) or 1
    side = "--down" if column in SIGNED else "--bar"
    return [
        Markup(' style="{}:{:.0f}%"').format(
            side if size < 0 else "--bar", 100 * abs(size) / largest
        )
        for size in sizes
    ]


def _css_class(column: str) -> str:
    """How a column stands: text on the left (titles with room), numbers on the right."""
    kind = metrics().get(column, "text")
    if kind in ("title", "table_day"):
        return kind
    return "left" if kind in LEFT else "right"
