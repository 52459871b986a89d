"""The morphological foreground, what is kept as a blob; and what the networks are asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from railcount.occupancy import (
    BACKGROUND,
    BESIDE_M,
    LEAST_SURE,
    MOST_RAISED,
    NARROWEST_GAP_M,
    NEARLY_SURE,
    PRIOR,
    ROOM_M,
    SHORTEST_BLOB_M,
    SIDE_CHANNEL,
    STATES,
    SURE_M,
    SURE_TRACK,
    TRAIN,
    TRAIN_M,
    Evidence,
    _by_own_share,
    believed,
    foreground,
    measure,
    views,
)
from railcount.strips import Strip
from railcount.tracks.network import Track

STEP_M = 0.25


def row(*spans_m: tuple[float, float]) -> np.ndarray:
    out = np.zeros(240, dtype=bool)
    for start, end in spans_m:
        out[round(start / STEP_M) : round(end / STEP_M)] = True
    return out


def test_a_car_stays_and_a_person_goes() -> None:
    kept = foreground(row((10, 23), (40, 40 + SHORTEST_BLOB_M - 1)), step_m=STEP_M)
    np.testing.assert_array_equal(kept, row((10, 23)))


def test_a_wire_is_closed_and_a_coupler_gap_stays_open() -> None:
    wire = foreground(row((10, 16), (16 + NARROWEST_GAP_M / 2, 23)), step_m=STEP_M)
    np.testing.assert_array_equal(wire, row((10, 23)))
    coupled = row((10, 22.75), (24, 36.75))
    np.testing.assert_array_equal(foreground(coupled, step_m=STEP_M), coupled)


class Recorder:
    """In place of the networks: keeps what it is asked, and calls everything equally likely."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.seen: list[np.ndarray] = []

    def load(self, name: str) -> Recorder:
        self.names.add(name)
        return self

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.seen.append(image.copy())
        return np.zeros((len(STATES), 1, image.shape[2]), dtype=np.float32)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr("railcount.occupancy.load_net", recorder.load)
    return recorder


def eastward() -> Strip:
    """A strip of noise along a track that runs east: right of it is south."""
    n = 200
    return Strip(
        track=Track(id="1", line_px=np.zeros((2, 2))),
        bands=np.random.default_rng(0).normal(100, 10, (1, 32, n)).astype(np.float32),
        valid=np.ones((32, n), dtype=np.bool_),
        step_m=STEP_M,
        half_width_m=4.0,
        centre_px=np.stack([np.arange(n), np.zeros(n)], axis=-1),
        direction=np.tile([1.0, 0.0], (n, 1)),
    )


def test_the_network_sees_a_blurred_strip_sharpened() -> None:
    """Not one of coarse pixels, which the networks know as they are."""
    strip = eastward()
    blurred = replace(strip, bands=np.asarray(gaussian_filter(strip.bands, (0, 4, 4))))
    fine, coarse = (replace(blurred, centre_px=blurred.centre_px * STEP_M / size) for size in (0.5, 0.9))
    edges = [np.abs(np.diff(views([one])[0][0], axis=1)).mean() for one in (fine, coarse)]
    assert edges[0] > 1.1 * edges[1]


def sides(network: Recorder) -> list[float]:
    return sorted({float(s) for image in network.seen for s in np.unique(image[SIDE_CHANNEL])})


def test_the_network_is_told_the_side_of_the_shadows_and_the_other_when_turned(network: Recorder) -> None:
    measure([eastward()], sun_azimuth_deg=180.0)  # from the south: shadows to the north, left of travel
    straight, turned = network.seen[-2:]
    assert {float(straight[SIDE_CHANNEL].mean()), float(turned[SIDE_CHANNEL].mean())} == {-1.0, 1.0}
    untold = next(image for image in network.seen if not image[SIDE_CHANNEL].any())
    told = next(image for image in network.seen if image[SIDE_CHANNEL].mean() == -1.0)
    np.testing.assert_array_equal(told[:SIDE_CHANNEL], untold[:SIDE_CHANNEL])  # as read eastward


def test_without_shadows_and_sun_no_side_is_told(network: Recorder) -> None:
    measure([eastward()])
    assert sides(network) == [0.0]


def test_coarse_pixels_have_a_network_of_their_own(network: Recorder) -> None:
    measure([eastward()])
    assert network.names == {"cars"}
    network.names.clear()
    measure([eastward()], coarse=True)
    assert network.names == {"coarse"}


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("confidence", "length_m", "body"),
    [
        (1.0, SURE_M / 2, PRIOR),
        (SURE_TRACK, SURE_M, PRIOR),
        (SURE_TRACK, SURE_M - 1, -BACKGROUND),
        (SURE_TRACK - 0.01, SURE_M, -BACKGROUND),
    ],
)
def test_in_doubt_what_surely_is_a_track_is_taken(confidence: float, length_m: float, body: float) -> None:
    strip = replace(eastward(), track=Track(id="1", line_px=np.zeros((2, 2)), confidence=confidence))
    n = round(length_m / STEP_M)
    long = replace(
        strip,
        bands=np.resize(strip.bands, (1, 32, n)),
        valid=np.ones((32, n), dtype=np.bool_),
        centre_px=np.stack([np.arange(n), np.zeros(n)], axis=-1),
        direction=np.tile([1.0, 0.0], (n, 1)),
    )
    (evidence,) = measure([long])
    np.testing.assert_allclose(evidence.body, body)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("confidence", "aside_m", "body"),
    [
        (NEARLY_SURE, BESIDE_M - 0.1, PRIOR),
        (NEARLY_SURE, BESIDE_M + 0.1, -BACKGROUND),
        (NEARLY_SURE - 0.01, BESIDE_M - 0.1, -BACKGROUND),
    ],
)
def test_beside_what_surely_is_a_track_a_short_line_is_one_too(
    confidence: float, aside_m: float, body: float
) -> None:
    n = round(SURE_M / STEP_M)
    between, beyond = beside(confidence, aside_m), beside(confidence, 2 * aside_m)
    sure = beside(SURE_TRACK, 0.0, n)
    for evidence in measure([beyond, between, sure])[:2]:
        np.testing.assert_allclose(evidence.body, body)


def beside(confidence: float, aside_m: float, n: int = 200) -> Strip:
    """A strip eastward, in pixels of 1 m."""
    strip = eastward()
    return replace(
        strip,
        track=Track(id="1", line_px=np.zeros((2, 2)), confidence=confidence),
        bands=np.resize(strip.bands, (1, 32, n)),
        valid=np.ones((32, n), dtype=np.bool_),
        centre_px=np.stack([np.arange(n) * STEP_M, np.full(n, aside_m)], axis=-1),
        direction=np.tile([1.0, 0.0], (n, 1)),
    )


def test_what_is_doubtful_follows_what_the_tile_shows() -> None:
    def states(clear: float) -> np.ndarray:
        """A third of the columns in doubt, the others clear."""
        odds = np.concatenate([np.full(200, clear), np.full(100, -1.0)])
        return np.stack([np.zeros(300), odds, np.full(300, -20.0)])

    (full,), (empty,) = _by_own_share([states(4.0)]), _by_own_share([states(-6.0)])
    assert (full[1] - full[0])[-1] == pytest.approx(-1.0 + MOST_RAISED)
    assert -1.0 - MOST_RAISED <= (empty[1] - empty[0])[-1] < -2.0
    assert _by_own_share([]) == []


N_LINE = round(ROOM_M / STEP_M)


def shown(body: float, length_m: float = 20.0) -> Evidence:
    """Of so much on a line of 150 m; the mean is ``body``."""
    half = round(length_m / STEP_M / 2)
    odds = np.concatenate(
        [np.full(N_LINE - 2 * half, -3.0), np.full(half, body + 0.1), np.full(half, body - 0.1)]
    )
    return Evidence(
        body=odds,
        gap=odds + 1.0,
        seen=np.ones(N_LINE, dtype=np.bool_),
        view=np.zeros((6, 16, N_LINE), dtype=np.float32),
    )


@pytest.mark.parametrize(
    ("confidence", "body", "stays"),
    [
        (NEARLY_SURE, LEAST_SURE - 0.01, False),
        (NEARLY_SURE, LEAST_SURE + 0.01, True),
        (SURE_TRACK, LEAST_SURE - 0.01, True),
        (1.0, LEAST_SURE - 0.01, True),
    ],
)
def test_what_is_unsure_everywhere_on_a_line_that_may_be_no_track_is_not_believed(
    confidence: float, body: float, stays: bool
) -> None:
    """In a tile that has a track far aside."""
    before, empty = shown(body), shown(-2.0)
    after, same = believed([beside(confidence, 0.0, N_LINE), beside(1.0, 50.0, N_LINE)], [before, empty])
    np.testing.assert_allclose(after.body, before.body if stays else np.minimum(before.body, -BACKGROUND))
    np.testing.assert_allclose(after.gap, before.gap if stays else np.minimum(before.gap, after.body))
    assert same is empty


@pytest.mark.parametrize(
    ("other", "stays"),
    [
        (shown(TRAIN + 0.01, TRAIN_M), True),
        (shown(TRAIN - 0.01, TRAIN_M), False),
        (shown(TRAIN + 0.01, TRAIN_M - 1), False),
    ],
)
def test_where_nothing_surely_is_a_track_or_a_train_more_is_asked(other: Evidence, stays: bool) -> None:
    lines = [beside(NEARLY_SURE, 0.0, N_LINE), beside(NEARLY_SURE, 50.0, N_LINE)]
    unsure = shown(LEAST_SURE + 0.1)
    assert (believed(lines, [unsure, other])[0] is unsure) == stays


def test_in_a_small_tile_no_more_is_asked() -> None:
    unsure = shown(LEAST_SURE + 0.1)
    short = beside(NEARLY_SURE, 0.0, N_LINE - 1)
    assert believed([short], [unsure]) == (unsure,)


def test_what_is_as_sure_as_a_train_stays_for_itself() -> None:
    car = shown(TRAIN + 0.01, 12.0)
    assert believed([beside(NEARLY_SURE, 0.0, N_LINE)], [car]) == (car,)


def test_an_empty_line_stays_as_it_is() -> None:
    n = 200
    empty = Evidence(
        body=np.full(n, -0.1),
        gap=np.full(n, -1.0),
        seen=np.ones(n, dtype=np.bool_),
        view=np.zeros((6, 16, n), dtype=np.float32),
    )
    (after,) = believed([beside(NEARLY_SURE, 0.0, n)], [empty])
    assert after is empty
