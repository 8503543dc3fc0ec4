"""The commands around the runs: schedule, health, send, serve, pdf."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, time
from pathlib import Path

from shopanalysis.arguments import day, folder, hour, number
from shopanalysis.errors import DataError, ParameterError
from shopanalysis.languages import LANGUAGES


def add_to(commands) -> None:
    """Give the command line these commands."""
    for add in (_add_schedule, _add_health, _add_send, _add_serve, _add_pdf):
        add(commands)


def _add_shops(command: argparse.ArgumentParser) -> None:
    command.add_argument("--shop", action="append", default=[], help="one or more shops (all)")
    folder(command, "data", "where the shops are")
    command.add_argument(
        "--out", type=Path, default=Path("reports"), metavar="FOLDER", help="the reports (reports)"
    )


def _add_schedule(commands) -> None:
    command = commands.add_parser("schedule", help="print what makes the reports every day")
    add = command.add_argument
    add("kinds", nargs="*", metavar="KIND", help="cron, systemd, windows, github, airflow (all)")
    add("--at", type=hour, default=time(9), metavar="HH:MM", help="where the shop is (09:00)")
    add("--wait-for-data", type=hour, metavar="HH:MM", help="as run has it")
    add("--send", action="store_true", help="send the front page after every run")
    _add_shops(command)
    command.set_defaults(do=_schedule)


def _add_health(commands) -> None:
    command = commands.add_parser("health", help="when the last good run of each shop was")
    command.add_argument("--max-age", type=number(1, 99999), default=26, metavar="HOURS",
                         help="the oldest that is still well (26)")  # fmt: skip
    command.add_argument("--json", action="store_true", help="for a machine")
    _add_shops(command)
    command.set_defaults(do=_health)


def _add_send(commands) -> None:
    command = commands.add_parser("send", help="send the front page to those in shop.toml")
    command.add_argument("--date", type=day, help="day of the reports (the newest)")
    command.add_argument("--lang", choices=LANGUAGES, default="", help="(the shop's)")
    command.add_argument("--again", action="store_true", help="even what was sent already")
    _add_shops(command)
    command.set_defaults(do=_send)


def _add_serve(commands) -> None:
    command = commands.add_parser("serve", help="show the reports to a browser on this machine")
    command.add_argument("--host", default="127.0.0.1", help="a loopback address (127.0.0.1)")
    command.add_argument("--port", type=number(0, 65535), default=8000, metavar="N",
                         help="0: a free one (8000)")  # fmt: skip
    command.add_argument("--out", type=Path, default=Path("reports"), metavar="FOLDER",
                         help="the reports (reports)")  # fmt: skip
    command.set_defaults(do=_serve)


def _add_pdf(commands) -> None:
    command = commands.add_parser("pdf", help="print reports to PDF (needs Chromium)")
    command.add_argument("reports", nargs="+", type=Path, metavar="REPORT",
                         help="an .html file, or a run's folder for all of them")  # fmt: skip
    command.set_defaults(do=_pdf)


def _named(asked: argparse.Namespace) -> dict[str, Path]:
    """The shops asked for, as they were named, with their folders. Raises ParameterError."""
    from shopanalysis import shop as shops

    names = asked.shop or [path.name for path in shops.all_in(asked.data)]
    if not names:
        raise ParameterError(f"There are no shops in {asked.data}: no folder has a shop.toml.")
    return {name: shops.find(name, asked.data) for name in dict.fromkeys(names)}


def _schedule(asked: argparse.Namespace) -> int:
    from shopanalysis import schedule
    from shopanalysis import shop as shops

    if unknown := [kind for kind in asked.kinds if kind not in schedule.KINDS]:
        known = ", ".join(schedule.KINDS)
        raise ParameterError(f"There is no schedule '{unknown[0]}'. There are: {known}.")
    if asked.wait_for_data and asked.wait_for_data <= asked.at:
        raise ParameterError(f"--wait-for-data {asked.wait_for_data:%H:%M} is not after --at.")
    jobs = _jobs(asked, {name: shops.load(path) for name, path in _named(asked).items()})
    texts = {kind: schedule.text(kind, jobs) for kind in asked.kinds or schedule.KINDS}
    heads = [f"# ==== {kind} ====\n" if len(texts) > 1 else "" for kind in texts]
    print("\n".join(map("".join, zip(heads, texts.values(), strict=True))), end="")
    return 0


def _jobs(asked: argparse.Namespace, found: dict) -> list:
    from shopanalysis.batch import coverage
    from shopanalysis.schedule.jobs import jobs

    sends = {name: shop.circulation.url for name, shop in found.items() if shop.circulation}
    if asked.send and not sends:
        raise ParameterError("--send: no shop.toml has a [circulate]; docs/circulating.md.")
    given = (("--data", asked.data, "data"), ("--out", asked.out, "reports"))
    own = [(name, str(path)) for name, path, usual in given if path != Path(usual)]
    return jobs(
        {name: coverage.zone_of(shop).key for name, shop in found.items()},
        asked.at,
        named=bool(asked.shop),
        folder=Path.cwd(),
        options=tuple(part for option in own for part in option),
        wait=asked.wait_for_data,
        sends=sends if asked.send else {},
    )


def _health(asked: argparse.Namespace) -> int:
    from shopanalysis import health

    now = datetime.now(UTC)
    found = health.of([path.resolve().name for path in _named(asked).values()], asked.out)
    well = all(one.is_well(now, asked.max_age) for one in found)
    if asked.json:
        import json

        records = [one.record(now, asked.max_age) for one in found]
        about = {"well": well, "max_age_hours": asked.max_age, "shops": records}
        print(json.dumps(about, ensure_ascii=False, indent=1))
    else:
        for one in found:
            print(one.line(now, asked.max_age))
    return 0 if well else 1


def _send(asked: argparse.Namespace) -> int:
    from shopanalysis import circulate
    from shopanalysis import shop as shops

    sender = circulate.Sender(print, lambda line: print(line, file=sys.stderr), again=asked.again)
    found = [shops.load(path) for path in _named(asked).values()]
    with_address = [shop for shop in found if shop.circulation]
    if not with_address or (asked.shop and len(with_address) < len(found)):
        lacking = next(shop for shop in found if not shop.circulation)
        raise ParameterError(
            f"{lacking.folder / 'shop.toml'} has no [circulate]; docs/circulating.md tells how."
        )
    refused = False
    for shop in with_address:
        try:
            day = asked.date.isoformat() if asked.date else None
            sender.send(shop, circulate.run_of(shop, asked.out, day), asked.lang)
        except DataError as cause:
            sender.warn(str(cause))
            refused = True
    return 1 if sender.failed else 3 if refused else 0


def _serve(asked: argparse.Namespace) -> int:
    from shopanalysis import serve

    with serve.server(asked.out, asked.host, asked.port) as server:
        host = f"[{asked.host}]" if ":" in asked.host else asked.host
        print(f"http://{host}:{server.server_port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _pdf(asked: argparse.Namespace) -> int:
    from shopanalysis import pdf

    reports = pdf.reports_in(asked.reports)
    browser = pdf.find_browser()
    for report in reports:
        print(pdf.write(report, browser), flush=True)
    return 0
