"""The tile's grid: where a pixel lies on the ground, in metres and in degrees.

Three coordinate systems meet here, and nowhere else:

* *pixel*: ``(col, row)``, x right, y down, the origin at the outer corner of the
  first pixel, so the centre of the first pixel is ``(0.5, 0.5)``;
* *local*: metres, x east, y south, the origin at pixel ``(0, 0)``. Angles and
  lengths are true here, so every stage of the count works in it. Without a CRS
  (``gsd_m`` given by the caller) x and y run along columns and rows;
* *world*: the raster's CRS, or pixels where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from railcount.errors import InputError

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray
    from pyproj import CRS, Transformer


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """Geometry of a raster."""

    width: int
    """Number of columns."""
    height: int
    """Number of rows."""
    transform: Affine
    """Pixel to world; the identity where there is no CRS."""
    crs: CRS | None
    """The raster's CRS; None where the caller gave ``gsd_m`` instead."""
    local_from_pixel: NDArray[np.float64]
    """(2, 2): multiplied from the left onto ``(col, row)`` gives local metres."""

    @property
    def gsd_m(self) -> float:
        """Ground sampling distance in metres: the root of a pixel's area."""
        (a, b), (c, d) = self.local_from_pixel.tolist()
        return float(np.sqrt(abs(a * d - b * c)))

    @property
    def crs_name(self) -> str | None:
        """``EPSG:32652`` where the CRS has a code, else its name; None without one."""
        if self.crs is None:
            return None
        authority = self.crs.to_authority()
        return ":".join(authority) if authority else str(self.crs.name)

    def part(self, *, col: int, row: int, width: int, height: int) -> Grid:
        """The grid of a window; its local and pixel coordinates start at the window's own corner."""
        from affine import Affine

        t = self.transform
        moved = Affine(t.a, t.b, t.a * col + t.b * row + t.c, t.d, t.e, t.d * col + t.e * row + t.f)
        return replace(self, width=width, height=height, transform=moved)

    def to_lonlat(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel coordinates (..., 2) to WGS84 longitude and latitude in degrees (..., 2).

        Raises InputError without a CRS.
        """
        return _transformed(self.crs, self.to_world(pixels), direction="FORWARD")

    def from_lonlat(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """WGS84 longitude and latitude in degrees (..., 2) to pixel coordinates (..., 2).

        They are not finite where the CRS has no place for them. Raises InputError without a CRS.
        """
        lonlat = np.asarray(lonlat, dtype=np.float64)
        world = self._world_from_lonlat(lonlat)
        # PROJ's inverse of a datum shift is up to 1 mm off its forward: take that off again
        again = self._world_from_lonlat(_transformed(self.crs, world, direction="FORWARD"))
        with np.errstate(invalid="ignore"):  # infinite, both
            return self.from_world(2 * world - again)

    def _world_from_lonlat(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        return _transformed(self.crs, lonlat, direction="INVERSE")

    def to_local(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel coordinates (..., 2) to local metres (..., 2)."""
        return np.asarray(pixels, dtype=np.float64) @ self.local_from_pixel.T

    def to_pixel(self, local: NDArray[np.float64]) -> NDArray[np.float64]:
        """Local metres (..., 2) to pixel coordinates (..., 2)."""
        inverse = np.linalg.inv(self.local_from_pixel)
        return np.asarray(local, dtype=np.float64) @ inverse.T

    def to_world(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel coordinates (..., 2) to world coordinates (..., 2)."""
        pixels = np.asarray(pixels, dtype=np.float64)
        t = self.transform
        x = t.a * pixels[..., 0] + t.b * pixels[..., 1] + t.c
        y = t.d * pixels[..., 0] + t.e * pixels[..., 1] + t.f
        return np.stack([x, y], axis=-1)

    def from_world(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        """World coordinates (..., 2) to pixel coordinates (..., 2)."""
        world = np.asarray(world, dtype=np.float64)
        t = ~self.transform
        with np.errstate(invalid="ignore"):  # of what is infinite
            x = t.a * world[..., 0] + t.b * world[..., 1] + t.c
            y = t.d * world[..., 0] + t.e * world[..., 1] + t.f
        return np.stack([x, y], axis=-1)


def _transformed(
    crs: CRS | None, points: NDArray[np.float64], *, direction: Literal["FORWARD", "INVERSE"]
) -> NDArray[np.float64]:
    """(..., 2) from the CRS to longitude and latitude, or back."""
    flat = points.reshape(-1, 2)
    if len(flat) == 1:  # of which pyproj makes a number, with a warning under numpy before 2.4
        flat = np.repeat(flat, 2, axis=0)
    x, y = _to_wgs84(crs).transform(flat[:, 0], flat[:, 1], direction=direction)
    return np.stack([x, y], axis=-1)[: points.size // 2].reshape(points.shape)


@lru_cache(maxsize=8)
def _to_wgs84(crs: CRS | None) -> Transformer:
    from pyproj import Transformer

    if crs is None:
        raise InputError("longitude and latitude need a raster with a CRS; this one was given a gsd_m")
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
