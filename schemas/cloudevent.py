"""One CloudEvent 1.0 in memory.

Data stay the bytes they came as until somebody asks for them: a typed task validates straight from the
bytes, an event nobody subscribed to is never parsed.
"""

import datetime as dt
import uuid
from typing import Any, Final

from schemas import exact_json

JSON: Final = "application/json"
_UNSET: Final = object()


class CloudEvent:
    """The envelope of an event. `data` is parsed JSON for JSON content, else the bytes as they came.

    Attributes named as in the CloudEvents 1.0 specification; extension attributes are in `extensions`.
    """

    __slots__ = (
        "_data", "datacontenttype", "dataschema", "extensions", "has_given_id", "id", "raw_data", "source",
        "subject", "time", "type",
    )  # fmt: skip

    def __init__(
        self,
        type: str,
        source: str,
        id: str | None = None,
        subject: str | None = None,
        time: dt.datetime | None = None,
        datacontenttype: str | None = JSON,
        dataschema: str | None = None,
        extensions: dict[str, str] | None = None,
        raw_data: bytes | None = None,
        *,
        data: Any = _UNSET,
    ) -> None:
        self.has_given_id = id is not None  # else it is random, and a repeat would have another
        self.id = id or str(uuid.uuid4())
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.datacontenttype = datacontenttype
        self.dataschema = dataschema
        self.extensions = extensions if extensions is not None else {}
        self.raw_data = raw_data
        self._data = data

    @property
    def data(self) -> Any:
        """The payload. Raises `ValueError` for JSON content that is no JSON."""
        if self._data is _UNSET:
            self._data = self._parse()
        return self._data

    def _parse(self) -> Any:
        if self.raw_data is None:
            return None
        if is_json(self.datacontenttype):
            return exact_json.loads(self.raw_data)
        return self.raw_data

    @property
    def has_parsed_data(self) -> bool:
        return self._data is not _UNSET

    @property
    def version(self) -> int:
        """The `dataversion` extension, 1 where there is none. Raises `ValueError` for no whole number."""
        text = self.extensions.get("dataversion")
        if text is None:
            return 1
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise ValueError(f"dataversion is {text[:40]!r}, expected a whole number such as 1")
        return int(text)

    @property
    def trace_id(self) -> str | None:
        """The trace id inside `traceparent` (W3C Trace Context), if the event carries one."""
        parts = self.extensions.get("traceparent", "").split("-")
        return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else None

    def __repr__(self) -> str:
        return f"<CloudEvent {self.type} id={self.id!r} source={self.source!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CloudEvent):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED)

    __hash__ = None  # type: ignore[assignment]


_COMPARED: Final = (
    "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "extensions", "data",
)  # fmt: skip


def is_json(content_type: str | None) -> bool:
    """Whether a media type is JSON: none at all (the CloudEvents default), `…/json` or `…+json`."""
    if content_type is None or content_type == JSON:
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))
