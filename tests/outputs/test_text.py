"""Dates as people read them."""

from __future__ import annotations

import datetime as dt

import pytest

from railcount.outputs.text import moment_words
from railcount.raster.acquisition import Acquisition

NIGHT = dt.datetime(2023, 12, 31, 20, 5, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("acquired", "offset_h", "words"),
    [
        (NIGHT, None, "31 December 2023, 20:05 UTC"),
        (NIGHT, 9.0, "31 December 2023, 20:05 UTC (1 January 2024, 05:05 local time, UTC+9)"),
        (NIGHT, 5.75, "31 December 2023, 20:05 UTC (1 January 2024, 01:50 local time, UTC+5:45)"),
        (NIGHT, -3.5, "31 December 2023, 20:05 UTC (16:35 local time, UTC-3:30)"),
        (NIGHT.astimezone(dt.timezone(dt.timedelta(hours=9))), None, "31 December 2023, 20:05 UTC"),
        (dt.date(2023, 10, 5), 9.0, "5 October 2023"),
        (None, 9.0, None),
    ],
)  # fmt: skip
def test_moments(acquired: dt.date | None, offset_h: float | None, words: str | None) -> None:
    assert moment_words(Acquisition(acquired=acquired), utc_offset_h=offset_h) == words
    assert moment_words(None, utc_offset_h=offset_h) is None
