"""What decisions about cars come to."""

from __future__ import annotations

from typing import Any

import pytest

from railcount.counts import Interval
from railcount.errors import InputError
from railcount.review import Decision, review_of
from tests.history.factories import car, one_pass, tile

RINGS = [car(n).ring for n in range(4)]
ELSEWHERE = tuple((x, y + 0.01) for x, y in RINGS[0])
BESIDE = tuple((x, y + 1e-5) for x, y in RINGS[1])
"""Its middle lies in the second car."""


def decided(*given: tuple[Any, ...], n: int = 3, **more: Any) -> Any:
    """The review of a pass of ``n`` cars after (action, ring, value) each."""
    names = {"kind": "kind", "add": "kind", "split": "parts"}
    decisions = [
        Decision(action=action, ring=ring, who="Ana", **({names[action]: value[0]} if value else {}))
        for action, ring, *value in given
    ]
    return review_of(one_pass(tile(n=n, **more)), decisions)


def test_nothing_decided_is_the_machines_count() -> None:
    one = decided()
    assert (one.railcars, one.n_decisions, one.n_unused, one.last, one.tally) == (3, 0, 0, None, {})
    assert [v.is_decided for v in one.vehicles] == [False] * 3


@pytest.mark.parametrize(
    ("decision", "railcars", "tally"),
    [
        (("accept", RINGS[0]), 3, {"accepted": 1}),
        (("reject", RINGS[0]), 2, {"rejected": 1}),
        (("split", RINGS[0], 2), 4, {"split": 1}),
        (("split", RINGS[0], 9), 11, {"split": 1}),
        (("kind", RINGS[0], "tank"), 3, {"of another kind": 1}),
        (("kind", RINGS[0], "gondola"), 3, {"accepted": 1}),
        (("kind", RINGS[0], "locomotive"), 2, {"of another kind": 1}),
        (("add", ELSEWHERE, "unknown"), 4, {"added": 1}),
        (("add", ELSEWHERE, "locomotive"), 3, {"added": 1}),
    ],
)
def test_one_decision(decision: tuple[Any, ...], railcars: int, tally: dict[str, int]) -> None:
    one = decided(decision)
    assert (one.railcars, one.tally, one.n_decisions, one.n_unused) == (railcars, tally, 1, 0)
    assert one.last.action == decision[0]


def test_the_last_decision_about_a_car_stands() -> None:
    ring = RINGS[0]
    assert decided(("reject", ring), ("accept", ring)).railcars == 3
    assert decided(("split", ring, 3), ("reject", ring)).railcars == 2
    kept = decided(("kind", ring, "tank"), ("split", ring, 2), ("accept", ring)).vehicles[0]
    assert (kept.kind, kept.n) == ("tank", 2)
    assert decided(("reject", ring), ("kind", ring, "flat")).vehicles[0].n == 1


def test_an_added_car_can_be_split_rejected_and_named() -> None:
    added = ("add", ELSEWHERE, "unknown")
    assert decided(added, ("split", ELSEWHERE, 2)).railcars == 5
    one = decided(added, ("reject", ELSEWHERE))
    assert (one.railcars, one.tally) == (3, {"added and rejected": 1})
    assert decided(added, ("reject", ELSEWHERE), added).railcars == 4
    assert decided(added, ("kind", ELSEWHERE, "tank")).vehicles[-1].kind == "tank"


def test_a_car_is_not_added_where_one_stands() -> None:
    one = decided(("add", BESIDE, "unknown"))
    assert (one.railcars, one.n_unused) == (3, 1)
    # Drawn anew in place of an outline that was wrong.
    one = decided(("reject", RINGS[1]), ("add", BESIDE, "unknown"))
    assert (one.railcars, one.n_unused) == (3, 0)


def test_decisions_about_cars_of_another_count_change_nothing() -> None:
    one = decided(("reject", RINGS[3]), ("reject", RINGS[0]))
    assert (one.railcars, one.n_decisions, one.n_unused) == (2, 2, 1)


def test_a_count_that_is_more_than_its_outlines_keeps_the_difference() -> None:
    """Of a pass with a tile too coarse to outline cars in."""
    assert decided(("reject", RINGS[0]), railcars=Interval(best=10, low=8, high=12)).railcars == 9


def test_a_pass_without_a_count_is_counted_from_nothing() -> None:
    nothing: dict[str, Any] = {"railcars": None, "cars": (), "status": "uncountable"}
    assert decided(**nothing).railcars == 0
    assert decided(("add", ELSEWHERE, "tank"), **nothing).railcars == 1


def test_doubtful_are_the_unsure_and_the_flagged() -> None:
    cars = (car(0), car(0, ring=RINGS[1], confidence=0.4), car(1, ring=RINGS[2]))
    assert [v.is_doubtful for v in decided(cars=cars).vehicles] == [False, True, True]


@pytest.mark.parametrize(
    "given",
    [
        {"action": "merge"},
        {"action": "kind"},
        {"action": "kind", "kind": "ship"},
        {"action": "add"},
        {"action": "accept", "kind": "tank"},
        {"action": "accept", "parts": 2},
        {"action": "split"},
        {"action": "split", "parts": 1},
        {"action": "split", "parts": 10},
        {"action": "accept", "ring": RINGS[0][:2]},
    ],
)
def test_what_is_no_decision(given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Decision(**{"ring": RINGS[0], **given})
