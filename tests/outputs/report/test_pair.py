"""Two passes beside each other: one scale, right places, both counts, honest words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from railcount.cli.main import cli
from railcount.counts import Interval
from railcount.errors import InputError
from railcount.history import History
from railcount.outputs import picture
from railcount.outputs.pair import Side, draw_pair
from tests.history.factories import one_pass, tile

from .conftest import FIRST_COL

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.observation import PassCount


@pytest.fixture
def stored(history: Path) -> PassCount:
    """The pass of the image with a red car."""
    with History.open(history, readonly=True) as opened:
        return next(one for one in opened.passes() if one.cars and one.tiles[0].tile.endswith("a.tif"))


def run(*arguments: object, code: int = 0) -> Any:
    result = CliRunner().invoke(cli, ["report", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def red(image: Any) -> Any:
    return (image[..., 0] > 0.7) & (image[..., 1] < 0.35) & (image[..., 2] < 0.35)


def test_both_at_one_scale_with_counts_and_intervals(
    stored: PassCount, tmp_path: Path, words: list[str]
) -> None:
    later = replace(stored, railcars=Interval(best=73, low=70, high=76), simulated=True, cars=stored.cars[1:])
    before, after = Side(one=stored), Side(one=later, by_hand="74 (73-75)")
    draw_pair(before, after, tmp_path / "p.png", title="Yard", utc_offset_h=9.0)
    text = "\n".join(words)
    assert "3 railcars (2-5, 90 %), 1 train" in words
    assert "73 railcars (70-76, 90 %), 1 train; counted by hand: 74 (73-75)" in words
    assert "5 October 2023, 03:00 UTC (12:00 local time, UTC+9)" in words
    assert "5 October 2023, 03:00 UTC (12:00 local time, UTC+9) - simulated image" in words
    assert "the intervals do not overlap: more cars in the second" in text
    assert (words.count("N"), words.count("20 m"), words.count("gondola")) == (2, 2, 1)
    image = imread(tmp_path / "p.png")[..., :3]
    assert image.shape[1] == 1600
    left, right = image[:, :790], image[:, 790:]
    wide = [np.flatnonzero(red(side).any(axis=0)) for side in (left, right)]
    # 28 of the 200 columns that both show over 770 px, at the same place in both.
    for columns in wide:
        assert np.ptp(columns) == pytest.approx(28 / 200 * 770, abs=6)
        assert columns.mean() == pytest.approx(20 + (FIRST_COL + 14) / 200 * 770, abs=14)
    rows = [np.flatnonzero(red(side).any(axis=1)).mean() for side in (left, right)]
    assert rows[0] == pytest.approx(rows[1], abs=3)
    # The first car is outlined on the left alone.
    orange = np.abs(image - to_rgb(picture.KIND_COLOURS["gondola"])).max(axis=-1) < 0.12
    y = round(float(rows[0]))
    band = orange[y - 20 : y + 20]
    assert band[:, :150].sum() == 0
    assert band[:, 170:300].sum() > 50
    assert band[:, 790 + 170 : 790 + 290].sum() == 0


def test_without_pixels_or_count_it_says_so(
    stored: PassCount, image: Path, tmp_path: Path, words: list[str]
) -> None:
    image.unlink()
    cloudy = replace(
        stored, railcars=None, status="uncountable", reasons=("cloud over the tracks",), trains=None
    )
    draw_pair(Side(one=stored), Side(one=cloudy), tmp_path / "p.png", title="Yard")
    assert "No count: uncountable" in words
    assert "cloud over the tracks" in words
    assert any("a.tif is not shown" in word for word in words)
    assert not any("overlap" in word for word in words)


def test_same_passes_same_bytes(stored: PassCount, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_pair(Side(one=stored), Side(one=stored), tmp_path / name, title="Yard")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_cannot_be_a_pair(stored: PassCount, tmp_path: Path) -> None:
    def footprint(x: float) -> tuple[tuple[float, float], ...]:
        return ((x, 0.0), (x, 0.01), (x + 0.01, 0.01), (x + 0.01, 0.0))

    a = one_pass(tile("a.tif", footprint=footprint(0.0)))
    far = one_pass(tile("b.tif", footprint=footprint(0.1)))
    pixels = one_pass(tile("c.tif", pixels=True))
    lost = one_pass(tile("d.tif", footprint=(), status="failed", reasons=("the header is damaged",)))
    said_of = ((far, "11.1 km apart"), (pixels, "with a CRS"), (lost, "could not: the header is damaged"))
    for other, said in said_of:
        with pytest.raises(InputError, match=said):
            draw_pair(Side(one=a), Side(one=other), tmp_path / "p.png", title="Yard")
    assert list(tmp_path.glob("p.png")) == []


def test_passes_of_a_history_by_name_and_day(
    history: Path, stored: PassCount, tmp_path: Path, words: list[str]
) -> None:
    target = tmp_path / "pair.png"
    with History.open(history) as opened:
        opened.add_hand_count(stored.id, best=4, low=4, high=5, who="Ana", why="one in the shadow")
    run("--history", history, "--compare", stored.id, "2023-10-05", "-o", target)
    assert words.count("3 railcars (2-5, 90 %), 1 train; counted by hand: 4 (4-5)") == 2
    assert "Tumangang (North Korea): 2023-10-05 and 2023-10-05" in words
    assert target.read_bytes().startswith(b"\x89PNG")
    again = run("--history", history, "--compare", stored.id, "2023-10-05", "-o", target, code=1)
    assert "exists" in again.output
    for given, said in (
        ("2001-01-01", "no pass of 2001-01-01; 'railcount history list' shows what it has"),
        ("nothing.tif", "no tile and no pass"),
    ):
        missing = run("--history", history, "--compare", given, stored.id, "-o", tmp_path / "q.png", code=1)
        assert said in missing.output


def test_tiles_are_counted(
    image: Path, stored: PassCount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def count(path: str, site: str | None) -> PassCount:
        asked.append((path, site))
        return stored

    monkeypatch.setattr("railcount.cli.report._count", count)
    run("--compare", image, image, "-o", tmp_path / "pair.png")
    assert asked == [(str(image), None)] * 2
    taken = image.with_suffix(".png")
    image.rename(taken)
    told = run("--compare", taken, taken, "-o", taken, "--overwrite", code=1)
    assert "also the input" in told.output


def test_usage(history: Path, tmp_path: Path) -> None:
    assert "--compare A B" in run("-o", tmp_path / "x.html", code=2).output
    run("--compare", "a", "b", "-o", tmp_path / "x.html", code=2)
    run("--compare", "a", "b", "-o", tmp_path / "x.png", "--date", "2023-10-05", code=2)
