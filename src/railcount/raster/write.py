"""Writing a GeoTIFF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from railcount.errors import InputError, OutputError, TileError
from railcount.files import check_target, replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

Compression = Literal["deflate", "jpeg", "none"]


def write_geotiff(
    path: str | Path,
    bands: NDArray[Any],
    grid: Grid,
    *,
    nodata: float | None = None,
    tags: Mapping[str, str] | None = None,
    imagery: Mapping[str, str] | None = None,
    compression: Compression = "deflate",
    jpeg_quality: int = 85,
    overwrite: bool = False,
) -> None:
    """Write ``bands`` (bands, rows, cols) with their grid to a tiled GeoTIFF.

    ``tags`` go to the default domain (TIFFTAG_* names become TIFF tags), ``imagery`` to the IMAGERY domain.
    The file appears whole or not at all, and the same arguments give the same bytes.
    Raises InputError for bands that do not fit the grid or the compression, OutputExists, OutputError.
    """
    import rasterio
    from rasterio.enums import ColorInterp

    if bands.ndim != 3 or bands.shape[1:] != (grid.height, grid.width):
        raise InputError(
            f"bands must be (bands, {grid.height}, {grid.width}) to fit the grid, not {bands.shape}"
        )
    if compression == "jpeg" and (bands.dtype != np.uint8 or len(bands) not in (1, 3)):
        raise InputError(f"JPEG takes 1 or 3 bands of 8 bit, not {len(bands)} of {bands.dtype}")
    check_target(path, overwrite=overwrite)
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": len(bands),
        "dtype": bands.dtype.name,
        "crs": None if grid.crs is None else grid.crs.to_wkt(), "transform": grid.transform, "nodata": nodata,
        "tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "pixel", "num_threads": 1,
    }  # fmt: skip
    if compression == "deflate":
        profile |= {"compress": "deflate", "predictor": 2, "zlevel": 9}
    elif compression == "jpeg":
        profile |= {"compress": "jpeg", "jpeg_quality": jpeg_quality}
        if len(bands) == 3:
            profile["photometric"] = "ycbcr"
    names = {
        1: (ColorInterp.gray,),
        3: (ColorInterp.red, ColorInterp.green, ColorInterp.blue),
        4: (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined),
    }
    if len(bands) == 4:
        profile["photometric"] = "rgb"
        profile["alpha"] = "unspecified"
    try:
        with replacing(path, overwrite=overwrite) as part:
            with rasterio.open(part.absolute(), "w", **profile) as target:
                target.write(bands)
                if compression != "jpeg" and len(bands) in names:
                    target.colorinterp = names[len(bands)]
                if tags:
                    target.update_tags(**tags)
                if imagery:
                    target.update_tags(ns="IMAGERY", **imagery)
            check_whole(part, bands, name=path, exact=compression != "jpeg")
    except rasterio.errors.RasterioError as error:
        raise OutputError(f"{path} could not be written: {error}") from error


def check_whole(part: Path, bands: NDArray[Any], *, name: str | os.PathLike[str], exact: bool = True) -> None:
    """Read a GeoTIFF back, with ``exact`` down to each pixel: what fails as GDAL closes a file is not told.

    Raises OutputError, which calls the file ``name``, unless it holds ``bands`` (bands, rows, cols).
    """
    from railcount.raster.safety import guarded, opened

    try:
        with guarded(doing="read it back"), opened(part.absolute(), driver="tiff") as dataset:
            whole = (dataset.count, dataset.height, dataset.width) == bands.shape
            for index, band in enumerate(bands if whole else (), 1):
                pixels = dataset.read(index)
                whole = whole and (not exact or pixels.tobytes() == band.tobytes())
    except TileError as error:
        raise OutputError(f"{name} could not be written whole; is the disk full? ({error})") from error
    if not whole:
        raise OutputError(f"{name} could not be written whole; is the disk full?")
