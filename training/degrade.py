"""What happens to a picture after the sensor: coarser pixels, harsh tone curves, smeared or blocky detail."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from affine import Affine
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates, median_filter, zoom

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels

COARSEST_M = 1.5


def degraded(pixels, grid, *, rng, to_m=None):
    """The picture made worse, its grid, and new pixels per old one (both axes).

    ``to_m`` is a range of ground sampling distances to draw from; without it the picture may keep its own.
    """
    scale = 1.0
    bands, valid = pixels.bands, pixels.valid
    if to_m is None and rng.random() < 0.55 and grid.gsd_m < 1.0:
        to_m = 1.15 * grid.gsd_m, min(COARSEST_M, max(1.1, 1.4 * grid.gsd_m))
    if to_m is not None:
        bands, valid, scale = coarser(bands, valid, grid.gsd_m, rng.uniform(*to_m), rng)
    if rng.random() < 0.7:
        bands = toned(bands, valid, rng)
    if rng.random() < 0.35:
        bands = smeared(bands, rng)
    if rng.random() < 0.25:
        bands = sharpened(bands, rng)
    if rng.random() < 0.35:
        bands = compressed(bands, valid, rng)
    if rng.random() < 0.5:
        unit = bands.std()
        bands = bands + unit * rng.uniform(0.01, 0.15) * rng.normal(size=bands.shape)
    size = bands.shape[1:]
    local = np.eye(2) * grid.gsd_m / scale
    grid = Grid(width=size[1], height=size[0], transform=Affine.identity(), crs=None, local_from_pixel=local)
    return Pixels(bands=bands.astype(np.float32), valid=valid, names=()), grid, scale


def coarser(bands, valid, gsd_m, target_m, rng):
    """Blurred and sampled at a greater distance."""
    f = gsd_m / target_m
    blur = rng.uniform(0.35, 0.7) / f
    size = [int(n * f) for n in valid.shape]
    at = [(np.arange(n) + 0.5) / f - 0.5 for n in size]
    at = np.meshgrid(*at, indexing="ij")
    bands = np.stack([map_coordinates(gaussian_filter(b, blur), at, order=1, mode="nearest") for b in bands])
    return bands, map_coordinates(valid.astype(np.float32), at, order=1) > 0.99, f


def toned(bands, valid, rng):
    """A tone curve: clipped blacks or whites, a power, a cast."""
    seen = bands[:, valid] if valid.any() else bands.reshape(len(bands), -1)
    low, high = np.percentile(seen, [rng.choice([0.1, 1, 4, 10]), 100 - rng.choice([0.1, 1, 3, 8])])
    out = np.clip((bands - low) / max(high - low, 1e-6), 0, 1) ** rng.uniform(0.5, 1.8)
    gain = 1 + rng.normal(0, 0.06, (len(bands), 1, 1))
    return out * gain * 200


def smeared(bands, rng):
    """Detail lost: a median, or blocks of a strong compression."""
    if rng.random() < 0.5:
        return np.stack([median_filter(b, 3) for b in bands])
    size = rng.choice([2, 3])
    rows, cols = bands.shape[1:]
    cut = bands[:, : rows // size * size, : cols // size * size]
    small = cut.reshape(len(bands), rows // size, size, cols // size, size).mean(axis=(2, 4))
    grey = small.mean(axis=0)
    colour = small - grey  # colour coarse, brightness fine: chroma subsampling
    wide = np.stack([zoom(c, size, order=1, grid_mode=True, mode="nearest") for c in colour])
    out = bands.copy()
    out[:, : wide.shape[1], : wide.shape[2]] = cut.mean(axis=0) + wide
    return out


def sharpened(bands, rng):
    """Edges overdone, with bright and dark seams, as viewers and providers like them."""
    soft = np.stack([gaussian_filter(b, rng.uniform(0.8, 1.6)) for b in bands])
    return bands + rng.uniform(0.3, 1.2) * (bands - soft)


def compressed(bands, valid, rng):
    """Through a JPEG file: 8 x 8 blocks, coarse colour, what is too bright or dark for 8 bits clipped."""
    seen = bands[:, valid] if valid.any() else bands.reshape(len(bands), -1)
    low, high = np.percentile(seen, [0.5, 99.5])
    scale = 240 / max(high - low, 1e-6)
    small = np.clip((bands[:3] - low) * scale + 8, 0, 255).astype(np.uint8)
    picture = Image.fromarray(np.moveaxis(small, 0, -1) if len(small) == 3 else small[0])
    file = BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(35, 85)))
    again = np.asarray(Image.open(file), np.float32)
    again = np.moveaxis(again, -1, 0) if again.ndim == 3 else again[None]
    out = bands.copy()
    out[: len(again)] = (again - 8) / scale + low
    return out
