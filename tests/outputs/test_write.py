"""Results to files: the suffix names the format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from railcount.errors import InputError, OutputExists
from railcount.outputs.write import write_counts

from . import factories

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("suffix", [".json", ".geojson", ".csv", ".gpkg", ".parquet", ".JSON"])
def test_suffix_names_the_format(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    write_counts([factories.counted()], target)
    start = {".csv": b"tile,", ".gpkg": b"SQLite format 3", ".parquet": b"PAR1"}.get(suffix, b"{\n")
    assert target.read_bytes().startswith(start)
    with pytest.raises(OutputExists):
        write_counts([factories.counted()], target)


def test_a_stac_item_is_not_a_tile_s(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="history export"):
        write_counts([], tmp_path / "cars.stac.json")
    assert not list(tmp_path.iterdir())


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.geojson"):
        write_counts([factories.counted()], tmp_path / "out.shp")
