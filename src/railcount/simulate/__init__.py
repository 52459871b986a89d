"""Draws yards with exact truth. Everything drawn is simulated, and says so."""

from railcount.simulate.render import RenderedScene, render
from railcount.simulate.scene import (
    Cut,
    Ground,
    Layout,
    Lineside,
    Scene,
    Sensor,
    Stock,
    Sun,
    Weather,
)
from railcount.simulate.scene_file import load_scene, scene_from_table
from railcount.simulate.truth import TruthCar, TruthLine, cars_geojson, tracks_geojson

__all__ = [
    "Cut",
    "Ground",
    "Layout",
    "Lineside",
    "RenderedScene",
    "Scene",
    "Sensor",
    "Stock",
    "Sun",
    "TruthCar",
    "TruthLine",
    "Weather",
    "cars_geojson",
    "load_scene",
    "render",
    "scene_from_table",
    "tracks_geojson",
]
