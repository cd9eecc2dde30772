import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers import Fail
from consumers.tasks.manifest_rows import LINE_BYTES, Stretch, codec_for, read_stretch
from schemas.tasks import Cursor

HEADER = "day,carrier,flight,passengers,baggage_kg,remarks\n"


def read(
    content: bytes, *, encoding: str = "utf-8", chunk_bytes: int = 1 << 20, cursor: Cursor | None = None
) -> Stretch:
    start = cursor or Cursor(size_bytes=len(content))
    return read_stretch(io.BytesIO(content), start, encoding=encoding, chunk_bytes=chunk_bytes)


def read_all(content: bytes, chunk_bytes: int) -> tuple[list[str], list[int], Cursor]:
    remarks: list[str] = []
    bad: list[int] = []
    cursor = Cursor(size_bytes=len(content))
    while not cursor.at_end:
        stretch = read(content, chunk_bytes=chunk_bytes, cursor=cursor)
        remarks += [row.remarks for row in stretch.good]
        bad += [row.line for row in stretch.bad]
        assert stretch.end.offset > cursor.offset
        cursor = stretch.end
    return remarks, bad, cursor


def test_rows_are_checked_and_bad_ones_named_by_line() -> None:
    content = HEADER + (
        "2013-01-01,UA,1545,189,2100.5,\n"
        "2013-01-01,UA,none,189,2100.5,\n"
        "\n"
        '2013-01-01,UA,1545,189,2100.5,"two\nlines"\n'
        "2013-01-01,UA,1545\n"
        "2013-01-01,UA,1545,-1,inf,\n"
    )
    stretch = read(content.encode())
    assert [row.remarks for row in stretch.good] == ["", "two\nlines"]
    assert [row.line for row in stretch.bad] == [3, 7, 8]
    assert stretch.bad[0].reason.startswith("flight: ")
    assert "none" not in stretch.bad[0].reason
    assert stretch.bad[1].reason == "3 fields, expected 6"
    assert "passengers: " in stretch.bad[2].reason
    assert "baggage_kg: " in stretch.bad[2].reason
    assert (stretch.end.rows, stretch.end.bad_rows, stretch.end.line, stretch.end.at_end) == (2, 3, 8, True)


def test_encodings_and_byte_order_mark() -> None:
    content = HEADER + "2013-01-01,UA,1,1,1,Zürich\n"
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "cp1252", "gb18030"):
        [row] = read(content.encode(encoding), encoding=encoding).good
        assert row.remarks == "Zürich"


def test_bytes_of_another_encoding_are_a_bad_row() -> None:
    content = HEADER.encode() + b"2013-01-01,UA,1,1,1,Z\xfcrich\n2013-01-01,UA,2,1,1,ok\n"
    stretch = read(content)
    assert [row.flight for row in stretch.good] == [2]
    assert [(row.line, row.reason) for row in stretch.bad] == [(2, "not utf-8")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7", "no-such", "iso2022_jp"])
def test_encodings_without_lines_are_refused(encoding: str) -> None:
    with pytest.raises(Fail):
        codec_for(encoding)


@pytest.mark.parametrize("content", [b"", b"day,carrier\n", b"\x00\xff\xfe", b'"' + b"x" * 200_000])
def test_a_file_without_our_header_is_refused(content: bytes) -> None:
    with pytest.raises(Fail, match=r"line 1: (no column|field larger)"):
        read(content)


def test_a_quote_that_never_ends_costs_rows_not_memory() -> None:
    row = "2013-01-01,UA,1,1,1,x\n"
    stretch = read((HEADER + '2013-01-01,UA,1,1,1,"x\n' + row * 20_000).encode())
    assert stretch.bad[0].line == 2
    assert stretch.good
    assert stretch.end.at_end


def test_a_line_without_end_is_read_in_pieces() -> None:
    stretch = read(HEADER.encode() + b"x" * (3 * LINE_BYTES), chunk_bytes=4 * LINE_BYTES)
    assert not stretch.good
    assert stretch.bad
    assert stretch.end.at_end


@given(
    remarks=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10), max_size=30),
    chunk_bytes=st.integers(1, 200),
)
def test_the_rows_do_not_depend_on_where_chunks_end(remarks: list[str], chunk_bytes: int) -> None:
    rows = "".join('2013-01-01,UA,1,1,1,"' + text.replace('"', '""') + '\nand more"\n' for text in remarks)
    content = (HEADER + rows + "bad\n").encode()
    expected = [f"{text}\nand more" for text in remarks]
    for size in (chunk_bytes, len(content)):
        assert read_all(content, size)[:2] == (expected, [2 + 2 * len(remarks)])
