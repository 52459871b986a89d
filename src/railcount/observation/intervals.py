"""The interval of a sum of counts whose errors are partly the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from railcount.counts import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

Z = 1.645
"""Standard deviations of a normal error on either side of a 90 % interval."""
DOUBTFUL_CARS = 3.0
"""Standard deviation of one tile's own error at most, in cars, besides what its cars' confidences say: a
train that may be there or not. What an interval is wider has another reason, and one that tiles share."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one tile says, and how much of it is its own."""

    told: Interval
    best: int
    """Of ``told.best``, what is counted with this tile and not with another."""
    share: float
    """Of the tile's track, 0-1, that no other tile has."""
    error_share: float
    """Standard error of the count that all cars of a tile share, as a share of it."""
    doubt: float = 0.0
    """Variance of the number of the tile's cars by their confidences."""


def combined(
    parts: Sequence[Part], *, best: int, error_cars: float, variance: float = 0.0, more: int = 0
) -> Interval:
    """The interval of a count that was put together from several tiles.

    Each tile's deviation ``d`` (from best to low, and from best to high) is taken apart again:

    - what all cars of an image share (light, snow, paints: ``error_share`` of the count) all tiles of one
      pass share too, so it is added up; so is the fixed part ``error_cars``, which a pass has once;
    - what rests on single cars (each is there or not) is independent from tile to tile, so its squares
      are added up. It is what is left of d squared, up to DOUBTFUL_CARS and the cars' own doubt;
    - what is wider still comes from track that was not seen, lines that may lie beside their tracks, or
      pixels too coarse: tiles of one pass share the reason, and at worst all err the same way, so these
      are added up.

    So d = sqrt((sum of shares + fixed)^2 + sum of own^2 + seams) + sum of the rest; each tile's own and
    rest are scaled to what no other tile has. ``variance`` is that of the seams, where two pieces may be one
    car or two; ``more`` are cars that could stand on track which no counted tile shows.
    """
    level = parts[0].told.level
    shared = math.hypot(sum(part.error_share * part.best for part in parts), error_cars if best else 0.0)
    sides = []
    for side in ("low", "high"):
        own = rest = 0.0
        for part in parts:
            one, wider = _taken_apart(part, abs(getattr(part.told, side) - part.told.best), error_cars)
            own += one**2 * part.share
            rest += wider * part.share
        sides.append(round(Z * math.sqrt(shared**2 + own + variance) + rest))
    return Interval(best=best, low=max(best - sides[0], 0), high=best + sides[1] + more, level=level)


def _taken_apart(part: Part, deviation: float, error_cars: float) -> tuple[float, float]:
    """A tile's own standard error, and what its deviation is wider than all errors explain."""
    shared = math.hypot(part.error_share * part.told.best, error_cars if part.told.best else 0.0)
    own = math.sqrt(max((deviation / Z) ** 2 - shared**2, 0.0))
    own = min(own, math.sqrt(DOUBTFUL_CARS**2 + part.doubt))
    return own, max(deviation - Z * math.hypot(shared, own), 0.0)


def added(parts: Sequence[Part]) -> Interval:
    """The interval of occupied lengths over a mean length: what is wrong with one tile is with all."""
    low = sum(part.told.low * part.share for part in parts)
    high = sum(part.told.high * part.share for part in parts)
    best = sum(part.best for part in parts)
    return Interval(
        best=best,
        low=min(round(low), best),
        high=max(round(high), best),
        level=parts[0].told.level,
    )
