"""Results as strict JSON: the same count gives the same bytes."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from railcount import __version__
from railcount.counts import KINDS, STATUSES_WITH_COUNT
from railcount.outputs.text import credit_line, plain, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from railcount.baseline import Comparison
    from railcount.counts import Interval, TileCount, TrackSummary

SCHEMA_VERSION = 1


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every document satisfies."""
    text = files("railcount.outputs").joinpath("scan.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(counts: Sequence[TileCount]) -> dict[str, Any]:
    """The results of a scan as plain lists and dicts, in the order given."""
    return {
        "schema_version": SCHEMA_VERSION,
        "railcount_version": __version__,
        "results": [result(count) for count in counts],
    }


def dumps(counts: Sequence[TileCount]) -> str:
    """The results as JSON text, ASCII only, with a line break at the end."""
    return to_text(document(counts))


def to_text(value: Any) -> str:
    """Strict JSON, ASCII, indented, with a line break at the end; raises ValueError for NaN."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=True) + "\n"


def to_line(value: Any) -> str:
    """Strict JSON, ASCII, on one line without a break; raises ValueError for NaN."""
    return json.dumps(value, allow_nan=False, ensure_ascii=True)


def pieces(**lists: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A document of named lists, piece by piece, a line an element; each list is gone through once."""
    yield f'{{\n  "schema_version": {SCHEMA_VERSION},\n  "railcount_version": {to_line(__version__)}'
    for name, values in lists.items():
        yield f",\n  {to_line(name)}: ["
        between = "\n    "
        for value in values:
            yield f"{between}{to_line(value)}"
            between = ",\n    "
        yield "]" if between == "\n    " else "\n  ]"
    yield "\n}\n"


def result(count: TileCount) -> dict[str, Any]:
    """One tile. Where it has no count every counted value is null, never 0."""
    counted = count.status in STATUSES_WITH_COUNT
    acquisition = count.acquisition
    doubts = acquisition.doubts if acquisition else ()
    return {
        "tile": plain(count.tile),
        "sha256": count.sha256,
        "status": count.status,
        "reasons": [plain(reason) for reason in dict.fromkeys((*count.reasons, *doubts))],
        "credit": credit_line(acquisition),
        "acquired": time_text(acquisition),
        "acquired_from": acquisition.acquired_from if acquisition else None,
        "site": plain(count.site),
        "zone": plain(count.zone),
        "crs": count.grid.crs_name if count.grid else None,
        "gsd_m": rounded(count.grid.gsd_m, 4) if count.grid else None,
        "regime": count.regime,
        "tracks": _tracks(count.tracks),
        "railcars": interval_dict(count.railcars),
        "locomotives": interval_dict(count.locomotives),
        "trains": count.trains,
        "occupied_m": rounded(count.occupied_m, 1),
        "by_type": {k: count.by_type[k] for k in KINDS if k in count.by_type} if counted else None,
        "covered": interval_dict(count.covered),
        "comparison": comparison_dict(count.comparison),
    }


def rounded(value: float | None, digits: int) -> float | None:
    """``value`` to so many digits; None where it is missing or not a finite number."""
    if value is None or not math.isfinite(value):
        return None
    # "+ 0.0" turns -0.0 into 0.0.
    return round(float(value), digits) + 0.0


def _tracks(summary: TrackSummary | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    moved = summary.registration
    return {
        "source": summary.source,
        "n": summary.n,
        "length_m": rounded(summary.length_m, 1),
        "visible_fraction": rounded(summary.visible_fraction, 3),
        "registration": None
        if moved is None
        else {
            "east_m": rounded(moved.east_m, 2),
            "south_m": rounded(moved.south_m, 2),
            "score": rounded(moved.score, 3),
        },
        "each": [
            {
                "id": plain(track.id),
                "length_m": rounded(track.length_m, 1),
                "visible_fraction": rounded(track.visible_fraction, 3),
                "confidence": rounded(track.confidence, 3),
            }
            for track in summary.each
        ],
    }


def interval_dict(interval: Interval | None) -> dict[str, Any] | None:
    """Best, low, high and level; None stays None."""
    if interval is None:
        return None
    return {
        "best": interval.best,
        "low": interval.low,
        "high": interval.high,
        "level": rounded(interval.level, 4),
    }


def comparison_dict(comparison: Comparison | None) -> dict[str, Any] | None:
    """A comparison without the observations it rests on; None stays None."""
    if comparison is None:
        return None
    return {
        "baseline": plain(comparison.baseline),
        "window": [day.isoformat() for day in comparison.window],
        "n": comparison.n,
        "max": comparison.max,
        "median": rounded(comparison.median, 2),
        "ratio_to_max": rounded(comparison.ratio_to_max, 2),
        "level": comparison.level,
        "why": plain(comparison.why),
    }
