"""Histories to test with."""

from __future__ import annotations

import datetime as dt
from typing import Any

from railcount import sites
from railcount.baseline import Observation

TUMANGANG = sites.load("tumangang")
SAMPLES = {
    "2018-11-14": 6,
    "2019-04-21": 11,
    "2019-09-30": 20,
    "2020-01-19": 9,
    "2020-06-08": 0,
    "2021-02-11": 3,
    "2021-08-17": 0,
    "2022-03-05": 2,
    "2022-08-23": 4,
    "2022-11-03": 12,
    "2022-12-21": 8,
    "2023-05-30": 17,
    "2023-09-14": 0,
    "2023-09-22": 59,
    "2023-09-28": None,
    "2023-10-01": None,
    "2023-10-05": 73,
}
"""What the sample tiles show; None where cloud hides it."""


def day(text: str) -> dt.date:
    """A day from text."""
    return dt.date.fromisoformat(text)


def seen(when: dt.date | str, best: int | None, **fields: Any) -> Observation:
    """A count of one image."""
    on = day(when) if isinstance(when, str) else when
    return Observation(first=on, last=on, best=best, **fields)


def measured(when: dt.date | str, best: int | None, **fields: Any) -> Observation:
    """A count that railcount made, as a history gives it."""
    given: dict[str, Any] = {"method": "measured", "source": f"{when}.tif", "id": f"pass-{when}"}
    return seen(when, best, **(given | fields))


def samples() -> tuple[Observation, ...]:
    """The sample tiles' counts."""
    return tuple(measured(when, best, simulated=True) for when, best in SAMPLES.items())
