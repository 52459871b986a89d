"""Reads all pixels of a raster, block by block, and prints the seconds and those of the processor: the
yardstick of big scenes.

python benchmarks/speed/read_blocks.py FILE
"""

from __future__ import annotations

import sys
import time

import rasterio


def main() -> None:
    """Starting Python and importing rasterio are not in the time, which makes the yardstick a strict one."""
    began, worked = time.perf_counter(), time.process_time()
    with rasterio.open(sys.argv[1]) as source:
        for _, window in source.block_windows(1):
            source.read(window=window)
    print(time.perf_counter() - began, time.process_time() - worked)


if __name__ == "__main__":
    main()
