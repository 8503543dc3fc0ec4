"""People over seven days, from how long they had not been there: held against sets of people."""

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopanalysis.events import visitors
from shopanalysis.events.visitors import Came

LAST = 16  # days
ACTS = st.lists(
    st.tuples(st.integers(0, LAST), st.sampled_from("abcd"), st.sampled_from("xyz"), st.booleans()),
    min_size=1,
    max_size=60,
)


def came(acts, days) -> Came:
    """Tables of `days`; numbers of a day follow the order of its names, from 1."""
    frame = pd.DataFrame(acts, columns=["day", "visitor_key", "item_id", "paid"])
    frame = frame[frame["day"].isin(days)].astype({"day": "int32"})
    for name, number in (("visitor_key", "visitor"), ("item_id", "item")):
        ranks = frame.groupby("day")[name].rank("dense")
        frame[number] = ranks.astype("int32") + (frame["day"] % 3).astype("int32")
    by = frame.assign(viewed=~frame["paid"]).groupby(["day", "visitor", "item"], as_index=False)
    pairs = by[["viewed", "paid"]].any()
    people = frame[["day", "visitor", "visitor_key"]].drop_duplicates()
    items = frame[["day", "item", "item_id"]].drop_duplicates()
    return Came(*(ibis.memtable(table) for table in (people, items, pairs)))


def gaps(acts) -> pd.DataFrame:
    rows = []
    for day in sorted({act[0] for act in acts}):
        before = came(acts, range(day - 6, day))
        number = ibis.memtable(pd.DataFrame({"day": pd.Series([day], dtype="int32")}))
        made = visitors.gaps(came(acts, [day]), before, number).to_pandas()
        rows.append(made.assign(day=day))
    return pd.concat(rows).astype({"viewed_after": float, "paid_after": float})


@settings(max_examples=8, deadline=None)
@given(ACTS)
def test_people_of_any_week_are_those_in_its_set(acts):
    made = visitors.weeks(ibis.memtable(gaps(acts)), list(range(LAST + 7))).to_pandas()
    found = {(row.item_id, row.end): (row.visitors, row.buyers) for row in made.itertuples()}
    wanted = {}
    for end in range(LAST + 7):
        for item in "xyz":
            week = [act for act in acts if end - 6 <= act[0] <= end and act[2] == item]
            seen, paid = ({who for _, who, _, p in week if p == what} for what in (False, True))
            if week:
                wanted[item, end] = len(seen), len(paid)
    assert {key: n for key, n in found.items() if n != (0, 0)} == wanted


def test_a_day_says_how_long_people_had_not_been_there():
    """By hand: a saw x on days 0 and 4 and paid for it on 4; b saw it on 4 for the first time."""
    acts = [(0, "a", "x", False), (4, "a", "x", False), (4, "a", "x", True), (4, "b", "x", False)]
    made = gaps(acts)
    assert made.loc[made["day"].eq(0), ["viewed_after", "people"]].to_numpy().tolist() == [[0, 1]]
    on_4 = made[made["day"].eq(4)].sort_values("viewed_after")
    assert on_4["viewed_after"].tolist() == [0, 4]
    assert on_4["people"].tolist() == [1, 1]
    assert on_4["paid_after"].iloc[1] == 0
    assert on_4["paid_after"].isna().iloc[0]


@pytest.mark.parametrize(("gap", "weeks"), [(1, 8), (6, 13), (7, 14)])
def test_who_comes_again_is_in_every_week_of_either_day_once(gap, weeks):
    acts = [(0, "a", "x", False), (gap, "a", "x", False)]
    made = visitors.weeks(ibis.memtable(gaps(acts)), list(range(LAST))).to_pandas()
    assert made["visitors"].tolist() == [1] * weeks
    assert made["buyers"].eq(0).all()
