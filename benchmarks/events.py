"""Event logs against pandas, Polars and DuckDB's own SQL: seconds of CPU and wall, peak memory.

python benchmarks/events.py [--rows 1e6] [--days 30] [--only ours,sql,polars,pandas,floor,day,limit]
                            [--folder FOLDER]     a log is made there once, and kept

    ours     the whole way: shopanalysis.events.reducing, from the log to tables/
    sql      DuckDB SQL written by hand, the same rules and tables, in one go
    polars   the same in Polars, lazily, in one go
    pandas   the same in pandas, in one go
    floor    DuckDB reads the needed columns once and adds them up
    day      ours, one day more on a log that is reduced: the last day is taken away and brought
    limit    ours under a memory limit of 300 MB

Each runs in a process of its own. The log: visitors, 2,000 items and 15 sources drawn with long
tails, two acts in three views, one row in a hundred twice, Parquet by day of UTC, a shop at +8 h.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START = date(2026, 9, 1)
SIDES = ("ours", "sql", "polars", "pandas", "floor", "day", "limit")
KINDS = ["view", "favourite", "cart", "order", "pay"]
SQL = """
CREATE TEMP TABLE once AS
  SELECT visitor_key AS v, epoch("at")::BIGINT AS s, kind AS k, coalesce(item_id, '') AS i,
         min(source) AS src, min(device) AS dev, max(amount) AS amount,
         ("at" + INTERVAL 8 HOUR)::DATE AS d, count(*) AS copies
  FROM read_parquet('{files}') GROUP BY visitor_key, "at", kind, item_id;
CREATE TEMP TABLE timed AS
  SELECT *, s - lag(s) OVER w AS since, lead(s) OVER w - s AS until
  FROM once WINDOW w AS (PARTITION BY v, d ORDER BY s, k, i);
CREATE TEMP TABLE acts AS
  SELECT d, v, i, src, dev, CASE WHEN k = 'pay' THEN s END AS o,
         count(*) FILTER (WHERE k = 'view') AS views,
         count(*) FILTER (WHERE since IS NULL OR since > 1800) AS visits,
         count(*) FILTER (WHERE (since IS NULL OR since > 1800) AND (until IS NULL OR until > 1800)
                          AND k = 'view') AS bounces,
         sum(since) FILTER (WHERE since <= 1800) AS dwell,
         sum(until) FILTER (WHERE until <= 1800 AND k = 'view') AS stay,
         count(*) FILTER (WHERE until <= 1800 AND k = 'view') AS stays,
         count(*) FILTER (WHERE k = 'favourite') AS fav, count(*) FILTER (WHERE k = 'cart') AS cart,
         count(*) FILTER (WHERE k = 'order') AS ord, count(*) FILTER (WHERE k = 'pay') AS pay,
         sum(amount) FILTER (WHERE k = 'pay') AS sales, sum(amount) FILTER (WHERE k = 'order') AS ordered
  FROM timed GROUP BY ALL;
DELETE FROM acts WHERE (d, v) IN (SELECT (d, v) FROM acts GROUP BY d, v HAVING sum(views) > 1000);
"""
PEOPLE = """
  SELECT {keys}, count(*) FILTER (WHERE views > 0) AS visitors, sum(views), sum(visits), sum(bounces),
         sum(dwell), sum(stay), sum(stays), count(*) FILTER (WHERE fav > 0), count(*) FILTER (WHERE cart > 0),
         count(*) FILTER (WHERE ord > 0), count(*) FILTER (WHERE pay > 0), sum(orders),
         sum(sales), sum(ordered)
  FROM (SELECT v, {keys}, sum(views) AS views, sum(visits) AS visits, sum(bounces) AS bounces,
               sum(dwell) AS dwell, sum(stay) AS stay, sum(stays) AS stays, sum(fav) AS fav,
               sum(cart) AS cart, sum(ord) AS ord, sum(pay) AS pay, count(DISTINCT o) AS orders,
               sum(sales) AS sales, sum(ordered) AS ordered
        FROM acts GROUP BY v, {keys}) GROUP BY {keys}
"""
WEEK = """
  WITH pairs AS (SELECT DISTINCT v, i, d FROM acts WHERE {did} > 0 AND i <> ''),
  until AS (SELECT i, d, least(coalesce(lead(d) OVER (PARTITION BY v, i ORDER BY d), d + 7), d + 7) AS u
            FROM pairs),
  moves AS (SELECT i, d, 1 AS n FROM until UNION ALL SELECT i, u, -1 FROM until)
  SELECT i, d, sum(sum(n)) OVER (PARTITION BY i ORDER BY d) FROM moves GROUP BY i, d
"""
GROUPS = ["d", "d, dev", "d, src", "d, src, dev", "d, i", "d, i, src"]


def log(folder: Path, rows: int, days: int) -> None:
    """A log below `folder`/events, one file per day."""
    place = folder / "events"
    if place.is_dir() and len(list(place.glob("*.parquet"))) == days:
        return
    shutil.rmtree(folder, ignore_errors=True)
    place.mkdir(parents=True)
    text = 'time_zone = "Asia/Shanghai"\n[events]\ntime_zone = "UTC"\n'
    (folder / "shop.toml").write_text(text, "utf-8")
    for number in range(days):
        made = _day(np.random.default_rng(number), rows // days, number, rows // 12)
        made.to_parquet(place / f"{START + timedelta(days=number)}.parquet", index=False)


def _day(draw: np.random.Generator, rows: int, number: int, people: int) -> pd.DataFrame:
    who = (people * draw.random(rows // 6 + 1) ** 2).astype("int64")
    begin = draw.integers(0, 86_400, len(who))
    visit = draw.integers(0, len(who), rows)
    second = np.minimum(begin[visit] + draw.integers(0, 2_000, rows), 86_399)
    kind = draw.choice(5, rows, p=[0.86, 0.03, 0.06, 0.03, 0.02])
    amount = np.where(kind >= 3, draw.integers(1, 400, rows).astype(float), np.nan)
    made = pd.DataFrame({
        "visitor_key": pd.Categorical.from_codes(*_named(who[visit], "v{:015x}")),
        "at": pd.Timestamp(START) + pd.to_timedelta(number * 86_400 + second, unit="s"),
        "kind": np.array(KINDS, object)[kind],
        "item_id": np.array([f"6{n:011d}" for n in range(2000)], object)[
            (2000 * draw.random(rows) ** 3).astype(int)],
        "source": np.array([f"source/{n}" for n in range(15)], object)[
            (15 * draw.random(len(who)) ** 2).astype(int)[visit]],
        "device": np.array(["pc", "wireless"], object)[(draw.random(len(who)) < 0.8)[visit].astype(int)],
        "amount": amount,
    })  # fmt: skip
    made["visitor_key"] = made["visitor_key"].astype(str)
    return pd.concat([made, made.iloc[: rows // 100]]).sort_values("at", kind="stable")


def _named(codes: np.ndarray, pattern: str):
    names, places = np.unique(codes, return_inverse=True)
    return places, [pattern.format(name) for name in names]


def ours(folder: Path, **settings: str) -> None:
    from shopanalysis import shop
    from shopanalysis.events import reducing

    said = shop.load(folder)
    said.events.update(settings)
    reducing.reduce(said, date(2027, 1, 1))


def limit(folder: Path) -> None:
    ours(folder, memory_limit="300MB")


def sql(folder: Path) -> None:
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET memory_limit = '6GB'; SET temp_directory = '{folder}/spill'")
    con.execute(SQL.format(files=folder / "events" / "*.parquet"))
    for keys in GROUPS:
        con.execute(PEOPLE.format(keys=keys)).df()
    for did in ("views", "pay"):
        con.execute(WEEK.format(did=did)).df()
    con.execute(
        "SELECT d, count(*) FROM (SELECT v, min(d) AS d FROM acts WHERE views > 0 GROUP BY v) GROUP BY d"
    ).df()
    con.execute(
        "SELECT v, min(d), max(d), count(DISTINCT d), sum(sales) FROM acts WHERE pay > 0 GROUP BY v"
    ).df()


def floor(folder: Path) -> None:
    import duckdb

    duckdb.connect().execute(
        'SELECT count(*), max(visitor_key), max("at"), max(kind), max(item_id), max(source), max(device), '
        f"sum(amount) FROM read_parquet('{folder}/events/*.parquet')"
    ).fetchall()


def polars(folder: Path) -> None:
    import polars as pl

    second = pl.col("at").dt.epoch("s")
    acts = (
        pl.scan_parquet(folder / "events" / "*.parquet")
        .with_columns(s=second, d=(pl.col("at") + pl.duration(hours=8)).dt.date())
        .group_by("visitor_key", "s", "d", "kind", "item_id")
        .agg(pl.col("source", "device").min(), pl.col("amount").max(), copies=pl.len())
        .sort("visitor_key", "s", "kind", "item_id")
        .with_columns(
            since=(pl.col("s") - pl.col("s").shift()).over("visitor_key", "d"),
            until=(pl.col("s").shift(-1) - pl.col("s")).over("visitor_key", "d"),
        )
    )
    first, last = (pl.col(c).is_null() | (pl.col(c) > 1800) for c in ("since", "until"))
    view, pay, order = (pl.col("kind") == k for k in ("view", "pay", "order"))
    keys = ["d", "visitor_key", "item_id", "source", "device"]
    acts = acts.group_by(*keys, o=pl.when(pay).then("s")).agg(
        views=view.sum(), visits=first.sum(), bounces=(first & last & view).sum(),
        dwell=pl.col("since").filter(~first).sum(), stay=pl.col("until").filter(view & ~last).sum(),
        stays=(view & ~last).sum(), fav=(pl.col("kind") == "favourite").sum(),
        cart=(pl.col("kind") == "cart").sum(), ord=order.sum(), pay=pay.sum(),
        sales=pl.col("amount").filter(pay).sum(), ordered=pl.col("amount").filter(order).sum(),
    ).collect(engine="streaming").lazy()  # fmt: skip
    names = [
        "views",
        "visits",
        "bounces",
        "dwell",
        "stay",
        "stays",
        "fav",
        "cart",
        "ord",
        "pay",
        "sales",
    ]
    whole = []
    for group in (
        [],
        ["device"],
        ["source"],
        ["source", "device"],
        ["item_id"],
        ["item_id", "source"],
    ):
        by = acts.group_by("visitor_key", "d", *group).agg(
            pl.col(*names, "ordered").sum(), orders=pl.col("o").drop_nulls().n_unique()
        )
        did = [
            (pl.col(n) > 0).sum().alias(f"n_{n}") for n in ("views", "fav", "cart", "ord", "pay")
        ]
        whole.append(by.group_by("d", *group).agg(pl.col(*names, "ordered", "orders").sum(), *did))
    day = pl.col("d")
    for did in ("views", "pay"):
        pairs = acts.filter(pl.col(did) > 0).select("visitor_key", "item_id", "d").unique()
        later = day.shift(-1).over("visitor_key", "item_id")
        week = pl.duration(days=7)
        until = pl.min_horizontal(later.fill_null(day + week), day + week)
        whole.append(pairs.sort("d").with_columns(u=until).group_by("item_id", "d", "u").len())
    whole.append(
        acts.filter(pl.col("views") > 0).group_by("visitor_key").agg(day.min()).group_by("d").len()
    )
    whole.append(
        acts.filter(pl.col("pay") > 0)
        .group_by("visitor_key")
        .agg(day.n_unique(), pl.col("sales").sum())
    )
    for table in whole:
        table.collect(engine="streaming")


def pandas(folder: Path) -> None:
    whole = pd.read_parquet(folder / "events")
    for name in ("visitor_key", "kind", "item_id", "source", "device"):
        whole[name] = whole[name].astype("category")
    key = ["visitor_key", "at", "kind", "item_id"]
    whole = whole.sort_values([*key, "source", "device", "amount"]).drop_duplicates(key)
    whole["d"] = (whole["at"] + pd.Timedelta(hours=8)).dt.floor("D")
    whole["s"] = whole["at"].astype("datetime64[s]").astype("int64")
    same = whole["visitor_key"].cat.codes.diff().eq(0) & whole["d"].eq(whole["d"].shift())
    since = whole["s"].diff().where(same)
    since = since.where(since <= 1800)
    until = since.shift(-1)
    kinds = {name: whole["kind"] == name for name in KINDS}
    view, pay = kinds["view"], kinds["pay"]
    made = whole[["d", "visitor_key", "item_id", "source", "device"]].assign(
        o=whole["s"].where(pay), views=view, visits=since.isna(), dwell=since,
        bounces=since.isna() & until.isna() & view, stay=until.where(view), stays=view & until.notna(),
        fav=kinds["favourite"], cart=kinds["cart"], ord=kinds["order"], pay=pay,
        sales=whole["amount"].where(pay), ordered=whole["amount"].where(kinds["order"]),
    )  # fmt: skip
    sums = list(made.columns[6:])
    by_most = ["d", "visitor_key", "item_id", "source", "device"]
    acts = made.groupby(by_most, observed=True, sort=False)[sums].sum().reset_index()
    orders = made.loc[pay, [*by_most, "o"]]
    for group in (
        [],
        ["device"],
        ["source"],
        ["source", "device"],
        ["item_id"],
        ["item_id", "source"],
    ):
        by = acts.groupby(["visitor_key", "d", *group], observed=True, sort=False)[sums].sum()
        did = (by[["views", "fav", "cart", "ord", "pay"]] > 0).add_prefix("n_")
        by.join(did).groupby(["d", *group], observed=True).sum()
        orders.drop_duplicates(["visitor_key", "d", "o", *group]).groupby(
            ["d", *group], observed=True
        ).size()
    for did in ("views", "pay"):
        pairs = (
            acts.loc[acts[did] > 0, ["visitor_key", "item_id", "d"]]
            .drop_duplicates()
            .sort_values("d")
        )
        later = pairs.groupby(["visitor_key", "item_id"], observed=True, sort=False)["d"].shift(-1)
        end = pairs["d"] + pd.Timedelta(days=7)
        pairs.assign(u=later.fillna(end).clip(upper=end)).groupby(
            ["item_id", "d", "u"], observed=True
        ).size()
    acts[acts["views"] > 0].groupby("visitor_key", observed=True)["d"].min().value_counts()
    acts[acts["pay"] > 0].groupby("visitor_key", observed=True).agg(
        {"d": "nunique", "sales": "sum"}
    )


def measured(side: str, folder: Path) -> dict[str, float]:
    """One side in a process of its own."""
    command = [sys.executable, __file__, "--one", side, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def one(side: str, folder: Path) -> None:
    if side in ("ours", "limit"):
        shutil.rmtree(folder / "tables", ignore_errors=True)
    began = time.perf_counter()
    {"day": ours}.get(side, globals().get(side))(folder)
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "mb": peak}))


def a_day_more(folder: Path) -> dict[str, float]:
    """The last file goes, the rest is reduced, the file comes back: what that costs."""
    last = max((folder / "events").glob("*.parquet"))
    aside = folder / last.name
    os.rename(last, aside)
    measured("ours", folder)
    os.rename(aside, last)
    return measured("day", folder)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=float, default=1e6)
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--only", default=",".join(SIDES))
    asked.add_argument("--folder", type=Path, default=Path(".cache/events-benchmark"))
    asked.add_argument("--one")
    said = asked.parse_args()
    if said.one:
        return one(said.one, said.folder)
    folder = said.folder / f"{said.rows:.0e}"
    log(folder, int(said.rows), said.days)
    print(f"{said.rows:,.0f} rows, {said.days} days\n{'':8}{'CPU s':>8}{'wall s':>8}{'MB':>8}")
    for side in said.only.split(","):
        found = a_day_more(folder) if side == "day" else measured(side, folder)
        print(f"{side:8}{found['cpu']:8.1f}{found['wall']:8.1f}{found['mb']:8.0f}", flush=True)


if __name__ == "__main__":
    main()
