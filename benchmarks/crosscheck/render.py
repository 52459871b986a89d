"""One scene: kind and seed in, picture and truth out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
import surroundings
from bodies import paint_car
from canvas import Canvas, rgb
from ground import Bed, lay, snow_cover, soil
from kinds import KINDS, Plan
from layout import Axis, Track, ladder, offsets, parallel
from light import Light, illuminate
from scenery import clutter, masts
from sensor import Sensor, expose
from stock import draw_design
from traffic import Standing, occupy

if TYPE_CHECKING:
    from canvas import Rng
    from numpy.typing import NDArray

MARGIN_M = 14.0
"""Painted around the picture, for what leans or casts its shadow into it."""
FINEST_M = 0.2
"""Fine pixels are at most this large, and at least three make one delivered pixel."""
SHORTEST_LINE_M = 12.0


@dataclass(frozen=True, kw_only=True, eq=False)
class TrueCar:
    """One railcar or locomotive of the truth."""

    polygon_px: NDArray[np.float64]
    """(4, 2) x right, y down, in pixels of the picture; may leave it."""
    kind: str
    covered: bool
    visible_fraction: float
    """Of the outline, inside the picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """What is delivered, and what is true."""

    kind: str
    seed: int
    image: NDArray[np.uint8 | np.uint16]
    """(rows, cols, 3); uint8, but for gain16."""
    gsd_m: float
    cars: tuple[TrueCar, ...]
    tracks_px: tuple[NDArray[np.float64], ...]
    """(n, 2) each, cut to the picture."""
    light: Light


def render(kind: str, seed: int) -> Picture:
    """Draw a scene; the same kind and seed give the same pixels."""
    return draw(KINDS[kind], kind=kind, seed=seed)


def draw(plan: Plan, *, kind: str, seed: int) -> Picture:
    """Draw a scene of a plan that goes by the name of ``kind``."""
    rng = np.random.default_rng([zlib.crc32(kind.encode()), seed, 20231005])
    gsd = round(float(rng.uniform(*plan.gsd_m)), 3)
    factor = max(3, int(np.ceil(gsd / FINEST_M)))
    rows, cols = plan.rows_cols
    px = gsd / factor
    margin = round(MARGIN_M / gsd)
    canvas = Canvas.blank((cols + 2 * margin) * gsd, (rows + 2 * margin) * gsd, px=px)
    light = _light(plan, rng)
    tracks, cars = _build(canvas, plan, light, rng)
    radiance = illuminate(canvas, light)
    radiance = radiance[
        margin * factor : (margin + rows) * factor, margin * factor : (margin + cols) * factor
    ]
    image = expose(radiance, _sensor(plan, rng), factor=factor, rng=rng)
    frame = shapely.box(0, 0, cols, rows)
    return Picture(
        kind=kind,
        seed=seed,
        image=image,
        gsd_m=gsd,
        cars=_true_cars(cars, light, gsd_m=gsd, margin=margin, frame=frame),
        tracks_px=_true_lines(tracks, gsd_m=gsd, margin=margin, frame=frame),
        light=light,
    )


def _light(plan: Plan, rng: Rng) -> Light:
    elevation = float(rng.uniform(*plan.sun_deg))
    return Light(
        sun_azimuth=float(rng.uniform(105, 255)),
        sun_elevation=elevation,
        view_azimuth=float(rng.uniform(0, 360)),
        view_deg=float(rng.uniform(*plan.view_deg)),
        diffuse=float(rng.uniform(0.17, 0.36)) + (0.08 if elevation < 20 else 0.0),
    )


def _sensor(plan: Plan, rng: Rng) -> Sensor:
    return Sensor(
        haze=float(rng.uniform(*plan.haze)),
        blur_px=float(rng.uniform(*plan.blur_px)),
        noise=float(rng.uniform(*plan.noise)),
        middle=float(rng.uniform(92, 142)) + (62 if plan.snow[1] else 0),
        gamma=float(rng.uniform(1.4, 2.2)),
        contrast=float(rng.uniform(0.85, 1.15)),
        saturation=float(rng.uniform(0.5, 1.0)),
        jpeg=None if plan.jpeg is None else int(rng.integers(*plan.jpeg)),
        sharpen=float(rng.uniform(*plan.sharpen)),
        chroma_blur_px=float(rng.uniform(*plan.chroma_blur_px)),
        is_pan=plan.is_pan,
        wide=plan.wide,
    )


def _axis(canvas: Canvas, plan: Plan, rng: Rng) -> Axis:
    w, h = canvas.size_m
    heading = float(rng.normal(0.0, 0.35)) if rng.random() < 0.75 else float(rng.uniform(-1.6, 1.6))
    curvature = 0.0
    if plan.layout == "curved":
        curvature = float(rng.choice([-1, 1]) / rng.uniform(280, 800))
    return Axis(
        x=w / 2 + float(rng.uniform(-0.1, 0.1)) * w,
        y=h / 2 + float(rng.uniform(-0.1, 0.1)) * h,
        heading=heading,
        curvature=curvature,
    )


def _build(canvas: Canvas, plan: Plan, light: Light, rng: Rng) -> tuple[list[Track], list[Standing]]:
    """Paint everything; returns the tracks and the cars."""
    axis = _axis(canvas, plan, rng)
    soil(canvas, rng=rng, green=float(rng.uniform(*plan.green)), along=axis.heading)
    if plan.layout == "none":
        surroundings.cover(canvas, plan.field_of, light=light, rng=rng)
        return [], []
    n = int(rng.integers(plan.n_tracks[0], plan.n_tracks[1] + 1))
    across, lanes = offsets(n, spacing=plan.spacing_m, rng=rng, lanes=plan.lanes)
    if plan.layout == "ladder":
        tracks = ladder(axis, across, size_m=canvas.size_m, rng=rng)
    else:
        tracks = parallel(axis, across, size_m=canvas.size_m)
    snow = float(rng.uniform(*plan.snow)) if plan.snow[1] else 0.0
    bed = Bed(
        tone=str(rng.choice(plan.tones)),
        spread=float(rng.uniform(0.03, 0.16)),
        weeds=float(rng.uniform(*plan.weeds)) * (0.2 if snow else 1.0),
        stains=float(rng.uniform(*plan.stains)),
        snow=snow,
    )
    strips = surroundings.zone(canvas, across, plan, rng=rng)
    surroundings.draw(canvas, axis, strips, plan, light=light, rng=rng, flat=True)
    if snow:
        snow_cover(canvas, share=snow, rng=rng)
    half = float(np.mean(plan.spacing_m)) / 2 if n > 1 else 2.4
    surroundings.lanes(canvas, axis, lanes, snow=snow, rng=rng)
    lay(canvas, tracks, bed=bed, half_m=half, rng=rng)
    surroundings.draw(canvas, axis, strips, plan, light=light, rng=rng, flat=False)
    if snow:
        snow_cover(canvas, share=snow, rng=rng, above_m=2.5)
    if n > 1 and plan.layout != "ladder":
        clutter(canvas, axis, [*lanes, across[0] - 3, across[-1] + 3], n=int(rng.integers(5, 40)), rng=rng)
        if rng.random() < 0.8:
            masts(canvas, axis, tracks, gantries=bool(rng.random() < plan.gantries), rng=rng)
    cars = _traffic(canvas, tracks, plan, light, rng)
    return tracks, cars


def _traffic(canvas: Canvas, tracks: list[Track], plan: Plan, light: Light, rng: Rng) -> list[Standing]:
    fill = float(rng.uniform(*plan.fill))
    fleet = [draw_design(plan.stock, rng) for _ in range(int(rng.integers(2, 7)))]
    standing: list[Standing] = []
    for track in tracks:
        share = fill if fill > 0.8 else float(np.clip(fill * rng.choice([0.0, 0.6, 1.0, 1.5, 1.8]), 0, 0.97))
        standing += occupy(track, plan, fill=share, fleet=fleet, rng=rng)
    for car in standing:
        paint_car(canvas, car.design, car.place, light=light, rng=rng)
        if car.coupled is not None:
            x0, y0, x1, y1 = car.coupled
            size = (float(np.hypot(x1 - x0, y1 - y0)), 0.34)
            heading = float(np.arctan2(y1 - y0, x1 - x0))
            place = (x0 + x1) / 2, (y0 + y1) / 2
            canvas.box(*place, heading=heading, size=size, colour=rgb(56, 50, 46), height=1.0)
    return standing


def _true_cars(
    cars: list[Standing], light: Light, *, gsd_m: float, margin: int, frame: shapely.Polygon
) -> tuple[TrueCar, ...]:
    found = []
    for car in cars:
        outline = car.outline(light.lean) / gsd_m - margin
        polygon = shapely.Polygon(outline)
        seen = shapely.area(shapely.intersection(polygon, frame)) / polygon.area
        if seen > 0.02:
            found.append(
                TrueCar(
                    polygon_px=outline,
                    kind=car.design.kind,
                    covered=car.design.covered,
                    visible_fraction=round(float(seen), 3),
                )
            )
    return tuple(found)


def _true_lines(
    tracks: list[Track], *, gsd_m: float, margin: int, frame: shapely.Polygon
) -> tuple[NDArray[np.float64], ...]:
    lines = []
    for track in tracks:
        cut = shapely.intersection(shapely.LineString(track.points / gsd_m - margin), frame)
        for part in shapely.get_parts(cut):
            if part.geom_type == "LineString" and part.length * gsd_m >= SHORTEST_LINE_M:
                lines.append(shapely.get_coordinates(shapely.simplify(part, 0.05 / gsd_m)))
    return tuple(lines)
