"""The scene: what a drawing must show. Everything left out is drawn from the seed."""

# The helpers below only wrap dataclasses.field, so calling them in defaults is safe.
# ruff: noqa: RUF009

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from railcount.errors import InputError
from railcount.text import quoted

Span = float | tuple[float, float] | None
"""A fixed number, a (low, high) range to draw from, or None: drawn from the default range."""


MAX_NAME_BYTES = 200
"""File systems take names of 255; what the files of a scene add to its name takes 50."""


def _span(low: float, high: float) -> Any:
    """A number field within limits: fixed, a range, or drawn."""
    return field(default=None, metadata={"type": "span", "limits": (low, high)})


def _number(default: float, low: float, high: float) -> Any:
    """A number field that has a default instead of being drawn."""
    return field(default=default, metadata={"type": "number", "limits": (low, high)})


def _whole(default: int | None, low: int, high: int) -> Any:
    return field(default=default, metadata={"type": "whole", "limits": (low, high)})


def _choice(default: str | None, *names: str) -> Any:
    return field(default=default, metadata={"type": "choice", "names": names})


def _flag(default: bool | None) -> Any:
    return field(default=default, metadata={"type": "flag"})


def _text(default: str | None) -> Any:
    return field(default=default, metadata={"type": "text"})


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the tracks lie."""

    kind: str = _choice("straight", "straight", "curved", "ladder", "empty")
    """ladder: tracks leave a lead at 1:9 switches; empty: no tracks at all."""
    n_tracks: int | None = _whole(None, 0, 60)
    spacing_m: Span = _span(3.4, 30.0)
    """Between track centres; drawn 3.6-6 m."""
    spacings_m: tuple[float, ...] | None = field(
        default=None, metadata={"type": "numbers", "limits": (3.4, 60.0)}
    )
    """Each gap between neighbouring tracks, n_tracks - 1 of them, instead of ``spacing_m``."""
    azimuth_deg: Span = _span(-360.0, 360.0)
    """Direction of the tracks, clockwise from north."""
    radius_m: Span = _span(150.0, 100_000.0)
    """Of the middle track of a curved layout."""
    shift_m: Span = _span(-10_000.0, 10_000.0)
    """The yard's middle, to the right of the frame's centre as seen along the tracks."""
    lead_start: Span = _span(0.0, 1.0)
    """Where a ladder's lead begins, as a fraction of the way across the frame."""
    n_through: int | None = _whole(None, 0, 60)
    """Tracks of a ladder that run through without joining the lead; drawn."""
    n_crossovers: int | None = _whole(None, 0, 10)
    """Links between neighbouring straight or curved tracks."""


@dataclass(frozen=True, kw_only=True)
class Sun:
    """Where the sun stands; computed where place and time are given, else drawn."""

    azimuth_deg: Span = _span(0.0, 360.0)
    elevation_deg: Span = _span(3.0, 90.0)
    sky: Span = _span(0.0, 1.0)
    """Light from the sky alone over direct light on flat ground; drawn 0.15-0.35."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What lies under and beside the tracks."""

    ballast: str | None = _choice(None, "light", "grey", "brown", "dark", "oily")
    weeds: Span = _span(0.0, 1.0)
    rust: Span = _span(0.0, 1.0)
    """How brown rails and sleepers are."""
    surroundings: str | None = _choice(None, "grass", "dirt", "paved", "fields")
    season: str | None = _choice(None, "summer", "autumn", "winter", "spring")
    season_tint: Span = _span(0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A row of coupled vehicles at a fixed place."""

    track: str = _text("1")
    start_m: float | None = field(default=None, metadata={"type": "number", "limits": (-1e5, 1e5)})
    """Along the track, from where its centre line begins; drawn where left out."""
    n: int = _whole(1, 1, 200)
    vehicle: str | None = _text(None)
    """A name in rolling_stock.toml; drawn for the whole cut where left out."""
    load: str | None = _choice(None, "empty", "bulk", "tarpaulin", "container", "mixed")
    colour: str | None = _text(None)
    """Name of a paint."""


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What stands on the tracks."""

    n_railcars: int | None = _whole(None, 0, 5000)
    """Exactly so many in the frame, those of ``cuts`` included; drawn from ``fill`` where left out."""
    fill: Span = _span(0.0, 0.95)
    """Part of the usable track that is occupied."""
    n_locomotives: int | None = _whole(None, 0, 50)
    families: tuple[str, ...] | None = field(default=None, metadata={"type": "texts"})
    """Vehicle names or the families russian, chinese, north-american, european; drawn."""
    covered: Span = _span(0.0, 1.0)
    """Part of the gondolas and flats whose load lies under tarpaulins."""
    loaded: Span = _span(0.0, 1.0)
    """Part of the open wagons that carry something."""
    like: Span = _span(0.0, 1.0)
    """How alike the cars of a block are: 1 = all of one kind and colour."""
    block_n: Span = _span(1.0, 100.0)
    """Mean number of cars in a cut."""
    camouflage: Span = _span(0.0, 1.0)
    """How far body colours are drawn towards the ballast's."""
    tracks: tuple[str, ...] | None = field(default=None, metadata={"type": "texts"})
    """Ids of the tracks that may hold vehicles; all where left out."""
    edge_cars: bool = _flag(True)
    """Whether vehicles may be cut by the tile's edge."""
    cuts: tuple[Cut, ...] = field(default=(), metadata={"type": "tables", "of": Cut})


@dataclass(frozen=True, kw_only=True)
class Lineside:
    """Things that are not railcars; None is drawn, 0 is none."""

    masts: int | None = _whole(None, 0, 200)
    gantries: int | None = _whole(None, 0, 20)
    wires: bool | None = _flag(None)
    platforms: int | None = _whole(None, 0, 5)
    canopies: int | None = _whole(None, 0, 3)
    buildings: int | None = _whole(None, 0, 60)
    roads: int | None = _whole(None, 0, 3)
    trucks: int | None = _whole(None, 0, 200)
    ground_containers: int | None = _whole(None, 0, 200)
    piles: int | None = _whole(None, 0, 100)
    hedges: int | None = _whole(None, 0, 10)
    fences: int | None = _whole(None, 0, 10)
    trees: int | None = _whole(None, 0, 500)
    lots: int = _whole(0, 0, 6)
    """Of parked automobiles."""
    trailer_rows: int = _whole(0, 0, 20)
    """Of semi-trailers parked along the tracks."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What lies on the ground and hangs in the air."""

    snow: Span = _span(0.0, 1.0)
    """0 none, 0.3 patches, 1 deep; drawn as none."""
    haze: Span = _span(0.0, 0.9)
    """Part of the light that haze replaces."""
    cloud: Span = _span(0.0, 1.0)
    """Part of the tile under cloud."""
    wet: Span = _span(0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """How the picture is taken."""

    bands: int = _whole(3, 1, 4)
    bit_depth: int = _whole(8, 8, 16)
    """8, 11 or 16; 11 and 16 are stored as uint16."""
    resolution_m: Span = _span(0.05, 20.0)
    """True resolution, at least the pixel; drawn 1.0-1.5 pixels."""
    off_nadir_deg: Span = _span(0.0, 40.0)
    """How far aslant the sensor looks: tall things lean away from it; drawn 0-16, mostly small."""
    view_azimuth_deg: Span = _span(0.0, 360.0)
    """From the ground to the sensor, clockwise from north."""
    pansharpen: bool | None = _flag(None)
    halo: Span = _span(0.0, 2.0)
    """Strength of the sharpening that leaves halos."""
    snr: Span = _span(5.0, 1000.0)
    """Signal to noise at mean brightness."""
    jpeg_quality: int | None = _whole(None, 10, 100)
    """Blocks and ringing of JPEG at this quality; 100 is none, drawn where left out (8 bit only)."""
    contrast: Span = _span(0.2, 2.0)
    saturation: Span = _span(0.0, 2.0)
    """Strength of colours in 8 bit; drawn 0.5-1."""
    collar: Span = _span(0.0, 0.5)
    """Part of the tile outside the footprint, at slanted edges; drawn as none."""


SECTIONS: dict[str, type] = {
    "layout": Layout,
    "sun": Sun,
    "ground": Ground,
    "stock": Stock,
    "lineside": Lineside,
    "weather": Weather,
    "sensor": Sensor,
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A yard to be drawn; with a seed it is one picture."""

    name: str = _text("scene")
    width_px: int = _whole(1000, 16, 20_000)
    height_px: int = _whole(800, 16, 20_000)
    gsd_m: float = _number(0.5, 0.1, 10.0)
    crs: str = _text("EPSG:32652")
    """A projected CRS in metres."""
    centre_lon_lat: tuple[float, float] = field(
        default=(130.6222, 42.4187), metadata={"type": "numbers", "limits": (-180.0, 180.0)}
    )
    """Of the frame. The default is the freight yard at Tumangang."""
    acquired: datetime | None = field(default=None, metadata={"type": "time"})
    """UTC; none is written where left out."""
    yard_seed: int | None = _whole(None, 0, 2**63 - 1)
    """Fixes tracks, ground and lineside, so that one yard can be drawn on many dates."""
    layout: Layout = field(default_factory=Layout)
    sun: Sun = field(default_factory=Sun)
    ground: Ground = field(default_factory=Ground)
    stock: Stock = field(default_factory=Stock)
    lineside: Lineside = field(default_factory=Lineside)
    weather: Weather = field(default_factory=Weather)
    sensor: Sensor = field(default_factory=Sensor)

    def __post_init__(self) -> None:
        """Refuse values outside their limits.

        Raises InputError naming the key.
        """
        _check(self, "")
        check_name(self.name)
        if self.sensor.bands not in (1, 3, 4):
            raise InputError(f"sensor.bands must be 1, 3 or 4, not {self.sensor.bands}")
        if self.sensor.bit_depth not in (8, 11, 16):
            raise InputError(f"sensor.bit_depth must be 8, 11 or 16, not {self.sensor.bit_depth}")
        if self.acquired is not None and self.acquired.tzinfo is None:
            raise InputError("acquired must say its time zone, such as 2023-10-05T02:11:00Z")

    @property
    def acquired_utc(self) -> datetime | None:
        """``acquired`` in UTC."""
        return None if self.acquired is None else self.acquired.astimezone(UTC)


def check_name(name: str) -> None:
    """Refuse a name that makes no plain file name, before anything is drawn under it.

    Raises InputError.
    """
    is_plain = name and Path(name).name == name and not name.startswith(".") and name.isprintable()
    if not is_plain or len(name.encode("utf-8")) > MAX_NAME_BYTES:
        raise InputError(
            f"name must make a plain file name of at most {MAX_NAME_BYTES} bytes, not {quoted(name)}"
        )


def _check(table: Any, prefix: str) -> None:
    """Check every field of a (nested) scene dataclass against its metadata."""
    for item in dataclasses.fields(table):
        key, value = prefix + item.name, getattr(table, item.name)
        if dataclasses.is_dataclass(value):
            _check(value, f"{key}.")
        elif item.metadata.get("type") == "tables":
            for number, entry in enumerate(value):
                _check(entry, f"{key}[{number}].")
        elif value is not None:
            _check_value(key, value, dict(item.metadata))
        elif item.default is not None:
            raise InputError(f"{key} must have a value")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(key: str, value: Any, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise InputError(f"{key} must lie between {limits[0]:g} and {limits[1]:g}, not {quoted(value)}")


def _check_value(key: str, value: Any, meta: dict[str, Any]) -> None:
    kind = meta["type"]
    if kind == "whole":
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"{key} must be a whole number, not {quoted(value)}")
        _within(key, value, meta["limits"])
    elif kind in ("number", "span") and _is_number(value):
        _within(key, value, meta["limits"])
    elif kind == "span":
        if not (isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value))):
            raise InputError(f"{key} must be a number or a [low, high] pair, not {quoted(value)}")
        if value[0] > value[1]:
            raise InputError(f"{key} must give the low end first, not {quoted(list(value))}")
        for end in value:
            _within(key, end, meta["limits"])
    elif kind == "numbers":
        if not (isinstance(value, tuple) and all(map(_is_number, value))):
            raise InputError(f"{key} must be a list of numbers, not {quoted(value)}")
        for number in value:
            _within(key, number, meta["limits"])
    else:
        _check_word(key, value, meta)


def _check_word(key: str, value: Any, meta: dict[str, Any]) -> None:
    kind = meta["type"]
    good = {
        "number": False,
        "choice": value in meta.get("names", ()),
        "flag": isinstance(value, bool),
        "text": isinstance(value, str),
        "texts": isinstance(value, tuple) and all(isinstance(word, str) for word in value),
        "time": isinstance(value, datetime),
    }[kind]
    if not good:
        wanted = {
            "number": "a number",
            "choice": "one of " + ", ".join(meta.get("names", ())),
            "flag": "true or false",
            "text": "a text",
            "texts": "a list of texts",
            "time": "a date and time with its zone",
        }[kind]
        raise InputError(f"{key} must be {wanted}, not {quoted(value)}")
