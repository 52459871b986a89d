"""The tiles of one pass as one count."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.counts import STATUSES_WITH_COUNT
from railcount.errors import InputError
from railcount.observation import PassCount
from railcount.observation.ground import Footprint, Frame
from railcount.observation.totals import CAR_M, View, summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from railcount.counts import Status
    from railcount.records import TileRecord

SAME_GROUND = 0.9
"""Of the ground of two footprints together, in both: then they are versions of one image."""
COVERED = 0.95
"""Of a footprint, within others: then a tile without a count is not missed."""
MOVED_APART_M = 3.0
"""Between the shifts of lines in two tiles of a pass; tracks are 3.6 m apart at least."""
WORST: tuple[Status, ...] = (
    "uncountable",
    "timeout",
    "crashed",
    "failed",
    "refused",
    "no_data",
    "skipped",
    "degraded",
    "counted",
)
"""Of a pass without a count, its tiles' first status here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tiles:
    """The tiles of a pass, sorted out."""

    counted: tuple[TileRecord, ...]
    """By name; of several versions of an image, one."""
    uncounted: tuple[TileRecord, ...]
    said: tuple[str, ...]
    """About versions left out."""


def merged(records: Sequence[TileRecord], *, pass_id: str) -> PassCount:
    """`railcount.observation.merge`."""
    tiles = tuple(sorted(_distinct(records), key=lambda one: (one.tile, one.sha256 or "")))
    if not tiles:
        raise InputError("a pass has at least one tile, this one has none")
    names = _short_names(tiles)
    plain = [one for one in tiles if one.footprint and one.crs is not None]
    frame = Frame.around(place for one in plain for place in one.footprint) if plain else None
    sorted_out = _sorted_out(tiles, names, frame)
    counted = sorted_out.counted
    told = _facts(tiles, counted or tiles, pass_id=pass_id)
    if not counted:
        status = min((one.status for one in tiles), key=WORST.index)
        return replace(told, status=status, reasons=(*_reasons(tiles, names), *sorted_out.said))
    if len(counted) > 1 and any(one not in plain for one in counted):
        raise InputError("tiles without a place on Earth cannot be joined: each is a pass of its own")
    ground = [_ground(one, frame) for one in counted]
    missed = tuple(one for one in sorted_out.uncounted if not _covered(_ground(one, frame), ground))
    counted, moved = _moved_alike(counted, names)
    view = View.of(counted, missed, frame=frame)
    reasons = (*_reasons((*counted, *missed), names), *sorted_out.said, *moved)
    told = replace(told, length_m=round(view.length_m, 2), visible_fraction=view.visible_fraction)
    if reason := view.uncountable:
        return replace(told, status="uncountable", reasons=(*reasons, reason))
    doubtful = view.doubtful or moved or any(one.status == "degraded" for one in counted)
    told = replace(told, status="degraded" if doubtful else "counted", reasons=(*reasons, *view.said))
    return summed(told, view)


def _distinct(records: Iterable[TileRecord]) -> list[TileRecord]:
    """The records without those that come again; of two results of one tile, the better."""
    kept: dict[tuple[str, str | None], TileRecord] = {}
    for one in records:
        known = kept.setdefault((one.tile, one.sha256), one)
        if known != one:
            better = max(known, one, key=lambda record: (WORST.index(record.status), repr(record)))
            kept[one.tile, one.sha256] = better
    return list(kept.values())


def _short_names(tiles: Sequence[TileRecord]) -> dict[str, str]:
    """How the tiles are called in sentences: by the file's name, where that tells them apart."""
    short = [os.path.basename(one.tile) for one in tiles]
    n = Counter(short)
    return {one.tile: name if n[name] == 1 else one.tile for one, name in zip(tiles, short, strict=True)}


def _sorted_out(tiles: Sequence[TileRecord], names: dict[str, str], frame: Frame | None) -> _Tiles:
    """Tiles with a count, without other versions of the same image; and those without one."""
    with_count = [one for one in tiles if one.status in STATUSES_WITH_COUNT and one.railcars is not None]
    best_first = sorted(with_count, key=_worth)
    kept: list[TileRecord] = []
    boxes = np.full((len(best_first), 4), np.nan)
    """Of the kept ones; without a place NaN, which is near nothing."""
    of_content: dict[str | None, int] = {}
    said = []
    for one in best_first:
        ground = _ground(one, frame)
        box = boxes[len(kept)] if ground is None else ground.box
        known = boxes[: len(kept)]
        # only who may be one is looked at closely: of a thousand tiles side by side a few, of a thousand
        # versions of one image the first
        near = np.flatnonzero(((box[:2] <= known[:, 2:] + 1.0) & (known[:, :2] <= box[2:] + 1.0)).all(axis=1))
        may_be = sorted({*near.tolist(), of_content.setdefault(one.sha256, len(kept))})
        twin = next((kept[m] for m in may_be if m < len(kept) and _same_image(one, kept[m])), None)
        if twin is None:
            boxes[len(kept)] = box
            kept.append(one)
        else:
            said.append(
                f"{names[one.tile]} shows the same ground as {names[twin.tile]}, which is counted alone"
            )
    counted = {(one.tile, one.sha256) for one in kept}
    with_one = {(one.tile, one.sha256) for one in with_count}
    return _Tiles(
        counted=tuple(one for one in tiles if (one.tile, one.sha256) in counted),
        uncounted=tuple(one for one in tiles if (one.tile, one.sha256) not in with_one),
        said=tuple(sorted(said)),
    )


def _worth(one: TileRecord) -> tuple[bool, float, float, str]:
    """The best version of an image first: by status, pixels, what was seen, and name."""
    visible = 1.0 if one.visible_fraction is None else one.visible_fraction
    return one.status != "counted", round(one.gsd_m or 0.0, 2), -round(visible, 2), one.tile


def _same_image(one: TileRecord, other: TileRecord) -> bool:
    if one.sha256 is not None and one.sha256 == other.sha256:
        return True
    if one.crs is None or other.crs is None or not one.footprint or not other.footprint:
        return False
    frame = Frame.around((*one.footprint, *other.footprint))
    a, b = (Footprint.of(frame.metres(record.footprint)) for record in (one, other))
    shared = a.shared_m2(b)
    return shared >= SAME_GROUND * (a.area_m2 + b.area_m2 - shared)


def _moved_alike(
    counted: tuple[TileRecord, ...], names: dict[str, str]
) -> tuple[tuple[TileRecord, ...], tuple[str, ...]]:
    """Tiles whose given lines were moved otherwise than those of the tile with most track, and that said.

    One image lies on a map in one way. Where little track crosses a tile its lines are easily moved onto
    the neighbours of their own; what stands on them is then open, as `railcount.doubt` has it.
    """
    given = [one for one in counted if one.registration_m is not None]
    if len(given) < 2:
        return counted, ()
    most = max(given, key=lambda one: (one.length_m, one.tile))
    out, said = [], []
    for one in counted:
        apart_m = 0.0
        if one.registration_m is not None and most.registration_m is not None:
            apart_m = math.dist(one.registration_m, most.registration_m)
        if apart_m > MOVED_APART_M and one.railcars is not None:
            room = math.floor(one.length_m / CAR_M)
            opened = replace(one.railcars, low=0, high=max(one.railcars.high, room))
            out.append(replace(one, railcars=opened))
            said.append(
                f"{names[one.tile]}: its lines were moved {apart_m:.1f} m otherwise than those of "
                f"{names[most.tile]}: they may lie beside their tracks"
            )
        else:
            out.append(one)
    return tuple(out), tuple(said)


def _ground(one: TileRecord, frame: Frame | None) -> Footprint | None:
    if frame is None or one.crs is None or not one.footprint:
        return None
    return Footprint.of(frame.metres(one.footprint))


def _covered(one: Footprint | None, counted: Sequence[Footprint | None]) -> bool:
    """Whether other tiles with a count show all the ground of one without."""
    if one is None:
        return False
    at = _spread(one)
    seen = np.zeros(len(at), dtype=np.bool_)
    for other in counted:
        if other is not None and other.is_near(one):
            seen |= other.inside_m(at) >= 0
    return bool(seen.mean() >= COVERED)


def _spread(ground: Footprint, *, n: int = 24) -> np.ndarray:
    """Points spread evenly over a four-cornered footprint."""
    u, v = (axis.ravel()[:, None] for axis in np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2))
    a, b, c, d = ground.corners[:4]
    return np.asarray((1 - u) * (1 - v) * a + u * (1 - v) * b + u * v * c + (1 - u) * v * d)


def _reasons(tiles: Sequence[TileRecord], names: dict[str, str]) -> tuple[str, ...]:
    """Reasons and doubts of all tiles, each once, with the names of the tiles where not all have it."""
    whose: dict[str, list[str]] = {}
    for one in tiles:
        said = one.reasons or ((f"it ended as {one.status}",) if one.railcars is None else ())
        for reason in (*said, *one.doubts):
            holders = whose.setdefault(reason, [])
            if names[one.tile] not in holders:
                holders.append(names[one.tile])
    return tuple(
        reason if len(holders) == len(tiles) else f"{', '.join(holders)}: {reason}"
        for reason, holders in whose.items()
    )


def _facts(tiles: Sequence[TileRecord], counted: Sequence[TileRecord], *, pass_id: str) -> PassCount:
    """What is known of a pass besides what stands there."""
    sensors = dict.fromkeys(one.sensor for one in tiles if one.sensor)
    credit = dict.fromkeys(one.credit for one in tiles if one.credit)
    zones = {one.zone for one in counted}
    return PassCount(
        id=pass_id,
        status="failed",
        tiles=tuple(tiles),
        acquired=_earliest(tiles),
        sensor=next(iter(sensors), None),
        credit="; ".join(credit) or None,
        simulated=any(one.simulated for one in tiles),
        site=next((one.site for one in tiles if one.site is not None), None),
        zone=next(iter(zones)) if len(zones) == 1 else None,
    )


def _earliest(tiles: Sequence[TileRecord]) -> dt.datetime | dt.date | None:
    known = [one.acquired for one in tiles if one.acquired is not None]
    moments = [at for at in known if isinstance(at, dt.datetime)]
    if moments:
        return min(moments, key=lambda at: (at.replace(tzinfo=at.tzinfo or dt.UTC), at.isoformat()))
    return min(known, default=None)
