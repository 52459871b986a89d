"""Train the last layer's answer on kinds alone, the rare ones weighted up; what tells cars from track stays.

python train_kinds.py OUT.npz MINUTES FROM.npz FILES...
"""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch
from model import cars_net, load, save
from torch.nn.functional import cross_entropy
from train_cars import BATCH, augment

WEIGHTS = {"gondola": 1.0, "covered": 1.0, "tank": 1.2, "flat": 2.0, "coach": 2.0, "locomotive": 4.0}
N_STATES = 3


def main(out, minutes, first, files):
    data = [e for f in files for e in pickle.loads(Path(f).read_bytes())["cars"] if (e[1][1] >= 0).any()]
    rng = np.random.default_rng(1)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = cars_net()
    load(net, first)
    body, head = net[:-1], net[-1]
    optimiser = torch.optim.Adam(head.parameters(), lr=3e-3)
    weight = torch.tensor(list(WEIGHTS.values()))
    begun, step = time.time(), 0
    while (now := time.time() - begun) < minutes * 60:
        optimiser.param_groups[0]["lr"] = 3e-3 * max(0.03, 1 - now / (minutes * 60))
        batch = [augment(*data[i], rng, paint=False) for i in rng.choice(len(data), BATCH)]
        views = torch.from_numpy(np.stack([b[0] for b in batch]))
        kinds = torch.from_numpy(np.stack([b[1][1] for b in batch]))
        with torch.no_grad():
            seen = body(views)
        loss = cross_entropy(head(seen)[:, N_STATES:, 0], kinds, weight=weight, ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()
        head.conv.weight.grad[:N_STATES] = 0
        head.conv.bias.grad[:N_STATES] = 0
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(step, f"{now:.0f}s loss {loss.item():.3f}", flush=True)
    save(net, out)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:])
