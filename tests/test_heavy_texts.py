"""Texts from strangers that would take minutes or gigabytes, or more words than a message has room for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MB = 2**20

READ = """
import resource, sys, warnings
from pathlib import Path
warnings.simplefilter("error")
import numpy as np
from affine import Affine
from pyproj import CRS
from railcount import outlines
from railcount.errors import RailcountError
from railcount.expected import read_expected
from railcount.raster.grid import Grid
from railcount.raster.names import parse_name
from railcount.raster.sidecars import sidecar_facts
from railcount.simulate import load_scene
from railcount.sites.loading import read_site
from railcount.tracks.vector import read_lines

grid = Grid(
    width=1000, height=800, transform=Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000), crs=CRS.from_epsg(32652),
    local_from_pixel=np.eye(2) * 0.5,
)
readers = {
    "image.IMD": lambda path: sidecar_facts(path.with_name("image.tif"), parse_name("image.tif")),
    "lines.geojson": lambda path: read_lines(path, grid=grid),
    "outlines.geojson": outlines.read_plane,
    "site.toml": read_site,
    "scene.toml": load_scene,
    "expected.csv": lambda path: read_expected(path.parent),
}
before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
path = Path(sys.argv[1])
try:
    readers[path.name](path)
except RailcountError as error:
    print(str(error)[:10_000])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) // 1000, "MB")
"""

NEAR = "[[130.6176, 42.4121], [130.6212, 42.4120]]"
LINE = (
    '{"type": "Feature", "properties": {"id": "a"}, "geometry": {"type": "LineString", "coordinates": '
    f"{NEAR}}}}}"
)
COLLECTION = '{"type": "FeatureCollection", "features": ['
SITE = """
name = "a"
title = "b"
crs = "EPSG:2056"
utc_offset_h = 1
box = [7.6, 47.5, 7.7, 47.6]
"""
TABLE = "tile,count,tolerance,status"

TEXTS: dict[str, tuple[str, str, str]] = {
    "IMD, empty lines": ("image.IMD", "\n" * (4 * MB), ""),
    "IMD, spaces": ("image.IMD", "a = " + " " * MB + '"x', ""),
    "lines of one name": (
        "lines.geojson",
        COLLECTION + ",".join([LINE] * 60_000) + "]}",
        "than tracks can lie",
    ),
    "lines, empty lists": ("lines.geojson", COLLECTION + "[]," * (16 * MB) + "1]}", "values"),
    "outlines, empty lists": ("outlines.geojson", COLLECTION + "[]," * (32 * MB) + "1]}", "values"),
    "site, a table of tables": ("site.toml", "name" + ".a" * 20_000 + " = 1", "100 dots"),
    "site, hexadecimal": (
        "site.toml",
        'name = "a"\ntitle = "b"\ncrs = "EPSG:2056"\nutc_offset_h = 0x' + "F" * 10_000,
        "utc_offset_h must be a number",
    ),
    "site, unknown keys": (
        "site.toml",
        SITE + "".join(f"k{n} = 1\n" for n in range(50_000)),
        "unknown key k0",
    ),
    "scene, lists in lists": ("scene.toml", "x = " + "[" * 100_000, "too deep"),
    "scene, a table of tables": ("scene.toml", "gsd_m" + ".a" * 20_000 + " = 1", "100 dots"),
    "scene, hexadecimal": ("scene.toml", "gsd_m = 0x" + "F" * 10_000, "gsd_m must lie"),
    "scene, digits": ("scene.toml", "gsd_m = " + "9" * 10_000, "not valid TOML"),
    "expected, empty lines": ("expected.csv", TABLE + "\n" * (18 * MB), "more than 500,000 lines"),
    "expected, columns": (
        "expected.csv",
        ",".join([TABLE, *(f"c{n}" for n in range(1_000_000))]) + "\n",
        "",
    ),
}
"""Case to file name, content, and what the error says."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs limits of time and memory")
@pytest.mark.parametrize("case", TEXTS)
def test_a_heavy_text_ends_in_a_few_words(tmp_path: Path, case: str) -> None:
    name, text, words = TEXTS[case]
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / name)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]  # -24: more than 20 s of processor time
    *said, memory = done.stdout.splitlines()
    assert words in "".join(said)
    assert len("".join(said)) < 1000 + len(str(tmp_path))
    assert int(memory.split()[0]) < 1000
