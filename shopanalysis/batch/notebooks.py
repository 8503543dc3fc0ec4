"""The notebooks: which there are, what each asks and needs, and what it can be told."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shopanalysis.errors import ParameterError
from shopanalysis.findings import OWNERS

if TYPE_CHECKING:
    from shopanalysis.words import Words

# Every notebook declares these; each has an option of its own on the command line.
GIVEN = ("shop", "date", "language")
LEDGER = ("ledger", "ledger_until")  # declared by a notebook that reads earlier reports
LAST = 1000
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
OPTIONS = {"shop": "shop", "date": "date", "language": "lang"}
EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
}


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell: type and default as they are written there."""

    name: str
    type: str
    default: object
    meaning: str


@dataclass(frozen=True)
class Notebook:
    """One notebook file.

    order   its place in the index, counted from 1
    needs   columns of the data contract without which it cannot run; "a.x|b.y": one of the two
    work_lists   whose each of its tables is that somebody works through, by the table's name
    """

    path: Path
    order: int
    needs: tuple[str, ...]
    cells: tuple[Mapping, ...]
    work_lists: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the notebook is called in commands and in the names of its files."""
        return self.path.stem

    @property
    def title(self) -> str:
        """The question that it answers, in English."""
        return _first_line("".join(self._opening["source"])) or self.name

    def title_in(self, words: Words) -> str:
        """The question that it answers, in the language of `words`."""
        return _first_line(text_in(self._opening, self.name, words)) or self.title

    @property
    def _opening(self) -> Mapping:
        texts = (cell for cell in self.cells if cell["cell_type"] == "markdown")
        return next(texts, {"source": ""})

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """What the notebook can be told, by name.

        Raises ParameterError when its `parameters` tag is lost or a parameter of GIVEN is missing.
        """
        import papermill

        if not any("parameters" in tags_of(cell) for cell in self.cells):
            raise ParameterError(
                f"{self.path.name} has no cell tagged 'parameters': what it is told would be "
                "overwritten by its own defaults. Tag the cell that holds them."
            )
        inspected = papermill.inspect_notebook(self.node())
        declared = {name: _parameter(said) for name, said in inspected.items()}
        if lost := [name for name in GIVEN if name not in declared]:
            raise ParameterError(
                f"{self.path.name} does not declare {', '.join(lost)} in its parameters cell, "
                f'one to a line, as in: {lost[0]}: str = ""  # what it means'
            )
        return declared

    def node(self):
        """The notebook as papermill takes it; its kernel is always python3."""
        import nbformat

        node = nbformat.reads(self.path.read_text(encoding="utf-8"), as_version=4)
        node.metadata["kernelspec"] = KERNEL
        node.metadata["language_info"] = {"name": "python"}
        return node


def tags_of(cell: Mapping) -> Sequence[str]:
    """The tags of a cell."""
    return cell.get("metadata", {}).get("tags", ())


def text_in(cell: Mapping, name: str, words: Words) -> str:
    """A text cell of notebook `name` in the language of `words`, else as it is."""
    own = "".join(cell["source"])
    return words.texts.get(f"notebook.{name}.{cell.get('id')}", own)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].lstrip("# ").strip()


def _parameter(said: Mapping[str, str]) -> Parameter:
    try:
        default = ast.literal_eval(said["default"])
    except (ValueError, SyntaxError):
        default = said["default"]
    kind = said["inferred_type_name"]
    return Parameter(
        said["name"], type(default).__name__ if kind == "None" else kind, default, said["help"]
    )


def discover(folder: Path) -> list[Notebook]:
    """Every notebook in `folder` that says it is one of ours (metadata.shopanalysis), in order.

    Raises ParameterError when there is none, a file is not a notebook or needs what cannot be.
    """
    found = [_read(path) for path in sorted(Path(folder).glob("*.ipynb"))]
    ours = [notebook for notebook in found if notebook]
    if not ours:
        raise ParameterError(f"There are no notebooks in {folder}.")
    return sorted(ours, key=lambda notebook: (notebook.order, notebook.name))


def _read(path: Path) -> Notebook | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        about = said["metadata"].get("shopanalysis")
        cells = tuple(said["cells"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ParameterError(f"{path} is not a notebook that can be read.") from None
    if about is None:
        return None
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", path.stem):
        raise ParameterError(f"{path}: a notebook is named with letters, digits and _ only.")
    lists = about.get("work_lists", {})
    if unknown := sorted(set(lists.values()) - set(OWNERS)):
        raise ParameterError(
            f"{path}: work_lists gives a table to '{unknown[0]}'; allowed: {', '.join(OWNERS)}."
        )
    return Notebook(path, about.get("order", LAST), tuple(about.get("needs", ())), cells, lists)


def choose(notebooks: Sequence[Notebook], names: Sequence[str]) -> list[Notebook]:
    """The notebooks called `names`, in the index's order; all when no name is given."""
    known = {notebook.name: notebook for notebook in notebooks}
    for name in names:
        if name not in known:
            raise ParameterError(f"There is no notebook '{name}'. There are: {', '.join(known)}.")
    return [notebook for notebook in notebooks if not names or notebook.name in names]


def convert(
    notebooks: Sequence[Notebook], settings: Mapping[str, str]
) -> dict[str, dict[str, object]]:
    """What each notebook is to be told of `settings`, by its name, as the types it declares.

    Raises ParameterError for a name that none of them knows, or a value of another type.
    """
    known = {p for notebook in notebooks for p in notebook.parameters}
    own = sorted(known - set(GIVEN))
    for name in settings:
        if name in GIVEN:
            raise ParameterError(f"{name} has an option of its own: --{OPTIONS[name]}.")
        if name not in known:
            names = ", ".join(notebook.name for notebook in notebooks)
            which = f"They have: {', '.join(own)}." if own else "They have none of their own."
            raise ParameterError(f"No notebook of {names} has a parameter '{name}'. {which}")
    return {
        notebook.name: {
            name: _converted(notebook.parameters[name], text)
            for name, text in settings.items()
            if name in notebook.parameters
        }
        for notebook in notebooks
    }


def _converted(parameter: Parameter, text: str) -> object:
    kind = parameter.type
    if optional := re.fullmatch(r"Optional\[(\w+)\]", kind):
        if text == "None":
            return None
        kind = optional[1]
    if kind not in EXPECTED:
        raise ParameterError(f"{parameter.name} is a {kind}; it cannot be set with --set.")
    value = _as(kind, text)
    if value is None:
        raise ParameterError(f"{parameter.name} is '{text}'; expected {EXPECTED[kind]}.")
    return value


def _as(kind: str, text: str) -> object | None:
    if kind == "str":
        return text
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower())
    if kind == "int":
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None
    number = float(text) if NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None
