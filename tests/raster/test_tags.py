"""A TIFF's entries are measured before GDAL reads them."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from pyproj import CRS

from railcount.errors import TileRefused
from railcount.raster.limits import Limits
from railcount.raster.opening import open_tile
from railcount.raster.tags import (
    FEWEST_BLOCKS,
    MAX_DIRECTORIES,
    MAX_ENTRY_BYTES,
    MAX_METADATA_BYTES,
    check_boxes,
    check_tags,
)

from ..cli.odd_files import GEO_ASCII, Tiff
from . import factories

if TYPE_CHECKING:
    from pathlib import Path

ASCII, SHORT, LONG, UNDEFINED, DOUBLE = 2, 3, 4, 7, 12
WIDTH, STRIPS, STRIP_COUNTS, TILES, TILE_COUNTS, SUB_DIRECTORIES = 256, 273, 279, 324, 325, 330


def directory(*entries: tuple[int, int, int, int], following: int = 0, big: bool = False) -> bytes:
    """(tag, type, count, offset or value) each."""
    number, entry, offset = ("<Q", "<HHQQ", "<Q") if big else ("<H", "<HHII", "<I")
    rows = b"".join(struct.pack(entry, *one) for one in entries)
    return struct.pack(number, len(entries)) + rows + struct.pack(offset, following)


def tiff(path: Path, *directories: bytes, big: bool = False, n_bytes: int = 2**31) -> Path:
    """A file of directories; the first lies at its head. Sparse."""
    head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) if big else struct.pack("<2sHI", b"II", 42, 8)
    path.write_bytes(head + b"".join(directories))
    os.truncate(path, n_bytes)
    return path


@pytest.mark.parametrize("options", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}], ids=str)
def test_too_many_items_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    path = tmp_path / "a.tif"
    grid = {"crs": "EPSG:32652", "transform": rasterio.Affine(0.5, 0, 633_000, 0, -0.5, 4_697_000)}
    shape = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **grid, **options) as made:
        made.write(np.ones((1, 64, 64), np.uint8))
        made.update_tags(A="x" * 20, B="x" * 1000)
    check_tags(path)
    with rasterio.open(path, "r+") as made:
        made.update_tags(B="x" * MAX_METADATA_BYTES)
    with pytest.raises(TileRefused, match=r"GDAL metadata would take 0\.3 MB"):
        open_tile(path)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        (60_000, UNDEFINED),
        (270, ASCII),
        (315, ASCII),
        (700, UNDEFINED),
        (33_432, ASCII),
        (33_922, DOUBLE),
        (34_675, UNDEFINED),
        (34_737, ASCII),
        (42_113, ASCII),
        (347, UNDEFINED),
        (60_001, 999),
    ],
)
def test_no_entry_may_be_large(tmp_path: Path, tag: int, kind: int, big: bool) -> None:
    size = {DOUBLE: 8, 999: 8}.get(kind, 1)
    most = MAX_ENTRY_BYTES // size
    check_tags(tiff(tmp_path / "a.tif", directory((tag, kind, most, 1000), big=big), big=big))
    for count in (most + 1, 1_200_000_000):
        path = tiff(tmp_path / "a.tif", directory((tag, kind, count, 1000), big=big), big=big)
        with pytest.raises(TileRefused, match=rf"tag {tag}\b.* would take .* at most 1\.0 MB"):
            open_tile(path)


def test_what_does_not_lie_in_the_file_is_left_to_gdal(tmp_path: Path) -> None:
    """A damaged entry costs nothing but a warning; that it says 16 GB is no reason to refuse the tile."""
    for at, n_bytes in ((10, 2**20), (2**31 - 1, 2**20), (2**31, 2**31), (2**31 - 2**20, 2**31)):
        path = tiff(tmp_path / "a.tif", directory((60_000, DOUBLE, 2**31, at)), n_bytes=n_bytes)
        check_tags(path)
    path = tiff(tmp_path / "a.tif", directory((60_000, DOUBLE, 2**31, 2**31 - 2**21)))
    with pytest.raises(TileRefused, match=r"would take 2\.1 MB"):
        check_tags(path)


def test_many_entries_may_not_be_large_together(tmp_path: Path) -> None:
    """They may all lie in one place."""
    entries = [(60_000 + n, UNDEFINED, MAX_ENTRY_BYTES, 1000) for n in range(8)]
    check_tags(tiff(tmp_path / "a.tif", directory(*entries[:7])))
    with pytest.raises(TileRefused, match=r"tags would take 8\.4 MB, at most"):
        check_tags(tiff(tmp_path / "a.tif", directory(*entries)))


def test_all_directories_are_looked_at(tmp_path: Path) -> None:
    large = directory((60_000, UNDEFINED, 2**30, 1000))
    first = directory((WIDTH, LONG, 1, 64), following=26)
    with pytest.raises(TileRefused, match="tag 60000"):
        check_tags(tiff(tmp_path / "a.tif", first, large))
    # GDAL reads those below too; one or two of them stand in the entry itself, more where it points.
    for big, sizes in ((False, (LONG,)), (True, (LONG, 16))):
        head, entry = (16, 36) if big else (8, 18)
        large = directory((60_000, UNDEFINED, 2**30, 1000), big=big)
        for kind in sizes:
            one = directory((SUB_DIRECTORIES, kind, 1, head + entry), big=big)
            with pytest.raises(TileRefused, match="tag 60000"):
                check_tags(tiff(tmp_path / "a.tif", one, large, big=big))
        three = directory((SUB_DIRECTORIES, LONG, 3, head + 2 * entry), big=big)
        places = struct.pack("<3I", 1, 2, head + entry)
        with pytest.raises(TileRefused, match="tag 60000"):
            check_tags(tiff(tmp_path / "a.tif", three, large, places, big=big))


def test_few_directories(tmp_path: Path) -> None:
    chain = [directory((WIDTH, LONG, 1, 64), following=8 + 18 * (n + 1)) for n in range(MAX_DIRECTORIES)]
    with pytest.raises(TileRefused, match="more than 1,000 directories"):
        check_tags(tiff(tmp_path / "a.tif", *chain, directory((WIDTH, LONG, 1, 64))))
    check_tags(tiff(tmp_path / "a.tif", *chain[:-1], directory((WIDTH, LONG, 1, 64))))


@pytest.mark.parametrize("tag", [STRIPS, STRIP_COUNTS, TILES, TILE_COUNTS])
def test_blocks_are_as_many_as_the_pixels_allow(tmp_path: Path, tag: int) -> None:
    """300 million pixels in tiles of 16 x 16 list more bytes than other tags may have."""
    check_tags(tiff(tmp_path / "a.tif", directory((tag, LONG, 3 * 300_000_000 // 256, 1000))))
    with pytest.raises(TileRefused, match=r"lists 300,000,000 \w+, .* --max-pixels"):
        check_tags(tiff(tmp_path / "a.tif", directory((tag, LONG, 300_000_000, 1000))))
    path = tiff(tmp_path / "a.tif", directory((tag, LONG, FEWEST_BLOCKS + 1, 1000)))
    check_tags(path)
    with pytest.raises(TileRefused, match="at most 100,000"):
        check_tags(path, limits=Limits(max_pixels=1))


@pytest.mark.parametrize("n_bytes", [2, 4, 7, 8, 12])
def test_a_directory_that_cannot_be_followed_is_left_to_gdal(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes((b"II*\0" + struct.pack("<IH", 8, 40_000))[:n_bytes])
    check_tags(path)


def test_directories_that_go_round_end(tmp_path: Path) -> None:
    check_tags(tiff(tmp_path / "a.tif", directory(following=8)))
    check_tags(tiff(tmp_path / "a.tif", directory((SUB_DIRECTORIES, LONG, 1, 8), following=8)))


PLANE = CRS.from_epsg(32652).to_wkt("WKT1_ESRI")
AHEAD = "ESRI PE String = "
GRID = 'EXTENSION["PROJ4_GRIDS","/tmp/x"]'


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        (f"{AHEAD}{PLANE}|", True),
        (f"{AHEAD}{PLANE}|NAD83(2011) / UTM|GCS Name = GCS_x|Datum = D_x|", True),
        (f"WGS 84 / {GRID}|", True),  # a name: GDAL takes none for a CRS without the words ahead
        (f"{AHEAD}{PLANE[:-1]},{GRID}]|", False),
        (f"{AHEAD}{PLANE}{GRID}|", False),
        (f"{AHEAD}{PLANE[:-1]}|", False),
        # A key may begin and end anywhere in the text.
        (f"{AHEAD}PROJCS[|{GRID}|{AHEAD}]|", False),
        (f"{AHEAD}PROJCS[|x grids=/tmp/x|{AHEAD}]|", False),
        (f'{AHEAD}PROJCS["a|",{GRID}]|', False),
        (f'1234567890123456 PROJCS["a",{GRID},"{AHEAD}"]|', False),
        (f"{AHEAD}{PLANE}|EXTENSION(PROJ4_GRIDS,/tmp/x)|", False),
    ],
)
def test_a_crs_in_words(tmp_path: Path, text: str, is_read: bool, big: bool) -> None:
    path = tmp_path / "a.tif"
    data = text.encode() + b"\0"
    path.write_bytes(Tiff(tags={GEO_ASCII: (ASCII, data)}, big=big).to_bytes())
    if is_read:
        check_tags(path)
    else:
        with pytest.raises(TileRefused, match="may lead to other files"):
            open_tile(path)


def test_a_short_text_in_the_directory_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(Tiff(tags={GEO_ASCII: (ASCII, b"a|\0")}).to_bytes())
    check_tags(path)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("tile_px", "n_bands", "is_read"),
    [(128, 3, True), (127, 3, True), (126, 3, False), (1, 3, False), (0, 3, True), (128, 17, False)],
)
def test_tiles_of_a_jpeg_2000(tmp_path: Path, tile_px: int, n_bands: int, is_read: bool, raw: bool) -> None:
    """OpenJPEG takes memory for each when it opens a file."""
    path = factories.write_tif(tmp_path / "a.jp2", driver="JP2OpenJPEG", QUALITY="100")
    data = bytearray(path.read_bytes())
    at = data.find(bytes.fromhex("ff4fff51"))
    struct.pack_into(">8IH", data, at + 8, 127 * 128, 127 * 128, 0, 0, tile_px, tile_px, 0, 0, n_bands)
    path.write_bytes(data[at:] if raw else data)
    if is_read:
        check_boxes(path)
        return
    with pytest.raises(TileRefused, match=rf"tiles with {n_bands} bands, the limit is 16,384 with 16"):
        open_tile(path, drivers=("jp2",))


def test_what_only_looks_like_a_jpeg_2000s_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    large = bytes.fromhex("ff4fff51") + struct.pack(">4x8IH", 2**31, 2**31, 0, 0, 1, 1, 0, 0, 3)
    for data in (b"pixels, or a comment: " + large, large[:-1]):
        path.write_bytes(data)
        check_boxes(path)
