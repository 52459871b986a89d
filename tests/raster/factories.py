"""Small rasters for tests."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

UTM = "EPSG:32652"
ORIGIN = (633_000.0, 4_697_000.0)
"""Near Tumangang station."""


def picture(
    *, n_bands: int = 3, rows: int = 60, cols: int = 80, dtype: str = "uint8", seed: int = 1
) -> NDArray[Any]:
    """(bands, rows, cols) of noise, nowhere zero."""
    top = {"uint8": 250, "uint16": 2000, "int16": 2000}.get(dtype, 1000)
    values = np.random.default_rng(seed).integers(5, top, (n_bands, rows, cols))
    return values.astype(dtype)


def write_tif(
    path: Path,
    bands: NDArray[Any] | None = None,
    *,
    crs: Any = UTM,
    transform: Affine | None = None,
    gsd_m: float = 0.5,
    tags: dict[str, str] | None = None,
    imagery: dict[str, str] | None = None,
    colours: list[str] | None = None,
    descriptions: list[str] | None = None,
    mask: NDArray[np.bool_] | None = None,
    colormap: dict[int, tuple[int, ...]] | None = None,
    **options: Any,
) -> Path:
    """A GeoTIFF of ``bands``; ``crs`` None leaves out the georeferencing."""
    bands = picture() if bands is None else bands
    profile: dict[str, Any] = {
        "driver": "GTiff", "count": bands.shape[0], "height": bands.shape[1], "width": bands.shape[2],
        "dtype": bands.dtype.name if bands.dtype.kind != "c" else "complex64",
    }  # fmt: skip
    if crs is not None:
        profile["crs"] = crs
    if crs is not None and "gcps" not in options:
        profile["transform"] = transform or Affine(gsd_m, 0, ORIGIN[0], 0, -gsd_m, ORIGIN[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", **(profile | options)) as dataset,
        ):
            if colours is not None:
                dataset.colorinterp = [rasterio.enums.ColorInterp[name] for name in colours]
            dataset.write(bands)
            for index, text in enumerate(descriptions or [], 1):
                dataset.set_band_description(index, text)
            if colormap is not None:
                dataset.write_colormap(1, colormap)
            if mask is not None:
                dataset.write_mask(mask)
            dataset.update_tags(**(tags or {}))
            if imagery:
                dataset.update_tags(ns="IMAGERY", **imagery)
    return path
