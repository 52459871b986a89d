"""Every write path with its n-th operation failing, for n = 1, 2, 3 and on until a run passes.

    python benchmarks/robustness/faults.py

Runs commands under `strace --inject`: the n-th call of each process that writes, syncs, renames or
links fails (disk full, input/output error), or the process is killed there. After each run every output is
as before or as an undisturbed run makes it, never half; a history passes SQLite's `integrity_check`
and, counted again, is the undisturbed one; the exit code is not 0 unless all is there; there is no traceback;
where a call on an output fails, the message names that output; and, but for kills, nothing else is left in
the folder. The history that a scan compares with stays as it was. Needs Linux and strace. Exits with 1 where
a promise is broken. A pipe between two processes of one machine does not fail so: where that is what failed,
a traceback is let pass.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kills  # of this folder

from railcount.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,rename,link,linkat,mkdir"
FAULTS = {"disk full": "error=ENOSPC", "input/output error": "error=EIO", "killed": "signal=SIGKILL"}
OLD = b"as it was before"
MOST = 400
"""Operations of one process; more are not tried."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A command that writes."""

    words: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    history: str | None = None


def writers(tile: str, archive: str, history: str) -> dict[str, Writer]:
    """Every kind of output; those that are made from pixels, from a history, and the history itself."""
    lines = ("tracks", tile, "--overwrite", "-o")
    export = ("history", "export", "--history", history, "--overwrite", "-o")
    made = {
        "scan, four files": ("scan", tile, "--overwrite", "-o", "a.json", "-o", "a.csv", "-o", "a.geojson"),
        "scan, GeoPackage": ("scan", tile, "--overwrite", "-o", "a.gpkg"),
        "scan, Parquet": ("scan", tile, "--overwrite", "-o", "a.parquet"),
        "scan, strips": ("scan", tile, "--overwrite", "--strips", "a.png"),
        "scan, picture": ("scan", tile, "--overwrite", "--overlay", "a.png"),
        "scan, with its past": (
            *("scan", tile, "--overwrite", "-o", "a.json"),
            *("--overlay", "a.png", "--history", history),
        ),
        "tracks, lines": (*lines, "a.geojson"),
        "tracks, GeoPackage": (*lines, "a.gpkg"),
        "tracks, mask": (*lines, "a.tif"),
        "tracks, picture": ("tracks", tile, "--overwrite", "--preview", "a.png"),
        "history export, table": (*export, "a.csv"),
        "history export, GeoPackage": (*export, "a.gpkg"),
        "history export, GeoJSON": (*export, "a.geojson"),
        "history export, Parquet": (*export, "a.parquet"),
        "history export, STAC": (*export, "a.stac.json"),
        "history backup": ("history", "backup", "--history", history, "--overwrite", "a.sqlite"),
        "report": ("report", "--history", history, "--site", "tumangang", "--overwrite", "-o", "a.html"),
    }
    ends = (".json", ".csv", ".geojson", ".gpkg", ".png", ".tif", ".parquet", ".sqlite", ".html")
    given = {
        name: Writer(
            words=words, outputs=tuple(w for w in words[2:] if w.startswith("a.") and w.endswith(ends))
        )
        for name, words in made.items()
    }
    batch = ("batch", archive, "--history", "a.sqlite", "--jobs", "1", "--overwrite", "-o", "a.json")
    return given | {"batch": Writer(words=batch, outputs=("a.json",), history="a.sqlite")}


def run(
    folder: Path, words: tuple[str, ...], *, fault: str | None = None, n: int = 0
) -> tuple[int, str, list[str] | None]:
    """Exit code, standard error, and the calls that failed; None where the fault did not come."""
    log = folder.parent / "calls"
    inject = ["strace", "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
    inject += ["-e", f"inject={CALLS}:{fault}:when={n}"]
    command = [*(inject if fault else []), sys.executable, "-m", "railcount", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    said = log.read_text("utf-8", "replace") if fault else ""
    failed = [line for line in said.splitlines() if "(INJECTED)" in line]
    came = bool(failed) or "killed by SIGKILL" in said
    return done.returncode, done.stderr.decode("utf-8", "replace"), failed if came else None


def unnamed(one: Writer, failed: list[str], err: str) -> list[str]:
    """Outputs whose hidden file, which becomes the output, a call failed on, and that no message names."""
    return [
        name
        for name in one.outputs
        if name not in err
        and any(f".{Path(name).stem}." in call and Path(name).suffix in call for call in failed)
    ]


def digest(history: Path) -> str:
    """Of what it holds; its damage where it has some."""
    if not history.exists():
        return "absent"
    with History.open(history, readonly=True) as opened:
        return "; ".join(opened.check()) or opened.digest()


def is_old_or_new(path: Path, whole: bytes, *, old: bytes | None = OLD) -> bool:
    """Whether a file is one of the two; of a GeoPackage the rows of the layers are compared."""
    data = path.read_bytes() if path.exists() else b""
    if data in {old, whole} or path.suffix != ".gpkg":
        return data in {old, whole}
    other = path.with_name("whole.gpkg")
    other.write_bytes(whole)
    try:
        return rows_of(path) == rows_of(other)
    except sqlite3.Error:
        return False
    finally:
        other.unlink()


def rows_of(path: Path) -> list[tuple[object, ...]]:
    """All rows of the layers of a GeoPackage, and what is listed of them."""
    with closing(sqlite3.connect(path)) as file:
        if file.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return []
        listed = file.execute("SELECT table_name, identifier, srs_id FROM gpkg_contents").fetchall()
        return listed + [row for name, *_ in listed for row in file.execute(f'SELECT * FROM "{name}"')]


def begin(folder: Path, one: Writer) -> None:
    """An empty folder with what was there before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in one.outputs:
        (folder / name).write_bytes(OLD)


def tried(one: Writer, folder: Path, *, kind: str, every: int, say: Callable[[str], None]) -> int:
    """Let operation after operation fail, or every so many; how many runs."""
    begin(folder, one)
    code, err, _ = run(folder, one.words)
    assert code == 0, err
    read = {
        path: digest(path) for path in map(Path, one.words) if path.suffix == ".sqlite" and path.is_absolute()
    }
    whole = {name: (folder / name).read_bytes() for name in one.outputs}
    kept = None if one.history is None else digest(folder / one.history)
    n_runs = 0
    for n in range(1, MOST, every):
        n_runs += 1
        begin(folder, one)
        code, err, came = run(folder, one.words, fault=FAULTS[kind], n=n)
        is_whole = all(is_old_or_new(folder / name, data, old=None) for name, data in whole.items())
        where = f"{kind}, operation {n}: "
        for name, data in whole.items():
            if not is_old_or_new(folder / name, data):
                say(f"{where}{name} is neither old nor new")
        if code == 0 and not is_whole:
            say(f"{where}exit code 0 without its outputs")
        if code and (silent := unnamed(one, came or [], err)):
            say(f"{where}exit code {code} and no word of {', '.join(silent)}: {err[-300:]}")
        if "Traceback" in err and not all("<pipe:" in call for call in came or [""]):
            say(f"{where}{err[-400:]}")
        known = {*one.outputs, *(f"{one.history}{end}" for end in ("", "-wal", "-shm", "-journal", ".lock"))}
        if kind != "killed" and (extra := {path.name for path in folder.iterdir()} - known):
            say(f"{where}left behind: {', '.join(sorted(extra))}")
        for path, held in read.items():
            if digest(path) != held:
                say(f"{where}the history that was read is another")
        if one.history is not None:
            again, err, _ = run(folder, one.words)
            if again or digest(folder / one.history) != kept:
                say(f"{where}counted again (exit code {again}) the history is another: {err[-200:]}")
        if came is None:
            break
    return n_runs


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="", help="paths whose name begins so")
    parser.add_argument("--faults", nargs="+", choices=[*FAULTS], default=[*FAULTS])
    parser.add_argument("--every", type=int, default=1, help="let every so many operations fail")
    asked = parser.parse_args()
    broken: list[str] = []
    n_runs, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        kills.cut(base / "archive", n_tiles=2, seed=1)
        tile, history = next((base / "archive").rglob("*.tif")), base / "past.sqlite"
        with kills.start(base / "archive", history) as process:
            process.wait()
        for words, one in writers(str(tile), str(base / "archive"), str(history)).items():
            for kind in asked.faults if words.startswith(asked.only) else ():

                def say(line: str, words: str = words) -> None:
                    broken.append(f"{words}: {line}")
                    print(broken[-1], flush=True)

                n = tried(one, base / "work", kind=kind, every=asked.every, say=say)
                n_runs += n
                print(f"{words}: {kind}: {n - 1} operations failed in turn", flush=True)
    print(f"{n_runs} runs in {time.monotonic() - began:.0f} s; broken promises: {len(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
