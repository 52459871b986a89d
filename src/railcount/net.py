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

from railcount.beside import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.float32]

WINDOW_FLOATS = 2**19
"""Size of the unrolled windows worked on at once: 2 MB stay in the cache."""


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

    def __call__(self, image: Image) -> Image:
        """(in, rows, cols) to (out, rows of the last layer, cols). Beyond the edge lie zeros."""
        for layer in self.layers:
            image = _apply(layer, image)
        return image


def _apply(layer: Layer, image: Image) -> Image:
    n_out, n_in, k_rows, k_cols = layer.weight.shape
    pad_cols = (k_cols - 1) // 2 * layer.dilation_cols
    padded = np.pad(image, ((0, 0), (layer.pad_rows, layer.pad_rows), (pad_cols, pad_cols)))
    rows = (padded.shape[1] - k_rows) // layer.stride_rows + 1
    cols = image.shape[2]
    weight = layer.weight.reshape(n_out, -1)
    out = np.empty((n_out, rows, cols), dtype=np.float32)
    rows_at_once = max(1, WINDOW_FLOATS // (n_in * k_rows * k_cols * cols))
    for top in range(0, rows, rows_at_once):
        n = min(rows_at_once, rows - top)
        cols_at_once = max(64, WINDOW_FLOATS // (n_in * k_rows * k_cols * n))
        for left in range(0, cols, cols_at_once):
            m = min(cols_at_once, cols - left)
            windows = np.empty((n_in, k_rows, k_cols, n, m), dtype=np.float32)
            for r in range(k_rows):
                first = r + top * layer.stride_rows
                lines = padded[:, first : first + (n - 1) * layer.stride_rows + 1 : layer.stride_rows]
                for c in range(k_cols):
                    at = left + c * layer.dilation_cols
                    windows[:, r, c] = lines[:, :, at : at + m]
            part = weight @ windows.reshape(n_in * k_rows * k_cols, n * m)
            out[:, top : top + n, left : left + m] = part.reshape(n_out, n, m)
    out += layer.bias[:, None, None]
    if layer.residual:
        out += image
    if layer.rectify:
        np.maximum(out, 0, out=out)
    return out


def both_ways(net: Net, image: Image, *, sided: Sequence[int] = ()) -> Image:
    """Mean of what the network says of an image (in, rows, cols) and of the same turned by 180 degrees.

    Channels in ``sided`` say left or right, and change their sign when turned. The two are worked on
    side by side.
    """
    turned = np.ascontiguousarray(image[:, ::-1, ::-1])
    for channel in sided:
        turned[channel] *= -1
    straight, back = side_by_side([lambda: net(image), lambda: net(turned)])
    return np.asarray((straight + back[:, ::-1, ::-1]) / 2)


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
