import numpy as np
import pandas as pd
import pytest
from small_shops import day, rows

from shopanalysis import demand, tables
from shopanalysis.calendars import Campaign

START = "2026-01-05"  # a Monday


def items_by_day(visitors=100, start=START, **units) -> pd.DataFrame:
    """item_day rows: one item per keyword, its pieces day by day; a missing number is a day without a row."""
    frames = [
        pd.DataFrame({"date": pd.date_range(start, periods=len(sold)), "item_id": item,
                      "units": np.asarray(sold, float), "visitors": float(visitors)})
        for item, sold in units.items()
    ]  # fmt: skip
    frame = pd.concat(frames).dropna(subset=["units"])
    return tables.conform("item_day", frame.assign(source_file="made up"))


def past(days, stock=None, **units) -> pd.DataFrame:
    last = day(START) + pd.Timedelta(days=days - 1)
    return demand.history(items_by_day(**units), last, stock)


def ahead(history, days=14, campaigns=()):
    return demand.ahead(demand.forecast(history, days, campaigns), history, days)


def test_a_day_with_files_but_no_row_sold_nothing_and_a_day_without_files_is_not_known():
    nan = np.nan
    table = past(4, a=[2, 0, nan, 1], b=[nan, 3, nan, nan])
    assert table.loc["a"].tolist() == pytest.approx([2, 0, nan, 1], nan_ok=True)
    assert table.loc["b"].tolist() == pytest.approx([nan, 3, nan, 0], nan_ok=True)


def test_a_run_of_zeros_that_luck_does_not_bring_is_no_lack_of_demand():
    steady = [5] * 60 + [0] * 5 + [5] * 5
    table = past(70, a=steady, b=[20] * 70)
    assert table.loc["a"].isna().sum() == 5
    assert table.loc["b"].notna().all()


def test_an_items_zeros_among_few_sales_stay_zeros():
    slow = ([0] * 9 + [1]) * 7
    assert past(70, a=slow, b=[20] * 70).loc["a"].notna().all()


def test_when_the_whole_shop_stands_still_nothing_is_sold_out():
    closed = [5] * 60 + [0] * 10
    assert past(70, a=closed, b=closed).notna().all(axis=None)


def test_ordered_but_not_yet_paid_is_not_sold_out():
    frame = items_by_day(a=[5] * 60 + [0] * 6, b=[20] * 66)
    idle = (frame["item_id"] == "a") & (frame["units"] == 0)
    frame.loc[idle, "ordered_units"] = 4.0
    assert demand.history(frame, frame["date"].max()).notna().all(axis=None)


def test_stock_of_nothing_makes_todays_zeros_unknown():
    sold = [1, 0] * 30 + [0, 0]
    stock = pd.Series({"a": 0.0, "b": 9.0})
    table = past(62, stock=stock, a=sold, b=[20] * 62)
    assert table.loc["a"].isna().sum() == 3
    assert past(62, stock=pd.Series({"a": 1.0}), a=sold, b=[20] * 62).notna().all(axis=None)


def test_the_planted_stock_out_is_seen_and_little_else(demo):
    table = demand.history(demo.table("item_day"), day("2026-11-20"))
    began = table.notna().cumsum(axis=1) > 0
    out = table.isna() & began
    planted = out.loc["764148525388"]
    assert planted[planted].index.strftime("%m-%d").tolist() == [f"01-{d}" for d in range(19, 28)]
    assert out.sum().sum() - 9 <= 0.002 * began.sum().sum()


def test_a_steady_item_is_expected_to_stay_steady():
    soon = ahead(past(140, a=[3] * 140, b=[9] * 140))
    assert soon.tested
    assert soon.expected[0] == pytest.approx([3] * 14, abs=0.05)
    assert soon.between(0, 14)[0] == pytest.approx([42] * soon.paths.shape[1], abs=1)


def test_paths_are_whole_pieces_and_never_negative():
    noise = np.random.default_rng(3).poisson(2, 200)
    soon = ahead(past(200, a=noise, b=noise[::-1]))
    assert (soon.paths >= 0).all()
    assert (soon.paths == soon.paths.round()).all()
    assert soon.between(2, 5) == pytest.approx(soon.paths[:, :, 2:5].sum(axis=2))


def test_paths_of_a_poisson_item_have_the_spread_of_poisson_sums():
    """Independent: the sum of 14 days at 4 a day is Poisson with mean 56, whose 95 % point is 69."""
    generator = np.random.default_rng(5)
    shop = {f"i{n}": generator.poisson(4, 300) for n in range(20)}
    high = np.quantile(ahead(past(300, **shop)).between(0, 14), 0.95, axis=1)
    assert high.mean() == pytest.approx(69, abs=3)


def test_the_future_does_not_reach_the_paths():
    generator = np.random.default_rng(6)
    frame = items_by_day(a=generator.poisson(3, 200), b=generator.poisson(8, 200))
    date = day(START) + pd.Timedelta(days=150)
    later = frame.copy()
    later.loc[later["date"] > date, "units"] = 99.0
    one, other = (ahead(demand.history(f, date)) for f in (frame, later))
    assert (one.paths == other.paths).all()


@pytest.mark.parametrize("days", [1, 3, 10, 40])
def test_short_histories_get_paths_from_counts_alone(days):
    soon = ahead(past(days, a=[2] * days))
    assert not soon.tested
    assert soon.paths.shape == (1, demand.PATHS, 14)
    assert np.isfinite(soon.paths).all()


@pytest.mark.parametrize(
    "sold",
    [[0] * 200, [0] * 199 + [5000], [4, 0, 0] * 66, [2] * 100 + [np.nan] * 50 + [2] * 50,
     [5] * 60 + [0] * 140],
    ids=["zeros", "one giant day", "every third day", "gap", "dead"],
)  # fmt: skip
def test_odd_items_do_not_break_it(sold):
    soon = ahead(past(len(sold), a=sold, b=[3] * len(sold)), days=30)
    assert np.isfinite(soon.expected).all()
    assert np.isfinite(soon.paths).all()


def test_without_any_sales_there_is_nothing_ahead():
    soon = ahead(demand.history(tables.empty("item_day"), day("2026-01-05")))
    assert soon.expected.shape == (0, 14)
    assert soon.between(0, 5).shape[0] == 0


def test_the_first_campaign_of_its_kind_is_named():
    sale = Campaign("sale", day("2026-05-26"), day("2026-05-28"))
    soon = ahead(past(140, a=[3] * 140), campaigns=[sale])
    assert soon.unknown == ("sale",)


def test_what_the_shop_says_of_a_first_campaign_is_laid_on_the_paths_with_its_doubt():
    history = past(300, a=np.random.default_rng(3).poisson(50, 300))
    plain = ahead(history)
    first = plain.days[2]
    sale = Campaign("sale", first, first, lift=3.0, lift_low=2.0, lift_high=4.0)
    soon = ahead(history, campaigns=[sale])
    assert soon.unknown == ()
    assert soon.expected[0, 2] == pytest.approx(3 * plain.expected[0, 2])
    assert soon.paths[0, :, 2].mean() == pytest.approx(3 * plain.paths[0, :, 2].mean(), rel=0.03)
    day_of_sale = soon.paths[0, :, 2] / plain.expected[0, 2]
    assert np.quantile(day_of_sale, [0.1, 0.9]) == pytest.approx([1.9, 4.1], abs=0.2)
    assert soon.paths[0, :, 3].std() == pytest.approx(plain.paths[0, :, 3].std(), rel=0.1)


def test_rows_of_the_contract_are_enough():
    frame = rows("item_day", "date item_id units visitors", f"{START} a 2 10")
    assert demand.history(frame, day(START)).loc["a"].tolist() == [2]
