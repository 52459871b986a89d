"""What a TIFF's directories say of the size of its texts, before GDAL reads one of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from railcount.errors import TileRefused

if TYPE_CHECKING:
    from pathlib import Path

GDAL_METADATA = 42112
MAX_METADATA_BYTES = 2**20
"""GDAL looks through all items before it adds one: 11 MB of them take it minutes."""
_MAX_DIRECTORIES = 100


def check_metadata(path: Path) -> None:
    """Raises TileRefused where a TIFF's GDAL_METADATA is larger than MAX_METADATA_BYTES.

    Directories that cannot be followed are left to GDAL, which says what is wrong with them.
    """
    with path.open("rb") as file:
        n_bytes = _metadata_bytes(file)
    if n_bytes > MAX_METADATA_BYTES:
        raise TileRefused(
            f"its GDAL metadata take {n_bytes / 1e6:.1f} MB, at most {MAX_METADATA_BYTES / 1e6:.1f} MB are "
            "read: remove them, such as with tiffset -u 42112"
        )


def _metadata_bytes(file: BinaryIO) -> int:
    """Of the directory with the longest."""
    order = "<" if file.read(2) == b"II" else ">"
    most, seen = 0, set[int]()
    try:
        is_big = struct.unpack(order + "H", file.read(2))[0] == 43
        entry, number, offset = (
            order + words for words in (("HHQ8x", "Q", "Q") if is_big else ("HHI4x", "H", "I"))
        )
        file.seek(8 if is_big else 4)
        (at,) = struct.unpack(offset, file.read(struct.calcsize(offset)))
        while at and at not in seen and len(seen) < _MAX_DIRECTORIES:
            seen.add(at)
            file.seek(at)
            (n,) = struct.unpack(number, file.read(struct.calcsize(number)))
            entries = file.read(min(n, 2**16) * struct.calcsize(entry))
            lengths = [count for tag, _, count in struct.iter_unpack(entry, entries) if tag == GDAL_METADATA]
            most = max([most, *lengths])
            (at,) = struct.unpack(offset, file.read(struct.calcsize(offset)))
    except (struct.error, OSError, ValueError, OverflowError):
        pass  # cut short or misplaced
    return most
