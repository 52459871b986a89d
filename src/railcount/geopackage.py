"""Whether a GeoPackage that was just written is whole.

GDAL goes on where one of its SQL statements fails, as on a full disk, and tells nobody: without a look
at the file, exit code 0 would stand for a file without its last rows.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from railcount.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_whole(path: Path, *, n_rows: Mapping[str, int]) -> None:
    """Raise OutputError unless the file is sound and its layers have these rows, all of them registered."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            wrong = _wrong(file, n_rows)
    except sqlite3.Error as error:
        wrong = str(error)
    if wrong:
        raise OutputError(f"the GeoPackage could not be written whole ({wrong}): is the disk full?")


def _wrong(file: sqlite3.Connection, n_rows: Mapping[str, int]) -> str | None:
    if file.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        return "SQLite finds it damaged"
    kinds = dict(file.execute("SELECT table_name, data_type FROM gpkg_contents"))
    listed = dict(file.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents"))
    columns = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    extents = file.execute("SELECT table_name FROM gpkg_contents WHERE min_x IS NOT NULL")
    placed = {name for (name,) in extents}
    for layer, n in n_rows.items():
        tables = [layer]
        if kinds.get(layer) == "features":
            tables.append(f"rtree_{layer}_{columns.get(layer)}")
        found = [file.execute(f'SELECT count(*) FROM "{one}"').fetchone()[0] for one in tables]
        if layer not in kinds or found != [n] * len(tables) or (listed.get(layer) or 0) != n:
            return f"the layer {layer} has {found[0]} rows of {n}"
        if len(tables) > 1 and n and layer not in placed:
            return f"the layer {layer} has no extent"
    return None
