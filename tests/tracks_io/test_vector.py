"""Track lines in GeoJSON and GeoPackage."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from railcount.errors import InputError, MissingInput, OutputExists
from railcount.raster import open_tile
from railcount.tracks.network import TrackNetwork
from railcount.tracks.vector import read_lines, write_lines

from . import layouts

SHARED = Path(__file__).resolve().parents[3] / "shared" / "real"


def geojson(path, *features, **members):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **members}))
    return path


def feature(coordinates, kind="LineString", **properties):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".gpkg"])
@pytest.mark.parametrize("crs", [32652, 2056, None])
def test_lines_are_read_back_to_the_millimetre(tmp_path, suffix, crs):
    grid = layouts.grid(crs=crs, gsd_m=0.3, width=2000, height=1500)
    network = layouts.network(grid, [*layouts.curved(), np.array([[1.0, 2.0], [550.0, 431.0]])])
    path = tmp_path / f"t{suffix}"
    write_lines(network, path, grid=grid)
    read = read_lines(path, grid=grid)
    assert [track.id for track in read] == ["T1", "T2", "T3", "T4"]
    for track, again in zip(network.tracks, read, strict=True):
        one, two = grid.to_local(track.line_px), grid.to_local(again.line_px)
        assert layouts.distances_m(one, two).max() < 1e-3
        assert layouts.distances_m(two, one).max() < 1e-3
        assert np.linalg.norm(one[0] - two[0]) < 1e-3
        assert np.linalg.norm(one[-1] - two[-1]) < 1e-3


def test_a_line_to_where_the_crs_has_no_place(tmp_path):
    """A digit was lost: 30 degrees east of Greenwich is beyond the projection of a zone at 129."""
    path = geojson(tmp_path / "a.geojson", feature([[30, 1.62], [130.63, 42.42]]))
    with pytest.raises(InputError, match="outside the area of the raster's CRS"):
        read_lines(path, grid=layouts.grid())


def test_long_lines_keep_their_course(tmp_path):
    grid = layouts.grid(gsd_m=0.5, width=20_000, height=20_000)
    line = np.array([[10.0, 10.0], [9900.0, 8000.0]])
    path = tmp_path / "t.geojson"
    write_lines(layouts.network(grid, [line]), path, grid=grid)
    (read,) = read_lines(path, grid=grid)
    assert layouts.distances_m(line, grid.to_local(read.line_px)).max() < 1e-3
    lonlat = [grid.to_lonlat(grid.to_pixel(end)).tolist() for end in line]
    (read,) = read_lines(geojson(path, feature(lonlat)), grid=grid)
    # a line straight in degrees bends 3.1 m over 12.7 km at this latitude: L^2 tan(lat) / 8 R
    assert layouts.distances_m(grid.to_local(read.line_px), line).max() == pytest.approx(3.1, abs=0.2)
    assert len(read.line_px) > 20


def test_geojson_is_what_rfc_7946_wants(tmp_path):
    grid = layouts.grid()
    write_lines(layouts.network(grid, layouts.straight()), tmp_path / "t.geojson", grid=grid)
    document = json.loads((tmp_path / "t.geojson").read_text())
    assert document.keys() == {"type", "features"}
    lon, lat = np.array(document["features"][0]["geometry"]["coordinates"]).T
    assert ((lon > 130.5) & (lon < 130.7) & (lat > 42.3) & (lat < 42.5)).all()
    assert document["features"][0]["properties"] == {"id": "T1", "source": "found", "confidence": 1.0}


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_the_same_bytes_every_time_and_nothing_lost(tmp_path, suffix):
    grid = layouts.grid()
    network = layouts.network(grid, layouts.switch())
    path = tmp_path / f"t{suffix}"
    write_lines(network, path, grid=grid)
    first = path.read_bytes()
    with pytest.raises(OutputExists):
        write_lines(TrackNetwork(tracks=(), source="found"), path, grid=grid)
    assert path.read_bytes() == first
    time.sleep(1.1)  # GeoPackage would keep the second of its last change
    write_lines(network, path, grid=grid, overwrite=True)
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_unknown_suffix(tmp_path):
    with pytest.raises(InputError, match=r"\.geojson, \.json or \.gpkg"):
        write_lines(TrackNetwork(tracks=(), source="found"), tmp_path / "t.shp", grid=layouts.grid())


def test_the_old_crs_member_is_honoured(tmp_path):
    grid = layouts.grid()
    line = np.array([[100.0, 100.0], [300.0, 200.0]])
    x, y = grid.to_world(grid.to_pixel(line)).T
    east, north = Transformer.from_crs(32652, 3857, always_xy=True).transform(x, y)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    path = geojson(tmp_path / "t.geojson", feature(np.stack([east, north], -1).tolist()), crs=crs)
    (track,) = read_lines(path, grid=grid)
    assert layouts.distances_m(line, grid.to_local(track.line_px)).max() < 0.01
    del crs["properties"]["name"]
    with pytest.raises(InputError, match="names no CRS"):
        read_lines(geojson(path, feature([[0, 0], [1, 1]]), crs=crs), grid=grid)
    crs["properties"]["name"] = "+proj=utm +zone=52 +init=/etc/passwd:1"
    with pytest.raises(InputError, match="unknown form"):
        read_lines(geojson(path, feature([[0, 0], [1, 1]]), crs=crs), grid=grid)
    crs["properties"]["name"] = "EPSG:999999"
    with pytest.raises(InputError, match="not understood"):
        read_lines(geojson(path, feature([[0, 0], [1, 1]]), crs=crs), grid=grid)


def test_ids(tmp_path):
    line = [[0, 10], [90, 20]]
    parts = [[[0, 30], [90, 30]], [[0, 40], [90, 40]]]
    path = geojson(
        tmp_path / "t.geojson",
        feature(line, name="main"), feature(line, track=3.0, name="x"), feature(line, Id="7"),
        feature(line, name="main"), feature(line), feature(line, id="a\n\x1b[31m"),
        {**feature(line), "id": 99},
        feature(parts, "MultiLineString", id="M"),
    )  # fmt: skip
    tracks = read_lines(path, grid=layouts.grid(crs=None))
    assert [t.id for t in tracks] == ["main", "3", "7", "main-2", "5", "a\\n\\x1b[31m", "99", "M.1", "M.2"]


def test_lines_are_cut_at_the_edge_plus_20_m(tmp_path):
    grid = layouts.grid(crs=None, gsd_m=0.5, width=400, height=200)
    path = geojson(
        tmp_path / "t.geojson",
        feature([[-500, 50], [900, 50]], id="through"),
        feature([[100, 100], [100, 900], [150, 900], [150, 100]], id="twice"),
        feature([[5000, 5000], [6000, 6000]], id="away"),
        feature([[10, 10], [10, 10], [20, 10]], id="repeated"),
        feature([[10, 10], [10, 10]], id="point"),
    )
    tracks = {track.id: track.line_px.round(9).tolist() for track in read_lines(path, grid=grid)}
    assert tracks == {
        "through": [[-40, 50], [440, 50]],
        "twice.1": [[100, 100], [100, 240]],
        "twice.2": [[150, 240], [150, 100]],
        "repeated": [[10, 10], [20, 10]],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "neither GeoJSON nor GeoPackage: in QGIS, export the lines"),
        ("<kml/>", "neither GeoJSON nor GeoPackage"),
        ("[1]", "not GeoJSON"),
        ("{}", "no 'type'"),
        ('{"type": "FeatureCollection"}', "without a list"),
        ('{"type": "FeatureCollection", "features": []}', "no lines: draw .* without --tracks"),
        ('{"type": "FeatureCollection", "features": [3]}', "feature 1 is not an object"),
        (json.dumps(feature([0, 0], "Point")), "is a Point: tracks .*; take what"),
        (json.dumps(feature([[0, 0], ["a", 1]])), "not pairs of numbers"),
        (json.dumps(feature([[0, 0], [1]])), "not pairs of numbers"),
        (json.dumps(feature(None)), "not pairs of numbers"),
        (json.dumps(feature([[0, 0], [1, float("nan")]])), "NaN for a number"),
        (json.dumps(feature([[0, 0], [1, 1]])).replace("1]", "1e999]"), "not numbers"),
        ("[" * 100_000, "neither GeoJSON nor GeoPackage"),
        ("SQLite format 3\0 and then nothing", "cannot be read as GeoPackage"),
    ],
)
def test_files_that_hold_no_lines(tmp_path, content, words):
    path = tmp_path / "t.geojson"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        read_lines(path, grid=layouts.grid(crs=None))
    assert str(caught.value).isprintable()


def test_metres_without_a_crs_are_not_taken_for_degrees(tmp_path):
    path = geojson(tmp_path / "t.geojson", feature([[633000, 4697000], [633100, 4697000]]))
    with pytest.raises(InputError, match="names no other CRS"):
        read_lines(path, grid=layouts.grid())


def test_missing_and_too_large(tmp_path):
    with pytest.raises(MissingInput):
        read_lines(tmp_path / "none.geojson", grid=layouts.grid())
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_lines(tmp_path, grid=layouts.grid())
    path = tmp_path / "large.geojson"
    with path.open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    with pytest.raises(InputError, match="larger than 50 MB"):
        read_lines(path, grid=layouts.grid())


def test_older_programs_read_the_geopackage_without_complaint(tmp_path):
    grid = layouts.grid()
    path = tmp_path / "t.gpkg"
    write_lines(layouts.network(grid, layouts.straight()), path, grid=grid)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (10200,)


def test_a_geopackage_in_another_crs_is_read_and_not_touched(tmp_path):
    swiss = layouts.grid(crs=2056)
    network = layouts.network(swiss, layouts.straight())
    path = tmp_path / "t.gpkg"
    write_lines(network, path, grid=swiss)
    before = path.read_bytes()
    mercator = open_mercator(swiss)
    read = read_lines(path, grid=mercator)
    for track, again in zip(network.tracks, read, strict=True):
        lonlat = mercator.to_lonlat(again.line_px)
        line = swiss.to_local(swiss.from_lonlat(lonlat))
        assert layouts.distances_m(line, swiss.to_local(track.line_px)).max() < 0.01
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.gpkg"]


def open_mercator(like):
    """A Web Mercator grid over the same ground."""
    from affine import Affine
    from pyproj import CRS

    from railcount.raster.grid import Grid

    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(*like.to_lonlat(np.array([0.0, 0.0])))
    return Grid(
        width=2000, height=2000, transform=Affine(0.7, 0, x - 100, 0, -0.7, y + 100), crs=CRS.from_epsg(3857),
        local_from_pixel=np.eye(2) * 0.47,
    )  # fmt: skip


def test_a_geopackage_without_lines_or_with_many_layers(tmp_path):
    import pyogrio
    import shapely

    path = tmp_path / "t.gpkg"
    options = {"field_data": [], "fields": [], "driver": "GPKG", "crs": "EPSG:4326"}
    point = shapely.to_wkb(np.array([shapely.Point(0, 0)], dtype=object))
    pyogrio.raw.write(path, point, geometry_type="Point", layer="p", **options)
    with pytest.raises(InputError, match=r"one layer of lines.*p \(POINT\)"):
        read_lines(path, grid=layouts.grid())
    line = shapely.to_wkb(np.array([shapely.LineString([(130.6, 42.41), (130.62, 42.42)])], dtype=object))
    for layer in ("a", "b"):
        pyogrio.raw.write(path, line, geometry_type="LineString", layer=layer, append=True, **options)
    with pytest.raises(InputError, match="one layer of lines"):
        read_lines(path, grid=layouts.grid())
    pyogrio.raw.write(path, line, geometry_type="LineString", layer="tracks", append=True, **options)
    read_lines(path, grid=layouts.grid())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real tiles are not here")
def test_lines_drawn_on_real_tiles():
    paths = sorted((SHARED / "ucmerced").glob("*.tracks.geojson"))
    assert paths
    for path in paths:
        grid = open_tile(str(path).replace(".tracks.geojson", ".tif"), gsd_m=0.3).grid
        written = [f["geometry"]["coordinates"] for f in json.loads(path.read_text())["features"]]
        assert [track.line_px.tolist() for track in read_lines(path, grid=grid)] == written
    tile = open_tile(SHARED / "muttenz" / "muttenz_empty_tracks_0.tif")
    with pytest.raises(InputError, match="MultiPolygon: tracks must be"):
        read_lines(SHARED / "muttenz" / "all_railcars_lv95.geojson", grid=tile.grid)


def test_copies_of_a_name_are_numbered(tmp_path):
    grid = layouts.grid(crs=None)
    lines = [
        feature([[10, y], [500, y]], id=name) for y, name in ((10, "a"), (30, "a-2"), (50, "a"), (70, "a"))
    ]
    read = read_lines(geojson(tmp_path / "t.geojson", *lines), grid=grid)
    assert [track.id for track in read] == ["a", "a-2", "a-3", "a-4"]


@pytest.mark.parametrize(
    "lines",
    [
        [feature([[n % 100, n / 100], [n % 100 + 0.5, n / 100]]) for n in range(5001)],
        [feature([[0, y / 10], [1200, y / 10]]) for y in range(1000)],  # 600 km in 0.27 km2
    ],
    ids=["many", "long"],
)
def test_more_lines_than_tracks_can_lie_in_a_tile(tmp_path, lines):
    with pytest.raises(InputError, match="more lines within the tile than tracks can lie there"):
        read_lines(geojson(tmp_path / "t.geojson", *lines), grid=layouts.grid(crs=None))
    few = lines[: len(lines) // 3]
    assert len(read_lines(geojson(tmp_path / "t.geojson", *few), grid=layouts.grid(crs=None))) == len(few)
