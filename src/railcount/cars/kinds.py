"""What kind each car is, once it is known where it begins and ends.

A small network trained on simulated strips looks at whole cars, with the ends of the row's cars marked.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
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


def kind_probabilities(cars: Sequence[Segment], evidence: Sequence[Evidence]) -> Array:
    """(cars, KINDS): of each kind for every car, summing to 1. The cars of a row stand together, in order."""
    rows = [(list(of_row), evidence[row].view) for row, of_row in groupby(cars, key=lambda car: car.row)]
    out = side_by_side([partial(_of_row, of_row, view) for of_row, view in rows])
    return np.concatenate([np.zeros((0, len(KINDS))), *out])


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
