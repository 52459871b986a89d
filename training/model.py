"""The networks' shapes in torch, and how their weights leave for numpy."""

from __future__ import annotations

import json

import numpy as np
import torch
from torch import nn


class Conv(nn.Module):
    def __init__(
        self,
        n_in,
        n_out,
        rows,
        cols,
        *,
        stride_rows=1,
        dilation_cols=1,
        pad_rows=0,
        rectify=True,
        residual=False,
    ):
        super().__init__()
        self.spec = {
            "stride_rows": stride_rows,
            "dilation_cols": dilation_cols,
            "pad_rows": pad_rows,
            "rectify": rectify,
            "residual": residual,
        }
        self.conv = nn.Conv2d(
            n_in,
            n_out,
            (rows, cols),
            stride=(stride_rows, 1),
            dilation=(1, dilation_cols),
            padding=(pad_rows, (cols - 1) // 2 * dilation_cols),
        )

    def forward(self, x):
        y = self.conv(x)
        if self.spec["residual"]:
            y = y + x
        return torch.relu(y) if self.spec["rectify"] else y


def cars_net(n_in=6, n_out=9):
    """Strip of 16 rows (0.5 m) x n columns (0.25 m) to each column's states and kinds; sees 29 m each way."""
    c = 48
    return nn.Sequential(
        Conv(n_in, 16, 3, 5, pad_rows=1),
        Conv(16, 24, 3, 5, stride_rows=2, pad_rows=1),
        Conv(24, 32, 3, 5, stride_rows=2, pad_rows=1),
        Conv(32, c, 4, 5),
        Conv(c, c, 1, 5, dilation_cols=2, residual=True),
        Conv(c, c, 1, 5, dilation_cols=4, residual=True),
        Conv(c, c, 1, 5, dilation_cols=8, residual=True),
        Conv(c, c, 1, 5, dilation_cols=16, residual=True),
        Conv(c, c, 1, 5, dilation_cols=24, residual=True),
        Conv(c, n_out, 1, 1, rectify=False),
    )


def kinds_net():
    """The same with one channel more, which columns are body, to each column's kind alone."""
    return cars_net(n_in=7, n_out=6)


def save(net, path):
    layers = list(net)
    arrays = {"layers": np.array(json.dumps([x.spec for x in layers]))}
    for i, x in enumerate(layers):
        arrays[f"w{i}"] = x.conv.weight.detach().numpy().astype(np.float16)
        arrays[f"b{i}"] = x.conv.bias.detach().numpy().astype(np.float32)
    np.savez_compressed(path, **arrays)


def rows_net():
    """Corridor of blocks (4 m) x v (0.5 m) to the log-odds of a centre line; sees 28 x 23 m."""
    c = 24
    return nn.Sequential(
        Conv(6, c, 3, 5, pad_rows=1),
        Conv(c, c, 3, 5, pad_rows=1, residual=True),
        Conv(c, c, 3, 5, dilation_cols=3, pad_rows=1, residual=True),
        Conv(c, c, 5, 5, dilation_cols=6, pad_rows=2, residual=True),
        Conv(c, c, 5, 3, pad_rows=2, residual=True),
        Conv(c, 1, 1, 1, rectify=False),
    )


def load(net, path):
    """Go on from saved weights: new channels begin at 0, and of the answers the last ones are kept."""
    with np.load(path) as data:
        for i, x in enumerate(net):
            n_out, n_in = x.conv.weight.shape[:2]
            weight = data[f"w{i}"].astype(np.float32)[-n_out:]
            more = [(0, 0), (0, n_in - weight.shape[1]), (0, 0), (0, 0)]
            x.conv.weight.data = torch.from_numpy(np.pad(weight, more))
            x.conv.bias.data = torch.from_numpy(data[f"b{i}"].astype(np.float32)[-n_out:])
