import pandas as pd
import pytest

from shopanalysis import shop
from shopanalysis.calendars import Change
from shopanalysis.errors import DataError
from shopanalysis.words import Words


def said(folder, text):
    file = folder / "shop.toml"
    file.write_text(file.read_text() + text)
    return shop.load(folder)


def test_peers_and_dated_changes_are_read(folder):
    loaded = said(folder, '[peers]\nconversion = 0.025\n[[changes]]\ndate = 2026-11-09\nitem_id = "7"\n'
                          'what = "main image"\n')  # fmt: skip
    assert loaded.peers == {"conversion": 0.025}
    assert loaded.changes == (Change(pd.Timestamp("2026-11-09"), "7", "main image"),)


def campaign(more: str) -> str:
    return f'[[campaigns]]\nname = "Opening"\nstart = 2026-12-01\nend = 2026-12-02\n{more}\n'


@pytest.mark.parametrize(
    ("more", "lift"),
    [
        ("", (None, None, None)),
        ("lift = 4", (4, 2, 8)),  # half as little again, half as much again: 4 ** 0.5 and 4 ** 1.5
        ("lift = 0.25", (0.25, 0.125, 0.5)),
        ("lift = 2.5\nlift_low = 2\nlift_high = 3.5", (2.5, 2, 3.5)),
    ],
)
def test_a_campaigns_lift_is_read_with_its_doubt(folder, more, lift):
    loaded = said(folder, campaign(more)).campaigns[-1]
    assert (loaded.lift, loaded.lift_low, loaded.lift_high) == lift


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[peers]\nconversion = "2 %"\n', "the peers' conversion is '2 %'; expected a number"),
        ("[peers]\nconversion = true\n", "the peers' conversion is True"),
        (
            campaign('lift = "much"'),
            "lift of campaign Opening is 'much'; expected a number above 0",
        ),
        (campaign("lift = 0"), "lift of campaign Opening is 0; expected a number above 0"),
        (campaign("lift = true"), "lift of campaign Opening is True"),
        (campaign("lift = inf"), "lift of campaign Opening is inf"),
        (campaign("lift_low = 2"), "campaign Opening has lift_low but no lift"),
        (campaign("lift = 2\nlift_low = 3"), "has lift 2 outside 3 to 2.8.*lift_low <= lift"),
        (campaign("lifts = 2"), "a campaign has no lifts. Allowed: name, start, end, phase, lift"),
        ("[[changes]]\ndate = 2026-11-09\n", "a change needs date"),
        ('[[changes]]\ndate = "soon"\nitem_id = "7"\nwhat = "x"\n', "a change needs date"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(folder, text, message):
    with pytest.raises(DataError, match=message):
        said(folder, text)


@pytest.mark.parametrize(
    ("said", "currency", "country"),
    [
        ('platform = "tmall"', "CNY", "CN"),
        ('platform = "google analytics"', "XXX", ""),
        ('platform = "google analytics"\ncurrency = "USD"', "USD", "US"),
    ],
)
def test_a_currency_that_nobody_states_is_not_taken_for_yuan(tmp_path, said, currency, country):
    (tmp_path / "shop.toml").write_text(f'name = "x"\n{said}\n', "utf-8")
    loaded = shop.load(tmp_path)
    assert (loaded.currency, loaded.country) == (currency, country)
    assert Words("en", "XXX").money(1234) == "¤1,234"
