import functools

import pytest
from pydantic import model_validator

from consumers import RECORD_KEY, Context, json_topic, middleware, on_shutdown, on_startup, task
from consumers.errors import DuplicateTask, InvalidEvent, InvalidTask, UndecodableEvent
from consumers.registry import Registry, current, using
from consumers.settings import WorkerSettings
from consumers.sources import sources_of
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent


class Opened(DomainEvent):
    type = "registry-test.opened"
    topic = "doors"

    door: int


class OpenedTwice(DomainEvent):
    type = "registry-test.opened"
    version = 2
    topic = "doors"

    door: str


@pytest.fixture(autouse=True)
def registry():
    with using(Registry()) as fresh:
        yield fresh


def event(raw=b'{"door": 1}', **given):
    return CloudEvent(**{"id": "e1", "source": "/doors", "type": Opened.type, "raw_data": raw, **given})


def names(subscriptions):
    return [one.task.name for one in subscriptions]


async def test_a_task_is_still_its_function(registry):
    @task(name="greet", max_tries=2)
    async def hello(ctx: Context, *, name: str) -> str:
        """Says hello."""
        return f"hello {name}"

    assert await hello(Context.fake(), name="Ada") == "hello Ada"
    assert hello.__doc__ == "Says hello."
    assert (hello.name, hello.kind, hello.is_plain) == ("greet", "async", True)
    assert registry.tasks == {"greet": hello}
    assert registry.has_plain_tasks
    assert "test_registry.py:" in repr(hello)


def test_the_bare_decorator_names_the_task_after_its_function():
    @task
    def tidy(ctx):
        return 1

    assert (tidy.name, tidy.kind) == ("tidy", "thread")
    assert tidy(None) == 1


def test_async_is_seen_through_partials_and_objects():
    async def work(ctx, event): ...

    class Handler:
        __name__ = "handler"

        async def __call__(self, ctx, event): ...

    assert task(on="a", topic="t", name="p")(functools.partial(work)).kind == "async"
    assert task(on="a", topic="t", name="o")(Handler()).kind == "async"


def test_subscriptions_are_found_by_topic_and_type(registry):
    @task(on=Opened)
    async def typed(ctx, event): ...

    @task(on="registry-test.*", topic="doors")
    async def wild(ctx, event): ...

    @task(on=["registry-test.opened", "registry-test.closed"], topic="windows")
    async def listed(ctx, event): ...

    assert names(registry.matching("doors", Opened.type)) == ["typed", "wild"]
    assert names(registry.matching("doors", "registry-test.closed")) == ["wild"]
    assert names(registry.matching("windows", "registry-test.closed")) == ["listed"]
    assert registry.matching("doors", "other") == ()
    assert registry.matching("doors", Opened.type) is registry.matching("doors", Opened.type)
    assert registry.topics() == ("doors", "windows")
    assert not registry.has_plain_tasks


def test_wildcards_tell_case_apart(registry):
    @task(on="door.?pened", topic="doors")
    async def wild(ctx, event): ...

    assert names(registry.matching("doors", "door.opened")) == ["wild"]
    assert registry.matching("doors", "DOOR.opened") == ()


def test_a_task_is_asked_once_per_version(registry):
    @task(on=[Opened, OpenedTwice, "registry-test.*"], topic="doors")
    async def all_of_them(ctx, event): ...

    @task(on=["registry-test.*", "registry-test.opened"], topic="doors")
    async def once(ctx, event): ...

    found = registry.matching("doors", Opened.type)
    assert [(one.task.name, one.version) for one in found] == [
        ("all_of_them", 1),
        ("all_of_them", 2),
        ("once", None),
    ]
    assert registry.versions("doors", Opened.type) == {1, 2}
    assert [one.takes(2) for one in found] == [False, True, True]
    assert registry.versions("doors", "registry-test.closed") is None


def test_endless_new_types_do_not_fill_the_memory(registry):
    @task(on="*", topic="doors")
    async def everything(ctx, event): ...

    for number in range(25_000):
        registry.matching("doors", f"type-{number}")
    assert len(registry._subscriptions._known) <= 10_000


def test_a_typed_task_gets_the_model(registry):
    @task(on=Opened)
    async def typed(ctx, event): ...

    [subscription] = registry.matching("doors", Opened.type)
    assert typed.parse_event(event(), subscription) == Opened(door=1)
    assert typed.parse_event(event(None, data={"door": 2}), subscription) == Opened(door=2)


@pytest.mark.parametrize(
    ("bad", "wanted", "said"),
    [
        (event(b"{"), UndecodableEvent, "Invalid JSON"),
        (event(b"\xff\xfe"), UndecodableEvent, "Invalid JSON"),
        (event(b"[" * 10_000), UndecodableEvent, "Invalid JSON"),
        (event(b'{"door": "secret"}'), InvalidEvent, "door: Input should be a valid integer"),
        (event(b"{}"), InvalidEvent, "door: Field required"),
        (event(b"null"), InvalidEvent, "(all of it)"),
        (event(None), InvalidEvent, "(all of it)"),
        (event(b"secret", datacontenttype="text/plain"), InvalidEvent, "(all of it)"),
    ],
)
def test_what_a_typed_task_cannot_take(registry, bad, wanted, said):
    @task(on=Opened)
    async def typed(ctx, event): ...

    with pytest.raises(wanted) as caught:
        typed.parse_event(bad, registry.matching("doors", Opened.type)[0])
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_validator_that_breaks_makes_the_event_invalid_not_the_worker(registry):
    class Broken(DomainEvent):
        type = "registry-test.broken"
        topic = "doors"

        @model_validator(mode="before")
        @classmethod
        def _break(cls, given):
            raise KeyError("secret")

    @task(on=Broken)
    async def typed(ctx, event): ...

    with pytest.raises(InvalidEvent, match=r"a validator of registry-test\.broken raised KeyError") as caught:
        typed.parse_event(event(type=Broken.type), typed.subscriptions[0])
    assert "secret" not in str(caught.value)


def test_an_untyped_task_gets_the_envelope_if_its_data_can_be_read(registry):
    @task(on="a", topic="t")
    async def untyped(ctx, event): ...

    [subscription] = registry.matching("t", "a")
    good = event(b'{"any": 1}')
    assert untyped.parse_event(good, subscription) is good
    assert untyped.parse_event(event(b"\x00", datacontenttype="image/png"), subscription)
    for broken in (b"{", b"\xff", b"[" * 5_000):
        for type in ("application/json", None):
            with pytest.raises(UndecodableEvent, match=r"are no application/json: "):
                untyped.parse_event(event(broken, datacontenttype=type), subscription)


def test_when(registry):
    @task(on=Opened, when=lambda opened: opened.door > 3)
    async def typed(ctx, event): ...

    assert typed.wants(Opened(door=4))
    assert not typed.wants(Opened(door=3))
    with pytest.raises(InvalidEvent, match=r"when=.*lambda.* raised AttributeError"):
        typed.wants(None)


def test_idempotency_keys(registry):
    @task(on="a", topic="t")
    async def plain(ctx, event): ...

    @task(on="a", topic="t", idempotency_key=lambda event: event.data["order"])
    async def own(ctx, event): ...

    @task(on="a", topic="t", idempotency_key=RECORD_KEY)
    async def record(ctx, event): ...

    def order(value):
        return event(None, data={"order": value})

    assert plain.idempotency_key_of(event()) == ["/doors", "e1"]
    assert own.idempotency_key_of(event(), order(17)) == 17
    assert own.idempotency_key_of(event(), order((1, "b"))) == [1, "b"]
    assert record.idempotency_key_of(event(), record_key=b"k") == "k"
    assert record.idempotency_key_of(event(), record_key=b"\xff") == "\\xff"
    assert record.idempotency_key_of(event()) == ["/doors", "e1"]
    assert [registry.hops(one) for one in (plain, own, record)] == [False, True, False]
    for nothing in (None, "", []):
        with pytest.raises(InvalidEvent, match="gave nothing"):
            own.idempotency_key_of(event(), order(nothing))
    with pytest.raises(InvalidEvent, match="no JSON"):
        own.idempotency_key_of(event(), order(object()))
    with pytest.raises(InvalidEvent, match="raised KeyError"):
        own.idempotency_key_of(event(), event(None, data={}))


def test_two_tasks_of_one_name_are_refused_with_both_places():
    @task(name="same")
    async def one(ctx): ...

    with pytest.raises(DuplicateTask) as caught:

        @task(name="same")
        async def two(ctx): ...

    said = str(caught.value)
    assert one.place in said
    assert said.count("test_registry.py:") == 2
    assert "'same'" in said


def test_a_module_imported_twice_is_told_from_two_tasks():
    async def same(ctx): ...

    task(same)
    with pytest.raises(DuplicateTask, match="imported under two module names"):
        task(same)


def _two_events(ctx, event, other): ...
def _no_context(): ...
def _only_keywords(*, ctx): ...
def _no_event(ctx): ...
def _generator(ctx, event):
    yield


def _annotated(ctx, event: Opened): ...
def _positional(ctx, to, /): ...
def _variadic(ctx, *to): ...
def _unknown_type(ctx, to: "Nowhere"): ...  # type: ignore[name-defined] # noqa: F821
async def _async(ctx, event): ...


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (_two_events, {"on": Opened}, "takes the context and the event"),
        (_no_event, {"on": Opened}, "takes the context and the event"),
        (_no_context, {}, "first parameter must be the context"),
        (_only_keywords, {}, "first parameter must be the context"),
        (_generator, {"on": Opened}, "generator"),
        (_annotated, {"on": "a", "topic": "t"}, "use on=Opened"),
        (_async, {"on": "a"}, "on='a' needs its topic"),
        (_async, {"on": Opened, "isolation": "thread"}, "this one is `async def`"),
        (_positional, {}, "given by name"),
        (_variadic, {}, "given by name"),
        (_unknown_type, {}, "Nowhere"),
        (_no_event, {"when": bool}, "when= is for tasks on events"),
        (_no_event, {"topic": "t"}, "topic= is for tasks on events"),
        (_no_event, {"idempotency_key": str}, "task.options(idempotency_key=…)"),
        (_no_event, {"max_retries": 3}, "use max_tries"),
        ("text", {}, "wanted a function"),
    ],
)
def test_functions_that_cannot_be_tasks(function, options, said):
    with pytest.raises(InvalidTask) as caught:
        task(**options)(function)
    assert said in str(caught.value)
    assert "test_registry.py:" in str(caught.value) or function == "text"


def test_annotations_only_for_checkers_do_not_matter_for_the_context(registry):
    @task
    async def work(ctx: "OnlyForCheckers", to: "int"): ...  # type: ignore[name-defined] # noqa: F821

    assert work.parse_args({"to": 1}) == {"to": 1}


def test_on_failure_names_a_plain_task(registry):
    @task(name="tidy")
    async def tidy(ctx, failure: dict): ...

    @task(name="events", on="a", topic="t")
    async def events(ctx, event): ...

    task(name="good", on_failure=tidy)(tidy.function)
    registry.check()
    task(name="bad", on_failure="events")(tidy.function)
    with pytest.raises(InvalidTask, match=r"'bad'.*'events' runs on events"):
        registry.check()


def test_on_failure_must_exist(registry):
    @task(on_failure="nowhere")
    async def work(ctx): ...

    with pytest.raises(InvalidTask, match="not registered"):
        registry.check()


def test_hooks_and_bare_json_topics(registry):
    @on_startup
    async def open_all(state): ...

    @on_shutdown
    def close_all(state): ...

    @on_shutdown
    def close_first(state): ...

    json_topic("orders", type="order.placed")
    json_topic("orders", type="order.placed")
    assert (registry.startup, registry.shutdown) == ([open_all], [close_first, close_all])
    assert registry.json_topics == {"orders": "order.placed"}
    with pytest.raises(InvalidTask, match=r"'order.placed' and as 'order.lost'"):
        json_topic("orders", type="order.lost")


async def test_middleware_wraps_in_order_of_registration(registry):
    seen = []

    @middleware
    async def outer(ctx, call):
        seen.append("outer")
        return await call() + ["outer"]

    @middleware
    async def inner(ctx, call):
        seen.append("inner")
        return await call() + ["inner"]

    @task
    async def work(ctx, to: str):
        return [to]

    @task
    def threaded(ctx):
        return ["thread"]

    async def run(function):
        seen.append("pool")
        return function()

    ctx = Context.fake()
    assert await registry.handler(work)(ctx, None, {"to": "a"}) == ["a", "inner", "outer"]
    assert seen == ["outer", "inner"]
    assert await registry.handler(threaded, run)(ctx, None, {}) == ["thread", "inner", "outer"]
    assert seen[-1] == "pool"
    with pytest.raises(ValueError, match="needs run_in_thread"):
        registry.handler(threaded)


async def test_without_middleware_the_call_is_the_function(registry):
    @task(on="a", topic="t")
    async def work(ctx, event):
        return event.id

    @task
    def threaded(ctx):
        return 5

    assert registry.handler(work) == work.invoke
    assert await registry.handler(work)(None, event(), {}) == "e1"
    assert registry.handler(threaded)(None, None, {}) == 5


def test_sources_are_the_event_topics_and_the_jobs(registry):
    @task(on="a", topic="t", failure_ttl=30 * 86_400)
    async def work(ctx, event): ...

    sources = sources_of(WorkerSettings(app_id="app"), registry)
    assert [(one.name, one.topics) for one in sources] == [
        ("t", ("t",)),
        ("jobs", ("app.jobs.high", "app.jobs", "app.jobs.low")),
    ]
    assert {one.longest_ttl_seconds for one in sources} == {30 * 86_400}


def test_using_is_undone(registry):
    with using(Registry()) as other:
        assert current() is other
    assert current() is registry
