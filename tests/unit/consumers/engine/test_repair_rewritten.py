from consumers.engine.repair import rewritten
from schemas.state import RawRecord, decode_state, encode_state


def test_a_record_written_again_differs_in_its_writer_alone():
    raw = RawRecord(b"k", None, (("h", None),), 5)
    value = encode_state({"a": 1}, due_ms=1, expires_ms=2, writer=3, revision=4, raw=raw)
    again = rewritten(value, (1 << 63) - 1)
    assert decode_state(again) == decode_state(value)._replace(writer=(1 << 63) - 1)
    assert rewritten(again, 3) == value
