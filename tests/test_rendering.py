import re

import nbformat
import pytest

from shopanalysis import rendering
from shopanalysis.words import Words

v4 = nbformat.v4
TEXT = """# A title with *emphasis*, `code` & "quotes"

A paragraph with **strong** words, ~~gone~~, a [link](bestsellers.html), 中文 and a line
that goes on. 3 < 4, x*y*z and a_b_c.

1. one
2. two
   - within
   - `x < y`

> said by somebody

| Item | Sales |
|:-----|------:|
| tea  | 1.00  |
| a<b  | &amp; |

---

- [x] done
- [ ] not done

Conversion
: buyers of visitors

See https://example.org/a?b=1&c=2 too.

<p class="raw">HTML as it is</p>

    indented code <b>

### A third heading"""
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABXvMqOgAAAABJRU5ErkJggg=="
DATA = {
    "html": {"text/html": "<p>shown &amp; <b>kept</b></p>", "text/plain": "not shown"},
    "html and a picture": {"text/html": "<table><tr><td>1</td></tr></table>", "image/png": PICTURE},
    "drawing": {"text/html": "<figure><svg viewBox='0 0 1 1'><text>中</text></svg></figure>"},
    "carried": {"text/html": "<p>told</p>", rendering.FINDINGS: [{"id": "x"}]},
    "nothing to see": {rendering.TABLE: {"name": "t", "csv": "a\n1\n"}},
    "text": {"text/plain": "plain & simple"},
    "svg": {"image/svg+xml": "<svg><title>alone</title></svg>"},
    "picture": {"image/png": PICTURE},
    "markdown": {"text/markdown": "**not shown**"},
    "formula": {"text/latex": "$x^2$"},
    "json": {"application/json": {"a": 1}},
    "script": {"application/javascript": "alert(1)"},
}
OUTPUTS = [
    *(v4.new_output("display_data", data) for data in DATA.values()),
    v4.new_output("execute_result", DATA["html"], execution_count=2),
    v4.new_output("execute_result", DATA["text"], execution_count=3),
    v4.new_output("stream", name="stdout", text="printed"),
    v4.new_output("stream", name="stderr", text="warned"),
    v4.new_output("error", ename="ValueError", evalue="no", traceback=["raised"]),
]
CELLS = [
    v4.new_markdown_cell(TEXT, id="text"),
    v4.new_code_cell("x = 1  # nothing shown", id="silent"),
    v4.new_code_cell("", id="empty"),
    v4.new_markdown_cell("", id="nothing"),
    v4.new_raw_cell("left out", id="raw"),
    *(v4.new_code_cell("display(x)", id=f"output{n}", outputs=[o]) for n, o in enumerate(OUTPUTS)),
    v4.new_code_cell("everything()", id="all", outputs=OUTPUTS),
]
ABOUT = {
    "notebook": "bestsellers",
    "title": "Which & <why>?",
    "shop": 'Tea "&" <Cups>',
    "date": "2026-11-20",
    "version": "1",
    "generated": "2026-11-21T09:00:00+00:00",
    "parameters": {"shop": "<tea>", "bar": 0.5},
}


def as_nbconvert_does(notebook, about, words) -> str:
    """The page that nbconvert makes with the same template."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(rendering.TEMPLATE)],
        extra_template_paths=[str(rendering.TEMPLATE)],
        exclude_anchor_links=True,
    )
    exporter.environment.globals |= {"about": about, "words": words}
    translated = rendering.translated(notebook, about["notebook"], words)
    return exporter.from_notebook_node(translated)[0]


def normal(page: str) -> str:
    """`page` as a parser reads it, with any white space between tags and words as one blank."""
    from bs4 import BeautifulSoup

    written = str(BeautifulSoup(page, "html.parser"))
    return re.sub(r"\s+", " ", re.sub(r"\s*(</?[a-z][^>]*>)\s*", r"\1", written))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_every_kind_of_cell_and_output_is_rendered_as_nbconvert_renders_it(cell):
    notebook = v4.new_notebook(cells=[cell])
    page = rendering.render(notebook, ABOUT, Words("en"))
    assert normal(page) == normal(as_nbconvert_does(notebook, ABOUT, Words("en")))


def test_what_is_shown_is_html_and_nothing_else():
    page = rendering.render(v4.new_notebook(cells=CELLS), ABOUT, Words("en"))
    assert page.count("<p>shown &amp; <b>kept</b></p>") == 4
    for unwanted in ("not shown", "printed", "warned", "raised", "alert(1)", "left out", PICTURE):
        assert unwanted not in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demos_notebooks_are_rendered_as_nbconvert_renders_them(language):
    from small_shops import ROOT

    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook, words = nbformat.read(file, 4), Words(language)
        about = ABOUT | {"notebook": file.stem}
        ours = rendering.render(notebook, about, words)
        assert normal(ours) == normal(as_nbconvert_does(notebook, about, words)), file.stem
