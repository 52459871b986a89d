"""Tracks in a tile too large to be held: a coarse look at all of it, the finder where tracks may run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation, find_objects, label

from railcount.beside import meanwhile
from railcount.errors import TileEmpty
from railcount.raster.tile import Window
from railcount.tracks.areas import Areas, areas_of
from railcount.tracks.find import SHORTEST_M, Piece, find_pieces, new_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from railcount.mosaic import Mosaic

COARSE_M = 1.0
"""Pixels of the coarse look: rows of cars and the ballast between tracks still show."""
CLEAR_SUPPORT = 0.35
"""Of a cell that makes the finder look: tracks have 0.4 to 0.8 over most of their length, but under snow."""
CELL_M = 16.0
"""Coarser than where a tile is looked at whole: there is more of it."""
LEAST_CELLS = 4
"""Of a stretch: fewer are a house."""
STRIPE_PX = 2_000_000
"""Of the file, read at a time."""
WINDOW_M = 512.0
AROUND_M = 60.0
"""Of a window, looked at around the cells that it is for."""
CLIP_PERCENTILE = 85
"""Of the gradients, as in the corridor's orientation; asked of so many."""
SAMPLE = 100_000


@dataclass(frozen=True, eq=False)
class Coarse:
    """Gradients of a tile in cells."""

    tensor: NDArray[np.float64]
    """(3, rows, cols): means of gx gx, gy gy, gx gy."""
    cell_px: int
    """Side of a cell in the tile's pixels."""


def find_in(mosaic: Mosaic) -> list[Piece]:
    """Stretches of track all over a large tile, in the tile's local metres."""
    look = coarse(mosaic)
    scale = look.cell_px * mosaic.grid.gsd_m
    areas = areas_of(look.tensor, limit=1.0, first=np.zeros(2), cell_m=scale)
    pieces: list[Piece] = []
    for window in windows(areas, cell_px=look.cell_px, mosaic=mosaic):
        grid = mosaic.grid.part(col=window.col, row=window.row, width=window.width, height=window.height)
        shift = mosaic.grid.to_local(np.array([[window.col, window.row]], dtype=np.float64))[0]
        near = [p.line for p in pieces]
        for piece in find_pieces(mosaic.look(window).pixels, grid=grid):
            line = new_part(piece.line + shift, near)
            if line is not None:
                pieces.append(Piece(line, piece.odds))
    return pieces


def coarse(mosaic: Mosaic) -> Coarse:
    """The coarse look: every block of the file is read once, in stripes of rows.

    Raises TileEmpty where there is no image.
    """
    grid = mosaic.grid
    step = max(1, round(COARSE_M / grid.gsd_m))
    cell = max(1, round(CELL_M / (step * grid.gsd_m)))
    size = cell * step
    rows_at_once = max(1, STRIPE_PX // (grid.width * size)) * size
    if mosaic.block_rows > 1:
        rows_at_once = -(-rows_at_once // mosaic.block_rows) * mosaic.block_rows
    tensor = np.zeros((3, grid.height // size, grid.width // size))
    left: NDArray[np.float32] | None = None
    top, lowest, highest = 0, np.inf, -np.inf
    with meanwhile() as start:
        filled: Future[None] | None = None
        for first in range(0, grid.height, rows_at_once):
            height = min(rows_at_once, grid.height - first)
            gray = mosaic.coarse(Window(0, first, grid.width, height), step=step)
            if np.isfinite(gray).any():
                lowest, highest = min(lowest, float(np.nanmin(gray))), max(highest, float(np.nanmax(gray)))
            gray = gray if left is None else np.concatenate([left, gray])
            n = min(gray.shape[0] // cell, tensor.shape[1] - top)
            if filled is not None:
                filled.result()  # one stripe is worked on while the next is read, so that two are held
            filled = start(partial(_fill, tensor[:, top : top + n], gray[: n * cell], cell)) if n else None
            left, top = gray[n * cell :], top + n
        if filled is not None:
            filled.result()
    if lowest > highest:
        raise TileEmpty("no pixel is usable: all are nodata, masked or zero")
    if lowest == highest:
        raise TileEmpty("every usable pixel has the same value: there is no image")
    return Coarse(tensor, size)


def _fill(part: NDArray[np.float64], gray: NDArray[np.float32], cell: int) -> None:
    part[...] = _tensor(gray, cell)[:, :, : part.shape[2]]


def _tensor(gray: NDArray[np.float32], cell: int) -> NDArray[np.float64]:
    """(3, rows, cols): means over cells of the products of gradients, in units of a strong one's square, at
    which they are cut off. NaN, no image, has no gradient."""
    gx, gy = np.zeros_like(gray), np.zeros_like(gray)
    np.subtract(gray[:, 2:], gray[:, :-2], out=gx[:, 1:-1])
    np.subtract(gray[2:], gray[:-2], out=gy[1:-1])
    xx, yy = gx * gx, gy * gy
    size = xx + yy
    some = size.ravel()[:: max(1, size.size // SAMPLE)]
    some = some[np.isfinite(some)]
    limit = float(np.percentile(some, CLIP_PERCENTILE)) if some.size else 0.0
    rows, cols = gray.shape[0] // cell, gray.shape[1] // cell
    if limit <= 0:
        return np.zeros((3, rows, cols))
    np.maximum(size, np.float32(limit), out=size)
    edges = np.arange(0, cols * cell, cell)
    sums = []
    for product in (xx, yy, np.multiply(gx, gy, out=gx)):
        np.divide(product, size, out=product)
        if np.isnan(product.sum()):
            np.nan_to_num(product, copy=False)
        sums.append(np.add.reduceat(product[: rows * cell, : cols * cell], edges, axis=1))
    return np.stack([one.reshape(rows, cell, cols).mean(axis=1) / cell for one in sums]).astype(np.float64)


def windows(areas: Areas, *, cell_px: int, mosaic: Mosaic) -> Iterator[Window]:
    """Windows of the tile around stretches of cells with clear support, row by row, none larger than some."""
    clear = areas.support > CLEAR_SUPPORT
    numbers, _ = label(clear, np.ones((3, 3)))
    counts = np.bincount(numbers.ravel())
    clear &= counts[numbers] >= LEAST_CELLS
    side, around = round(WINDOW_M / areas.cell_m), round(AROUND_M / areas.cell_m)
    shortest = round(SHORTEST_M / areas.cell_m)
    for row in range(0, clear.shape[0], side):
        for col in range(0, clear.shape[1], side):
            part = clear[row : row + side, col : col + side]
            grown = binary_dilation(part, np.ones((2 * around + 1, 2 * around + 1)))
            for rows, cols in find_objects(label(grown)[0]):
                here = part[rows, cols]
                if here.sum() < shortest:
                    continue
                own_rows, own_cols = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
                low = np.array(
                    [col + cols.start + own_cols[0] - around, row + rows.start + own_rows[0] - around]
                )
                high = (
                    np.array(
                        [col + cols.start + own_cols[-1] + around, row + rows.start + own_rows[-1] + around]
                    )
                    + 1
                )
                low = np.maximum(low * cell_px, 0)
                high = np.minimum(high * cell_px, [mosaic.grid.width, mosaic.grid.height])
                yield Window(int(low[0]), int(low[1]), *(high - low).tolist())
