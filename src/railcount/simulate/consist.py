"""Which vehicles stand where: cuts of like cars on the free lengths of the tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import InputError
from railcount.simulate.dice import pick, pick_whole
from railcount.simulate.paints import BULK, CONTAINERS, PAINTS, REFLECTANCE, TARPS
from railcount.simulate.rolling_stock import FAMILIES, LOAD_SHAPES, Vehicle, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Kind
    from railcount.simulate.layout import Line
    from railcount.simulate.scene import Cut, Stock


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A vehicle on its track."""

    id: str
    track: str
    train: int
    """A row of coupled vehicles, numbered through the scene from 1."""
    position: int
    vehicle: Vehicle
    load: str
    """empty, bulk, tarpaulin or container."""
    paint: str
    cargo: str
    """Paint of the tarpaulin or containers, or the kind of bulk."""
    grime: float
    centre: NDArray[np.float64]
    """Local metres."""
    along: NDArray[np.float64]
    """Unit vector."""
    seed: int
    """Of its own details."""

    @property
    def kind(self) -> Kind:
        """What it counts as."""
        if self.load in ("tarpaulin", "container"):
            return "covered"
        if self.vehicle.shape == "flat" and self.load == "bulk":
            return "gondola"
        return self.vehicle.kind

    @property
    def top_m(self) -> float:
        """Height of the body's or the load's top, which is what is seen from above."""
        load = {"container": 2.6, "tarpaulin": 1.8, "bulk": 1.4}.get(self.load, 0.0)
        return self.vehicle.height_m + (load if self.vehicle.shape == "flat" else 0.0)

    @property
    def corners(self) -> NDArray[np.float64]:
        """(4, 2) corners of the body in local metres, in order."""
        right = np.array([-self.along[1], self.along[0]])
        u = self.along * self.vehicle.body_m / 2
        v = right * self.vehicle.width_m / 2
        return np.array([self.centre - u - v, self.centre + u - v, self.centre + u + v, self.centre - u + v])

    @property
    def heading_deg(self) -> float:
        """0-180, clockwise from north."""
        return float(np.rad2deg(np.arctan2(self.along[0], -self.along[1])) % 180)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A planned cut: its vehicles in order, and how they look."""

    vehicles: tuple[Vehicle, ...]
    loads: tuple[str, ...]
    paints: tuple[str, ...]
    cargoes: tuple[str, ...]
    grimes: tuple[float, ...]

    @property
    def length_m(self) -> float:
        return sum(vehicle.length_m for vehicle in self.vehicles)


def marshal(
    stock: Stock,
    lines: Sequence[Line],
    rng: np.random.Generator,
    *,
    width_m: float,
    height_m: float,
) -> tuple[Placed, ...]:
    """Put vehicles on the tracks.

    Raises InputError where a named track or vehicle does not exist, or where the wanted
    cars do not fit.
    """
    by_id = {line.id: line for line in lines}
    names = stock.families
    if names is None:
        pairs = (("russian",), ("chinese",), ("russian", "chinese"), ("north-american",), ("european",))
        names = pairs[int(rng.integers(len(pairs)))]
    pool = choose(names, key="stock.families")
    engines = [v for v in pool if v.kind == "locomotive"] or choose(FAMILIES, key="")[-4:]
    cars = [v for v in pool if v.kind != "locomotive"]
    taste = _Taste(stock, cars, rng)
    for wanted in stock.tracks or ():
        if wanted not in by_id:
            raise InputError(f"stock.tracks: no track {wanted!r}; there are {', '.join(by_id) or 'none'}")
    spaces = {
        line.id: _visible(line, stock.edge_cars, width_m=width_m, height_m=height_m)
        for line in lines
        if stock.tracks is None or line.id in stock.tracks
    }
    rows: list[tuple[str, float, _Row]] = []
    for number, cut in enumerate(stock.cuts):
        rows.append(_place_fixed(cut, number, by_id, spaces, taste=taste, rng=rng))
    usable = sum(b - a for ranges in spaces.values() for a, b in ranges)
    fill = pick(rng, stock.fill, 0.15, 0.7)
    fixed = sum(sum(v.kind != "locomotive" for v in row.vehicles) for _, _, row in rows)
    if stock.n_railcars is None:
        wanted_cars = max(int(fill * usable / taste.mean_length_m), 0)
    else:
        wanted_cars = stock.n_railcars - fixed
        if wanted_cars < 0:
            raise InputError(f"stock.n_railcars is {stock.n_railcars}, but stock.cuts already hold {fixed}")
    n_engines = pick_whole(rng, stock.n_locomotives, 0, 2)
    exact = stock.n_railcars is not None
    rows += _fill(spaces, taste, rng, n_cars=wanted_cars, n_engines=n_engines, engines=engines, exact=exact)
    return _couple(rows, by_id, rng)


class _Taste:
    """Draws cuts: what kinds, how alike, how loaded."""

    def __init__(self, stock: Stock, pool: list[Vehicle], rng: np.random.Generator) -> None:
        if not pool:
            raise InputError("stock.families holds locomotives only")
        self.pool = pool
        weights = np.array([v.weight for v in pool]) * rng.gamma(1.0, 1.0, len(pool))
        self.weights = weights / weights.sum()
        self.covered = pick(rng, stock.covered, 0.0, 0.7)
        self.loaded = pick(rng, stock.loaded, 0.2, 0.9)
        self.like = pick(rng, stock.like, 0.3, 1.0)
        self.block_n = pick(rng, stock.block_n, 2.0, 12.0)
        self.grime = float(rng.uniform(0.1, 0.6))
        self.tarp = TARPS[int(rng.integers(len(TARPS)))]

    @property
    def mean_length_m(self) -> float:
        return float(sum(w * v.length_m for w, v in zip(self.weights, self.pool, strict=True)))

    def vehicle(self, rng: np.random.Generator) -> Vehicle:
        return self.pool[int(rng.choice(len(self.pool), p=self.weights))]

    def carrier(self, rng: np.random.Generator, *, key: str) -> Vehicle:
        """A vehicle that can carry a load; InputError, naming ``key``, where the families hold none."""
        open_cars = [vehicle for vehicle in self.pool if vehicle.shape in LOAD_SHAPES]
        if not open_cars:
            raise InputError(f"{key}.load: stock.families holds no gondola or flat to carry a load")
        return open_cars[int(rng.integers(len(open_cars)))]

    def load(self, vehicle: Vehicle, rng: np.random.Generator) -> str:
        if vehicle.shape not in LOAD_SHAPES or vehicle.kind == "covered":
            return "empty"
        if rng.random() < self.covered:
            return "container" if vehicle.shape == "flat" and rng.random() < 0.6 else "tarpaulin"
        if rng.random() < self.loaded:
            if vehicle.shape == "gondola":
                return "bulk"
            return "container" if rng.random() < 0.5 else "empty"
        return "empty"

    def row(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        vehicle: Vehicle | None = None,
        load: str | None = None,
        paint: str | None = None,
    ) -> _Row:
        """A cut of n cars; what is given is the same for all of them."""
        lead = vehicle or self.vehicle(rng)
        looks = self._look(lead, rng)
        out: list[tuple[Vehicle, str, str, str, float]] = []
        for _ in range(n):
            car, look = lead, looks
            if rng.random() > self.like:
                car = vehicle or self.vehicle(rng)
                look = self._look(car, rng)
            loading, body, cargo = look
            if load is not None and load != "mixed":
                loading = load
            elif load == "mixed":
                loading = self.load(car, rng)
            if loading == "bulk" and cargo not in BULK:
                cargo = BULK[int(rng.integers(len(BULK)))]
            elif loading == "tarpaulin" and (cargo not in TARPS):
                cargo = self.tarp
            elif loading == "container":
                cargo = CONTAINERS[int(rng.integers(len(CONTAINERS)))]
            elif loading == "tarpaulin" and rng.random() < 0.25:
                cargo = TARPS[int(rng.integers(len(TARPS)))]
            grime = float(np.clip(self.grime + rng.normal(0, 0.15), 0, 1))
            out.append((car, loading, paint or body, cargo, grime))
        cars, loads, paints, cargoes, grimes = zip(*out, strict=True)
        return _Row(vehicles=cars, loads=loads, paints=paints, cargoes=cargoes, grimes=grimes)

    def _look(self, vehicle: Vehicle, rng: np.random.Generator) -> tuple[str, str, str]:
        load = self.load(vehicle, rng)
        body = PAINTS[vehicle.shape][int(rng.integers(len(PAINTS[vehicle.shape])))]
        cargo = BULK[int(rng.integers(len(BULK)))] if load == "bulk" else self.tarp
        if load == "tarpaulin" and rng.random() < 0.5:
            cargo = TARPS[int(rng.integers(len(TARPS)))]
        return load, body, cargo


def _visible(line: Line, edge_cars: bool, *, width_m: float, height_m: float) -> list[tuple[float, float]]:
    """Ranges along a line that are free and in the frame."""
    s, points = line.along_m, line.points
    # With edge cars, a car's centre may come as near as 1 m to the edge; it is then cut in half.
    keep = -3.0 if edge_cars else 2.5
    inside = (
        (points[:, 0] > keep)
        & (points[:, 0] < width_m - keep)
        & (points[:, 1] > keep)
        & (points[:, 1] < height_m - keep)
    )
    out = []
    for a, b in line.free:
        good = inside & (s >= a) & (s <= b)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]])))
        out += [(float(s[i]), float(s[j - 1])) for i, j in edges.reshape(-1, 2) if s[j - 1] - s[i] > 9]
    return out


def _place_fixed(
    cut: Cut,
    number: int,
    by_id: dict[str, Line],
    spaces: dict[str, list[tuple[float, float]]],
    *,
    taste: _Taste,
    rng: np.random.Generator,
) -> tuple[str, float, _Row]:
    key = f"stock.cuts[{number}]"
    if cut.track not in by_id:
        raise InputError(f"{key}.track: no track {cut.track!r}; there are {', '.join(by_id) or 'none'}")
    if cut.colour is not None and cut.colour not in REFLECTANCE:
        raise InputError(f"{key}.colour: unknown paint {cut.colour!r}; known are {', '.join(REFLECTANCE)}")
    vehicle = None if cut.vehicle is None else choose([cut.vehicle], key=f"{key}.vehicle")[0]
    if cut.load in ("bulk", "tarpaulin", "container"):
        if vehicle is None:
            vehicle = taste.carrier(rng, key=key)
        elif vehicle.shape not in LOAD_SHAPES:
            raise InputError(f"{key}.load: {vehicle.name} is closed or a tank and cannot carry {cut.load!r}")
    row = taste.row(cut.n, rng, vehicle=vehicle, load=cut.load, paint=cut.colour)
    start = cut.start_m
    ranges = spaces.get(cut.track, [])
    if start is None:
        fits = [(a, b) for a, b in ranges if b - a >= row.length_m]
        if not fits:
            raise InputError(f"{key}: no free {row.length_m:.0f} m on track {cut.track!r}")
        a, b = fits[int(rng.integers(len(fits)))]
        start = float(rng.uniform(a, b - row.length_m))
    end = start + row.length_m
    spaces[cut.track] = [
        part
        for a, b in ranges
        for part in ((a, min(b, start - 3)), (max(a, end + 3), b))
        if part[1] - part[0] > 9
    ]
    return cut.track, start, row


def _fill(
    spaces: dict[str, list[tuple[float, float]]],
    taste: _Taste,
    rng: np.random.Generator,
    *,
    n_cars: int,
    n_engines: int,
    engines: list[Vehicle],
    exact: bool,
) -> list[tuple[str, float, _Row]]:
    """Cuts on what is left of the tracks, until the cars are placed."""
    ranges = [(track, a, b) for track, parts in spaces.items() for a, b in parts]
    rng.shuffle(ranges)
    queues: dict[tuple[str, float, float], list[_Row]] = {key: [] for key in ranges}
    room = {key: key[2] - key[1] for key in ranges}
    left, misses = n_cars, 0
    while left > 0 and ranges:
        n = min(left, 1 + int(rng.poisson(max(taste.block_n - 1, 0))))
        if misses > 20:
            n = 1
        row = taste.row(n, rng)
        fits = [key for key in ranges if room[key] >= row.length_m + 1.0]
        if not fits:
            misses += 1
            if misses > 60:
                break
            continue
        # Trains gather on some tracks and leave others empty.
        key = fits[int(len(fits) * rng.random() ** 1.5)]
        queues[key].append(row)
        room[key] -= row.length_m + 1.0
        left -= n
    if left > 0 and exact:
        raise InputError(f"stock.n_railcars: {left} of the cars do not fit on the free lengths of the tracks")
    for _ in range(n_engines):
        engine = engines[int(rng.integers(len(engines)))]
        fits = [key for key in ranges if room[key] >= engine.length_m + 1.0]
        if not fits:
            break
        key = next((k for k in fits if queues[k]), fits[0])
        row = taste.row(1, rng, vehicle=engine)
        queues[key].insert(0 if rng.random() < 0.5 else len(queues[key]), row)
        room[key] -= engine.length_m + 1.0
    return [row for key in ranges if queues[key] for row in _spread_out(key, queues[key], room[key], rng)]


def _spread_out(
    key: tuple[str, float, float], queue: list[_Row], room_m: float, rng: np.random.Generator
) -> list[tuple[str, float, _Row]]:
    """The cuts of one range, in order, each with where it begins."""
    rows: list[tuple[str, float, _Row]] = []
    # Cuts are coupled to the next or left apart; what is free is shared out at random.
    apart = rng.random(len(queue) + 1) * (rng.random(len(queue) + 1) < 0.65)
    apart[0] = apart[-1] = 0.2
    apart[[0, -1]] = rng.random(2) + 0.05
    gaps = apart / apart.sum() * room_m
    gaps = np.where((gaps > 0) & (gaps < 1.5), np.minimum(gaps, 0.0), gaps)
    at = key[1]
    for gap, row in zip(gaps, queue, strict=False):
        at += gap
        rows.append((key[0], float(at), row))
        at += row.length_m
    return rows


def _couple(
    rows: list[tuple[str, float, _Row]], by_id: dict[str, Line], rng: np.random.Generator
) -> tuple[Placed, ...]:
    """Vehicles at their places on the tracks; rows that touch are one train."""
    placed: list[Placed] = []
    train, position = 0, 0
    last_track, last_end = "", -1e9
    order = {name: k for k, name in enumerate(by_id)}
    for track, start, row in sorted(rows, key=lambda entry: (order[entry[0]], entry[1])):
        line = by_id[track]
        if track != last_track or start - last_end > 0.8:
            train, position = train + 1, 0
        at = start
        for k, vehicle in enumerate(row.vehicles):
            position += 1
            centre_s = at + vehicle.length_m / 2
            # The body rides on two bogies, so on a curve it lies along the chord between them.
            reach = 0.35 * vehicle.body_m
            rear, front = line.at(centre_s - reach), line.at(centre_s + reach)
            along = (front - rear) / np.hypot(*(front - rear))
            placed.append(
                Placed(
                    id=f"{train}-{position}",
                    track=track,
                    train=train,
                    position=position,
                    vehicle=vehicle,
                    load=row.loads[k],
                    paint=row.paints[k],
                    cargo=row.cargoes[k],
                    grime=row.grimes[k],
                    centre=(front + rear) / 2,
                    along=along,
                    seed=int(rng.integers(2**31)),
                )
            )
            at += vehicle.length_m
        last_track, last_end = track, at
    return tuple(placed)
