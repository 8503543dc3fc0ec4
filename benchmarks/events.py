"""Event logs against pandas, Polars and DuckDB's own SQL: seconds of CPU and wall, peak memory.

python benchmarks/events.py [--rows 1e6] [--days 30] [--only ours,sql,sql_days,polars,pandas,floor,day,limit]
                            [--rounds 1]          each side in turn, that often; medians are shown
                            [--folder FOLDER]     a log is made there once, and kept

    ours     the whole way: shopanalysis.events.reducing, from the log to tables/
    sql      DuckDB SQL written by hand, the same rules and tables, in one go; sql_days: by day
    polars   the same in Polars, lazily, in one go
    pandas   the same in pandas, in one go
    floor    DuckDB reads the needed columns once and adds them up
    day      ours, one day more on a log that is reduced: all but the last day (before), the last
             (day), and what the last costs in a shop of its own (alone)
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
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START = date(2026, 9, 1)
SIDES = ("ours", "sql", "sql_days", "polars", "pandas", "floor", "day", "limit")
KINDS = ["view", "favourite", "cart", "order", "pay"]
ACTS = """
CREATE OR REPLACE TEMP TABLE acts AS
  WITH read AS (
    SELECT visitor_key AS v, epoch_us("at") AS at_us, coalesce(item_id, '') AS i, source, device, amount,
           CASE kind WHEN 'view' THEN 1 WHEN 'favourite' THEN 2 WHEN 'cart' THEN 4
                     WHEN 'order' THEN 8 WHEN 'pay' THEN 16 END::TINYINT AS k
    FROM read_parquet('{files}') WHERE {where}),
  once AS (
    SELECT v, at_us, k, i, min(source) AS src, min(device) AS dev, max(amount) AS amount,
           at_us // 1000000 AS s, ((at_us // 1000000 + 28800) // 86400)::INT AS d
    FROM read GROUP BY v, at_us, k, i),
  timed AS (
    SELECT d, v, k, i, src, dev, amount, CASE WHEN k = 16 THEN s END AS o,
           (s - lag(s) OVER w)::INT AS since, (lead(s) OVER w - s)::INT AS until
    FROM once WINDOW w AS (PARTITION BY {partition} ORDER BY at_us, k, i))
  SELECT * REPLACE (CASE WHEN since <= 1800 THEN since END AS since,
                    CASE WHEN until <= 1800 THEN until END AS until) FROM timed;
DELETE FROM acts WHERE (d, v) IN (
  SELECT (d, v) FROM acts GROUP BY d, v HAVING count(*) FILTER (k = 1) > 1000);
"""
COUNTED = """
  WITH did AS (SELECT v, {keys}, bit_or(k) AS did FROM acts GROUP BY v, {keys}),
  people AS (SELECT {keys}, count(*) FILTER (did & 1 <> 0) AS visitors,
      count(*) FILTER (did & 2 <> 0) AS favourites, count(*) FILTER (did & 4 <> 0) AS cart_adds,
      count(*) FILTER (did & 8 <> 0) AS ordered_buyers, count(*) FILTER (did & 16 <> 0) AS buyers
    FROM did GROUP BY {keys}),
  sums AS (SELECT {keys}, count(*) FILTER (k = 1) AS views, count(*) FILTER (since IS NULL) AS visits,
      count(*) FILTER (since IS NULL AND until IS NULL AND k = 1) AS bounces, sum(since) AS dwell,
      sum(until) FILTER (k = 1) AS stay, count(until) FILTER (k = 1) AS stays,
      sum(amount) FILTER (k = 16) AS sales, sum(amount) FILTER (k = 8) AS ordered
    FROM acts GROUP BY {keys}),
  paid AS (SELECT {keys}, count(*) AS orders
    FROM (SELECT DISTINCT v, o, {keys} FROM acts WHERE o IS NOT NULL) GROUP BY {keys})
  SELECT * FROM people JOIN sums USING ({keys}) LEFT JOIN paid USING ({keys})
"""
PAIRS = """
  SELECT v, i, d, bit_or(k) & 1 <> 0 AS viewed, bit_or(k) & 16 <> 0 AS paid FROM acts GROUP BY v, i, d
"""
WEEK = """
  WITH came AS (
    SELECT i, bit_or(if(viewed, 1::BIGINT << (d - {first}), 0)) AS days_viewed,
           bit_or(if(paid, 1::BIGINT << (d - {first}), 0)) AS days_paid
    FROM pairs WHERE i <> '' GROUP BY v, i)
  SELECT i, {columns} FROM came GROUP BY i
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
    reducing.reduce(said, START + timedelta(days=1000))


def limit(folder: Path) -> None:
    ours(folder, memory_limit="300MB")


def sql(folder: Path) -> None:
    """All days in one go."""
    con = _duckdb(folder, "6GB")
    con.execute(ACTS.format(files=_files(folder), where="true", partition="v, d"))
    for number, keys in enumerate(GROUPS):
        _copy(con, COUNTED.format(keys=keys), folder / f"sql/{number}.parquet")
    con.execute(f"CREATE TEMP TABLE pairs AS {PAIRS}")
    con.execute("CREATE TEMP TABLE viewers AS SELECT DISTINCT v, d FROM acts WHERE k = 1")
    con.execute("CREATE TEMP TABLE payers AS SELECT v, d, o, amount FROM acts WHERE k = 16")
    _over_days(con, folder)


def sql_days(folder: Path) -> None:
    """The same, one day at a time."""
    con = _duckdb(folder, "1GB")
    days = sorted((folder / "events").glob("*.parquet"))
    first = date.fromisoformat(days[0].stem)
    for number in range(len(days) + 1):
        begin = pd.Timestamp(first) + pd.Timedelta(days=number, hours=-8)
        where = (
            f"\"at\" >= TIMESTAMP '{begin}' AND \"at\" < TIMESTAMP '{begin + pd.Timedelta(days=1)}'"
        )
        con.execute(ACTS.format(files=_files(folder), where=where, partition="v"))
        asked = {str(n): COUNTED.format(keys=keys) for n, keys in enumerate(GROUPS)}
        asked["pairs"] = PAIRS
        asked["viewers"] = "SELECT DISTINCT v, d FROM acts WHERE k = 1"
        asked["payers"] = "SELECT v, d, o, amount FROM acts WHERE k = 16"
        for name, text in asked.items():
            _copy(con, text, folder / f"sql/days/{number}-{name}.parquet")
    for name in asked:
        read = f"SELECT * FROM read_parquet('{folder}/sql/days/*-{name}.parquet')"
        if name.isdigit():
            _copy(con, read, folder / f"sql/{name}.parquet")
        else:
            con.execute(f"CREATE TEMP VIEW {name} AS {read}")
    _over_days(con, folder)


def _duckdb(folder: Path, memory: str):
    import duckdb

    shutil.rmtree(folder / "sql", ignore_errors=True)
    (folder / "sql" / "days").mkdir(parents=True)
    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{memory}'; SET temp_directory = '{folder}/sql/spill'")
    con.execute("SET preserve_insertion_order = false")
    return con


def _files(folder: Path) -> str:
    return f"{folder}/events/*.parquet"


def _copy(con, text: str, target: Path) -> None:
    con.execute(f"COPY ({text}) TO '{target}' (FORMAT parquet)").fetchall()


def _over_days(con, folder: Path) -> None:
    first, last = con.execute("SELECT min(d), max(d) FROM pairs").fetchone()
    columns = ", ".join(
        f"count(*) FILTER (days_{did} & {sum(1 << n for n in range(max(0, end - 6), end + 1))} <> 0)"
        f" AS {did}_{end}"
        for did in ("viewed", "paid") for end in range(last - first + 1)
    )  # fmt: skip
    _copy(con, WEEK.format(first=first, columns=columns), folder / "sql/week.parquet")
    new = "SELECT d, count(*) FROM (SELECT v, min(d) AS d FROM viewers GROUP BY v) GROUP BY d"
    _copy(con, new, folder / "sql/new.parquet")
    _copy(
        con,
        "SELECT v, min(d), max(d), count(DISTINCT d), count(DISTINCT (d, o)), sum(amount) "
        "FROM payers GROUP BY v",
        folder / "sql/customers.parquet",
    )


def floor(folder: Path) -> None:
    import duckdb

    duckdb.connect().execute(
        'SELECT count(*), max(visitor_key), max("at"), max(kind), max(item_id), max(source), max(device), '
        f"sum(amount) FROM read_parquet('{folder}/events/*.parquet')"
    ).fetchall()


def polars(folder: Path) -> None:
    import polars as pl

    bits = {kind: 1 << number for number, kind in enumerate(KINDS)}
    at = pl.col("at").dt.epoch("us")
    acts = (
        pl.scan_parquet(folder / "events" / "*.parquet")
        .select(
            "source", "device", "amount", v="visitor_key", a=at, i="item_id",
            k=pl.col("kind").replace_strict(bits, return_dtype=pl.Int8),
        )
        .group_by("v", "a", "k", "i")
        .agg(pl.col("source", "device").min(), pl.col("amount").max())
        .with_columns(s=pl.col("a") // 1_000_000)
        .with_columns(d=((pl.col("s") + 28_800) // 86_400).cast(pl.Int32))
        .sort("v", "a", "k", "i")
        .with_columns(
            since=(pl.col("s") - pl.col("s").shift()).cast(pl.Int32),
            until=(pl.col("s").shift(-1) - pl.col("s")).cast(pl.Int32),
            same=(pl.col("v") == pl.col("v").shift()) & (pl.col("d") == pl.col("d").shift()),
        )
        .with_columns(
            since=pl.when(pl.col("same") & (pl.col("since") <= 1800)).then("since"),
            until=pl.when(pl.col("same").shift(-1) & (pl.col("until") <= 1800)).then("until"),
        )
        .drop("a", "same")
    ).collect(engine="streaming").lazy()  # fmt: skip
    machines = acts.filter(pl.col("k") == 1).group_by("v", "d").len().filter(pl.col("len") > 1000)
    acts = acts.join(machines, on=["v", "d"], how="anti")
    whole = [_polars_counted(acts, ["d", *group]) for group in POLARS_GROUPS]
    pairs = acts.group_by("v", "i", "d").agg(did=pl.col("k").bitwise_or())
    bit = pl.lit(1, pl.Int64) * 2 ** (pl.col("d") - pl.col("d").min()).cast(pl.Int64)
    names = {"viewed": 1, "paid": 16}
    came = pairs.with_columns(
        **{n: pl.when(pl.col("did") & b != 0).then(bit).otherwise(0) for n, b in names.items()}
    ).group_by("v", "i").agg(pl.col(*names).bitwise_or())  # fmt: skip
    masks = {end: sum(1 << n for n in range(max(0, end - 6), end + 1)) for end in range(31)}
    asked = [
        (pl.col(n) & mask != 0).sum().alias(f"{n}_{end}")
        for n in names
        for end, mask in masks.items()
    ]
    whole.append(came.group_by("i").agg(asked))
    viewers = acts.filter(pl.col("k") == 1).group_by("v").agg(pl.col("d").min())
    whole.append(viewers.group_by("d").len())
    paid = acts.filter(pl.col("k") == 16)
    whole.append(paid.group_by("v").agg(pl.col("d").n_unique(), pl.col("amount").sum()))
    for table in whole:
        table.collect(engine="streaming")


POLARS_GROUPS = [[], ["device"], ["source"], ["source", "device"], ["i"], ["i", "source"]]


def _polars_counted(acts, keys: list[str]):
    import polars as pl

    k, first, last = pl.col("k"), pl.col("since").is_null(), pl.col("until").is_null()
    did = acts.group_by("v", *keys).agg(did=k.bitwise_or())
    people = did.group_by(keys).agg(
        (pl.col("did") & bit != 0).sum().alias(f"n{bit}") for bit in (1, 2, 4, 8, 16)
    )
    sums = acts.group_by(keys).agg(
        views=(k == 1).sum(), visits=first.sum(), bounces=(first & last & (k == 1)).sum(),
        dwell=pl.col("since").sum(), stay=pl.col("until").filter(k == 1).sum(),
        stays=((k == 1) & ~last).sum(), sales=pl.col("amount").filter(k == 16).sum(),
        ordered=pl.col("amount").filter(k == 8).sum(),
    )  # fmt: skip
    orders = acts.filter(k == 16).select("v", "s", *keys).unique().group_by(keys).len("orders")
    return people.join(sums, on=keys).join(orders, on=keys, how="left")


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


def a_day_more(folder: Path) -> dict[str, dict[str, float]]:
    """A shop whose days are the log's files: all but the last, then the last; and the last alone."""
    files = sorted((folder / "events").glob("*.parquet"))
    grown, alone = (
        _shop_of(folder / name, some)
        for name, some in (("grown", files[:-1]), ("alone", files[-1:]))
    )
    found = {"before": measured("ours", grown)}
    os.symlink(files[-1].resolve(), grown / "events" / files[-1].name)
    return found | {"day": measured("day", grown), "alone": measured("ours", alone)}


def _shop_of(folder: Path, files: list[Path]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "events").mkdir(parents=True)
    (folder / "shop.toml").write_text('time_zone = "UTC"\n', "utf-8")
    for file in files:
        os.symlink(file.resolve(), folder / "events" / file.name)
    return folder


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=float, default=1e6)
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--only", default=",".join(SIDES))
    asked.add_argument("--rounds", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=Path(".cache/events-benchmark"))
    asked.add_argument("--one")
    said = asked.parse_args()
    if said.one:
        return one(said.one, said.folder)
    folder = said.folder / f"{said.rows:.0e}"
    log(folder, int(said.rows), said.days)
    print(f"{said.rows:,.0f} rows, {said.days} days\n{'':8}{'CPU s':>8}{'wall s':>8}{'MB':>8}")
    found = []
    for side in said.only.split(",") * said.rounds:
        sides = a_day_more(folder) if side == "day" else {side: measured(side, folder)}
        for name, figures in sides.items():
            show(name, figures)
            found.append({"side": name} | figures)
    if said.rounds > 1:
        print(f"medians of {said.rounds}")
        for name, figures in pd.DataFrame(found).groupby("side", sort=False).median().iterrows():
            show(name, figures)


def show(name: str, figures: Mapping[str, float]) -> None:
    """One line, at once: a side that fails takes nothing with it."""
    cpu, wall, mb = (figures[part] for part in ("cpu", "wall", "mb"))
    print(f"{name:8}{cpu:8.1f}{wall:8.1f}{mb:8.0f}", flush=True)


if __name__ == "__main__":
    main()
