"""What is measured: each part runs its commands and gives rows. Children do all the work."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from budgets import Row, ratio_of_medians
from children import CommandError, Finished, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
ENOUGH = ["--max-pixels", "2000000000", "--max-bytes", "8589934592"]
"""The scenes are ours: none is refused for its size."""
STAYS = 1.2
"""Peak memory of a tile over that of one a quarter of its size: so much is "does not grow"."""
FLAT = 1.25
"""Time that a late tile takes over that of an early one: so much is "flat"."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How to measure."""

    folder: Path
    """For scenes and results; empty at the start."""
    n_repeats: int = 3
    """Of commands that take seconds; those that take a tenth are repeated seven times as often."""
    size_px: int = 16384
    n_tiles: int = 10_000
    n_archive: int = 8
    max_mb: float = 6000.0
    python: str = sys.executable

    @property
    def railcount(self) -> list[str]:
        """The command as it is installed beside this Python."""
        script = Path(self.python).parent / "railcount"
        return [str(script)] if script.exists() else [self.python, "-m", "railcount"]

    def draw(self, *words: str | int | Path) -> None:
        """Have scenes written, by a process of its own."""
        run([self.python, HERE / "scenes.py", *map(str, words)])

    def yard(self, *, bands: int = 3, bits: int = 8) -> Path:
        """The yard's picture; its lines lie beside it."""
        folder = self.folder / f"yard-{bands}-{bits}"
        if not folder.exists():
            self.draw("yard", folder, "--bands", bands, "--bits", bits)
        return folder / "yard.tif"


def version(bench: Bench) -> list[Row]:
    """``railcount --version`` against ``python -c "import click"``, in turn."""
    mine, click = _in_turn(
        [*bench.railcount, "--version"],
        [bench.python, "-c", "import click"],
        n=7 * bench.n_repeats,
    )
    return [
        Row(
            part="version",
            what="`railcount --version` against `python -c 'import click'`",
            unit="x",
            value=ratio_of_medians(_seconds(mine), _seconds(click)),
            budget=3.0,
            details={"railcount ms": 1000 * _median(mine), "click ms": 1000 * _median(click)},
        )
    ]


def imports(bench: Bench) -> list[Row]:
    """``import railcount`` against nothing, in turn."""
    mine, nothing = _in_turn(
        [bench.python, "-c", "import railcount"], [bench.python, "-c", "pass"], n=7 * bench.n_repeats
    )
    return [
        Row(
            part="import",
            what="`import railcount` against `python -c pass`",
            unit="x",
            value=ratio_of_medians(_seconds(mine), _seconds(nothing)),
            details={"railcount ms": 1000 * _median(mine), "python ms": 1000 * _median(nothing)},
        )
    ]


def tile(bench: Bench) -> list[Row]:
    """A tile of ordinary size, tracks found."""
    yard = bench.yard()
    what = "`scan` of a 1000 x 800 tile, tracks found"
    runs = []
    for _ in range(bench.n_repeats + 1):
        runs.append(_scan(bench, yard))
        if runs[-1].killed:
            return [_killed("tile", what, bench, budget_mb=400.0)]
    runs = runs[1:]  # the first one warms the disk
    return [
        Row(
            part="tile", what=what, unit="s", value=_median(runs), budget=2.5,
            details={"CPU s": _cpu(runs)},
        ),
        Row(part="tile", what=f"{what}: peak memory", unit="MB", value=_peak(runs), budget=400.0),
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Big:
    """A large scene and what its scan may cost."""

    name: str
    given: bool
    """Whether the tracks are given, or to be found."""
    side_px: int | None = None
    """That of the command line where None."""
    bands: int = 3
    bits: int = 8
    striped: bool = False

    @property
    def budget(self) -> float:
        """Of the time, against reading all pixels."""
        return 0.25 if self.given else 1.5

    @property
    def budget_mb(self) -> float:
        return 500.0 if self.given else 1000.0


def big(bench: Bench, *, scene: Big) -> list[Row]:
    """A scan of a large scene against the reading of all its pixels, in turn."""
    side = scene.side_px or bench.size_px
    kind = "RGB" if scene.bands == 3 else f"{scene.bands}-band {scene.bits}-bit"
    kind += ", striped deflate" if scene.striped else ", tiled deflate"
    what = f"`scan` of {side} x {side} {kind}, tracks {'given' if scene.given else 'found'}"
    path = _big_file(bench, scene, side)
    lines = bench.yard(bands=scene.bands, bits=scene.bits).with_name("yard_tracks.geojson")
    words = ["--tracks", lines] if scene.given else []
    scans, reads, yards = [], [_read(bench, path)][1:], []  # read once for the disk's sake
    for _ in range(bench.n_repeats):
        reads.append(_read(bench, path))
        scans.append(_scan(bench, path, *words))
        yards.append(_scan(bench, lines.with_name("yard.tif"), *words))
        if scans[-1].killed:
            return [_killed(scene.name, what, bench, budget_mb=scene.budget_mb)]
    rows = [
        Row(
            part=scene.name, what=f"{what}, against reading its pixels", unit="x",
            value=ratio_of_medians(_seconds(scans), [wall for wall, _ in reads]), budget=scene.budget,
            details={
                "scan s": _median(scans), "reading s": statistics.median(wall for wall, _ in reads),
                "scan CPU s": _cpu(scans), "reading CPU s": statistics.median(cpu for _, cpu in reads),
                "the yard alone s": _median(yards), "the yard alone CPU s": _cpu(yards),
                "file MB": path.stat().st_size / 1e6,
            },
        ),
        Row(part=scene.name, what=f"{what}: peak memory", unit="MB", value=_peak(scans),
            budget=scene.budget_mb),
    ]  # fmt: skip
    path.unlink()
    half = _scan(bench, _big_file(bench, scene, side // 2), *words)
    rows.append(
        Row(
            part=scene.name, what=f"{what}: peak memory against {side // 2} x {side // 2}", unit="x",
            value=_peak(scans) / half.peak_mb, budget=STAYS, details={"smaller MB": half.peak_mb},
        )
    )  # fmt: skip
    _big_file(bench, scene, side // 2).unlink()
    return rows


def workers(bench: Bench) -> list[Row]:
    """A batch with 2 workers against 1, each from the start."""
    what = "`batch`, 2 workers against 1"
    if not _has_batch(bench):
        return [Row(part="batch", what=what, unit="x", budget=1.8, at_least=True, note="not yet")]
    archive = bench.folder / "archive"
    bench.draw("archive", archive, "--yard", bench.yard(), "--n", bench.n_archive)
    took: dict[int, list[Finished]] = {1: [], 2: []}
    for turn in range(bench.n_repeats):
        for n, runs in took.items():
            runs.append(_batch(bench, archive, jobs=n, history=f"workers-{n}-{turn}.sqlite"))
    return [
        Row(
            part="batch", what=what, unit="x", value=ratio_of_medians(_seconds(took[1]), _seconds(took[2])),
            budget=1.8, at_least=True,
            details={
                "n tiles": bench.n_archive, "1 worker s": _median(took[1]), "2 workers s": _median(took[2]),
                "1 worker CPU s": _cpu(took[1]), "2 workers CPU s": _cpu(took[2]),
            },
        )
    ]  # fmt: skip


def finished(bench: Bench) -> list[Row]:
    """A batch over many small tiles: its second run, and whether the first one stays as quick."""
    n = bench.n_tiles
    second = f"`batch` again over {n} finished tiles"
    if not _has_batch(bench):
        return [Row(part="finished", what=second, unit="s", budget=5.0, note="not yet")]
    few, some = n // 100, n // 10
    first: dict[int, Finished] = {}
    for count in (few, some, n):
        folder = bench.folder / f"tiny-{count}"
        bench.draw("tiny", folder, "--n", count)
        first[count] = _batch(bench, folder, jobs=2, history=f"tiny-{count}.sqlite")
    again = [_batch(bench, folder, jobs=2, history=f"tiny-{n}.sqlite") for _ in range(bench.n_repeats)]
    early = _each(first, few, some)
    late = _each(first, some, n)
    rows = [
        Row(part="finished", what=second, unit="s", value=_median(again), budget=5.0),
        Row(part="finished", what=f"{second}: peak memory", unit="MB", value=_peak(again)),
        Row(
            part="finished", what=f"`batch`: time a tile, up to {n} against up to {some}", unit="x",
            value=late / early if early > 0 else None, budget=FLAT,
            details={
                "early ms": 1000 * early, "late ms": 1000 * late,
                "early CPU ms": 1000 * _each_cpu(first, few, some),
                "late CPU ms": 1000 * _each_cpu(first, some, n),
            },
        ),
    ]  # fmt: skip
    if first[few].own_mb:
        rows.append(
            Row(
                part="finished", what=f"`batch`: its own peak memory, {n} tiles against {few}", unit="x",
                value=first[n].own_mb / first[few].own_mb, budget=STAYS,
                details={"many MB": first[n].own_mb, "few MB": first[few].own_mb},
            )
        )  # fmt: skip
    return rows


def _each(first: dict[int, Finished], fewer: int, more: int) -> float:
    """Seconds that one tile more takes; what starting costs is in both and cancels."""
    return (first[more].seconds - first[fewer].seconds) / (more - fewer)


def _each_cpu(first: dict[int, Finished], fewer: int, more: int) -> float:
    """The same on the processor's clock, workers included: other programs do not lengthen it."""
    return (first[more].cpu_s - first[fewer].cpu_s) / (more - fewer)


GIVEN, FOUND = Big(name="given", given=True), Big(name="found", given=False)
PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "version": version,
    "import": imports,
    "tile": tile,
    "given": partial(big, scene=GIVEN),
    "found": partial(big, scene=FOUND),
    "batch": workers,
    "finished": finished,
}
"""What is measured where no part is named: the budgets."""
EXTRA: dict[str, Callable[[Bench], list[Row]]] = {
    one.name: partial(big, scene=one)
    for one in (
        Big(name="given-striped", given=True, striped=True),
        Big(name="found-striped", given=False, striped=True),
        Big(name="given-16bit", given=True, bands=4, bits=16),
        Big(name="found-16bit", given=False, bands=4, bits=16),
        Big(name="given-30000", given=True, side_px=30_000),
        Big(name="found-30000", given=False, side_px=30_000),
    )
}
"""Measured when named: other kinds of large scenes, against the same budgets."""


def _in_turn(one: Sequence[str], other: Sequence[str], *, n: int) -> tuple[list[Finished], list[Finished]]:
    """Two commands by turns, so that a busy moment meets both; a first pair for the disk is not kept."""
    pairs = [(run(one), run(other)) for _ in range(n + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _scan(bench: Bench, path: Path, *words: str | Path) -> Finished:
    """A scan that must give a count."""
    command = [*bench.railcount, "scan", path, "--format", "csv", "--no-baseline", *ENOUGH, *words]
    return run(command, max_mb=bench.max_mb)


def _read(bench: Bench, path: Path) -> tuple[float, float]:
    """Seconds that rasterio needs for all pixels, by the clock and of the processor."""
    seconds, cpu_s = map(float, run([bench.python, HERE / "read_blocks.py", path]).out.split())
    return seconds, cpu_s


def _big_file(bench: Bench, scene: Big, side: int) -> Path:
    """The scene's file, drawn where it is not there."""
    path = bench.folder / f"{scene.name}-{side}.tif"
    if not path.exists():
        yard = bench.yard(bands=scene.bands, bits=scene.bits)
        striped = ["--striped"] if scene.striped else []
        bench.draw("big", path, "--yard", yard, "--size", side, *striped)
    return path


def _has_batch(bench: Bench) -> bool:
    return run([*bench.railcount, "batch", "--help"], allowed=(0, 2)).code == 0


def _batch(bench: Bench, folder: Path, *, jobs: int, history: str) -> Finished:
    command = [*bench.railcount, "batch", folder, "--jobs", str(jobs), "--history", bench.folder / history]
    # 3: some tiles have no count, which is what the small ones are.
    done = run(command, max_mb=bench.max_mb, allowed=(0, 3))
    if done.killed:
        raise CommandError(f"a batch was killed: it held over {bench.max_mb:.0f} MB")
    return done


def _killed(part: str, what: str, bench: Bench, *, budget_mb: float) -> Row:
    """It held at least so much, and nobody knows how much it would have taken."""
    return Row(
        part=part,
        what=f"{what}: peak memory",
        unit="MB",
        value=bench.max_mb,
        budget=budget_mb,
        note="killed there",
    )


def _seconds(runs: Sequence[Finished]) -> list[float]:
    return [one.seconds for one in runs]


def _cpu(runs: Sequence[Finished]) -> float:
    return statistics.median(one.cpu_s for one in runs)


def _median(runs: Sequence[Finished]) -> float:
    return statistics.median(_seconds(runs))


def _peak(runs: Sequence[Finished]) -> float:
    return max(one.peak_mb for one in runs)
