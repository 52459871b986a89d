"""The page itself: facts and map into one HTML file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from railcount import __version__
from railcount.outputs.picture import KIND_COLOURS
from railcount.outputs.text import plain

if TYPE_CHECKING:
    from railcount.outputs.report.facts import Facts

LIBRARIES = (("Apache ECharts", "5.6.0", "Apache-2.0"), ("Leaflet", "1.9.4", "BSD-2-Clause"))
"""Bundled; their licences lie in ``vendor/``."""


def render(facts: Facts, *, scene: dict[str, Any] | None) -> str:
    """The HTML text; the same facts give the same text.

    A content security policy lets nothing run but the page's own three scripts, by their digests, and
    nothing load but pictures in the file. What comes from files and tags is text: the template escapes
    it, and the scripts set it as text.
    """
    from jinja2 import Environment, StrictUndefined

    scripts = [_file("vendor/echarts.min.js"), _file("vendor/leaflet.js"), _file("report.js")]
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    layers = base64.b64encode(_bytes("vendor/layers.png")).decode("ascii")
    styles = [_icons(_file("vendor/leaflet.css"), layers=layers), _file("report.css")]
    data = {
        "timeline": facts.timeline,
        "kinds": facts.kinds,
        "scene": scene,
        "colours": KIND_COLOURS,
        "simulated": facts.simulated,
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made: str = environment.from_string(_file("report.html.j2")).render(
        facts=facts,
        scene=scene,
        colours=KIND_COLOURS,
        version=__version__,
        libraries=LIBRARIES,
        policy=(
            f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        ),
        scripts=scripts,
        styles=styles,
        data=_inert(data),
    )
    return plain(made)


def _inert(data: dict[str, Any]) -> str:
    """JSON that no HTML reader can take for the end of its element."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _icons(css: str, *, layers: str) -> str:
    """Leaflet's style with its one icon in it; those of markers, which are not used, are left out."""
    address = f"url(data:image/png;base64,{layers})"
    css = css.replace("url(images/layers-2x.png)", address).replace("url(images/layers.png)", address)
    return css.replace("url(images/marker-icon.png)", "none").replace("url(#default#VML)", "none")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _file(name: str) -> str:
    # A browser takes a script's digest after it has made every line break one.
    return _bytes(name).decode("utf-8").replace("\r\n", "\n")


def _bytes(name: str) -> bytes:
    return files("railcount.outputs.report").joinpath(name).read_bytes()
