"""What the pictures in README and DESIGN say about the code stays true."""

import ast
import tomllib

import pytest
from small_shops import ROOT

PACKAGE = ROOT / "shopanalysis"
ANALYSES = [path.stem for path in (ROOT / "notebooks").glob("*.ipynb")]


def imported(path) -> set[str]:
    """Modules of ours that `path`, a module or a package, imports, by their first name below ours."""
    names = set()
    files = [path] if path.exists() else sorted(path.with_suffix("").glob("*.py"))
    assert files
    for node in (n for file in files for n in ast.walk(ast.parse(file.read_text("utf-8")))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shopanalysis"):
            below = node.module.split(".")[1:]
            names |= {below[0]} if below else {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("name", [*ANALYSES, "alarms", "habits", "pace", "forecast_ledger"])
def test_an_analysis_knows_no_file_no_figure_and_no_other_analysis(name):
    lower = {
        "bridge", "calendars", "difference_in_differences", "errors", "findings", "guards",
        "item_changes", "page_health", "payments", "presale", "rates", "tables", "usual_days",
    }  # fmt: skip
    lower |= {"forecasting", "lift", "ranges", "scenarios", "smoothing"}
    lower |= {"demand", "events_calendar"}
    assert imported(PACKAGE / f"{name}.py") <= lower


SHARED = ["figures", "words", "tables", "rates", "bridge", "calendars", "usual_days"]
SHARED += ["forecasting", "lift", "ranges", "scenarios", "smoothing", "demand", "events_calendar"]


@pytest.mark.parametrize("name", SHARED)
def test_the_ends_do_not_import_the_middle(name):
    assert not imported(PACKAGE / f"{name}.py") & {*ANALYSES, "report", "batch", "exports"}


def test_the_report_knows_no_analysis():
    assert not imported(PACKAGE / "report.py") & {*ANALYSES, "batch"}


def test_importing_the_package_runs_and_loads_nothing():
    assert not imported(PACKAGE / "__init__.py")
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]


def test_both_environment_files_say_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {f"python{project['requires-python']}", *project["dependencies"]}
    wanted |= set(project["optional-dependencies"]["dev"])
    lines = (ROOT / "environment.yml").read_text("utf-8").splitlines()
    listed = {line.strip()[2:] for line in lines if line.startswith("  - ")}
    assert listed - {"pip", "conda-forge", "nodefaults"} == wanted


def test_the_lock_holds_every_dependency_and_names_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for dependency in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        assert f"\n{dependency.split('~=')[0]}==" in f"\n{lock}", dependency
    assert "://" not in lock
    assert "--index" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")
