"""Pictures whose true resolution is coarser than their pixels, sharpened to what the networks know.

How steep edges are tells how blurred a picture is, whatever its contrast and scene. What is added is the
difference to a smoother picture (unsharp masking), as much of it as makes the edges of this tile as steep as
those of sharp ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

REACH_M = 0.5
"""Of an edge's steepest part, compared with three times as far: a straight ramp has a steepness of 1/3."""
STRONG_PERCENTILE = 95.0
"""Of differences: from here on they are edges."""
BLURRED = 0.47
"""Steepness. Of scenes at 0.3 to 0.6 m by two other renderers, sharp ones have 0.48 to 0.7, blurred ones
(sigma 0.9 to 1.5 pixels) 0.41 to 0.44."""
SHARP = 0.5
"""Steepness of what was sharpened."""
SIGMA_M = 0.8
"""Of the smoother picture."""
GAIN_STEP, MOST_GAIN = 0.25, 2.0
COARSEST_M = 0.65
"""Pixels: beyond, it is they that make edges flat, and there is nothing to sharpen."""


def sharpened(
    images: Sequence[Array], valid: Sequence[Mask], *, steps_m: tuple[float, float], pixel_m: float
) -> list[Array]:
    """Images (bands, rows, cols) of one tile, sharpened alike; as they are where they are not blurred.

    The first band is brightness. ``steps_m`` is how far rows and columns lie apart, ``pixel_m`` the size of
    the pixels that the images were sampled from.
    """
    if pixel_m > COARSEST_M or not steepness(images, valid, steps_m=steps_m) < BLURRED:
        return list(images)
    fine = [_fine(image, mask, steps_m=steps_m) for image, mask in zip(images, valid, strict=True)]
    gain, out = 0.0, list(images)
    while gain < MOST_GAIN and steepness(out, valid, steps_m=steps_m) < SHARP:
        gain += GAIN_STEP
        out = [image + gain * more for image, more in zip(images, fine, strict=True)]
    return out


def steepness(images: Sequence[Array], valid: Sequence[Mask], *, steps_m: tuple[float, float]) -> float:
    """How much of the strong edges of brightness lies within REACH_M: their steepest part over 3 REACH_M's.

    The mean over both directions of the median edge; infinite where there is none.
    """
    both = [_steepness(images, valid, axis=axis, far=round(REACH_M / steps_m[axis])) for axis in (0, 1)]
    return float(np.mean(both))


def _steepness(images: Sequence[Array], valid: Sequence[Mask], *, axis: int, far: int) -> float:
    whole, most = [np.zeros(0)], [np.zeros(0)]
    for image, mask in zip(images, valid, strict=True):
        n = image.shape[axis + 1] - 3 * far
        if n <= 0:
            continue
        parts = [(slice(k * far, k * far + n), slice(None))[:: 1 if axis == 0 else -1] for k in range(4)]
        at = [image[0][part] for part in parts]
        seen = np.logical_and.reduce([mask[part] for part in parts])
        steps = [np.abs(b - a) for a, b in pairwise(at)]
        whole.append(np.abs(at[3] - at[0])[seen])
        most.append(np.maximum.reduce(steps)[seen])
    edges, steepest = np.concatenate(whole), np.concatenate(most)
    strong = edges > 0
    if strong.any():
        strong &= edges >= np.percentile(edges, STRONG_PERCENTILE)
    return float(np.median(steepest[strong] / edges[strong])) if strong.any() else np.inf


def _fine(image: Array, mask: Mask, *, steps_m: tuple[float, float]) -> Array:
    """What the picture has and a smoother one has not; 0 where it is not valid."""
    sigma = [SIGMA_M / step for step in steps_m]
    weight = np.maximum(gaussian_filter(mask.astype(np.float64), sigma), 1e-6)
    smooth = np.stack([gaussian_filter(band * mask, sigma) for band in image]) / weight
    return np.asarray((image - smooth) * mask)
