"""What all tests of batches need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes import the tests' tasks: they get the parent's search path."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
