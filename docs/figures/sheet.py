"""Pages for the pictures of docs/METHOD.md: boxes in pixels, and small files with exact colours."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from railcount.outputs.picture import DPI, FAINT, INK, KIND_COLOURS, NO_DATA_RGB

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

WIDTH_PX = 1400
MARGIN_PX = 20
COLOURS = 160
"""Of a picture's own in its palette, beside those of marks: keeps the files small."""
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
DIVERGING = "PuOr_r"


class Sheet:
    """A white page of WIDTH_PX x ``height`` pixels with a title; boxes are (left, top, right, bottom)."""

    def __init__(self, title: str, *, height: int) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH_PX / DPI, height / DPI), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self.figure)
        self.words(MARGIN_PX, 20, f"{title} - simulated", size=17, bold=True)

    def words(
        self, x: float, y: float, text: str, *, size: float = 13, bold: bool = False, colour: str = INK
    ) -> None:
        """A line of text at page pixels, ``size`` in pixels."""
        self.figure.text(
            x / WIDTH_PX,
            1 - y / self.height,
            text,
            fontsize=size * 72 / DPI,
            fontweight="bold" if bold else "normal",
            family="DejaVu Sans",
            color=colour,
            va="center",
        )

    def axes(self, box: tuple[float, float, float, float], *, frame: bool = True) -> Axes:
        """Axes that fill a box."""
        left, top, right, bottom = box
        axes = self.figure.add_axes(
            (
                left / WIDTH_PX,
                1 - bottom / self.height,
                (right - left) / WIDTH_PX,
                (bottom - top) / self.height,
            )
        )
        axes.tick_params(labelsize=12 * 72 / DPI)
        if not frame:
            axes.set_axis_off()
        return axes

    def save(self, path: Path, *, scale: bool = False) -> None:
        """Write the picture; ``scale`` keeps the colours of DIVERGING exact."""
        buffer = io.BytesIO()
        self._canvas.print_png(buffer)
        write_small(Image.open(buffer), path, scale=scale)


def write_small(page: Image.Image, path: Path, *, colours: int = COLOURS, scale: bool = False) -> None:
    """A PNG with a palette, which is a third of the size; the colours of marks stay exact."""
    rgb = page.convert("RGB")
    found = rgb.quantize(colours, method=Image.Quantize.MEDIANCUT).getpalette()
    own = np.array(found).reshape(-1, 3)[:colours]
    own[own.min(axis=1) > 245] = 255  # paper stays white
    marks = [to_rgb(c) for c in (*KIND_COLOURS.values(), BLUE, ORANGE, VERMILION, INK, FAINT, "white")]
    steps = colormaps[DIVERGING](np.linspace(0, 1, 61))[: 61 * scale, :3]
    exact = (255 * np.concatenate([marks, steps])).round().astype(int)
    exact = np.concatenate([exact, [NO_DATA_RGB]])
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([own, exact]).ravel().tolist())
    rgb.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def picture(axes: Axes, rgb: NDArray[Any], *, extent: tuple[float, float, float, float], **more: Any) -> Any:
    """An image in axes, its pixels as they are."""
    return axes.imshow(rgb, extent=extent, aspect="auto", interpolation="nearest", **more)


def grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A pale grey version, to draw on."""
    level = rgb.mean(axis=-1)
    return np.repeat((150 + level * 0.4).astype(np.uint8)[..., None], 3, axis=-1)
