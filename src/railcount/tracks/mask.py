"""Track masks: rasters in which non-zero is track."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.windows import Window as RasterioWindow

from railcount.errors import InputError, OutputError, TileError, TileRefused
from railcount.files import replacing
from railcount.mosaic import WHOLE_BELOW_PX
from railcount.raster.georef import grid_from_dataset
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.raster.opening import check_limits
from railcount.raster.paths import absolute_path
from railcount.raster.resample import Piece, Places
from railcount.raster.safety import guarded, opened, sniff_driver
from railcount.raster.tile import Window
from railcount.raster.write import check_whole
from railcount.text import one_line
from railcount.tracks import centrelines
from railcount.tracks.marked import Marked

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.tracks.network import Track, TrackNetwork

__all__ = ["HALF_WIDTH_M", "lines_from_mask", "read_labels", "read_marked", "read_mask", "write_mask"]

HALF_WIDTH_M = 1.5
"""Of the bands written: a car's body, so that tracks 3.6 m apart stay apart."""
MOST_MARKED_PX = WHOLE_BELOW_PX
"""A smaller tile may be marked whole; in a larger one it is 300 km of track in pixels of 0.5 m."""
MOST_HOLES = 500
"""Between bands; a ladder of tracks has one a track. 12,000 loops would take minutes to take apart."""
MOST_BANDS = 1000
"""Of the largest yards 200; each takes 20 ms to follow and 20 ms to register."""
_MAX_TRACKS = 65535
_BLOCK_ROWS = 1024
_MOST_WINDOW_PX = 2**20
"""Of a mask that are read together: a finer one that lies aslant would take a gigabyte for 64 rows."""


def lines_from_mask(mask: NDArray[np.generic] | Marked, *, grid: Grid) -> tuple[Track, ...]:
    """Centre lines of a track mask; see ``centrelines.lines_from_mask``.

    Empty where the mask has more holes than bands of track can have, as noise has: it then says at most
    where tracks are. Raises InputError where it has far too many bands.
    """
    labels = mask if isinstance(mask, Marked) else Marked.of(mask)
    n_bands, n_holes = _bands_and_holes(labels, least_px=centrelines.MIN_LENGTH_M / grid.gsd_m)
    if n_holes > MOST_HOLES:
        return ()
    if n_bands > MOST_BANDS:
        raise InputError(
            f"the mask shows {n_bands} separate bands, and at most {MOST_BANDS} are followed: "
            "give one that shows tracks alone, lines with --tracks, or cut the tile to the yard"
        )
    return centrelines.lines_from_mask(labels, grid=grid)


def _bands_and_holes(labels: Marked, *, least_px: float) -> tuple[int, int]:
    """How many regions of at least so many pixels, and holes; block by block, so nearly, and cheap."""
    from scipy import ndimage

    n_rows, n_cols = labels.shape
    n_bands = n_holes = 0
    for first in range(0, n_rows, _BLOCK_ROWS):
        low, high = first * n_cols, min(first + _BLOCK_ROWS, n_rows) * n_cols
        here = labels.keys[slice(*np.searchsorted(labels.keys, (low, high)))]
        if not len(here):
            continue
        block = np.zeros(((high - low) // n_cols, n_cols), dtype=np.bool_)
        block.ravel()[here - low] = True
        regions, n = ndimage.label(block, structure=np.ones((3, 3)))
        sizes = np.bincount(regions.ravel(), minlength=n + 1)
        sizes[np.unique(regions[0])] *= first == 0  # counted in the block before
        n_bands += int(np.count_nonzero(sizes[1:] >= least_px))
        around, n = ndimage.label(~block)
        edge = (around[0], around[-1], around[:, 0], around[:, -1])
        n_holes += n - np.count_nonzero(np.unique(np.concatenate(edge)))
    return n_bands, n_holes


def read_mask(
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    tile_shape: tuple[int, int],
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> NDArray[np.bool_]:
    """(rows, cols) on the tile's grid: True = track region; see ``read_labels``."""
    labels = read_labels(path, grid=grid, tile_shape=tile_shape, limits=limits, drivers=drivers)
    return np.not_equal(labels, 0)


def read_labels(
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    tile_shape: tuple[int, int],
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> NDArray[np.int32]:
    """A mask's values (rows, cols) on the tile's grid ``tile_shape``; 0 = no track; see ``read_marked``."""
    return read_marked(path, grid=grid, tile_shape=tile_shape, limits=limits, drivers=drivers).whole()


def read_marked(
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    tile_shape: tuple[int, int],
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> Marked:
    """The pixels of a tile (rows, cols) that a mask marks; read piece by piece.

    The mask may have any resolution and CRS; the nearest pixel counts. A mask without a CRS, or for a
    tile without one, must have the tile's shape or its aspect. Whole numbers stay themselves, other
    values become 1; nodata, masked and transparent pixels are 0.

    Raises MissingInput, or InputError that says what is wrong with the mask.
    """
    name = one_line(Path(path).name)
    try:
        where = absolute_path(path)
        driver = sniff_driver(where, drivers=drivers, limits=limits)
        with guarded(doing="open the mask"), opened(where, driver=driver, overviews=True) as dataset:
            check_limits(dataset, limits or Limits())
            mask_grid = _mask_grid(dataset, grid=grid)
        places = Places(mask_grid, grid=grid, tile_shape=tile_shape)
        with guarded(doing="read the mask"), opened(where, driver=driver) as dataset:
            return _sampled(dataset, places, tile_shape=tile_shape)
    except TileError as error:
        raise InputError(f"the mask {name} is not usable: {error}") from None


def _mask_grid(dataset: Any, *, grid: Grid) -> Grid | tuple[int, int]:
    """The mask's grid, or its (width, height) where it lies on the tile pixel over pixel."""
    if grid.crs is not None:
        try:
            return grid_from_dataset(dataset)
        except TileRefused:
            pass
    width, height = int(dataset.width), int(dataset.height)
    scale = width / grid.width
    if abs(height - scale * grid.height) > max(1.0, scale):
        raise TileRefused(
            f"it has no CRS in common with the tile, and its {width} x {height} pixels do not have the "
            f"aspect of the tile's {grid.width} x {grid.height}"
        )
    return width, height


def _sampled(dataset: Any, places: Places, *, tile_shape: tuple[int, int]) -> Marked:
    keys, values = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    n_marked = 0
    pieces = places.pieces(width=dataset.width, height=dataset.height)
    for piece in (part for whole in pieces for part in _parts(whole)):
        there = _values(dataset, RasterioWindow(*piece.window))
        if not there.any():
            continue
        labels = there[piece.row, piece.col]
        marked = np.flatnonzero(labels)
        keys.append(piece.tile_row[marked] * tile_shape[1] + piece.tile_col[marked])
        values.append(labels[marked])
        n_marked += len(marked)
        if n_marked > MOST_MARKED_PX:
            raise TileRefused(
                f"it marks more than {MOST_MARKED_PX:,} pixels of the tile, more than tracks would: give "
                "lines with --tracks, or cut the tile to the yard"
            )
    every = np.concatenate(keys)
    order = np.argsort(every, kind="stable")
    return Marked(shape=tile_shape, keys=every[order], values=np.concatenate(values)[order])


def _parts(piece: Piece) -> Iterator[Piece]:
    """A piece in as many parts as let each need a window of the mask that is not large."""
    n_parts = -(-piece.window.width * piece.window.height // _MOST_WINDOW_PX)
    if n_parts == 1:
        yield piece
        return
    first = int(piece.tile_col.min())
    part = (piece.tile_col - first) * n_parts // (int(piece.tile_col.max()) + 1 - first)
    for at in (np.flatnonzero(part == number) for number in range(n_parts)):
        if not len(at):
            continue
        row, col = piece.row[at], piece.col[at]
        x, y = int(col.min()), int(row.min())
        size = (int(col.max()) - x + 1, int(row.max()) - y + 1)
        yield Piece(
            window=Window(piece.window.col + x, piece.window.row + y, *size),
            row=row - y,
            col=col - x,
            tile_row=piece.tile_row[at],
            tile_col=piece.tile_col[at],
        )


def _values(dataset: Any, window: RasterioWindow) -> NDArray[np.int32]:
    """(rows, cols): the first band that is not 0, as whole numbers."""
    interps = [interp.name for interp in dataset.colorinterp]
    result = np.zeros((int(window.height), int(window.width)), dtype=np.int32)
    for index, interp in enumerate(interps, 1):
        band = dataset.read(index, window=window)
        if band.dtype.kind == "c":
            raise TileRefused("its pixels are complex numbers")
        if not band.any():  # most of a large mask
            if interp == "alpha":
                result[:] = 0
            continue
        marked = (band != 0) & (dataset.read_masks(index, window=window) > 0)
        if interp == "alpha":
            result[band == 0] = 0
            continue
        if band.dtype.kind == "f":
            marked &= np.isfinite(band)
            whole = marked & (np.abs(np.nan_to_num(band)) < 2**31) & (np.floor(band) == band)
        else:
            whole = marked & (np.abs(band.astype(np.float64)) < 2**31)
        value = np.ones(band.shape, dtype=np.int32)
        value[whole] = band[whole].astype(np.int32)
        result = np.where((result == 0) & marked, value, result)
    return result


def write_mask(
    network: TrackNetwork,
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    credit: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the tracks as bands 3 m wide: a uint16 GeoTIFF on the tile's grid, value = track number.

    Numbers count from 1 in the network's order. Where bands would overlap, at switches, each pixel
    belongs to the nearer track. The same network gives the same bytes. ``credit`` is the image's, and
    says where it is simulated: it becomes the tag TIFFTAG_COPYRIGHT.

    Raises InputError for another suffix or too many tracks, OutputExists, OutputError.
    """
    target = Path(path)
    if target.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"a mask is written as .tif, not {one_line(target.suffix)!r}")
    if len(network.tracks) > _MAX_TRACKS:
        raise InputError(f"a mask holds at most {_MAX_TRACKS} tracks, got {len(network.tracks)}")
    labels = _drawn(network, grid=grid)
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": 1, "dtype": "uint16",
        "compress": "deflate", "tiled": True, "blockxsize": 256, "blockysize": 256,
    }  # fmt: skip
    if grid.crs is not None:
        profile.update(crs=grid.crs.to_wkt(), transform=grid.transform)
    with replacing(target, overwrite=overwrite) as temporary:
        where = str(temporary.absolute())
        where.encode("utf-8")  # fails here rather than in GDAL, so that the name is blamed
        try:
            with guarded(doing="write the mask"), rasterio.open(where, "w", **profile) as dataset:
                dataset.write(labels, 1)
                if credit is not None:
                    dataset.update_tags(TIFFTAG_COPYRIGHT=credit)
        except TileError as error:
            raise OutputError(f"{target} could not be written: {error}") from error
        check_whole(temporary, labels[None], name=target)


def _drawn(network: TrackNetwork, *, grid: Grid) -> NDArray[np.uint16]:
    """(rows, cols): number of the nearest track within the half width, else 0."""
    import shapely

    labels = np.zeros((grid.height, grid.width), dtype=np.uint16)
    nearest = np.full(labels.shape, np.inf, dtype=np.float32)
    half_m = max(HALF_WIDTH_M, 0.75 * grid.gsd_m)  # a narrower band would lose pixels
    for number, track in enumerate(network.tracks, 1):
        line = shapely.LineString(grid.to_local(track.line_px))
        band = line.buffer(half_m, cap_style="flat", join_style="round")
        outline = shapely.transform(band, grid.to_pixel)
        low_col, low_row, high_col, high_row = outline.bounds
        left, top = max(int(low_col) - 1, 0), max(int(low_row) - 1, 0)
        right, bottom = min(int(high_col) + 2, grid.width), min(int(high_row) + 2, grid.height)
        if right <= left or bottom <= top:
            continue
        inside = rasterize(
            [(outline, 1)], out_shape=(bottom - top, right - left), dtype="uint8",
            transform=rasterio.Affine.translation(left, top),
        )  # fmt: skip
        rows, cols = np.nonzero(inside)
        rows, cols = rows + top, cols + left
        centres = grid.to_local(np.stack([cols + 0.5, rows + 0.5], axis=-1).astype(np.float64))
        distance = shapely.distance(shapely.points(centres), line).astype(np.float32)
        nearer = distance < nearest[rows, cols] - 1e-3  # of equals the first keeps it
        rows, cols = rows[nearer], cols[nearer]
        labels[rows, cols] = number
        nearest[rows, cols] = distance[nearer]
    return labels
