"""What the batch itself costs as a history grows: stub tiles of one site that cost nothing to count.

    python benchmarks/scaling/growth.py [--tiles 10000]

Three tiles a day, each day a pass, in dated folders. Prints processor time a tile for the first 100 tiles
(after the first pass, which loads what is loaded once), up to 1,000, and each further tenth; peak memory;
and a second run, in a process of its own, that finds nothing to do.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from railcount.batch.parameters import Parameters
from railcount.batch.run import Batch, Counted
from railcount.batch.workers import Pool
from railcount.counts import Interval
from railcount.history import History
from railcount.records import TileRecord

if TYPE_CHECKING:
    from collections.abc import Callable

A_DAY = 3
LAST = dt.date(2023, 10, 5)
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in what ``getrusage`` calls one."""


def stub(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A task whose tiles are text: the number of cars that stand in them."""
    import hashlib

    def work(argument: dict[str, Any]) -> dict[str, Any]:
        text = Path(argument["path"]).read_bytes()
        n, day = int(text.split()[0]), Path(argument["path"]).parent.name
        west, south = 130.62 + 0.002 * int(Path(argument["path"]).stem), 42.418
        record = TileRecord(
            tile=argument["tile"],
            sha256=hashlib.sha256(text).hexdigest(),
            status="counted",
            acquired=dt.datetime.fromisoformat(f"{day}T02:11:00+00:00"),
            site="tumangang",
            crs="EPSG:32652",
            gsd_m=0.5,
            footprint=(
                (west, south + 0.001),
                (west + 0.002, south + 0.001),
                (west + 0.002, south),
                (west, south),
            ),
            regime="cars",
            source="given",
            length_m=800.0,
            visible_fraction=1.0,
            railcars=Interval(best=n, low=n, high=n + 1),
        )
        return record.to_dict()

    return work


def put(folder: Path, *, n_tiles: int) -> None:
    """Stub tiles, the last on LAST, of which no two are alike."""
    n_days = -(-n_tiles // A_DAY)
    for n in range(n_tiles):
        day = LAST - dt.timedelta(days=n_days - 1 - n // A_DAY)
        path = folder / str(day) / f"{n % A_DAY}.tif"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{n * 7919 % 23} {n}\n", encoding="ascii")
        os.utime(path, (1e9, 1e9))


def run(folder: Path, path: Path) -> list[float]:
    """Count; the processor time of this process after each tile."""
    spent = []
    task = f"{Path(__file__).stem}:stub"
    with History.open(path) as history, Pool(1, task=task, settings={}) as pool:
        for event in Batch(folder, history=history, parameters=Parameters(), engine=pool).events():
            if isinstance(event, Counted):
                spent.append(time.process_time())
    return spent


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--tiles", type=int, default=10_000)
    parser.add_argument("--again", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.again:
        began = time.monotonic()
        n_counted = len(run(*asked.again))
        print(f"second run: {time.process_time():.2f} s of processor time with its start, ", end="")
        print(f"{time.monotonic() - began:.2f} s by the clock without it, {n_counted} counted, ", end="")
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 2**20:.0f} MB")
        return
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name) / "archive", Path(name) / "history.sqlite"
        folder.mkdir()
        put(folder, n_tiles=asked.tiles)
        spent = run(folder, path)
        ends = [A_DAY + 1, 100, 1000, *range(asked.tiles // 10, asked.tiles + 1, max(asked.tiles // 10, 1))]
        ends = sorted({n for n in ends if n <= len(spent)})
        for first, last in pairwise(ends):
            spent_ms = 1e3 * (spent[last - 1] - spent[first - 1])
            print(f"tiles {first} to {last}: {spent_ms / (last - first):.2f} ms a tile")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 2**20:.0f} MB")
        subprocess.run([sys.executable, __file__, "--again", folder, path], check=True)


if __name__ == "__main__":
    main()
