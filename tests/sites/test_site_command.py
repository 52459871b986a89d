"""``railcount site``: list, show, init, validate."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from railcount import sites
from railcount.cli.main import cli
from railcount.cli.site import site as group
from railcount.sites.checking import check_site
from railcount.sites.making import utm_of

BOX = "7.63,47.52,7.67,47.54"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's sites, and an empty folder to work in."""
    (tmp_path / "own").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("RAILCOUNT_SITES", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "own"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["site", *arguments], catch_exceptions=False)


def test_a_new_site_is_valid_and_found(own: Path) -> None:
    result = run("init", "muttenz", "--bbox", BOX, "--title", 'Muttenz "RB"', "--utc-offset", "1")
    assert result.exit_code == 0
    assert result.stdout == f"{own / 'muttenz' / 'site.toml'}\n"
    assert sorted(path.name for path in own.iterdir()) == ["muttenz"]
    assert sorted(path.name for path in (own / "muttenz").iterdir()) == [
        "README.md",
        "published_counts.csv",
        "site.toml",
    ]
    made = sites.load("muttenz")
    assert (made.title, made.crs, made.utc_offset_h) == ('Muttenz "RB"', "EPSG:32632", 1)
    assert made.box == (7.63, 47.52, 7.67, 47.54)
    assert sites.locate(7.65, 47.53) == made
    checked = run("validate", str(own / "muttenz"))
    assert checked.exit_code == 0
    assert "muttenz is valid" in checked.stdout


def test_the_examples_in_a_new_file_are_valid_when_uncommented(own: Path) -> None:
    run("init", "muttenz", "--bbox", BOX)
    path = own / "muttenz" / "site.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("# A named part"))
    tables = [
        line[2:]
        for line in lines[start:]
        if line.startswith(("# [[", "# ")) and (" = " in line or "[[" in line)
    ]
    path.write_text("\n".join([*lines[:start], *tables]) + "\n", encoding="utf-8")
    (own / "muttenz" / "tracks.geojson").write_text(
        json.dumps({"type": "LineString", "coordinates": [[7.64, 47.53], [7.66, 47.53]]}), encoding="utf-8"
    )
    found = check_site(own / "muttenz")
    assert found.errors == ()
    assert found.site is not None
    assert (len(found.site.zones), len(found.site.tracks), len(found.site.occluders)) == (1, 1, 1)


def test_nothing_is_replaced(own: Path) -> None:
    for make in (lambda p: p.mkdir(), lambda p: p.write_text("x"), lambda p: p.symlink_to("nowhere")):
        target = own.parent / "work" / "taken"
        make(target)
        result = run("init", "muttenz", "--bbox", BOX, "-o", str(target))
        assert result.exit_code == 1
        assert "exists" in result.stderr
        assert os.path.lexists(target)
        assert [path.name for path in target.parent.iterdir()] == ["taken"]
        target.rmdir() if target.is_dir() else target.unlink()


def test_without_a_folder_of_ones_own_it_lies_here(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAILCOUNT_SITES")
    assert run("init", "muttenz", "--bbox", BOX).exit_code == 0
    assert sites.load(own.parent / "work" / "muttenz").name == "muttenz"
    assert sites.locate(7.65, 47.53) is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("init", "Muttenz", "--bbox", BOX), 1),
        (("init", "../x", "--bbox", BOX), 1),
        (("init", "x", "--bbox", "1,2,3"), 2),
        (("init", "x", "--bbox", "3,2,1,4"), 2),
        (("init", "x", "--bbox", "nan,2,3,4"), 2),
        (("init", "x", "--bbox", "1,2,3,95"), 2),
        (("init", "x",), 2),
        (("init", "x", "--bbox", BOX, "--crs", "+proj=utm"), 1),
        (("init", "x", "--bbox", BOX, "--title", "two\nlines"), 1),
        (("init", "x", "--bbox", BOX, "--utc-offset", "20"), 2),
        (("init", "x", "--bbox", BOX, "-o", "no/such/folder"), 1),
        (("show", "atlantis"), 1),
        (("validate", "atlantis"), 1),
    ],
)  # fmt: skip
def test_what_is_refused(own: Path, arguments: tuple[str, ...], code: int) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert list(own.iterdir()) == []
    assert list((own.parent / "work").iterdir()) == []


def made(own: Path, *extra: str, name: str = "muttenz", bbox: str = BOX) -> Path:
    assert run("init", name, "--bbox", bbox, "--utc-offset", "1").exit_code == 0
    path = own / name / "site.toml"
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in extra)
    return path


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stok = 3", "unknown key stok"),
        ('[[tracks]]\nfile = "none.geojson"', r"tracks[0].file"),
        ('[[tracks]]\nfile = "published_counts.csv"', r"tracks[0].file"),
        ("[[zones]]\nid = 3", "zones[0].id must be"),
    ],
)
def test_validate_names_file_and_key(own: Path, line: str, told: str) -> None:
    result = run("validate", str(made(own, line)))
    assert result.exit_code == 1
    assert told in result.stdout
    assert "site.toml" in result.stdout
    assert "is valid" not in result.stdout


def test_validate_takes_a_name_as_show_does(own: Path) -> None:
    path = made(own)
    assert "muttenz is valid" in run("validate", "muttenz").stdout
    assert "tumangang is valid" in run("validate", "tumangang").stdout
    path.write_text("name = ", encoding="utf-8")
    wrong = run("validate", "muttenz")
    assert (wrong.exit_code, str(path) in wrong.stdout) == (1, True)
    (own.parent / "work" / "here").mkdir()
    for nothing in ("atlantis", "here"):
        assert (
            f"no site '{nothing}'; give one of: khasan, muttenz, tumangang" in run("validate", nothing).stderr
        )


def test_validate_of_a_crs_that_is_not_in_metres(own: Path) -> None:
    for code, told in (
        ("EPSG:4326", "not in metres"),
        ("EPSG:2263", "not in metres"),
        ("EPSG:99999", "not known"),
    ):
        path = made(own)
        path.write_text(path.read_text(encoding="utf-8").replace("EPSG:32632", code), encoding="utf-8")
        result = run("validate", str(path))
        assert result.exit_code == 1
        assert told in result.stdout
        for file in path.parent.iterdir():
            file.unlink()
        path.parent.rmdir()


def test_validate_of_a_wrong_count(own: Path) -> None:
    path = made(own)
    with (path.parent / "published_counts.csv").open("a", encoding="utf-8") as file:
        file.write("2020-05-01,image,,wagons,,5,,,,me,,\n")
    result = run("validate", str(path.parent))
    assert result.exit_code == 1
    assert "published_counts.csv, line 2: unit must be one of" in result.stdout


def test_validate_notes_what_is_unusual(own: Path) -> None:
    other = made(own, name="other", bbox="7.60,47.50,7.70,47.56")
    path = made(
        own,
        '[[tracks]]\nfile = "a.geojson"\nsince = 2020-01-01',
        '[[tracks]]\nfile = "a.geojson"\nuntil = 2021-01-01',
        "[[zones]]",
        'id = "far"\ntitle = "Far"\npoint = [9.0, 47.53]\nreach_m = 10\nuncertainty_m = 1',
        'certainty = "x"\nsource = "x"',
    )
    (path.parent / "a.geojson").write_text(
        json.dumps({"type": "LineString", "coordinates": [[9.0, 47.53], [9.1, 47.53]]}), encoding="utf-8"
    )
    result = run("validate", str(path))
    assert result.exit_code == 0
    for told in (
        "overlaps that of other; a tile in both is taken for muttenz",
        "the middle of far lies outside the box",
        "tracks[1], tracks[0]: both hold on 2020-01-01",
        "no line of a.geojson lies in the box",
        "no count is known",
    ):
        assert told in result.stdout
    assert "overlaps that of muttenz" in run("validate", str(other)).stdout


def test_validate_of_the_shipped_sites() -> None:
    for name in ("tumangang", "khasan"):
        found = check_site(Path(sites.__file__).parent / name)
        assert (found.errors, found.notes) == ((), ())


def test_list(own: Path) -> None:
    made(own, bbox="7.60,47.50,7.70,47.56")
    made(own, name="small")
    (made(own, name="broken")).write_text("name = ", encoding="utf-8")
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "broken", "khasan", "muttenz", "small", "tumangang",
    ]  # fmt: skip
    assert "wrong: " in lines[0]
    assert sum("overlaps" in line for line in lines) == 2


def test_show() -> None:
    text = " ".join(run("show", "tumangang").stdout.split())
    for told in ("Tumangang (North Korea)", "freight-yard", "known to 400 m", "348 m x 26 m", "no lines"):
        assert told in text
    assert max(map(len, run("show", "khasan").stdout.splitlines())) <= 80


def test_every_subcommand_has_an_example() -> None:
    for name in group.commands:
        assert f"railcount site {name}" in run(name, "--help").stdout.split("Example")[1]


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (130.6, 42.4, 32652),
        (-3.7, 40.4, 32630),
        (-3.7, -40.4, 32730),
        (180.0, 10.0, 32660),
        (-180.0, 10.0, 32601),
        (5.3, 60.4, 32632),
        (15.6, 78.2, 32633),
        (0.0, 86.0, 32661),
        (0.0, -85.0, 32761),
    ],
)
def test_zones_of_utm(lon: float, lat: float, code: int) -> None:
    assert utm_of(lon, lat) == f"EPSG:{code}"


@settings(max_examples=50, deadline=None)
@given(st.floats(-180, 180), st.floats(-79, 83))
def test_zones_of_utm_are_those_of_the_register(lon: float, lat: float) -> None:
    from pyproj import CRS

    area = CRS.from_user_input(utm_of(lon, lat)).area_of_use
    assert area is not None
    slack = 6.1 if lat > 55 else 1e-9  # Norway's exceptions reach beyond the registered zones
    assert area.west - slack <= lon <= area.east + slack


def test_the_template_is_toml_whatever_the_title(own: Path) -> None:
    title = 'C:\\yard "Ü" 두만강 {x}'
    assert run("init", "x", "--bbox", BOX, "--title", title).exit_code == 0
    assert tomllib.loads((own / "x" / "site.toml").read_text(encoding="utf-8"))["title"] == title
