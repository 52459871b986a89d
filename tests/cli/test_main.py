"""The group: what it loads, and how errors become a line and an exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

import railcount
from railcount.cli.main import COMMANDS, cli
from railcount.errors import InputError, OutputExists, TileRefused

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A command that raises what is put into the list."""
    errors: list[BaseException] = []

    @click.command()
    def scan() -> None:
        raise errors[0]

    monkeypatch.setattr("railcount.cli.scan.scan", scan)
    return errors


@pytest.mark.parametrize("kind", [InputError, OutputExists, TileRefused])
def test_an_error_is_one_escaped_line(failing: list[BaseException], kind: type[Exception]) -> None:
    failing.append(kind("bad\x1b[2J\nname"))
    result = CliRunner().invoke(cli, ["scan"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "railcount: bad\\x1b[2J\\nname\n"


def test_an_error_in_detail(failing: list[BaseException]) -> None:
    failing.append(InputError("bad\x1b[2J\nrailcount: name"))
    last = "railcount: bad\\x1b[2J\\nrailcount: name"
    told = CliRunner().invoke(cli, ["-vv", "scan"])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "  Traceback (most recent call last):" in told.stderr
    assert "raise errors[0]" in told.stderr
    assert "\x1b" not in told.stderr
    assert [line for line in told.stderr.splitlines() if not line.startswith("  ")] == [
        "railcount: the error in detail:",
        last,
    ]
    assert CliRunner().invoke(cli, ["-v", "scan"]).stderr == f"{last}\n"


def test_interrupted(failing: list[BaseException]) -> None:
    failing.append(KeyboardInterrupt())
    result = CliRunner().invoke(cli, ["scan"])
    assert result.exit_code == 130
    assert result.stderr == "railcount: interrupted\n"


def test_broken_pipe_is_quiet(failing: list[BaseException]) -> None:
    failing.append(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    result = CliRunner().invoke(cli, ["scan"])
    assert (result.exit_code, result.output) == (1, "")


def test_a_bug_is_not_hidden(failing: list[BaseException]) -> None:
    failing.append(ZeroDivisionError())
    assert isinstance(CliRunner().invoke(cli, ["scan"]).exception, ZeroDivisionError)


@pytest.mark.parametrize("args", [["nonsense"], ["scan"], ["scan", "--nonsense", "a.tif"], ["--nonsense"]])
def test_usage_errors(args: list[str]) -> None:
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"railcount, version {railcount.__version__}\n"


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    assert all(f"  {name} " in text and words in text for name, words in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_shows_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert f"railcount {name} " in result.stdout.split("Example", 1)[1]


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after running code, without the standard library."""
    report = "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    program = f"import sys\nbefore = set(sys.modules)\n{code}\n{report}"
    run = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in run.stderr.split()} - sys.stdlib_module_names


def test_import_loads_the_standard_library_alone() -> None:
    assert loaded_by("import railcount") == {"railcount"}
    assert loaded_by("import railcount; railcount.TileCount, railcount.Interval") == {"railcount"}


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_help_load_only_click(flag: str) -> None:
    code = (
        f"from railcount.cli.main import cli\ntry:\n    cli([{flag!r}], prog_name='railcount')\n"
        "except SystemExit:\n    pass"
    )
    assert loaded_by(code) <= {"railcount", "click", "_locale"}


COMPARE = ["compare", "--site", "tumangang", "--date", "2023-10-05", "--count", "73"]


@pytest.mark.skipif(os.name != "posix", reason="pipes that break are a matter of POSIX")
def test_a_reader_that_goes_away_is_not_an_error_message() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "railcount",
                *COMPARE,
            ],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write)
    assert (run.returncode, run.stderr) == (1, "")


def test_lazy_names() -> None:
    assert set(railcount.__all__) <= set(dir(railcount))
    with pytest.raises(AttributeError, match="nonsense"):
        _: Any = railcount.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("args", ["compare --site tumangang --count 73 --date 2023-10-05", "--help"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_stdout_is_one_line(args: str) -> None:
    command = f"{sys.executable} -m railcount {args} >/dev/full"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_a_closed_stdout_is_one_line() -> None:
    command = f"{sys.executable} -m railcount compare --site tumangang --count 73 --date 2023-10-05 >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "railcount: the result could not be printed: standard output is closed\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_stderr_costs_no_work(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("when,best,source\n2022-05-01,3,somebody\n")
    words = f"history import counts.csv --site tumangang --history {tmp_path / 'a.sqlite'}"
    command = f"{sys.executable} -m railcount {words} 2>/dev/full"
    assert subprocess.run(command, shell=True, cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "a.sqlite").exists()
