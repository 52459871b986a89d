"""Pictures without any track that a finder could fall for: furrows, lots, roofs, roads, stacks."""

from __future__ import annotations

import numpy as np
from affine import Affine
from scipy.ndimage import gaussian_filter

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels

STEP_M = 0.5


def texture(rng, shape):
    """Ground: noise at several scales, in a muted colour."""
    out = np.zeros(shape)
    for scale in (1, 3, 10, 40):
        out += gaussian_filter(rng.normal(size=shape), scale) * scale * rng.uniform(0.3, 1.2)
    out *= rng.uniform(0.02, 0.12) / out.std()
    base = rng.uniform(0.15, 0.6) * (1 + rng.normal(0, 0.12, 3))
    return base[:, None, None] * (1 + out)


def furrows(rng, u, v, image):
    """Ploughed rows, vines or tyre tracks: stripes of an even or drifting period."""
    period = rng.uniform(1.5, 8.0)
    wave = np.sin(2 * np.pi * v / period + 0.6 * gaussian_filter(rng.normal(size=v.shape), 20) * 20)
    wave = np.sign(wave) * np.abs(wave) ** rng.uniform(0.2, 1.5)
    return image * (
        1 + rng.uniform(0.05, 0.35) * wave * (0.6 + 0.4 * gaussian_filter(rng.normal(size=v.shape), 8) * 8)
    )


def boxes(rng, u, v, image):
    """Rows of parked cars, trailers, buses, containers or roofs, with shadows; mostly side by side."""
    kind = rng.integers(5)
    length, width, pitch = (
        (rng.uniform(4, 5), 1.9, rng.uniform(2.4, 2.9)),
        (rng.uniform(12, 16), 2.6, rng.uniform(3.2, 4.2)),
        (rng.uniform(9, 13), 2.5, rng.uniform(3.2, 4.5)),
        (rng.uniform(10, 20), rng.uniform(4, 5.5), rng.uniform(6, 10)),
        (rng.uniform(20, 90), rng.uniform(6, 12), rng.uniform(9, 16)),
    )[kind]
    aisle = length + rng.uniform(0.5, 12)
    i, j = np.floor(u / pitch).astype(int), np.floor(v / aisle).astype(int)
    i, j = i - i.min(), j - j.min()
    there = rng.random((i.max() + 1, j.max() + 1)) < rng.uniform(0.3, 1.0)
    colour = rng.uniform(0.05, 1.0, (3, i.max() + 1, j.max() + 1)) * rng.uniform(0.4, 1.0)
    if kind > 0:
        grey = rng.uniform(0.2, 1.0, (i.max() + 1, j.max() + 1))
        colour = 0.3 * colour + 0.7 * grey
    a, b = u % pitch, v % aisle
    body = (a < width) & (b < length) & there[i, j]
    shade = (a < width + rng.uniform(0, 1.5)) & (b < length + rng.uniform(0, 2)) & there[i, j] & ~body
    image = np.where(shade, image * 0.35, image)
    return np.where(body, colour[:, i, j], image)


def stacks(rng, u, v, image):
    """A container yard: blocks of rows side by side, the boxes of a row end to end, aisles between blocks."""
    length = rng.choice([6.06, 12.19, 12.19, 13.7])
    slot = length + rng.uniform(0.2, 0.7)
    row = 2.44 + rng.uniform(0.1, 0.6)
    rows = int(rng.integers(1, 8))
    block = rows * row + rng.uniform(3, 22)
    i = np.floor(u / slot).astype(int)
    j = (np.floor(v / block) * rows + np.minimum(np.floor((v % block) / row), rows - 1)).astype(int)
    i, j = i - i.min(), j - j.min()
    high = rng.integers(0, 5, (i.max() + 1, j.max() + 1)) * (
        rng.random((i.max() + 1, j.max() + 1)) < rng.uniform(0.6, 1)
    )
    a, b, in_block = u % slot, (v % block) % row, (v % block) < rows * row
    body = (a < length) & (b < 2.44) & in_block & (high[i, j] > 0)
    reach = rng.uniform(-2.0, 2.0, 2) * high.mean()
    shade = np.roll(body, np.rint(reach / STEP_M).astype(int), axis=(0, 1)) & ~body
    image = np.where(shade, image * rng.uniform(0.3, 0.6), image)
    colour = rng.uniform(0.05, 0.9, (3, i.max() + 1, j.max() + 1)) ** rng.uniform(0.8, 1.6)
    white = rng.random((i.max() + 1, j.max() + 1)) < 0.2
    colour = np.where(white, rng.uniform(0.7, 1.1), colour) * rng.uniform(0.5, 1.0)
    return np.where(body, colour[:, i, j], image)


def highway(rng, u, v, image):
    """Carriageways full of lorries: tractor and trailer, nose to tail or far apart, with shadows."""
    lanes, lane = int(rng.integers(2, 9)), rng.uniform(3.3, 3.9)
    d = v - rng.uniform(np.percentile(v, 10), np.percentile(v, 90))
    half = lanes * lane / 2
    image = np.where(np.abs(d) < half + rng.uniform(0.5, 3), rng.uniform(0.12, 0.5), image)
    if lanes >= 4:
        image = np.where(np.abs(d) < rng.uniform(0, 1.6), rng.uniform(0.1, 0.5, (3, 1, 1)), image)
    k = np.floor((d + half) / lane).astype(int)
    marks = (np.abs((d + half) % lane - lane / 2) > lane / 2 - 0.12) & (
        (u % 12 < 5) | (k <= 0) | (k >= lanes - 1)
    )
    image = np.where(marks & (np.abs(d) < half), rng.uniform(0.5, 0.9), image)
    for n in range(lanes):
        if rng.random() < 0.25:
            continue
        gap = rng.uniform(18, 60)
        at = u + rng.uniform(0, 99)
        which = np.floor(at / gap).astype(int)
        which -= which.min()
        size = rng.choice([7.0, 9.0, 12.0, 16.5, 16.5, 18.75], which.max() + 1)
        start = rng.uniform(0, 1, which.max() + 1) * np.maximum(gap - size - 1, 0)
        s = at % gap - start[which]
        across = d + half - (n + 0.5) * lane - rng.normal(0, 0.15, which.max() + 1)[which]
        there = (rng.random(which.max() + 1) < rng.uniform(0.3, 1.0))[which]
        body = (s > 0) & (s < size[which]) & (np.abs(across) < 1.27) & there
        cab = body & (s < 2.6)
        joint = body & (s > 2.6) & (s < 3.3)
        shade = np.roll(body, rng.integers(-4, 5, 2), axis=(0, 1)) & ~body
        image = np.where(shade, image * rng.uniform(0.3, 0.6), image)
        load = np.where(
            rng.random(which.max() + 1) < 0.6, rng.uniform(0.7, 1.1), rng.uniform(0.1, 0.8, which.max() + 1)
        )
        paint = load * np.where(
            rng.random(which.max() + 1) < 0.5, 1.0, rng.uniform(0.3, 1.0, (3, which.max() + 1))
        )
        cabs = rng.uniform(0.05, 0.9, (3, which.max() + 1))
        image = np.where(body, paint[:, which], image)
        image = np.where(cab, cabs[:, which], image)
        image = np.where(joint, image * 0.4, image)
    return image


def road(rng, u, v, image):
    """A paved strip with lane marks, kerbs and vehicles in line."""
    half = rng.uniform(3, 22)
    at = rng.uniform(v.min(), v.max())
    d = v - at
    image = np.where(np.abs(d) < half, rng.uniform(0.2, 0.55), image)
    for lane in np.arange(-half, half + 1, rng.uniform(3.2, 3.8)):
        for wheel in (
            (-0.9, 0.9) if rng.random() < 0.5 else (0.0,)
        ):  # oil and rubber streaks, as dark as rails
            streak = np.exp(-0.5 * ((d - lane - 1.8 - wheel) / rng.uniform(0.3, 0.8)) ** 2)
            image = image * (1 - rng.uniform(0, 0.25) * streak)
        dash = (u % 12 < rng.uniform(3, 12)) | (abs(lane) > half - 1)
        image = np.where((np.abs(d - lane) < 0.2) & dash, rng.uniform(0.5, 0.9), image)
        gap = rng.uniform(18, 120)
        size = rng.choice([4.5, 4.5, 8, 12, 16])
        slot = np.floor((u + rng.uniform(0, 99)) / gap).astype(int)
        slot -= slot.min()
        grey = rng.uniform(0.05, 1.0, (3, slot.max() + 1))
        vehicle = (
            ((u % gap) < size) & (np.abs(d - lane - 1.7) < 1.2) & (rng.random(slot.max() + 1) < 0.6)[slot]
        )
        image = np.where(vehicle, grey[:, slot], image)
    return image


def lookalike(seed: int) -> tuple[Pixels, Grid]:
    """A tile of 200 to 400 m with a patchwork of such things; no tracks."""
    rng = np.random.default_rng([11, seed])
    shape = (int(rng.integers(300, 700)), int(rng.integers(300, 700)))
    y, x = np.mgrid[: shape[0], : shape[1]] * STEP_M
    image = texture(rng, shape)
    for _ in range(rng.integers(2, 7)):
        angle = rng.uniform(0, np.pi)
        u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        if rng.random() < 0.2:
            v = v + (u - u.mean()) ** 2 / rng.uniform(300, 3000)
        drawn = (furrows, furrows, boxes, boxes, road, stacks, stacks, highway, highway)[rng.integers(9)](
            rng, u, v, image if rng.random() < 0.5 else texture(rng, shape)
        )
        size = rng.uniform(20, 120, 2)
        cu, cv = rng.uniform(u.min(), u.max()), rng.uniform(v.min(), v.max())
        part = (np.abs(u - cu) < size[0]) & (np.abs(v - cv) < size[1])
        if rng.random() < 0.15:
            part[:] = True
        image = np.where(part, drawn, image)
    image = np.stack([gaussian_filter(b, rng.uniform(0.4, 1.2)) for b in np.clip(image, 0, 1.5)])
    image = image + rng.normal(0, rng.uniform(0.002, 0.02), image.shape)
    grid = Grid(
        width=shape[1],
        height=shape[0],
        transform=Affine.identity(),
        crs=None,
        local_from_pixel=np.eye(2) * STEP_M,
    )
    pixels = Pixels(bands=(image * 200).astype(np.float32), valid=np.ones(shape, bool), names=())
    return pixels, grid


def stray_lines(rng, grid, n):
    """Straight lines anywhere, for strips that must be empty."""
    size = np.array([grid.width, grid.height])
    out = []
    for _ in range(n):
        middle, angle = rng.uniform(0.2, 0.8, 2) * size, rng.uniform(0, np.pi)
        d = np.array([np.cos(angle), np.sin(angle)]) * 160
        out.append(np.stack([middle - d, middle + d]))
    return out
