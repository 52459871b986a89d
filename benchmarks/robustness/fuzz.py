"""A coverage-guided fuzzer on railcount's own parsers, which read what strangers wrote.

    pip install -e '.[fuzz]'
    python benchmarks/robustness/fuzz.py scenes --minutes 3

Gives a parser bytes that lead it to ever more of its code (atheris, libFuzzer). It may answer or raise a
RailcountError with one line of words; anything else, a text over a second or over 1 GB ends the run, with
the bytes in `crash-*`. `all` gives each parser the minutes, one after the other.
"""

from __future__ import annotations

import argparse
import sqlite3
import struct
import subprocess
import sys
import tempfile
import warnings
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["railcount"]):
    import numpy as np
    from affine import Affine
    from pyproj import CRS

    from railcount import outlines
    from railcount.errors import RailcountError
    from railcount.expected import FILE_NAME, read_expected
    from railcount.raster import sidecars
    from railcount.raster.grid import Grid
    from railcount.raster.names import parse_name
    from railcount.simulate import load_scene
    from railcount.sites.history import read_counts
    from railcount.sites.loading import read_site
    from railcount.tracks.geopackage import parts_of
    from railcount.tracks.vector import read_lines
    from railcount.wkt import only_describes

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "src" / "railcount" / "sites" / "tumangang"
TILES = ROOT / "sample_tiles"
GRID = Grid(
    width=1000,
    height=800,
    transform=Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000),
    crs=CRS.from_epsg(32652),
    local_from_pixel=np.eye(2) * 0.5,
)
MEMORY = Path("/dev/shm")
FOLDER = Path(tempfile.mkdtemp(prefix="railcount-fuzz-", dir=MEMORY if MEMORY.is_dir() else None))


def written(data: bytes, name: str) -> Path:
    """The bytes as a file."""
    path = FOLDER / name
    path.write_bytes(data)
    return path


def names(data: bytes) -> None:
    """File names; these never raise."""
    text = data.decode("utf-8", "surrogateescape")
    list(sidecars.sidecar_names(text, parse_name(text)))


def sidecar(kind: str) -> Callable[[bytes], object]:
    """A vendor's metadata: the answer holds a note where it cannot be used."""
    return lambda data: sidecars.sidecar_facts(
        written(data, f"image.{kind}").with_name("image.tif"), parse_name("image.tif")
    )


def geopackage() -> bytes:
    """A GeoPackage of a few small pages."""
    line = struct.pack("<2sBBi BIIdddd", b"GP", 0, 1, 4326, 1, 2, 2, 130.62, 42.41, 130.63, 42.42)
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("PRAGMA page_size = 512")
        file.executescript(
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER PRIMARY KEY, organization,"
            " organization_coordsys_id, definition);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326, 'GEOGCS[\"a\"]');"
            "CREATE TABLE gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id);"
            "INSERT INTO gpkg_geometry_columns VALUES ('tracks', 'geom', 'LINESTRING', 4326);"
            "CREATE TABLE tracks (fid INTEGER PRIMARY KEY, geom BLOB, id TEXT);"
        )
        file.execute("INSERT INTO tracks VALUES (1, ?, 'a')", (line,))
        file.commit()
        return file.serialize()


def geometry(data: bytes) -> None:
    """A line as a GeoPackage keeps it; what is wrong with it is a ValueError here."""
    with suppress(ValueError):
        parts_of(data)


PARSERS: dict[str, tuple[Callable[[bytes], object], str]] = {
    "names": (names, "2023*/*.tif"),
    "json": (sidecar("json"), ""),
    "imd": (sidecar("IMD"), ""),
    "xml": (sidecar("XML"), ""),
    "sites": (lambda data: read_site(written(data, "site.toml")), "site.toml"),
    "counts": (
        lambda data: read_counts(written(data, "counts.csv"), zones=("complex", "freight-yard", "station")),
        "published_counts.csv",
    ),
    "scenes": (lambda data: load_scene(written(data, "scene.toml")), "scenes/*.toml"),
    "expected": (lambda data: read_expected(written(data, FILE_NAME).parent), FILE_NAME),
    "lines": (lambda data: read_lines(written(data, "a.geojson"), grid=GRID), "2023*/*_tracks.geojson"),
    "geometries": (geometry, ""),
    "wkt": (lambda data: only_describes(data.decode("utf-8", "replace")), ""),
    "outlines": (lambda data: outlines.read_plane(written(data, "a.geojson")), "2023*/*_truth.geojson"),
}
"""Name to what reads bytes, and where examples are."""
EXAMPLES = {
    "json": [b'{"properties": {"datetime": "2023-10-05T02:11:00Z", "eo:cloud_cover": 3, "gsd": 0.5}}'],
    "imd": [b'BEGIN_GROUP = IMAGE_1\n\tsatId = "WV03";\n\tfirstLineTime = 2023-10-05T02:11:00.0Z;\n'],
    "xml": [
        b'<?xml version="1.0"?><isd><IMD><MEANSUNAZ>157.2</MEANSUNAZ><SATID>WV03</SATID></IMD></isd>',
        b'<?xml version="1.0" encoding="rot13"?><isd><IMD><SATID>WV03</SATID></IMD></isd>',
    ],
    "lines": [b'{"type": "LineString", "coordinates": [[130.62, 42.41], [130.63, 42.42]]}', geopackage()],
    "geometries": [b"GP\0\1" + bytes(4) + b"\1\2\0\0\0\1\0\0\0" + bytes(16)],
    "wkt": [CRS.from_epsg(code).to_wkt().encode() for code in (32652, 4326)],
    "outlines": [
        b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"kind": "tank"}, '
        b'"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 2]]]}}]}'
    ],
}


def examples(name: str, folder: Path) -> None:
    """Good files to begin with, the large ones cut."""
    pattern = PARSERS[name][1]
    found = [*SITE.glob(pattern), *TILES.glob(pattern)] if pattern else []
    texts = [str(path.name).encode() if name == "names" else path.read_bytes()[:4000] for path in found]
    for number, data in enumerate(texts + EXAMPLES.get(name, [])):
        (folder / str(number)).write_bytes(data)


def fuzz(name: str, *, seconds: int, folder: Path) -> None:
    """Run libFuzzer, which ends the process."""
    parse = PARSERS[name][0]
    warnings.simplefilter("error")

    def once(data: bytes) -> None:
        try:
            parse(data)
        except RailcountError as error:
            if not str(error):
                raise AssertionError("an error without words") from error

    examples(name, folder)
    limits = ["-timeout=1", "-rss_limit_mb=1024", "-max_len=8192", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *limits, str(folder)], once)
    atheris.Fuzz()  # never returns


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("parser", choices=[*PARSERS, "all"])
    parser.add_argument("--minutes", type=float, default=3.0)
    asked = parser.parse_args()
    if asked.parser != "all":
        with tempfile.TemporaryDirectory() as name:
            fuzz(asked.parser, seconds=round(asked.minutes * 60), folder=Path(name))
    failed = []
    for name in PARSERS:
        command = [sys.executable, __file__, name, "--minutes", str(asked.minutes)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        stats = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{name}: exit code {done.returncode}, {' '.join(stats)}", flush=True)
        if done.returncode:
            failed.append(name)
            print("\n".join(done.stderr.splitlines()[-40:]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
