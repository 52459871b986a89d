"""Results to a file whose suffix names the format, or to text in a named format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from railcount.errors import InputError
from railcount.files import check_target, write_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from railcount.counts import TileCount

TEXT_FORMATS = ("json", "geojson", "csv")
SUFFIXES = {".json": "json", ".geojson": "geojson", ".csv": "csv", ".gpkg": "gpkg", ".parquet": "parquet"}


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file name asks for; InputError where the suffix names none, or one not installed."""
    suffix = Path(path).suffix.lower()
    if Path(path).name.lower().endswith(".stac.json"):
        msg = (
            f"{Path(path).name!r}: a STAC Item stands for a pass, not for a tile: count into a history with "
            "railcount batch, then railcount history export -o FILE.stac.json"
        )
        raise InputError(msg)
    if suffix not in SUFFIXES:
        msg = f"an output ends in {', '.join(SUFFIXES)}, which says its format; {Path(path).name!r} does not"
        raise InputError(msg)
    if SUFFIXES[suffix] == "parquet":
        from railcount.outputs.parquet import check_installed

        check_installed()
    return SUFFIXES[suffix]


def to_text(counts: Sequence[TileCount], *, form: str) -> str:
    """The results in one of TEXT_FORMATS, with a line break at the end."""
    if form == "json":
        from railcount.outputs import json

        return json.dumps(counts)
    if form == "geojson":
        from railcount.outputs import geojson

        return geojson.dumps(counts)
    if form == "csv":
        from railcount.outputs import csv

        return csv.dumps(counts)
    msg = f"a text format is one of {', '.join(TEXT_FORMATS)}, not {form!r}"
    raise InputError(msg)


def write_counts(
    counts: Sequence[TileCount], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the results in the format of the suffix.

    Raises InputError for a suffix without a format, OutputExists and OutputError as
    ``files.replacing`` does.
    """
    form = format_of(path)
    check_target(path, overwrite=overwrite)
    if form == "gpkg":
        from railcount.outputs.vector import write_geopackage

        write_geopackage(counts, path, overwrite=overwrite)
        return
    if form == "parquet":
        from railcount.outputs import parquet

        parquet.write_counts(counts, path, overwrite=overwrite)
        return
    write_bytes(path, to_text(counts, form=form).encode("utf-8"), overwrite=overwrite)
