"""The broker's settings: one node that plays both roles, and overrides that win."""

from pathlib import Path

from events.broker.server_properties import as_text, server_properties


def made(**overrides: str) -> dict[str, str]:
    changed = {name.replace("_", "."): value for name, value in overrides.items()}
    return server_properties(port=19092, controller_port=19093, logs=Path("/data"), overrides=changed)


def test_it_listens_on_this_machine_only() -> None:
    assert made()["listeners"] == "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
    assert made()["controller.quorum.bootstrap.servers"] == "127.0.0.1:19093"


def test_a_wrong_topic_is_not_made_up() -> None:
    assert made()["auto.create.topics.enable"] == "false"


def test_overrides_win_and_an_empty_one_takes_away() -> None:
    assert made(auto_create_topics_enable="true")["auto.create.topics.enable"] == "true"
    assert "auto.create.topics.enable" not in made(auto_create_topics_enable="")


def test_text_is_one_setting_a_line() -> None:
    assert as_text({"a": "b\\c", "d": "e\nf"}) == "a=b\\\\c\nd=e\\nf\n"
