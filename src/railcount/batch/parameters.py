"""What a batch counts with, and the key that says whether an earlier result still holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import railcount
from railcount.errors import InputError, MissingInput, TileRefused
from railcount.raster.limits import DEFAULT_DRIVERS, Driver, Limits
from railcount.raster.paths import read_head
from railcount.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(railcount.__file__).parent
_DATA = ("weights/*.npz", "cars/*.toml", "sites/*/site.toml")
"""Of the program, what its counts rest on besides its code."""
_CHUNK = 2**20


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Options of a batch that its results depend on; those of `railcount.pipeline.scan_tile`.

    Limits of time and memory are none of them: they end a tile without a result.
    """

    tracks: Path | None = None
    mask: Path | None = None
    site: str | None = None
    """A name, or the path of a site file or folder."""
    stock: str | None = None
    date: dt.date | None = None
    gsd_m: float | None = None
    limits: Limits = field(default_factory=Limits)
    drivers: tuple[Driver, ...] = DEFAULT_DRIVERS

    def words(self) -> dict[str, Any]:
        """Plain JSON for people and for worker processes; ``from_words`` makes the same again."""
        return {
            "tracks": _text(self.tracks),
            "mask": _text(self.mask),
            "site": self.site,
            "stock": self.stock,
            "date": None if self.date is None else self.date.isoformat(),
            "gsd_m": self.gsd_m,
            "limits": asdict(self.limits),
            "drivers": list(self.drivers),
        }

    @classmethod
    def from_words(cls, words: dict[str, Any]) -> Parameters:
        """The parameters of ``words``."""
        given = dict(words)
        for name in ("tracks", "mask"):
            given[name] = None if given[name] is None else Path(given[name])
        given["date"] = None if given["date"] is None else dt.date.fromisoformat(given["date"])
        return cls(**given | {"limits": Limits(**given["limits"]), "drivers": tuple(given["drivers"])})

    def key(self) -> str:
        """Digest of these parameters, of the files they name, and of the program: 64 hexadecimal digits.

        Two results of one tile under one key are the same. Files of the user's sites enter too: without a
        site a tile finds its own. Where a file lies does not matter, what is in
        it does. Raises MissingInput and InputError for a file that cannot be read.
        """
        from railcount import sites

        words = self.words() | {
            name: None if path is None else _digest_of(path, limits=self.limits)
            for name, path in (("tracks", self.tracks), ("mask", self.mask))
        }
        # What was counted at a site before changes no count, and is no part of it.
        words["site"] = [self.site and _site_name(self.site), *map(_digest_of, sites.own_files(self.site))]
        words["program"] = [railcount.__version__, _program_data()]
        return hashlib.sha256(json.dumps(words, sort_keys=True).encode("utf-8")).hexdigest()

    def for_workers(self) -> Parameters:
        """The same with absolute paths."""
        from railcount import sites

        site = self.site
        if site is not None and Path(site).exists() and site not in sites.names():
            site = str(Path(site).absolute())
        return Parameters(
            **{
                **vars(self),
                "tracks": None if self.tracks is None else self.tracks.absolute(),
                "mask": None if self.mask is None else self.mask.absolute(),
                "site": site,
            }
        )


def content_digest(path: Path, *, n_bytes: int = _CHUNK) -> Iterator[str | None]:
    """The SHA-256 of a file, in steps: None after each ``n_bytes``, at the end the digest.

    Between the steps a caller can look after other things. Raises OSError.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(n_bytes):
            digest.update(chunk)
            yield None
    yield digest.hexdigest()


def _digest_of(path: Path, *, limits: Limits | None = None) -> str:
    read_head(path, n_bytes=0, refused=InputError, unreadable=InputError)  # a pipe would block for ever
    try:
        if limits is not None:
            limits.check_file(path.stat().st_size)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise MissingInput(f"no file {one_line(path)}") from error
    except TileRefused as error:
        raise InputError(f"{one_line(path)}: {error}") from error
    except OSError as error:
        raise InputError(f"{one_line(path)} cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=1)
def _program_data() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _DATA for path in _PACKAGE.glob(pattern)):
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()} {_digest_of(path)}\n".encode())
    return digest.hexdigest()


def _site_name(site: str) -> str:
    from railcount import sites

    return sites.load(site).name


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
