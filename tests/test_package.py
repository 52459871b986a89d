"""What a built package must hold beside its modules."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "railcount"
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def data_files() -> list[Path]:
    """Everything in the package that Python does not make or read as a module, its notes aside."""
    others = {".py", ".pyc", ".md"}
    return [path for path in sorted(PACKAGE.rglob("*")) if path.is_file() and path.suffix not in others]


def test_there_are_weights_and_sites_among_the_data() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in data_files()}
    assert {"weights/cars.npz", "weights/rows.npz", "py.typed", "sites/tumangang/site.toml"} <= names


@pytest.mark.parametrize("path", data_files(), ids=lambda path: path.name)
def test_every_data_file_is_packaged(path: Path) -> None:
    declared = {
        found
        for pattern in CONFIG["tool"]["setuptools"]["package-data"]["railcount"]
        for found in PACKAGE.glob(pattern)
    }
    assert path in declared


def test_only_training_needs_torch() -> None:
    extras = CONFIG["project"]["optional-dependencies"]
    assert [name for name, needs in extras.items() if any("torch" in need for need in needs)] == ["train"]
    assert not any("torch" in path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))


def test_a_scan_loads_no_scipy_stats() -> None:
    """It is slow to load, and a scan needs none of it."""
    code = "import sys, railcount.pipeline; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
