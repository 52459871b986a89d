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
    "distributed": ("batch/distributed.py",),
    "subprocess": ("batch/workers.py",),
    "sqlite3": ("history/", "geopackage.py", "tracks/geopackage.py"),
    "pyarrow": ("outputs/parquet.py",),
    "platformdirs": ("history/",),
    "fiona": (),
    "geopandas": ("notebook.py",),
    "osgeo": (),
    "tqdm": (),
    "requests": (),
    "urllib": ("outputs/review/server.py",),
    "socket": (),
    "socketserver": ("outputs/review/server.py",),
    "http": ("outputs/review/server.py",),
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


ARROWS = {
    # Nobody but the command line knows it; only it and the notebook know the outputs.
    "railcount.cli": ("cli/", "__main__.py"),
    "railcount.outputs": ("cli/", "outputs/", "notebook.py"),
    # What ends in a result is not known to what leads there.
    "railcount.notebook": ("__init__.py",),
    "railcount.pipeline": ("cli/", "batch/task.py", "__init__.py", "notebook.py", "verify.py"),
    "railcount.simulate": ("cli/", "simulate/"),
    # What is joined from several tiles has the errors that were put into each.
    "railcount.cars": (
        *("batch/task.py", "cars/", "observation/stretches", "observation/totals", "pipeline.py"),
    ),
    # The counting model is itself a judge of tracks: of two places for given lines, and beside found ones.
    "railcount.occupancy": (
        *("occupancy.py", "centring.py", "exclusion.py", "cars/", "pipeline.py"),
        *("tracks/neighbours.py", "tracks/register.py"),
    ),
}
"""Module, and who may import it: data flows one way."""


def railcount_imports(code: str, *, package: str) -> set[str]:
    """Full names of railcount's modules that code in ``package`` imports, relative imports too."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # "from railcount import outputs" names a module as well as "import railcount.outputs" does
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.partition(".")[0] == "railcount"}


def test_arrows_are_seen_in_every_spelling() -> None:
    spelled = (
        "import railcount.outputs.json",
        "from railcount.outputs import json",
        "from railcount import outputs",
        "from ..outputs import json",
        "from .. import outputs",
        "def f():\n    from railcount.outputs.text import x",
    )
    for code in spelled:
        names = railcount_imports(code, package="railcount.raster")
        assert any(f"{name}.".startswith("railcount.outputs.") for name in names), code


@pytest.mark.parametrize("target", ARROWS)
def test_arrows_go_one_way(target: str) -> None:
    wrong = {}
    for file in FILES:
        if file.startswith(ARROWS[target]):
            continue
        package = ".".join(["railcount", *Path(file).parent.parts])
        names = railcount_imports((SOURCE / file).read_text("utf-8"), package=package)
        if found := sorted(name for name in names if f"{name}.".startswith(f"{target}.")):
            wrong[file] = found
    assert wrong == {}


def test_the_library_never_prints() -> None:
    library = [file for file in FILES if not file.startswith("cli/")]
    assert {f: lines for f in library if (lines := printing((SOURCE / f).read_text("utf-8")))} == {}


def test_pyplot_is_never_used() -> None:
    """It keeps global state, and opens windows."""
    assert [file for file in FILES if "matplotlib.pyplot" in (SOURCE / file).read_text("utf-8")] == []


def test_files_stay_readable() -> None:
    long = {file: n for file in FILES if (n := len((SOURCE / file).read_text("utf-8").splitlines())) > 450}
    assert long == {}
