"""What tests of pictures share."""

from __future__ import annotations

from typing import Any

import pytest

from railcount.outputs import picture


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is drawn."""
    said: list[str] = []
    original = picture.Page.text

    def listen(self: Any, at: Any, text: str, **options: Any) -> None:
        said.append(picture.drawable(text))
        original(self, at, text, **options)

    monkeypatch.setattr(picture.Page, "text", listen)
    return said
