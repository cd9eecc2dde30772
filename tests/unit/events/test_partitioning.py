from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from events.partitioning import partition_of


@given(st.binary(max_size=80), st.integers(min_value=1, max_value=50))
def test_keys_go_where_every_other_client_puts_them(key: bytes, count: int) -> None:
    partitions = list(range(count))
    assert partition_of(key, count) == DefaultPartitioner()(key, partitions, partitions)


def test_without_a_key_any_partition_will_do() -> None:
    assert {partition_of(None, 3) for _ in range(100)} == {0, 1, 2}
    assert partition_of(b"x", 0) == 0
