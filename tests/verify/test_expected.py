"""expected.csv: what is read, what is refused by line, and that a rewrite keeps the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from railcount.errors import InputError, MissingInput
from railcount.expected import Row, read_expected

if TYPE_CHECKING:
    from pathlib import Path

TABLE = (
    "# counted by hand\n"
    "date,tile,count,tolerance,status,note\n"
    "\n"
    '2023-10-05,a.tif,73,2,counted,"two lines\nand a ""quote"""\n'
    "# cloud\n"
    "2023-10-06,sub/b.tif,,2,uncountable,\n"
)


def write(folder: Path, text: str) -> Path:
    (folder / "expected.csv").write_bytes(text.encode("utf-8"))
    return folder


def test_rows_are_read(tmp_path: Path) -> None:
    (tmp_path / "lines.geojson").touch()
    text = "status,tile,tolerance,count,tracks\ncounted,./a//b.tif, 0 , 7 ,lines.geojson\nrefused,c.tif,,,\n"
    assert read_expected(write(tmp_path, text)).rows == (
        Row(tile="a/b.tif", count=7, tolerance=0, status="counted", tracks="lines.geojson", line=2),
        Row(tile="c.tif", count=None, tolerance=0, status="refused", line=3),
    )


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    assert [row.line for row in read_expected(write(tmp_path, TABLE)).rows] == [4, 7]


def test_a_rewrite_of_nothing_is_the_file(tmp_path: Path) -> None:
    for text in (TABLE, "\ufeff" + TABLE, TABLE.replace("\n", "\r\n"), TABLE.rstrip("\n")):
        table = read_expected(write(tmp_path, text))
        assert table.rewritten({}) == text.encode("utf-8")


def test_a_rewrite_keeps_comments_columns_and_tolerances(tmp_path: Path) -> None:
    table = read_expected(write(tmp_path, TABLE))
    changed = {
        "a.tif": Row(tile="a.tif", count=None, status="degraded"),
        "sub/b.tif": Row(tile="sub/b.tif", count=4, status="counted", tolerance=9),
    }
    assert table.rewritten(changed).decode() == TABLE.replace(",73,2,counted,", ",,2,degraded,").replace(
        ",,2,uncountable,", ",4,2,counted,"
    )


def test_rows_are_taken_out_and_added(tmp_path: Path) -> None:
    table = read_expected(write(tmp_path, TABLE.rstrip("\n").replace("\n", "\r\n")))
    new = [Row(tile="#1, new.tif", count=0, status="counted"), Row(tile="#2.tif", count=1, status="counted")]
    data = table.rewritten({"a.tif": None}, added=new)
    assert data.decode() == (
        "# counted by hand\r\n"
        "date,tile,count,tolerance,status,note\r\n"
        "\r\n"
        "# cloud\r\n"
        "2023-10-06,sub/b.tif,,2,uncountable,\r\n"
        ',"#1, new.tif",0,0,counted,\r\n'
        ",#2.tif,1,0,counted,\r\n"
    )


def test_a_new_table_and_names_that_look_like_comments(tmp_path: Path) -> None:
    table = read_expected(tmp_path, missing_ok=True)
    new = [
        Row(tile=name, count=2, status="counted") for name in ("#a.tif", "#b,c.tif", 'd"e.tif', "f\ng.tif")
    ]
    (tmp_path / "expected.csv").write_bytes(table.rewritten({}, added=new))
    again = read_expected(tmp_path)
    assert [row.tile for row in again.rows] == [row.tile for row in new]
    assert again.rewritten({}) == (tmp_path / "expected.csv").read_bytes()


def test_a_name_that_the_table_cannot_hold(tmp_path: Path) -> None:
    table = read_expected(tmp_path, missing_ok=True)
    for name in ("a\\b.tif", "a\udcff.tif"):
        with pytest.raises(InputError):
            table.rewritten({}, added=[Row(tile=name, count=2, status="counted")])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("/etc/a.tif,1,0,counted,", "relative to the folder"),
        ("C:/a.tif,1,0,counted,", "relative to the folder"),
        ("../a.tif,1,0,counted,", "stay in the folder"),
        ("sub/../../a.tif,1,0,counted,", "stay in the folder"),
        ("out/a.tif,1,0,counted,", "leads out of it"),
        ("sub\\a.tif,1,0,counted,", "forward slashes"),
        ("a\0.tif,1,0,counted,", "forward slashes"),
        (",1,0,counted,", "must name a file"),
        ("a.tif,1.5,0,counted,", "count must be a whole number"),
        ("a.tif,-1,0,counted,", "count must be a whole number"),
        ("a.tif,٣,0,counted,", "count must be a whole number"),
        ("a.tif,1,two,counted,", "tolerance must be a whole number"),
        ("a.tif,1,,counted,", "tolerance must say"),
        ("a.tif,,0,counted,", "needs a count"),
        ("a.tif,0,0,uncountable,", "leave it empty"),
        ("a.tif,1,0,,", "status must be one of"),
        ("a.tif,1,0,fine,", "status must be one of"),
        ("a.tif,1,0,counted", "5 cells are required, got 4"),
        ("a.tif,1,0,counted,no.geojson", "no file no.geojson"),
        ("a.tif,1,0,counted,../no.geojson", "tracks must stay"),
        ("./good.tif,1,0,counted,", "line 2 already"),
        ('"a.tif,1,0,counted,', "unexpected end of data"),
    ],
)
def test_a_wrong_row_is_refused_by_its_line(tmp_path: Path, row: str, words: str) -> None:
    folder = tmp_path / "tiles"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    text = f"tile,count,tolerance,status,tracks\ngood.tif,1,0,counted,\n# a comment\n{row}\n"
    with pytest.raises(InputError, match="line 4") as caught:
        read_expected(write(folder, text))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing: tile, count, tolerance, status"),
        ("# nothing\n\n", "missing: tile"),
        ("tile,count,status\n", "missing: tolerance"),
        ("tile;count;tolerance;status\n", "missing: tile"),
        ("tile,count,tolerance,status,note,note\n", "note stands there twice"),
    ],
)
def test_a_wrong_header_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_expected(write(tmp_path, text))


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="--update writes it"):
        read_expected(tmp_path)
    with pytest.raises(MissingInput, match="folder of tiles"):
        read_expected(tmp_path / "none")
    (tmp_path / "expected.csv").write_bytes(b"tile,count\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        read_expected(tmp_path)
    (tmp_path / "expected.csv").unlink()
    (tmp_path / "expected.csv").mkdir()
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_expected(tmp_path)
