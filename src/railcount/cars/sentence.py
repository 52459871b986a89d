"""A row of cars read as a sentence: empty track, car, gap, car, ... with known word lengths.

A semi-Markov conditional field (Sarawagi & Cohen, "Semi-Markov conditional random fields",
NIPS 2004): a sentence's score is the sum of its words' evidence and log-priors, its probability
the exponential of the score over the sum for all sentences. All sums are exact: of all sentences, and of
those with every number of cars. Which cars to report of them, `railcount.cars.reading` says.

All rows of a tile are solved side by side: arrays are (rows, columns), shorter rows padded at
their end with columns that are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from railcount.beside import side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """Evidence (log-likelihood ratios against empty track, which scores 0) and log-priors."""

    body: Array
    """(rows, n): of each column being car body."""
    gap: Array
    """(rows, n): of each column being the gap between coupled cars."""
    body_prior: Array
    """(max_body + 1,): log-prior of a body of so many columns; -inf where impossible."""
    gap_prior: Array
    """(max_gap + 1,): log-prior of a coupled gap of so many columns; -inf at 0."""
    log_train: float
    """Log-prior weight of one train (a run of coupled cars) against empty track."""
    length: NDArray[np.int64]
    """(rows,): columns that belong to the row; the rest is padding."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A car in a row: columns [start, end)."""

    row: int
    start: int
    end: int
    probability: float
    """That a car begins and ends here, give or take the tolerance, summed over all sentences."""
    coupled: bool
    """True where it stands in one train with the car before it in the row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """Log-sums over all beginnings of a row, at every boundary, (rows, n + 1)."""

    empty: Array
    """The beginning ends in empty track."""
    car: Array
    """The beginning ends with the end of a car."""
    opening: Array
    """A car opens here; less the body evidence so far."""
    closing: Array
    """A car ended here; less the gap evidence so far."""
    whole: Array
    """(rows,): over all sentences of the row."""
    counts: Array | None
    """(rows, max cars + 1): probability of each number of cars."""


CUT_LOG = float(np.log(0.2))
"""Log-weight of a row that begins or ends inside a car."""
SHORTEST_CUT_SHARE = 0.25
"""Of the mean body: less than this at a tile's edge is not counted as a car."""


def sums(evidence: Array) -> Array:
    return np.concatenate([np.zeros((len(evidence), 1)), np.cumsum(evidence, axis=1)], axis=1)


LEAST = -1e300
"""In place of -inf where a log-sum is taken from what was summed."""


def log_sum(a: Array) -> Array:
    """(...,) of (..., ways): log-sums, -inf where there is no way."""
    top = np.maximum(np.maximum.reduce(a, axis=-1), LEAST)
    return np.asarray(np.log(np.add.reduce(np.exp(a - top[..., None]), axis=-1)) + top)


def _weights(a: Array, log: Array) -> Array:
    """Of each way (..., ways), given their log-sum (...,)."""
    return np.asarray(np.exp(a - np.maximum(log, LEAST)[..., None]))


def cut_prior(prior: Array, n: int) -> Array:
    """(n + 1,): log-prior of the seen part of a car that the row's edge cuts, by columns seen."""
    p = np.exp(prior)
    mean = float((np.arange(len(p)) * p).sum())
    tail = np.zeros(n + 1)
    head = np.cumsum(p[::-1])[::-1][: n + 1]
    tail[: len(head)] = head
    tail[: max(1, round(SHORTEST_CUT_SHARE * mean))] = 0.0
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(tail / max(mean, 1.0)) + CUT_LOG)


class _Counts:
    """Distribution of the number of cars for each state at each boundary, carried along the sums.

    Arrays are (rows, boundaries, max cars + 1).
    """

    def __init__(self, rows: int, n: int, max_cars: int, *, longest: int, max_gap: int) -> None:
        self.empty = np.zeros((rows, n + 1, max_cars + 1))
        self.opened = np.zeros((rows, longest + n + 1, max_cars + 1))
        """At openings; ``longest`` boundaries before the row come first."""
        self.ended = np.zeros((rows, max_gap + n + 1, max_cars + 1))
        """At cars' ends; ``max_gap`` boundaries before the row come first."""
        self.opening, self.car = self.opened[:, longest:], self.ended[:, max_gap:]
        self.empty[:, 0, 0] = 1.0
        self.opening[:, 0, 0] = 1.0

    def end_cars(self, part: slice, weight: Array) -> None:
        """``weight`` (rows, part, ways + 1): of each opening, and of a car cut by the row's start."""
        shares = _along(weight[..., :-1])
        mixed = shares @ self.opened[:, part.start :][:, : shares.shape[-1]]
        mixed[..., 0] += weight[..., -1]
        self.car[:, part, 1:] = mixed[..., :-1]

    def go_on(self, part: slice, gap_weight: Array, empty_weight: Array, begin_weight: Array) -> None:
        """After the cars' ends: empty track, and the chance that a car opens."""
        before = slice(part.start - 1, part.stop - 1)
        left = np.concatenate([self.empty[:, before][:, :1], self.car[:, before]], axis=1)
        self.empty[:, part] = empty_weight @ left
        shares = _along(gap_weight)
        after_gap = shares @ self.ended[:, part.start :][:, : shares.shape[-1]]
        alone, coupled = begin_weight[..., 0, None], begin_weight[..., 1, None]
        self.opening[:, part] = alone * self.empty[:, part] + coupled * after_gap


def _along(weight: Array) -> Array:
    """(rows, part, part + ways - 1): weights (rows, part, ways), each moved one on against those before."""
    rows, n, ways = weight.shape
    out = np.zeros((rows, n, n + ways - 1))
    row, here, way = out.strides
    as_strided(out, weight.shape, (row, here + way, way))[...] = weight
    return out


def sweep(words: Words, *, max_cars: int = 0) -> Sweep:
    """Sum over all sentences; with ``max_cars`` also the distribution of their number.

    As many boundaries as the shortest body is long are worked on at once: of them, none is the end of a car
    that opens at another.
    """
    rows, n = words.body.shape
    body, gap = sums(words.body), sums(words.gap)
    possible = np.flatnonzero(words.body_prior > -np.inf)
    shortest, longest, max_gap = max(int(possible[0]), 1), int(possible[-1]), len(words.gap_prior) - 1
    body_prior, gap_prior = words.body_prior[shortest : longest + 1][::-1], words.gap_prior[:0:-1]
    empty = np.full((rows, n + 1), -np.inf)
    opened, closed = (np.full((rows, ahead + n + 1), -np.inf) for ahead in (longest, max_gap))
    car, opening, closing = np.full((rows, n + 1), -np.inf), opened[:, longest:], closed[:, max_gap:]
    cut = cut_prior(words.body_prior, n)
    half_train = words.log_train / 2
    counts = _Counts(rows, n, max_cars, longest=longest, max_gap=max_gap) if max_cars else None
    empty[:, 0] = 0.0
    opening[:, 0] = half_train
    with np.errstate(divide="ignore"):
        for first in range(1, n + 1, shortest):
            part = slice(first, min(first + shortest, n + 1))
            size = part.stop - first
            bodies = np.empty((rows, size, len(body_prior) + 1))
            np.add(_windows(opened, part, len(body_prior)), body_prior, out=bodies[..., :-1])
            bodies[..., -1] = cut[part] + half_train
            ended = log_sum(bodies)
            car[:, part] = ended + body[:, part]
            closing[:, part] = car[:, part] - gap[:, part]
            gaps = _windows(closed, part, max_gap) + gap_prior
            log = log_sum(gaps)
            leave = car[:, first - 1 : part.stop - 1] + half_train
            left = np.concatenate([empty[:, first - 1, None], leave], axis=1)
            empty[:, part] = np.logaddexp.accumulate(left, axis=-1)[:, 1:]
            alone, coupled = empty[:, part] + half_train, log + gap[:, part]
            begin = np.logaddexp(alone, coupled)
            opening[:, part] = begin - body[:, part]
            if counts:
                counts.end_cars(part, _weights(bodies, ended))
                so_far = np.where(np.tri(size, size + 1, 1, dtype=bool), left[:, None], -np.inf)
                counts.go_on(
                    part,
                    _weights(gaps, log),
                    _weights(so_far, empty[:, part]),
                    _weights(np.stack([alone, coupled], axis=-1), begin),
                )
        return _closed(words, empty, car, opening, closing, cut=cut, counts=counts, body=body)


def _windows(padded: Array, part: slice, n: int) -> Array:
    """(rows, part, n): of every boundary of ``part`` so many values of ``padded``, from its own on."""
    return sliding_window_view(padded[:, part.start : part.stop + n - 1], n, axis=1)


def _closed(
    words: Words,
    empty: Array,
    car: Array,
    opening: Array,
    closing: Array,
    *,
    cut: Array,
    counts: _Counts | None,
    body: Array,
) -> Sweep:
    """End every row at its own length: in empty track, with a car's end, or inside a cut car."""
    row = np.arange(len(body))
    last = words.length
    half_train = words.log_train / 2
    max_body = len(words.body_prior) - 1
    d = np.arange(1, max_body + 1)
    at = last[:, None] - d[None]
    inside = np.where(at >= 0, opening[row[:, None], np.maximum(at, 0)], -np.inf)
    inside = inside + cut[np.minimum(d, len(cut) - 1)] + body[row, last][:, None] + half_train
    ends = np.concatenate([empty[row, last][:, None], car[row, last][:, None] + half_train, inside], axis=1)
    whole = log_sum(ends)
    total = None
    if counts is not None:
        weight = _weights(ends, whole)
        total = weight[:, 0, None] * counts.empty[row, last] + weight[:, 1, None] * counts.car[row, last]
        opened = counts.opening[row[:, None], np.maximum(at, 0)]
        total[:, 1:] += np.matmul(weight[:, None, 2:], opened)[:, 0, :-1]
    return Sweep(empty=empty, car=car, opening=opening, closing=closing, whole=whole, counts=total)


def both_ends(words: Words, *, max_cars: int = 0) -> tuple[Sweep, Sweep]:
    """Sweeps from the rows' start and from their far end, the first with the number of cars if asked for."""
    start, end = side_by_side([partial(sweep, words, max_cars=max_cars), partial(sweep, flipped(words))])
    return start, end


def flipped(words: Words) -> Words:
    """The same rows read from their far end."""

    def flip(a: Array) -> Array:
        out = np.zeros_like(a)
        for r, n in enumerate(words.length):
            out[r, :n] = a[r, :n][::-1]
        return out

    return replace(words, body=flip(words.body), gap=flip(words.gap))


def count_distribution(swept: Sweep) -> Array:
    """(rows, max cars + 1): probability of each number of cars in each row, from a sweep that counted."""
    if swept.counts is None:
        raise ValueError("the sweep did not count: give it max_cars")
    return np.asarray(swept.counts / swept.counts.sum(axis=1, keepdims=True))
