"""Train the network that tells kinds of cars apart: python train_kinds.py OUT MINUTES FIRST.npz PICKLES."""

from __future__ import annotations

import numpy as np
import torch
from fit import command, fit, read
from model import kinds_net
from torch.nn.functional import cross_entropy
from train_cars import augment

BATCH = 24
ENDS_PX = 1.5
"""Columns by which the ends of a car that was found are off."""
SMOOTHING = 0.03
"""Of the truth: paints and loads that were never drawn should not look like certainty."""


def bodies(lab):
    """(first, last + 1, kind) of every car of known kind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lab[0] == 1, [0]])))
    return [(a, b, int(lab[1, a])) for a, b in edges.reshape(-1, 2) if lab[1, a] >= 0]


def example(v, lab, rng):
    """A view, with the channel of what was found to be body, and the bodies in it."""
    v, lab = augment(v, lab, rng)
    found = np.zeros((1, *v.shape[1:]), np.float32)
    cars = []
    for a, b, kind in bodies(lab):
        c, d = np.clip(np.array([a, b]) + np.rint(rng.normal(0, ENDS_PX, 2)).astype(int), 0, v.shape[2])
        if d - c > 8:
            found[:, :, c : d - 1] = 1
            cars.append((c, d, kind))
    return np.concatenate([v, found * v[4]]), cars


def main(files, out, minutes, first=None):
    data = [e for e in read(files) if bodies(e[1])]
    rng = np.random.default_rng(0)
    weight = np.array([len(bodies(lab)) for _, lab in data], float)
    weight /= weight.sum()

    def batch_loss(net):
        batch = [example(*data[i], rng) for i in rng.choice(len(data), BATCH, p=weight)]
        answer = net(torch.from_numpy(np.stack([x for x, _ in batch])))[:, :, 0]
        said = [answer[i, :, a:b].mean(dim=1) for i, (_, cars) in enumerate(batch) for a, b, _ in cars]
        truth = [kind for _, cars in batch for *_, kind in cars]
        return cross_entropy(torch.stack(said), torch.tensor(truth), label_smoothing=SMOOTHING)

    fit(kinds_net(), batch_loss, out, minutes, rate=1e-3, first=first)


if __name__ == "__main__":
    command(main)
