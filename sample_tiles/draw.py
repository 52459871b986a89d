"""Draws the sample tiles and writes expected.csv: ``python sample_tiles/draw.py [--check] [DATE ...]``.

The tiles are simulated. With ``--check`` nothing is written: the tiles are drawn again in a temporary
folder and must be the same, byte for byte.
"""

from __future__ import annotations

import argparse
import csv
import filecmp
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from railcount.simulate import RenderedScene, load_scene, render
from railcount.simulate.write import write_scene

HERE = Path(__file__).resolve().parent
COLUMNS = (
    "date", "tile", "count", "tolerance", "status", "standing", "visible", "locomotives", "covered",
    "sun_elevation_deg", "cloud_cover",
)  # fmt: skip


def draw(entry: dict[str, Any], folder: Path) -> RenderedScene:
    """Draw one tile into its dated folder under ``folder``."""
    drawn = render(load_scene(HERE / "scenes" / entry["scene"]), seed=entry["seed"])
    write_scene(
        drawn,
        folder / entry["date"],
        stem=Path(entry["tile"]).stem,
        compression=entry["compression"],
        jpeg_quality=86,
        overwrite=True,
    )
    return drawn


def expected(entry: dict[str, Any], drawn: RenderedScene) -> dict[str, Any]:
    """One row of expected.csv. ``count`` is empty where the tile cannot be counted."""
    standing = len(drawn.railcars)
    return {
        "date": entry["date"],
        "tile": f"{entry['date']}/{entry['tile']}",
        "count": standing if entry["status"] == "counted" else "",
        "tolerance": entry["tolerance"],
        "status": entry["status"],
        "standing": standing,
        "visible": sum(car.visible >= 0.5 for car in drawn.railcars),
        "locomotives": len(drawn.locomotives),
        "covered": sum(car.covered for car in drawn.railcars),
        "sun_elevation_deg": f"{drawn.sun_elevation_deg:.1f}",
        "cloud_cover": f"{drawn.cloud_cover:.2f}",
    }


def main() -> int:
    """Draw all tiles, or those of the dates given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dates", nargs="*", help="draw these dates only; expected.csv is then left alone")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is here")
    options = parser.parse_args()
    entries = tomllib.loads((HERE / "scenes" / "tiles.toml").read_text(encoding="utf-8"))["tiles"]
    if options.dates:
        entries = [entry for entry in entries if entry["date"] in options.dates]
    rows, differ = [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if options.check else HERE
        for entry in entries:
            row = expected(entry, draw(entry, folder))
            rows.append(row)
            print(*row.values())
            if options.check:
                old, new = (sorted((top / entry["date"]).iterdir()) for top in (HERE, folder))
                same = [a.name for a in old] == [b.name for b in new] and all(
                    filecmp.cmp(a, b, shallow=False) for a, b in zip(old, new, strict=True)
                )
                differ += [] if same else [entry["date"]]
    if options.check:
        print("different:", ", ".join(differ) or "none")
        return 1 if differ else 0
    if not options.dates:
        with (HERE / "expected.csv").open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
