"""The compose file as data: it runs with no engine here, but it cannot drift from the settings."""

from pathlib import Path

import yaml

from consumers.settings import WorkerSettings

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "headrace"}


def test_every_variable_is_a_setting() -> None:
    known = {f"HEADRACE_{name.upper()}" for name in WorkerSettings.model_fields}
    for service in OURS.values():
        assert service["environment"].keys() <= known


def test_clients_use_the_address_kafka_advertises_to_containers() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for service in OURS.values():
        assert f"INSIDE://{service['environment']['HEADRACE_BOOTSTRAP_SERVERS']}" in advertised.split(",")


def test_a_worker_may_drain_before_it_is_killed() -> None:
    grace = float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > WorkerSettings.model_fields["drain_seconds"].default


def test_nothing_of_the_image_is_written_to() -> None:
    assert all(service["read_only"] and service["tmpfs"] == ["/tmp"] for service in OURS.values())
