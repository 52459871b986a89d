"""The crosscheck: its renderer shares nothing with ours, and its light and truth are where they should be."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
CROSSCHECK = ROOT / "benchmarks" / "crosscheck"
MODULES = tuple(path.stem for path in CROSSCHECK.glob("*.py"))


@pytest.fixture(scope="module")
def crosscheck() -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules, which are scripts beside each other and no package."""
    sys.path.insert(0, str(CROSSCHECK))
    try:
        yield {name: import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(CROSSCHECK))
        for name in MODULES:
            sys.modules.pop(name, None)


def test_it_shares_nothing_with_our_renderer() -> None:
    ours = [path.read_text(encoding="utf-8") for path in CROSSCHECK.glob("*.py")]
    assert ours
    assert not any("railcount.simulate" in text for text in ours)


def test_no_scene_is_both_learned_from_and_measured_on(crosscheck: dict[str, ModuleType]) -> None:
    first = crosscheck["kinds"].FIRST_TO_LEARN_FROM
    with pytest.raises(ValueError, match="for training"):
        crosscheck["judge"]._seeds(f"1,{first}")
    before = list(sys.path)
    sys.path.append(str(ROOT / "training"))
    try:
        with pytest.raises(ValueError, match="for measuring"):
            import_module("second").second_scene(first - 1)
    finally:
        sys.path[:] = before
        for name in ("second", "data"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", ["mixed", "ladder", "highway"])
def test_kind_and_seed_decide_every_pixel(
    crosscheck: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    kinds, render = crosscheck["kinds"].KINDS, crosscheck["render"].render
    monkeypatch.setitem(kinds, kind, replace(kinds[kind], rows_cols=(90, 140)))
    one, again, other = render(kind, 1), render(kind, 1), render(kind, 2)
    assert one.image.shape == (90, 140, 3)
    assert one.image.dtype == np.uint8
    assert np.array_equal(one.image, again.image)
    assert not np.array_equal(one.image, other.image)
    assert [car.kind for car in one.cars] == [car.kind for car in again.cars]


def test_a_shadow_is_as_long_as_the_sun_is_low(crosscheck: dict[str, ModuleType]) -> None:
    light = crosscheck["light"].Light(
        sun_azimuth=180.0, sun_elevation=45.0, view_azimuth=0.0, view_deg=0.0, diffuse=0.2
    )
    height = np.zeros((100, 100), np.float32)
    height[50:60, 40:60] = 4.0  # 4 m are 20 pixels of 0.2 m
    shaded = crosscheck["light"].shadow_height(height, light, px=0.2) > height + 0.01
    assert np.flatnonzero(shaded[:, 50]).tolist() == list(range(31, 50))
    assert not shaded[60:].any()


def test_the_truth_lies_halfway_between_wheels_and_roof(crosscheck: dict[str, ModuleType]) -> None:
    design = replace(crosscheck["stock"].tank(np.random.default_rng(1)), length=12.0, width=3.0, height=4.0)
    car = crosscheck["traffic"].Standing(design=design, place=(100.0, 50.0, 0.0), coupled=None)
    outline = car.outline((0.5, 0.0))
    assert outline.mean(axis=0) == pytest.approx([101.0, 50.0])
    assert np.ptp(outline, axis=0) == pytest.approx([12.0, 3.0])


def test_seeds_are_read_as_written(crosscheck: dict[str, ModuleType]) -> None:
    assert crosscheck["judge"]._seeds("1-3,7") == [1, 2, 3, 7]
