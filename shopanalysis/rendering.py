"""The page, findings and tables that an executed notebook becomes.

Loads neither numbers nor figures, so that a batch can start while its kernels load them.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
import mistune

from shopanalysis.languages import SOURCE
from shopanalysis.words import Words

FINDINGS = "application/vnd.shopanalysis.findings+json"
TABLE = "application/vnd.shopanalysis.table+json"
TEMPLATE = Path(__file__).with_name("template")


def unbroken(sentence: str) -> str:
    """`sentence` with no line ending between a sign and its amount."""
    return re.sub(r"([+−])(?=\W)", "\\1\u2060", sentence)


def render(notebook, about: Mapping[str, object], words: Words) -> str:
    """An executed notebook as one self-contained HTML page.

    about   what the template's head and foot say: notebook, shop, date, generated
    """
    translation = translated(notebook, about["notebook"], words)
    return _page_template().render(nb=translation, about=about, words=words)


@cache
def _page_template():
    """What nbconvert would render with this template, without loading nbconvert."""
    places = [TEMPLATE / "report", TEMPLATE]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(places))
    plugins = ["strikethrough", "table", "url", "task_lists", "def_list"]
    environment.filters["markdown2html"] = mistune.create_markdown(escape=False, plugins=plugins)
    return environment.get_template("index.html.j2")


def translated(notebook, name: str, words: Words):
    """A copy of `notebook` whose text cells are in the language of `words`; English is what they are in."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and words.language != SOURCE:
            cell.source = words.texts[f"notebook.{name}.{cell.id}"]
    return notebook


def collect(notebook) -> tuple[list[dict], dict[str, str]]:
    """Findings and CSV tables (by name) that an executed notebook carries."""
    outputs = [o.data for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    findings = [f for data in outputs for f in _loaded(data.get(FINDINGS, []))]
    named = [_loaded(data[TABLE]) for data in outputs if TABLE in data]
    return findings, {table["name"]: table["csv"] for table in named}


def _loaded(data):
    return json.loads(data) if isinstance(data, str) else data
