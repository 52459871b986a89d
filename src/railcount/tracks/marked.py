"""The pixels of a tile that a mask marks, without those that it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """Labels of a tile's marked pixels, row by row: memory is that of the tracks, not of the tile."""

    shape: tuple[int, int]
    """(rows, cols) of the tile."""
    keys: NDArray[np.int64]
    """(n,): ``row * cols + col``, in order."""
    values: NDArray[np.int32]
    """(n,): the labels, none of them 0."""

    @classmethod
    def of(cls, labels: NDArray[np.generic]) -> Self:
        """Those of a whole mask (rows, cols)."""
        n_rows, n_cols = labels.shape
        flat = np.asarray(labels).ravel().astype(np.int32, copy=False)
        keys = np.flatnonzero(flat)
        return cls(shape=(n_rows, n_cols), keys=keys.astype(np.int64), values=flat[keys])

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n,)."""
        return np.asarray(self.keys // self.shape[1])

    @property
    def cols(self) -> NDArray[np.int64]:
        """(n,)."""
        return np.asarray(self.keys % self.shape[1])

    def at(self, pixels: NDArray[np.int64]) -> NDArray[np.int32]:
        """Labels (...) at (col, row) pixels (..., 2); 0 where nothing is marked, and outside the tile."""
        rows, cols = self.shape
        inside = (pixels >= 0).all(axis=-1) & (pixels[..., 0] < cols) & (pixels[..., 1] < rows)
        if not len(self.keys):
            return np.zeros(inside.shape, dtype=np.int32)
        wanted = pixels[..., 1] * cols + pixels[..., 0]
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(inside & (self.keys[place] == wanted), self.values[place], 0)

    def whole(self) -> NDArray[np.int32]:
        """(rows, cols): the labels, 0 elsewhere."""
        labels = np.zeros(self.shape, dtype=np.int32)
        labels.ravel()[self.keys] = self.values
        return labels
