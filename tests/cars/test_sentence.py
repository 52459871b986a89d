"""The semi-Markov sums against a list of every sentence of a short row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from railcount.cars.reading import WORTH, segments
from railcount.cars.sentence import (
    Words,
    both_ends,
    count_distribution,
    cut_prior,
    flipped,
    sweep,
)

N = 9


@dataclass(frozen=True)
class Sentence:
    """One way to read the row."""

    score: float
    cars: tuple[tuple[int, int, bool], ...]
    is_cut: tuple[bool, bool] = (False, False)
    """The first car by the row's start, the last by its end."""


def random_words(seed: int, *, rows: int = 1, n: int = N, lean: float = 0.0) -> Words:
    """Words of 2-4 columns and gaps of 1-2, with random evidence."""
    rng = np.random.default_rng(seed)
    body_prior = np.array([-np.inf, -np.inf, -1.2, -0.7, -1.9])
    return Words(
        body=rng.normal(lean, 1.0, (rows, n)),
        gap=rng.normal(0, 1.0, (rows, n)),
        body_prior=body_prior,
        gap_prior=np.array([-np.inf, -0.4, -1.1]),
        log_train=-1.0,
        length=np.full(rows, n),
    )


def every_sentence(words: Words, *, row: int = 0) -> list[Sentence]:
    """All sentences, by walking the grammar; nothing of the module's recursion is used."""
    n = int(words.length[row])
    body, gap = words.body[row], words.gap[row]
    cut = cut_prior(words.body_prior, words.body.shape[1])
    half = words.log_train / 2
    found: list[Sentence] = []

    def after_car(t: int, score: float, cars: tuple[tuple[int, int, bool], ...]) -> None:
        if t == n:
            found.append(Sentence(score + half, cars, (starts_cut, False)))
            return
        empty(t + 1, score + half, cars)
        for d in range(1, len(words.gap_prior)):
            if t + d <= n:
                open_car(t + d, score + words.gap_prior[d] + gap[t : t + d].sum(), cars, coupled=True)

    def open_car(t: int, score: float, cars: tuple[tuple[int, int, bool], ...], *, coupled: bool) -> None:
        for d in range(1, len(words.body_prior)):
            if t + d <= n and np.isfinite(words.body_prior[d]):
                total = score + words.body_prior[d] + body[t : t + d].sum()
                after_car(t + d, total, (*cars, (t, t + d, coupled)))
        d = n - t
        if 1 <= d < len(words.body_prior) and np.isfinite(cut[d]):
            last = (*cars, (t, n, coupled))
            found.append(Sentence(score + cut[d] + body[t:n].sum() + half, last, (starts_cut, True)))

    def empty(t: int, score: float, cars: tuple[tuple[int, int, bool], ...]) -> None:
        if t == n:
            found.append(Sentence(score, cars, (starts_cut, False)))
        else:
            empty(t + 1, score, cars)
        open_car(t, score + half, cars, coupled=False)

    starts_cut = False
    empty(0, 0.0, ())
    starts_cut = True
    for d in range(1, n + 1):
        if np.isfinite(cut[d]):
            after_car(d, cut[d] + half + body[:d].sum(), ((0, d, False),))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_sum_over_all_sentences(seed: int) -> None:
    words = random_words(seed)
    scores = np.array([s.score for s in every_sentence(words)])
    assert len(scores) > 100
    assert sweep(words).whole[0] == pytest.approx(np.logaddexp.reduce(scores))


def all_credit(words: Words, *, tolerance: int) -> dict[tuple[int, int, bool, bool], float]:
    """Expected credit of each car (start, end, cut by the row's start, by its end), from the list."""
    sentences = every_sentence(words)
    weight = np.exp([x.score for x in sentences])
    p: dict[tuple[int, int, bool, bool], float] = {}
    for w, x in zip(weight / weight.sum(), sentences, strict=True):
        for k, (start, end, _) in enumerate(x.cars):
            cut = (k == 0 and x.is_cut[0], k == len(x.cars) - 1 and x.is_cut[1])
            p[start, end, *cut] = p.get((start, end, *cut), 0.0) + w

    def share(off: int) -> float:
        return max(0.0, 1 - abs(off) / (tolerance + 1))

    return {
        car: sum(w * share(car[0] - o[0]) * share(car[1] - o[1]) for o, w in p.items() if o[2:] == car[2:])
        for car in p
    }


@pytest.mark.parametrize("tolerance", [0, 1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_the_reading_has_the_highest_expected_credit(seed: int, tolerance: int) -> None:
    words = random_words(seed, lean=0.5)
    credit = all_credit(words, tolerance=tolerance)

    def worth(x: Sentence) -> float:
        last = len(x.cars) - 1
        cut = [(k == 0 and x.is_cut[0], k == last and x.is_cut[1]) for k in range(len(x.cars))]
        return sum(credit[s, e, *c] - WORTH for (s, e, _), c in zip(x.cars, cut, strict=True))

    best = max(every_sentence(words), key=worth)
    found = segments(words, tolerance=tolerance)
    assert [(c.start, c.end) for c in found] == [(s, e) for s, e, _ in best.cars]


def test_two_cars_whose_gap_hardly_shows_are_two() -> None:
    """Every place of the gap is less probable than no gap, all together are more so."""
    prior = np.full(29, -np.inf)
    prior[9:15], prior[23:29] = -2.0, -1.0
    words = Words(
        body=np.full((1, 40), -5.0),
        gap=np.full((1, 40), -5.0),
        body_prior=prior,
        gap_prior=np.array([-np.inf, -1.5, -1.5, -1.5]),
        log_train=-1.0,
        length=np.array([40]),
    )
    words.body[0, 7:33] = 1.0
    words.gap[0, 7:33] = 2.0
    one = 26.0 + prior[26] + words.log_train
    two = [
        26.0 + gap + prior[size] + prior[26 - gap - size] + words.gap_prior[gap] + words.log_train
        for gap in (1, 2, 3)
        for size in range(9, 15)
        if np.isfinite(prior[26 - gap - size])
    ]
    assert max(two) < one < np.logaddexp.reduce(two)
    assert len(segments(words, tolerance=6)) == 2


@pytest.mark.parametrize("max_cars", [0, 6])
def test_both_ends_side_by_side(max_cars: int) -> None:
    words = random_words(3)
    for got, expected in zip(
        both_ends(words, max_cars=max_cars),
        (sweep(words, max_cars=max_cars), sweep(flipped(words))),
        strict=True,
    ):
        for name in ("empty", "car", "opening", "closing", "whole"):
            np.testing.assert_allclose(getattr(got, name), getattr(expected, name))
        assert (got.counts is None) == (expected.counts is None)
        if expected.counts is not None:
            np.testing.assert_allclose(got.counts, expected.counts)


@pytest.mark.parametrize("seed", range(6))
def test_probability_of_every_number_of_cars(seed: int) -> None:
    words = random_words(seed)
    sentences = every_sentence(words)
    weight = np.exp([s.score for s in sentences])
    expected = np.bincount([len(s.cars) for s in sentences], weights=weight, minlength=7)
    got = count_distribution(sweep(words, max_cars=6))[0]
    np.testing.assert_allclose(got, expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_probability_of_a_car(seed: int) -> None:
    words = random_words(seed, lean=1.0)
    sentences = every_sentence(words)
    weight = np.exp([s.score for s in sentences])
    found = segments(words, tolerance=0)
    assert found
    for car in found:
        here = np.array([any((s, e) == (car.start, car.end) for s, e, _ in x.cars) for x in sentences])
        assert car.probability == pytest.approx(float(weight[here].sum() / weight.sum()))


def test_read_from_the_far_end_is_the_same() -> None:
    words = random_words(3, rows=2)
    np.testing.assert_allclose(sweep(words).whole, sweep(flipped(words)).whole)


def test_padding_is_never_looked_at() -> None:
    words = random_words(1, rows=2)
    words.body[1, 6:] = 50.0
    short = Words(
        body=words.body,
        gap=words.gap,
        body_prior=words.body_prior,
        gap_prior=words.gap_prior,
        log_train=words.log_train,
        length=np.array([N, 6]),
    )
    sentences = every_sentence(short, row=1)
    assert sweep(short).whole[1] == pytest.approx(np.logaddexp.reduce([s.score for s in sentences]))
    assert all(car.end <= 6 for car in segments(short, tolerance=0) if car.row == 1)
