"""Metres on the ground, whatever the raster's CRS."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC

from railcount.errors import InputError, TileRefused
from railcount.raster import open_tile

from . import factories

LON, LAT = 130.61, 42.42


def _check_against_the_ellipsoid(grid, *, tolerance=0.002):
    """Distances and directions in local metres are those on the ellipsoid (oracle: pyproj's Geod)."""
    geod = Geod(ellps="WGS84")
    middle = np.array([grid.width / 2, grid.height / 2])
    for step in ([20.0, 0.0], [0.0, 20.0], [15.0, 15.0]):
        pixels = np.array([middle, middle + step])
        (lon0, lat0), (lon1, lat1) = grid.to_lonlat(pixels)
        azimuth, _, distance = geod.inv(lon0, lat0, lon1, lat1)
        east, south = np.diff(grid.to_local(pixels), axis=0)[0]
        assert math.hypot(east, south) == pytest.approx(distance, rel=tolerance)
        turn = math.degrees(math.atan2(east, -south)) - azimuth
        assert abs((turn + 180) % 360 - 180) < 3.0  # grid north is not quite true north


def test_utm(tmp_path):
    grid = open_tile(factories.write_tif(tmp_path / "a.tif")).grid
    assert grid.gsd_m == 0.5
    assert grid.crs_name == "EPSG:32652"
    np.testing.assert_array_equal(grid.local_from_pixel, [[0.5, 0], [0, 0.5]])
    _check_against_the_ellipsoid(grid)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(5e-6, 0, LON, 0, -4e-6, LAT)),
        ("EPSG:4326", Affine(5e-6, 0, LON, 0, 4e-6, LAT)),
        ("EPSG:3857", Affine(0.7, 0, 14_539_438.0, 0, -0.7, 5_227_000.0)),
        ("EPSG:2056", Affine(0.25, 0, 2_615_958.0, 0, -0.25, 1_265_001.0)),
        ("EPSG:2263", Affine(1.0, 0, 1_000_000.0, 0, -1.0, 200_000.0)),
        ("EPSG:32652", Affine(0.3, 0.4, 633_000.0, 0.4, -0.3, 4_697_000.0)),
        ("EPSG:32652", Affine(0.5, 0, 633_000.0, 0, -0.8, 4_697_000.0)),
        ("EPSG:32652", Affine(0.5, 0, 633_000.0, 0, 0.5, 4_697_000.0)),
        ("EPSG:5186", Affine(0.5, 0, 500_000.0, 0, -0.5, 1_092_000.0)),
        ("EPSG:2053", Affine(-0.5, 0, 0.0, 0, 0.5, 3_000_000.0)),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.a:g},{value.b:g},{value.e:g}",
)
def test_every_crs_against_the_ellipsoid(tmp_path, crs, transform):
    grid = open_tile(factories.write_tif(tmp_path / "a.tif", crs=crs, transform=transform)).grid
    _check_against_the_ellipsoid(grid)
    pixels = np.array([[0.0, 0.0], [80.0, 60.0], [13.25, 7.5]])
    np.testing.assert_allclose(grid.from_lonlat(grid.to_lonlat(pixels)), pixels, atol=1e-4)
    np.testing.assert_allclose(grid.to_pixel(grid.to_local(pixels)), pixels, atol=1e-9)


def test_feet_become_metres(tmp_path):
    transform = Affine(1.0, 0, 1_000_000.0, 0, -1.0, 200_000.0)
    grid = open_tile(factories.write_tif(tmp_path / "a.tif", crs="EPSG:2263", transform=transform)).grid
    assert grid.gsd_m == pytest.approx(1200 / 3937, rel=1e-9)


def test_south_up_and_degrees(tmp_path):
    up = open_tile(
        factories.write_tif(tmp_path / "a.tif", transform=Affine(0.5, 0, 633_000, 0, 0.5, 4_697_000))
    )
    np.testing.assert_array_equal(up.grid.local_from_pixel, [[0.5, 0], [0, -0.5]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crs": None}, "no CRS"),
        ({"transform": Affine.identity()}, "no usable geotransform"),
        ({"crs": 'LOCAL_CS["site",UNIT["metre",1]]'}, "not a place on the ground"),
        ({"crs": "EPSG:4978"}, "not a place on the ground"),
        ({"crs": "EPSG:4326", "transform": Affine(1e-5, 0, 10, 0, -1e-5, 200)}, "does not lie on the Earth"),
        ({"transform": Affine(1e-13, 0, 0, 0, -1e-13, 0)}, "makes no sense"),
        ({"transform": Affine(1e-6, 0, 633_000, 0, -0.5, 4_697_000)}, "geotransform is wrong"),
        ({"transform": Affine(1e-6, 0, 633_000, 0, -1e-6, 4_697_000)}, r"0\.001 to 10000 m are believed"),
        ({"transform": Affine(20_000, 0, 0, 0, -20_000, 4_697_000)}, r"0\.001 to 10000 m are believed"),
        ({"transform": Affine(0.5, 0.5, 633_000, -0.5, -0.54, 4_697_000)}, "geotransform is wrong"),
        ({"transform": Affine(1e300, 0, 0, 0, -1e300, 0)}, "makes no sense"),
    ],
)
def test_no_metres_no_count_but_a_way_out(tmp_path, options, words):
    path = factories.write_tif(tmp_path / "a.tif", **options)
    with pytest.raises(TileRefused, match=words) as caught:
        open_tile(path)
    assert "--gsd" in str(caught.value)
    assert open_tile(path, gsd_m=0.5).grid.gsd_m == 0.5


def test_control_points_and_polynomials_are_no_grid(tmp_path):
    corners = ((0, 0), (60, 0), (0, 80))
    points = [GroundControlPoint(row=r, col=c, x=LON + c / 1e5, y=LAT - r / 1e5) for r, c in corners]
    path = factories.write_tif(tmp_path / "g.tif", crs="EPSG:4326", gcps=points)
    with pytest.raises(TileRefused, match=r"control points.*--gsd"):
        open_tile(path)
    rpc = RPC(
        height_off=0, height_scale=1, lat_off=LAT, lat_scale=1, line_den_coeff=[1.0] * 20,
        line_num_coeff=[1.0] * 20, line_off=0, line_scale=1, long_off=LON, long_scale=1,
        samp_den_coeff=[1.0] * 20, samp_num_coeff=[1.0] * 20, samp_off=0, samp_scale=1,
    )  # fmt: skip
    path = factories.write_tif(tmp_path / "r.tif", crs=None, rpcs=rpc)
    with pytest.raises(TileRefused, match=r"RPC.*--gsd"):
        open_tile(path)


def test_a_given_pixel_size_wins(tmp_path):
    grid = open_tile(factories.write_tif(tmp_path / "a.tif"), gsd_m=0.31).grid
    assert grid.crs is None
    assert grid.crs_name is None
    assert grid.gsd_m == 0.31
    np.testing.assert_array_equal(grid.to_world(np.array([[3.0, 4.0]])), [[3.0, 4.0]])
    np.testing.assert_allclose(grid.to_local(np.array([3.0, 4.0])), [0.93, 1.24])
    with pytest.raises(InputError, match="CRS"):
        grid.to_lonlat(np.array([0.0, 0.0]))


def test_a_given_pixel_size_says_which_crs_it_overrules(tmp_path):
    (reason,) = open_tile(factories.write_tif(tmp_path / "a.tif"), gsd_m=0.31).reasons
    assert "0.31 m overrules the file's own EPSG:32652 with pixels of 0.50 m" in reason
    assert "--gsd" in reason
    assert open_tile(factories.write_tif(tmp_path / "b.tif", crs=None), gsd_m=0.31).reasons == ()
    assert open_tile(factories.write_tif(tmp_path / "c.tif")).reasons == ()


@pytest.mark.parametrize("gsd_m", [0, -1, math.nan, math.inf, 1e9])
def test_a_pixel_size_that_is_none(tmp_path, gsd_m):
    with pytest.raises(InputError, match="gsd_m"):
        open_tile(factories.write_tif(tmp_path / "a.tif"), gsd_m=gsd_m)


@pytest.mark.parametrize("gsd_m", [1e9, 1e-4])
def test_the_bounds_of_a_given_pixel_size_are_named(tmp_path, gsd_m):
    with pytest.raises(InputError, match=r"from 0\.001 to 10000 metres, got"):
        open_tile(factories.write_tif(tmp_path / "a.tif", crs=None), gsd_m=gsd_m)
