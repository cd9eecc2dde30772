"""How bytes and texts from outside are shown: readable, bounded, and never as anything but text. Pure."""

from typing import Any, Final, NamedTuple

import orjson

SHOWN_CHARACTERS: Final = 20_000
SHOWN_HEX_BYTES: Final = 1_024
_ROW_BYTES: Final = 16
_KEPT_CONTROLS: Final = frozenset("\n\t")
# Characters that turn the reading direction of what follows, or take no room at all.
_UNSEEN: Final = frozenset(
    [0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF, *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
_VISIBLE: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in _KEPT_CONTROLS},
    0x7F: "␡",
    **{code: f"<U+{code:04X}>" for code in (*range(0x80, 0xA0), *sorted(_UNSEEN))},
    **dict.fromkeys(range(55296, 57344), "�"),
}


class Payload(NamedTuple):
    """What to show of some bytes. `kind` says as what: JSON, text, binary, empty or absent."""

    kind: str
    text: str
    size: int
    cut: bool


def visible(text: str) -> str:
    """The text with control characters, unseen ones and half surrogates made visible."""
    return text.translate(_VISIBLE)


def shorten(text: str, most: int) -> str:
    """At most so many characters, with an ellipsis for the rest."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def payload(content: bytes | None) -> Payload:
    """JSON indented, other text as it is, the rest as hexadecimal."""
    if content is None:
        return Payload("absent", "", 0, False)
    if not content:
        return Payload("empty", "", 0, False)
    size = len(content)
    # No multiple of the limit: a cut within a character must not make a text binary.
    head = content[: 4 * SHOWN_CHARACTERS]
    text = _text(head, whole=len(head) == size)
    if text is None:
        return Payload("binary", _hex(content[:SHOWN_HEX_BYTES]), size, size > SHOWN_HEX_BYTES)
    if len(head) == size and (pretty := _pretty(content)) is not None:
        return Payload("JSON", pretty[:SHOWN_CHARACTERS], size, len(pretty) > SHOWN_CHARACTERS)
    return Payload("text", text[:SHOWN_CHARACTERS], size, len(text) > SHOWN_CHARACTERS or len(head) < size)


def json_payload(document: Any) -> Payload:
    """A JSON document, indented."""
    content = orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)
    return payload(content)._replace(kind="JSON")


def _text(content: bytes, *, whole: bool) -> str | None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if whole or error.start < len(content) - 3:
            return None
        text = content[: error.start].decode()
    odd = sum(1 for character in text if character < " " and character not in "\n\t\r")
    return None if odd * 20 > len(text) else text


def _pretty(content: bytes) -> str | None:
    try:
        document = orjson.loads(content)
        if not isinstance(document, (dict, list)):
            return None
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    except ValueError:  # orjson's own errors are of this kind, nesting too deep among them
        return None


def _hex(content: bytes) -> str:
    """Offset, bytes and what of them is ASCII, 16 a line."""
    lines = []
    for at in range(0, len(content), _ROW_BYTES):
        row = content[at : at + _ROW_BYTES]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<{3 * _ROW_BYTES - 1}}  {letters}")
    return "\n".join(lines)
