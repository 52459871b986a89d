"""Given lines moved onto the tracks that the image shows.

Lines from a map lie 2 to 12 m off an image. The network that finds tracks says, for every place
near the lines, how likely a centre line passes there. The shift that brings the lines onto likely
places is searched; where two shifts fit alike (parallel tracks, moved by one spacing), the cars that
would stand on the lines decide. Then each line is bent sideways a little. Lines that fit stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d

from railcount.occupancy import measure
from railcount.strips import straighten
from railcount.tracks.network import Registration, TrackNetwork
from railcount.tracks.ribbon import BLOCK_M, Ribbon, evenly, ribbons
from railcount.tracks.rows import LOGIT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Sampled

    Array = NDArray[np.float64]

COARSEST_M = 1.5
"""Largest pixel: coarser ones show no rows, and lines lie a few pixels off at most."""
FARTHEST_M = 14.0
"""Lines are looked for this far from where they were given: maps are 2 to 12 m off."""
STEP_M = 0.5
FINE_STEP_M = 0.125
MOST_POINTS = 600
"""Of the lines together, every 4 m or more, that a shift is judged by."""
LEAST_SEEN = 10
"""Points (40 m): less of the lines cannot be matched to anything."""
APART_M = 1.5
"""Two shifts that differ by less across the lines are the same match."""
GAIN_TO_MOVE = 0.12
"""Mean log-odds that a shift must gain over the lines as given. Lines moved by one spacing gain 0.15 at least
where they come back (106 scenes drawn in two ways, but for four)."""
GAIN_OF_A_LINE = 1.0
"""Mean log-odds that one line at least must gain by a shift: then it lay on no track before."""
GAIN_OFF_TRACK = 0.5
"""Mean log-odds that lines between tracks gain by the nearest ones."""
FITS_M = 0.75
"""Lines within this of the best place stay: the network is no surer of the centre, and cars are found as well
(two of those scenes lost 0.002 and 0.006 of F1 by moves of 0.5 m)."""
LEAST_LEVEL = 0.35
"""Mean log-odds of the best shift above the median of all: beside every track it is below 0.1,
on tracks (107 scenes drawn in two ways) 0.5 at least."""
MOST_UNCOVERED = 0.3
"""Length of likely track beside the lines, over their own, that a full map leaves (106 of those scenes; the
other two are below with ``ONE_ROW``). More is a yard of which some tracks have no line: of maps with half of
a yard's lines, nine in ten."""
ONE_ROW = 0.5
"""A row as long as this share of the longest line may be there besides: a hedge, a road."""
CLOSEST_TRACKS_M = 3.3
"""Nearer than any two tracks: a track this near is not the next one."""
CLEARLY_FULLER = 0.3
"""Mean log-odds, of rows and cars together, by which one place of such lines must beat the next."""
BESIDE_M = 2.2
"""Between tracks."""
CLEAR_LEVEL = 1.2
"""The same where the tracks can be seen well (all but two of those scenes): below it lines rather stay."""
CLOSE = 0.15
"""Shifts that are worse by less than this are compared by their cars too."""
CLOSE_AWAY = 0.5
"""The same, where the best shift moves the lines: a train on the lines as given speaks for them (two of 123
scenes of another renderer were moved off theirs)."""
SLACK = 0.15
"""The smallest of the shifts that are worse than the best by less is taken: straight tracks hardly show a
shift along them."""
ALIKE = 0.05
"""Shifts that are worse by less than this cannot be told from the best."""
LEAST_CARS = 0.08
"""Mean log-odds of car bodies on the lines that show them to lie on tracks, where the rows do not."""
MORE_CARS = 0.5
"""Mean log-odds of car bodies on the lines as given, above those at a likelier place, that keep them. On
tracks full of coal it was 1.8, and 0 between them, which passed for tracks."""
JUDGED_M = 200.0
"""Of each line's middle, whose cars are compared."""
MOST_CANDIDATES = 3
MOST_BEND_M = 1.5
BEND_BLOCKS = 4.0
"""Blocks (4 m) over which a bend is smoothed."""
LEAST_BEND_M = 0.3
GAIN_TO_BEND = 0.3
STAY = 0.5
"""Weight of no bend, in units of one sure place: lines stay where little is seen."""
TO_EDGE_M = 13.0
"""A line that ends this near to the tile's edge, on a track that goes on, goes on to it."""


@dataclass(frozen=True, eq=False)
class Match:
    """The shift chosen, and how good it is."""

    shift: Array
    """(2,) local metres."""
    level: float
    """Mean log-odds on the lines, above the median of all shifts."""
    margin: float
    """Mean log-odds above the next match that lies apart."""
    doubt: str | None = None
    lost: bool = False
    """Nothing of the image matches."""

    @property
    def score(self) -> float:
        """0-1: one half where the next match is at the edge of what can be told apart."""
        return float(np.clip(self.level / (2 * LEAST_LEVEL), 0, 1) * self.margin / (self.margin + ALIKE))


def registered(network: TrackNetwork, pixels: Sampled, *, grid: Grid) -> TrackNetwork:
    """The network with its lines on the image's tracks, the shift, and what is doubtful about it.

    Lines that match nothing come back without tracks: nothing can be counted on them. Lines of which
    too little is seen to match anything come back as they are, without a registration.
    """
    if grid.gsd_m > COARSEST_M:
        return network
    lines = [grid.to_local(t.line_px) for t in network.tracks]
    around = ribbons(pixels, lines, grid=grid, reach_m=FARTHEST_M)
    match = _match(around, network, pixels, grid=grid)
    if match is None:
        return network
    if grid.crs is None and not match.lost and not match.shift.any():
        match = replace(match, doubt=None)  # lines in the image's own pixels were drawn on it
    moved = Registration(
        east_m=float(match.shift[0]),
        south_m=float(match.shift[1]),
        score=0.0 if match.lost else match.score,
        sure=match.doubt is None,
    )
    reasons = network.reasons if match.doubt is None else (*network.reasons, match.doubt)
    if match.lost:
        return replace(network, tracks=(), registration=moved, reasons=reasons)
    tracks = tuple(
        replace(t, line_px=t.line_px if line is None else grid.to_pixel(line))
        for t, line in zip(network.tracks, _placed(around, lines, match.shift, grid=grid), strict=True)
    )
    return replace(network, tracks=tracks, registration=moved, reasons=reasons)


@dataclass(frozen=True, eq=False)
class _Search:
    """How well the lines match, at every shift."""

    around: list[Ribbon]
    few: list[NDArray[np.int64]]
    """The points of each ribbon that are looked at."""
    normal: Array
    """(n, 2): unit vector to the right of the lines at all those points."""
    shifts: Array
    """(m, 2) local metres, the smallest first: zero is number 0."""
    on: Array
    """(m,): mean log-odds on the lines."""
    n_seen: float

    @classmethod
    def of(cls, around: list[Ribbon]) -> _Search:
        n = sum(len(r.line) for r in around)
        few = [np.arange(0, len(r.line), max(1, n // MOST_POINTS)) for r in around]
        along = np.concatenate([r.heading[f] for r, f in zip(around, few, strict=True)] or [np.zeros((0, 2))])
        at = np.arange(-FARTHEST_M, FARTHEST_M + STEP_M / 2, STEP_M)
        shifts = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
        shifts = shifts[np.hypot(*shifts.T) <= FARTHEST_M]
        shifts = shifts[np.argsort(np.hypot(*shifts.T), kind="stable")]
        on, n_seen = _mean_odds(around, few, shifts)
        right = np.stack([-along[:, 1], along[:, 0]], axis=-1)
        return cls(around, few, right, shifts, on, float(n_seen.max()))

    def aside_m(self, shifts: Array) -> Array:
        """(...,): how far shifts (..., 2) move the lines across themselves, in the mean."""
        return np.asarray(np.abs(shifts @ self.normal.T).mean(axis=-1))

    def apart(self, most: int = MOST_CANDIDATES) -> list[int]:
        """The best shift, and the next ones that put the lines elsewhere."""
        left = self.on.copy()
        kept: list[int] = []
        while len(kept) < most and np.isfinite(left).any():
            kept.append(int(left.argmax()))
            left[self.aside_m(self.shifts - self.shifts[kept[-1]]) < APART_M] = -np.inf
        return kept

    def smallest(self, k: int) -> Array:
        """The smallest shift that puts the lines where shift ``k`` puts them, about as well."""
        aside = self.aside_m(self.shifts - self.shifts[k])
        return np.asarray(
            self.shifts[np.flatnonzero((aside < APART_M / 3) & (self.on >= self.on[k] - SLACK))[0]]
        )

    def refined(self, k: int) -> Array:
        """The middle of the best places around ``smallest(k)``, weighted by how good they are."""
        at = np.arange(-1.0, 1.0 + FINE_STEP_M / 2, FINE_STEP_M)
        shifts = self.smallest(k) + np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
        on, _ = _mean_odds(self.around, self.few, shifts)
        weight = np.exp((on - on.max()) / (SLACK / 2))
        return np.asarray(weight @ shifts / weight.sum())

    def gain_of_a_line(self, k: int) -> float:
        """Mean log-odds that one line gains by shift ``k``, the one that gains most."""
        n = 1 + max(int(r.line.max()) for r in self.around)
        total, count = np.zeros(n), np.zeros(n)
        for r in self.around:
            odds, _ = r.sample(self.shifts[[0, k]], np.arange(len(r.line)))
            total += np.bincount(r.line, odds[1] - odds[0], minlength=n)
            count += np.bincount(r.line, minlength=n)
        return float((total / np.maximum(count, 1)).max())

    def one_of_many(self, k: int) -> bool:
        """True where likely tracks beside the lines at shift ``k`` show that the map is not a full one."""
        left = sum(r.uncovered(self.shifts[k], within_m=FARTHEST_M) for r in self.around)
        each = np.bincount(np.concatenate([r.line for r in self.around]))
        return bool(left > MOST_UNCOVERED * each.sum() + ONE_ROW * each.max())


def _match(around: list[Ribbon], network: TrackNetwork, pixels: Sampled, *, grid: Grid) -> Match | None:
    """The best shift; None where too little of the lines is seen to tell."""
    search = _Search.of(around)
    if search.n_seen < LEAST_SEEN:
        return None

    def bodies(shifts: list[Array]) -> Array:
        return _bodies(network, shifts, pixels, grid=grid)

    middle = float(np.median(search.on))
    kept = search.apart()
    value = search.on[kept]
    close = CLOSE_AWAY if search.aside_m(search.shifts[kept[0]]) >= APART_M else CLOSE
    if len(kept) > 1 and value[0] - value[1] < close:
        value = value + bodies([search.smallest(k) for k in kept])
        order = np.argsort(-value, kind="stable")
        kept, value = [kept[i] for i in order], value[order]
    best = kept[0]
    level = float(search.on[best]) - middle
    if level < LEAST_LEVEL:
        return _unmatched(level, cars=float(bodies([np.zeros(2)])[0]))
    found = Match(
        shift=search.refined(best), level=level, margin=float(value[0] - np.append(value, middle)[1])
    )
    hidden = search.on[best] < 0  # no track to speak of: dark cars hide theirs, what lies between is clear
    if search.aside_m(found.shift) <= FITS_M or (hidden and _more_cars(bodies, than=found.shift)):
        return replace(found, shift=np.zeros(2))
    if search.gain_of_a_line(best) < GAIN_OF_A_LINE:
        # the given lines lie on tracks as they are, if on fainter ones
        return replace(found, shift=np.zeros(2), doubt=_alike(found.shift) if level < CLEAR_LEVEL else None)
    if search.one_of_many(best):
        return _one_of_many(found, search, bodies)
    here = [float(v) for v, k in zip(value, kept, strict=True) if search.aside_m(search.shifts[k]) < APART_M]
    gain = float(value[0]) - here[0] if here and here[0] < value[0] else float(search.on[best] - search.on[0])
    return _weighed(found, gain=gain)


def _more_cars(bodies: Callable[[list[Array]], Array], *, than: Array) -> bool:
    """True where the lines as given carry clearly more cars than moved by a shift."""
    as_given, moved = bodies([np.zeros(2), than])
    return bool(as_given - moved > MORE_CARS)


def _weighed(found: Match, *, gain: float) -> Match:
    """A match away from the lines as given, by which a line gains a track; doubts about it."""
    far = float(np.hypot(*found.shift))
    if gain < GAIN_TO_MOVE or (found.margin < ALIKE and found.level < CLEAR_LEVEL):
        return replace(found, shift=np.zeros(2), doubt=_alike(found.shift))
    if found.margin < ALIKE:
        return replace(
            found,
            doubt="the given lines do not fit the image as they are, and two shifts of them fit it about "
            f"equally well: the one taken is {far:.1f} m",
        )
    if far > FARTHEST_M - 1.0:
        return replace(found, doubt=f"the given lines seem to lie more than {far:.0f} m off the image")
    return found


def _one_of_many(found: Match, search: _Search, bodies: Callable[[list[Array]], Array]) -> Match:
    """Fewer lines than tracks: a move by one spacing fits as well, so only lines between tracks are moved.

    They go where clearly more cars stand on them, for lines are drawn where cars stand (in 76 scenes with
    lines for the fullest tracks alone, 61 of 62 such moves were right), else to the nearest tracks.
    Lines with cars on them, and none beside, lie on tracks, whatever the rows say.
    """
    stay = np.zeros(2)
    normal = search.normal.mean(axis=0)
    aside = BESIDE_M * normal / max(float(np.hypot(*normal)), 1e-9)
    on, left, right = bodies([stay, -aside, aside])
    if on >= LEAST_CARS and on >= 2 * max(left, right):
        return replace(found, shift=stay)
    near = np.flatnonzero(search.aside_m(search.shifts) <= CLOSEST_TRACKS_M)
    k = int(near[search.on[near].argmax()])
    if search.on[k] - search.on[0] < GAIN_OFF_TRACK:
        return replace(found, shift=stay, doubt=_alike(found.shift))
    kept = search.apart(2 * MOST_CANDIDATES)
    value = search.on[kept] + bodies([search.smallest(i) for i in kept])
    first, second = np.sort(np.append(value, np.median(search.on)))[:-3:-1]
    by_cars = first - second >= CLEARLY_FULLER
    shift = search.refined(kept[int(value.argmax())] if by_cars else k)
    place = "where more cars stand on them" if by_cars else "to the nearest ones"
    doubt = (
        "the given lines lie between tracks, and there are more tracks than lines: they were moved by "
        f"{np.hypot(*shift):.1f} m {place}, but may be meant for others"
    )
    return replace(found, shift=shift, margin=0.0, doubt=doubt)


def _alike(shift: Array) -> str:
    return f"the given lines fit the image about as well when they are moved by {np.hypot(*shift):.1f} m"


def _unmatched(level: float, *, cars: float) -> Match:
    """No shift brings the lines onto rows: they stay where cars stand on them, else they are lost."""
    here = Match(shift=np.zeros(2), level=max(level, 0.0), margin=0.0)
    if cars >= LEAST_CARS:
        doubt = "the given lines could not be checked against the image: no track is clear in it"
        return replace(here, doubt=doubt)
    reason = (
        f"nothing that looks like a track lies under the given lines, nor within {FARTHEST_M:.0f} m of them"
    )
    return replace(here, lost=True, doubt=reason)


def _mean_odds(around: list[Ribbon], few: list[NDArray[np.int64]], shifts: Array) -> tuple[Array, Array]:
    """For each shift (m, 2): mean log-odds at the lines' points, and how many of them are seen."""
    total, n_seen = np.zeros(len(shifts)), np.zeros(len(shifts))
    for ribbon, some in zip(around, few, strict=True):
        odds, seen = ribbon.sample(shifts, some)
        total += odds.sum(axis=-1)
        n_seen += seen.sum(axis=-1)
    return total / np.maximum(n_seen, max(1.0, 0.5 * float(n_seen.max(initial=0.0)))), n_seen


def _bodies(network: TrackNetwork, shifts: list[Array], pixels: Sampled, *, grid: Grid) -> Array:
    """(m,): mean log-odds of car bodies on the lines moved by each shift, where there are any."""
    out = []
    for shift in shifts:
        lines = [_middle(grid.to_local(t.line_px) + shift) for t in network.tracks]
        moved = tuple(
            replace(t, line_px=grid.to_pixel(line)) for t, line in zip(network.tracks, lines, strict=True)
        )
        evidence = measure(straighten(pixels, replace(network, tracks=moved), grid=grid))
        seen = np.concatenate([e.seen for e in evidence])
        body = np.concatenate([e.body for e in evidence])
        out.append(float(np.maximum(body, 0).sum() / max(seen.sum(), 1)))
    return np.array(out)


def _middle(line: Array) -> Array:
    points = evenly(line, 2.0)
    spare = max(0, len(points) - round(JUDGED_M / 2.0)) // 2
    return points[spare : len(points) - spare] if len(points) > 1 else line


def _placed(around: list[Ribbon], lines: list[Array], shift: Array, *, grid: Grid) -> list[Array | None]:
    """Each line moved, bent and run on to the tile's edge; None where it stays as it is."""
    out: list[Array | None] = []
    for k, line in enumerate(lines):
        bent = _bent(around, k, line, shift)
        new = bent if bent is not None else line + shift
        new = _run_on(new, grid=grid)
        out.append(None if bent is None and not shift.any() and len(new) == len(line) else new)
    return out


def _bent(around: list[Ribbon], k: int, line: Array, shift: Array) -> Array | None:
    """The moved line bent sideways onto its track, where that is a clear gain."""
    points = evenly(line, BLOCK_M)
    n = len(points)
    offsets = np.arange(-MOST_BEND_M, MOST_BEND_M + 0.01, 0.25)
    odds = np.full((len(offsets), n), -LOGIT_LIMIT)
    right = np.zeros((n, 2))
    for r in around:
        mine = np.flatnonzero(r.line == k)
        aside = np.broadcast_to(offsets[:, None], (len(offsets), len(mine)))
        odds[:, r.block[mine]] = r.beside(shift, aside, mine)
        right[r.block[mine]] = np.stack([-r.heading[mine, 1], r.heading[mine, 0]], axis=-1)
    if n < LEAST_SEEN:
        return None
    likely = 1 / (1 + np.exp(-gaussian_filter1d(odds, BEND_BLOCKS / 3, axis=1, mode="nearest")))
    weight = likely.sum(axis=0)
    pull = gaussian_filter1d(offsets @ likely, BEND_BLOCKS, mode="nearest")
    aside_m = pull / (gaussian_filter1d(weight, BEND_BLOCKS, mode="nearest") + STAY)
    at = (aside_m - offsets[0]) / 0.25
    low = np.clip(at.astype(int), 0, len(offsets) - 2)
    column = np.arange(n)
    there = odds[low, column] * (1 - (at - low)) + odds[low + 1, column] * (at - low)
    gain = float((there - odds[len(offsets) // 2]).mean())
    if gain < GAIN_TO_BEND or float(np.sqrt((aside_m**2).mean())) < LEAST_BEND_M:
        return None
    ends = [line[0] + shift + aside_m[0] * right[0], line[-1] + shift + aside_m[-1] * right[-1]]
    return np.concatenate([ends[:1], points + shift + aside_m[:, None] * right, ends[1:]])


def _run_on(line: Array, *, grid: Grid) -> Array:
    """The line run on straight to the tile's edge where it ends a little before it.

    Nothing else tells a shift along straight tracks: a line that was cut at the edge ends before it then.
    """
    for _ in range(2):
        line = line[::-1]
        ahead = line[-1] - evenly(line, 5.0)[-min(4, len(evenly(line, 5.0)))]
        ahead = ahead / max(float(np.hypot(*ahead)), 1e-9)
        way = line[-1] + np.arange(0.0, TO_EDGE_M + 0.5, 0.5)[:, None] * ahead
        px = grid.to_pixel(way)
        out = np.flatnonzero(((px < 0) | (px > [grid.width, grid.height])).any(axis=-1))
        if len(out) and out[0] > 1:
            line = np.concatenate([line, way[out[0] : out[0] + 1]])
    return line
