"""Train the network that sees where a track's centre line runs in a corridor."""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch
from model import load, rows_net, save
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
    data = [e for f in files for e in pickle.loads(Path(f).read_bytes())]
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    where = [np.argwhere(lab > 0.5) for _, lab in data]
    net = rows_net()
    if first:
        load(net, first)
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    t0, step, total, ema = time.time(), 0, minutes * 60, None
    while (now := time.time() - t0) < total:
        for g in opt.param_groups:
            g["lr"] = (
                (1e-3 if first else 3e-3)
                * min(1, step / 50)
                * max(0.02, 0.5 * (1 + np.cos(np.pi * now / total)))
            )
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
        logits = net(x)[:, 0]
        use = (y >= 0) & (x[:, 5] > 0.5)
        loss = binary_cross_entropy_with_logits(logits[use], y[use])
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        ema = loss.item() if ema is None else 0.98 * ema + 0.02 * loss.item()
        step += 1
        if step % 100 == 0:
            print(step, f"{now:.0f}s loss {ema:.4f}", flush=True)
            save(net, out)
    save(net, out)


if __name__ == "__main__":
    out, minutes, *rest = sys.argv[1:]
    begin_with = rest.pop(0) if rest[0].endswith(".npz") else None
    main(rest, out, float(minutes), begin_with)
