"""A pass corrected car by car: what the machine outlined, what an analyst decided, the count they come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from railcount.counts import KINDS, Kind
from railcount.errors import InputError
from railcount.sites.place import holds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from railcount.observation import PassCount
    from railcount.records import CarRecord, Position

Action = Literal["accept", "reject", "kind", "split", "add"]
ACTIONS: tuple[Action, ...] = get_args(Action)
MAX_PARTS = 9
"""Into which one outline can be split."""
DOUBTFUL = 0.5
"""Cars below this confidence come first, with those that carry a flag."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an analyst decided about one car. Raises InputError where kind or parts do not fit the action."""

    action: Action
    ring: tuple[Position, ...]
    """The car's corners as they were recorded, by which it is known again; of ``add``, the new car's."""
    kind: Kind | None = None
    """Of ``kind`` and ``add``."""
    parts: int | None = None
    """Of ``split``: how many cars the outline holds."""
    who: str | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the action against what comes with it."""
        if self.action not in ACTIONS:
            raise InputError(f"an action must be one of {', '.join(ACTIONS)}, not {self.action!r:.40}")
        if (self.kind is not None) != (self.action in {"kind", "add"}) or self.kind not in {None, *KINDS}:
            raise InputError(f"kind and add take a kind of {', '.join(KINDS)}, not {self.kind!r:.40}")
        if (self.parts is not None) != (self.action == "split"):
            raise InputError("split, and it alone, takes a number of parts")
        if self.parts is not None and not 2 <= self.parts <= MAX_PARTS:
            raise InputError(f"a car is split into 2 to {MAX_PARTS} parts, not {self.parts!r:.40}")
        if len(self.ring) < 3:
            raise InputError(f"a car has at least 3 corners, got {len(self.ring)}")


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A place that was outlined, by the machine or by the analyst, as it stands after the decisions."""

    ring: tuple[Position, ...]
    kind: Kind
    n: int
    """Vehicles that stand there: 0 where it was rejected, more than 1 where it was split."""
    car: CarRecord | None
    """What the machine made of it; None where the analyst added it."""
    is_decided: bool

    @property
    def is_doubtful(self) -> bool:
        """The machine was not sure of it."""
        return self.car is not None and (self.car.confidence < DOUBTFUL or bool(self.car.flags))


@dataclass(frozen=True, kw_only=True)
class Review:
    """A pass after the decisions about its cars."""

    vehicles: tuple[Vehicle, ...]
    """The machine's in the order of the pass, then the added ones in the order in which they were."""
    railcars: int
    """The corrected count: the machine's best one, and what the decisions add to it and take from it."""
    n_decisions: int
    n_unused: int
    """Of these, about cars that a later count of the pass does not have, or has by itself."""
    last: Decision | None

    @property
    def tally(self) -> dict[str, int]:
        """How many outlines were accepted, rejected, split, given another kind, added; zeros left out."""
        told = Counter(word for one in self.vehicles for word in _what_became_of(one))
        words = ("accepted", "rejected", "split", "of another kind", "added", "added and rejected")
        return {word: told[word] for word in words if told[word]}


def review_of(one: PassCount, decisions: Iterable[Decision]) -> Review:
    """The pass with the decisions applied in their order.

    A decision about a car that the pass does not hold any more, and an added car where the machine has
    one by now, change nothing and are counted as unused.
    """
    found = {
        car.ring: Vehicle(ring=car.ring, kind=car.kind, n=1, car=car, is_decided=False) for car in one.cars
    }
    before = _railcars(found.values())
    decided = tuple(decisions)
    n_unused = 0
    for decision in decided:
        after = _after(decision, found)
        n_unused += after is None
        if after is not None:
            found[after.ring] = after
    best = one.railcars.best if one.railcars else 0
    return Review(
        vehicles=tuple(found.values()),
        railcars=max(0, best + _railcars(found.values()) - before),
        n_decisions=len(decided),
        n_unused=n_unused,
        last=decided[-1] if decided else None,
    )


def _railcars(vehicles: Iterable[Vehicle]) -> int:
    return sum(one.n for one in vehicles if one.kind != "locomotive")


def _after(decision: Decision, found: dict[tuple[Position, ...], Vehicle]) -> Vehicle | None:
    """A vehicle after a decision; None where the decision is about none."""
    old = found.get(decision.ring)
    if decision.action == "add":
        if (old is not None and old.car is not None) or stands_at(decision.ring, found.values()):
            return None
        return Vehicle(ring=decision.ring, kind=decision.kind or "unknown", n=1, car=None, is_decided=True)
    if old is None:
        return None
    new = replace(old, is_decided=True)
    if decision.action == "reject":
        return replace(new, n=0)
    if decision.action == "split":
        return replace(new, n=decision.parts or 1)
    return replace(new, n=max(old.n, 1), kind=decision.kind or old.kind)


def stands_at(ring: tuple[Position, ...], vehicles: Collection[Vehicle]) -> bool:
    """True where the middle of a ring lies in a vehicle that was not rejected."""
    x, y = (sum(axis) / len(ring) for axis in zip(*ring, strict=True))
    return any(one.n and holds((*one.ring, one.ring[0]), x, y) for one in vehicles)


def _what_became_of(one: Vehicle) -> tuple[str, ...]:
    if not one.is_decided:
        return ()
    if one.car is None:
        return ("added",) if one.n else ("added and rejected",)
    if not one.n:
        return ("rejected",)
    words = (("split",) if one.n > 1 else ()) + (("of another kind",) if one.kind != one.car.kind else ())
    return words or ("accepted",)
