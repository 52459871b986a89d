"""What a review's page asks for and sends, as plain values: nothing here knows how they travel."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.counts import KINDS
from railcount.errors import InputError
from railcount.history import History
from railcount.outputs.history import entered_words, range_text, review_words
from railcount.outputs.picture import KIND_COLOURS
from railcount.outputs.report.scene import rounded
from railcount.outputs.review.pictures import AROUND_M, VIEW_PX, WIDTHS_M, Pictures
from railcount.outputs.text import credit_line
from railcount.records import LON_LAT_DIGITS, PIXEL_DIGITS
from railcount.review import MAX_PARTS, Decision, review_of, stands_at
from railcount.text import escape, one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from railcount.history import Summary
    from railcount.observation import PassCount
    from railcount.records import Position
    from railcount.review import Review, Vehicle

MAX_COUNT = 1_000_000
MAX_WHY = 500
"""Characters."""
MAX_CAR_M = 60.0
"""Longest outline that can be added."""
AWAY_M = 2000.0
"""From the surroundings of the tracks, how far a place may be that is asked for."""


class Session:
    """One pass under review; the history is open only while it is used.

    Pictures are for one thread at a time, and all else is, but not both together.

    Methods that take what a page sends raise InputError for what cannot be used, and everything raises
    HistoryError as the history does.
    """

    def __init__(
        self, one: PassCount, *, history: str | os.PathLike[str] | None, who: str, why: str = ""
    ) -> None:
        """``one`` is in the history, whose path is given. Raises InputError for a pass without a date."""
        self._one = one
        self._history = history
        self._who = who
        self._why = why
        if self._summary().day is None:
            raise InputError(
                f"pass {one_line(one.id)} has no date, under which a count could be kept; count its tiles "
                "again with 'railcount batch TILE --date DAY'"
            )
        self.pictures = Pictures(one)

    # -- what the page shows ------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that the page shows, but for pixels; texts are escaped."""
        one, review, summary = self._one, self._review(), self._summary()
        hand = summary.hand
        return {
            "pass": escape(one.id),
            "day": str(summary.day),
            "simulated": one.simulated,
            "credit": escape(credit_line(one) or ""),
            "who": escape(self._who),
            "why": escape(self._why),
            "machine": range_text(one.railcars),
            "railcars": review.railcars,
            "said": escape(review_words(review)),
            "n_decisions": review.n_decisions,
            "last": review.last.action if review.last else None,
            "entered": None if hand is None else hand.observation.best,
            "entered_words": "" if hand is None else escape(entered_words(hand)),
            "vehicles": self._vehicles(review),
        }

    def setting(self) -> dict[str, Any]:
        """What stays the same while the page is open."""
        return {
            "kinds": list(KINDS),
            "colours": KIND_COLOURS,
            "max_parts": MAX_PARTS,
            "widths_m": list(WIDTHS_M),
            "view_px": list(VIEW_PX),
            "strip_around_m": AROUND_M,
            "box": [round(float(v), 2) for v in self.pictures.box],
            "has_pictures": self.pictures.any,
            "words": self.pictures.words,
        }

    def result(self) -> str:
        """What the review came to, in a sentence."""
        hand = self._summary().hand
        said = review_words(self._review())
        return f"{said}; {'not entered as the count' if hand is None else entered_words(hand)}"

    def view(self, x: float, y: float, width_m: float) -> bytes:
        """A picture of a place, metres of the page's plane. Raises InputError for one that is far away."""
        west, south, east, north = (float(v) for v in self.pictures.box)
        if not (west - AWAY_M <= x <= east + AWAY_M and south - AWAY_M <= y <= north + AWAY_M):
            raise InputError(f"the place {x:g}, {y:g} is far from the tracks")
        if width_m not in WIDTHS_M:
            raise InputError(f"a view is {', '.join(map(str, WIDTHS_M))} m wide, not {width_m:g}")
        return self.pictures.view(x, y, width_m=width_m)

    def strip(self, name: str) -> bytes:
        """A picture of a vehicle's straightened track. Raises InputError where there is none of the name."""
        return self.pictures.strip(self._named(name).ring)

    # -- what the page sends ------------------------------------------------------------------------

    def decide(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Keep a decision: ``{"action", "car"}`` with ``kind`` or ``parts``; to add, ``{"action", "ring",
        "kind"}`` with the ring in metres. Returns the state."""
        if asked.get("action") == "add":
            ring = self._ring(asked.get("ring"))
            if stands_at(ring, self._review().vehicles):
                raise InputError("a car stands there already: split it, or reject it first")
        else:
            ring = self._named(asked.get("car")).ring
        given: dict[str, Any] = {name: asked.get(name) for name in ("action", "kind", "parts")}
        if not (given["parts"] is None or type(given["parts"]) is int):
            raise InputError(f"parts must be a whole number, not {given['parts']!r:.40}")
        if not all(isinstance(given[name], str | None) for name in ("action", "kind")):
            raise InputError("action and kind must be texts")
        decision = Decision(**given, ring=ring, who=self._who, at=_now())
        with History.open(self._history, again=True) as opened:
            opened.reviews().decide(self._one.id, decision)
        return self.state()

    def undo(self, _asked: dict[str, Any]) -> dict[str, Any]:
        """Take the last decision back, also one of an earlier sitting. Returns the state, with the car that
        it was about as ``undone``."""
        with History.open(self._history, again=True) as opened:
            undone = opened.reviews().undo(self._one.id)
        if undone is None:
            raise InputError("there is no decision to take back")
        return {**self.state(), "undone": _name(undone.ring)}

    def enter(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Enter the count by hand: ``{"best", "low", "high", "why"}``. Returns the state."""
        numbers: dict[str, Any] = {name: asked.get(name) for name in ("best", "low", "high")}
        for name, n in numbers.items():
            if type(n) is not int or not 0 <= n <= MAX_COUNT:
                raise InputError(f"{name} must be a whole number from 0 to {MAX_COUNT}, not {n!r:.40}")
        why = asked.get("why", "")
        if not isinstance(why, str) or len(why) > MAX_WHY:
            raise InputError(f"why must be a text of at most {MAX_WHY} characters")
        notes = f"review: {review_words(self._review())}"
        with History.open(self._history, again=True) as opened:
            opened.add_hand_count(
                self._one.id, **numbers, who=self._who, at=_now(), why=why.strip() or None, notes=notes
            )
        return self.state()

    # -- how ----------------------------------------------------------------------------------------

    def _summary(self) -> Summary:
        with History.open(self._history, readonly=True) as opened:
            found = next(opened.summaries(pass_id=self._one.id), None)
        if found is None:
            raise InputError(f"pass {one_line(self._one.id)} is no longer in the history; start again")
        return found

    def _review(self) -> Review:
        with History.open(self._history, readonly=True) as opened:
            return review_of(self._one, opened.reviews().decisions(self._one.id))

    def _named(self, name: object) -> Vehicle:
        for one in self._review().vehicles:
            if _name(one.ring) == name:
                return one
        raise InputError(f"there is no car {name!r:.40}")

    def _ring(self, points: object) -> tuple[Position, ...]:
        """Four corners in metres as a record has them."""
        is_ring = (
            isinstance(points, list)
            and len(points) == 4
            and all(isinstance(p, list) and len(p) == 2 for p in points)
            and all(type(v) in {int, float} and math.isfinite(v) for p in points for v in p)
        )
        if not is_ring:
            raise InputError("the outline of a car that is added must be four pairs of metres")
        metres = np.array(points, dtype=np.float64)
        low, high = self.pictures.box[:2] - AWAY_M, self.pictures.box[2:] + AWAY_M
        if np.any(metres < low) or np.any(metres > high) or np.ptp(metres, axis=0).max() > MAX_CAR_M:
            raise InputError(f"a car that is added must be near the tracks and at most {MAX_CAR_M:g} m long")
        digits = PIXEL_DIGITS if self.pictures.plane.is_pixels else LON_LAT_DIGITS
        places = self.pictures.plane.positions(metres)
        return tuple((round(float(x), digits), round(float(y), digits)) for x, y in places)

    def _vehicles(self, review: Review) -> list[dict[str, Any]]:
        told = [self._vehicle(one) for one in review.vehicles if one.car is not None or one.n]
        # Stable: of equal doubt in the order of the pass.
        return sorted(told, key=lambda one: (not one["doubtful"], one["confidence"] or 0.0))

    def _vehicle(self, one: Vehicle) -> dict[str, Any]:
        car = one.car
        metres = self.pictures.plane.metres(one.ring)
        sides = np.hypot(*(metres - np.roll(metres, 1, axis=0)).T)
        return {
            "id": _name(one.ring),
            "ring": rounded(metres),
            "name": "added" if car is None else f"{car.train}.{car.position}",
            "kind": one.kind,
            "machine_kind": None if car is None else car.kind,
            "n": one.n,
            "decided": one.is_decided,
            "doubtful": one.is_doubtful,
            "track": "" if car is None else escape(car.track),
            "length_m": round(float(max(sides)) if car is None else car.length_m, 1),
            "confidence": None if car is None else round(car.confidence, 2),
            "flags": [] if car is None else [escape(flag.replace("_", " ")) for flag in car.flags],
        }


def _name(ring: Sequence[Position]) -> str:
    return hashlib.sha256(json.dumps([list(point) for point in ring]).encode("ascii")).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
