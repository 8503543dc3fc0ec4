"""The secret of a shop that its buyers' names are hashed with: made once, read by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def of(folder: Path) -> str:
    """The salt of the shop in `folder`; a new one, not kept yet, where there is none."""
    file = folder / "salt"
    return file.read_text(encoding="ascii") if file.is_file() else secrets.token_hex(16)


def keep(folder: Path, salt: str) -> None:
    """Put `salt` in place, whole or not at all, unless the shop has one."""
    target = folder / "salt"
    if target.is_file():
        return
    aside = folder / f".salt.{os.getpid()}.tmp"
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(salt)
    os.replace(aside, target)
