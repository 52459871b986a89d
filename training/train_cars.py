"""Train the network that tells car, gap and empty track apart."""

from __future__ import annotations

import numpy as np
import torch
from fit import command, fit, read
from model import cars_net, load
from scipy.ndimage import gaussian_filter
from torch.nn.functional import cross_entropy

CROP = 512
BATCH = 24
SIDE_UNKNOWN = 0.35
"""Of the examples: to which side shadows fall is not always known."""

EASY = 0.08
"""Loss added to each example's, so that those which are read right are not forgotten."""


def augment(v, lab, rng):
    """A random crop, turned and mirrored, its cars and ground repainted, its contrast and colour changed."""
    n = v.shape[2]
    start = rng.integers(0, max(1, n - CROP + 1))
    v, lab = v[:, :, start : start + CROP].astype(np.float32), lab[:, start : start + CROP].astype(np.int64)
    if v.shape[2] < CROP:
        pad = CROP - v.shape[2]
        v = np.pad(v, ((0, 0), (0, 0), (0, pad)))
        lab = np.pad(lab, ((0, 0), (0, pad)), constant_values=-1)
    if rng.random() < 0.5:
        v, lab = v[:, :, ::-1], lab[:, ::-1]
    v = v.copy()
    if rng.random() < 0.5:
        v = v[:, ::-1].copy()
        v[5] *= -1
    if (lab[0] == 1).mean() > 0.1 and rng.random() < 0.4:
        v = aside(v, rng.choice([-2, -1, 1, 2]))
    if rng.random() < 0.3:
        shade(v, lab[0], rng)
    if rng.random() < SIDE_UNKNOWN:
        v[5] = 0
    if rng.random() < 0.5:
        (hide if rng.random() < 0.4 else repaint)(v, lab[0], rng)
    return toned(v, rng), lab.copy()


def toned(v, rng):
    """Blurred, clipped, brighter or darker, of other colours, noisier."""
    valid = v[4]
    if rng.random() < 0.4:
        stain(v, rng)
    if rng.random() < 0.25:
        v[:4] = gaussian_filter(v[:4], (0, rng.uniform(0, 0.9), rng.uniform(0, 2.5))) * valid
    if rng.random() < 0.3:
        for k in (0, 1):
            v[k] = np.clip(v[k], -rng.uniform(0.8, 3), rng.uniform(0.8, 3)) * valid
    v[0] = (v[0] * rng.uniform(0.75, 1.3) + rng.normal(0, 0.25)) * valid
    v[1] *= rng.uniform(0.85, 1.15)
    if rng.random() < 0.15:
        v[2:4] = 0
    else:
        v[2:4] *= rng.uniform(0.4, 1.5)
        if rng.random() < 0.3:
            v[2:4] *= rng.choice([-1, 1], size=(2, 1, 1))
        v[2:4] += rng.normal(0, 0.15, (2, 1, 1)) * valid
    if rng.random() < 0.5:
        v[:4] += rng.normal(0, rng.uniform(0, 0.15), v[:4].shape) * valid
    return v


def aside(v, rows):
    """Everything moved across the track: tall cars lean in aslant views, and lines lie a little beside."""
    out = np.roll(v, rows, axis=1)
    if rows > 0:
        out[:, :rows] = v[:, :1]
    else:
        out[:, rows:] = v[:, -1:]
    return out


def shade(v, state, rng):
    """A deep shadow from one side, that of the next row, over half a body at most."""
    n = v.shape[2]
    where = np.zeros(n, bool)
    if rng.random() < 0.6:
        where = state == 1
    else:
        for _ in range(rng.integers(1, 5)):
            a = rng.integers(0, n)
            where[a : a + rng.integers(30, 160)] = True
    depth = int(rng.integers(2, 9))
    side = np.sign(v[5].sum())
    from_left = side > 0 if side else rng.random() < 0.5  # the neighbour stands on the sun's side
    rows = slice(0, depth) if from_left else slice(16 - depth, 16)
    keep = rng.uniform(0.05, 0.6)
    dark = -rng.uniform(0.8, 2.0)
    v[:2, rows, where] = keep * v[:2, rows, where] + (1 - keep) * dark
    v[2:4, rows, where] *= keep
    v *= v[4]


def repaint(v, state, rng):
    """Bodies in other paints: brightness and colour of each moved, some close to the ground's."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], state == 1, [0]])))
    spread, tint = rng.uniform(0.1, 1.0), rng.uniform(0.1, 1.2)
    for a, b in edges.reshape(-1, 2):
        if rng.random() < 0.5:
            body = (slice(5, 11), slice(a, b))
            fade = rng.uniform(0.4, 1.2)
            v[0][body] = v[0][body] * fade + rng.normal(0, spread)
            v[1][body] = v[1][body] * fade + rng.normal(0, spread)
            v[2:4, 5:11, a:b] += rng.normal(0, tint, (2, 1, 1))
    v *= v[4]


def hide(v, state, rng):
    """Bodies in the colour and texture of the empty track: what is left are gaps, edges and shadows."""
    ground = v[:4, 5:11][:, :, state == 0]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], state == 1, [0]])))
    mix, share = rng.uniform(0.4, 0.95), rng.uniform(0.3, 1.0)
    for a, b in edges.reshape(-1, 2):
        if rng.random() > share:
            continue
        body = v[:4, 5:11, a:b]
        if ground.shape[2] > 20:
            first = rng.integers(0, max(1, ground.shape[2] - (b - a) + 1))
            other = np.resize(ground[:, :, first : first + b - a].transpose(2, 0, 1), (b - a, 4, 6))
            other = other.transpose(1, 2, 0)
            if rng.random() < 0.5:
                other = 0.4 * other + 0.6 * ground.mean(axis=(1, 2), keepdims=True)
        else:
            other = rng.normal(0, 0.3, (4, 1, 1))
        detail = rng.uniform(0, 0.5) * (body - body.mean(axis=(1, 2), keepdims=True))
        v[:4, 5:11, a:b] = (1 - mix) * body + mix * (other + detail) + rng.normal(0, 0.12, (4, 1, 1))
    v *= v[4]


def stain(v, rng):
    """Uneven ground: soft blotches of brightness and colour, long or short, all over the strip."""
    size = (rng.uniform(0.8, 6), rng.uniform(3, 60))
    blot = gaussian_filter(rng.normal(size=v.shape[1:]), size)
    blot *= rng.uniform(0.1, 0.7) / max(blot.std(), 1e-6)
    v[:2] += blot * v[4]
    v[2:4] += rng.normal(0, 0.4, (2, 1, 1)) * blot * v[4]


def losses(data, first, state_weight):
    """Of each example, by the weights that training goes on from: it learns more from what they fail at."""
    net = cars_net()
    load(net, first)
    out = []
    with torch.no_grad():
        for v, lab in data:
            x = torch.from_numpy(v[None, :, :, : 3 * CROP].astype(np.float32))
            y = torch.from_numpy(lab[:1, : 3 * CROP].astype(np.int64))
            loss = cross_entropy(net(x)[:, :3, 0], y, weight=state_weight, ignore_index=-1)
            out.append(float(loss.nan_to_num(0.0).clamp(max=2.0)))
    return np.array(out)


def main(files, out, minutes, first=None):
    data = read(files)
    rng = np.random.default_rng(0)
    state_weight = torch.tensor([1.0, 1.0, 2.5])
    weight = np.array([x[0].shape[2] for x in data], float)
    if first:
        weight *= np.sqrt(EASY + losses(data, first, state_weight))
    weight /= weight.sum()

    def batch_loss(net):
        batch = [augment(*data[i], rng) for i in rng.choice(len(data), BATCH, p=weight)]
        x = torch.from_numpy(np.stack([b[0] for b in batch]))
        y = torch.from_numpy(np.stack([b[1] for b in batch]))
        logits = net(x)[:, :, 0]
        loss = cross_entropy(logits[:, :3], y[:, 0], weight=state_weight, ignore_index=-1)
        if (y[:, 1] >= 0).any():
            loss = loss + 0.25 * cross_entropy(logits[:, 3:], y[:, 1], ignore_index=-1)
        return loss

    fit(cars_net(), batch_loss, out, minutes, rate=1e-3 if first else 2.5e-3, first=first)


if __name__ == "__main__":
    command(main)
