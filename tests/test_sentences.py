"""No sentence has a blank in it, and every check holds, however little a shop's files say."""

import ast
import json
import shutil

import pandas as pd
import pytest
from small_shops import DEMO, ROOT

from shopanalysis import exports, rendering, tables, words
from shopanalysis.batch import coverage

BLANK = "∅"
SHOPS = {
    "everything": None,
    "orders": ["qianniu"],
    "shop and sources": ["sycm_shop", "sycm_source"],
    "shop and items": ["sycm_shop", "sycm_item"],
    "paid on later days": None,
}
SHOWN = ("page.figure", "page.table", "page.key_figures")
DAYS = ("2025-07-21", "2025-08-10", "2026-11-20")


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """Folders of shops that have all of the demo's files, or some kinds of them."""
    folders = {}
    for name, kinds in SHOPS.items():
        folder = tmp_path_factory.mktemp("shop") / "demo"
        shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("tables", "salt"))
        for kind in (folder / "exports").iterdir() if kinds else ():
            if kind.name not in kinds:
                shutil.rmtree(kind) if kind.is_dir() else kind.unlink()
        exports.refresh(folder)
        folders[name] = folder
    _pay_later(folders["paid on later days"])
    return folders


def _pay_later(folder):
    """More buyers than visitors, or buyers and no visitor, in a part of the rows, as platforms have it."""
    for name in ("item_day", "source_day", "item_source_day"):
        table = tables.read(folder, name)
        place = pd.Series(range(len(table)))
        few = table["visitors"].le(table["visitors"].median()) & table["buyers"].notna()
        nobody, one = (few & (place % 7 == n) for n in (0, 1))
        visitors = table["visitors"].mask(nobody, 0).mask(one, 1)
        buyers = table["buyers"].mask(nobody, 1).mask(one, 3)
        tables.write(folder, name, table.assign(visitors=visitors, buyers=buyers))


def findings(notebook, shop, day):
    """What a notebook says of a shop and day, its code run here, cell by cell; its checks hold."""
    names, said = {}, []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith(SHOWN):
            continue
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell["id"], "exec"), names)
        if last and ("page.findings(" in source or "page.checks(" in source):
            shown = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)
        if last and "page.findings(" in source:
            said += shown._repr_mimebundle_()[rendering.FINDINGS]
        if "parameters" in cell["metadata"].get("tags", ()):
            names |= {"shop": str(shop), "date": day}
    return said


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", SHOPS)
@pytest.mark.parametrize("file", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda f: f.stem)
def test_no_sentence_has_a_blank(shops, file, name, day, monkeypatch):
    monkeypatch.setattr(words, "MISSING", BLANK)
    notebook = json.loads(file.read_text("utf-8"))
    needs = notebook["metadata"]["shopanalysis"]["needs"]
    if coverage.missing(shops[name], needs, coverage.date.fromisoformat(day)):
        return
    for finding in findings(notebook, shops[name], day):
        said = json.dumps(finding, ensure_ascii=False)
        assert BLANK not in said, said
