"""Text that came from a file or a file's name, made safe to show."""

from __future__ import annotations

MAX_LINE = 300
_NO_WORDS = "something too large or too deep to quote"


def escape(text: str) -> str:
    r"""``text`` on one line, with nothing in it that a terminal would act on.

    Control, format (right-to-left marks), surrogate and unassigned characters and line
    breaks become backslash escapes. Letters of every script stay as they are.
    """
    if text.isprintable():  # nearly every one; a large export has millions
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: object, *, max_length: int = MAX_LINE) -> str:
    """``text`` stripped, escaped and cut to ``max_length``: for what a message quotes.

    It may be anything that a parser made of a file: megabytes, or so deep that it has no ``str``.
    """
    try:
        words = str(text).strip()
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        return _NO_WORDS
    line = escape(words[: max_length + 1])
    return line if len(line) <= max_length else line[: max_length - 3] + "..."


def quoted(value: object, *, max_length: int = 60) -> str:
    """``value`` as Python writes it, else as ``one_line``."""
    try:
        return one_line(repr(value), max_length=max_length)
    except (RecursionError, ValueError):
        return _NO_WORDS
