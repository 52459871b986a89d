"""Train the network that sees where a track's centre line runs in a corridor."""

from __future__ import annotations

import numpy as np
import torch
from fit import command, fit, read
from model import rows_net
from scipy.ndimage import gaussian_filter
from torch.nn.functional import binary_cross_entropy_with_logits

BLOCKS, ACROSS, BATCH = 40, 160, 16


def augment(v, lab, rng):
    """A random window, turned and mirrored, its contrast and colour changed."""
    i, j = (
        rng.integers(0, max(1, n - size + 1)) for n, size in zip(v.shape[1:], (BLOCKS, ACROSS), strict=True)
    )
    v = v[:, i : i + BLOCKS, j : j + ACROSS].astype(np.float32)
    lab = lab[i : i + BLOCKS, j : j + ACROSS].astype(np.float32)
    pad = ((0, BLOCKS - v.shape[1]), (0, ACROSS - v.shape[2]))
    v, lab = np.pad(v, ((0, 0), *pad)), np.pad(lab, pad, constant_values=-1)
    if rng.random() < 0.5:
        v, lab = v[:, ::-1], lab[::-1]
    if rng.random() < 0.5:
        v, lab = v[:, :, ::-1], lab[:, ::-1]
    v = v.copy()
    valid = v[5]
    v[0] *= rng.uniform(0.8, 1.2)
    v[1] = (v[1] * rng.uniform(0.7, 1.3) + rng.normal(0, 0.3)) * valid
    v[2:4] *= 0 if rng.random() < 0.15 else rng.uniform(0.4, 1.4)
    if rng.random() < 0.3:
        v[2:4] *= rng.choice([-1, 1], size=(2, 1, 1))
    if rng.random() < 0.4:
        blot = gaussian_filter(rng.normal(size=v.shape[1:]), (rng.uniform(0.5, 8), rng.uniform(0.5, 12)))
        v[:2] += rng.uniform(0.1, 0.6) / max(blot.std(), 1e-6) * blot * valid
    if rng.random() < 0.3:
        for k in (0, 1):
            v[k] = np.clip(v[k], -rng.uniform(0.6, 3), rng.uniform(0.6, 3)) * valid
    if rng.random() < 0.2:
        v[:4] = gaussian_filter(v[:4], (0, 0, rng.uniform(0, 1.5))) * valid
    v[4] *= rng.uniform(0.6, 1.5)
    v[:5] += rng.normal(0, rng.uniform(0, 0.1), v[:5].shape) * valid
    return v, lab.copy()


def main(files, out, minutes, first=None):
    data = read(files)
    rng = np.random.default_rng(0)
    where = [np.argwhere(lab > 0.5) for _, lab in data]

    def batch_loss(net):
        batch = []
        for i in rng.choice(len(data), BATCH):
            v, lab = data[i]
            if len(where[i]) and rng.random() < 0.6:
                a, b = where[i][rng.integers(len(where[i]))]
                lo_a, lo_b = max(0, a - rng.integers(0, BLOCKS)), max(0, b - rng.integers(0, ACROSS))
                along, across = slice(lo_a, lo_a + BLOCKS), slice(lo_b, lo_b + ACROSS)
                v, lab = v[:, along, across], lab[along, across]
            batch.append(augment(v, lab, rng))
        x = torch.from_numpy(np.stack([b[0] for b in batch]))
        y = torch.from_numpy(np.stack([b[1] for b in batch]))
        use = (y >= 0) & (x[:, 5] > 0.5)
        return binary_cross_entropy_with_logits(net(x)[:, 0][use], y[use])

    fit(rows_net(), batch_loss, out, minutes, rate=1e-3 if first else 3e-3, first=first)


if __name__ == "__main__":
    command(main)
