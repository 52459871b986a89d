"""Which cars of a row to report, of all the sentences that it could be.

Not those of the most probable sentence. Where the gap between two cars hardly shows, each sentence with the
two puts it at another column, and none of them may be as probable as the one with a single long car, though
together they are far more so. So the reading is chosen that is right about most cars: its expected credit,
summed over all sentences, is the highest (Goodman, "Parsing algorithms and metrics", ACL 1996).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from railcount.cars.sentence import Segment, Sweep, Words, both_ends, cut_prior, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WORTH = 0.15
"""Expected credit of a car that is reported, at least."""


def segments(words: Words, *, tolerance: int, swept: tuple[Sweep, Sweep] | None = None) -> list[Segment]:
    """The cars to report of every row, each with its probability over all sentences.

    A reported car has the whole credit of one at the same columns; of its credit at either end it loses the
    more the more columns it is off, and all beyond ``tolerance``. ``swept`` is ``both_ends(words)`` where the
    caller has it already.
    """
    left, right = swept or both_ends(words)
    body = sums(words.body)
    cut = cut_prior(words.body_prior, words.body.shape[1])
    longest_gap = len(words.gap_prior) - 1
    found: list[Segment] = []
    for row, n in enumerate(words.length):
        one = _Row(
            opens=left.opening[row, : n + 1],
            ends=right.opening[row, n::-1] + body[row, n] - left.whole[row],
            prior=words.body_prior,
            cut=cut[: n + 1],
        )
        before = -np.inf
        for start, end in one.best(tolerance):
            p = one.probability(start, end, tolerance)
            coupled = start - before <= longest_gap
            found.append(Segment(row=row, start=start, end=end, probability=min(p, 1.0), coupled=coupled))
            before = end
    return found


class _Row:
    """The probabilities of all cars of a row of n columns, over all its sentences."""

    def __init__(self, *, opens: Array, ends: Array, prior: Array, cut: Array) -> None:
        """From log-sums (n + 1,) over what goes before a car that opens at a boundary, and over what follows
        one that ends there, less those over all sentences; log-priors of the columns of a car, and of what
        is seen of a cut one.
        """
        possible = np.flatnonzero(prior > -np.inf)
        self.n = n = len(opens) - 1
        self.sizes = np.arange(max(int(possible[0]), 1), int(possible[-1]) + 1)
        """Columns of a whole car."""
        beyond = np.concatenate([ends, np.full(len(prior), -np.inf)])[self.sizes[0] :]
        at_end = sliding_window_view(beyond, len(self.sizes))[: n + 1]
        self.whole = np.exp(opens[:, None] + at_end + prior[self.sizes])
        """(n + 1, sizes): of a car of a size that opens at a boundary."""
        seen = np.arange(1, min(int(possible[-1]), n) + 1)
        self.cut_by_start, self.cut_by_end = np.zeros(n + 1), np.zeros(n + 1)
        """(n + 1,): of a car of which the row shows so many columns, at its start and at its end."""
        self.cut_by_start[seen] = np.exp(opens[0] + cut[seen] + ends[seen])
        self.cut_by_end[seen] = np.exp(opens[n - seen] + cut[seen] + ends[n])

    def probability(self, start: int, end: int, tolerance: int) -> float:
        """Of a car with these ends, give or take the tolerance."""
        starts = np.arange(max(0, start - tolerance), min(self.n, start + tolerance) + 1)
        ends = np.arange(max(0, end - tolerance), min(self.n, end + tolerance) + 1)
        size = ends[None] - starts[:, None] - self.sizes[0]
        fits = (size >= 0) & (size < len(self.sizes))
        p = self.whole[starts[:, None], np.clip(size, 0, len(self.sizes) - 1)][fits].sum()
        if start == 0:
            p += self.cut_by_start[ends].sum()
        if end == self.n:
            p += self.cut_by_end[self.n - starts].sum()
        return float(p)

    def best(self, tolerance: int) -> list[tuple[int, int]]:
        """Start and end of the cars whose expected credit, each less ``WORTH``, sums to the most.

        Worked on in parts as long as the shortest car: none that ends in one opens in it. Left out is what
        cannot have as much credit as ``WORTH``: so unlikely is every car within the tolerance.
        """
        n, sizes = self.n, self.sizes
        share = 1 - np.abs(np.arange(-tolerance, tolerance + 1)) / (tolerance + 1)
        opens, size_index = np.nonzero(self.whole > WORTH / share.sum() ** 2)
        openings = _around(opens, tolerance, n)
        is_end = np.zeros(n + 1, dtype=bool)
        is_end[_around(opens + sizes[size_index], tolerance, n)] = True
        worths = np.full((len(openings) + 1, len(sizes)), -WORTH)
        worths[:-1] += self._credit(openings, share)
        which = np.full(n + 1, len(openings))
        which[openings] = np.arange(len(openings))
        from_start, to_end = (
            np.convolve(cut, share, "same") - WORTH for cut in (self.cut_by_start, self.cut_by_end)
        )
        from_start[sizes[-1] + 1 :] = -WORTH
        worth, size = np.zeros(n + 1), np.zeros(n + 1, dtype=int)
        for first in range(1, n + 1, int(sizes[0])):
            part = np.arange(first, min(first + int(sizes[0]), n + 1))
            value, columns = from_start[part], part.copy()
            ends = part[is_end[part]]
            opening = ends[:, None] - sizes
            ways = np.where(opening >= 0, worths[which[opening], np.arange(len(sizes))], -WORTH)
            ways += worth[np.maximum(opening - 1, 0)]
            way = ways.argmax(axis=1)
            whole = ways[np.arange(len(ends)), way]
            better = whole >= value[ends - first]
            value[ends[better] - first] = whole[better]
            columns[ends[better] - first] = sizes[way[better]]
            so_far = np.maximum.accumulate(np.concatenate([worth[first - 1, None], value]))
            worth[part] = so_far[1:]
            size[part] = np.where(value > so_far[:-1], columns, 0)
        seen = np.arange(1, min(int(sizes[-1]), n) + 1)
        inside = worth[np.maximum(n - seen - 1, 0)] + to_end[seen]
        cars: list[tuple[int, int]] = []
        at = n
        if len(seen) and inside.max() > worth[n]:
            size[n] = seen[inside.argmax()]
        while at > 0:
            if size[at]:
                cars.append((at - int(size[at]), at))
            at -= int(size[at]) + 1
        return cars[::-1]

    def _credit(self, openings: NDArray[np.intp], share: Array) -> Array:
        """(openings, sizes): expected credit of a car of a size that opens at one of these boundaries.

        ``share`` is what is left of it for an end so many columns off, from -tolerance to tolerance.
        """
        reach = len(share) // 2
        width = self.whole.shape[1]
        wider = width + 2 * reach
        p = np.pad(self.whole, ((reach, reach), (2 * reach, 2 * reach)))
        # Where the true car opens so many columns later and ends at the same one, it is shorter by as many.
        opens_off = sum(
            w * p[openings + k, 2 * reach - k : 2 * reach - k + wider] for k, w in enumerate(share)
        )
        return np.asarray(sum(w * opens_off[:, k : k + width] for k, w in enumerate(share)))


def _around(boundaries: NDArray[np.intp], reach: int, n: int) -> NDArray[np.intp]:
    """All boundaries from 0 to n within ``reach`` of one of these."""
    return np.unique(np.clip(boundaries[:, None] + np.arange(-reach, reach + 1), 0, n))
