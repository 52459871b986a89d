"""Pictures of what railcount writes, from the simulated sample tiles: ``python docs/figures/outputs.py``.

From the repository's root; takes some minutes, and Chromium for the report's page.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from PIL import Image, ImageColor

from railcount.outputs.picture import KIND_COLOURS

HERE = Path(__file__).parent
ROOT = HERE.resolve().parents[1]
SAMPLES = Path("sample_tiles")
"""From the root, so that no picture shows where the repository lies."""
WIDTHS_PX = (1200, 1000, 850)
MAX_BYTES = 250_000
REPORT_HEIGHT_PX = 2100
OVERLAY_ROWS = 850
"""The tile and its legend; the straightened tracks below them are in the other picture."""
COLOURS = (128, 64)


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
    size = f"--window-size={WIDTHS_PX[0]},{height}"
    command = [chromium, *flags, size, f"--screenshot={target}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def few_colours(image: Image.Image, n: int) -> Image.Image:
    """The image in its ``n`` main colours and those of the kinds, which the legend explains."""
    kinds = [level for colour in KIND_COLOURS.values() for level in ImageColor.getrgb(colour)]
    main = image.quantize(n, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette((kinds + main)[: 3 * 256])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def keep(source: Path, name: str, *, rows: int | None = None) -> None:
    """The upper ``rows`` at most MAX_BYTES long: with fewer colours first, then narrower."""
    with Image.open(source) as opened:
        image = opened.convert("RGB").crop((0, 0, opened.width, rows or opened.height))
    for width, colours in product(WIDTHS_PX, COLOURS):
        size = (width, round(image.height * width / image.width))
        shown = image.resize(size, Image.Resampling.LANCZOS) if width < image.width else image
        few = few_colours(shown, colours)
        few.save(HERE / name, optimize=True)
        if (HERE / name).stat().st_size < MAX_BYTES:
            print(name, few.size, colours, (HERE / name).stat().st_size)
            return
    sys.exit(f"{name} is larger than {MAX_BYTES} bytes")


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
        keep(overlay, "overlay.png", rows=OVERLAY_ROWS)
        for name in ("strips", "pair", "report"):
            keep(folder / f"{name}.png", f"{name}.png")


if __name__ == "__main__":
    main()
