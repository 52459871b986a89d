"""From light on the ground to a file: air, optics, sensor, tone, compression."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates


def sampled(bands, step_m, *, gsd_m, margin_m, shape, blur_m):
    """Blurred and read at the centres of the pixels."""
    at = [((np.arange(n) + 0.5) * gsd_m + margin_m) / step_m - 0.5 for n in shape]
    at = np.meshgrid(*at, indexing="ij")
    soft = [gaussian_filter(b, blur_m / step_m, truncate=2.5) for b in bands]
    return np.stack([map_coordinates(b, at, order=1, mode="nearest") for b in soft])


def air(rng, bands):
    """Haze, its tint, and light that falls off towards the corners."""
    haze = rng.choice([0.0, rng.uniform(0, 0.25), rng.uniform(0.2, 0.5)], p=[0.5, 0.4, 0.1])
    tint = np.array([0.95, 1.0, 1.08]) ** rng.uniform(0, 2.5)
    bands = bands * (1 - haze) + haze * rng.uniform(0.3, 0.6) * tint[:, None, None]
    bands = bands * (1 + rng.normal(0, 0.05, 3))[:, None, None]
    h, w = bands.shape[1:]
    slope = rng.normal(0, 0.05, 2)
    return bands * (1 + slope[0] * np.linspace(-1, 1, w) + slope[1] * np.linspace(-1, 1, h)[:, None])


def toned(rng, bands):
    """Contrast, saturation and a curve; what is too bright or too dark is lost."""
    grey = bands.mean(0)
    bands = grey + (bands - grey) * rng.choice([0.0, 0.6, 1.0, 1.4], p=[0.07, 0.28, 0.4, 0.25])
    low = np.percentile(grey, rng.choice([0.0, 0.5, 2, 6])) * rng.uniform(0.3, 1)
    high = np.percentile(grey, rng.choice([100, 99.8, 99, 96]))
    power = rng.choice([rng.uniform(0.42, 0.75), rng.uniform(0.6, 1.05)], p=[0.75, 0.25])
    return np.clip((bands - low) / max(high - low, 0.05), 0, 1) ** power


def grained(rng, bands, shape):
    """Noise of single pixels and of patches, alike or apart in the colours."""
    size = rng.choice([0.003, 0.01, 0.025]) * rng.uniform(0.5, 1.5)
    shared = rng.normal(0, 1, shape)
    noise = 0.8 * shared + 0.5 * rng.normal(0, 1, (3, *shape))
    if rng.random() < 0.5:
        noise = gaussian_filter(noise, (0, 0.8, 0.8)) * 2
    return bands + size * noise


def developed(rng, bands):
    """What software does: softer colour, sharper edges, resampling, JPEG."""
    if rng.random() < 0.4:
        grey = bands.mean(0)
        bands = grey + gaussian_filter(bands - grey, (0, *[rng.uniform(0.7, 2.5)] * 2))
    if rng.random() < 0.45:
        soft = gaussian_filter(bands, (0, *[rng.uniform(0.7, 1.6)] * 2))
        bands = np.clip(bands + rng.uniform(0.3, 1.5) * (bands - soft), 0, 1)
    if rng.random() < 0.3:  # shown once on another grid
        by = rng.uniform(0.1, 0.9, 2)
        bands = np.stack([
            b[:-1, :-1] * (1 - by[0]) * (1 - by[1]) + b[1:, :-1] * by[0] * (1 - by[1])
            + b[:-1, 1:] * (1 - by[0]) * by[1] + b[1:, 1:] * by[0] * by[1]
            for b in np.pad(bands, ((0, 0), (0, 1), (0, 1)), mode="edge")
        ])  # fmt: skip
        bands = np.clip(bands, 0, 1)
    if rng.random() < 0.45:
        file = BytesIO()
        small = np.moveaxis(np.clip(bands * 255, 0, 255).astype(np.uint8), 0, -1)
        Image.fromarray(small).save(file, "JPEG", quality=int(rng.integers(40, 93)))
        bands = np.moveaxis(np.asarray(Image.open(file), np.float32), -1, 0) / 255
    return bands
