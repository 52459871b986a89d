"""A tile: pixels on demand, with their grid and acquisition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from railcount.raster.acquisition import Acquisition
    from railcount.raster.grid import Grid


class Window(NamedTuple):
    """A rectangle of pixels; it may reach over the tile's edge."""

    col: int
    """First column."""
    row: int
    """First row."""
    width: int
    """Number of columns."""
    height: int
    """Number of rows."""


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

    @property
    def path(self) -> Path:
        """Where the tile was read from."""
        ...

    @property
    def sha256(self) -> str:
        """Of the file's content, in hexadecimal."""
        ...

    @property
    def grid(self) -> Grid:
        """Where the pixels lie."""
        ...

    @property
    def acquisition(self) -> Acquisition:
        """When and how the tile was taken."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Warnings met while opening or reading; any makes the count ``degraded``.

        Reading can add to them: ask after the last ``read``.
        """
        ...

    def read(self, window: Window | None = None) -> Pixels:
        """Pixels of a window, or of the whole tile.

        Where a window reaches over the edge, the pixels outside are invalid.
        Raises TileUnreadable for damaged pixels and, for the whole tile, TileEmpty where
        nothing is valid or everything is one value.
        """
        ...
