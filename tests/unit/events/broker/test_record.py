"""The broker's own record survives everything but damage, which counts as none."""

from pathlib import Path

from events.broker.record import BrokerRecord, new_cluster_id


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = BrokerRecord(port=1, controller_port=2, engine="java", handle="7")
    record.save(tmp_path)
    assert BrokerRecord.load(tmp_path) == record


def test_damage_and_absence_are_none(tmp_path: Path) -> None:
    assert BrokerRecord.load(tmp_path) is None
    (tmp_path / "broker.json").write_text("{")
    assert BrokerRecord.load(tmp_path) is None


def test_cluster_ids_are_what_kafka_takes() -> None:
    ids = {new_cluster_id() for _ in range(300)}
    assert len(ids) == 300
    assert {len(each) for each in ids} == {22}
    assert not any(each.startswith("-") for each in ids)
