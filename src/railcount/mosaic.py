"""A tile's ground as the stages ask for it: its pixels and what of them can be seen, cell by cell.

A tile of a few million pixels is one cell. A larger one is cut into cells that are read when a stage
first asks for a place in them; only some are kept, so memory does not grow with the tile.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.raster.tile import Window
from railcount.shade import block_means
from railcount.visibility import Hidden, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry import Polygon

    from railcount.raster.grid import Grid
    from railcount.sites import Occluder

    Array = NDArray[np.float64]

WHOLE_BELOW_PX = 8_000_000
"""Tiles of fewer pixels are one cell: 130 MB as RGB float32."""
CELL_M = 512.0
MARGIN_M = 80.0
"""Of the image around a cell that cloud, shadow and holes are judged by."""
SMALLEST_CELL_PX, LARGEST_CELL_PX = 512, 2048
LARGEST_MARGIN_PX = 400
KEPT_BYTES = 160 * 2**20
"""Of cells kept for the next question."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """A part of the tile."""

    core: Window
    """The part that no other cell has."""
    window: Window
    """The core and a margin, inside the tile; what ``view`` holds."""
    view: View
    number: int
    """From 1."""

    @property
    def inner(self) -> tuple[slice, slice]:
        """Rows and columns of the core within the window."""
        top, left = self.core.row - self.window.row, self.core.col - self.window.col
        return slice(top, top + self.core.height), slice(left, left + self.core.width)

    @property
    def corner(self) -> Array:
        """(2,): column and row of the window's first pixel."""
        return np.array([self.window.col, self.window.row], dtype=np.float64)


class Mosaic:
    """The cells of a tile. Pixel coordinates are the whole tile's."""

    def __init__(
        self,
        *,
        grid: Grid,
        load: Callable[[Window], View],
        coarse: Callable[[Window, int], NDArray[np.float32]] | None = None,
        cell_px: int,
        margin_px: int,
        block_rows: int = 1,
        occluders: Sequence[Occluder] = (),
    ) -> None:
        """``load`` gives the view of a window inside the tile; ``occluders`` are those of its day.

        ``coarse`` gives a window's brightness, so many pixels averaged along both axes, NaN without an image;
        ``block_rows`` are best read together.
        """
        self.grid = grid
        self.block_rows = block_rows
        self.roofs = _roofs(occluders, grid=grid)
        """Those that reach into the tile, and their outlines as polygons in pixels."""
        self._load, self._cell_px, self._margin_px = load, cell_px, margin_px
        self._coarse = coarse
        self._n_cols = -(-grid.width // cell_px)
        self._kept: OrderedDict[int, Cell] = OrderedDict()
        self._hidden: dict[int, Hidden] = {}

    @classmethod
    def of(cls, view: View, *, grid: Grid) -> Mosaic:
        """A tile that is one cell."""
        occluders = [shelter.occluder for shelter in view.shelters]
        size = max(grid.width, grid.height, 1)
        return cls(grid=grid, load=lambda _: view, cell_px=size, margin_px=0, occluders=occluders)

    @property
    def whole(self) -> bool:
        """True for a tile of one cell."""
        return self._cell_px >= max(self.grid.width, self.grid.height)

    def cells(self, places_px: Array) -> Iterator[tuple[Cell, NDArray[np.intp]]]:
        """The cells that hold places (n, 2) inside the tile, and which places; row by row."""
        at = np.floor(places_px).astype(np.int64)
        inside = ((at >= 0) & (at < [self.grid.width, self.grid.height])).all(axis=-1)
        number = np.where(inside, at[:, 1] // self._cell_px * self._n_cols + at[:, 0] // self._cell_px, -1)
        order = np.argsort(number, kind="stable")
        starts = np.flatnonzero(np.diff(number[order], prepend=-2))
        for first, last in zip(starts, [*starts[1:], len(order)], strict=True):
            which = order[first:last]
            if number[which[0]] >= 0:
                yield self._cell(int(number[which[0]])), which

    def sample(self, px: Array, *, blur_px: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Bands (bands, ...) and validity (...) at pixel coordinates (..., 2), as `Pixels.sample`."""
        flat = np.ascontiguousarray(np.reshape(px, (-1, 2)))
        if self.whole:
            return self._cell(0).view.pixels.sample(px, blur_px=blur_px)
        # what lies outside is read at the edge, as from a single picture
        edge = np.array([self.grid.width, self.grid.height], dtype=np.float64)
        within = np.clip(flat, 0.0, edge - 1e-6)
        valid = np.zeros(len(flat), dtype=bool)
        bands: NDArray[np.float32] | None = None
        for cell, which in self.cells(within):
            values, usable = cell.view.pixels.sample(within[which] - cell.corner, blur_px=blur_px)
            if bands is None:
                bands = np.zeros((len(values), len(flat)), dtype=np.float32)
            bands[:, which], valid[which] = values, usable
        valid &= ((flat >= 0) & (flat <= edge)).all(axis=-1)
        if bands is None:
            bands = np.zeros((1, 0), dtype=np.float32)
        return bands.reshape(len(bands), *px.shape[:-1]), valid.reshape(px.shape[:-1])

    @property
    def hidden(self) -> Hidden:
        """What hides the image, over all cells that were looked at; their margins count twice."""
        return sum(self._hidden.values(), Hidden())

    def view(self) -> View:
        """All of a tile that is one cell."""
        return self._cell(0).view

    def look(self, window: Window) -> View:
        """The view of any window inside the tile; it is not kept."""
        return self._load(window)

    def coarse(self, window: Window, *, step: int) -> NDArray[np.float32]:
        """(rows, cols) // step: a window's brightness, ``step`` x ``step`` pixels averaged; NaN: no image."""
        if self._coarse is not None:
            return self._coarse(window, step)
        pixels = self._load(window).pixels
        return block_means(np.where(pixels.valid, pixels.bands[:3].mean(axis=0), np.nan), step)

    def _cell(self, number: int) -> Cell:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        cell = self._made(number)
        self._hidden[number] = cell.view.hidden
        self._kept[number] = cell
        while len(self._kept) > 1 and sum(_bytes(c) for c in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return cell

    def _made(self, number: int) -> Cell:
        size, pad = self._cell_px, self._margin_px
        row, col = number // self._n_cols * size, number % self._n_cols * size
        width, height = min(size, self.grid.width - col), min(size, self.grid.height - row)
        left, top = max(col - pad, 0), max(row - pad, 0)
        right, bottom = min(col + width + pad, self.grid.width), min(row + height + pad, self.grid.height)
        window = Window(left, top, right - left, bottom - top)
        view = self._load(window)
        return Cell(core=Window(col, row, width, height), window=window, view=view, number=number + 1)


def _roofs(occluders: Sequence[Occluder], *, grid: Grid) -> tuple[tuple[Occluder, Polygon], ...]:
    if not occluders or grid.crs is None:
        return ()
    from shapely.geometry import Polygon, box

    tile = box(0, 0, grid.width, grid.height)
    outlines = [(one, Polygon(grid.from_lonlat(np.array(one.outline())))) for one in occluders]
    return tuple((one, outline) for one, outline in outlines if outline.intersects(tile))


def cell_size(grid: Grid) -> tuple[int, int]:
    """Side and margin of a tile's cells in pixels."""
    cell = int(np.clip(round(CELL_M / grid.gsd_m), SMALLEST_CELL_PX, LARGEST_CELL_PX))
    return cell, int(min(round(MARGIN_M / grid.gsd_m), LARGEST_MARGIN_PX))


def _bytes(cell: Cell) -> int:
    pixels, shadow = cell.view.pixels, cell.view.shadow
    return int(pixels.bands.nbytes + pixels.valid.nbytes + (0 if shadow is None else shadow.nbytes))
