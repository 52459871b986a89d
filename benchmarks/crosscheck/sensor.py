"""From radiance on the fine grid to the pixels that are delivered."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from canvas import Floats, Rng
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """Air, optics, electronics and what the provider does to the picture."""

    haze: float = 0.02
    """Light of the air, in units of sunlit white."""
    blur_px: float = 0.5
    """Sigma of the optics in delivered pixels."""
    noise: float = 0.006
    """Sigma of the noise, share of the full scale."""
    middle: float = 115.0
    """Grey level at which the median lands."""
    gamma: float = 1.8
    contrast: float = 1.0
    saturation: float = 1.0
    jpeg: int | None = None
    """Quality."""
    sharpen: float = 0.0
    chroma_blur_px: float = 0.0
    """Pan-sharpening: colours are blurred by this sigma, brightness is not."""
    is_pan: bool = False
    """Brightness alone, in all three bands."""
    wide: bool = False
    """11 bits in 16, not stretched."""


def expose(radiance: Floats, sensor: Sensor, *, factor: int, rng: Rng) -> NDArray[np.uint8 | np.uint16]:
    """The delivered image (rows, cols, 3); ``factor`` fine pixels make one."""
    air = np.array([0.85, 1.0, 1.25], np.float32) * sensor.haze
    light = radiance * (1.0 - min(2.2 * sensor.haze, 0.75)) + air
    sigma = sensor.blur_px * factor
    light = np.stack([gaussian_filter(light[..., k], sigma) for k in range(3)], axis=-1)
    rows, cols = (n // factor for n in light.shape[:2])
    light = light[: rows * factor, : cols * factor].reshape(rows, factor, cols, factor, 3).mean(axis=(1, 3))
    if sensor.is_pan:
        light = np.repeat((light @ np.array([0.36, 0.36, 0.28], np.float32))[..., None], 3, axis=2)
    shot = np.sqrt(np.maximum(light, 0.0) / 0.2)
    grain = rng.standard_normal(light.shape, dtype=np.float32)
    if sensor.is_pan:
        grain = np.repeat(grain[..., :1], 3, axis=2)
    light = light + sensor.noise * 0.35 * grain * (0.5 + 0.5 * shot)
    if sensor.wide:
        return np.clip(np.rint(160 + 2100 * light), 1, 2047).astype(np.uint16)
    return _finish(_stretch(light, sensor), sensor)


def _stretch(light: Floats, sensor: Sensor) -> Floats:
    """Grey levels 0-255: a tone curve whose median lands where the provider put it."""
    grey = light.mean(axis=2)
    black = 0.55 * float(np.percentile(grey, 0.3)) if sensor.haze < 0.1 else 0.0
    tone = np.maximum(light - black, 0.0) ** (1.0 / sensor.gamma)
    tone *= (sensor.middle / 255.0) / max(float(np.median(tone)), 1e-4)
    middle = sensor.middle / 255.0
    tone = middle + (tone - middle) * sensor.contrast
    mean = tone.mean(axis=2, keepdims=True)
    tone = mean + (tone - mean) * sensor.saturation
    # Brightest parts roll off instead of clipping at once.
    return 255.0 * np.where(tone > 0.85, 0.85 + 0.15 * np.tanh((tone - 0.85) / 0.3), tone)


def _finish(levels: Floats, sensor: Sensor) -> NDArray[np.uint8]:
    """Pan-sharpening, sharpening, rounding, JPEG."""
    if sensor.chroma_blur_px:
        luma = levels.mean(axis=2, keepdims=True)
        chroma = levels - luma
        chroma = np.stack([gaussian_filter(chroma[..., k], sensor.chroma_blur_px) for k in range(3)], axis=-1)
        levels = luma + chroma
    if sensor.sharpen:
        soft = np.stack([gaussian_filter(levels[..., k], 1.0) for k in range(3)], axis=-1)
        levels = levels + sensor.sharpen * (levels - soft)
    image = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    if sensor.jpeg is None:
        return image
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=sensor.jpeg, subsampling=2)
    return np.asarray(Image.open(buffer).convert("RGB"))
