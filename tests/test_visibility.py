"""Cloud: bright, grey, smooth and large; a roof or a gravel lot is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import binary_opening

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.shade import disk, opened
from railcount.visibility import cloud_mask

SIDE = 400
GRID = Grid(width=SIDE, height=SIDE, transform=Affine.identity(), crs=None, local_from_pixel=np.eye(2) * 0.5)


def ground(*, white_m: float = 0.0) -> Pixels:
    """Textured ground with a white smooth square of so many metres in its middle."""
    rng = np.random.default_rng(0)
    image = np.repeat(rng.normal(70, 15, (1, SIDE, SIDE)), 3, axis=0)
    half = round(white_m)
    image[:, SIDE // 2 - half : SIDE // 2 + half, SIDE // 2 - half : SIDE // 2 + half] = 240
    return Pixels(bands=image.astype(np.float32), valid=np.ones((SIDE, SIDE), dtype=bool), names=())


@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
def test_opening_within_its_rectangle(share: float) -> None:
    mask = np.random.default_rng(1).random((60, 80)) < share
    mask[35:, 60:] = share > 0  # as far as the rectangle of all that is set
    np.testing.assert_array_equal(opened(mask, disk(4.0)), binary_opening(mask, disk(4.0)))


def test_a_large_white_area_is_cloud() -> None:
    cloud = cloud_mask(ground(white_m=120), grid=GRID)
    assert cloud[SIDE // 2, SIDE // 2]
    assert not cloud[5, 5]
    assert cloud.mean() == pytest.approx((120 / 200) ** 2, abs=0.12)


@pytest.mark.parametrize("white_m", [0.0, 15.0, 30.0])
def test_ground_and_roofs_are_not(white_m: float) -> None:
    assert not cloud_mask(ground(white_m=white_m), grid=GRID).any()


def clouds(*sides_m: float, seed: int = 1) -> Pixels:
    """Ground with white squares of so many metres, tops uneven, from left to right."""
    pixels = ground()
    bands = pixels.bands.copy()
    uneven = np.random.default_rng(seed).normal(0, 4, bands.shape[1:])
    left = 20
    for side_m in sides_m:
        side = round(side_m / 0.5)
        square = np.s_[20 : 20 + side, left : left + side]
        bands[:, *square] = 235 + (uneven[square] * (3 if side_m < 40 else 1))
        left += side + 40
    return replace(pixels, bands=bands.astype(np.float32))


def test_where_one_cloud_is_smaller_ones_are_too() -> None:
    both = cloud_mask(clouds(60, 36), grid=GRID)
    assert both[80, 80]
    assert both[56, 20 + 120 + 40 + 36]
    assert not both[200:].any()
    assert not cloud_mask(clouds(36), grid=GRID).any()


def test_snow_with_trees_around_a_part_of_it_is_no_cloud() -> None:
    rng = np.random.default_rng(3)
    smooth, rough, wood = (
        np.repeat(rng.normal(*of, (1, SIDE, SIDE)), 3, axis=0) for of in ((230, 4), (230, 60), (70, 15))
    )
    fields, trees, glade = np.s_[:, 20:380, 20:140], np.s_[:, 190:, 190:], np.s_[:, 235:355, 235:355]
    snow = rough.copy()
    snow[fields], snow[trees], snow[glade] = smooth[fields], wood[trees], smooth[glade]
    one = Pixels(bands=snow.astype(np.float32), valid=np.ones((SIDE, SIDE), dtype=bool), names=())
    assert not cloud_mask(one, grid=GRID).any()
    wood[glade] = smooth[glade]
    assert cloud_mask(replace(one, bands=wood.astype(np.float32)), grid=GRID)[315, 315]


def test_a_pale_field_under_haze_is_no_cloud() -> None:
    hazy = ground(white_m=120)
    hazy = replace(hazy, bands=100 + 0.2 * hazy.bands)
    assert not cloud_mask(hazy, grid=GRID).any()


def test_a_blank_image_shows_nothing() -> None:
    blank = Pixels(
        bands=np.full((3, SIDE, SIDE), 90.0, np.float32), valid=np.ones((SIDE, SIDE), bool), names=()
    )
    assert cloud_mask(blank, grid=GRID).all()
