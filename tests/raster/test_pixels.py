"""Which pixels are image, and what their bands are."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from railcount.errors import InputError, TileEmpty, TileRefused
from railcount.raster import Window, open_tile
from railcount.raster.pixels import _sums

from . import factories


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("n_bands", [1, 3])
def test_types(tmp_path, dtype, n_bands):
    bands = factories.picture(n_bands=n_bands, dtype=dtype)
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read()
    np.testing.assert_array_equal(pixels.bands, bands.astype(np.float32))
    assert pixels.names == (("gray",) if n_bands == 1 else ("red", "green", "blue"))


@pytest.mark.parametrize("dtype", ["int8", "uint32", "complex64"])
def test_other_types_are_refused_by_name(tmp_path, dtype):
    bands = factories.picture(n_bands=1).astype("complex64" if dtype == "complex64" else dtype)
    with pytest.raises(TileRefused, match=dtype):
        open_tile(factories.write_tif(tmp_path / "a.tif", bands))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("step", [1, 2, 3, 16, 17])
def test_sums_over_squares(dtype, step):
    highest = {"bool": 1, "uint8": 255, "uint16": 65535, "int16": 32767, "float32": 1000}[dtype]
    band = np.random.default_rng(0).integers(highest - 1, highest + 1, (2 * step, 3 * step)).astype(dtype)
    expected = band.astype(np.float64).reshape(2, step, 3, step).sum(axis=(1, 3))
    np.testing.assert_allclose(_sums(band, step), expected, rtol=1e-6)


def test_one_bit_is_refused(tmp_path):
    bands = (factories.picture(n_bands=1) > 100).astype(np.uint8)
    with pytest.raises(TileRefused, match="1 bit"):
        open_tile(factories.write_tif(tmp_path / "a.tif", bands, nbits=1))


@pytest.mark.parametrize("photometric", ["CMYK", "CIELAB"])
def test_other_colour_spaces_are_refused_by_name(tmp_path, photometric):
    n_bands = 4 if photometric == "CMYK" else 3
    path = factories.write_tif(
        tmp_path / "a.tif", factories.picture(n_bands=n_bands), photometric=photometric
    )
    with pytest.raises(TileRefused, match=r"cyan|CMYK|CIELAB"):
        open_tile(path)


def test_min_is_white_is_inverted(tmp_path):
    bands = factories.picture(n_bands=1)
    tile = open_tile(factories.write_tif(tmp_path / "a.tif", bands, photometric="MINISWHITE"))
    np.testing.assert_array_equal(tile.read().bands, 255 - bands.astype(np.float32))
    assert any("inverted" in note for note in tile.acquisition.notes)


def test_palette_becomes_colour(tmp_path):
    bands = np.arange(4800, dtype=np.uint8).reshape(1, 60, 80) % 4
    table = {0: (0, 0, 0, 0), 1: (10, 20, 30, 255), 2: (200, 100, 50, 255), 3: (1, 2, 3, 255)}
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands, colormap=table)).read()
    assert pixels.names == ("red", "green", "blue")
    assert pixels.bands[:, 0, 2].tolist() == [200, 100, 50]
    # GDAL's TIFF palette keeps no alpha: entry 0 is black, not transparent
    assert pixels.valid.all()


def test_alpha_is_a_mask(tmp_path):
    bands = factories.picture(n_bands=4)
    bands[3] = 255
    bands[3, :10] = 0
    tile = open_tile(
        factories.write_tif(tmp_path / "a.tif", bands, colours=["red", "green", "blue", "alpha"])
    )
    pixels = tile.read()
    assert pixels.names == ("red", "green", "blue")
    assert not pixels.valid[:10].any()
    assert pixels.valid[10:].all()
    assert (pixels.bands[:, :10] == 0).all()


def test_gray_and_alpha(tmp_path):
    bands = factories.picture(n_bands=2)
    bands[1, :, :7] = 0
    tile = open_tile(factories.write_tif(tmp_path / "a.tif", bands, colours=["gray", "alpha"]))
    assert tile.read().names == ("gray",)
    assert tile.read().valid.sum() == 60 * 73


def test_internal_mask(tmp_path):
    mask = np.ones((60, 80), dtype=bool)
    mask[20:30, 20:30] = False
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", mask=mask)).read()
    np.testing.assert_array_equal(pixels.valid, mask)


def test_nodata_counts_where_all_bands_have_it(tmp_path):
    bands = factories.picture()
    bands[:, 5, 5] = 255
    bands[0, 6, 6] = 255
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands, nodata=255)).read()
    assert not pixels.valid[5, 5]
    assert pixels.valid[6, 6]


def test_nodata_no_sensor_gives_counts_in_any_band(tmp_path):
    bands = factories.picture(dtype="float32")
    bands[1, 5, 5] = -9999
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands, nodata=-9999)).read()
    assert not pixels.valid[5, 5]
    assert pixels.valid.sum() == 4799


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_are_none_are_not_pixels(tmp_path, bad):
    bands = factories.picture(dtype="float64")
    bands[2, 9, 9] = bad
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read()
    assert not pixels.valid[9, 9]
    assert pixels.valid.sum() == 4799
    assert np.isfinite(pixels.bands).all()


def _with_collar() -> np.ndarray:
    bands = factories.picture(rows=200, cols=300)
    rows, cols = np.mgrid[:200, :300]
    bands[:, rows + 0.2 * cols < 30] = 0  # a slanted collar
    bands[:, 190:] = 0
    bands[:, 100:103, 100:103] = 0  # a shadow clipped to black
    return bands


def test_a_black_collar_is_not_image_but_a_black_shadow_is(tmp_path):
    bands = _with_collar()
    valid = open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read().valid
    zero = (bands == 0).all(axis=0)
    assert valid[~zero].all()
    assert valid[100:103, 100:103].all()
    zero[100:103, 100:103] = False
    assert (valid & zero).mean() < 0.001


def test_a_collar_after_jpeg_compression(tmp_path):
    bands = _with_collar()
    bands[:, 190:] = np.random.default_rng(2).integers(0, 4, (3, 10, 300))
    near_black = open_tile(factories.write_tif(tmp_path / "plain.tif", bands)).read()
    assert near_black.valid[195:].any()
    path = factories.write_tif(tmp_path / "a.tif", bands, compress="JPEG", photometric="YCBCR")
    with rasterio.open(path) as dataset:
        assert dataset.read()[:, 195:].any()
    pixels = open_tile(path).read()
    assert not pixels.valid[195:].any()
    assert not pixels.bands[:, 195:].any()
    assert not pixels.valid[:5, :50].any()
    assert pixels.valid[40:185].mean() > 0.97


@pytest.mark.parametrize("window", [(0, 0, 50, 50), (90, 95, 30, 20), (260, 150, 40, 50), (37, 3, 200, 60)])
def test_a_window_is_a_crop_of_the_whole(tmp_path, window):
    path = factories.write_tif(tmp_path / "a.tif", _with_collar(), tiled=True, blockxsize=64, blockysize=64)
    whole, part = open_tile(path).read(), open_tile(path).read(Window(*window))
    col, row, width, height = window
    np.testing.assert_array_equal(part.bands, whole.bands[:, row : row + height, col : col + width])
    np.testing.assert_array_equal(part.valid, whole.valid[row : row + height, col : col + width])


def test_a_window_may_reach_over_the_edge(tmp_path):
    bands = factories.picture()
    part = open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read(Window(-10, -5, 100, 70))
    assert part.valid.sum() == 4800
    np.testing.assert_array_equal(part.bands[:, 5:65, 10:90], bands)
    outside = open_tile(tmp_path / "a.tif").read(Window(500, 500, 4, 4))
    assert not outside.valid.any()
    with pytest.raises(InputError, match="at least one pixel"):
        open_tile(tmp_path / "a.tif").read(Window(0, 0, 0, 5))


@pytest.mark.parametrize("fill", [0, 7, 255])
def test_an_image_of_one_value_is_empty(tmp_path, fill):
    tile = open_tile(factories.write_tif(tmp_path / "a.tif", np.full((3, 60, 80), fill, np.uint8)))
    with pytest.raises(TileEmpty):
        tile.read()


def test_an_image_of_nodata_is_empty(tmp_path):
    bands = np.full((1, 60, 80), np.nan, np.float32)
    with pytest.raises(TileEmpty, match="no pixel"):
        open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read()


def test_colours_by_interpretation_in_any_order(tmp_path):
    bands = factories.picture(n_bands=4)
    colours = ["blue", "nir", "red", "green"]
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands, colours=colours)).read()
    assert pixels.names == ("red", "green", "blue", "nir")
    np.testing.assert_array_equal(pixels.bands, bands[[2, 3, 0, 1]])


def test_colours_by_description(tmp_path):
    bands = factories.picture(n_bands=5, dtype="uint16")
    texts = ["Coastal", "Blue", "Green", "Red", "NIR1"]
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands, descriptions=texts)).read()
    np.testing.assert_array_equal(pixels.bands, bands[[3, 2, 1, 4]])


@pytest.mark.parametrize(
    ("name", "n_bands", "order"),
    [
        ("20190403_005542_1_0f3c_3B_AnalyticMS.tif", 4, [2, 1, 0, 3]),
        ("20220403_005542_78_2416_3B_AnalyticMS_SR_8b.tif", 8, [5, 3, 1, 7]),
        ("20221003_011846_ssc2_u0001_pansharpened_clip.tif", 4, [2, 1, 0, 3]),
        ("24APR01083715-M2AS_R1C1-050209502010_01_P001.TIF", 4, [2, 1, 0, 3]),
        ("IMG_PHR1A_PMS_201504110803030_ORT_1659046101-001_R1C1.TIF", 4, [0, 1, 2, 3]),
    ],
)
def test_documented_orders(tmp_path, name, n_bands, order):
    bands = factories.picture(n_bands=n_bands, dtype="uint16")
    tile = open_tile(factories.write_tif(tmp_path / name, bands, photometric="MINISBLACK"))
    np.testing.assert_array_equal(tile.read().bands, bands[order])
    assert any("documented order" in note for note in tile.acquisition.notes)
    assert tile.reasons == ()


def test_a_guessed_order_is_a_reason(tmp_path):
    bands = factories.picture(n_bands=4, dtype="uint16")
    tile = open_tile(factories.write_tif(tmp_path / "a.tif", bands, photometric="MINISBLACK"))
    np.testing.assert_array_equal(tile.read().bands, bands)
    assert any("do not say their colour" in reason for reason in tile.reasons)


@pytest.mark.parametrize("n_bands", [2, 5, 7])
def test_bands_that_cannot_be_told_are_refused(tmp_path, n_bands):
    bands = factories.picture(n_bands=n_bands, dtype="uint16")
    with pytest.raises(TileRefused, match="red, green and blue"):
        open_tile(factories.write_tif(tmp_path / "a.tif", bands, photometric="MINISBLACK"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("20221003_011846_ssc2_u0001_udm2_clip.tif", "quality mask"),
        ("IMG_PNEO3_STD_202601250555400_PMS-FS_ORT_0a1b_NED_R1C1.TIF", "NED"),
    ],
)
def test_products_that_are_no_image(tmp_path, name, words):
    with pytest.raises(TileRefused, match=words):
        open_tile(factories.write_tif(tmp_path / name))


def test_numbers_that_no_sensor_gives_are_no_pixels(tmp_path):
    bands = np.linspace(1, 200, 3 * 40 * 50, dtype=np.float32).reshape(3, 40, 50)
    bands[:, 3, 4] = 1e30
    pixels = open_tile(factories.write_tif(tmp_path / "a.tif", bands)).read()
    assert not pixels.valid[3, 4]
    assert pixels.valid.sum() == 40 * 50 - 1
