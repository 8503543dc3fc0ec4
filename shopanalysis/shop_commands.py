"""The commands on a shop's own folder: init, check, import, events."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from shopanalysis.arguments import folder
from shopanalysis.errors import ParameterError

WAIT = 1.0  # seconds after which an import says how far it is


def add_init(commands) -> None:
    """shopanalysis init NAME."""
    command = commands.add_parser("init", help="make a new shop's folder, with templates")
    command.add_argument("name", metavar="NAME", help="the shop's name: a folder under data/")
    folder(command, "data", "where the shops are")
    command.set_defaults(do=init)


def add_check(commands) -> None:
    """shopanalysis check --shop S."""
    command = commands.add_parser("check", help="what a shop has, and what is missing")
    command.add_argument("--shop", required=True, help="a folder's name under data/, or a path")
    folder(command, "data", "where the shops are")
    folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=check)


def add_import(commands) -> None:
    """shopanalysis import FILE … --shop S."""
    command = commands.add_parser("import", help="read export files into a shop's tables")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="or folders")
    command.add_argument("--shop", required=True, help="the shop's name; a new one is made")
    command.add_argument(
        "--dry-run", action="store_true", help="write nothing: say what each file would do"
    )
    folder(command, "data", "where the shops are")
    command.set_defaults(do=import_files)


def add_events(commands) -> None:
    """shopanalysis events --shop S."""
    command = commands.add_parser("events", help="make daily tables of a shop's event log")
    command.add_argument("--shop", required=True, help="a folder's name under data/, or a path")
    folder(command, "data", "where the shops are")
    command.set_defaults(do=reduce_events)


def init(asked: argparse.Namespace) -> int:
    """Make a new shop's folder."""
    from shopanalysis import new_shop
    from shopanalysis.batch import runs

    for file in new_shop.make(asked.data / runs.check_shop_name(asked.name)):
        print(file)
    return 0


def check(asked: argparse.Namespace) -> int:
    """Say what a shop has."""
    from shopanalysis import shop
    from shopanalysis.batch import inventory
    from shopanalysis.batch.notebooks import discover

    found = shop.load(shop.find(asked.shop, asked.data))
    for line in inventory.lines(found, discover(asked.notebooks)):
        print(line)
    return 0


def import_files(asked: argparse.Namespace) -> int:
    """Import files, or say what that would do."""
    from contextlib import nullcontext

    from shopanalysis import exports
    from shopanalysis.batch import runs

    shop = asked.data / runs.check_shop_name(asked.shop)
    if absent := [str(file) for file in asked.files if not file.exists()]:
        raise ParameterError(f"There is no file {', '.join(absent)}.")
    progress = Progress() if sys.stderr.isatty() else None
    with nullcontext() if asked.dry_run else runs.importing(shop):
        told = {"progress": progress} if progress else {}
        imported = exports.import_files(shop, asked.files, dry=asked.dry_run, **told)
    if progress:
        progress.clear()
    for line in imported.file_lines() if asked.dry_run else ():
        print(line)
    for line in imported.summary_lines():
        print(line)
    if asked.dry_run:
        print("dry run: nothing was written")
    return runs.REFUSED if imported.refused else 0


def reduce_events(asked: argparse.Namespace) -> int:
    """Make the daily tables of the event log, of days that are new or have changed."""
    from shopanalysis import shop
    from shopanalysis.batch import runs
    from shopanalysis.events import reducing
    from shopanalysis.words import agreeing

    found = shop.load(shop.find(asked.shop, asked.data))
    progress = Progress("days") if sys.stderr.isatty() else None
    with runs.importing(found.folder):
        told = {"progress": progress} if progress else {}
        made = reducing.reduce(found, **told)
    if progress:
        progress.clear()
    days = agreeing(f"{len(made.days):,}", "# day|# days")
    print(f"{len(made.done):,} of {days} reduced; tables: {', '.join(made.written)}")
    if made.kept:
        print(f"left as exports state them: {', '.join(made.kept)}")
    for reason, rows in made.counted.items():
        print(f"{reason.replace('_', ' ')}: {rows:,}")
    return 0


class Progress:
    """How far a command is, on one line of a terminal, once it has taken WAIT seconds."""

    def __init__(self, what: str = "files") -> None:
        self.began, self.shown, self.what = time.monotonic(), 0.0, what

    def __call__(self, done: int, whole: int, name: str) -> None:
        """Show how many files are done."""
        now = time.monotonic()
        if now - self.began > WAIT and (now - self.shown > 0.1 or done == whole):
            self.shown = now
            print(
                f"\r\033[K{done:,} of {whole:,} {self.what}  {name[:60]}", end="", file=sys.stderr
            )

    def clear(self) -> None:
        """Take the line away."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr)
