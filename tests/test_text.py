"""Text from strangers: nothing in it acts on a terminal, and it stays on its line."""

from __future__ import annotations

import pytest

from railcount.text import escape, one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("두만강 yard.tif", "두만강 yard.tif"),
        ("a\nb\tc\x1b[2J\x7f\x9b", r"a\nb\tc\x1b[2J\x7f\x9b"),
        ("gpj\u202efit", r"gpj\u202efit"),
        ("\u2028\u2029\udcff", r"\u2028\u2029\udcff"),
    ],
)
def test_escape(raw: str, shown: str) -> None:
    assert escape(raw) == shown


def test_one_line() -> None:
    assert one_line("a\n\x1b[31m\udcff b") == "a\\n\\x1b[31m\\udcff b"
    assert len(one_line("x" * 1000)) == 300
