"""A tile: pixels on demand, with their grid and acquisition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from railcount.beside import side_by_side

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.raster.acquisition import Acquisition
    from railcount.raster.grid import Grid


class Window(NamedTuple):
    """A rectangle of pixels; it may reach over the tile's edge."""

    col: int
    """First column."""
    row: int
    """First row."""
    width: int
    """Number of columns."""
    height: int
    """Number of rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Pixels of a window of a tile."""

    bands: NDArray[np.float32]
    """(bands, rows, cols), in the file's own units; NaN never: invalid pixels hold 0."""
    valid: NDArray[np.bool_]
    """(rows, cols): True = usable image."""
    names: tuple[str, ...]
    """One of ("gray",), ("red", "green", "blue"), ("red", "green", "blue", "nir")."""

    def sample(
        self, px: NDArray[np.float64], *, blur_px: float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Bands, (bands, ...), interpolated at pixel coordinates (..., 2), and whether each place is usable.

        ``blur_px`` is the sigma of a Gaussian laid over the bands first. Beyond the edge lie the edge's
        values, not usable.
        """
        from scipy.ndimage import gaussian_filter

        flat, (rows, cols) = np.reshape(px, (-1, 2)), self.valid.shape
        pad = 2 + int(np.ceil(4 * blur_px))
        low, high = np.zeros(2, dtype=int), np.array([cols, rows])
        if len(flat):
            low = np.clip(np.floor(flat.min(axis=0)).astype(int) - pad, 0, high - 1)
            high = np.clip(np.ceil(flat.max(axis=0)).astype(int) + pad, low + 1, high)
        cut = self.bands[:, low[1] : high[1], low[0] : high[0]]
        if blur_px:
            blurred = [partial(gaussian_filter, band, blur_px, output=np.float32) for band in cut]
            cut = np.stack(side_by_side(blurred))
        bands = np.empty((len(self.bands), *px.shape[:-1]), dtype=np.float32)
        interpolate(cut, np.moveaxis(px - low - 0.5, -1, 0)[::-1], out=bands)
        col = np.clip(np.floor(px[..., 0]).astype(int), 0, cols - 1)
        row = np.clip(np.floor(px[..., 1]).astype(int), 0, rows - 1)
        inside = ((px >= 0) & (px <= [cols, rows])).all(axis=-1)
        return bands, np.asarray(inside & self.valid[row, col])


def interpolate(bands: NDArray[Any], at: NDArray[np.float64], *, out: NDArray[Any]) -> None:
    """Fill ``out`` (bands, ...) with bands (bands, rows, cols) at rows and columns ``at`` (2, ...).

    Beyond the edge lie the edge's values. Halves of every band are worked on side by side.
    """
    from scipy.ndimage import map_coordinates

    half = at.shape[1] // 2 if at.ndim > 1 else 0
    parts = (slice(half), slice(half, None)) if half else (...,)
    side_by_side(
        [
            partial(map_coordinates, band, at[:, part], order=1, mode="nearest", output=to[part])
            for band, to in zip(bands, out, strict=True)
            for part in parts
        ]
    )


class Sampled(Protocol):
    """Something that has pixels at places: `Pixels`, or a mosaic of them."""

    def sample(
        self, px: NDArray[np.float64], *, blur_px: float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As `Pixels.sample`."""
        ...


class Tile(Protocol):
    """What the stages need of a tile."""

    @property
    def path(self) -> Path:
        """Where the tile was read from."""
        ...

    @property
    def sha256(self) -> str:
        """Of the file's content, in hexadecimal."""
        ...

    @property
    def grid(self) -> Grid:
        """Where the pixels lie."""
        ...

    @property
    def acquisition(self) -> Acquisition:
        """When and how the tile was taken."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Warnings met while opening or reading; any makes the count ``degraded``.

        Reading can add to them: ask after the last ``read``.
        """
        ...

    def held_open(self) -> AbstractContextManager[None]:
        """Within it the file stays open: for many windows."""
        ...

    def read(self, window: Window | None = None) -> Pixels:
        """Pixels of a window, or of the whole tile.

        Where a window reaches over the edge, the pixels outside are invalid.
        Raises TileUnreadable for damaged pixels and, for the whole tile, TileEmpty where
        nothing is valid or everything is one value.
        """
        ...
