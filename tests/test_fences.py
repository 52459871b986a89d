"""Who may import what, and who may print."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import railcount

SOURCE = Path(railcount.__file__).parent
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
ALLOWED = {
    "rasterio": ("raster/", "tracks/mask.py"),
    "pyogrio": ("outputs/vector.py", "tracks/vector.py"),
    "click": ("cli/",),
    "fiona": (),
    "geopandas": (),
    "osgeo": (),
    "tqdm": (),
    "requests": (),
    "urllib": (),
    "socket": (),
    "http": (),
}


def imports(code: str) -> set[str]:
    """Top-level names of all absolute imports, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def printing(code: str) -> list[int]:
    """Lines that print or write to the standard streams."""
    lines = []
    for node in ast.walk(ast.parse(code)):
        prints = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        stream = (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in {("sys", "stdout"), ("sys", "stderr")}
        )
        if prints or stream:
            lines.append(node.lineno)
    return lines


def test_the_walk_sees_the_package() -> None:
    assert {"cli/main.py", "raster/grid.py", "outputs/json.py"} <= set(FILES)
    assert imports("def f():\n    from rasterio.windows import Window\n") == {"rasterio"}
    assert imports("from . import click") == set()
    assert printing("def f():\n    print(1)\nimport sys\nsys.stderr.write('x')") == [2, 4]


@pytest.mark.parametrize("name", ALLOWED)
def test_fence(name: str) -> None:
    outside = [file for file in FILES if not file.startswith(ALLOWED[name] or ("nowhere",))]
    assert [file for file in outside if name in imports((SOURCE / file).read_text("utf-8"))] == []


def test_the_library_never_prints() -> None:
    library = [file for file in FILES if not file.startswith("cli/")]
    assert {f: lines for f in library if (lines := printing((SOURCE / f).read_text("utf-8")))} == {}


def test_pyplot_is_never_used() -> None:
    """It keeps global state, and opens windows."""
    assert [file for file in FILES if "matplotlib.pyplot" in (SOURCE / file).read_text("utf-8")] == []


def test_files_stay_readable() -> None:
    long = {file: n for file in FILES if (n := len((SOURCE / file).read_text("utf-8").splitlines())) > 450}
    assert long == {}
