"""Sites: where a yard is, what hides its tracks, and what was counted there before."""

from __future__ import annotations

from railcount.sites.loading import load, locate, names
from railcount.sites.place import Occluder, Site, SiteTracks, Zone

__all__ = ["Occluder", "Site", "SiteTracks", "Zone", "load", "locate", "names"]
