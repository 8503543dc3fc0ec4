"""The tables of an event log once more, by pandas: neither Ibis nor the loops of nasty_log."""

from __future__ import annotations

import pandas as pd

KINDS = ["view", "favourite", "cart", "order", "pay"]
PEOPLE = {
    "visitors": "view", "favourites": "favourite", "cart_adds": "cart",
    "ordered_buyers": "order", "buyers": "pay",
}  # fmt: skip


def clean(log: pd.DataFrame, zones: tuple[str, str], most_views: float) -> pd.DataFrame:
    """Acts of people, each once, in their order, with the day of the shop and seconds around them.

    zones   of the log and of the shop; log in columns of the format "contract"
    """
    text = ["item_id", "source", "device", "agent"]
    good = log.reindex(columns=["visitor_key", "at", "kind", "amount", *text]).fillna(
        dict.fromkeys(text, "")
    )
    good = good[good["visitor_key"].notna() & good["at"].notna() & good["kind"].isin(KINDS)]
    good = good[~good["agent"].str.contains("Bot") & good["visitor_key"].ne("v-test")]
    key = ["visitor_key", "at", "kind", "item_id"]
    acts = good.groupby(key, as_index=False).agg(
        {"source": "min", "device": "min", "amount": "max"}
    )
    at = acts["at"].dt.tz_localize(zones[0])
    acts["day"] = (
        at.dt.tz_convert(zones[1]).dt.tz_localize(None).dt.normalize().astype("datetime64[us]")
    )
    acts["second"] = at.dt.tz_convert("UTC").dt.as_unit("s").astype("int64")
    acts["number"] = acts["kind"].map(KINDS.index)
    views = acts["kind"].eq("view").groupby([acts["day"], acts["visitor_key"]]).transform("sum")
    acts = acts[views <= most_views].sort_values(["day", "visitor_key", "at", "number", "item_id"])
    return _timed(acts.reset_index(drop=True))


def _timed(acts: pd.DataFrame, gap: int = 1800) -> pd.DataFrame:
    by = acts.groupby(["day", "visitor_key"])["second"]
    since, until = by.diff(), -by.diff(-1)
    return acts.assign(since=since.where(since <= gap), until=until.where(until <= gap))


def _facts(acts: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """People, sums and rates by day and `keys`, where every one of them is stated."""
    for key in keys:
        acts = acts[acts[key] != ""]
    by = ["day", *keys]
    view, first, last = acts["kind"].eq("view"), acts["since"].isna(), acts["until"].isna()
    made = acts.assign(
        page_views=view, visits=first, bounces=first & last & view,
        seconds=acts["since"], stay=acts["until"].where(view), stays=view & ~last,
    ).groupby(by)[["page_views", "visits", "bounces", "seconds", "stay", "stays"]].sum()  # fmt: skip
    for column, kind in PEOPLE.items():
        made[column] = acts[acts["kind"].eq(kind)].groupby(by)["visitor_key"].nunique()
    for column, kind in {"sales": "pay", "ordered_amount": "order"}.items():
        some = acts[acts["kind"].eq(kind)].groupby(by)["amount"]
        made[column] = some.sum(min_count=1).reindex(made.index).where(some.size() > 0, 0.0)
    pays = acts[acts["kind"].eq("pay")]
    made["orders"] = pays.drop_duplicates([*by, "visitor_key", "second"]).groupby(by).size()
    whole = ["orders", *PEOPLE]
    made[whole] = made[whole].fillna(0)
    made["bounce_rate"] = (made["bounces"] / made["visits"]).where(made["visits"] > 0)
    seconds, people = ("stay", "stays") if "item_id" in keys else ("seconds", "visitors")
    made["dwell"] = (made[seconds] / made[people]).where(made[people] > 0)
    return made.reset_index().rename(columns={"day": "date"})


def expected(acts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every table, in columns that a log without pieces states."""
    views = acts[acts["kind"].eq("view")]
    new = views.groupby("visitor_key")["day"].min().value_counts().rename("new_visitors")
    shop = (
        _facts(acts).assign(device="all").merge(new, left_on="date", right_index=True, how="left")
    )
    shop["new_visitors"] = shop["new_visitors"].fillna(0)
    source = _facts(acts, "source").assign(device="all")
    by_source = _facts(acts, "item_id", "source")[
        ["date", "item_id", "source", "visitors", "buyers", "sales"]
    ]
    return {
        "shop_day": pd.concat([shop, _facts(acts, "device")]),
        "source_day": source.drop(columns=["bounce_rate", "dwell", "ordered_buyers", "ordered_amount"]),
        "item_day": _facts(acts, "item_id").drop(columns=["orders", "bounce_rate"]),
        "item_source_day": by_source[["date", "item_id", "source", "visitors", "buyers", "sales"]],
        "item_week": _weeks(acts[acts["item_id"] != ""]),
        "customers": _customers(acts[acts["kind"].eq("pay")]),
    }  # fmt: skip


def _weeks(acts: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for end in pd.date_range(acts["day"].min(), acts["day"].max()):
        week = acts[acts["day"].between(end - pd.Timedelta(days=6), end)]
        people = {
            column: week[week["kind"].eq(kind)].groupby("item_id")["visitor_key"].nunique()
            for column, kind in {"visitors": "view", "buyers": "pay"}.items()
        }
        rows.append(
            pd.DataFrame(people).fillna(0).rename_axis("item_id").reset_index().assign(date=end)
        )
    return pd.concat(rows)


def _customers(pays: pd.DataFrame) -> pd.DataFrame:
    by = pays.groupby("visitor_key")
    made = by["day"].agg(first_paid_on="min", last_paid_on="max", days_paid="nunique")
    made["orders"] = pays.drop_duplicates(["visitor_key", "second"]).groupby("visitor_key").size()
    return made.assign(sales=by["amount"].sum(min_count=1)).reset_index()
