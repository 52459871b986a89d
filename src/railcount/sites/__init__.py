"""Sites: where a yard is, what hides its tracks, and what was counted there before."""

from __future__ import annotations

from railcount.sites.catalogue import (
    entries,
    in_sight,
    load,
    locate,
    locate_footprint,
    names,
    own_files,
)
from railcount.sites.place import Occluder, Site, SiteTracks, Zone

__all__ = [
    "Occluder",
    "Site",
    "SiteTracks",
    "Zone",
    "entries",
    "in_sight",
    "load",
    "locate",
    "locate_footprint",
    "names",
    "own_files",
]
