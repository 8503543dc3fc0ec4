import pandas as pd
import pytest

from shopanalysis import shop
from shopanalysis.calendars import Change
from shopanalysis.errors import DataError


def said(folder, text):
    file = folder / "shop.toml"
    file.write_text(file.read_text() + text)
    return shop.load(folder)


def test_peers_and_dated_changes_are_read(folder):
    loaded = said(folder, '[peers]\nconversion = 0.025\n[[changes]]\ndate = 2026-11-09\nitem_id = "7"\n'
                          'what = "main image"\n')  # fmt: skip
    assert loaded.peers == {"conversion": 0.025}
    assert loaded.changes == (Change(pd.Timestamp("2026-11-09"), "7", "main image"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[peers]\nconversion = "2 %"\n', "the peers' conversion is '2 %'; expected a number"),
        ("[peers]\nconversion = true\n", "the peers' conversion is True"),
        ("[[changes]]\ndate = 2026-11-09\n", "a change needs date"),
        ('[[changes]]\ndate = "soon"\nitem_id = "7"\nwhat = "x"\n', "a change needs date"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(folder, text, message):
    with pytest.raises(DataError, match=message):
        said(folder, text)
