"""The kinds of scenes: what each fixes; all else is drawn within plausible ranges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stock import MIXED

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a kind of scene is made of; ranges are drawn from by seed."""

    gsd_m: Range = (0.45, 0.6)
    rows_cols: tuple[int, int] = (900, 1400)
    layout: str = "parallel"
    """parallel, ladder, curved; none for a scene without tracks."""
    n_tracks: tuple[int, int] = (8, 26)
    spacing_m: Range = (4.4, 5.3)
    lanes: bool = True
    fill: Range = (0.25, 0.7)
    """Share of the track length under cars."""
    string: float = 9.0
    """Cars coupled together, on average."""
    stock: dict[str, float] = field(default_factory=lambda: dict(MIXED))
    engines: float = 0.06
    """Probability that a string has a locomotive at its head."""
    block: float = 6.0
    """Cars of one design in a row, on average."""
    tones: tuple[str, ...] = ("grey", "grey", "brown", "light")
    weeds: Range = (0.0, 0.7)
    stains: Range = (0.15, 0.6)
    green: Range = (0.15, 0.6)
    """Share of grass on open ground."""
    view_deg: Range = (0.0, 20.0)
    sun_deg: Range = (28.0, 60.0)
    snow: Range = (0.0, 0.0)
    car_snow: Range = (0.0, 0.0)
    haze: Range = (0.0, 0.03)
    blur_px: Range = (0.38, 0.6)
    noise: Range = (0.006, 0.02)
    jpeg: tuple[int, int] | None = None
    sharpen: Range = (0.0, 0.6)
    chroma_blur_px: Range = (0.0, 1.5)
    is_pan: bool = False
    wide: bool = False
    gantries: float = 0.35
    """Probability of portals across the tracks; else there may be masts."""
    beside: tuple[str, ...] = ("trees", "trees", "road", "roofs", "lot")
    """What may stand outside the tracks."""
    crowd: float = 0.5
    """How much of it."""
    field_of: str = ""
    """What covers a scene without tracks."""


YARD = Plan()
NOTHING = replace(YARD, layout="none", n_tracks=(0, 0), beside=())


def _only(**weights: float) -> dict[str, float]:
    return weights


KINDS: dict[str, Plan] = {
    "mixed": YARD,
    "dark_cars": replace(YARD, stock=_only(dark=1.0), tones=("dark",), stains=(0.3, 0.9)),
    "coal_yard": replace(YARD, stock=_only(coal=1.0), fill=(0.86, 0.97), string=30, block=14, engines=0.1),
    "grey_on_grey": replace(YARD, stock=_only(grey=1.0), tones=("grey",)),
    "tight": replace(YARD, spacing_m=(3.6, 4.0), fill=(0.85, 0.97), string=18, lanes=False, n_tracks=(6, 16)),
    "sparse": replace(YARD, string=1.5, fill=(0.02, 0.1), engines=0.03),
    "empty": replace(YARD, fill=(0.0, 0.0)),
    "tanks": replace(YARD, stock=_only(tank=1.0)),
    "covered_hoppers": replace(YARD, stock=_only(covered_hopper=1.0)),
    "boxcars_white": replace(YARD, stock=_only(white_boxcar=1.0)),
    "empty_flats": replace(YARD, stock=_only(flat=1.0)),
    "containers_on_flats": replace(YARD, stock=_only(containers=1.0)),
    "autoracks": replace(YARD, stock=_only(autorack=1.0)),
    "coaches": replace(YARD, stock=_only(coach=1.0), block=10),
    "locomotives": replace(YARD, stock=MIXED | {"locomotive": 6.0}, string=3, fill=(0.12, 0.3), engines=0.4),
    "snow": replace(YARD, snow=(0.55, 1.0), haze=(0.0, 0.05), sun_deg=(14.0, 35.0)),
    "snow_covered_cars": replace(YARD, snow=(0.5, 1.0), car_snow=(0.6, 1.0), sun_deg=(14.0, 35.0)),
    "haze": replace(YARD, haze=(0.12, 0.32)),
    "low_sun": replace(YARD, sun_deg=(10.0, 18.0)),
    "high_sun": replace(YARD, sun_deg=(68.0, 80.0)),
    "aslant": replace(YARD, view_deg=(22.0, 30.0)),
    "ladder": replace(YARD, layout="ladder", n_tracks=(7, 13), lanes=False),
    "curved": replace(YARD, layout="curved", n_tracks=(3, 12)),
    "single_line": replace(YARD, n_tracks=(1, 2), fill=(0.3, 0.8), green=(0.4, 0.9), crowd=1.0),
    "jpeg": replace(YARD, jpeg=(38, 70)),
    "blur": replace(YARD, blur_px=(0.9, 1.5), sharpen=(0.0, 0.2)),
    "gsd03": replace(YARD, gsd_m=(0.28, 0.34)),
    "gsd07": replace(YARD, gsd_m=(0.66, 0.76), rows_cols=(800, 1200)),
    "gsd10": replace(YARD, gsd_m=(0.92, 1.05), rows_cols=(600, 900)),
    "autorack_terminal": replace(
        YARD,
        stock=_only(autorack=1.0),
        gsd_m=(0.84, 0.94),
        rows_cols=(640, 900),
        spacing_m=(4.0, 4.8),
        n_tracks=(5, 16),
        fill=(0.3, 0.9),
        string=12,
        block=6,
        beside=("lot", "lot", "lot", "road"),
        crowd=3.0,
        jpeg=(60, 90),
    ),
    "pan": replace(YARD, is_pan=True),
    "gain16": replace(YARD, wide=True),
    "small_yard_in_town": replace(
        YARD, n_tracks=(2, 5), fill=(0.2, 0.6), string=4, crowd=2.5, beside=("roofs", "lot", "road", "trees")
    ),
    "trailers_beside_yard": replace(YARD, n_tracks=(3, 8), beside=("trailers", "road"), crowd=2.0),
    "containers_beside_yard": replace(YARD, n_tracks=(3, 8), beside=("containers", "road"), crowd=2.0),
    "trailers_lot": replace(NOTHING, field_of="trailers"),
    "container_stacks": replace(NOTHING, field_of="containers"),
    "car_park": replace(NOTHING, field_of="lot"),
    "highway": replace(NOTHING, field_of="highway"),
    "greenhouse": replace(NOTHING, field_of="greenhouse"),
    "roofs": replace(NOTHING, field_of="roofs"),
    "ploughed_field": replace(NOTHING, field_of="plough"),
    "housing_rows": replace(NOTHING, field_of="housing"),
}
FIRST_TO_LEARN_FROM = 10_000
"""Seed: those below are for measuring, those from here on for training (training/second.py)."""
WITHOUT_CARS = ("empty", *(name for name, plan in KINDS.items() if plan.layout == "none"))
