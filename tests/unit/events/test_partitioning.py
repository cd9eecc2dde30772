from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from events.partitioning import by_key, partition_of, partitions_of

counts = st.integers(min_value=1, max_value=50)


@given(st.binary(max_size=80), counts)
def test_keys_go_where_every_other_client_puts_them(key: bytes, count: int) -> None:
    partitions = list(range(count))
    theirs = DefaultPartitioner()(key, partitions, partitions)
    assert partition_of(key, count) == theirs
    assert by_key(key, partitions, []) == theirs


@given(st.integers(min_value=0, max_value=40), st.binary(min_size=1, max_size=3_000), counts)
def test_many_keys_go_where_each_of_them_would(length: int, content: bytes, count: int) -> None:
    keys = [content[at : at + length] for at in range(0, len(content), max(1, length))]
    assert partitions_of(keys, count) == [partition_of(key, count) for key in keys]


def test_more_keys_than_are_hashed_at_once() -> None:
    keys = [b"%08d" % number for number in range(2_500)]
    assert partitions_of(keys, 7) == [partition_of(key, 7) for key in keys]


def test_without_a_key_any_partition_will_do() -> None:
    assert {partition_of(None, 3) for _ in range(100)} == {0, 1, 2}
    assert set(partitions_of([None] * 100, 3)) == {0, 1, 2}
    assert {by_key(None, [0, 1, 2], [1, 2]) for _ in range(100)} == {1, 2}
    assert by_key(None, [5], []) == 5
    assert partition_of(b"x", 0) == 0
    assert partitions_of([b"x" * 8] * 20, 0) == [0] * 20
