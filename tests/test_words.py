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

EN, ZH = Words("en", "CNY"), Words("zh", "CNY")


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
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name}


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
