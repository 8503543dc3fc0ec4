"""The languages that there are: one file texts/<language>.toml each. Loads nothing else."""

from __future__ import annotations

import re
from pathlib import Path

TEXTS = Path(__file__).with_name("texts")
SOURCE = "en"  # the language that the notebooks and the code are written in


def discovered(folder: Path = TEXTS) -> tuple[str, ...]:
    """Codes of the languages that have a file in `folder`: en, es, zh."""
    codes = (file.stem for file in folder.glob("*.toml"))
    return tuple(sorted(code for code in codes if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", code)))


LANGUAGES = discovered()
