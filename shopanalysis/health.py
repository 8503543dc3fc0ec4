"""When the last good run of each shop was, for a monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shopanalysis.batch.files import read, run_folders


@dataclass(frozen=True)
class Health:
    """How one shop's runs are.

    finished   when the last good run ended, None: there was none
    day        newest day that a good run reported on, None: none
    failed     notebooks that failed in the newest run of all
    """

    shop: str
    finished: datetime | None = None
    day: str | None = None
    failed: tuple[str, ...] = ()

    def age(self, now: datetime) -> float | None:
        """Hours since the last good run; None without one."""
        return (now - self.finished).total_seconds() / 3600 if self.finished else None

    def is_well(self, now: datetime, most_hours: float) -> bool:
        """Whether the last good run is at most `most_hours` old, and does not lie ahead as far."""
        return self.finished is not None and abs(self.age(now)) <= most_hours

    def record(self, now: datetime, most_hours: float) -> dict[str, object]:
        """What a machine reads."""
        age = self.age(now)
        return {
            "shop": self.shop,
            "well": self.is_well(now, most_hours),
            "last_good": self.finished.isoformat() if self.finished else None,
            "age_hours": None if age is None else round(age, 2),
            "day": self.day,
            "failed": list(self.failed),
        }

    def line(self, now: datetime, most_hours: float) -> str:
        """What a person reads."""
        state = "well" if self.is_well(now, most_hours) else "NOT WELL"
        if self.finished is None:
            told = "there has been no good run"
        else:
            ended = f"{self.finished:%Y-%m-%d %H:%M} UTC"
            told = f"last good run {ended}, {self.age(now):.1f} h ago, on days up to {self.day}"
        failed = f"; in the newest run failed: {', '.join(self.failed)}" if self.failed else ""
        return f"{self.shop}  {state}: {told}{failed}"


def of(shops: Sequence[str], out: Path) -> list[Health]:
    """The health of the shops called so, from the runs below `out`."""
    found = {key: read(folder / "run.json") for key, folder in run_folders(out).items()}
    return [
        _health(name, {day: run for (day, shop), run in found.items() if shop == name})
        for name in shops
    ]


def _health(shop: str, runs: Mapping[str, Mapping]) -> Health:
    ended = {day: _ended(run) for day, run in runs.items() if _ended(run)}
    if not ended:
        return Health(shop)
    failed = tuple(_of_status(runs[max(ended, key=ended.get)], "failed"))
    good = [day for day in ended if _is_good(runs[day])]
    if not good:
        return Health(shop, failed=failed)
    return Health(shop, max(ended[day] for day in good), max(good), failed)


def _ended(run: Mapping) -> datetime | None:
    try:
        ended = datetime.fromisoformat(run["finished"])
    except (KeyError, TypeError, ValueError):
        return None
    return ended if ended.tzinfo else None


def _is_good(run: Mapping) -> bool:
    """Whether no notebook failed, and some had what they need."""
    made = len(run.get("notebooks", {})) - len(_of_status(run, "missing"))
    return made > 0 and not _of_status(run, "failed")


def _of_status(run: Mapping, status: str) -> list[str]:
    records = run.get("notebooks", {}).items()
    return [name for name, record in records if record.get("status") == status]
