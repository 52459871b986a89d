"""Everything that is written, on a file system of one megabyte that is full or almost."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import rasterio
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.errors import OutputError
from railcount.history import History
from railcount.outputs import history_vector, overlay, parquet
from railcount.outputs.write import write_counts
from railcount.pipeline import locate_tracks, scan_tile
from railcount.simulate import load_scene, render
from railcount.simulate.write import write_scene
from railcount.sites.making import make_site
from railcount.tracks.mask import write_mask
from railcount.tracks.vector import write_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from railcount.counts import TileCount
    from railcount.raster.tile import Tile
    from railcount.tracks.network import TrackNetwork

SAMPLES = Path(__file__).parents[2] / "sample_tiles"
OLD = b"as it was before"
FREE_KB = (0, 4, 8, 16, 32, 64, 128, 256, 512, 900)
"""Room that is left, tried one after the other until it suffices."""
LITTLE_KB = (0, 64, 900)
"""For what takes long."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path_factory.mktemp("small")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "railcount-test", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted: that takes Linux and root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def disk(small: Path) -> Path:
    """The small file system, empty."""
    for path in small.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return small


def leave(disk: Path, *, free_kb: int) -> None:
    """Fill it but for so much."""
    (disk / "fill").unlink(missing_ok=True)
    (disk / "fill").write_bytes(bytes(max(shutil.disk_usage(disk).free - free_kb * 1024, 0)))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small tile."""
    path = tmp_path_factory.mktemp("archive") / "a.tif"
    (source,) = (SAMPLES / "2023-10-05").glob("*.tif")
    with rasterio.open(source) as whole:
        window = rasterio.windows.Window(400, 150, 200, 160)
        moved = whole.transform @ rasterio.Affine.translation(400, 150)
        profile = whole.profile | {"width": 200, "height": 160, "transform": moved}
        with rasterio.open(path, "w", **profile) as made:
            made.write(whole.read(window=window))
            made.update_tags(**whole.tags())
    os.utime(path, (1e9, 1e9))
    return path.parent


@pytest.fixture(scope="module")
def past(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of that folder, on a disk with room."""
    path = tmp_path_factory.mktemp("past") / "past.sqlite"
    run("batch", archive, "--history", path, "--jobs", 1)
    return path


class Made:
    """What there is to write, computed once."""

    def __init__(self, archive: Path, past: Path) -> None:
        self.path, self.past = archive / "a.tif", past

    @cache  # noqa: B019 - of one object
    def count(self) -> TileCount:
        return scan_tile(self.path)

    @cache  # noqa: B019
    def tracks(self) -> tuple[Tile, TrackNetwork]:
        return locate_tracks(self.path)


@pytest.fixture(scope="module")
def made(archive: Path, past: Path) -> Made:
    return Made(archive, past)


def run(*words: object) -> tuple[int, str]:
    """Exit code and standard error."""
    done = CliRunner().invoke(cli, [*map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stderr


def lines(made: Made, path: Path) -> None:
    tile, network = made.tracks()
    write_lines(network, path, grid=tile.grid, overwrite=True)


def mask(made: Made, path: Path) -> None:
    tile, network = made.tracks()
    write_mask(network, path, grid=tile.grid, overwrite=True)


def counts(made: Made, path: Path) -> None:
    write_counts([made.count()], path, overwrite=True)


def pictures(made: Made, path: Path) -> None:
    tile, network = made.tracks()
    overlay.draw_tracks_preview(network, tile, path, overwrite=True)


def passes(made: Made, path: Path) -> None:
    with History.open(made.past, readonly=True) as history:
        if path.suffix == ".parquet":
            parquet.write_passes(history.passes(), path, overwrite=True)
        elif path.suffix == ".gpkg":
            history_vector.write_geopackage(history.summaries(), history.passes(), path, overwrite=True)
        else:
            history.backup(path, overwrite=True)


def by_command(*words: str) -> Callable[[Made, Path], None]:
    def write(made: Made, path: Path) -> None:
        code, err = run(*(one.format(archive=made.path.parent, past=made.past) for one in words), path)
        if code:
            raise OutputError(err)

    return write


EXPORT = by_command("history", "export", "--history", "{past}", "--overwrite", "-o")
REPORT = by_command("report", "--history", "{past}", "--site", "tumangang", "--overwrite", "-o")
BATCH = by_command("batch", "{archive}", "--no-history", "--jobs", "1", "--overwrite", "-o")
WRITERS: dict[str, tuple[Callable[[Made, Path], None], tuple[int, ...]]] = {
    **{f"counts{end}": (counts, FREE_KB) for end in (".json", ".geojson", ".csv", ".gpkg", ".parquet")},
    **{f"lines{end}": (lines, FREE_KB) for end in (".geojson", ".gpkg")},
    "mask.tif": (mask, FREE_KB),
    "preview.png": (pictures, LITTLE_KB),
    **{f"passes{end}": (passes, FREE_KB) for end in (".gpkg", ".parquet", ".sqlite")},
    **{f"export{end}": (EXPORT, FREE_KB) for end in (".csv", ".json", ".geojson", ".stac.json")},
    "report.html": (REPORT, LITTLE_KB),
    "batch.json": (BATCH, (0, 64)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_an_output_is_old_or_whole(
    name: str, made: Made, disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write, room = WRITERS[name]
    target = disk / name
    target.write_bytes(OLD)
    n_failed = 0
    for free_kb in room:
        leave(disk, free_kb=free_kb)
        try:
            write(made, target)
            break
        except OutputError as error:
            n_failed += 1
            words = str(error)
        assert str(target) in words
        assert "full" in words or "No space left" in words
        assert "Traceback" not in capfd.readouterr().err
        assert {path.name for path in disk.iterdir()} == {"fill", name}
        assert target.read_bytes() == OLD
    assert n_failed > 0
    assert target.read_bytes() != OLD or name == "report.html"  # which takes more than a megabyte


def test_a_scene_is_there_with_its_truth_or_not(disk: Path) -> None:
    drawn = render(load_scene(SAMPLES / "scenes" / "2023-10-05.toml"), seed=5)
    for free_kb in (0, 60, 100):
        leave(disk, free_kb=free_kb)
        with pytest.raises(OutputError, match=r"simulated_seed5.*full"):
            write_scene(drawn, disk / "drawn")
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / "fill"]
    leave(disk, free_kb=900)
    written = write_scene(drawn, disk / "drawn")
    assert written.image.is_file()
    assert written.cars.is_file()
    assert written.tracks.is_file()


def test_a_site_is_there_or_not(disk: Path) -> None:
    for free_kb in (0, 4, 8):
        leave(disk, free_kb=free_kb)
        with pytest.raises(OutputError, match="basel could not be made: the disk is full"):
            make_site("basel", box=(7.57, 47.53, 7.61, 47.56), folder=disk / "basel")
        assert [path.name for path in disk.iterdir()] == ["fill"]


def sound(path: Path) -> str:
    """Its digest; the history must be whole."""
    with History.open(path, readonly=True) as history:
        assert history.check() == []
        return history.digest()


def test_a_history_stays_whole(past: Path, disk: Path, tmp_path: Path) -> None:
    path, table = disk / "h.sqlite", tmp_path / "counts.csv"
    rows = "".join(f"2{year:03}-01-{day:02},{day},me\n" for year in range(20) for day in range(1, 29))
    table.write_text("when,best,source\n" + rows)
    shutil.copy(past, path)
    before = sound(path)
    imported = ("history", "import", table, "--site", "tumangang", "--history", path)
    for free_kb in (0, 4, 32, 64):
        leave(disk, free_kb=free_kb)
        for words in (imported, ("history", "hand", "2023-10-05", "--count", 3, "--history", path)):
            code, err = run(*words)
            if code:
                assert str(path) in err
                assert "full" in err
            elif "hand" in words:
                before = ""
        (disk / "fill").unlink()
        assert sound(path) == before or not before
    assert run(*imported)[0] == 0


def test_a_batch_goes_on_where_it_stopped(archive: Path, past: Path, disk: Path) -> None:
    path = disk / "h.sqlite"
    for free_kb in (0, 48, 140):
        leave(disk, free_kb=free_kb)
        code, err = run("batch", archive, "--history", path, "--jobs", 1)
        assert code == 1
        assert str(path) in err
        assert "full" in err
        (disk / "fill").unlink()
        if path.exists():
            sound(path)
    assert run("batch", archive, "--history", path, "--jobs", 1)[0] == 0
    assert sound(path) == sound(past)
