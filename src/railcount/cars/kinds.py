"""What kind each car is, once it is known where it begins and ends.

A small network trained on simulated strips looks at whole cars, with the ends of the row's cars marked.
What it says of locomotives is weighed by where they stand in trains.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from railcount.beside import side_by_side
from railcount.net import both_ways, load_net
from railcount.occupancy import SIDE_CHANNEL, VALID_CHANNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.sentence import Segment
    from railcount.counts import Kind
    from railcount.occupancy import Evidence

    Array = NDArray[np.float64]

KINDS: tuple[Kind, ...] = ("gondola", "covered", "tank", "flat", "coach", "locomotive")
"""In the order of the network's answers."""
LOCOMOTIVE = KINDS.index("locomotive")
ENDS_WITH_ENGINES = 0.5
"""Chance that locomotives stand at an end of a train. In yards most cuts of cars have none; but the
network alone is too cautious, and this is best for two renderers."""
SO_MANY = (0.7, 0.25, 0.05)
"""Chances of one, two and three of them there."""
CARS_LOOK_SO = 0.01
"""Chance that a train's cars are of a design that looks like a locomotive; then looks tell nothing."""


def kind_probabilities(cars: Sequence[Segment], evidence: Sequence[Evidence]) -> Array:
    """(cars, KINDS): of each kind for every car, summing to 1. The cars of a row stand together, in order."""
    rows = [(list(of_row), evidence[row].view) for row, of_row in groupby(cars, key=lambda car: car.row)]
    out = side_by_side([partial(_of_row, of_row, view) for of_row, view in rows])
    looks = np.concatenate([np.zeros((0, len(KINDS))), *out])
    begins = [k for k, car in enumerate(cars) if k == 0 or not car.coupled or car.row != cars[k - 1].row]
    for first, last in pairwise([*begins, len(cars)]):
        looks[first:last] = _in_train(looks[first:last])
    return looks


def _in_train(looks: Array) -> Array:
    """(cars, KINDS): probabilities of the coupled cars of one train, from those by their looks alone.

    Locomotives stand at its ends, as many as ``SO_MANY`` has chances at most, or not at all: every way is
    weighed by its prior and by the odds of the cars' looks. Where all look like locomotives, none is one.
    """
    n = len(looks)
    p = np.clip(looks[:, LOCOMOTIVE], 1e-6, 1 - 1e-6)
    before = np.concatenate([[0.0], np.cumsum(np.log(p / (1 - p)))])
    prior = np.log([1 - ENDS_WITH_ENGINES, *(ENDS_WITH_ENGINES * share for share in SO_MANY)])
    ways = [(a, b) for a in range(len(prior)) for b in range(len(prior)) if a + b <= n]
    looks_tell = [prior[a] + prior[b] + before[a] + before[n] - before[n - b] for a, b in ways]
    alike = [np.log(CARS_LOOK_SO) + prior[a] + prior[b] + before[n] for a, b in ways]
    weight = softmax(np.logaddexp(looks_tell, alike))
    engine = np.zeros(n)
    for (a, b), w in zip(ways, weight, strict=True):
        engine[:a] += w
        engine[n - b :] += w
    out = looks * ((1 - engine) / (1 - p))[:, None]
    out[:, LOCOMOTIVE] = engine
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def _of_row(cars: Sequence[Segment], view: NDArray[np.float32]) -> Array:
    """(cars, KINDS): the mean of the network's answers over the columns of a car are its log-odds."""
    body = np.zeros((1, *view.shape[1:]), dtype=np.float32)
    for car in cars:
        body[:, :, car.start : car.end - 1] = 1  # cars that touch stay apart
    net = load_net("kinds")
    first = max(0, cars[0].start - net.reach)
    image = np.concatenate([view, body * view[VALID_CHANNEL]])[:, :, first : cars[-1].end + net.reach]
    answer = both_ways(net, image, sided=(SIDE_CHANNEL,))[:, 0].astype(np.float64)
    odds = [answer[:, car.start - first : car.end - first].mean(axis=1) for car in cars]
    return np.asarray(softmax(odds, axis=1))
