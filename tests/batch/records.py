"""Tiles and passes made by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

from railcount.counts import Interval
from railcount.observation import PassCount
from railcount.records import TileRecord


def tile(name: str = "a.tif", *, content: str | None = None, **changes: Any) -> TileRecord:
    """A counted tile; its content hash is that of ``content``, else of its name."""
    made = TileRecord(
        tile=f"archive/{name}",
        sha256=hashlib.sha256((content or name).encode()).hexdigest(),
        status="counted",
        acquired=dt.datetime(2023, 10, 5, 2, 11, tzinfo=dt.UTC),
        acquired_from="file_name",
        gsd_m=0.5,
        crs="EPSG:32652",
        regime="cars",
        source="found",
        visible_fraction=1.0,
        railcars=Interval(best=3, low=2, high=4),
    )
    return replace(made, **changes)


def without_count(
    name: str, *, status: Any = "uncountable", reason: str = "cloud", **more: Any
) -> TileRecord:
    """A tile that was looked at in vain."""
    return tile(name, status=status, reasons=(reason,), railcars=None, **more)


def pass_of(*tiles: TileRecord, id: str = "p", **changes: Any) -> PassCount:  # noqa: A002
    """A pass of tiles."""
    first = tiles[0]
    made = PassCount(
        id=id,
        status="counted",
        tiles=tiles,
        acquired=first.acquired,
        site=first.site,
        railcars=first.railcars,
    )
    return replace(made, **changes)
