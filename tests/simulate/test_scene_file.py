"""Scene files: what is read, and what is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from railcount.errors import InputError, MissingInput
from railcount.simulate import Scene, load_scene, render, scene_from_table

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str, name: str = "a.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scene_file_is_read(tmp_path: Path) -> None:
    scene = load_scene(
        write(
            tmp_path,
            """
            gsd_m = 0.3
            acquired = 2023-10-05T02:11:00Z
            [layout]
            kind = "ladder"
            spacing_m = [4.1, 5.3]
            [stock]
            families = ["russian"]
            [[stock.cuts]]
            track = "2"
            n = 3
            vehicle = "tank_4_axle"
            """,
        )
    )
    assert scene.name == "a"
    assert scene.acquired_utc == datetime(2023, 10, 5, 2, 11, tzinfo=UTC)
    assert scene.layout.spacing_m == (4.1, 5.3)
    assert scene.stock.cuts[0].vehicle == "tank_4_axle"


def test_extends_takes_what_is_not_given(tmp_path: Path) -> None:
    write(tmp_path, "gsd_m = 0.3\n[layout]\nn_tracks = 7\nspacing_m = 5", "base.toml")
    scene = load_scene(write(tmp_path, 'extends = "base.toml"\n[layout]\nspacing_m = 4'))
    assert (scene.gsd_m, scene.layout.n_tracks, scene.layout.spacing_m) == (0.3, 7, 4)
    with pytest.raises(InputError, match="extends must name a file in the same folder"):
        load_scene(write(tmp_path, 'extends = "../base.toml"'))
    with pytest.raises(MissingInput):
        load_scene(write(tmp_path, 'extends = "none.toml"'))


@pytest.mark.parametrize("name", ["../a", "a/b", "..", "", ".a", "\\u001b[2Ja", "a\\n", "\uff21" * 80])
def test_a_name_that_is_no_file_name_is_refused_before_it_is_drawn(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"a\.toml: name must make a plain file name") as raised:
        load_scene(write(tmp_path, f'name = "{name}"'))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("gsd = 0.5", "gsd"),
        ("gsd_m = 0", "gsd_m"),
        ("gsd_m = true", "gsd_m"),
        ("gsd_m = nan", "gsd_m"),
        ("width_px = 1.5", "width_px"),
        ("layout = 3", "layout"),
        ('acquired = "yesterday"', "acquired"),
        ("acquired = 2023-10-05T02:11:00", "acquired"),
        ("centre_lon_lat = 3", "centre_lon_lat"),
        ("[layout]\nkind = 'spiral'", r"layout\.kind"),
        ("[layout]\nspacing_m = [5, 4]", r"layout\.spacing_m"),
        ("[layout]\nspacing_m = 1.0", r"layout\.spacing_m"),
        ("[layout]\nn_track = 4", r"layout\.n_track"),
        ("[weather]\ncloud = 2", r"weather\.cloud"),
        ("[sensor]\nbands = 2", r"sensor\.bands"),
        ("[sensor]\nbit_depth = 12", r"sensor\.bit_depth"),
        ("[lineside]\nwires = 1", r"lineside\.wires"),
        ("[stock]\nfamilies = 'russian'", r"stock\.families"),
        ("[stock]\ncuts = 4", r"stock\.cuts"),
        ("[[stock.cuts]]\nn = 0", r"stock\.cuts\[0\]\.n"),
        ("[[stock.cuts]]\nwagon = 'x'", r"stock\.cuts\[0\]\.wagon"),
        ("[[stock.cuts]]\nload = 'x'", r"stock\.cuts\[0\]\.load"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(InputError, match=key):
        load_scene(write(tmp_path, text))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"crs": "EPSG:4326"}, "crs"),
        ({"crs": "nonsense"}, "crs"),
        ({"crs": "EPSG:999999"}, "crs"),
        ({"crs": "+proj=utm +zone=52 +datum=WGS84"}, "crs must be a code"),
        ({"stock": {"families": ["martian"]}}, r"stock\.families"),
        ({"stock": {"tracks": ["99"]}}, r"stock\.tracks"),
        ({"stock": {"cuts": [{"track": "99"}]}}, r"stock\.cuts\[0\]\.track"),
        ({"stock": {"cuts": [{"vehicle": "tardis"}]}}, r"stock\.cuts\[0\]\.vehicle"),
        ({"stock": {"cuts": [{"colour": "octarine"}]}}, r"stock\.cuts\[0\]\.colour"),
        ({"stock": {"cuts": [{"vehicle": "tank_4_axle", "load": "bulk"}]}}, r"stock\.cuts\[0\]\.load"),
        ({"stock": {"families": ["tank_4_axle"], "cuts": [{"load": "bulk"}]}}, r"stock\.cuts\[0\]\.load"),
        ({"layout": {"n_tracks": 4, "spacings_m": [4.5]}}, r"layout\.spacings_m"),
        ({"width_px": 20000, "height_px": 20000}, "width_px"),
        ({"acquired": datetime(2023, 10, 5, 15, tzinfo=UTC)}, "acquired"),
    ],
)
def test_contradictions_name_the_key(table: dict[str, object], key: str) -> None:
    table = {"width_px": 100, "height_px": 100, "layout": {"n_tracks": 2}, **table}
    with pytest.raises(InputError, match=key):
        render(scene_from_table(table), seed=1)


def test_not_a_scene_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        load_scene(tmp_path / "none.toml")
    with pytest.raises(InputError, match="not valid TOML"):
        load_scene(write(tmp_path, "a = = 1"))
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not valid TOML"):
        load_scene(binary)


def test_python_scenes_are_checked_too() -> None:
    with pytest.raises(InputError, match="gsd_m"):
        Scene(gsd_m=-1.0)
    with pytest.raises(InputError, match="seed"):
        render(Scene(), seed=-1)


@pytest.mark.parametrize("path", ["a" * 5000, "/proc/self/mem"])
def test_a_file_that_cannot_be_read(path: str) -> None:
    with pytest.raises((InputError, MissingInput)):
        load_scene(path)
