"""``baseline`` and ``compare`` with what a history holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.counts import Interval
from railcount.history import History
from railcount.observation import PassCount
from railcount.records import TileRecord

from .factories import SAMPLES, TUMANGANG, seen

if TYPE_CHECKING:
    from pathlib import Path

KEY = "k" * 64


def record(history: History, when: str, best: int | None, *, simulated: bool, hour: int = 3) -> None:
    """One pass of one tile, at noon of the site unless told otherwise."""
    moment = dt.datetime.fromisoformat(f"{when}T{hour:02}:00:00+00:00")
    shared: dict[str, Any] = {
        "status": "uncountable" if best is None else "counted",
        "acquired": moment,
        "simulated": simulated,
        "site": "tumangang",
        "visible_fraction": 0.97,
        "railcars": None if best is None else Interval(best=best, low=max(best - 2, 0), high=best + 2),
    }
    tile = TileRecord(
        tile=f"{when}.tif", sha256=hashlib.sha256(f"{when} {hour} {simulated}".encode()).hexdigest(), **shared
    )
    history.record_tile(tile, key=KEY)
    history.record_pass(PassCount(id=f"tumangang-{when}-{hour}", tiles=(tile,), **shared), key=KEY)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A history of the sample tiles' counts."""
    path = tmp_path / "history.sqlite"
    with History.open(path) as history:
        for when, best in SAMPLES.items():
            record(history, when, best, simulated=True)
    return path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, [*arguments], catch_exceptions=False)


def test_baseline_of_measured_and_published(kept: Path) -> None:
    result = run("baseline", "tumangang", "--history", str(kept), "--date", "2023-10-05")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "73 (71-75) railcars (measured, 97% of the track seen, simulated): unprecedented" in text
    assert "all published measured" in text
    assert "Traffic rose between 2023-09-15 and 2023-09-22" in text
    assert "from simulated images" in text
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_default_history_is_used_where_there_is_one(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(kept))
    made = json.loads(run("baseline", "tumangang", "--format", "json", "--date", "2023-10-05").stdout)
    assert made["figures"]["measured"]["n_dated"] == 14
    alone = json.loads(
        run("baseline", "tumangang", "--format", "json", "--date", "2023-10-05", "--no-history").stdout
    )
    assert set(alone["figures"]) == {"all", "published"}
    assert any("as asked for" in one for one in alone["words"])


def test_drawn_images_are_left_out_beside_real_ones(kept: Path) -> None:
    with History.open(kept) as history:
        record(history, "2022-06-01", 5, simulated=False)
    made = json.loads(
        run(
            "baseline", "tumangang", "--history", str(kept), "--date", "2023-10-05", "--format", "json"
        ).stdout
    )
    assert made["figures"]["measured"]["n_dated"] == 1
    assert "17 counts in simulated images are left out." in made["words"]


def test_a_history_of_elsewhere(kept: Path) -> None:
    result = run("baseline", "khasan", "--history", str(kept))
    assert "The history holds nothing about this site" in " ".join(result.stdout.split())


def test_compare_takes_a_history_on_request(kept: Path) -> None:
    asked = ("compare", "--site", "tumangang", "--date", "2023-10-05", "--count", "73", "--format", "json")
    assert json.loads(run(*asked).stdout)["comparison"]["max"] == 20
    made = json.loads(run(*asked, "--history", str(kept)).stdout)
    assert made["comparison"]["max"] == 59
    assert made["comparison"]["level"] == "unprecedented"
    assert json.loads(run(*asked, "--history", str(kept), "--window", "4d").stdout)["comparison"]["n"] == 0
    seasonal = json.loads(run(*asked, "--history", str(kept), "--season").stdout)
    assert "another season" in {one["reason"] for one in seasonal["not_used"]}


def test_a_pass_is_never_compared_with_itself_nor_with_later_ones(kept: Path) -> None:
    with History.open(kept) as history:
        # 2023-10-04T20:00Z is the morning of 5 October at the site; the next is its evening.
        record(history, "2023-10-04", 300, simulated=True, hour=20)
        record(history, "2023-10-05", 400, simulated=True, hour=9)
        record(history, "2023-10-06", 500, simulated=True)
        extra = history.observations(TUMANGANG, simulated=True)
    count = Interval(best=73, low=71, high=75)
    moment = dt.datetime(2023, 10, 5, 3, tzinfo=dt.UTC)
    found = TUMANGANG.compare(count, acquired=moment, extra=extra)
    assert found.max == 59
    assert {str(one.first) for one in found.observations if one.method == "measured"} <= {
        when for when in SAMPLES if when < "2023-10-05"
    }


def test_passes_can_be_excluded_by_id() -> None:
    extra = [seen("2023-09-22", 59, id="a"), seen("2023-09-21", 30, id="b")]
    count = Interval(best=73, low=71, high=75)
    day = dt.date(2023, 10, 5)
    assert TUMANGANG.compare(count, acquired=day, extra=extra).max == 59
    assert TUMANGANG.compare(count, acquired=day, extra=extra, exclude={"a"}).max == 30
    assert TUMANGANG.compare(count, acquired=day, extra=extra, exclude={"a", "b"}).max == 20
    assert TUMANGANG.compare(count, acquired=day, exclude={""}).max == 20, "an empty id names no pass"
