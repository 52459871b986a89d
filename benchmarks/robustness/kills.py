"""Kill a batch at many random moments, and see whether its history is that of one that nobody killed.

    python benchmarks/robustness/kills.py --kills 50 --tiles 12

Draws a yard once, cuts small tiles from it, and counts them with the railcount of this Python: once
undisturbed, and once killed with SIGKILL (parent alone: its workers must notice) again and again, then
run to its end. Prints what happened and exits with 1 where the two histories differ, a worker outlives
its parent by more than 5 s, or a history is not sound. Needs Linux. A kill comes after half of the
undisturbed time on average.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from railcount.history import History
from railcount.simulate import load_scene, render
from railcount.simulate.write import write_scene

SCENE = Path(__file__).resolve().parents[2] / "sample_tiles" / "scenes" / "2023-10-05.toml"
SIZE_PX = (160, 120)
ORPHANS_END_S = 5.0


def cut(folder: Path, *, n_tiles: int, seed: int) -> None:
    """Small tiles of one simulated yard, three a day, each at another place of it."""
    folder.mkdir()
    written = write_scene(render(load_scene(SCENE), seed=seed), folder.parent / "drawn")
    dice = random.Random(seed)
    width, height = SIZE_PX
    with rasterio.open(written.image) as source:
        pixels, profile, tags, t = source.read(), source.profile, source.tags(), source.transform
    valid = np.argwhere(pixels.any(axis=0))
    top = int(np.median(valid[:, 0])) - height // 2
    for n in range(n_tiles):
        left = dice.randrange(0, pixels.shape[2] - width)
        day = f"2023-10-{n // 3 + 1:02}"
        path = folder / day / f"{n}.tif"
        path.parent.mkdir(exist_ok=True)
        moved = Affine(t.a, 0.0, t.c + left * t.a, 0.0, t.e, t.f + top * t.e)
        with rasterio.open(
            path, "w", **profile | {"width": width, "height": height, "transform": moved}
        ) as made:
            made.write(pixels[:, top : top + height, left : left + width])
            made.update_tags(**tags | {"TIFFTAG_DATETIME": f"2023:10:{n // 3 + 1:02} 02:11:00"})
        os.utime(path, (1e9, 1e9))


def start(folder: Path, history: Path) -> subprocess.Popen[bytes]:
    """The batch, in a group of its own."""
    words = ["batch", str(folder), "--history", str(history), "--jobs", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "railcount", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def survivors(group: int) -> int:
    """How many processes of the group run."""
    n = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        n += int(process_group) == group and state != "Z"
    return n


def orphans_end(group: int) -> bool:
    """Whether the workers of a killed batch end by themselves."""
    until = time.monotonic() + ORPHANS_END_S
    while survivors(group):
        if time.monotonic() > until:
            os.killpg(group, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def n_results(history: Path) -> int:
    """Tiles that are kept so far."""
    if not history.exists():
        return 0
    with History.open(history, readonly=True) as opened:
        return sum(1 for _ in opened.records())


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--tiles", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut(folder / "archive", n_tiles=asked.tiles, seed=asked.seed)
        began = time.monotonic()
        with start(folder / "archive", folder / "whole.sqlite") as process:
            process.wait()
        whole_s = time.monotonic() - began
        print(f"undisturbed: {asked.tiles} tiles in {whole_s:.1f} s", flush=True)
        n_kills = n_rounds = 0
        killed = folder / "killed.sqlite"
        while n_kills < asked.kills:
            # From before the first result to after the last; a history that is whole is begun anew.
            process = start(folder / "archive", killed)
            time.sleep(dice.uniform(0.05, whole_s))
            was_running = process.poll() is None
            process.kill()
            process.wait()
            n_kills += was_running
            if not orphans_end(process.pid):
                wrong.append(f"kill {n_kills}: workers outlive the batch by {ORPHANS_END_S:.0f} s")
            if not was_running or n_kills == asked.kills:
                n_rounds += 1
                wrong += compared(folder / "archive", killed, folder / "whole.sqlite")
                for path in folder.glob("killed.sqlite*"):
                    path.unlink()
            else:
                print(f"kill {n_kills}: {n_results(killed)} of {asked.tiles} tiles kept", flush=True)
    print(f"{n_kills} kills, {n_rounds} histories compared: {'; '.join(wrong) or 'all the same'}")
    return 1 if wrong else 0


def compared(archive: Path, killed: Path, whole: Path) -> list[str]:
    """Run the killed batch to its end; how its history differs from the whole one's."""
    with start(archive, killed) as process:
        process.wait()
    with History.open(killed, readonly=True) as one, History.open(whole, readonly=True) as other:
        wrong = one.check()
        if one.digest() != other.digest():
            lines = set(one.dump()) ^ set(other.dump())
            wrong.append(f"the histories differ in {len(lines)} lines, such as {min(lines)[:200]}")
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
