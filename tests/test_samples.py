"""The sample tiles against their truth: what a newcomer sees first."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from railcount.scan import scan_tile

SAMPLES = Path(__file__).resolve().parents[1] / "sample_tiles"
EXPECTED = {
    row["date"]: row
    for row in csv.DictReader((SAMPLES / "expected.csv").read_text(encoding="utf-8").splitlines())
}


def test_the_day_of_the_mission() -> None:
    row = EXPECTED["2023-10-05"]
    result = scan_tile(SAMPLES / row["tile"])
    assert result.railcars is not None
    assert result.railcars.best == pytest.approx(int(row["count"]), abs=int(row["tolerance"]))
    assert result.railcars.low <= int(row["count"]) <= result.railcars.high
    assert result.comparison is not None
    assert result.comparison.level == "unprecedented"


@pytest.mark.parametrize("date", [d for d, row in EXPECTED.items() if row["status"] != "counted"])
def test_cloud_is_never_a_count(date: str) -> None:
    result = scan_tile(SAMPLES / EXPECTED[date]["tile"])
    assert result.status == "uncountable"
    assert result.railcars is None


@pytest.mark.parametrize("date", [d for d, row in EXPECTED.items() if row["count"] == "0"])
def test_the_empty_yard(date: str) -> None:
    result = scan_tile(SAMPLES / EXPECTED[date]["tile"])
    assert result.railcars is not None
    assert result.railcars.best == 0
    assert result.tracks is not None
    assert result.tracks.n > 0
