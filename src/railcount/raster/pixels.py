"""Reading pixels: bands as float32, and which of them are image."""

from __future__ import annotations

from dataclasses import replace
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

MOST = 1e9
"""No sensor's number is larger; from about 1e15 on, sums of squares leave float32."""
_CHUNK_PX = 2_000_000
"""Pixels read at a time: 24 MB as RGB float32."""
_SOLID_PX = 33
"""An all-zero area is a collar or a hole where a square of this side fits (outside the tile counts as
zero); smaller ones may be shadows clipped to black, and those are image."""

_SUMS: dict[str, type[np.number[Any]]] = {
    "bool": np.uint16, "uint8": np.uint16, "uint16": np.uint32, "int16": np.int32,
}  # fmt: skip
_LARGEST_STEP = 16
"""255 times its square still is a uint16."""


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
    varied, any_zero = False, False
    first: NDArray[Any] | None = None
    for part in _chunks(dataset, asked, whole):
        values, usable, zero = _read_part(dataset, plan, part)
        any_zero = any_zero or bool(zero.any())
        rows = slice(part.row - asked.row, part.row - asked.row + part.height)
        cols = slice(part.col - asked.col, part.col - asked.col + part.width)
        valid[rows, cols] = usable
        if not varied:
            here = values[:, usable & ~zero]
            if here.shape[1] == 0:
                continue  # the bands stay untouched there, and so take no memory
            first = here[:, :1] if first is None else first
            varied = bool((here != first).any())
        with np.errstate(over="ignore", invalid="ignore"):
            bands[:, rows, cols] = values
        if not usable.all():
            bands[:, rows, cols][:, ~usable] = 0
    if window is None and not varied:
        _refuse_empty(some=first is not None)
    if any_zero:
        holes = _holes(dataset, plan, asked=asked, whole=whole)
        valid &= ~holes
        if plan.black > 0:
            bands[:, holes] = 0
    return Pixels(bands=bands, valid=valid, names=plan.names)


def read_coarse(dataset: Any, plan: BandPlan, *, window: Window, step: int) -> NDArray[np.float32]:
    """(rows, cols) // step: the middle band, ``step`` x ``step`` pixels averaged; NaN: no image.

    For a first look at a large tile: one band of a colour image says where edges are, and what is black in
    it is no image. Call inside ``safety.guarded``; the window lies inside the tile.
    """
    rows, cols = window.height // step, window.width // step
    one = replace(plan, indexes=plan.indexes[:1] if len(plan.indexes) < 3 else plan.indexes[1:2])
    raw, usable, zero = _read_part(dataset, one, Window(window.col, window.row, cols * step, rows * step))
    hole = zero | ~usable
    level = _sums(raw[0], step).astype(np.float32)
    if hole.any():
        level[_sums(hole, step) > 0] = np.nan
    return np.divide(level, np.float32(step * step), out=level)


def _sums(band: NDArray[Any], step: int) -> NDArray[Any]:
    """Sums over squares of ``step`` pixels. Whole numbers are added as such: exact, and half the work."""
    wide = _SUMS.get(band.dtype.name, np.float32) if step <= _LARGEST_STEP else np.float32
    rows = band[::step].astype(wide)
    for r in range(1, step):
        rows += band[r::step]
    sums = rows[:, ::step].copy()
    for c in range(1, step):
        sums += rows[:, c::step]
    return sums


def _refuse_empty(*, some: bool) -> None:
    if not some:
        raise TileEmpty("no pixel is usable: all are nodata, masked or zero")
    raise TileEmpty("every usable pixel has the same value: there is no image")


def _chunks(dataset: Any, asked: Window, whole: Window) -> Iterator[Window]:
    """Bands of rows inside the raster, aligned to its blocks."""
    col, row = max(asked.col, 0), max(asked.row, 0)
    width = min(asked.col + asked.width, whole.width) - col
    end = min(asked.row + asked.height, whole.height)
    block_rows = int(dataset.block_shapes[0][0])
    if width < 1:
        return
    rows = max(1, _CHUNK_PX // width)
    if block_rows <= 4 * rows:
        rows = max(block_rows, rows // block_rows * block_rows)
    while row < end:
        stop = min(end, (row // rows + 1) * rows)
        yield Window(col, row, width, stop - row)
        row = stop


def _read_part(
    dataset: Any, plan: BandPlan, part: Window
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values, which of them are usable, and which of those are zero in every band."""
    window = RasterioWindow(part.col, part.row, part.width, part.height)
    raw = dataset.read(list(plan.indexes), window=window)
    usable = _usable(dataset, plan, raw, window)
    if plan.palette is not None:
        colours = plan.palette[raw[0]]
        usable &= colours[..., 3] > 0
        return np.moveaxis(colours[..., :3], -1, 0), usable, np.zeros_like(usable)
    if plan.invert_from is not None:
        return np.float32(plan.invert_from) - raw, usable, np.zeros_like(usable)
    zero = usable & _is_black(raw[0], plan)
    for band in raw[1:]:
        if not zero.any():
            break
        zero &= _is_black(band, plan)
    return raw, usable, zero


def _usable(dataset: Any, plan: BandPlan, raw: NDArray[Any], window: RasterioWindow) -> NDArray[np.bool_]:
    """(rows, cols): neither nodata nor masked, transparent, NaN or infinite."""
    usable = np.ones(raw.shape[1:], dtype=np.bool_)
    if raw.dtype.kind == "f":
        usable &= (np.abs(raw) <= MOST).all(axis=0)  # False for NaN
    if plan.nodata is not None and _fits(plan.nodata, raw.dtype):
        same = raw == raw.dtype.type(plan.nodata)
        # no sensor gives a value below 0, so it counts in any band; 0 or 255 only in all of them
        usable &= ~(same.any(axis=0) if plan.nodata < 0 else same.all(axis=0))
    if plan.alpha is not None:
        usable &= dataset.read(plan.alpha, window=window) > 0
    if plan.has_mask:
        usable &= dataset.read_masks(plan.indexes[0], window=window) > 0
    return usable


def _is_black(band: NDArray[Any], plan: BandPlan) -> NDArray[np.bool_]:
    # a comparison with 0 is several times cheaper than one with a bound on both sides
    return np.asarray(band == 0 if plan.black == 0 else band <= plan.black, dtype=np.bool_)


def _fits(value: float, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "f" or not np.isfinite(value):
        return dtype.kind == "f"
    limits = np.iinfo(dtype)
    return limits.min <= value <= limits.max and value == int(value)


def _holes(dataset: Any, plan: BandPlan, *, asked: Window, whole: Window) -> NDArray[np.bool_]:
    """(rows, cols) of the window: True where an all-zero area is a collar or a hole.

    An opening by a square. It looks past the window's edge, so a window and the whole tile agree.
    """
    pad = _SOLID_PX - 1
    zero = np.ones((asked.height + 2 * pad, asked.width + 2 * pad), dtype=np.bool_)  # outside: zero
    wide = Window(asked.col - pad, asked.row - pad, asked.width + 2 * pad, asked.height + 2 * pad)
    for part in _chunks(dataset, wide, whole):
        _, usable, black = _read_part(dataset, plan, part)
        rows = slice(part.row - wide.row, part.row - wide.row + part.height)
        cols = slice(part.col - wide.col, part.col - wide.col + part.width)
        zero[rows, cols] = black | ~usable
    solid = ndimage.minimum_filter(zero, size=_SOLID_PX, mode="constant", cval=1)
    holes = ndimage.maximum_filter(solid, size=_SOLID_PX, mode="constant", cval=0)
    return np.asarray(holes[pad:-pad, pad:-pad], dtype=np.bool_)
