"""JSON and TOML that strangers wrote: what is asked before they are parsed, so that it takes little."""

from __future__ import annotations

import tomllib
from typing import Any

MAX_TOML_BYTES = 1_000_000
"""A site or a scene is a few pages of text."""
MAX_DOTS = 100
"""Of one key: a.b.c has two. Parsed, a key of 20,000 takes 1.5 GB."""


def most_values(data: bytes) -> int:
    """How many values a JSON text can hold at most, which limits the memory that parsing it takes.

    An empty list is three bytes of the text and 64 of memory.
    """
    return sum(data.count(mark) for mark in (b",", b"[", b"{"))


def load_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError with what is wrong with it."""
    if len(text) > MAX_TOML_BYTES:
        raise ValueError(f"it has {len(text)} letters, and at most {MAX_TOML_BYTES} are read")
    if any(piece.count(".") > MAX_DOTS for line in text.splitlines() for piece in line.split(",")):
        raise ValueError(f"it has more than {MAX_DOTS} dots between two commas")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("its lists or tables are nested too deep") from None
