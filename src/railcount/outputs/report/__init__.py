"""A site's history as one HTML file that opens anywhere: no server, no network, nothing loaded."""

from __future__ import annotations

from railcount.outputs.report.page import render

__all__ = ["render"]
