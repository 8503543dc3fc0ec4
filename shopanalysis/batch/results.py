"""What becomes of a run: its pages and its exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

FAILED, REFUSED = 1, 3


@dataclass
class Result:
    """What became of a run: the index pages it made, and the exit code."""

    pages: list[Path] = field(default_factory=list)
    code: int = 0

    def worse(self, code: int) -> None:
        """Take over `code` unless something worse has happened."""
        severities = (0, REFUSED, FAILED)
        self.code = max(self.code, code, key=severities.index)
