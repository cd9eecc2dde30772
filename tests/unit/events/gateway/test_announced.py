from types import SimpleNamespace
from typing import Any

import pytest

from events.gateway.event_routes import choose_topic
from events.gateway.problems import Problem
from tests.unit.events.gateway.registry import EMAIL, FREE, announced, tell


def test_an_unknown_task_is_told_what_looks_like_it() -> None:
    with pytest.raises(Problem) as raised:
        announced().task("send_mail")
    assert raised.value.more["nearest"] == ["send_email"]
    assert "send_email?" in raised.value.detail
    with pytest.raises(Problem, match="No worker has announced"):
        announced({**FREE, "removed": True}).task("free")


def test_every_wrong_argument_is_pointed_at_and_none_is_repeated() -> None:
    with pytest.raises(Problem) as raised:
        announced().task("send_email").check({"to": 4711, "cc": "x"})
    errors = raised.value.more["errors"]
    assert {error["pointer"] for error in errors} == {"/args/to", "/args"}
    assert "4711" not in str(raised.value.document())
    announced().task("send_email").check({"to": "a"})
    announced().task("free").check({"anything": 1})


@pytest.mark.parametrize("schema", [{"type": 5}, {"$ref": "https://example.invalid/x"}, {"pattern": "("}])
def test_a_schema_nobody_can_use_checks_nothing(schema: dict[str, Any]) -> None:
    announced({**FREE, "schema": schema}).task("free").check({"a": 1})


def test_what_is_no_announcement_is_left_alone() -> None:
    view = announced()
    odd = [
        (None, b"{}"),
        (b"task/x", b"{"),
        (b"task/x", b"[]"),
        (b"schedule/x", b'{"release":"1"}'),
        (b"\xff", None),
    ]
    view.take(None, [SimpleNamespace(key=key, value=value) for key, value in odd])
    assert set(view.tasks) == {"send_email", "free"}


def test_a_lower_release_changes_nothing() -> None:
    view = announced()
    tell(view, {**EMAIL, "release": "2", "priority": "high"}, {**EMAIL, "release": "1"})
    assert view.task("send_email").priority == "high"
    tell(view, {**EMAIL, "release": "2", "removed": True})
    assert set(view.tasks) == {"free"}


def test_the_topic_of_an_event() -> None:
    view = announced()
    assert choose_topic("order.placed", None, view, {}) == "orders"
    assert choose_topic("order.placed", None, view, {"order.placed": "mapped"}) == "mapped"
    assert choose_topic("any", "orders", view, {}) == "orders"
    assert choose_topic("any", "mapped", view, {"other": "mapped"}) == "mapped"
    tell(view, {**FREE, "on": [{"topic": "else", "type": "order.placed", "version": None}]})
    for type, asked in (("order.placed", None), ("nobody.cares", None), ("order.placed", "app.jobs.retry")):
        with pytest.raises(Problem, match="unknown-topic"):
            choose_topic(type, asked, view, {})
