"""Quality masks: udm2, udm, plain ones, and what is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from affine import Affine

from railcount.errors import InputError, MissingInput
from railcount.raster import Limits, open_tile
from railcount.raster.quality import UDM2, read_quality
from tests.raster.factories import ORIGIN, picture, write_tif

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.raster.grid import Grid

ROWS, COLS = 60, 80


@pytest.fixture(autouse=True, params=["whole", "row by row"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large mask is looked at in parts."""
    if request.param == "row by row":
        monkeypatch.setattr("railcount.raster.quality._PART_BYTES", 1)


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return open_tile(write_tif(tmp_path / "tile.tif", picture(rows=ROWS, cols=COLS))).grid


def plain(value: int = 1, *, dtype: str = "uint8") -> np.ndarray:
    """Left half 0, right half ``value``."""
    mask = np.zeros((1, ROWS, COLS), dtype=dtype)
    mask[:, :, COLS // 2 :] = value
    return mask


def udm2(**classes: slice) -> np.ndarray:
    """Clear, save for the columns that are given another class."""
    bands = np.zeros((len(UDM2), ROWS, COLS), dtype=np.uint8)
    bands[UDM2.index("clear")] = 1
    bands[UDM2.index("confidence")] = 88
    for name, cols in classes.items():
        bands[:6, :, cols] = 0
        bands[UDM2.index(name), :, cols] = 1
    return bands


@pytest.mark.parametrize("value", [1, 7, 255])
def test_all_but_zero_is_usable(grid: Grid, tmp_path: Path, value: int) -> None:
    quality = read_quality(write_tif(tmp_path / "m.tif", plain(value)), grid=grid)
    assert not quality.usable[:, : COLS // 2].any()
    assert quality.usable[:, COLS // 2 :].all()
    assert quality.covered == 1.0
    assert not quality.shadow.any()


def test_nan_nodata_and_transparency_are_not_usable(grid: Grid, tmp_path: Path) -> None:
    floats = plain(1, dtype="float32")
    floats[0, 0, -1] = np.nan
    floats[0, :, -2] = np.nan
    quality = read_quality(write_tif(tmp_path / "nan.tif", floats), grid=grid)
    assert not quality.usable[0, -1]
    assert quality.usable[1, -1]
    nodata = read_quality(write_tif(tmp_path / "n.tif", plain(255), nodata=255), grid=grid)
    assert not nodata.usable.any()
    both = np.concatenate([np.ones_like(plain()), plain(255)])
    path = write_tif(tmp_path / "alpha.tif", both, colours=["gray", "alpha"])
    assert (read_quality(path, grid=grid).usable == (plain()[0] > 0)).all()


@pytest.mark.parametrize("name", ["udm2.tif", "no_hint.tif"])
def test_udm2_by_its_eight_bands(grid: Grid, tmp_path: Path, name: str) -> None:
    bands = udm2(
        snow=slice(0, 10),
        shadow=slice(10, 20),
        haze_light=slice(20, 30),
        haze_heavy=slice(30, 40),
        cloud=slice(40, 50),
    )
    bands[7, :, 50:60] = 0b100  # damaged
    bands[7, :, 60:70] = 0b10  # the older cloud bit
    quality = read_quality(write_tif(tmp_path / name, bands), grid=grid)
    usable = [bool(quality.usable[:, k : k + 10].all()) for k in range(0, 80, 10)]
    assert usable == [True, True, True, False, False, False, True, True]
    assert quality.shadow[:, 10:20].all()
    assert quality.shadow.sum() == ROWS * 10


def test_udm2_by_the_names_of_its_bands(grid: Grid, tmp_path: Path) -> None:
    bands = udm2(cloud=slice(0, 40))[[5, 0]]
    quality = read_quality(write_tif(tmp_path / "m.tif", bands, descriptions=["cloud", "clear"]), grid=grid)
    assert not quality.usable[:, :40].any()
    assert quality.usable[:, 40:].all()


def test_what_is_of_no_class_is_not_usable(grid: Grid, tmp_path: Path) -> None:
    bands = np.zeros_like(udm2())
    assert not read_quality(write_tif(tmp_path / "m.tif", bands), grid=grid).usable.any()


def test_the_older_udm_means_the_opposite(grid: Grid, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "20190403_005542_1_0f3c_3B_AnalyticMS_DN_udm.tif", plain(2))
    quality = read_quality(path, grid=grid)
    assert quality.usable[:, : COLS // 2].all()
    assert not quality.usable[:, COLS // 2 :].any()


def test_a_coarser_mask_in_another_crs(grid: Grid, tmp_path: Path) -> None:
    """In degrees, about 3 m a pixel: the boundary lies where it lay, to a pixel of the mask."""
    middle = grid.to_lonlat(np.array([[COLS / 2, ROWS / 2]]))[0]
    step = 3e-5
    bands = np.zeros((1, 40, 40), dtype=np.uint8)
    bands[:, :, 20:] = 1
    transform = Affine(step, 0, middle[0] - 20 * step, 0, -step, middle[1] + 20 * step)
    path = write_tif(tmp_path / "m.tif", bands, crs="EPSG:4326", transform=transform)
    quality = read_quality(path, grid=grid)
    assert quality.covered == 1.0
    assert quality.usable[:, COLS // 2 + 4 :].all()
    assert not quality.usable[:, : COLS // 2 - 4].any()


def test_what_the_mask_does_not_cover_is_not_usable(grid: Grid, tmp_path: Path) -> None:
    transform = Affine(0.5, 0, ORIGIN[0] + 0.5 * COLS / 2, 0, -0.5, ORIGIN[1])
    path = write_tif(tmp_path / "m.tif", np.ones((1, ROWS, COLS), np.uint8), transform=transform)
    quality = read_quality(path, grid=grid)
    assert quality.covered == pytest.approx(0.5)
    assert quality.usable[:, COLS // 2 :].all()
    assert not quality.usable[:, : COLS // 2].any()


def test_in_pixel_coordinates_the_sizes_must_agree(grid: Grid, tmp_path: Path) -> None:
    flat = open_tile(tmp_path / "tile.tif", gsd_m=0.5).grid
    same = write_tif(tmp_path / "m.tif", plain(), crs=None)
    for one in (flat, grid):
        assert (read_quality(same, grid=one).usable == (plain()[0] > 0)).all()
        with pytest.raises(InputError, match=r"tile's 80 x 61 pixels, not 80 x 60"):
            read_quality(same, grid=replace(one, height=ROWS + 1))


BAD: dict[str, tuple[Any, str]] = {
    "picture": ({"bands": picture(n_bands=1, rows=ROWS, cols=COLS)}, "picture and no mask"),
    "rgb": ({"bands": picture(rows=ROWS, cols=COLS)}, "3 bands"),
    "eight_bands": ({"bands": picture(n_bands=8, rows=ROWS, cols=COLS)}, "hold 0 and 1 alone"),
    "elsewhere": ({"bands": plain(), "transform": Affine(0.5, 0, 4e5, 0, -0.5, 4e6)}, "does not overlap"),
    "complex": ({"bands": plain(dtype="complex64")}, "complex"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_mask(grid: Grid, tmp_path: Path, name: str) -> None:
    changes, words = BAD[name]
    path = write_tif(tmp_path / f"{name}.tif", **changes)
    with pytest.raises(InputError, match=words) as caught:
        read_quality(path, grid=grid)
    assert f"{name}.tif" in str(caught.value)


def test_the_same_safety_rules_as_for_tiles(grid: Grid, tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        read_quality(tmp_path / "none.tif", grid=grid)
    (tmp_path / "text.tif").write_text("<VRTDataset/>")
    with pytest.raises(InputError, match="VRT"):
        read_quality(tmp_path / "text.tif", grid=grid)
    path = write_tif(tmp_path / "m.tif", plain())
    with pytest.raises(InputError, match="--max-pixels"):
        read_quality(path, grid=grid, limits=Limits(max_pixels=100))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"m\.tif is not usable"):
        read_quality(path, grid=grid)
