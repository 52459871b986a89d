"""Every write path with its n-th operation failing, for n = 1, 2, 3 and on until a run passes.

    python benchmarks/robustness/faults.py

Runs commands under `strace --inject`: the n-th call of each process that writes, syncs, renames or links
fails (disk full, input/output error), or the process is killed there. Then once with standard output closed
at its other end, and once each in a folder and over files that may not be written to. After each run every
output is as before or as an undisturbed run makes it, never half, or, where the process that reads the tile
was killed, whole and says so; a history passes SQLite's `integrity_check`; one that a command changes is the
old or the new one, and a batch's, counted again, the undisturbed one; the exit code is not 0 unless all is
there; there is no traceback; where a call on an output fails, the message names that output; and, but for
kills, nothing else is left in the folder. The history that a scan compares with stays as it was. Needs Linux,
strace and, for root, setpriv. Exits with 1 where a promise is broken. A pipe between two processes of one
machine does not fail so: where that is what failed, a traceback, or no word of an output, is let pass.
"""

from __future__ import annotations

import argparse
import json
import os
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
import rasterio
from matplotlib.image import imread

from railcount.errors import HistoryError
from railcount.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,rename,link,linkat,mkdir"
FAULTS = {"disk full": "error=ENOSPC", "input/output error": "error=EIO", "killed": "signal=SIGKILL"}
"""Injected, operation after operation."""
SITUATIONS = ("closed pipe", "read-only folder", "read-only files")
"""One run each."""
OLD = b"as it was before"
MOST = 400
"""Operations of one process; more are not tried."""
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override", "--") if os.geteuid() == 0 else ()
"""Root may write everywhere; with this it may not."""

SCENE = """name = "yard"
width_px = 140
height_px = 90
acquired = 2023-10-05T02:11:00Z
"""
COUNTS = """when,best,source
2022-05-01,3,somebody
2022-06-01,4,somebody
"""
EXPECTED = b"tile,count,tolerance,status\na.tif,999,0,counted\n"
BROWSER = """
import json, sys, threading, urllib.request
from railcount.cli.main import main
from railcount.outputs.review.server import ReviewServer

change, serve = sys.argv.pop(1), ReviewServer.serve_forever
declined = []

def browse(server):
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        page = browser.open(server.address).geturl()
        car = json.load(browser.open(page + "state"))["vehicles"][0]["id"]
        decide, enter = {"action": "reject", "car": car}, {"best": 3, "low": 2, "high": 4}
        asked = {"decide": decide, "enter": enter}[change]
        head = {"Origin": f"http://{server.host}", "Content-Type": "application/json"}
        browser.open(urllib.request.Request(page + change, json.dumps(asked).encode(), head))
    except OSError as error:
        declined.append(error.read().decode() if hasattr(error, "read") else str(error))
    finally:
        server.shutdown()

def serve_once(server):
    threading.Thread(target=browse, args=(server,)).start()
    serve(server)

ReviewServer.serve_forever = serve_once
try:
    main()
except SystemExit as end:
    sys.exit("".join(declined) or end.code)
"""
"""`railcount review`, and a browser that sends one change."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A command that writes."""

    words: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    before: bytes | None = OLD
    """What each output holds before; None where they must not be there."""
    inputs: tuple[Path, ...] = ()
    """Files that lie in the folder."""
    history: str | None = None
    """Made by the command, step by step, or, where it is among the inputs, changed by it in one."""
    program: tuple[str, ...] = ("-m", "railcount")

    @property
    def changes(self) -> bool:
        """Whether the history is there before."""
        return self.history in {path.name for path in self.inputs}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    err: str
    failed: tuple[str, ...] | None = None
    """Calls that were made to fail; None where the fault did not come."""


def writers(base: Path) -> dict[str, Writer]:
    """Every kind of output; those that are made from pixels, from a history, and the history itself."""
    tile, history = str(base / "a.tif"), str(base / "past.sqlite")
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
    return given | folders(base) | histories(base)


def folders(base: Path) -> dict[str, Writer]:
    """Commands that write into a folder that they are given."""
    simulate = ("simulate", str(base / "yard.toml"), "-o", ".", "--overwrite")
    init = ("site", "init", "yard", "--bbox", "7.63,47.52,7.67,47.54")
    names = ("simulated_seed0.tif", "simulated_seed0_truth.geojson", "simulated_seed0_tracks.geojson")
    files = ("site.toml", "published_counts.csv", "README.md")
    return {
        "simulate": Writer(words=simulate, outputs=tuple(f"yard_{name}" for name in names)),
        "site init": Writer(words=init, outputs=tuple(f"yard/{name}" for name in files), before=None),
        "verify --update": Writer(
            words=("verify", ".", "--update"),
            outputs=("expected.csv",),
            before=EXPECTED,
            inputs=(base / "a.tif",),
        ),
    }


def histories(base: Path) -> dict[str, Writer]:
    """Commands that change a history."""
    with History.open(base / "past.sqlite", readonly=True) as opened:
        one = next(opened.summaries()).id
    in_it, past, old = ("--history", "a.sqlite"), base / "now" / "a.sqlite", base / "old" / "a.sqlite"
    counts = ("history", "import", str(base / "counts.csv"), "--site", "tumangang")
    batch = ("batch", str(base / "archive"), *in_it, "--jobs", "1", "--overwrite", "-o", "a.json")
    changing = {
        "history import": (*counts, *in_it),
        "history hand": ("history", "hand", one, "--count", "3", *in_it),
        "history remove": ("history", "remove", one, "--yes", *in_it),
    }
    review = ("review", "--pass", one, *in_it)
    return {
        **{name: Writer(words=w, inputs=(past,), history="a.sqlite") for name, w in changing.items()},
        "history upgrade": Writer(words=("history", "upgrade", *in_it), inputs=(old,), history="a.sqlite"),
        **{
            f"review, {change}": Writer(
                words=review, inputs=(past,), history="a.sqlite", program=("-c", BROWSER, change)
            )
            for change in ("decide", "enter")
        },
        "batch": Writer(words=batch, outputs=("a.json",), history="a.sqlite"),
    }


def prepare(base: Path) -> None:
    """What the commands read: a tile, an archive, its history, that history in an older layout, texts."""
    kills.cut(base / "archive", n_tiles=2, seed=1)
    shutil.copy2(next((base / "archive").rglob("*.tif")), base / "a.tif")
    (base / "yard.toml").write_text(SCENE)
    (base / "counts.csv").write_text(COUNTS)
    with kills.start(base / "archive", base / "past.sqlite") as process:
        process.wait()
    for name in ("now", "old"):
        (base / name).mkdir()
        with History.open(base / "past.sqlite", readonly=True) as opened:
            opened.backup(base / name / "a.sqlite")
    with closing(sqlite3.connect(base / "old" / "a.sqlite")) as file:
        file.executescript("DROP TABLE decisions; PRAGMA user_version = 1")
    base.chmod(0o755)


def run(folder: Path, one: Writer, *, fault: str | None = None, n: int = 0) -> Ended:
    """Run a command undisturbed, with its ``n``-th operation failing, or in a situation."""
    log = folder.parent / "calls"
    around: tuple[str, ...] = WITHOUT_RIGHTS if fault in SITUATIONS[1:] else ()
    if fault in FAULTS:
        around = ("strace", "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={CALLS}")
        around += ("-e", f"inject={CALLS}:{FAULTS[fault]}:when={n}")
    reads, writes = os.pipe()
    with open(writes, "wb") as out, open(reads, "rb") as reader:
        if fault == "closed pipe":
            reader.close()
        done = subprocess.run(
            [*around, sys.executable, *one.program, *one.words],
            cwd=folder,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )
    err = done.stderr.decode("utf-8", "replace")
    if fault not in FAULTS:
        return Ended(code=done.returncode, err=err)
    said = log.read_text("utf-8", "replace")
    failed = tuple(line for line in said.splitlines() if "(INJECTED)" in line)
    came = bool(failed) or "killed by SIGKILL" in said
    return Ended(code=done.returncode, err=err, failed=failed if came else None)


def unnamed(one: Writer, ended: Ended) -> list[str]:
    """Outputs whose hidden file, which becomes the output, a call failed on, and that no message names.

    None where a call on the pipe failed too, through which the child that writes says so.
    """
    if any("<pipe:" in call for call in ended.failed or ()):
        return []
    return [
        name
        for name in one.outputs
        if name not in ended.err
        and any(f".{Path(name).stem}." in call and Path(name).suffix in call for call in ended.failed or ())
    ]


def digest(history: Path) -> str:
    """Of what it holds; its damage where it has some."""
    if not history.exists():
        return "absent"
    try:
        with History.open(history, readonly=True) as opened:
            return "; ".join(opened.check()) or opened.digest()
    except HistoryError as error:  # of an older layout
        with closing(sqlite3.connect(history)) as file:
            return f"{file.execute('PRAGMA integrity_check').fetchone()}, {error}"


def is_old_or_new(path: Path, whole: bytes, *, old: bytes | None = OLD) -> bool:
    """Whether a file is one of the two; of a GeoPackage the rows of the layers are compared, of a TIFF pixels
    and tags: what could not be written at once can stand elsewhere in it."""
    data = path.read_bytes() if path.exists() else None
    held = {".gpkg": rows_of, ".tif": pixels_of}.get(path.suffix)
    if data in {old, whole} or held is None or data is None:
        return data in {old, whole}
    other = path.with_name(f"whole{path.suffix}")
    other.write_bytes(whole)
    try:
        return held(path) == held(other)
    except (sqlite3.Error, rasterio.errors.RasterioError):
        return False
    finally:
        other.unlink()


def is_of_a_crash(path: Path) -> bool:
    """Whether a whole JSON file says that the process that read the tile was killed, or a whole picture is
    that of a tile in such a file beside it."""
    try:
        if path.suffix == ".png":
            imread(path)
        results = json.loads(path.with_suffix(".json").read_bytes())["results"]
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        return False
    return bool(results) and all(result["status"] == "crashed" for result in results)


def pixels_of(path: Path) -> list[object]:
    """Everything that a TIFF says."""
    with rasterio.open(path) as file:
        said = [file.tags(ns=space) for space in (None, "IMAGERY", "IMAGE_STRUCTURE")]
        return [file.read().tobytes(), sorted(file.profile.items(), key=str), file.colorinterp, *said]


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
    for path in one.inputs:
        shutil.copy2(path, folder / path.name)
    if one.before is not None:
        for name in one.outputs:
            (folder / name).write_bytes(one.before)


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What a run without faults makes, and what it begins with."""

    outputs: dict[str, bytes]
    history: str | None
    before: str | None
    read: dict[Path, str]

    @classmethod
    def of(cls, one: Writer, folder: Path) -> Undisturbed:
        """Run it."""
        begin(folder, one)
        before = None if one.history is None else digest(folder / one.history)
        ended = run(folder, one)
        assert ended.code == 0, ended.err
        paths = [path for path in map(Path, one.words) if path.suffix == ".sqlite" and path.is_absolute()]
        return cls(
            outputs={name: (folder / name).read_bytes() for name in one.outputs},
            history=None if one.history is None else digest(folder / one.history),
            before=before,
            read={path: digest(path) for path in paths},
        )


def wrong(one: Writer, folder: Path, ended: Ended, *, fault: str, whole: Undisturbed) -> list[str]:
    """The promises that a run broke."""
    found = []
    for name, data in whole.outputs.items():
        as_said = is_old_or_new(folder / name, data, old=one.before)
        if not as_said and not (fault == "killed" and is_of_a_crash(folder / name)):
            found.append(f"{name} is neither old nor new")
    is_whole = all(is_old_or_new(folder / name, data, old=data) for name, data in whole.outputs.items())
    if one.history is not None and one.changes:
        now = digest(folder / one.history)
        is_whole &= now == whole.history
        if now not in {whole.history, whole.before}:
            found.append(f"the history is neither old nor new: {now}")
    if ended.code == 0 and not is_whole:
        found.append("exit code 0 without its outputs")
    if ended.code and (silent := unnamed(one, ended)):
        found.append(f"exit code {ended.code} and no word of {', '.join(silent)}: {ended.err[-300:]}")
    if "Traceback" in ended.err and not (ended.failed and all("<pipe:" in call for call in ended.failed)):
        found.append(ended.err[-400:])
    names = {Path(name).parts[0] for name in one.outputs} | {path.name for path in one.inputs}
    known = names | {f"{one.history}{end}" for end in ("", "-wal", "-shm", "-journal", ".lock")}
    if fault != "killed" and (extra := {path.name for path in folder.iterdir()} - known):
        found.append(f"left behind: {', '.join(sorted(extra))}")
    if any(digest(path) != held for path, held in whole.read.items()):
        found.append("the history that was read is another")
    return found


def again(one: Writer, folder: Path, *, whole: Undisturbed) -> list[str]:
    """What is wrong after a second, undisturbed run; a change that was made already is not made again."""
    if one.history is None or (one.changes and digest(folder / one.history) == whole.history):
        return []
    ended = run(folder, one)
    if ended.code or digest(folder / one.history) != whole.history:
        return [f"run again (exit code {ended.code}) the history is another: {ended.err[-200:]}"]
    return []


def tried(one: Writer, folder: Path, *, fault: str, every: int, say: Callable[[str], None]) -> int:
    """Let operation after operation fail, or every so many; how many runs."""
    whole = Undisturbed.of(one, folder)
    n_runs = 0
    for n in range(1, MOST, every):
        n_runs += 1
        begin(folder, one)
        ended = run(folder, one, fault=fault, n=n)
        for line in wrong(one, folder, ended, fault=fault, whole=whole) + again(one, folder, whole=whole):
            say(f"{fault}, operation {n}: {line}")
        if ended.failed is None:
            break
    if n_runs == 1:
        say(f"{fault}: no operation failed")
    return n_runs


def situation(one: Writer, folder: Path, *, fault: str, say: Callable[[str], None]) -> None:
    """One run under other circumstances."""
    whole = Undisturbed.of(one, folder)
    begin(folder, one)
    if fault != "closed pipe":
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555 if fault == "read-only folder" else 0o777)
    ended = run(folder, one, fault=fault)
    folder.chmod(0o755)
    found = wrong(one, folder, ended, fault=fault, whole=whole)
    names = [*one.outputs, *([] if one.history is None else [one.history])]
    if fault == "read-only folder" and not any(Path(name).parts[0] in ended.err for name in names):
        found.append(f"exit code {ended.code}, and no word of what could not be written: {ended.err[-300:]}")
    for line in found:
        say(f"{fault}: {line}")


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", default=[""], help="commands whose name begins so")
    parser.add_argument("--faults", nargs="+", choices=[*FAULTS, *SITUATIONS], default=[*FAULTS, *SITUATIONS])
    parser.add_argument("--every", type=int, default=1, help="let every so many operations fail")
    asked = parser.parse_args()
    broken: list[str] = []
    n_runs, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        prepare(base)
        for words, one in writers(base).items():
            for fault in asked.faults if words.startswith(tuple(asked.only)) else ():

                def say(line: str, words: str = words) -> None:
                    broken.append(f"{words}: {line}")
                    print(broken[-1], flush=True)

                if fault in SITUATIONS:
                    n_runs += 1
                    situation(one, base / "work", fault=fault, say=say)
                    print(f"{words}: {fault}", flush=True)
                    continue
                n = tried(one, base / "work", fault=fault, every=asked.every, say=say)
                n_runs += n
                print(f"{words}: {fault}: {n - 1} operations failed in turn", flush=True)
    print(f"{n_runs} runs in {time.monotonic() - began:.0f} s; broken promises: {len(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
