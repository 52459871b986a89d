"""Writing a GeoTIFF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from railcount.errors import InputError, OutputError
from railcount.files import check_target, replacing

if TYPE_CHECKING:
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
        with (
            replacing(path, overwrite=overwrite) as part,
            rasterio.open(part.absolute(), "w", **profile) as target,
        ):
            target.write(bands)
            if compression != "jpeg" and len(bands) in names:
                target.colorinterp = names[len(bands)]
            if tags:
                target.update_tags(**tags)
            if imagery:
                target.update_tags(ns="IMAGERY", **imagery)
    except rasterio.errors.RasterioError as error:
        raise OutputError(f"{path} could not be written: {error}") from error
