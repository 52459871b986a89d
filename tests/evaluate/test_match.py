"""Matching and scoring on drawn rectangles with known answers."""

from __future__ import annotations

import itertools

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from railcount.counts import Interval
from railcount.errors import InputError
from railcount.evaluate import match, score, summarise
from railcount.outlines import Outline


def car(x: float, y: float = 0.0, *, length: float = 14.0, width: float = 3.0) -> shapely.Polygon:
    return shapely.box(x, y, x + length, y + width)


def outline(x: float, y: float = 0.0, *, loco: bool = False, visible: float = 1.0) -> Outline:
    return Outline(polygon=car(x, y), locomotive=loco, visible_fraction=visible)


def test_shifted_row_is_matched_car_by_car() -> None:
    truth = [car(15.0 * k) for k in range(8)]
    predicted = [car(15.0 * k + 2.0) for k in reversed(range(8))]
    matching = match(predicted, truth, min_iou=0.5)
    assert [(i, j) for i, j, _ in matching.pairs] == [(i, 7 - i) for i in range(8)]
    assert all(iou == pytest.approx(12 / 16) for *_, iou in matching.pairs)


def test_most_pairs_win_over_the_best_single_pair() -> None:
    # Greedy would give the middle prediction to the first truth (IoU 0.87) and lose the second pair.
    truth = [car(0.0), car(8.0)]
    predicted = [car(1.0), car(-6.0)]
    assert {pair[:2] for pair in match(predicted, truth, min_iou=0.3).pairs} == {(0, 1), (1, 0)}


def test_threshold_is_reached_by_equality() -> None:
    matching = match([car(7.0)], [car(0.0)], min_iou=1 / 3)
    assert len(matching.pairs) == 1
    assert match([car(7.0)], [car(0.0)], min_iou=0.34).unmatched_truth == (0,)


@pytest.mark.parametrize("min_iou", [0.0, -1.0, 1.5, float("nan")])
def test_threshold_out_of_range(min_iou: float) -> None:
    with pytest.raises(InputError, match="min_iou"):
        match([], [], min_iou=min_iou)


def test_touching_is_no_match() -> None:
    assert match([car(14.0)], [car(0.0)], min_iou=1e-9).pairs == ()


def best_by_trying(
    predicted: list[shapely.Polygon], truth: list[shapely.Polygon], min_iou: float
) -> tuple[int, float]:
    """Oracle: every assignment of predictions to truths."""
    best = (0, 0.0)
    slots = [*range(len(truth)), *[None] * len(predicted)]
    for choice in set(itertools.permutations(slots, len(predicted))):
        n, total = 0, 0.0
        for p, j in zip(predicted, choice, strict=True):
            if j is None:
                continue
            iou = p.intersection(truth[j]).area / p.union(truth[j]).area
            if iou >= min_iou:
                n, total = n + 1, total + iou
        best = max(best, (n, total))
    return best


positions = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=0, max_size=4)


@settings(max_examples=60, deadline=None)
@given(positions, positions, st.sampled_from([0.1, 0.3, 0.5]))
def test_matching_is_optimal(
    ours: list[tuple[int, int]], theirs: list[tuple[int, int]], min_iou: float
) -> None:
    predicted, truth = [car(*p) for p in ours], [car(*p) for p in theirs]
    pairs = match(predicted, truth, min_iou=min_iou).pairs
    assert len({i for i, *_ in pairs}) == len({j for _, j, _ in pairs}) == len(pairs)
    n, total = best_by_trying(predicted, truth, min_iou)
    assert len(pairs) == n
    assert sum(iou for *_, iou in pairs) == pytest.approx(total, abs=1e-9)


def test_railcar_on_true_locomotive_is_false() -> None:
    result = score([outline(0), outline(15)], [outline(0, loco=True), outline(15)])
    assert (result.n_predicted, result.n_truth, result.count_error) == (2, 1, 1)
    assert (result.agreements[0].n_matched, result.agreements[0].n_false, result.agreements[0].n_missed) == (
        1,
        1,
        0,
    )


def test_locomotive_on_true_railcar_is_a_miss() -> None:
    result = score([outline(0, loco=True), outline(15)], [outline(0), outline(15)])
    assert result.count_error == -1
    assert (result.agreements[0].n_matched, result.agreements[0].n_false, result.agreements[0].n_missed) == (
        1,
        0,
        1,
    )


def test_hidden_car_is_neither_missed_nor_found() -> None:
    truth = [outline(0), outline(15, visible=0.49), outline(30, visible=0.5)]
    without = score([outline(0), outline(30)], truth)
    with_it = score([outline(0), outline(15.5), outline(30)], truth)
    for result in (without, with_it):
        assert (result.n_predicted, result.n_truth, result.n_ignored) == (2, 2, 1)
        assert result.agreements[1].f1 == 1.0


def test_hidden_car_excuses_only_one_prediction() -> None:
    result = score([outline(0), outline(1)], [outline(0, visible=0.2)])
    assert (result.n_predicted, result.agreements[0].n_false) == (1, 1)


def test_short_prediction_on_the_visible_end_of_a_hidden_car_is_excused() -> None:
    stub = Outline(polygon=car(0, length=4.0))
    assert score([stub], [outline(0, visible=0.3)]).n_predicted == 0


def test_prediction_mostly_beside_a_hidden_car_is_false() -> None:
    assert score([outline(8)], [outline(0, visible=0.3)]).n_predicted == 1


def test_both_empty_has_no_ratios() -> None:
    agreement = score([], []).agreements[0]
    assert (agreement.precision, agreement.recall, agreement.f1) == (None, None, None)


def test_false_cars_on_an_empty_yard() -> None:
    agreement = score([outline(0)], []).agreements[0]
    assert (agreement.precision, agreement.recall, agreement.f1) == (0.0, None, 0.0)


@pytest.mark.parametrize(
    ("low", "high", "covered"), [(2, 4, True), (3, 5, True), (4, 6, False), (0, 1, False), (0, 2, True)]
)
def test_interval_may_count_the_hidden_car_or_not(low: int, high: int, covered: bool) -> None:
    truth = [outline(0), outline(15), outline(30, visible=0.1)]
    result = score([], truth, interval=Interval(best=low, low=low, high=high))
    assert result.covered is covered


def test_summary_figures() -> None:
    # Errors +1, -1, +3, +1: mean absolute 1.5, bias 1.0; t(0.975, 3) = 3.18245.
    scores = [
        score(
            [outline(20 * k) for k in range(n + e)],
            [outline(20 * k) for k in range(n)],
            interval=Interval(best=n + e, low=n + e - 1, high=n + e + 1),
        )
        for n, e in [(5, 1), (5, -1), (5, 3), (5, 1)]
    ]
    summary = summarise(scores)
    assert (summary.n_images, summary.n_predicted, summary.n_truth) == (4, 24, 20)
    assert summary.bias is not None
    assert summary.bias.value == pytest.approx(1.0)
    half = 3.18244630528 * (8 / 3) ** 0.5 / 2
    assert (summary.bias.low, summary.bias.high) == pytest.approx((1 - half, 1 + half))
    assert summary.mean_absolute_error is not None
    assert summary.mean_absolute_error.value == pytest.approx(1.5)
    assert summary.mean_absolute_error.low == 0.0
    assert summary.n_intervals == 4
    assert summary.coverage is not None
    # Clopper-Pearson for 3 of 4, from published tables.
    assert (summary.coverage.value, summary.coverage.low, summary.coverage.high) == pytest.approx(
        (0.75, 0.1941204, 0.9936905), abs=1e-6
    )
    assert (
        summary.agreements[0].n_matched,
        summary.agreements[0].n_false,
        summary.agreements[0].n_missed,
    ) == (19, 5, 1)


def test_summary_of_one_image_has_no_interval() -> None:
    summary = summarise([score([outline(0)], [])])
    assert summary.bias is not None
    assert (summary.bias.value, summary.bias.low) == (1.0, None)
    assert summary.coverage is None


def test_summary_of_nothing() -> None:
    summary = summarise([])
    assert (summary.n_images, summary.bias, summary.mean_absolute_error) == (0, None, None)
