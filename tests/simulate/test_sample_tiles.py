"""The sample tiles are what their scenes, their truth and expected.csv say."""

from __future__ import annotations

import csv
import itertools
import json
import math
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio

from railcount.simulate import load_scene, render

TILES = Path(__file__).parents[2] / "sample_tiles"
MAX_BYTES = 12_000_000


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (TILES / "expected.csv").open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def test_expected_counts_are_those_of_the_truth(rows: list[dict[str, str]]) -> None:
    assert len(rows) >= 14
    for row in rows:
        image = TILES / row["tile"]
        truth = json.loads(image.with_name(f"{image.stem}_truth.geojson").read_text(encoding="utf-8"))
        kinds = [feature["properties"]["kind"] for feature in truth["features"]]
        standing = sum(kind != "locomotive" for kind in kinds)
        assert standing == int(row["standing"])
        assert len(kinds) - standing == int(row["locomotives"])
        assert row["count"] == ("" if row["status"] == "uncountable" else row["standing"])
        assert 0 <= int(row["tolerance"]) <= max(3, math.ceil(0.05 * standing))
    assert {path.name for path in TILES.glob("*/*.tif")} == {Path(row["tile"]).name for row in rows}


def test_they_tell_the_history_of_the_place(rows: list[dict[str, str]]) -> None:
    counts = {date.fromisoformat(row["date"]): int(row["count"]) for row in rows if row["count"]}
    event = date(2023, 10, 5)
    before = {day: n for day, n in counts.items() if day <= date(2023, 9, 14)}
    assert counts[event] == 73
    assert max(before.values()) == 20
    assert min(before.values()) == 0
    assert min(before) < date(2018, 12, 31)
    days = [*sorted(before), event]
    assert max((b - a).days for a, b in itertools.pairwise(days)) < 370
    tiles = {row["date"]: row for row in rows}
    assert int(tiles["2023-10-05"]["covered"]) > 73 / 2
    for day in ("2023-09-28", "2023-10-01"):
        assert tiles[day]["status"] == "uncountable"
        assert int(tiles[day]["visible"]) < int(tiles[day]["standing"]) / 2


def test_they_are_small_and_say_that_they_are_simulated(rows: list[dict[str, str]]) -> None:
    files = [path for path in TILES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    for row in rows:
        assert "simulated" in row["tile"]
        with rasterio.open(TILES / row["tile"]) as source:
            tags = source.tags()
            assert source.crs.to_epsg() == 32652
            assert source.res == (0.5, 0.5)
        assert tags["RAILCOUNT_SIMULATED"] == "yes"
        assert tags["TIFFTAG_DATETIME"][:10] == row["date"].replace("-", ":")


def test_all_show_the_same_tracks(rows: list[dict[str, str]]) -> None:
    lines = {
        (TILES / row["tile"]).with_name(f"{Path(row['tile']).stem}_tracks.geojson").read_text()
        for row in rows
    }
    assert len(lines) == 1


def test_a_tile_is_what_its_scene_gives() -> None:
    entries = tomllib.loads((TILES / "scenes" / "tiles.toml").read_text(encoding="utf-8"))["tiles"]
    (entry,) = [entry for entry in entries if entry["date"] == "2023-10-05"]
    drawn = render(load_scene(TILES / "scenes" / entry["scene"]), seed=entry["seed"])
    with rasterio.open(TILES / entry["date"] / entry["tile"]) as source:
        stored = source.read()
    # Other versions of numpy and scipy may round the last bit otherwise.
    difference = np.abs(stored.astype(int) - drawn.bands)
    assert (difference > 2).mean() < 1e-3
