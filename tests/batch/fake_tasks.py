"""Tasks for worker processes that misbehave when told to."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from railcount.errors import MissingInput

if TYPE_CHECKING:
    from collections.abc import Callable


def obey(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A job's argument names what to do."""

    def work(argument: dict[str, Any]) -> dict[str, Any]:
        kind = argument["do"]
        if kind == "answer":
            return {"pid": os.getpid(), "settings": settings, "said": argument.get("say")}
        if kind == "sleep":
            time.sleep(argument["s"])
        elif kind == "exit":
            os._exit(argument["code"])
        elif kind == "signal":
            os.kill(os.getpid(), getattr(signal, argument["name"]))
        elif kind == "eat":
            return {"n": len(bytearray(argument["n_bytes"]))}
        elif kind == "die_in_mid_answer":
            _say_half()
        elif kind == "chatter":
            print("a library's line on standard output")
            os.write(1, b'{"value": {"forged": true}}\n')
        elif kind == "environment":
            return {"threads": os.environ["OPENBLAS_NUM_THREADS"], "numpy": "numpy" in sys.modules}
        elif kind == "hold":
            Path(argument["pid_file"]).write_text(str(os.getpid()), encoding="ascii")
            time.sleep(60)
        return {}

    return work


def _say_half() -> None:
    """Half an answer into every pipe that is open for writing, then death."""
    for number in range(3, 10):
        try:
            os.write(number, b'{"value": {"half')
        except OSError:
            continue
    os.kill(os.getpid(), signal.SIGKILL)


def unusable(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Settings that cannot be used."""
    raise MissingInput(f"no file {settings['file']}")


def dead_on_arrival(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A worker that never gets ready."""
    sys.stderr.write("cannot load the library\n")
    sys.stderr.flush()
    os._exit(9)


def stub(settings: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A scan that looks at no pixels: the file is JSON that says what comes of it, and what goes wrong."""
    from railcount.counts import Interval
    from railcount.records import TileRecord

    def work(job: dict[str, Any]) -> dict[str, Any]:
        data = Path(job["path"]).read_bytes()
        told = json.loads(data)
        time.sleep(told.get("s", 0))
        if "signal" in told:
            os.kill(os.getpid(), getattr(signal, told["signal"]))
        if "once" in told and not Path(told["once"]).exists():
            Path(told["once"]).touch()
            os.kill(os.getpid(), signal.SIGSEGV)
        if "change" in told:
            Path(job["path"]).write_text(json.dumps(told | {"change": None, "n": 99}))
            data = Path(job["path"]).read_bytes()
        when = told.get("acquired", "2023-10-05T02:11:00+00:00")
        best, status = told.get("n", 3), told.get("status", "counted")
        told_count = Interval(best=best, low=best, high=best + 1)
        return TileRecord(
            tile=job["tile"],
            sha256=hashlib.sha256(data).hexdigest(),
            status=status,
            reasons=tuple(told.get("reasons", ())),
            acquired=when and (datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)),
            acquired_from="file_name",
            doubts=tuple(told.get("doubts", ())),
            site=told.get("site"),
            crs="EPSG:32652",
            gsd_m=settings["gsd_m"] or 0.5,
            regime="cars",
            footprint=((130.62, 42.41), (130.63, 42.41), (130.63, 42.42), (130.62, 42.42)),
            source="found",
            visible_fraction=1.0,
            railcars=told_count if status == "counted" else None,
            locomotives=Interval(best=0, low=0, high=0) if status == "counted" else None,
            covered=Interval(best=0, low=0, high=0) if status == "counted" else None,
            trains=1 if status == "counted" else None,
            occupied_m=50.0 if status == "counted" else None,
        ).to_dict()

    return work
