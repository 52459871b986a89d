"""Tracks of a tile: where railcars can stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TrackSource = Literal["given", "mask", "site", "found"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """The centre line of one track."""

    id: str
    """Name within the network: the line's own, or its number from 1."""
    line_px: NDArray[np.float64]
    """(n, 2) vertices in pixel coordinates (col, row), n >= 2."""
    confidence: float = 1.0
    """0-1: how sure that this is a track and that the line is on it."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How given lines were moved onto the image: all by one shift, then each bent a little.

    Without a CRS, ``east_m`` is to the right and ``south_m`` down.
    """

    east_m: float
    south_m: float
    score: float
    """0-1: how clearly the moved lines match the image, better than they would elsewhere."""
    sure: bool = True
    """False where the lines may well lie beside their tracks; the network's reasons say why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackNetwork:
    """All tracks of a tile; empty where there are none."""

    tracks: tuple[Track, ...]
    source: TrackSource
    registration: Registration | None = None
    reasons: tuple[str, ...] = ()
    """Why there are no tracks, or what is doubtful about them."""
