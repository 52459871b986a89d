"""Small convolutional networks in plain numpy: enough to run what ``training/`` has learned.

Weights are a flat list of layers in a ``.npz`` file; a layer is a correlation (as in every
deep-learning library), a bias, and a rectifier. Arrays are (channels, rows, cols) float32.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

CHUNK = 4096
"""Columns worked on at once; keeps the memory of a long strip flat."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One convolution."""

    weight: Image
    """(out, in, kernel rows, kernel cols)."""
    bias: Image
    """(out,)."""
    stride_rows: int
    dilation_cols: int
    pad_rows: int
    rectify: bool
    residual: bool
    """Add the layer's input to its output."""


@dataclass(frozen=True, eq=False)
class Net:
    """Layers one after the other; keeps the number of columns."""

    layers: tuple[Layer, ...]

    @property
    def reach(self) -> int:
        """Columns on each side that a column's output depends on."""
        return sum((x.weight.shape[3] - 1) // 2 * x.dilation_cols for x in self.layers)

    def __call__(self, image: Image) -> Image:
        """(in, rows, cols) to (out, rows of the last layer, cols). Beyond the edge lie zeros."""
        n, reach = image.shape[2], self.reach
        out = []
        for start in range(0, n, CHUNK):
            lo, hi = max(0, start - reach), min(n, start + CHUNK + reach)
            part = np.ascontiguousarray(image[:, :, lo:hi])
            for layer in self.layers:
                part = _apply(layer, part)
            out.append(part[:, :, start - lo : start - lo + min(CHUNK, n - start)])
        return np.concatenate(out, axis=2)


def _apply(layer: Layer, image: Image) -> Image:
    n_out, n_in, k_rows, k_cols = layer.weight.shape
    pad_cols = (k_cols - 1) // 2 * layer.dilation_cols
    padded = np.pad(image, ((0, 0), (layer.pad_rows, layer.pad_rows), (pad_cols, pad_cols)))
    rows = (padded.shape[1] - k_rows) // layer.stride_rows + 1
    cols = image.shape[2]
    windows = np.empty((n_in, k_rows, k_cols, rows, cols), dtype=np.float32)
    for r in range(k_rows):
        for c in range(k_cols):
            at = c * layer.dilation_cols
            windows[:, r, c] = padded[
                :, r : r + rows * layer.stride_rows : layer.stride_rows, at : at + cols
            ][:, :rows]
    out = layer.weight.reshape(n_out, -1) @ windows.reshape(n_in * k_rows * k_cols, rows * cols)
    out = out.reshape(n_out, rows, cols) + layer.bias[:, None, None]
    if layer.residual:
        out += image
    if layer.rectify:
        np.maximum(out, 0, out=out)
    return np.asarray(out, dtype=np.float32)


@cache
def load_net(name: str) -> Net:
    """A network shipped with the package, by name."""
    with as_file(files("railcount").joinpath("weights", f"{name}.npz")) as path, np.load(path) as data:
        shapes = json.loads(str(data["layers"]))
        return Net(
            tuple(
                Layer(data[f"w{i}"].astype(np.float32), data[f"b{i}"].astype(np.float32), **shape)
                for i, shape in enumerate(shapes)
            )
        )
