"""From a raster's georeferencing to its Grid, in metres on the ground."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError

from railcount.errors import InputError, TileRefused
from railcount.raster.grid import Grid
from railcount.text import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

WAY_OUT = "give the pixel size in metres with --gsd (results are then in pixel coordinates)"
_MAX_SCALE_ERROR = 0.01
"""Above this difference to the ellipsoid a projection's own metres are not believed (Web Mercator at
42 degrees north is off by 35 %; UTM by less than 0.1 %)."""
FINEST_M, COARSEST_M = 1e-3, 1e4
"""Pixels that may be. What is sought has its size in metres: in pixels of a thousandth of a millimetre the
filters for it would be millions of them wide."""
_MAX_ASPECT = 10.0
"""Of a pixel; degrees of equal size are 1 : 6 at 80 degrees north."""
_MAX_TURN_DEG = 5.0
"""Grid north may differ this much from true north and still be called north."""


def grid_from_gsd(*, width: int, height: int, gsd_m: float) -> Grid:
    """A grid in pixel coordinates: no CRS, square pixels of ``gsd_m`` metres.

    Raises InputError unless ``gsd_m`` is finite and between 1 mm and 10 km.
    """
    if not FINEST_M <= gsd_m <= COARSEST_M:
        raise InputError(f"gsd_m must be a pixel size from 0.001 to 10000 metres, got {gsd_m!r}")
    return Grid(
        width=width,
        height=height,
        transform=Affine.identity(),
        crs=None,
        local_from_pixel=np.eye(2) * float(gsd_m),
    )


def grid_from_dataset(dataset: Any) -> Grid:
    """The grid of an open rasterio dataset.

    Raises TileRefused, with the way out, where metres cannot be had from it.
    """
    crs = _usable_crs(dataset)
    transform = dataset.transform
    numbers = np.array([transform.a, transform.b, transform.c, transform.d, transform.e, transform.f])
    if transform.is_identity or not np.isfinite(numbers).all() or transform.determinant == 0:
        raise TileRefused(f"the raster has a CRS but no usable geotransform: {WAY_OUT}")
    if (np.abs(numbers) > 1e12).any() or abs(transform.determinant) < 1e-24:
        raise TileRefused(f"the raster's geotransform makes no sense ({_words(numbers)}): {WAY_OUT}")
    local = _local_from_pixel(crs, transform, width=dataset.width, height=dataset.height)
    _check_shape(local)
    return Grid(
        width=dataset.width, height=dataset.height, transform=transform, crs=crs, local_from_pixel=local
    )


def _check_shape(local: NDArray[np.float64]) -> None:
    """Refuse pixels so long or so skewed that an image of them at even pixels would be a line, and those of
    no camera's size."""
    long_m, short_m = np.linalg.svd(local, compute_uv=False).tolist()
    if long_m > _MAX_ASPECT * short_m:
        raise TileRefused(
            f"the raster's pixels are {long_m:.3g} x {short_m:.3g} m on the ground, so its geotransform is "
            f"wrong: {WAY_OUT}"
        )
    if not FINEST_M <= short_m <= long_m <= COARSEST_M:
        raise TileRefused(
            f"the raster's pixels are {long_m:.3g} m on the ground, and {FINEST_M:g} to {COARSEST_M:g} m are "
            f"believed: {WAY_OUT}"
        )


def _words(numbers: NDArray[np.float64]) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


def _usable_crs(dataset: Any) -> CRS:
    if dataset.crs is None or not dataset.crs.to_wkt():
        raise TileRefused(f"{_missing_crs_words(dataset)}: {WAY_OUT}")
    try:
        code = dataset.crs.to_epsg(confidence_threshold=100)
        crs = CRS.from_epsg(code) if code else CRS.from_wkt(dataset.crs.to_wkt(version="WKT2_2019"))
    except (CRSError, ProjError) as error:
        raise TileRefused(f"the raster's CRS is not understood ({one_line(error)}): {WAY_OUT}") from None
    return horizontal(crs)


def horizontal(crs: CRS) -> CRS:
    """The horizontal, unbound part of a CRS.

    Raises TileRefused where it is neither projected nor geographic.
    """
    while True:
        if crs.is_compound:
            crs = crs.sub_crs_list[0]
        elif crs.is_bound and crs.source_crs is not None:
            crs = crs.source_crs
        else:
            break
    if not (crs.is_projected or crs.is_geographic):
        raise TileRefused(
            f"the raster's CRS is {one_line(crs.type_name).lower()} {one_line(crs.name)!r}, "
            f"not a place on the ground: {WAY_OUT}"
        )
    return crs


def _missing_crs_words(dataset: Any) -> str:
    if dataset.gcps[0]:
        return "the raster has ground control points but no grid (warp it with gdalwarp)"
    if dataset.tags(ns="RPC"):
        return "the raster has rational polynomials (RPC) but no grid (orthorectify it with gdalwarp -rpc)"
    return "the raster has no CRS"


def _local_from_pixel(crs: CRS, transform: Affine, *, width: int, height: int) -> NDArray[np.float64]:
    """(2, 2) pixel to (east, south) metres, at the raster's centre."""
    true = _true_metres(crs, transform, col=width / 2, row=height / 2)
    if not crs.is_projected:
        return true
    factor = float(crs.axis_info[0].unit_conversion_factor)
    plane = np.array([[transform.a, transform.b], [-transform.d, -transform.e]]) * factor
    # difference = plane seen from the ground: the identity where the projection tells the truth
    difference = plane @ np.linalg.inv(true)
    scales = np.linalg.svd(difference, compute_uv=False)
    turn = math.degrees(math.atan2(difference[1, 0], difference[0, 0]))
    truthful = np.abs(scales - 1).max() < _MAX_SCALE_ERROR and abs(turn) < _MAX_TURN_DEG
    return plane if truthful and np.linalg.det(difference) > 0 else true


def _true_metres(crs: CRS, transform: Affine, *, col: float, row: float) -> NDArray[np.float64]:
    """Geodesic metres (east, south) per pixel step, from central differences on the ellipsoid."""
    step = min(50.0, col, row)
    cols = col + step * np.array([1, -1, 0, 0])
    rows = row + step * np.array([0, 0, 1, -1])
    x = transform.a * cols + transform.b * rows + transform.c
    y = transform.d * cols + transform.e * rows + transform.f
    try:
        lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    except ProjError as error:
        raise TileRefused(f"the raster's CRS cannot be placed ({one_line(error)}): {WAY_OUT}") from None
    lon, lat = np.asarray(lon), np.asarray(lat)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all() and np.abs(lat).max() <= 90):
        raise TileRefused(f"the raster does not lie on the Earth in its own CRS: {WAY_OUT}")
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        geod = Geod(ellps="WGS84")
    else:
        geod = Geod(a=ellipsoid.semi_major_metre, b=ellipsoid.semi_minor_metre)
    azimuth, _, distance = geod.inv(lon[[1, 3]], lat[[1, 3]], lon[[0, 2]], lat[[0, 2]])
    azimuth, distance = np.radians(np.asarray(azimuth)), np.asarray(distance) / (2 * step)
    local = np.array([distance * np.sin(azimuth), -distance * np.cos(azimuth)])
    if not np.isfinite(local).all() or abs(np.linalg.det(local)) < 1e-12:
        raise TileRefused(f"the raster's pixels have no size on the ground: {WAY_OUT}")
    return local
