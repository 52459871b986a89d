"""What is asked of JSON and TOML before they are parsed."""

from __future__ import annotations

import pytest

from railcount.documents import load_toml, most_values


def test_most_values() -> None:
    assert most_values(b'{"a": [1, [], {}], "b": 2}') == 7
    assert most_values(b"1") == 0


def test_toml() -> None:
    ring = ", ".join("[7.61, 47.52]" for _ in range(1000))
    assert len(load_toml(f"a.b.ring = [{ring}]")["a"]["b"]["ring"]) == 1000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" + ".a" * 101 + " = 1", "100 dots"),
        ("[a" + ".a" * 101 + "]", "100 dots"),
        ("x = " + "[" * 100_000, "nested too deep"),
        ("#" * 1_000_001, "at most 1000000"),
        ("x = " + "9" * 10_000, "digits"),
        ("x = = 1", "line 1"),
    ],
)
def test_toml_that_is_not_parsed(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_toml(text)
