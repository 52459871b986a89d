"""A TIFF's texts are measured before GDAL reads them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

from railcount.errors import TileRefused
from railcount.raster.opening import open_tile
from railcount.raster.tags import MAX_METADATA_BYTES, check_metadata

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("options", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}], ids=str)
def test_too_many_items_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    path = tmp_path / "a.tif"
    grid = {"crs": "EPSG:32652", "transform": rasterio.Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000)}
    shape = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **grid, **options) as made:
        made.write(np.ones((1, 64, 64), np.uint8))
        made.update_tags(A="x" * 20, B="x" * 1000)
    check_metadata(path)
    with rasterio.open(path, "r+") as made:
        made.update_tags(B="x" * MAX_METADATA_BYTES)
    with pytest.raises(TileRefused, match=r"GDAL metadata take 1\.0 MB"):
        open_tile(path)


@pytest.mark.parametrize("n_bytes", [2, 4, 7, 8, 12])
def test_a_directory_that_cannot_be_followed_is_left_to_gdal(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes((b"II*\0" + struct.pack("<IH", 8, 40_000))[:n_bytes])
    check_metadata(path)


def test_directories_that_go_round_end(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IHI", 8, 0, 8))
    check_metadata(path)
