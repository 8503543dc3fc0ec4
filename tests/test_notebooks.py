import ast

import nbformat
import papermill
import pytest
from small_shops import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind="code"):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def tags(cell):
    return cell.metadata.get("tags", [])


def test_the_parameters_are_the_first_code_and_the_only_ones(path):
    tagged = [i for i, cell in enumerate(cells(path)) if "parameters" in tags(cell)]
    assert tagged == [0]


def test_every_parameter_has_a_type_and_a_meaning(path):
    assigned = {
        node.target.id for node in ast.walk(ast.parse(cells(path)[0].source))
        if isinstance(node, ast.AnnAssign)
    }  # fmt: skip
    seen = papermill.inspect_notebook(path)
    assert set(seen) == assigned  # papermill passes over a line that it cannot read
    for parameter in seen.values():
        assert parameter["inferred_type_name"] != "None", parameter["name"]
        assert parameter["help"], parameter["name"]


def test_no_logic_in_the_notebook(path):
    for cell in cells(path):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While)
            if isinstance(node, ast.ImportFrom):
                assert node.module == "shopanalysis"
            assert not isinstance(node, ast.Import)


def test_cells_are_short_and_so_is_the_notebook(path):
    lengths = [len(cell.source.splitlines()) for cell in cells(path)]
    assert max(lengths) <= 6
    assert sum(lengths) <= 60


def test_it_was_run_top_to_bottom_and_keeps_only_golden_outputs(path):
    code = cells(path)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        golden = "keep_output" in tags(cell)
        assert golden == ("nbval-check-output" in tags(cell))
        assert bool(cell.outputs) == golden
    assert sum("keep_output" in tags(cell) for cell in code) >= 2


def test_one_name_runs_through_module_notebook_and_test(path):
    assert (ROOT / "shopanalysis" / f"{path.stem}.py").exists()
    assert (ROOT / "tests" / f"test_{path.stem}.py").exists()


def test_text_cells_hold_no_figures(path):
    for cell in cells(path, "markdown"):
        assert not any(character.isdigit() for character in cell.source), cell.source
