"""Where railcars can stand: lines that were given, a mask, or what is found in the pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from railcount.errors import InputError
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.tracks.find import find_tracks
from railcount.tracks.mask import lines_from_mask, read_labels
from railcount.tracks.network import TrackNetwork
from railcount.tracks.vector import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

RASTER_SUFFIXES = (".tif", ".tiff")


def locate(
    pixels: Pixels,
    *,
    grid: Grid,
    tracks: Path | None = None,
    mask: Path | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> TrackNetwork:
    """The tile's tracks, from the first source there is: lines, a mask, the pixels.

    ``tracks`` may also name a mask that ``railcount tracks`` wrote. ``limits`` and ``drivers`` hold
    for masks. Raises InputError for lines or masks that cannot be used.
    """
    if tracks is not None and mask is not None:
        raise InputError("give --tracks or --mask, not both: each says where the tracks are")
    if tracks is not None and tracks.suffix.lower() in RASTER_SUFFIXES:
        tracks, mask = None, tracks
    if tracks is not None:
        lines = read_lines(tracks, grid=grid)
        reasons = () if lines else (f"no line of {tracks.name} crosses the tile",)
        return TrackNetwork(tracks=lines, source="given", reasons=reasons)
    if mask is not None:
        shape = (pixels.valid.shape[0], pixels.valid.shape[1])
        labels = read_labels(mask, grid=grid, tile_shape=shape, limits=limits, drivers=drivers)
        return _from_mask(pixels, labels, name=mask.name, grid=grid)
    return find_tracks(pixels, grid=grid)


def _from_mask(pixels: Pixels, region: NDArray[np.int32], *, name: str, grid: Grid) -> TrackNetwork:
    """Centre lines where the mask shows bands one track wide; else the finder inside the mask."""
    if not region.any():
        reason = f"no pixel of {name} marks a track here"
        return TrackNetwork(tracks=(), source="mask", reasons=(reason,))
    lines = lines_from_mask(region, grid=grid)
    if lines:
        return TrackNetwork(tracks=lines, source="mask")
    found = find_tracks(replace(pixels, valid=pixels.valid & (region > 0)), grid=grid)
    return replace(found, source="mask")
