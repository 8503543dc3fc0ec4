"""An event log with every nastiness, and its tables counted by plain loops over sets of people."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

GAP = 1800
MOST_VIEWS = 60
START = datetime(2026, 10, 28)
DAYS = 12
EMPTY = (5,)  # day of the log without any act
ITEMS = [f"{n:03d}" for n in range(12)]
SOURCES = ["手淘搜索", "直通车", "购物车", "unheard of", ""]
KINDS = ["view", "favourite", "cart", "order", "pay"]
COLUMNS = ["visitor_key", "at", "kind", "item_id", "source", "device", "amount", "agent"]


def acts(seed: int = 5, people: int = 90) -> pd.DataFrame:
    """Rows of a log, times without zone; amounts whole, so that sums are exact in any order."""
    draw = random.Random(seed)
    rows = []
    for who in range(people):
        for _ in range(draw.randint(1, 6)):
            rows += _visit(draw, f"v{who:03d}")
    rows += [("v-machine", START + timedelta(seconds=9 * n), "view", draw.choice(ITEMS),
              "", "pc", None, "Mozilla") for n in range(MOST_VIEWS + 20)]  # fmt: skip
    rows += [("v-test", START + timedelta(days=2, hours=9), "pay", "001", "", "pc", 999, "")]
    rows += [("v001", START + timedelta(days=3), "view", "002", "", "pc", None, "SomeBot/2.0")]
    rows += [("v002", START + timedelta(days=3), "stare", "002", "", "pc", None, "")]
    rows += [(None, START + timedelta(days=3), "view", "002", "", "pc", None, "")]
    rows += [("v003", None, "view", "002", "", "pc", None, "")]
    rows += [row for row in rows if draw.random() < 0.05]
    draw.shuffle(rows)
    return pd.DataFrame(rows, columns=COLUMNS)


def _visit(draw: random.Random, who: str) -> list[tuple]:
    day = draw.choice([n for n in range(DAYS) if n not in EMPTY])
    begin = START + timedelta(days=day)
    hours = draw.choice([draw.uniform(0, 23), 23.9, 15.9, 3.9, 4.9])  # often across some midnight
    at = begin + timedelta(seconds=round(hours * 3600))
    source, device = draw.choice(SOURCES), draw.choice(["pc", "wireless", "wireless", ""])
    rows = []
    for _ in range(draw.choice([1, 1, 2, 4, 7])):
        kind = draw.choices(["view", "favourite", "cart", "order", "pay"], [12, 1, 2, 2, 2])[0]
        amount = draw.randint(1, 300) if kind in ("order", "pay") else None
        item = draw.choice([*ITEMS, ""])
        rows.append(
            (who, at, kind, item or None, source or None, device or None, amount, "Mozilla")
        )
        if kind == "pay" and draw.random() < 0.5:
            rows.append((who, at, kind, draw.choice(ITEMS), source, device, 10, "Mozilla"))
        at += timedelta(seconds=draw.choice([0, 5, 60, 600, GAP, GAP + 1, 4000]))
    return [row for row in rows if (row[1] - START).days not in EMPTY]


def write(log: pd.DataFrame, folder, seed: int = 6) -> None:
    """One Parquet file per day of the log's own zone; some acts arrive days late, some twice."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    arrived = log["at"].dt.floor("D").fillna(pd.Timestamp(START))
    late = [
        timedelta(days=draw.choice([1, 4])) if draw.random() < 0.04 else timedelta(0)
        for _ in log.index
    ]
    arrived = (arrived + pd.Series(late, log.index)).clip(
        upper=pd.Timestamp(START) + timedelta(days=DAYS)
    )
    for day, part in log.groupby(arrived):
        part.to_parquet(folder / f"{day:%Y-%m-%d}.parquet", index=False)
    log.sample(30, random_state=seed).to_parquet(folder / "again.parquet", index=False)


def local_day(at: datetime, log_zone: str, shop_zone: str) -> date:
    return at.replace(tzinfo=ZoneInfo(log_zone)).astimezone(ZoneInfo(shop_zone)).date()


def clean(log: pd.DataFrame, log_zone: str, shop_zone: str) -> dict[date, list[dict]]:
    """Acts of people by day of the shop, each once: the smallest source and device, the largest amount."""
    once: dict[tuple, dict] = {}
    for row in log.astype(object).where(log.notna(), None).to_dict("records"):
        known = row["kind"] in ("view", "favourite", "cart", "order", "pay")
        if not row["visitor_key"] or row["at"] is None or not known or "Bot" in row["agent"]:
            continue
        at = pd.Timestamp(row["at"]).to_pydatetime()
        key = (row["visitor_key"], at, row["kind"], row["item_id"] or "")
        act = dict(zip(("who", "at", "kind", "item"), key, strict=True))
        act |= {
            "source": row["source"] or "",
            "device": row["device"] or "",
            "amount": row["amount"],
        }
        old = once.get(key)
        if old:
            act["source"] = min(act["source"], old["source"])
            act["device"] = min(act["device"], old["device"])
            act["amount"] = max(
                [a["amount"] for a in (act, old) if a["amount"] is not None], default=None
            )
        once[key] = act
    days = defaultdict(list)
    for act in once.values():
        days[local_day(act["at"], log_zone, shop_zone)].append(act)
    return {day: _people(acts) for day, acts in sorted(days.items()) if _people(acts)}


def _people(day: list[dict]) -> list[dict]:
    views = defaultdict(int)
    for act in day:
        views[act["who"]] += act["kind"] == "view"
    return [a for a in day if views[a["who"]] <= MOST_VIEWS and a["who"] != "v-test"]


def _second(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def visits(day: list[dict]) -> list[list[dict]]:
    """Acts of each visit in their order."""
    by = defaultdict(list)
    for act in sorted(day, key=lambda a: (a["at"], KINDS.index(a["kind"]), a["item"])):
        by[act["who"]].append(act)
    made = []
    for mine in by.values():
        made.append([mine[0]])
        for before, act in itertools.pairwise(mine):
            if _second(act["at"]) - _second(before["at"]) > GAP:
                made.append([])
            made[-1].append(act)
    return made


def _who(acts: list[dict], kind: str) -> int:
    return len({a["who"] for a in acts if a["kind"] == kind})


def _amount(acts: list[dict], kind: str) -> float | None:
    said = [a["amount"] for a in acts if a["kind"] == kind]
    some = [amount for amount in said if amount is not None]
    return float(sum(some)) if some or not said else None


def _facts(acts: list[dict]) -> dict:
    pays = {(a["who"], _second(a["at"])) for a in acts if a["kind"] == "pay"}
    return {
        "visitors": _who(acts, "view"), "page_views": sum(a["kind"] == "view" for a in acts),
        "buyers": _who(acts, "pay"), "orders": len(pays), "sales": _amount(acts, "pay"),
        "favourites": _who(acts, "favourite"), "cart_adds": _who(acts, "cart"),
        "ordered_buyers": _who(acts, "order"), "ordered_amount": _amount(acts, "order"),
    }  # fmt: skip


def _visited(day: list[dict], wanted) -> dict:
    """Visits, bounces and seconds between acts, of the acts or visits that `wanted` accepts."""
    made = visits(day)
    mine = [visit for visit in made if wanted(visit[0])]
    bounces = sum(len(visit) == 1 and visit[0]["kind"] == "view" for visit in mine)
    seconds = sum(
        _second(b["at"]) - _second(a["at"])
        for visit in made for a, b in itertools.pairwise(visit) if wanted(b)
    )  # fmt: skip
    return {"visits": len(mine), "bounces": bounces, "seconds": seconds}


def expected(days: dict[date, list[dict]]) -> dict[str, pd.DataFrame]:
    """Rows of every table, in columns that the log states."""
    made = defaultdict(list)
    seen: set[str] = set()
    for day, acts in days.items():
        came = {a["who"] for a in acts if a["kind"] == "view"}
        for device in ["all", *sorted({a["device"] for a in acts} - {""})]:
            made["shop_day"].append(_shop_day(day, acts, device, len(came - seen)))
        seen |= came
        for source in sorted({a["source"] for a in acts} - {""}):
            of_source = [a for a in acts if a["source"] == source]
            made["source_day"].append(_source_day(day, acts, of_source, source))
        for item in sorted({a["item"] for a in acts} - {""}):
            made["item_day"].append(_item_day(day, acts, item))
            for source in sorted({a["source"] for a in acts if a["item"] == item} - {""}):
                mine = [a for a in acts if (a["item"], a["source"]) == (item, source)]
                facts = {k: _facts(mine)[k] for k in ("visitors", "buyers", "sales")}
                made["item_source_day"].append(
                    {"date": day, "item_id": item, "source": source} | facts
                )
    made["item_week"] = _weeks(days)
    made["customers"] = _customers(days)
    return {name: pd.DataFrame(rows) for name, rows in made.items()}


def _shop_day(day: date, acts: list[dict], device: str, new: int) -> dict:
    def mine(act: dict) -> bool:
        return device in ("all", act["device"])

    facts, visited = _facts([a for a in acts if mine(a)]), _visited(acts, mine)
    return {"date": day, "device": device} | facts | {
        "bounce_rate": visited["bounces"] / visited["visits"] if visited["visits"] else None,
        "dwell": visited["seconds"] / facts["visitors"] if facts["visitors"] else None,
        "new_visitors": new if device == "all" else None,
    }  # fmt: skip


def _source_day(day: date, acts: list[dict], of_source: list[dict], source: str) -> dict:
    facts = _facts(of_source)
    del facts["ordered_amount"]
    bounces = _visited(acts, lambda act: act["source"] == source)["bounces"]
    return {"date": day, "source": source, "device": "all", "bounces": bounces} | facts


def _item_day(day: date, acts: list[dict], item: str) -> dict:
    facts = _facts([a for a in acts if a["item"] == item])
    del facts["orders"]
    stays = [
        _second(b["at"]) - _second(a["at"])
        for visit in visits(acts) for a, b in itertools.pairwise(visit)
        if a["kind"] == "view" and a["item"] == item
    ]  # fmt: skip
    return (
        {"date": day, "item_id": item}
        | facts
        | {"dwell": sum(stays) / len(stays) if stays else None}
    )


def _weeks(days: dict[date, list[dict]]) -> list[dict]:
    rows = []
    last = min(days)
    while last <= max(days):
        week = [a for n in range(7) for a in days.get(last - timedelta(days=n), [])]
        for item in sorted({a["item"] for a in week if a["kind"] in ("view", "pay")} - {""}):
            mine = [a for a in week if a["item"] == item]
            rows.append(
                {
                    "date": last,
                    "item_id": item,
                    "visitors": _who(mine, "view"),
                    "buyers": _who(mine, "pay"),
                }
            )
        last += timedelta(days=1)
    return rows


def _customers(days: dict[date, list[dict]]) -> list[dict]:
    paid = defaultdict(list)
    for day, acts in days.items():
        for act in acts:
            if act["kind"] == "pay":
                paid[act["who"]].append((day, act))
    return [
        {
            "visitor_key": who,
            "first_paid_on": min(day for day, _ in mine),
            "last_paid_on": max(day for day, _ in mine),
            "days_paid": len({day for day, _ in mine}),
            "orders": len({_second(act["at"]) for _, act in mine}),
            "sales": float(sum(act["amount"] for _, act in mine)),
        }
        for who, mine in paid.items()
    ]
