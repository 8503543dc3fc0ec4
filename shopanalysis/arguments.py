"""Values of the command line: days, times, numbers, folders, and how they are refused."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

from shopanalysis.errors import ParameterError


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line, like every other."""

    def error(self, message: str):
        """Say in one line what is wrong. Raises ParameterError."""
        raise ParameterError(f"{message} (see {self.prog} --help)")


def day(text: str) -> date:
    """A day such as 2026-11-20."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a day such as 2026-11-20")


def hour(text: str) -> time:
    """A time of day such as 09:00."""
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        return time.fromisoformat(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a time such as 09:00")


def setting(text: str) -> tuple[str, str]:
    """A name and a value: name=value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form name=value")
    return name, value


def number(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,6}", text) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least} to {most}")

    return read


def folder(command: argparse.ArgumentParser, name: str, meaning: str) -> None:
    """Give `command` an option --`name` for a folder that is called so unless said otherwise."""
    command.add_argument(
        f"--{name}", type=Path, default=Path(name), metavar="FOLDER", help=f"{meaning} ({name})"
    )
