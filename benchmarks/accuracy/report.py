"""docs/ACCURACY.md from the lines that grid.py wrote; no figure in it is typed by hand.

python benchmarks/accuracy/report.py results.jsonl -o docs/ACCURACY.md --commit 1a2b3c4 --overwrite
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from factors import FACTORS, HEIGHT_M, WIDTH_M
from measure import FARTHEST_M, MODES
from summary import COARSER_M, is_coarse, summary
from tables import covered_part, factor_table, kinds_table, mode_table, overview_table, status_table
from tally import NORMAL_90, best_variant, read_records
from yardsticks import LONGEST_M, SHORTEST_M

from railcount.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tally import Record

MODE_TITLES = {
    "given": "Tracks given",
    "displaced": f"Tracks given, displaced by up to {FARTHEST_M:g} m",
    "found": "Tracks found in the pixels",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report."""
    options = _options(arguments)
    records = read_records(options.results)
    if not records:
        sys.exit(f"{options.results} holds no results")
    if unknown := {r["factor"] for r in records} - set(FACTORS):
        print(f"left out, since the grid no longer has them: {', '.join(sorted(unknown))}", file=sys.stderr)
        records = [r for r in records if r["factor"] in FACTORS]
    text = report(records, day=options.date, commit=options.commit)
    write_bytes(options.output, text.encode("utf-8"), overwrite=options.overwrite)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write the accuracy report.")
    parser.add_argument("results", type=Path, help="what grid.py wrote")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="of the code that was measured")
    parser.add_argument(
        "--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="today where left out"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a report that exists")
    return parser.parse_args(arguments)


def report(records: Sequence[Record], *, day: date, commit: str) -> str:
    """The whole text."""
    grouped = {name: [r for r in records if r["factor"] == name] for name in FACTORS}
    by_factor = {name: mine for name, mine in grouped.items() if mine}
    otsu, threshold = (best_variant(_fine(records), name=name) for name in ("otsu", "threshold"))
    sections = [_head(records, by_factor, day=day, commit=commit)]
    sections.append("## In short\n\n" + summary(by_factor, otsu=otsu))
    sections.append(
        "## F1 by factor\n\nF1 at IoU 0.3 over all cars of a factor's scenes that have a count, each mode "
        f"beside the two yardsticks. The plain script takes what is {otsu} as car, and the single threshold "
        f"is {threshold}: of all settings these give the highest F1 over the whole grid, so the yardsticks "
        "are shown at their best.\n\n" + overview_table(by_factor, otsu=otsu, threshold=threshold)
    )
    for mode in MODES:
        sections.append(f"## {MODE_TITLES[mode]}\n\n" + mode_table(by_factor, mode=mode))
    sections.append(
        "## Scenes without a count\n\nA status without a count is not a count of 0: such scenes are in none "
        "of the figures above but the column *counted*.\n\n" + status_table(by_factor)
    )
    sections.append(
        "## Kinds\n\nTracks given, cars matched at IoU 0.3. Rows: what stands there; columns: what was "
        "said.\n\n" + kinds_table(records)
    )
    sections.append("## Covered cars\n\n" + covered_part(by_factor))
    sections.append("## What is measured\n\n" + _definitions())
    sections.append("## The scenes\n\n" + factor_table(by_factor))
    return "\n\n".join(sections) + "\n"


def _fine(records: Sequence[Record]) -> list[Record]:
    fine = [r for r in records if not is_coarse(r["factor"])]
    return fine or list(records)


def _head(records: Sequence[Record], by_factor: dict[str, list[Record]], *, day: date, commit: str) -> str:
    versions = ", ".join(sorted({r["version"] for r in records}))
    numbers = sorted({len(mine) for mine in by_factor.values()})
    each = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    cars = sum(r["truth"]["n"] for r in records)
    return (
        "# Accuracy\n\n"
        "**All scenes on this page are simulated**: drawn by railcount's own renderer, with truth that is "
        "exact. What is learned was trained on other scenes of the same renderer and of two more, so real "
        "images are harder than these; the figures say which circumstance costs how much, not how a real "
        "yard will fare.\n\n"
        f"railcount {versions}, commit `{commit}`, code and weights `{records[0]['code']}`, "
        f"{day.isoformat()}. {len(records)} scenes, {each} of each of {len(by_factor)} factors, {cars} "
        "railcars. Made by `benchmarks/accuracy/grid.py` and `report.py`; no figure is typed by hand."
    )


def _definitions() -> str:
    return f"""- A scene shows about {WIDTH_M:g} x {HEIGHT_M:g} m. One seed gives the same yard under every
  nuisance.
- Every scene is written as a GeoTIFF and counted as `railcount scan` counts it: with the true lines
  (`--tracks`), with the true lines moved together by up to {FARTHEST_M:g} m in a random direction, and
  without lines.
- A railcar is right when its outline matches a true one, one to one, at IoU 0.3 (0.5: outlined as well).
  Precision, recall and F1 are over all cars of a factor's scenes together. Locomotives are left out on
  both sides. Vehicles of which the image shows less than half (cloud, canopy, edge) can be neither found
  nor missed.
- Error: total of a scene less its truth. Mean absolute error and bias are in cars a scene, with 95 %
  bootstrap intervals over the scenes.
- Coverage: share of scenes whose 90 % interval holds the truth, with its 95 % interval (Clopper-Pearson).
  Relative width: mean width (high less low) over 2 x {NORMAL_90} x the standard deviation of the errors,
  which a perfectly calibrated interval of normal errors would need; that is taken as 1 car at least.
- False cars per km: predictions that lie to less than a tenth on any true vehicle, on a track or beside
  one, over the length of true track on which nothing stands.
- The plain script: Otsu's threshold on grey inside the true track mask, opening, labels, area filter,
  oriented boxes (scikit-image). The single threshold: railcount's own log-odds of car body on the true
  tracks, columns above one threshold, each run of {SHORTEST_M:g} to {LONGEST_M:g} m a car.
- Pixels coarser than {COARSER_M:g} m are reported, but are no part of the targets and of the choice of
  the yardsticks' settings."""


if __name__ == "__main__":
    sys.exit(main())
