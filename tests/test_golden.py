"""Golden values of every stage on one simulated yard, so that a failure says which stage moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial import cKDTree

from railcount.cars.lengths import load_stock
from railcount.cars.split import split
from railcount.occupancy import Evidence, measure, views
from railcount.strips import Strip, straighten
from railcount.tracks.corridor import Working, main_directions, orientation
from railcount.tracks.find import dense, find_tracks
from tests.test_scan import given, pixels_of, yard

if TYPE_CHECKING:
    from railcount.simulate import RenderedScene

LENGTHS_M = [296.2, 296.2, 296.2, 295.8]
MEANS = [74.8, 72.1, 73.4, 73.4]
VIEW_MEANS = [0.026, -0.006, 0.008, 0.024]
BODY_M = [109.25, 40.25, 173.75, 174.25]
GAP_M = [9.25, 4.0, 9.25, 14.75]
PER_ROW = [8, 3, 9, 13]
"""One more than stand there: a flat with two containers is read as two cars."""


@pytest.fixture(scope="module")
def drawn() -> RenderedScene:
    return yard()


@pytest.fixture(scope="module")
def strips(drawn: RenderedScene) -> tuple[Strip, ...]:
    return straighten(pixels_of(drawn), given(drawn), grid=drawn.grid)


@pytest.fixture(scope="module")
def evidence(strips: tuple[Strip, ...]) -> tuple[Evidence, ...]:
    return measure(strips)


def test_strips(strips: tuple[Strip, ...]) -> None:
    lengths = [s.length_m for s in strips]
    means = [float(s.bands[:, s.valid].mean()) for s in strips]
    assert lengths == pytest.approx(LENGTHS_M, abs=0.5)
    assert means == pytest.approx(MEANS, abs=1.0)


def test_views(strips: tuple[Strip, ...]) -> None:
    seen = np.concatenate([v[:4, v[4] > 0] for v in views(strips)], axis=1)
    assert seen.mean(axis=1) == pytest.approx(VIEW_MEANS, abs=0.03)


def test_evidence(evidence: tuple[Evidence, ...]) -> None:
    body_m = [float((e.body > 0).sum()) * 0.25 for e in evidence]
    gap_m = [float((e.gap > np.maximum(e.body, 0)).sum()) * 0.25 for e in evidence]
    assert body_m == pytest.approx(BODY_M, abs=6.0)
    assert gap_m == pytest.approx(GAP_M, abs=4.0)


def test_cars(strips: tuple[Strip, ...], evidence: tuple[Evidence, ...]) -> None:
    rows = split(strips, evidence, stock=load_stock("any"))
    per_row = [sum(c.row == r for c in rows.cars) for r in range(len(strips))]
    assert per_row == PER_ROW
    expected = float((np.arange(len(rows.counts)) * rows.counts).sum())
    assert expected == pytest.approx(sum(PER_ROW), abs=1.0)


def test_direction(drawn: RenderedScene) -> None:
    angle, weight = orientation(Working.of(pixels_of(drawn), grid=drawn.grid))
    assert np.rad2deg(main_directions(angle, weight)[0]) == pytest.approx(14.0, abs=1.0)


def test_found_tracks_lie_on_the_true_ones(drawn: RenderedScene) -> None:
    network = find_tracks(pixels_of(drawn), grid=drawn.grid)
    truth = cKDTree(np.concatenate([dense(drawn.grid.to_local(t.line_px)) for t in drawn.tracks]))
    found = np.concatenate([drawn.grid.to_local(t.line_px) for t in network.tracks])
    off, _ = truth.query(found)
    assert len(network.tracks) >= len(drawn.tracks) - 1
    assert np.median(off) < 0.7
