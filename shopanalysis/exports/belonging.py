"""Whether a file belongs to the shop: one shop, its basis, its currency, its ways of attribution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from shopanalysis.errors import DataError
from shopanalysis.exports import values
from shopanalysis.exports.rows import Piece
from shopanalysis.words import agreeing

# How a platform says which of a visitor's visits a sale is put down to, and what it is called here.
ATTRIBUTIONS = {
    "every visit": r"每一?次访问|every visit|belong=all",
    "first visit": r"第一次访问|首次访问|first visit|farthest",
    "last visit": r"最后一次访问|末次访问|last visit|nearest",
}
NOT_STATED = "not stated"
# How an advertising report says for how many days after a click it adds orders to it.
WINDOW = re.compile(
    r"(?:转化周期|归因周期|归因窗口|(?:attribution|conversion) (?:window|setting))\D{0,9}(\d{1,3})"
    r"|(\d{1,3})\s*(?:天|日)\s*(?:转化|归因)|(\d{1,3})[- ]days?[- ](?:click|attribution|conversion)",
    re.IGNORECASE,
)
OWN = "Import it into a shop of its own."


def check(piece: Piece) -> None:
    """Note currency and attribution of a file; refuse one that holds several shops or currencies."""
    for header in piece.format.one_shop:
        shops = _distinct(piece, header)
        if len(shops) > 1:
            raise DataError(
                f"{header} names several shops: {', '.join(shops[:3])}. "
                "Export each shop by itself, and import it into a shop of its own."
            )
    if currency := _currency(piece):
        piece.facts["currency"] = currency
    if piece.format.attribution:
        piece.facts["attribution"] = _attribution(piece)
    if (days := _window(piece)) is not None:
        piece.facts["attribution_days"] = days


def _distinct(piece: Piece, header: str) -> list[str]:
    return sorted(values.text(piece.rows[header]).dropna().unique()) if header in piece.rows else []


def _currency(piece: Piece) -> str | None:
    header = piece.format.currency
    if header not in piece.rows:
        return None
    if said := re.search(r"\(([A-Z]{3})\)", piece.spelled[header]):
        return said[1]
    codes = [code for code in _distinct(piece, header) if re.fullmatch("[A-Z]{3}", code)]
    if len(codes) > 1:
        raise DataError(f"{header} is {' and '.join(codes)}; amounts of two cannot be added. {OWN}")
    return codes[0] if codes else None


def _attribution(piece: Piece) -> str:
    """The way that the file's name or the lines above its table state."""
    text = f"{PurePosixPath(piece.label).name}\n{piece.above}"
    found = [way for way, said in ATTRIBUTIONS.items() if re.search(said, text, re.IGNORECASE)]
    return found[0] if len(found) == 1 else NOT_STATED


def _window(piece: Piece) -> int | None:
    """Days after a click that an order still counts, as a column, the file's name or its top states."""
    if "ad_day" not in piece.format.tables:
        return None
    said = _distinct(piece, piece.format.window)
    cells = {int(days[0]) for cell in said if (days := re.search(r"\d{1,3}", cell))}
    if len(cells) > 1:
        several = " and ".join(map(str, sorted(cells)))
        raise DataError(
            f"{piece.format.window} is {several} days; orders of the two cannot be compared. "
            "Export each by itself."
        )
    text = f"{PurePosixPath(piece.label).name}\n{piece.above}"
    named = {int(next(filter(None, found))) for found in WINDOW.findall(text)}
    found = cells or named
    return found.pop() if len(found) == 1 else None


def with_window(name: str, frame: pd.DataFrame, pieces: Sequence[Piece]) -> pd.DataFrame:
    """Rows of ad_day with the days of attribution that their file states, where they have none."""
    if name != "ad_day":
        return frame
    said = {number: piece.facts.get("attribution_days") for number, piece in enumerate(pieces)}
    days = frame["file"].map(said).astype("float64")
    own = frame.get("attribution_days", pd.Series(None, frame.index, "float64"))
    return frame.assign(attribution_days=own.fillna(days))


def platform(format: str) -> str:
    """What a format's name begins with, up to the first _."""
    return format.split("_")[0]


def _first(files: Iterable[Mapping], fact: str) -> str | None:
    found = (file.get(fact) for file in files)
    return next((one for one in found if one not in (None, NOT_STATED)), None)


class Belonging:
    """What is known of a shop, to hold files against: from shop.toml, else from its files.

    stated   what shop.toml states of basis, currency, attribution and attribution_days
    files    what import.json says of each file that was imported
    """

    def __init__(self, stated: Mapping[str, str], files: Iterable[Mapping]) -> None:
        files = list(files)
        self.basis = stated.get("basis")
        self.currency = stated.get("currency") or _first(files, "currency")
        self.attribution = stated.get("attribution") or _first(files, "attribution") or NOT_STATED
        self.stated_window = stated.get("attribution_days")
        self.windows = {
            platform(file["format"]): file["attribution_days"]
            for file in files
            if "attribution_days" in file
        }

    def refusal(self, piece: Piece) -> str | None:
        """Why the file does not belong to the shop; otherwise the shop takes over what it states."""
        format = piece.format
        basis, currency = format.shop.get("basis"), piece.facts.get("currency")
        self.basis, self.currency = self.basis or basis, self.currency or currency
        if basis not in (None, self.basis):
            return (
                f"'{format.title}' counts {basis}, but this shop counts {self.basis}; "
                f"rates of the two cannot be compared. {OWN}"
            )
        if currency not in (None, self.currency):
            return (
                f"its amounts are in {currency}, but this shop's are in {self.currency}; "
                f"amounts of two cannot be added. {OWN}"
            )
        return self._other_attribution(piece) or self._other_window(piece)

    def _other_attribution(self, piece: Piece) -> str | None:
        way = piece.facts.get("attribution", NOT_STATED)
        if way == NOT_STATED:
            if piece.format.attribution:
                piece.facts["attribution"] = self.attribution
            return None
        if self.attribution in (NOT_STATED, way):
            self.attribution = way
            return None
        return (
            f"it puts sales down to {way}, but this shop's files say {self.attribution}; sources "
            "would seem to move. Export it again in the same way, or say in shop.toml which counts: "
            f'attribution = "{way}".'
        )

    def _other_window(self, piece: Piece) -> str | None:
        """Orders within 1 day of a click and within 15 are not the same orders."""
        if "ad_day" not in piece.format.tables:
            return None
        days, whose = piece.facts.get("attribution_days"), platform(piece.format.id)
        if days is None:
            if self.stated_window is not None:
                piece.facts["attribution_days"] = self.stated_window
            return None
        known = self.windows.get(whose, self.stated_window)
        if known in (None, days):
            self.windows[whose] = days
            return None
        return (
            f"it adds orders for {agreeing(f'{days}', '# day|# days')} after a click, but this shop's "
            f"advertising files do so for {known:g}; the two cannot be compared. Export it again with "
            f"{agreeing(f'{known:g}', '# day|# days')} (转化周期)."
        )
