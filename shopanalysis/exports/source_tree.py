"""Traffic sources that stand in a file as a tree: parents beside their children."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from shopanalysis.exports import values
from shopanalysis.exports.rows import Rows


def paths(rows: Rows, tree: Mapping) -> pd.Series:
    """The path A/B/C of each row, up to the level that is empty or says it sums up the rest."""
    levels = [
        values.text(rows.raw(level)).mask(lambda cell: cell == tree.get("parent", "汇总"))
        for level in tree["levels"]
    ]
    path = levels[0]
    for level, above in zip(levels[1:], levels[:-1], strict=True):
        level[above.isna()] = None
        path = path.where(level.isna(), path + "/" + level)
    return path


def leaves(rows: Rows, tree: Mapping, table: pd.DataFrame) -> pd.DataFrame:
    """Only the rows of a source tree that have no children; parents are counted and compared."""
    above = {
        (file, "/".join(parts[:end]))
        for file, source in zip(table["file"], table["source"], strict=True)
        if isinstance(source, str)
        for parts in [source.split("/")]
        for end in range(1, len(parts))
    }
    pairs = zip(table["file"], table["source"], strict=True)
    parent = pd.Series([pair in above for pair in pairs], table.index, dtype=bool)
    if parent.any():
        header = tree["levels"][0]
        rows.count_left_out(table.index[parent], "parents in the source tree", header)
        _reconcile(rows, tree, table, parent)
    return table[~parent]


def _reconcile(rows: Rows, tree: Mapping, table: pd.DataFrame, parent: pd.Series) -> None:
    top = parent & ~table["source"].str.contains("/", regex=False)
    root = table["source"].str.split("/").str[0]
    for column in tree.get("additive", ()):
        stated = table[top].groupby(["file", "source"])[column].sum()
        ends = table[~parent].groupby(["file", root])[column].sum()
        both = pd.concat({"stated": stated, "rows": ends.rename_axis(["file", "source"])}, axis=1)
        both = both.dropna().groupby("file").sum()
        for file, sums in both.iterrows():
            rows.pieces[file].facts["checks"].append(
                {
                    "check": f"{column} of the sources without children add up to their parents",
                    "rows": round(float(sums["rows"]), 2),
                    "stated": round(float(sums["stated"]), 2),
                    "agrees": bool(abs(sums["rows"] - sums["stated"]) < 0.05),
                }
            )
