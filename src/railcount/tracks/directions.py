"""Directions without sense: a track runs to both sides, so angles that differ by half a turn are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def turn(to: Array | float, of: Array | float = 0.0) -> Array:
    """From one direction to another (rad) by the shorter way, -pi / 2 to pi / 2."""
    return np.asarray((np.asarray(to) - of + np.pi / 2) % np.pi - np.pi / 2)
