"""What is done and what is left: on a terminal's stderr, on the commands that take long."""

from __future__ import annotations

import io
import logging
import sys
import time
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click
import pytest

from railcount.cli import progress
from railcount.cli.main import cli
from railcount.errors import InputError

from ..outputs import factories

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.counts import TileCount


class Terminal(io.StringIO):
    """Stands in for stderr."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What stood there at one time or another."""
        texts = (text.rstrip() for text in self.getvalue().replace("\n", "\r").split("\r"))
        return [text for text in texts if text]

    def left(self) -> str:
        """What stands in the line that was written last."""
        return self.getvalue().rpartition("\r")[2].strip()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr("railcount.cli.progress.REDRAW_S", 0.0)

    def scan_tile(path: object, **options: Any) -> TileCount:
        logging.getLogger("railcount.pipeline").info("told")
        return replace(factories.counted(), tile=str(path))

    module = ModuleType("railcount.pipeline")
    module.scan_tile = scan_tile  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "railcount.pipeline", module)
    return Terminal()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"II*\x00")
    (tmp_path / "expected.csv").write_text("tile,count,tolerance,status\na.tif,73,0,counted\n")
    return tmp_path


def run(terminal: Terminal, *args: object) -> None:
    with redirect_stderr(terminal), suppress(click.exceptions.Exit):
        cli.main([str(arg) for arg in args], prog_name="railcount", standalone_mode=False)


def test_scan_of_several_tiles(terminal: Terminal) -> None:
    run(terminal, "scan", "a.tif", "b.tif", "c.tif")
    shown = terminal.lines()
    assert shown[0] == "0 of 3 tiles"
    assert shown[1].startswith("1 of 3 tiles, about ")
    assert shown[-1] == "3 of 3 tiles"
    assert terminal.left() == ""


def test_one_tile_has_no_progress(terminal: Terminal) -> None:
    run(terminal, "scan", "a.tif")
    assert terminal.getvalue() == ""


def test_verify(terminal: Terminal, folder: Path) -> None:
    run(terminal, "verify", folder)
    assert (terminal.lines()[0], terminal.lines()[-1]) == ("0 of 2 tiles", "2 of 2 tiles")
    assert terminal.left() == ""


def test_other_lines_do_not_stand_behind_it(terminal: Terminal) -> None:
    run(terminal, "scan", "a.tif", "b.tif", "--verbose")
    assert terminal.lines().count("railcount: told") == 2
    assert terminal.left() == ""


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
@pytest.mark.parametrize("command", ["scan", "verify"])
def test_quiet_shows_none(terminal: Terminal, folder: Path, command: str, flag: str) -> None:
    run(terminal, command, *([folder] if command == "verify" else ["a.tif", "b.tif"]), flag)
    assert terminal.getvalue() == ""


def test_none_where_stderr_is_a_file(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Terminal, "isatty", lambda self: False)
    run(terminal, "scan", "a.tif", "b.tif")
    run(terminal, "verify", folder)
    assert terminal.getvalue() == ""


def test_an_error_does_not_stand_behind_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, **options: Any) -> TileCount:
        raise InputError("no good")

    monkeypatch.setattr(sys.modules["railcount.pipeline"], "scan_tile", refuse)
    run(terminal, "scan", "a.tif", "b.tif")
    assert terminal.lines()[-2:] == ["2 of 2 tiles", "railcount: no good"]


WORDS = {
    "scan there/a.tif": "counting a.tif ...",
    "tracks a.tif": "locating the tracks of a.tif ...",
    "simulate yard.toml -o drawn": "drawing yard.toml ...",
    "report --compare a.tif b.tif -o pair.png": "counting a.tif ...",
}


@pytest.fixture
def long(terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal, and work that fails once something stands there, or nothing will."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(progress, "LONG_S", 0.0)

    def fail(*_: object, **__: object) -> None:
        patience_s = 10.0 if progress._is_wanted() else 0.2
        end = time.monotonic() + patience_s
        while not terminal.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        raise InputError("no good")

    for name in ("scan_tile", "locate_tracks"):
        monkeypatch.setattr(sys.modules["railcount.pipeline"], name, fail, raising=False)
    monkeypatch.setattr("railcount.simulate.load_scene", fail)
    monkeypatch.setattr("railcount.cli.report._count", fail)
    return terminal


@pytest.mark.parametrize("line", WORDS)
def test_what_takes_long_is_said_and_wiped(long: Terminal, line: str) -> None:
    run(long, *line.split())
    assert long.lines() == [WORDS[line], "railcount: no good"]


@pytest.mark.parametrize("line", WORDS)
def test_it_is_not_said_with_quiet_or_to_a_file(
    long: Terminal, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(long, *line.split(), "-q")
    monkeypatch.setattr(Terminal, "isatty", lambda self: False)
    run(long, *line.split())
    assert long.lines() == ["railcount: no good"] * 2


def test_the_word_fits_the_line(long: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    run(long, "scan", "\x1b[2J두만강역두만강역.tif")
    assert long.lines()[0] == "counting \\x1b[2J두"
