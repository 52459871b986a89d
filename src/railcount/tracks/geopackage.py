"""The layer of lines of a GeoPackage, read with Python's own SQLite and nothing else.

A GeoPackage is a program as much as a table: given to GDAL, its virtual tables open any file they name, its
views compute without end, and PROJ opens the grids that its CRS names. Here stored columns of plain tables
are read from memory, and a CRS is a code or a text that only describes.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from railcount.errors import InputError
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

LAYER = "tracks"
"""Taken where a file has several layers of lines."""
EXPORT = "in QGIS, export the lines as GeoJSON or GeoPackage"
LINES_ONLY = "tracks must be LineString or MultiLineString; take what is none out of the file"
MAX_ROWS = 500_000
LEAST_BYTES = 1_000_000
"""Of values, which may be read of any file."""
MAX_STEPS = 20_000_000
"""Of SQLite's machine; half a million rows take less than ten each."""
MAX_SQL = 100_000
"""Letters of one statement that makes a table."""
_LOOK = 10_000
_SOUND = re.compile(
    r'CREATE (TABLE|INDEX|UNIQUE INDEX|TRIGGER|VIEW|VIRTUAL TABLE ("([^"]|"")*"|\w+) USING rtree *\()',
    re.IGNORECASE,
)
"""How SQLite keeps what made a table. Of views and triggers nothing is run; an R-tree is an index."""
_LINE_LAYERS = ("LINESTRING", "MULTILINESTRING", "GEOMETRY")
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_CODES_OF = ("EPSG", "ESRI")


class Feature(NamedTuple):
    """A row that has lines."""

    values: dict[str, Any]
    """Of the wanted columns: numbers, texts, None."""
    parts: list[NDArray[np.float64]]
    """(n, 2) each."""


def read_layer(
    data: bytes, *, name: str, fields: Collection[str], max_vertices: int
) -> tuple[str, list[Feature]]:
    """CRS and lines of the one layer that has lines, with the columns named ``fields`` (lower case).

    The CRS is a code, a WKT text as it stands in the file (see ``railcount.wkt``), or "" where undefined.
    Raises InputError that says what is wrong with the file called ``name``.
    """
    if not hasattr(sqlite3.Connection, "deserialize"):
        raise InputError(f"{name}: this Python's SQLite reads no GeoPackage: export the lines as GeoJSON")
    with closing(sqlite3.connect(":memory:")) as connection:
        file = _File(connection, name=name, max_bytes=LEAST_BYTES + 2 * len(data))
        try:
            file.load(data)
            table, column, srs_id = _layer(file, name=name)
            return _crs(file, srs_id), list(_features(file, table, column, fields, max_vertices))
        except InputError:
            raise
        except (sqlite3.Error, ValueError, MemoryError) as error:
            # a ValueError where a name holds a zero byte, a MemoryError where a page is damaged
            words = one_line(error) or "it is damaged"
            words = "it takes too much work" if file.steps_left < 0 else words
            raise InputError(f"{name} cannot be read as GeoPackage, {words}: {EXPORT}") from None


class _File:
    """A database in memory of which stored columns of plain tables can be read, and no more."""

    def __init__(self, connection: sqlite3.Connection, *, name: str, max_bytes: int) -> None:
        self.name = name
        self.steps_left = MAX_STEPS
        self._connection = connection
        self._bytes_left = max_bytes
        self._plain: set[str] = set()
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, MAX_SQL)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_progress_handler(self._is_too_much, _LOOK)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")

    def load(self, data: bytes) -> None:
        """Take the bytes of a file; raises InputError where something else than tables is in it."""
        # Bytes 18 and 19 ask for a write-ahead log, which memory has none of.
        self._connection.deserialize(data[:18] + b"\x01\x01" + data[20:])
        self._connection.set_authorizer(_only_reads)
        for kind, name, sql in self._connection.execute("SELECT type, name, sql FROM sqlite_master"):
            made = _SOUND.match(sql) if isinstance(sql, str) else None
            if made is None and sql is not None:
                raise InputError(
                    f"{self.name} has a table that may lead to other files, {one_line(sql, max_length=80)}: "
                    f"{EXPORT}"
                )
            if made is not None and kind == "table" and made[1].upper() == "TABLE":
                self._plain.add(str(name).lower())

    def rows(
        self, table: str, wanted: Collection[str], *, srs_id: Any = None, with_key: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Rows in the order of the table: the wanted columns (lower case), as far as they are there.

        With ``srs_id`` those alone that have it; without their key, which for a layer is no attribute.
        """
        if table.lower() not in self._plain:
            raise InputError(
                f"{self.name} has no plain table {one_line(table)!r}, as a GeoPackage has (views are not "
                f"read): {EXPORT}"
            )
        # Columns that are computed are not among them.
        about = self._connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
        columns = [one for _, one, *_, key in about if one.lower() in wanted and (with_key or not key)]
        if not columns:
            return
        asked = ", ".join(map(_quoted, columns))
        text = f"SELECT {asked} FROM {_quoted(table)} NOT INDEXED"
        if srs_id is None:
            found = self._connection.execute(text)
        else:
            found = self._connection.execute(f"{text} WHERE srs_id = ?", (srs_id,))
        for number, row in enumerate(found, 1):
            self._bytes_left -= sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if number > MAX_ROWS or self._bytes_left < 0:
                raise InputError(f"{self.name} holds more than lines of a yard need: cut it to the yard")
            yield {column.lower(): value for column, value in zip(columns, row, strict=True)}

    def _is_too_much(self) -> int:
        self.steps_left -= _LOOK
        return self.steps_left < 0


def _only_reads(
    action: int, one: str | None, two: str | None, database: str | None, source: str | None
) -> int:
    """SQLite asks before each part of a statement; ``source`` is the view that it comes from."""
    reads = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
    describes = action == sqlite3.SQLITE_PRAGMA and one == "table_info"
    return sqlite3.SQLITE_OK if source is None and (reads or describes) else sqlite3.SQLITE_DENY


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _layer(file: _File, *, name: str) -> tuple[str, str, Any]:
    """Table, column of the geometry, and number of the CRS."""
    wanted = ("table_name", "column_name", "geometry_type_name", "srs_id")
    layers = [[row.get(key) for key in wanted] for row in file.rows("gpkg_geometry_columns", wanted)]
    lines = [layer for layer in layers if str(layer[2]).upper() in _LINE_LAYERS]
    chosen = [layer for layer in lines if layer[0] == LAYER] or lines
    if len(chosen) != 1:
        shown = ", ".join(f"{one_line(layer)} ({one_line(kind)})" for layer, _, kind, _ in layers[:20])
        raise InputError(
            f"{name} must have one layer of lines, or one named {LAYER!r}; it has: {shown or 'none'}; "
            f"{EXPORT}"
        )
    table, column, _, srs_id = chosen[0]
    return str(table), str(column), srs_id


def _crs(file: _File, srs_id: Any) -> str:
    wanted = ("organization", "organization_coordsys_id", "definition", "definition_12_063")
    row: dict[str, Any] = next(file.rows("gpkg_spatial_ref_sys", wanted, srs_id=srs_id), {})
    organization, code = str(row.get("organization")).upper(), row.get("organization_coordsys_id")
    if organization in _CODES_OF and isinstance(code, int):
        return f"{organization}:{code}"
    texts = [str(row.get(key) or "").strip() for key in ("definition_12_063", "definition")]
    text = next((text for text in texts if text.lower() not in ("", "undefined")), "")
    return "" if text.startswith(("LOCAL_CS", "ENGCRS")) else text


def _features(
    file: _File, table: str, column: str, fields: Collection[str], max_vertices: int
) -> Iterator[Feature]:
    n_vertices = 0
    column = column.lower()
    for number, row in enumerate(file.rows(table, {column, *fields}, with_key=False), 1):
        blob = row.pop(column, None)
        if blob is None:
            continue
        try:
            parts = parts_of(blob)
        except ValueError as error:
            raise InputError(f"{file.name}, feature {number} {error}") from None
        n_vertices += sum(map(len, parts))
        if n_vertices > max_vertices:
            raise InputError(f"{file.name} holds more than {max_vertices:,} vertices: cut it to the yard")
        yield Feature({key: None if isinstance(v, bytes) else v for key, v in row.items()}, parts)


def parts_of(blob: Any) -> list[NDArray[np.float64]]:
    """Lines (n, 2) of a geometry as a GeoPackage keeps it: a head, then WKB.

    Raises ValueError with the rest of a sentence about it.
    """
    if not isinstance(blob, bytes) or blob[:3] != b"GP\0" or len(blob) < 8:
        raise ValueError(f"is not a geometry of a GeoPackage: {EXPORT}")
    flags = blob[3]
    envelope = flags >> 1 & 7
    if envelope >= len(_ENVELOPE_BYTES) or flags & 0x20:
        raise ValueError(f"has a geometry of an unknown kind: {EXPORT}")
    if flags & 0x10:
        return []
    try:
        return _wkb(blob, 8 + _ENVELOPE_BYTES[envelope])[0]
    except struct.error:
        raise ValueError(f"has a geometry that ends too soon: {EXPORT}") from None


def _wkb(data: bytes, at: int, *, is_part: bool = False) -> tuple[list[NDArray[np.float64]], int]:
    """Lines that begin at a byte, and the byte after them. Empty ones are left out."""
    order = "<" if data[at : at + 1] == b"\x01" else ">"
    kind, n = struct.unpack_from(f"{order}II", data, at + 1)
    at += 9
    # Two ways to say that there are heights and measures: thousands, or the highest bits.
    bits, kind = divmod(kind, 0x40000000)
    thousands, kind = divmod(kind, 1000)
    if thousands > 3:
        kind = 0
    n_axes = 2 + bits.bit_count() + (thousands + 1) // 2
    if kind == 2:
        end = at + 8 * n * n_axes
        if end > len(data):
            raise ValueError(f"has a geometry that ends too soon: {EXPORT}")
        numbers = np.frombuffer(data[at:end], dtype=f"{order}f8").reshape(n, n_axes)
        return ([numbers[:, :2].astype(np.float64)] if n else []), end
    if kind == 5 and not is_part:
        parts: list[NDArray[np.float64]] = []
        for _ in range(n):
            more, at = _wkb(data, at, is_part=True)
            parts += more
        return parts, at
    known = 1 <= kind <= len(_KINDS)
    raise ValueError(f"is a {_KINDS[kind - 1] if known else 'curve or another shape'}: {LINES_ONLY}")
