"""What is said of a vehicle and of a track: the same columns, in one order, in every format.

GeoJSON has JSON's booleans and lists. Tables (GeoPackage, GeoParquet) have booleans, and a list as one text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from railcount.outputs.json import rounded
from railcount.outputs.text import credit_line, plain, time_text
from railcount.text import escape

if TYPE_CHECKING:
    from railcount.counts import Car, TileCount
    from railcount.observation import PassCount
    from railcount.records import CarRecord

_TAKEN = {"acquired": str, "site": str, "credit": str}
"""Of the image that a vehicle was seen in."""
CAR: dict[str, type] = {
    "track": str,
    "train": int,
    "position": int,
    "kind": str,
    "covered": bool,
    "length_m": float,
    "width_m": float,
    "heading_deg": float,
    "confidence": float,
    "flags": str,
}
"""Of the vehicle itself."""
SCAN_CARS: dict[str, type] = {"tile": str, **_TAKEN, **CAR}
HISTORY_CARS: dict[str, type] = {"pass": str, **_TAKEN, **CAR}
SCAN_TRACKS: dict[str, type] = {
    "tile": str,
    "id": str,  # what --tracks reads a line's name from
    "length_m": float,
    "visible_fraction": float,
    "confidence": float,
}
HISTORY_TRACKS: dict[str, type] = {"pass": str, **SCAN_TRACKS}


def car_cells(car: Car | CarRecord) -> dict[str, Any]:
    """What is said of one vehicle, in JSON's types."""
    return {
        "track": plain(car.track),
        "train": car.train,
        "position": car.position,
        "kind": car.kind,
        "covered": car.covered,
        "length_m": rounded(car.length_m, 2),
        "width_m": rounded(car.width_m, 2),
        "heading_deg": rounded(car.heading_deg, 1),
        "confidence": rounded(car.confidence, 3),
        "flags": list(car.flags),
    }


def scan_car(count: TileCount, car: Car) -> dict[str, Any]:
    """SCAN_CARS of one vehicle, in JSON's types."""
    taken = count.acquisition
    return {
        "tile": plain(count.tile),
        "acquired": time_text(taken),
        "site": plain(count.site),
        "credit": credit_line(taken),
        **car_cells(car),
    }


def history_car(one: PassCount, car: CarRecord) -> dict[str, Any]:
    """HISTORY_CARS of one vehicle, in JSON's types."""
    return {
        "pass": plain(one.id),
        "acquired": time_text(one),
        "site": plain(one.site),
        "credit": credit_line(one),
        **car_cells(car),
    }


def table_cells(values: dict[str, Any]) -> dict[str, Any]:
    """The same for a table: a list becomes text, and text is escaped."""
    joined = {name: ", ".join(value) if isinstance(value, list) else value for name, value in values.items()}
    return {name: escape(value) if isinstance(value, str) else value for name, value in joined.items()}
