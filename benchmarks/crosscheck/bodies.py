"""How each shape of railcar looks from above: colour and height over its outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from canvas import Patch, bar, noise, pick, rgb, vary
from stock import BOXES, DARK, SNOW

if TYPE_CHECKING:
    from canvas import Canvas, Floats, Rng
    from light import Light
    from stock import Design

FRAME_M = 1.15
RIM_M = 0.16
DUST = rgb(116, 108, 98)


class Body:
    """One car being painted; colours and heights are kept until `finish`."""

    def __init__(
        self, canvas: Canvas, patch: Patch, design: Design, *, heading: float, light: Light, rng: Rng
    ):
        self.canvas, self.patch, self.design, self.rng, self.px = canvas, patch, design, rng, canvas.px
        self.u, self.v = patch.u, patch.v
        x, y, z = light.to_sun
        c, s = np.cos(heading), np.sin(heading)
        self.axes = c, s
        self.sun = (x * c + y * s, y * c - x * s, z)
        self.diffuse = light.diffuse
        self.half_u, self.half_v = design.length / 2, design.width / 2
        self.alpha = self.rectangle(0.0, 0.0, self.half_u, self.half_v)
        shape = self.alpha.shape
        self.colour: Floats = np.broadcast_to(design.top, (*shape, 3)).copy()
        self.height: Floats = np.full(shape, design.height, np.float32)

    def rectangle(self, u: float, v: float, half_u: float, half_v: float) -> Floats:
        """Coverage by a rectangle in the car's axes."""
        return bar(self.u - u, half_u, self.px) * bar(self.v - v, half_v, self.px)

    def paint(self, alpha: Floats, colour: Floats) -> None:
        """Cover with a colour."""
        self.colour += (colour - self.colour) * alpha[..., None]

    def shade(self, slope_u: Floats | float, slope_v: Floats | float) -> None:
        """Light on a surface that rises by these slopes, against level ground."""
        su, sv, sz = self.sun
        facing = (sz - su * slope_u - sv * slope_v) / np.sqrt(1.0 + np.square(slope_u) + np.square(slope_v))
        share = (1.0 - self.diffuse) * np.clip(facing / max(sz, 0.25), 0.0, 2.2) + self.diffuse
        self.colour *= np.broadcast_to(share, self.alpha.shape)[..., None].astype(np.float32)

    def relief(self) -> None:
        """Light by the slopes of the height painted so far, softened."""
        rise_y, rise_x = np.gradient(np.clip(self.height, 0, None), self.px)
        c, s = self.axes
        slope_u, slope_v = rise_x * c + rise_y * s, rise_y * c - rise_x * s
        self.shade(np.clip(slope_u, -1.2, 1.2), np.clip(slope_v, -1.2, 1.2))

    def lumps(self, scale_m: float) -> Floats:
        """Noise with lumps of this size."""
        return noise(self.alpha.shape, scale_px=scale_m / self.px, rng=self.rng)

    def finish(self, *, only: Floats | None = None) -> None:
        """Dirt, rust, snow; then onto the canvas."""
        design, rng = self.design, self.rng
        streaks = np.interp(
            self.u, np.linspace(-self.half_u, self.half_u, 40), rng.normal(0.0, 1.0, 40)
        ) + self.lumps(2.5)
        self.colour *= np.exp(design.dirt * (0.45 * streaks + 0.35 * self.lumps(0.4)))[..., None]
        self.colour *= np.float32(np.exp(rng.normal(0.0, 0.4 * design.dirt)))
        dust = np.clip(0.12 + design.dirt * (0.5 + 0.4 * self.lumps(3.0)), 0.0, 0.45)
        self.paint(dust.astype(np.float32), DUST)
        rust = np.clip(self.lumps(1.2) - 2.2 + 2.5 * design.dirt, 0.0, 0.6)
        self.paint(rust.astype(np.float32), rgb(104, 68, 50))
        if design.snow:
            cover = np.clip(0.5 + 2.5 * (self.lumps(1.5) + 2.6 * (design.snow - 0.5)), 0.0, 0.96)
            self.paint(cover.astype(np.float32), SNOW * np.float32(rng.uniform(0.8, 1.0)))
        alpha = self.alpha if only is None else only
        self.canvas.put(self.patch, alpha, np.clip(self.colour, 0.003, 1.1), height=self.height)

    def rim(self, half_m: float = RIM_M) -> Floats:
        """The edge of the body, where its side shows in an aslant view."""
        return 1.0 - self.rectangle(0.0, 0.0, self.half_u - half_m, self.half_v - half_m)


def _van(body: Body) -> None:
    d, rng = body.design, body.rng
    arch = rng.uniform(0.08, 0.28) / body.half_v
    body.shade(0.0, -2 * arch * body.v / body.half_v)
    if d.detail in (0, 1):  # panels of sheet metal
        seam = np.abs((body.u / rng.uniform(1.0, 1.5)) % 1.0 - 0.5) < 0.09
        body.colour *= np.where(seam, 0.86, 1.0)[..., None].astype(np.float32)
    if d.detail == 2:  # a walkway along the middle
        body.paint(0.7 * body.rectangle(0, 0, body.half_u, 0.28), d.top * 0.65)
    if rng.random() < 0.15:  # panels replaced
        at = rng.uniform(-0.8, 0.8) * body.half_u
        body.paint(body.rectangle(at, 0, 0.7, body.half_v), vary(d.top, rng, tone=0.4))
    body.paint(body.rim(0.12), d.body)
    body.finish()


def _well(body: Body) -> None:
    d, rng = body.design, body.rng
    inside = body.rectangle(0.0, 0.0, body.half_u - RIM_M, body.half_v - RIM_M)
    floor = FRAME_M + 0.1
    if d.load:
        level = floor + d.fill * (d.height - floor) * rng.uniform(0.9, 1.05)
        n_heaps = int(rng.integers(1, 5))
        along = 0.5 + 0.5 * np.cos(2 * np.pi * n_heaps * (body.u / d.length + 0.5) + np.pi)
        crown = np.clip(1 - (body.v / body.half_v) ** 2, 0, 1)
        rough = {"scrap": 0.3, "logs": 0.12}.get(d.load, 0.07)
        heap = level + 0.55 * crown * (0.55 + 0.45 * along) - 0.25 + rough * body.lumps(0.5)
        top = np.clip(heap, floor, d.height + 0.7)
        if d.load == "logs":
            body.colour *= np.exp(0.35 * np.interp(body.v, np.linspace(-1.6, 1.6, 14), rng.normal(size=14)))[
                ..., None
            ]
        body.colour *= np.exp((0.3 if d.load == "scrap" else 0.08) * body.lumps(0.4))[..., None]
        body.height = np.where(inside > 0.5, top, d.height).astype(np.float32)
        body.relief()
    else:
        leftovers = np.clip(body.lumps(1.5) - 0.6, 0.0, 0.7)
        body.paint(leftovers.astype(np.float32), rgb(120, 104, 84) if d.detail else rgb(50, 48, 46))
        body.height = np.where(inside > 0.5, np.float32(floor), np.float32(d.height)).astype(np.float32)
        if d.detail == 1:  # cross braces at the rim
            for at in np.linspace(-0.6, 0.6, 3) * body.half_u:
                brace = body.rectangle(at, 0, 0.1, body.half_v)
                body.paint(brace, d.body)
                body.height = np.where(brace > 0.5, d.height - 0.2, body.height).astype(np.float32)
    body.paint(1.0 - inside, vary(d.body, rng, tone=0.06) * 1.15)
    body.finish()


def _hopper(body: Body) -> None:
    d = body.design
    inside = body.rectangle(0.0, 0.0, body.half_u - RIM_M, body.half_v - RIM_M)
    n = 2 + body.design.detail
    wave = np.abs(((body.u / d.length + 0.5) * n) % 1.0 - 0.5) * 2
    floor = 1.3 + (d.height - 1.9) * wave**1.5
    body.height = np.where(inside > 0.5, np.minimum(floor, d.height - 0.1), d.height).astype(np.float32)
    body.relief()
    body.colour *= (0.6 + 0.4 * wave)[..., None].astype(np.float32)
    body.paint(1.0 - inside, d.body * 1.1)
    body.finish()


def _cloth(body: Body) -> None:
    d, rng = body.design, body.rng
    n = int(rng.integers(3, 9))
    sag = 0.14 * np.cos(2 * np.pi * n * body.u / d.length)
    ridge = rng.uniform(0.15, 0.6) * (1 - np.abs(body.v) / body.half_v)
    body.height = (d.height - 0.2 + sag + ridge + 0.04 * body.lumps(0.8)).astype(np.float32)
    body.relief()
    body.finish()


def _tank(body: Body) -> None:
    d, rng = body.design, body.rng
    shell = body.half_u - rng.uniform(0.25, 0.7)
    radius = body.half_v * rng.uniform(0.93, 1.0)
    across = np.clip(body.v / radius, -0.98, 0.98)
    bulge = np.clip((np.abs(body.u) - shell + 0.5) / 0.5, 0.0, 0.98)
    round_ = np.sqrt(np.clip(1 - across**2, 0.02, 1)) * np.sqrt(1 - bulge**2 * 0.9)
    cover = body.rectangle(0, 0, shell, radius)
    body.shade(
        np.sign(body.u) * -np.clip(bulge / np.sqrt(1 - bulge**2), 0, 2), -across / np.sqrt(1 - across**2)
    )
    # The glint of a painted cylinder: where its normal lies between the sun and the zenith.
    glint = np.exp(-(((across - body.sun[1] * 0.6) / 0.16) ** 2)) * rng.uniform(0.0, 0.12)
    body.colour += glint[..., None].astype(np.float32)
    body.height = (d.height - radius + radius * round_).astype(np.float32)
    if d.detail in (1, 2):  # a band, or the stain under the dome
        at = 0.0 if d.detail == 1 else rng.uniform(-0.3, 0.3) * body.half_u
        band = body.rectangle(at, 0, rng.uniform(0.15, 0.6), radius)
        body.paint(band * 0.8, rgb(40, 40, 40) if d.top.mean() > 0.1 else rgb(170, 170, 165))
    for at in [0.0] if d.detail < 3 else [-0.4, 0.0, 0.4]:
        dome = np.hypot(body.u - at * shell, body.v) < rng.uniform(0.3, 0.55)
        body.colour *= np.where(dome, 0.75, 1.0)[..., None].astype(np.float32)
        body.height = np.where(dome, d.height + 0.25, body.height).astype(np.float32)
    if d.detail != 2:
        walk = body.rectangle(0, rng.choice([-0.5, 0.0, 0.5]), shell * 0.9, 0.2)
        body.paint(0.5 * walk, d.top * 0.5 + 0.02)
    deck = 1.0 - cover
    body.paint(deck, d.body)
    body.height = np.where(cover > 0.5, body.height, FRAME_M).astype(np.float32)
    body.finish()


def _silo(body: Body) -> None:
    d, rng = body.design, body.rng
    body.shade(0.0, -0.35 * body.v / body.half_v)
    walk = rng.uniform(0.25, 0.5)
    if d.detail < 2:  # a long trough
        body.paint(0.8 * body.rectangle(0, 0, body.half_u * 0.88, walk), d.top * rng.choice([0.55, 1.35]))
    else:  # round hatches
        n = int(rng.integers(3, 7))
        for at in np.linspace(-0.75, 0.75, n) * body.half_u:
            hatch = (np.hypot(body.u - at, body.v) < 0.42).astype(np.float32)
            body.paint(0.8 * hatch, d.top * 0.6)
    for end in (-1, 1):  # platforms
        low = body.rectangle(end * body.half_u, 0, 0.55, body.half_v)
        body.paint(low, d.body * 0.35)
        body.height = np.where(low > 0.5, FRAME_M, body.height).astype(np.float32)
    body.paint(body.rim(0.1) * (np.abs(body.u) < body.half_u - 0.55), d.body)
    body.finish()


def _deck(body: Body) -> None:
    d, rng = body.design, body.rng
    boards = np.arange(-body.half_u, body.half_u, 0.25)
    planks = np.interp(body.u, boards, rng.normal(size=len(boards)))
    body.colour *= np.exp(0.12 * planks + 0.1 * body.lumps(0.5))[..., None]
    if d.detail == 0:
        body.paint(0.6 * body.rectangle(0, 0, body.half_u, 0.3), d.top * 0.6)
    body.paint(body.rim(0.14), d.body)
    for end in (-1, 1):  # end walls
        body.height = np.where(
            np.abs(body.u - end * (body.half_u - 0.08)) < 0.1, d.height + 0.45, body.height
        ).astype(np.float32)
    body.finish()


def _skeleton(body: Body) -> None:
    d, rng = body.design, body.rng
    beams = body.rectangle(0, 0, body.half_u, 0.38)
    for side in (-1, 1):
        beams = np.maximum(beams, body.rectangle(0, side * (body.half_v - 0.14), body.half_u, 0.14))
    for at in np.linspace(-1, 1, int(rng.integers(5, 9))) * (body.half_u - 0.25):
        beams = np.maximum(beams, body.rectangle(at, 0, 0.22, body.half_v))
    body.colour *= np.float32(0.8)
    body.height[:] = d.height
    body.finish(only=beams)


def _boxes(body: Body) -> None:
    d, rng = body.design, body.rng
    sizes = [6.06] if d.length < 13 else [12.19] if rng.random() < 0.55 else [6.06, 6.06]
    if d.length > 17.5:
        sizes = [[12.19, 6.06], [6.06] * 3, [13.7], [12.19]][int(rng.integers(4))]
    if d.length > 24:
        sizes = [[12.19, 12.19], [12.19, 6.06, 6.06], [13.7], [6.06] * 4][int(rng.integers(4))]
    sizes = [sizes[k] for k in rng.permutation(len(sizes))]
    same = rng.random() < 0.5
    body.paint(np.ones_like(body.alpha), d.body)
    body.height[:] = FRAME_M + 0.05
    slack = (d.length - sum(sizes)) / (len(sizes) + 1)
    at = -d.length / 2
    for size in sizes:
        at += slack + size / 2
        if len(sizes) > 1 and rng.random() < 0.1:
            at += size / 2
            continue
        box = body.rectangle(at, 0, size / 2, 1.22)
        colour = vary(d.top, rng, tone=0.1) if same else pick(BOXES, rng)
        ribs = 1.0 + 0.06 * np.sin(2 * np.pi * body.u / 0.35) * (body.px < 0.2)
        body.paint(box, colour * ribs[..., None].astype(np.float32))
        body.height = np.where(box > 0.5, d.height, body.height).astype(np.float32)
        at += size / 2
    body.finish()


def _rack(body: Body) -> None:
    d, rng = body.design, body.rng
    body.shade(0.0, -0.25 * body.v / body.half_v)
    n = int(rng.integers(6, 14))
    seam = np.abs(((body.u / d.length + 0.5) * n) % 1.0 - 0.5) < 0.03 * n / 8
    body.colour *= np.where(seam, 0.8, 1.0)[..., None].astype(np.float32)
    body.paint(body.rim(0.14), d.body)
    body.finish()


def _coach(body: Body) -> None:
    d, rng = body.design, body.rng
    body.shade(0.0, -0.75 * (body.v / body.half_v) ** 3)
    for at in np.linspace(-0.85, 0.85, int(rng.integers(4, 12))) * body.half_u:
        vent = body.rectangle(at, rng.choice([-0.3, 0.0, 0.3]), 0.3, 0.25)
        body.paint(0.7 * vent, d.top * 0.5)
    if d.detail > 1:
        body.paint(body.rectangle(rng.choice([-1, 1]) * 0.7 * body.half_u, 0, 1.6, 0.8), d.top * 0.7 + 0.02)
    body.paint(body.rim(0.14), d.body)
    body.finish()


def _engine(body: Body) -> None:
    d, rng = body.design, body.rng
    cab = rng.choice([-1, 1])
    if d.detail < 2:  # hood: narrow long nose, wide cab, walkways beside
        hood = body.rectangle(0, 0, body.half_u - 0.8, body.half_v * 0.62)
        house = body.rectangle(cab * body.half_u * 0.62, 0, 1.2, body.half_v)
        low = 1.0 - np.maximum(hood, house)
        body.paint(house, d.body * 1.05)
        body.paint(low, d.body * 0.5)
        body.height = np.where(low > 0.5, 1.6, body.height).astype(np.float32)
    else:
        body.shade(0.0, -0.5 * (body.v / body.half_v) ** 3)
        for end in (-1, 1):
            body.paint(body.rectangle(end * (body.half_u - 1.2), 0, 1.2, body.half_v), d.body)
        body.paint(body.rim(0.3), d.body)
    for at in np.linspace(-0.6, 0.55, int(rng.integers(3, 6))) * body.half_u * -cab:  # fans, grilles
        if rng.random() < 0.6:
            fan = (np.hypot(body.u - at, body.v) < rng.uniform(0.5, 0.75)).astype(np.float32)
        else:
            fan = body.rectangle(at, 0, rng.uniform(0.5, 1.4), rng.uniform(0.4, 0.7))
        body.paint(0.8 * fan, pick(DARK, rng))
    if d.detail == 3:  # pantographs
        for at in (-0.55, 0.55):
            body.paint(0.7 * body.rectangle(at * body.half_u, 0, 0.12, 0.9), rgb(150, 80, 60))
    body.finish()


PAINTERS = {
    "van": _van,
    "well": _well,
    "hopper": _hopper,
    "cloth": _cloth,
    "tank": _tank,
    "silo": _silo,
    "deck": _deck,
    "skeleton": _skeleton,
    "boxes": _boxes,
    "rack": _rack,
    "coach": _coach,
    "engine": _engine,
}


def paint_car(
    canvas: Canvas, design: Design, place: tuple[float, float, float], *, light: Light, rng: Rng
) -> None:
    """Put one car of a design on the canvas; ``place`` is its middle and heading."""
    x, y, heading = place
    half_u, half_v = design.length / 2 + 0.5, design.width / 2 + 0.5
    patch = canvas.patch(x, y, heading=heading, half_u=half_u, half_v=half_v)
    if patch is None or min(patch.u.shape) < 3:
        return
    PAINTERS[design.shape](Body(canvas, patch, design, heading=heading, light=light, rng=rng))
