"""Tasks for worker processes that misbehave when told to."""

from __future__ import annotations

import os
import signal
import sys
import time
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
