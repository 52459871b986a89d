"""A second raster on a tile's grid: the nearest pixel, whatever its resolution and CRS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.raster.tile import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

_PIECE_PX = 2048
"""Columns of the tile that are looked at together by ``pieces``."""
_MESH_PX = 64
"""Coordinates are transformed on this mesh and interpolated between; over 64 pixels of any map
projection that is exact to far less than a pixel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Some pixels of the tile and where they lie in a window of the other raster; all (n,)."""

    window: Window
    row: NDArray[np.intp]
    col: NDArray[np.intp]
    tile_row: NDArray[np.intp]
    tile_col: NDArray[np.intp]


class Places:
    """Where a tile's pixel centres lie in another raster."""

    def __init__(self, other: Grid | tuple[int, int], *, grid: Grid, tile_shape: tuple[int, int]) -> None:
        """``other`` is the raster's grid, or its (width, height) where it lies on the tile edge to edge.

        ``tile_shape`` is (rows, cols) of the tile.
        """
        self._shape = tile_shape
        self._columns, self._rows = _on_mesh(other, grid=grid, tile_shape=tile_shape)

    def window(self, *, width: int, height: int) -> Window | None:
        """The part that is needed of a raster of that size; None where it does not meet the tile."""
        columns, rows = self._columns, self._rows
        left, top = max(int(columns.min()) - 1, 0), max(int(rows.min()) - 1, 0)
        right, bottom = min(int(columns.max()) + 2, width), min(int(rows.max()) + 2, height)
        if right <= left or bottom <= top:
            return None
        return Window(left, top, right - left, bottom - top)

    def nearest(
        self, window: Window
    ) -> Iterator[tuple[slice, NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]]:
        """The tile in bands of rows: which rows; where they lie in the window; row and column in it.

        The last two are (n,), of the pixels that lie in it.
        """
        n_rows, n_cols = self._shape
        mesh_x, mesh_y = _mesh(n_cols), _mesh(n_rows)
        all_cols = np.arange(n_cols)
        for first in range(0, n_rows, _MESH_PX):
            wanted = np.arange(first, min(first + _MESH_PX, n_rows))
            col, row = (
                np.floor(_bilinear(mesh, mesh_x, mesh_y, all_cols, wanted)).astype(np.intp) - corner
                for mesh, corner in ((self._columns, window.col), (self._rows, window.row))
            )
            inside = (col >= 0) & (row >= 0) & (col < window.width) & (row < window.height)
            yield slice(first, first + len(wanted)), inside, row[inside], col[inside]

    def pieces(self, *, width: int, height: int) -> Iterator[Piece]:
        """The tile in pieces, row by row, each with the part that it needs of a raster of that size.

        Pieces that do not meet the raster are left out.
        """
        n_rows, n_cols = self._shape
        mesh_x, mesh_y = _mesh(n_cols), _mesh(n_rows)
        for first in range(0, n_rows, _MESH_PX):
            rows = np.arange(first, min(first + _MESH_PX, n_rows))
            for left in range(0, n_cols, _PIECE_PX):
                cols = np.arange(left, min(left + _PIECE_PX, n_cols))
                col, row = (
                    np.floor(_bilinear(mesh, mesh_x, mesh_y, cols, rows)).astype(np.intp)
                    for mesh in (self._columns, self._rows)
                )
                inside = (col >= 0) & (row >= 0) & (col < width) & (row < height)
                col, row = col[inside], row[inside]
                if not len(col):
                    continue
                x, y = int(col.min()), int(row.min())
                window = Window(x, y, int(col.max()) - x + 1, int(row.max()) - y + 1)
                at = np.nonzero(inside)
                yield Piece(
                    window=window, row=row - y, col=col - x, tile_row=rows[at[0]], tile_col=cols[at[1]]
                )


def _on_mesh(
    other: Grid | tuple[int, int], *, grid: Grid, tile_shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(col, row) in the other raster on a mesh of the tile's pixel centres; -1e9 outside its CRS."""
    n_rows, n_cols = tile_shape
    mesh_x, mesh_y = _mesh(n_cols), _mesh(n_rows)
    pixels = np.stack(np.meshgrid(mesh_x + 0.5, mesh_y + 0.5), axis=-1)
    if isinstance(other, tuple):
        position = pixels * np.array(other) / np.array([n_cols, n_rows])
    elif other.crs == grid.crs:
        position = other.from_world(grid.to_world(pixels))
    else:
        from pyproj import Transformer

        world = grid.to_world(pixels)
        transformer = Transformer.from_crs(grid.crs, other.crs, always_xy=True)
        x, y = transformer.transform(world[..., 0], world[..., 1])
        position = other.from_world(np.stack([np.asarray(x), np.asarray(y)], axis=-1))
    position = np.where(np.isfinite(position), position, -1e9)
    return position[..., 0], position[..., 1]


def _mesh(n: int) -> NDArray[np.float64]:
    return np.append(np.arange(0, n - 1, _MESH_PX), n - 1).astype(np.float64)


def _bilinear(
    mesh: NDArray[np.float64],
    mesh_x: NDArray[np.float64],
    mesh_y: NDArray[np.float64],
    x: NDArray[np.intp],
    y: NDArray[np.intp],
) -> NDArray[np.float64]:
    """(len(y), len(x)) values between the nodes of a mesh."""
    lower = np.clip(np.searchsorted(mesh_y, y, side="right") - 1, 0, max(len(mesh_y) - 2, 0))
    upper = np.minimum(lower + 1, len(mesh_y) - 1)
    span = np.maximum(mesh_y[upper] - mesh_y[lower], 1)
    weight = ((y - mesh_y[lower]) / span)[:, None]
    between = mesh[lower] * (1 - weight) + mesh[upper] * weight
    return np.stack([np.interp(x, mesh_x, line) for line in between])
