"""Text that came from a file or a file's name, made safe to show."""

from __future__ import annotations

MAX_LINE = 300


def escape(text: str) -> str:
    r"""``text`` on one line, with nothing in it that a terminal would act on.

    Control, format (right-to-left marks), surrogate and unassigned characters and line
    breaks become backslash escapes. Letters of every script stay as they are.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: object, *, max_length: int = MAX_LINE) -> str:
    """``text`` stripped, escaped and cut to ``max_length``: for what a message quotes."""
    line = escape(str(text).strip())
    return line if len(line) <= max_length else line[: max_length - 3] + "..."
