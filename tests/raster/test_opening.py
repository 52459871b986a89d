"""What is refused before GDAL, what a file may ask for, and what is not followed."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio

from railcount import beside
from railcount.errors import MissingInput, TileRefused, TileUnreadable
from railcount.raster import Limits, open_tile, opening

from . import factories


def test_opens_a_plain_tile(tmp_path):
    bands = factories.picture()
    path = factories.write_tif(tmp_path / "a.tif", bands)
    tile = open_tile(path)
    pixels = tile.read()
    np.testing.assert_array_equal(pixels.bands, bands.astype(np.float32))
    assert pixels.bands.dtype == np.float32
    assert pixels.valid.all()
    assert pixels.names == ("red", "green", "blue")
    assert tile.reasons == ()
    assert tile.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert tile.path == path
    assert (tile.grid.width, tile.grid.height) == (80, 60)


def test_a_tile_can_be_sent_to_another_process(tmp_path):
    tile = pickle.loads(pickle.dumps(open_tile(factories.write_tif(tmp_path / "a.tif"))))
    assert tile.read().valid.all()


def test_missing(tmp_path):
    with pytest.raises(MissingInput, match="does not exist"):
        open_tile(tmp_path / "none.tif")


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "socket", "loop"])
def test_only_regular_files(tmp_path, kind):
    path = tmp_path / "x.tif"
    held = None
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        held = socket.socket(socket.AF_UNIX)
        held.bind(str(path)[:100])
    else:
        path.symlink_to(path)
    with pytest.raises((TileRefused, TileUnreadable), match=r"regular file|is a folder|cannot be opened"):
        open_tile(path)
    if held:
        held.close()


def test_a_symbolic_link_to_a_file_is_that_file(tmp_path):
    factories.write_tif(tmp_path / "a.tif")
    (tmp_path / "link.tif").symlink_to(tmp_path / "a.tif")
    assert open_tile(tmp_path / "link.tif").read().valid.all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes"),
        (b"<VRTDataset rasterXSize='1' rasterYSize='1'/>", "VRT"),
        (b"\x89PNG\r\n\x1a\n0000", "PNG"),
        (b"\0" * 1000, "only zeros at its start: it was not yet copied whole"),
        (b"no image at all", "not a known image format"),
        (b"II*\x00", "cannot open"),
        (b"II*\x00\xff\xff\xff\xff", "cannot open"),
    ],
)
def test_first_bytes_decide_not_the_name(tmp_path, content, words):
    path = tmp_path / "x.tif"
    path.write_bytes(content)
    with pytest.raises((TileRefused, TileUnreadable), match=words):
        open_tile(path)


@pytest.mark.parametrize(
    "name", ["http:x.tif", "-x.tif", "a b\n\x1b[31m.tif", "x.tif?y", "zip+file:!x", "두만강.tif"]
)
def test_strange_names_are_only_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    factories.write_tif(tmp_path / "a.tif").rename(tmp_path / name)
    assert open_tile(name).read().valid.all()
    (tmp_path / name).write_bytes(b"II*\x00\x08\x00\x00\x00")
    with pytest.raises(TileUnreadable) as caught:
        open_tile(name)
    assert str(caught.value).isprintable()


def test_names_that_are_not_utf8_are_refused(tmp_path):
    raw = os.fsencode(tmp_path) + b"/\xff\xfe.tif"
    with open(raw, "wb") as file:
        file.write(b"II*\x00")
    with pytest.raises(TileRefused, match="not valid UTF-8") as caught:
        open_tile(os.fsdecode(raw))
    assert str(caught.value).isprintable()


def test_virtual_file_systems_are_refused():
    with pytest.raises(TileRefused, match="virtual file system"):
        open_tile("/vsicurl/http://127.0.0.1:9/x.tif")


def test_no_right_to_read(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(TileUnreadable, match="cannot be opened"):
        open_tile(path)


@pytest.mark.parametrize(
    ("limits", "option"),
    [
        (Limits(max_pixels=4799), "--max-pixels"),
        (Limits(max_bands=2), "--max-bands"),
        (Limits(max_block_bytes=100), "--max-block-bytes"),
        (Limits(max_bytes=14_399), "--max-bytes"),
    ],
)
def test_limits_name_the_option_that_raises_them(tmp_path, limits, option):
    path = factories.write_tif(tmp_path / "a.tif")
    open_tile(path, limits=Limits(max_pixels=4800, max_bands=3, max_bytes=14_400))
    with pytest.raises(TileRefused, match=f"{option}$"):
        open_tile(path, limits=limits)


def test_a_small_file_that_asks_for_much_costs_nothing(tmp_path):
    path = tmp_path / "bomb.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=200_000, height=200_000, count=1, dtype="uint8", sparse_ok=True,
        tiled=True, crs="EPSG:32652", transform=rasterio.Affine(0.5, 0, 0, 0, -0.5, 0),
    ):  # fmt: skip
        pass
    with pytest.raises(TileRefused, match="--max-pixels"):
        open_tile(path)


def test_a_file_too_large_to_hash_is_refused(tmp_path):
    """Whatever its header says: a sparse one is made in no time, and would be read for hours."""
    path = factories.write_tif(tmp_path / "a.tif")
    os.truncate(path, 2 * 10**6)
    assert open_tile(path, limits=Limits(max_bytes=10**6)).reasons == ()
    os.truncate(path, 2 * 10**6 + 1)
    with pytest.raises(TileRefused, match=r"has 2,000,001 bytes, the limit is 2,000,000.* --max-bytes"):
        open_tile(path, limits=Limits(max_bytes=10**6))


def test_other_drivers_only_on_request(tmp_path):
    path = factories.write_tif(tmp_path / "a.jp2", driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    with pytest.raises(TileRefused, match="--drivers tiff,jp2"):
        open_tile(path)
    tile = open_tile(path, drivers=("tiff", "jp2"))
    np.testing.assert_array_equal(tile.read().bands, factories.picture())


def test_damaged_pixels_are_unreadable_not_zero(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif", compress="deflate")
    data = bytearray(path.read_bytes())
    data[500:4000] = b"\x55" * 3500
    path.write_bytes(bytes(data))
    tile = open_tile(path)
    with pytest.raises(TileUnreadable, match="read its pixels") as caught:
        tile.read()
    assert str(caught.value).isprintable()


def test_content_is_hashed_while_pixels_are_read(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif")
    tile = open_tile(path)
    with tile.held_open():
        tile.read()
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(b"something else")
    assert tile.sha256 == content
    assert pickle.loads(pickle.dumps(tile)).sha256 == content


def test_content_that_cannot_be_read_again(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif")
    tile = open_tile(path)
    path.unlink()
    with pytest.raises(TileUnreadable, match="again"):
        _ = tile.sha256


@pytest.fixture
def several_threads(monkeypatch):
    """Any file is decoded by two threads."""
    monkeypatch.setattr(opening, "THREADED_ABOVE_PX", 0)
    before = beside.n_threads()
    beside.use_threads(2)
    yield
    beside.use_threads(before)


def recorded(monkeypatch):
    """The numbers of threads that files are opened with from now on."""
    asked: list[int] = []
    real = opening.opened

    def opened(*args, **options):
        asked.append(options.get("n_threads", 1))
        return real(*args, **options)

    monkeypatch.setattr(opening, "opened", opened)
    return asked


@pytest.mark.parametrize("damaged", [False, True])
def test_threads_change_nothing(tmp_path, monkeypatch, several_threads, damaged):
    bands = np.random.default_rng(0).integers(1, 250, (3, 128, 128), dtype=np.uint8)
    layout = {"compress": "deflate", "tiled": True, "blockxsize": 16, "blockysize": 16}
    path = factories.write_tif(tmp_path / "a.tif", bands, **layout)
    if damaged:
        data = bytearray(path.read_bytes())
        data[20_000:30_000] = b"\x55" * 10_000
        path.write_bytes(bytes(data))
    asked = recorded(monkeypatch)

    def said(tile):
        with tile.held_open():
            try:
                return tile.read().bands.tolist()
            except TileUnreadable as error:
                return str(error), tile.reasons

    threaded = said(open_tile(path))
    assert 2 in asked
    beside.use_threads(1)
    asked.clear()
    assert said(open_tile(path)) == threaded
    assert 2 not in asked
    assert damaged == isinstance(threaded, tuple)


def test_what_may_warn_is_decoded_by_one_thread(tmp_path, monkeypatch, several_threads):
    path = factories.write_tif(tmp_path / "a.tif", compress="jpeg", photometric="ycbcr")
    asked = recorded(monkeypatch)
    with open_tile(path).held_open():
        pass
    assert set(asked) == {1}


def test_warnings_become_reasons(tmp_path, caplog):
    path = factories.write_tif(tmp_path / "a.tif", tags={"TIFFTAG_SOFTWARE": "somebody's own software"})
    data = path.read_bytes()
    entry = data.index((305).to_bytes(2, "little") + (2).to_bytes(2, "little"))
    broken = data[: entry + 8] + b"\xff\xff\xff\x7f" + data[entry + 12 :]
    path.write_bytes(broken)
    tile = open_tile(path)
    assert tile.read().valid.all()
    assert any("Software" in reason for reason in tile.reasons)
    assert all(reason.isprintable() for reason in tile.reasons)
    assert len(tile.reasons) == len(set(tile.reasons))
    assert not caplog.records


def test_warnings_that_are_not_text_are_kept_too(tmp_path, capfd):
    path = factories.write_tif(tmp_path / "a.tif", tags={"SOMETHING": "of our own"})
    data = path.read_bytes()
    assert b"<GDALMetadata" in data
    path.write_bytes(data.replace(b"<GDALMetadata", b"<G\xffALMetadata"))
    tile = open_tile(path)
    assert tile.read().valid.all()
    assert any("\\xffALMetadata" in reason for reason in tile.reasons)
    assert capfd.readouterr() == ("", "")


def test_sidecars_are_not_followed(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif", factories.picture(n_bands=1))
    plain = open_tile(path).read()
    value = int(plain.bands[0, 0, 0])
    (tmp_path / "a.tif.aux.xml").write_text(
        f"<PAMDataset><PAMRasterBand band='1'><NoDataValue>{value}</NoDataValue>"
        "<ColorInterp>Alpha</ColorInterp></PAMRasterBand></PAMDataset>"
    )
    factories.write_tif(tmp_path / "mask.tif", np.zeros((1, 60, 80), np.uint8)).rename(tmp_path / "a.tif.msk")
    before = sorted(tmp_path.iterdir())
    with rasterio.open(path) as dataset:
        assert dataset.nodata == value  # the trap works
    again = open_tile(path)
    assert again.read().valid.all()
    assert again.plan.nodata is None
    assert sorted(tmp_path.iterdir()) == before


def test_a_world_file_is_not_followed(tmp_path):
    path = factories.write_tif(tmp_path / "a.tif", crs=None)
    (tmp_path / "a.tfw").write_text("0.5\n0\n0\n-0.5\n0\n0\n")
    with pytest.raises(TileRefused, match="no CRS"):
        open_tile(path)


class _Listener:
    """A server that counts who comes."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.n_visits = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.n_visits += 1
            connection.close()


def test_an_overview_named_by_the_file_is_not_fetched(tmp_path):
    listener = _Listener()
    path = factories.write_tif(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/http://127.0.0.1:{listener.port}/x.tif")
    tile = open_tile(path)
    tile.read()
    assert listener.n_visits == 0
    assert tile.reasons == ()
    with rasterio.Env(GDAL_HTTP_TIMEOUT=2, GDAL_HTTP_MAX_RETRY=0), rasterio.open(path) as dataset:
        dataset.read(out_shape=(3, 6, 8))
    assert listener.n_visits > 0  # the trap works
    listener.socket.close()
