"""The semi-Markov sums against a list of every sentence of a short row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from railcount.cars.sentence import (
    Words,
    both_ends,
    count_distribution,
    cut_prior,
    flipped,
    parse,
    segments,
    sweep,
)

N = 9


@dataclass(frozen=True)
class Sentence:
    """One way to read the row."""

    score: float
    cars: tuple[tuple[int, int, bool], ...]


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
            found.append(Sentence(score + half, cars))
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
            found.append(Sentence(score + cut[d] + body[t:n].sum() + half, (*cars, (t, n, coupled))))

    def empty(t: int, score: float, cars: tuple[tuple[int, int, bool], ...]) -> None:
        if t == n:
            found.append(Sentence(score, cars))
        else:
            empty(t + 1, score, cars)
        open_car(t, score + half, cars, coupled=False)

    empty(0, 0.0, ())
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


@pytest.mark.parametrize("seed", range(6))
def test_most_probable_sentence(seed: int) -> None:
    words = random_words(seed)
    best = max(every_sentence(words), key=lambda s: s.score)
    assert sweep(words, most_probable=True).whole[0] == pytest.approx(best.score)
    assert [(s, e, c) for _, s, e, c in parse(words)] == list(best.cars)


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
    assert all(e <= 6 for row, _, e, _ in parse(short) if row == 1)
