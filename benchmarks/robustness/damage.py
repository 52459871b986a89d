"""Good tiles with bytes flipped, cut off and spliced, and how many a seed gives.

    python benchmarks/robustness/damage.py --cases 5000

Draws a yard, writes small tiles of it in two dozen layouts (strips and tiles, codecs, depths, byte orders,
JPEG 2000, NITF), damages them by a seed, and counts them with `railcount scan --format json`. Or counts the
files of a folder as they are:

    python benchmarks/robustness/damage.py --folder some/damaged/files

Prints how they ended and exits with 1 where a promise is broken: each file has one status with its reason,
the JSON is strict, nothing stands beside the inputs and no input changes, no traceback, no tile
takes 20 s, no process a gigabyte. Damaged files that railcount did not foresee are listed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp

from railcount.counts import STATUSES_WITH_COUNT
from railcount.simulate import load_scene, render
from railcount.simulate.write import write_scene

SCENE = Path(__file__).resolve().parents[2] / "sample_tiles" / "scenes" / "2023-10-05.toml"
SIZE_PX = (128, 96)
HANG_S = 20.0
MOST_KB = 1_000_000
LISTS = {".csv", ".md"}
"""Ends of names of what describes a folder of damaged files."""
A_RUN = 250
"""Files of one command."""
STATUSES = {*STATUSES_WITH_COUNT, "uncountable", "no_data", "refused", "failed", "timeout", "crashed"}

LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compress": "deflate", "predictor": 2},
    "lzw_tiled": {"compress": "lzw", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "jpeg": {"compress": "jpeg", "photometric": "ycbcr", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "packbits_planar": {"compress": "packbits", "interleave": "band"},
    "zstd": {"compress": "zstd", "tiled": True, "blockxsize": 128, "blockysize": 128},
    "webp": {"compress": "webp", "webp_level": 90, "tiled": True, "blockxsize": 128, "blockysize": 128},
    "lerc": {"compress": "lerc", "max_z_error": 0.5},
    "lzma": {"compress": "lzma"},
    "bigtiff": {"bigtiff": "yes", "compress": "deflate"},
    "big_endian": {"endianness": "big", "compress": "deflate"},
    "sparse": {"sparse_ok": True, "tiled": True, "blockxsize": 64, "blockysize": 64},
    "cog": {"driver": "COG", "compress": "deflate", "blocksize": 128},
    "uint16": {"dtype": "uint16", "compress": "deflate", "predictor": 2},
    "float32": {"dtype": "float32", "compress": "deflate", "predictor": 3, "nodata": -9999.0},
    "gray": {"count": 1, "compress": "lzw"},
    "white_is_zero": {"count": 1, "photometric": "miniswhite"},
    "palette": {"count": 1, "palette": True, "compress": "packbits"},
    "rgbn": {"count": 4, "compress": "deflate"},
    "masked": {"mask": True, "compress": "deflate"},
    "odd_bits": {"dtype": "uint16", "nbits": 12},
    "jp2": {"driver": "JP2OpenJPEG"},
    "nitf": {"driver": "NITF", "icords": "N"},
    "nitf_jpeg2000": {"driver": "NITF", "icords": "N", "ic": "C8"},
}
"""Name to what rasterio writes it with."""


def good_tiles(folder: Path) -> dict[str, bytes]:
    """A tile of a simulated yard in each layout; those that this GDAL cannot write are left out."""
    written = write_scene(render(load_scene(SCENE), seed=1), folder / "drawn")
    with rasterio.open(written.image) as source:
        whole, profile, tags, transform = source.read(), source.profile, source.tags(), source.transform
    valid = np.argwhere(whole.any(axis=0))
    width, height = SIZE_PX
    top, left = (int(np.median(valid[:, axis])) - size // 2 for axis, size in ((0, height), (1, width)))
    pixels = whole[:, top : top + height, left : left + width]
    place = {"crs": profile["crs"], "transform": transform @ rasterio.Affine.translation(left, top)}
    made = {}
    for name, layout in LAYOUTS.items():
        path = folder / name
        try:
            write_tile(path, pixels, place=place, tags=tags, layout=layout)
        except (rasterio.errors.RasterioError, CPLE_BaseError, OSError, ValueError) as error:
            print(f"{name}: not written ({str(error)[:60]})", flush=True)
            continue
        made[name] = path.read_bytes()
    return made


def write_tile(
    path: Path, pixels: np.ndarray, *, place: dict[str, Any], tags: dict[str, str], layout: dict[str, Any]
) -> None:
    """One tile."""
    how = {"driver": "GTiff", "count": 3, "dtype": "uint8"} | layout
    palette, mask = how.pop("palette", False), how.pop("mask", False)
    bands = np.concatenate([pixels[:3], pixels[1:2]])[: how["count"]].astype(how["dtype"])
    with rasterio.open(path, "w", width=bands.shape[2], height=bands.shape[1], **place, **how) as made:
        made.write(bands)
        made.update_tags(**tags)
        if palette:
            made.write_colormap(1, {n: (n, 255 - n, n, 255) for n in range(256)})
        if how["count"] == 4:
            made.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
        if mask:
            made.write_mask(np.tri(*bands.shape[1:], dtype=np.uint8) * 255)


def damaged(good: dict[str, bytes], *, dice: random.Random) -> tuple[str, bytes]:
    """One damaged tile, and what was done to which."""
    name = dice.choice(sorted(good))
    data = bytearray(good[name])
    done = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        way = dice.choice((flip, flip, set_number, set_number, cut, drop, repeat, zero))
        done.append(way.__name__)
        way(data, dice)
    if dice.random() < 0.15:
        other = good[dice.choice(sorted(good))]
        at = somewhere(data, dice)
        data[at:] = other[at:]
        done.append("splice")
    return f"{name}-{'-'.join(done)}", bytes(data)


def somewhere(data: bytearray, dice: random.Random) -> int:
    """A place; half of the time where headers and directories are, at either end."""
    if not data:
        return 0
    n, near = len(data), dice.randrange(min(1500, len(data)))
    return dice.choice((dice.randrange(n), near, n - 1 - near))


def flip(data: bytearray, dice: random.Random) -> None:
    """Some bytes get other values."""
    for _ in range(dice.choice((1, 2, 8, 40))):
        if data:
            data[somewhere(data, dice)] = dice.randrange(256)


def set_number(data: bytearray, dice: random.Random) -> None:
    """A number in a place where one may stand becomes one that programs stumble over."""
    size = dice.choice((2, 4, 8))
    at = somewhere(data, dice) & ~1
    odd = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, len(data), len(data) - 1, 8)
    data[at : at + size] = (dice.choice(odd) % 2 ** (8 * size)).to_bytes(size, dice.choice(("little", "big")))


def cut(data: bytearray, dice: random.Random) -> None:
    """The end is missing."""
    del data[somewhere(data, dice) :]


def drop(data: bytearray, dice: random.Random) -> None:
    """A piece is missing."""
    at = somewhere(data, dice)
    del data[at : at + dice.choice((1, 2, 12, 500))]


def repeat(data: bytearray, dice: random.Random) -> None:
    """A piece stands somewhere else too."""
    start, at = somewhere(data, dice), somewhere(data, dice)
    piece = data[start : start + dice.choice((2, 12, 200))]
    data[at : at + len(piece)] = piece


def zero(data: bytearray, dice: random.Random) -> None:
    """A hole, as an interrupted copy leaves it."""
    at = somewhere(data, dice)
    n = min(dice.choice((16, 512, 4096)), len(data) - at)
    data[at : at + n] = bytes(n)


def run(command: list[str]) -> tuple[subprocess.CompletedProcess[bytes], int]:
    """A command, and the peak memory (kB) of the largest of its processes."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read())[1] for stream in (out, err)]
    return subprocess.CompletedProcess(command, child.returncode, *texts), usage.ru_maxrss


def scan(
    paths: list[Path], *, folder: Path, more: list[str]
) -> tuple[Counter[str], list[str], list[str], int]:
    """Count files in one command: statuses, what is odd though promised nowhere, broken promises, peak kB."""
    before = {path: path.read_bytes() for path in paths}
    names = set(folder.iterdir())
    command = [sys.executable, "-m", "railcount", "scan", *map(str, paths), "--format", "json"]
    done, most_kb = run([*command, "--drivers", "tiff,jp2,nitf", "--time-limit", str(HANG_S), *more])
    tally: Counter[str] = Counter()
    odd, broken = [], []
    try:
        results = json.loads(done.stdout.decode("ascii"), parse_constant=not_json)["results"]
    except (ValueError, KeyError) as error:
        words = f"exit code {done.returncode}, {error}, {done.stderr[-300:]!r}"
        return tally, odd, [f"{paths[0].name} and on: {words}"], most_kb
    with_count = [one["status"] in STATUSES_WITH_COUNT for one in results]
    if done.returncode != (0 if all(with_count) else 3):
        broken.append(f"{paths[0].name} and on: exit code {done.returncode}")
    if b"Traceback" in done.stderr or any(c < 32 and c != 10 for c in done.stdout + done.stderr):
        broken.append(f"{paths[0].name} and on: standard error {done.stderr[-300:]!r}")
    if len(results) != len(paths):
        broken.append(f"{paths[0].name} and on: {len(results)} results of {len(paths)} files")
    for path, one in zip(paths, results, strict=False):
        reasons = "; ".join(one["reasons"])
        tally[one["status"]] += 1
        if one["status"] not in STATUSES or (one["status"] != "counted" and not reasons):
            broken.append(f"{path.name}: {one['status']} without a reason")
        if one["status"] == "timeout" or not reasons.isprintable():
            broken.append(f"{path.name}: {one['status']}, {reasons!r}")
        if one["status"] == "crashed":
            odd.append(f"{path.name}: {reasons}")
    if set(folder.iterdir()) != names:
        broken.append(f"written beside the inputs: {sorted(set(folder.iterdir()) - names)[:3]}")
    changed = [path for path, data in before.items() if path.read_bytes() != data]
    broken += [f"{path.name}: the input was changed" for path in changed]
    return tally, odd, broken, most_kb


def not_json(word: str) -> None:
    """NaN and infinities are not JSON."""
    raise ValueError(f"{word} is not JSON")


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="count these files instead")
    parser.add_argument("--keep", type=Path, help="keep the odd ones in this folder")
    parser.add_argument("more", nargs="*", help="options for scan, after --, such as --gsd 0.5")
    asked = parser.parse_args()
    tally: Counter[str] = Counter()
    odd: list[str] = []
    broken: list[str] = []
    most_kb = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        inputs = asked.folder or Path(name) / "inputs"
        if asked.folder is None:
            inputs.mkdir()
            # In a process of its own: a child's peak memory is never less than what its parent held.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as drawing:
                good = drawing.submit(good_tiles, Path(name)).result()
            dice = random.Random(asked.seed)
            for n in range(asked.cases):
                words, data = damaged(good, dice=dice)
                (inputs / f"{n:05}-{words}.tif").write_bytes(data)
        paths = sorted(path for path in inputs.iterdir() if path.is_file() and path.suffix not in LISTS)
        for start in range(0, len(paths), A_RUN):
            some = paths[start : start + A_RUN]
            counted, strange, wrong, peak_kb = scan(some, folder=inputs, more=asked.more)
            most_kb = max(most_kb, peak_kb)
            tally, odd, broken = tally + counted, odd + strange, broken + wrong
            for line in (*strange, *wrong):
                print(line, flush=True)
                keep(line, inputs, asked.keep)
    if most_kb > MOST_KB:
        broken.append(f"a process took {most_kb // 1000} MB")
    seconds = time.monotonic() - began
    print(f"{len(paths)} files in {seconds:.0f} s, at most {most_kb // 1000} MB: {dict(tally.most_common())}")
    print(f"{len(odd)} crashed; broken promises: {'; '.join(broken) or 'none'}")
    return 1 if broken else 0


def keep(line: str, inputs: Path, folder: Path | None) -> None:
    """Copy a file that a line speaks of."""
    path = inputs / line.partition(": ")[0]
    if folder is not None and path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    raise SystemExit(main())
