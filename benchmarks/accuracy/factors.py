"""The scenes of the accuracy benchmark: a clear yard, each nuisance alone, and some of them at once.

The seed fixes the yard, so one seed shows the same yard under every nuisance, and what differs between
two factors is the nuisance. Training never uses seeds from FIRST_SEED on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from railcount.simulate import Ground, Layout, Lineside, Scene, Sensor, Stock, Sun, Weather

FIRST_SEED = 900_000
WIDTH_M, HEIGHT_M = 300.0, 200.0
PLACE = (129.3, 41.2)
"""Longitude and latitude: in the UTM zone of the scenes, and on no site that railcount knows."""
LIGHT = (35.0, 65.0)
"""Elevations of the sun of a clear scene, degrees."""

Change = Callable[[Scene], Scene]


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One row of the grid."""

    name: str
    group: str
    """reference, resolution, light, weather, sensor, ground, stock, tracks, beside, empty or combination."""
    about: str
    changes: tuple[Change, ...]

    def scene(self, seed: int) -> Scene:
        """The scene of a seed, to be drawn with the same seed."""
        scene = clear(seed)
        for change in self.changes:
            scene = change(scene)
        return replace(scene, name=self.name)


def clear(seed: int) -> Scene:
    """A yard at 0.5 m on a clear day, with nothing on or about it that makes counting hard."""
    rng = np.random.default_rng([41, seed])
    families = (("russian",), ("chinese",), ("russian", "chinese"), ("european",), ("north-american",))
    return Scene(
        name="clear",
        width_px=round(WIDTH_M / 0.5),
        height_px=round(HEIGHT_M / 0.5),
        gsd_m=0.5,
        centre_lon_lat=PLACE,
        layout=Layout(
            kind="straight",
            n_tracks=int(rng.integers(4, 8)),
            spacing_m=float(rng.uniform(4.3, 5.3)),
            azimuth_deg=float(rng.uniform(0.0, 180.0)),
            shift_m=float(rng.uniform(-20.0, 20.0)),
            n_crossovers=0,
        ),
        sun=Sun(azimuth_deg=(95.0, 265.0), elevation_deg=LIGHT),
        ground=Ground(ballast=str(rng.choice(["grey", "brown"])), weeds=(0.0, 0.3)),
        stock=Stock(
            fill=float(rng.uniform(0.3, 0.7)),
            families=families[rng.integers(len(families))],
            covered=(0.0, 0.6),
            camouflage=0.0,
        ),
        lineside=Lineside(gantries=0, platforms=0, canopies=0, trucks=0, ground_containers=0),
        weather=Weather(haze=(0.0, 0.05), snow=0.0, cloud=0.0, wet=(0.0, 0.2)),
        sensor=Sensor(
            resolution_m=(0.5, 0.65), snr=(60.0, 140.0), jpeg_quality=100, off_nadir_deg=(0.0, 10.0)
        ),
    )


def change(section: str, **values: Any) -> Change:
    """A change of some keys of one section of the scene."""

    def apply(scene: Scene) -> Scene:
        return replace(scene, **{section: replace(getattr(scene, section), **values)})

    return apply


def at_gsd(gsd_m: float, *, size_m: tuple[float, float] = (WIDTH_M, HEIGHT_M)) -> Change:
    """Pixels of another size, as sharp as those of the clear scene are for theirs."""

    def apply(scene: Scene) -> Scene:
        width, height = (round(side / gsd_m) for side in size_m)
        sensor = replace(scene.sensor, resolution_m=(gsd_m, 1.3 * gsd_m))
        return replace(scene, gsd_m=gsd_m, width_px=width, height_px=height, sensor=sensor)

    return apply


def framed(width_m: float, height_m: float) -> Change:
    """A tile of another size."""

    def apply(scene: Scene) -> Scene:
        width, height = round(width_m / scene.gsd_m), round(height_m / scene.gsd_m)
        return replace(scene, width_px=width, height_px=height)

    return apply


def sun_across(elevation_deg: tuple[float, float]) -> Change:
    """The sun stands across the tracks, so that every row throws its shadow on the next track."""

    def apply(scene: Scene) -> Scene:
        azimuth = scene.layout.azimuth_deg
        assert isinstance(azimuth, float)  # a clear scene fixes it
        return replace(scene, sun=replace(scene.sun, azimuth_deg=azimuth + 90, elevation_deg=elevation_deg))

    return apply


def parallel(spacing_m: float) -> Change:
    """All tracks equally far apart."""

    def apply(scene: Scene) -> Scene:
        n = scene.layout.n_tracks or 1
        layout = replace(scene.layout, spacing_m=spacing_m, spacings_m=(spacing_m,) * (n - 1))
        return replace(scene, layout=layout)

    return apply


def _all_of(*changes: Change) -> Change:
    def apply(scene: Scene) -> Scene:
        for each in changes:
            scene = each(scene)
        return scene

    return apply


_DARK = _all_of(
    change("ground", ballast="dark"),
    change("stock", families=("gondola_12_132", "gondola_c70", "tank_4_axle"), covered=0.0, loaded=0.7),
    change("stock", camouflage=(0.5, 0.7)),
)
_SNOW = change("weather", snow=(0.6, 1.0))
_HAZE = change("weather", haze=(0.35, 0.5))
_LOW_SUN = change("sun", elevation_deg=15.0)
_BLUR = change("sensor", resolution_m=(1.0, 1.15))
_NOISE = change("sensor", snr=(12.0, 18.0))
_JPEG = change("sensor", jpeg_quality=45)
_TIGHT = parallel(3.6)
_LIGHT_GRAVEL = change("ground", ballast="light")
_FLATS = change(
    "stock",
    families=("container_flat", "flat_13_401", "flat_nx70a", "flat_ks"),
    loaded=0.0,
    covered=0.0,
)
_TARPAULINS = change("stock", families=("gondola_12_132", "gondola_c70", "gondola_eas"), covered=1.0)
_SINGLE = change("stock", block_n=1.0, fill=0.15, like=0.0)
_CLUTTER = change("lineside", trucks=30, ground_containers=40, platforms=1, piles=8, roads=2)
_PAN = change("sensor", bands=1)
_CANOPY = change("lineside", canopies=1)
_TRAILERS = change("lineside", trailer_rows=8)
_EMPTY = change("stock", n_railcars=0, n_locomotives=0)
_AUTORACKS = _all_of(
    parallel(4.0),
    change("layout", n_tracks=7, spacings_m=(4.0,) * 6),
    change("stock", families=("autorack_89",), fill=0.9, like=1.0, block_n=12.0, n_locomotives=0),
    change("lineside", lots=3),
)

_ALONE: tuple[tuple[str, str, str, Change], ...] = (
    ("resolution", "gsd-0.3", "pixels of 0.3 m", at_gsd(0.3)),
    ("resolution", "gsd-0.7", "pixels of 0.7 m", at_gsd(0.7)),
    ("resolution", "gsd-1.0", "pixels of 1 m", at_gsd(1.0)),
    ("resolution", "gsd-1.5", "pixels of 1.5 m", at_gsd(1.5)),
    ("resolution", "gsd-3.0", "pixels of 3 m", at_gsd(3.0, size_m=(480.0, 320.0))),
    (
        "resolution",
        "coarse-optics",
        "true resolution of 0.8-0.9 m in pixels of 0.5 m",
        change("sensor", resolution_m=(0.8, 0.9)),
    ),
    ("light", "sun-15", "sun 15 degrees high", _LOW_SUN),
    ("light", "sun-25", "sun 25 degrees high", change("sun", elevation_deg=25.0)),
    ("light", "sun-70", "sun 70 degrees high", change("sun", elevation_deg=70.0)),
    (
        "light",
        "shadow-next-track",
        "sun across the tracks, 15-22 degrees high, tracks 4.3 m apart",
        _all_of(parallel(4.3), sun_across((15.0, 22.0))),
    ),
    ("weather", "snow", "deep snow on the ground", _SNOW),
    ("weather", "snow-patches", "melting snow", change("weather", snow=0.3)),
    ("weather", "haze", "haze gives 35-50 % of the light", _HAZE),
    ("weather", "cloud", "cloud over a quarter of the tile", change("weather", cloud=0.25)),
    ("weather", "cloud-heavy", "cloud over 60 % of the tile", change("weather", cloud=0.6)),
    ("weather", "wet", "wet ground", change("weather", wet=1.0)),
    ("sensor", "noise", "signal to noise of 12-18", _NOISE),
    ("sensor", "blur", "true resolution of 1.0-1.15 m in pixels of 0.5 m", _BLUR),
    ("sensor", "jpeg", "JPEG at quality 45", _JPEG),
    ("sensor", "pan", "one band", _PAN),
    ("sensor", "bands-4", "red, green, blue and near infrared", change("sensor", bands=4)),
    ("sensor", "bits-11", "camera counts of 11 bit", change("sensor", bit_depth=11)),
    ("sensor", "bits-16", "reflectance in 16 bit, 4 bands", change("sensor", bands=4, bit_depth=16)),
    (
        "sensor",
        "pansharpen",
        "colours four times coarser, sharpened with halos",
        change("sensor", pansharpen=True, halo=(0.7, 1.1)),
    ),
    ("sensor", "aslant", "seen 18-24 degrees aslant", change("sensor", off_nadir_deg=(18.0, 24.0))),
    ("sensor", "low-contrast", "half the usual contrast", change("sensor", contrast=0.45)),
    ("ground", "dark-on-dark", "cars drawn towards the colour of dark ballast", _DARK),
    ("ground", "light-gravel", "light ballast", _LIGHT_GRAVEL),
    ("ground", "oily", "oily, nearly black ballast", change("ground", ballast="oily")),
    ("ground", "weeds", "weeds all over the tracks", change("ground", weeds=(0.8, 1.0))),
    ("stock", "empty-flats", "flat cars without load", _FLATS),
    ("stock", "tarpaulins", "every load under a tarpaulin", _TARPAULINS),
    (
        "stock",
        "tanks",
        "tank cars",
        change("stock", families=("tank_4_axle", "tank_zans", "tank_dot_111")),
    ),
    ("stock", "coaches", "coaches of 25.5 m", change("stock", families=("coach_25g",))),
    (
        "stock",
        "autoracks-block",
        "28 m auto-racks in a solid block, parked automobiles beside it",
        _AUTORACKS,
    ),
    (
        "stock",
        "autoracks-0.9",
        "the same in pixels of 0.9 m",
        _all_of(at_gsd(0.9), _AUTORACKS),
    ),
    (
        "stock",
        "open-frames",
        "empty container carriers, through which the track shows",
        change("stock", families=("frame_60ft", "frame_40ft", "gondola_eas"), loaded=0.0, covered=0.0),
    ),
    ("stock", "mixed", "every car unlike its neighbour", change("stock", like=0.0)),
    ("stock", "single-cars", "cars standing singly", _SINGLE),
    ("stock", "fill-0", "no cars", _EMPTY),
    ("stock", "fill-5", "5 % of the track occupied", change("stock", fill=0.05)),
    ("stock", "fill-95", "95 % of the track occupied", change("stock", fill=0.95)),
    ("tracks", "tight-3.6m", "tracks 3.6 m apart", _TIGHT),
    ("tracks", "curve-250m", "curves of 250 m radius", change("layout", kind="curved", radius_m=250.0)),
    ("tracks", "curve-500m", "curves of 500 m radius", change("layout", kind="curved", radius_m=500.0)),
    (
        "tracks",
        "ladder",
        "tracks leave a lead at switches",
        _all_of(framed(440.0, 240.0), change("layout", kind="ladder", n_through=0, lead_start=(0.05, 0.2))),
    ),
    ("tracks", "crossovers", "links between the tracks", change("layout", n_crossovers=2)),
    ("tracks", "single-line", "one track", change("layout", n_tracks=1, shift_m=0.0)),
    ("beside", "canopy", "a roof over some of the tracks", _CANOPY),
    ("beside", "clutter", "trucks, containers, goods and a platform beside the tracks", _CLUTTER),
    ("beside", "lots", "lots of parked automobiles", change("lineside", lots=3)),
    ("beside", "trailers", "rows of semi-trailers along the tracks", _TRAILERS),
)

_TOGETHER: tuple[tuple[str, str, tuple[Change, ...]], ...] = (
    ("haze+snow+sun-15", "haze, snow and a low sun", (_HAZE, _SNOW, _LOW_SUN)),
    ("dark+haze+blur", "dark on dark, haze and blur", (_DARK, _HAZE, _BLUR)),
    ("jpeg+tight+sun-15", "JPEG, tracks 3.6 m apart and a low sun", (_JPEG, _TIGHT, _LOW_SUN)),
    ("noise+gravel+flats", "noise, light gravel and empty flats", (_NOISE, _LIGHT_GRAVEL, _FLATS)),
    (
        "gsd-0.7+jpeg+tarpaulins",
        "pixels of 0.7 m, JPEG and tarpaulins",
        (at_gsd(0.7), _JPEG, _TARPAULINS),
    ),
    (
        "curve+snow+single",
        "a curve, snow and single cars",
        (change("layout", kind="curved", radius_m=300.0), _SNOW, _SINGLE),
    ),
    (
        "pan+coarse+clutter",
        "one band, coarse optics and clutter",
        (_PAN, change("sensor", resolution_m=(0.8, 0.9)), _CLUTTER),
    ),
    ("haze+jpeg+wet", "haze, JPEG and wet ground", (_HAZE, _JPEG, change("weather", wet=1.0))),
)

_NO_CARS: tuple[tuple[str, str, tuple[Change, ...]], ...] = (
    ("empty+sun-15", "no cars, a low sun", (_EMPTY, _LOW_SUN)),
    ("empty+snow", "no cars, snow", (_EMPTY, _SNOW)),
    ("empty+clutter", "no cars, clutter beside the tracks", (_EMPTY, _CLUTTER)),
    ("empty+lots", "no cars, lots of parked automobiles", (_EMPTY, change("lineside", lots=3))),
    ("empty+trailers", "no cars, rows of semi-trailers along the tracks", (_EMPTY, _TRAILERS)),
    ("empty+haze+noise", "no cars, haze and noise", (_EMPTY, _HAZE, _NOISE)),
    (
        "empty+weeds+oily",
        "no cars, weeds and oily ballast",
        (_EMPTY, change("ground", weeds=1.0, ballast="oily")),
    ),
)


def _all_factors() -> dict[str, Factor]:
    factors = [Factor(name="clear", group="reference", about="a clear yard at 0.5 m", changes=())]
    factors += [Factor(name=n, group=g, about=a, changes=(c,)) for g, n, a, c in _ALONE]
    factors += [Factor(name=n, group="combination", about=a, changes=c) for n, a, c in _TOGETHER]
    factors += [Factor(name=n, group="empty", about=a, changes=c) for n, a, c in _NO_CARS]
    return {factor.name: factor for factor in factors}


FACTORS: dict[str, Factor] = _all_factors()
"""By name, in the order of the report."""
