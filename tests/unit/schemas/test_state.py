import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.state import (
    WRITER_HEADER,
    RawRecord,
    decode_state,
    encode_state,
    fence_key,
    header_of,
    is_fence,
    writer_of,
)

numbers = st.integers(0, 2**63 - 1)
contents = st.none() | st.binary(max_size=50)
raws = st.builds(
    RawRecord,
    key=contents,
    value=contents,
    headers=st.lists(st.tuples(st.text(max_size=10), contents), max_size=4).map(tuple),
    timestamp_ms=st.integers(-1, 2**62),
)


@given(numbers, numbers, numbers, numbers, st.none() | raws)
def test_a_state_record_reads_back(
    due_ms: int, expires_ms: int, writer: int, revision: int, raw: RawRecord | None
) -> None:
    value = encode_state(
        {"a": 1}, due_ms=due_ms, expires_ms=expires_ms, writer=writer, revision=revision, raw=raw
    )
    assert decode_state(value) == (due_ms, expires_ms, writer, revision, {"a": 1}, raw)
    assert header_of(value) == (due_ms, expires_ms, writer, revision)
    assert writer_of(value, ()) == writer


@given(st.binary(max_size=100))
def test_foreign_bytes_are_a_value_error(value: bytes) -> None:
    try:
        decode_state(value)
    except ValueError:
        return
    pytest.skip("a state record by chance")


def test_a_raw_record_cut_short_is_a_value_error() -> None:
    whole = encode_state({}, raw=RawRecord(b"key", b"value", (("a", b"b"),), 7))
    for end in range(len(encode_state({})) + 1, len(whole)):
        with pytest.raises(ValueError, match="cut short"):
            decode_state(whole[:end])


def test_a_record_may_have_any_number_of_headers() -> None:
    raw = RawRecord(None, None, tuple((f"h{number}", None) for number in range(70_000)), 0)
    assert decode_state(encode_state({}, raw=raw)).raw == raw


def test_a_tombstone_names_its_writer_in_a_header() -> None:
    assert writer_of(None, [("x", None), (WRITER_HEADER, (7).to_bytes(8, "big"))]) == 7
    assert writer_of(None, []) == 0
    assert writer_of(b"short", []) == 0


def test_fences_have_keys_of_their_own() -> None:
    assert fence_key(12) == b"fence/12"
    assert is_fence(fence_key(0))
    assert not is_fence(b"0f8c2e3e")
