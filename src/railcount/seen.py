"""How much of every track was seen, and what the unseen part could hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import binary_opening, distance_transform_edt, label, uniform_filter1d
from shapely import contains_xy

from railcount.contrast import Contrast, contrast
from railcount.counts import TrackSeen
from railcount.shade import block_means
from railcount.strips import STEP_M

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.counts import Car, Interval, TileCount
    from railcount.mosaic import Cell, Mosaic
    from railcount.raster.grid import Grid
    from railcount.sites import Occluder
    from railcount.strips import Strip
    from railcount.visibility import Hidden

    Mask = NDArray[np.bool_]

UNCOUNTABLE_BELOW = 0.5
"""Seen fraction of the track."""
DEGRADED_BELOW = 0.9
WORTH_SAYING = 0.05
"""Of the seen track in shadow."""

BODY_HALF_M = 1.75
"""A body is 3.3 m wide at most: what is seen of it must hold its sides."""
BODY_SEEN = 0.75
"""Part of the rows within that."""
SHORTEST_SEEN_M = 4.0
"""Shorter pieces between what is hidden show no car (as the shortest blob of the foreground)."""
CELL_M = 1.0
BODY_RADIUS_M = 1.5
"""Usable ground narrower than a body shows none."""
YARD_M = 18.0
"""Ground within this of a found track, less ``YARD_EDGE_M`` at the yard's own edge, is yard: a hidden track
between two that were found lies in it."""
YARD_EDGE_M = 15.0
BESIDE_M = 45.0
"""From a found track: so near to it small holes may hide tracks of the same yard."""
LARGE_HOLE_M = 20.0
"""Wider holes are cloud, the image's edge or another sensor's mask, which do not know where cars stand.
Narrower ones can come from what stands on the track (glare, black loads, labels)."""
CLOSEST_M = 4.1
"""Between track centres in yards, at least (4.1-5.3 m): a small hole is as wide as what it hides, so its area
over this is the length of track in it."""
TRAIN_M = 150.0
"""Track over which occupancy is one draw: cars come in trains."""
SHADE_BESIDE_M = 80.0
SHADED = 0.85
"""Brightness of a track inside a shadow over that of the same track beside it, at most."""
SHORTEST_SHADE_M = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What was seen of the tracks; lengths in metres."""

    each: tuple[TrackSeen, ...]
    length_m: float
    """Of track inside the tile."""
    seen_m: float
    fraction: float
    """Of all track, 0-1: with tracks that were found it allows for those that are hidden whole."""
    small_holes: float
    """Part of the unseen that lies in holes so small that they may come from what stands there, 0-1."""
    shaded: tuple[Mask, ...]
    """(along,) of each strip: True in the shadow of a cloud."""
    sheltered_m: tuple[tuple[Occluder, float], ...]
    """Roofs in the tile, and the length of track below each."""
    contrast: Contrast
    """Of what was seen."""

    @property
    def unseen_m(self) -> float:
        """Metres of track that were not seen, those that were not even found estimated."""
        return self.seen_m * (1 / self.fraction - 1) if self.fraction > 0 else math.inf

    @property
    def shaded_m(self) -> float:
        """Metres of seen track in the shadow of a cloud."""
        return sum(float(s.sum()) for s in self.shaded) * STEP_M


def see(strips: Sequence[Strip], usable: Sequence[Mask], mosaic: Mosaic, *, found: bool) -> Seen:
    """Measure what was seen of each track.

    ``usable`` is (along,) for each strip: True where the counting found enough valid pixels to look at.
    ``found``: the tracks come from these very pixels, so hidden ones may not be among them.
    """
    grid = mosaic.grid
    inside = [_inside(s, grid=grid) for s in strips]
    columns = [_seen_columns(s, u) & i for s, u, i in zip(strips, usable, inside, strict=True)]
    sheltered_m: list[tuple[Occluder, float]] = []
    for occluder, roof in mosaic.roofs:
        below = [contains_xy(roof, *s.centre_px.T) & i for s, i in zip(strips, inside, strict=True)]
        sheltered_m.append((occluder, sum(b.sum() * s.step_m for b, s in zip(below, strips, strict=True))))
        columns = [c & ~b for c, b in zip(columns, below, strict=True)]
    shaded = _shaded(strips, columns, mosaic)
    black = _too_dark(strips, shaded, grid=grid)
    columns = [c & ~b for c, b in zip(columns, black, strict=True)]
    shaded = [s & ~b for s, b in zip(shaded, black, strict=True)]
    each = tuple(_track(s, i, c) for s, i, c in zip(strips, inside, columns, strict=True))
    length_m = sum(t.length_m for t in each)
    seen_m = sum(float(c.sum()) * s.step_m for c, s in zip(columns, strips, strict=True))
    fraction = seen_m / length_m if length_m else 0.0
    ground = _ground(strips, mosaic)
    unseen = [i & ~c for i, c in zip(inside, columns, strict=True)]
    small = _small_share(unseen, ground)
    if found and ground.seen_m2:
        large_m = seen_m * ground.large_m2 / ground.seen_m2
        small_m = ground.small_m2 / CLOSEST_M
        fraction = min(fraction, seen_m / max(seen_m + large_m + small_m, 1e-9), 1.0 - mosaic.hidden.fraction)
        small = max(small, small_m / max(small_m + large_m, 1e-9))
    return Seen(
        each=each,
        length_m=length_m,
        seen_m=seen_m,
        fraction=fraction,
        small_holes=small,
        shaded=tuple(shaded),
        sheltered_m=tuple(sheltered_m),
        contrast=contrast(strips, columns, gsd_m=grid.gsd_m),
    )


def uncountable(seen: Seen, hidden: Hidden) -> str | None:
    """Why nothing can be counted; None where it can."""
    if seen.fraction < UNCOUNTABLE_BELOW:
        return f"only {seen.fraction:.0%} of the tracks can be seen{hidden.because}"
    if seen.contrast.nothing:
        return (
            "nothing along the tracks stands out of the noise, neither rails nor cars (night, fog, a blank "
            f"image or snow over everything): coherence {max(seen.contrast.coherence, 0):.2f}, "
            f"contrast {seen.contrast.relative:.1%}"
        )
    return None


def doubts(seen: Seen, hidden: Hidden) -> tuple[str, ...]:
    """What makes a count of these tracks a degraded one."""
    said = []
    if seen.fraction < DEGRADED_BELOW:
        said.append(
            f"only {seen.fraction:.0%} of the track length can be seen{hidden.because}: the count is a lower "
            "bound, and the interval reaches up to what the rest could hold"
        )
        if seen.small_holes > 0.5:
            said.append(
                f"most of what is hidden lies in holes less than {LARGE_HOLE_M:.0f} m wide, which may come "
                "from the cars themselves (glare, labels)"
            )
    for occluder, below_m in seen.sheltered_m:
        length = f"{below_m:.0f} m of track" if below_m else "what is below it, where no track was followed"
        place = f", placed within {occluder.uncertainty_m:.0f} m" if occluder.uncertainty_m else ""
        said.append(f"{occluder.title} hides {length}, since {occluder.since}{place}")
    shaded = seen.shaded_m / seen.seen_m if seen.seen_m else 0.0
    if shaded >= WORTH_SAYING:
        said.append(f"{shaded:.0%} of the seen track lies in the shadow of a cloud, where contrast is low")
    if seen.contrast.little:
        said.append(
            f"the tracks hardly stand out of the noise (coherence {seen.contrast.coherence:.2f}, contrast "
            f"{seen.contrast.relative:.1%}): cars may be missed"
        )
    return tuple(said)


def _inside(strip: Strip, *, grid: Grid) -> Mask:
    """(along,): True where the track's centre lies in the tile; a line may reach beyond it."""
    x, y = strip.centre_px.T
    return np.asarray((x >= 0) & (x <= grid.width) & (y >= 0) & (y <= grid.height))


def _seen_columns(strip: Strip, usable: Mask) -> Mask:
    """(along,): True where a body's whole width could be seen, for at least a few metres."""
    middle, half = strip.valid.shape[0] // 2, round(BODY_HALF_M / strip.step_m)
    wide = strip.valid[middle - half : middle + half].mean(axis=0) >= BODY_SEEN
    n = round(SHORTEST_SEEN_M / strip.step_m)
    # beyond its ends the line may run on, so a short piece there is not cut off
    padded = np.pad(usable & wide, n, mode="edge")
    return np.asarray(binary_opening(padded, np.ones(n))[n:-n])


def _track(strip: Strip, inside: Mask, columns: Mask) -> TrackSeen:
    n = int(inside.sum())
    return TrackSeen(
        id=strip.track.id,
        length_m=n * strip.step_m,
        visible_fraction=float(columns.sum()) / n if n else 0.0,
        confidence=strip.track.confidence,
    )


def _shaded(strips: Sequence[Strip], columns: Sequence[Mask], mosaic: Mosaic) -> list[Mask]:
    """(along,) of each strip: in shadow, where the tracks themselves are darker there than beside it."""
    areas = np.zeros(sum(len(c) for c in columns), dtype=np.int64)
    n = 0
    for cell, which, (row, col) in _cells_below(strips, mosaic):
        if cell.view.shadow is not None:
            numbers, n_here = label(cell.view.shadow)
            here = numbers[row, col]
            areas[which] = np.where(here > 0, here + n, 0)
            n += n_here
    at = _by_strip(areas, columns)
    kept = [int(k) for k in np.unique(areas) if k and _darkens(int(k), at, strips, columns)]
    return [np.isin(a, kept) & c for a, c in zip(at, columns, strict=True)]


def _cells_below(
    strips: Sequence[Strip], mosaic: Mosaic
) -> Iterator[tuple[Cell, NDArray[np.intp], NDArray[np.intp]]]:
    """The cells that the tracks cross, which of all columns of strips lie there, and (2, n) their rows and
    columns in the cell's window; what lies beyond the tile is taken at its edge."""
    if not strips:
        return
    size = np.array([mosaic.grid.width, mosaic.grid.height], dtype=np.float64)
    places = np.clip(np.concatenate([s.centre_px for s in strips]), 0, size - 1e-6)
    for cell, which in mosaic.cells(places):
        yield cell, which, np.floor(places[which] - cell.corner).astype(np.intp).T[::-1]


def _by_strip(values: NDArray[Any], columns: Sequence[Mask]) -> list[NDArray[Any]]:
    return np.split(values, np.cumsum([len(c) for c in columns])[:-1]) if columns else []


def _darkens(
    number: int, at: Sequence[NDArray[Any]], strips: Sequence[Strip], columns: Sequence[Mask]
) -> bool:
    """Whether most tracks that run through an area are darker in it: a dark field beside them is none."""
    ratios = []
    for place, strip, usable in zip(at, strips, columns, strict=True):
        within = (place == number) & usable
        reach = round(SHADE_BESIDE_M / strip.step_m)
        beside = (uniform_filter1d(within.astype(float), 2 * reach + 1, mode="constant") > 0) & (place == 0)
        beside &= usable
        if min(within.sum(), beside.sum()) * strip.step_m >= SHORTEST_SHADE_M:
            level = np.percentile(strip.bands[:3].mean(axis=0), 75, axis=0)
            ratios.append(float(np.median(level[within]) / max(np.median(level[beside]), 1e-6)))
    return bool(ratios) and float(np.median(ratios)) <= SHADED


def _too_dark(strips: Sequence[Strip], shaded: Sequence[Mask], *, grid: Grid) -> list[Mask]:
    """(along,) of each strip: shaded columns where nothing stands out; the darkest third is asked first."""
    black = [np.zeros(len(s), dtype=bool) for s in shaded]
    if not any(s.any() for s in shaded):
        return black
    levels = [
        uniform_filter1d(s.bands[:3].mean(axis=(0, 1)), round(SHORTEST_SHADE_M / s.step_m)) for s in strips
    ]
    within = np.concatenate([level[s] for level, s in zip(levels, shaded, strict=True)])
    low = -np.inf
    for high in (*np.quantile(within, [1 / 3, 2 / 3]), np.inf):
        third = [s & (level > low) & (level <= high) for s, level in zip(shaded, levels, strict=True)]
        if not contrast(strips, third, gsd_m=grid.gsd_m).nothing:
            break
        black = [b | t for b, t in zip(black, third, strict=True)]
        low = high
    return black


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """The yard's ground, in square metres, and where the large holes in it are."""

    seen_m2: float = 0.0
    large_m2: float = 0.0
    """Hidden, in large holes."""
    small_m2: float = 0.0
    large: Mask | None = None
    """Of all columns of all strips: True in a large hole; None where nothing is hidden."""


def _ground(strips: Sequence[Strip], mosaic: Mosaic) -> _Ground:
    """What is hidden of the ground between and beside the tracks."""
    size = max(1, round(CELL_M / mosaic.grid.gsd_m))
    cell_m = size * mosaic.grid.gsd_m
    large = np.zeros(sum(len(s.centre_px) for s in strips), dtype=bool)
    areas_m2 = np.zeros(3)
    clear: list[tuple[tuple[int, int], tuple[slice, slice], NDArray[np.intp]]] = []
    something_hidden = False
    for cell, which, (row, col) in _cells_below(strips, mosaic):
        rows, cols = cell.view.pixels.valid.shape
        nothing_hidden = cell.view.pixels.valid.all() and not cell.view.shelters
        something_hidden |= not nothing_hidden
        if min(rows, cols) < size:
            continue
        near_px = np.concatenate([s.centre_px for s in strips]) - cell.corner
        near_px = near_px[((near_px >= 0) & (near_px < [cols, rows])).all(axis=-1)]
        on_track = np.floor(near_px / size).astype(np.intp).T[::-1]
        if nothing_hidden:  # asked for only where another cell hides something
            clear.append(((rows, cols), cell.inner, on_track))
            continue
        open_ = cell.view.pixels.valid.copy()
        for shelter in cell.view.shelters:
            open_ &= ~shelter.area
        holes, areas = _holes(open_, cell.inner, on_track, size=size, cell_m=cell_m)
        areas_m2 += areas
        large[which] = holes[_kept(row // size, holes, 0), _kept(col // size, holes, 1)]
    if not something_hidden:
        return _Ground()
    for shape, inner, on_track in clear:
        areas_m2 += _holes(np.ones(shape, dtype=bool), inner, on_track, size=size, cell_m=cell_m)[1]
    seen_m2, large_m2, small_m2 = areas_m2.tolist()
    return _Ground(seen_m2=seen_m2, large_m2=large_m2, small_m2=small_m2, large=large)


def _kept(index: NDArray[np.intp], blocks: NDArray[Any], axis: int) -> NDArray[np.intp]:
    """Block numbers kept inside: pixels that do not fill a block at the edge have none."""
    return np.asarray(np.minimum(index, blocks.shape[axis] - 1))


def _holes(
    open_: Mask, inner: tuple[slice, ...], rows_cols: NDArray[np.intp], *, size: int, cell_m: float
) -> tuple[Mask, NDArray[np.float64]]:
    """Blocks of ``size`` pixels that lie in large holes, and (3,) square metres of the core: of yard that is
    seen, of yard in large holes, and in small holes beside tracks, which run through the blocks given (2, n).
    """
    row, col = rows_cols
    usable = _opened(block_means(open_.astype(np.float32), size) > 0.5, BODY_RADIUS_M / cell_m)
    large = _opened(~usable, LARGE_HOLE_M / 2 / cell_m)
    on_track = np.zeros(usable.shape, dtype=bool)
    on_track[_kept(row, usable, 0), _kept(col, usable, 1)] = True
    cut = round(YARD_EDGE_M / cell_m)
    near = np.pad(_distance(~on_track) * cell_m <= YARD_M, cut, mode="edge")
    yard = (_distance(near) * cell_m > YARD_EDGE_M)[cut : cut + usable.shape[0], cut : cut + usable.shape[1]]
    beside = _distance(~on_track) * cell_m <= BESIDE_M
    core = tuple(slice(part.start // size, -(-part.stop // size)) for part in inner)
    parts = (yard & usable, yard & ~usable & large, beside & ~usable & ~large)
    return large, np.array([float(part[core].sum()) for part in parts]) * cell_m**2


def _small_share(unseen: Sequence[Mask], ground: _Ground) -> float:
    """Part of the unseen columns of the tracks that lies in small holes, 0-1."""
    gone = np.concatenate(unseen) if unseen else np.zeros(0, dtype=bool)
    if ground.large is None or not gone.any():
        return 0.0
    return float((gone & ~ground.large).sum() / gone.sum())


def _distance(mask: Mask) -> NDArray[np.float64]:
    """Cells to the nearest False; infinite where all are True."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(distance_transform_edt(mask))


def _opened(mask: Mask, radius: float) -> Mask:
    """Opening by a disk; what lies outside the image neither cuts nor adds."""
    eroded = _distance(mask) > radius
    return np.asarray(_distance(~eroded) <= radius)


def could_hold(seen: Seen, *, occupied_m: float, car_m: float, shortest_m: float) -> int:
    """Cars that the unseen track could hold, as an upper bound with a probability of 95 %.

    Cloud and the image's edge do not know where cars stand, so track below them is as full as the rest
    (``fullest_share``). Small holes may come from the cars themselves, so they can be full, and of short
    cars. ``car_m`` and ``shortest_m`` are the mean and the shortest usual length over couplers.
    """
    share = fullest_share(seen_m=seen.seen_m, occupied_m=occupied_m)
    small_m = seen.unseen_m * seen.small_holes
    large_m = seen.unseen_m - small_m
    return math.ceil(small_m / shortest_m + large_m * share / car_m)


def fullest_share(*, seen_m: float, occupied_m: float) -> float:
    """The most of unseen track that is under cars, 0-1, with a probability of 95 %.

    Every 150 m of seen track are one draw of a train or none: the upper bound of a binomial share with a
    flat prior (Beta quantile).
    """
    from scipy.special import betaincinv

    n = seen_m / TRAIN_M
    k = min(occupied_m / TRAIN_M, n)
    return float(betaincinv(k + 1, n - k + 1, 0.95))


def widened(result: TileCount, seen: Seen, *, car_m: float, shortest_m: float) -> TileCount:
    """A count whose intervals reach up to what the unseen track could hold; ``best`` and ``low`` stay.

    The lengths are those of ``could_hold``. Where nearly all was seen nothing changes.
    """
    if seen.fraction >= DEGRADED_BELOW or result.railcars is None:
        return result
    more = could_hold(seen, occupied_m=result.occupied_m or 0.0, car_m=car_m, shortest_m=shortest_m)
    railcars = _higher(result.railcars, more)
    covered = None if result.covered is None else _higher(result.covered, more)
    locomotives = result.locomotives
    if locomotives is not None:
        locomotives = _higher(locomotives, math.ceil(locomotives.high * (1 / seen.fraction - 1)))
    return replace(result, railcars=railcars, covered=covered, locomotives=locomotives)


def flagged(cars: Sequence[Car], seen: Seen) -> tuple[Car, ...]:
    """The cars, those in the shadow of a cloud with the flag ``in_shadow``."""
    shaded = {track.id: columns for track, columns in zip(seen.each, seen.shaded, strict=True)}
    return tuple(
        replace(car, flags=(*car.flags, "in_shadow")) if _lies_in(car, shaded[car.track]) else car
        for car in cars
    )


def _lies_in(car: Car, shaded: Mask) -> bool:
    columns = shaded[round(car.start_m / STEP_M) : round(car.end_m / STEP_M)]
    return bool(columns.size) and bool(columns.mean() > 0.5)


def _higher(interval: Interval, more: int) -> Interval:
    return replace(interval, high=interval.high + more)
