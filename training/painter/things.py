"""What else stands about: buildings, trees, masts, vehicles, roads, containers."""

from __future__ import annotations

import numpy as np

from .canvas import earth, green, hue, paint_of
from .ground import aside, stripe


def unit(angle):
    """The direction at that angle."""
    return np.array([np.cos(angle), np.sin(angle)])


def building(canvas, centre, along, length, width, *, height=None):
    """A flat, gabled or serrated roof with seams, skylights and boxes on it."""
    rng = canvas.rng
    found = canvas.window(centre, along, length / 2, width / 2)
    if found is None:
        return
    part, u, v = found
    height = rng.uniform(3, 10) if height is None else height
    base = hue(rng, rng.uniform(0.12, 0.95), 0.03) if rng.random() < 0.75 else paint_of(rng)
    edge = np.minimum(length / 2 - np.abs(u), width / 2 - np.abs(v))
    tone = (
        1 + rng.uniform(0, 0.08) * canvas.grain(2, u.shape) + rng.uniform(0, 0.05) * canvas.grain(1, u.shape)
    )
    seam = rng.uniform(0.6, 6)
    tone *= 1 - rng.uniform(0, 0.25) * (((u if rng.random() < 0.7 else v) + 500) % seam < 0.3)
    z = np.full(u.shape, height, np.float32)
    how = rng.random()
    if how < 0.4:
        z += (width / 2 - np.abs(v)) * rng.uniform(0.05, 0.5)
    elif how < 0.5:
        z += ((v + 500) % rng.uniform(5, 12)) * 0.3
    if rng.random() < 0.4:
        sky = (np.abs((u + 500) % rng.uniform(4, 14) - 2) < 0.6) & (np.abs(np.abs(v) - width / 4) < width / 8)
        tone = np.where(sky, tone * rng.uniform(0.5, 1.6), tone)
    canvas.blend(part, canvas.soft(edge), base[:, None, None] * tone)
    canvas.raise_to(part, edge > 0, z, hue(rng, rng.uniform(0.1, 0.6)))


def tree(canvas, centre, radius, leaf):
    """A round, lumpy crown."""
    found = canvas.window(centre, (1, 0), radius, radius)
    if found is None:
        return
    part, u, v = found
    far = np.hypot(u, v) + 0.25 * radius * canvas.grain(2, u.shape) * 0.6
    crown = np.sqrt(np.clip(1 - (far / radius) ** 2, 0, 1))
    top = (1.2 * radius + 1) * (0.4 + 0.6 * crown) + 0.5 * canvas.grain(1, u.shape)
    tone = leaf[:, None, None] * (1 + 0.25 * canvas.grain(1, u.shape))
    canvas.blend(part, canvas.soft(radius - far), tone)
    canvas.raise_to(part, far < radius, np.maximum(top, 0.5), leaf * 0.6)


def trees(canvas, n, clear=()):
    """Trees alone, in rows or in woods, away from the lines in ``clear``."""
    rng, leaf = canvas.rng, green(canvas.rng, 0.05, 0.18)
    points = np.concatenate([c[::4] for c in clear]) if len(clear) else np.zeros((0, 2))
    size = np.array([canvas.width_m, canvas.height_m])
    while n > 0:
        many = int(min(n, rng.choice([1, rng.integers(3, 20)])))
        middle, d = rng.uniform(0, 1, 2) * size, unit(rng.uniform(0, np.pi)) * rng.uniform(4, 9)
        row = rng.random() < 0.5
        for k in range(many):
            at = middle + (d * (k - many / 2) if row else rng.normal(0, 9, 2))
            radius = rng.uniform(1.2, 5.0)
            if not len(points) or ((points - at) ** 2).sum(1).min() > (radius + 1.6) ** 2:
                tree(canvas, at, radius, leaf * rng.normal(1, 0.12))
        n -= many


def vehicle(canvas, centre, along, *, what=None):
    """A car, van, bus or lorry."""
    rng = canvas.rng
    what = rng.choice(["car", "car", "van", "rigid", "lorry", "bus"]) if what is None else what
    side = np.array([-along[1], along[0]])
    if what == "car":
        length, grey = rng.uniform(3.8, 5.1), hue(rng, rng.choice([0.05, 0.3, 0.6, 0.85]))
        paint = grey if rng.random() < 0.7 else paint_of(rng)
        canvas.box(centre, along, length, 1.85, height=0.9, colour=paint)
        canvas.box(centre - 0.3 * along, along, length * 0.62, 1.6, height=1.4, colour=paint * 0.25)
        canvas.box(centre - 0.4 * along, along, length * 0.35, 1.45, height=1.5, colour=paint)
    elif what in ("van", "bus"):
        length = rng.uniform(5, 7) if what == "van" else rng.uniform(9, 14)
        paint = hue(rng, rng.uniform(0.6, 0.95)) if rng.random() < 0.6 else paint_of(rng)
        canvas.box(centre, along, length, 2.3 if what == "van" else 2.55, height=2.9, colour=paint)
        for k in range(rng.integers(0, 4)):
            canvas.box(
                centre + along * (k - 1.5) * length / 5, along, 1.2, 1.2, height=3.1, colour=paint * 0.7
            )
    else:
        length = rng.uniform(6, 10) if what == "rigid" else rng.uniform(12, 16.2)
        load = hue(rng, rng.uniform(0.55, 0.97), 0.02) if rng.random() < 0.65 else paint_of(rng)
        if what != "trailer":
            canvas.box(centre + along * (length / 2 + 1.6), along, 2.3, 2.4, height=3.0, colour=paint_of(rng))
        canvas.box(centre, along, length, 2.55, height=rng.uniform(3.4, 4.1), colour=load)
        if rng.random() < 0.3:
            canvas.box(centre + side * 0.0, along, length, 0.2, height=0, colour=load * 0.6)


def road(canvas, line, half_m, *, traffic=0.02, lorries=0.4):
    """A paved or dirt road with marks and vehicles on it."""
    rng = canvas.rng
    stripe(canvas, line, half_m, earth(rng, 0.1, 0.5), ragged=rng.choice([0.0, 0.4]), grain=0.05)
    lanes = max(1, int(half_m * 2 // 3.4))
    marks = hue(rng, rng.uniform(0.5, 0.9), 0.02)
    dashed = rng.uniform(3, 8)
    for k in range(lanes + 1) if rng.random() < 0.75 else ():
        for part, inside, s, v in canvas.pieces(
            aside(line, -half_m + 0.3 + k * (2 * half_m - 0.6) / lanes), 0.5
        ):
            on = (s % 12 < dashed) | (k in (0, lanes))
            canvas.blend(part, np.clip((0.12 - np.abs(v)) / canvas.step_m + 0.5, 0, 0.8) * inside * on, marks)
    for k in range(lanes):
        path = aside(line, -half_m + 0.3 + (k + 0.5) * (2 * half_m - 0.6) / lanes)
        i = int(rng.integers(0, 30))
        while i < len(path) - 3:
            if rng.random() < traffic * 25:
                d = path[i + 2] - path[i]
                what = rng.choice(["lorry", "rigid", "bus"]) if rng.random() < lorries else None
                vehicle(
                    canvas, path[i], d / max(np.hypot(*d), 1e-6) * (1 if k < lanes / 2 else -1), what=what
                )
            i += int(rng.integers(20, 60))


def masts(canvas, lines):
    """Poles between tracks, with arms or portals: thin, high, with thin shadows."""
    rng = canvas.rng
    tall, tone, arm = rng.uniform(5, 10), hue(rng, rng.uniform(0.1, 0.6)), rng.choice([0, 4, 30])
    pitch = int(rng.integers(35, 70))
    for line in lines[:: int(rng.integers(2, 6))]:
        path = aside(line.points, rng.choice([-1, 1]) * 2.3)
        for i in range(int(rng.integers(0, pitch)), len(path) - 2, pitch):
            d = path[i + 1] - path[i]
            across = np.array([-d[1], d[0]]) / max(np.hypot(*d), 1e-6)
            canvas.box(path[i], d, 0.4, 0.4, height=tall, colour=tone)
            if arm:
                canvas.box(path[i] + across * arm / 2, across, arm, 0.3, height=tall * 0.9, colour=tone)


def by_the_tracks(canvas, lines, *, crowded):
    """Buildings, vehicles, stores and heaps where no track is."""
    rng, points = canvas.rng, np.concatenate([line.points[::3] for line in lines])
    size = np.array([canvas.width_m, canvas.height_m])
    main = lines[0].points
    d = main[-1] - main[0]
    d = d / np.hypot(*d)
    for _ in range(crowded):
        at, half = rng.uniform(-0.05, 1.05, 2) * size, rng.uniform(3, 40)
        along = d if rng.random() < 0.7 else unit(rng.uniform(0, np.pi))
        wide = rng.uniform(2, 14)
        room = np.sqrt(((points - at) ** 2).sum(1).min())
        near = at + along * np.linspace(-half, half, 9)[:, None]
        room = min(room, np.sqrt(((points[None] - near[:, None]) ** 2).sum(-1).min())) - wide - 2.2
        if room < 0:
            continue
        how = rng.random()
        if how < 0.45 and not any(canvas.taken(p) for p in near):
            building(canvas, at, along, 2 * half, 2 * wide)
        elif how < 0.75:
            for k in np.arange(-half, half, rng.uniform(3.5, 14)):
                turned = along if rng.random() < 0.5 else np.array([-along[1], along[0]])
                if not any(canvas.taken(at + along * k + turned * q) for q in (-7, 0, 7)):
                    vehicle(canvas, at + along * k, turned)
        elif not canvas.taken(at):
            canvas.box(at, along, min(2 * half, 12.2), 2.44, height=2.6, colour=paint_of(rng))
