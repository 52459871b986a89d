"""Reading scenes from TOML."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from railcount.documents import MAX_TOML_BYTES, load_toml
from railcount.errors import InputError, MissingInput, RailcountError
from railcount.simulate.scene import SECTIONS, Cut, Scene
from railcount.text import one_line, quoted


def load_scene(path: str | Path) -> Scene:
    """Read a scene file.

    The keys are the fields of ``Scene``, its sections the tables of the same name. ``extends = "other.toml"``
    takes what is not given from a scene file in the same folder.
    Raises MissingInput where there is no such file, and InputError, naming the key,
    for anything that is not a scene.
    """
    path = Path(path)
    table = _read(path)
    base = table.pop("extends", None)
    if base is not None:
        if not isinstance(base, str) or Path(base).name != base:
            raise InputError(f"{path}: extends must name a file in the same folder, not {quoted(base)}")
        table = _merge(_read(path.parent / base), table)
        if "extends" in table:
            raise InputError(f"{path.parent / base}: a scene that is extended cannot extend another")
    try:
        table.setdefault("name", path.stem)
        return scene_from_table(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise MissingInput(f"no scene file {path}")
        if path.stat().st_size > MAX_TOML_BYTES:
            raise InputError(f"{path} is over {MAX_TOML_BYTES} bytes: not a scene file")
        return load_toml(path.read_text(encoding="utf-8"))
    except RailcountError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error


def _merge(base: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """``table`` over ``base``, section by section."""
    merged = dict(base)
    for key, value in table.items():
        old = merged.get(key)
        merged[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def scene_from_table(table: dict[str, Any]) -> Scene:
    """A scene from a mapping such as TOML gives.

    Raises InputError naming the key.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in SECTIONS:
            values[key] = _section(SECTIONS[key], value, key)
        else:
            values[key] = _plain(value)
    _known(Scene, values, "")
    return Scene(**values)


def _section(cls: type, value: Any, key: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{key} must be a table ([{key}]), not {quoted(value)}")
    values = {name: _plain(entry) for name, entry in value.items()}
    _known(cls, values, f"{key}.")
    if "cuts" in values:
        entries = value["cuts"]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"{key}.cuts must be a list of tables ([[{key}.cuts]])")
        values["cuts"] = tuple(
            _section(Cut, entry, f"{key}.cuts[{number}]") for number, entry in enumerate(entries)
        )
    return cls(**values)


def _known(cls: type, values: dict[str, Any], prefix: str) -> None:
    names = {item.name for item in dataclasses.fields(cls)}
    for key in values:
        if key not in names:
            raise InputError(f"unknown key {one_line(prefix + key)}; known here: {', '.join(sorted(names))}")


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
