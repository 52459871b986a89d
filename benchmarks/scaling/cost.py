"""What a batch costs: processor time a tile and a square kilometre, memory, and room in the history.

    python benchmarks/scaling/cost.py [FOLDER] [--jobs 2]

FOLDER is by default the sample tiles. Processor time, unlike time by the clock, hardly depends on what else
the machine does. Prints the rows of the table in docs/SCALING.md.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from railcount.batch.parameters import Parameters
from railcount.batch.run import Batch, Counted
from railcount.batch.task import NAME
from railcount.batch.workers import Pool
from railcount.history import History
from railcount.sites.place import distance_m

if TYPE_CHECKING:
    from railcount.records import TileRecord

SAMPLES = Path(__file__).resolve().parents[2] / "sample_tiles"
MEGABYTE = 2**20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in what ``getrusage`` calls one."""


def area_km2(record: TileRecord) -> float:
    """Of a tile that is upright enough for its corners to be a rectangle's."""
    if len(record.footprint) < 4:
        return 0.0
    a, b, _, d = record.footprint
    return distance_m(a, b) * distance_m(a, d) / 1e6


def seconds(who: int) -> float:
    """Processor time of a process, or of all its ended children."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    # Loaded once a run, whatever its size.
    import scipy.spatial  # noqa: F401
    import shapely  # noqa: F401

    import railcount.observation.joining
    import railcount.observation.trains  # noqa: F401

    records: list[TileRecord] = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "history.sqlite"
        own, children, began = (
            seconds(resource.RUSAGE_SELF),
            seconds(resource.RUSAGE_CHILDREN),
            time.monotonic(),
        )
        with (
            History.open(path) as history,
            Pool(asked.jobs, task=NAME, settings=Parameters().words()) as pool,
        ):
            batch = Batch(asked.folder, history=history, parameters=Parameters(), engine=pool)
            records = [event.record for event in batch.events() if isinstance(event, Counted)]
        clock_s = time.monotonic() - began
        own_s = seconds(resource.RUSAGE_SELF) - own
        workers_s = seconds(resource.RUSAGE_CHILDREN) - children
        n_bytes = path.stat().st_size
    n, km2 = len(records), sum(map(area_km2, records))
    n_cars = sum(len(record.cars) for record in records)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * RSS_UNIT / MEGABYTE
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / MEGABYTE
    print(f"| tiles, ground, vehicles | {n}, {km2:.2f} km2, {n_cars} |")
    print(f"| processor time of the workers, a tile | {workers_s / n:.2f} s |")
    print(f"| processor time of the workers, a square kilometre | {workers_s / km2:.1f} s |")
    print(f"| processor time of the batch itself, a tile | {1000 * own_s / n:.0f} ms |")
    print(f"| by the clock, with {asked.jobs} workers, a tile | {clock_s / n:.2f} s |")
    print(f"| peak memory of a worker | {peak:.0f} MB |")
    print(f"| peak memory of the batch itself | {mine:.0f} MB |")
    print(f"| room in the history, a tile | {n_bytes / n / 1024:.0f} kB |")


if __name__ == "__main__":
    main()
