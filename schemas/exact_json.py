"""JSON with integers of any size: orjson makes floats of those beyond 64 bits, and writes none."""

import json
from typing import Any, Final

import orjson

_LEAST, _MOST = -(2**63), 2**64 - 1  # of what orjson writes
_DEEPEST: Final = 254  # the same
# Twenty digits, or nineteen below zero. Fewer always fit: nanoseconds since 1970 have nineteen. With every
# digit and minus a zero a plain search tells, several times quicker than a regular expression, and `find`
# than `in`, which first takes what is sought for a number.
_ZEROS: Final = bytes.maketrans(b"-123456789", b"0000000000")
_TWENTY: Final = b"0" * 20


def loads(text: bytes) -> Any:
    """The document of a JSON text. Raises ValueError."""
    document = orjson.loads(text)
    if not _may_be_beyond_64_bits(text):
        return document
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON with very large integers is nested too deep") from None


def _may_be_beyond_64_bits(text: bytes) -> bool:
    return text.translate(_ZEROS).find(_TWENTY) >= 0


def dumps(document: Any) -> bytes:
    """The text of a document. Raises TypeError for what is no JSON, or is nested too deep."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        if not _needs_only_digits(document):
            raise
        try:
            return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except ValueError:  # half a surrogate, not a number
            raise error from None


def _needs_only_digits(document: Any) -> bool:
    """Whether a document is what `loads` gives, with integers that are too large for orjson."""
    is_large = False
    waiting = [(document, 0)]
    while waiting:
        each, depth = waiting.pop()
        if type(each) is int:
            is_large = is_large or not _LEAST <= each <= _MOST
        elif type(each) is dict and depth < _DEEPEST and all(type(key) is str for key in each):
            waiting += ((value, depth + 1) for value in each.values())
        elif type(each) is list and depth < _DEEPEST:
            waiting += ((value, depth + 1) for value in each)
        elif each is not None and type(each) not in (str, bool, float):
            return False
    return is_large
