"""The sensor: blur, sampling, pan-sharpening, noise, digits and JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from railcount.simulate.dice import pick, pick_flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.simulate.scene import Sensor

SIGMA_PER_RESOLUTION = 0.42
"""Gaussian blur over ground resolution: gives a modulation of about 0.12 at the Nyquist frequency of a
pixel of that size once the pixel's own averaging is counted, usual for such cameras (0.1-0.2)."""
MS_RATIO = 4
"""Colour bands are four times coarser than the panchromatic one."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A sensor with everything settled."""

    bands: int
    bit_depth: int
    resolution_m: float
    pansharpen: bool
    halo: float
    snr: float
    jpeg_quality: int
    contrast: float
    saturation: float
    off_nadir_deg: float
    view_azimuth_deg: float
    black: float
    colour_shift_px: tuple[float, float]
    tint: tuple[float, float, float, float]


def settle(sensor: Sensor, rng: np.random.Generator, *, gsd_m: float) -> Camera:
    """Draw what the scene leaves open."""
    resolution = pick(rng, sensor.resolution_m, 1.0 * gsd_m, 1.5 * gsd_m)
    pansharpen = pick_flag(rng, sensor.pansharpen, 0.6)
    halo = pick(rng, sensor.halo, 0.0, 0.7)
    snr = pick(rng, sensor.snr, 35.0, 140.0)
    quality = int(rng.integers(72, 101))
    contrast = pick(rng, sensor.contrast, 0.7, 1.05)
    black = float(rng.uniform(0.1, 0.7))
    shift = (float(rng.normal(0, 0.25)), float(rng.normal(0, 0.25)))
    saturation = pick(rng, sensor.saturation, 0.5, 1.0)
    aslant = 16.0 * float(rng.random()) ** 2
    off_nadir = pick(rng, sensor.off_nadir_deg, aslant, aslant)
    view_azimuth = pick(rng, sensor.view_azimuth_deg, 0.0, 360.0)
    tint = tuple(float(x) for x in rng.normal(1.0, 0.02, 4))
    return Camera(
        bands=sensor.bands,
        bit_depth=sensor.bit_depth,
        resolution_m=max(resolution, gsd_m * 0.8),
        pansharpen=pansharpen and sensor.bands > 1,
        halo=halo,
        snr=snr,
        jpeg_quality=(quality if sensor.jpeg_quality is None else sensor.jpeg_quality)
        if sensor.bit_depth == 8
        else 100,
        contrast=contrast,
        saturation=saturation,
        off_nadir_deg=off_nadir,
        view_azimuth_deg=view_azimuth,
        black=black,
        colour_shift_px=shift,
        tint=(tint[0], tint[1], tint[2], tint[3]),
    )


def block_mean(field: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Means of k x k blocks of (rows, cols)."""
    rows, cols = field.shape
    if k == 1:
        return field
    by_rows = np.add.reduce(field.reshape(rows // k, k, cols), axis=1)
    total = np.add.reduce(by_rows.reshape(rows // k, cols // k, k), axis=2)
    total /= np.float32(k * k)
    return np.asarray(total, dtype=np.float32)


def expose(
    radiance: NDArray[np.float32], camera: Camera, rng: np.random.Generator, *, gsd_m: float, fine: int
) -> NDArray[np.float32]:
    """What the sensor measures, (bands, rows, cols) at the pixel, from radiance ``fine`` times finer."""
    sigma = SIGMA_PER_RESOLUTION * camera.resolution_m / gsd_m
    sharp = np.stack([block_mean(gaussian_filter(band, sigma * fine), fine) for band in radiance])
    level = float(sharp.mean()) or 1.0
    # The noise of a coarser sensor is resampled with the image, so it is not white at the pixel.
    spread = max(camera.resolution_m / gsd_m - 1.0, 0.0) * 0.5

    def grain(size: tuple[int, ...], share: float) -> NDArray[np.float32]:
        field = rng.standard_normal(size, dtype=np.float32)
        if spread > 0.05:
            field = gaussian_filter(field, spread)
            field /= max(float(field.std()), 1e-6)
        return np.asarray(field * np.float32(level / camera.snr * share))

    if not camera.pansharpen:
        # Shot noise grows with the root of the signal.
        out = [band + grain(band.shape, 1.0) * np.sqrt(np.maximum(band, 0) / level + 0.2) for band in sharp]
        sharpened = np.stack(out)
    else:
        pan = sharp[: min(len(sharp), 3)].mean(axis=0)
        pan = pan + grain(pan.shape, 1.0) * np.sqrt(np.maximum(pan, 0) / level + 0.2)
        coarse = np.stack([_coarse(band, sigma, camera.colour_shift_px) for band in sharp])
        coarse += np.stack([gaussian_filter(grain(b.shape, 2.0), 1.2) for b in coarse])
        mean = coarse[: min(len(sharp), 3)].mean(axis=0)
        ratio = pan / np.maximum(mean, 0.05 * level)
        sharpened = coarse * np.clip(ratio, 0.2, 4.0)
    if camera.halo > 0:
        blurred = np.stack([gaussian_filter(band, 1.2 * camera.resolution_m / gsd_m) for band in sharpened])
        sharpened = sharpened + np.float32(camera.halo) * (sharpened - blurred)
    return np.asarray(np.maximum(sharpened, 0), dtype=np.float32)


def _coarse(band: NDArray[np.float32], sigma: float, shift_px: tuple[float, float]) -> NDArray[np.float32]:
    """A colour band at a quarter of the resolution, brought back to the pixel, slightly misplaced."""
    from scipy.ndimage import shift

    wide = gaussian_filter(band, float(np.hypot(sigma, 0.5)) * MS_RATIO * 0.55)
    return np.asarray(shift(wide, shift_px, order=1, mode="nearest"), dtype=np.float32)


def digitise(
    image: NDArray[np.float32],
    camera: Camera,
    rng: np.random.Generator,
    *,
    valid: NDArray[np.bool_],
    clear: NDArray[np.bool_],
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Digital numbers (bands, rows, cols); 0 is kept for nodata.

    ``valid`` and ``clear`` (rows, cols) are True inside the footprint and where no cloud is: the stretch
    to 8 bit is made for the ground, so that cloud is white.
    """
    image = image * np.asarray(camera.tint[: len(image)], dtype=np.float32)[:, None, None]
    seen = image[:, valid & clear]
    if seen.shape[1] < 0.02 * valid.sum():
        seen = image[:, valid]
    if seen.size == 0:
        seen = image.reshape(len(image), -1)
    if camera.bit_depth == 8:
        low = float(np.percentile(seen[: min(3, len(seen))], 0.3)) * camera.black
        high = float(np.percentile(seen[: min(3, len(seen))], 99.6)) * float(rng.uniform(1.0, 1.2))
        # A display stretch: the middle of the ground lands near mid-grey.
        middle = float(np.median(seen[: min(3, len(seen))]))
        mid = np.clip((middle - low) / max(high - low, 1e-6), 0.05, 0.9)
        gamma = float(np.clip(np.log(rng.uniform(0.38, 0.5)) / np.log(mid), 0.45, 1.1))
        scaled = np.maximum((image - low) / max(high - low, 1e-6), 0) ** np.float32(gamma)
        if len(scaled) >= 3:
            gray = scaled[:3].mean(axis=0)
            scaled[:3] = gray + (scaled[:3] - gray) * np.float32(camera.saturation)
        scaled = 0.45 + (scaled - 0.45) * np.float32(camera.contrast)
        eight = compress(np.clip(scaled * 255, 0, 255), camera.jpeg_quality)
        numbers = np.clip(np.rint(eight), 1, 255).astype(np.uint8)
        numbers[:, ~valid] = 0
        return numbers
    # 11 bit: counts of a camera; 16 bit: reflectance in ten-thousandths.
    gain = 10_000.0 if camera.bit_depth == 16 else 2047 * 0.62 / max(float(np.percentile(seen, 99.5)), 1e-6)
    top = 65_535 if camera.bit_depth == 16 else 2047
    wide = np.clip(np.rint(image * np.float32(gain)), 1, top).astype(np.uint16)
    wide[:, ~valid] = 0
    return np.asarray(wide, dtype=np.uint16)


# JPEG's example tables, ITU-T T.81 annex K.
_LUMA = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
     14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
).reshape(8, 8)  # fmt: skip
_CHROMA = np.full((8, 8), 99)
_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def compress(image: NDArray[np.float32], quality: int) -> NDArray[np.float32]:
    """What JPEG does to 8-bit bands (bands, rows, cols): quantised 8 x 8 cosine blocks, halved colour."""
    if quality >= 100:
        return image
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (np.clip(np.floor((t * scale + 50) / 100), 1, 255) for t in (_LUMA, _CHROMA))
    if len(image) < 3:
        return np.stack([_quantise(band, luma) for band in image])
    r, g, b = image[:3]
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb, cr = 0.564 * (b - y), 0.713 * (r - y)
    rows, cols = y.shape
    y = _quantise(y, luma)
    small = [np.pad(c, ((0, rows % 2), (0, cols % 2)), mode="edge") for c in (cb, cr)]
    small = [_quantise(block_mean(c, 2) + 128, chroma) - 128 for c in small]
    cb, cr = (np.repeat(np.repeat(c, 2, axis=0), 2, axis=1)[:rows, :cols] for c in small)
    out = [y + cr / 0.713, y - 0.344 * cb / 0.564 - 0.714 * cr / 0.713, y + cb / 0.564]
    out[1] = (y - 0.299 * out[0] - 0.114 * out[2]) / 0.587
    return np.asarray(np.clip(np.stack([*out, *image[3:]]), 0, 255), dtype=np.float32)


def _quantise(band: NDArray[np.float32], table: NDArray[np.float64]) -> NDArray[np.float32]:
    rows, cols = band.shape
    padded = np.pad(band, ((0, -rows % 8), (0, -cols % 8)), mode="edge") - 128
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8).swapaxes(1, 2)
    waves = dctn(blocks, axes=(2, 3), norm="ortho")
    waves = np.rint(waves / table) * table
    back = idctn(waves, axes=(2, 3), norm="ortho").swapaxes(1, 2).reshape(padded.shape)
    return np.asarray(back[:rows, :cols] + 128, dtype=np.float32)
