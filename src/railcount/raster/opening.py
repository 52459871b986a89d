"""Opening a tile: every check before its pixels, then pixels on demand."""

from __future__ import annotations

import hashlib
import mmap
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from railcount.beside import meanwhile, n_threads
from railcount.errors import TileRefused, TileUnreadable
from railcount.raster.acquire import acquisition_of
from railcount.raster.bands import BandPlan, plan_bands
from railcount.raster.georef import grid_from_dataset, grid_from_gsd
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.raster.names import parse_name
from railcount.raster.paths import CHANGED, absolute_path, stamp
from railcount.raster.pixels import read_coarse, read_pixels
from railcount.raster.safety import guarded, opened, sniff_driver
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import date, datetime

    from numpy.typing import NDArray

    from railcount.raster.acquisition import Acquisition
    from railcount.raster.grid import Grid
    from railcount.raster.names import NameInfo
    from railcount.raster.tile import Pixels, Window

    T = TypeVar("T")

THREADED_ABOVE_PX = 8_000_000
"""Files of more pixels are decoded by more than one thread; the blocks of smaller ones are few."""
THREADED = ("DEFLATE", "LZW", "ZSTD", "LERC_DEFLATE", "LERC_ZSTD")
"""Compressions that either decode or fail. Others warn of damage, and a warning is lost in GDAL's threads."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RasterTile:
    """A raster file that passed the checks; the concrete ``Tile``. Made by ``open_tile``."""

    path: Path
    grid: Grid
    acquisition: Acquisition
    plan: BandPlan
    driver: Driver
    dtype: str
    """Of the file's pixels."""
    block_shape: tuple[int, int]
    """(rows, cols) of the file's own blocks: windows aligned to them are the cheapest to read."""
    stamp: tuple[int, int, int]
    """Of the file when it was opened; see `railcount.raster.paths.stamp`."""
    _warnings: list[str] = field(repr=False)
    compression: str = ""
    """GDAL's word for it; empty where there is none."""
    _held: list[Any] = field(default_factory=list, repr=False)
    _hashed: list[Future[str]] = field(default_factory=list, repr=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Warnings met so far, each once; any makes the count ``degraded``."""
        return tuple(dict.fromkeys(self._warnings))

    @cached_property
    def sha256(self) -> str:
        """Of the file's content, in hexadecimal. Raises TileUnreadable.

        Computed on first use, or beside the reading of pixels: of 500 MB that takes a third of a second.
        """
        return self._hashed[-1].result() if self._hashed else self._digest()

    def _digest(self) -> str:
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise TileUnreadable(f"cannot read the file again: {one_line(error)}") from None

    @property
    def is_as_it_was(self) -> bool:
        """Whether the file is the one that was opened, unchanged since."""
        try:
            return stamp(self.path) == self.stamp
        except TileUnreadable:  # gone
            return False

    def check_unchanged(self) -> None:
        """Asked after the last pixel: raises TileUnreadable where the file changed since it was opened."""
        if not self.is_as_it_was:
            raise TileUnreadable(CHANGED)

    def read(self, window: Window | None = None) -> Pixels:
        """Pixels of a window, or of the whole tile; see ``Tile.read``."""
        return self._read(lambda dataset: read_pixels(dataset, self.plan, window=window))

    def read_coarse(self, window: Window, *, step: int) -> NDArray[np.float32]:
        """(rows, cols) // ``step``: brightness of a window inside the tile, averaged; NaN: no image.

        Raises TileUnreadable.
        """
        return self._read(lambda dataset: read_coarse(dataset, self.plan, window=window, step=step))

    def _read(self, read: Callable[[Any], T]) -> T:
        """What ``read`` takes of the dataset. What several threads could not decode, one reads again: it
        says the same words every time."""
        if self._held:
            before = len(self._warnings)
            try:
                with guarded(doing="read its pixels", collected=self._warnings):
                    return read(self._held[-1])
            except TileUnreadable:
                if self._n_threads == 1:
                    raise
                del self._warnings[before:]
        with (
            guarded(doing="read its pixels", collected=self._warnings),
            opened(self.path, driver=self.driver) as dataset,
        ):
            return read(dataset)

    @property
    def _n_threads(self) -> int:
        """That decode the file while it is held open."""
        large = self.grid.width * self.grid.height > THREADED_ABOVE_PX
        return n_threads() if large and self.compression in THREADED else 1

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Within it the file stays open, so that blocks once decoded serve neighbouring windows too.

        Its content is hashed meanwhile.
        """
        with ExitStack() as stack:
            with guarded(doing="open the file", collected=self._warnings):
                dataset = opened(self.path, driver=self.driver, n_threads=self._n_threads)
                self._held.append(stack.enter_context(dataset))
            if not self._hashed:
                self._hashed.append(stack.enter_context(meanwhile())(self._digest))
            try:
                yield
            finally:
                self._held.pop()
                with suppress(TileUnreadable):  # raised where it is asked for
                    _ = self.sha256  # known from now on
                self._hashed.clear()


def open_tile(
    path: str | os.PathLike[str],
    *,
    gsd_m: float | None = None,
    acquired: datetime | date | None = None,
    limits: Limits | None = None,
    drivers: Sequence[Driver] = DEFAULT_DRIVERS,
) -> RasterTile:
    """Open a raster file for counting.

    ``gsd_m`` (metres per pixel) is for rasters without a usable CRS: results are then in pixel
    coordinates, whatever the file says; a reason says so where the file has a usable CRS. ``acquired``
    overrules every other source of the date.

    Raises MissingInput; TileRefused where the file is no image of the ground or asks for too much;
    TileUnreadable where it is damaged; InputError for a ``gsd_m`` that is no length.
    """
    limits = limits or Limits()
    where = absolute_path(path)
    driver = sniff_driver(where, drivers=drivers, limits=limits)
    name = parse_name(where.name)
    _check_kind(name)
    _check_alone(where, driver=driver)
    opened_as = stamp(where)
    limits.check_file(opened_as[0])
    warned: list[str] = []
    with (
        guarded(doing="open the file", collected=warned),
        opened(where, driver=driver, overviews=True) as dataset,
    ):
        block = check_limits(dataset, limits)
        plan = plan_bands(dataset, vendor=name.vendor)
        overruled: tuple[str, ...] = ()
        if gsd_m is not None:
            grid = grid_from_gsd(width=dataset.width, height=dataset.height, gsd_m=gsd_m)
            overruled = _overruled(dataset, gsd_m=gsd_m)
        else:
            grid = grid_from_dataset(dataset)
        dtype = str(dataset.dtypes[0])
        compression = dataset.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION", "")
        if compression == "LERC":
            _check_lerc(where)
        tags, imagery = dataset.tags(), dataset.tags(ns="IMAGERY")
    acquisition = acquisition_of(where, acquired=acquired, tags=tags, imagery=imagery, notes=plan.notes)
    return RasterTile(
        path=where,
        grid=grid,
        acquisition=acquisition,
        plan=plan,
        driver=driver,
        dtype=dtype,
        block_shape=block,
        compression=compression,
        stamp=opened_as,
        _warnings=[*plan.reasons, *overruled, *warned],
    )


def _overruled(dataset: Any, *, gsd_m: float) -> tuple[str, ...]:
    """A sentence where ``gsd_m`` hides a place on the ground that the file does state."""
    try:
        own = grid_from_dataset(dataset)
    except TileRefused:
        return ()
    return (
        f"the given pixel size of {gsd_m:g} m overrules the file's own {one_line(own.crs_name)} with pixels "
        f"of {own.gsd_m:.2f} m: results are in pixel coordinates; leave --gsd out to have them on the ground",
    )


def _check_kind(name: NameInfo) -> None:
    if name.kind == "quality_mask":
        raise TileRefused("by its name this is a quality mask (udm): give the image it belongs to")
    if name.kind == "not_rgb":
        raise TileRefused(
            "by its name this is the NED half of a Pleiades Neo image (near infrared, red edge, deep blue): "
            "give the RGB half"
        )


def _check_alone(path: Path, *, driver: Driver) -> None:
    """Refuse a NITF file with PAM metadata: its reader takes them, whatever GDAL is told."""
    beside = Path(f"{path}.aux.xml")
    if driver == "nitf" and os.path.lexists(beside):
        raise TileRefused(
            f"beside it lies {one_line(beside.name)}, which GDAL would read with it and which can say "
            "anything: move that file away"
        )


def _check_lerc(path: Path) -> None:
    """Refuse blocks of LERC's first version, which no TIFF has: their decoder believes a damaged head, and
    then runs for minutes over nothing."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b"CntZImage ") >= 0:
            raise TileRefused(
                "its pixels are in the first version of LERC, which is not read: convert it to another "
                "compression with gdal_translate -co COMPRESS=DEFLATE"
            )


def check_limits(dataset: Any, limits: Limits) -> tuple[int, int]:
    """Check the sizes that the header states; returns the block's (rows, cols)."""
    n_bands, width, height = dataset.count, dataset.width, dataset.height
    limits.check(width=width, height=height, n_bands=n_bands, block_bytes=0, n_bytes=0)
    sizes = [_item_bytes(dtype) for dtype in dataset.dtypes]
    rows, cols = dataset.block_shapes[0]
    per_block = sum(sizes) if dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL" else max(sizes)
    limits.check(
        width=width,
        height=height,
        n_bands=n_bands,
        block_bytes=rows * cols * per_block,
        n_bytes=width * height * sum(sizes),
    )
    return int(rows), int(cols)


def _item_bytes(dtype: str) -> int:
    try:
        return np.dtype(dtype).itemsize
    except TypeError:  # complex_int16 is rasterio's own
        return 8
