"""Finding images in folders by their names."""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from railcount.batch.walk import Found, PassedOver, duplicates, walk
from railcount.errors import MissingInput, RailcountError

OLD = time.time() - 3600
"""Long settled."""


def put(path: Path, *, data: bytes = b"II*\0", modified: float = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (modified, modified))
    return path


def found(folder: Path, **options: Any) -> list[str]:
    return [one.path.name for one in walk(folder, **options) if isinstance(one, Found)]


def passed(folder: Path, **options: Any) -> dict[str, str]:
    return {one.path.name: one.reason for one in walk(folder, **options) if isinstance(one, PassedOver)}


def test_images_at_any_depth_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2.tif", "a/z/deep/er/1.TIF", "a/b.jp2", "c.NTF", "a.tiff", "b/10.tif"):
        put(tmp_path / name)
    paths = [one.path.relative_to(tmp_path).as_posix() for one in walk(tmp_path)]
    assert paths == ["a/b.jp2", "a/z/deep/er/1.TIF", "a.tiff", "b/10.tif", "b/2.tif", "c.NTF"]


def test_what_is_known_of_an_image(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tif", data=b"12345")
    assert list(walk(tmp_path)) == [Found(path=path, size=5, mtime_ns=path.stat().st_mtime_ns)]


def test_nothing_is_said_about_sidecars(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = (
        "a.json a.XML a.IMD a.tif.aux.xml a.tif.ovr README.md a_truth.geojson counts.csv tracks.gpkg n.txt"
    )
    for name in names.split():
        put(tmp_path / name)
    put(tmp_path / "odd.xyz")
    with caplog.at_level(logging.DEBUG, logger="railcount"):
        assert list(walk(tmp_path)) == []
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert "odd.xyz" in caplog.text


def test_masks_go_with_their_images(tmp_path: Path) -> None:
    day = tmp_path / "2022-10-03"
    image = put(day / "20221003_011846_ssc2_u0001_pansharpened_clip.tif")
    other = put(day / "20221003_011846_ssc2_u0001_visual.tif")
    clip = put(day / "20221003_011846_ssc2_u0001_udm2_clip.tif")
    whole = put(day / "20221003_011846_ssc2_u0001_udm2.tif")
    plain = put(day / "yard_2022-10-03_clip.tif")
    plain_mask = put(day / "yard_2022-10-03_udm2_clip.tif")
    elsewhere = put(tmp_path / "x" / "20221003_011846_ssc2_u0001_visual.tif")
    valid = {one.path: one.valid for one in walk(tmp_path) if isinstance(one, Found)}
    assert valid == {image: clip, other: whole, plain: plain_mask, elsewhere: None}
    assert passed(tmp_path) == {}
    of_image = next(one for one in walk(day) if isinstance(one, Found) and one.path == image)
    assert (of_image.valid_size, of_image.valid_mtime_ns) == (4, clip.stat().st_mtime_ns)


def test_udm2_is_taken_before_udm(tmp_path: Path) -> None:
    put(tmp_path / "20190403_005542_1_0f3c_3B_AnalyticMS.tif")
    put(tmp_path / "20190403_005542_1_0f3c_3B_AnalyticMS_DN_udm.tif")
    better = put(tmp_path / "20190403_005542_1_0f3c_3B_udm2.tif")
    items = list(walk(tmp_path))
    assert [one.valid for one in items if isinstance(one, Found)] == [better]
    assert len(items) == 1


def test_masks_without_an_image_are_told(tmp_path: Path) -> None:
    put(tmp_path / "20221003_011846_ssc2_u0001_udm2_clip.tif")
    put(tmp_path / "20221003_011900_ssc2_u0002_visual.tif")
    put(tmp_path / "yard_udm2.tif")
    told = passed(tmp_path)
    assert set(told) == {"20221003_011846_ssc2_u0001_udm2_clip.tif", "yard_udm2.tif"}
    assert "without an image" in told["yard_udm2.tif"]
    assert found(tmp_path) == ["20221003_011900_ssc2_u0002_visual.tif"]


def test_what_is_no_picture_in_colours(tmp_path: Path) -> None:
    name = "IMG_PNEO3_STD_202601250555400_PMS-FS_ORT_0a1b2c3d_{}_R1C1.JP2"
    for bands in ("RGB", "NED"):
        put(tmp_path / name.format(bands))
    assert found(tmp_path) == [name.format("RGB")]
    assert "infrared" in passed(tmp_path)[name.format("NED")]


@pytest.mark.parametrize("age_s", [0.0, 1.0, -30.0])
def test_files_being_written_are_passed_over(tmp_path: Path, age_s: float) -> None:
    put(tmp_path / "old.tif")
    put(tmp_path / "new.tif", modified=time.time() - age_s)
    assert found(tmp_path) == ["old.tif"]
    assert "being written" in passed(tmp_path)["new.tif"]
    assert found(tmp_path, settle_s=0.0) == ["new.tif", "old.tif"]


def test_a_clock_that_is_far_ahead_keeps_nothing_back_for_ever(tmp_path: Path) -> None:
    put(tmp_path / "later.tif", modified=time.time() + 86400)
    assert found(tmp_path) == ["later.tif"]


def test_the_clock_is_read_once(tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path / f"{name}.tif", modified=time.time() - 0.5)
    items = walk(tmp_path, settle_s=0.7)
    time.sleep(0.4)
    assert all(isinstance(one, PassedOver) for one in items)


def test_a_file_that_grows_between_two_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "grows.tif")
    lstat = os.lstat

    def then_grow(target: Any) -> os.stat_result:
        status = lstat(target)
        put(path, data=path.read_bytes() + b"more")
        return status

    monkeypatch.setattr("railcount.batch.walk.os.lstat", then_grow)
    assert "grows" in passed(tmp_path)["grows.tif"]


@pytest.mark.parametrize("name", ["a.tif.part", "a.tif.crdownload", "a.TMP"])
def test_unfinished_by_name(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert found(tmp_path) == []
    assert "being written" in passed(tmp_path)[name]


def test_an_image_waits_for_its_mask(tmp_path: Path) -> None:
    put(tmp_path / "20221003_011846_ssc2_u0001_visual.tif")
    put(tmp_path / "20221003_011846_ssc2_u0001_udm2.tif", modified=time.time())
    assert found(tmp_path) == []
    assert "mask" in passed(tmp_path)["20221003_011846_ssc2_u0001_visual.tif"]


def test_hidden_files_and_folders(tmp_path: Path) -> None:
    put(tmp_path / ".a.tif")
    put(tmp_path / ".git" / "b.tif")
    assert found(tmp_path) == []
    assert passed(tmp_path) == {".a.tif": "hidden", ".git": "hidden"}


def test_links(tmp_path: Path) -> None:
    yard, outside = tmp_path / "yard", tmp_path / "outside"
    put(yard / "kept" / "a.tif")
    put(outside / "b.tif")
    put(outside / "notes.txt")
    (yard / "in.tif").symlink_to("kept/a.tif")
    (yard / "out.tif").symlink_to(outside / "b.tif")
    (yard / "up").symlink_to("..")
    (yard / "self").symlink_to(".")
    (yard / "loop.tif").symlink_to("loop.tif")
    (yard / "gone.tif").symlink_to("nowhere.tif")
    (yard / "notes.txt").symlink_to(outside / "notes.txt")
    assert found(yard) == ["in.tif", "a.tif"]
    told = passed(yard)
    assert set(told) == {"out.tif", "up", "self", "loop.tif", "gone.tif"}
    assert all("link" in reason for reason in told.values())
    assert told["self"] == "a link to a folder, which is found where it is"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real" / "a.tif")
    (tmp_path / "link").symlink_to("real")
    assert [one.path for one in walk(tmp_path / "link")] == [tmp_path / "link" / "a.tif"]


def test_pipes_and_sockets_never_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.tif")
        assert found(tmp_path) == []
        assert set(passed(tmp_path)) == {"pipe.tif", "socket.tif"}


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a" / "1.tif")
    put(tmp_path / "b" / "2.tif")
    scandir = os.scandir

    def refuse(folder: Path) -> Any:
        if folder.name == "a":  # root may read every folder, so its rights would not show it
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("railcount.batch.walk.os.scandir", refuse)
    assert found(tmp_path) == ["2.tif"]
    assert "Permission denied" in passed(tmp_path)["a"]


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    put(tmp_path / "a.tif")
    put(tmp_path / "b" / "1.tif")
    items = walk(tmp_path)
    next(items)
    (tmp_path / "b" / "1.tif").unlink()
    (tmp_path / "b").rmdir()
    assert [type(one) for one in items] == [PassedOver]


def test_names_that_are_not_utf_8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in (b"\xff\xfe.tif", b"\xff.xyz"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    with caplog.at_level(logging.DEBUG, logger="railcount"):
        assert [os.fsencode(one.path.name) for one in walk(tmp_path, settle_s=0.0)] == [b"\xff\xfe.tif"]
    caplog.text.encode("utf-8")


def test_one_file(tmp_path: Path) -> None:
    image = put(tmp_path / "20221003_011846_ssc2_u0001_visual.tif")
    mask = put(tmp_path / "20221003_011846_ssc2_u0001_udm2.tif")
    odd = put(tmp_path / "scene.img")
    assert [one.valid for one in walk(image) if isinstance(one, Found)] == [mask]
    assert [one.path for one in walk(odd)] == [odd]
    assert [type(one) for one in walk(mask)] == [PassedOver]
    os.mkfifo(tmp_path / "pipe")
    assert [type(one) for one in walk(tmp_path / "pipe")] == [PassedOver]


def test_a_missing_folder_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="nowhere does not exist"):
        walk(tmp_path / "nowhere")
    with pytest.raises(RailcountError):
        walk(Path("a\0b"))


def test_very_deep_folders(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
    deep.mkdir(parents=True)
    put(deep / "a.tif")
    assert found(tmp_path) == ["a.tif"]


def test_duplicates_keep_the_first_by_name() -> None:
    items = [(Path(name), digest) for name, digest in (("b/1", "x"), ("a/2", "x"), ("a/1", "y"), ("c", "x"))]
    again = {Path("b/1"): Path("a/2"), Path("c"): Path("a/2")}
    assert duplicates(items) == again == duplicates(reversed(items))
    assert duplicates([]) == {}
