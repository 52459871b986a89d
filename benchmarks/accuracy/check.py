"""A small part of the accuracy grid, run on every change; fails on a loss.

    python benchmarks/accuracy/check.py [--jobs 2]

Simulated scenes of clear yards, of some nuisances and of empty yards, from the factors of the grid. Every
floor lies about 0.04 under what was measured when it was set: a change that loses more fails.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Record = dict[str, Any]

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before the workers load numpy

MOST_COUNT_ERROR = 0.05
"""Of the total of the clear scenes, tracks given and found."""
MOST_FALSE_PER_KM = 0.3
"""Railcars said to stand on empty yards, per km of their tracks."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A factor, how many of its scenes are counted, and the F1 that each mode has to reach."""

    factor: str
    n_scenes: int
    least_f1: dict[str, float]
    """By mode, over all cars of the scenes at IoU 0.3; 0 for yards without cars."""


CHECKS = (
    Check(factor="clear", n_scenes=4, least_f1={"given": 0.94, "found": 0.92}),
    Check(factor="gsd-0.7", n_scenes=2, least_f1={"given": 0.94}),
    Check(factor="coarse-optics", n_scenes=2, least_f1={"given": 0.94}),
    Check(factor="sun-15", n_scenes=2, least_f1={"given": 0.94}),
    Check(factor="snow", n_scenes=2, least_f1={"given": 0.95, "found": 0.92}),
    Check(factor="haze", n_scenes=2, least_f1={"given": 0.95}),
    Check(factor="jpeg", n_scenes=2, least_f1={"given": 0.92}),
    Check(factor="dark-on-dark", n_scenes=2, least_f1={"given": 0.95}),
    Check(factor="empty-flats", n_scenes=2, least_f1={"given": 0.94}),
    Check(factor="tight-3.6m", n_scenes=2, least_f1={"given": 0.94}),
    Check(factor="autoracks-block", n_scenes=2, least_f1={"given": 0.95}),
    Check(factor="curve-250m", n_scenes=2, least_f1={"given": 0.95, "found": 0.93}),
    Check(factor="haze+snow+sun-15", n_scenes=2, least_f1={"given": 0.93}),
    Check(factor="fill-0", n_scenes=2, least_f1={"given": 0.0, "found": 0.0}),
    Check(factor="empty+snow", n_scenes=2, least_f1={"given": 0.0, "found": 0.0}),
    Check(factor="empty+clutter", n_scenes=2, least_f1={"given": 0.0, "found": 0.0}),
    Check(factor="empty+lots", n_scenes=2, least_f1={"given": 0.0, "found": 0.0}),
    Check(factor="empty+sun-15", n_scenes=2, least_f1={"given": 0.0, "found": 0.0}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count the scenes, print a line for each check and mode, and return 1 on a loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2))
    options = parser.parse_args(arguments)
    from factors import FIRST_SEED

    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        running = [
            (check, [pool.submit(_measure, check, FIRST_SEED + k) for k in range(check.n_scenes)])
            for check in CHECKS
        ]
        done, losses = [], []
        for check, futures in running:
            records = [future.result() for future in futures]
            losses += judged(check, records)
            done.append((check, records))
    losses += false_on_empty(done)
    for loss in losses:
        print(f"LOSS: {loss}", file=sys.stderr)
    return 1 if losses else 0


def _measure(check: Check, seed: int) -> Record:
    from measure import measure_scene

    return measure_scene(check.factor, seed, modes=tuple(check.least_f1), yardsticks=False)


def judged(check: Check, records: Sequence[Record]) -> list[str]:
    """Print what was measured of one factor; returns what is lost."""
    from tally import figures

    losses = []
    for mode, least in check.least_f1.items():
        f = figures(records, mode=mode)
        what = f"{check.factor}, tracks {mode}"
        if f.n_counted < f.n_scenes:
            losses.append(f"{what}: {f.n_scenes - f.n_counted} of {f.n_scenes} scenes without a count")
        elif not f.n_truth:
            print(f"simulated {what}: no cars stand there", flush=True)
            continue
        f1 = f.strict_f1 or 0.0
        off = f.total_error or 0.0
        print(f"simulated {what}: F1 {f1:.3f} (floor {least}), total {off:+.1%}, {f.statuses}", flush=True)
        if f1 < least:
            losses.append(f"{what}: F1 {f1:.3f} below {least}")
        if check.factor == "clear" and abs(off) > MOST_COUNT_ERROR:
            losses.append(f"{what}: total off by {off:+.1%}, more than {MOST_COUNT_ERROR:.0%}")
    return losses


def false_on_empty(done: Sequence[tuple[Check, Sequence[Record]]]) -> list[str]:
    """Railcars on yards without any, over all of those yards."""
    from tally import figures

    empty = [r for _, records in done for r in records if r["truth"]["n"] == 0]
    losses = []
    for mode in ("given", "found"):
        false = figures(empty, mode=mode).false_per_km
        if false is None:
            losses.append(f"empty yards, tracks {mode}: none was counted")
            continue
        print(f"simulated empty yards, tracks {mode}: {false:.2f} false cars per km", flush=True)
        if false > MOST_FALSE_PER_KM:
            losses.append(f"empty yards, tracks {mode}: {false:.2f} false cars per km")
    return losses


if __name__ == "__main__":
    sys.exit(main())
