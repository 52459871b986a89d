"""The speed benchmark's own arithmetic; no time is asserted."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"
MODULES = ("budgets", "children", "parts", "run", "scenes")


@pytest.fixture(scope="module")
def speed() -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules, which are scripts beside each other and no package."""
    sys.path.insert(0, str(SPEED))
    try:
        yield {name: import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(SPEED))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture
def row(speed: dict[str, ModuleType]) -> Any:
    def made(**given: Any) -> Any:
        return speed["budgets"].Row(**{"part": "tile", "what": "scan", "unit": "s", **given})

    return made


def test_whether_a_budget_holds(row: Any) -> None:
    assert row(value=2.5, budget=2.5).holds is True
    assert row(value=2.51, budget=2.5).holds is False
    assert row(value=1.8, budget=1.8, at_least=True).holds is True
    assert row(value=1.79, budget=1.8, at_least=True).holds is False
    assert row(value=1.0).holds is None
    assert row(budget=1.0).holds is None


def test_a_row_in_words(row: Any) -> None:
    assert row(value=3.14159, budget=2.5).words == ("3.14 s", "at most 2.5 s", "NO")
    assert row(unit="MB", value=399.6, budget=400.0).words == ("400 MB", "at most 400 MB", "yes")
    assert row(unit="x", budget=1.8, at_least=True, note="not yet").words == (
        "not yet",
        "at least 1.8 x",
        "",
    )
    assert row().words == ("not measured", "none", "")


def test_a_ratio_is_of_medians(speed: dict[str, ModuleType]) -> None:
    ratio = speed["budgets"].ratio_of_medians
    assert ratio([4.0, 100.0, 2.0], [2.0, 1.0, 50.0]) == 2.0
    for above, below in (([], [1.0]), ([1.0], []), ([1.0], [0.0])):
        with pytest.raises(ValueError, match="yardstick"):
            ratio(above, below)


def test_rows_survive_json_and_are_judged_again(speed: dict[str, ModuleType], row: Any) -> None:
    one = row(value=2.0, budget=2.5, details={"CPU s": 1.5})
    values = json.loads(json.dumps(speed["budgets"].as_json(one)))
    assert values["holds"] is True
    assert speed["budgets"].from_json({**values, "holds": False}) == one


def test_a_new_measurement_replaces_the_part(speed: dict[str, ModuleType], row: Any) -> None:
    earlier = [row(part="b", value=1.0), row(part="a", value=1.0), row(part="gone", value=1.0)]
    now = [row(part="b", value=2.0), row(part="b", value=3.0)]
    found = speed["budgets"].merged(earlier, now, order=["a", "b"])
    assert [(one.part, one.value) for one in found] == [("a", 1.0), ("b", 2.0), ("b", 3.0)]


def test_the_report_without_measuring(
    speed: dict[str, ModuleType], row: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        row(part="tile", what="scan of a tile", value=9.0, budget=2.5, details={"CPU s": 8.0}),
        row(part="version", what="the version", unit="x", value=1.5, budget=3.0),
    ]
    figures, target = tmp_path / "figures.json", tmp_path / "PERFORMANCE.md"
    figures.write_text(json.dumps({"rows": [speed["budgets"].as_json(one) for one in rows]}))
    code = speed["run"].main(["--with", str(figures), "--date", "2024-05-06", "-o", str(target)])
    assert code == 1  # one budget does not hold
    text = target.read_text(encoding="utf-8")
    assert "| scan of a tile | 9.00 s | at most 2.5 s | NO |" in text
    assert text.index("the version") < text.index("scan of a tile")
    assert "1 of 2 budgets hold." in text
    assert "- scan of a tile: CPU s 8" in text
    assert "2024-05-06" in text
    assert "scan of a tile  9.00 s" in capsys.readouterr().out
    assert sorted(tmp_path.iterdir()) == [target, figures]


def test_unknown_parts_are_refused(speed: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        speed["run"].main(["nonsense"])
    assert "no part 'nonsense'" in capsys.readouterr().err


def test_the_budgets_are_those_of_the_design(speed: dict[str, ModuleType]) -> None:
    parts = speed["parts"]
    assert list(parts.PARTS) == ["version", "import", "tile", "given", "found", "batch", "finished"]
    assert (parts.GIVEN.budget, parts.GIVEN.budget_mb) == (0.25, 500)
    assert (parts.FOUND.budget, parts.FOUND.budget_mb) == (1.5, 1000)


def test_a_child_is_timed_weighed_and_killed(speed: dict[str, ModuleType]) -> None:
    run = speed["children"].run
    small = run([sys.executable, "-c", "print('said')"])
    assert (small.code, small.out.strip(), small.killed) == (0, "said", False)
    large = run([sys.executable, "-c", "x = bytearray(500_000_000); x[::4096] = x[::4096]"])
    assert large.peak_mb > 500  # more than this process holds, which would count too
    eater = "import time; x = b'1' * 400_000_000; time.sleep(60)"
    assert run([sys.executable, "-c", eater], max_mb=300).killed
    with pytest.raises(speed["children"].CommandError, match="exit code 5: oh"):
        run([sys.executable, "-c", "import sys; print('oh', file=sys.stderr); sys.exit(5)"])
    assert run([sys.executable, "-c", "raise SystemExit(3)"], allowed=(0, 3)).code == 3


def test_starting_is_not_in_the_time_a_tile(speed: dict[str, ModuleType]) -> None:
    made = speed["children"].Finished
    rest = {"cpu_s": 0.0, "peak_mb": 0.0, "own_mb": 0.0, "code": 0, "out": "", "err": "", "killed": False}
    first = {n: made(seconds=7.0 + 0.02 * n, **rest) for n in (100, 1000)}
    assert speed["parts"]._each(first, 100, 1000) == pytest.approx(0.02)


def test_ground_has_no_seams(speed: dict[str, ModuleType]) -> None:
    ground = speed["scenes"].Ground.around(np.array([90.0, 100.0], np.float32))
    rows, cols = np.arange(1900, 2100), np.arange(1400, 1650)
    whole = ground.at(rows, cols)
    assert whole.shape == (2, 200, 250)
    parts = [[ground.at(r, c) for c in np.split(cols, [97])] for r in np.split(rows, [150])]
    assert np.array_equal(whole, np.block(parts))
    assert 70 < whole[0].mean() < 120
    # Beyond the sides of the noise it goes on as smoothly as within.
    steps = np.abs(np.diff(whole[0], axis=1)).mean(axis=0)
    assert steps[1530 - 1400] < 3 * np.median(steps)


@pytest.mark.parametrize("striped", [False, True])
def test_a_large_scene_holds_the_yard(speed: dict[str, ModuleType], tmp_path: Path, striped: bool) -> None:
    yard, big = tmp_path / "yard.tif", tmp_path / "big.tif"
    picture = np.random.default_rng(1).integers(50, 200, (3, 300, 400), dtype=np.uint8)
    profile = {"driver": "GTiff", "width": 400, "height": 300, "count": 3, "dtype": "uint8"}
    place = {"crs": "EPSG:32652", "transform": rasterio.Affine(0.5, 0, 468_000, 0, -0.5, 4_696_000)}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with rasterio.open(yard, "w", **profile, **place, **layout) as target:
        target.write(picture)
    speed["scenes"].write_big(big, yard=yard, size_px=2048, striped=striped)
    with rasterio.open(big) as source:
        assert (source.width, source.height, source.crs.to_epsg()) == (2048, 2048, 32652)
        assert source.block_shapes[0] == ((1, 2048) if striped else (512, 512))
        col = (468_000 - source.transform.c) / 0.5 + 200
        row = (source.transform.f - 4_696_000) / 0.5 + 150
        pixels = source.read()
    middle = pixels[:, round(row) - 50 : round(row) + 50, round(col) - 100 : round(col) + 100]
    assert np.array_equal(middle, picture[:, 100:200, 100:300])
    assert pixels.min() > 0
