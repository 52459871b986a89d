"""Of lines too near each other, one bears cars."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.exclusion import NO_ROOM_M, one_each
from railcount.occupancy import BACKGROUND, Evidence
from railcount.strips import Strip
from railcount.tracks.network import Track

N, STEP_M, PIXEL_M = 200, 0.25, 0.5


def strip(y_m: np.ndarray | float, *, westward: bool = False) -> Strip:
    """Along x from 0 to 50 m."""
    x_m = np.arange(N) * STEP_M
    line = np.stack([x_m, np.broadcast_to(y_m, N)], axis=-1)[:: -1 if westward else 1]
    return Strip(
        track=Track(id="1", line_px=line[[0, -1]] / PIXEL_M, confidence=0.5),
        bands=np.zeros((1, 32, N), dtype=np.float32),
        valid=np.ones((32, N), dtype=np.bool_),
        centre_px=line / PIXEL_M,
        direction=np.tile([-1.0 if westward else 1.0, 0.0], (N, 1)),
        step_m=STEP_M,
        half_width_m=4.0,
    )


def evidence(*spans_m: tuple[float, float], body: float = 3.0) -> Evidence:
    odds = np.full(N, -2.0)
    for start, end in spans_m:
        odds[round(start / STEP_M) : round(end / STEP_M)] = body
    return Evidence(
        body=odds,
        gap=odds + 1.0,
        seen=np.ones(N, dtype=np.bool_),
        view=np.zeros((6, 16, N), dtype=np.float32),
    )


def blobs(one: Evidence) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(one.body > 0, prepend=False, append=False)).reshape(-1, 2)
    return [(float(a) * STEP_M, float(b) * STEP_M) for a, b in edges]


def test_of_two_lines_on_one_train_the_surer_has_the_cars() -> None:
    weak, strong = evidence((10, 23), (24, 37), body=2.0), evidence((10, 23), (24, 37))
    first, second = one_each([strip(0.0), strip(NO_ROOM_M - 0.1)], [weak, strong])
    assert blobs(first) == []
    assert second is strong
    assert first.body.max() == -BACKGROUND
    assert (first.gap[weak.body > 0] <= -BACKGROUND).all()
    np.testing.assert_array_equal(first.body[weak.body < 0], weak.body[weak.body < 0])


def test_lines_with_room_between_keep_theirs() -> None:
    weak, strong = evidence((10, 37), body=2.0), evidence((10, 37))
    assert one_each([strip(0.0), strip(NO_ROOM_M + 0.1)], [weak, strong]) == (weak, strong)


@pytest.mark.parametrize("westward", [False, True])
def test_each_place_is_decided_for_itself(westward: bool) -> None:
    """Seen from either end."""
    here, there = evidence((2, 14), (30, 44), body=2.0), evidence((2, 14), body=3.0)
    line, other = strip(0.0), strip(2.0, westward=westward)
    if westward:
        there = evidence((36, 48), body=3.0)
    first, second = one_each([line, other], [here, there])
    assert blobs(first) == [(30, 44)]
    assert second is there


def test_where_tracks_part_both_have_cars() -> None:
    """A switch of 1:9: nearer than two cars have room only over its first 24 m."""
    stem, branch = evidence((0, 50)), evidence((0, 50), body=2.0)
    first, second = one_each([strip(0.0), strip(np.arange(N) * STEP_M / 9)], [stem, branch])
    assert first is stem
    ((start, end),) = blobs(second)
    assert (start, end) == (pytest.approx(NO_ROOM_M * 9, abs=1.0), 50)


def test_without_lines_there_is_nothing() -> None:
    assert one_each([], []) == ()
