"""What a worker process does with one tile of a batch: this module alone leads from a batch to a scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from railcount.batch.parameters import Parameters
from railcount.errors import MissingInput, RailcountError
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "railcount.batch.task:scan_one"


def scan_one(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The task of `railcount.batch.workers.Pool`: the settings are ``Parameters.words``.

    A job is ``{"path": ..., "tile": ..., "valid": ...}``: the image, the name it goes by and its quality
    mask or None. The answer is `railcount.records.TileRecord.to_dict`.

    Raises MissingInput and InputError where the parameters cannot be used for any tile.
    """
    from railcount import sites
    from railcount.beside import use_threads
    from railcount.cars.lengths import load_stock
    from railcount.pipeline import DEFAULT_STOCK, scan_tile
    from railcount.records import TileRecord, record_of

    use_threads(1)
    parameters = Parameters.from_words(settings)
    for path in (parameters.tracks, parameters.mask):
        if path is not None and not path.is_file():
            raise MissingInput(f"no file {one_line(path)}")
    if parameters.site is not None:
        sites.load(parameters.site)
    load_stock(parameters.stock or DEFAULT_STOCK)
    options: dict[str, Any] = vars(parameters)

    def work(job: dict[str, Any]) -> dict[str, Any]:
        valid = None if job["valid"] is None else Path(job["valid"])
        try:
            count = scan_tile(job["path"], valid=valid, baseline=False, **options)
        except RailcountError as error:  # options fit other tiles, perhaps, but not this one
            failed = TileRecord(tile=job["tile"], sha256=None, status="failed", reasons=(str(error),))
            return failed.to_dict()
        return replace(record_of(count), tile=job["tile"]).to_dict()

    return work
