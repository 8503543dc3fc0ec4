"""Purchases as order lines: who buys, in which order, when it is paid, what is sent back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shopanalysis.demo.draws import Draws, generator
from shopanalysis.demo.expected import Expected
from shopanalysis.demo.scenario import Scenario

JOINS = 0.115  # of purchases that go into the basket of another from the same source that day
SEPARATE = 0.06  # of baskets paid as one order for each line
RETURNING = 0.17  # of baskets
KNOWN_BUYERS = 4000  # who bought before the first day
REFUND = {"四件套": 0.06, "被子": 0.05, "枕头": 0.045, "毛巾": 0.03, "窗帘": 0.08, "毛毯": 0.05}
PARTLY = 0.15  # of refunds: REFUND_PART of the amount
REFUND_PART = 0.3
PRESALE_UNPAID = 0.06  # of deposits whose balance is never paid
HOURS = np.array(
    [2, 1, 0.6, 0.4, 0.3, 0.4, 1, 2, 3.5, 5, 6, 5.5, 5, 5, 5.5, 5.5, 5.5, 5, 5, 6, 8, 9, 8, 5]
)
DAY = pd.Timedelta(days=1)


def order_lines(story: Scenario, means: Expected, draws: Draws, seed: int) -> pd.DataFrame:
    """One row per line of an order, in order of creation.

    Columns: date (ordered), item, source, pay_source (positions), basket, order_id, line, buyer,
    is_old (bought before), units, price and paid (yuan, before refunds; 0 when unpaid), ordered
    (yuan), created_at, paid_at, presale, refunded (yuan), refunded_on.
    """
    days = [_day_lines(day, i, draws, seed) for i, day in enumerate(story.days)]
    lines = pd.concat(days, ignore_index=True)
    lines = _presale(story, lines, seed)
    lines["price"] = means.price[lines.pop("day"), lines["item"]]
    lines["units"] = _units(story, lines)
    lines["ordered"] = (lines["price"] * lines["units"]).round(2)
    lines["paid"] = lines["ordered"].where(lines["paid_at"].notna(), 0.0)
    lines = lines.sort_values(["created_at", "basket", "item"], ignore_index=True)
    lines = _with_buyers(lines, seed)
    lines = _with_ids(lines)
    return _with_refunds(story, lines, seed)


def _day_lines(day: pd.Timestamp, i: int, draws: Draws, seed: int) -> pd.DataFrame:
    """The day's purchases, joined into baskets, with their times; paid the same day or never."""
    random = generator(seed, day, 2)
    parts = [_cells(draws.paid[i], True), _cells(draws.unpaid[i], False)]
    lines = pd.concat(parts, ignore_index=True).assign(date=day, day=i)
    lines["shuffled"] = random.random(len(lines))
    lines = lines.sort_values(["is_paid", "source", "shuffled"], ignore_index=True)
    lines["basket"] = _baskets(lines, random)
    own = (
        pd.Series(random.random(len(lines)) < SEPARATE).groupby(lines["basket"]).transform("first")
    )
    lines["order"] = np.where(own, 10**6 + np.arange(len(lines)), lines["basket"])
    lines["created_at"] = day + _first(
        random.choice(24, len(lines), p=HOURS / HOURS.sum()) * 3600
        + random.integers(0, 3600, len(lines)),
        lines["order"],
    )
    wait = _first(random.exponential(90, len(lines)).astype(int) + 4, lines["order"])
    latest = day + DAY - pd.Timedelta(seconds=1)
    paid_at = (lines["created_at"] + wait).clip(upper=latest)
    lines["paid_at"] = paid_at.where(lines.pop("is_paid"))
    lines["more"] = random.random(len(lines))
    for column in ("basket", "order"):
        lines[column] += i * 10**7
    return lines.drop(columns="shuffled")


def _first(seconds: np.ndarray, order: pd.Series) -> pd.Series:
    return pd.to_timedelta(pd.Series(seconds).groupby(order).transform("first"), unit="s")


def _cells(counts: np.ndarray, is_paid: bool) -> pd.DataFrame:
    item, source = np.nonzero(counts)
    times = counts[item, source]
    return pd.DataFrame(
        {"item": item.repeat(times), "source": source.repeat(times), "is_paid": is_paid}
    )


def _baskets(lines: pd.DataFrame, random: np.random.Generator) -> pd.Series:
    """Basket of each line: at most three different items of one source."""
    spread = np.floor((np.arange(len(lines)) + random.random() / JOINS) * JOINS)
    joins = pd.Series(np.diff(spread, prepend=0) > 0)
    same = lines[["is_paid", "source"]].eq(lines[["is_paid", "source"]].shift()).all(axis=1)
    basket = (~(joins & same)).cumsum()
    alone = (lines.groupby(basket).cumcount() > 2) | lines.assign(basket=basket).duplicated(
        ["basket", "item"]
    )
    return basket.mask(alone, len(lines) + np.arange(len(lines)) + 1)


def _units(story: Scenario, lines: pd.DataFrame) -> pd.Series:
    """Pieces in a line: one and, with the item's probability, another, up to six."""
    chance = story.items["extra_units"].to_numpy()[lines["item"]]
    another = np.log(lines.pop("more")) / np.log(chance / (1 + chance))
    return (1 + another.astype(int)).clip(upper=6)


def _presale(story: Scenario, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Presale items: one basket each, paid on the balance day from the source of the balance."""
    lines = lines.assign(presale=False, pay_source=lines["source"])
    ahead = story.planted.get("presale")
    if not ahead:
        return lines
    random = generator(seed, pd.Timestamp(ahead["start"]), 3)
    balance = {story.item(code): pd.Timestamp(day) for code, day in ahead["balance"].items()}
    within = lines["date"].between(pd.Timestamp(ahead["start"]), pd.Timestamp(ahead["end"]))
    lines["presale"] = within & lines["item"].isin(balance)
    at = lines.index[lines["presale"]]
    lines.loc[at, ["basket", "order"]] = np.repeat(10**11 + np.arange(len(at))[:, None], 2, axis=1)
    seconds = pd.to_timedelta(random.integers(0, 20 * 3600, len(at)), unit="s")
    due = lines.loc[at, "item"].map(balance) + seconds
    kept = (random.random(len(at)) >= PRESALE_UNPAID) & (due <= story.days[-1] + DAY)
    lines.loc[at, "paid_at"] = due.where(kept)
    lines.loc[at, "pay_source"] = story.source(ahead["source"])
    return lines


def _with_buyers(lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A buyer for each basket, new or back again; never twice on a day, ordering or paying."""
    baskets = lines.drop_duplicates("basket")[["basket", "date", "paid_at"]]
    random = np.random.default_rng([seed, 4])
    is_back = random.random(len(baskets)) < RETURNING
    known = KNOWN_BUYERS + np.cumsum(~is_back)
    earlier = (known * random.random(len(baskets)) ** 0.8).astype(int)
    buyer = pd.Series(np.where(is_back, earlier, known), baskets.index)
    paid_on = baskets["paid_at"].dt.normalize().fillna(baskets["date"])
    met = baskets.assign(buyer=buyer, paid_on=paid_on)
    twice = met.duplicated(["buyer", "date"]) | met.duplicated(["buyer", "paid_on"])
    buyer = buyer.mask(twice, known[-1] + 1 + np.arange(len(baskets)))
    is_old = buyer.duplicated() | (buyer <= KNOWN_BUYERS)
    names = pd.DataFrame(
        {"buyer": buyer.to_numpy(), "is_old": is_old.to_numpy()}, baskets["basket"]
    )
    return lines.join(names, on="basket")


def _with_ids(lines: pd.DataFrame) -> pd.DataFrame:
    """19-digit order ids that rise with time and end in the buyer's number, as on Taobao."""
    number = pd.factorize(lines.pop("order"))[0]
    head = (4_026_000_000_000 + number).astype(str)
    tail = (lines["buyer"] % 10**6).astype(str).str.zfill(6)
    lines["order_id"] = pd.Series(head, lines.index) + tail
    lines["line"] = lines.groupby("order_id").cumcount() + 1
    return lines


def _with_refunds(story: Scenario, lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Refunds: days after payment, as far as they happened by the last day."""
    random = np.random.default_rng([seed, 5])
    rate = story.items["category"].map(REFUND).to_numpy()[lines["item"]]
    sent_back = (random.random(len(lines)) < rate) & lines["paid_at"].notna()
    wait = pd.to_timedelta((1 + random.gamma(2.0, 2.5, len(lines))).astype(int), unit="D")
    on = (lines["paid_at"].dt.normalize() + wait).where(sent_back)
    on = on.where(on <= story.days[-1])
    part = np.where(random.random(len(lines)) < PARTLY, REFUND_PART, 1.0)
    amount = (lines["paid"] * part).round(2).where(on.notna(), 0.0)
    return lines.assign(refunded=amount, refunded_on=on)
