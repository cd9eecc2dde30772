"""Keep secrets out of the log: by the name they stand under, and by how they look inside a text."""

import functools
import re
from collections.abc import MutableMapping
from typing import Any, Final

HIDDEN: Final = "[redacted]"
MAX_DEPTH: Final = 8

_NAMES: Final = re.compile(
    r"passw(or)?d|passphrase|secret|token|authori[sz]ation|api[-_]?key|private[-_]?key|credential|cookie",
    re.IGNORECASE,
)
_IN_URL: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(@)", re.IGNORECASE)
_IN_HEADER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{6,}", re.IGNORECASE)


def redact(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: replace the values of secret names, and secrets inside texts."""
    for name, value in fields.items():
        if is_secret(name):
            fields[name] = HIDDEN
        elif type(value) is not int:
            fields[name] = _clean(value, 0)
    return fields


@functools.lru_cache(maxsize=1_000)
def is_secret(name: str) -> bool:
    """Whether a name promises a secret: `smtp_password`, `Authorization`, `x-api-key`."""
    return _NAMES.search(name) is not None


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if depth >= MAX_DEPTH:
        return value if isinstance(value, int | float | bool | None) else "…"
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(name, str) and is_secret(name) else _clean(one, depth + 1)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(one, depth + 1) for one in value]
    return value


def _clean_text(text: str) -> str:
    if "://" in text:
        text = _IN_URL.sub(rf"\1{HIDDEN}\2", text)
    if " " in text:
        text = _IN_HEADER.sub(rf"\1 {HIDDEN}", text)
    return text
