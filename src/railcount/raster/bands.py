"""Which bands of a raster are the image, and how they become gray or colour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.errors import TileRefused
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
GRAY = ("gray",)
RGB = ("red", "green", "blue")
RGBN = ("red", "green", "blue", "nir")

VENDOR_ORDERS: dict[tuple[str, int], tuple[int, ...]] = {
    ("planetscope", 4): (3, 2, 1, 4),
    ("planetscope", 8): (6, 4, 2, 8),
    ("skysat", 4): (3, 2, 1, 4),
    ("maxar", 4): (3, 2, 1, 4),
    ("maxar", 8): (5, 3, 2, 7),
    ("pleiades", 4): (1, 2, 3, 4),
}
"""(vendor, number of bands): the bands red, green, blue, nir, from 1. Planet's analytic products are
blue, green, red, NIR, its eight-band ones coastal, blue, green I, green, yellow, red, red edge, NIR
(Planet imagery product specifications); Maxar's are blue, green, red, NIR and coastal, blue, green,
yellow, red, red edge, NIR1, NIR2; Pleiades' are red, green, blue, NIR (Airbus user guide)."""


_LOSSY_BLACK = 4.0
"""JPEG of quality 75 leaves black within 4 of 0, away from edges."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BandPlan:
    """How to read an image from a dataset."""

    indexes: tuple[int, ...]
    """Bands of the file, from 1, in the order of ``names`` (one band for a palette)."""
    names: tuple[str, ...]
    alpha: int | None = None
    """Band of opacity, from 1."""
    palette: NDArray[np.float32] | None = None
    """(entries, 4): red, green, blue, alpha per value, 0-255."""
    invert_from: float | None = None
    """Min-is-white: pixels become this minus the value."""
    nodata: float | None = None
    black: float = 0.0
    """Pixels up to this in every band may be collar: 0, or a little more after lossy compression."""
    has_mask: bool = False
    """True where the file holds a mask of its own."""
    notes: tuple[str, ...] = ()
    """What was done to the bands, documented and certain."""
    reasons: tuple[str, ...] = ()
    """What had to be guessed."""


def plan_bands(dataset: Any, *, vendor: str | None = None) -> BandPlan:
    """Choose the image bands of an open rasterio dataset.

    ``vendor`` (a NameInfo's) tells the order of bands that do not say what they are.
    Raises TileRefused, with the reason, for what is not an image.
    """
    _check_dtype(dataset)
    interps = [interp.name for interp in dataset.colorinterp]
    alpha = next((i for i, name in enumerate(interps, 1) if name == "alpha"), None)
    candidates = [i for i in range(1, dataset.count + 1) if i != alpha]
    structure = dataset.tags(ns="IMAGE_STRUCTURE")
    _check_colour_space(interps, structure)
    lossy = "JPEG" in structure.get("COMPRESSION", "") and dataset.dtypes[0] == "uint8"
    common: dict[str, Any] = {
        "nodata": dataset.nodata,
        "alpha": alpha,
        "has_mask": _has_mask(dataset),
        "black": _LOSSY_BLACK if lossy else 0.0,
    }
    if interps[candidates[0] - 1 if candidates else 0] == "palette":
        return BandPlan(
            indexes=(candidates[0],), names=RGB, palette=_palette(dataset, candidates[0]),
            notes=("the colours come from the file's palette",), **common,
        )  # fmt: skip
    if len(candidates) == 1:
        invert = _invert_from(dataset) if structure.get("MINISWHITE") == "YES" else None
        notes = ("the file stores white as 0: inverted",) if invert is not None else ()
        return BandPlan(indexes=(candidates[0],), names=GRAY, invert_from=invert, notes=notes, **common)
    named = _by_name(dataset, interps, candidates)
    if named is not None:
        return BandPlan(indexes=named, names=RGBN[: len(named)], **common)
    return _by_order(candidates, vendor=vendor, common=common)


def _check_dtype(dataset: Any) -> None:
    kinds = sorted(set(dataset.dtypes))
    if len(kinds) > 1 or kinds[0] not in DTYPES:
        raise TileRefused(
            f"pixels of type {', '.join(kinds)} are not an image railcount reads: {', '.join(DTYPES)} are "
            "(convert with gdal_translate -ot)"
        )
    n_bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", "")
    if n_bits.isdigit() and int(n_bits) < 8 and kinds[0] == "uint8":
        raise TileRefused(f"pixels of {n_bits} bit are a mask or a drawing, not a photograph")


def _check_colour_space(interps: Sequence[str], structure: dict[str, str]) -> None:
    strange = {"cyan", "magenta", "yellow", "black", "hue", "saturation", "lightness", "Y", "Cb", "Cr"}
    # yellow alone is a spectral band of some sensors
    found = [name for name in interps if name in strange]
    if len(found) > 1:
        raise TileRefused(
            f"the bands are {', '.join(found)}: convert the image to red, green, blue with gdal_translate"
        )
    space = structure.get("SOURCE_COLOR_SPACE", "")
    if space in {"CMYK", "CIELAB"}:
        raise TileRefused(f"the image is {space}: convert it to red, green, blue first")


def _has_mask(dataset: Any) -> bool:
    flags = [flag.name for flag in dataset.mask_flag_enums[0]]
    return "per_dataset" in flags and "alpha" not in flags


def _palette(dataset: Any, index: int) -> NDArray[np.float32]:
    entries = dataset.colormap(index)
    size = 65536 if dataset.dtypes[index - 1] == "uint16" else 256
    table = np.zeros((size, 4), dtype=np.float32)
    for value, colour in entries.items():
        if 0 <= value < size:
            table[value] = colour
    return table


def _invert_from(dataset: Any) -> float:
    if dataset.dtypes[0] not in {"uint8", "uint16"}:
        raise TileRefused(f"min-is-white pixels of type {dataset.dtypes[0]} have no known white")
    n_bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", "")
    bits = int(n_bits) if n_bits.isdigit() else np.iinfo(dataset.dtypes[0]).bits
    return float(2**bits - 1)


_WORDS = {
    "red": re.compile(r"^(band[ _]?\w*[ _:-]+)?red([ _-]?band)?$", re.IGNORECASE),
    "green": re.compile(r"^(band[ _]?\w*[ _:-]+)?green([ _-]?band)?$", re.IGNORECASE),
    "blue": re.compile(r"^(band[ _]?\w*[ _:-]+)?blue([ _-]?band)?$", re.IGNORECASE),
    "nir": re.compile(r"^(band[ _]?\w*[ _:-]+)?(nir1?|near[ _-]?infra ?red)([ _-]?band)?$", re.IGNORECASE),
}


def _by_name(dataset: Any, interps: Sequence[str], candidates: Sequence[int]) -> tuple[int, ...] | None:
    """Bands whose colour is stated, by colour interpretation or description; None where it is not."""
    described = [one_line(text or "") for text in dataset.descriptions]
    found: dict[str, int] = {}
    for name, pattern in _WORDS.items():
        stated = [i for i in candidates if interps[i - 1] == name]
        stated = stated or [i for i in candidates if pattern.match(described[i - 1])]
        if stated:
            found[name] = stated[0]
    if not all(name in found for name in RGB):
        return None
    rest = [i for i in candidates if i not in found.values()]
    if "nir" not in found and len(candidates) == 4 and interps[rest[0] - 1] == "undefined":
        found["nir"] = rest[0]
    return tuple(found[name] for name in RGBN if name in found)


def _by_order(candidates: Sequence[int], *, vendor: str | None, common: dict[str, Any]) -> BandPlan:
    n = len(candidates)
    order = VENDOR_ORDERS.get((vendor or "", n))
    if order is not None:
        note = f"the bands do not say their colour: taken in {vendor}'s documented order"
        indexes = tuple(candidates[i - 1] for i in order)
        return BandPlan(indexes=indexes, names=RGBN, notes=(note,), **common)
    if n == 3:
        return BandPlan(
            indexes=tuple(candidates), names=RGB,
            notes=("the three bands do not say their colour: taken as red, green, blue",), **common,
        )  # fmt: skip
    if n == 4:
        reason = "the four bands do not say their colour: taken as red, green, blue, near infrared"
        return BandPlan(indexes=tuple(candidates), names=RGBN, reasons=(reason,), **common)
    raise TileRefused(
        f"{n} bands that do not say which are red, green and blue: "
        "pick them with gdal_translate -b and -colorinterp_N"
    )
