"""One car or two at a seam, and the interval of what was joined."""

from __future__ import annotations

import math

import numpy as np
import pytest

from railcount.cars.describe import interval
from railcount.cars.error import ERROR_CARS, with_error
from railcount.counts import Interval
from railcount.observation.bodies import length_prior, one_car
from railcount.observation.ground import Footprint
from railcount.observation.intervals import Part, added, combined

GONDOLAS = length_prior([12.8] * 30)
COACHES = length_prior([25.5] * 30)
MIXED = length_prior([12.8] * 15 + [16.2] * 10 + [10.8] * 5)
NOTHING = length_prior([])


@pytest.mark.parametrize("prior", [GONDOLAS, COACHES, MIXED, NOTHING])
def test_a_density_of_lengths(prior: np.ndarray) -> None:
    assert prior.sum() * 0.1 == pytest.approx(1.0, abs=0.01)
    assert (prior >= 0).all()


@pytest.mark.parametrize(
    ("first", "second", "gap", "seen", "prior", "one"),
    [
        (6.4, 6.4, 0.0, 0.0, GONDOLAS, True),
        (9.0, 3.6, 0.1, 0.0, GONDOLAS, True),
        (12.8, 12.8, 1.1, 1.1, GONDOLAS, False),
        (13.3, 13.3, 0.0, 0.0, GONDOLAS, False),  # the coupling was swallowed
        (16.0, 10.7, 0.0, 0.0, GONDOLAS, False),  # a stub was
        (12.8, 12.7, 0.0, 0.0, COACHES, True),
        (6.4, 6.4, 0.0, 0.0, NOTHING, True),
        (12.8, 12.8, 1.1, 1.1, NOTHING, False),
        (5.0, 5.0, 2.8, 0.0, GONDOLAS, True),  # the tracks ended before the seam
        (9.0, 9.0, 8.0, 0.0, GONDOLAS, False),
        (6.4, 6.4, 1.2, 1.2, GONDOLAS, True),  # too short for two, whatever was seen between them
    ],
)
def test_one_car_or_two(  # noqa: PLR0917
    first: float, second: float, gap: float, seen: float, prior: np.ndarray, one: bool
) -> None:
    assert (one_car(first, second, gap, seen_m=seen, prior=prior) > 0.5) is one
    assert one_car(second, first, gap, seen_m=seen, prior=prior) == pytest.approx(
        one_car(first, second, gap, seen_m=seen, prior=prior), abs=0.02
    )


def test_a_probability_and_no_crash() -> None:
    for first in np.arange(0.0, 31.0, 2.9):
        for second in np.arange(0.0, 31.0, 3.1):
            for gap in (-6.0, -1.0, 0.0, 1.0, 8.0):
                assert 0.0 <= one_car(first, second, gap, seen_m=max(gap, 0.0), prior=MIXED) <= 1.0


def square(x: float, y: float, *, side: float = 100.0) -> Footprint:
    return Footprint.of(np.array([(x, y), (x, y + side), (x + side, y + side), (x + side, y)]))


def test_footprints() -> None:
    a, b = square(0, 0), square(60, 0)
    assert a.area_m2 == pytest.approx(10_000)
    assert a.shared_m2(b) == pytest.approx(4_000)
    assert a.shared_m2(square(100, 0)) == pytest.approx(0.0)
    assert a.shared_m2(square(300, 0)) == 0.0
    assert a.inside_m(np.array([(50.0, 50.0), (99.0, 50.0), (101.0, 50.0)])).tolist() == pytest.approx(
        [50, 1, -1]
    )
    assert a.depth_m(np.array((70.0, 50.0)), b) == pytest.approx(30)
    assert b.depth_m(np.array((70.0, 50.0)), a) == pytest.approx(10)
    assert math.isinf(a.depth_m(np.array((50.0, 50.0)), square(20, 20, side=10)))
    assert math.isinf(a.depth_m(np.array((50.0, 50.0)), square(100, 0)))
    assert a.clipped(np.array((-10.0, 50.0)), np.array((10.0, 50.0))) == pytest.approx((0.5, 5.5))
    assert a.clipped(np.array((-10.0, 150.0)), np.array((10.0, 150.0))) is None


def counted(n: int, *, share: float, sure: float = 0.98) -> Interval:
    """A tile's interval as the counting makes it, of ``n`` cars."""
    chance = np.ones(1)
    for _ in range(n):
        chance = np.convolve(chance, [1 - sure, sure])
    # as many are missed as are seen in vain
    chance = np.convolve(
        chance,
        np.array([math.exp(-n * (1 - sure)) * (n * (1 - sure)) ** k / math.factorial(k) for k in range(6)]),
    )
    return interval(with_error(chance, share=share), best=n)


@pytest.mark.parametrize("share", [0.04, 0.064, 0.2])
@pytest.mark.parametrize("sizes", [(30, 30), (10, 50), (15, 15, 15, 15), (5,) * 12, (60, 0)])
def test_parts_are_as_wide_as_the_whole(share: float, sizes: tuple[int, ...]) -> None:
    whole = counted(sum(sizes), share=share)
    parts = [
        Part(told=counted(n, share=share), best=n, share=1.0, error_share=share, doubt=n * 0.98 * 0.02)
        for n in sizes
    ]
    joined = combined(parts, best=sum(sizes), error_cars=ERROR_CARS)
    assert joined.best == whole.best
    wide, narrow = joined.high - joined.low, whole.high - whole.low
    assert 0.75 * narrow - 1 <= wide <= 1.25 * narrow + 1


def test_neither_sum_nor_squares_alone_would_do() -> None:
    """Twelve tiles of five cars: a sum is too wide if little is shared, squares too narrow if much is."""
    whole, part = counted(60, share=0.04), counted(5, share=0.04)
    assert 12 * (part.high - part.low) > 1.5 * (whole.high - whole.low)
    whole, part = counted(60, share=0.2), counted(5, share=0.2)
    assert math.sqrt(12) * (part.high - part.low) < 0.6 * (whole.high - whole.low)


def test_what_was_not_seen_is_added_up() -> None:
    wide = Interval(best=10, low=9, high=40)
    parts = [Part(told=wide, best=10, share=1.0, error_share=0.04) for _ in range(3)]
    joined = combined(parts, best=30, error_cars=ERROR_CARS)
    assert joined.high > 30 + 60
    assert joined.low > 24
    open_below = Interval(best=10, low=0, high=40)
    parts = [Part(told=open_below, best=10, share=1.0, error_share=0.04) for _ in range(3)]
    assert combined(parts, best=30, error_cars=ERROR_CARS).low < 15


def test_what_tiles_share_counts_once() -> None:
    told = counted(40, share=0.04)
    twice = [
        Part(told=told, best=40, share=1.0, error_share=0.04),
        Part(told=told, best=0, share=0.0, error_share=0.04),
    ]
    joined = combined(twice, best=40, error_cars=ERROR_CARS)
    assert abs((joined.high - joined.low) - (told.high - told.low)) <= 2


def test_seams_and_hidden_track_widen() -> None:
    parts = [Part(told=counted(20, share=0.04), best=20, share=1.0, error_share=0.04)]
    plain = combined(parts, best=20, error_cars=ERROR_CARS)
    doubtful = combined(parts, best=20, error_cars=ERROR_CARS, variance=4.0)
    assert doubtful.high - doubtful.low > plain.high - plain.low
    assert combined(parts, best=20, error_cars=ERROR_CARS, more=7).high == plain.high + 7


def test_no_cars_no_error() -> None:
    none = Interval(best=0, low=0, high=0)
    parts = [Part(told=none, best=0, share=1.0, error_share=0.04)] * 2
    assert combined(parts, best=0, error_cars=ERROR_CARS) == none
    assert added(parts) == none
