"""A language is one file of texts: complete, without left-overs, with the same placeholders as English."""

import json
import re
import string

import pandas as pd
import pytest
from small_shops import ROOT

from shopanalysis import languages, words
from shopanalysis.__main__ import main
from shopanalysis.errors import ParameterError
from shopanalysis.languages import LANGUAGES, SOURCE
from shopanalysis.words import OWN, Words

OTHERS = [language for language in LANGUAGES if language != SOURCE]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What stays as it is in every language: names, and messages that are nothing but placeholders.
ALIKE = {"page.range", "index.title", "message.finding", "message.decision", "campaign.Qixi",
         "mask.plan"}  # fmt: skip
each = pytest.mark.parametrize("language", LANGUAGES)
each_other = pytest.mark.parametrize("language", OTHERS)


def messages(language: str) -> dict[str, str]:
    """The texts that every language has, by their keys."""
    return {key: t for key, t in words.texts(language).items() if not key.startswith(OWN)}


def placeholders(text: str) -> list[tuple[str, str]]:
    parsed = string.Formatter().parse(text)  # the forms behind a way to write it are words
    return sorted((name, spec.split(" ")[0]) for _, name, spec, _ in parsed if name is not None)


def text_cells() -> dict[str, str]:
    """Every text cell of the notebooks by its key: notebook.<name>.<cell id>."""
    read = {path.stem: json.loads(path.read_text("utf-8"))["cells"] for path in NOTEBOOKS}
    return {
        f"notebook.{name}.{cell['id']}": "".join(cell["source"])
        for name, cells in read.items()
        for cell in cells
        if cell["cell_type"] == "markdown"
    }


def test_the_languages_are_the_files():
    assert set(LANGUAGES) >= {"en", "es", "zh"}
    assert set(LANGUAGES) == {p.stem for p in languages.TEXTS.glob("*.toml")} - {"metrics"}


@each
def test_no_message_is_missing_and_none_is_too_much(language):
    assert set(messages(language)) == set(messages(SOURCE))
    assert not words.lacking(language)
    assert all(text.strip() for text in messages(language).values())


@each_other
def test_every_text_cell_of_the_notebooks_is_there_and_no_other(language):
    own = {key for key in words.texts(language) if key.startswith("notebook.")}
    assert own == set(text_cells())


@each
def test_messages_fill_in_the_same_values_in_the_same_way(language):
    source = messages(SOURCE)
    for key, text in messages(language).items():
        assert set(placeholders(text)) == set(placeholders(source[key])), key


@each_other
def test_nothing_is_left_in_english(language):
    ours, source = words.texts(language), messages(SOURCE) | text_cells()
    same = {key for key, text in source.items() if ours[key] == text and " " in text.strip()}
    assert same <= ALIKE


@each_other
def test_text_cells_keep_their_headings_and_hold_no_figures(language):
    for key, english in text_cells().items():
        text = words.texts(language)[key]
        assert re.findall(r"^#+ ", text, re.M) == re.findall(r"^#+ ", english, re.M), key
        assert text.count("\n\n") == english.count("\n\n"), key
        assert not any(character.isdigit() for character in text), key


@each
def test_the_way_numbers_and_dates_are_written_is_whole(language):
    own = {k: t for k, t in words.texts(language).items() if k.startswith("language.")}
    assert set(own) == {k for k in words.texts(SOURCE) if k.startswith("language.")}
    for names, count in (("months", 12), ("months_short", 12), ("weekdays_short", 7)):
        assert len(own[f"language.{names}"].split()) == count
    scales = [k[6:] for k in words.texts(language) if k.startswith("scale.")]
    assert scales
    assert all(scale.isdigit() and int(scale) >= 1000 for scale in scales)


@each
def test_every_way_to_write_a_value_gives_text_in_every_language(language):
    said = Words(language, "EUR")
    day = pd.Timestamp("2026-11-20")
    for way in ("date", "day", "table_day", "month", "weekday"):
        assert said.format_field(day, way)
    for way in ("count", "decimal", "money", "percent", "change", "points", "short", "short_money"):
        for value in (-1234567.891, -0.5, 0.0, 0.0224, 12.5, 999.9, 1e4, 123456789.0):
            written = said.format_field(value, way)
            assert re.search(r"\d", written), (way, value)
            assert not re.search(r"e[+-]?\d", written), (way, value, written)


N = "\u00a0"


@pytest.mark.parametrize(
    ("spec", "value", "spanish"),
    [
        ("money", 12_480.4, f"12.480{N}€"),
        ("money", 23.456, f"23,46{N}€"),
        ("money", -1200.0, f"−1.200{N}€"),
        ("signed_money", 1200.0, f"+1.200{N}€"),
        ("percent", 0.0224, f"2,24{N}%"),
        ("percent", 12.3456, f"1.235{N}%"),
        ("change", -0.125, f"−12,5{N}%"),
        ("points", 0.0035, f"+0,35 p.{N}p."),
        ("decimal", 1234.56, "1.234,56"),
        ("seconds", 92.0, "92 s"),
        ("short", 12_000, f"12{N}mil"),
        ("short", 1_500_000, f"1,5{N}M"),
        ("short_money", 12_400, f"12,4{N}mil{N}€"),
        ("chance", 0.353, f"35{N}%"),
        ("date", pd.Timestamp("2026-11-20"), "20 nov 2026"),
        ("day", pd.Timestamp("2026-11-20"), "20 nov"),
        ("table_day", pd.Timestamp("2026-11-20"), "vie 20 nov"),
        ("month", pd.Timestamp("2026-11-20"), "noviembre de 2026"),
        ("weekday", pd.Timestamp("2026-11-20"), "viernes"),
    ],
)
def test_spanish_writes_numbers_money_and_dates_its_own_way(spec, value, spanish):
    assert Words("es", "EUR").format_field(value, spec) == spanish


def test_amounts_of_other_currencies_and_of_none_are_written_too():
    assert Words("en", "SEK").money(1200) == "SEK 1,200"
    assert Words("es", "SEK").money(1200) == f"1.200{N}SEK"
    assert (Words("en", "index").money(1200), Words("es", "index").money(1200)) == (
        "1,200",
        "1.200",
    )
    assert Words("en", "index").unit("sales") == "index"
    assert Words("es", "EUR").money_pattern("#,##0") == f'#,##0{N}"€"'


def test_axis_numbers_never_fall_into_powers_of_ten():
    assert Words("en").short(999_999) == "1,000k"


def forget() -> None:
    for known in (words.texts, words.lacking):
        known.cache_clear()


def test_a_language_that_is_not_complete_is_refused_before_anything_runs(
    tmp_path, monkeypatch, capsys
):
    english = (languages.TEXTS / "en.toml").read_text("utf-8")
    for name in ("en", "es", "zh", "fr"):
        (tmp_path / f"{name}.toml").write_text(english.replace("contents =", "other ="), "utf-8")
    (tmp_path / "en.toml").write_text(english, "utf-8")
    monkeypatch.setattr(words, "TEXTS", tmp_path)
    forget()
    try:
        assert languages.discovered(tmp_path) == ("en", "es", "fr", "zh")
        with pytest.raises(
            ParameterError, match=r"fr\.toml is not complete: it lacks page\.contents"
        ):
            Words("fr")
        out = tmp_path / "out"
        command = ["run", "--shop", str(ROOT / "data" / "demo"), "--lang", "zh", "--out", str(out)]
        assert main([*command, "--notebooks", str(ROOT / "notebooks")]) == 2
        assert "zh.toml is not complete" in capsys.readouterr().err
        assert not list(out.glob("2*"))
    finally:
        forget()
