"""Reading outlines: frames, and files that strangers made."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyproj import Transformer

from railcount.errors import InputError, MissingInput
from railcount.evaluate import score_files
from railcount.outlines import PIXELS, WGS84, read, read_plane, to_plane

if TYPE_CHECKING:
    from pathlib import Path

UTM = Transformer.from_crs("EPSG:32652", "EPSG:4326", always_xy=True)
EAST, NORTH = 468_000.0, 4_696_500.0


def rectangle(x: float, y: float, length: float = 13.92, width: float = 3.16) -> list[list[float]]:
    return [[x, y], [x + length, y], [x + length, y + width], [x, y + width], [x, y]]


def feature(ring: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def collection(*features: Any, **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **members}


def on_ground(ring: list[list[float]]) -> list[list[float]]:
    return [list(UTM.transform(EAST + x, NORTH + y)) for x, y in ring]


@pytest.fixture
def save(tmp_path: Path):
    def save(document: Any, name: str = "cars.geojson") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return save


def test_degrees_become_metres(save) -> None:
    path = save(collection(feature(on_ground(rectangle(0, 0))), feature(on_ground(rectangle(500, 300)))))
    assert read(path).frame == WGS84
    (outlines,) = read_plane(path)
    # UTM's scale here is 0.9996 to 1 in a thousandth.
    assert [o.polygon.area for o in outlines] == pytest.approx([13.92 * 3.16] * 2, rel=2e-3)
    first, second = (o.polygon.centroid for o in outlines)
    assert first.distance(second) == pytest.approx(np.hypot(500, 300), rel=1e-3)


def test_crs_member_is_obeyed(save) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32652"}}
    projected = save(collection(feature(rectangle(EAST, NORTH)), crs=crs), "utm.geojson")
    degrees = save(collection(feature(on_ground(rectangle(0, 0)))), "degrees.geojson")
    assert score_files(projected, degrees).agreements[1].f1 == 1.0
    ours, theirs = read_plane(projected, degrees)
    assert ours[0].polygon.hausdorff_distance(theirs[0].polygon) < 1e-3


def test_pixels_are_recognised_even_inside_the_range_of_degrees(save) -> None:
    path = save(collection(feature(rectangle(10, 20, 5, 1.2))))
    assert read(path).frame == PIXELS
    assert read_plane(path)[0][0].polygon.area == pytest.approx(6.0)


def test_pixels_false_refuses_pixels(save) -> None:
    with pytest.raises(InputError, match="--pixels"):
        read(save(collection(feature(rectangle(1000, 200)))), pixels=False)


def test_pixels_and_ground_do_not_mix(save) -> None:
    ours = save(collection(feature(rectangle(1000, 200))), "a.geojson")
    theirs = save(collection(feature(on_ground(rectangle(0, 0)))), "b.geojson")
    with pytest.raises(InputError, match=r"a\.geojson: pixels"):
        to_plane(read(ours), read(theirs))


@pytest.mark.parametrize("empty", ["predicted", "truth", "both"])
def test_empty_file_takes_the_other_frame(save, empty: str) -> None:
    cars = collection(feature(rectangle(1000, 200)))
    ours = save(collection() if empty != "truth" else cars, "a.geojson")
    theirs = save(collection() if empty != "predicted" else cars, "b.geojson")
    result = score_files(ours, theirs)
    assert result.n_predicted + result.n_truth == (0 if empty == "both" else 1)


def test_properties_are_read(save) -> None:
    cars = [
        feature(rectangle(100, 0), kind="locomotive"),
        feature(rectangle(200, 0), visible_fraction=0.25),
        {**feature(rectangle(300, 0)), "properties": None},
    ]
    members = {"railcars": {"best": 2, "low": 1, "high": 3, "level": 0.9}}
    file = read(save(collection(*cars, **members)))
    assert file.locomotive == (True, False, False)
    assert file.visible_fraction == (1.0, 0.25, 1.0)
    assert file.railcars is not None
    assert (file.railcars.low, file.railcars.best, file.railcars.high) == (1, 2, 3)


def test_ring_that_crosses_itself_keeps_its_area(save) -> None:
    bow_tie = [[0, 0], [200, 200], [200, 0], [0, 200], [0, 0]]
    assert read_plane(save(collection(feature(bow_tie))))[0][0].polygon.area == pytest.approx(20_000)


RING = rectangle(1000, 200)
HUGE = [[10**400, 1], *RING[1:-1], [10**400, 1]]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        ("\x00\x01", "not JSON"),
        ("[]", "this is a list"),
        ({"type": "Feature"}, "FeatureCollection"),
        ({"type": "FeatureCollection", "features": {}}, "FeatureCollection"),
        (collection(None), "feature 0 is not"),
        (collection({**feature(RING), "properties": [1]}), "'properties'"),
        (collection(feature(RING), {**feature(RING), "geometry": None}), "feature 1: a Polygon"),
        (collection({**feature(RING), "geometry": {"type": "Point", "coordinates": [1, 2]}}), "a Polygon"),
        (collection({**feature(RING), "geometry": {"type": "Polygon"}}), "list of rings"),
        (collection({**feature(RING), "geometry": {"type": "Polygon", "coordinates": []}}), "list of rings"),
        (
            collection(
                {**feature(RING), "geometry": {"type": "MultiPolygon", "coordinates": [[RING], [RING]]}}
            ),
            "one part",
        ),
        (collection(feature(RING[:3])), "4 to 10000 positions, this one 3"),
        (collection(feature(RING * 3000)), "4 to 10000 positions"),
        (collection(feature(RING[:-1])), "not closed"),
        (collection(feature([[1], *RING[1:]])), "2 or 3 numbers"),
        (collection(feature([["1", "2"], *RING[1:]])), "finite number"),
        (collection(feature([[True, 2], *RING[1:]])), "finite number"),
        (collection(feature(HUGE)), "finite number"),
        (json.dumps(collection(feature(RING))).replace("1000", "NaN"), "NaN is not a JSON number"),
        (json.dumps(collection(feature(RING))).replace("1000", "1e999"), "finite number"),
        (collection(feature([[1000, 200]] * 5)), "no area"),
        (collection(feature(RING, visible_fraction=1.5)), "visible_fraction"),
        (collection(feature(RING, visible_fraction="half")), "visible_fraction"),
        (collection(feature(rectangle(1e9, 0))), "--pixels"),
        (collection(feature(RING), crs={"properties": {"name": "/etc/passwd"}}), "must name a CRS"),
        (collection(feature(RING), crs="EPSG:2056"), "must name a CRS"),
        (collection(feature(RING), crs={"properties": {"name": "EPSG:999999"}}), "not known"),
        (collection(feature(RING), crs={"properties": {"name": "EPSG:5773"}}), "neither"),
        (collection(railcars={"best": 3, "low": 4, "high": 5}), "low <= best <= high"),
        (collection(railcars=[3]), "low <= best <= high"),
    ],
)
def test_garbage_is_named(save, document: Any, told: str) -> None:
    path = save(document)
    with pytest.raises(InputError, match=told) as caught:
        read_plane(path)
    assert path.name in str(caught.value)


def test_coordinates_outside_their_crs(save) -> None:
    crs = {"type": "name", "properties": {"name": "EPSG:4326"}}
    path = save(collection(feature(rectangle(1000, 200)), crs=crs))
    with pytest.raises(InputError):
        read_plane(path)


def test_missing_file_folder_and_fifo(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="does not exist"):
        read(tmp_path / "none.geojson")
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "fifo.geojson")
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path / "fifo.geojson")


def test_file_too_large(save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railcount.outlines.MAX_BYTES", 10)
    with pytest.raises(InputError, match="at most 10 are read"):
        read(save(collection()))
