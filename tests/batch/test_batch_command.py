"""``railcount batch``: lines, documents, exit codes, interruptions. A stub stands in place of the scan."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.cli.progress import duration
from railcount.history import History
from railcount.outputs.batch import schema

from .test_run import TASK, put

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).parents[2]
WITH_STUB = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import railcount.batch.task
railcount.batch.task.NAME = {TASK!r}
from railcount.cli.main import main
main()
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for images, in the current one; what is counted is what the stub says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("railcount.batch.task.NAME", TASK)
    (tmp_path / "archive").mkdir()
    return Path("archive")


def run(*args: str, history: str | None = "h.sqlite") -> Result:
    kept = ["--no-history"] if history is None else ["--history", history]
    result = CliRunner().invoke(cli, ["batch", "archive", "--jobs", "2", *kept, *args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_line_a_pass_a_closing_table_and_a_sentence(archive: Path) -> None:
    put(archive, "2023-10-05/a.tif", site="tumangang", n=73)
    put(archive, "2023-10-05/b.tif", site="tumangang", n=1, doubts=["the name says 2023-10-01"])
    put(archive, "2023-10-07/cloud\x1b.tif", acquired="2023-10-07", status="uncountable", reasons=["cloud"])
    put(archive, "2023-10-08/copy.tif", same="2023-10-05/a.tif", site="tumangang", n=73)
    result = run()
    assert result.exit_code == 3
    assert result.stderr == ""
    first, second, *closing = result.stdout.splitlines()
    assert first.startswith("2023-10-05 02:11  tumangang ")
    assert "unprecedented" in first
    assert "2 tiles" in first
    assert "date in doubt: the name says 2023-10-01" in first
    assert second.startswith("2023-10-07  ")
    assert "no count" in second
    assert closing == [
        "Not counted:",
        "  archive/2023-10-07/cloud\\x1b.tif: uncountable: cloud",
        "  archive/2023-10-08/copy.tif: skipped: its content is that of archive/2023-10-05/a.tif, which is "
        "counted",
        "4 tiles: 2 counted, 1 skipped, 1 uncountable; 2 passes new or changed",
    ]
    again = run()
    assert again.exit_code == 3, "the folder has not changed, and neither has the answer"
    assert again.stdout.splitlines()[:-1] == closing[:-1]
    assert again.stdout.endswith("; 3 as before; 0 passes new or changed\n")


def test_tiles_without_a_date_are_named_as_such(archive: Path) -> None:
    put(archive, "R1C1.tif", acquired=None)
    put(archive, "R1C2.tif", acquired=None)
    put(archive, "broken.tif", acquired=None, status="failed")
    said = "2 tiles have no date: neither joined with others nor compared; --date gives one"
    assert said in run(history="one.sqlite").stderr
    assert run("-q", history="two.sqlite").stderr == ""


def test_the_document_is_the_same_whether_new_or_known(archive: Path) -> None:
    put(archive, "b.tif", site="tumangang", n=50)
    put(archive, "a.tif", status="refused", reasons=["too coarse"], acquired=None)
    put(archive, "copy.tif", same="b.tif", site="tumangang", n=50)
    put(archive, "x_udm2.tif")
    first = run("--format", "json", "-o", "out.json")
    assert first.exit_code == 3
    assert run("--format", "json").stdout == first.stdout == Path("out.json").read_text()
    document = json.loads(first.stdout)
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    assert [one["tile"] for one in document["results"]] == [f"archive/{n}.tif" for n in ("a", "b", "copy")]
    assert [one["status"] for one in document["results"]] == ["refused", "counted", "skipped"]
    assert {one["status"] for one in document["passes"]} == {"refused", "counted"}
    (passed_over,) = document["passed_over"]
    assert passed_over["path"] == "archive/x_udm2.tif"
    (compared,) = (one["comparison"] for one in document["passes"] if one["status"] == "counted")
    assert compared["level"] == "unprecedented"


def test_an_empty_folder(archive: Path) -> None:
    result = run("--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["results"]) == (0, [])
    text = "0 tiles found: there is nothing to count"
    assert run().stdout == f"{text} (names must end in .tif, .tiff, .jp2, .ntf)\n"
    put(archive, "x_udm2.tif")
    assert run().stdout.endswith(f"{text}\n")


def test_a_line_without_a_date_names_its_tile(archive: Path) -> None:
    put(archive, "a.tif", site="tumangang", n=3, acquired=None)
    put(archive, "b.tif", site="tumangang", n=3, acquired=None)
    said = run().stdout
    assert "(archive/a.tif)" in said
    assert "(archive/b.tif)" in said


def test_the_first_batch_says_where_the_default_history_is(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", "mine.sqlite")
    put(archive, "a.tif", site="tumangang", n=3)
    arguments = ["batch", "archive", "--jobs", "1"]
    first = CliRunner().invoke(cli, arguments)
    assert first.stderr == "railcount: kept in mine.sqlite; 'railcount history list' shows it\n"
    assert CliRunner().invoke(cli, arguments).stderr == ""


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_on_which_no_image_can_be(archive: Path, day: str) -> None:
    put(archive, "a.tif", n=3)
    result = run("--date", day)
    assert result.exit_code == 2
    assert f"{day} is no day of an image; the years 1972 to 2099 are" in result.stderr


def test_levels_fail_whether_new_or_known(archive: Path) -> None:
    put(archive, "a.tif", site="tumangang", n=50)
    assert run().exit_code == 0
    assert run("--fail-on", "record").exit_code == 4
    assert run("--fail-on", "unprecedented", history=None).exit_code == 4
    put(archive, "a.tif", site="tumangang", n=1, at=1.0)
    assert run("--fail-on", "record").exit_code == 0


def test_nothing_is_kept_where_that_is_asked(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(archive.absolute().parent / "default.sqlite"))
    put(archive, "a.tif")
    first = run(history=None)
    assert first.exit_code == 0
    assert run(history=None).stdout == first.stdout
    assert sorted(path.name for path in Path().iterdir()) == ["archive"]


def test_fail_fast_stops_at_the_first_tile_without_a_count(archive: Path) -> None:
    put(archive, "a.tif", status="failed", reasons=["damaged"])
    for n in range(8):
        put(archive, f"b{n}.tif", s=0.4)
    result = run("--fail-fast")
    assert result.exit_code == 3
    with History.open("h.sqlite") as history:
        assert 1 <= len(list(history.records())) < 6


def test_a_tile_that_crashes_costs_itself(archive: Path) -> None:
    put(archive, "a.tif", signal="SIGSEGV")
    put(archive, "b.tif")
    result = run()
    assert result.exit_code == 3
    assert "archive/a.tif: crashed: the process that counted it was ended by SIGSEGV" in result.stdout
    assert "1 counted, 1 crashed" in result.stdout


def test_a_history_that_cannot_be_used_names_the_way_out(archive: Path) -> None:
    put(archive, "a.tif")
    Path("h.sqlite").write_text("not a history")
    result = run()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "name another file with --history" in result.stderr
    assert "--no-history" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [["--jobs", "0"], ["--time-limit", "0"], ["-o", "x.csv"], ["--no-history"], ["--fail-on", "nonsense"]],
)
def test_usage_errors(archive: Path, args: list[str]) -> None:
    assert run(*args).exit_code == 2


def test_outputs_are_checked_before_anything_is_counted(archive: Path) -> None:
    put(archive, "a.tif")
    Path("out.json").write_text("mine")
    result = run("-o", "out.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert Path("out.json").read_text() == "mine"
    assert not Path("h.sqlite").exists()
    assert run("-o", "out.json", "--overwrite").exit_code == 0


def test_a_folder_that_is_missing(archive: Path) -> None:
    archive.rmdir()
    result = run()
    assert result.exit_code == 1
    assert "does not exist" in result.stderr


def test_one_file_in_place_of_a_folder(archive: Path) -> None:
    archive.rmdir()
    put(Path(), "archive", site="tumangang")
    assert run().stdout.endswith("1 tile: 1 counted; 1 pass new or changed\n")
    assert run().stdout.endswith("1 tile: 1 counted; 1 as before; 0 passes new or changed\n")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (700, "12 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    for n in range(6):
        put(tmp_path / "archive", f"{n}.tif", s=0.3)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", WITH_STUB, "batch", "archive", "--jobs", "1", "--no-history"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 1000):
                shown += piece
        out, _ = process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert b"3 of 6 tiles, about " in shown
    assert "tiles, about" not in out


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    """The command as a process in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", WITH_STUB, "batch", "archive", "--jobs", "2", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_results(path: Path, n: int) -> None:
    """Until the history holds so many."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.exists():
            with History.open(path, readonly=True) as history:
                if len(list(history.records())) >= n:
                    return
        time.sleep(0.05)
    raise AssertionError(f"no {n} results within a minute")


def children(group: int) -> list[int]:
    """Processes of the group that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        state, _, process_group, *_ = rest.split()
        if int(process_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize(("end", "to_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_interrupted(tmp_path: Path, end: signal.Signals, to_group: bool) -> None:
    put(tmp_path / "archive", "a.tif")
    put(tmp_path / "archive", "b.tif", s=50)
    put(tmp_path / "archive", "c.tif", s=50)
    with start(tmp_path, "--history", "h.sqlite") as process:
        wait_for_results(tmp_path / "h.sqlite", 1)
        began = time.monotonic()
        # Ctrl-C in a terminal goes to the workers too.
        (os.killpg if to_group else os.kill)(process.pid, end)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert err == ("railcount: interrupted; what was counted is kept: run the same command again to go on\n")
    assert "a.tif" in out or out == ""
    assert not Path("/proc").exists() or children(process.pid) == []


def test_the_second_of_two_batches_says_who_holds_the_history(tmp_path: Path) -> None:
    put(tmp_path / "archive", "a.tif")
    put(tmp_path / "archive", "b.tif", s=50)
    with start(tmp_path, "--history", "h.sqlite") as first:
        wait_for_results(tmp_path / "h.sqlite", 1)
        with start(tmp_path, "--history", "h.sqlite") as second:
            out, err = second.communicate(timeout=30)
        first.kill()
        first.communicate()
    assert (second.returncode, out) == (1, "")
    assert f"in use by railcount batch, process {first.pid} on " in err


KILLED_AT_S = (0.4, 0.7, 1.0, 1.3)


def test_killed_and_run_again_gives_the_same_history(tmp_path: Path) -> None:
    for n in range(30):
        told: dict[str, Any] = {"s": 0.05, "acquired": f"2023-10-{n // 3 + 1:02}", "site": "tumangang"}
        put(tmp_path / "archive", f"2023-10-{n // 3 + 1:02}/{n}.tif", **told)
    put(tmp_path / "archive", "bad.tif", signal="SIGSEGV")
    for moment_s in KILLED_AT_S:
        with start(tmp_path, "--history", "h.sqlite") as process:
            time.sleep(moment_s)
            process.kill()
            process.communicate()
            if Path("/proc").exists():
                until = time.monotonic() + 5
                while children(process.pid):
                    assert time.monotonic() < until, "workers outlive the batch"
                    time.sleep(0.05)
    for history in ("h.sqlite", "whole.sqlite"):
        with start(tmp_path, "--history", history) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 3, err
    with History.open(tmp_path / "h.sqlite") as one, History.open(tmp_path / "whole.sqlite") as other:
        assert len(list(one.records())) == 31
        assert one.digest() == other.digest()
        assert one.check() == []


def test_a_run_with_nothing_to_do_loads_nothing_heavy(tmp_path: Path) -> None:
    put(tmp_path / "archive", "a.tif")
    with start(tmp_path, "--history", "h.sqlite") as process:
        process.communicate(timeout=60)
    code = WITH_STUB.replace("main()\n", "").rstrip() + (
        "\ntry:\n    main()\nexcept SystemExit:\n    pass\nprint(sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "batch", "archive", "--history", "h.sqlite"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "1 as before" in done.stdout
    loaded = {name.strip("'[], \n") for name in done.stderr.split(",")}
    assert "railcount.batch.run" in loaded
    assert not loaded & {"numpy", "rasterio", "scipy", "shapely", "pyproj", "distributed", "matplotlib"}
