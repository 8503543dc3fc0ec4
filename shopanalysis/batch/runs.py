"""Notebooks × days × shops -> dated reports; whatever happens to one does not touch the others.

Exit codes: 0 all done, 1 something failed, 2 bad usage (nothing was run), 3 data refused,
130 and 143 told to stop: what was done is in place, what was not is said.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from shopanalysis import exports
from shopanalysis import shop as shops
from shopanalysis.batch import coverage, fingerprints, front
from shopanalysis.batch.days import Day, Given, Plan, Run, language_of
from shopanalysis.batch.execution import Execution, Limits
from shopanalysis.batch.files import Busy, in_words, lock
from shopanalysis.batch.notebooks import choose, convert, discover
from shopanalysis.batch.pool import Pool
from shopanalysis.batch.reporting import Reporter
from shopanalysis.batch.results import FAILED, REFUSED, Result
from shopanalysis.batch.sessions import Session, session
from shopanalysis.batch.stopping import Stopped, Stopping
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.words import Words, agreeing

__all__ = ["FAILED", "REFUSED", "Reporter", "Result", "check_shop_name", "importing", "run"]

SHOP_NAME = re.compile(r"[A-Za-z0-9_㐀-鿿-]{1,60}")


def run(
    names: Sequence[str] = (),
    shop_names: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    settings: Mapping[str, str] | None = None,
    language: str | None = None,
    jobs: int = 2,
    out: Path = Path("reports"),
    notebooks_folder: Path = Path("notebooks"),
    data_folder: Path = Path("data"),
    reporter: Reporter | None = None,
    limits: Limits | None = None,
    force: bool = False,
    cold: bool = False,
    masked: bool = False,
    held: Session | None = None,
) -> Result:
    """Make the reports `names` (all, if none) of the shops named, for every day asked for.

    force   also those whose inputs, parameters and code have not changed
    cold    ordinary kernels
    masked  from copies of the shops with amounts as indices and names as letters
    held    a session that is open already

    Raises ParameterError before anything runs when a name, parameter or value cannot be.
    """
    found = discover(notebooks_folder)
    chosen = choose(found, names)
    coverage.check([need for notebook in chosen for need in notebook.needs])
    if language:
        Words(language)
    plan = Plan(
        chosen,
        found,
        bool(names),
        convert(chosen, settings or {}),
        shop_folders(shop_names, data_folder),
        since,
        until,
        language,
        jobs,
        Path(out).resolve(),
        limits or Limits(),
        force,
        masked,
    )
    reporter = reporter or Reporter()
    own = session(out, notebooks_folder, names, cold, reporter.problem)
    with nullcontext(held) if held else own as opened:
        under_way = Run(plan, reporter, opened.aside, opened.kernel)
        return _Runner(under_way).all()


def shop_folders(names: Sequence[str], data: Path) -> list[Path]:
    """Folders of the shops named, of all if none. Raises ParameterError where there is none."""
    folders = [shops.find(name, data) for name in names] if names else shops.all_in(data)
    if not folders:
        raise ParameterError(f"There are no shops in {data}: no folder there has a shop.toml.")
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    ids = [check_shop_name(folder.name) for folder in folders]
    for name in ids:
        if ids.count(name) > 1:
            raise ParameterError(f"Two of the shops are called '{name}'; run them one by one.")
    return folders


def check_shop_name(name: str) -> str:
    """`name`, if a shop can be called that. Raises ParameterError."""
    if not SHOP_NAME.fullmatch(name):
        raise ParameterError(
            f"A shop cannot be called '{name}'; allowed are letters, digits, - and _, "
            "Chinese characters too."
        )
    return name


def importing(folder: Path) -> AbstractContextManager:
    """Hold the tables of the shop in `folder` alone; a shop that is not there yet has none."""
    if not folder.is_dir():
        return nullcontext()
    return lock(folder / "tables" / ".lock", f"the tables of {folder.name}", wait=True)


@contextmanager
def _loaded_is_not_searched() -> Iterator[None]:
    """Leave what is loaded already out of the search for garbage: what a day leaves is found soon."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass
class _Closed:
    """What is kept of a shop's days that are done, until the pages over all of them are made."""

    fronts: front.Fronts
    currency: str
    days: list[date] = field(default_factory=list)


@dataclass
class _Runner:
    """All days of a run in one pool, shop by shop in turn, each shop's newest day first."""

    run: Run
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: dict[int, Day] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    closed: dict[str, _Closed] = field(default_factory=dict)

    def all(self) -> Result:
        self.left = {folder.name: -1 for folder in self.run.plan.folders}
        with Stopping() as self.stopping, _loaded_is_not_searched():
            try:
                with Pool(self.run.plan.jobs) as pool:
                    self._work(pool)
            except KeyboardInterrupt as told:
                with self.stopping.shield():
                    self._say_what_is_not_done()
                    self._close_what_is_open()
                raise told if isinstance(told, Stopped) else Stopped() from None
            if self.run.result.pages:
                with self.stopping.shield():
                    self._guarded(self._overview)
        return self.run.result

    def _work(self, pool: Pool) -> None:
        days = self._in_turn()
        while True:
            while pool.has_room and (day := next(days, None)):
                self._guarded(lambda d=day: self._open(d, pool), **day.head)
            if pool.is_empty:
                return
            execution, made = pool.next()
            with self.stopping.shield():
                self._take(execution, made)

    def _in_turn(self) -> Iterator[Day]:
        """One day of each shop after the other; a shop is refreshed when it is first its turn."""
        waiting = [self._days(folder) for folder in self.run.plan.folders]
        while waiting:
            for days in list(waiting):
                found: list[Day] = []
                self._guarded(lambda d=days, f=found: f.append(next(d)))
                if found:
                    yield found[0]
                else:
                    waiting.remove(days)

    def _days(self, folder: Path) -> Iterator[Day]:
        given = self._refreshed(folder)
        plan = self.run.plan
        days = coverage.chosen_days(given.shop, plan.since, plan.until, self.now)
        for place, day in enumerate(reversed(days)):
            self.left[folder.name] = len(days) - 1 - place
            yield Day(self.run, given, day, since=days[0])

    def _refreshed(self, folder: Path) -> Given:
        """Import what is new in the shop's exports."""
        with importing(folder):
            imported = exports.refresh(folder)
        refused = [str(file.refused) for file in imported.refused]
        for line in imported.summary_lines():
            if not line.startswith("refused"):
                self.run.reporter.tell(f"{folder.name} {line}", "import", shop=folder.name)
        for line in refused:
            self.run.problem(line, REFUSED, event="refused", shop=folder.name)
        if self.run.plan.masked:
            folder, refused = self._masked(folder, len(refused))
        return Given(shops.load(folder), fingerprints.inputs(folder), refused)

    def _masked(self, folder: Path, refused: int) -> tuple[Path, list[str]]:
        """The folder of the shop's masked copy; of files refused only how many."""
        from shopanalysis import mask

        shop = shops.load(folder)
        language = self.run.plan.language or shop.language
        copy = mask.write(shop, self.run.aside, language)
        said = Words(language).say("message.refused", n=refused)
        return copy, [said] if refused else []

    def _guarded(self, step: Callable[[], object], **about) -> None:
        """Take `step`; what stops it is said and counted, and stops nothing else."""
        try:
            step()
        except StopIteration:
            return
        except DataError as cause:
            self.run.problem(str(cause), REFUSED, **about)
        except Busy as cause:
            self.run.problem(str(cause), FAILED, **about)
        except OSError as cause:
            self.run.problem(in_words(cause), FAILED, **about)

    def _open(self, day: Day, pool: Pool) -> None:
        executions = day.open()
        if not executions:
            self._finish(day)
        for execution in executions:
            self.opened[id(execution)] = day
            pool.submit(execution, day.finished)

    def _take(self, execution: Execution, made) -> None:
        day = self.opened.pop(id(execution))
        self._guarded(lambda: day.publish(execution, made), **day.head)
        if day not in self.opened.values():
            self._finish(day)

    def _finish(self, day: Day) -> None:
        try:
            self._guarded(day.close, **day.head)
            shop = self.closed.setdefault(day.shop.id, _Closed(day.fronts, day.shop.currency))
            shop.days.append(day.day)
        finally:
            day.release()
            gc.collect()

    def _overview(self) -> None:
        plan = self.run.plan
        with lock(plan.out / ".locks" / "index", "the index", wait=True):
            for shop in self.closed.values():
                shop.fronts.renew(shop.days, shop.currency)
            front.overview(plan.out, Words(language_of(plan)), self.run.aside)
        self.run.result.pages.append(plan.out / "index.html")

    def _say_what_is_not_done(self) -> None:
        days = {id(day): day for day in self.opened.values()}.values()
        parts = [f"{d.shop.id} {d.day}: {', '.join(n.name for n in d.pending)}" for d in days]
        for shop, days_left in self.left.items():
            if days_left:
                parts.append(
                    f"{shop}: {'every day' if days_left < 0 else agreeing(f'{days_left}', '# day|# days')}"
                )
        if parts:
            line = f"Not done: {'; '.join(parts)}."
            self.run.reporter.problem(line, "stopped", not_done=parts)

    def _close_what_is_open(self) -> None:
        for day in {id(day): day for day in self.opened.values()}.values():
            if day.made:
                self._finish(day)
            else:
                day.release()
