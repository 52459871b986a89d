"""The history: what was counted, when and with which parameters, in one SQLite file."""

from __future__ import annotations

from railcount.history.place import default_path
from railcount.history.rows import KnownFile, Neighbourhood, Result, StoredCount, Summary
from railcount.history.store import History

__all__ = ["History", "KnownFile", "Neighbourhood", "Result", "StoredCount", "Summary", "default_path"]
