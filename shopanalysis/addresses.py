"""Addresses of apprise, of one recipient each, whose secrets appear in nothing that they say."""

from __future__ import annotations

import copy
import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

LOGGERS = ("apprise", "urllib3", "requests")
MASK = "***"


@dataclass(eq=False)
class Address:
    """One recipient of one service; `name` is the variable it comes from, `said` why it failed."""

    name: str
    url: str = field(repr=False)
    service: object = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    said: list[str] = field(default_factory=list)

    def takes(self, title: str, body: str, files: Mapping[str, Path]) -> bool:
        """Send; whether it arrived. Services that take no files get the text alone."""
        import apprise
        from apprise.attachment.file import AttachFile

        post = apprise.Apprise(asset=self.service.asset)
        post.add(self.service)
        attached = apprise.AppriseAttachment() if self.service.attachment_support else None
        for name, file in files.items() if attached is not None else ():
            attached.add(AttachFile(str(file), name=name))
        with _overheard() as lines:
            done = post.notify(
                body, title=title, body_format=apprise.NotifyFormat.TEXT, attach=attached or None
            )
        self.said = [masked(line, self.secrets) for line in lines]
        return bool(done)


def addresses(
    names: Iterable[str], environment: Mapping[str, str]
) -> tuple[list[Address], list[str]]:
    """The addresses in the variables `names`, and a line about each variable that holds none."""
    import apprise

    asset = apprise.AppriseAsset(app_id="shopanalysis", app_desc="shopanalysis", app_url="")
    found, unusable = [], []
    for name in names:
        url = environment.get(name, "").strip()
        with _overheard():
            service = apprise.Apprise.instantiate(url, asset=asset) if url else None
        if service:
            found += _split(name, url, service)
        else:
            what = "holds no address that apprise knows" if url else "is not set"
            unusable.append(f"{name}  not sent: {name} {what} (docs/circulating.md)")
    return found, unusable


def _split(name: str, url: str, service) -> list[Address]:
    """One address per recipient of a mail, so that one refused does not keep it from the others."""
    secrets = _secrets(url, service)
    targets = service.targets if hasattr(service, "smtp_host") else []
    if len(targets) < 2:
        return [Address(name, url, service, secrets)]
    split = []
    for place, target in enumerate(targets, 1):
        one = copy.copy(service)
        one.targets = [target]
        named = f"{name} ({place} of {len(targets)})"
        split.append(Address(named, f"{url} {target}", one, secrets))
    return split


def _secrets(url: str, service) -> tuple[str, ...]:
    """Everything in an address that a line could give away, longest first."""
    pieces = {piece for piece in re.split(r"[^\w.%+~-]+", url) if len(piece) > 2}
    pieces |= {str(part) for part in (service.user, service.password) if part}
    pieces |= {unquote_plus(piece) for piece in pieces} | {url}
    return tuple(sorted(pieces, key=len, reverse=True))


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`."""
    for secret in secrets:
        text = re.sub(re.escape(secret), MASK, text, flags=re.IGNORECASE)
    return text


class _Ear(logging.Handler):
    """Keeps warnings, and the reason of a broken connection, which apprise tells as a detail."""

    def __init__(self, lines: list[str]):
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        said = " ".join(record.getMessage().split())
        if record.levelno >= logging.WARNING or said.startswith("Socket Exception: "):
            self.lines.append(said.removeprefix("Socket Exception: "))


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """The reasons given inside the block; nothing of it reaches a terminal or another log."""
    lines: list[str] = []
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(one.handlers, one.propagate, one.level, one.disabled) for one in loggers]
    for one in loggers:
        one.handlers, one.propagate, one.disabled = [_Ear(lines)], False, False
        one.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield lines
    finally:
        for one, (handlers, propagate, level, disabled) in zip(loggers, before, strict=True):
            one.handlers, one.propagate, one.disabled = handlers, propagate, disabled
            one.setLevel(level)
