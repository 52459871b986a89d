"""From directions to lines: the corridor, the rows in it, and the pieces that make a track."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from railcount.occupancy import STATES, SURE_M
from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.simulate import Layout, Scene, Stock, render
from railcount.strips import STEP_M as STRIP_M
from railcount.tracks.corridor import (
    ASLANT,
    BLOCK,
    TIGHTEST_M,
    Working,
    main_directions,
    orientation,
    reference_curve,
    run_on,
    runs_aslant,
    straighten_corridor,
)
from railcount.tracks.find import Piece, _main_curves, dense, find_tracks, joined, new_part
from railcount.tracks.neighbours import look_along
from railcount.tracks.rows import (
    ASIDE_COST,
    BEND_COST,
    CLEAR_SCORE,
    LEAST_SCORE,
    NEIGHBOUR,
    SHIFT_COST,
    _best_row,
    trace_rows,
)
from tests.test_scan import pixels_of

SHAPE = (400, 500)
GRID = Grid(
    width=SHAPE[1], height=SHAPE[0], transform=Affine.identity(), crs=None, local_from_pixel=np.eye(2) * 0.5
)


def cost(path: tuple[int, ...], *, shift: float, bend: float, aside: float) -> float:
    """Of a path's moves: the least of all ways to run along the corridor or aside of it."""
    moves = np.diff(path)

    def one(ways: tuple[int, ...]) -> float:
        total = 0.0
        for before, way, move in zip(ways, ways[1:], moves, strict=False):
            if before == way == 0:
                total += shift * abs(move)
            elif before == way:
                total += aside if move in {0, way} else np.inf
            else:
                total += bend if move == way and 0 in {before, way} else np.inf
        return float(total)

    return min(one(ways) for ways in product((0, 1, -1), repeat=len(path)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("costs", [(SHIFT_COST, BEND_COST, ASIDE_COST), (6.0, 4.0, 1.0)])
def test_the_best_of_all_paths(
    seed: int, costs: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("SHIFT_COST", "BEND_COST", "ASIDE_COST"), costs, strict=True):
        monkeypatch.setattr(f"railcount.tracks.rows.{name}", value)
    how = dict(zip(("shift", "bend", "aside"), costs, strict=True))
    score = 8 * np.random.default_rng(seed).normal(0.2, 1, (5, 4))
    paths = [
        (first, path)
        for first in range(5)
        for n in range(1, 6 - first)
        for path in product(range(4), repeat=n)
        if np.abs(np.diff(path)).max(initial=0) <= 1
    ]

    def worth(first: int, path: tuple[int, ...]) -> float:
        return float(score[first + np.arange(len(path)), list(path)].sum()) - cost(path, **how)

    best = _best_row(score)
    assert best is not None
    assert best.score == pytest.approx(max(worth(*one) for one in paths))
    assert best.score == pytest.approx(worth(best.first, tuple(best.v.astype(int))))


def test_a_line_does_not_wander_to_the_next_where_a_track_is_dark() -> None:
    """Two tracks 4.5 m apart; for 120 m the one bears dark cars, and there the other is clear."""
    score = np.full((100, 30), -1.0)
    score[:, 10], score[:, 19] = 2.0, 0.5
    score[35:65, 10], score[35:65, 19] = -0.5, 2.0
    rows = trace_rows(score, step_m=0.5)
    assert [len(row.v) for row in rows] == [100, 100]
    assert [round(float(v)) for row in rows for v in (row.v.min(), row.v.max())] == [10, 10, 19, 19]


def test_a_line_follows_a_switch() -> None:
    """4.5 m to the side in 40 m, and 48 m of track beyond."""
    score = np.full((172, 30), -1.5)
    score[:150, 10], score[160:, 19] = 2.0, 2.0
    score[np.arange(150, 160), np.arange(10, 20)] = 1.0
    (row,) = trace_rows(score, step_m=0.5)
    assert (row.first, len(row.v)) == (0, 172)


def striped(across_m: np.ndarray) -> Pixels:
    """Bright lines 4.6 m apart, as a function of the distance across, with noise."""
    rng = np.random.default_rng(0)
    image = 100 + 40 * (np.cos(2 * np.pi * across_m / 4.6) > 0.3) + rng.normal(0, 8, across_m.shape)
    return Pixels(
        bands=image.astype(np.float32)[None], valid=np.ones(across_m.shape, dtype=bool), names=("gray",)
    )


def plane(angle_deg: float) -> np.ndarray:
    y, x = (np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5) * 0.5
    a = np.deg2rad(angle_deg)
    return -np.sin(a) * x + np.cos(a) * y


@pytest.mark.parametrize("angle_deg", [-77.3, -30.0, 0.4, 14.0, 61.7])
def test_direction_of_parallel_lines(angle_deg: float) -> None:
    work = Working.of(striped(plane(angle_deg)), grid=GRID)
    angle, weight = orientation(work)
    first = main_directions(angle, weight)[0]
    _, heading = reference_curve(angle, weight, first, work)
    assert np.rad2deg(heading.mean()) == pytest.approx(angle_deg, abs=0.3)


def test_a_curve_becomes_straight_rows() -> None:
    y, x = (np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5) * 0.5
    work = Working.of(striped(np.hypot(x - 125, y + 300)), grid=GRID)
    angle, weight = orientation(work)
    points, heading = reference_curve(angle, weight, main_directions(angle, weight)[0], work)
    corridor = straighten_corridor(work, points, heading)
    inside = corridor.valid.all(axis=1)
    rows = corridor.bands[0][inside]
    between = rows.mean(axis=1).std()
    assert between > 10  # straightened, the stripes stay apart when averaged along the corridor
    crooked = work.bands[0].mean(axis=1).std()
    assert between > 2 * crooked


def test_tracks_are_sought_in_a_sharpened_picture() -> None:
    sharp = striped(plane(20.0))
    blurred = replace(sharp, bands=np.asarray(gaussian_filter(sharp.bands, (0, 2.5, 2.5))))
    coarse = replace(GRID, local_from_pixel=np.eye(2) * 0.9)
    spread = [Working.of(blurred, grid=grid).bands.std() for grid in (GRID, coarse)]
    assert spread[0] > 1.1 * spread[1]  # the same pixels, called coarse, stay as they are


def test_a_direction_is_searched_once() -> None:
    """Beside a strong one others seem to stand out, and their curve is the strong one's."""
    drawn = render(Scene(), seed=2)
    work = Working.of(pixels_of(drawn), grid=drawn.grid)
    directions = main_directions(*orientation(work))
    (only,) = _main_curves(work, *orientation(work))
    assert len(directions) == 2
    assert only[0] == directions[0]


def test_corridor_knows_its_place() -> None:
    work = Working.of(striped(plane(20.0)), grid=GRID)
    angle, weight = orientation(work)
    corridor = straighten_corridor(work, *reference_curve(angle, weight, np.deg2rad(20.0), work))
    v, u = np.argwhere(corridor.valid)[5000]
    x, y = (corridor.to_local(np.array([u]), np.array([v]))[0] - work.origin) / work.step_m
    expected = work.bands[0, round(y), round(x)]
    assert abs(corridor.bands[0, v, u] - expected) < 30


def ridge(odds: np.ndarray, first: int, v: np.ndarray) -> None:
    for i, at in enumerate(v):
        odds[first + i, int(at)] = 3.0


def test_rows_follow_the_ridges_of_the_odds() -> None:
    odds = np.full((60, 80), -2.5)
    ridge(odds, 0, np.full(60, 20))
    ridge(odds, 10, 40 + np.arange(40) // 4)
    rows = trace_rows(odds, step_m=0.5)
    assert len(rows) == 2
    straight, slanting = rows
    np.testing.assert_allclose(straight.v, 20, atol=0.3)
    assert slanting.first == pytest.approx(10, abs=1)
    assert slanting.v[0] == pytest.approx(40, abs=1.0)
    assert slanting.v[-1] == pytest.approx(49, abs=1.0)


def test_short_or_doubtful_ridges_are_no_rows() -> None:
    odds = np.full((60, 80), -2.5)
    ridge(odds, 0, np.full(int(LEAST_SCORE / 3.0), 20))
    assert trace_rows(odds, step_m=0.5) == []


def test_a_row_crosses_what_is_unclear() -> None:
    odds = np.full((60, 40), -2.5)
    ridge(odds, 0, np.full(60, 20))
    odds[25:30, 20] = -1.0
    (row,) = trace_rows(odds, step_m=0.5)
    assert len(row.v) == 60


def straight(x0: float, x1: float, y: float) -> np.ndarray:
    x = np.arange(x0, x1 + 1, 4.0)
    return np.stack([x, np.full_like(x, y)], axis=-1)


def test_pieces_of_one_track_are_joined() -> None:
    pieces = [
        Piece(straight(0, 100, 5.0), 1.0),
        Piece(straight(132, 200, 5.4), 2.0),
        Piece(straight(0, 200, 10.0), 1.0),
    ]
    lengths = sorted(round(np.ptp(p.line[:, 0])) for p in joined(pieces))
    assert lengths == [200, 200]


def test_neighbours_and_turns_are_not_joined() -> None:
    beside = [Piece(straight(0, 100, 5.0), 1.0), Piece(straight(110, 200, 9.0), 1.0)]
    assert len(joined(beside)) == 2
    turned = straight(0, 100, 0.0)[:, ::-1] + [104.0, 5.0]
    assert len(joined([Piece(straight(0, 100, 5.0), 1.0), Piece(turned, 1.0)])) == 2


def test_only_the_new_part_of_a_line_counts() -> None:
    part = new_part(straight(0, 200, 5.0), [straight(0, 100, 5.5)])
    assert part is not None
    assert part[:, 0].min() == pytest.approx(104, abs=8)
    assert new_part(straight(0, 100, 5.0), [straight(-20, 120, 5.5)]) is None


def test_noise_has_no_tracks() -> None:
    rng = np.random.default_rng(3)
    pixels = Pixels(
        bands=rng.normal(100, 20, (1, *SHAPE)).astype(np.float32),
        valid=np.ones(SHAPE, dtype=bool),
        names=("gray",),
    )
    network = find_tracks(pixels, grid=GRID)
    assert network.tracks == ()
    assert network.reasons


def test_a_field_does_not_hide_a_curved_yard() -> None:
    rng = np.random.default_rng(5)
    field = rng.normal(np.deg2rad(66), 0.03, 60_000)
    curve = rng.uniform(np.deg2rad(-65), np.deg2rad(-25), 20_000)
    angle = np.concatenate([field, curve])
    found = np.rad2deg(main_directions(angle, np.ones_like(angle)))
    assert found[0] == pytest.approx(66, abs=2)
    assert any(-70 < f < -20 for f in found[1:])


def test_a_track_makes_a_parallel_one_beside_it_likelier() -> None:
    def rows_at(faint: int) -> list[float]:
        odds = np.full((40, 80), -3.0)
        odds[:, 20], odds[:, faint] = 2.5, 0.3
        return sorted(float(row.v.mean()) for row in trace_rows(odds, step_m=0.5))

    alone = 40 * 0.3
    assert alone < LEAST_SCORE < 40 * (0.3 + NEIGHBOUR)
    assert rows_at(30) == pytest.approx([20, 30], abs=0.5)  # 5 m
    assert rows_at(24) == pytest.approx([20], abs=0.5)  # 2 m: the same track
    assert rows_at(44) == pytest.approx([20], abs=0.5)  # 12 m


def test_a_short_line_says_nothing_of_what_lies_beside_it() -> None:
    odds = np.full((40, 80), -3.0)
    odds[:19, 20], odds[:, 30] = 3.0, 0.3  # 57 in all
    (row,) = trace_rows(odds, step_m=0.5)
    assert LEAST_SCORE < row.score < CLEAR_SCORE
    odds[:21, 20] = 3.0  # 63
    assert len(trace_rows(odds, step_m=0.5)) == 2


def turning(width_px: int, height_px: int, *, n_tracks: int, n_railcars: int) -> Scene:
    """A yard that bends."""
    layout = Layout(kind="curved", n_tracks=n_tracks, spacing_m=4.8, azimuth_deg=100.0)
    stock = Stock(n_railcars=n_railcars)
    return Scene(width_px=width_px, height_px=height_px, layout=layout, stock=stock)


def test_a_yard_that_turns_far_is_followed() -> None:
    scene = turning(800, 500, n_tracks=4, n_railcars=50)
    drawn = render(scene, seed=1)  # turns by 80 degrees, among fields with furrows
    network = find_tracks(pixels_of(drawn), grid=drawn.grid)
    found = cKDTree(np.concatenate([dense(drawn.grid.to_local(t.line_px)) for t in network.tracks]))
    cars = np.array([drawn.grid.to_local(c.outline_px).mean(axis=0) for c in drawn.railcars])
    assert (found.query(cars)[0] < 1.5).mean() > 0.9


def test_lines_in_a_curve_do_not_run_from_track_to_track() -> None:
    scene = turning(900, 600, n_tracks=6, n_railcars=60)
    drawn = render(scene, seed=5)
    found, true = (
        np.concatenate([dense(drawn.grid.to_local(t.line_px)) for t in tracks])
        for tracks in (find_tracks(pixels_of(drawn), grid=drawn.grid).tracks, drawn.tracks)
    )
    assert (cKDTree(true).query(found)[0] > 1.2).mean() < 0.08
    assert (cKDTree(found).query(true)[0] < 1.2).mean() > 0.9


def circles(work: Working, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orientations of circles around a point, clear everywhere."""
    rows, cols = work.valid.shape
    xy = np.stack(np.meshgrid(np.arange(cols), np.arange(rows)), axis=-1) * work.step_m + work.origin - centre
    return np.arctan2(xy[..., 0], -xy[..., 1]), np.ones((rows, cols))


def test_a_curve_runs_on_around_a_circle_and_ends_where_it_is_unclear() -> None:
    work = Working.of(striped(plane(0.0)), grid=GRID)
    centre, radius = work.origin + np.array([125.0, 210.0]), 160.0
    angle, weight = circles(work, centre)
    turn = np.deg2rad(np.linspace(-125, -105, 30))
    line = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    points, heading = run_on(angle, weight, line, work)
    assert np.hypot(*(points - line[-1]).T).min() < 1.0
    np.testing.assert_allclose(np.hypot(*(points - centre).T), radius, atol=3.0)
    assert points[-1, 0] > work.origin[0] + 245
    assert heading[-1] - heading[0] > np.deg2rad(40)
    weight[:, 250:] = 0.0  # from 125 m on
    points, _ = run_on(angle, weight, line, work)
    assert points[-1, 0] == pytest.approx(work.origin[0] + 125.0, abs=1.0)
    weight[:, 350:] = 1.0  # 50 m farther it is clear again: too far
    points, _ = run_on(angle, weight, line, work)
    assert points[-1, 0] == pytest.approx(work.origin[0] + 125.0, abs=1.0)
    weight[:, 300:] = 1.0  # 25 m
    points, _ = run_on(angle, weight, line, work)
    assert points[-1, 0] > work.origin[0] + 245


def test_a_curve_does_not_turn_more_tightly_than_tracks_do() -> None:
    work = Working.of(striped(plane(0.0)), grid=GRID)
    centre, radius = work.origin + np.array([125.0, 180.0]), 60.0
    angle, weight = circles(work, centre)
    turn = np.deg2rad(np.linspace(-120, -100, 30))
    line = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    _, heading = run_on(angle, weight, line, work)
    assert np.diff(heading).max() <= work.step_m / TIGHTEST_M + 1e-9


def test_a_curve_is_not_searched_along_its_tangent() -> None:
    work = Working.of(striped(plane(0.0)), grid=GRID)
    centre, radius = work.origin + np.array([125.0, 210.0]), 160.0
    angle, weight = circles(work, centre)
    x = np.arange(work.origin[0], work.origin[0] + 250.0, work.step_m)
    points = np.stack([x, np.full(len(x), centre[1] - radius)], axis=-1)
    corridor = straighten_corridor(work, points, np.zeros(len(x)), across_m=(-5.0, 5.0))
    assert corridor is not None
    aslant = runs_aslant(corridor, angle, weight, work)
    assert aslant.shape == (corridor.valid.shape[1] // BLOCK, corridor.valid.shape[0])
    touches = len(aslant) // 2
    far = round(radius * np.tan(ASLANT) / (BLOCK * work.step_m))
    assert not aslant[touches - far + 2 : touches + far - 1].any()
    assert aslant[: touches - far - 2].all()
    assert aslant[touches + far + 3 :].all()
    assert not runs_aslant(corridor, angle, np.zeros_like(weight), work).any()


def test_a_place_that_is_tried_is_no_track_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells, no car stands beside the tracks that were found."""

    def doubtful(image: np.ndarray) -> np.ndarray:
        return np.zeros((len(STATES), 1, image.shape[2]), dtype=np.float32)

    monkeypatch.setattr("railcount.occupancy.load_net", lambda _: doubtful)
    (body,) = look_along([straight(20.0, 220.0, 60.0)], striped(plane(0.0)), grid=GRID)
    assert len(body) * STRIP_M > SURE_M
    assert body.max() < 0


def test_a_speck_on_nothing_has_no_tracks() -> None:
    image = np.zeros((1, *SHAPE), dtype=np.float32)
    image[0, 100:110, 200:210] = 50.0  # nearly all gradients are exactly 0, so none is a strong one
    pixels = Pixels(bands=image, valid=np.ones(SHAPE, dtype=bool), names=("gray",))
    assert find_tracks(pixels, grid=GRID).tracks == ()
