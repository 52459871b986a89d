"""Track masks, and the centre lines of their bands."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
import rasterio
from affine import Affine

from railcount.errors import InputError, MissingInput, OutputError, OutputExists
from railcount.raster.georef import grid_from_dataset
from railcount.raster.limits import Limits
from railcount.raster.resample import Places
from railcount.raster.tile import Window
from railcount.tracks.marked import Marked
from railcount.tracks.mask import lines_from_mask, read_labels, read_marked, read_mask, write_mask
from railcount.tracks.network import TrackNetwork
from railcount.tracks.vector import write_lines

from ..raster import factories
from . import layouts

LAYOUTS = [layouts.straight, layouts.curved, layouts.switch]


def shape(grid):
    return (grid.height, grid.width)


def band_mask(tmp_path, grid, lines):
    path = tmp_path / "m.tif"
    write_mask(layouts.network(grid, lines), path, grid=grid, overwrite=True)
    return path


@pytest.mark.parametrize("gsd_m", [0.3, 0.5])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_lines_to_mask_to_lines(tmp_path, layout, gsd_m):
    grid = layouts.grid(gsd_m=gsd_m, width=int(600 / gsd_m), height=int(450 / gsd_m))
    path = band_mask(tmp_path, grid, layout())
    tracks = lines_from_mask(read_labels(path, grid=grid, tile_shape=shape(grid)), grid=grid)
    assert [track.id for track in tracks] == [str(n) for n in range(1, len(layout()) + 1)]
    for line, track in zip(layout(), tracks, strict=True):
        found = grid.to_local(track.line_px)
        assert layouts.distances_m(found, line).max() < 0.3
        off = layouts.distances_m(line, found)
        assert (off > 0.3).sum() <= 2  # a metre at each end
        assert off.max() < 1.5


@pytest.mark.parametrize("layout", [layouts.straight, layouts.curved], ids=lambda f: f.__name__)
def test_one_value_for_all_tracks_is_enough(tmp_path, layout):
    grid = layouts.grid()
    mask = read_mask(band_mask(tmp_path, grid, layout()), grid=grid, tile_shape=shape(grid))
    tracks = lines_from_mask(mask, grid=grid)
    assert len(tracks) == len(layout())
    for line in layout():
        near = min(
            (grid.to_local(t.line_px) for t in tracks), key=lambda f: layouts.distances_m(line, f).max()
        )
        assert layouts.distances_m(near, line).max() < 0.3
        assert np.percentile(layouts.distances_m(line, near), 99) < 0.3


def test_a_switch_of_one_value_is_taken_apart(tmp_path):
    grid = layouts.grid()
    mask = read_mask(band_mask(tmp_path, grid, layouts.switch()), grid=grid, tile_shape=shape(grid))
    tracks = lines_from_mask(mask, grid=grid)
    assert len(tracks) == 2
    found = [grid.to_local(track.line_px) for track in tracks]
    for line in layouts.switch():
        off = np.min([layouts.distances_m(line, one) for one in found], axis=0)
        assert (off < 0.3).mean() > 0.9
        assert off.max() < 2.0


def test_lines_turned_and_oblong(tmp_path):
    grid = layouts.grid(turn_deg=30, width=1500, height=1500)
    lines = [grid.to_local(np.array([[100.0, 200], [1300, 900]]))]
    labels = read_labels(band_mask(tmp_path, grid, lines), grid=grid, tile_shape=shape(grid))
    (track,) = lines_from_mask(labels, grid=grid)
    assert layouts.distances_m(grid.to_local(track.line_px), lines[0]).max() < 0.3


def test_wide_regions_are_not_lines():
    grid = layouts.grid(width=600, height=400)
    mask = np.zeros(shape(grid), dtype=bool)
    mask[100:106, 50:500] = True
    assert len(lines_from_mask(mask, grid=grid)) == 1
    mask[200:300, 50:500] = True
    assert lines_from_mask(mask, grid=grid) == ()
    mask[200:300] = False
    mask[200:240, 50:90] = True
    assert lines_from_mask(mask, grid=grid) == ()


def test_specks_and_spurs_are_dropped():
    grid = layouts.grid(width=600, height=400)
    mask = np.zeros(shape(grid), dtype=bool)
    assert lines_from_mask(mask, grid=grid) == ()
    mask[100:106, 50:500] = True
    mask[106:120, 300:306] = True  # a spur of 7 m
    mask[300:304, 10:20] = True  # a speck
    (track,) = lines_from_mask(mask, grid=grid)
    off = np.abs(track.line_px[:, 1] - 103) * 0.5
    assert off.max() < 0.6
    assert np.ptp(track.line_px[:, 0]) * 0.5 == pytest.approx(225, abs=1)


def test_mask_file(tmp_path):
    grid = layouts.grid()
    path = band_mask(tmp_path, grid, layouts.straight())
    with rasterio.open(path) as dataset:
        assert dataset.dtypes == ("uint16",)
        assert dataset.crs.to_epsg() == 32652
        assert dataset.transform == grid.transform
        values = dataset.read(1)
    assert np.unique(values).tolist() == list(range(7))
    area_m2 = (values == 1).sum() * 0.25
    assert area_m2 == pytest.approx(3 * np.hypot(540, 60), rel=0.02)
    first = path.read_bytes()
    with pytest.raises(OutputExists):
        write_mask(TrackNetwork(tracks=(), source="found"), path, grid=grid)
    write_mask(layouts.network(grid, layouts.straight()), path, grid=grid, overwrite=True)
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.tif"]
    with pytest.raises(InputError, match=r"\.tif"):
        write_mask(TrackNetwork(tracks=(), source="found"), tmp_path / "m.png", grid=grid)


def test_mask_without_crs(tmp_path):
    grid = layouts.grid(crs=None)
    path = band_mask(tmp_path, grid, layouts.straight())
    labels = read_labels(path, grid=grid, tile_shape=shape(grid))
    assert len(lines_from_mask(labels, grid=grid)) == 6


def _blocks(grid, *, scale=1):
    """A mask drawn at a coarser resolution: 1 in the left third, 2 in the lower half of the rest."""
    rows, cols = grid.height // scale, grid.width // scale
    mask = np.zeros((1, rows, cols), dtype=np.uint8)
    mask[0, :, : cols // 3] = 1
    mask[0, rows // 2 :, cols // 3 :] = 2
    return mask


@pytest.mark.parametrize("scale", [1, 2, 5])
@pytest.mark.parametrize("placed", [True, False])
def test_any_resolution(tmp_path, scale, placed):
    grid = layouts.grid()
    where = {"transform": grid.transform @ Affine.scale(scale)} if placed else {"crs": None}
    path = factories.write_tif(tmp_path / "m.tif", _blocks(grid, scale=scale), **where)
    labels = read_labels(path, grid=grid, tile_shape=shape(grid))
    np.testing.assert_array_equal(labels, _blocks(grid)[0])


def test_another_crs_and_only_a_part(tmp_path):
    grid = layouts.grid()
    (left, top), (right, bottom) = grid.to_lonlat(np.array([[300.0, 300.0], [900.0, 600.0]]))
    step = Affine((right - left) / 100, 0, left, 0, (bottom - top) / 100, top)
    path = factories.write_tif(
        tmp_path / "m.tif", np.full((1, 100, 100), 9, np.uint8), crs="EPSG:4326", transform=step
    )
    mask = read_mask(path, grid=grid, tile_shape=shape(grid))
    rows, cols = np.nonzero(mask)
    np.testing.assert_allclose(
        [cols.min(), cols.max(), rows.min(), rows.max()], [300, 899, 300, 599], atol=12
    )
    assert mask.mean() == pytest.approx(600 * 300 / (1200 * 900), rel=0.03)
    lonlat = grid.to_lonlat(np.stack([cols + 0.5, rows + 0.5], axis=-1))
    col, row = (lonlat[:, 0] - left) / step.a, (lonlat[:, 1] - top) / step.e
    assert col.min() > -0.05
    assert col.max() < 100.05
    assert row.min() > -0.05
    assert row.max() < 100.05


def test_a_mask_elsewhere_is_empty(tmp_path):
    path = factories.write_tif(tmp_path / "m.tif", transform=Affine(0.5, 0, 700_000, 0, -0.5, 4_600_000))
    assert not read_mask(path, grid=layouts.grid(), tile_shape=(900, 1200)).any()


def test_what_is_no_track(tmp_path):
    grid = layouts.grid(width=80, height=60)
    values = np.full((1, 60, 80), 2.0, dtype=np.float32)
    values[0, 0], values[0, 1], values[0, 2], values[0, 3] = np.nan, 0, -1, 0.25
    path = factories.write_tif(tmp_path / "m.tif", values, nodata=-1, transform=grid.transform)
    labels = read_labels(path, grid=grid, tile_shape=(60, 80))
    assert labels[:5, 0].tolist() == [0, 0, 0, 1, 2]


def test_alpha_and_colour_masks(tmp_path):
    grid = layouts.grid(width=80, height=60)
    values = np.zeros((4, 60, 80), dtype=np.uint8)
    values[1, 10:20] = 255
    values[3, 15:] = 255
    path = factories.write_tif(
        tmp_path / "m.tif", values, colours=["red", "green", "blue", "alpha"], transform=grid.transform
    )
    mask = read_mask(path, grid=grid, tile_shape=(60, 80))
    assert np.flatnonzero(mask[:, 3]).tolist() == [15, 16, 17, 18, 19]


def test_one_bit_masks(tmp_path):
    grid = layouts.grid(width=80, height=60)
    values = (factories.picture(n_bands=1) > 100).astype(np.uint8)
    path = factories.write_tif(tmp_path / "m.tif", values, nbits=1, transform=grid.transform)
    np.testing.assert_array_equal(read_labels(path, grid=grid, tile_shape=(60, 80)), values[0])


@pytest.mark.parametrize("how", ["same", "finer", "turned", "degrees"])
def test_read_in_pieces_as_read_whole(tmp_path, monkeypatch, how):
    """Against the nearest pixel of a mask that is held whole."""
    monkeypatch.setattr("railcount.raster.resample._PIECE_PX", 70)
    grid = layouts.grid(width=300, height=200)
    values = np.random.default_rng(3).integers(0, 4, (1, 260, 330)).astype(np.uint8)
    values[0, 40:80] = 0
    where = {"transform": grid.transform}
    if how == "finer":
        where = {"transform": grid.transform @ Affine.scale(0.7)}
    elif how == "turned":
        where = {"transform": grid.transform @ Affine.translation(80, -50) @ Affine.rotation(31)}
    elif how == "degrees":
        (left, top), (right, bottom) = grid.to_lonlat(np.array([[-20.0, -10.0], [310.0, 230.0]]))
        step = Affine((right - left) / 330, 0, left, 0, (bottom - top) / 260, top)
        where = {"transform": step, "crs": "EPSG:4326"}
    path = factories.write_tif(tmp_path / "m.tif", values, **where)
    with rasterio.open(path) as dataset:
        places = Places(grid_from_dataset(dataset), grid=grid, tile_shape=shape(grid))
    wanted = np.zeros(shape(grid), dtype=np.int32)
    for rows, inside, row, col in places.nearest(Window(0, 0, 330, 260)):
        wanted[rows][inside] = values[0, row, col]
    marked = read_marked(path, grid=grid, tile_shape=shape(grid))
    np.testing.assert_array_equal(marked.whole(), wanted)
    np.testing.assert_array_equal(Marked.of(wanted).keys, marked.keys)
    np.testing.assert_array_equal(Marked.of(wanted).values, marked.values)
    cols, rows = np.meshgrid(np.arange(-2, 303), np.arange(-2, 203))
    padded = np.pad(wanted, ((2, 3), (2, 3)))
    np.testing.assert_array_equal(marked.at(np.stack([cols, rows], axis=-1)), padded)


def read_and_peak(path, *, grid):
    """What a mask marks, and the most bytes that reading it took."""
    tracemalloc.start()
    try:
        marked = read_marked(path, grid=grid, tile_shape=shape(grid))
        return marked, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_mask_is_never_held_whole(tmp_path, monkeypatch):
    """Memory is that of the tracks; one that marks more than tracks would is refused."""
    grid = layouts.grid(width=6000, height=4000)
    mask = np.zeros((1, 4000, 6000), dtype=np.uint8)
    mask[0, 2000:2006, 100:5900] = 1
    path = factories.write_tif(tmp_path / "m.tif", mask, compress="deflate", transform=grid.transform)
    marked, peak = read_and_peak(path, grid=grid)
    assert peak < mask.nbytes, "labels of the whole tile would take four times as much"
    assert len(marked.keys) == 6 * 5800
    (track,) = lines_from_mask(marked, grid=grid)
    np.testing.assert_allclose(track.line_px[:, 1], 2003, atol=0.2)
    monkeypatch.setattr("railcount.tracks.mask.MOST_MARKED_PX", 30_000)
    with pytest.raises(InputError, match=r"m\.tif is not usable: it marks more than 30,000 pixels"):
        read_marked(path, grid=grid, tile_shape=shape(grid))


def test_a_finer_mask_that_lies_aslant_is_read_in_parts(tmp_path):
    grid = layouts.grid(width=300, height=200)
    mask = np.zeros((1, 5000, 5000), dtype=np.uint8)
    mask[0, 2400:2500] = 7
    aslant = Affine.translation(0, -30) @ Affine.rotation(45) @ Affine.scale(0.03, -0.03)
    where = Affine(1, 0, grid.transform.c, 0, 1, grid.transform.f) @ aslant
    path = factories.write_tif(tmp_path / "m.tif", mask, compress="deflate", transform=where)
    with rasterio.open(path) as dataset:
        places = Places(grid_from_dataset(dataset), grid=grid, tile_shape=shape(grid))
    wanted = np.zeros(shape(grid), dtype=np.int32)
    for rows, inside, row, col in places.nearest(Window(0, 0, 5000, 5000)):
        wanted[rows][inside] = mask[0, row, col]
    marked, peak = read_and_peak(path, grid=grid)
    assert wanted.any()
    np.testing.assert_array_equal(marked.whole(), wanted)
    assert peak < 2 * mask.nbytes  # in one piece eight times as much


def test_a_mask_of_noise_takes_no_time():
    grid = layouts.grid(width=1000, height=800)
    dice = np.random.default_rng(1)
    noise = dice.random(shape(grid)) < 0.5
    assert lines_from_mask(noise, grid=grid) == ()
    streets = np.zeros(shape(grid), dtype=bool)
    streets[::8] = streets[:, ::8] = True
    assert lines_from_mask(streets, grid=grid) == ()
    dashes = np.zeros(shape(grid), dtype=bool)
    for first in range(36):
        dashes[::8, first::40] = True
    with pytest.raises(InputError, match=r"2500 separate bands, and at most 1000.*--tracks"):
        lines_from_mask(dashes, grid=grid)


def test_masks_that_do_not_fit(tmp_path):
    grid = layouts.grid()
    path = factories.write_tif(tmp_path / "m.tif", np.ones((1, 900, 900), np.uint8), crs=None)
    with pytest.raises(InputError, match=r"900 x 900.*aspect of the tile's 1200 x 900"):
        read_mask(path, grid=grid, tile_shape=shape(grid))
    with pytest.raises(MissingInput):
        read_mask(tmp_path / "none.tif", grid=grid, tile_shape=shape(grid))
    (tmp_path / "x.tif").write_bytes(b"<VRTDataset/>")
    with pytest.raises(InputError, match=r"the mask x.tif.*VRT"):
        read_mask(tmp_path / "x.tif", grid=grid, tile_shape=shape(grid))


def test_a_mask_keeps_to_the_limits_given(tmp_path):
    grid = layouts.grid()
    path = band_mask(tmp_path, grid, layouts.straight())
    n_pixels = grid.width * grid.height
    with pytest.raises(InputError, match="--max-pixels"):
        read_mask(path, grid=grid, tile_shape=shape(grid), limits=Limits(max_pixels=n_pixels - 1))
    assert read_mask(path, grid=grid, tile_shape=shape(grid), limits=Limits(max_pixels=n_pixels)).any()
    with pytest.raises(InputError, match="--drivers nitf,tiff"):
        read_mask(path, grid=grid, tile_shape=shape(grid), drivers=("nitf",))


@pytest.mark.parametrize("size", [0, 300, -100])
def test_a_mask_cut_short_by_a_full_disk_is_not_published(tmp_path, monkeypatch, size):
    close = rasterio.io.DatasetWriter.__exit__

    def cut(dataset, *args):
        close(dataset, *args)
        os.truncate(dataset.name, size if size >= 0 else os.path.getsize(dataset.name) + size)

    monkeypatch.setattr(rasterio.io.DatasetWriter, "__exit__", cut)
    grid = layouts.grid(gsd_m=0.5, width=1200, height=900)
    with pytest.raises(OutputError, match=r"m\.tif could not be written whole"):
        band_mask(tmp_path, grid, layouts.straight())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["tif", "gpkg"])
def test_a_name_that_is_not_utf_8(tmp_path, suffix):
    grid = layouts.grid(gsd_m=0.5, width=1200, height=900)
    path = tmp_path / os.fsdecode(b"\xfe." + suffix.encode())
    with pytest.raises(OutputError, match="its name is not UTF-8"):
        (write_mask if suffix == "tif" else write_lines)(
            layouts.network(grid, layouts.straight()), path, grid=grid
        )
    assert list(tmp_path.iterdir()) == []
