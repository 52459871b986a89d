"""Passes as STAC Items (stacspec.org, 1.1.0): when, where, from which images, and what was counted."""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from railcount import __version__
from railcount.counts import KINDS, STATUSES_WITH_COUNT
from railcount.outputs.history import counter_clockwise
from railcount.outputs.json import interval_dict, rounded
from railcount.outputs.text import credit_line, plain, time_text
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from railcount.history import StoredCount, Summary
    from railcount.observation import PassCount
    from railcount.records import TileRecord

_LOG = logging.getLogger(__name__)
STAC_VERSION = "1.1.0"


def item_pieces(passes: Iterable[tuple[Summary, PassCount]], *, folder: Path) -> Iterator[str]:
    """All passes as one ItemCollection for a file in ``folder``, piece by piece, a line an Item.

    An Item needs a time, so passes without a date are left out, and a log line says so.
    """
    yield '{\n"type": "FeatureCollection",\n"features": ['
    between = "\n"
    for summary, one in passes:
        if one.acquired is None:
            _LOG.warning("%s has no date and is left out", escape(one.id))
            continue
        yield between + json.dumps(
            item(one, hand=summary.hand, folder=folder), allow_nan=False, ensure_ascii=True
        )
        between = ",\n"
    yield "\n]\n}\n"


def item(one: PassCount, *, hand: StoredCount | None, folder: Path) -> dict[str, Any]:
    """One dated pass with the hand count that stands for it; links are seen from ``folder``.

    In pixel coordinates it has no geometry, as an Item without a place may.
    """
    rings = [tile.footprint for tile in one.tiles if tile.footprint and tile.crs is not None]
    polygons = [[[list(p) for p in (*ring, ring[0])]] for ring in map(counter_clockwise, rings)]
    made: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": plain(one.id),
        "geometry": None,
        "properties": {**_time(one), **_properties(one), "railcount:hand": _hand(hand)},
        "links": [_link(tile, folder=folder) for tile in one.tiles],
        "assets": {},
    }
    if polygons:
        lons, lats = zip(*(point for ring in rings for point in ring), strict=True)
        made["bbox"] = [min(lons), min(lats), max(lons), max(lats)]
        made["geometry"] = (
            {"type": "Polygon", "coordinates": polygons[0]}
            if len(polygons) == 1
            else {"type": "MultiPolygon", "coordinates": polygons}
        )
    return made


def _time(one: PassCount) -> dict[str, Any]:
    if isinstance(one.acquired, datetime):
        return {"datetime": time_text(one)}
    # Of a day, an Item says from when to when.
    day = one.acquired
    return {"datetime": None, "start_datetime": f"{day}T00:00:00Z", "end_datetime": f"{day}T23:59:59Z"}


def _properties(one: PassCount) -> dict[str, Any]:
    has_count = one.status in STATUSES_WITH_COUNT
    told: dict[str, Any] = {
        "version": __version__,
        "status": one.status,
        "reasons": [plain(reason) for reason in one.reasons],
        "site": plain(one.site),
        "zone": plain(one.zone),
        "simulated": one.simulated,
        "credit": credit_line(one),
        "visible_fraction": rounded(one.visible_fraction, 3),
        "railcars": interval_dict(one.railcars),
        "locomotives": interval_dict(one.locomotives),
        "covered": interval_dict(one.covered),
        "trains": one.trains,
        "occupied_m": rounded(one.occupied_m, 1),
        "by_type": {k: one.by_type[k] for k in KINDS if k in one.by_type} if has_count else None,
    }
    properties = {f"railcount:{name}": value for name, value in told.items()}
    if one.sensor:
        properties["platform"] = plain(one.sensor)
    if sizes := [tile.gsd_m for tile in one.tiles if tile.gsd_m]:
        properties["gsd"] = rounded(min(sizes), 4)
    return properties


def _hand(hand: StoredCount | None) -> dict[str, Any] | None:
    """What an analyst counted in place of the machine, and who, when and why."""
    if hand is None:
        return None
    one = hand.observation
    return {
        **{"best": one.best, "low": one.low, "high": one.high},
        "who": plain(hand.who),
        "at": None if hand.at is None else hand.at.isoformat(),
        "why": plain(hand.why),
    }


def _link(tile: TileRecord, *, folder: Path) -> dict[str, Any]:
    """The image, in the letters that an address may have: its path, seen from ``folder`` if relative."""
    path = tile.tile if os.path.isabs(tile.tile) else os.path.relpath(tile.tile, folder)
    path = path.replace(os.sep, "/")  # not a backslash that is a letter of the name
    root = PurePosixPath("/")
    address = (root / path).as_uri()
    return {
        "rel": "derived_from",
        "href": address if path.startswith("/") else address.removeprefix(root.as_uri()),
        "title": escape(PurePosixPath(path).name),
        "railcount:sha256": tile.sha256,
    }
