"""Text from strangers: nothing in it acts on a terminal, and it stays on its line."""

from __future__ import annotations

import pytest

from railcount.text import escape, one_line, quoted


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


def deep(n: int) -> list[object]:
    made: list[object] = []
    for _ in range(n):
        made = [made]
    return made


def test_what_has_no_text_or_too_much_of_it() -> None:
    assert one_line(deep(100_000)) == "something too large or too deep to quote"
    assert one_line(1 << 100_000) == "something too large or too deep to quote"
    assert quoted(deep(100_000)) == "something too large or too deep to quote"
    assert quoted("a\x1b") == r"'a\x1b'"
    assert quoted("x" * 100) == "'" + "x" * 56 + "..."
    assert one_line(" \x1b" * 300) == " ".join([r"\x1b"] * 300)[:297] + "..."
