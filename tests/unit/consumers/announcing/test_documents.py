"""What a worker announces, and what it leaves alone."""

from typing import Any

import orjson

from consumers import Context, cron, task
from consumers.announcing.documents import announcements, outranked, to_write
from consumers.registry import Registry, using
from events.registry_view import Document, RegistryView
from schemas.flights import FlightDeparted

MODULES = ("app.tasks",)


def own(*names: str, release: str = "2", **more: Any) -> dict[str, Document]:
    return {
        f"schedule/{name}": {
            "schedule": name,
            "module": "app.tasks",
            "release": release,
            "removed": False,
            **more,
        }
        for name in names
    }


def view_of(*announced: dict[str, Document]) -> RegistryView:
    view = RegistryView()
    for documents in announced:
        for key, document in documents.items():
            view.add(key.encode(), orjson.dumps(document))
    return view


def written(mine: dict[str, Document], view: RegistryView, release: str) -> dict[str, Document]:
    return to_write(mine, view, release=release, modules=MODULES)


def test_what_is_new_or_changed_is_written_and_nothing_twice() -> None:
    mine = own("a", "b")
    assert written(mine, RegistryView(), "2") == mine
    assert written(mine, view_of(mine), "2") == {}
    assert written(mine, view_of(own("a", "b", cron="old")), "2") == mine


def test_what_is_gone_from_the_code_is_marked_removed() -> None:
    view = view_of(own("a", "gone", release="1"))
    assert written(own("a"), view, "2")["schedule/gone"] == {
        **own("gone", release="2")["schedule/gone"],
        "removed": True,
    }
    foreign = view_of(own("of_others", release="1", module="other.tasks"))
    assert written({}, foreign, "2") == {}, "another deployment's module is not ours to judge"


def test_a_lower_release_neither_overwrites_nor_revives() -> None:
    removed = view_of(own("a", release="10"), own("gone", release="10", removed=True))
    old = own("a", "gone", release="9", cron="old")
    assert written(old, removed, "9") == {}
    assert outranked(old, removed, "9") == ["schedule/a", "schedule/gone"]
    assert written({}, view_of(own("newer", release="10")), "9") == {}, (
        "nor does it remove what it does not know"
    )


def test_an_equal_release_may_bring_back() -> None:
    assert written(own("a"), view_of(own("a", removed=True)), "2") == own("a")


def test_a_lower_announcement_that_came_later_does_not_hold_and_is_overwritten() -> None:
    view = view_of(own("a", release="10"), own("a", release="9", cron="old"))
    assert view.documents == own("a", release="10")
    assert written(own("a", release="10"), view, "10") == own("a", release="10")
    removed = own("gone", release="10", removed=True)
    late = view_of(removed, own("gone", release="9"))
    assert late.schedules() == {}
    assert written({}, late, "10") == removed


def test_foreign_bytes_are_left_aside() -> None:
    view = RegistryView()
    for value in (b"", b"[]", b"{", b'{"release": 1}'):
        assert not view.add(b"schedule/x", value)
    assert not view.add(None, None)
    assert view.documents == {}


def test_the_documents_of_tasks_and_schedules() -> None:
    registry = Registry()
    registry.loading = "app.tasks"
    with using(registry):

        @task(max_tries=3)
        async def report(ctx: Context, day: str, full: bool = False) -> None:
            """Write it."""

        @task(on=FlightDeparted)
        async def tell(ctx: Context, event: FlightDeparted) -> None: ...

        cron(report, hour=3, args={"day": "mon"})
    found = announcements(registry, "7")
    assert set(found) == {"task/report", "task/tell", "schedule/report"}
    plain = found["task/report"]
    assert plain["schema"]["required"] == ["day"]
    assert plain["schema"]["additionalProperties"] is False
    assert (plain["doc"], plain["max_tries"], plain["on"]) == ("Write it.", 3, [])
    event = found["task/tell"]
    assert event["schema"] is None
    assert event["event_schema"]["type"] == "object"
    assert event["on"] == [{"topic": FlightDeparted.topic, "type": FlightDeparted.type, "version": 1}]
    assert found["schedule/report"]["cron"] == "0 3 * * *"
    assert {(each["module"], each["release"], each["removed"]) for each in found.values()} == {
        ("app.tasks", "7", False)
    }
    assert orjson.loads(orjson.dumps(found)) == found
