"""What a run leaves in reports/<date>/<shop>/ of each notebook, every file whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shopanalysis import worklists
from shopanalysis.batch.execution import Failure
from shopanalysis.batch.files import Busy, as_json, lock, read, write
from shopanalysis.batch.front import ACTIONS, page
from shopanalysis.batch.notebooks import Notebook
from shopanalysis.findings import said_in
from shopanalysis.shop import Shop
from shopanalysis.words import Words

BOM = "\ufeff"
__all__ = [
    "Busy",
    "Folder",
    "Made",
    "as_json",
    "lock",
    "read",
    "write",
]


@dataclass(frozen=True)
class Made:
    """What a notebook that succeeded leaves: its page, its findings, its tables as CSV by name."""

    html: str
    findings: Sequence[Mapping]
    tables: Mapping[str, str]


@dataclass(frozen=True)
class Folder:
    """reports/<date>/<shop>/; `aside` takes what is not finished."""

    path: Path
    aside: Path

    def write(self, name: str, content: str | bytes) -> None:
        """Put the file `name` in place."""
        write(self.path / name, content, self.aside)

    def run(self) -> dict:
        """What is known of the last run: run.json."""
        return read(self.path / "run.json")

    def findings(self) -> list[dict]:
        """The findings of all reports in the folder."""
        return read(self.path / "findings.json").get("findings", [])

    def success(self, name: str, made: Made) -> None:
        """Put the report and tables of notebook `name` in place; an error page is over."""
        for table, text in made.tables.items():
            self.write(f"tables/{name}.{table}.csv", BOM + text)
        self.write(f"{name}.html", made.html)
        new = {f"{name}.{table}.csv" for table in made.tables}
        old = {file.name for file in self.path.glob(f"tables/{name}.*.csv")} - new
        for gone in (
            *(self.path / "tables" / file for file in old),
            self.path / f"{name}.error.html",
        ):
            gone.unlink(missing_ok=True)

    def failure(self, notebook: Notebook, failure: Failure, head: Mapping, words: Words) -> None:
        """Put the error page of `notebook` in place; its last good report stays."""
        self.write(
            f"{notebook.name}.error.html",
            page(
                "failure.html.j2",
                words,
                **head,
                title=notebook.title_in(words),
                failure=failure,
                earlier=f"{notebook.name}.html" if self.has(notebook.name) else "",
            ),
        )

    def has(self, name: str) -> bool:
        """Whether there is a report of notebook `name`."""
        return (self.path / f"{name}.html").is_file()

    def is_complete(self, name: str, record: Mapping) -> bool:
        """Whether the report of notebook `name` and all its tables are there, as `record` says."""
        files = (self.path / f"tables/{name}.{table}.csv" for table in record.get("tables", ()))
        return self.has(name) and all(file.is_file() for file in files)

    def merge_findings(
        self, notebooks: Sequence[Notebook], made: Mapping[str, Made], head: Mapping
    ) -> None:
        """Put the new findings beside those of notebooks not run this time."""
        kept = [found for found in self.findings() if found["notebook"] not in made]
        new = [{"notebook": name} | dict(f) for name, one in made.items() for f in one.findings]
        order = {notebook.name: place for place, notebook in enumerate(notebooks)}
        findings = sorted(kept + new, key=lambda f: order.get(f["notebook"], len(order)))
        self.write("findings.json", as_json({**head, "findings": findings}))

    def work_lists(self, notebooks: Sequence[Notebook], shop: Shop, words: Words) -> None:
        """Put actions.xlsx in place, from findings.json and the tables to work through, if any."""
        found = [
            worklists.read(self.path / f"tables/{n.name}.{table}.csv", owner, n.name, table)
            for n in notebooks
            for table, owner in n.work_lists.items()
        ]
        run = read(self.path / "findings.json")
        content = worklists.workbook(
            said_in(run.get("findings", []), words),
            [one for one in found if one],
            {notebook.name: notebook.title_in(words) for notebook in notebooks},
            {"name": shop.name, "date": run["date"], "basis": shop.basis},
            words,
        )
        if content:
            self.write(ACTIONS, content)
        else:
            (self.path / ACTIONS).unlink(missing_ok=True)
