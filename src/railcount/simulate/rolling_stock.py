"""The table of rolling stock that the renderer draws from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from railcount.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import Kind

FAMILIES = ("russian", "chinese", "north-american", "european")
LOAD_SHAPES = ("gondola", "flat")
"""Shapes that carry an open, tarpaulined or containerised load."""


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A type of vehicle; lengths in metres, heights above the rail head."""

    name: str
    families: tuple[str, ...]
    weight: float
    kind: Kind
    shape: str
    length_m: float
    """Over couplers."""
    body_m: float
    width_m: float
    height_m: float
    floor_m: float


@cache
def vehicles() -> dict[str, Vehicle]:
    """All types by name."""
    text = files("railcount.simulate").joinpath("rolling_stock.toml").read_text(encoding="utf-8")
    return {
        name: Vehicle(
            name=name,
            families=tuple(row["families"]),
            weight=float(row["weight"]),
            kind=cast("Kind", row["kind"]),
            shape=row["shape"],
            length_m=float(row["length"]),
            body_m=float(row["body"]),
            width_m=float(row["width"]),
            height_m=float(row["height"]),
            floor_m=float(row["floor"]),
        )
        for name, row in tomllib.loads(text).items()
    }


def choose(names: Sequence[str], *, key: str) -> list[Vehicle]:
    """Vehicles by type name or family.

    Raises InputError, naming ``key``, for a name that is neither.
    """
    table = vehicles()
    chosen: list[Vehicle] = []
    for name in names:
        if name in table:
            found = [table[name]]
        elif name in FAMILIES:
            found = [vehicle for vehicle in table.values() if name in vehicle.families]
        else:
            raise InputError(f"{key}: unknown vehicle or family {name!r}; families are {', '.join(FAMILIES)}")
        chosen += [vehicle for vehicle in found if vehicle not in chosen]
    return chosen
