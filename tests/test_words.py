import ast
import re
import string

import pandas as pd
import pytest
from small_shops import ROOT

from shopanalysis import words
from shopanalysis.findings import OWNERS, SEVERITIES
from shopanalysis.tables import CHANNELS
from shopanalysis.words import Words

EN, ES, ZH = Words("en", "CNY"), Words("es", "CNY"), Words("zh", "CNY")

FORECASTS = (
    "ahead items_ahead backtest scenarios forecast forecast_no_range forecast_zero forecast_level"
)
FUNNELS = "funnel_lost funnel_steady funnel_lost_orders funnel_steady_orders"
NEVER_ONE = {  # why a number is never one -> its placeholder, in all texts or in the one named
    "a bar or a stock of hundreds": {"visitors_bar", "floor", "good"},
    "all metrics that are watched": {"metrics", "looked_at"},
    "weeks of known bestsellers, whole weeks": {"weeks"},
    "a multiple, as the plan states it": {"claimed"},
    "days or weeks that a past takes": {"needed"},
    "visits and buyers that a rate takes": {
        f"{key} enough" for key in ("pages_too_little", "value_too_little", "traffic_open")
    },
    "five payers": {"items_too_little payers", "change_too_little_data payers"},
    "a week at least": {
        "forecast_profile known",
        *(f"{key} days" for key in f"{FORECASTS} forecast_profile longer_than_known".split()),
    },
    "three clean days at least": {f"{key} days" for key in FUNNELS.split()},
    "fourteen days at least": {"ups_and_downs n", "regulars_sure days", "regulars_unsure days"},
    "more than a table shows": {"more_rows shown", "more_rows rows"},
    "held against the others": {"best_word words"},
}
NEVER = set().union(*NEVER_ONE.values())


@pytest.mark.parametrize(
    ("spec", "value", "english", "chinese"),
    [
        ("money", 12_480.4, "¥12,480", "¥12,480"),
        ("money", 23.456, "¥23.46", "¥23.46"),
        ("money", -1200.0, "−¥1,200", "−¥1,200"),
        ("signed_money", 1200.0, "+¥1,200", "+¥1,200"),
        ("percent", 0.0224, "2.24%", "2.24%"),
        ("percent", 0.625, "62.5%", "62.5%"),
        ("percent", 1.04, "104%", "104%"),
        ("change", -0.125, "−12.5%", "−12.5%"),
        ("points", 0.0035, "+0.35 pp", "+0.35 个百分点"),
        ("short", 12_000, "12k", "1.2万"),
        ("short_money", 1.5e8, "¥150M", "¥1.5亿"),
        ("date", pd.Timestamp("2026-11-20"), "20 Nov 2026", "2026年11月20日"),
        ("table_day", pd.Timestamp("2026-11-20"), "Fri 20 Nov", "11月20日 周五"),
        ("list", ["a", "b"], "a, b", "a、b"),
        ("channel", "free search", "free search", "免费搜索"),
        ("money", float("nan"), "–", "–"),
        ("date", pd.NaT, "–", "–"),
    ],
)
def test_numbers_dates_and_names_as_each_language_writes_them(spec, value, english, chinese):
    assert EN.format_field(value, spec) == english
    assert ZH.format_field(value, spec) == chinese


def _placeholders(text: str) -> set[tuple[str, str]]:
    return {(name, spec.split(" ")[0]) for _, name, spec, _ in _fields(text)}


def _fields(text: str) -> list[tuple]:
    return [field for field in string.Formatter().parse(text) if field[1]]


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (1, "1 day is", "1 día es"),
        (0, "0 days are", "0 días son"),
        (2, "2 days are", "2 días son"),
        (1.2, "1 day is", "1 día es"),
        (1.6, "2 days are", "2 días son"),
        (0.6, "1 day is", "1 día es"),
        (-1, "−1 days are", "−1 días son"),
        (1001, "1,001 days are", "1.001 días son"),
        (float("nan"), "– days are", "– días son"),
        (None, "– days are", "– días son"),
    ],
)
def test_words_agree_with_a_number_as_it_is_written(value, english, spanish):
    assert EN.format("{days:count # day|# days} {days:count is|are}", days=value) == english
    assert ES.format("{days:count # día|# días} {days:count es|son}", days=value) == spanish
    assert EN.format("{days:decimal # day|# days}", days=1) == "1.00 days"
    assert ES.format("{days:decimal # día|# días}", days=1) == "1,00 días"


def test_the_number_stands_where_the_form_says_if_it_does():
    last = "the last {days:count day|# days}{days:count | together}"
    assert [EN.format(last, days=n) for n in (1, 7)] == ["the last day", "the last 7 days together"]


def _forms(language: str) -> list[tuple[str, str]]:
    """The words for one, and those for any other number, of all texts of a language."""
    specs = [spec for text in words.texts(language).values() for _, _, spec, _ in _fields(text)]
    return [tuple(spec.partition(" ")[2].split("|")) for spec in specs if " " in spec]


def test_words_have_a_form_for_one_and_one_for_any_other_number_which_is_said():
    assert all(len(forms) == 2 for language in ("en", "es", "zh") for forms in _forms(language))
    assert not _forms("zh")
    for language in ("en", "es"):
        for key, text in words.texts(language).items():
            fields = _fields(text)
            said = {
                name for _, name, spec, _ in fields if " " not in spec or "#" in spec.split("|")[1]
            }
            assert said == {name for _, name, _, _ in fields}, key


class Ones(Words):
    """Numbers that can be one are 1, those that cannot are 7, and all else is x."""

    def text_of(self, key: str) -> str:
        fields = _fields(self.texts[key])
        numbers = {name for _, name, spec, _ in fields if " " in spec or spec == "count"}
        never = {name for name in numbers if {name, f"{key.split('.')[1]} {name}"} & NEVER}
        values = {name: "x" for _, name, _, _ in fields}
        values |= dict.fromkeys(numbers, "1") | dict.fromkeys(never, "7")
        return self.say(key, **values)

    def _written(self, value, spec):
        return value


def _plurals_beside_one(said: str, plurals: set[str], singulars: set[str]) -> list[str]:
    """Words of `plurals` beside a 1, and after it such as end in s, unless they are `singulars`."""
    beside = r"(?:([^\W\d]+) )?(?<![\w.,])1(?= |$)(?: (?!de |con )([^\W\d]+)(?: ([^\W\d]+))?)?"
    found = []
    for before, after, then in re.findall(beside, said.lower()):
        found += [word for word in (before, after, then) if word in plurals]
        found += [word for word in (after, then) if word.endswith("s") and word not in singulars]
    return found


@pytest.mark.parametrize(
    ("language", "seen"), [("en", {"days", "items", "are"}), ("es", {"días", "artículos", "son"})]
)
def test_no_text_says_a_plural_of_one(language, seen):
    spoken, pairs = Ones(language), [pair for pair in _forms(language) if all(pair)]
    one, other = (set(re.findall(r"[^\W\d]+", " ".join(side))) for side in zip(*pairs, strict=True))
    plurals, singulars = {word for word in other - one if word.islower()}, one | {"menos", "tras"}
    assert plurals >= seen
    wrong = {
        key: found
        for key, text in words.texts(language).items()
        if not key.startswith(words.OWN) and _fields(text)
        if (found := _plurals_beside_one(spoken.text_of(key), plurals, singulars))
    }
    assert wrong == {}


def test_every_placeholder_says_how_to_write_its_value():
    ways = {name for name in dir(Words) if not name.startswith("_")} | {"text", ""}
    lists = {key.split(".")[0] for key in words.texts("en")}
    for key, text in words.texts("en").items():
        for _, spec in _placeholders(text) if not key.startswith("language.") else ():
            assert spec in ways | lists, f"{key}: {spec}"


def test_every_way_a_table_writes_a_metric_exists():
    ways = {name for name in dir(Words) if not name.startswith("_")} | {"text", "title"}
    lists = {key.split(".")[0] for key in words.texts("en")}
    assert set(words.metrics().values()) <= ways | lists


def test_closed_lists_are_complete():
    for kind, values in (("channel", CHANNELS), ("owner", OWNERS), ("severity", SEVERITIES)):
        assert all(EN.has(f"{kind}.{value}") for value in values)


def _strings_in_code() -> set[str]:
    files = [*(ROOT / "shopanalysis").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb"),
             *(ROOT / "shopanalysis").rglob("*.j2")]  # fmt: skip
    return set(re.findall(r"[A-Za-z_][\w]*", " ".join(f.read_text("utf-8") for f in files)))


def test_no_message_is_left_over():
    used = _strings_in_code()
    kept = (
        "language.",
        "scale.",
        "metric.",
        "weekday.",
        "channel.",
        "basis.",
        "severity.",
        "owner.",
        "campaign.",
    )
    keys = {key: key.split(".", 1)[1].split()[0] for key in words.texts("en")}
    left = [key for key, name in keys.items() if not key.startswith(kept) and name not in used]
    assert not left


def test_every_finding_made_in_the_analyses_has_its_sentence():
    keys = words.texts("en")
    for file in (ROOT / "shopanalysis").glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding":
                arguments = {k.arg: k.value for k in call.keywords}
                for kind in ("action", "rule"):
                    for constant in ast.walk(arguments.get(kind, ast.Constant(""))):
                        named = isinstance(constant, ast.Constant) and constant.value
                        assert not named or f"{kind}.{constant.value}" in keys, constant.value


@pytest.mark.parametrize(
    ("text", "ems", "short"),
    [("全棉四件套", 5, "全棉四件套"), ("全棉四件套纯棉", 5, "全棉四件…"), ("pillow", 20, "pillow")],
)
def test_titles_are_cut_by_their_width_and_not_by_their_letters(text, ems, short):
    assert words.shorten(text, ems) == short
