"""Good files that name other files and addresses: nothing is asked for, and no file but the named is read."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from railcount.errors import InputError
from railcount.raster import open_tile
from railcount.tracks.vector import read_lines

from ..test_wkt import TRICKS

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


OPENED, MADE = 0x20, 0x100
"""IN_OPEN and IN_CREATE of inotify."""


@contextmanager
def opened_names(folder: Path, *, event: int = OPENED) -> Iterator[set[str]]:
    """Names of the files of a folder that any process opens, or makes, meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(folder), event) >= 0
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


LINE = shapely.LineString([(130.6176, 42.4121), (130.6212, 42.4120)])


def lines(path: Path) -> None:
    """A good GeoPackage."""
    shapes, ids = np.array([shapely.to_wkb(LINE)], dtype=object), np.array(["a"], dtype=object)
    how = {"geometry_type": "LineString", "crs": "EPSG:4326", "layer": "tracks"}
    pyogrio.raw.write(path, shapes, [ids], ["id"], **how)


def lying_lines(folder: Path, marker: Path) -> list[Path]:
    """GeoPackages whose tables, views or CRS name another file."""
    tables = {
        "text": f"CREATE VIRTUAL TABLE lie USING VirtualText('{marker}', 'UTF-8', 1, POINT, NONE, ',')",
        "json": f"CREATE VIRTUAL TABLE lie USING VirtualGeoJSON('{marker}')",
        "ogr": f"CREATE VIRTUAL TABLE lie USING VirtualOGR('{marker}', 'marker', 0, 1)",
        "pixel": f"CREATE VIEW lie AS SELECT fid, gdal_get_pixel_value('{marker}', 1, 'pixel', 0, 0) AS id, "
        "geom FROM tracks",
        "code": f"CREATE VIEW lie AS SELECT fid, load_extension('{marker}') AS id, geom FROM tracks",
    }
    made = []
    for name, sql in tables.items():
        made.append(folder / f"{name}.gpkg")
        lines(made[-1])
        with closing(sqlite3.connect(made[-1], isolation_level=None)) as file:
            file.execute("PRAGMA foreign_keys = OFF")
            file.execute("UPDATE gpkg_contents SET table_name = 'lie'")
            file.execute("UPDATE gpkg_geometry_columns SET table_name = 'lie'")
            file.execute("PRAGMA writable_schema = ON")
            kind = sql.split()[1].lower().replace("virtual", "table")
            file.execute("INSERT INTO sqlite_master VALUES (?, 'lie', 'lie', 0, ?)", (kind, sql))
    for name, wkt in TRICKS.items():
        made.append(folder / f"crs {name}.gpkg")
        lines(made[-1])
        with closing(sqlite3.connect(made[-1], isolation_level=None)) as file:
            file.execute("PRAGMA foreign_keys = OFF")
            words = ("m", 99999, "NONE", 99999, wkt.format(file=marker), None)
            file.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", words)
            file.execute("UPDATE gpkg_geometry_columns SET srs_id = 99999")
    return made


def test_lines_lead_to_no_other_file(tmp_path: Path) -> None:
    marker = tmp_path / "marker.gsb"
    marker.write_bytes(b"NUM_OREC" + bytes(400))
    write(tmp_path / "a.tif")
    grid = open_tile(tmp_path / "a.tif").grid
    lying = lying_lines(tmp_path, marker)
    with opened_names(tmp_path) as opened:
        for path in lying:
            with pytest.raises(InputError, match=r"to other files|no plain table|has no CRS"):
                read_lines(path, grid=grid)
        crs = {"type": "name", "properties": {"name": f"file:{marker.name}"}}
        text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [LINE.__geo_interface__]})
        (tmp_path / "a.geojson").write_text(text)
        with pytest.raises(InputError):
            read_lines(tmp_path / "a.geojson", grid=grid)
    assert opened == {*(path.name for path in lying), "a.geojson"}
    # The trap works: what PROJ does by itself is seen.
    with opened_names(tmp_path) as opened, suppress(ProjError):
        Transformer.from_crs(CRS.from_wkt(TRICKS["parameter"].format(file=marker)), 4326)
    assert opened == {marker.name}


def in_words(path: Path, wkt: str) -> None:
    """A tile whose CRS stands in it as text, the way Esri's programs write it: GDAL takes it from there."""
    plane = CRS.from_epsg(32652).to_wkt("WKT1_GDAL").replace("WGS 84 / UTM zone 52N", "X" * 900)
    plane = plane.replace(',AUTHORITY["EPSG","32652"]', "").replace('n",129', 'n",128.9')
    write(path, crs=plane, GEOTIFF_KEYS_FLAVOR="ESRI_PE")
    data = path.read_bytes()
    start = data.index(b"ESRI PE String = ") + 17
    end = data.index(b"|", start)
    assert len(wkt) <= end - start
    if wkt:
        path.write_bytes(data[:start] + wkt.encode().ljust(end - start) + data[end:])


def test_a_crs_in_a_tile_leads_to_no_other_file(tmp_path: Path) -> None:
    marker = tmp_path / "marker.gsb"
    marker.write_bytes(b"NUM_OREC" + bytes(400))
    in_words(tmp_path / "good.tif", "")
    tiles = []
    for name, wkt in TRICKS.items():
        if name not in {"empty", "printed quotes"}:
            tiles.append(f"{name}.tif")
            in_words(tmp_path / tiles[-1], wkt.format(file=marker))
    command = [sys.executable, "-m", "railcount", "scan", *tiles, "good.tif", "--format", "json"]
    with opened_names(tmp_path) as opened:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    *bad, good = json.loads(done.stdout)["results"]
    assert opened == {*tiles, "good.tif"}
    assert {one["status"] for one in bad} == {"refused"}
    assert all("may lead to other files" in one["reasons"][0] for one in bad)
    assert good["status"] != "refused"
    # The trap works: what GDAL and PROJ do by themselves is seen.
    with opened_names(tmp_path) as opened, rasterio.open(tmp_path / "parameter.tif") as plain:
        crs = CRS.from_wkt(plain.crs.to_wkt(version="WKT2_2019"))
        with suppress(ProjError):
            Transformer.from_crs(crs, 4326)
    assert marker.name in opened


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and whole of each box of a JPEG 2000 file."""
    while data:
        n_bytes = int.from_bytes(data[:4]) or len(data)
        yield data[4:8], data[:n_bytes]
        data = data[n_bytes:]


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


GML = """<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><gml:RectifiedGridCoverage>
<gml:rectifiedGridDomain><gml:RectifiedGrid dimension="2"><gml:limits><gml:GridEnvelope><gml:low>0 0</gml:low>
<gml:high>199 159</gml:high></gml:GridEnvelope></gml:limits><gml:origin><gml:Point srsName={0}>
<gml:pos>633000 4697000</gml:pos></gml:Point></gml:origin>
<gml:offsetVector srsName={0}>0.5 0</gml:offsetVector>
<gml:offsetVector srsName={0}>0 -0.5</gml:offsetVector></gml:RectifiedGrid></gml:rectifiedGridDomain>
</gml:RectifiedGridCoverage></gml:featureMember></gml:FeatureCollection>"""


def test_a_crs_in_a_jpeg_2000_leads_to_no_other_file(tmp_path: Path) -> None:
    """In the TIFF of its GeoJP2 box, of 32 and of 64 bits length, and in its GML."""
    marker = tmp_path / "marker.gsb"
    marker.write_bytes(b"NUM_OREC" + bytes(400))
    write(tmp_path / "a.jp2", driver="JP2OpenJPEG")
    kept = [
        whole for kind, whole in boxes((tmp_path / "a.jp2").read_bytes()) if kind not in {b"uuid", b"asoc"}
    ]

    def place(name: str, *more: bytes) -> str:
        (tmp_path / name).write_bytes(b"".join([*kept[:-1], *more, kept[-1]]))
        return name

    def geo(tif: str) -> bytes:
        return bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03") + (tmp_path / tif).read_bytes()

    def gml(srs: str) -> bytes:
        page = box(b"lbl ", b"gml.root-instance") + box(b"xml ", GML.format(quoteattr(srs)).encode())
        return box(b"asoc", box(b"lbl ", b"gml.data") + box(b"asoc", page))

    in_words(tmp_path / "good.tif", "")
    good = [
        place("good.jp2", box(b"uuid", geo("good.tif"))),
        place("gml.jp2", gml("urn:ogc:def:crs:EPSG::32652")),
    ]
    tiles, lies = [], {n: t for n, t in TRICKS.items() if n not in {"empty", "printed quotes"}}
    for name, wkt in lies.items():
        in_words(tmp_path / f"{name}.tif", wkt.format(file=marker))
        tiles.append(place(f"{name}.jp2", box(b"uuid", geo(f"{name}.tif"))))
    long = geo("extension.tif")
    tiles.append(place("long.jp2", struct.pack(">I4sQ", 1, b"uuid", 16 + len(long)) + long))
    written = [place(f"{name} gml.jp2", gml(wkt.format(file=marker))) for name, wkt in TRICKS.items()]
    command = [sys.executable, "-m", "railcount", "scan", *good, *tiles, *written, "--drivers", "jp2"]
    with opened_names(tmp_path) as opened:
        done = subprocess.run(
            [*command, "--format", "json"], cwd=tmp_path, capture_output=True, timeout=120, check=False
        )
    results = {one["tile"]: one for one in json.loads(done.stdout)["results"]}
    assert opened == {*good, *tiles, *written}
    assert {results[name]["gsd_m"] for name in good} == {0.5}
    assert {results[name]["status"] for name in [*tiles, *written]} == {"refused"}
    assert all("other files" in results[n]["reasons"][0] or n == "long.jp2" for n in tiles)
    # The trap works: what GDAL does by itself is seen.
    with opened_names(tmp_path) as opened, rasterio.open(tmp_path / "extension.jp2"):
        pass
    assert marker.name in opened


def test_masks_and_tables_are_no_geopackages(tmp_path: Path) -> None:
    write(tmp_path / "a.tif")
    marker = tmp_path / "marker.csv"
    marker.write_text("a\n")
    lie = str(lying_lines(tmp_path, marker)[0])
    for words in (
        ["scan", "a.tif", "--mask", lie],
        ["scan", "a.tif", "--valid", lie],
        ["evaluate", lie, lie],
        ["history", "import", lie, "--site", "tumangang", "--history", "h.sqlite"],
    ):
        with opened_names(tmp_path) as opened:
            command = [sys.executable, "-m", "railcount", *words]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False), words
        assert marker.name not in opened


def test_lines_leave_no_copy_behind(tmp_path: Path) -> None:
    """Not even for a moment: a command that is killed at its time limit tidies nothing up."""
    write(tmp_path / "a.tif")
    lines(tmp_path / "a.gpkg")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "railcount", "scan", "a.tif", "--tracks", "a.gpkg", "--format", "json"]
    with opened_names(temporary, event=MADE) as made, opened_names(tmp_path, event=MADE) as beside:
        told = {"TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)}
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, timeout=60, check=False, env=os.environ | told
        )
    assert json.loads(done.stdout)["results"][0]["tracks"]["source"] == "given"
    assert (made, beside) == (set(), set())
