"""What is written, as another reader sees it."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from railcount.cli.simulate import simulate
from railcount.errors import InputError, OutputError, OutputExists
from railcount.raster.write import Compression, write_geotiff
from railcount.simulate import Scene, Sensor, render
from railcount.simulate.write import write_scene

SCENE = Scene(width_px=140, height_px=90, acquired=datetime(2023, 10, 5, 2, 11, tzinfo=UTC), name="yard")


def test_files_say_that_they_are_simulated(tmp_path: Path) -> None:
    drawn = render(SCENE, seed=4)
    written = write_scene(drawn, tmp_path / "new")
    assert written.image.name == "yard_simulated_seed4.tif"
    with rasterio.open(written.image) as source:
        assert np.array_equal(source.read(), drawn.bands)
        assert source.crs.to_epsg() == 32652
        assert source.res == (0.5, 0.5)
        tags = source.tags()
        assert source.tags(ns="IMAGERY")["ACQUISITIONDATETIME"] == "2023-10-05 02:11:00"
    assert tags["TIFFTAG_IMAGEDESCRIPTION"].startswith("simulated image, not a photograph")
    assert tags["TIFFTAG_SOFTWARE"].startswith("railcount simulate")
    assert tags["TIFFTAG_DATETIME"] == "2023:10:05 02:11:00"
    assert tags["RAILCOUNT_SIMULATED"] == "yes"
    # In the morning of 5 October the sun at 42 N stands in the south-east, some 40 degrees up.
    assert 130 < float(tags["RAILCOUNT_SUN_AZIMUTH_DEG"]) < 180
    assert 35 < float(tags["RAILCOUNT_SUN_ELEVATION_DEG"]) < 45
    assert len(json.loads(written.cars.read_text())["features"]) == len(drawn.cars)
    assert json.loads(written.tracks.read_text())["type"] == "FeatureCollection"
    assert sorted(path.name for path in written.image.parent.iterdir()) == sorted(
        path.name for path in (written.image, written.cars, written.tracks)
    )


def test_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_scene(render(SCENE, seed=4), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    drawn = render(SCENE, seed=4)
    old = tmp_path / "yard_simulated_seed4_tracks.geojson"
    old.write_text("mine")
    with pytest.raises(OutputExists):
        write_scene(drawn, tmp_path)
    assert old.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [old]
    write_scene(drawn, tmp_path, overwrite=True)
    assert old.read_text() != "mine"


@pytest.mark.parametrize("stem", ["a/b", "..", "", ".hidden", "a\x1b[2J", "a\n", "x" * 250])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, stem: str) -> None:
    with pytest.raises(InputError, match="plain file name"):
        write_scene(render(SCENE, seed=4), tmp_path, stem=stem)


def test_a_collar_is_written_as_nodata(tmp_path: Path) -> None:
    scene = Scene(width_px=140, height_px=90, sensor=Sensor(collar=0.3, bands=4, bit_depth=11))
    drawn = render(scene, seed=1)
    with rasterio.open(write_scene(drawn, tmp_path).image) as source:
        assert source.nodata == 0
        assert source.dtypes == ("uint16",) * 4
        assert np.array_equal(source.dataset_mask() > 0, drawn.valid)


def test_bands_must_fit_the_grid(tmp_path: Path) -> None:
    drawn = render(SCENE, seed=4)
    with pytest.raises(InputError, match="to fit the grid"):
        write_geotiff(tmp_path / "a.tif", drawn.bands[:, 1:], drawn.grid)
    with pytest.raises(InputError, match="JPEG takes"):
        write_geotiff(tmp_path / "a.tif", drawn.bands.astype(np.uint16), drawn.grid, compression="jpeg")
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path: Path) -> None:
    scene = tmp_path / "little.toml"
    scene.write_text("width_px = 80\nheight_px = 60\n")
    arguments = [str(scene), "--seed", "7", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(simulate, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert [path.name for path in paths] == [
        "little_simulated_seed7.tif",
        "little_simulated_seed7_truth.geojson",
        "little_simulated_seed7_tracks.geojson",
    ]
    assert all(path.is_file() for path in paths)
    assert isinstance(CliRunner().invoke(simulate, arguments).exception, OutputExists)
    assert CliRunner().invoke(simulate, [*arguments, "--overwrite"]).exit_code == 0


@pytest.mark.parametrize("compression", ["deflate", "jpeg"])
def test_a_picture_cut_short_by_a_full_disk_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: Compression
) -> None:
    close = rasterio.io.DatasetWriter.__exit__

    def cut(dataset: Any, *args: Any) -> None:
        close(dataset, *args)
        os.truncate(dataset.name, os.path.getsize(dataset.name) // 2)

    monkeypatch.setattr(rasterio.io.DatasetWriter, "__exit__", cut)
    drawn = render(SCENE, seed=4)
    bands = (drawn.bands[:3] >> 4).astype(np.uint8)
    with pytest.raises(OutputError, match="could not be written whole"):
        write_geotiff(tmp_path / "a.tif", bands, drawn.grid, compression=compression)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["_truth.geojson", "_tracks.geojson"])
def test_the_file_that_a_full_disk_cuts_short_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if name.removesuffix(".geojson") in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=f"{name} could not be written: the disk is full"):
        write_scene(render(SCENE, seed=4), tmp_path)
    assert list(tmp_path.iterdir()) == []
