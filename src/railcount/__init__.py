"""Counts railcars in satellite images of rail yards.

The names below load on first use, so that ``import railcount`` costs nothing but
the standard library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from railcount.baseline import Comparison as Comparison
    from railcount.counts import Car as Car
    from railcount.counts import Interval as Interval
    from railcount.counts import TileCount as TileCount
    from railcount.errors import RailcountError as RailcountError
    from railcount.notebook import Scan as Scan
    from railcount.notebook import scan as scan
    from railcount.pipeline import locate_tracks as locate_tracks
    from railcount.pipeline import scan_tile as scan_tile

__version__ = "0.1.0"

_HOMES = {
    "Car": "railcount.counts",
    "Comparison": "railcount.baseline",
    "Interval": "railcount.counts",
    "RailcountError": "railcount.errors",
    "Scan": "railcount.notebook",
    "TileCount": "railcount.counts",
    "locate_tracks": "railcount.pipeline",
    "scan": "railcount.notebook",
    "scan_tile": "railcount.pipeline",
}
"""Public name to the module that defines it."""

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604  (all are strings)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Lazy names included."""
    return sorted(set(globals()) | set(__all__))
