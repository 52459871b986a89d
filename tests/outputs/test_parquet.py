"""GeoParquet, read back by geopandas and by pyarrow alone."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import shapely
from pyarrow import parquet
from pyogrio import raw

from railcount.errors import InputError
from railcount.outputs.columns import HISTORY_CARS
from railcount.outputs.parquet import write_counts, write_passes
from railcount.outputs.vector import write_geopackage
from railcount.outputs.write import format_of

from ..history.factories import car, one_pass, tile
from . import factories

if TYPE_CHECKING:
    from pathlib import Path


def test_the_geopackages_rows_columns_and_places(tmp_path: Path) -> None:
    counts = [factories.counted(), factories.without_count("uncountable")]
    write_counts(counts, tmp_path / "cars.parquet")
    write_geopackage(counts, tmp_path / "cars.gpkg")
    found = geopandas.read_parquet(tmp_path / "cars.parquet")
    meta, _, shapes, columns = raw.read(tmp_path / "cars.gpkg", layer="railcars")
    assert found.crs == meta["crs"]
    assert found.columns.tolist() == [*meta["fields"], "geometry"]
    assert shapely.equals_exact(found.geometry.to_numpy(), shapely.from_wkb(shapes), tolerance=1e-9).all()
    for name, values in zip(meta["fields"], columns, strict=True):
        # What is not known is None or not a number, as the reader has it.
        ours, theirs = ([None if v != v else v for v in one.tolist()] for one in (found[name], values))  # noqa: PLR0124
        assert ours == theirs, name
    assert set(found["credit"]) == {"Drawn by hand for tests (simulated)"}


def test_the_counts_ride_along(tmp_path: Path) -> None:
    write_counts([factories.without_count("uncountable")], tmp_path / "none.parquet")
    held = parquet.read_table(tmp_path / "none.parquet")
    assert held.num_rows == 0
    (result,) = json.loads(held.schema.metadata[b"railcount"])["results"]
    assert (result["status"], result["railcars"]) == ("uncountable", None)


def test_coordinates_say_what_they_are(tmp_path: Path) -> None:
    write_counts([factories.counted(crs=None)], tmp_path / "pixels.parquet")
    pixels = geopandas.read_parquet(tmp_path / "pixels.parquet")
    assert pixels.crs is None
    corners = shapely.get_coordinates(pixels.geometry[0])[:4]
    np.testing.assert_allclose(corners, factories.cars()[0].outline_px)
    write_counts([factories.counted(), factories.counted(crs="EPSG:32651")], tmp_path / "mixed.parquet")
    mixed = geopandas.read_parquet(tmp_path / "mixed.parquet")
    assert mixed.crs == "OGC:CRS84"
    assert 100 < mixed.geometry[0].centroid.x < 140
    with pytest.raises(InputError, match="separate files"):
        write_counts([factories.counted(), factories.counted(crs=None)], tmp_path / "no.parquet")
    assert not (tmp_path / "no.parquet").exists()


def test_same_count_same_bytes(tmp_path: Path) -> None:
    for name in ("a.parquet", "b.parquet"):
        write_counts(factories.every_status(), tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_history_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railcount.outputs.history_vector.PASSES_AT_ONCE", 2)
    passes = [one_pass(tile(f"{n}.tif", n=n + 1), pass_id=f"pass {n}") for n in range(5)]
    passes[0] = replace(passes[0], cars=())
    write_passes(passes, tmp_path / "h.parquet")
    found = geopandas.read_parquet(tmp_path / "h.parquet")
    assert parquet.ParquetFile(tmp_path / "h.parquet").num_row_groups == 3
    assert found["pass"].value_counts().to_dict() == {f"pass {n}": n + 1 for n in range(1, 5)}
    assert set(shapely.get_coordinates(found.geometry[0]).ravel()) == {v for p in car(0).ring for v in p}
    assert found.crs == "OGC:CRS84"
    assert found.columns.tolist() == [*HISTORY_CARS, "geometry"]
    assert (set(found["site"]), set(found["credit"])) == ({"tumangang"}, {"Planet Labs"})
    write_passes([], tmp_path / "none.parquet")
    assert geopandas.read_parquet(tmp_path / "none.parquet").columns.tolist() == found.columns.tolist()


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for work in (
        lambda: format_of("x.parquet"),
        lambda: write_counts([factories.counted()], tmp_path / "x.parquet"),
        lambda: write_passes([], tmp_path / "x.parquet"),
    ):
        with pytest.raises(InputError, match=r"pip install 'railcount\[parquet\]'"):
            work()
    assert list(tmp_path.iterdir()) == []
