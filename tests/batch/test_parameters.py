"""The key of a batch: what changes a result changes it, what does not leaves it."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import railcount
from railcount.batch.parameters import Parameters, content_digest
from railcount.errors import InputError, MissingInput
from railcount.raster.limits import Limits
from railcount.sites import loading

EVERYTHING = Parameters(
    tracks=Path("lines.geojson"),
    mask=Path("mask.tif"),
    site="tumangang",
    stock="any",
    date=dt.date(2023, 10, 5),
    gsd_m=0.5,
    limits=Limits(max_pixels=10),
    drivers=("tiff", "jp2"),
)


@pytest.mark.parametrize("parameters", [Parameters(), EVERYTHING])
def test_words_are_json_and_come_back(parameters: Parameters) -> None:
    assert Parameters.from_words(json.loads(json.dumps(parameters.words()))) == parameters


def test_every_parameter_changes_the_key(tmp_path: Path) -> None:
    lines = tmp_path / "lines.geojson"
    lines.write_text("{}")
    changed = [
        {"tracks": lines},
        {"mask": lines},
        {"site": "tumangang"},
        {"stock": "any"},
        {"date": dt.date(2023, 10, 5)},
        {"gsd_m": 0.5},
        {"limits": Limits(max_bands=3)},
        {"drivers": ("jp2",)},
    ]
    keys = {Parameters().key(), *(replace(Parameters(), **one).key() for one in changed)}  # type: ignore[arg-type]
    assert len(keys) == 1 + len(changed)
    assert all(len(key) == 64 for key in keys)


def test_what_a_file_holds_counts_and_not_where_it_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "a.geojson", tmp_path / "b.geojson"
    here.write_text("{}")
    there.write_text("{}")
    key = Parameters(tracks=here).key()
    assert Parameters(tracks=there).key() == key
    there.write_text("{ }")
    assert Parameters(tracks=there).key() != key


def test_the_program_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Parameters().key()
    monkeypatch.setattr(railcount, "__version__", "99")
    assert Parameters().key() != key


def test_a_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="lines"):
        Parameters(tracks=tmp_path / "lines").key()
    with pytest.raises(MissingInput, match="nowhere"):
        Parameters(site="nowhere").key()


def test_a_site_of_ones_own_counts_by_its_description(tmp_path: Path) -> None:
    shutil.copytree(Path(loading.__file__).parent / "tumangang", tmp_path / "mine")
    site = tmp_path / "mine"
    key = Parameters(site=str(site)).key()
    assert Parameters(site=str(site / "site.toml")).key() == key
    counts = next(site.glob("*.csv"))
    counts.write_text("".join(counts.read_text().splitlines(keepends=True)[:-1]))
    assert Parameters(site=str(site)).key() == key, "what was counted there changes no count"
    (site / "site.toml").write_text((site / "site.toml").read_text() + "\n# changed\n")
    assert Parameters(site=str(site)).key() != key


def test_workers_get_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = replace(EVERYTHING, site="tumangang").for_workers()
    assert made == replace(EVERYTHING, tracks=tmp_path / "lines.geojson", mask=tmp_path / "mask.tif")
    (tmp_path / "here").mkdir()
    assert replace(EVERYTHING, site="here").for_workers().site == str(tmp_path / "here")


def test_a_digest_comes_in_steps(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert list(content_digest(path, n_bytes=2)) == [None, None, digest]


@pytest.mark.parametrize("name", ["tracks", "mask"])
def test_what_is_too_large_is_declined_and_not_hashed(tmp_path: Path, name: str) -> None:
    """A sparse file of 1 TB has no more bytes on the disk than its header."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match=r"large: the file has 1,099,511,627,776 bytes, the limit is"):
        replace(Parameters(), **{name: tmp_path / "large"}).key()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a matter of POSIX")
@pytest.mark.parametrize("name", ["tracks", "mask"])
def test_a_pipe_is_declined_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is not a regular file"):
        replace(Parameters(), **{name: tmp_path / "pipe"}).key()
