"""The result of a scan: one tile, one frozen value that every output is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from railcount.baseline import Comparison
    from railcount.raster.acquisition import Acquisition
    from railcount.raster.grid import Grid
    from railcount.regimes import Regime
    from railcount.strips import Strip
    from railcount.tracks.network import Registration, TrackNetwork, TrackSource

Status = Literal[
    "counted", "degraded", "uncountable", "no_data", "refused", "failed", "timeout", "crashed", "skipped"
]
STATUSES_WITH_COUNT: tuple[Status, ...] = ("counted", "degraded")

Kind = Literal["gondola", "covered", "tank", "flat", "coach", "locomotive", "unknown"]
KINDS: tuple[Kind, ...] = ("gondola", "covered", "tank", "flat", "coach", "locomotive", "unknown")
"""gondola: open well (gondola or open hopper, loaded or empty); covered: closed from above (boxcar,
tarpaulin, container, covered hopper); flat: empty flat car."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A count and the interval that holds the truth with probability ``level``."""

    best: int
    """The count itself, of what is reported."""
    low: int
    high: int
    """Low end and high end: ``low <= best <= high``."""
    level: float = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Car:
    """One railcar or locomotive."""

    track: str
    """The track's id."""
    train: int
    """Number of the train (a row of coupled vehicles) in the tile, from 1."""
    position: int
    """Number within the train, from 1."""
    kind: Kind
    """gondola, covered, tank, flat, coach, locomotive or unknown."""
    covered: bool | None
    """True where the load is hidden from above; None where it cannot be told."""
    start_m: float
    """Along the strip of its track, ``start_m < end_m``."""
    end_m: float
    offset_m: float
    """Of the body's centre across the strip, metres to the right of travel."""
    length_m: float
    """Over the body, without couplers."""
    width_m: float
    heading_deg: float | None
    """0-180, clockwise from north; None without a CRS."""
    confidence: float
    """0-1: the probability of a car just there."""
    flags: tuple[str, ...]
    """Of: cut, split_by_pitch, low_contrast, in_shadow, length_unusual, seam."""
    outline_px: NDArray[np.float64]
    """(4, 2) corners of the body in pixel coordinates, not closed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """A stretch of track on which vehicles stand that are not told apart."""

    track: str
    """The track's id."""
    start_m: float
    """Along the strip of its track, ``start_m < end_m``."""
    end_m: float
    confidence: float
    """0-1: mean probability of its metres being occupied."""
    outline_px: NDArray[np.float64]
    """(n, 2) ring in pixel coordinates along both sides of the track, not closed."""


@dataclass(frozen=True, kw_only=True)
class TrackSeen:
    """How much of one track was seen."""

    id: str
    length_m: float
    """Inside the tile."""
    visible_fraction: float
    """Of that length, 0-1."""
    confidence: float
    """0-1: how sure that this is a track and that the line is on it."""


@dataclass(frozen=True, kw_only=True)
class TrackSummary:
    """What was known of the tracks."""

    source: TrackSource
    n: int
    length_m: float
    visible_fraction: float
    """Of the track length, 0-1; tracks found in the pixels: hidden ones that were not found included.
    Without any track, of the ground."""
    registration: Registration | None
    each: tuple[TrackSeen, ...] = ()
    """In the order of the network."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TileCount:
    """Everything railcount says about one tile.

    Where ``status`` is not one of STATUSES_WITH_COUNT the counts are None and ``reasons`` says why.
    """

    tile: str
    """The path as it was given."""
    sha256: str | None
    """Of the file; None where it could not be read."""
    status: Status
    """How it ended: ``counted``, ``degraded`` or one of those without a count."""
    reasons: tuple[str, ...] = ()
    """Why there is no count, or what to doubt about it, in sentences."""
    acquisition: Acquisition | None = None
    """When and by what the image was taken, and whom to credit."""
    site: str | None = None
    """The known site that the tile lies in."""
    zone: str | None = None
    """The part of the site that was counted."""
    utc_offset_h: float | None = None
    """Of the site: local time minus UTC, in hours."""
    grid: Grid | None = None
    """Of the pixels: size, CRS, and the way from pixels to metres and to the ground."""
    regime: Regime | None = None
    """How the size of the pixels lets cars be counted; None where the tile was not looked at."""
    tracks: TrackSummary | None = None
    """How many, how long, and how much of them was seen."""
    railcars: Interval | None = None
    """Locomotives not included."""
    locomotives: Interval | None = None
    """Counted apart."""
    trains: int | None = None
    """Rows of coupled vehicles."""
    occupied_m: float | None = None
    """Metres of track on which vehicles stand."""
    error_share: float | None = None
    """Standard error of ``railcars`` that all cars of the tile share, as a share of the count; None where
    cars are not told apart."""
    by_type: dict[Kind, int] = field(default_factory=dict)
    """Railcars and locomotives by kind; kinds with none are left out."""
    covered: Interval | None = None
    """Railcars whose load is hidden from above."""
    comparison: Comparison | None = None
    """With the years before; None where the site or the day is not known."""
    cars: tuple[Car, ...] = ()
    """Empty in the regime ``occupied_length``, which tells no cars apart."""
    stretches: tuple[Stretch, ...] = ()
    """Occupied stretches in the regime ``occupied_length``; empty in the others."""
    network: TrackNetwork | None = None
    """The track lines that were counted on, in pixel coordinates."""
    strips: tuple[Strip, ...] = ()
    """In the order of ``network.tracks``."""
