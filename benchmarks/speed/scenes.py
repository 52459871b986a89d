"""The simulated scenes of the speed benchmark, written in a process of their own.

python benchmarks/speed/scenes.py yard FOLDER [--bands 3] [--bits 8]
python benchmarks/speed/scenes.py big FILE --yard FOLDER/yard.tif [--size 16384] [--striped]
python benchmarks/speed/scenes.py archive FOLDER --yard FOLDER/yard.tif --n 8
python benchmarks/speed/scenes.py tiny FOLDER --n 10000
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 5
STRIP_ROWS = 512
"""Rows that are made at a time: 100 MB of floats for 16384 columns and 3 bands."""
FEATHER_PX = 48
"""Over which the yard passes into the ground."""
GRAIN = 0.015
"""Deviation of the sensor's noise, as a part of the brightness: signal to noise is 67. Without noise a file
packs far better than any image that was taken, and is read faster."""
FIRST_DAY = dt.date(2015, 1, 1)


def write_yard(folder: Path, *, bands: int, bits: int) -> None:
    """A simulated yard of 1000 x 800 pixels of 0.5 m: ``yard.tif`` and its ``yard_tracks.geojson``."""
    from railcount.simulate import render
    from railcount.simulate.scene import Layout, Lineside, Scene, Sensor, Stock
    from railcount.simulate.write import write_scene

    scene = Scene(
        name="speed",
        width_px=1000,
        height_px=800,
        gsd_m=0.5,
        acquired=dt.datetime(2023, 10, 5, 2, 11, tzinfo=dt.UTC),
        yard_seed=SEED,
        layout=Layout(n_tracks=9, azimuth_deg=104.0, spacing_m=4.8, shift_m=0.0),
        stock=Stock(fill=0.5, n_locomotives=2, families=("russian", "chinese")),
        lineside=Lineside(canopies=0),
        sensor=Sensor(bands=bands, bit_depth=bits, jpeg_quality=100 if bits == 8 else None),
    )
    write_scene(render(scene, seed=SEED), folder, stem="yard", overwrite=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """Ground without seams whose every pixel follows from its place: soil, fields and roads."""

    coarse: NDArray[np.float32]
    fine: NDArray[np.float32]
    grain: NDArray[np.float32]
    """The sensor's noise, in every band another part of it."""
    levels: NDArray[np.float32]
    """(bands,) mean values."""

    @classmethod
    def around(cls, levels: NDArray[np.float32]) -> Ground:
        """Ground of the given mean values. Two sides that share no divisor repeat after 3 million pixels."""
        rng = np.random.default_rng(SEED)
        return cls(
            coarse=_cloudy(rng, side=2048, slope=1.3),
            fine=_cloudy(rng, side=1531, slope=0.4),
            grain=_cloudy(rng, side=1021, slope=0.0),
            levels=levels,
        )

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.float32]:
        """(bands, rows, cols) values of a block."""
        n, m = len(self.coarse), len(self.fine)
        soil = self.coarse[np.ix_(rows % n, cols % n)] * 0.10 + self.fine[np.ix_(rows % m, cols % m)] * 0.04
        x, y = cols[None, :].astype(np.float32), rows[:, None].astype(np.float32)
        soil += _fields(x, y) + _roads(x, y)
        k = len(self.grain)
        noise = np.stack(
            [self.grain[np.ix_((rows + 331 * i) % k, (cols + 173 * i) % k)] for i in range(len(self.levels))]
        )
        values: NDArray[np.float32] = self.levels[:, None, None] * (1 + soil[None] + GRAIN * noise)
        return values


def _cloudy(rng: np.random.Generator, *, side: int, slope: float) -> NDArray[np.float32]:
    """Noise of deviation 1 that repeats at its sides; the steeper, the coarser."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum * frequency**-slope, s=(side, side))
    return (noise / noise.std()).astype(np.float32)


def _fields(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fields of about 200 m, each a little brighter or darker than the next."""
    along = np.floor((0.96 * x + 0.28 * y) / 410).astype(np.int64)
    across = np.floor((-0.31 * x + 0.95 * y) / 370).astype(np.int64)
    return (((along * 7919 + across * 104_729) % 17) / 16 - 0.5).astype(np.float32) * 0.12


def _roads(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bright bands of 7 m, one of each direction every 1.5 to 2.5 km."""
    bright = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for a, b, apart_px in ((0.8, 0.6, 4931.0), (-0.45, 0.893, 3119.0)):
        bright[np.abs((a * x + b * y) % apart_px - 900) < 7] = 0.25
    return bright


def write_big(path: Path, *, yard: Path, size_px: int, striped: bool) -> None:
    """The yard in the middle of a square of ground, block row by block row."""
    with rasterio.open(yard) as source:
        picture, profile, tags = source.read(), dict(source.profile), source.tags()
    bands, height, width = picture.shape
    # Not where blocks begin: a yard does not lie on their grid.
    top, left = size_px // 2 + 131, size_px // 2 - 977
    levels = picture.reshape(bands, -1).mean(axis=1, dtype=np.float64).astype(np.float32)
    ground, weight = Ground.around(levels), _feathered(height, width)
    t = profile["transform"]
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    profile |= {
        "width": size_px,
        "height": size_px,
        "transform": Affine(t.a, 0.0, t.c - left * t.a, 0.0, t.e, t.f - top * t.e),
        "num_threads": "all_cpus",
        "zlevel": 6,
        "bigtiff": "if_safer",
        **({"tiled": False, "blockysize": 1} if striped else layout),
    }
    if striped:
        profile.pop("blockxsize", None)
    low, high = (0.0, 255.0) if picture.dtype == np.uint8 else (0.0, 65535.0)
    cols = np.arange(size_px)
    with rasterio.Env(GDAL_CACHEMAX=256 * 2**20), rasterio.open(path, "w", **profile) as target:
        target.update_tags(**tags)
        for first in range(0, size_px, STRIP_ROWS):
            rows = np.arange(first, min(first + STRIP_ROWS, size_px))
            values = ground.at(rows, cols)
            inside = (rows >= top) & (rows < top + height)
            if inside.any():
                part = rows[inside] - top
                w = weight[part]
                place = values[:, inside, left : left + width]
                values[:, inside, left : left + width] = place * (1 - w) + picture[:, part] * w
            block = np.clip(np.rint(values), max(low, 1.0), high).astype(picture.dtype)
            target.write(block, window=Window(0, first, size_px, len(rows)))


def _feathered(height: int, width: int) -> NDArray[np.float32]:
    """(rows, cols): 1 in the yard, falling to 0 at its edges."""
    y = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    x = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
    weight: NDArray[np.float32] = np.clip(np.minimum(y, x) / FEATHER_PX, 0, 1).astype(np.float32)
    return weight


def _aged(path: Path) -> None:
    """Make a file one that nobody is writing any more: a batch leaves the newest alone."""
    long_ago = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()
    os.utime(path, (long_ago, long_ago))


def write_archive(folder: Path, *, yard: Path, n: int) -> None:
    """The yard on ``n`` days, one folder a day; a few grains of noise make every file another."""
    with rasterio.open(yard) as source:
        picture, profile = source.read(), dict(source.profile)
    for number in range(n):
        day = FIRST_DAY + dt.timedelta(days=7 * number)
        place = folder / day.isoformat()
        place.mkdir(parents=True)
        noise = np.random.default_rng(number).integers(-1, 2, picture.shape)
        grainy = np.clip(picture.astype(np.int64) + noise, 1, np.iinfo(picture.dtype).max)
        path = place / f"{day:%Y%m%d}_simulated.tif"
        with rasterio.open(path, "w", **profile) as target:
            target.write(grainy.astype(picture.dtype))
        _aged(path)


def write_tiny(folder: Path, *, n: int, a_day: int = 20) -> None:
    """``n`` tiles of 32 x 32 pixels, 20 a folder: files to find, know again and answer at once."""
    rng = np.random.default_rng(SEED)
    profile = {
        "driver": "GTiff", "width": 32, "height": 32, "count": 3, "dtype": "uint8", "crs": "EPSG:32652",
        "transform": Affine(0.5, 0.0, 468_000.0, 0.0, -0.5, 4_696_000.0),
    }  # fmt: skip
    for number in range(n):
        day = FIRST_DAY + dt.timedelta(days=number // a_day)
        place = folder / day.isoformat()
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{day:%Y%m%d}_{number:05d}_simulated.tif"
        with rasterio.open(path, "w", **profile) as target:
            target.write(rng.integers(1, 255, (3, 32, 32), dtype=np.uint8))
        _aged(path)


def main() -> None:
    """One kind of scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=["yard", "big", "archive", "tiny"])
    parser.add_argument("target", type=Path)
    parser.add_argument("--yard", type=Path)
    parser.add_argument("--bands", type=int, default=3)
    parser.add_argument("--bits", type=int, default=8)
    parser.add_argument("--size", type=int, default=16384)
    parser.add_argument("--striped", action="store_true")
    parser.add_argument("--n", type=int, default=8)
    given = parser.parse_args()
    if given.kind == "yard":
        write_yard(given.target, bands=given.bands, bits=given.bits)
    elif given.kind == "big":
        write_big(given.target, yard=given.yard, size_px=given.size, striped=given.striped)
    elif given.kind == "archive":
        write_archive(given.target, yard=given.yard, n=given.n)
    else:
        write_tiny(given.target, n=given.n)


if __name__ == "__main__":
    main()
