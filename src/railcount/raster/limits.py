"""What a raster may be, and how much it may ask for before its pixels are touched.

370 bytes of TIFF can ask for 2 GB and 122 bytes for 2 TiB, so every size is checked from the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from railcount.errors import TileRefused

Driver = Literal["tiff", "jp2", "nitf"]
"""A kind of file, told by its first bytes."""
DEFAULT_DRIVERS: tuple[Driver, ...] = ("tiff",)
"""Kinds that are read unless ``--drivers`` names others."""

_GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on one raster; the message of a refusal names the option that raises the limit."""

    max_pixels: int = 300_000_000
    """Columns times rows; a 16384 x 16384 tile passes. Option ``--max-pixels``."""
    max_bands: int = 16
    """Option ``--max-bands``."""
    max_block_bytes: int = 256 * 2**20
    """Bytes of one tile or strip of the file, decoded. Option ``--max-block-bytes``."""
    max_bytes: int = 4 * _GIB
    """Bytes of all bands, decoded. Option ``--max-bytes``."""

    def check_file(self, n_bytes: int) -> None:
        """Refuse a file that is too large to be hashed and read, whatever its header says.

        Twice ``max_bytes``: a third more for overviews, a quarter for a mask, and room for what is not packed
        well. A sparse file of 1 TB has no more bytes on the disk than its header.

        Raises TileRefused.
        """
        most = 2 * self.max_bytes
        if n_bytes > most:
            raise TileRefused(
                f"the file has {n_bytes:,} bytes, the limit is {most:,}: cut the image to the yard, or raise "
                "the limit with --max-bytes, which is half of it"
            )

    def check(self, *, width: int, height: int, n_bands: int, block_bytes: int, n_bytes: int) -> None:
        """Refuse a raster that asks for too much.

        Raises TileRefused.
        """
        if width < 1 or height < 1 or n_bands < 1:
            raise TileRefused(f"the raster has no pixels: {width} x {height} with {n_bands} bands")
        asked = (
            (f"{width} x {height} = {width * height:,} pixels", width * height, self.max_pixels, "pixels"),
            (f"{n_bands:,} bands", n_bands, self.max_bands, "bands"),
            (f"blocks of {block_bytes:,} bytes", block_bytes, self.max_block_bytes, "block-bytes"),
            (f"{n_bytes:,} bytes of pixels", n_bytes, self.max_bytes, "bytes"),
        )
        for words, amount, limit, option in asked:
            if amount > limit:
                raise TileRefused(
                    f"the file asks for {words}, the limit is {limit:,}: cut the image to the yard, "
                    f"or raise the limit with --max-{option}"
                )
