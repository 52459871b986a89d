"""docs/METHOD.md: its constants are the code's, and its pictures are there, readable and small."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "METHOD.md").read_text(encoding="utf-8")
CONSTANT = re.compile(r"^\| `([\w.]+)\.([A-Z_]+)(?:\[(\w+)\])?` \| (-?[\d.]+) \|", re.MULTILINE)
CONSTANTS = CONSTANT.findall(TEXT)
PICTURES = re.findall(r"^!\[(.*?)\]\((figures/\w+\.png)\)$", TEXT, re.MULTILINE)


def test_there_are_constants_and_pictures() -> None:
    assert len(CONSTANTS) == len(re.findall(r"^\| `[a-z_]+\.", TEXT, re.MULTILINE)) > 30
    assert len(PICTURES) == 8


@pytest.mark.parametrize(("module", "name", "key", "value"), CONSTANTS)
def test_a_constant_is_the_code_s(module: str, name: str, key: str, value: str) -> None:
    actual = getattr(import_module(f"railcount.{module}"), name)
    assert float(actual[key] if key else actual) == float(value), f"docs/METHOD.md says {name} = {value}"


@pytest.mark.parametrize(("words", "name"), PICTURES)
def test_a_picture(words: str, name: str) -> None:
    assert words.startswith("simulated")
    path = DOCS / name
    with Image.open(path) as picture:
        assert 1200 <= picture.width <= 1600
    assert path.stat().st_size < 200_000


def test_the_pictures_can_be_drawn(tmp_path: Path) -> None:
    drawn = subprocess.run(
        [sys.executable, DOCS / "figures" / "draw.py", tmp_path], check=False, capture_output=True, text=True
    )
    assert drawn.returncode == 0, drawn.stderr
    assert {f"figures/{path.name}" for path in tmp_path.iterdir()} == {name for _, name in PICTURES}


def test_links_within_the_text() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([\w-]+)\)", TEXT)
    assert set(links) <= anchors
    assert len(links) > 10


def test_linked_files_exist() -> None:
    targets = re.findall(r"\]\(((?:\.\./)?[\w/.]+)(?:#[\w-]+)?\)", TEXT)
    assert targets
    assert [t for t in targets if not (DOCS / t).exists()] == []
