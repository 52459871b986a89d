"""Centre lines of the narrow bands of a track mask.

Pixels are linked to their neighbours; the distance along the links from one end of a band puts its
pixels in order (Dijkstra 1959), bins of them give a first path, and cross-sections of the band put the
path on its middle. Where two bands touch, as at a switch, only the free edge is believed, half a
band's width away. A region that branches is taken apart at the joints of its skeleton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from railcount.tracks.marked import Marked
from railcount.tracks.network import Track
from railcount.tracks.skeleton import skeleton_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

NARROW_M = 6.0
"""A band wider than this (half width 3 m) holds more than one track, or is no track."""
MIN_LENGTH_M = 15.0
"""Shorter bands and spurs are dropped: the shortest cars are 12 m."""
_BIN_M = 3.0
_STATION_M = 1.0
_SMOOTH_M = 12.0
"""Length of the local parabola: over it a curve of 180 m radius leaves its chord by 0.1 m."""
_END_FIT_M = 30.0
"""Length of the parabola that carries a line on to the end of its band."""
_KEEP_M = 0.03
"""Vertices that move a line less than this are dropped."""


class _Region(NamedTuple):
    """Connected pixels of one label."""

    label: int
    cells: NDArray[np.int64]
    """(n, 2): col, row."""
    along_m: NDArray[np.float64]
    """(n,): distance along the links from one end."""


class _Wide(Exception):  # noqa: N818 - a signal inside this module, not an error
    """A region is too wide to be one track."""


def lines_from_mask(mask: NDArray[np.generic] | Marked, *, grid: Grid) -> tuple[Track, ...]:
    """Centre lines of a track mask on the tile's grid: (rows, cols), or its marked pixels.

    True or 1 is track; where there are several values each is a track of its own, and its id. Lines
    are accurate to about half a pixel. Empty where any region is wider than 6 m: the mask then says
    where tracks are, not which.
    """
    labels = mask if isinstance(mask, Marked) else Marked.of(mask)
    named = len(np.unique(labels.values)) > 1
    tracks: list[Track] = []
    try:
        regions = [
            (region.label, line)
            for region in _regions(labels, grid=grid)
            for line in _lines(region, labels, grid=grid)
        ]
    except _Wide:
        return ()
    n_of = {label: sum(1 for other, _ in regions if other == label) for label, _ in regions}
    part = dict.fromkeys(n_of, 0)
    for number, (label, line) in enumerate(regions, 1):
        part[label] += 1
        name = str(number) if not named else f"{label}" if n_of[label] == 1 else f"{label}.{part[label]}"
        tracks.append(Track(id=name, line_px=grid.to_pixel(line)))
    return tuple(tracks)


def _regions(labels: Marked, *, grid: Grid) -> Iterator[_Region]:
    """Connected regions, in the order of their labels, then of their first pixel."""
    keys, values, cols = labels.keys, labels.values, labels.cols
    if not len(keys):
        return
    cells = np.stack([cols, labels.rows], axis=-1)
    starts, ends, weights = [], [], []
    for d_col, d_row in ((1, 0), (-1, 1), (0, 1), (1, 1)):
        inside = (cols + d_col >= 0) & (cols + d_col < labels.shape[1])
        wanted = keys + d_row * labels.shape[1] + d_col
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        linked = np.flatnonzero(inside & (keys[at] == wanted) & (values[at] == values))
        starts.append(linked)
        ends.append(at[linked])
        weights.append(np.full(len(linked), np.linalg.norm(grid.local_from_pixel @ [d_col, d_row])))
    links = (np.concatenate(weights), (np.concatenate(starts), np.concatenate(ends)))
    graph = coo_array(links, shape=(len(keys), len(keys))).tocsr()
    n_regions, region_of = connected_components(graph, directed=False)
    order = np.argsort(region_of, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(region_of, minlength=n_regions))[:-1])
    pixel_m2 = grid.gsd_m**2
    for members in sorted(groups, key=lambda group: (int(values[group[0]]), int(group[0]))):
        if len(members) * pixel_m2 < MIN_LENGTH_M * grid.gsd_m:
            continue
        own = graph[members][:, members]
        far = _distance(own, start=0)
        along = _distance(own, start=int(np.argmax(far)))
        yield _Region(int(values[members[0]]), cells[members], along)


def _distance(graph: object, *, start: int) -> NDArray[np.float64]:
    return np.asarray(dijkstra(graph, directed=False, indices=start), dtype=np.float64)


def _lines(region: _Region, labels: Marked, *, grid: Grid) -> list[NDArray[np.float64]]:
    """Lines of a region in local metres. Raises _Wide."""
    length_m = float(region.along_m.max())
    area_m2 = len(region.cells) * grid.gsd_m**2
    if length_m < MIN_LENGTH_M:
        if area_m2 > NARROW_M * MIN_LENGTH_M:
            raise _Wide
        return []
    path = _path(region, grid=grid)
    if path is not None:
        if area_m2 / length_m > NARROW_M:
            raise _Wide
        paths = [path]
    else:
        paths = skeleton_paths(region.cells, grid=grid, min_length_m=MIN_LENGTH_M)
        total_m = sum(float(np.linalg.norm(np.diff(p, axis=0), axis=1).sum()) for p in paths)
        if not paths or area_m2 / total_m > NARROW_M:
            raise _Wide
    lines = [_centred(one, region.label, labels, grid=grid) for one in paths]
    return [line for line in lines if line is not None]


def _path(region: _Region, *, grid: Grid) -> NDArray[np.float64] | None:
    """(n, 2) local metres: the middle of each bin along the band; None where the region branches."""
    local = grid.to_local(np.add(region.cells, 0.5, dtype=np.float64))
    bins = np.minimum((region.along_m / _BIN_M).astype(np.int64), int(region.along_m.max() / _BIN_M))
    n = np.bincount(bins)
    middle = np.stack([np.bincount(bins, weights=local[:, axis]) / np.maximum(n, 1) for axis in (0, 1)], -1)
    reach = np.zeros(len(n))
    np.maximum.at(reach, bins, np.linalg.norm(local - middle[bins], axis=1))
    # half the diagonal of a bin of the widest single band, and a pixel of play
    if reach.max() > np.hypot(NARROW_M / 2, _BIN_M) + grid.gsd_m:
        return None
    return middle[n > 0]


def _centred(
    path: NDArray[np.float64], label: int, labels: Marked, *, grid: Grid
) -> NDArray[np.float64] | None:
    """The path moved to the middle of its band, in local metres."""
    line = _resampled(path, step_m=_STATION_M)
    trim = int(NARROW_M / 2 / _STATION_M)  # the ends of a first path bend into the band's corners
    if len(line) < 4 * trim:
        return None
    line = _smoothed(line[trim:-trim])
    width_m = None
    for _ in range(2):
        sections = _Sections(line, label, labels, grid=grid)
        width_m = sections.width_m if width_m is None else width_m
        line = _smoothed(line + sections.normal * sections.middle(width_m)[:, None])
    line = _to_the_ends(line, label, labels, grid=grid)
    import shapely

    simple = shapely.LineString(line).simplify(_KEEP_M)
    return np.array(simple.coords) if simple.length >= MIN_LENGTH_M else None


def _resampled(line: NDArray[np.float64], *, step_m: float) -> NDArray[np.float64]:
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    stations = np.linspace(0, at[-1], max(2, int(at[-1] / step_m) + 1))
    return np.stack([np.interp(stations, at, line[:, axis]) for axis in (0, 1)], axis=-1)


def _smoothed(line: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.signal import savgol_filter

    window = min(int(_SMOOTH_M / _STATION_M) | 1, (len(line) - 1) | 1)
    if window > len(line):
        window -= 2
    return line if window < 5 else np.asarray(savgol_filter(line, window, 2, axis=0), dtype=np.float64)


def _directions(line: NDArray[np.float64]) -> NDArray[np.float64]:
    tangent = np.gradient(line, axis=0)
    return np.asarray(tangent / np.maximum(np.linalg.norm(tangent, axis=1), 1e-9)[:, None], dtype=np.float64)


class _Sections:
    """Cross-sections of a band along a path."""

    def __init__(self, line: NDArray[np.float64], label: int, labels: Marked, *, grid: Grid) -> None:
        tangent = _directions(line)
        self.normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1)
        step = min(grid.gsd_m / 4, 0.25)
        reach = NARROW_M + 2 * grid.gsd_m
        n_half = int(reach / step)
        self.offsets = np.arange(-n_half, n_half + 1) * step
        points = line[:, None, :] + self.offsets[:, None] * self.normal[:, None, :]
        values = _values_at(labels, points, grid=grid)
        own = values == label
        # start from the band's own pixel nearest to the path
        nearest = np.where(own, np.abs(self.offsets), np.inf)
        start = np.argmin(nearest, axis=1)
        found = own.any(axis=1)
        self.low, low_at = _edge(own, start, towards=-1)
        self.high, high_at = _edge(own, start, towards=1)
        beyond = max(1, round(grid.gsd_m / step))
        rows = np.arange(len(line))
        low_free = values[rows, np.maximum(low_at - beyond, 0)] == 0
        high_free = values[rows, np.minimum(high_at + beyond, len(self.offsets) - 1)] == 0
        self.low = np.where(found, (self.low - n_half) * step - step / 2, np.nan)
        self.high = np.where(found, (self.high - n_half) * step + step / 2, np.nan)
        self.low_free, self.high_free = low_free & found, high_free & found

    @property
    def width_m(self) -> float:
        """Width of the band where it stands alone."""
        width = (self.high - self.low)[self.low_free & self.high_free]
        # a switch drawn in one colour is wider there, so the narrower half speaks
        return float(np.percentile(width, 30)) if len(width) else 3.0

    def middle(self, width_m: float) -> NDArray[np.float64]:
        """(n,) offset of the band's middle from the path; metres along ``normal``."""
        centre = np.full(len(self.low), np.nan)
        alone = self.low_free & self.high_free & (self.high - self.low < 1.35 * width_m)
        centre[alone] = ((self.low + self.high) / 2)[alone]
        from_low, from_high = self.low + width_m / 2, self.high - width_m / 2
        only_low = self.low_free & ~self.high_free
        only_high = self.high_free & ~self.low_free
        centre[only_low], centre[only_high] = from_low[only_low], from_high[only_high]
        both = self.low_free & self.high_free & ~alone
        expected = _filled(centre)
        low_nearer = np.abs(from_low - expected) <= np.abs(from_high - expected)
        centre[both] = np.where(low_nearer, from_low, from_high)[both]
        return _filled(centre)


def _edge(
    own: NDArray[np.bool_], start: NDArray[np.intp], *, towards: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Index of the last own sample from ``start`` outwards."""
    samples = np.arange(own.shape[1])
    outside = ~own & (samples * towards > start[:, None] * towards)
    if towards > 0:
        first = np.where(outside.any(axis=1), np.argmax(outside, axis=1), own.shape[1])
        last = first - 1
    else:
        reverse = np.argmax(outside[:, ::-1], axis=1)
        last = np.where(outside.any(axis=1), own.shape[1] - reverse, 0)
    return last.astype(np.float64), last


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), known, values[known])


def _values_at(labels: Marked, local: NDArray[np.float64], *, grid: Grid) -> NDArray[np.int32]:
    return labels.at(np.floor(grid.to_pixel(local)).astype(np.int64))


def _to_the_ends(line: NDArray[np.float64], label: int, labels: Marked, *, grid: Grid) -> NDArray[np.float64]:
    """The line lengthened along its own curve, at both ends, to where its band ends."""
    step = min(grid.gsd_m / 2, _STATION_M)
    distances = np.arange(1, int(2 * NARROW_M / step)) * step
    for _ in range(2):
        line = line[::-1]
        tail = line[-int(_END_FIT_M / _STATION_M) :]
        at = np.linspace(-float(np.linalg.norm(np.diff(tail, axis=0), axis=1).sum()), 0, len(tail))
        degree = 2 if len(tail) >= 10 else 1
        curves = [np.polynomial.Polynomial.fit(at, tail[:, axis], degree) for axis in (0, 1)]
        ahead = np.stack([curve(distances) - curve(0) for curve in curves], axis=-1) + line[-1]
        tangent = _directions(np.vstack([line[-1:], ahead]))[1:]
        across = np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1)
        sides = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])[:, None]
        own = (_values_at(labels, ahead[:, None] + sides * across[:, None], grid=grid) == label).any(axis=1)
        n_own = len(own) if own.all() else int(np.argmin(own))
        line = np.vstack([line, ahead[:n_own]])
    return line
