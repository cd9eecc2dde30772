import uuid

from events.gateway.ids import new_id


def test_ids_are_random_uuids() -> None:
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {uuid.UUID(id).version for id in ids} == {4}
    assert {uuid.UUID(id).variant for id in ids} == {uuid.RFC_4122}
