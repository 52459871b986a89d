"""What a count is worth where the given lines may lie beside their tracks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from railcount.counts import Interval, TileCount


def doubted(result: TileCount, *, car_m: float) -> TileCount:
    """A count whose intervals reach from none to what the tracks could hold, if the lines' place is not sure.

    ``best`` stays: it is what stands on the lines as they were placed. ``car_m`` is the mean length of a
    car over couplers.
    """
    tracks = result.tracks
    if result.railcars is None or tracks is None or tracks.registration is None or tracks.registration.sure:
        return result
    room = math.floor(tracks.length_m / car_m)
    return replace(
        result,
        status="degraded",
        railcars=_open(result.railcars, room=room),
        covered=None if result.covered is None else _open(result.covered, room=room),
        locomotives=None if result.locomotives is None else _open(result.locomotives, room=room),
    )


def _open(interval: Interval, *, room: int) -> Interval:
    return replace(interval, low=0, high=max(interval.high, room))
