"""RFC 7946: longitude and latitude, closed counter-clockwise rings, one polygon per vehicle."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from pyproj import Geod

from railcount.errors import InputError
from railcount.outputs import geojson
from railcount.outputs.columns import SCAN_CARS
from railcount.outputs.json import schema

from . import factories

PROPERTIES = {
    "track", "train", "position", "kind", "covered",
    "length_m", "width_m", "heading_deg", "confidence", "flags",
}  # fmt: skip


def area(ring: list[list[float]]) -> float:
    x, y = np.array(ring[:-1]).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


@pytest.mark.parametrize("crs", ["EPSG:32652", None])
@pytest.mark.parametrize("flip", [False, True])
def test_rings_are_closed_and_counter_clockwise(crs: str | None, flip: bool) -> None:
    grid = factories.grid(crs=crs)
    for car in factories.cars():
        outline = car.outline_px[::-1] if flip else car.outline_px
        ring = geojson.ring(outline, grid=grid)
        assert len(ring) == 5
        assert ring[0] == ring[-1]
        assert area(ring) > 0


def test_lengths_and_place_on_the_ground() -> None:
    made = json.loads(geojson.dumps([factories.counted()]))
    geod = Geod(ellps="WGS84")
    assert len(made["features"]) == len(factories.cars())
    for feature in made["features"]:
        (ring,) = feature["geometry"]["coordinates"]
        sides = sorted(geod.line_length(*np.array(ring[i : i + 2]).T) for i in range(4))
        # The UTM scale at this place is within 0.1 %.
        assert sides == pytest.approx([3.1, 3.1, 12.8, 12.8], abs=0.05)
        lon, lat = np.array(ring).mean(axis=0)
        assert 128.61 < lon < 128.62
        assert 42.41 < lat < 42.42


def test_properties_of_the_contract() -> None:
    made = geojson.collection([factories.counted()])
    first = made["features"][0]["properties"]
    assert set(first) >= PROPERTIES
    assert list(first) == list(SCAN_CARS)
    assert (first["tile"], first["credit"]) == ("sample/yard.tif", "Drawn by hand for tests (simulated)")
    assert first["kind"] == "locomotive"
    assert (first["covered"], first["length_m"], first["flags"]) == (None, 12.8, [])
    assert "crs" not in made


def test_without_a_crs_coordinates_are_pixels() -> None:
    made = geojson.collection([factories.counted(crs=None)])
    (ring,) = made["features"][0]["geometry"]["coordinates"]
    corners = {tuple(corner) for corner in factories.cars()[0].outline_px.round(2).tolist()}
    assert {tuple(corner) for corner in ring} == corners
    assert made["coordinate_frame"].startswith("pixel")


def test_no_cars_still_says_why() -> None:
    made = json.loads(geojson.dumps([factories.without_count("uncountable")]))
    assert made["features"] == []
    document = {k: v for k, v in made["railcount"].items() if k != "coordinates"}
    jsonschema.validate(document, schema())
    assert document["results"][0]["reasons"]


def test_mixed_coordinates_are_refused() -> None:
    with pytest.raises(InputError, match="separate files"):
        geojson.dumps([factories.counted(), factories.counted(crs=None)])
    # A tile without cars has no coordinates to mix.
    geojson.dumps([factories.counted(), factories.without_count("failed")])


@pytest.mark.parametrize("count", factories.every_status(), ids=lambda c: c.status)
def test_same_bytes(count: Any) -> None:
    assert geojson.dumps([count]) == geojson.dumps([count])


def test_occupied_length_draws_no_railcar() -> None:
    made = geojson.collection([factories.by_length()])
    assert made["features"] == []
    assert made["railcars"] == {"best": 41, "low": 28, "high": 60, "level": 0.9}
    assert made["railcount"]["results"][0]["regime"] == "occupied_length"
