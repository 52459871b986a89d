"""What is no history is left as it is, and what is one opens wherever it lies."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from railcount.errors import HistoryError, MissingInput, RailcountError
from railcount.history import History, connecting, default_path, place, schema

from .factories import KEY, one_pass, tile

if TYPE_CHECKING:
    from collections.abc import Callable


def made(path: Path, *, n: int = 1) -> Path:
    """A closed history with tiles."""
    with History.open(path) as history:
        for k in range(n):
            history.record_tile(tile(f"{k}.tif"), key=KEY)
        history.record_pass(one_pass(tile("0.tif")), key=KEY)
    return path


def visible(folder: Path) -> set[str]:
    """Names in a folder, without what SQLite leaves beside a file that was read."""
    names = {one.name for one in folder.iterdir()}
    return {name for name in names if not name.endswith(("-wal", "-shm"))}


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE tiles (x)")
        connection.commit()


def of_another_program(path: Path) -> None:
    foreign(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 0x47504B47")
        connection.commit()


def newer(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


def newer_in_its_log(path: Path) -> None:
    """As a newer program that was killed leaves it: the file's head does not say so yet."""
    made(path)
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        f"c.execute('PRAGMA user_version = {schema.VERSION + 1}'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert Path(f"{path}-wal").stat().st_size > 0


def cut_short(path: Path) -> None:
    made(path, n=20)
    os.truncate(path, path.stat().st_size // 2)


def without_its_last_page(path: Path) -> None:
    """SQLite itself notices when it comes there."""
    made(path, n=20)
    os.truncate(path, path.stat().st_size - 4096)


def scribbled_over(path: Path) -> None:
    made(path, n=20)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)


def without_a_table(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE cars")


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"II*\0 this is a tile, not a history" * 10), "not an SQLite file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "not an SQLite file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (foreign, "another program's"),
        (of_another_program, "another program's"),
        (newer, "newer railcount"),
        (newer_in_its_log, "newer railcount"),
        (cut_short, "damaged"),
        (without_its_last_page, "damaged: it has"),
        (scribbled_over, "damaged"),
        (without_a_table, "no table cars"),
    ],
)
def test_what_is_no_history_is_left_alone(
    path: Path, make: Callable[[Path], None], words: str, readonly: bool
) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(HistoryError, match=words) as raised:
        History.open(path, readonly=readonly)
    assert path.read_bytes() == before
    assert "name another file with --history" in str(raised.value)
    assert "\n" not in str(raised.value)


PAGE = 4096


def with_a_log(path: Path) -> None:
    """As who was killed leaves it."""
    whole = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        log = Path(f"{path}-wal").read_bytes()
    path.write_bytes(whole)
    Path(f"{path}-wal").write_bytes(log)


def refusal(path: Path) -> str | None:
    try:
        History.open(path).close()
    except HistoryError as error:
        return str(error)
    return None


@pytest.mark.parametrize("logged", [False, True])
def test_no_damaged_page_is_written_beside(path: Path, logged: bool) -> None:
    """Whatever page it is, nothing is written to the file; unless the page holds nothing."""
    made(path, n=12)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE,)
        connection.execute("CREATE TABLE gone (x)")
        connection.execute("INSERT INTO gone VALUES (zeroblob(40000))")
        connection.execute("DROP TABLE gone")
    if logged:
        with_a_log(path)
    whole, log = path.read_bytes(), Path(f"{path}-wal")
    waiting = log.read_bytes() if logged else b""
    refused = 0
    for at in range(0, len(whole), PAGE):
        for end in ("-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        damaged = whole[:at] + b"\xff" * PAGE + whole[at + PAGE :]
        path.write_bytes(damaged)
        if logged:
            log.write_bytes(waiting)
        if said := refusal(path):
            refused += 1
            assert path.read_bytes() == damaged, at
            assert "name another file with --history" in said
            assert "\n" not in said
            continue
        with History.open(path, readonly=True) as history:
            assert history.check() == [], at
            assert len(list(history.records())) == 12
    n_unused = 12
    assert refused >= len(whole) // PAGE - n_unused


def test_damage_is_looked_for_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(connecting, "_check_pages", lambda connection, *, path: looked.append(path))
    made(path)
    with_a_log(path)
    looked.clear()
    History.open(path).close()
    assert looked == [path], "with a log too, where the tables are looked at twice"
    History.open(path).close()
    assert looked == [path, path]
    History.open(path, again=True).close()
    History.open(path, readonly=True).close()
    assert looked == [path, path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("readonly", [False, True])
def test_what_is_no_regular_file(tmp_path: Path, readonly: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "."):
        with pytest.raises(HistoryError, match="not a regular file"):
            History.open(tmp_path / name, readonly=readonly)
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


def test_a_missing_history(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no history at"):
        History.open(tmp_path / "none.sqlite", readonly=True)
    with pytest.raises(HistoryError, match="no folder"):
        History.open(tmp_path / "nowhere" / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_damage_found_late_is_an_error_of_the_history(path: Path) -> None:
    made(path, n=200)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    with History.open(path, readonly=True) as history:
        with pytest.raises(HistoryError, match=r"damaged|cannot be read"):
            list(history.records())
        assert history.check() != []


COUNT = (
    "INSERT INTO counts (identity, first, last, best, unit, statement, qualifier, sensor, source, method, "
    "notes, simulated) VALUES ('', '2022-01-01', '2022-01-01', {}, 'cars', 'image', '', '', 'a', "
    "'published', '', 0)"
)


def test_what_cannot_be_read_is_said_by_who_reads(history: History) -> None:
    history.record_tile(tile(), key=KEY)
    history.record_pass(one_pass(tile()), key=KEY)
    history._connection.execute(f"UPDATE passes SET record = '{'[' * 100_000}'")
    for read in (history.passes, history.summaries):
        with pytest.raises(HistoryError, match=r"holds something that cannot be read \(maximum recursion"):
            list(read())
    history._connection.execute(COUNT.format("9e999"))
    with pytest.raises(HistoryError, match="a count is no whole number"):
        list(history.counts())


@pytest.mark.parametrize("readonly", [True, False])
def test_a_trigger_is_not_run(path: Path, readonly: bool) -> None:
    """It would change other rows, or have no end."""
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER lie AFTER INSERT ON counts BEGIN DELETE FROM passes; END")
        connection.commit()
    with pytest.raises(HistoryError, match="has a trigger, lie, and railcount makes none"):
        History.open(path, readonly=readonly)


def test_a_schema_that_asks_for_a_gigabyte(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE passes ADD COLUMN lie TEXT AS (hex(zeroblob(400000000)))")
    with pytest.raises(HistoryError, match="too big"):
        History.open(path)


def test_unreadable_records_are_told(history: History) -> None:
    history.record_tile(tile(), key=KEY)
    history.record_pass(one_pass(tile()), key=KEY)
    for change, words in (
        ("UPDATE tiles SET record = '{'", "cannot be read"),
        ("UPDATE tiles SET record = '{}'", "cannot be read"),
        ("UPDATE passes SET railcars_best = 99", "two different counts"),
        ("UPDATE cars SET ring = 'x' WHERE number = 1", "cannot be read"),
        ("UPDATE cars SET ring = '[[1e999,2]]' WHERE number = 1", "an outline has no end"),
        (f"UPDATE cars SET ring = '{'[' * 100_000}'", "RecursionError"),
        (f"UPDATE passes SET record = '{'[' * 100_000}'", "RecursionError"),
        (COUNT.format("9e999"), "a count is no whole number"),
        ("PRAGMA user_version = 7", "layout is 7"),
    ):
        history._connection.execute("SAVEPOINT before")
        history._connection.execute(change)
        assert any(words in sentence for sentence in history.check()), change
        history._connection.execute("ROLLBACK TO before")
    assert history.check() == []


@pytest.mark.parametrize(
    "name", [b"a b?c#d%20&mode=memory.sqlite", b"stray \xff.sqlite", b"\xe6\xbc\xa2'.sqlite"]
)
def test_paths_of_all_sorts(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        path.touch()
    except OSError:
        pytest.skip("the file system does not take such names")
    path.unlink()
    made(path)
    assert path.is_file()
    with History.open(path, readonly=True) as history:
        assert len(list(history.passes())) == 1
        history.backup(path.with_name(f"b{path.name}"))
    with History.open(path.with_name(f"b{path.name}"), readonly=True) as copy:
        assert copy.check() == []
    assert visible(tmp_path) == {path.name, f"b{path.name}"}


def test_a_link_to_a_history(tmp_path: Path, path: Path) -> None:
    made(path)
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    with (
        History.open(path) as one,
        one.claim(),
        History.open(link) as other,
        pytest.raises(HistoryError, match="in use by"),
        other.claim(),
    ):
        pass


def test_layout_0_to_1_makes_the_tables() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        assert schema.migrate(connection) == 0
        assert schema.version_of(connection) == schema.VERSION
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        assert names >= schema.TABLES
        assert schema.migrate(connection) == schema.VERSION, "the second time there is nothing to do"


NEXT = (*schema.MIGRATIONS, ("ALTER TABLE passes ADD COLUMN cloud REAL", "UPDATE passes SET cloud = 0.5"))


def test_an_older_layout_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)
    with History.open(path, readonly=True) as history:
        before = history.digest()
    monkeypatch.setattr(schema, "MIGRATIONS", NEXT)
    monkeypatch.setattr(schema, "VERSION", len(NEXT))
    monkeypatch.setattr(place, "VERSION", len(NEXT))
    unchanged = path.read_bytes()
    with pytest.raises(HistoryError, match="history upgrade"):
        History.open(path, readonly=True)
    assert path.read_bytes() == unchanged
    with History.open(path) as history:
        assert history._connection.execute("SELECT cloud FROM passes").fetchall() == [(0.5,)]
        assert history.digest() == before
        assert history.check() == []
    with History.open(path, readonly=True) as history:
        assert history.digest() == before


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*NEXT, ("DROP TABLE cars", "no SQL at all")))
    monkeypatch.setattr(schema, "VERSION", len(NEXT) + 1)
    with pytest.raises(HistoryError, match="cannot be used"):
        History.open(path)
    monkeypatch.undo()
    with History.open(path, readonly=True) as history:
        assert len(list(history.passes())) == 1
        assert history.check() == []


def test_a_migration_may_not_lose_what_others_point_at(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(AssertionError, match="broke a reference"):
            schema.migrate(connection, steps=(*schema.MIGRATIONS, ("DELETE FROM tiles",)))
        assert connection.execute("SELECT count(*) FROM tiles").fetchone() == (1,)
        assert schema.version_of(connection) == schema.VERSION


def test_write_ahead_log_where_possible(history: History) -> None:
    assert history._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert history._connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_rollback_journal_on_a_network(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made(path)
    monkeypatch.setattr(place, "on_network", lambda path: True)
    with caplog.at_level(logging.WARNING, logger="railcount"), History.open(path) as history:
        assert "rollback journal" in caplog.text
        assert history._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert history._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        history.record_tile(tile("other.tif"), key=KEY)
        with History.open(path, readonly=True) as reader:
            assert len(reader.finished(KEY)) == 2


@pytest.fixture
def cut_off(path: Path, tmp_path: Path) -> tuple[Path, str]:
    """A history whose writer was killed, with the journal that takes half a write back; and its digest."""
    made(path, n=60)
    with History.open(path, readonly=True) as history:
        before = history.digest()
    killed = tmp_path / "killed" / path.name
    killed.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE tiles SET record = record || zeroblob(5000)")
        for end in ("", "-journal"):
            shutil.copy2(f"{path}{end}", f"{killed}{end}")
        connection.execute("ROLLBACK")
    return killed, before


def test_a_write_that_was_cut_off_is_taken_back_by_who_reads(cut_off: tuple[Path, str]) -> None:
    path, before = cut_off
    with History.open(path, readonly=True) as history:
        assert history.digest() == before
        assert history.check() == []


def test_a_write_that_was_cut_off_is_not_read_as_it_is(
    cut_off: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "can_write", lambda path: False)
    monkeypatch.setattr(connecting, "can_write", lambda path: False)
    with pytest.raises(HistoryError, match="cannot be used: attempt to write a readonly database"):
        History.open(cut_off[0], readonly=True)


MOUNTS = r"""22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:30 / /data rw - nfs4 server:/data rw
31 30 0:31 / /data/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:32 / /remote rw - fuse.sshfs user@host: rw
33 22 0:33 / /shared rw - fuse.vmhgfs-fuse vmhgfs rw
a line that is none
"""


@pytest.mark.parametrize(
    ("folder", "is_network"),
    [
        ("/home/a", False),
        ("/data", True),
        ("/data/x/y", True),
        ("/data/local disk/x", False),
        ("/database", False),
        ("/remote/x", True),
        ("/shared", True),
    ],
)
def test_network_file_systems_are_known(folder: str, is_network: bool) -> None:
    assert (place._file_system(MOUNTS, folder) in place._NETWORK) == is_network


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="leave to write is a matter of POSIX here")
def test_what_nobody_can_write_to_is_read() -> None:
    """As on a read-only disk: SQLite cannot make the log there that it wants for reading."""
    with tempfile.TemporaryDirectory() as folder:
        path = made(Path(folder) / "history.sqlite")
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        me = os.geteuid()
        if me == 0:
            os.seteuid(65534)
        try:
            with History.open(path, readonly=True) as history:
                assert len(list(history.passes())) == 1
            with pytest.raises(HistoryError, match="may not be written to"):
                History.open(path)
        finally:
            os.seteuid(me)
            Path(folder).chmod(0o755)
        assert {one.name for one in Path(folder).iterdir()} == {path.name}


def test_default_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAILCOUNT_HISTORY", str(tmp_path / "mine.sqlite"))
    assert default_path() == tmp_path / "mine.sqlite"
    monkeypatch.setenv("RAILCOUNT_HISTORY", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path().name == "history.sqlite"
    assert "railcount" in default_path().parts
    if sys.platform == "linux":
        assert default_path() == tmp_path / "data" / "railcount" / "history.sqlite"
        with History.open() as history:
            assert history.path == default_path()
        assert stat.S_IMODE(default_path().parent.stat().st_mode) == 0o700


def test_two_make_the_same_history_at_once(tmp_path: Path) -> None:
    """Neither loses what it wrote."""
    path = tmp_path / "history.sqlite"
    code = (
        "import sys; from railcount.history import History\n"
        "with History.open(sys.argv[1]) as h: h.begin(sys.argv[2] * 64, key='k')"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abc"]
    assert [one.wait(timeout=60) for one in running] == [0, 0, 0]
    with History.open(path, readonly=True) as history:
        assert set(history.interrupted("k")) == {name * 64 for name in "abc"}
    assert visible(tmp_path) == {path.name}


def test_errors_are_railcounts_and_the_systems() -> None:
    assert issubclass(HistoryError, RailcountError)
    assert issubclass(HistoryError, OSError)


def test_a_history_is_moved_with_its_log(path: Path, tmp_path: Path) -> None:
    """Copied while it is open, file and log together are the history."""
    with History.open(path) as history:
        history.record_tile(tile(), key=KEY)
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{tmp_path / 'copy.sqlite'}{end}")
    with History.open(tmp_path / "copy.sqlite") as copy:
        assert copy.finished(KEY) == {tile().sha256}
