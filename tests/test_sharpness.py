"""Blur is measured by how steep edges are, and taken back where pixels are finer than what they show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from railcount.sharpness import BLURRED, MOST_GAIN, SHARP, sharpened, steepness

STEPS_M = (0.5, 0.25)


def scene(*, blur_m: float, contrast: float = 60.0) -> np.ndarray:
    """Bars of some metres along and across, (1, 40 m, 200 m)."""
    rng = np.random.default_rng(2)
    coarse = rng.random((16, 40)) > 0.5
    image = np.kron(coarse, np.ones((5, 20))) * contrast + 90.0
    image = gaussian_filter(image, [blur_m / step for step in STEPS_M])
    return np.asarray(image + rng.normal(0, 0.01 * contrast, image.shape))[None]


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[1:], dtype=bool)


def steep(image: np.ndarray) -> float:
    return steepness([image], [everywhere(image)], steps_m=STEPS_M)


def mended(image: np.ndarray, *, pixel_m: float = 0.5) -> np.ndarray:
    (out,) = sharpened([image], [everywhere(image)], steps_m=STEPS_M, pixel_m=pixel_m)
    return out


def test_steepness_falls_with_blur_and_does_not_ask_for_contrast() -> None:
    by_blur = [steep(scene(blur_m=blur)) for blur in (0.2, 0.4, 0.7, 1.2)]
    assert by_blur == sorted(by_blur, reverse=True)
    assert by_blur[-1] < BLURRED < by_blur[0]
    assert steep(scene(blur_m=0.7, contrast=6.0)) == pytest.approx(by_blur[2], abs=0.01)


def test_a_blurred_picture_comes_nearer_to_the_sharp_one() -> None:
    blurred, sharp = scene(blur_m=0.9), scene(blur_m=0.4)
    assert steep(blurred) < BLURRED
    assert np.abs(mended(blurred) - sharp).mean() < 0.7 * np.abs(blurred - sharp).mean()
    assert steep(mended(blurred)) > steep(blurred)


def test_what_is_sharp_or_of_coarse_pixels_stays_as_it_is() -> None:
    assert mended(scene(blur_m=0.3)) == pytest.approx(scene(blur_m=0.3), abs=0)
    between = scene(blur_m=0.43)
    assert BLURRED < steep(between) < SHARP
    assert mended(between) == pytest.approx(between, abs=0)
    blurred = scene(blur_m=0.9)
    assert mended(blurred, pixel_m=0.9) == pytest.approx(blurred, abs=0)


def test_a_tile_of_no_edges_and_one_too_small_stay() -> None:
    for image in (np.full((1, 20, 60), 7.0), np.zeros((1, 2, 3))):
        assert mended(image) == pytest.approx(image, abs=0)


def test_what_is_not_valid_adds_nothing() -> None:
    """A collar of zeros beside the picture makes no edge in it, however dark."""
    image = scene(blur_m=0.9)
    mask = everywhere(image)
    mask[:, :200] = False
    hidden = np.where(mask, image, 0.0)
    (one,) = sharpened([image], [mask], steps_m=STEPS_M, pixel_m=0.5)
    (two,) = sharpened([hidden], [mask], steps_m=STEPS_M, pixel_m=0.5)
    steep_as = [steepness([seen], [mask], steps_m=STEPS_M) for seen in (image, hidden)]
    assert steep_as[0] == steep_as[1]
    assert one[:, mask] == pytest.approx(two[:, mask])
    assert np.abs(two[:, :, 200:210]).max() < 255 * (1 + MOST_GAIN)


def test_all_pieces_of_a_tile_are_sharpened_alike() -> None:
    image = scene(blur_m=0.9)
    pieces = [image[:, :40], image[:, 40:]]
    out = sharpened(pieces, [everywhere(p) for p in pieces], steps_m=STEPS_M, pixel_m=0.5)
    gains = [np.ptp(o) / np.ptp(p) for o, p in zip(out, pieces, strict=True)]
    assert gains[0] == pytest.approx(gains[1], rel=0.15)
    assert gains[0] > 1.02
