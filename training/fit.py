"""What the trainings share: examples from files, a loop that stops by the clock, the command line."""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch
from model import load, save

WARM_UP_STEPS = 50
LEAST_RATE = 0.02
"""Of the full learning rate, at the end."""


def read(files):
    """Examples of all files; random numbers begin anew."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # beside other work, waiting threads cost more than they give
    torch.set_flush_denormal(True)
    return [example for file in files for example in pickle.loads(Path(file).read_bytes())]


def fit(net, batch_loss, out, minutes, *, rate, first=None):
    """Lower ``batch_loss(net)``, of another batch each time, for so many minutes; the weights go to ``out``.

    ``first`` are weights to go on from.
    """
    if first:
        load(net, first)
    opt = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
    began, step, total, smooth = time.time(), 0, minutes * 60, None
    while (now := time.time() - began) < total:
        fall = max(LEAST_RATE, 0.5 * (1 + np.cos(np.pi * now / total)))
        for group in opt.param_groups:
            group["lr"] = rate * min(1, step / WARM_UP_STEPS) * fall
        loss = batch_loss(net)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        step += 1
        if step % 100 == 0:
            print(step, f"{now:.0f}s loss {smooth:.4f}", flush=True)
            save(net, out)
    save(net, out)


def command(main):
    """``python train_X.py OUT MINUTES [FIRST.npz] PICKLES``."""
    out, minutes, *rest = sys.argv[1:]
    first = rest.pop(0) if rest[0].endswith(".npz") else None
    main(rest, out, float(minutes), first)
