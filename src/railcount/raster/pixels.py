"""Reading pixels: bands as float32, and which of them are image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window as RasterioWindow
from scipy import ndimage

from railcount.errors import InputError, TileEmpty
from railcount.raster.tile import Pixels, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from railcount.raster.bands import BandPlan

_CHUNK_PX = 4_000_000
"""Pixels read at a time: 48 MB as RGB float32."""
_SOLID_PX = 33
"""An all-zero area that holds a square of this side is a hole, not a shadow clipped to black."""
_EDGE_AREA_PX = 16
"""An all-zero area that touches the edge is a collar from this size on."""


def read_pixels(dataset: Any, plan: BandPlan, *, window: Window | None = None) -> Pixels:
    """Read a window (or all) of an open dataset by its band plan.

    Call inside ``safety.guarded``. Raises InputError for a window without pixels and, for the whole
    tile, TileEmpty.
    """
    whole = Window(0, 0, dataset.width, dataset.height)
    asked = whole if window is None else Window(*(int(value) for value in window))
    if asked.width < 1 or asked.height < 1:
        raise InputError(f"a window needs at least one pixel, got {asked.width} x {asked.height}")
    bands = np.zeros((len(plan.names), asked.height, asked.width), dtype=np.float32)
    valid = np.zeros((asked.height, asked.width), dtype=np.bool_)
    zero = np.zeros_like(valid)
    low = np.full(len(plan.names), np.inf)
    high = np.full(len(plan.names), -np.inf)
    for part in _chunks(dataset, asked, whole):
        values, usable, black = _read_part(dataset, plan, part)
        rows = slice(part.row - asked.row, part.row - asked.row + part.height)
        cols = slice(part.col - asked.col, part.col - asked.col + part.width)
        if not usable.any():
            continue  # the arrays stay untouched there, and so take no memory
        bands[:, rows, cols] = values
        valid[rows, cols] = usable
        zero[rows, cols] = black
        low = np.minimum(low, [band[usable].min() for band in values])
        high = np.maximum(high, [band[usable].max() for band in values])
    holes = _holes(zero, at_edge=_at_edge(asked, whole)) if zero.any() else None
    if holes is not None:
        valid &= ~holes
    if window is None:
        _check_content(bands, valid, low=low, high=high)
    return Pixels(bands=bands, valid=valid, names=plan.names)


def _chunks(dataset: Any, asked: Window, whole: Window) -> Iterator[Window]:
    """Bands of rows inside the raster, aligned to its blocks."""
    col, row = max(asked.col, 0), max(asked.row, 0)
    width = min(asked.col + asked.width, whole.width) - col
    end = min(asked.row + asked.height, whole.height)
    block_rows = int(dataset.block_shapes[0][0])
    if width < 1:
        return
    rows = max(1, _CHUNK_PX // width)
    rows = max(block_rows, rows // block_rows * block_rows) if block_rows <= 4 * rows else rows
    while row < end:
        stop = min(end, (row // rows + 1) * rows)
        yield Window(col, row, width, stop - row)
        row = stop


def _read_part(
    dataset: Any, plan: BandPlan, part: Window
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values, which are usable, and which are zero in all bands of the file."""
    window = RasterioWindow(part.col, part.row, part.width, part.height)
    raw = dataset.read(list(plan.indexes), window=window)
    usable = np.ones(raw.shape[1:], dtype=np.bool_)
    if raw.dtype.kind == "f":
        with np.errstate(over="ignore"):
            usable &= np.isfinite(raw.astype(np.float32)).all(axis=0)
    if plan.nodata is not None:
        usable &= ~_is_nodata(raw, plan.nodata)
    if plan.alpha is not None:
        usable &= dataset.read(plan.alpha, window=window) > 0
    if plan.has_mask:
        usable &= dataset.read_masks(plan.indexes[0], window=window) > 0
    black = usable & (raw == 0).all(axis=0)
    if plan.palette is not None:
        colours = plan.palette[raw[0]]
        usable &= colours[..., 3] > 0
        values = np.moveaxis(colours[..., :3], -1, 0)
        black &= False
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            values = raw.astype(np.float32)
        if plan.invert_from is not None:
            values = np.float32(plan.invert_from) - values
            black &= False
    return np.where(usable, values, np.float32(0)), usable, black & usable


def _is_nodata(raw: NDArray[Any], nodata: float) -> NDArray[np.bool_]:
    """(rows, cols): a value no sensor gives counts in any band, 0 or 255 only in all of them."""
    if np.isnan(nodata):
        return np.zeros(raw.shape[1:], dtype=np.bool_)  # NaN is never usable anyway
    same = raw == (np.float32(nodata) if raw.dtype == np.float32 else nodata)
    return np.asarray(same.any(axis=0) if nodata < 0 else same.all(axis=0), dtype=np.bool_)


def _at_edge(asked: Window, whole: Window) -> tuple[bool, bool, bool, bool]:
    """Whether the window's top, bottom, left and right reach the tile's edge."""
    return (
        asked.row <= 0,
        asked.row + asked.height >= whole.height,
        asked.col <= 0,
        asked.col + asked.width >= whole.width,
    )


def _holes(zero: NDArray[np.bool_], *, at_edge: tuple[bool, bool, bool, bool]) -> NDArray[np.bool_]:
    """All-zero areas that are collar or hole; small ones inside may be shadows clipped to black."""
    labels, n_areas = ndimage.label(zero)
    area = np.bincount(labels.ravel(), minlength=n_areas + 1)
    hole = np.zeros(n_areas + 1, dtype=np.bool_)
    solid = ndimage.minimum_filter(zero, size=_SOLID_PX, mode="constant", cval=0)
    hole[np.unique(labels[solid])] = True
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    for side, reaches in zip(sides, at_edge, strict=True):
        if reaches:
            touching = np.unique(side)
            hole[touching[area[touching] >= _EDGE_AREA_PX]] = True
    hole[0] = False
    return hole[labels]


def _check_content(
    bands: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    if not valid.any():
        raise TileEmpty("no pixel is usable: all are nodata, masked or an empty collar")
    if (low == high).all() or all(np.ptp(band[valid]) == 0 for band in bands):
        raise TileEmpty("every usable pixel has the same value: there is no image")
