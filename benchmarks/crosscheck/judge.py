"""Count the crosscheck's scenes and say how well: a table per kind and mode, and totals.

python benchmarks/crosscheck/judge.py --kinds mixed,empty --seeds 1-2 --modes given,found -o out.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from files import default_cache, scene_files
from kinds import FIRST_TO_LEARN_FROM, KINDS

MODES = ("given", "found", "displaced")
FOUND_IOU = 0.3
Row = dict[str, Any]


def judge(case: tuple[str, int], *, modes: tuple[str, ...], cache: Path, src: str | None) -> list[Row]:
    """One scene, counted in every mode; a mode whose lines do not exist is left out."""
    _use(src)
    kind, seed = case
    files = scene_files(kind, seed, cache=cache)
    rows = []
    for mode in modes:
        lines = files.lines(mode)
        if lines is None or lines.exists():
            rows.append({"kind": kind, "seed": seed, "mode": mode, **_count(files, mode, src)})
    return rows


def _use(src: str | None) -> None:
    """Import railcount from this folder, where one is given."""
    if src is not None and sys.path[0] != src:
        sys.path.insert(0, src)


def _count(files: Any, mode: str, src: str | None) -> Row:
    from railcount import scan_tile
    from railcount.counts import STATUSES_WITH_COUNT
    from railcount.evaluate import score_files
    from railcount.outputs.write import write_counts

    began = time.perf_counter()
    counted = scan_tile(files.image, tracks=files.lines(mode), baseline=False)
    seconds = time.perf_counter() - began
    label = hashlib.sha256((src or "installed").encode()).hexdigest()[:6]
    predicted = files.predicted(mode, label)
    write_counts([counted], predicted, overwrite=True)
    score = score_files(predicted, files.truth)
    total = counted.railcars
    row: Row = {
        "status": counted.status,
        "reasons": list(counted.reasons),
        "truth": score.n_truth,
        "ignored": score.n_ignored,
        "best": total and total.best,
        "low": total and total.low,
        "high": total and total.high,
        "held": score.covered,
        "tracks": counted.tracks.n if counted.tracks else 0,
        "seconds": round(seconds, 2),
        "predicted": str(predicted),
    }
    if score.agreements:
        agreement = score.agreements[0]
        row |= {"matched": agreement.n_matched, "false": agreement.n_false, "missed": agreement.n_missed}
    elif counted.status not in STATUSES_WITH_COUNT:
        row |= {"matched": 0, "false": 0, "missed": score.n_truth}
    return row | _engines(predicted, files.truth)


def _engines(predicted: Path, truth: Path) -> Row:
    """True locomotives, and how many were outlined and recognised."""
    from railcount.evaluate import MIN_VISIBLE_FRACTION, match
    from railcount.outlines import read_plane

    ours, true = read_plane(predicted, truth)
    engines = [o.polygon for o in true if o.locomotive and o.visible_fraction >= MIN_VISIBLE_FRACTION]
    pairs = match([o.polygon for o in ours], engines, min_iou=FOUND_IOU).pairs
    called = sum(o.locomotive for o in ours)
    return {
        "engines": len(engines),
        "recognised": sum(ours[i].locomotive for i, _, _ in pairs),
        "called": called,
    }


def summed(rows: list[Row]) -> Row:
    """Several rows as one; figures over all their cars together."""
    keys = ("truth", "best", "low", "high", "matched", "false", "missed", "tracks")
    keys = (*keys, "engines", "recognised", "called")
    out: Row = {key: sum(row.get(key) or 0 for row in rows) for key in keys}
    told = [row["held"] for row in rows if row["held"] is not None]
    out["held"] = f"{sum(told)}/{len(told)}"
    return out


HEADER = (
    f"{'kind':<24}{'mode':<10}{'truth':>6}{'best':>6}{'low':>6}{'high':>6}{'held?':>7}"
    f"{'prec.':>7}{'recall':>7}{'F1':>7}{'engines':>10}{'tracks':>7}"
)


def line(kind: str, mode: str, row: Row) -> str:
    """One line of the table."""
    matched, false, missed = (row.get(key, 0) for key in ("matched", "false", "missed"))
    shares = [
        (matched, matched + false),
        (matched, matched + missed),
        (2 * matched, 2 * matched + false + missed),
    ]
    told = "".join(f"{part / whole:7.3f}" if whole else f"{'-':>7}" for part, whole in shares)
    engines = f"{row['engines']}/{row['recognised']}/{row['called']}"
    return (
        f"{kind:<24}{mode:<10}{row['truth']:>6}{row['best']:>6}{row['low']:>6}{row['high']:>6}"
        f"{row['held']:>7}{told}{engines:>10}{row['tracks']:>7}"
    )


def table(rows: list[Row], *, modes: tuple[str, ...]) -> str:
    """All rows, kind by kind, then the totals of each mode."""
    lines = [HEADER]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for mode in modes:
            own = [row for row in rows if row["kind"] == kind and row["mode"] == mode]
            if own:
                lines.append(line(kind, mode, summed(own)))
    for mode in modes:
        own = [row for row in rows if row["mode"] == mode]
        if own:
            lines.append(line("all", mode, summed(own)))
    odd = [row for row in rows if row["status"] not in ("counted", "degraded")]
    lines += [f"no count: {r['kind']}-{r['seed']} {r['mode']}: {r['status']} {r['reasons']}" for r in odd]
    return "\n".join(lines)


def _seeds(text: str) -> list[int]:
    """``1-3,7`` as numbers. Raises ValueError for one that training may have learned from."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if max(found) >= FIRST_TO_LEARN_FROM:
        raise ValueError(f"seeds from {FIRST_TO_LEARN_FROM} on are for training")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", default=",".join(KINDS), help="names, comma between; default: all")
    parser.add_argument("--seeds", default="1", help="such as 1-3 or 1,4")
    parser.add_argument("--modes", default=",".join(MODES), help="of given, found, displaced")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--src", help="folder that holds the package railcount to judge")
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), help="where scenes and counts are kept"
    )
    parser.add_argument("-o", "--output", type=Path, help="JSON of all rows")
    asked = parser.parse_args()
    kinds, modes = asked.kinds.split(","), tuple(asked.modes.split(","))
    if unknown := [*set(kinds) - set(KINDS), *set(modes) - set(MODES)]:
        parser.error(f"not known: {', '.join(unknown)}; kinds are {', '.join(KINDS)}")
    src = str(Path(asked.src).resolve()) if asked.src else None
    work = partial(judge, modes=modes, cache=asked.cache, src=src)
    cases = [(kind, seed) for kind in kinds for seed in _seeds(asked.seeds)]
    rows: list[Row] = []
    with multiprocessing.get_context("spawn").Pool(max(asked.jobs, 1)) as pool:
        for found in pool.imap(work, cases):
            rows += found
            for row in found:
                print(
                    line(f"{row['kind']}-{row['seed']}", row["mode"], summed([row])),
                    file=sys.stderr,
                    flush=True,
                )
            if asked.output:
                asked.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows, modes=modes))
    print(f"scenes and outlines: {asked.cache}")


if __name__ == "__main__":
    main()
