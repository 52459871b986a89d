"""What a TIFF's directories say of the size of its texts, before GDAL reads one of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from railcount.errors import TileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GDAL_METADATA = 42112
MAX_METADATA_BYTES = 2**20
"""GDAL looks through all items before it adds one: 11 MB of them take it minutes."""
_MAX_DIRECTORIES = 100


def check_metadata(path: Path) -> None:
    """Raises TileRefused where a TIFF's GDAL_METADATA is larger than MAX_METADATA_BYTES.

    Directories that cannot be followed are left to GDAL, which says what is wrong with them.
    """
    n_bytes = _metadata_bytes(path)
    if n_bytes > MAX_METADATA_BYTES:
        raise TileRefused(
            f"its GDAL metadata take {n_bytes / 1e6:.1f} MB, at most {MAX_METADATA_BYTES / 1e6:.1f} MB are "
            "read: remove them, such as with tiffset -u 42112"
        )


def _metadata_bytes(path: Path) -> int:
    """Of the directory with the longest."""
    most = 0
    try:
        with path.open("rb") as file:
            for n_bytes in _lengths(file):
                most = max(most, n_bytes)
    except (struct.error, OSError, ValueError, OverflowError):
        pass  # cut short, misplaced, or gone meanwhile
    return most


def _lengths(file: BinaryIO) -> Iterator[int]:
    """Bytes of the tag, wherever a directory has it."""
    order = "<" if file.read(2) == b"II" else ">"

    def unpacked(words: str) -> int:
        (value,) = struct.unpack(order + words, file.read(struct.calcsize(order + words)))
        return int(value)

    is_big = unpacked("H") == 43
    entry, number, offset = ("HHQ8x", "Q", "Q") if is_big else ("HHI4x", "H", "I")
    file.seek(8 if is_big else 4)
    at, seen = unpacked(offset), set[int]()
    while at and at not in seen and len(seen) < _MAX_DIRECTORIES:
        seen.add(at)
        file.seek(at)
        entries = file.read(min(unpacked(number), 2**16) * struct.calcsize(order + entry))
        for tag, _, count in struct.iter_unpack(order + entry, entries):
            if tag == GDAL_METADATA:
                yield count
        at = unpacked(offset)
