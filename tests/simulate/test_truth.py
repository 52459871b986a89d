"""The drawn truth is what the pixels show."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from railcount.counts import KINDS
from railcount.errors import InputError
from railcount.simulate import (
    Cut,
    Ground,
    Layout,
    Lineside,
    Scene,
    Sensor,
    Stock,
    Sun,
    Weather,
    cars_geojson,
    render,
    tracks_geojson,
)

BARE = Lineside(
    masts=0, gantries=0, wires=False, platforms=0, canopies=0, buildings=0, roads=0, trucks=0,
    ground_containers=0, piles=0, hedges=0, fences=0, trees=0,
)  # fmt: skip
PLAIN = Sensor(
    resolution_m=0.5,
    pansharpen=False,
    halo=0.0,
    snr=200.0,
    jpeg_quality=100,
    contrast=1.0,
    bit_depth=16,
    off_nadir_deg=0.0,
)
CLEAR = Weather(snow=0.0, haze=0.0, cloud=0.0, wet=0.0)


def small(**changes: object) -> Scene:
    values: dict[str, object] = {
        "width_px": 300,
        "height_px": 160,
        "layout": Layout(n_tracks=4, spacing_m=5.0, azimuth_deg=90.0, shift_m=0.0, n_crossovers=0),
        "sun": Sun(azimuth_deg=180.0, elevation_deg=50.0, sky=0.25),
        "ground": Ground(ballast="grey", weeds=0.0, surroundings="dirt"),
        "lineside": BARE,
        "weather": CLEAR,
        "sensor": PLAIN,
    }
    return Scene(**{**values, **changes})  # type: ignore[arg-type]


def inside(drawn, outline, shrink_px=0.0):
    """True for pixels whose centre lies in the outline, (rows, cols)."""
    rows, cols = drawn.valid.shape
    x, y = np.meshgrid(np.arange(cols) + 0.5, np.arange(rows) + 0.5)
    return shapely.contains_xy(shapely.Polygon(outline).buffer(-shrink_px), x, y)


def test_same_scene_and_seed_give_the_same_bytes() -> None:
    scene = small(lineside=Lineside(), weather=Weather(haze=0.2, cloud=0.2, snow=0.3), sensor=Sensor())
    first, again, other = (render(scene, seed=seed) for seed in (3, 3, 4))
    assert first.bands.tobytes() == again.bands.tobytes()
    assert cars_geojson(first) == cars_geojson(again)
    assert first.bands.tobytes() != other.bands.tobytes()


def test_fixing_what_was_drawn_changes_nothing_else() -> None:
    free = render(small(ground=Ground(ballast="grey", surroundings="dirt")), seed=5)
    moved = render(small(ground=Ground(ballast="grey", surroundings="dirt", rust=0.5)), seed=5)
    assert cars_geojson(free) == cars_geojson(moved)


@pytest.mark.parametrize("azimuth", [90.0, 37.0])
def test_a_bright_car_is_where_the_truth_says(azimuth: float) -> None:
    layout = Layout(n_tracks=3, spacing_m=6.0, azimuth_deg=azimuth, shift_m=0.0, n_crossovers=0)
    cut = Cut(track="2", n=1, vehicle="hopper_19_752", colour="white")
    scene = small(
        layout=layout,
        ground=Ground(ballast="oily", weeds=0.0, surroundings="dirt"),
        stock=Stock(n_railcars=1, n_locomotives=0, camouflage=0.0, cuts=(cut,)),
    )
    seed = 3
    drawn = render(scene, seed=seed)
    car = drawn.railcars[0]
    body = drawn.bands.mean(axis=0)[inside(drawn, car.outline_px, 1.0)]
    ring = inside(drawn, car.outline_px, -3.0) & ~inside(drawn, car.outline_px, -1.0)
    # Drawn again with no car, the pixels inside the outline change and those well outside do not.
    empty = render(
        small(layout=layout, ground=scene.ground, stock=Stock(n_railcars=0, n_locomotives=0)), seed=seed
    )
    change = np.abs(drawn.bands.astype(float) - empty.bands).mean(axis=0)
    assert np.median(body) > 2 * np.median(drawn.bands.mean(axis=0)[ring])
    assert np.median(change[inside(drawn, car.outline_px, 0.5)]) > 1000
    rows, cols = np.nonzero(change > 0.5 * np.median(change[inside(drawn, car.outline_px, 0.5)]))
    assert np.allclose([cols.mean() + 0.5, rows.mean() + 0.5], car.outline_px.mean(axis=0), atol=2.5)


@pytest.mark.parametrize(("azimuth", "side"), [(180.0, -1), (0.0, 1)])
@pytest.mark.parametrize("elevation", [30.0, 55.0])
def test_shadow_falls_away_from_the_sun_as_far_as_its_height_says(
    azimuth: float, side: int, elevation: float
) -> None:
    layout = Layout(n_tracks=1, azimuth_deg=90.0, shift_m=0.0)
    scene = small(
        gsd_m=0.25,
        layout=layout,
        sun=Sun(azimuth_deg=azimuth, elevation_deg=elevation, sky=0.2),
        sensor=Sensor(resolution_m=0.25, pansharpen=False, halo=0.0, snr=300.0, bit_depth=16),
        stock=Stock(n_railcars=1, n_locomotives=0, cuts=(Cut(vehicle="boxcar_p62", start_m=80.0),)),
    )
    drawn = render(scene, seed=2)
    bare = render(small(**{**vars_of(scene), "stock": Stock(n_railcars=0, n_locomotives=0)}), seed=2)
    car = drawn.railcars[0]
    ratio = drawn.bands.mean(axis=0) / bare.bands.mean(axis=0)
    middle = car.outline_px.mean(axis=0)
    low, high = car.outline_px.min(axis=0), car.outline_px.max(axis=0)
    # Medians along the middle of the car, row by row, from the side of the car outwards.
    profile = np.median(ratio[:, int(middle[0]) - 12 : int(middle[0]) + 12], axis=1)
    shaded = profile[: int(low[1])][::-1] if side < 0 else profile[int(np.ceil(high[1])) :]
    lit = profile[int(np.ceil(high[1])) :] if side < 0 else profile[: int(low[1])][::-1]
    length_m = int(np.argmax(shaded > 0.6)) * 0.25
    # The eaves, which cast the shadow's edge, lie 0.15-0.5 m below the ridge.
    eaves = (4.77 - 0.6) / np.tan(np.deg2rad(elevation)), 4.77 / np.tan(np.deg2rad(elevation))
    assert eaves[0] - 0.6 <= length_m <= eaves[1] + 0.6
    assert np.median(shaded[1 : int(length_m / 0.25) - 1]) < 0.4
    assert lit[2:12].min() > 0.7


def vars_of(scene: Scene) -> dict[str, object]:
    return {name: getattr(scene, name) for name in scene.__dataclass_fields__}


@pytest.mark.parametrize("n", [0, 1, 23])
def test_there_are_as_many_cars_as_asked_for(n: int) -> None:
    drawn = render(small(stock=Stock(n_railcars=n, n_locomotives=1, edge_cars=False)), seed=n)
    assert len(drawn.railcars) == n
    assert len(drawn.locomotives) == 1
    assert {car.kind for car in drawn.cars} <= set(KINDS)
    assert all(car.in_frame == 1.0 for car in drawn.cars)


def test_cars_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"stock\.n_railcars: \d+ of the cars do not fit"):
        render(small(stock=Stock(n_railcars=400)), seed=1)


@pytest.mark.parametrize(
    "layout",
    [
        Layout(kind="straight", n_tracks=5, spacing_m=3.6, n_crossovers=2),
        Layout(kind="curved", n_tracks=4, radius_m=250.0, n_crossovers=0),
        Layout(kind="ladder", n_tracks=5, azimuth_deg=80.0, lead_start=0.1, n_through=1),
    ],
)
def test_cars_stand_on_their_tracks_and_not_in_one_another(layout: Layout) -> None:
    scene = small(width_px=600, height_px=400, layout=layout, stock=Stock(fill=0.7, n_locomotives=1))
    drawn = render(scene, seed=8)
    lines = {line.id: shapely.LineString(line.line_px) for line in drawn.tracks}
    bodies = [shapely.Polygon(car.outline_px) for car in drawn.cars]
    assert len(bodies) > 8
    for car, body in zip(drawn.cars, bodies, strict=True):
        assert lines[car.track].distance(body.centroid) < 0.6
    tree = shapely.STRtree(bodies)
    pairs = tree.query(bodies, predicate="overlaps")
    assert pairs.shape[1] == 0


def test_an_empty_layout_has_no_tracks_and_no_cars() -> None:
    drawn = render(small(layout=Layout(kind="empty"), lineside=Lineside()), seed=1)
    assert drawn.tracks == ()
    assert drawn.cars == ()
    assert drawn.bands.std() > 0


def test_tarpaulins_and_containers_are_covered_whatever_carries_them() -> None:
    cuts = (
        Cut(track="1", n=2, vehicle="gondola_12_132", load="tarpaulin"),
        Cut(track="2", n=2, vehicle="gondola_12_132", load="empty"),
        Cut(track="3", n=2, vehicle="container_flat", load="container"),
        Cut(track="4", n=2, vehicle="container_flat", load="empty"),
    )
    drawn = render(small(stock=Stock(n_railcars=8, n_locomotives=0, like=1.0, cuts=cuts)), seed=1)
    seen = {(car.vehicle, car.load): (car.kind, car.covered) for car in drawn.cars}
    assert seen == {
        ("gondola_12_132", "tarpaulin"): ("covered", True),
        ("gondola_12_132", "empty"): ("gondola", False),
        ("container_flat", "container"): ("covered", True),
        ("container_flat", "empty"): ("flat", False),
    }


def test_cloud_and_canopies_make_cars_less_visible() -> None:
    stock = Stock(n_railcars=20, n_locomotives=0)
    clear = render(small(stock=stock), seed=3)
    assert all(car.visible > 0.99 * car.in_frame for car in clear.cars)
    cloudy = render(small(stock=stock, weather=Weather(cloud=0.6, haze=0.0)), seed=3)
    assert 0.5 < cloudy.cloud_cover < 0.7
    assert min(car.visible for car in cloudy.cars) < 0.3
    roofed = render(small(stock=stock, lineside=Lineside(canopies=2)), seed=3)
    assert min(car.visible for car in roofed.cars) < 0.3


def test_collar_is_nodata_and_hides_cars() -> None:
    drawn = render(small(sensor=Sensor(collar=0.3), stock=Stock(fill=0.8)), seed=3)
    assert (~drawn.valid).mean() == pytest.approx(0.3, abs=0.02)
    assert (drawn.bands[:, ~drawn.valid] == 0).all()
    assert (drawn.bands[:, drawn.valid] > 0).all()
    assert any(car.in_frame < 1.0 for car in drawn.cars)


@pytest.mark.parametrize(("bands", "depth", "top"), [(1, 11, 2047), (3, 8, 255), (4, 16, 65535), (4, 8, 255)])
@pytest.mark.parametrize("gsd", [0.3, 3.0])
def test_bands_and_depths(bands: int, depth: int, top: int, gsd: float) -> None:
    scene = small(gsd_m=gsd, width_px=120, height_px=90, sensor=Sensor(bands=bands, bit_depth=depth))
    drawn = render(scene, seed=1)
    assert drawn.bands.shape == (bands, 90, 120)
    assert drawn.bands.dtype == (np.uint8 if depth == 8 else np.uint16)
    assert drawn.bands.max() <= top
    assert drawn.bands.max() > 0.15 * top or depth == 16


def test_geojson_is_in_degrees_closed_and_counterclockwise() -> None:
    drawn = render(small(), seed=3)
    cars = json.loads(cars_geojson(drawn))
    assert len(cars["features"]) == len(drawn.cars) > 0
    for feature, car in zip(cars["features"], drawn.cars, strict=True):
        ring = shapely.LinearRing(feature["geometry"]["coordinates"][0])
        assert ring.is_ccw
        assert abs(ring.centroid.x - 130.6222) < 0.01
        assert abs(ring.centroid.y - 42.4187) < 0.01
        assert feature["properties"]["kind"] == car.kind
    lines = json.loads(tracks_geojson(drawn))
    assert [feature["properties"]["track"] for feature in lines["features"]] == ["1", "2", "3", "4"]


def test_world_coordinates_agree_with_an_independent_projection() -> None:
    import pyproj

    drawn = render(small(), seed=3)
    feature = json.loads(cars_geojson(drawn))["features"][0]
    lon, lat = shapely.Polygon(feature["geometry"]["coordinates"][0]).centroid.coords[0]
    x, y = pyproj.Proj("EPSG:32652")(lon, lat)
    pixel = drawn.grid.from_world(np.array([x, y]))
    assert np.allclose(pixel, drawn.cars[0].outline_px.mean(axis=0), atol=0.05)
