import numpy as np
import pandas as pd
import pytest
from small_shops import day

from shopanalysis import forecast_ledger as ledger
from shopanalysis import report
from shopanalysis.calendars import DAY
from shopanalysis.words import Words

TODAY = day("2026-11-20")


def leave(reports, made_on, expected, half=10.0, shop="tea"):
    """What a report of `made_on` leaves: `expected` day by day, with a range of `half` around it."""
    expected = np.asarray(expected, float)
    dates = pd.date_range(day(made_on) + DAY, periods=len(expected))
    frame = pd.DataFrame({"date": dates, "expected": expected, "low_80": expected - half,
                          "high_80": expected + half})  # fmt: skip
    file = reports / made_on / shop / "tables" / ledger.TABLE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\ufeff" + report.as_csv(frame), encoding="utf-8")
    return file


def read(reports, date=TODAY):
    return ledger.read(str(reports), "tea", date)


def said(finding):
    return [Words(n).say(f"finding.{finding.text}", **finding.values) for n in ("en", "zh")]


def sales(values, last=TODAY):
    return pd.Series(values, pd.date_range(end=last, periods=len(values)), dtype=float)


def test_only_forecasts_of_this_shop_made_before_today_are_read(tmp_path):
    leave(tmp_path, "2026-11-18", [100, 100])
    leave(tmp_path, "2026-11-20", [1, 1])  # today's own, of an earlier run
    leave(tmp_path, "2026-11-21", [2, 2])
    leave(tmp_path, "2026-11-17", [3, 3], shop="coffee")
    leave(tmp_path, "2026-08-01", [4, 4])  # too long ago
    entries, damaged = read(tmp_path)
    assert entries.columns.tolist() == ledger.ENTRIES
    assert entries["made_on"].unique().tolist() == [day("2026-11-18")]
    assert entries["date"].tolist() == [day("2026-11-19"), day("2026-11-20")]
    assert damaged == []


def test_a_run_repeated_replaces_its_own(tmp_path):
    leave(tmp_path, "2026-11-18", [100, 100])
    leave(tmp_path, "2026-11-18", [90, 90, 90])
    assert read(tmp_path)[0]["expected"].tolist() == [90, 90, 90]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],  # cut off
        lambda text: "",
        lambda text: text.replace("expected", "hoped"),
        lambda text: text.replace("2026-11-19", "2026-11-12"),  # a day before it was made
        lambda text: text.replace(",100,", ",much,"),
        lambda text: text.replace(",100,", ",,"),
        lambda text: text.replace(",100,", ",-100,"),
        lambda text: "\x00" + text,
    ],
)
def test_a_damaged_table_is_named_and_left_out(tmp_path, damage):
    leave(tmp_path, "2026-11-10", [50, 50])
    file = leave(tmp_path, "2026-11-18", [100, 120])
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    entries, damaged = read(tmp_path)
    assert damaged == ["2026-11-18"]
    assert entries["expected"].tolist() == [50, 50]
    found = ledger.findings({}, ledger.judged(entries, sales([50.0] * 30)), damaged)[-1]
    assert (found.text, found.severity) == ("ledger_damaged", "warning")
    assert all("2026-11-18" in sentence for sentence in said(found))


def test_bytes_that_are_no_text_are_damaged_too(tmp_path):
    leave(tmp_path, "2026-11-18", [100]).write_bytes(b"\xff\xfe\x00\x81")
    assert read(tmp_path)[1] == ["2026-11-18"]


@pytest.mark.parametrize("reports", ["", "nowhere"])
def test_without_a_ledger_the_sentence_says_so(reports):
    entries, damaged = ledger.read(reports, "tea", TODAY)
    known = ledger.judged(entries, sales([50.0] * 30))
    ahead = pd.DataFrame({"date": [TODAY + DAY], "expected": [1.0]})
    assert ledger.changed(entries, ahead, sales([1.0])) == {}
    assert ledger.record(known).empty
    found = ledger.findings({}, known, damaged)
    assert [f.text for f in found] == ["ledger_empty"]
    assert all(said(found[0]))


def test_what_changed_since_the_last_forecast_by_hand(tmp_path):
    """Made on the 17th for five days; now, on the 20th, two of them are left."""
    leave(tmp_path, "2026-11-10", [1] * 30)
    leave(tmp_path, "2026-11-17", [100, 110, 120, 130, 140])
    ahead = pd.DataFrame({"date": pd.date_range("2026-11-21", periods=9), "expected": 150.0})
    past = sales([80.0] * 29 + [np.nan])
    change = ledger.changed(read(tmp_path)[0], ahead, past)
    assert change == {
        "made_on": day("2026-11-17"), "days": 2, "before": 270, "now": 300,
        "since_days": 2, "since_expected": 210, "since_sold": 160,
    }  # fmt: skip
    found = ledger.findings(change, pd.DataFrame(), [])[0]
    assert (found.value, found.baseline) == (300, 270)
    assert "went from ¥270 to ¥300 (+11.1%)" in said(found)[0]
    assert "¥160 were sold where ¥210 were expected" in said(found)[0]
    nothing = ledger.changed(read(tmp_path)[0], ahead, sales([np.nan] * 30))
    assert ledger.findings(nothing, pd.DataFrame(), [])[0].text == "forecast_changed_only"


def test_how_the_last_ones_did_by_hand(tmp_path):
    """Sold 100 a day and 60 on Sundays; made on Wednesday the 18th and Tuesday the 17th."""
    past = sales(
        [60.0 if d.day_of_week == 6 else 100.0 for d in pd.date_range(end=TODAY, periods=40)]
    )
    past[TODAY] = 150
    leave(
        tmp_path, "2026-11-18", [105, 120, 70]
    )  # 19th held, 20th not (30 off); the 21st is to come
    leave(tmp_path, "2026-11-17", [115, 100], half=5)
    table = ledger.record(ledger.judged(read(tmp_path)[0], past))
    assert table["made_on"].tolist() == [day("2026-11-18"), day("2026-11-17")]
    assert table["days_known"].tolist() == [2, 2]
    assert table["expected"].tolist() == [225, 215]
    assert table["sold"].tolist() == [250, 200]
    assert table["wape"].tolist() == pytest.approx([35 / 250, 15 / 200])
    assert table["naive_wape"].tolist() == pytest.approx([50 / 250, 0])
    assert table["covered_80"].tolist() == [0.5, 0.5]


def test_repeating_the_last_week_knows_nothing_later_than_the_forecast(tmp_path):
    """Ten days ahead: the second week repeats the same one; days missing then are passed over."""
    past = sales(np.arange(40.0))
    made_on = TODAY - 10 * DAY
    past[made_on - 6 * DAY] = np.nan
    leave(tmp_path, f"{made_on:%Y-%m-%d}", [0] * 10, half=0)
    naive = ledger.judged(read(tmp_path)[0], past)["naive"].tolist()
    week = [past[made_on - 13 * DAY], *(past[made_on - back * DAY] for back in range(5, -1, -1))]
    assert naive == [*week, *week[:3]]


def test_a_forecast_without_a_range_counts_for_its_error_only(tmp_path):
    file = leave(tmp_path, "2026-11-18", [100, 100])
    file.write_text(
        "\ufeffdate,expected,low_80,high_80\n2026-11-19,90,,\n2026-11-20,90,,\n", "utf-8"
    )
    known = ledger.judged(read(tmp_path)[0], sales([100.0] * 30))
    table = ledger.record(known)
    assert table["wape"].tolist() == pytest.approx([0.1])
    assert table["covered_80"].isna().all()
    assert all(said(ledger.findings({}, known, [])[0]))


def test_forecasts_made_on_or_after_a_day_given_are_not_read(tmp_path):
    for made_on in ("2026-11-17", "2026-11-18", "2026-11-19"):
        leave(tmp_path, made_on, [100, 100])
    entries, _ = ledger.read(str(tmp_path), "tea", day("2026-11-20"), "2026-11-18")
    assert entries["made_on"].unique().tolist() == [day("2026-11-17")]
