"""Drawn results: a yard of straight tracks with exact cars, and a count of every status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from pyproj import CRS

from railcount.baseline import Comparison
from railcount.counts import Car, Interval, Kind, Stretch, TileCount, TrackSeen, TrackSummary
from railcount.raster.acquisition import Acquisition
from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels, Window
from railcount.strips import Strip
from railcount.tracks.network import Registration, Track, TrackNetwork

GSD_M = 0.5
WIDTH, HEIGHT = 640, 360
STRIP_STEP_M = 0.25
HALF_WIDTH_M = 4.0
CAR_M, GAP_M, BODY_M = 12.8, 1.1, 3.1
COLOURS: dict[Kind, tuple[int, int, int]] = {
    "gondola": (96, 84, 76),
    "covered": (150, 160, 150),
    "tank": (60, 62, 66),
    "flat": (120, 104, 88),
    "locomotive": (70, 110, 84),
}
STATUSES_WITHOUT_COUNT = ("uncountable", "no_data", "refused", "failed", "timeout", "crashed", "skipped")

ACQUISITION = Acquisition(
    acquired=datetime(2023, 10, 5, 2, 11, tzinfo=UTC),
    acquired_from="tiff_tag",
    sun_azimuth_deg=155.0,
    sun_elevation_deg=38.0,
    sensor="SkySat",
    credit="Drawn by hand for tests",
    simulated=True,
)
COMPARISON = Comparison(
    baseline="published counts of the Tumangang freight yard",
    window=(date(2018, 10, 5), date(2023, 10, 4)),
    n=24,
    max=20,
    median=6.0,
    ratio_to_max=3.65,
    level="unprecedented",
    why="Even the low end, 70, exceeds the maximum of 20 (2021-03-01) in 24 observations.",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnTile:
    """A tile in memory."""

    path: Path
    sha256: str
    grid: Grid
    acquisition: Acquisition
    pixels: Pixels
    reasons: tuple[str, ...] = ()

    def read(self, window: Window | None = None) -> Pixels:
        if window is None:
            return self.pixels
        rows = slice(window.row, window.row + window.height)
        cols = slice(window.col, window.col + window.width)
        whole = self.pixels
        return Pixels(bands=whole.bands[:, rows, cols], valid=whole.valid[rows, cols], names=whole.names)


def grid(*, crs: str | None = "EPSG:32652", turned: bool = False) -> Grid:
    if crs is None:
        return Grid(
            width=WIDTH,
            height=HEIGHT,
            transform=Affine.identity(),
            crs=None,
            local_from_pixel=np.diag([GSD_M, GSD_M]),
        )
    transform = Affine(GSD_M, 0, 468000, 0, -GSD_M, 4696500)
    local = np.diag([GSD_M, GSD_M])
    if turned:
        # Columns run south and rows west: north is to the left.
        transform = Affine(0, -GSD_M, 468000, -GSD_M, 0, 4696500)
        local = np.array([[0, -GSD_M], [GSD_M, 0]])
    return Grid(
        width=WIDTH, height=HEIGHT, transform=transform, crs=CRS.from_user_input(crs), local_from_pixel=local
    )


def tracks(n: int = 5) -> tuple[Track, ...]:
    """Parallel lines 5 m apart, slightly turned."""
    starts = [np.array([15.0, 130.0 + 10.0 * i]) for i in range(n)]
    return tuple(
        Track(id=str(i + 1), line_px=np.stack([p, p + np.array([610.0, 60.0])]), confidence=0.95 - 0.1 * i)
        for i, p in enumerate(starts)
    )


def _trains() -> dict[int, list[tuple[float, list[Kind]]]]:
    """Track index to its trains: start in metres, and kinds."""
    return {
        0: [(20.0, ["locomotive", *["gondola"] * 9])],
        1: [(5.0, ["covered"] * 8), (160.0, ["tank"] * 6)],
        3: [(90.0, ["gondola", "covered", "flat", "unknown", "coach", "gondola"])],
    }


def cars() -> tuple[Car, ...]:
    made, train = [], 0
    for index, trains in _trains().items():
        line = tracks()[index].line_px
        along = (line[1] - line[0]) / np.hypot(*(line[1] - line[0]))
        right = np.array([-along[1], along[0]])
        for start_m, kinds in trains:
            train += 1
            for i, kind in enumerate(kinds):
                a = start_m + i * (CAR_M + GAP_M)
                b = a + CAR_M
                half = BODY_M / 2
                corners = [(a, -half), (b, -half), (b, half), (a, half)]
                outline = np.array([line[0] + (x * along + y * right) / GSD_M for x, y in corners])
                made.append(
                    Car(
                        track=str(index + 1),
                        train=train,
                        position=i + 1,
                        kind=kind,
                        covered={"covered": True, "gondola": False}.get(kind),
                        start_m=a,
                        end_m=b,
                        offset_m=0.0,
                        length_m=CAR_M,
                        width_m=BODY_M,
                        heading_deg=95.6,
                        confidence=0.97 - 0.05 * (i % 4),
                        flags=("cut",) if i == 0 and train == 2 else (),
                        outline_px=outline,
                    )
                )
    return tuple(made)


def pixels() -> Pixels:
    """Gravel, rails, cars, and a collar of nodata on the right."""
    from skimage.draw import polygon

    rng = np.random.default_rng(7)
    image = rng.normal(128, 9, (1, HEIGHT, WIDTH)).astype(np.float32) + rng.normal(0, 2, (3, HEIGHT, WIDTH))
    image = image.astype(np.float32)
    image += np.array([6, 0, -8], np.float32)[:, None, None]
    for track in tracks():
        (x0, y0), (x1, y1) = track.line_px
        for side in (-1.5, 1.5):
            t = np.linspace(0, 1, 1500)
            image[:, (y0 + side + t * (y1 - y0)).astype(int), (x0 + t * (x1 - x0)).astype(int)] -= 22
    for car in cars():
        rr, cc = polygon(car.outline_px[:, 1] + 2, car.outline_px[:, 0] + 1, (HEIGHT, WIDTH))
        image[:, rr, cc] *= 0.55
    for car in cars():
        rr, cc = polygon(car.outline_px[:, 1] - 0.5, car.outline_px[:, 0] - 0.5, (HEIGHT, WIDTH))
        colour = np.array(COLOURS.get(car.kind, (140, 90, 70)), np.float32)
        image[:, rr, cc] = colour[:, None] + rng.normal(0, 4, (1, len(rr)))
    valid = np.ones((HEIGHT, WIDTH), bool)
    valid[:, WIDTH - 12 :] = False
    image[:, ~valid] = 0
    return Pixels(bands=image, valid=valid, names=("red", "green", "blue"))


def strips(drawn: Pixels) -> tuple[Strip, ...]:
    made = []
    for track in tracks():
        line = track.line_px
        length_m = float(np.hypot(*(line[1] - line[0]))) * GSD_M
        along = (line[1] - line[0]) / np.hypot(*(line[1] - line[0]))
        right = np.array([-along[1], along[0]])
        s = (np.arange(int(length_m / STRIP_STEP_M)) + 0.5) * STRIP_STEP_M
        y = (np.arange(int(2 * HALF_WIDTH_M / STRIP_STEP_M)) + 0.5) * STRIP_STEP_M - HALF_WIDTH_M
        at = line[0] + (s[None, :, None] * along + y[:, None, None] * right) / GSD_M
        cols = np.clip(at[..., 0].astype(int), 0, WIDTH - 1)
        rows = np.clip(at[..., 1].astype(int), 0, HEIGHT - 1)
        made.append(
            Strip(
                track=track,
                bands=drawn.bands[:, rows, cols],
                valid=drawn.valid[rows, cols],
                step_m=STRIP_STEP_M,
                half_width_m=HALF_WIDTH_M,
                centre_px=line[0] + s[:, None] * along / GSD_M,
                direction=np.tile(along, (len(s), 1)),
            )
        )
    return tuple(made)


def tile(*, crs: str | None = "EPSG:32652", **changes: Any) -> DrawnTile:
    made = DrawnTile(
        path=Path("yard.tif"), sha256="ab" * 32, grid=grid(crs=crs), acquisition=ACQUISITION, pixels=pixels()
    )
    return replace(made, **changes)


def counted(*, crs: str | None = "EPSG:32652", with_strips: bool = False, **changes: Any) -> TileCount:
    """29 railcars and a locomotive on 3 of 5 tracks; the comparison is of another count."""
    vehicles = cars()
    kinds = [car.kind for car in vehicles]
    summary = TrackSummary(
        source="found",
        n=5,
        length_m=1530.0,
        visible_fraction=0.98,
        registration=None,
        each=tuple(
            TrackSeen(id=track.id, length_m=306.0, visible_fraction=0.98, confidence=track.confidence)
            for track in tracks()
        ),
    )
    made = TileCount(
        tile="sample/yard.tif",
        sha256="ab" * 32,
        status="counted",
        acquisition=ACQUISITION,
        site="tumangang",
        zone="freight yard",
        grid=grid(crs=crs),
        regime="cars",
        tracks=summary,
        railcars=Interval(best=73, low=70, high=76),
        locomotives=Interval(best=1, low=0, high=2),
        trains=4,
        occupied_m=965.04,
        by_type={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        covered=Interval(best=41, low=35, high=47),
        comparison=COMPARISON,
        cars=vehicles,
        network=TrackNetwork(tracks=tracks(), source="found"),
        strips=strips(pixels()) if with_strips else (),
    )
    return replace(made, **changes)


def degraded() -> TileCount:
    """Given lines, moved; a warning; no date, so no comparison."""
    made = counted()
    assert made.tracks is not None
    moved = Registration(east_m=2.25, south_m=-1.5, score=0.71)
    return replace(
        made,
        status="degraded",
        reasons=("TIFFFillStrip: Read error at scanline 12; got 3 bytes, expected 40",),
        acquisition=Acquisition(notes=("No date in the file, its name or its folder.",)),
        comparison=None,
        tracks=replace(made.tracks, source="given", registration=moved),
    )


def by_length() -> TileCount:
    """Pixels of 3 m: stretches of track, no car told apart."""
    first, second = (t.line_px for t in tracks()[:2])
    ends = [
        (first[0], (first[0] + first[1]) / 2),
        (second[0], (second[0] + second[1]) / 3),
        (first[1], first[0]),
    ]
    side = np.array([0.0, 3.0])
    stretches = tuple(
        Stretch(
            track="1" if i != 1 else "2",
            start_m=10.0,
            end_m=214.0,
            confidence=0.9,
            outline_px=np.array([a - side, b - side, b + side, a + side]),
        )
        for i, (a, b) in enumerate(ends)
    )
    return counted(
        status="degraded",
        reasons=("pixels of 3.0 m do not tell cars apart: the count is the occupied length.",),
        regime="occupied_length",
        railcars=Interval(best=41, low=28, high=60),
        locomotives=None,
        covered=None,
        trains=3,
        occupied_m=612.0,
        by_type={"unknown": 41},
        cars=(),
        stretches=stretches,
    )


def empty() -> TileCount:
    """A yard without a car."""
    return counted(
        railcars=Interval(best=0, low=0, high=1),
        locomotives=Interval(best=0, low=0, high=0),
        covered=Interval(best=0, low=0, high=0),
        trains=0,
        occupied_m=0.0,
        by_type={},
        cars=(),
        comparison=replace(COMPARISON, level="quiet", ratio_to_max=0.0, why="Below the 10th percentile."),
    )


def without_count(status: str, *, opened: bool = False) -> TileCount:
    """``opened``: the raster could be read, and then nothing could be counted."""
    made = TileCount(tile="bad/yard.tif", sha256=None, status=status, reasons=("Too much cloud: 31 % seen.",))  # type: ignore[arg-type]
    return replace(made, sha256="cd" * 32, acquisition=ACQUISITION, grid=grid()) if opened else made


def every_status() -> list[TileCount]:
    return [
        counted(),
        degraded(),
        by_length(),
        empty(),
        *(without_count(status) for status in STATUSES_WITHOUT_COUNT),
        without_count("uncountable", opened=True),
    ]
