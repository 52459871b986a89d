"""The results of a batch: strict JSON in pieces, since there may be many, and text for people."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from railcount.counts import KINDS, STATUSES_WITH_COUNT
from railcount.outputs.json import comparison_dict, interval_dict, pieces, rounded
from railcount.outputs.text import credit_line, plain, time_text
from railcount.text import escape, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from railcount.baseline import Comparison
    from railcount.batch.planning import LeftOut
    from railcount.observation import PassCount
    from railcount.records import TileRecord

MOST_REASONS = 200
"""Different reasons that a closing table tells apart; tiles with yet others are counted together."""
MOST_LINES = 20
"""Up to so many tiles without a count each have a line; more are grouped by reason."""
NAMED = 3
"""Tiles named for a reason that several share."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every document satisfies."""
    text = files("railcount.outputs").joinpath("batch.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(
    *,
    passes: Iterable[tuple[PassCount, Comparison | None]],
    results: Iterable[TileRecord],
    passed_over: Iterable[LeftOut],
) -> Iterator[str]:
    """The whole batch as JSON text, ASCII only, piece by piece; each input is gone through once."""
    return pieces(
        passes=(pass_dict(one, comparison) for one, comparison in passes),
        results=(result_dict(record) for record in results),
        passed_over=({"path": plain(o.tile), "reason": plain(o.reason)} for o in passed_over),
    )


def pass_dict(one: PassCount, comparison: Comparison | None) -> dict[str, Any]:
    """One pass; without a count every counted value is null, never 0."""
    doubts = [doubt for tile in one.tiles for doubt in tile.doubts]
    return {
        "id": plain(one.id),
        "status": one.status,
        "reasons": [plain(reason) for reason in dict.fromkeys((*one.reasons, *doubts))],
        "credit": credit_line(one),
        "acquired": time_text(one),
        "sensor": plain(one.sensor),
        "site": plain(one.site),
        "zone": plain(one.zone),
        "tiles": [plain(tile.tile) for tile in one.tiles],
        "length_m": rounded(one.length_m, 1),
        "visible_fraction": rounded(one.visible_fraction, 3),
        **_counts(one),
        "comparison": comparison_dict(comparison),
    }


def result_dict(record: TileRecord) -> dict[str, Any]:
    """One tile, with the keys of a scan's result; its pass is what is compared."""
    moved = record.registration_m
    return {
        "tile": plain(record.tile),
        "sha256": record.sha256,
        "status": record.status,
        "reasons": [plain(reason) for reason in dict.fromkeys((*record.reasons, *record.doubts))],
        "credit": credit_line(record),
        "acquired": time_text(record),
        "acquired_from": record.acquired_from,
        "site": plain(record.site),
        "zone": plain(record.zone),
        "crs": record.crs,
        "gsd_m": rounded(record.gsd_m, 4),
        "regime": record.regime,
        "tracks": None
        if record.source is None
        else {
            "source": record.source,
            "n": len(record.tracks),
            "length_m": rounded(record.length_m, 1),
            "visible_fraction": rounded(record.visible_fraction, 3),
            "registration": None
            if moved is None
            else {
                "east_m": rounded(moved[0], 2),
                "south_m": rounded(moved[1], 2),
                "score": rounded(record.registration_score, 3),
            },
            "each": [
                {
                    "id": plain(track.id),
                    "length_m": rounded(track.length_m, 1),
                    "visible_fraction": rounded(track.visible_fraction, 3),
                    "confidence": rounded(track.confidence, 3),
                }
                for track in record.tracks
            ],
        },
        **_counts(record),
        "comparison": None,
    }


def _counts(counted: TileRecord | PassCount) -> dict[str, Any]:
    has_count = counted.status in STATUSES_WITH_COUNT
    return {
        "railcars": interval_dict(counted.railcars),
        "locomotives": interval_dict(counted.locomotives),
        "trains": counted.trains,
        "occupied_m": rounded(counted.occupied_m, 1),
        "by_type": {k: counted.by_type[k] for k in KINDS if k in counted.by_type} if has_count else None,
        "covered": interval_dict(counted.covered),
    }


def pass_line(one: PassCount, comparison: Comparison | None, *, is_again: bool = False) -> str:
    """One pass on one line, escaped, columns aligned with those of other passes.

    ``is_again``: it stands for an earlier line of the same pass, with fewer tiles.
    """
    when = (time_text(one) or "no date").replace("T", " ")[:16]
    where = escape(one.site or "no known site")
    count = "no count"
    if one.railcars is not None:
        count = f"{one.railcars.best} ({one.railcars.low}-{one.railcars.high})"
    level = "-" if comparison is None else comparison.level.replace("_", " ")
    line = f"{when:<16}  {where:<14}  {count:<15}  {level:<20}  {one.status}"
    n_without = sum(tile.status not in STATUSES_WITH_COUNT for tile in one.tiles)
    notes = []
    if (one.site is None or one.acquired is None) and one.tiles:
        notes.append(one_line(one.tiles[0].tile))
    if len(one.tiles) > 1:
        notes.append(f"{len(one.tiles)} tiles" + (f", {n_without} without a count" if n_without else ""))
    if is_again:
        notes.append("in place of the earlier line")
    if one.simulated:
        notes.append("simulated")
    if doubts := list(dict.fromkeys(doubt for tile in one.tiles for doubt in tile.doubts)):
        notes.append("date in doubt: " + "; ".join(one_line(doubt) for doubt in doubts))
    return line + (f"  ({'; '.join(notes)})" if notes else "")


class Uncounted:
    """What was not counted and why, in a memory that does not grow with the number of tiles."""

    def __init__(self) -> None:
        self.n = 0
        self._lines: list[tuple[str, str]] = []
        self._groups: dict[str, tuple[int, list[str]]] = {}
        self._n_others = 0

    def add(self, path: str, *, status: str, reason: str) -> None:
        """One file; ``status`` in a word."""
        self.n += 1
        name, words = one_line(path), f"{status}: {one_line(reason)}"
        if len(self._lines) < MOST_LINES:
            self._lines.append((name, words))
        if words in self._groups:
            n, names = self._groups[words]
            self._groups[words] = n + 1, sorted([*names, name])[:NAMED]
        elif len(self._groups) < MOST_REASONS:
            self._groups[words] = 1, [name]
        else:
            self._n_others += 1

    def lines(self) -> Iterator[str]:
        """A line a file, or where there are many a line a reason; none where everything was counted."""
        if not self.n:
            return
        yield "Not counted:"
        if self.n <= MOST_LINES:
            for name, words in sorted(self._lines):
                yield f"  {name}: {words}"
            return
        for words, (n, names) in sorted(self._groups.items(), key=lambda item: (-item[1][0], item[0])):
            more = f" and {n - len(names)} more" if n > len(names) else ""
            yield f"  {n:>6} x {words} ({', '.join(names)}{more})"
        if self._n_others:
            yield f"  {self._n_others:>6} x for other reasons"
