"""Track space: each track straightened into a strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from railcount.tracks.network import Track


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """One track's pixels: x = metres along the track, y = metres across it (to the right of travel)."""

    track: Track
    bands: NDArray[np.float32]
    """(bands, across, along) in the tile's units."""
    valid: NDArray[np.bool_]
    """(across, along): True = usable."""
    step_m: float
    """Metres per strip pixel, along and across."""
    half_width_m: float
    """Row r lies at y = (r + 0.5) * step_m - half_width_m."""
    centre_px: NDArray[np.float64]
    """(along, 2): pixel coordinates of the track's centre at each column."""
    direction: NDArray[np.float64]
    """(along, 2): unit vector along the track in local metres (x east, y south)."""

    @property
    def length_m(self) -> float:
        """Metres of track in the strip."""
        return self.bands.shape[2] * self.step_m
