"""Whether a file belongs to the shop: one shop, its basis, its currency, its way of attribution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from shopanalysis.errors import DataError
from shopanalysis.exports import values
from shopanalysis.exports.rows import Piece

# How a platform says which of a visitor's visits a sale is put down to, and what it is called here.
ATTRIBUTIONS = {
    "every visit": r"每一?次访问|every visit|belong=all",
    "first visit": r"第一次访问|首次访问|first visit|farthest",
    "last visit": r"最后一次访问|末次访问|last visit|nearest",
}
NOT_STATED = "not stated"
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


def _first(files: Iterable[Mapping], fact: str) -> str | None:
    found = (file.get(fact) for file in files)
    return next((one for one in found if one not in (None, NOT_STATED)), None)


class Belonging:
    """What is known of a shop, to hold files against: from shop.toml, else from its files.

    stated   what shop.toml states of basis, currency and attribution
    files    what import.json says of each file that was imported
    """

    def __init__(self, stated: Mapping[str, str], files: Iterable[Mapping]) -> None:
        files = list(files)
        self.basis = stated.get("basis")
        self.currency = stated.get("currency") or _first(files, "currency")
        self.attribution = stated.get("attribution") or _first(files, "attribution") or NOT_STATED

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
        return self._other_attribution(piece)

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
