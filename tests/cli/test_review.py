"""``railcount review`` before its page (tests/outputs/review): which pass it takes, and what it refuses."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from railcount.cli.main import cli
from railcount.history import History
from railcount.outputs.review.server import ReviewServer
from tests.history.factories import KEY, one_pass, tile, uncounted
from tests.outputs.report.conftest import history, image

if TYPE_CHECKING:
    from pathlib import Path

    from railcount.outputs.review.session import Session

__all__ = ["history", "image"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """What was served until a Ctrl-C that comes at once."""
    found: list[Session] = []

    def serve(server: ReviewServer) -> None:
        found.append(server.session)
        raise KeyboardInterrupt

    monkeypatch.setattr(ReviewServer, "serve_forever", serve)
    return found


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli, ["review", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_the_last_pass_with_a_count(served: list[Session], history: Path) -> None:
    with History.open(history) as opened:
        late = uncounted("late.tif", acquired=dt.date(2024, 1, 1))
        opened.record_tile(late, key=KEY)
        opened.record_pass(one_pass(late, pass_id="late"), key=KEY)
    result = run("--history", str(history))
    assert served[0].state()["day"] == "2023-10-05"
    assert result.stdout == "3 railcars after 0 decisions; not entered as the count\n"
    assert re.search(r"^railcount: open http://127\.0\.0\.1:\d+/\?token=[\w-]+$", result.stderr, re.MULTILINE)
    run("--history", str(history), "--pass", "late", "--who", "Ben", "--why", "cloud")
    state = served[1].state()
    assert (state["pass"], state["who"], state["why"], state["machine"]) == (
        "late",
        "Ben",
        "cloud",
        "no count",
    )


def test_a_day_names_its_only_pass(served: list[Session], history: Path) -> None:
    run("--history", str(history), "--pass", "2023-09-28")
    assert served[0].state()["day"] == "2023-09-28"
    with History.open(history) as opened:
        record = uncounted("more.tif", acquired=dt.datetime(2023, 9, 28, 5, tzinfo=dt.UTC))
        opened.record_tile(record, key=KEY)
        opened.record_pass(one_pass(record, pass_id="more"), key=KEY)
    said = run("--history", str(history), "--pass", "2023-09-28", code=1).stderr
    assert re.search(r"2 passes of 2023-09-28; give one of: \S+, more", said)
    assert (
        "there is no pass of 2023-09-29"
        in run("--history", str(history), "--pass", "2023-09-29", code=1).stderr
    )


def test_a_tile_that_was_counted_is_not_counted_again(
    served: list[Session], history: Path, image: Path, tmp_path: Path
) -> None:
    """Also where it lies elsewhere by now."""
    moved = tmp_path / "moved.tif"
    shutil.move(image, moved)
    result = run(str(moved), "--history", str(history))
    assert "counting" not in result.stderr
    assert served[0].state()["day"] == "2023-10-05"
    assert served[0].setting()["has_pictures"] is True
    run("--history", str(history))
    assert served[1].setting()["has_pictures"] is False


def test_a_tile_that_cannot_be_counted(served: list[Session], history: Path, tmp_path: Path) -> None:
    broken = tmp_path / "no.tif"
    broken.write_bytes(b"II*\0" + b"x" * 100)
    for _ in range(2):  # counted, then as it was counted
        assert "could not be opened (" in run(str(broken), "--history", str(history), code=1).stderr
    assert "does not exist" in run(str(tmp_path / "none.tif"), "--history", str(history), code=1).stderr
    assert "is a folder, not a file" in run(str(tmp_path), "--history", str(history), code=1).stderr
    with broken.open("r+b") as file:
        file.truncate(2**40)
    assert "the file has 1,099," in run(str(broken), "--history", str(history), code=1).stderr
    assert served == []


def test_what_is_refused(served: list[Session], history: Path, image: Path, tmp_path: Path) -> None:
    assert "exclude each other" in run(str(image), "--pass", "x", code=2).stderr
    assert "there is no pass 'x'" in run("--history", str(history), "--pass", "x", code=1).stderr
    assert "there is no history" in run("--history", str(tmp_path / "typo.sqlite"), code=1).stderr
    with History.open(tmp_path / "empty.sqlite"):
        pass
    assert "no pass with a count" in run("--history", str(tmp_path / "empty.sqlite"), code=1).stderr
    undated = tile("u.tif", acquired=None, sha256=hashlib.sha256(b"u").hexdigest())
    with History.open(history) as opened:
        opened.record_tile(undated, key=KEY)
        opened.record_pass(one_pass(undated, pass_id="undated"), key=KEY)
    assert "has no date" in run("--history", str(history), "--pass", "undated", code=1).stderr
    assert served == []
