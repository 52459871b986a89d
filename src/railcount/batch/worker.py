"""The process that does the work: started once, given one job after the other, killed when it must be.

It runs ``python -c`` with the words of ``railcount.batch.workers``. What it was given stands on
its standard input, one JSON text a line, and so do its answers on its standard output; whatever a
library prints goes to standard error instead. It knows nothing of batches: the task is a function,
named ``module:function``, that takes the pool's settings and returns the function that does one job.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO

from railcount.errors import RailcountError

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[dict[str, Any]], dict[str, Any]]

NO_MEMORY_LIMIT = "this system does not limit the memory of a process, so the memory limit does not hold"


def main() -> None:
    """Work until standard input ends, which ends the process."""
    answers = _own_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    start = inbox.get()
    if start["die_with_parent"]:
        die_with_parent()
    if start["talk"]:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("railcount").setLevel(logging.DEBUG)
    try:
        work = _task(start["task"])(start["settings"])
        said = limit_memory(start["memory_bytes"])
    except RailcountError as error:
        _say(answers, {"unusable": str(error)})
        return
    _say(answers, {"ready": said})
    while True:
        _say(answers, _done(work, inbox.get()))


def _done(work: Work, job: dict[str, Any]) -> dict[str, Any]:
    """The answer to one job."""
    try:
        return {"value": work(job)}
    except MemoryError:
        return {"memory": True}


def _own_streams() -> BinaryIO:
    """Where answers go. What was standard output becomes standard error, for C libraries too."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    try:
        answers.write(json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n")
        answers.flush()
    except BrokenPipeError:  # nobody listens any more
        os._exit(1)


def _listen(inbox: SimpleQueue[dict[str, Any]]) -> None:
    """Pass on what the parent sends. When the parent is gone the process ends, in mid-job too."""
    with os.fdopen(0, "rb", closefd=False) as lines:
        for line in lines:
            inbox.put(json.loads(line))
    os._exit(1)


def _task(name: str) -> Callable[[dict[str, Any]], Work]:
    module, _, function = name.partition(":")
    found: Callable[[dict[str, Any]], Work] = getattr(import_module(module), function)
    return found


def die_with_parent() -> None:
    """Have Linux kill this process when its parent dies, should a library hold Python up just then."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def limit_memory(n_bytes: int | None) -> str | None:
    """Limit what jobs may take besides the program itself; a sentence where that cannot be done."""
    if n_bytes is None:
        return None
    if not sys.platform.startswith("linux"):  # macOS takes the limit and does not hold it
        return NO_MEMORY_LIMIT
    import resource

    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = taken + n_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return NO_MEMORY_LIMIT
    return None
