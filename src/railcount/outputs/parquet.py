"""Vehicles as GeoParquet 1.1, for tables too long for a GeoPackage; pyarrow, an extra, writes it."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.errors import InputError
from railcount.files import replacing
from railcount.outputs.history import OneFrame
from railcount.outputs.vector import LON_LAT, car_table, crs_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from railcount.counts import TileCount
    from railcount.observation import PassCount

    Table = tuple[Any, dict[str, Any]]
    """WKB, and masked columns by name."""


def check_installed() -> None:
    """Raise InputError where pyarrow is missing: before a long count, not after it."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        msg = "GeoParquet needs pyarrow: pip install 'railcount[parquet]', or write a .gpkg"
        raise InputError(msg) from None


def write_counts(
    counts: Sequence[TileCount], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the vehicles of some tiles, with the GeoPackage's columns and CRS.

    The counts ride along in the file's metadata, under ``railcount``, as the JSON document: a table
    without rows must not read as a yard without railcars.

    Raises InputError without pyarrow and where some tiles have a CRS and some have none; OutputExists
    and OutputError as ``files.replacing`` does.
    """
    from railcount.outputs import json as document

    check_installed()
    crs = crs_of(counts)
    table = car_table(counts, shared=crs != LON_LAT)
    with replacing(path, overwrite=overwrite) as temporary:
        _write(temporary, [table], crs=crs, metadata={"railcount": document.dumps(counts)})


def write_passes(
    passes: Iterable[PassCount], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the vehicles of a history's passes, some passes at a time.

    The columns are the GeoPackage's. Coordinates are longitude and latitude
    (WGS 84), or pixels where no pass has a CRS. Raises as ``write_counts`` does.
    """
    from railcount.outputs.history_vector import PASSES_AT_ONCE
    from railcount.outputs.history_vector import car_table as table

    check_installed()
    frame = OneFrame()
    rest = frame(passes)

    with replacing(path, overwrite=overwrite) as temporary:
        # The first passes say whether places are in degrees; an empty table says its columns.
        first = table(list(islice(rest, PASSES_AT_ONCE)))
        others = iter(lambda: list(islice(rest, PASSES_AT_ONCE)), [])
        tables = (one for some in ([first], map(table, others)) for one in some)
        _write(temporary, tables, crs=None if frame.pixels else LON_LAT, metadata={})


def _write(path: Path, tables: Iterable[Table], *, crs: str | None, metadata: dict[str, str]) -> None:
    """A row group a table; the first says the columns."""
    import pyarrow as pa
    from pyarrow import parquet

    writer = None
    try:
        for shapes, fields in tables:
            columns = {k: pa.array(one.data, mask=one.mask, type=_type(one)) for k, one in fields.items()}
            made = pa.table(columns | {"geometry": pa.array(shapes, type=pa.binary())})
            made = made.replace_schema_metadata({"geo": json.dumps(_geo(crs)), **metadata})
            if writer is None:
                writer = parquet.ParquetWriter(path, made.schema, compression="zstd")
            writer.write_table(made)
    finally:
        if writer is not None:
            writer.close()


def _type(values: Any) -> Any:
    import pyarrow as pa

    return pa.string() if values.dtype == np.dtype(object) else pa.from_numpy_dtype(values.dtype)


def _geo(crs: str | None) -> dict[str, Any]:
    """The metadata that makes a Parquet file a GeoParquet one (https://geoparquet.org, 1.1.0)."""
    from pyproj import CRS

    # A GeoParquet's longitude comes first, as OGC:CRS84 says and EPSG:4326 does not.
    name = "OGC:CRS84" if crs == LON_LAT else crs
    place = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": None if name is None else CRS.from_user_input(name).to_json_dict(),
    }
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": place}}
