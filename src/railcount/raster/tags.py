"""What a TIFF's directories say of the size of their entries, before GDAL reads one of them.

GDAL reads every entry of every directory when it opens a file, tags that it does not know too, and takes
three times their bytes: 600 MB of a private tag, nothing on the disk where the file is sparse, take 1.8 GB.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from railcount.errors import TileRefused
from railcount.raster.limits import Limits
from railcount.wkt import only_describes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Entries = list[tuple[int, int, int]]
    """(tag, number of its values, their bytes) of each entry of a directory."""

GDAL_METADATA, GEO_ASCII = 42112, 34737
MAX_METADATA_BYTES = 2**18
"""In all directories. GDAL looks through all items before it adds one: 0.9 MB of them took it 9-15 s, 11 MB
minutes. Those of the sample tiles take 1 KB."""
MAX_ENTRY_BYTES = 2**20
"""Of any other entry. Colour profiles and XMP take up to some hundred KB, a palette of 16 bits 393 KB, a
thousand ground control points 48 KB."""
MAX_ENTRIES_BYTES = 8 * 2**20
"""Of all directories together, so that many entries cannot do what one may not."""
MAX_DIRECTORIES = 1000
"""An image with its overviews and masks has about twenty."""
PIXELS_A_BLOCK = 64
"""Blocks are told of where they lie and how long they are, so their number is limited with the pixels. The
smallest that anybody writes, tiles of 16 x 16 pixels, pass with four planes at the limit of pixels."""
FEWEST_BLOCKS = 100_000
"""That pass whatever the limit of pixels: images have at least one block."""

_BLOCKS = {273: "strips", 279: "strips", 324: "tiles", 325: "tiles"}
"""Tags that say where blocks lie, and how long they are."""
_SUB_DIRECTORIES = 330
_WKT_AHEAD = "ESRI PE String = "
"""What follows it among the texts of GeoTIFF's keys GDAL takes for a CRS, whatever the keys say."""
_GEO_JP2 = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
"""Ahead of such a TIFF, after the box's length and kind."""
_BOX = b"uuid"
MAX_JPEG2000_TILES = 16_384
"""As many as 300 million pixels have in tiles of 136 x 136; usual are 256 x 256 and larger. OpenJPEG takes
some KB for each when it opens a file, and 1 KB more for each band: 770 MB for 63,489 in a file of 9 KB."""
_CODESTREAM, _SIZE = b"jp2c", bytes.fromhex("ff4fff51")
"""The box in which the pixels are, and the two markers that they begin with (ISO/IEC 15444-1, annex A)."""
_SIZES_OF_CODESTREAM = ">4x8IH"
"""After them: right, bottom, the image's offset, a tile's width and height, the tiles' offset, bands."""
_ONE_WORD = re.compile(r"\(\w+\)")
_NAMES = {
    270: "description",
    347: "JPEG tables",
    700: "XMP metadata",
    33922: "tie points",
    34377: "Photoshop metadata",
    34675: "colour profile",
    37724: "Photoshop layers",
}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 11: 4, 13: 4}
"""Bytes of a value, by the entry's type; 8 of others."""
_OFFSETS = {4: "I", 13: "I", 16: "Q", 18: "Q"}
_DAMAGED = (struct.error, OSError, ValueError, OverflowError)
"""Raised for what is cut short, misplaced, or gone meanwhile."""


class _Layout(NamedTuple):
    """Of a directory, in the words of ``struct``."""

    first: int
    """Where the head says where the first one lies."""
    number: str
    entry: str
    """Tag, type, count and value."""
    offset: str


_CLASSIC = _Layout(first=4, number="H", entry="HHI4s", offset="I")
_BIG = _Layout(first=8, number="Q", entry="HHQ8s", offset="Q")


def check_tags(path: Path, *, limits: Limits | None = None) -> None:
    """Raises TileRefused where an entry of a TIFF's directories, or all together, are too large to read, or
    where a CRS in words may lead PROJ to other files.

    Directories that cannot be followed are left to GDAL, which says what is wrong with them.
    """
    with suppress(OSError), path.open("rb") as file:
        _check(file, n_file=os.fstat(file.fileno()).st_size, limits=limits or Limits())


def check_boxes(path: Path, *, limits: Limits | None = None) -> None:
    """The same of the small TIFFs by which a JPEG 2000 file says where it lies (GeoJP2).

    And of the tiles and bands that its pixels are said to have.
    """
    limits = limits or Limits()
    with (
        suppress(OSError),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for n_tiles, n_bands in _codestreams(content):
            if n_bands > limits.max_bands or n_tiles > MAX_JPEG2000_TILES:
                raise TileRefused(
                    f"it asks for {n_tiles:,} tiles with {n_bands:,} bands, the limit is "
                    f"{MAX_JPEG2000_TILES:,} with {limits.max_bands:,}: convert it with gdal_translate"
                )
        for box in _geo_boxes(content):
            _check(io.BytesIO(box), n_file=len(box), limits=limits)


def _codestreams(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """(tiles, bands) of each, wherever they are."""
    at = -1
    while (at := content.find(_SIZE, at + 1)) >= 0:
        inside = _CODESTREAM in {content[max(at - 4, 0) : at], content[max(at - 12, 0) : max(at - 8, 0)]}
        sizes = content[at + len(_SIZE) : at + len(_SIZE) + struct.calcsize(_SIZES_OF_CODESTREAM)]
        if not (inside or at == 0) or len(sizes) < struct.calcsize(_SIZES_OF_CODESTREAM):
            continue
        right, bottom, _, _, wide, high, left, top, n_bands = struct.unpack(_SIZES_OF_CODESTREAM, sizes)
        if wide and high:  # else GDAL says what is wrong
            yield -(-max(right - left, 0) // wide) * -(-max(bottom - top, 0) // high), n_bands


def _geo_boxes(content: mmap.mmap) -> Iterator[bytes]:
    """What stands in them, wherever they are; GDAL takes the first. Raises TileRefused for a large one."""
    at = -1
    while (at := content.find(_GEO_JP2, at + 1)) >= 0:
        n_bytes = int.from_bytes(content[max(at - 8, 0) : max(at - 4, 0)])
        if _BOX not in {content[max(at - 4, 0) : at], content[max(at - 12, 0) : max(at - 8, 0)]}:
            continue  # pixels
        if not 24 <= n_bytes <= MAX_ENTRY_BYTES:  # 0 and 1 say: to the end, or more than 4 GB
            raise TileRefused(
                "the box that says where it lies (GeoJP2) is too large, at most "
                f"{_mb(MAX_ENTRY_BYTES)} are read: save it anew with gdal_translate"
            )
        yield content[at + len(_GEO_JP2) : at - 8 + n_bytes]


def _check(file: BinaryIO, *, n_file: int, limits: Limits) -> None:
    most_blocks = max(FEWEST_BLOCKS, limits.max_pixels // PIXELS_A_BLOCK)
    n_metadata = n_bytes = 0
    texts: list[str] = []
    for number, entries in enumerate(_directories(file, texts, n_file=n_file)):
        if number >= MAX_DIRECTORIES:
            raise TileRefused(
                f"it has more than {MAX_DIRECTORIES:,} directories (pages, overviews, masks): save the image "
                "alone with gdal_translate"
            )
        n_bytes += 12 * len(entries)
        for tag, count, size in entries:
            if tag in _BLOCKS:
                _check_blocks(count, most=most_blocks, words=_BLOCKS[tag])
            elif tag == GDAL_METADATA:
                n_metadata += size
            elif size > MAX_ENTRY_BYTES:
                raise TileRefused(_too_large(_words(tag), size, most=MAX_ENTRY_BYTES, tag=tag))
            else:
                n_bytes += size
        _check_sums(n_bytes, n_metadata=n_metadata)
    if any(map(_leads_away, texts)):
        raise TileRefused(
            "the CRS in its GeoTIFF keys may lead to other files: give it one with a code, such as with "
            "gdal_translate -a_srs EPSG:32652"
        )


def _leads_away(text: str) -> bool:
    """Whether the texts of the keys, between bars, hold a CRS written out that does more than describe."""
    if "ESRI PE" not in text:
        return False
    for part in _ONE_WORD.sub("", text).rstrip("\0").split("|"):
        is_wkt = part.startswith(_WKT_AHEAD)
        if "(" in part or ("[" in part and not is_wkt):
            return True
        if is_wkt and not only_describes(part.removeprefix(_WKT_AHEAD)):
            return True
    return False


def _check_sums(n_bytes: int, *, n_metadata: int) -> None:
    if n_metadata > MAX_METADATA_BYTES:
        words = _too_large("its GDAL metadata", n_metadata, most=MAX_METADATA_BYTES, tag=GDAL_METADATA)
        raise TileRefused(words)
    if n_bytes > MAX_ENTRIES_BYTES:
        raise TileRefused(
            f"its tags would take {_mb(n_bytes)}, at most {_mb(MAX_ENTRIES_BYTES)} are read: save the image "
            "alone with gdal_translate"
        )


def _check_blocks(n_blocks: int, *, most: int, words: str) -> None:
    if n_blocks > most:
        raise TileRefused(
            f"it lists {n_blocks:,} {words}, at most {most:,} are read: save it in larger "
            "ones, such as with gdal_translate -co TILED=YES, or raise the limit with --max-pixels"
        )


def _words(tag: int) -> str:
    return f"its {_NAMES[tag]} (tag {tag})" if tag in _NAMES else f"its tag {tag}"


def _too_large(words: str, n_bytes: int, *, most: int, tag: int) -> str:
    return (
        f"{words} would take {_mb(n_bytes)}, at most {_mb(most)} are read: take it out, such as with "
        f"tiffset -u {tag}"
    )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"


def _directories(file: BinaryIO, texts: list[str], *, n_file: int) -> Iterator[Entries]:
    """All that GDAL goes through, one after the other and those below them; empty where one is damaged.

    The texts of GeoTIFF's keys are added to ``texts``.
    """
    with suppress(*_DAMAGED):
        order = "<" if file.read(2) == b"II" else ">"
        layout = _BIG if _unpacked(file, f"{order}H") == 43 else _CLASSIC
        file.seek(layout.first)
        waiting, seen = [_unpacked(file, order + layout.offset)], {0}
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            entries: Entries = []
            with suppress(*_DAMAGED):
                file.seek(at)
                n_entries = min(_unpacked(file, order + layout.number), 2**16)
                form = struct.Struct(order + layout.entry)
                table = file.read(n_entries * form.size)
                found = list(form.iter_unpack(table[: len(table) // form.size * form.size]))
                for tag, kind, count, value in found:
                    n_values = _within(count, value, order=order, kind=kind, layout=layout, n_file=n_file)
                    entries.append((tag, n_values, n_values * _SIZES.get(kind, 8)))
                    if tag == GEO_ASCII:
                        texts.append(_text(file, value, count, order=order, layout=layout))
                waiting.append(_unpacked(file, order + layout.offset))
                for tag, kind, count, value in found:
                    if tag == _SUB_DIRECTORIES and kind in _OFFSETS:
                        waiting += _offsets(
                            file, value, count, order=order, kind=_OFFSETS[kind], layout=layout
                        )
            yield entries


def _text(file: BinaryIO, value: bytes, n_bytes: int, *, order: str, layout: _Layout) -> str:
    """A text in the entry itself, or where it points. The place in the file is kept."""
    if n_bytes > len(value):
        (at,) = struct.unpack(order + layout.offset, value)
        before, value = file.tell(), b""
        with suppress(*_DAMAGED):
            file.seek(at)
            value = file.read(min(n_bytes, MAX_ENTRY_BYTES))
        file.seek(before)
    return value[:n_bytes].decode("latin-1")


def _within(count: int, value: bytes, *, order: str, kind: int, layout: _Layout, n_file: int) -> int:
    """So many of an entry's values lie in the file: of others GDAL says that they are damaged, at no cost."""
    size = _SIZES.get(kind, 8)
    if count * size <= len(value):
        return int(count)
    (at,) = struct.unpack(order + layout.offset, value)
    return int(min(count, max(n_file - at, 0) // size))


def _offsets(
    file: BinaryIO, value: bytes, count: int, *, order: str, kind: str, layout: _Layout
) -> list[int]:
    """Where the directories below lie: in the entry itself, or where it points. As many as are followed."""
    n_bytes = count * struct.calcsize(order + kind)
    if n_bytes > len(value):
        (at,) = struct.unpack(order + layout.offset, value)
        file.seek(at)
        value = file.read(min(n_bytes, (MAX_DIRECTORIES + 1) * 8))
    n_whole = min(n_bytes, len(value)) // struct.calcsize(order + kind)
    return list(struct.unpack_from(f"{order}{n_whole}{kind}", value))


def _unpacked(file: BinaryIO, words: str) -> int:
    (value,) = struct.unpack(words, file.read(struct.calcsize(words)))
    return int(value)
