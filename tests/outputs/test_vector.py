"""The GeoPackage, read back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from pyogrio import list_layers, raw

from railcount.errors import InputError, OutputError, OutputExists
from railcount.outputs.columns import SCAN_CARS, SCAN_TRACKS
from railcount.outputs.csv import row
from railcount.outputs.vector import write_geopackage

from . import factories

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, layer: str) -> tuple[str | None, Any, dict[str, Any]]:
    meta, _, shapes, columns = raw.read(path, layer=layer)
    return meta["crs"], shapes, dict(zip(meta["fields"], columns, strict=True))


def test_layers_read_back(tmp_path: Path) -> None:
    target = tmp_path / "cars.gpkg"
    count = factories.counted()
    write_geopackage([count, factories.without_count("uncountable")], target)
    assert list_layers(target)[:, 0].tolist() == ["railcars", "tracks", "tiles", "layer_styles"]
    crs, shapes, cars = read(target, "railcars")
    assert crs == "EPSG:32652"
    assert len(shapes) == len(count.cars)
    assert shapely.area(shapely.from_wkb(shapes)) == pytest.approx(12.8 * 3.1)
    assert cars["kind"].tolist() == [car.kind for car in count.cars]
    assert list(cars) == list(SCAN_CARS)
    assert (cars["covered"][1], cars["flags"][10]) == (False, "cut")
    assert np.isnan(cars["covered"][0])  # a locomotive: it cannot be told
    assert set(cars["credit"]) == {"Drawn by hand for tests (simulated)"}
    _, lines, tracks = read(target, "tracks")
    assert tracks["length_m"] == pytest.approx(shapely.length(shapely.from_wkb(lines)), abs=0.01)
    assert list(tracks) == list(SCAN_TRACKS)
    assert tracks["id"].tolist() == ["1", "2", "3", "4", "5"]
    assert tracks["visible_fraction"].tolist() == [0.98] * 5


def test_older_programs_read_it_without_complaint(tmp_path: Path) -> None:
    target = tmp_path / "cars.gpkg"
    write_geopackage([factories.counted()], target)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (10200,)


def test_a_tile_without_a_count_has_nulls(tmp_path: Path) -> None:
    target = tmp_path / "cars.gpkg"
    write_geopackage([factories.counted(), factories.without_count("uncountable")], target)
    with closing(sqlite3.connect(target)) as connection:
        names = "status, railcars_best, type_tank, comparison_ratio_to_max, comparison_level"
        found = connection.execute(f"select {names} from tiles").fetchall()
    assert found == [("counted", 73, 6, 3.65, "unprecedented"), ("uncountable", None, None, None, None)]


def test_table_of_tiles_equals_the_csv(tmp_path: Path) -> None:
    target = tmp_path / "cars.gpkg"
    counts = factories.every_status()
    write_geopackage(counts, target)
    with closing(sqlite3.connect(target)) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(record) for record in connection.execute("select * from tiles")]
    for record, count in zip(found, counts, strict=True):
        record.pop("fid")
        assert record == row(count)


def test_no_cars_at_all(tmp_path: Path) -> None:
    target = tmp_path / "none.gpkg"
    write_geopackage([factories.without_count("failed")], target)
    assert len(read(target, "railcars")[1]) == 0


def test_pixels_without_a_crs(tmp_path: Path) -> None:
    target = tmp_path / "pixels.gpkg"
    write_geopackage([factories.counted(crs=None)], target)
    crs, shapes, _ = read(target, "railcars")
    assert crs is None
    corners = shapely.get_coordinates(shapely.from_wkb(shapes[0]))[:4]
    np.testing.assert_allclose(corners, factories.cars()[0].outline_px)


def test_different_crs_become_lon_lat(tmp_path: Path) -> None:
    target = tmp_path / "mixed.gpkg"
    write_geopackage([factories.counted(), factories.counted(crs="EPSG:32651")], target)
    crs, shapes, _ = read(target, "railcars")
    assert crs == "EPSG:4326"
    assert np.all(np.abs(shapely.get_coordinates(shapely.from_wkb(shapes))) <= 180)
    with pytest.raises(InputError, match="separate files"):
        write_geopackage([factories.counted(), factories.counted(crs=None)], tmp_path / "no.gpkg")


def test_same_count_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gpkg", "b.gpkg"):
        write_geopackage(factories.every_status(), tmp_path / name)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as connection:
        (changed,) = {r[0] for r in connection.execute("select last_change from gpkg_contents")}
    assert changed.startswith("1970-01-01")


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "cars.gpkg"
    write_geopackage([factories.empty()], target)
    before = target.read_bytes()
    with pytest.raises(OutputExists):
        write_geopackage([factories.counted()], target)

    def fail(*args: object, **kwargs: object) -> None:
        msg = "boom"
        raise RuntimeError(msg)

    monkeypatch.setattr("railcount.outputs.vector._tile_table", fail)
    with pytest.raises(RuntimeError):
        write_geopackage([factories.counted()], target, overwrite=True)
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["cars.gpkg"]


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its name is not UTF-8"):
        write_geopackage([factories.counted()], tmp_path / os.fsdecode(b"\xfe.gpkg"))
    assert list(tmp_path.iterdir()) == []
