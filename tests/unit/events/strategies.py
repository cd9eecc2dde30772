"""Generated events for property tests."""

import datetime as dt

from hypothesis import strategies as st

from schemas.cloudevent import CloudEvent

ATTRIBUTES = {
    "id", "source", "type", "time", "subject", "dataschema", "datacontenttype", "specversion", "data",
}  # fmt: skip
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789"), min_size=1, max_size=20).filter(
    lambda name: name not in ATTRIBUTES
)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)
times = st.datetimes(
    min_value=dt.datetime(2, 1, 1),  # noqa: DTZ001
    max_value=dt.datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.builds(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)), st.integers(-1439, 1439)),
)
events = st.builds(
    CloudEvent,
    id=words,
    source=words,
    type=words,
    subject=st.none() | words,
    time=st.none() | times,
    dataschema=st.none() | words,
    extensions=st.dictionaries(names, words, max_size=4),
    data=json_values,
)
