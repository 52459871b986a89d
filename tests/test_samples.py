"""The sample tiles against their truth: what a newcomer sees first.

All of them are set against ``expected.csv`` by ``railcount verify sample_tiles``, a step of ``.ci/run``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from railcount.cars.error import FOUND_SHARE, LEAST_SHARE
from railcount.expected import read_expected
from railcount.pipeline import scan_tile
from railcount.records import record_of
from railcount.verify import jobs_of, run

SAMPLES = Path(__file__).resolve().parents[1] / "sample_tiles"
TABLE = read_expected(SAMPLES)
JOBS = {job.tile: job for job in jobs_of(SAMPLES, TABLE)}
DIFFICULT = [row.tile for row in TABLE.rows if not row.count]
"""Empty yards and clouds."""


def test_the_table_names_every_tile() -> None:
    assert list(JOBS) == [row.tile for row in TABLE.rows]


def test_the_day_of_the_mission() -> None:
    (row,) = (row for row in TABLE.rows if row.tile.startswith("2023-10-05/"))
    result = scan_tile(SAMPLES / row.tile)
    assert row.count is not None
    assert result.railcars is not None
    assert result.railcars.best == pytest.approx(row.count, abs=row.tolerance)
    assert result.railcars.low <= row.count <= result.railcars.high
    assert result.comparison is not None
    assert result.comparison.level == "unprecedented"
    assert result.error_share is not None
    assert result.error_share > np.hypot(LEAST_SHARE, FOUND_SHARE)  # some columns are in doubt
    assert record_of(result).error_share == pytest.approx(result.error_share, abs=1e-4)


@pytest.mark.parametrize("tile", DIFFICULT)
def test_cloud_is_never_a_count_and_an_empty_yard_has_none(tile: str) -> None:
    (outcome,) = run([JOBS[tile]])
    assert outcome.verdict == "as_expected"
    assert outcome.expected is not None
    assert outcome.measured is not None
    if outcome.expected.count == 0:
        assert outcome.measured.tracks  # seen, and nothing on them
