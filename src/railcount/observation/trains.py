"""The cars of a pass in rows: trains over seams, and numbers that go through all tiles."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.observation.bodies import LONGEST_COUPLING_M, STUB_M, record_of_body
from railcount.observation.ground import ASIDE_M, PARALLEL
from railcount.observation.lines import joined_tracks, track_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.observation.bodies import Body
    from railcount.observation.ground import Frame, Placed
    from railcount.observation.lines import Lines, Name
    from railcount.records import CarRecord

    Array = NDArray[np.float64]

BROKEN_M = 7.0
"""Between neighbours of one train in a tile; more is where a car was left to another tile that saw none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The cars of a pass, by train and position."""

    cars: tuple[CarRecord, ...]
    trains: tuple[tuple[Body, ...], ...]
    """In order of their numbers, from one end to the other."""

    @property
    def n_trains(self) -> int:
        """How many rows of coupled cars."""
        return len(self.trains)


def in_trains(
    bodies: Sequence[Body], placed: Sequence[Placed], *, lines: Sequence[Lines], frame: Frame
) -> Rows:
    """Bodies in trains with numbers through the pass.

    A train over a seam is one train. Trains are numbered by track (of the first tile by name, in its own
    order), then as in the first tile that shows them; cars as in that tile.
    """
    tracks = joined_tracks(lines, _shared(bodies, placed))
    names = track_names(tracks)
    trains = [train for row in _linked(bodies, placed) for train in _chained(row, placed)]
    home = {id(body): tracks[_track(placed[body.parts[0]])] for body in bodies}
    trains.sort(key=lambda train: min((home[id(body)], *_number(body, placed)) for body in train))
    cars: list[CarRecord] = []
    for n, train in enumerate(trains, 1):
        for position, body in enumerate(train, 1):
            told = record_of_body(body, placed, frame=frame)
            cars.append(replace(told, track=names[home[id(body)]], train=n, position=position))
    return Rows(cars=tuple(cars), trains=tuple(trains))


def occupied_m(rows: Rows) -> float:
    """Metres of track under trains, the gaps between coupled cars included."""
    total = 0.0
    for train in rows.trains:
        total += sum(body.length_m for body in train)
        total += float(np.diagonal(_gaps_m(train), offset=1).clip(min=0.0).sum())
    return total


def _track(car: Placed) -> Name:
    return car.tile, car.record.track


def _number(body: Body, placed: Sequence[Placed]) -> tuple[int, int, int]:
    """Tile, train and position in the first tile that shows a body."""
    return min((placed[n].tile, placed[n].record.train, placed[n].record.position) for n in body.parts)


def _shared(bodies: Sequence[Body], placed: Sequence[Placed]) -> list[tuple[Name, Name]]:
    """Tracks of different tiles on which the same car stands."""
    out = []
    for body in bodies:
        names = sorted({_track(placed[n]) for n in body.parts})
        out += [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if a[0] != b[0]]
    return out


def _linked(bodies: Sequence[Body], placed: Sequence[Placed]) -> list[list[Body]]:
    """Bodies of one train: by a tile's word, by a car seen in two tiles, or coupled over a seam."""
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(name: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    def train(n: int) -> tuple[int, int]:
        return placed[n].tile, placed[n].record.train

    for body in bodies:
        for n in body.parts[1:]:
            parent[root(train(n))] = root(train(body.parts[0]))
    for a, b in _coupled(bodies):
        parent[root(train(b.parts[0]))] = root(train(a.parts[0]))
    out: defaultdict[tuple[int, int], list[Body]] = defaultdict(list)
    for body in bodies:
        out[root(train(body.parts[0]))].append(body)
    return list(out.values())


def _coupled(bodies: Sequence[Body]) -> list[tuple[Body, Body]]:
    """Pairs of bodies told by different tiles that stand as near as coupled ones, one behind the other."""
    if not bodies:
        return []
    ends = [end for body in bodies for end in body.ends]
    at = np.array([end.at for end in ends])
    out = []
    for i, j in sorted(cKDTree(at).query_pairs(LONGEST_COUPLING_M + STUB_M)):
        a, b = bodies[i // 2], bodies[j // 2]
        if a is b or (a.main.tile == b.main.tile and len(a.parts) == len(b.parts) == 1):
            continue
        # of a car that the seam cuts, the other tile does not read a stub
        unread = STUB_M if ends[i].cut or ends[j].cut else 0.0
        if float(np.hypot(*(at[i] - at[j]))) > LONGEST_COUPLING_M + unread:
            continue
        if _in_line(a, b):
            out.append((a, b))
    return out


def _in_line(a: Body, b: Body) -> bool:
    first, second = _way(a), _way(b)
    apart = (b.ends[0].at + b.ends[1].at - a.ends[0].at - a.ends[1].at) / 2
    aside = min(abs(float(way[0] * apart[1] - way[1] * apart[0])) for way in (first, second))
    return abs(float(first @ second)) > PARALLEL and aside < ASIDE_M


def _way(body: Body) -> Array:
    return np.asarray((body.ends[1].at - body.ends[0].at) / max(body.length_m, 1e-9))


def _gaps_m(row: Sequence[Body]) -> Array:
    """(n, n): between the nearest ends of every two bodies; negative where they run over each other."""
    ends = np.array([[end.at for end in body.ends] for body in row])
    apart = ends[:, None, :, None] - ends[None, :, None, :]
    far = np.hypot(apart[..., 0], apart[..., 1]).reshape(len(row), len(row), 4)
    length = np.array([body.length_m for body in row])
    beside = far.max(axis=-1) > np.maximum(length[:, None], length[None])
    return np.asarray(np.where(beside, far.min(axis=-1), -far.min(axis=-1)))


def _chained(row: list[Body], placed: Sequence[Placed]) -> list[tuple[Body, ...]]:
    """A row from one end to the other, in the direction of the first tile; in two where a car is missing."""
    row = sorted(row, key=lambda body: _number(body, placed))
    gaps = _gaps_m(row)
    left = np.arange(1, len(row))
    order = [0]
    while len(left):
        head, tail = gaps[order[0], left], gaps[order[-1], left]
        at_tail = len(order) == 1 or tail.min() <= head.min()
        nearest = int((tail if at_tail else head).argmin())
        order.insert(len(order) if at_tail else 0, int(left[nearest]))
        left = np.delete(left, nearest)
    numbers = [_number(row[n], placed) for n in order]
    backwards = sum((a > b) - (a < b) for a, b in pairwise(numbers) if a[:2] == b[:2])
    if backwards > 0 or (backwards == 0 and numbers[0] > numbers[-1]):
        order.reverse()
    trains: list[list[Body]] = [[row[order[0]]]]
    for before, after in pairwise(order):
        if gaps[before, after] > BROKEN_M:
            trains.append([])
        trains[-1].append(row[after])
    return [tuple(train) for train in trains]
