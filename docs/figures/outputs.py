"""Pictures of what railcount writes, from the simulated sample tiles: ``python docs/figures/outputs.py``.

From the repository's root; takes some minutes, and Chromium for the report's page.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
ROOT = HERE.resolve().parents[1]
SAMPLES = Path("sample_tiles")
"""From the root, so that no picture shows where the repository lies."""
WIDTH_PX = 1000
REPORT_HEIGHT_PX = 2100
OVERLAY_ROWS = 850
"""The tile and its legend; the straightened tracks below them are in the other picture."""
QUALITY = 72
"""Of JPEG."""


def railcount(*words: str | Path) -> None:
    """One command; stops here where it fails. 3: some samples show cloud alone."""
    done = subprocess.run([sys.executable, "-m", "railcount", *map(str, words)], check=False, cwd=ROOT)
    if done.returncode not in {0, 3}:
        sys.exit(done.returncode)


def photograph(page: Path, target: Path, *, height: int) -> None:
    """A page as a browser shows it."""
    chromium = shutil.which("chromium") or sys.exit("needs Chromium: apt-get install chromium")
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--virtual-time-budget=5000",
    ]
    size = f"--window-size={WIDTH_PX},{height}"
    command = [chromium, *flags, size, f"--screenshot={target}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def keep(source: Path, name: str, *, rows: int | None = None) -> None:
    """The upper ``rows``, with the colours that the legend explains."""
    with Image.open(source) as opened:
        image = opened.convert("RGB").crop((0, 0, opened.width, rows or opened.height))
    image.save(HERE / name, quality=QUALITY, subsampling=0, optimize=True)
    print(name, image.size, (HERE / name).stat().st_size)


def main() -> None:
    """All of them."""
    (tile,) = (path.relative_to(ROOT) for path in (ROOT / SAMPLES / "2023-10-05").glob("*.tif"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        history, report = folder / "counts.sqlite", folder / "report.html"
        overlay, strips, pair = (folder / f"{name}.png" for name in ("overlay", "strips", "pair"))
        railcount("scan", tile, "--overlay", overlay, "--strips", strips)
        railcount("batch", SAMPLES, "--history", history)
        railcount("report", "--history", history, "--site", "tumangang", "-o", report)
        days = ("2023-05-30", "2023-10-05")
        railcount("report", "--history", history, "--site", "tumangang", "--compare", *days, "-o", pair)
        photograph(report, folder / "report.png", height=REPORT_HEIGHT_PX)
        keep(overlay, "overlay.jpg", rows=OVERLAY_ROWS)
        for name in ("strips", "pair", "report"):
            keep(folder / f"{name}.png", f"{name}.jpg")


if __name__ == "__main__":
    main()
