"""From a scene and a seed to a picture with its truth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import InputError
from railcount.raster.grid import Grid
from railcount.simulate import lean, light, lineside, overhead, sensor, weather
from railcount.simulate.art import draw_vehicle
from railcount.simulate.canvas import Canvas, Floating
from railcount.simulate.consist import marshal
from railcount.simulate.dice import Dice, pick
from railcount.simulate.ground import lay_ground, lay_track, settle_soil
from railcount.simulate.layout import lay_tracks
from railcount.simulate.truth import TruthCar, TruthLine, visible_fractions
from railcount.text import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.simulate.scene import Scene

MAX_CANVAS_PX = 64_000_000
"""Drawing takes about 45 bytes a canvas pixel (measured: 2.5 GB for 55 million), so this is about 3 GB."""
_CRS_CODE = re.compile(r"EPSG:\d{4,6}", re.ASCII)
MARGIN_M = 16.0
"""Painted around the frame, so that shadows and cars reach in from outside."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderedScene:
    """A drawn tile and everything that is true of it."""

    scene: Scene
    seed: int
    bands: NDArray[np.uint8] | NDArray[np.uint16]
    """(bands, rows, cols); gray, or red green blue, or red green blue nir."""
    valid: NDArray[np.bool_]
    """(rows, cols): True = image, False = nodata collar (pixels 0)."""
    grid: Grid
    cars: tuple[TruthCar, ...]
    """Railcars and locomotives, all whose body reaches into the frame."""
    tracks: tuple[TruthLine, ...]
    sun_azimuth_deg: float
    sun_elevation_deg: float
    cloud_cover: float
    """Part of the valid pixels that cloud hides."""
    resolution_m: float
    """The true resolution, coarser than the pixel."""
    off_nadir_deg: float
    view_azimuth_deg: float
    """From the ground to the sensor."""

    @property
    def railcars(self) -> tuple[TruthCar, ...]:
        """Cars that count: not locomotives, at least half in the frame."""
        return tuple(car for car in self.cars if car.kind != "locomotive" and car.in_frame >= 0.5)

    @property
    def locomotives(self) -> tuple[TruthCar, ...]:
        """Locomotives at least half in the frame."""
        return tuple(car for car in self.cars if car.kind == "locomotive" and car.in_frame >= 0.5)


def render(scene: Scene, *, seed: int) -> RenderedScene:
    """Draw a scene. The same scene and seed give the same bytes.

    Raises InputError where the scene contradicts itself, asks for more cars than fit, or is too
    large to draw.
    """
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, not {seed}")
    dice = Dice(seed)
    yard = dice if scene.yard_seed is None else Dice(scene.yard_seed)
    grid = scene_grid(scene)
    width_m, height_m = scene.width_px * scene.gsd_m, scene.height_px * scene.gsd_m
    canvas = _canvas(scene, width_m, height_m)
    azimuth, elevation, sky = _sun(scene, dice)
    sun = light.to_sun(azimuth, elevation)
    lines = lay_tracks(
        scene.layout, yard.stream("layout"), width_m=width_m, height_m=height_m, margin_m=MARGIN_M + 30
    )
    soil = settle_soil(scene.ground, yard, canvas.bands)
    lay_ground(canvas, lines, soil, yard)
    for line in lines:
        lay_track(canvas, line, soil, yard)
    air = weather.settle_sky(scene.weather, dice)
    lineside.build(canvas, lines, scene.lineside, yard=yard, dice=dice, sun=sun)
    weather.lay_snow(canvas, lines, air, dice)
    placed = marshal(scene.stock, lines, dice.stream("stock"), width_m=width_m, height_m=height_m)
    camouflage = pick(dice.stream("camouflage"), scene.stock.camouflage, 0.0, 0.35)
    for car in placed:
        draw_vehicle(canvas, car, sun, soil.ballast, camouflage=camouflage, snow=air.snow)
    overhead.hang(canvas, lines, scene.lineside, yard)
    camera = sensor.settle(scene.sensor, dice.stream("camera"), gsd_m=scene.gsd_m)
    # Snow throws light back at the sky, and the sky back into the shadows.
    sky *= 1 + 0.4 * air.snow
    slant = lean.lean_per_metre(camera.off_nadir_deg, camera.view_azimuth_deg)
    radiance = illuminate(canvas, sun, sky=sky, slant=slant, fine=_fine(scene))
    samples = _oversampling(scene) // _fine(scene)
    cloud = weather.add_air(radiance, air, dice, sample_m=scene.gsd_m / samples)
    collar = dice.stream("collar")
    valid = weather.footprint(
        collar, (scene.height_px, scene.width_px), pick(collar, scene.sensor.collar, 0.0, 0.0)
    )
    if scene.sensor.bands == 1:
        radiance = radiance.mean(axis=0, keepdims=True)
    image = sensor.expose(radiance, camera, dice.stream("noise"), gsd_m=scene.gsd_m, fine=samples)
    cloud = sensor.block_mean(cloud, samples)
    numbers = sensor.digitise(image, camera, dice.stream("digits"), valid=valid, clear=cloud < 0.2)
    hidden = 1 - (1 - cloud) * (1 - _roofed(canvas, slant, _oversampling(scene)))
    return RenderedScene(
        scene=scene,
        seed=seed,
        bands=numbers,
        valid=valid,
        grid=grid,
        cars=visible_fractions(placed, grid, hidden=hidden, valid=valid, slant=slant),
        tracks=tuple(TruthLine.of(line, grid) for line in lines),
        sun_azimuth_deg=azimuth,
        sun_elevation_deg=elevation,
        cloud_cover=float((cloud[valid] > 0.5).mean()) if valid.any() else 0.0,
        resolution_m=camera.resolution_m,
        off_nadir_deg=camera.off_nadir_deg,
        view_azimuth_deg=camera.view_azimuth_deg,
    )


def scene_grid(scene: Scene) -> Grid:
    """Where the scene's pixels lie.

    Raises InputError for a CRS that is unknown or not projected in metres.
    """
    import pyproj
    from affine import Affine

    if not _CRS_CODE.fullmatch(scene.crs):  # other texts can make PROJ open other files
        raise InputError(f"crs must be a code such as EPSG:32652, not {quoted(scene.crs)}")
    try:
        crs = pyproj.CRS.from_user_input(scene.crs)
    except pyproj.exceptions.CRSError as error:
        raise InputError(f"crs: {scene.crs!r} is not a known CRS") from error
    if not crs.is_projected or crs.axis_info[0].unit_name not in ("metre", "meter"):
        raise InputError(f"crs must be projected, in metres, not {scene.crs!r}")
    if len(scene.centre_lon_lat) != 2:
        raise InputError("centre_lon_lat must be [longitude, latitude]")
    to_crs = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    x, y = to_crs.transform(*scene.centre_lon_lat)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputError(f"centre_lon_lat {list(scene.centre_lon_lat)} lies outside {scene.crs}")
    gsd = scene.gsd_m
    # Round to whole pixels, so that tiles of one yard lie on one grid.
    left = round((x - scene.width_px * gsd / 2) / gsd) * gsd
    top = round((y + scene.height_px * gsd / 2) / gsd) * gsd
    return Grid(
        width=scene.width_px,
        height=scene.height_px,
        transform=Affine(gsd, 0.0, left, 0.0, -gsd, top),
        crs=crs,
        local_from_pixel=np.array([[gsd, 0.0], [0.0, gsd]]),
    )


def _oversampling(scene: Scene) -> int:
    """Canvas pixels per picture pixel, even, for a canvas of about 0.125 m."""
    k = max(round(scene.gsd_m / 0.125), 2)
    k = min(k, 12)
    return k + k % 2 if k > 2 else k


def _fine(scene: Scene) -> int:
    """Canvas pixels per sample of the radiance, of which there are 2 x 2 in a pixel."""
    return max(_oversampling(scene) // 2, 1)


def _canvas(scene: Scene, width_m: float, height_m: float) -> Canvas:
    step = scene.gsd_m / _oversampling(scene)
    # Whole pixels of margin, so that pixels and canvas blocks begin together.
    margin = max(round(MARGIN_M / scene.gsd_m), 1) * scene.gsd_m
    size = (width_m + 2 * margin) * (height_m + 2 * margin) / step**2
    if size > MAX_CANVAS_PX:
        raise InputError(
            f"width_px x height_px is too large to draw: {size / 1e6:.0f} million canvas pixels of "
            f"{step:g} m, and at most {MAX_CANVAS_PX / 1e6:.0f} are allowed; draw several smaller tiles"
        )
    bands = 4 if scene.sensor.bands == 4 else 3
    return Canvas(width_m=width_m, height_m=height_m, step_m=step, margin_m=margin, bands=bands)


def _sun(scene: Scene, dice: Dice) -> tuple[float, float, float]:
    """Azimuth, elevation, and sky light over direct light."""
    rng = dice.stream("sun")
    drawn = float(rng.uniform(95, 265)), float(rng.uniform(18, 65))
    if scene.acquired_utc is not None:
        lon, lat = scene.centre_lon_lat
        real = light.sun_position(scene.acquired_utc, lon_deg=lon, lat_deg=lat)
        if scene.sun.elevation_deg is None and real[1] < 3:
            raise InputError(
                f"acquired: the sun stands at {real[1]:.1f} degrees there and then; give another time, "
                "or sun.azimuth_deg and sun.elevation_deg"
            )
        drawn = real
    azimuth = pick(rng, scene.sun.azimuth_deg, drawn[0], drawn[0])
    elevation = pick(rng, scene.sun.elevation_deg, drawn[1], drawn[1])
    return azimuth, elevation, pick(rng, scene.sun.sky, 0.15, 0.35)


def _roofed(canvas: Canvas, slant: NDArray[np.float64], k: int) -> NDArray[np.float32]:
    """How much of each picture pixel a hanging thing hides, (rows, cols), 0-1."""
    clear = np.ones(canvas.shape, dtype=np.float32)
    for thing in canvas.floating:
        rows, cols, part = _seen_at(canvas, thing, slant)
        clear[rows, cols] *= 1 - thing.alpha[part]
    pad = canvas.pad
    inner = np.ascontiguousarray(clear[pad : canvas.shape[0] - pad, pad : canvas.shape[1] - pad])
    return 1 - sensor.block_mean(inner, k)


def _seen_at(
    canvas: Canvas, thing: Floating, slant: NDArray[np.float64]
) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns where a hanging thing is seen, and the part of it that is on the canvas."""
    down, right = (round(float(x) * thing.height_m / canvas.step_m) for x in slant[::-1])
    r0, r1 = thing.rows.start + down, thing.rows.stop + down
    c0, c1 = thing.cols.start + right, thing.cols.stop + right
    rows = slice(min(max(r0, 0), canvas.shape[0]), max(min(r1, canvas.shape[0]), 0))
    cols = slice(min(max(c0, 0), canvas.shape[1]), max(min(c1, canvas.shape[1]), 0))
    part = slice(rows.start - r0, rows.stop - r0), slice(cols.start - c0, cols.stop - c0)
    return rows, cols, part


def illuminate(
    canvas: Canvas, sun: NDArray[np.float64], *, sky: float, slant: NDArray[np.float64], fine: int
) -> NDArray[np.float32]:
    """Light that leaves the frame upwards, (bands, rows, cols), in blocks of ``fine`` canvas pixels.

    ``slant`` is how far a metre of height leans, (2,). Direct light on flat ground is 1, so a sunlit
    flat surface shines with its reflectance.
    """
    lit = 1 - light.cast_shadows(canvas.height, canvas.step_m, sun).astype(np.float32)
    for thing in canvas.floating:
        light.floating_shadow(canvas, thing, sun, lit)
    lit *= canvas.direct
    view = light.sky_view(canvas.height, canvas.step_m)
    inner = slice(canvas.pad, canvas.shape[0] - canvas.pad), slice(canvas.pad, canvas.shape[1] - canvas.pad)
    sky_all = [np.float32(sky * light.SKY_COLOUR[b]) for b in range(canvas.bands)]
    shines = []
    for b in range(canvas.bands):
        shine = view * (sky_all[b] / np.float32(light.SUN_COLOUR[b]))
        shine += lit
        shine *= np.float32(light.SUN_COLOUR[b])
        shine *= canvas.albedo[b]
        shines.append(shine)
    lean.displace(shines, canvas.height, slant / canvas.step_m, wall=lean.wall_light(sun, slant))
    for b, shine in enumerate(shines):
        for thing in canvas.floating:
            rows, cols, seen = _seen_at(canvas, thing, slant)
            part = shine[rows, cols]
            bright = thing.colour[b][seen] * (light.SUN_COLOUR[b] + sky_all[b])
            part += (bright - part) * thing.alpha[seen]
        shines[b] = sensor.block_mean(np.ascontiguousarray(shine[inner]), fine)
    return np.stack(shines)
