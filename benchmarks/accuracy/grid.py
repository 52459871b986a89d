"""The accuracy grid: every nuisance alone and some at once, on drawn scenes.

    python benchmarks/accuracy/grid.py --seeds 20 --jobs 2 -o results.jsonl

Each scene is drawn once and counted with the tracks given, with the tracks displaced by up to 12 m,
and with the tracks found; two yardsticks run beside it. One line of JSON is appended per scene. A scene
that stands there already, drawn and counted by the same code and weights, is not done again, so an
interrupted run goes on where it stopped. report.py makes docs/ACCURACY.md of the lines.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Task = tuple[str, int]

# One worker is one core; numpy, loaded by the workers, reads these when it is loaded.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
for _name in ONE_THREAD:
    os.environ.setdefault(_name, "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing of the grid; returns 1 where a scene could not be measured."""
    options = _options(arguments)
    from factors import FACTORS, FIRST_SEED
    from measure import code_hash, scene_hash

    names = _chosen(options.factors, FACTORS)
    code = code_hash()
    done = _done(options.output, code=code)
    # Seed by seed, so that a run cut short has seen every factor.
    wanted = [(name, FIRST_SEED + k) for k in range(options.seeds) for name in names]
    tasks = [t for t in wanted if (*t, scene_hash(FACTORS[t[0]].scene(t[1]))) not in done]
    print(f"code {code}: {len(tasks)} of {len(wanted)} scenes to do", file=sys.stderr)
    failed = _run(tasks, options.output, code=code, jobs=options.jobs)
    _print_table(options.output, names, code=code)
    changed = code_hash() != code
    if changed:
        print(
            "the package or this benchmark changed during the run, so its lines may mix two states: run the "
            "grid on a copy that nobody edits",
            file=sys.stderr,
        )
    return 1 if failed or changed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure railcount on simulated scenes.")
    parser.add_argument("--factors", help="names or groups, separated by commas; all where left out")
    parser.add_argument("--seeds", type=int, default=20, help="scenes a factor (default 20)")
    parser.add_argument("--jobs", type=int, default=1, help="scenes measured at once (default 1)")
    parser.add_argument("-o", "--output", type=Path, default=Path("results.jsonl"))
    return parser.parse_args(arguments)


def _chosen(text: str | None, factors: dict[str, Any]) -> list[str]:
    if text is None:
        return list(factors)
    asked = text.split(",")
    known = {*factors, *(f.group for f in factors.values())}
    if unknown := [name for name in asked if name not in known]:
        sys.exit(f"unknown factor or group {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [name for name, factor in factors.items() if name in asked or factor.group in asked]


def _done(path: Path, *, code: str) -> set[tuple[str, int, str]]:
    from tally import read_records

    if not path.exists():
        return set()
    return {(r["factor"], r["seed"], r["scene"]) for r in read_records(path, code=code)}


def _run(tasks: Sequence[Task], path: Path, *, code: str, jobs: int) -> int:
    """Measure the scenes and append their records; returns how many could not be measured."""
    from measure import as_line

    failed, began = 0, time.monotonic()
    # Not fork: GDAL may have run in this process.
    with path.open("a+", encoding="utf-8") as file, ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        _end_line(path, file)
        futures = {pool.submit(_measure, *task): task for task in tasks}
        try:
            for number, future in enumerate(as_completed(futures), 1):
                name, seed = futures[future]
                try:
                    record = future.result()
                except Exception as error:
                    failed += 1
                    print(f"{name} {seed}: {type(error).__name__}: {error}", file=sys.stderr)
                    continue
                file.write(as_line(record | {"code": code}))
                file.flush()
                left = (time.monotonic() - began) / number * (len(tasks) - number) / 60
                print(f"[{number}/{len(tasks)}, {left:.0f} min left] {_brief(record)}", file=sys.stderr)
        except KeyboardInterrupt:
            _cancel(futures)
            raise
    return failed


def _cancel(futures: dict[Future[Any], Task]) -> None:
    for future in futures:
        future.cancel()


def _end_line(path: Path, file: Any) -> None:
    """Close a line that an interruption cut short."""
    if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        file.write("\n")


def _measure(factor: str, seed: int) -> dict[str, Any]:
    """In a worker, where numpy is loaded with one thread."""
    from measure import measure_scene

    from railcount import __version__

    return measure_scene(factor, seed) | {"version": __version__}


def _brief(record: dict[str, Any]) -> str:
    told = []
    for mode, one in record["modes"].items():
        told.append(
            f"{mode} {one['predicted']} ({one['matched'][0]} right)"
            if one.get("outlined")
            else f"{mode} {one['status']}"
        )
    return f"{record['factor']} {record['seed']}: {record['truth']['n']} true, {', '.join(told)}"


def _print_table(path: Path, names: Sequence[str], *, code: str) -> None:
    """F1 by factor and mode, for a first look."""
    from measure import MODES
    from tally import figures, read_records

    records = read_records(path, code=code)
    print(f"{'F1 at IoU 0.3 (simulated)':26s}{''.join(f'{mode:>11s}' for mode in MODES)}")
    for name in names:
        mine = [r for r in records if r["factor"] == name]
        if mine:
            values = [figures(mine, mode=mode).f1 for mode in MODES]
            cells = "".join(f"{'-':>11s}" if v is None else f"{v:11.3f}" for v in values)
            print(f"{name:26s}{cells}")


if __name__ == "__main__":
    sys.exit(main())
