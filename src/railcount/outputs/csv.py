"""One row per tile, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING, Any

from railcount.counts import KINDS
from railcount.outputs.json import result
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import TileCount

_TEXT = ("tile", "sha256", "status", "reasons", "credit", "acquired", "acquired_from", "site", "zone", "crs")
_INTERVALS = ("railcars", "locomotives", "covered")
_BOUNDS = ("best", "low", "high", "level")
_TRACKS = ("source", "n", "length_m", "visible_fraction")
_COMPARISON = ("level", "n", "max", "median", "ratio_to_max", "why")

COLUMNS = (
    *_TEXT,
    "gsd_m",
    "regime",
    *(f"{name}_{bound}" for name in _INTERVALS for bound in _BOUNDS),
    "trains",
    "occupied_m",
    *(f"type_{kind}" for kind in KINDS),
    *(f"tracks_{name}" for name in _TRACKS),
    *(f"comparison_{name}" for name in _COMPARISON),
)

TEXT_COLUMNS = frozenset({*_TEXT, "regime", "tracks_source", "comparison_level", "comparison_why"})


def dumps(counts: Sequence[TileCount]) -> str:
    """A header and one row per tile. An unknown value is an empty cell, never 0."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for count in counts:
        cells = row(count)
        writer.writerow({k: defuse(v) if isinstance(v, str) else v for k, v in cells.items()})
    return out.getvalue()


def row(count: TileCount) -> dict[str, Any]:
    """One tile's cells by column."""
    data = result(count)
    data["reasons"] = " | ".join(data["reasons"])
    cells: dict[str, Any] = {name: data[name] for name in (*_TEXT, "gsd_m", "regime", "trains", "occupied_m")}
    for name in _INTERVALS:
        cells |= {f"{name}_{bound}": (data[name] or {}).get(bound) for bound in _BOUNDS}
    for kind in KINDS:
        cells[f"type_{kind}"] = None if data["by_type"] is None else data["by_type"].get(kind, 0)
    cells |= {f"tracks_{name}": (data["tracks"] or {}).get(name) for name in _TRACKS}
    cells |= {f"comparison_{name}": (data["comparison"] or {}).get(name) for name in _COMPARISON}
    return {name: escape(value) if isinstance(value, str) else value for name, value in cells.items()}


def defuse(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before = + - @ tab and CR.

    Their full-width forms are formulas too, in some languages.
    """
    return f"'{text}" if unicodedata.normalize("NFKC", text[:1]) in {"=", "+", "-", "@", "\t", "\r"} else text
