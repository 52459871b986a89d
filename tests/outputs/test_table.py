"""The table: golden text, width, colour, and nothing a terminal would act on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from railcount.outputs.table import headline, render, render_tracks, track_length_m
from railcount.raster.acquisition import Acquisition
from railcount.tracks.network import TrackNetwork

from . import factories

GOLDEN = """\
sample/yard.tif
  2023-10-05T02:11:00Z (from TIFF tag), tumangang, freight yard, 0.50 m pixels,
  SkySat, simulated image

73 railcars (70-76, 90 %) on 3 of 5 tracks, 4 trains, 965 m; unprecedented: 3.65
x the five-year maximum of 20

  track  railcars  locos  trains  standing  least sure car
      1         9      1       1     138 m            0.82
      2        14      -       2     192 m            0.82
      4         6      -       1      82 m            0.82

regime    cars told apart one by one
types     11 gondola, 9 covered, 6 tank, 1 flat, 1 coach, 1 unknown
covered   41 (35-47) hide their load
locos     1 (0-2), not in the count
flagged   1 cut
tracks    5 found, 1530 m, 98 % seen
compared  Even the low end, 70, exceeds the maximum of 20 (2021-03-01) in 24
          observations. Baseline: published counts of the Tumangang freight
          yard.
credit    Drawn by hand for tests (simulated)
"""
GOLDEN_WITHOUT_COUNT = """\
bad/yard.tif
  date not known

No count: uncountable

why       Too much cloud: 31 % seen.
"""


def test_golden_counted() -> None:
    assert render([factories.counted()]) == GOLDEN


def test_golden_without_count() -> None:
    assert render([factories.without_count("uncountable")]) == GOLDEN_WITHOUT_COUNT


def test_degraded_shows_the_warning_the_move_and_the_missing_date() -> None:
    text = render([factories.degraded()], width=200)
    assert "warning   TIFFFillStrip: Read error" in text
    assert "moved +2.2 m east and -1.5 m south" in text
    assert "date not known" in text
    assert "; not compared" in text
    assert "note      No date in the file" in text


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"level": "record", "ratio_to_max": 1.05}, "record: 1.05 x the five-year maximum of 20"),
        ({"level": "record", "max": 0, "ratio_to_max": None}, "record: the five-year maximum is 0"),
        ({"level": "insufficient_history", "n": 1}, "too little history to compare (1 observation)"),
    ],
)
def test_headline_names_the_level(change: dict[str, Any], end: str) -> None:
    line = headline(factories.counted(comparison=replace(factories.COMPARISON, **change)))
    assert line.endswith("; " + end)


def test_headline_of_an_empty_yard() -> None:
    assert (
        headline(factories.empty())
        == "0 railcars (0-1, 90 %) on 5 tracks; quiet: the five-year maximum is 20"
    )


@pytest.mark.parametrize("width", [10, 40, 53, 80, 131])
@pytest.mark.parametrize("count", factories.every_status(), ids=lambda c: c.status)
def test_no_line_is_wider_than_the_terminal(count: Any, width: int) -> None:
    long = replace(count, tile="a" * 90 + " b/" + "c" * 200 + ".tif")
    lines = render([long, count], width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 40)


def test_colour_only_when_asked() -> None:
    counts = factories.every_status()
    assert "\x1b" not in render(counts)
    painted = render(counts, colour=True)
    assert "\x1b[31m" in painted
    assert painted.count("\x1b[0m") == painted.count("\x1b[1m") > 0


def test_control_characters_are_escaped() -> None:
    evil = "a\x1b[2Jb\nc\u202ed\x07"
    car = replace(factories.cars()[0], track=evil)
    count = factories.counted(
        tile=evil,
        status="degraded",
        reasons=(evil,),
        site=evil,
        zone=evil,
        cars=(car,),
        acquisition=Acquisition(credit=evil, sensor=evil, notes=(evil + "!",)),
        comparison=replace(factories.COMPARISON, baseline=evil, why=evil),
    )
    text = render([count], width=500)
    assert not set(text) & set("\x1b\x07\u202e")
    assert text.count(r"a\x1b[2Jb\nc\u202ed\x07") >= 8


def test_doubts_and_notes_are_told_apart_from_warnings() -> None:
    taken = Acquisition(doubts=("Dates differ.",), notes=("Colours guessed.",))
    text = render([factories.counted(acquisition=taken)], width=200)
    lines = [line.split() for line in text.splitlines()]
    assert ["note", "Dates", "differ."] in lines
    assert ["note", "Colours", "guessed."] in lines
    assert "warning" not in text


def test_several_tiles_end_with_a_tally() -> None:
    text = render([factories.counted(), factories.without_count("refused"), factories.empty()])
    assert text.endswith("\n3 tiles: 2 counted, 1 refused\n")


def test_tracks() -> None:
    network = TrackNetwork(tracks=factories.tracks(2), source="found", reasons=("Weak.",))
    assert render_tracks(network, grid=factories.grid()) == (
        "2 tracks (found), 613 m\n  1: 306 m, confidence 0.95\n  2: 306 m, confidence 0.85\nwarning   Weak.\n"
    )
    nothing = TrackNetwork(tracks=(), source="found", reasons=("No two parallel rows.",))
    assert (
        render_tracks(nothing, grid=factories.grid()) == "0 tracks (found)\nwhy       No two parallel rows.\n"
    )


def test_a_track_is_as_long_as_it_lies_on_the_tile() -> None:
    (track,) = factories.tracks(1)
    grid = factories.grid()
    middle = grid.height / 2
    longer = replace(track, line_px=np.array([[-500.0, middle], [grid.width + 500.0, middle]]))
    assert track_length_m(longer, grid=grid) == pytest.approx(grid.width * grid.gsd_m)


def test_occupied_length_says_so_and_names_no_kinds() -> None:
    text = render([factories.by_length()], width=200)
    assert "about 41 railcars (28-60, 90 %) by occupied length on 2 of 5 tracks, 3 trains, 612 m" in text
    assert "cars not told apart: occupied length over a mean car length" in text
    assert "types" not in text
    assert "pitch: the gaps between them" in render([factories.counted(regime="pitch")], width=200)


def test_hidden_tracks_are_named() -> None:
    clear = factories.counted()
    assert clear.tracks is not None
    assert "hidden" not in render([clear])
    part = [0.98, 0.12, 0.49, 0.5, 0.9]
    each = tuple(replace(t, visible_fraction=f) for t, f in zip(clear.tracks.each, part, strict=True))
    hidden = replace(clear, tracks=replace(clear.tracks, each=each))
    assert "hidden    tracks 2 (12 % seen), 3 (49 % seen)\n" in render([hidden])
    one = replace(clear, tracks=replace(clear.tracks, each=each[:2]))
    assert "hidden    track 2 (12 % seen)\n" in render([one])
    none = replace(factories.without_count("uncountable", opened=True), tracks=hidden.tracks)
    assert "hidden    tracks 2 (12 % seen)" in render([none])


def test_many_hidden_tracks_are_counted() -> None:
    clear = factories.counted()
    assert clear.tracks is not None
    each = tuple(replace(clear.tracks.each[0], id=f"t{n}", visible_fraction=0.0) for n in range(15))
    text = " ".join(render([replace(clear, tracks=replace(clear.tracks, each=each))]).split())
    assert "t11 (0 % seen), 3 more" in text
    assert "t12" not in text
