"""The bytes of state records: parked jobs, finished jobs, fences.

Key: the job id, or `fence/<partition>`. Value: a 32-byte header a restore can read without parsing (due,
expiry, writer, revision; big-endian, times in ms since 1970), the length of a JSON document, the document,
and for parked jobs the raw record that started them, byte for byte. What is the due time of a job is the
term of a fence: the group's generation, by which a fence that came late is known.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

HEADER: Final = struct.Struct(">QQQQ")
_LENGTH: Final = struct.Struct(">I")
_BEFORE_BODY: Final = struct.Struct(">QQQQI")  # both of them
_BODY_AT: Final = _BEFORE_BODY.size
FENCE_PREFIX: Final = b"fence/"
SCHEDULE_PREFIX: Final = b"schedule/"
JOIN_PREFIX: Final = b"join/"
COMMAND_PREFIX: Final = b"command/"
RESERVED_PREFIXES: Final = (FENCE_PREFIX, SCHEDULE_PREFIX, JOIN_PREFIX, COMMAND_PREFIX)
"""Of keys in state topics that are no job ids: fences, schedule cursors and joins (retry), answers to
commands (ledger)."""
WRITER_HEADER: Final = "headrace-writer"
"""Of a tombstone, which has no value to name its writer in: 8 bytes, big-endian."""

Headers = Sequence[tuple[str, bytes | None]]


class Position(NamedTuple):
    """Where a record is in the log."""

    topic: str
    partition: int
    offset: int


class RawRecord(NamedTuple):
    """A record exactly as it came. `timestamp_ms` is the log's."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class StateRecord(NamedTuple):
    """One state record read back. `due_ms` and `expires_ms` are 0 where there is none."""

    due_ms: int
    expires_ms: int
    writer: int
    revision: int
    document: dict[str, Any]
    raw: RawRecord | None


def encode_state(
    document: dict[str, Any],
    *,
    due_ms: int = 0,
    expires_ms: int = 0,
    writer: int = 0,
    revision: int = 0,
    raw: RawRecord | None = None,
) -> bytes:
    """The value of a state record. Raises `TypeError` when the document holds what JSON cannot."""
    body = orjson.dumps(document)
    value = _BEFORE_BODY.pack(due_ms, expires_ms, writer, revision, len(body)) + body
    return value if raw is None else value + _pack_raw(raw)


def decode_state(value: bytes) -> StateRecord:
    """The state record of a value. Raises `ValueError` for bytes no writer of ours made."""
    if len(value) < _BODY_AT:
        raise ValueError(f"a state record of {len(value)} bytes is shorter than its header of {_BODY_AT}")
    due_ms, expires_ms, writer, revision = HEADER.unpack_from(value)
    (length,) = _LENGTH.unpack_from(value, HEADER.size)
    end = _BODY_AT + length
    if end > len(value):
        raise ValueError(f"a state record of {len(value)} bytes announces {length} bytes of JSON")
    try:
        raw = _unpack_raw(value, end) if end < len(value) else None
    except struct.error as error:
        raise ValueError(f"a state record of {len(value)} bytes is cut short: {error}") from None
    return StateRecord(due_ms, expires_ms, writer, revision, orjson.loads(value[_BODY_AT:end]), raw)


def header_of(value: bytes) -> tuple[int, int, int, int]:
    """(due_ms, expires_ms, writer, revision) without parsing the rest."""
    return HEADER.unpack_from(value)


def writer_of(value: bytes | None, headers: Headers) -> int:
    """Who wrote a state record, 0 when nobody of us did."""
    if value is not None:
        return header_of(value)[2] if len(value) >= HEADER.size else 0
    content = dict(headers).get(WRITER_HEADER)
    return int.from_bytes(content, "big") if content else 0


def fence_key(partition: int) -> bytes:
    return FENCE_PREFIX + str(partition).encode()


def is_fence(key: bytes) -> bool:
    return key.startswith(FENCE_PREFIX)


def is_reserved(key: bytes) -> bool:
    """Whether a key of a state topic is no job id."""
    return key.startswith(RESERVED_PREFIXES)


_RAW: Final = struct.Struct(">qiiI")
_PAIR: Final = struct.Struct(">Ii")


def _pack_raw(raw: RawRecord) -> bytes:
    key, value, headers = raw.key, raw.value, raw.headers
    parts = [_RAW.pack(raw.timestamp_ms, _size(key), _size(value), len(headers)), key or b"", value or b""]
    for name, content in headers:
        encoded = name.encode()
        parts += (_PAIR.pack(len(encoded), _size(content)), encoded, content or b"")
    return b"".join(parts)


def _size(content: bytes | None) -> int:
    return -1 if content is None else len(content)


def _unpack_raw(data: bytes, at: int) -> RawRecord:
    timestamp_ms, key_size, value_size, count = _RAW.unpack_from(data, at)
    at += _RAW.size
    key, at = _take(data, at, key_size)
    value, at = _take(data, at, value_size)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name_size, content_size = _PAIR.unpack_from(data, at)
        at += _PAIR.size
        name, at = _take(data, at, name_size)
        content, at = _take(data, at, content_size)
        headers.append(((name or b"").decode(), content))
    return RawRecord(key, value, tuple(headers), timestamp_ms)


def _take(data: bytes, at: int, size: int) -> tuple[bytes | None, int]:
    if size < 0:
        return None, at
    if at + size > len(data):
        raise ValueError(f"a state record of {len(data)} bytes is cut short")
    return data[at : at + size], at + size
