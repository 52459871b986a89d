"""Tracks that only the cars on them show, beside tracks that were found."""

from __future__ import annotations

import numpy as np
import pytest

from railcount.strips import STEP_M as STRIP_M
from railcount.tracks.corridor import BLOCK, Corridor
from railcount.tracks.neighbours import (
    AROUND_CARS_M,
    BEYOND_CARS_M,
    CROWDED_M,
    DOUBTFUL,
    LEAST_CARS_M,
    LEAST_MEAN,
    PASSED_BLOCKS,
    neighbours,
    recentred,
    row_line,
)
from railcount.tracks.rows import CLEAR_SCORE, Row

BLOCKS, WIDE = 50, 100
BLOCK_M = BLOCK * 0.5


def corridor() -> Corridor:
    """200 m along x, 50 m across."""
    n = BLOCKS * BLOCK
    return Corridor(
        bands=np.zeros((1, WIDE, n), dtype=np.float32),
        valid=np.ones((WIDE, n), dtype=bool),
        points=np.stack([np.arange(n) * 0.5, np.zeros(n)], axis=-1),
        normal=np.tile([0.0, 1.0], (n, 1)),
        first_v_m=0.0,
    )


class Cars:
    """Cars on places (y, from x, to x) in metres, seen from lines nearby; counts the lines asked."""

    def __init__(self, *places: tuple[float, float, float], within_m: float = 1.2, body: float = 3.0) -> None:
        self.places = places
        self.within_m = within_m
        self.body = body
        self.n_asked = 0

    def __call__(self, lines: list[np.ndarray]) -> list[np.ndarray]:
        self.n_asked += len(lines)
        out = []
        for line in lines:
            x = np.arange(line[0, 0], line[-1, 0], STRIP_M)
            y = np.interp(x, line[:, 0], line[:, 1])
            body = np.full(len(x), -3.0)
            for at, start, end in self.places:
                body[(np.abs(y - at) < self.within_m) & (x > start) & (x < end)] = self.body
            out.append(body)
        return out


def row_at(y_m: float, first: int = 0, last: int = BLOCKS) -> Row:
    return Row(first, np.full(last - first, y_m / 0.5), 100.0)


def found(*rows: Row, cars: Cars, odds: np.ndarray | None = None) -> list[Row]:
    flat = np.full((BLOCKS, WIDE), -1.0) if odds is None else odds
    return neighbours(list(rows), flat, corridor(), look=cars, glance=cars)


def test_cars_beside_a_track_show_the_next_one() -> None:
    (row,) = found(row_at(20.0), cars=Cars((24.8, 60.0, 120.0)))
    assert row.v.mean() * 0.5 == pytest.approx(24.8, abs=0.3)
    start, end = row_line(row, corridor())[[0, -1], 0]
    assert start == pytest.approx(60.0 - AROUND_CARS_M, abs=2 * BLOCK_M)
    assert end == pytest.approx(120.0 + AROUND_CARS_M, abs=2 * BLOCK_M)


def test_a_glance_tells_where_beside_a_place_to_look() -> None:
    """The usual place is 1 m beside the cars, and a look there sees none."""
    place = (25.8, 60.0, 120.0)
    ways = {"glance": Cars(place), "look": Cars(place, within_m=0.6)}
    (row,) = neighbours([row_at(20.0)], np.full((BLOCKS, WIDE), -1.0), corridor(), **ways)
    assert row.v.mean() * 0.5 == pytest.approx(25.8, abs=0.3)


@pytest.mark.parametrize(("apart_m", "n_found"), [(CROWDED_M - 0.6, 0), (CROWDED_M + 0.6, 1)])
def test_what_shows_beside_a_tracks_own_cars_is_theirs(apart_m: float, n_found: int) -> None:
    """A place is not moved towards them: a look from where it may lie does not see what the glance saw."""
    odds = np.full((BLOCKS, WIDE), -1.0)
    odds[:, 47] = 1.0  # 3.5 m beside
    place = (20.0 + apart_m, 60.0, 120.0)
    ways = {"glance": Cars(place), "look": Cars(place, within_m=0.5)}
    assert len(neighbours([row_at(20.0)], odds, corridor(), **ways)) == n_found


@pytest.mark.parametrize(("body", "n_found"), [(LEAST_MEAN - 0.3, 0), (LEAST_MEAN + 0.3, 1)])
def test_what_is_little_like_cars_all_along_is_no_train(body: float, n_found: int) -> None:
    """Whatever the few metres that are more like them."""

    def look(lines: list[np.ndarray]) -> list[np.ndarray]:
        shown = Cars((24.8, 10.0, 190.0), body=body)(lines)
        for one in shown:
            one[: round(LEAST_CARS_M / STRIP_M) + 50][one[: round(LEAST_CARS_M / STRIP_M) + 50] > 0] = 2.1
        return shown

    glance = Cars((24.8, 10.0, 190.0))
    flat = np.full((BLOCKS, WIDE), -1.0)
    assert len(neighbours([row_at(20.0)], flat, corridor(), look=look, glance=glance)) == n_found


def test_without_cars_there_is_none() -> None:
    cars = Cars()
    assert found(row_at(20.0), cars=cars) == []
    assert cars.n_asked == 4  # one place on either side, and one beyond each


def test_beyond_an_empty_track_there_can_be_cars() -> None:
    (row,) = found(row_at(20.0), cars=Cars((29.6, 40.0, 160.0)))
    assert row.v.mean() * 0.5 == pytest.approx(29.6, abs=0.3)
    assert found(row_at(20.0), cars=Cars((34.4, 40.0, 160.0))) == []  # beyond two


def test_beyond_an_empty_track_two_cars_are_no_track() -> None:
    assert found(row_at(20.0), cars=Cars((29.6, 60.0, 60.0 + BEYOND_CARS_M - 2))) == []


def test_beyond_a_short_place_none_is_asked_for() -> None:
    ground = corridor()
    ground.valid[46:54, : (PASSED_BLOCKS + 1) * BLOCK] = False  # from 23 to 27 m
    odds = np.full((BLOCKS, WIDE), -1.0)
    assert (
        neighbours(
            [row_at(20.0)], odds, ground, look=Cars((29.6, 10.0, 190.0)), glance=Cars((29.6, 10.0, 190.0))
        )
        == []
    )


def test_ground_of_a_line_that_was_moved_is_not_asked_for() -> None:
    flat, cars = np.full((BLOCKS, WIDE), -1.0), Cars((24.5, 10.0, 190.0))
    assert neighbours([row_at(20.0)], flat, corridor(), look=cars, glance=cars, taken_by=[row_at(24.5)]) == []


def doubtful_row(y_m: float, odds: float = 1.0) -> Row:
    return Row(0, np.full(BLOCKS, y_m / 0.5), odds * BLOCKS)


def test_a_doubtful_line_moves_to_its_cars() -> None:
    """Of 4 log-odds of body, 1.2 are the price of a move."""
    (row,) = recentred(
        [doubtful_row(20.0)],
        np.zeros((BLOCKS, WIDE)),
        corridor(),
        look=Cars((22.0, 0.0, 200.0)),
        glance=Cars((22.0, 0.0, 200.0)),
    )
    assert row.v * 0.5 == pytest.approx(np.full(BLOCKS, 21.15), abs=0.4)
    assert row.score == BLOCKS


@pytest.mark.parametrize("y_m", [20.0, 20.9])
def test_a_line_that_is_near_its_cars_stays(y_m: float) -> None:
    (row,) = recentred(
        [doubtful_row(20.0)],
        np.zeros((BLOCKS, WIDE)),
        corridor(),
        look=Cars((y_m, 0.0, 200.0)),
        glance=Cars((y_m, 0.0, 200.0)),
    )
    assert row.v * 0.5 == pytest.approx(np.full(BLOCKS, 20.0), abs=0.15)


def test_a_line_whose_rails_show_stays() -> None:
    clear = doubtful_row(20.0, odds=DOUBTFUL)
    cars = Cars((22.0, 0.0, 200.0))
    (row,) = recentred([clear], np.zeros((BLOCKS, WIDE)), corridor(), look=cars, glance=cars)
    np.testing.assert_array_equal(row.v, clear.v)
    assert cars.n_asked == 0


def test_odds_of_a_centre_line_outweigh_cars_beside_it() -> None:
    """The next track's cars show from the line's side; where the odds are clear, they are not its own."""
    odds = np.full((BLOCKS, WIDE), -3.0)
    odds[:, 40] = 3.0
    (row,) = recentred(
        [doubtful_row(20.0)], odds, corridor(), look=Cars((22.0, 0.0, 200.0)), glance=Cars((22.0, 0.0, 200.0))
    )
    assert row.v * 0.5 == pytest.approx(np.full(BLOCKS, 20.0), abs=0.05)


def test_only_where_the_cars_are_does_a_line_move() -> None:
    (row,) = recentred(
        [doubtful_row(20.0)],
        np.zeros((BLOCKS, WIDE)),
        corridor(),
        look=Cars((22.0, 0.0, 60.0)),
        glance=Cars((22.0, 0.0, 60.0)),
    )
    assert row.v[:5].mean() * 0.5 > 20.8
    assert row.v[-15:] * 0.5 == pytest.approx(np.full(15, 20.0), abs=0.05)


def test_a_single_truck_is_no_track() -> None:
    assert found(row_at(20.0), cars=Cars((24.5, 60.0, 60.0 + LEAST_CARS_M - 2))) == []


def test_one_leads_to_the_next() -> None:
    rows = found(row_at(20.0), cars=Cars((24.5, 10.0, 190.0), (29.0, 10.0, 190.0)))
    assert sorted(round(float(r.v.mean()) * 0.5) for r in rows) == [24, 29]


def test_a_track_goes_on_where_cars_stand_on_it() -> None:
    (row,) = found(row_at(20.0, 0, 20), cars=Cars((20.0, 85.0, 160.0)))
    assert row.first == 20
    assert row.v.mean() * 0.5 == pytest.approx(20.0, abs=0.2)


def test_the_likeliest_place_is_asked_for() -> None:
    odds = np.full((BLOCKS, WIDE), -1.0)
    odds[:, 52] = 0.0  # 6 m beside
    (row,) = found(row_at(20.0), cars=Cars((26.0, 60.0, 120.0)), odds=odds)
    assert row.v.mean() * 0.5 == pytest.approx(26.0, abs=0.3)


def test_what_was_found_is_not_found_again() -> None:
    cars = Cars((24.5, 10.0, 190.0))
    assert found(row_at(20.0), row_at(24.5), cars=cars) == []


def test_ground_that_is_not_in_the_image_is_not_asked_for() -> None:
    ground = corridor()
    ground.valid[44:] = False  # beyond 22 m
    cars = Cars((24.5, 10.0, 190.0))
    assert neighbours([row_at(20.0)], np.full((BLOCKS, WIDE), -1.0), ground, look=cars, glance=cars) == []
    assert cars.n_asked == 2  # one beside, one beyond it


def test_a_doubtful_line_has_no_neighbours() -> None:
    """Rows of containers are short; what stands beside them is no proof of a yard."""
    doubtful = Row(0, np.full(BLOCKS, 40.0), CLEAR_SCORE - 1)
    cars = Cars((24.8, 60.0, 120.0))
    assert found(doubtful, cars=cars) == []
    assert cars.n_asked == 0


def test_only_where_a_glance_shows_cars_are_they_looked_for() -> None:
    cars, asked = Cars((24.8, 60.0, 120.0)), []

    def look(lines: list[np.ndarray]) -> list[np.ndarray]:
        asked.extend(float(line[:, 1].mean()) for line in lines)
        return cars(lines)

    flat = np.full((BLOCKS, WIDE), -1.0)
    neighbours([row_at(20.0)], flat, corridor(), look=look, glance=cars)
    assert asked, "the track that a glance shows"
    assert all(abs(v - 24.8) < 2.5 for v in asked), (
        "its place, and those around it to centre it; no other side"
    )
    nothing: list[list[np.ndarray]] = []
    assert (
        neighbours(
            [row_at(20.0)],
            flat,
            corridor(),
            look=look,
            glance=lambda lines: [np.full(1000, -4.0)] * len(lines),
        )
        == nothing
    )


def test_a_line_whose_cars_a_glance_shows_in_its_middle_is_not_looked_at() -> None:
    asked: list[int] = []

    def look(lines: list[np.ndarray]) -> list[np.ndarray]:
        asked.append(len(lines))
        return Cars((21.2, 60.0, 120.0))(lines)

    row = doubtful_row(20.0)
    recentred([row], np.full((BLOCKS, WIDE), -1.0), corridor(), look=look, glance=Cars((20.0, 60.0, 120.0)))
    assert not sum(asked)
