"""Strips moved across onto the cars that stand on them.

A body stands a metre and more beside its track in an image taken aslant, for its roof is what is seen; all
lean the same way. And a line drawn by hand lies beside its track by as much. Where the network sees cars,
it sees them moved by a metre nearly as well: their middle is about the middle of the places where it does,
and is taken where it shows clearly more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.occupancy import at_a_glance
from railcount.strips import straighten
from railcount.tracks.network import TrackNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.occupancy import Evidence
    from railcount.raster.grid import Grid
    from railcount.raster.tile import Sampled
    from railcount.strips import Strip

    Array = NDArray[np.float64]

ASKED_M = 60.0
"""Of each strip, where it shows most: four cars."""
ASIDES_M = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
"""Where it is asked. The next track's cars are 2.1 m from there at the tightest spacing of 3.6 m."""
HERE = 2
MOST_TURNS = 3
"""Asked anew around the place that was found: an autorack of 5.8 m leans 2.5 m in an image taken 24 degrees
aslant."""
FARTHEST_M = 2.5
MOST_OWN_M = 1.0
"""By which one line's move may differ from what all have in common."""
LEAST_M = 0.3
"""Moved by less, the network sees the same."""
LEAST_GAIN = 1.1
"""What must be shown there, over what is shown here. Shadows draw the middle aside by 0.4 m, where as much is
shown as before (scenes of two renderers): then the strips stay."""
LEAST_SHOWN = 50.0
"""Log-odds of body, added up in metres, of all strips: one car."""
OWN = 200.0
"""The same of one strip, that counts as much for its move as what all have in common."""
LEVEL = 0.05
"""Part of all that is shown, that speaks for no move: along the tracks nothing tells."""


def centred(
    strips: Sequence[Strip], evidence: Sequence[Evidence], pixels: Sampled, *, grid: Grid
) -> tuple[Strip, ...] | None:
    """The strips anew, each on the middle of its cars; None where they are as good as there.

    A strip without cars moves as those with some do.
    """
    if not any((one.body > 0).any() for one in evidence):
        return None
    parts = [_fullest(strip, one) for strip, one in zip(strips, evidence, strict=True)]
    asked = TrackNetwork(
        tracks=tuple(
            replace(strip.track, line_px=strip.centre_px[part])
            for strip, part in zip(strips, parts, strict=True)
        ),
        source="given",
    )
    along = np.array([strip.direction[part].mean(axis=0) for strip, part in zip(strips, parts, strict=True)])
    right = np.stack([-along[:, 1], along[:, 0]], axis=-1)

    def shown(asides: Array) -> Array:
        """(n,): log-odds of body, added up in metres, of each strip moved aside."""
        bodies = at_a_glance(straighten(pixels, asked, grid=grid, aside_m=asides))
        return np.array([np.maximum(body, 0).sum() for body in bodies]) * strips[0].step_m

    aside = np.zeros(len(strips))
    here = 0.0
    for turn in range(MOST_TURNS):
        around = np.stack([shown(aside + a) for a in ASIDES_M], axis=-1)
        here = here if turn else float(around[:, HERE].sum())
        before, aside = aside, middles(aside, around, right)
        if np.abs(aside - before).max() < LEAST_M or _there(around, aside - before) < LEAST_GAIN * here:
            break
    if np.abs(aside).max() < LEAST_M or shown(aside).sum() < LEAST_GAIN * here:
        return None
    tracks = TrackNetwork(tracks=tuple(strip.track for strip in strips), source="given")
    return straighten(pixels, tracks, grid=grid, aside_m=aside)


def _there(around: Array, further: Array) -> float:
    """What all show together, moved further aside, between the places where they were asked."""
    return float(sum(np.interp(a, ASIDES_M, one) for a, one in zip(further, around, strict=True)))


def _fullest(strip: Strip, evidence: Evidence) -> slice:
    """The columns of a strip, of ``ASKED_M``, that show most of cars."""
    n = min(round(ASKED_M / strip.step_m), len(evidence.body))
    total = np.concatenate([[0.0], np.cumsum(np.maximum(evidence.body, 0))])
    first = int(np.argmax(total[n:] - total[: len(total) - n]))
    return slice(first, first + n)


def middles(aside: Array, shown: Array, right: Array) -> Array:
    """(n,): where lines that now lie moved by ``aside`` (n,) lie best.

    ``shown`` (n, asides) is how much of cars each shows at the places around it, ``right`` (n, 2) the unit
    vector to its right. What all have in common is one vector, found by least squares; a line differs from
    it by what its own cars say, if they show where it lies now too: else they are the next track's.
    """
    total = shown.mean(axis=1)
    if total.sum() < LEAST_SHOWN:
        return aside
    middle = aside + shown @ ASIDES_M / np.maximum(shown.sum(axis=1), 1e-9)
    weighted = right * total[:, None]
    lean = np.linalg.solve(weighted.T @ right + LEVEL * total.sum() * np.eye(2), weighted.T @ middle)
    common = right @ lean
    own = np.where(shown[:, HERE] >= shown.max(axis=1) / 2, total, 0.0)
    differs = np.clip((middle - common) * own / (own + OWN), -MOST_OWN_M, MOST_OWN_M)
    return np.asarray(np.clip(common + differs, -FARTHEST_M, FARTHEST_M))
