"""A tile read, whole or cell by cell: its pixels, and what cloud, a quality mask and roofs hide of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.mosaic import WHOLE_BELOW_PX, Mosaic, cell_size
from railcount.raster.quality import read_quality
from railcount.visibility import View, look

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from railcount.raster.limits import Limits
    from railcount.raster.opening import RasterTile
    from railcount.raster.safety import Driver
    from railcount.raster.tile import Window
    from railcount.sites import Site

EXACT_DTYPES = ("uint8", "uint16", "int16")
"""Of files whose pixels are kept as they are: half or a quarter of float32."""


def mosaic_of(
    tile: RasterTile,
    *,
    site: Site | None = None,
    valid: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver],
) -> Mosaic:
    """A tile's ground. Small tiles are read at once, large ones when a stage asks for a place.

    ``valid`` is the tile's quality mask. Raises TileUnreadable, TileEmpty for a small tile without an
    image, InputError for a mask that cannot be used.
    """
    grid, acquired = tile.grid, tile.acquisition.acquired
    roofs = site.occluders_on(site.local_day(acquired)) if site is not None and acquired is not None else ()
    if grid.width * grid.height <= WHOLE_BELOW_PX:
        quality = None
        pixels = tile.read()
        if valid is not None:
            quality = read_quality(valid, grid=grid, limits=limits, drivers=drivers)
        return Mosaic.of(look(pixels, grid=grid, quality=quality, occluders=roofs), grid=grid)

    def load(window: Window) -> View:
        part = grid.part(col=window.col, row=window.row, width=window.width, height=window.height)
        quality = None
        if valid is not None:
            quality = read_quality(valid, grid=part, limits=limits, drivers=drivers)
        view = look(tile.read(window), grid=part, quality=quality, occluders=roofs)
        if tile.dtype not in EXACT_DTYPES:
            return view
        kept = view.pixels.bands.astype(np.dtype(tile.dtype))
        return replace(view, pixels=replace(view.pixels, bands=kept))

    cell_px, margin_px = cell_size(grid)
    return Mosaic(
        grid=grid,
        load=load,
        coarse=lambda window, step: tile.read_coarse(window, step=step),
        cell_px=cell_px,
        margin_px=margin_px,
        block_rows=tile.block_shape[0],
        occluders=roofs,
    )
