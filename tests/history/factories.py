"""Records and passes made by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from railcount.baseline import Observation
from railcount.counts import Interval
from railcount.observation import PassCount
from railcount.records import CarRecord, TileRecord, TrackRecord

KEY = "k" * 64
NOON = dt.datetime(2023, 10, 5, 3, 0, tzinfo=dt.UTC)


def car(n: int, *, pixels: bool = False, **given: Any) -> CarRecord:
    x, y, step = (100.0 + 30 * n, 50.0, 25.0) if pixels else (130.62 + 2e-4 * n, 42.4187, 1e-4)
    values: dict[str, Any] = {
        "track": "1",
        "train": 1,
        "position": n + 1,
        "kind": "gondola",
        "covered": (None, True, False)[n % 3],
        "length_m": 13.92,
        "width_m": 3.16,
        "heading_deg": 104.2,
        "confidence": 0.91,
        "flags": ("in_shadow", "seam") if n else (),
        "ring": ((x, y), (x, y + step / 4), (x + step, y + step / 4), (x + step, y)),
    }
    return CarRecord(**values | given)


def tile(name: str = "a.tif", *, n: int = 3, pixels: bool = False, **given: Any) -> TileRecord:
    corner = 500.0 if pixels else 0.01
    values: dict[str, Any] = {
        "tile": f"archive/2023-10-05/{name}",
        "sha256": hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(),
        "status": "counted",
        "acquired": NOON,
        "acquired_from": "tiff_tag",
        "sensor": "SSC3",
        "credit": "Planet Labs",
        "site": "tumangang",
        "zone": "freight-yard",
        "crs": None if pixels else "EPSG:32652",
        "gsd_m": 0.5,
        "regime": "single",
        "footprint": ((0.0, 0.0), (corner, 0.0), (corner, corner), (0.0, corner)),
        "source": "found",
        "length_m": 812.25,
        "visible_fraction": 0.97,
        "railcars": Interval(best=n, low=max(n - 1, 0), high=n + 2),
        "locomotives": Interval(best=1, low=0, high=1),
        "trains": 1,
        "occupied_m": 41.8,
        "by_type": {"gondola": n},
        "cars": tuple(car(k, pixels=pixels) for k in range(n)),
        "tracks": (
            TrackRecord(
                id="1", length_m=812.25, visible_fraction=0.97, confidence=0.9, line=((1.0, 2.0), (3.0, 4.0))
            ),
        ),
    }
    return TileRecord(**values | given)


def uncounted(name: str = "b.tif", status: str = "uncountable", **given: Any) -> TileRecord:
    nothing: dict[str, Any] = dict.fromkeys(("railcars", "locomotives", "trains", "occupied_m"))
    return tile(
        name, status=status, reasons=("cloud over the tracks",), cars=(), by_type={}, **nothing | given
    )


def one_pass(*tiles: TileRecord, pass_id: str | None = None, **given: Any) -> PassCount:
    """What a merge would give of tiles, by hand: the first tile's count."""
    first = tiles[0]
    names = ("status", "reasons", "acquired", "sensor", "credit", "simulated", "site", "zone", "length_m")
    more = ("visible_fraction", "railcars", "locomotives", "trains", "occupied_m", "by_type", "cars")
    values = {name: getattr(first, name) for name in (*names, *more)}
    when = first.acquired.isoformat() if first.acquired else "undated"
    return PassCount(**{"id": pass_id or f"{first.site}-{when}", "tiles": tiles, **values, **given})


def observation(day: dt.date = dt.date(2023, 10, 5), **given: Any) -> Observation:
    values: dict[str, Any] = {"first": day, "last": day, "low": 70, "best": 73, "high": 76, "source": "VOA"}
    return Observation(**values | given)
