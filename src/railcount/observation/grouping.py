"""Which tiles are of one pass: the same place and moment, seen by the same sensor."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from railcount.counts import STATUSES_WITH_COUNT
from railcount.raster.names import parse_name
from railcount.sites.place import metres_per_degree

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from railcount.raster.names import NameInfo
    from railcount.records import TileRecord

    Split = Callable[[list["Item"]], list[list["Item"]]]

APART_S = 300.0
"""Between one tile and the next of a pass. A satellite crosses a yard in seconds, images it again from
another angle within two minutes, and comes back after 90 minutes or more."""
APART_M = 3000.0
"""Between footprints of one pass, where no site says what belongs together."""
PLACE_DIGITS = 2
"""Of a degree in an id: about 1 km, less than APART_M."""
_BRANDS = re.compile(r"^(skysat|planetscope|worldview|pleiades)[ -]+(?=\S)")
_DETECTOR = re.compile(r"^(ssc?\d+)d\d+$")
"""SkySat's three detectors image side by side: one sensor."""


@dataclass(frozen=True, eq=False)
class Item:
    """A tile with what its name adds to its record."""

    record: TileRecord

    @cached_property
    def name(self) -> NameInfo:
        """What the file's name says."""
        return parse_name(os.path.basename(self.record.tile))

    @cached_property
    def folder(self) -> str:
        """Where the file lies."""
        known = self.record.folder
        return os.path.dirname(self.record.tile) if known is None else known

    @cached_property
    def scene(self) -> str | None:
        """The vendor's name of the whole scene."""
        return None if self.name.scene is None else self.name.scene.lower()

    @cached_property
    def acquired(self) -> dt.datetime | dt.date | None:
        """UTC where the time is known; for a tile that could not be opened, what its name says."""
        known = self.record.acquired
        if known is None and self.record.status not in STATUSES_WITH_COUNT:
            known = self.name.acquired
        if isinstance(known, dt.datetime):
            return known.replace(tzinfo=dt.UTC) if known.tzinfo is None else known.astimezone(dt.UTC)
        return known

    @cached_property
    def moment(self) -> dt.datetime | None:
        """None where only the day is known, or nothing."""
        return self.acquired if isinstance(self.acquired, dt.datetime) else None

    @cached_property
    def day(self) -> dt.date | None:
        """The day, in UTC where the time is known."""
        return self.acquired.date() if isinstance(self.acquired, dt.datetime) else self.acquired

    @cached_property
    def sensor(self) -> str | None:
        """In small letters, without the maker's name."""
        sensor = self.record.sensor or (None if self.placed else self.name.sensor)
        if not sensor:
            return None
        words = _BRANDS.sub("", sensor.strip().lower())
        return _DETECTOR.sub(r"\1", re.sub(r"[^a-z0-9]+", "-", words).strip("-")) or None

    @property
    def placed(self) -> bool:
        """True where the tile's place on Earth is known."""
        return bool(self.record.footprint) and self.record.crs is not None

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, grown by half of APART_M."""
        lon, lat = zip(*self.record.footprint, strict=True)
        east, north = metres_per_degree(min(max(abs(min(lat)), abs(max(lat))), 89.0))
        x, y = APART_M / 2 / east, APART_M / 2 / north
        return min(lon) - x, min(lat) - y, max(lon) + x, max(lat) + y

    @property
    def apart(self) -> bool:
        """True where a tile was looked at and yet has no place that others could lie beside."""
        return not self.placed and bool(self.record.footprint or self.record.status in STATUSES_WITH_COUNT)

    @property
    def named(self) -> bool:
        """True where the name itself says that a tile is of a day or of a scene; else it may be anything."""
        return self.name.acquired is not None or self.name.tile is not None

    @property
    def at_home(self) -> bool:
        """False where a tile was given up before its site was looked for."""
        has_place = self.record.site is not None or self.record.status in STATUSES_WITH_COUNT
        return self.placed and (has_place or self.record.status == "uncountable")

    @property
    def digest(self) -> str:
        """Eight letters for the content, else for the name."""
        content = self.record.sha256
        return content[:8] if content else hashlib.sha256(os.fsencode(self.record.tile)).hexdigest()[:8]

    @property
    def order(self) -> tuple[str, str]:
        """By name."""
        return self.record.tile, self.record.sha256 or ""


def grouped(records: Iterable[TileRecord]) -> list[tuple[str, tuple[TileRecord, ...]]]:
    """`railcount.observation.group`."""
    items = sorted((Item(record) for record in records), key=lambda item: item.order)
    lonely = [item for item in items if item.day is None or item.apart]
    alone = {id(item) for item in lonely}
    dated = [item for item in items if id(item) not in alone]
    groups = _parted([item for item in dated if item.at_home])
    strays = _taken_in(groups, [item for item in dated if not item.at_home])
    groups += _parted([item for item in strays if item.placed])
    lonely += [item for item in strays if not item.placed]
    groups += list(_by(lonely, lambda item: (item.digest, item.day)).values())
    return _named(groups)


def key(record: TileRecord) -> tuple[str | None, str | None, str | None]:
    """`railcount.observation.pass_key`."""
    item = Item(record)
    return _place([item]), _when([item]), item.sensor


def _parted(items: list[Item]) -> list[list[Item]]:
    """Groups of dated tiles whose place is known."""
    timed = [item for item in items if item.moment is not None]
    groups: list[list[Item]] = []
    for same_site in _by(timed, lambda item: item.record.site).values():
        groups += _split(same_site, (_by_time, _by_sensor, _by_place))
    days = [item for item in items if item.moment is None]
    days = _with_their_scene(groups, days)
    for same in _by(days, lambda item: (item.record.site, item.day)).values():
        groups += _split(same, (_by_folder, _by_sensor, _by_place))
    return groups


def _split(items: list[Item], ways: Sequence[Split]) -> list[list[Item]]:
    """Parted in every way, again and again until no way parts any more."""
    waiting, done = [items], []
    while waiting:
        whole = waiting.pop()
        parts = next((parts for way in ways if len(parts := way(whole)) > 1), None)
        if parts is None:
            done.append(whole)
        else:
            waiting += parts
    return done


def _by(items: Iterable[Item], kind: Callable[[Item], Hashable]) -> dict[Hashable, list[Item]]:
    out: defaultdict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        out[kind(item)].append(item)
    return dict(out)


def _seconds(item: Item) -> float:
    return item.moment.timestamp() if item.moment is not None else 0.0


def _by_time(items: list[Item]) -> list[list[Item]]:
    ordered = sorted(items, key=_seconds)
    parts = [ordered[:1]]
    for before, after in pairwise(ordered):
        if _seconds(after) - _seconds(before) > APART_S:
            parts.append([])
        parts[-1].append(after)
    return parts


def _by_sensor(items: list[Item]) -> list[list[Item]]:
    """Tiles of an unknown sensor go with those taken nearest in time."""
    known = {sensor: part for sensor, part in _by(items, lambda i: i.sensor).items() if sensor is not None}
    if len(known) < 2:
        return [items]
    parts = {sensor: list(part) for sensor, part in known.items()}
    for item in items:
        if item.sensor is None:
            nearest = min(
                known,
                key=lambda s: (min(abs(_seconds(k) - _seconds(item)) for k in known[s]), str(s)),
            )
            parts[nearest].append(item)
    return list(parts.values())


def _by_place(items: list[Item]) -> list[list[Item]]:
    if items[0].record.site is not None or len(items) < 2:
        return [items]
    import numpy as np
    import shapely

    boxes = shapely.box(*np.array([item.box for item in items]).T)
    return _linked(items, shapely.STRtree(boxes).query(boxes, predicate="intersects").T.tolist())


def _by_folder(items: list[Item]) -> list[list[Item]]:
    """Tiles of one day that share a folder or a scene's name."""
    first: dict[Hashable, int] = {}
    # a record of before folders were kept has its folder as it was given
    as_given = {item.folder: n for n, item in enumerate(items) if item.record.folder is None}
    pairs = []
    for n, item in enumerate(items):
        pairs.append((first.setdefault(("folder", item.folder), n), n))
        pairs.append((as_given.get(os.path.dirname(item.record.tile), n), n))
        if item.scene is not None:
            pairs.append((first.setdefault(("scene", item.scene), n), n))
    return _linked(items, pairs)


def _linked(items: list[Item], pairs: Iterable[Sequence[int]]) -> list[list[Item]]:
    """Items that are linked by pairs of their numbers, directly or over others."""
    parent = list(range(len(items)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for a, b in pairs:
        parent[root(b)] = root(a)
    out: defaultdict[int, list[Item]] = defaultdict(list)
    for n, item in enumerate(items):
        out[root(n)].append(item)
    return list(out.values())


def _with_their_scene(groups: list[list[Item]], items: Iterable[Item]) -> list[Item]:
    """Put tiles into the group that has their scene; those without one are returned."""
    homes: dict[tuple[str | None, str, bool], list[Item]] = {}
    for group in groups:
        for item in group:
            if item.scene is not None:
                homes.setdefault((None, item.scene, False), group)
                homes.setdefault((item.record.site, item.scene, True), group)
    left = []
    for item in items:
        home = None
        if item.scene is not None:
            site = item.record.site if item.at_home else None
            home = homes.get((site, item.scene, item.at_home))
        if home is None:
            left.append(item)
        else:
            home.append(item)
    return left


def _taken_in(groups: list[list[Item]], items: Iterable[Item]) -> list[Item]:
    """Put tiles that were given up into the group of their scene, moment and place, or folder and day."""
    left = _with_their_scene(groups, items)
    if not left:
        return []
    days, folders = defaultdict(list), defaultdict(list)
    for group in groups:
        for day in {item.day for item in group}:
            days[day].append(group)
        for folder, day in {(item.folder, item.day) for item in group}:
            folders[folder, day].append(group)
    lost = []
    for item in left:
        if item.placed:
            near = [group for group in days[item.day] if _fits(item, group)]
        else:
            near = folders[item.folder, item.day] if item.moment is None and item.named else []
        if len(near) == 1 or (near and item.placed):
            near[0].append(item)
        else:
            lost.append(item)
    return lost


def _fits(item: Item, group: list[Item]) -> bool:
    """Whether a tile may be of a pass, by its moment, sensor and place."""
    sensors = {other.sensor for other in group} - {None}
    if item.sensor is not None and sensors and item.sensor not in sensors:
        return False
    for other in group:
        if (item.moment is None) != (other.moment is None):
            continue
        if item.moment is None and item.folder != other.folder:
            continue
        if abs(_seconds(item) - _seconds(other)) <= APART_S and _near(item, other):
            return True
    return False


def _near(a: Item, b: Item) -> bool:
    if not (a.placed and b.placed):
        return False
    (w0, s0, e0, n0), (w1, s1, e1, n1) = a.box, b.box
    return w0 <= e1 and w1 <= e0 and s0 <= n1 and s1 <= n0


def _named(groups: Iterable[list[Item]]) -> list[tuple[str, tuple[TileRecord, ...]]]:
    """Every group with its id, by time and id; where two would have one id, the later by name is numbered."""
    ordered = [sorted(group, key=lambda item: item.order) for group in groups]
    ordered.sort(key=lambda group: (_when(group) or "~", _pass_id(group), group[0].order))
    taken: Counter[str] = Counter()
    out = []
    for group in ordered:
        name = _pass_id(group)
        taken[name] += 1
        if taken[name] > 1:
            name = f"{name}-{taken[name]}"
        out.append((name, tuple(item.record for item in group)))
    return out


def _pass_id(group: Sequence[Item]) -> str:
    when, place = _when(group), _place(group)
    if when is None:
        return f"undated-{group[0].digest}"
    if not any(item.placed for item in group):
        return f"{place or 'unplaced'}-{when}-{group[0].digest}"
    sensors = sorted({item.sensor for item in group if item.sensor is not None})
    return "-".join([place or "unplaced", when, *sensors[:1]])


def _when(group: Sequence[Item]) -> str | None:
    moments = [item.moment for item in group if item.moment is not None]
    if moments:
        return min(moments).strftime("%Y%m%dT%H%MZ")
    days = [item.day for item in group if item.day is not None]
    return min(days).strftime("%Y%m%d") if days else None


def _place(group: Sequence[Item]) -> str | None:
    """The site; without one, the middle of the first tile by name."""
    sites = sorted({item.record.site for item in group if item.record.site is not None})
    if sites:
        return sites[0]
    placed = next((item for item in group if item.placed), None)
    if placed is None:
        return None
    west, south, east, north = placed.box
    lon, lat = (west + east) / 2, (south + north) / 2
    return (
        f"{abs(lat):.{PLACE_DIGITS}f}{'n' if lat >= 0 else 's'}"
        f"{abs(lon):.{PLACE_DIGITS}f}{'e' if lon >= 0 else 'w'}"
    )
