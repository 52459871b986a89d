"""Cloud: bright, grey, smooth and large; a roof or a gravel lot is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import binary_opening, gaussian_filter

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.shade import disk, opened
from railcount.visibility import cloud_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDE = 400
RIM_PX = 8
GRID = Grid(width=SIDE, height=SIDE, transform=Affine.identity(), crs=None, local_from_pixel=np.eye(2) * 0.5)


def ground(*, white_m: float = 0.0, soft: bool = True) -> Pixels:
    """Textured ground with a white smooth square of so many metres in its middle."""
    rng = np.random.default_rng(0)
    image = np.repeat(rng.normal(70, 15, (1, SIDE, SIDE)), 3, axis=0)
    half = round(white_m)
    white = np.zeros((SIDE, SIDE))
    white[SIDE // 2 - half : SIDE // 2 + half, SIDE // 2 - half : SIDE // 2 + half] = 1
    image = under(np.full_like(image, 240), image, white=softly(white) if soft else white)
    return Pixels(bands=image.astype(np.float32), valid=np.ones((SIDE, SIDE), dtype=bool), names=())


def softly(white: Floats) -> Floats:
    """The same with a rim that thins out over some 10 m, as a cloud's does."""
    return np.asarray(gaussian_filter(white, RIM_PX))


def under(cloud: Floats, image: Floats, *, white: Floats) -> Floats:
    """The image under a cloud that covers this part (0-1) of each pixel."""
    return np.asarray(image + white * (cloud - image))


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


def test_a_white_area_that_ends_at_something_dark_is_snow() -> None:
    """As far as a shadow or a train: within a step, not over metres."""
    assert not cloud_mask(ground(white_m=120, soft=False), grid=GRID).any()


@pytest.mark.parametrize("white_m", [0.0, 15.0, 30.0])
def test_ground_and_roofs_are_not(white_m: float) -> None:
    assert not cloud_mask(ground(white_m=white_m), grid=GRID).any()


def clouds(*sides_m: float, seed: int = 1) -> Pixels:
    """Ground with white squares of so many metres, tops uneven, from left to right."""
    pixels = ground()
    uneven = np.random.default_rng(seed).normal(0, 4, pixels.bands.shape[1:])
    white, tops = np.zeros_like(uneven), np.full_like(uneven, 235.0)
    left = 20
    for side_m in sides_m:
        side = round(side_m / 0.5)
        square = np.s_[20 : 20 + side, left : left + side]
        white[square] = 1
        tops[square] += uneven[square] * (3 if side_m < 40 else 1)
        left += side + 40
    bands = under(tops, pixels.bands, white=softly(white))
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
    white = np.zeros((SIDE, SIDE))
    white[glade[1:]] = 1
    wood = under(smooth, wood, white=softly(white))
    assert cloud_mask(replace(one, bands=wood.astype(np.float32)), grid=GRID)[315, 315]


def test_a_pale_field_under_haze_is_no_cloud() -> None:
    hazy = ground(white_m=120)
    hazy = replace(hazy, bands=100 + 0.2 * hazy.bands)
    assert not cloud_mask(hazy, grid=GRID).any()


def ragged(rng: np.random.Generator) -> Floats:
    """How much cloud hides, 0-1: it thins out everywhere, and holes are in it."""
    field = sum(
        gaussian_filter(rng.normal(size=(SIDE, SIDE)), size, mode="wrap") * size * weight
        for size, weight in ((90, 1.0), (30, 0.6), (12, 0.3), (4, 0.15))
    )
    return np.asarray(np.clip(0.5 + 3 * (field - np.quantile(field, 0.7)), 0, 1))


@pytest.mark.parametrize("seed", range(6))
def test_a_ragged_cloud_whose_tops_are_uneven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    white = ragged(rng)
    tops = 235 + gaussian_filter(rng.normal(size=(SIDE, SIDE)), 4) * 4 * 25
    pixels = ground()
    cloudy = replace(pixels, bands=under(tops, pixels.bands, white=white).astype(np.float32))
    cloud = cloud_mask(cloudy, grid=GRID)
    assert cloud[white > 0.8].mean() > 0.85
    assert cloud[white < 0.05].mean() < 0.2


@pytest.mark.parametrize("seed", range(6))
def test_snow_that_shadows_cut_into_pieces_is_no_cloud(seed: int) -> None:
    """Smooth and white, up to walls and shadows; here and there it has melted."""
    rng = np.random.default_rng(seed)
    snow = 225 + gaussian_filter(rng.normal(size=(SIDE, SIDE)), 6) * 6 * 12
    snow[gaussian_filter(rng.normal(size=(SIDE, SIDE)), 3) * 3 > 0.85] = 110
    for row in range(30, SIDE, 90):
        snow[row : row + 6] = 40
    for col in range(10, SIDE, 130):
        snow[:, col : col + 8] = 60
    bands = np.repeat((snow + rng.normal(0, 4, snow.shape))[None], 3, axis=0).astype(np.float32)
    assert not cloud_mask(replace(ground(), bands=bands), grid=GRID).any()


@pytest.mark.parametrize("seed", range(3))
def test_a_pale_yard_in_dark_grass_is_no_cloud(seed: int) -> None:
    """Of gravel, white in the sun, that thins out into the grass; tracks run through it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    across = (y - SIDE / 2) + 0.2 * (x - SIDE / 2)
    yard = np.clip((90 + gaussian_filter(rng.normal(size=(SIDE, SIDE)), 8) * 200 - np.abs(across)) / 20, 0, 1)
    gravel = 210 - 14 * np.exp(-(((across % 9) - 4.5) ** 2) / 2) + rng.normal(0, 6, (SIDE, SIDE))
    pixels = ground()
    bands = under(gravel, pixels.bands, white=yard).astype(np.float32)
    assert not cloud_mask(replace(pixels, bands=bands), grid=GRID).any()


def test_a_blank_image_shows_nothing() -> None:
    blank = Pixels(
        bands=np.full((3, SIDE, SIDE), 90.0, np.float32), valid=np.ones((SIDE, SIDE), bool), names=()
    )
    assert cloud_mask(blank, grid=GRID).all()


@pytest.mark.parametrize("side_px", [8, 12, 16])
def test_snow_that_thins_out_with_bushes_in_it_is_no_cloud(side_px: int) -> None:
    """Its rim is as soft as a cloud's: what stands in it, dark and sharp, tells."""
    snow = ground(white_m=140)
    assert cloud_mask(snow, grid=GRID).any()
    bands = snow.bands.copy()
    for row in range(90, 320, 72):
        for col in range(90, 320, 72):
            bands[:, row : row + side_px, col : col + side_px] = 60
    assert not cloud_mask(replace(snow, bands=bands), grid=GRID).any()
