import inspect
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exact_json import dumps, loads

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_any_document_comes_back(document: object) -> None:
    assert loads(dumps(document)) == document


@pytest.mark.parametrize(
    "number", [2**63, 10**19 - 1, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, -(10**19) + 1, 10**300]
)
def test_no_digit_is_lost(number: int) -> None:
    text = b'{"id":%d,"ids":[%d]}' % (number, number)
    assert loads(text) == {"id": number, "ids": [number]}
    assert dumps(loads(text)) == text


def test_nanoseconds_since_1970_are_no_reason_to_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.exact_json.json", None)
    assert loads(b'{"sent_ns":1764115200000000000}') == {"sent_ns": 1764115200000000000}


@pytest.mark.parametrize("text", [b"", b"NaN", b"[1,]", b"1e999", b"\xff", b'"\\ud800"'])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize(
    "document",
    [
        object(),
        {"a": {1, 2}},
        {1: 2},
        [b""],
        [2**70, "\ud800"],
        [2**70, float("nan")],
        {2**70: 1},
        [2**70, b""],
    ],
)
def test_what_json_does_not_have_is_refused(document: object) -> None:
    with pytest.raises(TypeError):
        dumps(document)


def test_depth_is_bounded_with_large_integers_too() -> None:
    deep: list[object] = [2**70]
    for _ in range(260):
        deep = [deep]
    with pytest.raises(TypeError):
        dumps(deep)


def test_deep_text_with_large_integers_is_refused_where_python_cannot_read_it() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    try:
        with pytest.raises(ValueError, match="nested too deep"):
            loads(b"[" * 1000 + b"1" * 30 + b"]" * 1000)
    finally:
        sys.setrecursionlimit(limit)
