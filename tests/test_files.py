"""Files appear whole or not at all, and never over another without leave."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from railcount.errors import HistoryError, OutputError, OutputExists
from railcount.files import check_target, replacing, write_bytes
from railcount.history import History


def test_written_whole_with_the_usual_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.json", b"1")
    (tmp_path / "b").write_bytes(b"1")
    assert (tmp_path / "a.json").read_bytes() == b"1"
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_not_over_an_existing_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    with pytest.raises(OutputExists, match="--overwrite"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    write_bytes(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"


def test_not_over_a_file_that_appears_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "a.json"

    def race() -> None:
        with replacing(target) as temporary:
            temporary.write_bytes(b"new")
            target.write_bytes(b"theirs")

    with pytest.raises(OutputExists, match="meanwhile"):
        race()
    assert target.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a.json"]


def test_not_through_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputExists):
        check_target(tmp_path / "link.json")


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")

    def fail() -> None:
        with replacing(target, overwrite=True) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"a\.json could not be written: the disk is full"):
        fail()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path)
    with pytest.raises(OutputError, match="make it first"):
        check_target(tmp_path / "no" / "a.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a matter of POSIX")
def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        check_target(tmp_path / f"{'n' * 300}.png")


def test_not_over_a_pipe(tmp_path: Path) -> None:
    """Who reads from it would wait for ever."""
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    for name in ("a.json", "link.json"):
        with pytest.raises(OutputError, match="is a pipe or a device"):
            write_bytes(tmp_path / name, b"new", overwrite=True)
    assert (tmp_path / "a.json").is_fifo()
    assert (tmp_path / "link.json").is_symlink()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="leave to write is a matter of POSIX here")
def test_a_folder_that_may_not_be_written_to() -> None:
    """Seen before a long count, not after it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        me = os.geteuid()
        if me == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(OutputError, match="may not be written to; choose another"):
                check_target(Path(folder) / "out.json")
            with pytest.raises(HistoryError, match="cannot be made: its folder may not be written to"):
                History.open(Path(folder) / "h.sqlite")
        finally:
            os.seteuid(me)
            Path(folder).chmod(0o755)


def test_a_name_that_a_writer_cannot_encode(tmp_path: Path) -> None:
    target = tmp_path / os.fsdecode(b"\xfe.gpkg")
    with pytest.raises(OutputError, match="its name is not UTF-8"), replacing(target) as temporary:
        str(temporary).encode()
    with pytest.raises(OutputError, match="surrogates"), replacing(tmp_path / "a") as temporary:
        temporary.write_text("\udcfe", encoding="utf-8")
    assert list(tmp_path.iterdir()) == []
