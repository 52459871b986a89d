"""Measures the speed budgets and prints them beside what was measured.

    python benchmarks/speed/run.py [PART ...] [--json FILE] [-o docs/PERFORMANCE.md]

Times are ratios measured in one run, by turns, wherever that can be: two machines agree on them better than
on seconds. Large scenes and archives are simulated and written to a temporary folder (about 1 GB; 4 GB for
the parts of 30000 pixels). Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budgets import Row, as_json, details, from_json, markdown, merged, table
from children import CommandError, run
from parts import EXTRA, HERE, PARTS, Bench

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDER = (*PARTS, *EXTRA)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", metavar="PART",
        help=f"of: {', '.join(PARTS)} (the default is all of these);\nalso: {', '.join(EXTRA)}",
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3, help="of commands that take seconds")
    parser.add_argument("--size", type=int, default=16384, help="pixels along a side of the large scenes")
    parser.add_argument("--tiles", type=int, default=10_000, help="in the archive of small tiles")
    parser.add_argument("--max-mb", type=float, default=6000, help="a scan above this is killed")
    parser.add_argument("--scratch", type=Path, help="where the temporary folder is made")
    parser.add_argument("--date", help="of the report; the commit's where left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--with", dest="earlier", type=Path, action="append", default=[], metavar="FILE",
        help="figures of an earlier --json: parts not measured now are taken from it;\n"
        "without a PART nothing is measured",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="write the report")
    given = parser.parse_args(words)
    unknown = [name for name in given.parts if name not in ORDER]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; the parts are {', '.join(ORDER)}")
    if given.repeats < 1 or given.size < 4096 or given.tiles < 1000:
        parser.error("--repeats must be at least 1, --size 4096, --tiles 1000")
    return given


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write. Returns 1 where a budget does not hold or a command failed."""
    given = arguments(words)
    names = given.parts or ([] if given.earlier else list(PARTS))
    before = [from_json(one) for path in given.earlier for one in json.loads(path.read_text())["rows"]]
    rows: list[Row] = []
    failed = False
    load = os.getloadavg()[0]
    if names and load > 0.3:
        print(f"the machine is busy (load {load:.1f}): seconds will be too high", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        bench = Bench(
            folder=Path(folder), n_repeats=given.repeats, size_px=given.size, n_tiles=given.tiles,
            max_mb=given.max_mb,
        )  # fmt: skip
        for name in names:
            try:
                found = (PARTS | EXTRA)[name](bench)
            except CommandError as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed = True
                found = [Row(part=name, what=name, unit="s", note="failed")]
            for row in found:
                print(f"{row.what}: {' / '.join(filter(None, row.words))}", file=sys.stderr, flush=True)
            rows += found
    rows = merged(before, rows, order=ORDER)
    print(table(rows))
    about = {"machine": machine(), **versions(), "date": given.date or commit_date()}
    about["load"] = f"{load:.1f}"
    if given.json is not None:
        document = {"about": about, "rows": [as_json(row) for row in rows]}
        _write(given.json, json.dumps(document, indent=2) + "\n")
    if given.output is not None:
        _write(given.output, report(rows, about=about))
    return 1 if failed or any(row.holds is False for row in rows) else 0


def machine() -> str:
    """The class of machine, without names."""
    cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        memory = 0
    held = f", {memory / 2**30:.0f} GiB" if memory else ""
    return f"{cores} {'core' if cores == 1 else 'cores'} ({platform.machine()}){held}, {platform.system()}"


def versions() -> dict[str, Any]:
    """Of railcount and what it stands on, asked of a child: nothing heavy is imported here."""
    code = (
        "import json, platform, numpy, rasterio, railcount; print(json.dumps({"
        "'railcount': railcount.__version__, 'python': platform.python_version(), "
        "'numpy': numpy.__version__, 'rasterio': rasterio.__version__, 'gdal': rasterio.__gdal_version__}))"
    )
    found: dict[str, Any] = json.loads(run([sys.executable, "-c", code]).out)
    return found


def commit_date() -> str:
    """Of the commit that is checked out; the report has no other clock."""
    asked = subprocess.run(
        ["git", "log", "-1", "--format=%cs"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "not known"


def report(rows: Sequence[Row], *, about: dict[str, Any]) -> str:
    """docs/PERFORMANCE.md."""
    n_held = sum(row.holds is True for row in rows)
    n_judged = sum(row.holds is not None for row in rows)
    parts = [
        "# Performance",
        "Written by `python benchmarks/speed/run.py -o docs/PERFORMANCE.md`; do not edit. The scenes are "
        "simulated. Times are ratios of medians, measured by turns in one run, wherever that can be; a "
        "scan's time is that of the whole command, start-up included.",
        f"railcount {about['railcount']}, {about['date']}; {about['machine']}; Python {about['python']}, "
        f"numpy {about['numpy']}, rasterio {about['rasterio']} with GDAL {about['gdal']}.",
        f"Other programs ran meanwhile or not: the load before the first command was {about['load']}.",
        f"{n_held} of {n_judged} budgets hold.",
        markdown(rows),
        "## What the figures come from",
        details(rows),
        "## How it was measured",
        _METHOD,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_METHOD = """\
- Every command is a process of its own with `OPENBLAS_NUM_THREADS=1`, as `railcount` sets it. Peak memory is
  what the system counts for it (`ru_maxrss`), of the largest process where there are several.
- A first run of each command, for the disk's sake, is not kept. Where there are several, the figure is their
  median, and of memory the largest.
- The 1000 x 800 tile is a yard of nine tracks, half full, at 0.5 m. Large scenes are that yard in the middle
  of a square of soil, fields and roads. "Reading its pixels" is rasterio, block by block, all bands, without
  the start of Python: `benchmarks/speed/read_blocks.py`.
- "The yard alone" is the tile of 1000 x 800 pixels that the scene was drawn around, scanned in the same way:
  what a scan takes whatever its tile's size. CPU seconds are those of all threads and processes; other
  programs on the machine lengthen the clock's seconds more than these.
- Memory that does not grow is at most 1.2 times the peak of a scene of a quarter of the pixels.
- The archive of finished tiles is 32 x 32 pixels each, 20 a folder: what is measured is the batch, not the
  counting. "Time a tile" is the slope between archives of a hundredth, a tenth and all of them, so that
  starting the workers is not in it."""


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
