"""Good files that name other files and addresses: nothing is asked for, and no file but the named is read."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs inotify")

VRT = (
    '<VRTDataset rasterXSize="20" rasterYSize="16"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    "<SourceFilename>{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
)
PAM = (
    '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{}</MDI></Metadata>'
    "<GeoTransform>1, 9, 0, 1, 0, -9</GeoTransform></PAMDataset>"
)
OURS = {".json", ".IMD", ".imd", ".XML", ".xml"}
"""Of vendors; looked for on purpose and read by railcount itself."""


@contextmanager
def opened_names(folder: Path) -> Iterator[set[str]]:
    """Names of the files of a folder that any process opens meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(folder), 0x20) >= 0  # IN_OPEN
    names: set[str] = set()
    try:
        yield names
        while True:
            try:
                data = os.read(watch, 1 << 16)
            except BlockingIOError:
                break
            while data:
                _, _, _, length = struct.unpack_from("iIII", data)
                names.add(os.fsdecode(data[16 : 16 + length].rstrip(b"\0")))
                data = data[16 + length :]
    finally:
        os.close(watch)
    names.discard("")


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """An address at which nobody should ask, and what was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                asked.append(client.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def write(path: Path, *, overview: str | None = None, **how: Any) -> None:
    bands = np.random.default_rng(1).integers(5, 250, (how.get("count", 3), 160, 200), dtype=np.uint8)
    profile: dict[str, Any] = {"driver": "GTiff", "count": 3, "width": 200, "height": 160, "dtype": "uint8"}
    place = {"crs": "EPSG:32652", "transform": Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000)}
    with rasterio.open(path, "w", **profile | place | how) as made:
        made.write(bands)
        if overview:
            made.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=overview)


def lies(folder: Path, url: str) -> list[str]:
    """Write them; the names of those that are images by themselves."""
    write(folder / "marker.tif")
    secret = folder / "secret.vrt"
    secret.write_text(VRT.format(folder / "marker.tif"))
    named = {
        "url": f"{url}/x.tif",
        "curl": f"/vsicurl/{url}/x.tif",
        "ends_in_none": f"/vsicurl/{url}/x.none",
        "vrt": str(secret),
        "beside": ":::BASE:::secret.vrt",
        "tms": f"<GDAL_WMS><Service name='TMS'><ServerUrl>{url}/</ServerUrl></Service></GDAL_WMS>",
    }
    for name, overview in named.items():
        write(folder / f"{name}.tif", overview=overview)
    write(folder / "side.tif")
    write(folder / "side.jp2", driver="JP2OpenJPEG")
    for image in ("side.tif", "side.jp2"):
        (folder / f"{image}.aux.xml").write_text(PAM.format(f"/vsicurl/{url}/x.none"))
        (folder / f"{image}.ovr").write_text(VRT.format(f"/vsicurl/{url}/x.none"))
        (folder / f"{image}.msk").write_text(VRT.format(folder / "marker.tif"))
    for end in ("tfw", "j2w", "wld", "tab", "prj", "aux", "RPB", "pvl"):
        (folder / f"side.{end}").write_text("9\n0\n0\n-9\n1\n1\n")
    (folder / "side_RPC.TXT").write_text("LINE_OFF: 1\n")
    (folder / "side.xml").write_text(f'<?xml version="1.0"?><!DOCTYPE a SYSTEM "{url}/dtd"><a/>')
    (folder / "side.json").write_text(f'{{"$ref": "{url}/json"}}')
    return [*(f"{name}.tif" for name in named), "side.tif", "side.jp2"]


def test_nothing_is_fetched_or_followed(tmp_path: Path) -> None:
    with listening() as (url, asked):
        tiles = lies(tmp_path, url)
        before = sorted(os.listdir(tmp_path))
        command = [sys.executable, "-m", "railcount", "scan", *tiles, "--drivers", "tiff,jp2"]
        with opened_names(tmp_path) as opened:
            done = subprocess.run(
                [*command, "--format", "json"], cwd=tmp_path, capture_output=True, timeout=60, check=False
            )
        assert asked == []
        others = opened - set(tiles)
        assert {n for n in others if Path(n).suffix not in OURS or n.endswith(".aux.xml")} == set()
        results = {one["tile"]: one for one in json.loads(done.stdout)["results"]}
        assert set(results) == set(tiles)
        for name, one in results.items():
            assert one["gsd_m"] == 0.5, name  # not what lies beside says
        assert done.returncode in {0, 3}
        assert done.stderr == b""
        assert sorted(os.listdir(tmp_path)) == before
        # The trap works: what GDAL does by itself is seen.
        with opened_names(tmp_path) as opened, rasterio.open(tmp_path / "vrt.tif") as plain:
            plain.read(1, out_shape=(16, 20))
        assert "secret.vrt" in opened
        with rasterio.open(tmp_path / "curl.tif") as plain:
            plain.read(1, out_shape=(16, 20))
        assert asked


def test_no_grid_of_a_datum_is_fetched(tmp_path: Path) -> None:
    """North America 1927: with a network PROJ asks for its shifts before it places a pixel."""
    write(tmp_path / "a.tif", crs="EPSG:4267", transform=Affine(6e-6, 0, -93, 0, -5e-6, 42))
    command = [sys.executable, "-m", "railcount", "scan", "a.tif", "--format", "json"]
    with listening() as (url, asked):
        told = {"PROJ_NETWORK": "ON", "PROJ_NETWORK_ENDPOINT": url, "PROJ_USER_WRITABLE_DIRECTORY": "cache"}
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, timeout=60, check=False, env=os.environ | told
        )
        assert asked == []
    (result,) = json.loads(done.stdout)["results"]
    assert result["gsd_m"] == pytest.approx(0.53, abs=0.03)
    assert os.listdir(tmp_path) == ["a.tif"]


def test_metadata_beside_a_nitf_file(tmp_path: Path) -> None:
    """Its reader takes them though GDAL was told to leave all sidecars alone."""
    write(tmp_path / "a.ntf", driver="NITF", count=1, icords="N")
    (tmp_path / "a.ntf.aux.xml").write_text(PAM.format("x"))
    command = [sys.executable, "-m", "railcount", "scan", "a.ntf", "--drivers", "nitf", "--format", "json"]
    with opened_names(tmp_path) as opened:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    (result,) = json.loads(done.stdout)["results"]
    assert result["status"] == "refused"
    assert "a.ntf.aux.xml" in result["reasons"][0]
    assert opened == {"a.ntf"}
