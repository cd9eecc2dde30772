"""How far each partition of a topic is read, and whose records count in it.

The rule of fences is that of `events.state_view`; here it goes on where it was left before a restart.
"""

import struct
from dataclasses import dataclass, field
from typing import Any, Final, Self

from events.topics import Kind
from schemas.state import HEADER, header_of, is_fence, writer_of

_FOLD: Final = struct.Struct(">qqQ")
_NO_WRITER: Final = -1


@dataclass(frozen=True, slots=True)
class Place:
    """What a followed partition belongs to."""

    source: str
    kind: Kind
    priority: str = ""
    has_fences: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_fences", self.kind in (Kind.RETRY, Kind.LEDGER))


@dataclass(slots=True)
class PartitionFold:
    """`offset` is the next to be read; `writer` is None before the first fence."""

    offset: int = 0
    writer: int | None = None
    term: int = 0

    def counts(self, record: Any) -> bool:
        """Whether a record of a state topic says something; meets fences on the way."""
        key, value = record.key, record.value
        if key is None or (value is not None and len(value) < HEADER.size):
            return False
        writer = writer_of(value, record.headers)
        if is_fence(key):
            if value is not None and (term := header_of(value)[0]) >= self.term:
                self.writer, self.term = writer, term
            return False
        return self.writer is None or writer == self.writer

    def pack(self) -> bytes:
        return _FOLD.pack(self.offset, _NO_WRITER if self.writer is None else self.writer, self.term)

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        offset, writer, term = _FOLD.unpack(raw)
        return cls(offset, None if writer == _NO_WRITER else writer, term)
