"""What the kinds of cars are said to be, on drawn yards of one kind each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from railcount.cars.describe import SURE_KIND, chances
from railcount.cars.kinds import KINDS, kind_probabilities
from railcount.cars.lengths import load_stock
from railcount.cars.sentence import Segment
from railcount.cars.split import Split, split
from railcount.cars.totals import with_totals
from railcount.counts import TileCount
from railcount.occupancy import SIDE_CHANNEL, Evidence, measure
from railcount.simulate import render
from railcount.strips import straighten
from tests.test_scan import counted, given, pixels_of, yard

STOCK = {
    "tank": {"families": ("tank_4_axle",)},
    "coach": {"families": ("coach_25g",)},
    "covered": {"families": ("gondola_12_132",), "covered": 1.0},
    "gondola": {"families": ("gondola_12_132",), "covered": 0.0},
    "locomotive": {"n_railcars": 6, "n_locomotives": 6},
}


@pytest.mark.parametrize("kind", list(STOCK))
def test_a_yard_of_one_kind(kind: str) -> None:
    scene = yard().scene
    drawn = render(replace(scene, stock=replace(scene.stock, **({"n_railcars": 20} | STOCK[kind]))), seed=8)
    said = Counter(c.kind for c in counted(pixels_of(drawn), given(drawn), drawn.grid).cars)
    true = Counter(c.kind for c in drawn.cars)
    assert said[kind] >= 0.75 * true[kind]
    assert said[kind] <= 1.25 * true[kind] + 1


@pytest.fixture(scope="module")
def read() -> tuple[Split, tuple[Evidence, ...]]:
    drawn = yard()
    strips = straighten(pixels_of(drawn), given(drawn), grid=drawn.grid)
    evidence = measure(strips)
    return split(strips, evidence, stock=load_stock("any")), evidence


def test_probabilities_of_every_car_sum_to_one(read: tuple[Split, tuple[Evidence, ...]]) -> None:
    rows, evidence = read
    p = kind_probabilities(rows.cars, evidence)
    assert p.shape == (len(rows.cars), len(KINDS))
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert p.min() >= 0


def test_no_cars_have_no_kinds() -> None:
    assert kind_probabilities((), ()).shape == (0, len(KINDS))


def test_a_strip_read_from_its_other_end_says_the_same(read: tuple[Split, tuple[Evidence, ...]]) -> None:
    rows, evidence = read
    cars = tuple(c for c in rows.cars if c.row == 0)
    turned = evidence[0].view[:, ::-1, ::-1].copy()
    turned[SIDE_CHANNEL] *= -1
    n = turned.shape[2]
    # The mark of a body leaves its last column out, so the turned car begins one column earlier.
    to_next = [*(c.coupled for c in cars[1:]), False]
    back = tuple(
        replace(c, start=n - c.end + 1, end=n - c.start + 1, coupled=coupled)
        for c, coupled in zip(cars[::-1], to_next[::-1], strict=True)
    )
    p = kind_probabilities(cars, evidence)
    other = kind_probabilities(back, (replace(evidence[0], view=turned),))
    np.testing.assert_allclose(other[::-1], p, atol=0.02)


def test_cars_do_not_depend_on_other_rows(read: tuple[Split, tuple[Evidence, ...]]) -> None:
    rows, evidence = read
    p = kind_probabilities(rows.cars, evidence)
    for row in {c.row for c in rows.cars}:
        where = [c.row == row for c in rows.cars]
        alone = kind_probabilities(tuple(c for c in rows.cars if c.row == row), evidence)
        np.testing.assert_allclose(alone, p[where], atol=1e-6)


def in_train(*engine: float) -> np.ndarray:
    """(cars,): probabilities of locomotives in one train whose cars look like one with these."""
    segments = tuple(
        Segment(row=0, start=60 * k, end=60 * k + 52, probability=1.0, coupled=k > 0)
        for k in range(len(engine))
    )
    answer = np.zeros((len(KINDS), 1, 60 * len(engine)))
    for car, p in zip(segments, engine, strict=True):
        answer[-1, 0, car.start : car.end] = np.log(5 * p / (1 - p))
    view = np.ones((6, 16, answer.shape[2]), dtype=np.float32)
    evidence = Evidence(body=answer[0, 0], gap=answer[0, 0], seen=np.ones(answer.shape[2], bool), view=view)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("railcount.cars.kinds.both_ways", lambda _, image, **__: answer[:, :, : image.shape[2]])
        p = kind_probabilities(segments, (evidence,))
    assert p.sum(axis=1) == pytest.approx(1.0)
    np.testing.assert_allclose(p[:, :-1], np.repeat((1 - p[:, -1:]) / 5, 5, axis=1))
    return p[:, -1]


def test_a_car_that_looks_like_a_locomotive_is_one_at_the_end_of_a_train() -> None:
    assert in_train(0.95, 0.1, 0.1, 0.1)[0] > 0.7
    assert in_train(0.1, 0.1, 0.1, 0.95, 0.95)[3:].min() > 0.7
    assert in_train(0.1, 0.1, 0.1, 0.1, 0.95, 0.1, 0.1, 0.1, 0.1)[4] < 0.1
    assert in_train(*[0.8] * 12).max() < SURE_KIND


def test_a_vehicle_alone_can_be_a_locomotive() -> None:
    assert in_train(0.9)[0] > 0.6
    assert in_train(0.3)[0] < 0.5


def test_doubts_that_are_shared_widen_the_number_and_keep_its_mean() -> None:
    p = np.array([0.1, 0.5, 0.5, 0.5, 0.9, 0.97])
    n = np.arange(len(p) + 1)

    def moments(d: np.ndarray) -> tuple[float, float]:
        return float(d @ n), float(d @ n**2 - (d @ n) ** 2)

    alone, shared = chances(p), chances(p, correlation=0.5)
    assert alone.sum() == pytest.approx(1.0)
    assert shared.sum() == pytest.approx(1.0)
    assert moments(alone) == pytest.approx((p.sum(), (p * (1 - p)).sum()))
    assert moments(shared)[0] == pytest.approx(p.sum(), abs=1e-3)
    assert moments(shared)[1] > 1.5 * moments(alone)[1]


def test_shared_doubts_as_drawn_by_chance() -> None:
    rng, p, rho = np.random.default_rng(3), np.array([0.2, 0.6, 0.6, 0.9]), 0.5
    z = rng.normal(size=(200_000, 1))
    luck = np.sqrt(rho) * z + np.sqrt(1 - rho) * rng.normal(size=(200_000, len(p)))
    n = (luck < norm.ppf(p)).sum(axis=1)
    drawn = np.bincount(n, minlength=len(p) + 1) / len(n)
    np.testing.assert_allclose(chances(p, correlation=rho), drawn, atol=0.005)


def test_certain_cars_are_counted_for_certain() -> None:
    d = chances(np.array([0.0, 1.0, 1.0]), correlation=0.5)
    assert d[2] == pytest.approx(1.0, abs=1e-6)


def test_covers_are_doubted_together_and_locomotives_one_by_one() -> None:
    n = 40
    segments = tuple(
        Segment(row=0, start=60 * k, end=60 * k + 52, probability=1.0, coupled=True) for k in range(n)
    )
    kinds = np.zeros((n, len(KINDS)))
    kinds[:, KINDS.index("covered")] = kinds[:, KINDS.index("locomotive")] = 0.5
    rows = Split(cars=segments, counts=np.eye(n + 1)[n], step_m=0.25)
    told = with_totals(TileCount(tile="drawn", sha256=None, status="counted"), rows, kinds)
    assert told.covered is not None
    assert told.locomotives is not None
    assert told.covered.high >= 35
    assert told.locomotives.high == 25  # of a binomial distribution of 40 halves
