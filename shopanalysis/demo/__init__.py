"""A made-up Tmall shop with known truths, written as the files that a real shop would download.

catalogue, sources, calendar, planted (data) -> scenario -> expected -> world -> exports, truth
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from shopanalysis.demo import exports, settings, truth, world
from shopanalysis.demo.scenario import FIRST, LAST, scenario

SEED = 11


def make(
    folder: str | Path,
    seed: int = SEED,
    events: bool = True,
    start: date = FIRST,
    end: date = LAST,
) -> None:
    """Write the demo shop into `folder`: shop.toml, exports/ and truth.json.

    Without `events` it is the quiet control shop: the same shop and calendar, nothing planted.
    The same arguments give the same bytes. Files of the same names are replaced.
    """
    folder = Path(folder)
    story = scenario(events, start, end)
    made = world.simulate(story, seed)
    exports.write(folder / "exports", made)
    settings.write(folder / "shop.toml", story)
    truth.write(folder / "truth.json", made)
