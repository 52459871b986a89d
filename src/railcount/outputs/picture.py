"""A page of pixels to draw on: stretched imagery, lines, text; the same bytes every time.

Built on matplotlib's objects alone (Agg), without pyplot's global state, so that it
may run in any thread or process.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.files import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from numpy.typing import NDArray
    from PIL.Image import Image

    from railcount.counts import Kind

DPI = 100
POINTS_PER_PX = 72 / DPI
INK = "#202020"
FAINT = "#5a5a5a"
LIGHT = "white"
"""Of labels on pixels, with a halo."""
HALO_PX = 3.5
DASH_PX = 5.0
NO_DATA_RGB = (226, 226, 232)
STRETCH_PERCENT = (2.0, 98.0)
_STRETCH_SAMPLES = 2_000_000

KIND_COLOURS: dict[Kind, str] = {
    "gondola": "#E69F00",
    "covered": "#56B4E9",
    "tank": "#F0E442",
    "flat": "#009E73",
    "coach": "#0072B2",
    "locomotive": "#D55E00",
    "unknown": "#CC79A7",
}
"""Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """How units become grey levels: one range per drawn band."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def to_rgb(self, bands: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """(bands, rows, cols) to (rows, cols, 3); pixels that are not valid get NO_DATA_RGB."""
        levels = [
            np.clip((band - low) / (high - low) * 255.0, 0, 255).astype(np.uint8)
            for band, low, high in zip(bands, self.low, self.high, strict=False)
        ]
        rgb = np.stack(levels if len(levels) == 3 else levels[:1] * 3, axis=-1)
        rgb[~valid] = NO_DATA_RGB
        return rgb


def stretch_of(bands: NDArray[np.float32], valid: NDArray[np.bool_]) -> Stretch:
    """The 2nd to 98th percentile of each of the first three bands over valid pixels.

    ``bands`` is (bands, rows, cols), ``valid`` (rows, cols), True = usable. Large images
    are sampled on a grid.
    """
    step = max(1, int(np.sqrt(valid.size / _STRETCH_SAMPLES)))
    usable = valid[::step, ::step]
    shown = bands[:3] if len(bands) >= 3 else bands[:1]
    low, high = [], []
    for band in shown:
        values = band[::step, ::step][usable]
        a, b = np.percentile(values, STRETCH_PERCENT) if values.size else (0.0, 1.0)
        low.append(float(a))
        # A flat band is drawn dark rather than divided by nothing.
        high.append(float(b) if b > a else float(a) + 1.0)
    return Stretch(low=tuple(low), high=tuple(high))


def shrunk(rgb: NDArray[np.uint8], *, step: int) -> NDArray[np.uint8]:
    """(rows, cols, 3) with blocks of step x step pixels averaged; what is left over at the edges is cut."""
    if step <= 1:
        return rgb
    rows, cols = rgb.shape[0] // step, rgb.shape[1] // step
    blocks = rgb[: rows * step, : cols * step].reshape(rows, step, cols, step, 3)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32).round(), dtype=np.uint8)


class Page:
    """A white page of ``width`` x ``height`` pixels; x right, y down, both in pixels."""

    def __init__(self, *, width: int, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width = width
        self.height = height
        self._figure: Figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes: Axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(height, 0)

    def image(self, rgb: NDArray[np.uint8], *, box: tuple[float, float, float, float]) -> None:
        """Draw (rows, cols, 3) into the box (left, top, right, bottom)."""
        left, top, right, bottom = box
        step = max(1, int(rgb.shape[1] // max(1.0, right - left)))
        self._axes.imshow(
            shrunk(rgb, step=step),
            extent=(left, right, bottom, top),
            aspect="auto",
            interpolation="antialiased",
            zorder=1,
        )
        # imshow moves the limits to its extent.
        self._axes.set_xlim(0, self.width)
        self._axes.set_ylim(self.height, 0)

    def lines(
        self,
        lines: Sequence[NDArray[np.float64]],
        *,
        colour: str | Sequence[str],
        width: float,
        alpha: float = 1.0,
        clip: tuple[float, float, float, float] | None = None,
        halo: bool = False,
        dashed: bool = False,
    ) -> None:
        """Polylines, each (n, 2); ``width`` in pixels; ``halo`` puts a dark edge under them."""
        from matplotlib.collections import LineCollection
        from matplotlib.transforms import Bbox, TransformedBbox

        if not lines:
            return
        passes: list[tuple[Any, float, float]] = [(colour, width, alpha)]
        if halo:
            passes.insert(0, ("black", width + 1.6, 0.55 * alpha))
        for paint, wide, see_through in passes:
            drawn = LineCollection(
                list(lines),
                colors=paint,
                linewidths=wide * POINTS_PER_PX,
                linestyles=[(0, [DASH_PX / wide, DASH_PX / wide])] if dashed else "solid",
                alpha=see_through,
                zorder=2,
            )
            self._axes.add_collection(drawn, autolim=False)
            if clip is not None:
                left, top, right, bottom = clip
                box = Bbox.from_extents(left, top, right, bottom)
                drawn.set_clip_box(TransformedBbox(box, self._axes.transData))

    def rectangle(self, box: tuple[float, float, float, float], *, colour: str, alpha: float = 1.0) -> None:
        """A filled box (left, top, right, bottom)."""
        from matplotlib.patches import Rectangle

        left, top, right, bottom = box
        self._axes.add_patch(
            Rectangle((left, top), right - left, bottom - top, facecolor=colour, alpha=alpha, lw=0, zorder=3)
        )

    def hatch(self, box: tuple[float, float, float, float], *, colour: str) -> None:
        """Slanting lines in a box (left, top, right, bottom)."""
        from matplotlib.patches import Rectangle

        left, top, right, bottom = box
        for paint, wide in (("black", 2.6), (colour, 1.2)):
            lines = Rectangle(
                (left, top),
                right - left,
                bottom - top,
                fill=False,
                hatch="/////",
                edgecolor=paint,
                lw=0,
                zorder=2,
            )
            lines.set_hatch_linewidth(wide * POINTS_PER_PX)
            self._axes.add_patch(lines)

    def text(
        self,
        at: tuple[float, float],
        words: str,
        *,
        size: float = 12.0,
        colour: str = INK,
        bold: bool = False,
        across: str = "left",
        down: str = "center",
        halo: bool = False,
    ) -> None:
        """One line of text, ``size`` in pixels; ``halo`` puts a dark edge around it, for light text."""
        from matplotlib.patheffects import withStroke

        edge = [withStroke(linewidth=HALO_PX * POINTS_PER_PX, foreground="black", alpha=0.75)] if halo else []
        self._axes.text(
            *at,
            drawable(words),
            fontproperties=_font(bold=bold),
            fontsize=size * POINTS_PER_PX,
            color=colour,
            ha=across,
            va=down,
            path_effects=edge,
            parse_math=False,
            zorder=4,
        )

    def to_image(self) -> Image:
        """The page as drawn, to be shown rather than kept."""
        from PIL import Image

        self._canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(self._canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return Image.fromarray(drawn).convert("RGB")

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a PNG, whole or not at all; raises OutputExists and OutputError."""
        with replacing(path, overwrite=overwrite) as temporary:
            self._canvas.print_png(  # type: ignore[no-untyped-call]
                temporary, metadata={"Software": "railcount"}
            )


def text_width(words: str, *, size: float, bold: bool = False) -> float:
    """How wide ``Page.text`` draws it, in pixels."""
    from matplotlib.textpath import TextPath

    # A dollar sign would begin a formula.
    text = drawable(words).replace("$", r"\$")
    path = TextPath((0, 0), text, size=size, prop=_font(bold=bold))
    return float(path.get_extents().width) if len(path.vertices) else 0.0


def wrapped(words: str, *, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines of about ``width`` pixels at most: as many letters as fit at this text's own mean width."""
    text = drawable(words)
    wide = text_width(text, size=size, bold=bold)
    return textwrap.wrap(text, max(20, int(0.97 * width * len(text) / max(wide, 1.0))))


def drawable(words: str) -> str:
    """``words`` on one line, with escapes for the letters that the font lacks."""
    from railcount.text import escape

    known = _letters()
    return "".join(
        c if ord(c) in known else c.encode("unicode_escape").decode("ascii") for c in escape(words)
    )


@lru_cache(maxsize=2)
def _font(*, bold: bool) -> FontProperties:
    """The font that matplotlib brings along, so that every machine draws the same page."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)))


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(str(_font(bold=False).get_file())).get_charmap())
