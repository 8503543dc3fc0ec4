"""The command line: shopanalysis list, run, init, import, events, check, demo, refresh, and the operations.

Exit codes: 0 all done, 1 something failed, 2 bad usage, 3 data refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from shopanalysis import __version__, operations, shop_commands
from shopanalysis.arguments import Parser, day, folder, hour, number, setting
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.languages import LANGUAGES, SOURCE


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    whole = Parser(prog="shopanalysis", description="From a shop's export files to dated reports.")
    whole.add_argument("--version", action="version", version=f"shopanalysis {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    shop_own = [shop_commands.add_init, shop_commands.add_import, shop_commands.add_events]
    shop_own.append(shop_commands.add_check)
    for add in (_add_list, _add_run, *shop_own, _add_demo, _add_refresh):
        add(commands)
    operations.add_to(commands)
    return whole


def _add_list(commands) -> None:
    command = commands.add_parser("list", help="the questions, with the notebooks that answer them")
    command.add_argument("--markdown", action="store_true", help="as a table for README.md")
    command.add_argument("--lang", choices=LANGUAGES, default=SOURCE, help=f"({SOURCE})")
    folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=_list)


def _add_run(commands) -> None:
    command = commands.add_parser("run", help="make reports")
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="notebooks to run (all)")
    add("--shop", action="append", default=[], help="a folder's name under data/, or a path (all)")
    add("--date", type=day, help="day to report on (the newest that is over)")
    add("--since", type=day, metavar="DATE", help="first of several days, each with its reports")
    add("--until", type=day, metavar="DATE", help="last of them (the newest that is over)")
    add("--set", action="append", default=[], type=setting, metavar="NAME=VALUE",
        help="a parameter of the notebooks, for those that have it")  # fmt: skip
    add("--lang", choices=LANGUAGES, help="language of the reports (the shop's)")
    add("--wait-for-data", type=hour, metavar="HH:MM",
        help="wait until yesterday is complete, at most until then where the shop is")  # fmt: skip
    add("--jobs", type=number(1, 99), default=2, metavar="N", help="notebooks at a time (2)")
    add("--mask", action="store_true",
        help="a copy to show outside, in masked/: indices for amounts, letters for names")  # fmt: skip
    add("--force", action="store_true", help="also what would come out the same")
    add("--cold", action="store_true", help="ordinary kernels, none forked from a warm process")
    limit = {"type": number(1, 999_999)}
    add("--cell-limit", **limit, default=120, metavar="SECONDS", help="for one cell (120)")
    add("--notebook-limit", **limit, default=900, metavar="SECONDS", help="for all of it (900)")
    add("--memory-limit", **limit, default=4096, metavar="MB", help="for one notebook (4096)")
    add("--json-log", action="store_true", help="one JSON object per event instead of text")
    add("--out", type=Path, default=Path("reports"), metavar="FOLDER", help="where to (reports)")
    folder(command, "data", "where the shops are")
    folder(command, "notebooks", "where the notebooks are")
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
    folder(command, "notebooks", "where the notebooks are")
    command.set_defaults(do=_refresh)


def _list(asked: argparse.Namespace) -> int:
    from shopanalysis.batch.notebooks import discover
    from shopanalysis.words import Words

    words = Words(asked.lang)
    titles = {one.name: one.title_in(words) for one in discover(asked.notebooks)}
    if asked.markdown:
        heads = " | ".join(words.say(f"list.{head}") for head in ("question", "notebook", "report"))
        print(f"| {heads} |\n|---|---|---|")
        for name, title in titles.items():
            print(
                f"| {title} | [{name}](notebooks/{name}.ipynb) | [html](reports/demo/{name}.html) |"
            )
        return 0
    width = max(map(len, titles))
    for name, title in titles.items():
        print(f"{name:{width}}  {title}")
    return 0


def _run(asked: argparse.Namespace) -> int:
    since, until = _span(asked)
    if asked.mask:
        asked.out /= "masked"
    if asked.wait_for_data:
        return _run_when_complete(asked)
    return _run_now(asked, since, until, asked.shop).code


def _run_now(asked: argparse.Namespace, since: date | None, until: date | None, shops: list[str]):
    from shopanalysis.batch.reporting import JsonReporter, Reporter
    from shopanalysis.batch.sessions import session

    reporter = JsonReporter() if asked.json_log else Reporter()
    with session(asked.out, asked.notebooks, asked.names, asked.cold, reporter.problem) as held:
        result = _made(asked, since, until, shops, reporter=reporter, held=held)
    for page in result.pages:
        reporter.tell(str(_relative(page)), "page", path=str(page))
    return result


def _made(
    asked: argparse.Namespace, since: date | None, until: date | None, shops: list[str], **given
):
    from shopanalysis.batch import runs
    from shopanalysis.batch.execution import Limits

    return runs.run(
        names=asked.names,
        shop_names=shops,
        since=since,
        until=until,
        settings=_settings(asked.set),
        language=asked.lang,
        jobs=asked.jobs,
        out=asked.out,
        notebooks_folder=asked.notebooks,
        data_folder=asked.data,
        limits=Limits(asked.cell_limit, asked.notebook_limit, asked.memory_limit),
        force=asked.force,
        masked=asked.mask,
        **given,
    )


def _run_when_complete(asked: argparse.Namespace) -> int:
    from shopanalysis.batch import notebooks, runs, waiting

    chosen = notebooks.choose(notebooks.discover(asked.notebooks), asked.names)
    notebooks.convert(chosen, _settings(asked.set))
    wait = waiting.Wait(runs.shop_folders(asked.shop, asked.data), asked.wait_for_data)
    for yesterday, folders in wait.arrivals():
        result = _run_now(asked, yesterday, yesterday, list(map(str, folders)))
        wait.result.worse(result.code)
    return wait.result.code


def _span(asked: argparse.Namespace) -> tuple[date | None, date | None]:
    if asked.date and (asked.since or asked.until):
        raise ParameterError("--date is one day; it cannot be used with --since or --until.")
    if asked.until and not asked.since:
        raise ParameterError("--until needs --since.")
    if asked.since and asked.until and asked.since > asked.until:
        raise ParameterError(f"--since {asked.since} is after --until {asked.until}.")
    if asked.wait_for_data and (asked.date or asked.since):
        raise ParameterError("--wait-for-data is for yesterday; it cannot be used with other days.")
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

    from shopanalysis.batch.execution import refreshed
    from shopanalysis.batch.files import write
    from shopanalysis.batch.notebooks import choose, discover
    from shopanalysis.batch.sessions import environment

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
        from shopanalysis.batch.files import in_words

        return _stop(in_words(cause), 1)
    except KeyboardInterrupt as told:
        return _stop(
            "Interrupted: reports that were done are in place, the others are as before.",
            128 + getattr(told, "number", 2),
        )


def _stop(cause: object, code: int) -> int:
    print(f"shopanalysis: {' '.join(str(cause).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
