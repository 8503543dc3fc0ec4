"""The command line: shopanalysis list, run, init, import, check, demo, refresh.

Exit codes: 0 all done, 1 something failed, 2 bad usage, 3 data refused.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from shopanalysis import __version__, shop_commands
from shopanalysis.errors import DataError, ParameterError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        """Say in one line what is wrong, like every other refusal."""
        raise ParameterError(f"{message} (see {self.prog} --help)")


def _day(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a day such as 2026-11-20")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form name=value")
    return name, value


def _jobs(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]?", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 99")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    whole = _Parser(prog="shopanalysis", description="From a shop's export files to dated reports.")
    whole.add_argument("--version", action="version", version=f"shopanalysis {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    shop_own = (shop_commands.add_init, shop_commands.add_import, shop_commands.add_check)
    for add in (_add_list, _add_run, *shop_own, _add_demo, _add_refresh):
        add(commands)
    return whole


def _folder(command: argparse.ArgumentParser, name: str, meaning: str) -> None:
    command.add_argument(
        f"--{name}", type=Path, default=Path(name), metavar="FOLDER", help=f"{meaning} ({name})"
    )


def _add_list(commands) -> None:
    command = commands.add_parser("list", help="the questions, with the notebooks that answer them")
    command.add_argument("--markdown", action="store_true", help="as a table for README.md")
    _folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=_list)


def _add_run(commands) -> None:
    command = commands.add_parser("run", help="make reports")
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="notebooks to run (all)")
    add("--shop", action="append", default=[], help="a folder's name under data/, or a path (all)")
    add("--date", type=_day, help="day to report on (the newest that is over)")
    add("--since", type=_day, metavar="DATE", help="first of several days, each with its reports")
    add("--until", type=_day, metavar="DATE", help="last of them (the newest that is over)")
    add("--set", action="append", default=[], type=_setting, metavar="NAME=VALUE",
        help="a parameter of the notebooks, for those that have it")  # fmt: skip
    add("--lang", choices=("zh", "en"), help="language of the reports (the shop's)")
    add("--jobs", type=_jobs, default=2, metavar="N", help="notebooks at a time (2)")
    add("--out", type=Path, default=Path("reports"), metavar="FOLDER", help="where to (reports)")
    _folder(command, "data", "where the shops are")
    _folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=_run)


def _add_demo(commands) -> None:
    command = commands.add_parser("demo", help="make the demo shop's files")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--seed", type=int, default=11, metavar="N", help="another shop (11)")
    command.add_argument("--quiet-shop", action="store_true", help="without planted events")
    command.set_defaults(do=_demo)


def _add_refresh(commands) -> None:
    command = commands.add_parser("refresh", help="run notebooks in place to renew golden cells")
    command.add_argument("names", nargs="*", metavar="NAME", help="notebooks (all)")
    _folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=_refresh)


def _list(asked: argparse.Namespace) -> int:
    from shopanalysis.batch.notebooks import discover

    found = discover(asked.notebooks)
    if asked.markdown:
        print("| Question | Notebook | Report of the demo shop |\n|---|---|---|")
        for one in found:
            notebook = f"[{one.name}](notebooks/{one.name}.ipynb)"
            print(f"| {one.title} | {notebook} | [html](reports/demo/{one.name}.html) |")
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        print(f"{one.name:{width}}  {one.title}")
    return 0


def _run(asked: argparse.Namespace) -> int:
    since, until = _span(asked)
    from shopanalysis.batch import runs

    result = runs.run(
        names=asked.names,
        shop_names=asked.shop,
        since=since,
        until=until,
        settings=_settings(asked.set),
        language=asked.lang,
        jobs=asked.jobs,
        out=asked.out,
        notebooks_folder=asked.notebooks,
        data_folder=asked.data,
    )
    for page in result.pages:
        print(_relative(page))
    return result.code


def _span(asked: argparse.Namespace) -> tuple[date | None, date | None]:
    if asked.date and (asked.since or asked.until):
        raise ParameterError("--date is one day; it cannot be used with --since or --until.")
    if asked.until and not asked.since:
        raise ParameterError("--until needs --since.")
    if asked.since and asked.until and asked.since > asked.until:
        raise ParameterError(f"--since {asked.since} is after --until {asked.until}.")
    return (asked.date, asked.date) if asked.date else (asked.since, asked.until)


def _settings(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    settings = dict(pairs)
    if len(settings) < len(pairs):
        raise ParameterError("--set names the same parameter twice.")
    return settings


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _demo(asked: argparse.Namespace) -> int:
    from shopanalysis import demo

    if (asked.folder / "shop.toml").exists() and not (asked.folder / "truth.json").exists():
        raise ParameterError(f"{asked.folder} is a shop of your own; name another folder.")
    demo.make(asked.folder, seed=asked.seed, events=not asked.quiet_shop)
    print(asked.folder)
    return 0


def _refresh(asked: argparse.Namespace) -> int:
    import tempfile

    from shopanalysis.batch.execution import environment, refreshed
    from shopanalysis.batch.notebooks import choose, discover
    from shopanalysis.batch.publishing import write

    with tempfile.TemporaryDirectory() as aside, environment(Path(aside)):
        for notebook in choose(discover(asked.notebooks), asked.names):
            text = refreshed(notebook)
            changed = text != notebook.path.read_text(encoding="utf-8")
            if changed:
                write(notebook.path, text)
            print(f"{notebook.path}  {'changed' if changed else 'unchanged'}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what goes wrong is said in one line, without a traceback."""
    try:
        asked = parser().parse_args(arguments)
        return asked.do(asked)
    except ParameterError as cause:
        return _stop(cause, 2)
    except DataError as cause:
        return _stop(cause, 3)
    except OSError as cause:
        return _stop(cause, 1)
    except KeyboardInterrupt:
        return _stop(
            "Interrupted: reports that were done are in place, the others are as before.", 130
        )


def _stop(cause: object, code: int) -> int:
    print(f"shopanalysis: {' '.join(str(cause).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
