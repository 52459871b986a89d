"""GeoPackages that are programs: only stored columns of plain tables are read of them."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from railcount.errors import InputError
from railcount.raster.grid import Grid
from railcount.tracks.geopackage import parts_of
from railcount.tracks.vector import read_lines, write_lines

from . import layouts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINE = shapely.LineString([(130.6176, 42.4121), (130.6212, 42.4120)])
HEAD = b"GP\0\1\xe6\x10\0\0"
"""Little-endian, no envelope, EPSG:4326."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """As QGIS saves a layer."""
    made = tmp_path / "a.gpkg"
    shapes, ids = np.array([shapely.to_wkb(LINE)] * 2, dtype=object), np.array(["east", None], dtype=object)
    how = {"geometry_type": "LineString", "crs": "EPSG:4326", "layer": "tracks"}
    pyogrio.raw.write(made, shapes, [ids], ["id"], **how)
    with closing(sqlite3.connect(made)) as file:
        file.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, styleQML TEXT, at DATETIME)")
        file.execute("INSERT INTO layer_styles VALUES (1, '<qgis/>', '2026-01-01')")
        file.execute("CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")
        file.execute("CREATE VIEW long_lines AS SELECT * FROM tracks WHERE fid > 1")
        file.commit()
    return made


def schema(path: Path, sql: str, *, name: str = "other", kind: str = "table", root: int = 0) -> None:
    """Put a row among those that say what a file holds. SQLite believes its text alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", (kind, name, name, root, sql))


def other_layer(path: Path, name: str) -> None:
    """Let the layer of lines be a table of this name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA foreign_keys = OFF")
        file.execute("UPDATE gpkg_contents SET table_name = ?", (name,))
        file.execute("UPDATE gpkg_geometry_columns SET table_name = ?", (name,))


def test_what_qgis_saves_is_read_and_not_touched(path: Path) -> None:
    grid = layouts.grid()
    first = read_lines(path, grid=grid)
    assert [track.id for track in first] == ["east", "2"]
    # While QGIS has a file open it keeps a log of changes beside it, and says so in the head.
    data = bytearray(path.read_bytes())
    data[18:20] = b"\2\2"
    path.write_bytes(data)
    again = read_lines(path, grid=grid)
    assert [track.line_px.tolist() for track in again] == [track.line_px.tolist() for track in first]
    assert path.read_bytes() == data
    assert [one.name for one in path.parent.iterdir()] == ["a.gpkg"]


def test_a_key_is_no_name(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, geom BLOB, Track REAL, name TEXT);"
            "INSERT INTO t SELECT fid + 70, geom, 3.0, 'n' FROM tracks; DELETE FROM t WHERE id > 71;"
            "INSERT INTO t SELECT 80, geom, NULL, x'00ff' FROM t; INSERT INTO t VALUES (90, NULL, 4, 'none');"
        )
    other_layer(path, "t")
    assert [track.id for track in read_lines(path, grid=layouts.grid())] == ["3", "2"]


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x, geom FROM c, tracks"
LEADS = "may lead to other files"
TRICKS = {
    "virtual": ("CREATE VIRTUAL TABLE v USING VirtualText('/etc/passwd', 'UTF-8')", LEADS),
    "spaces": ("CREATE  VIRTUAL TABLE v USING VirtualText('x')", LEADS),
    "comment": ("CREATE VIRTUAL TABLE v/* USING rtree(*/USING VirtualText('x')", LEADS),
    "almost": ("CREATE VIRTUAL TABLE v USING rtree_of('x')", LEADS),
    "fts": ("CREATE VIRTUAL TABLE v USING fts5(x)", LEADS),
    "endless": (f"CREATE VIEW v AS {ENDLESS}", "no plain table 'v'.*views are not read"),
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("is_layer", [True, False])
def test_other_tables_than_plain_ones(path: Path, trick: str, is_layer: bool) -> None:
    sql, words = TRICKS[trick]
    if is_layer:
        other_layer(path, "v")
    schema(path, sql, name="v", kind="view" if " VIEW " in sql else "table")
    if is_layer or "VIRTUAL" in sql:
        with pytest.raises(InputError, match=words):
            read_lines(path, grid=layouts.grid())
    else:
        assert len(read_lines(path, grid=layouts.grid())) == 2


def test_no_table(path: Path) -> None:
    other_layer(path, "v")
    with pytest.raises(InputError, match="no plain table 'v'"):
        read_lines(path, grid=layouts.grid())


@pytest.mark.parametrize("name", ["v", "w"])
@pytest.mark.parametrize(
    "sql", [f"CREATE VIEW v AS {ENDLESS}", "CREATE VIRTUAL TABLE v USING rtree(fid, geom, x)"]
)
def test_a_name_that_belongs_to_something_else(path: Path, sql: str, name: str) -> None:
    """The columns beside a text can say what they like."""
    other_layer(path, "v")
    schema(path, sql, name=name)
    schema(path, "CREATE TABLE w (fid, geom)", name="v", root=2)
    with pytest.raises(InputError, match=r"cannot be read as GeoPackage|no plain table"):
        read_lines(path, grid=layouts.grid())


def test_columns_that_are_computed_are_not_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE TABLE t (fid INTEGER PRIMARY KEY, geom BLOB, id AS (zeroblob(400000000)), name TEXT);"
            "INSERT INTO t SELECT fid, geom, 'n' FROM tracks;"
        )
    other_layer(path, "t")
    assert [track.id for track in read_lines(path, grid=layouts.grid())] == ["n", "n-2"]


PAGE = 512


def small(path: Path) -> None:
    """A GeoPackage of a few small pages."""
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA page_size = {PAGE}")
        file.executescript(
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER PRIMARY KEY, organization,"
            " organization_coordsys_id, definition);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326, '');"
            "CREATE TABLE gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id);"
            "INSERT INTO gpkg_geometry_columns VALUES ('tracks', 'geom', 'LINESTRING', 4326);"
            "CREATE TABLE tracks (fid INTEGER PRIMARY KEY, geom BLOB, id TEXT UNIQUE);"
            "INSERT INTO tracks VALUES (1, NULL, 'a'), (2, NULL, 'b');"
        )


def interior(children: Sequence[int], *, head: int = 0) -> bytes:
    """A page that leads to others, each with rows up to the number 1."""
    cells = b"".join(struct.pack(">IB", child, 1) for child in children[:-1])
    start = PAGE - len(cells)
    places = b"".join(struct.pack(">H", start + at) for at in range(0, len(cells), 5))
    first = struct.pack(">BHHHBI", 5, 0, len(children) - 1, start, 0, children[-1])
    return (first + places).ljust(start - head, b"\0") + cells


def endless(path: Path, table: str) -> None:
    """Let a table's pages lead to one page again and again: 50 ** 6 times its rows, or the schema's last."""
    with closing(sqlite3.connect(path)) as file:
        found = file.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    data = bytearray(path.read_bytes())
    root, n = (found or [1])[0], len(data) // PAGE
    # Of a schema only the row of an index that SQLite made can be there twice.
    pages = [bytes(data[(root - 1) * PAGE : root * PAGE])] if found else schema_leaves(data)
    top = list(range(n + 1, n + len(pages)))
    for _ in range(6):
        pages.append(interior([n + len(pages)] * 50))
    head = 0 if found else 100
    data[(root - 1) * PAGE + head : root * PAGE] = interior([*top, *[n + len(pages)] * 40], head=head)
    data += b"".join(pages)
    data[28:32], data[92:96] = struct.pack(">I", len(data) // PAGE), data[24:28]
    path.write_bytes(data)


def schema_leaves(data: bytes) -> list[bytes]:
    """Pages with one row each of the schema that fits into page 1, that of an index last."""
    (n,) = struct.unpack_from(">H", data, 103)
    places = struct.unpack_from(f">{n}H", data, 108)
    body = min(places)
    heads = [struct.pack(">BHHHBH", 13, 0, 1, body, 0, place) for place in places]
    return [head.ljust(body, b"\0") + bytes(data[body:PAGE]) for head in heads]


@pytest.mark.parametrize("table", ["tracks", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"])
def test_pages_that_lead_to_one_page_without_end(tmp_path: Path, table: str) -> None:
    path = tmp_path / "a.gpkg"
    small(path)
    endless(path, table)
    with pytest.raises(InputError, match=r"holds more than lines of a yard need|holds no lines"):
        read_lines(path, grid=layouts.grid())


def test_a_schema_without_end(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA page_size = {PAGE}")
        file.execute("CREATE TABLE a (x TEXT UNIQUE)")
    endless(path, "")
    with pytest.raises(InputError, match="it takes too much work"):
        read_lines(path, grid=layouts.grid())


def test_more_vertices_than_a_yard_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("railcount.tracks.vector.MAX_VERTICES", 3)
    with pytest.raises(InputError, match="more than 3 vertices"):
        read_lines(path, grid=layouts.grid())


@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("axes", ["", "Z", "M", "ZM"])
def test_geometries_as_shapely_writes_them(flavor: Any, byte_order: int, axes: str) -> None:
    rows = np.random.default_rng(3).uniform(-9, 9, (7, 2 + len(axes)))
    texts = [" ".join(map(repr, row.tolist())) for row in rows]
    one, two = ", ".join(texts[:4]), ", ".join(texts[4:])
    line = shapely.from_wkt(f"LINESTRING {axes} ({one})")
    lines = shapely.from_wkt(f"MULTILINESTRING {axes} (({one}), EMPTY, ({two}))")
    how = {"flavor": flavor, "byte_order": byte_order}
    found = parts_of(HEAD + shapely.to_wkb(line, **how))
    assert [part.tolist() for part in found] == [rows[:4, :2].tolist()]
    for envelope, n_bytes in enumerate((0, 32, 48, 48, 64)):
        head = HEAD[:3] + bytes([1 + 2 * envelope]) + HEAD[4:] + bytes(n_bytes)
        found = parts_of(head + shapely.to_wkb(lines, **how))
        assert [part.tolist() for part in found] == [rows[:4, :2].tolist(), rows[4:, :2].tolist()]


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        ("text", "not a geometry"),
        (b"", "not a geometry"),
        (b"GP\1\1" + bytes(99), "not a geometry"),
        (b"GP\0\x21" + bytes(99), "unknown kind"),
        (b"GP\0\x0b" + bytes(99), "unknown kind"),
        (HEAD, "ends too soon"),
        (HEAD + b"\1" + struct.pack("<II", 2, 2**32 - 1), "ends too soon"),
        (HEAD + b"\1" + struct.pack("<II", 5, 2**32 - 1), "ends too soon"),
        (HEAD + b"\1" + struct.pack("<II", 1, 0), "is a Point"),
        (HEAD + shapely.to_wkb(shapely.Point(1, 2).buffer(1)), "is a Polygon"),
        (HEAD + b"\1" + struct.pack("<II", 9, 1), "is a curve or another shape"),
        (HEAD + b"\1" + struct.pack("<II", 4002, 0), "is a curve or another shape"),
        (HEAD + b"\1" + struct.pack("<II", 0x20000002, 0), "is a curve or another shape"),
        (HEAD + (b"\1" + struct.pack("<II", 5, 1)) * 5000, "is a MultiLineString"),
    ],
)
def test_geometries_that_are_no_lines(blob: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parts_of(blob)


@given(st.binary(max_size=200))
def test_any_bytes_for_a_geometry(data: bytes) -> None:
    for blob in (data, HEAD + data, HEAD + b"\1\2\0\0\0" + data, HEAD + b"\1\5\0\0\0" + data):
        with suppress(ValueError):
            assert all(part.shape[1] == 2 for part in parts_of(blob))


@pytest.mark.parametrize(
    "text",
    [
        "+proj=tmerc +lat_0=42 +lon_0=130.5 +k=1 +ellps=WGS84 +units=m +type=crs",
        "+proj=omerc +lat_0=42 +lonc=130.5 +alpha=30 +gamma=0 +ellps=krass +towgs84=1,2,3 +units=m +type=crs",
        "EPSG:32652",
    ],
)
def test_a_crs_that_has_no_code(tmp_path: Path, text: str) -> None:
    """A raster's own is written and read back."""
    crs = CRS.from_user_input(text)
    crs = crs.source_crs if crs.is_bound and crs.source_crs else crs
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(130.61, 42.41)
    place = Affine(0.5, 0, x, 0, -0.5, y)
    grid = Grid(width=800, height=600, transform=place, crs=crs, local_from_pixel=np.eye(2) * 0.5)
    path = tmp_path / "t.gpkg"
    line = np.array([[20.0, 30.0], [300.0, 200.0]])
    write_lines(layouts.network(grid, [line]), path, grid=grid)
    (read,) = read_lines(path, grid=grid)
    assert np.allclose(grid.to_local(read.line_px), line, atol=1e-3)


def test_undefined_crs(path: Path) -> None:
    for srs_id in (-1, 0, 5, "x"):
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("PRAGMA foreign_keys = OFF")
            file.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs_id,))
        with pytest.raises(InputError, match="has no CRS"):
            read_lines(path, grid=layouts.grid())


def test_a_page_that_asks_for_more_memory_than_there_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own limit: what a fuzzer wrote made it say so, and how much it takes is its version's."""

    def no_memory(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("railcount.tracks.geopackage._layer", no_memory)
    with pytest.raises(InputError, match=r"cannot be read as GeoPackage, it is damaged"):
        read_lines(path, grid=layouts.grid())
