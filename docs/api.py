"""Write docs/API.md from the docstrings: ``python docs/api.py``; with --check say whether it holds."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import railcount
from railcount import errors

TARGET = Path(__file__).parent / "API.md"
HEAD = """# Python

What `import railcount` gives. This page is written by `python docs/api.py` from the docstrings.

```python
import railcount

result = railcount.scan("sample_tiles/2023-10-05/20231005_021100_ssc3_u0001_simulated_visual.tif")
print(result.status, result.railcars.best, result.reasons)
cars = result.to_geojson()["features"]
```

In a notebook a cell that ends with `result` shows what `railcount scan` prints, and one that ends with
`result.plot()` the picture of `--overlay`. Names load on first use: `import railcount` itself costs little.
Lengths are in metres, angles in degrees, pixel coordinates are (column, row) from the upper left corner
of the tile. Every error is a `RailcountError`.
"""
ORDER = (
    *("scan", "Scan", "scan_tile", "locate_tracks", "TileCount", "Interval", "Car", "Comparison"),
    "RailcountError",
)


def described(value: Any) -> str:
    """A docstring as Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(value) or "").strip()


def fields(kind: type) -> list[tuple[str, str, str]]:
    """Name, type and words of the fields that a class itself declares, in its order."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    found = []
    for one, after in zip(body.body, [*body.body[1:], None], strict=True):
        if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name):
            continue
        words = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            words = " ".join(str(after.value.value).replace("``", "`").split())
        found.append((one.target.id, ast.unparse(one.annotation), words))
    return found


def signature(name: str, value: Any) -> str:
    """As it is called, an argument a line where they are many."""
    made = inspect.signature(value)
    arguments = [one for one in made.parameters.values() if one.name != "self"]
    parts = [str(one).replace("'", "") for one in arguments]
    keyword = [number for number, one in enumerate(arguments) if one.kind is one.KEYWORD_ONLY]
    if keyword:
        parts.insert(keyword[0], "*")
    returned = "" if made.return_annotation is made.empty else f" -> {made.return_annotation}"
    line = f"{name}({', '.join(parts)}){returned}"
    return line if len(line) <= 100 else f"{name}(\n    " + ",\n    ".join(parts) + f",\n){returned}"


def section(name: str) -> str:
    """One public name."""
    value = getattr(railcount, name)
    if inspect.isfunction(value):
        return f"## {name}\n\n```text\n{signature(name, value)}\n```\n\n{described(value)}\n"
    parts = [f"## {name}\n\n{described(value)}\n"]
    if table := fields(value):
        rows = "\n".join(f"| `{n}` | `{t.replace('|', chr(92) + '|')}` | {w} |" for n, t, w in table)
        parts.append(f"| field | type | meaning |\n|---|---|---|\n{rows}\n")
    for method, made in vars(value).items():
        if inspect.isfunction(made) and (method == "_repr_html_" or not method.startswith("_")):
            called = f"```text\n{signature(method, made)}\n```"
            parts.append(f"### {name}.{method}\n\n{called}\n\n{described(made)}\n")
    if name == "RailcountError":
        rows = "\n".join(
            f"| `{kind.__name__}` | `{kind.__bases__[-1].__name__}` | {described(kind).splitlines()[0]} |"
            for kind in vars(errors).values()
            if inspect.isclass(kind) and issubclass(kind, value) and kind is not value
        )
        parts.append(f"| error (`railcount.errors`) | is also | meaning |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def text() -> str:
    """The page."""
    return "\n".join([HEAD, *(section(name) for name in ORDER)])


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text():
            sys.exit(f"{TARGET} is out of date: run python docs/api.py")
    elif sys.argv[1:]:
        sys.exit("usage: python docs/api.py [--check]")
    else:
        TARGET.write_text(text(), encoding="utf-8")
