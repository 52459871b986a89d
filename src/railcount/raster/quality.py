"""Quality masks that come with an image: which of its pixels can be used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window as RasterioWindow

from railcount.errors import InputError, TileError, TileRefused
from railcount.raster.georef import grid_from_dataset
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.raster.opening import check_limits
from railcount.raster.paths import absolute_path
from railcount.raster.resample import Places
from railcount.raster.safety import guarded, opened, sniff_driver
from railcount.raster.tile import Window
from railcount.text import one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

UDM2 = ("clear", "snow", "shadow", "haze_light", "haze_heavy", "cloud", "confidence", "udm1")
"""Bands of Planet's usable data mask 2.0 (https://docs.planet.com/data/imagery/planetscope/psscene/): the
first six are classes, 0 or 1; the last is the older mask, in bits."""
UDM2_USABLE = ("clear", "snow", "shadow", "haze_light")
"""Snow, shadow and light haze lower the contrast and hide nothing."""
UDM1_CLOUD = 0b10
"""Bit of the older mask; the band ``cloud`` is better. All other bits are missing or damaged pixels."""
MOST_CLASSES = 32
"""Different values of a plain mask; more, and it is a picture."""
_PART_BYTES = 2**26
"""Of a mask's band that are looked at together: one of 300 million pixels took more than a gigabyte."""

_UDM1_NAME = re.compile(r"(?:^|[_.-])udm(?:[_.-]|$)", re.IGNORECASE | re.ASCII)
_UDM2_NAME = re.compile(r"(?:^|[_.-])udm2(?:[_.-]|$)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True, eq=False)
class Quality:
    """A quality mask on a tile's grid; arrays are (rows, cols)."""

    usable: NDArray[np.bool_]
    """True = the ground can be seen. What the mask does not cover is not usable: nobody vouches for it."""
    shadow: NDArray[np.bool_]
    """True = in the shadow of a cloud; usable all the same. Of a udm2 alone."""
    covered: float
    """Part of the tile's pixels that the mask speaks of, 0-1."""


def read_quality(
    path: str | os.PathLike[str],
    *,
    grid: Grid,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> Quality:
    """Read a quality mask of any resolution and CRS onto a tile's grid; the nearest pixel counts.

    Known are Planet's udm2 (by the names of its bands, or 8 bands), Planet's older udm (by the file's name,
    one band, 0 = usable) and plain masks of one band, where every value but 0 is usable; nodata, masked
    and transparent pixels are not. A mask without a CRS, or for a tile without one, must have the tile's
    size in pixels.

    Raises MissingInput, or InputError that says what is wrong with the mask.
    """
    name = one_line(Path(path).name)
    try:
        where = absolute_path(path)
        driver = sniff_driver(where, drivers=drivers, limits=limits)
        with guarded(doing="open the mask"), opened(where, driver=driver, overviews=True) as dataset:
            check_limits(dataset, limits or Limits())
            mask_grid = _mask_grid(dataset, grid=grid)
            described = tuple(one_line(text or "").strip().lower() for text in dataset.descriptions)
        places = Places(mask_grid, grid=grid, tile_shape=(grid.height, grid.width))
        with guarded(doing="read the mask"), opened(where, driver=driver) as dataset:
            return _on_tile(
                dataset, places, name=name, described=described, tile_shape=(grid.height, grid.width)
            )
    except TileError as error:
        raise InputError(f"the quality mask {name} is not usable: {error}") from None


def _mask_grid(dataset: Any, *, grid: Grid) -> Grid | tuple[int, int]:
    width, height = int(dataset.width), int(dataset.height)
    if grid.crs is not None:
        try:
            return grid_from_dataset(dataset)
        except TileRefused:
            pass
    if (width, height) != (grid.width, grid.height):
        raise TileRefused(
            f"it must have the tile's {grid.width} x {grid.height} pixels, not {width} x {height}, "
            "since they have no CRS in common"
        )
    return width, height


def _on_tile(
    dataset: Any, places: Places, *, name: str, described: Sequence[str], tile_shape: tuple[int, int]
) -> Quality:
    window = places.window(width=dataset.width, height=dataset.height)
    if window is None:
        raise TileRefused("it does not overlap the tile")
    usable_there, shadow_there = (np.zeros((window.height, window.width), dtype=np.bool_) for _ in range(2))
    values: set[Any] = set()
    for top, part in _in_parts(dataset, window):
        rows = slice(top, top + part.height)
        usable_there[rows], shadow_there[rows] = _classes(
            dataset, RasterioWindow(*part), name=name, described=described, values=values
        )
    usable, shadow = np.zeros(tile_shape, dtype=np.bool_), np.zeros(tile_shape, dtype=np.bool_)
    n_covered = 0
    for rows, inside, row, col in places.nearest(window):
        usable[rows][inside] = usable_there[row, col]
        shadow[rows][inside] = shadow_there[row, col]
        n_covered += len(row)
    if not n_covered:
        raise TileRefused("it does not overlap the tile")
    return Quality(usable=usable, shadow=shadow & usable, covered=n_covered / usable.size)


def _in_parts(dataset: Any, window: Window) -> Iterator[tuple[int, Window]]:
    """The window in bands of rows, each with its first row within it."""
    widest = max((np.dtype(kind).itemsize for kind in dataset.dtypes if not kind.startswith("c")), default=16)
    n_rows = max(_PART_BYTES // (window.width * widest), 1)
    for top in range(0, window.height, n_rows):
        height = min(n_rows, window.height - top)
        yield top, Window(window.col, window.row + top, window.width, height)


def _classes(
    dataset: Any, window: RasterioWindow, *, name: str, described: Sequence[str], values: set[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(rows, cols) of the window: usable, and in shadow. ``values`` are those met so far."""
    interps = [interp.name for interp in dataset.colorinterp]
    if {"clear", "cloud"} <= set(described):
        return _udm2(dataset, window, bands={text: i for i, text in enumerate(described, 1)})
    if dataset.count == len(UDM2):
        return _udm2(dataset, window, bands={text: i for i, text in enumerate(UDM2, 1)})
    alpha = [i for i, interp in enumerate(interps, 1) if interp == "alpha"]
    plain = [i for i in range(1, dataset.count + 1) if i not in alpha]
    if len(plain) != 1:
        words = "a udm2 by its name, but it" if _UDM2_NAME.search(name) else "it"
        raise TileRefused(
            f"{words} has {len(plain)} bands; a quality mask has one (0 = not usable), a udm2 has {len(UDM2)}"
        )
    band = dataset.read(plain[0], window=window)
    _check_mask(band, values=values)
    known = dataset.read_masks(plain[0], window=window) > 0
    for index in alpha:
        known &= dataset.read(index, window=window) > 0
    if _UDM1_NAME.search(name):
        usable = dataset.read(plain[0], window=window) == 0  # 0 is the good value, whatever nodata says
    else:
        usable = known & (band != 0) & ~np.isnan(band)
    return usable, np.zeros_like(usable)


def _check_mask(band: NDArray[Any], *, values: set[Any]) -> None:
    if band.dtype.kind == "c":
        raise TileRefused("its pixels are complex numbers")
    found = np.unique(band)
    values.update(found[~np.isnan(found)][: MOST_CLASSES + 1].tolist())  # no NaN: none equals another
    if len(values) > MOST_CLASSES:
        raise TileRefused(
            f"it holds more than {MOST_CLASSES} different values, so it is a picture and no mask: "
            "make one of 0 and 1"
        )


def _udm2(
    dataset: Any, window: RasterioWindow, *, bands: dict[str, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    read = {text: dataset.read(index, window=window) for text, index in bands.items() if text in UDM2}
    classes = {text: band for text, band in read.items() if text in UDM2[:6]}
    if any(band.dtype.kind not in "ui" or band.max(initial=0) > 1 for band in classes.values()):
        raise TileRefused("the class bands of a udm2 hold 0 and 1 alone, and this file's hold more")
    some = next(iter(classes.values()))
    usable = np.zeros(some.shape, dtype=np.bool_)
    for text in UDM2_USABLE:
        usable |= classes.get(text, 0) == 1
    for text in ("haze_heavy", "cloud"):
        usable &= ~np.asarray(classes.get(text, 0) == 1)
    if "udm1" in read:
        usable &= (read["udm1"].astype(np.int64) & ~UDM1_CLOUD) == 0
    return usable, np.asarray(classes.get("shadow", np.zeros_like(some)) == 1)
