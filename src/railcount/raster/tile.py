"""A tile: pixels on demand, with their grid and acquisition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from railcount.raster.acquisition import Acquisition
    from railcount.raster.grid import Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Pixels of a window of a tile."""

    bands: NDArray[np.float32]
    """(bands, rows, cols), in the file's own units; NaN never: invalid pixels hold 0."""
    valid: NDArray[np.bool_]
    """(rows, cols): True = usable image."""
    names: tuple[str, ...]
    """One of ("gray",), ("red", "green", "blue"), ("red", "green", "blue", "nir")."""


class Tile(Protocol):
    """What the stages need of a tile."""

    path: Path
    sha256: str
    grid: Grid
    acquisition: Acquisition
    reasons: tuple[str, ...]
    """Warnings met while opening or reading; any makes the count ``degraded``."""

    def read(self) -> Pixels:
        """All pixels of the tile.

        Raises TileUnreadable for damaged pixels, TileEmpty where nothing is valid or
        everything is one value.
        """
        ...
