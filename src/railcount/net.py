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

BUFFER_FLOATS = 2**18
"""Of what is worked on at once: a megabyte stays in the cache."""


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
        """Columns to either side of one that its answer depends on."""
        return sum((layer.weight.shape[3] - 1) // 2 * layer.dilation_cols for layer in self.layers)

    def __call__(self, image: Image) -> Image:
        """(in, rows, cols) to (out, rows of the last layer, cols). Beyond the edge lie zeros."""
        lines = np.ascontiguousarray(image.transpose(1, 0, 2))
        for layer in self.layers:
            lines = _apply(layer, lines)
        return lines.transpose(1, 0, 2)


def _apply(layer: Layer, lines: Image) -> Image:
    """(rows, in, cols) to (rows, out, cols).

    In this order the rows below a kernel lie together, and one product gives what they are worth to each of
    the kernel's columns; those are added up, moved. No window is copied (a fifth less time than with copies).
    """
    n_out, n_in, k_rows, k_cols = layer.weight.shape
    cols = lines.shape[2]
    pad = (k_cols - 1) // 2 * layer.dilation_cols
    padded = np.pad(lines, ((layer.pad_rows, layer.pad_rows), (0, 0), (pad, pad)))
    weight = np.ascontiguousarray(layer.weight.transpose(3, 0, 2, 1).reshape(k_cols * n_out, k_rows * n_in))
    rows = (padded.shape[0] - k_rows) // layer.stride_rows + 1
    out = np.empty((rows, n_out, cols), dtype=np.float32)
    at_once = max(16, BUFFER_FLOATS // (k_cols * n_out))
    for row in range(rows):
        below = padded[row * layer.stride_rows :][:k_rows].reshape(k_rows * n_in, -1)
        for left in range(0, cols, at_once):
            part = slice(left, min(left + at_once, cols))
            n = part.stop - left
            worth = (weight @ below[:, left : part.stop + 2 * pad]).reshape(k_cols, n_out, -1)
            to = out[row, :, part]
            np.add(worth[0, :, :n], layer.bias[:, None], out=to)
            for column in range(1, k_cols):
                first = column * layer.dilation_cols
                to += worth[column, :, first : first + n]
            if layer.residual:
                to += lines[row, :, part]
            if layer.rectify:
                np.maximum(to, 0, out=to)
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
