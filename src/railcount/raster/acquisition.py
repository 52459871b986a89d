"""When, by what and under which sun a tile was taken, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

AcquiredFrom = Literal["option", "tiff_tag", "imagery_metadata", "sidecar", "file_name", "folder"]


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """What is known of how a tile was taken; None where it is not known."""

    acquired: datetime | date | None = None
    """UTC (aware) where the time of day is known, else a date."""
    acquired_from: AcquiredFrom | None = None
    """The source of ``acquired``; sources are asked in the order of the type."""
    sun_azimuth_deg: float | None = None
    """Clockwise from north, towards the sun."""
    sun_elevation_deg: float | None = None
    """Above the horizon."""
    off_nadir_deg: float | None = None
    cloud_cover: float | None = None
    """Fraction 0-1."""
    sensor: str | None = None
    sensor_gsd_m: float | None = None
    """The sensor's own ground sampling distance, coarser than the pixel where resampled."""
    credit: str | None = None
    """Credit or copyright line that must go with every output."""
    simulated: bool = False
    """True where the file's tags say that it was drawn, not photographed."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader, such as bands taken for colours that they do not name."""
    doubts: tuple[str, ...] = ()
    """Sentences on which trust in the facts hangs: sources that disagree on the date. Outputs for
    programs give them among the reasons; they change no status, since the pixels are as good as before."""
