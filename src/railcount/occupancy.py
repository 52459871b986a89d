"""Evidence of cars on a strip: of every column, whether it shows empty track, a body, or a gap.

A small network trained on simulated strips says so; morphology keeps the blobs that a car can be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.spatial import cKDTree
from scipy.special import expit, logit
from skimage.morphology import closing, opening

from railcount.beside import n_threads, side_by_side
from railcount.net import both_ways, load_net
from railcount.shadows import shadow_direction, shadow_sides, towards
from railcount.sharpness import sharpened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.net import Net
    from railcount.strips import Strip

    Array = NDArray[np.float64]

LOCAL_M = 30.0
"""Window of the local contrast: two cars."""
ACROSS_STEP_M = 0.5
LIMIT = 4.0
"""Log-odds of a column are cut off here: the network can be wrong where it is sure."""
NARROWEST_GAP_M = 0.5
"""Below half of what two coupled gondolas leave open (1.14 m)."""
SHORTEST_BLOB_M = 4.0
"""Half of the shortest wagon: a car cut by the tile's edge may show no more."""
BACKGROUND = 0.5
"""Log-odds that a column outside every blob is given against car body, at least."""
PRIOR = 0.5
"""Added to the log-odds of a column being occupied, on what is surely a track: much of what the network
learned from were lines that are none, and it expects as many. Chosen on scenes of two renderers: cars missed
against false ones."""
SURE_TRACK, SURE_M = 0.9, 100.0
"""Confidence and length of a found line that surely is a track. Of lines on the lanes of roads, simulated and
real, few were as clear, and those short."""
NEARLY_SURE, BESIDE_M = 0.85, 7.0
"""Confidence of a line so near a sure one that surely is a track too. With 0.8 there were more false cars."""
BESIDE_STEP = 8
"""Columns of which one is looked at: 2 m."""
LEAST_SURE = 1.0
"""Mean log-odds of body over all that is likelier body than not, of a line that is not surely a track. Below,
that is taken for marks on a road or a fence's shadow, not for cars."""
TRAIN, TRAIN_M = 2.5, 30.0
"""The same mean, and metres of it, of what surely is a train: two cars. In a tile with neither that nor what
surely is a track, what looks like cars must be as sure: its lines may be lanes, or rows of roofs."""
ROOM_M = 150.0
"""Length of a line without which a tile has no room for either to show: small hazy windows of a real yard."""
COARSE_SHARE = 0.12
"""Part of the columns that the network for pixels beyond 1.5 m expects to be occupied: it learned from lines
beside tracks and from empty yards too, and in doubt says empty. Set on simulated yards, full and empty."""
MOST_RAISED = 1.75
"""Or lowered, of the log-odds there: no tile is so full or empty that nothing need be seen."""
SHARE_STEPS = 100
STATES = ("empty", "body", "gap")
SURE_BODY = 2.0
"""Log-odds of a column at a first look, to ask it for its shadow."""
VALID_CHANNEL, SIDE_CHANNEL = 4, 5
"""Of the views."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Of one strip; arrays are (along,) unless said."""

    body: Array
    """Log-likelihood ratio of each column being car body against empty track."""
    gap: Array
    """The same for the gap between coupled cars."""
    seen: NDArray[np.bool_]
    """True where most of the body's rows are valid."""
    view: NDArray[np.float32]
    """(channels, across, along): what the network saw."""


def views(strips: Sequence[Strip], *, shadow: Array | None = None) -> list[NDArray[np.float32]]:
    """What the network sees of each strip: (channels, across at 0.5 m, along at 0.25 m).

    Brightness and two differences of colour, in units of the spread of all strips of the tile;
    brightness against its surroundings; validity. So haze, exposure, bit depth and blur drop out. The last
    channel says to which side shadows fall, of which ``shadow`` is the direction (2,) in local metres.
    """
    if not strips:
        return []
    images = sharpened(
        [_channels(s) for s in strips],
        [s.valid[::2] & s.valid[1::2] for s in strips],
        steps_m=(2 * strips[0].step_m, strips[0].step_m),
        pixel_m=strips[0].pixel_m,
    )
    pixels = np.concatenate(
        [im[:, s.valid[::2] & s.valid[1::2]] for im, s in zip(images, strips, strict=True)], axis=1
    )
    if pixels.shape[1] == 0:
        return [np.zeros((6, *im.shape[1:]), dtype=np.float32) for im in images]
    low, middle, high = np.percentile(pixels[0], [10, 50, 90])
    scale = max(float(high - low) / 2.56, 1e-6)
    tint = np.median(pixels[1:], axis=1)[:, None, None]
    return [
        _view(im, s, middle=float(middle), scale=scale, tint=tint, sides=shadow_sides(s, shadow))
        for im, s in zip(images, strips, strict=True)
    ]


def _channels(strip: Strip) -> Array:
    """(3, across / 2, along): brightness and two differences of colour, pairs of rows averaged."""
    b = strip.bands.astype(np.float64)
    b = (b[:, ::2] + b[:, 1::2]) / 2
    if b.shape[0] < 3:
        return np.stack([b[0], np.zeros_like(b[0]), np.zeros_like(b[0])])
    red, green, blue = b[:3]
    return np.stack([(red + green + blue) / 3, (red - blue) / 2, (2 * green - red - blue) / 4])


def _view(
    image: Array, strip: Strip, *, middle: float, scale: float, tint: Array, sides: NDArray[np.float32]
) -> NDArray[np.float32]:
    valid = (strip.valid[::2] & strip.valid[1::2]).astype(np.float64)
    window = round(LOCAL_M / strip.step_m)

    def local(a: Array) -> Array:
        return np.asarray(uniform_filter1d((a * valid).sum(axis=0), window, mode="constant"))

    weight = np.maximum(local(np.ones_like(valid)), 1.0)
    mean = local(image[0]) / weight
    spread = np.sqrt(np.maximum(local((image[0] - mean) ** 2) / weight, 0.0))
    contrast = np.clip((image[0] - mean) / (spread + 0.05 * scale), -4, 4)
    level = np.arcsinh(1.5 * (image[0] - middle) / scale)
    colour = np.arcsinh(3.0 * (image[1:] - tint) / scale) if image[1:].any() else image[1:]
    return np.asarray(
        np.concatenate([level[None], contrast[None], colour, valid[None], sides * valid[None]]) * valid,
        dtype=np.float32,
    )


def measure(
    strips: Sequence[Strip], *, sun_azimuth_deg: float | None = None, coarse: bool = False
) -> tuple[Evidence, ...]:
    """Evidence of every strip. A strip read from either end gives the same.

    ``coarse`` takes the network that learned from pixels of 1.5 to 4 m alone.

    The side of the shadows comes from the cars that a first look is sure of; where they do not tell,
    from the sun's azimuth, if it is known.
    """
    net = load_net("coarse" if coarse else "cars")
    seen = views(strips)
    shadow = shadow_direction(_first_look(net, strips, seen))
    if shadow is None and sun_azimuth_deg is not None:
        shadow = towards(sun_azimuth_deg)
    for strip, view in zip(strips, seen, strict=True):
        view[SIDE_CHANNEL] = shadow_sides(strip, shadow) * view[VALID_CHANNEL]
    answers = side_by_side([partial(_answer, net, view) for view in seen])
    states = [_log_softmax(answer) for answer in answers]
    if coarse:
        states = _by_own_share(states)
    else:
        sure = _surely_tracks(strips)
        states = [_raised(s, PRIOR * is_sure) for s, is_sure in zip(states, sure, strict=True)]
    out = []
    for strip, state, view in zip(strips, states, seen, strict=True):
        half = strip.valid[strip.valid.shape[0] // 2 - 5 : strip.valid.shape[0] // 2 + 5]
        seen_columns = half.mean(axis=0) > 0.6
        body = np.clip(state[1] - state[0], -LIMIT, LIMIT)
        body = np.where(foreground(body > 0, step_m=strip.step_m), body, np.minimum(body, -BACKGROUND))
        gap = body + np.clip(state[2] - state[1], -LIMIT, LIMIT)
        out.append(
            Evidence(
                body=np.where(seen_columns, body, 0.0),
                gap=np.where(seen_columns, gap, 0.0),
                seen=seen_columns,
                view=view,
            )
        )
    return tuple(out)


def at_a_glance(strips: Sequence[Strip]) -> list[Array]:
    """(along,) of each strip: log-odds of car body, read one way and without the side of the shadows.

    A third of the work of `measure`, and less right: to see where a closer look is worth it.
    """
    net = load_net("cars")
    answers = side_by_side([partial(net, view) for view in views(strips)])
    return [np.asarray(answer[1, 0] - answer[0, 0], dtype=np.float64) for answer in answers]


def _answer(net: Net, view: NDArray[np.float32]) -> NDArray[np.float32]:
    """(STATES, along): what the network says of a strip; zeros where nothing is seen."""
    if not view.any():
        return np.zeros((len(STATES), view.shape[2]), dtype=np.float32)
    return both_ways(net, view, sided=(SIDE_CHANNEL,))[: len(STATES), 0]


def _by_own_share(states: Sequence[Array]) -> list[Array]:
    """Log-probabilities (STATES, along) of all strips, adjusted to the tile's own share of occupied columns.

    The share and the probabilities follow from each other, by expectation and maximisation (Saerens,
    Latinne & Decaestecker 2002). An empty tile so becomes emptier, and a full one fuller.
    """
    if not states:
        return []
    odds = np.concatenate([np.logaddexp(s[1], s[2]) - s[0] for s in states])
    raised = 0.0
    for _ in range(SHARE_STEPS):
        share = np.clip(expit(odds + raised).mean(), 1e-3, 1 - 1e-3)
        raised = float(np.clip(logit(share) - logit(COARSE_SHARE), -MOST_RAISED, MOST_RAISED))
    return [_raised(s, raised) for s in states]


def _raised(state: Array, by: float) -> Array:
    """Log-probabilities (STATES, along), but for a constant, with the odds of being occupied raised."""
    return np.stack([state[0] - by, state[1], state[2]])


def _surely_tracks(strips: Sequence[Strip]) -> list[bool]:
    """Whether each strip surely lies on a track.

    Its line was given, or is clear and long; or it is nearly as clear, however short, and runs beside one
    that surely is a track: tracks lie in parallel, and the tile cuts some short.
    """
    sure = [_is_sure(strip) for strip in strips]
    pixel_m = float(np.median([strip.pixel_m for strip in strips])) if strips else 0.0
    nearly = {i for i, strip in enumerate(strips) if strip.track.confidence >= NEARLY_SURE and not sure[i]}
    lines = [strip.centre_px[::BESIDE_STEP] * pixel_m for strip in strips] if nearly else []
    new = [i for i, is_sure in enumerate(sure) if is_sure]
    while new and nearly:
        known = cKDTree(np.concatenate([lines[i] for i in new]))
        new = [i for i in nearly if np.median(known.query(lines[i])[0]) < BESIDE_M]
        nearly.difference_update(new)
        for i in new:
            sure[i] = True
    return sure


def believed(strips: Sequence[Strip], evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The evidence of a tile's lines, without what is unsure everywhere on a line that may be no track.

    More is asked where a tile has room for a yard, and nothing in it surely is a track or a train.
    """
    sure = _surely_tracks(strips)
    likely = [one.body[one.body > 0] for one in evidence]
    mean = [float(body.mean()) if body.size else 0.0 for body in likely]
    trains = [
        m >= TRAIN and body.size * strip.step_m >= TRAIN_M
        for strip, body, m in zip(strips, likely, mean, strict=True)
    ]
    has_room = any(strip.length_m >= ROOM_M for strip in strips)
    least = TRAIN if has_room and not (any(sure) or any(trains)) else LEAST_SURE
    return tuple(
        one if is_sure or m >= least or not body.size else emptied(one)
        for one, is_sure, m, body in zip(evidence, sure, mean, likely, strict=True)
    )


def emptied(evidence: Evidence, columns: NDArray[np.bool_] | bool = True) -> Evidence:
    """The same, there as where no blob was found."""
    body = np.where(columns, np.minimum(evidence.body, -BACKGROUND), evidence.body)
    return replace(evidence, body=body, gap=np.where(columns, np.minimum(evidence.gap, body), evidence.gap))


def _is_sure(strip: Strip) -> bool:
    """Whether a strip surely lies on a track for itself: its line was given, or is clear and long."""
    confidence = strip.track.confidence
    return confidence == 1.0 or (confidence >= SURE_TRACK and strip.length_m >= SURE_M)


def _first_look(
    net: Net, strips: Sequence[Strip], seen: Sequence[NDArray[np.float32]]
) -> Iterator[tuple[Strip, Array, NDArray[np.bool_]]]:
    """Strips with their brightness and where they surely show a body; those that vary most come first."""
    order = sorted(range(len(strips)), key=lambda i: -float(seen[i][0, 6:10].mean(axis=0).std()))
    for first in range(0, len(order), n_threads()):
        some = order[first : first + n_threads()]
        answers = side_by_side([partial(net, seen[i]) for i in some])
        for i, logits in zip(some, answers, strict=True):
            valid = seen[i][VALID_CHANNEL].mean(axis=0) > 0.9
            sure = (logits[1, 0] - logits[0, 0] > SURE_BODY) & valid
            yield strips[i], seen[i][0].astype(np.float64), sure


def foreground(likely: NDArray[np.bool_], *, step_m: float) -> NDArray[np.bool_]:
    """(along,): the blobs among the columns that are likely body, by morphology.

    Closing spans what is narrower than a coupler gap (masts, wires, their shadows); opening then drops
    what is shorter than any car (people, signals, road vehicles that cross).
    """
    row = likely[None].astype(np.uint8)
    row = closing(row, np.ones((1, max(1, round(NARROWEST_GAP_M / step_m))), dtype=np.uint8))
    row = opening(row, np.ones((1, round(SHORTEST_BLOB_M / step_m)), dtype=np.uint8))
    return np.asarray(row[0] > 0)


def _log_softmax(logits: NDArray[np.floating]) -> Array:
    a = logits.astype(np.float64)
    a -= a.max(axis=0)
    return np.asarray(a - np.log(np.exp(a).sum(axis=0)))
