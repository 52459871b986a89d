"""GeoPackages that GDAL left half made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyogrio
import pytest
import shapely

from railcount.errors import OutputError
from railcount.geopackage import check_whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lines = [shapely.to_wkb(shapely.LineString([(0, k), (9, k)])) for k in range(5)]
    made = tmp_path / "a.gpkg"
    shapes, ids = np.array(lines, dtype=object), np.array(list("abcde"), dtype=object)
    pyogrio.raw.write(
        made, shapes, [ids], ["id"], geometry_type="LineString", crs="EPSG:32652", layer="tracks"
    )
    return made


def test_a_whole_one(path: Path) -> None:
    before = path.read_bytes()
    check_whole(path, n_rows={"tracks": 5})
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["a.gpkg"]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM gpkg_contents",
        "UPDATE gpkg_contents SET min_x = NULL",
        "UPDATE gpkg_ogr_contents SET feature_count = 4",
        "DROP TABLE gpkg_geometry_columns",
        "DELETE FROM rtree_tracks_geom WHERE id = 1",
    ],
)
def test_a_statement_that_failed(path: Path, damage: str) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(damage)
        file.commit()
    with pytest.raises(OutputError, match="could not be written whole"):
        check_whole(path, n_rows={"tracks": 5})


def test_rows_and_layers_that_are_missing(path: Path) -> None:
    for n_rows in ({"tracks": 6}, {"tracks": 5, "cars": 1}):
        with pytest.raises(OutputError, match="could not be written whole"):
            check_whole(path, n_rows=n_rows)


@pytest.mark.parametrize("n_bytes", [0, 50, 5000])
def test_a_file_that_ends_too_soon(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(OutputError, match="could not be written whole"):
        check_whole(path, n_rows={"tracks": 5})
