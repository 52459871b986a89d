"""Finding a site by name and by position."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from railcount import sites
from railcount.errors import InputError, MissingInput
from railcount.sites import catalogue
from railcount.sites.making import make_site

if TYPE_CHECKING:
    from pathlib import Path

YARD = (130.6222, 42.4187)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's sites."""
    monkeypatch.setenv("RAILCOUNT_SITES", str(tmp_path))
    return tmp_path


def around(
    lon: float, lat: float, half: float, *, half_lon: float | None = None
) -> tuple[tuple[float, float], ...]:
    wide = half if half_lon is None else half_lon
    return (
        (lon - wide, lat + half),
        (lon + wide, lat + half),
        (lon + wide, lat - half),
        (lon - wide, lat - half),
    )


def test_the_two_that_ship_share_no_ground() -> None:
    tumangang, khasan = sites.load("tumangang"), sites.load("khasan")
    assert catalogue.overlaps(tumangang, [khasan]) == ()
    assert tumangang.box[2] < khasan.box[0]


def test_khasan() -> None:
    site = sites.load("khasan")
    assert [(str(one.first), one.best) for one in site.observations] == [
        ("2022-11-04", 6),
        ("2022-11-29", 8),
        ("2022-12-07", 4),
        ("2024-06-17", 149),
    ]
    assert all(one.url and one.url.startswith("https://") for one in site.observations)
    assert sites.locate(130.64528, 42.42806) is site
    for zone in site.zones:
        assert site.contains(*zone.point)


def test_the_users_own_by_name_and_by_position(own: Path) -> None:
    make_site("basel", box=(7.57, 47.53, 7.61, 47.56), folder=own / "somewhere")
    assert sites.names() == ("basel", "khasan", "tumangang")
    assert sites.load("basel") == sites.locate(7.6, 47.55)
    assert sites.own_files("basel") == (own / "somewhere" / "site.toml",)
    assert sites.own_files(None) == (own / "somewhere" / "site.toml",)
    assert sites.own_files("tumangang") == ()


def test_ones_own_stands_for_a_shipped_site_of_its_name(own: Path) -> None:
    make_site("tumangang", box=(130.60, 42.41, 130.64, 42.43), folder=own / "mine", title="Mine")
    assert sites.load("tumangang").title == "Mine"
    found = sites.locate(*YARD)
    assert found is not None
    assert found.title == "Mine"


def test_of_two_boxes_the_smaller_wins_and_it_is_said(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_site("part", box=(130.615, 42.415, 130.630, 42.422), folder=own / "part")
    with caplog.at_level(logging.WARNING):
        found = sites.locate(*YARD)
        assert found == sites.locate(*YARD)
    assert found is not None
    assert found.name == "part"
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "the boxes of part, tumangang overlap: tiles in both are taken for part, whose box is the smaller"
    ]


def test_a_changed_file_is_read_again(own: Path) -> None:
    path = make_site("basel", box=(7.57, 47.53, 7.61, 47.56), folder=own / "basel")
    assert sites.load("basel").title == "basel"
    path.write_text(path.read_text(encoding="utf-8").replace('title = "basel"', 'title = "Basel SBB"'))
    assert sites.load("basel").title == "Basel SBB"


def test_a_broken_one_does_not_stop_the_others(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    (own / "broken").mkdir()
    (own / "broken" / "site.toml").write_text("name = ")
    with caplog.at_level(logging.WARNING):
        assert sites.locate(*YARD) is sites.load("tumangang")
    assert any("passed over" in record.getMessage() for record in caplog.records)
    with pytest.raises(InputError, match="is not TOML"):
        sites.load("broken")


def test_a_folder_that_is_none(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILCOUNT_SITES", str(own / "nowhere"))
    with pytest.raises(MissingInput, match="RAILCOUNT_SITES names"):
        sites.locate(*YARD)


def test_footprint_middle_in_the_box() -> None:
    site = sites.load("tumangang")
    assert sites.locate_footprint(around(*YARD, 0.002)) is site
    assert sites.locate_footprint(()) is None


def test_footprint_that_reaches_the_yard_from_outside() -> None:
    """A large scene whose middle is 10 km north, the yard in its southern part."""
    wide = around(YARD[0], YARD[1] + 0.09, 0.12, half_lon=0.02)
    middle = (YARD[0], YARD[1] + 0.09)
    assert sites.locate(*middle) is None
    assert sites.locate_footprint(wide) is sites.load("tumangang")


def test_footprint_beside_the_yard() -> None:
    assert sites.locate_footprint(around(YARD[0], YARD[1] + 0.09, 0.05)) is None
    # It clips the box's corner, but shows no yard.
    assert sites.locate_footprint(around(130.60 - 0.05, 42.409 - 0.05, 0.052)) is None


def test_footprint_of_both_takes_the_nearer() -> None:
    north_east = (130.66, 42.52)
    assert sites.locate(*north_east) is None
    scene = around(*north_east, 0.13)
    assert [site.name for site in sites.in_sight(scene)] == ["khasan", "tumangang"]
    found = sites.locate_footprint(scene)
    assert found is sites.load("khasan")
