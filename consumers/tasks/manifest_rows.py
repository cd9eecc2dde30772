"""Read the rows of one stretch of a CSV file, and know in bytes where the next row begins.

Bytes are cut into lines before they are decoded, so that the place of a row is a byte offset a later job
can seek to. That needs an encoding in which the byte 0x0A is always a line's end: every one of ENCODINGS,
but not UTF-16.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from pydantic import ValidationError

from consumers import Fail
from schemas.tasks import Cursor, ManifestRow

ENCODINGS: Final = ("utf-8", "ascii", "iso8859-", "cp125", "koi8-", "gb18030", "shift_jis", "euc_")
LINE_BYTES: Final = 1 << 20
"""A longer line is read in pieces of this size; they will be bad rows, and memory stays bounded."""
_BLOCK_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows between two cursors."""

    good: list[ManifestRow]
    bad: list[BadRow]
    end: Cursor


def codec_for(encoding: str) -> str:
    """The codec's own name. Raises Fail for one we cannot cut into lines."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise Fail(f"no such encoding: {encoding}") from error
    if not name.startswith(ENCODINGS):
        raise Fail(f"a file in {name} cannot be read in stretches; convert it to UTF-8")
    return "utf-8" if name == "utf-8-sig" else name


def read_stretch(file: BinaryIO, cursor: Cursor, *, encoding: str, chunk_bytes: int) -> Stretch:
    """Read rows from the cursor until `chunk_bytes` are used or the file ends. A bad header fails."""
    codec = codec_for(encoding)
    file.seek(cursor.offset)
    lines = _Lines(file, codec)
    reader = csv.reader(lines)
    header = cursor.header or _header(reader)
    good: list[ManifestRow] = []
    bad: list[BadRow] = []
    while lines.used_bytes < chunk_bytes:
        line = cursor.line + lines.count + 1
        try:
            fields = next(reader, None)
            if fields is None:
                break
            if fields:  # an empty line is no row
                good.append(_row(header, fields))
        except (csv.Error, ValueError) as error:
            bad.append(BadRow(line, _reason(error, codec)))
    end = cursor.model_copy(
        update={
            "header": tuple(header),
            "offset": cursor.offset + lines.used_bytes,
            "line": cursor.line + lines.count,
            "chunk": cursor.chunk + 1,
            "rows": cursor.rows + len(good),
            "bad_rows": cursor.bad_rows + len(bad),
        }
    )
    return Stretch(good, bad, end)


def _header(reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise Fail(f"line 1: {error}") from error
    header = tuple(name.strip().lstrip("\ufeff").lower() for name in names)
    missing = [
        name for name, field in ManifestRow.model_fields.items() if field.is_required() and name not in header
    ]
    if missing:
        raise Fail(f"line 1: no column {', '.join(missing)}")
    return header


def _row(header: tuple[str, ...], fields: list[str]) -> ManifestRow:
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields, expected {len(header)}")
    for field in fields:
        field.encode()  # what could not be decoded stands as lone surrogates and fails here
    return ManifestRow.model_validate_strings(dict(zip(header, fields, strict=True)))


def _reason(error: Exception, codec: str) -> str:
    """What is wrong, without the value: a report of bad rows travels further than the file."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_url=False))
    if isinstance(error, UnicodeEncodeError):
        return f"not {codec}"
    return str(error)


class _Lines:
    """Decoded lines for `csv`, which asks for another only when a quoted field goes on."""

    def __init__(self, file: BinaryIO, codec: str) -> None:
        self._lines = _byte_lines(file)
        self._codec = codec
        self.used_bytes = 0
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.used_bytes += len(line)
        self.count += 1
        return line.decode(self._codec, "surrogateescape")


def _byte_lines(file: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest
