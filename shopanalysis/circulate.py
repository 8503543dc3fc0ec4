"""A run's front page, sent through apprise: mail, DingTalk, Feishu, WeCom, Slack and the rest.

Addresses hold passwords: they come from the environment, and stand in no file, line or error.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from shopanalysis.addresses import Address, addresses
from shopanalysis.batch.files import as_json, lock, read, run_folders, write
from shopanalysis.errors import DataError
from shopanalysis.findings import decisions, front, said_in
from shopanalysis.shop import Shop
from shopanalysis.words import Words

WAITS = (10, 60)  # seconds before the second and the third attempt
RECORD = "sent.json"


@dataclass(frozen=True)
class Message:
    """What is sent: a title, lines of plain text, and files with the names they get."""

    title: str
    body: str
    files: Mapping[str, Path]

    def key(self, address: Address) -> str:
        """What tells this message to this address from every other; the address cannot be read."""
        said = "\0".join((self.title, self.body, *self.files, address.url))
        return hashlib.sha256(said.encode()).hexdigest()[:20]


def run_of(shop: Shop, out: Path, day: str | None = None) -> Path:
    """The folder of the shop's run for `day`, None: the newest. Raises DataError without one."""
    folders = {d: path for (d, name), path in run_folders(out).items() if name == shop.id}
    if not folders or day not in (None, *folders):
        which = f"for {day} " if day else ""
        raise DataError(f"{shop.id} has no reports {which}in {out}: shopanalysis run makes them.")
    return folders[day or max(folders)]


def message(shop: Shop, folder: Path, language: str) -> Message:
    """The front page of the run in `folder`: its sentences, decisions, failures, reports.

    Raises DataError where no finding of the run has a sentence in `language`.
    """
    words, run = Words(language, shop.currency), read(folder / "run.json")
    records = read(folder / "findings.json").get("findings", [])
    found = said_in(records, words)
    if records and not found:
        raise DataError(f"{folder} has no sentences in '{language}': run it again to have them.")
    title = words.say("index.title", shop=shop.name, date=folder.parent.name)
    blocks = (_sentences(found, words), _decided(found, words), _ends(shop, folder, run, words))
    body = "\n\n".join("\n".join(lines) for lines in blocks if lines)
    return Message(title, body, _files(shop, folder, run, front(found)))


def _sentences(found: Sequence[Mapping], words: Words) -> list[str]:
    said = [
        words.say("message.finding", severity=f["severity"], sentence=f["sentence"][words.language])
        for f in front(found)
    ]
    return said or [words.say("index.no_finding")]


def _decided(found: Sequence[Mapping], words: Words) -> list[str]:
    due = [
        words.say("message.decision", place=n, owner=f["owner"], action=f["action"][words.language])
        for n, f in enumerate(decisions(found), 1)
    ]
    if due:
        return [words.say("page.decisions"), *due]
    return [words.say("page.no_decision")] if found else []


def _ends(shop: Shop, folder: Path, run: Mapping, words: Words) -> list[str]:
    """How many reports failed and files were refused, and where everything is."""
    failed = sum(record["status"] == "failed" for record in run.get("notebooks", {}).values())
    counts = {"failed": failed, "refused": len(run.get("refused", ()))}
    lines = [words.say(f"message.{key}", n=n) for key, n in counts.items() if n]
    if base := shop.circulation.link.rstrip("/"):
        link = f"{base}/{folder.parent.name}/{quote(shop.id)}/index.html"
        lines.append(words.say("message.link", link=link))
    return lines


def _files(shop: Shop, folder: Path, run: Mapping, first: Sequence[Mapping]) -> dict[str, Path]:
    names = shop.circulation.attach
    if names is None:
        names = [record["notebook"] for record in first[:1]]
    elif unknown := set(names) - set(run.get("notebooks", {})):
        raise DataError(
            f"{shop.folder / 'shop.toml'}: circulate.attach names {', '.join(sorted(unknown))}; "
            f"the run in {folder} has: {', '.join(run.get('notebooks', {}))}."
        )
    paths = {_file_name(folder, name): folder / f"{name}.html" for name in names}
    return {name: file for name, file in paths.items() if file.is_file()}


def _file_name(folder: Path, notebook: str) -> str:
    """What a report is called in a message; in ASCII, since apprise breaks other names in mails."""
    parts = (folder.parent.name, folder.name, notebook)
    return "-".join(part for part in parts if part.isascii()) + ".html"


@dataclass
class Sender:
    """Sends messages once each, with further attempts; `failed` says that some did not arrive."""

    say: Callable[[str], object]
    warn: Callable[[str], object]
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    sleep: Callable[[float], object] = time.sleep
    again: bool = False
    failed: bool = False

    def send(self, shop: Shop, folder: Path, language: str = "") -> None:
        """Send the run in `folder` to every address of `shop` that has not had it yet."""
        language = language or shop.circulation.language or shop.language
        told = message(shop, folder, language)
        named = f"{shop.id} {folder.parent.name}"
        out = folder.parent.parent
        with lock(out / ".locks" / f"{folder.parent.name}.{shop.id}.send", named, wait=True):
            found, unusable = addresses(shop.circulation.url, self.environment)
            for line in unusable:
                self._failure(f"{named} {line}")
            self._deliver(told, found, folder / RECORD, named)

    def _deliver(self, told: Message, to: Sequence[Address], record: Path, named: str) -> None:
        known = read(record)
        had = [one for one in to if told.key(one) in known and not self.again]
        for one in had:
            self.say(f"{named} {one.name}  sent already, {known[told.key(one)]['at']}")
        left = [one for one in to if one not in had]
        for wait in (0, *WAITS):
            if left and wait:
                self.sleep(wait)
            left = [one for one in left if not self._sent(told, one, record, named)]
        for one in left:
            why = "; ".join(one.said) or "no reason was given"
            self._failure(f"{named} {one.name}  not sent after {1 + len(WAITS)} attempts: {why}")

    def _sent(self, told: Message, one: Address, record: Path, named: str) -> bool:
        """Whether `one` took the message; what has arrived is on record before anything else."""
        if not one.takes(told.title, told.body, told.files):
            return False
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write(record, as_json(read(record) | {told.key(one): {"to": one.name, "at": now}}))
        self.say(f"{named} {one.name}  sent")
        return True

    def _failure(self, line: str) -> None:
        self.warn(line)
        self.failed = True
