"""Random scenes to learn from: every nuisance on its own and mixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from railcount.simulate import Ground, Layout, Lineside, Scene, Sensor, Stock, Sun, Weather

FILLS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
FILL_SHARES = (0.25, 0.15, 0.15, 0.12, 0.12, 0.11, 0.1)
FAMILIES = (
    ("russian",),
    ("chinese",),
    ("european",),
    ("north-american",),
    ("russian", "chinese"),
    ("autorack_89",),
)


def random_scene(seed: int) -> Scene:
    """A scene whose every circumstance comes from the seed."""
    rng = np.random.default_rng([7, seed])

    def maybe(chance, value, otherwise=None):
        return value if rng.random() < chance else otherwise

    gsd = float(rng.choice([0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.95]))
    side = int(360 / gsd)
    kind = str(rng.choice(["straight", "straight", "straight", "curved", "curved", "ladder"]))
    family = FAMILIES[rng.integers(len(FAMILIES))]
    autoracks = family == ("autorack_89",)
    tight = rng.random() < (0.6 if autoracks else 0.15)
    return Scene(
        name=f"training-{seed}",
        width_px=side,
        height_px=int(side * 0.7),
        gsd_m=gsd,
        layout=Layout(
            kind=kind,
            n_tracks=int(rng.choice([1, 2, 3, 4, 6, 8, 8, 10, 12])),
            spacing_m=(3.6, 4.1) if tight else (4.1, 5.6),
            radius_m=(280.0, 1500.0),
        ),
        sun=Sun(elevation_deg=(12.0, 75.0), azimuth_deg=(0.0, 360.0), sky=(0.04, 0.35)),
        ground=Ground(),
        stock=Stock(
            fill=float(rng.choice(FILLS, p=FILL_SHARES)),
            families=family,
            covered=(0.0, 1.0),
            like=maybe(0.3, (0.8, 1.0), (0.0, 1.0)),
            block_n=float(rng.choice([1.0, 3.0, 8.0, 25.0])),
            camouflage=maybe(0.35, (0.3, 1.0), 0.0),
        ),
        lineside=Lineside(
            canopies=maybe(0.05, 1, 0),
            lots=int(rng.integers(1, 5)) if rng.random() < (0.7 if autoracks else 0.1) else 0,
        ),
        weather=Weather(
            snow=maybe(0.15, (0.2, 1.0), 0.0),
            haze=maybe(0.3, (0.1, 0.6), 0.0),
            wet=maybe(0.2, (0.2, 1.0), 0.0),
        ),
        sensor=Sensor(
            bands=int(rng.choice([1, 3, 3, 3, 4])),
            bit_depth=int(rng.choice([8, 8, 11])),
            contrast=(0.5, 1.4),
            resolution_m=float(gsd * rng.choice([1.0, 1.2, 1.5, 1.9], p=[0.4, 0.3, 0.2, 0.1])),
        ),
    )


def favoured_scene(seed: int) -> Scene:
    """The same with coarse North American yards, and Russian and Chinese stock, three times in ten each."""
    rng = np.random.default_rng([11, seed])
    scene, kind = random_scene(seed), rng.random()
    if kind < 0.3:
        family = "autorack_89" if rng.random() < 0.6 else "north-american"
        gsd = float(rng.choice([0.7, 0.8, 0.85, 0.9, 0.95]))
        side = int(360 / gsd)
        return replace(
            scene,
            gsd_m=gsd,
            width_px=side,
            height_px=int(side * 0.7),
            stock=replace(scene.stock, families=(family,)),
            lineside=replace(scene.lineside, lots=int(rng.integers(1, 5))),
            sensor=replace(scene.sensor, resolution_m=gsd * float(rng.choice([1, 1.2, 1.5]))),
        )
    if kind < 0.6:
        return replace(scene, stock=replace(scene.stock, families=("russian", "chinese")))
    return scene


def hard_scene(seed: int) -> Scene:
    """The same with what defeats a finder, several at once.

    Dark cars on dark ballast, tight curves, low suns, aslant views, single lines, a few cars alone,
    locomotives, open frames, rows of trailers beside the tracks.
    """
    rng = np.random.default_rng([13, seed])
    scene = favoured_scene(seed) if rng.random() < 0.5 else random_scene(seed)
    if rng.random() < 0.35:
        stock = replace(scene.stock, camouflage=(0.4, 1.0))
        ground = replace(scene.ground, ballast=str(rng.choice(["dark", "oily", "brown"])))
        scene = replace(scene, stock=stock, ground=ground)
    if rng.random() < 0.3:
        scene = replace(scene, layout=replace(scene.layout, kind="curved", radius_m=(200.0, 500.0)))
    if rng.random() < 0.3:
        scene = replace(scene, sun=replace(scene.sun, elevation_deg=(10.0, 22.0)))
    if rng.random() < 0.3:
        scene = replace(scene, sensor=replace(scene.sensor, off_nadir_deg=(10.0, 28.0)))
    if rng.random() < 0.2:
        scene = replace(scene, layout=replace(scene.layout, n_tracks=int(rng.integers(1, 4))))
    if rng.random() < 0.25:
        scene = replace(scene, stock=replace(scene.stock, fill=(0.03, 0.25), block_n=(1.0, 3.0)))
    if rng.random() < 0.5:
        scene = replace(scene, stock=replace(scene.stock, n_locomotives=int(rng.integers(1, 9))))
    if rng.random() < 0.2 and scene.stock.families:
        families = (*scene.stock.families, "frame_60ft", "frame_40ft")
        scene = replace(scene, stock=replace(scene.stock, families=families))
    if rng.random() < 0.6:
        scene = replace(scene, lineside=replace(scene.lineside, trailer_rows=int(rng.integers(2, 12))))
    return scene


def kinds_scene(seed: int) -> Scene:
    """The same with many locomotives, and in two of five scenes gondolas with loads of every sort."""
    rng = np.random.default_rng([17, seed])
    scene = favoured_scene(seed)
    stock = replace(scene.stock, n_locomotives=int(rng.integers(2, 12)), fill=(0.3, 0.9), like=(0.0, 1.0))
    if rng.random() < 0.4:
        gondolas = ("gondola_12_132", "gondola_c70", "gondola_eas", "tank_4_axle", "flat_13_401")
        stock = replace(stock, families=gondolas, covered=(0.0, 0.4), loaded=(0.5, 1.0), block_n=3.0)
    return replace(scene, stock=stock)


def sparse_scene(seed: int) -> Scene:
    """The same, empty or almost: what else lies on and beside tracks must not be taken for cars."""
    rng = np.random.default_rng([23, seed])
    scene = hard_scene(seed) if rng.random() < 0.3 else favoured_scene(seed)
    fill = 0.0 if rng.random() < 0.6 else (0.02, 0.15)
    weather = scene.weather
    if rng.random() < 0.25:
        weather = replace(weather, snow=(0.1, 1.0))
    return replace(scene, stock=replace(scene.stock, fill=fill, block_n=2.0), weather=weather)


def built_scene(seed: int) -> Scene:
    """The same, empty or not, with much built beside the tracks: walls, roofs, their shadows."""
    rng = np.random.default_rng([29, seed])
    scene = sparse_scene(seed) if rng.random() < 0.6 else hard_scene(seed)
    lineside = replace(
        scene.lineside,
        buildings=int(rng.integers(15, 61)),
        fences=int(rng.integers(0, 5)),
        roads=int(rng.integers(0, 4)),
        ground_containers=int(rng.integers(0, 40)),
        piles=int(rng.integers(0, 25)),
    )
    return replace(scene, lineside=lineside)
